//! What the TPP keeps in memory only: banks' keys and its own tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jose::KeySet;
use time::{Duration, OffsetDateTime};

/// How long a bank's keys are used before they are fetched again: a key that the bank took out of its set is believed no
/// longer than this.
const FRESH: Duration = Duration::minutes(15);

/// Banks' keys by URL, and when they were fetched.
#[derive(Default)]
pub(crate) struct KeySets(Mutex<HashMap<String, (Arc<KeySet>, OffsetDateTime)>>);

impl KeySets {
    /// The keys, while they are fresh.
    pub(crate) fn get(&self, uri: &str, now: OffsetDateTime) -> Option<Arc<KeySet>> {
        let sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back says nothing of their age.
        let fresh = |fetched_at: &OffsetDateTime| (Duration::ZERO..FRESH).contains(&(now - *fetched_at));
        sets.get(uri).filter(|(_, fetched_at)| fresh(fetched_at)).map(|(keys, _)| Arc::clone(keys))
    }

    pub(crate) fn put(&self, uri: &str, keys: KeySet, now: OffsetDateTime) -> Arc<KeySet> {
        let keys = Arc::new(keys);
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.insert(uri.to_owned(), (Arc::clone(&keys), now));
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

#[cfg(test)]
mod tests {
    use jose::Jwks;

    use super::*;
    use crate::claims::tests::NOW;

    #[test]
    fn a_banks_keys_are_used_for_a_quarter_of_an_hour() {
        let sets = KeySets::default();
        sets.put("https://bank.example/jwks", KeySet::from_jwks(&Jwks::default()), NOW);
        let known = |after: Duration| sets.get("https://bank.example/jwks", NOW + after).is_some();
        assert!(known(Duration::ZERO) && known(Duration::minutes(14)));
        assert!(!known(Duration::minutes(15)) && !known(Duration::days(30)) && !known(Duration::seconds(-1)));
        assert!(sets.get("https://other.example/jwks", NOW).is_none());
    }
}
