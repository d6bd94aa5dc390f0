//! The certificates that organisations have, parsed once. The store is asked each time, so that what was written meanwhile
//! counts at once.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jose::{Jwk, Jwks, KeyError, KeySet};
use pki::{Certificate, PkiError};
use store::{Range, Store, StoreError, Stored, Version};

use crate::registry::{IssuedCertificate, below, certificates};

/// How many organisations are kept; then it begins anew.
const MOST: usize = 1000;

/// Why certificates that are kept cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is not of this form.
    #[error("a record of a certificate cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    /// A certificate is none.
    #[error("a certificate cannot be read: {0}")]
    Certificate(#[from] PkiError),
    /// A key is none.
    #[error("the key of a certificate cannot be read: {0}")]
    Key(#[from] KeyError),
}

/// A certificate that the Directory issued.
#[derive(Debug)]
pub(crate) struct Issued {
    /// As it is kept.
    pub(crate) record: IssuedCertificate,
    /// The certificate.
    pub(crate) certificate: Certificate,
    /// Its key, as key sets show it.
    pub(crate) jwk: Jwk,
    public_key: Vec<u8>,
}

impl Issued {
    /// # Errors
    /// The kept certificate cannot be read.
    pub(crate) fn parsed(record: IssuedCertificate) -> Result<Self, IssuedError> {
        let certificate = Certificate::from_pem(&record.pem)?;
        let public_key = certificate.public_key_der()?;
        let jwk = Jwk {
            kid: Some(record.kid.clone()),
            use_: record.kind.key_use().map(str::to_owned),
            x5c: vec![certificate.x5c()],
            x5t_s256: Some(certificate.facts().thumbprint_s256.clone()),
            ..Jwk::from_rsa_public_der(&public_key)?
        };
        Ok(Self { record, certificate, jwk, public_key })
    }

    /// Whether it was not revoked.
    pub(crate) fn in_use(&self) -> bool {
        self.record.revoked_at.is_none()
    }
}

/// All certificates of one organisation.
#[derive(Debug)]
pub(crate) struct OrganisationCertificates {
    /// The versions of the records: no two sets of records have the same.
    versions: Vec<Version>,
    /// The certificates, by kid.
    pub(crate) all: Vec<Issued>,
    /// The keys of those that are in use.
    pub(crate) keys: Arc<KeySet>,
}

impl OrganisationCertificates {
    fn parsed(records: &[(String, Stored)]) -> Result<Self, IssuedError> {
        let all = records
            .iter()
            .map(|(_, stored)| Issued::parsed(serde_json::from_slice(&stored.value)?))
            .collect::<Result<Vec<_>, IssuedError>>()?;
        let keys = Arc::new(KeySet::from_jwks(&key_set(all.iter().filter(|issued| issued.in_use()))));
        Ok(Self { versions: versions(records), all, keys })
    }

    /// The certificate under this kid.
    pub(crate) fn get(&self, kid: &str) -> Option<&Issued> {
        self.all.iter().find(|issued| issued.record.kid == kid)
    }

    /// What is known of a certificate that somebody shows. One that was renewed goes by its key.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub(crate) fn shown(&self, certificate: &Certificate) -> Result<Option<&Issued>, IssuedError> {
        let thumbprint = &certificate.facts().thumbprint_s256;
        if let Some(same) = self.all.iter().find(|issued| issued.certificate.facts().thumbprint_s256 == *thumbprint) {
            return Ok(Some(same));
        }
        let key = certificate.public_key_der()?;
        Ok(self.all.iter().find(|issued| issued.public_key == key))
    }
}

fn versions(records: &[(String, Stored)]) -> Vec<Version> {
    records.iter().map(|(_, stored)| stored.version).collect()
}

/// The public keys of certificates, for participants; those of servers are not among them.
pub(crate) fn key_set<'a>(issued: impl Iterator<Item = &'a Issued>) -> Jwks {
    Jwks { keys: issued.map(|issued| &issued.jwk).filter(|jwk| jwk.use_.is_some()).cloned().collect() }
}

/// The certificates of all organisations.
#[derive(Debug, Default)]
pub(crate) struct Certificates(RwLock<HashMap<String, Arc<OrganisationCertificates>>>);

impl Certificates {
    /// Those of one organisation, parsed if one of them was written since the last time.
    ///
    /// # Errors
    /// The store failed, or holds something else.
    pub(crate) async fn of(
        &self,
        store: &dyn Store,
        organisation_id: &str,
    ) -> Result<Arc<OrganisationCertificates>, IssuedError> {
        let records = store.range(certificates().name(), Range::prefix(below(organisation_id, ""))).await?;
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(organisation_id)
            && known.versions.iter().eq(records.iter().map(|(_, stored)| &stored.version))
        {
            return Ok(Arc::clone(known));
        }
        let parsed = Arc::new(OrganisationCertificates::parsed(&records)?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        // Who has no certificate yet is not kept: names cost nothing.
        if !parsed.all.is_empty() {
            kept.insert(organisation_id.to_owned(), Arc::clone(&parsed));
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use openbanking::directory::CertificateKind;
    use pki::{Authority, PrivateKey, Profile};
    use simulation::Clock;
    use store::MemoryStore;

    use super::*;

    fn record(authority: &Authority, key: &PrivateKey, kid: &str, kind: CertificateKind) -> IssuedCertificate {
        let profile = Profile::Server { names: vec!["localhost".to_owned()] };
        let now = Clock::real().true_now();
        let certificate = authority.issue(key.public_key_der(), &profile, [kid.len() as u8; 16], now).unwrap();
        IssuedCertificate {
            kid: kid.to_owned(),
            kind,
            organisation_id: "org".to_owned(),
            pem: certificate.pem(),
            serial: certificate.facts().serial.clone(),
            not_after: certificate.facts().not_after,
            revoked_at: None,
            associations: Vec::new(),
        }
    }

    #[tokio::test]
    async fn certificates_are_parsed_again_as_soon_as_one_of_them_was_written() {
        let (store, kept) = (MemoryStore::new(), Certificates::default());
        let now = Clock::real().true_now();
        let authority = Authority::create(now, "Test").unwrap();
        let (one, other) = (PrivateKey::generate_rsa().unwrap(), PrivateKey::generate_rsa().unwrap());
        let read = async || kept.of(&store, "org").await.unwrap();
        let write = async |record: &IssuedCertificate| {
            let change = certificates().put(below("org", &record.kid), record).unwrap();
            store.commit(vec![change]).await.unwrap();
        };
        assert!(read().await.all.is_empty() && kept.0.read().unwrap().is_empty());

        let mut seal = record(&authority, &one, "a", CertificateKind::Obseal);
        write(&seal).await;
        let first = read().await;
        assert!(Arc::ptr_eq(&first, &read().await));
        assert!(first.keys.contains("a"));

        let server = record(&authority, &other, "bb", CertificateKind::Server);
        write(&server).await;
        let second = read().await;
        assert_eq!(second.all.len(), 2);
        assert_eq!(second.keys.kids(), "a", "keys of servers are in no key set");
        // Another organisation's records are none of its business.
        store.commit(vec![certificates().put(below("organ", "c"), &seal).unwrap()]).await.unwrap();
        assert!(Arc::ptr_eq(&second, &read().await));

        seal.revoked_at = Some(now);
        write(&seal).await;
        let third = read().await;
        assert_eq!((third.all.len(), third.keys.kids().as_str()), (2, ""));
        assert!(!third.get("a").unwrap().in_use() && third.get("c").is_none());
    }

    #[test]
    fn a_certificate_that_was_renewed_goes_by_its_key() {
        let authority = Authority::create(Clock::real().true_now(), "Test").unwrap();
        let (one, other) = (PrivateKey::generate_rsa().unwrap(), PrivateKey::generate_rsa().unwrap());
        let kind = CertificateKind::Obwac;
        let before = Certificate::from_pem(&record(&authority, &one, "a", kind).pem).unwrap();
        let renewed = record(&authority, &one, "bb", kind);
        let stranger = Certificate::from_pem(&record(&authority, &other, "ccc", kind).pem).unwrap();
        let stored = Stored { version: 1, value: serde_json::to_vec(&renewed).unwrap() };
        let parsed = OrganisationCertificates::parsed(&[("org/bb".to_owned(), stored)]).unwrap();
        let own = Certificate::from_pem(&renewed.pem).unwrap();
        for known in [&before, &own] {
            assert_eq!(parsed.shown(known).unwrap().unwrap().record.kid, "bb");
        }
        assert!(parsed.shown(&stranger).unwrap().is_none());
    }
}
