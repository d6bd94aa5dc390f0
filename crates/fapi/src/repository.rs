//! What the engine needs from its surroundings: a memory, keys of others, and consents.

use std::{future::Future, sync::Arc};

use jose::KeySet;
use serde::{Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

use crate::Client;

/// Something that is remembered under a key in a collection.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Name of the collection.
    const COLLECTION: &'static str;

    /// When it may be forgotten.
    fn expires_at(&self) -> Option<OffsetDateTime> {
        None
    }
}

/// A record and the version under which it was read.
#[derive(Debug, Clone)]
pub struct Loaded<R> {
    /// What was remembered.
    pub record: R,
    /// To be named in a later [`Change`], so that a lost race is noticed.
    pub version: u64,
}

/// What must be true for a change to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The key is free.
    Absent,
    /// The key still holds this version.
    Version(u64),
    /// Whatever it holds.
    Any,
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Name of the collection.
    pub collection: &'static str,
    /// Key in the collection.
    pub key: String,
    /// Condition.
    pub expect: Expect,
    /// The new value as JSON, or nothing to delete.
    pub value: Option<Vec<u8>>,
}

impl Change {
    /// Remembers a record.
    ///
    /// # Errors
    /// The record cannot be written as JSON.
    pub fn put<R: Record>(key: impl Into<String>, expect: Expect, record: &R) -> Result<Self, RepositoryError> {
        let value = serde_json::to_vec(record).map_err(|error| RepositoryError(error.to_string()))?;
        Ok(Self { collection: R::COLLECTION, key: key.into(), expect, value: Some(value) })
    }

    /// Forgets a record.
    #[must_use]
    pub fn delete<R: Record>(key: impl Into<String>, expect: Expect) -> Self {
        Self { collection: R::COLLECTION, key: key.into(), expect, value: None }
    }
}

/// The memory failed; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct RepositoryError(pub String);

/// A commit did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Another commit was faster.
    #[error("{collection}/{key} changed meanwhile")]
    Conflict {
        /// Name of the collection.
        collection: String,
        /// Key in the collection.
        key: String,
    },
    /// The memory failed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// The memory of the engine. Commits happen entirely or not at all and are durable when they return.
pub trait Repository: Send + Sync {
    /// Reads one record.
    fn load<R: Record>(&self, key: &str) -> impl Future<Output = Result<Option<Loaded<R>>, RepositoryError>> + Send;

    /// Reads a client, which nearly every request does and hardly any changes: a memory may keep what it has read for as
    /// long as nobody has written the record again.
    fn client(&self, client_id: &str) -> impl Future<Output = Result<Option<Arc<Client>>, RepositoryError>> + Send {
        async move { Ok(self.load::<Client>(client_id).await?.map(|loaded| Arc::new(loaded.record))) }
    }

    /// Applies all changes or none.
    fn commit(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), CommitError>> + Send;
}

/// Keys of another party could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct KeysError(pub String);

/// Where keys of other parties come from.
pub trait Keys: Send + Sync {
    /// The key set at this URI. With a `kid` that is not in the remembered set, the set is fetched again (within
    /// reason), because keys rotate.
    fn keys(&self, jwks_uri: &str, kid: Option<&str>) -> impl Future<Output = Result<Arc<KeySet>, KeysError>> + Send;
}

/// Whether an authorisation may be given for an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usable {
    /// It awaits authorisation.
    Authorisation,
    /// It is authorised already and may be authorised again.
    Reauthentication,
    /// Not in this state (named in the specification's words).
    No(String),
}

/// A consent, as far as the protocol cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// `openbanking_intent_id`.
    pub id: String,
    /// The client that lodged it.
    pub client_id: String,
    /// The scope that it needs.
    pub scope: String,
    /// Whether the PSU may be asked.
    pub authorisable: Usable,
    /// Whether tokens under it work.
    pub active: bool,
    /// When it ends.
    pub expires_at: Option<OffsetDateTime>,
}

/// What is known of other participants.
pub trait Participants: Send + Sync {
    /// The status of an organisation in the Directory's words when it may not take part now; none when it may, or when
    /// nothing is known against it.
    fn suspended(&self, organisation_id: &str) -> impl Future<Output = Result<Option<String>, RepositoryError>> + Send {
        let _ = organisation_id;
        async { Ok(None) }
    }
}

/// Everything that surrounds the engine.
pub trait Surroundings: Repository + Keys + Intents + Participants {}

impl<T: Repository + Keys + Intents + Participants> Surroundings for T {}

/// The consents that the engine protects.
pub trait Intents: Send + Sync {
    /// The intent with this id.
    fn intent(&self, id: &str) -> impl Future<Output = Result<Option<Intent>, RepositoryError>> + Send;
}
