//! Pushed authorization requests over HTTP (RFC 9126, 2).

use std::sync::Arc;

use http::StatusCode;
use party::authorization_server::seen;
use transport::{Request, Response};

use super::direct;
use crate::Context;

/// `POST /par`.
pub async fn push(context: Arc<Context>, request: Request) -> Response {
    let parameters = direct::parameters(&request);
    let names = ["client_assertion", "request"];
    let tokens = names.into_iter().filter_map(|name| seen(name, parameters.get(name))).collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.push(&parameters, certificate.as_ref(), context.tools.clock.now()).await;
    direct::answer(&request, StatusCode::CREATED, outcome, tokens)
}
