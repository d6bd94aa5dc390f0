//! What every party with an authorization server needs around the FAPI engine: HTTP on one side, the store on the other.

use std::sync::Arc;

use fapi::{Change, CommitError, Expect, Failure, Loaded, PresentedCertificate, Record, RepositoryError};
use http::{HeaderValue, StatusCode, header};
use simulation::DecodedToken;
use store::{Action, Store};
use transport::{Caller, Response, reply};

/// The caller's certificate in the engine's words.
#[must_use]
pub fn presented(caller: &Arc<Caller>) -> Option<PresentedCertificate> {
    let facts = caller.certificate.as_ref()?.facts();
    Some(PresentedCertificate {
        thumbprint: facts.thumbprint_s256.clone(),
        subject: facts.subject.clone(),
        organisation_id: facts.organisational_unit.clone().unwrap_or_else(|| facts.common_name.clone()),
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
    if status == StatusCode::UNAUTHORIZED {
        let value = format!("Bearer error=\"{}\"", code.as_str());
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
pub fn decoded(name: &str, token: Option<&str>) -> Option<DecodedToken> {
    let jws = jose::Jws::parse(token?).ok()?;
    Some(DecodedToken {
        name: name.to_owned(),
        header: serde_json::to_value(jws.header()).ok()?,
        claims: jws.claims().ok()?,
    })
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

/// The store's form of the engine's changes.
///
/// # Errors
/// A value cannot be written as JSON.
pub fn to_store(changes: Vec<Change>) -> Result<Vec<store::Change>, RepositoryError> {
    changes
        .into_iter()
        .map(|change| {
            let action = match change.value {
                Some(value) => Action::Put(serde_json::to_vec(&value).map_err(broken)?),
                None => Action::Delete,
            };
            let expect = match change.expect {
                Expect::Absent => store::Expect::Absent,
                Expect::Version(version) => store::Expect::Version(version),
                Expect::Any => store::Expect::Any,
            };
            Ok(store::Change { collection: change.collection.to_owned(), key: change.key, expect, action })
        })
        .collect()
}

/// Applies the engine's changes, all or none.
///
/// # Errors
/// Another commit was faster, or the store failed.
pub async fn commit(store: &dyn Store, changes: Vec<Change>) -> Result<(), CommitError> {
    store.commit(to_store(changes)?).await.map_err(|error| match error {
        store::CommitError::Conflict { collection, key, .. } => CommitError::Conflict { collection, key },
        other @ store::CommitError::Store(_) => CommitError::Repository(broken(other)),
    })
}
