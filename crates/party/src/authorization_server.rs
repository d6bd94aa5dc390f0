//! What every party with an authorization server needs around the FAPI engine: HTTP on one side, the store on the other.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use fapi::{Change, CommitError, Expect, Failure, Loaded, PresentedCertificate, Record, RepositoryError};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use simulation::SeenToken;
use store::{Action, Store, Stored};
use transport::{Caller, Response, reply};

/// The caller's certificate in the engine's words.
#[must_use]
pub fn presented(caller: &Arc<Caller>) -> Option<PresentedCertificate> {
    let facts = caller.certificate.as_ref()?.facts();
    Some(PresentedCertificate {
        thumbprint: facts.thumbprint_s256.clone(),
        subject: facts.subject.clone(),
        organisation_id: caller.organisation_id().unwrap_or_default().to_owned(),
        software_id: facts.organisational_unit.as_ref().map(|_| facts.common_name.clone()),
        san_dns: facts.san_dns.clone(),
        san_uri: facts.san_uri.clone(),
        san_ip: facts.san_ip.clone(),
        san_email: facts.san_email.clone(),
        anchored: caller.anchored,
    })
}

/// A failed direct request: RFC 6749, 5.2 on the wire, the verdict for the journal.
#[must_use]
pub fn failed(failure: &Failure) -> Response {
    if let Failure::Unavailable(error) = failure {
        tracing::error!(%error, "the authorization server failed");
    }
    let code = failure.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = reply::json(status, &fapi::error::ErrorBody::new(code, failure.description()));
    // RFC 6749, 5.2: who did not use the Authorization header is told no scheme.
    if status == StatusCode::UNAUTHORIZED && code != fapi::ErrorCode::InvalidClient {
        let value = match failure {
            // RFC 6750, 3.1: who sent nothing made no error.
            Failure::Refused(refusal) if refusal.rule == &fapi::access::TOKEN_PRESENT => {
                "Bearer realm=\"api\"".to_owned()
            }
            _ => format!("Bearer error=\"{}\"", code.as_str()),
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
    }
    if let Some(verdict) = failure.verdict() {
        response.extensions_mut().insert(verdict);
    }
    no_store(response)
}

/// RFC 6749, 5.1: answers with secrets are not cached.
#[must_use]
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A token for the journal: header and claims, never the signature.
#[must_use]
pub fn seen(name: &'static str, token: Option<&str>) -> Option<SeenToken> {
    SeenToken::new(name, token?, decode)
}

fn decode(jws: &str) -> Option<(Value, Value)> {
    let jws = jose::Jws::parse(jws).ok()?;
    Some((serde_json::to_value(jws.header()).ok()?, jws.claims().ok()?))
}

fn broken(error: impl std::fmt::Display) -> RepositoryError {
    RepositoryError(error.to_string())
}

/// Reads one of the engine's records.
///
/// # Errors
/// The store failed, or holds something else under this key.
pub async fn load<R: Record>(store: &dyn Store, key: &str) -> Result<Option<Loaded<R>>, RepositoryError> {
    if key.is_empty() {
        return Ok(None);
    }
    match store.get(R::COLLECTION, key).await.map_err(broken)? {
        None => Ok(None),
        Some(stored) => {
            let record = serde_json::from_slice(&stored.value).map_err(broken)?;
            Ok(Some(Loaded { record, version: stored.version }))
        }
    }
}

/// Records that are kept parsed, for those that nearly every request reads. The store is asked each time, so that what was
/// written meanwhile is never missed.
#[derive(Debug)]
pub struct Parsed<R>(RwLock<HashMap<String, Loaded<Arc<R>>>>);

/// How many of them are kept; then it begins anew.
const MOST_PARSED: usize = 1000;

impl<R> Default for Parsed<R> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<R: Record> Parsed<R> {
    /// Reads one record, and parses it if it was written since the last time.
    ///
    /// # Errors
    /// The store failed, or holds something else under this key.
    pub async fn load(&self, store: &dyn Store, key: &str) -> Result<Option<Arc<R>>, RepositoryError> {
        if key.is_empty() {
            return Ok(None);
        }
        let Some(Stored { version, value }) = store.get(R::COLLECTION, key).await.map_err(broken)? else {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
            return Ok(None);
        };
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key)
            && known.version == version
        {
            return Ok(Some(Arc::clone(&known.record)));
        }
        let record = Arc::new(serde_json::from_slice(&value).map_err(broken)?);
        let mut parsed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= MOST_PARSED {
            parsed.clear();
        }
        parsed.insert(key.to_owned(), Loaded { record: Arc::clone(&record), version });
        Ok(Some(record))
    }
}

/// The store's form of the engine's changes.
#[must_use]
pub fn to_store(changes: Vec<Change>) -> Vec<store::Change> {
    changes
        .into_iter()
        .map(|change| {
            let expect = match change.expect {
                Expect::Absent => store::Expect::Absent,
                Expect::Version(version) => store::Expect::Version(version),
                Expect::Any => store::Expect::Any,
            };
            let action = change.value.map_or(Action::Delete, Action::Put);
            store::Change { collection: change.collection.to_owned(), key: change.key, expect, action }
        })
        .collect()
}

/// Applies the engine's changes, all or none.
///
/// # Errors
/// Another commit was faster, or the store failed.
pub async fn commit(store: &dyn Store, changes: Vec<Change>) -> Result<(), CommitError> {
    store.commit(to_store(changes)).await.map_err(|error| match error {
        store::CommitError::Conflict { collection, key, .. } => CommitError::Conflict { collection, key },
        other @ store::CommitError::Store(_) => CommitError::Repository(broken(other)),
    })
}

#[cfg(test)]
mod tests {
    use fapi::{Expect, grant::UsedJti};
    use store::MemoryStore;
    use time::{Duration, OffsetDateTime};

    use super::*;

    #[tokio::test]
    async fn a_record_is_parsed_again_as_soon_as_it_is_written_again() {
        let (store, parsed) = (MemoryStore::new(), Parsed::<UsedJti>::default());
        let write = async |seconds| {
            let record = UsedJti { expires_at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds) };
            commit(&store, vec![Change::put("a", Expect::Any, &record).unwrap()]).await.unwrap();
            record
        };
        let read = async || parsed.load(&store, "a").await.unwrap();
        assert_eq!(read().await, None);
        let first = write(1).await;
        let found = read().await.unwrap();
        assert_eq!(*found, first);
        assert!(Arc::ptr_eq(&found, &read().await.unwrap()));
        let second = write(2).await;
        assert_eq!(*read().await.unwrap(), second);
        commit(&store, vec![Change::delete::<UsedJti>("a", Expect::Any)]).await.unwrap();
        assert_eq!(read().await, None);
        write(2).await;
        assert_eq!(*read().await.unwrap(), second);
        assert_eq!(parsed.load(&store, "").await.unwrap(), None);
    }

    #[tokio::test]
    async fn only_so_many_records_are_kept_parsed() {
        let (store, parsed) = (MemoryStore::new(), Parsed::<UsedJti>::default());
        let record = UsedJti { expires_at: OffsetDateTime::UNIX_EPOCH };
        for number in 0..=MOST_PARSED {
            let change = Change::put(number.to_string(), Expect::Any, &record).unwrap();
            commit(&store, vec![change]).await.unwrap();
            parsed.load(&store, &number.to_string()).await.unwrap();
        }
        assert_eq!(parsed.0.read().unwrap().len(), 1);
    }
}
