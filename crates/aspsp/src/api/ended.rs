//! Why an access token that was good is so no more (OB Read/Write 4.0, 401 Unauthorized): it or its consent expired, or the
//! access was stopped at the bank.

use fapi::{
    Failure, Repository,
    access::{GRANT_ALIVE, INTENT_ACTIVE, TOKEN_NOT_EXPIRED},
    digest,
    grant::{AccessToken, Grant},
};
use openbanking::{
    consent::ConsentStatus,
    error::{ErrorCode, ErrorDetail},
};

use crate::{Context, consents::collection};

/// What the client is told beside 401; nothing when the token was never good, or its client itself ended it.
pub(super) async fn told(context: &Context, token: Option<&str>, failure: &Failure) -> Vec<ErrorDetail> {
    let Failure::Refused(refusal) = failure else { return Vec::new() };
    if refusal.rule == &TOKEN_NOT_EXPIRED {
        return vec![ErrorDetail::new(ErrorCode::TokenExpired, "The access token has expired.")];
    }
    if refusal.rule != &GRANT_ALIVE && refusal.rule != &INTENT_ACTIVE {
        return Vec::new();
    }
    match consent_status(context, token.unwrap_or_default()).await {
        Some(ConsentStatus::Expired) => {
            vec![ErrorDetail::new(ErrorCode::TokenExpired, "The consent has expired.")]
        }
        // Authorising the same consent again brings it back.
        Some(ConsentStatus::Cancelled) => vec![
            ErrorDetail::new(ErrorCode::TokenSuspended, "The customer withdrew the access at the bank."),
            ErrorDetail::new(ErrorCode::Reauthenticate, "The customer may authorise the consent again."),
        ],
        _ => Vec::new(),
    }
}

/// The state of the consent behind a token; none when there is none or its client deleted it.
async fn consent_status(context: &Context, token: &str) -> Option<ConsentStatus> {
    let backend = context.engine.backend();
    let grant_id = backend.load::<AccessToken>(&digest(token)).await.ok()??.record.grant_id?;
    let intent_id = backend.load::<Grant>(&grant_id).await.ok()??.record.intent_id?;
    let (consent, _) = collection().get(context.store(), &intent_id).await.ok()??;
    consent.deleted_at.is_none().then(|| consent.status_at(context.tools.clock.now()))
}
