//! What the TPP keeps in memory only: banks' keys and its own tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jose::KeySet;
use time::OffsetDateTime;

/// Banks' keys by URL.
#[derive(Default)]
pub(crate) struct KeySets(Mutex<HashMap<String, Arc<KeySet>>>);

impl KeySets {
    pub(crate) fn get(&self, uri: &str) -> Option<Arc<KeySet>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uri).cloned()
    }

    pub(crate) fn put(&self, uri: &str, keys: KeySet) -> Arc<KeySet> {
        let keys = Arc::new(keys);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.to_owned(), Arc::clone(&keys));
        keys
    }
}

/// The TPP's own tokens, until they end.
#[derive(Default)]
pub(crate) struct ClientTokens(Mutex<HashMap<String, (String, OffsetDateTime)>>);

impl ClientTokens {
    pub(crate) fn get(&self, key: &str, now: OffsetDateTime) -> Option<String> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(key).filter(|(_, until)| *until > now).map(|(token, _)| token.clone())
    }

    pub(crate) fn put(&self, key: &str, token: &str, until: OffsetDateTime) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(key.to_owned(), (token.to_owned(), until));
    }

    /// Forgets a token that a bank no longer takes.
    pub(crate) fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
