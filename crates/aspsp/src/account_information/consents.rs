//! `account-access-consents` (OB Read/Write 4.0, Account Access Consents).

use std::sync::Arc;

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{
    consent::{
        AccountAccessConsentData, AccountAccessConsentRequest, AccountAccessConsentResponse,
        AccountAccessConsentResponseData, ConsentStatus, EmptyRisk,
    },
    error::ErrorCode,
    links::{Links, Meta},
    permissions::PermissionSet,
    version::ApiVersion,
};
use rules::{Check, Passed, holds};
use store::Version;
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{
    base,
    refusal::{ApiError, Wire, apply},
    request::admit,
    resources::supported,
};
use crate::{
    Context,
    consents::{
        AccountAccessConsent,
        account_access::{self, SCOPE},
    },
};

rules::catalogue! {
    /// Rules of account access consents.
    pub(super) RULES;
    BODY { id: "ais.consent.body",
        reason: "The body is what OBReadConsent1 allows.", clause: "OB Read/Write 4.0, Account Access Consents" }
    PERMISSIONS { id: "ais.consent.permissions",
        reason: "The permissions fit together and are offered by the bank.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Permissions" }
    EXPIRATION { id: "ais.consent.expiration-in-future",
        reason: "ExpirationDateTime lies in the future.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Expiration Date Time" }
    WINDOW { id: "ais.consent.transaction-window",
        reason: "TransactionToDateTime is not before TransactionFromDateTime.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Transaction To/From Date Time" }
    KNOWN { id: "ais.consent.known",
        reason: "The consent exists and was not deleted.", clause: "OB Read/Write 4.0, 400 (Bad Request) v/s 404 (Not Found)" }
    OWN { id: "ais.consent.own",
        reason: "The consent was lodged by this client.", clause: "OB Read/Write 4.0, 403 (Forbidden)" }
    VERSION { id: "ais.consent.version",
        reason: "The consent was not lodged on a newer version of the API.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Release Management" }
}

/// Tokens that open consents.
const DEMAND: Demand = Demand { scope: Some(SCOPE), kind: TokenKind::Client };

struct Lodging {
    data: AccountAccessConsentData,
    now: OffsetDateTime,
}

const LODGING: &[Check<Lodging, Wire>] = &[
    Check {
        rule: &PERMISSIONS,
        error: Wire::bad_request(ErrorCode::FieldInvalid, Some("Data.Permissions")),
        test: |facts| match PermissionSet::requested(&facts.data.permissions, supported()) {
            Ok(_) => Ok(()),
            Err(error) => holds(false, error.expected(), error.found()),
        },
    },
    Check {
        rule: &EXPIRATION,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.ExpirationDateTime")),
        test: |facts| match facts.data.expiration_date_time {
            Some(at) => holds(at > facts.now, format!("after {}", facts.now), at.to_string()),
            None => Ok(()),
        },
    },
    Check {
        rule: &WINDOW,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.TransactionToDateTime")),
        test: |facts| match (facts.data.transaction_from_date_time, facts.data.transaction_to_date_time) {
            (Some(from), Some(to)) => holds(from <= to, format!("{from} or later"), to.to_string()),
            _ => Ok(()),
        },
    },
];

struct Owned<'a> {
    consent: Option<&'a AccountAccessConsent>,
    client_id: &'a str,
    version: ApiVersion,
}

/// The rules of reading and deleting. What the first one lets through is there.
fn owned_checks<'a>() -> [Check<Owned<'a>, Wire>; 3] {
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
            test: |facts| match facts.consent {
                Some(consent) => {
                    holds(consent.client_id == facts.client_id, facts.client_id, consent.client_id.clone())
                }
                None => Ok(()),
            },
        },
        Check {
            rule: &VERSION,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, Some("ConsentId")),
            test: |facts| match facts.consent {
                Some(consent) => holds(
                    consent.version <= facts.version,
                    format!("{} or older", facts.version),
                    consent.version.to_string(),
                ),
                None => Ok(()),
            },
        },
    ]
}

/// `POST /account-access-consents`.
pub(super) async fn create(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    match lodge(&context, &request, version).await {
        Ok((consent, passed)) => accepted(&context, StatusCode::CREATED, version, &consent, &passed),
        Err(error) => error.response(version, &request),
    }
}

async fn lodge(
    context: &Context,
    request: &Request,
    version: ApiVersion,
) -> Result<(AccountAccessConsent, Passed), ApiError> {
    let (access, mut passed) = admit(context, request, DEMAND).await?;
    let now = context.tools.clock.now();
    let body = AccountAccessConsentRequest::read(&request.body)
        .map_err(|error| ApiError::unreadable(&BODY, error).after(passed.clone()))?;
    passed.rules.push(&BODY);
    let facts = Lodging { data: body.data, now };
    let off = &context.engine.profile().switched_off;
    passed.extend(apply(&facts, LODGING, off).map_err(|error| error.after(passed.clone()))?);
    let data = facts.data;
    let consent = AccountAccessConsent {
        id: format!("aac-{}", context.tools.chance.uuid()),
        client_id: access.client.client_id,
        version,
        permissions: data.permissions.into(),
        expires_at: data.expiration_date_time,
        transactions_from: data.transaction_from_date_time,
        transactions_to: data.transaction_to_date_time,
        status: ConsentStatus::AwaitingAuthorisation,
        created_at: now,
        status_updated_at: now,
        customer: None,
        accounts: Vec::new(),
        deleted_at: None,
    };
    let change = account_access::collection().insert(&consent.id, &consent)?;
    context.store().commit(vec![change]).await?;
    Ok((consent, passed))
}

/// `GET /account-access-consents/{ConsentId}`.
pub(super) async fn read(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    match owned(&context, &request, version).await {
        Ok((consent, _, passed)) => accepted(&context, StatusCode::OK, version, &consent, &passed),
        Err(error) => error.response(version, &request),
    }
}

/// `DELETE /account-access-consents/{ConsentId}`: the TPP ends its access; tokens under the consent stop working at once.
pub(super) async fn delete(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    match end(&context, &request, version).await {
        Ok(passed) => {
            let mut response = reply::empty(StatusCode::NO_CONTENT);
            response.extensions_mut().insert(passed.verdict());
            response
        }
        Err(error) => error.response(version, &request),
    }
}

async fn end(context: &Context, request: &Request, version: ApiVersion) -> Result<Passed, ApiError> {
    let (mut consent, stored, passed) = owned(context, request, version).await?;
    let now = context.tools.clock.now();
    consent.deleted_at = Some(now);
    consent.status_updated_at = now;
    let change = account_access::collection().update(&consent.id, stored, &consent)?;
    context.store().commit(vec![change]).await?;
    Ok(passed)
}

async fn owned(
    context: &Context,
    request: &Request,
    version: ApiVersion,
) -> Result<(AccountAccessConsent, Version, Passed), ApiError> {
    let (access, mut passed) = admit(context, request, DEMAND).await?;
    let id = request.params.get("ConsentId").unwrap_or_default();
    let found = match id {
        "" => None,
        id => account_access::collection().get(context.store(), id).await?,
    };
    let facts =
        Owned { consent: found.as_ref().map(|(consent, _)| consent), client_id: &access.client.client_id, version };
    let off = &context.engine.profile().switched_off;
    passed.extend(apply(&facts, &owned_checks(), off).map_err(|error| error.after(passed.clone()))?);
    match found {
        Some((consent, stored)) => Ok((consent, stored, passed)),
        None => {
            let error = Wire::bad_request(ErrorCode::ResourceNotFound, Some("ConsentId"));
            Err(ApiError::indispensable(&KNOWN, error, "a consent with this ConsentId").after(passed))
        }
    }
}

fn accepted(
    context: &Context,
    status: StatusCode,
    version: ApiVersion,
    consent: &AccountAccessConsent,
    passed: &Passed,
) -> Response {
    let now = context.tools.clock.now();
    let this = context.urls.api(&format!("{}/account-access-consents/{}", base(version), consent.id));
    let body = AccountAccessConsentResponse {
        data: AccountAccessConsentResponseData {
            consent_id: consent.id.clone(),
            creation_date_time: consent.created_at,
            status: version.code(consent.status_at(now)),
            status_reason: Vec::new(),
            status_update_date_time: consent.status_updated_at(now),
            asked: AccountAccessConsentData {
                permissions: consent.permissions.iter().collect(),
                expiration_date_time: consent.expires_at,
                transaction_from_date_time: consent.transactions_from,
                transaction_to_date_time: consent.transactions_to,
            }
            .into(),
        },
        risk: EmptyRisk {},
        links: Some(Links::to_self(this)),
        meta: Some(Meta::one_page()),
    };
    let mut response = reply::json(status, &body);
    response.extensions_mut().insert(passed.verdict());
    response
}
