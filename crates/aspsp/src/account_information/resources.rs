//! The customer's data, one row a resource: its path, the permission that it needs, and what it answers.

use std::sync::Arc;

use fapi::{
    Deviation,
    access::{Demand, TokenKind},
};
use http::StatusCode;
use ledger::{Account, AccountId, AccountStatus, Books};
use openbanking::{
    accounts::AccountData,
    balances::BalanceData,
    error::ErrorCode,
    links::{Envelope, Links, Meta},
    permissions::{Permission as P, PermissionSet},
    version::ApiVersion,
};
use rules::{Check, Passed, holds};
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{shown, transactions};
use crate::{
    Context,
    api::{ApiError, Wire, admit, apply},
    consents::{AccountAccessConsent, collection},
};

rules::catalogue! {
    /// Rules of the customer's data.
    pub(super) RULES;
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

/// A resource of the API.
pub(super) struct Resource {
    /// Path below the version.
    pub(super) path: &'static str,
    /// The permissions that it needs, in words.
    needs: &'static str,
    /// Whether a consent with these permissions opens it.
    allowed: fn(PermissionSet) -> bool,
    /// What it answers.
    answer: fn(&View<'_>) -> Result<Response, ApiError>,
}

/// Everything that is offered. An endpoint that is not here answers 404, and permissions for it are refused.
pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        path: "/accounts",
        needs: "ReadAccountsBasic or ReadAccountsDetail",
        allowed: PermissionSet::can_read_accounts,
        answer: accounts,
    },
    Resource {
        path: "/accounts/{AccountId}",
        needs: "ReadAccountsBasic or ReadAccountsDetail",
        allowed: PermissionSet::can_read_accounts,
        answer: accounts,
    },
    Resource {
        path: "/accounts/{AccountId}/balances",
        needs: "ReadBalances",
        allowed: |permissions| permissions.has(P::ReadBalances),
        answer: balances,
    },
    Resource {
        path: "/accounts/{AccountId}/transactions",
        needs: "ReadTransactionsBasic or ReadTransactionsDetail, with ReadTransactionsCredits or ReadTransactionsDebits",
        allowed: PermissionSet::can_read_transactions,
        answer: transactions::page,
    },
];

/// The permissions that open what is offered.
pub(super) fn supported() -> PermissionSet {
    [
        P::ReadAccountsBasic,
        P::ReadAccountsDetail,
        P::ReadBalances,
        P::ReadPan,
        P::ReadTransactionsBasic,
        P::ReadTransactionsCredits,
        P::ReadTransactionsDebits,
        P::ReadTransactionsDetail,
    ]
    .into_iter()
    .collect()
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
                holds(found <= facts.version, format!("{} or older", facts.version), found.to_string())
            },
        },
        Check {
            rule: &PERMISSION,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |facts| {
                let found = facts.consent.permissions;
                holds((facts.resource.allowed)(found), facts.resource.needs, found.to_string())
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
) -> Response {
    match answer(&context, &request, version, resource).await {
        Ok((mut response, passed)) => {
            response.extensions_mut().insert(passed.verdict());
            response
        }
        Err(error) => error.response(version, &request),
    }
}

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
) -> Result<(Response, Passed), ApiError> {
    let demand = Demand { scope: Some("accounts"), kind: TokenKind::Customer };
    let (access, mut passed) = admit(context, request, demand).await?;
    let intent_id = access.grant.and_then(|grant| grant.intent_id);
    let off = &context.engine.profile().switched_off;
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
    let view = View { context, request, version, consent: &consent, books: &books, accounts, now };
    let response = (resource.answer)(&view).map_err(|error| error.after(passed.clone()))?;
    Ok((response, passed))
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

    fn one_page<D: serde::Serialize>(&self, data: D) -> Response {
        reply::json(StatusCode::OK, &Envelope::new(data, Links::to_self(self.this()), Meta::one_page()))
    }
}

fn accounts(view: &View<'_>) -> Result<Response, ApiError> {
    let shown = view.accounts.iter().map(|account| shown::account(view.version, view.consent.permissions, account));
    Ok(view.one_page(AccountData { account: shown.collect() }))
}

fn balances(view: &View<'_>) -> Result<Response, ApiError> {
    let mut all = Vec::new();
    for account in &view.accounts {
        let balances = view.books.balances(&account.id, view.now)?;
        all.extend(shown::balances(view.version, account, &balances, view.now)?);
    }
    Ok(view.one_page(BalanceData { balance: all, total_value: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_opened_by_supported_permissions_and_closed_without_any() {
        for resource in RESOURCES {
            assert!((resource.allowed)(supported()), "{}", resource.path);
            assert!(!(resource.allowed)(PermissionSet::default()), "{}", resource.path);
        }
    }
}
