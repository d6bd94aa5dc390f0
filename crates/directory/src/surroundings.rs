//! What surrounds the FAPI engine at the Directory: the store, and the keys that the Directory itself publishes.

use std::sync::Arc;

use fapi::{
    Change, CommitError, Intent, Intents, Keys, KeysError, Loaded, Participants, Record, Repository, RepositoryError,
};
use jose::KeySet;
use openbanking::ssa::OrganisationStatus;
use party::authorization_server;
use store::Store;

use crate::{
    issued::{Certificates, IssuedError, OrganisationCertificates},
    keystore,
    registry::organisations,
};

/// The engine's surroundings.
pub struct Surroundings {
    store: Arc<dyn Store>,
    certificates: Certificates,
}

impl Surroundings {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, certificates: Certificates::default() }
    }

    /// The certificates of an organisation.
    ///
    /// # Errors
    /// The store failed, or holds something else.
    pub(crate) async fn certificates(
        &self,
        organisation_id: &str,
    ) -> Result<Arc<OrganisationCertificates>, IssuedError> {
        self.certificates.of(&*self.store, organisation_id).await
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }
}

impl Repository for Surroundings {
    async fn load<R: Record>(&self, key: &str) -> Result<Option<Loaded<R>>, RepositoryError> {
        authorization_server::load(&*self.store, key).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        authorization_server::commit(&*self.store, changes).await
    }
}

impl Keys for Surroundings {
    /// The keys of an organisation, from the store: what the keystore would answer.
    async fn keys(&self, jwks_uri: &str, _: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        let organisation = keystore::organisation_of(jwks_uri)
            .ok_or_else(|| KeysError(format!("{jwks_uri} is not an organisation's key set")))?;
        let certificates = self.certificates(organisation).await.map_err(|error| KeysError(error.to_string()))?;
        Ok(Arc::clone(&certificates.keys))
    }
}

impl Participants for Surroundings {
    /// What the Directory's own register says.
    async fn suspended(&self, organisation_id: &str) -> Result<Option<String>, RepositoryError> {
        let found = organisations().get(&*self.store, organisation_id).await;
        let found = found.map_err(|error| RepositoryError(error.to_string()))?;
        let status = found.map(|(record, _)| record.organisation.status);
        Ok(status.filter(|status| *status != OrganisationStatus::Active).map(|status| format!("{status:?}")))
    }
}

impl Intents for Surroundings {
    async fn intent(&self, _: &str) -> Result<Option<Intent>, RepositoryError> {
        Ok(None)
    }
}
