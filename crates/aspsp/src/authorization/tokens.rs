//! What else can be done with tokens over HTTP: introspection (RFC 7662), revocation (RFC 7009), userinfo (OpenID Connect
//! Core, 5.3).

use std::sync::Arc;

use fapi::{
    Accepted,
    access::{Demand, TokenKind, bearer},
};
use http::StatusCode;
use party::authorization_server::seen;
use serde::Serialize;
use transport::{Request, Response};

use super::direct;
use crate::Context;

/// `POST /introspect`.
pub async fn introspect(context: Arc<Context>, request: Request) -> Response {
    let parameters = direct::parameters(&request);
    let tokens = seen("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.introspect(&parameters, certificate.as_ref(), context.tools.clock.now()).await;
    direct::answer(&request, StatusCode::OK, outcome, tokens)
}

/// `POST /revoke`.
pub async fn revoke(context: Arc<Context>, request: Request) -> Response {
    let parameters = direct::parameters(&request);
    let tokens = seen("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.revoke(&parameters, certificate.as_ref(), context.tools.clock.now()).await;
    let outcome = outcome.map(|Accepted { passed, .. }| Accepted { value: serde_json::json!({}), passed });
    direct::answer(&request, StatusCode::OK, outcome, tokens)
}

/// Claims about the customer: who it is here, and nothing more.
#[derive(Debug, Serialize)]
struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    openbanking_intent_id: Option<String>,
}

/// `GET` or `POST /userinfo`.
pub async fn userinfo(context: Arc<Context>, request: Request) -> Response {
    let certificate = direct::certificate(&request);
    let demand = Demand { scope: Some("openid"), kind: TokenKind::Customer };
    let token = bearer(request.header("authorization"));
    let outcome = context.engine.access(token, certificate.as_ref(), demand, context.tools.clock.now()).await;
    let outcome = outcome.map(|Accepted { value, passed }| {
        let (sub, intent) = value.grant.map(|grant| (grant.subject, grant.intent_id)).unwrap_or_default();
        Accepted { value: UserInfo { sub, openbanking_intent_id: intent }, passed }
    });
    direct::answer(&request, StatusCode::OK, outcome, Vec::new())
}
