//! The token endpoint over HTTP (RFC 6749, 3.2).

use std::sync::Arc;

use fapi::{ErrorCode, error::ErrorBody, token::Parameters};
use http::StatusCode;
use party::authorization_server::{decoded, failed, no_store, presented};
use transport::{Request, Response, reply};

use crate::Context;

/// `POST /token`.
pub async fn token(context: Arc<Context>, request: Request) -> Response {
    let Some(form) = request.form_pairs() else {
        let body = ErrorBody::new(ErrorCode::InvalidRequest, "The body is application/x-www-form-urlencoded.");
        return no_store(reply::json(StatusCode::BAD_REQUEST, &body));
    };
    let parameters = Parameters::new(form);
    let mut tokens: Vec<_> = decoded("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let certificate = presented(&request.caller);
    let mut response = match context.engine.token(&parameters, certificate.as_ref(), context.tools.clock.now()).await {
        Ok(accepted) => {
            tokens.extend(decoded("id_token", accepted.value.id_token.as_deref()));
            let mut response = no_store(reply::json(StatusCode::OK, &accepted.value));
            response.extensions_mut().insert(accepted.passed.verdict());
            response
        }
        Err(failure) => failed(&failure),
    };
    response.extensions_mut().insert(tokens);
    response
}
