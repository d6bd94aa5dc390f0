//! Dynamic client registration over HTTP (OB DCR 3.2 to 3.4; RFC 7591, RFC 7592).

use std::sync::Arc;

use fapi::{Accepted, ErrorCode, Failure, access::bearer, client_configuration::Visit, error::ErrorBody};
use http::StatusCode;
use party::authorization_server::{failed, no_store, seen, to_store};
use rules::{Evidence, Refusal};
use store::{CommitError, Range};
use transport::{Request, Response, reply};

use super::direct;
use crate::{
    Context,
    consents::{self, owned},
};

/// Content types of a registration request; the second is that of DCR 3.2.
const CONTENT_TYPES: [&str; 2] = ["application/jwt", "application/jose"];

rules::catalogue! {
    /// Rules of how a registration travels, beside the engine's.
    pub RULES;
    MEDIA_TYPE { id: "registration.media-type",
        reason: "The body of a registration is a signed JWT, application/jwt or application/jose.", clause: "OB DCR 3.2 to 3.4, POST /register" }
}

/// The signed request.
fn text<'a>(context: &Context, request: &'a Request) -> Result<&'a str, Box<Response>> {
    let refused = |status, found: &str| {
        let refusal = Refusal::new(&MEDIA_TYPE, (), Evidence::new(CONTENT_TYPES.join(" or "), found));
        let body = ErrorBody::new(ErrorCode::InvalidClientMetadata, MEDIA_TYPE.unmet);
        let mut response = no_store(reply::json(status, &body));
        response.extensions_mut().insert(refusal.verdict());
        Box::new(response)
    };
    let found = request.content_type().unwrap_or("no media type");
    let known = CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(found));
    if !known && !context.engine.profile().switched_off.contains(&MEDIA_TYPE) {
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, found));
    }
    let text = std::str::from_utf8(&request.body).map(str::trim);
    text.map_err(|_| refused(StatusCode::BAD_REQUEST, "bytes that are no text"))
}

/// `POST /register`.
pub async fn register(context: Arc<Context>, request: Request) -> Response {
    let text = match text(&context, &request) {
        Ok(text) => text,
        Err(refused) => return *refused,
    };
    let tokens = seen("registration request", Some(text)).into_iter().collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.register(text, certificate.as_ref(), context.tools.clock.now()).await;
    direct::answer(&request, StatusCode::CREATED, outcome.map(response), tokens)
}

fn response(accepted: Accepted<fapi::registration::Registered>) -> Accepted<impl serde::Serialize> {
    Accepted { value: accepted.value.response, passed: accepted.passed }
}

/// `GET /register/{ClientId}`.
pub async fn read(context: Arc<Context>, request: Request) -> Response {
    let certificate = direct::certificate(&request);
    let outcome = context.engine.read_client(visit(&context, &request, certificate.as_ref())).await;
    direct::answer(&request, StatusCode::OK, outcome, Vec::new())
}

/// `PUT /register/{ClientId}`.
pub async fn replace(context: Arc<Context>, request: Request) -> Response {
    let text = match text(&context, &request) {
        Ok(text) => text,
        Err(refused) => return *refused,
    };
    let tokens = seen("registration request", Some(text)).into_iter().collect();
    let certificate = direct::certificate(&request);
    let outcome = context.engine.replace_client(visit(&context, &request, certificate.as_ref()), text).await;
    direct::answer(&request, StatusCode::OK, outcome.map(response), tokens)
}

/// `DELETE /register/{ClientId}`: the client, its tokens and its consents end at once.
pub async fn delete(context: Arc<Context>, request: Request) -> Response {
    let certificate = direct::certificate(&request);
    match context.engine.delete_client(visit(&context, &request, certificate.as_ref())).await {
        Ok(Accepted { value, passed }) => match end(&context, value, client_id(&request)).await {
            Ok(()) => {
                let mut response = no_store(reply::empty(StatusCode::NO_CONTENT));
                response.extensions_mut().insert(passed.verdict());
                response
            }
            Err(error) => failed(&Failure::Unavailable(error)),
        },
        Err(failure) => failed(&failure),
    }
}

fn client_id(request: &Request) -> &str {
    request.params.get("ClientId").unwrap_or_default()
}

fn visit<'a>(
    context: &Context,
    request: &'a Request,
    certificate: Option<&'a fapi::PresentedCertificate>,
) -> Visit<'a> {
    let now = context.tools.clock.now();
    Visit { client_id: client_id(request), token: bearer(request.header("authorization")), certificate, now }
}

/// Commits the end of a client together with that of its consents.
async fn end(context: &Context, change: fapi::Change, client_id: &str) -> Result<(), String> {
    let now = context.tools.clock.now();
    let ended = to_store(vec![change]);
    let consents = consents::collection();
    loop {
        let mut changes = ended.clone();
        let all = consents.range(context.store(), Range::all()).await.map_err(|error| error.to_string())?;
        for (key, consent, version) in all {
            if consent.client_id == client_id && consent.deleted_at.is_none() {
                let change = consents.update(key, version, &owned::ended(consent, now));
                changes.push(change.map_err(|error| error.to_string())?);
            }
        }
        match context.store().commit(changes).await {
            // A consent was used or decided meanwhile: it ends all the same.
            Err(CommitError::Conflict { collection, .. }) if collection == consents.name() => {}
            outcome => return outcome.map_err(|error| error.to_string()),
        }
    }
}
