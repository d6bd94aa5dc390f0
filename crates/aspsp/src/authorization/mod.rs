//! The bank's authorization server on the FAPI engine: what HTTP and the customer's browser add to it.

pub mod discovery;
pub mod endpoint;
pub mod interaction;
pub mod registration;
pub mod session;
pub mod token;
mod views;

use std::sync::Arc;

use fapi::{Failure, PresentedCertificate};
use http::{HeaderValue, StatusCode, header};
use simulation::DecodedToken;
use transport::{Caller, Response, reply};

/// The caller's certificate in the engine's words.
#[must_use]
pub fn presented(caller: &Arc<Caller>) -> Option<PresentedCertificate> {
    let facts = caller.certificate.as_ref()?.facts();
    Some(PresentedCertificate {
        thumbprint: facts.thumbprint_s256.clone(),
        subject: facts.subject.clone(),
        organisation_id: facts.organisational_unit.clone().unwrap_or_else(|| facts.common_name.clone()),
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
