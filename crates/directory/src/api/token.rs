//! The token endpoint: `client_credentials` with `private_key_jwt`, certificate-bound (RFC 7523; RFC 8705).

use std::sync::Arc;

use fapi::parameters::Parameters;
use http::StatusCode;
use openbanking::ssa::OrganisationStatus;
use party::authorization_server::{failed, no_store, presented, seen};
use transport::{Request, Response, reply};

use super::{ORGANISATION_ACTIVE, certificate_in_use};
use crate::{
    Context,
    refusal::{DirectoryError, FORBIDDEN, UNKNOWN_CLIENT, demand},
    registry::organisations,
};

/// `POST /token`.
pub(crate) async fn token(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let parameters = Parameters::of_body(request.form_pairs());
    let tokens: Vec<_> = seen("client_assertion", parameters.get("client_assertion")).into_iter().collect();
    let certificate = presented(&request.caller);
    if let Some(caller) = &certificate
        && let Some((record, _)) = organisations().get(context.store(), &caller.organisation_id).await?
    {
        let status = record.organisation.status;
        let active = status == OrganisationStatus::Active;
        demand(&context, active, &ORGANISATION_ACTIVE, FORBIDDEN, "Active", format!("{status:?}"))?;
    }
    certificate_in_use(&context, &request, UNKNOWN_CLIENT).await?;
    let mut response = match context.engine.token(&parameters, certificate.as_ref(), context.tools.clock.now()).await {
        Ok(accepted) => {
            let mut response = no_store(reply::json(StatusCode::OK, &accepted.value));
            response.extensions_mut().insert(accepted.passed.verdict());
            response
        }
        Err(failure) => failed(&failure),
    };
    response.extensions_mut().insert(tokens);
    Ok(response)
}
