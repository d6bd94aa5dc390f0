//! Reading the customer's data: the rules that every row of the [`table`](super::table) is asked, and the way to its answer.

use std::sync::Arc;

use fapi::{
    Deviation,
    access::{Demand, TokenKind},
};
use http::StatusCode;
use ledger::{Account, AccountId, AccountStatus, Books};
use openbanking::{
    error::ErrorCode,
    links::{Envelope, Links, Meta},
    version::ApiVersion,
};
use rules::{Check, Passed, holds};
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{
    reauthentication,
    table::{Resource, allowed, endpoint, in_words},
};
use crate::{
    Context,
    api::{ApiError, Wire, admit_to, apply},
    consents::{AccountAccessConsent, collection},
    dashboard,
};

rules::catalogue! {
    /// Rules of the customer's data.
    pub(super) RULES;
    OFFERED { id: "ais.resource.offered",
        reason: "The bank offers the endpoint.", clause: "OB Read/Write 4.0, 404 (Not Found)" }
    CONSENT { id: "ais.resource.consent",
        reason: "The access token stands for a consent.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Security and Access Control" }
    CONSENT_VERSION { id: "ais.resource.consent-version",
        reason: "The consent was not lodged on a newer version of the API.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Release Management" }
    ACCOUNT_KNOWN { id: "ais.resource.account-known",
        reason: "The account exists.", clause: "OB Read/Write 4.0, 400 (Bad Request) v/s 404 (Not Found)" }
    ACCOUNT_CHOSEN { id: "ais.resource.account-chosen",
        reason: "The customer chose the account for this consent.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Selected Accounts" }
    PERMISSION { id: "ais.resource.permission",
        reason: "The consent has the permission that the resource needs.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Permissions" }
}

/// What a row's answer looks at.
pub(super) struct View<'a> {
    pub(super) context: &'a Context,
    pub(super) request: &'a Request,
    pub(super) version: ApiVersion,
    pub(super) consent: &'a AccountAccessConsent,
    pub(super) books: &'a Books,
    /// The account that the path names, or all that the consent opens.
    pub(super) accounts: Vec<&'a Account>,
    /// The earliest moment whose data may be shown without a new authentication; none when there is no limit.
    pub(super) earliest: Option<OffsetDateTime>,
    pub(super) now: OffsetDateTime,
}

struct Facts<'a> {
    version: ApiVersion,
    consent: &'a AccountAccessConsent,
    resource: &'a Resource,
    /// The account that the path names, and what the bank has under that name.
    named: Option<(&'a str, Option<&'a Account>)>,
}

fn checks<'a>() -> [Check<Facts<'a>, Wire>; 4] {
    [
        Check {
            rule: &CONSENT_VERSION,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, None),
            test: |facts| {
                let found = facts.consent.version;
                holds(found <= facts.version, format_args!("{} or older", facts.version), found)
            },
        },
        Check {
            rule: &PERMISSION,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |facts| {
                let found = facts.consent.permissions;
                let needs = facts.resource.needs;
                holds(allowed(needs, found), in_words(needs), found)
            },
        },
        Check {
            rule: &ACCOUNT_KNOWN,
            error: Wire::bad_request(ErrorCode::ResourceNotFound, Some("AccountId")),
            test: |facts| match facts.named {
                Some((id, account)) => holds(account.is_some(), "an AccountId of this bank", id),
                None => Ok(()),
            },
        },
        Check {
            rule: &ACCOUNT_CHOSEN,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |facts| match facts.named {
                Some((id, Some(account))) => {
                    let chosen = facts.consent.accounts.iter().any(|chosen| chosen == id);
                    let open = account.status != AccountStatus::Closed;
                    holds(chosen && open, "an account that the customer chose and that is open", id)
                }
                _ => Ok(()),
            },
        },
    ]
}

/// `GET` of a row.
pub(super) async fn read(
    context: Arc<Context>,
    request: Request,
    version: ApiVersion,
    resource: &'static Resource,
    path: &'static str,
) -> Response {
    match answer(&context, &request, version, resource, path).await {
        Ok((mut response, passed, consent_id)) => {
            dashboard::uses::note(&context, &consent_id).await;
            response.extensions_mut().insert(passed.verdict());
            response
        }
        Err(error) => error.response(version, &request),
    }
}

/// Judged before anything else: whether the bank offers the endpoint of that name.
const OFFERED_CHECKS: &[Check<(String, bool), Wire>] = &[Check {
    rule: &OFFERED,
    error: Wire::status(StatusCode::NOT_FOUND),
    test: |(name, offered)| holds(*offered, "an endpoint that is on in the bank's profile", name.clone()),
}];

/// Judged before the consent is looked for, which the token names.
const TOKEN_CHECKS: &[Check<Option<String>, Wire>] = &[Check {
    rule: &CONSENT,
    error: Wire::status(StatusCode::FORBIDDEN),
    test: |named| holds(named.is_some(), "a token for a consent", "one without"),
}];

async fn answer(
    context: &Context,
    request: &Request,
    version: ApiVersion,
    resource: &Resource,
    path: &str,
) -> Result<(Response, Passed, String), ApiError> {
    let off = &context.engine.profile().switched_off;
    let name = endpoint(path);
    let offered = context.bank.endpoints_off.offers(&name);
    let facts = (name, offered);
    let mut passed = apply(&facts, OFFERED_CHECKS, off)?;
    let (name, _) = facts;
    let demand = Demand { scope: Some("accounts"), kind: TokenKind::Customer };
    let (access, admitted) =
        admit_to(context, request, demand, resource.produces).await.map_err(|error| error.after(passed.clone()))?;
    passed.extend(admitted);
    let intent_id = access.grant.and_then(|grant| grant.intent_id);
    passed.extend(apply(&intent_id, TOKEN_CHECKS, off).map_err(|error| error.after(passed.clone()))?);
    let found = match &intent_id {
        Some(id) => collection().get(context.store(), id).await?,
        None => None,
    };
    let Some(consent) = found.and_then(|(consent, _)| AccountAccessConsent::of(consent)) else {
        let error = Wire::status(StatusCode::FORBIDDEN);
        return Err(ApiError::indispensable(&CONSENT, error, "a token for a consent").after(passed));
    };
    let now = context.tools.clock.now();
    let books = context.money.at(now);
    let account = |id: &str| books.account(&AccountId::new(id));
    let named = request.params.get("AccountId").map(|id| (id, account(id)));
    let facts = Facts { version, consent: &consent, resource, named };
    passed.extend(apply(&facts, &checks(), off).map_err(|error| error.after(passed.clone()))?);
    if let Some((_, None)) = named {
        let error = Wire::bad_request(ErrorCode::ResourceNotFound, Some("AccountId"));
        return Err(ApiError::indispensable(&ACCOUNT_KNOWN, error, "an AccountId of this bank").after(passed));
    }
    let accounts = match named {
        Some((_, Some(account))) if context.engine.profile().deviations.has(Deviation::OtherResource) => {
            vec![another(&books, account)]
        }
        Some((_, account)) => account.into_iter().collect(),
        None => {
            let chosen = consent.accounts.iter().filter_map(|id| account(id));
            chosen.filter(|account| account.status != AccountStatus::Closed).collect()
        }
    };
    let earliest =
        reauthentication::earliest(context, &consent, &name, now).map_err(|error| error.after(passed.clone()))?;
    let view = View { context, request, version, consent: &consent, books: &books, accounts, earliest, now };
    let response = (resource.answer)(&view).map_err(|error| error.after(passed.clone()))?;
    Ok((response, passed, consent.id.clone()))
}

/// Another account of one of the holders, as a bank that misbehaves answers with; the same when there is none.
fn another<'a>(books: &'a Books, account: &'a Account) -> &'a Account {
    let mut others = account.holders.iter().flat_map(|holder| books.accounts_of(holder));
    others.find(|other| other.id != account.id).unwrap_or(account)
}

impl View<'_> {
    /// The URL of this request.
    pub(super) fn this(&self) -> String {
        match &self.request.query {
            Some(query) => format!("{}?{query}", self.context.urls.api(&self.request.path)),
            None => self.context.urls.api(&self.request.path),
        }
    }

    /// Answers with something that is no list.
    pub(super) fn one_page<D: serde::Serialize>(&self, data: D) -> Response {
        reply::json(StatusCode::OK, &Envelope::new(data, Links::to_self(self.this()), Meta::one_page()))
    }
}
