//! The token endpoint over HTTP (RFC 6749, 3.2).

use std::sync::Arc;

use http::StatusCode;
use party::authorization_server::seen;
use transport::{Request, Response};

use super::direct;
use crate::Context;

/// `POST /token`.
pub async fn token(context: Arc<Context>, request: Request) -> Response {
    let parameters = direct::parameters(&request);
    let mut tokens: Vec<_> = seen("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.token(&parameters, certificate.as_ref(), context.tools.clock.now()).await;
    if let Ok(accepted) = &outcome {
        tokens.extend(seen("id_token", accepted.value.id_token.as_deref()));
    }
    direct::answer(&request, StatusCode::OK, outcome, tokens)
}
