//! What all endpoints share that clients call directly: a form in, JSON out, nothing cached.

use fapi::{Accepted, Outcome, PresentedCertificate, parameters::Parameters};
use http::{HeaderValue, StatusCode, header};
use party::authorization_server::{failed, no_store, presented};
use serde::Serialize;
use simulation::SeenToken;
use transport::{Request, Response, reply};

/// The form with the `Authorization` header.
pub(super) fn parameters(request: &Request) -> Parameters {
    Parameters::of_body(request.form_pairs()).with_authorization(request.header("authorization"))
}

/// The client's certificate in the engine's words.
pub(super) fn certificate(request: &Request) -> Option<PresentedCertificate> {
    presented(&request.caller)
}

/// The engine's outcome as an answer. Who was refused with a secret in the `Authorization` header is told the scheme that
/// it used (RFC 6749, 5.2).
pub(super) fn answer<T: Serialize>(
    request: &Request,
    status: StatusCode,
    outcome: Outcome<T>,
    tokens: Vec<SeenToken>,
) -> Response {
    let mut response = match outcome {
        Ok(Accepted { value, passed }) => {
            let mut response = no_store(reply::json(status, &value));
            response.extensions_mut().insert(passed.verdict());
            response
        }
        Err(failure) => failed(&failure),
    };
    let scheme = request.header("authorization").and_then(|value| value.split_once(' ')).map(|(scheme, _)| scheme);
    let basic = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let told = response.headers().contains_key(header::WWW_AUTHENTICATE);
    if response.status() == StatusCode::UNAUTHORIZED && basic && !told {
        let challenge = HeaderValue::from_static("Basic realm=\"clients\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert(tokens);
    response
}
