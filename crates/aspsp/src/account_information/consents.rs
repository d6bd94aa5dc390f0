//! `account-access-consents` (OB Read/Write 4.0, Account Access Consents).

use std::sync::Arc;

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{
    consent::{
        AccountAccessConsentData, AccountAccessConsentRequest, AccountAccessConsentResponse,
        AccountAccessConsentResponseData, EmptyRisk,
    },
    error::ErrorCode,
    links::{Links, Meta},
    permissions::PermissionSet,
    version::ApiVersion,
};
use rules::{Check, Passed, holds};
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::table::supported;
use crate::{
    Context,
    api::{ApiError, Wire, admit, apply},
    consents::{AccountAccess, AccountAccessConsent, Consent, ConsentKind, Content, collection, owned},
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
}

/// Tokens that open consents.
const DEMAND: Demand = Demand { scope: Some("accounts"), kind: TokenKind::Client };

struct Lodging {
    data: AccountAccessConsentData,
    supported: PermissionSet,
    now: OffsetDateTime,
}

const LODGING: &[Check<Lodging, Wire>] = &[
    Check {
        rule: &PERMISSIONS,
        error: Wire::bad_request(ErrorCode::FieldInvalid, Some("Data.Permissions")),
        test: |facts| match PermissionSet::requested(&facts.data.permissions, facts.supported) {
            Ok(_) => Ok(()),
            Err(error) => holds(false, error.expected(), error.found()),
        },
    },
    Check {
        rule: &EXPIRATION,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.ExpirationDateTime")),
        test: |facts| match facts.data.expiration_date_time {
            Some(at) => holds(at > facts.now, format_args!("after {}", facts.now), at),
            None => Ok(()),
        },
    },
    Check {
        rule: &WINDOW,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.TransactionToDateTime")),
        test: |facts| match (facts.data.transaction_from_date_time, facts.data.transaction_to_date_time) {
            (Some(from), Some(to)) => holds(from <= to, format_args!("{from} or later"), to),
            _ => Ok(()),
        },
    },
];

/// `POST /account-access-consents`.
pub(super) async fn create(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    match lodge(&context, &request, version).await {
        Ok((consent, passed)) => accepted(&context, &request, StatusCode::CREATED, version, consent, &passed),
        Err(error) => error.response(version, &request),
    }
}

async fn lodge(context: &Context, request: &Request, version: ApiVersion) -> Result<(Consent, Passed), ApiError> {
    let (access, mut passed) = admit(context, request, DEMAND).await?;
    let now = context.tools.clock.now();
    let body = AccountAccessConsentRequest::read(&request.body)
        .map_err(|error| ApiError::unreadable(&BODY, error).after(passed.clone()))?;
    passed.rules.push(&BODY);
    let facts = Lodging { data: body.data, supported: supported(&context.bank.endpoints_off), now };
    let off = &context.engine.profile().switched_off;
    passed.extend(apply(&facts, LODGING, off).map_err(|error| error.after(passed.clone()))?);
    let data = facts.data;
    let asked = AccountAccess {
        permissions: data.permissions.into(),
        transactions_from: data.transaction_from_date_time,
        transactions_to: data.transaction_to_date_time,
    };
    let (client_id, content) = (access.client.client_id.clone(), Content::AccountAccess(asked));
    let mut consent = Consent::lodged(&context.tools.chance.uuid(), client_id, version, content, now);
    consent.expires_at = data.expiration_date_time;
    let change = collection().insert(&consent.id, &consent)?;
    context.store().commit(vec![change]).await?;
    Ok((consent, passed))
}

/// `GET /account-access-consents/{ConsentId}`.
pub(super) async fn read(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    match owned::named(&context, &request, ConsentKind::AccountAccess, version).await {
        Ok(((consent, _), passed)) => accepted(&context, &request, StatusCode::OK, version, consent, &passed),
        Err(error) => error.response(version, &request),
    }
}

/// `DELETE /account-access-consents/{ConsentId}`.
pub(super) async fn delete(context: Arc<Context>, request: Request, version: ApiVersion) -> Response {
    let outcome = owned::delete(&context, &request, ConsentKind::AccountAccess, version).await;
    outcome.unwrap_or_else(|error| error.response(version, &request))
}

fn accepted(
    context: &Context,
    request: &Request,
    status: StatusCode,
    version: ApiVersion,
    consent: Consent,
    passed: &Passed,
) -> Response {
    let now = context.tools.clock.now();
    let this = context.urls.api(&ConsentKind::AccountAccess.resource(version, &consent.id));
    let Some(consent) = AccountAccessConsent::of(consent) else {
        return ApiError::Failed("a consent of another kind was read".to_owned()).response(version, request);
    };
    let body = AccountAccessConsentResponse {
        data: AccountAccessConsentResponseData {
            state: consent.state_at(version, now),
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
