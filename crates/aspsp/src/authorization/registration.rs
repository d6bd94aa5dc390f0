//! Dynamic client registration over HTTP (OB DCR 3.3; RFC 7591).

use std::sync::Arc;

use fapi::{ErrorCode, error::ErrorBody};
use http::StatusCode;
use party::authorization_server::{decoded, failed, no_store, presented};
use transport::{Request, Response, reply};

use crate::Context;

/// Content types of a registration request; the second is that of DCR 3.2.
const CONTENT_TYPES: [&str; 2] = ["application/jwt", "application/jose"];

/// `POST /register`.
pub async fn register(context: Arc<Context>, request: Request) -> Response {
    if !request.content_type().is_some_and(|found| CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(found)))
    {
        let body = ErrorBody::new(ErrorCode::InvalidClientMetadata, "The body is a signed JWT, application/jwt.");
        return no_store(reply::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &body));
    }
    let Ok(text) = std::str::from_utf8(&request.body) else {
        let body = ErrorBody::new(ErrorCode::InvalidClientMetadata, "The body is a signed JWT, application/jwt.");
        return no_store(reply::json(StatusCode::BAD_REQUEST, &body));
    };
    let text = text.trim();
    let tokens: Vec<_> = decoded("registration request", Some(text)).into_iter().collect();
    let certificate = presented(&request.caller);
    let mut response = match context.engine.register(text, certificate.as_ref(), context.tools.clock.now()).await {
        Ok(accepted) => {
            let mut response = no_store(reply::json(StatusCode::CREATED, &accepted.value.response));
            response.extensions_mut().insert(accepted.passed.verdict());
            response
        }
        Err(failure) => failed(&failure),
    };
    response.extensions_mut().insert(tokens);
    response
}
