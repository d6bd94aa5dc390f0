//! What surrounds the FAPI engine: the store, keys of other parties, and the consents.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use fapi::{
    Change, Client, CommitError, Intent, Intents, Keys, KeysError, Loaded, Participants, Record, Repository,
    RepositoryError,
};
use http::Method;
use jose::KeySet;
use party::authorization_server;
use simulation::Clock;
use store::Store;
use time::OffsetDateTime;
use transport::HttpClient;
use url::Url;

use crate::consents;

/// How long a key set is used before it is fetched again.
const FRESH: time::Duration = time::Duration::minutes(15);
/// How soon an unknown `kid` may cause another fetch.
const PATIENCE: time::Duration = time::Duration::seconds(5);

/// The engine's surroundings.
pub struct Memory {
    store: Arc<dyn Store>,
    clients: authorization_server::Parsed<Client>,
    http: HttpClient,
    clock: Clock,
    /// How soon an unknown `kid` may cause another fetch.
    patience: time::Duration,
    key_sets: Mutex<HashMap<String, Remembered>>,
    /// Statuses of organisations that are not active, as the Directory told them last.
    suspended: ArcSwap<HashMap<String, String>>,
}

#[derive(Clone)]
struct Remembered {
    keys: Arc<KeySet>,
    fetched_at: OffsetDateTime,
}

impl Memory {
    /// Surroundings over a store and a client that trusts the ecosystem's certificates.
    pub fn new(store: Arc<dyn Store>, http: HttpClient, clock: Clock) -> Self {
        Self {
            store,
            clients: authorization_server::Parsed::default(),
            http,
            clock,
            patience: PATIENCE,
            key_sets: Mutex::default(),
            suspended: ArcSwap::default(),
        }
    }

    /// The same, asking at every unknown `kid`: for runs that repeat, in which nothing may depend on how fast they are.
    #[must_use]
    pub fn impatient(self) -> Self {
        Self { patience: time::Duration::ZERO, ..self }
    }

    /// Remembers which organisations may not take part.
    pub fn suspend(&self, statuses: HashMap<String, String>) {
        self.suspended.store(Arc::new(statuses));
    }

    /// Forgets other parties' keys, so that the next signature is held against what they publish then.
    pub fn forget_keys(&self) {
        self.key_sets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The store itself, for the bank's own records.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn remembered(&self, uri: &str, kid: Option<&str>) -> Option<Arc<KeySet>> {
        let now = self.clock.true_now();
        let sets = self.key_sets.lock().unwrap_or_else(PoisonError::into_inner);
        let set = sets.get(uri)?;
        let age = now - set.fetched_at;
        let known = kid.is_none_or(|kid| set.keys.contains(kid));
        (age < self.patience || (age < FRESH && known)).then(|| Arc::clone(&set.keys))
    }

    async fn fetch(&self, uri: &str) -> Result<Arc<KeySet>, KeysError> {
        let url = Url::parse(uri).map_err(|error| KeysError(format!("{uri} is not a URL: {error}")))?;
        let answer = self
            .http
            .request(Method::GET, &url)
            .to("Directory")
            .send()
            .await
            .map_err(|error| KeysError(format!("{uri} cannot be read: {error}")))?;
        if !answer.status.is_success() {
            return Err(KeysError(format!("{uri} answered {}", answer.status)));
        }
        let keys = KeySet::from_json(&answer.body).map_err(|error| KeysError(format!("{uri}: {error}")))?;
        let keys = Arc::new(keys);
        let remembered = Remembered { keys: Arc::clone(&keys), fetched_at: self.clock.true_now() };
        self.key_sets.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.to_owned(), remembered);
        Ok(keys)
    }
}

/// How long to wait for another party's keys.
pub const KEYS_TIMEOUT: Duration = Duration::from_secs(10);

impl Repository for Memory {
    async fn load<R: Record>(&self, key: &str) -> Result<Option<Loaded<R>>, RepositoryError> {
        authorization_server::load(&*self.store, key).await
    }

    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, RepositoryError> {
        self.clients.load(&*self.store, client_id).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        authorization_server::commit(&*self.store, changes).await
    }
}

impl Keys for Memory {
    async fn keys(&self, jwks_uri: &str, kid: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        match self.remembered(jwks_uri, kid) {
            Some(keys) => Ok(keys),
            None => self.fetch(jwks_uri).await,
        }
    }
}

impl Participants for Memory {
    async fn suspended(&self, organisation_id: &str) -> Result<Option<String>, RepositoryError> {
        Ok(self.suspended.load().get(organisation_id).cloned())
    }
}

impl Intents for Memory {
    async fn intent(&self, id: &str) -> Result<Option<Intent>, RepositoryError> {
        let found = consents::collection().get(&*self.store, id).await;
        let found = found.map_err(|error| RepositoryError(error.to_string()))?;
        Ok(found.map(|(consent, _)| consent.intent(self.clock.now())))
    }
}
