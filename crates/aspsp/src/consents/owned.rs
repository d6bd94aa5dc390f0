//! Reading and ending consents of any kind: `GET` and `DELETE` of the resource that the TPP lodged.

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{error::ErrorCode, version::ApiVersion};
use rules::{Check, Passed, holds};
use store::{CommitError, Version};
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{Consent, ConsentKind, collection};
use crate::{
    Context,
    api::{ApiError, Wire, admit, apply},
};

rules::catalogue! {
    /// Rules of consents that are there.
    pub RULES;
    KNOWN { id: "api.consent.known",
        reason: "The consent exists and was not deleted.", clause: "OB Read/Write 4.0, 400 (Bad Request) v/s 404 (Not Found)" }
    OWN { id: "api.consent.own",
        reason: "The consent was lodged by this client.", clause: "OB Read/Write 4.0, 403 (Forbidden)" }
    VERSION { id: "api.consent.version",
        reason: "The consent was lodged on this version of the API, or on an older one where its kind may be used on newer ones.", clause: "OB Read/Write 4.0, Release Management" }
}

/// A consent, and which version of the record it is.
pub type Found = (Consent, Version);

struct Owned<'a> {
    consent: Option<&'a Consent>,
    client_id: &'a str,
    version: ApiVersion,
    /// Whether it may be of an older version, whatever its kind.
    older: bool,
}

impl Owned<'_> {
    fn with(&self, test: impl FnOnce(&Consent) -> Result<(), rules::Evidence>) -> Result<(), rules::Evidence> {
        self.consent.map_or(Ok(()), test)
    }
}

/// The rules of reading and deleting. What the first one lets through is there.
fn checks<'a>() -> [Check<Owned<'a>, Wire>; 3] {
    [
        Check {
            rule: &KNOWN,
            error: Wire::bad_request(ErrorCode::ResourceNotFound, Some("ConsentId")),
            test: |facts| match facts.consent {
                None => holds(false, "a consent with this ConsentId", "none"),
                Some(consent) => {
                    let deleted = consent.deleted_at.map(|at| format!("deleted at {at}")).unwrap_or_default();
                    holds(consent.deleted_at.is_none(), "a consent that was not deleted", deleted)
                }
            },
        },
        Check {
            rule: &OWN,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |facts| {
                facts.with(|consent| {
                    holds(consent.client_id == facts.client_id, facts.client_id, consent.client_id.clone())
                })
            },
        },
        Check {
            rule: &VERSION,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, Some("ConsentId")),
            test: |facts| {
                facts.with(|consent| {
                    let newer = facts.older || consent.kind().row().newer_versions;
                    let right = consent.version == facts.version || (newer && consent.version < facts.version);
                    let expected = format!("{}{}", facts.version, if newer { " or older" } else { "" });
                    holds(right, expected, consent.version)
                })
            },
        },
    ]
}

/// The consent of this identifier and kind, when the client may see it.
///
/// # Errors
/// It is not there, not this client's, or was lodged on a newer version.
pub async fn find(
    context: &Context,
    kind: ConsentKind,
    id: &str,
    client_id: &str,
    version: ApiVersion,
) -> Result<(Found, Passed), ApiError> {
    sought(context, kind, id, (client_id, version, false)).await
}

/// As [`find`]; where `older` holds, also a consent of an older version whose kind may not be used on newer ones, for
/// migrating it.
///
/// # Errors
/// As [`find`].
pub async fn sought(
    context: &Context,
    kind: ConsentKind,
    id: &str,
    (client_id, version, older): (&str, ApiVersion, bool),
) -> Result<(Found, Passed), ApiError> {
    let found = match id {
        "" => None,
        id => collection().get(context.store(), id).await?.filter(|(consent, _)| consent.kind() == kind),
    };
    let facts = Owned { consent: found.as_ref().map(|(consent, _)| consent), client_id, version, older };
    let passed = apply(&facts, &checks(), &context.engine.profile().switched_off)?;
    match found {
        Some(found) => Ok((found, passed)),
        None => {
            let error = Wire::bad_request(ErrorCode::ResourceNotFound, Some("ConsentId"));
            Err(ApiError::indispensable(&KNOWN, error, "a consent with this ConsentId").after(passed))
        }
    }
}

/// The consent that a request of its client names in the path.
///
/// # Errors
/// The token does not open it, or [`find`] refuses.
pub async fn named(
    context: &Context,
    request: &Request,
    kind: ConsentKind,
    version: ApiVersion,
) -> Result<(Found, Passed), ApiError> {
    let demand = Demand { scope: Some(kind.row().scope), kind: TokenKind::Client };
    let (access, mut passed) = admit(context, request, demand).await?;
    let id = request.params.get("ConsentId").unwrap_or_default();
    let (found, judged) = find(context, kind, id, &access.client.client_id, version)
        .await
        .map_err(|error| error.after(passed.clone()))?;
    passed.extend(judged);
    Ok((found, passed))
}

/// `DELETE`: the TPP ends its access; tokens under the consent stop working at once.
///
/// # Errors
/// As [`named`], or the store failed.
pub async fn delete(
    context: &Context,
    request: &Request,
    kind: ConsentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let passed = loop {
        let ((consent, stored), passed) = named(context, request, kind, version).await?;
        let change = collection().update(&consent.id, stored, &ended(consent.clone(), context.tools.clock.now()))?;
        match context.store().commit(vec![change]).await {
            Ok(()) => break passed,
            // Somebody else was faster, and this one is judged by what that one left.
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    response.extensions_mut().insert(passed.verdict());
    Ok(response)
}

/// The consent after its TPP, or the end of its client, ended it.
#[must_use]
pub fn ended(mut consent: Consent, now: OffsetDateTime) -> Consent {
    consent.deleted_at = Some(now);
    consent.status_updated_at = now;
    consent
}
