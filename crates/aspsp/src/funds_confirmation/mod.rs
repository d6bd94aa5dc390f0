//! Confirmation of funds for card issuers (OB Read/Write, Confirmation of Funds API): a consent for one account, and the
//! answer yes or no whether it holds an amount. Nothing is signed here, and no balance is ever told.

use std::sync::Arc;

use fapi::access::{Demand, TokenKind};
use http::{Method, StatusCode};
use openbanking::{
    error::ErrorCode,
    funds_confirmation::{
        FundsConfirmation, FundsConfirmationConsentAnswer, FundsConfirmationConsentRequest, FundsConfirmationRequest,
    },
    links::{Envelope, Links, Meta},
    version::ApiVersion,
};
use rules::{Check, Passed, holds};
use store::{Collection, CommitError};
use time::OffsetDateTime;
use transport::{Request, Response, Route, reply};

use crate::{
    Context,
    api::{ApiError, Progress, Wire, admit, apply, base, counted},
    consents::{self, Consent, ConsentKind, Content, owned},
    dashboard::uses::{self, Question as Told},
    endpoints::{Family, endpoint_of},
    payment_initiation::orders::{Facts, IN_BODY, behind, consent_checks},
};

rules::catalogue! {
    /// Rules of this API.
    pub RULES;
    BODY { id: "cbpii.consent.body",
        reason: "The body is what the schema of the consent allows, and the account's number fits its scheme.", clause: "OB Read/Write 4.0, Funds Confirmation Consents" }
    EXPIRATION { id: "cbpii.consent.expiration-in-future",
        reason: "ExpirationDateTime lies in the future.", clause: "OB Read/Write 4.0, Funds Confirmation Consents" }
    QUESTION { id: "cbpii.confirmation.body",
        reason: "The body is what the schema of the confirmation allows.", clause: "OB Read/Write 4.0, Funds Confirmations" }
    CURRENCY { id: "cbpii.confirmation.currency",
        reason: "The amount is in the currency of the account.", clause: "OB Read/Write 4.0, Funds Confirmations, InstructedAmount" }
    REFERENCE { id: "cbpii.confirmation.reference-unused",
        reason: "The reference was not used before, where the bank is set to mind.", clause: "OB Read/Write 4.0, Namespaced Enumerations, Rules.DuplicateReference" }
}

const KIND: ConsentKind = ConsentKind::FundsConfirmation;
const SCOPE: &str = "fundsconfirmations";
const DEMAND: Demand = Demand { scope: Some(SCOPE), kind: TokenKind::Client };

/// The references that were used, by consent.
fn references() -> Collection<()> {
    Collection::new("funds-confirmation-references")
}

/// The endpoints of this API.
pub(crate) fn family() -> Family {
    let paths: std::collections::BTreeSet<String> =
        routes().into_iter().filter_map(|route| endpoint_of(&route.path)).collect();
    Family { name: "cbpii", always: Vec::new(), switchable: paths.into_iter().collect() }
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    ApiVersion::ALL.into_iter().flat_map(of_version).collect()
}

fn of_version(version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version, "cbpii");
    let consents = format!("{base}/{}", KIND.row().path);
    let consent = format!("{consents}/{{ConsentId}}");
    macro_rules! row {
        ($method:ident, $path:expr, $handler:path) => {
            counted(Method::$method, $path, version, move |context: Arc<Context>, request: Request| async move {
                $handler(&context, &request, version)
                    .await
                    .unwrap_or_else(|error: ApiError| error.response(version, &request))
            })
        };
    }
    vec![
        row!(POST, consents, create),
        row!(GET, consent.clone(), read),
        row!(DELETE, consent, delete),
        row!(POST, format!("{base}/funds-confirmations"), confirm),
    ]
}

/// `POST /funds-confirmation-consents`.
async fn create(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    let now = context.tools.clock.now();
    let asked = progress.read(&BODY, FundsConfirmationConsentRequest::read(version, &request.body))?;
    progress.read(&BODY, asked.debtor_account())?;
    let expires_at = asked.expiration();
    progress.judged(in_future(expires_at, now, context))?;
    let content = Content::FundsConfirmation(Box::new(asked));
    let mut consent =
        Consent::lodged(&context.tools.chance.uuid(), access.client.client_id.clone(), version, content, now);
    consent.expires_at = expires_at;
    context.store().commit(vec![consents::collection().insert(&consent.id, &consent)?]).await?;
    answer(context, StatusCode::CREATED, version, &consent).map(|response| progress.attach(response))
}

fn in_future(expires_at: Option<OffsetDateTime>, now: OffsetDateTime, context: &Context) -> Result<Passed, ApiError> {
    let check = Check {
        rule: &EXPIRATION,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.ExpirationDateTime")),
        test: |(expires_at, now): &(Option<OffsetDateTime>, OffsetDateTime)| match expires_at {
            Some(at) => holds(at > now, format_args!("after {now}"), at),
            None => Ok(()),
        },
    };
    apply(&(expires_at, now), &[check], &context.engine.profile().switched_off)
}

/// `GET /funds-confirmation-consents/{ConsentId}`.
async fn read(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let ((consent, _), passed) = owned::named(context, request, KIND, version).await?;
    let mut response = answer(context, StatusCode::OK, version, &consent)?;
    response.extensions_mut().insert(passed.verdict());
    Ok(response)
}

/// `DELETE /funds-confirmation-consents/{ConsentId}`.
async fn delete(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    owned::delete(context, request, KIND, version).await
}

fn answer(context: &Context, status: StatusCode, version: ApiVersion, consent: &Consent) -> Result<Response, ApiError> {
    let now = context.tools.clock.now();
    let Content::FundsConfirmation(asked) = &consent.content else {
        return Err(ApiError::Failed("a consent of another kind was read".to_owned()));
    };
    let state = consent.state_at(version, now);
    let links = Links::to_self(context.urls.api(&KIND.resource(version, &consent.id)));
    Ok(reply::json(status, &FundsConfirmationConsentAnswer::of(asked, state, links, Meta::one_page())))
}

struct Question<'a> {
    asked: &'a FundsConfirmationRequest,
    currency: openbanking::money::Currency,
    /// Whether the reference was used before; never where the bank does not mind.
    used: bool,
}

fn question_checks<'a>() -> [Check<Question<'a>, Wire>; 2] {
    [
        Check {
            rule: &CURRENCY,
            error: Wire::bad_request(ErrorCode::UnsupportedCurrency, Some("Data.InstructedAmount.Currency")),
            test: |facts| {
                let found = facts.asked.amount().currency();
                holds(found == facts.currency, facts.currency.code(), found.code())
            },
        },
        Check {
            rule: &REFERENCE,
            error: Wire::bad_request(ErrorCode::RulesDuplicateReference, Some("Data.Reference")),
            test: |facts| holds(!facts.used, "a new reference", facts.asked.data.reference.as_str()),
        },
    ]
}

/// `POST /funds-confirmations`.
async fn confirm(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let demand = Demand { scope: Some(SCOPE), kind: TokenKind::Customer };
    let access = progress.add(admit(context, request, demand).await)?;
    let off = &context.engine.profile().switched_off;
    let behind = progress.add(behind(context, access.grant.and_then(|grant| grant.intent_id), off).await)?;
    let asked = progress.read(&QUESTION, FundsConfirmationRequest::read(version, &request.body))?;
    let now = context.tools.clock.now();
    // A consent of an older version serves, as the profile's Release Management wants.
    let version_of_consent = behind.consent.version.min(version);
    let facts =
        Facts { consent: &behind.consent, named: &asked.data.consent_id, kind: KIND, version: version_of_consent, now };
    progress.judged(apply(&facts, &consent_checks(IN_BODY), off))?;
    let id = ledger::AccountId::new(behind.account()?);
    let reference = format!("{}/{}", behind.consent.id, asked.data.reference);
    let unique = context.tools.chance.uuid().simple().to_string();
    let available = loop {
        let used = context.bank.unique_references && references().get(context.store(), &reference).await?.is_some();
        let available = {
            let books = context.money.at(now);
            let account =
                books.account(&id).ok_or_else(|| ApiError::Failed(format!("the account {id} is not there")))?;
            let facts = Question { asked: &asked, currency: account.currency, used };
            progress.judged(apply(&facts, &question_checks(), off))?;
            books.can_pay(&id, asked.amount(), now).unwrap_or(false)
        };
        let question = Told { at: now, amount: asked.amount(), available };
        let mut changes = vec![uses::asked(&behind.consent.id, &question, &unique)?];
        if context.bank.unique_references && !used {
            changes.push(references().insert(&reference, &())?);
        }
        match context.store().commit(changes).await {
            Ok(()) => break available,
            // The same reference came twice at once, and this one was slower.
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    };
    uses::note(context, &behind.consent.id).await;
    let path = format!("{}/funds-confirmations/{unique}", base(version, "cbpii"));
    let confirmation = FundsConfirmation::new(unique, asked.data, available, now);
    let body = Envelope::new(confirmation, Links::to_self(context.urls.api(&path)), Meta::one_page());
    Ok(progress.attach(reply::json(StatusCode::CREATED, &body)))
}
