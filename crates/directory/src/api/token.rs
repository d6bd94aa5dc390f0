//! The token endpoint: `client_credentials` with `private_key_jwt`, certificate-bound (RFC 7523; RFC 8705).

use std::sync::Arc;

use fapi::{Accepted, ErrorCode, Failure, Outcome, parameters::Parameters, token::TokenResponse};
use http::StatusCode;
use party::authorization_server::{failed, no_store, presented, seen};
use rules::Passed;
use transport::{Request, Response, reply};

use super::{CERTIFICATE, certificate_in_use};
use crate::{
    Context,
    refusal::{DirectoryError, UNKNOWN_CLIENT},
};

/// `POST /token`.
pub(crate) async fn token(context: Arc<Context>, request: Request) -> Response {
    let parameters = Parameters::of_body(request.form_pairs());
    let tokens: Vec<_> = seen("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let mut response = match answered(&context, &request, &parameters).await {
        Ok(Accepted { value, passed }) => {
            let mut response = no_store(reply::json(StatusCode::OK, &value));
            response.extensions_mut().insert(passed.verdict());
            response
        }
        Err(failure) => failed(&failure),
    };
    response.extensions_mut().insert(tokens);
    response
}

/// The engine's answer, for a certificate that is in use: whoever comes with another one does not prove who it is.
async fn answered(context: &Context, request: &Request, parameters: &Parameters) -> Outcome<TokenResponse> {
    certificate_in_use(context, request, UNKNOWN_CLIENT).await.map_err(failure)?;
    let mut passed = Passed::default();
    passed.add(&CERTIFICATE, &context.engine.profile().switched_off);
    let certificate = presented(&request.caller);
    let outcome = context.engine.token(parameters, certificate.as_ref(), context.tools.clock.now()).await;
    let accepted = outcome.map_err(|failure| failure.after(passed.clone()))?;
    passed.extend(accepted.passed);
    Ok(Accepted { value: accepted.value, passed })
}

/// A refusal of the Directory's own in the words of OAuth (RFC 6749, 5.2).
fn failure(error: DirectoryError) -> Failure {
    match error {
        DirectoryError::Refused(refusal, _) => Failure::Refused(refusal.map_error(|_| ErrorCode::InvalidClient)),
        DirectoryError::Access(failure) => failure,
        DirectoryError::Failed(error) => Failure::Unavailable(error),
    }
}
