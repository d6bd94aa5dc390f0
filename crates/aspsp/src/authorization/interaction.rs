//! The customer's pages of one authorisation: login, one-time password, accounts, and the way back.
//!
//! Each page is a form that works without scripts. A page that does not fit how far the customer has come leads to the
//! one that does, so that Back, reload and a second submit never authorise twice.

use std::sync::Arc;

use fapi::{
    Engine, Failure, Interaction, Loaded, Repository,
    interaction::{Decision, Rejection},
    request_object::INTENT_STATE,
    response::Delivery,
};
use http::{HeaderValue, StatusCode, header};
use jose::hash::constant_time_eq;
use ledger::AccountId;
use party::authorization_server::to_store;
use store::Version;
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{
    endpoint::error_page,
    login_page::{Login, LoginRequest},
    session::{self, Session, Stage},
    terms, views, wording,
};
use crate::{
    Context, app,
    consents::{Authorisation, Consent, ConsentKind, Content, Reason, collection},
    dashboard,
    memory::Memory,
    pages::{Skin, secured},
    payer,
};

/// Where a login page sends the customer back to.
const IDENTIFIED: &str = "identified";

/// Everything that belongs to one authorisation.
pub(super) struct Visit {
    pub(super) interaction: Loaded<Interaction>,
    pub(super) session: Session,
    session_version: Version,
    /// Value of the cookie that the browser sent.
    cookie: String,
    pub(super) skin: Skin,
    /// The consent, with its version; none where the running profile has no intents.
    pub(super) consent: Option<(Consent, Version)>,
}

/// Why a page cannot be shown.
pub(super) enum Refusal {
    /// Another browser, an ended or an unknown authorisation.
    Ended,
    /// The form did not carry the token of this session.
    Forged,
    /// A second submit of the same page was faster.
    Overtaken,
    /// The authorization server does not answer the client.
    Protocol(Failure),
    /// The store failed.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Refusal {
    pub(super) fn page(self, context: &Context, request: &Request) -> Response {
        match self {
            Self::Ended => {
                let text = "This request has ended, or it was opened in another browser.";
                error_page(context, request, StatusCode::BAD_REQUEST, "invalid_request", text)
            }
            Self::Forged => {
                let text = "The form does not belong to this page. Load the page again.";
                error_page(context, request, StatusCode::FORBIDDEN, "invalid_request", text)
            }
            Self::Overtaken => {
                let text = "This page was sent twice. Load it again.";
                error_page(context, request, StatusCode::CONFLICT, "invalid_request", text)
            }
            Self::Protocol(Failure::Unavailable(error)) => Self::Failed(error).page(context, request),
            Self::Protocol(Failure::Refused(refusal)) => {
                let code = refusal.error;
                let status = StatusCode::BAD_REQUEST;
                let mut response = error_page(context, request, status, code.as_str(), refusal.rule.unmet);
                response.extensions_mut().insert(refusal.verdict());
                response
            }
            Self::Failed(error) => {
                tracing::error!(%error, "a customer's page failed");
                let text = "The bank could not go on.";
                error_page(context, request, StatusCode::INTERNAL_SERVER_ERROR, "server_error", text)
            }
        }
    }
}

/// `GET /authorisation/{InteractionId}/{Step}`.
pub async fn show(context: Arc<Context>, request: Request) -> Response {
    match visit(&context, &request).await {
        Err(refusal) => refusal.page(&context, &request),
        Ok(visit) => match expire(&context, visit).await {
            Err(Refusal::Overtaken) => follow(&context, &request).await,
            Err(refusal) => refusal.page(&context, &request),
            Ok(visit) if visit.session.stage == Stage::Login && context.login_page.is_some() => {
                elsewhere(&context, &request, visit).await
            }
            Ok(visit) if request.params.get("Step") == Some(visit.session.stage.step()) => {
                views::page(&context, &visit, StatusCode::OK, None)
            }
            Ok(visit) => onward(&visit),
        },
    }
}

/// `POST /authorisation/{InteractionId}/{Step}`.
pub async fn act(context: Arc<Context>, request: Request) -> Response {
    match decide(&context, &request).await {
        Ok(response) => response,
        Err(Refusal::Overtaken) => follow(&context, &request).await,
        Err(refusal) => refusal.page(&context, &request),
    }
}

/// Another request of this browser was faster; this one goes where that one led.
async fn follow(context: &Context, request: &Request) -> Response {
    match visit(context, request).await {
        Ok(visit) => onward(&visit),
        Err(refusal) => refusal.page(context, request),
    }
}

/// Sends the customer to the page that logs customers in, or takes its answer.
async fn elsewhere(context: &Context, request: &Request, visit: Visit) -> Response {
    let Some(page) = &context.login_page else { return onward(&visit) };
    let interaction = &visit.interaction.record;
    let (issuer, login_id, now) = (context.urls.issuer(), fapi::digest(&interaction.id), context.tools.clock.now());
    if request.params.get("Step") != Some(IDENTIFIED) {
        let return_to = context.urls.page(&format!("/authorisation/{}/{IDENTIFIED}", interaction.id));
        let signing = context.engine.signing_key();
        // Who the customer is, is not known: accounts are told by their numbers.
        let terms =
            visit.consent.as_ref().map(|(consent, _)| terms::of_payment(context, consent, "")).unwrap_or_default();
        let (login_id, client_name) = (login_id.as_str(), interaction.client_name.as_str());
        let asked = LoginRequest { login_id, client_name, return_to: &return_to, terms };
        return match page.link(signing, &issuer, &asked, now) {
            Ok(link) => secured(reply::redirect(StatusCode::SEE_OTHER, &link)),
            Err(error) => Refusal::from(error).page(context, request),
        };
    }
    let pairs = request.query_pairs();
    let answer = pairs.iter().find(|(name, _)| name == "answer").map_or("", |(_, value)| value.as_str());
    let find = |name: &str| context.customers.named(name).map(str::to_owned);
    let off = &context.engine.profile().switched_off;
    let (outcome, verdict) = match page.judge(answer, &issuer, &login_id, now, off, find) {
        Ok((Login::Customer(customer, at), passed)) => {
            (authenticated(context, visit, customer, at).await, passed.verdict())
        }
        Ok((Login::Cancelled, passed)) => {
            (finish(context, visit, Decision::Rejected(Rejection::Cancelled), Vec::new()).await, passed.verdict())
        }
        Err(refusal) => {
            let text = refusal.rule.unmet;
            let page = error_page(context, request, StatusCode::BAD_REQUEST, "invalid_request", text);
            (Ok(page), refusal.verdict())
        }
    };
    let mut response = outcome.unwrap_or_else(|refusal| refusal.page(context, request));
    response.extensions_mut().insert(verdict);
    response
}

async fn decide(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let visit = expire(context, visit(context, request).await?).await?;
    let form = request.form_pairs().ok_or(Refusal::Forged)?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if !constant_time_eq(field("csrf"), &visit.session.csrf) {
        return Err(Refusal::Forged);
    }
    if request.params.get("Step") != Some(visit.session.stage.step()) {
        return Ok(onward(&visit));
    }
    if field("action") == "cancel" && !matches!(visit.session.stage, Stage::Done { .. }) {
        return finish(context, visit, Decision::Rejected(Rejection::Cancelled), Vec::new()).await;
    }
    // What was not filled in is no attempt.
    let wanted: &[(&str, &str)] = match visit.session.stage {
        Stage::Login => &[("username", "Type your user name."), ("password", "Type your password.")],
        Stage::OneTimePassword { .. } => &[("one_time_password", "Type the one-time password.")],
        Stage::Passcode { .. } if field("action") != "website" => &[("passcode", "Type your passcode.")],
        _ => &[],
    };
    if let Some((_, text)) = wanted.iter().find(|(name, _)| field(name).trim().is_empty()) {
        return Ok(views::page(context, &visit, StatusCode::BAD_REQUEST, Some(text)));
    }
    match visit.session.stage.clone() {
        Stage::Login if context.login_page.is_some() => Err(Refusal::Forged),
        Stage::Login => {
            let typed = (field("username"), field("password"));
            match context.customers.log_in(context.store(), typed, context.tools.clock.now()).await? {
                Ok(customer) => advance(context, visit, Stage::OneTimePassword { customer }).await,
                Err(failure) => wrong(context, visit, failure.text()).await,
            }
        }
        Stage::Passcode { customer } => {
            // The device is what the customer has: without it the passcode is one factor alone.
            let has_it = app::device::customer_of(context, request).await?.as_ref() == Some(&customer);
            if !has_it || field("action") == "website" {
                return advance(context, visit, Stage::Login).await;
            }
            let (typed, now) = ((customer.as_str(), field("passcode")), context.tools.clock.now());
            match context.customers.unlock(context.store(), typed, now).await? {
                Ok(()) => authenticated(context, visit, customer, now).await,
                Err(failure) => wrong(context, visit, failure.text()).await,
            }
        }
        Stage::OneTimePassword { customer } => {
            let (typed, now) = ((customer.as_str(), field("one_time_password")), context.tools.clock.now());
            match context.customers.confirm(context.store(), typed, now).await? {
                Ok(()) => authenticated(context, visit, customer, now).await,
                Err(failure) => wrong(context, visit, failure.text()).await,
            }
        }
        Stage::Accounts { customer, authenticated_at } => {
            let Some((consent, _)) = &visit.consent else { return Ok(onward(&visit)) };
            let now = context.tools.clock.now();
            let eligible = payer::eligible(context, consent, &customer, now);
            let ticked = |id: &String| form.iter().any(|(key, value)| key == "account" && value == id);
            let chosen: Vec<String> = eligible.into_iter().filter(ticked).collect();
            let several = consent.kind() == ConsentKind::AccountAccess;
            if chosen.is_empty() || (!several && chosen.len() > 1) {
                let text =
                    if several { "Choose at least one account, or cancel." } else { "Choose one account, or cancel." };
                return Ok(views::page(context, &visit, StatusCode::BAD_REQUEST, Some(text)));
            }
            // What the bank adds stood beside the accounts; that others must confirm is only known now.
            if needs_signatories(context, &chosen) {
                return advance(context, visit, Stage::Confirm { customer, authenticated_at, accounts: chosen }).await;
            }
            finish(context, visit, Decision::Approved { subject: customer, authenticated_at }, chosen).await
        }
        Stage::Confirm { customer, authenticated_at, accounts } => {
            finish(context, visit, Decision::Approved { subject: customer, authenticated_at }, accounts).await
        }
        Stage::Done { .. } => Ok(onward(&visit)),
    }
}

async fn visit(context: &Context, request: &Request) -> Result<Visit, Refusal> {
    let id = request.params.get("InteractionId").unwrap_or_default();
    let cookie = request.cookie(&session::cookie_name(id)).ok_or(Refusal::Ended)?;
    under_way(context, request, id, cookie).await
}

/// The authorisation of a browser with this cookie.
pub(super) async fn under_way(context: &Context, request: &Request, id: &str, cookie: &str) -> Result<Visit, Refusal> {
    let store = context.store();
    let (session, session_version) = session::collection().get(store, id).await?.ok_or(Refusal::Ended)?;
    if !constant_time_eq(&fapi::digest(cookie), &session.cookie_digest) {
        return Err(Refusal::Ended);
    }
    let interaction = context.engine.backend().load::<Interaction>(id).await?.ok_or(Refusal::Ended)?;
    let consent = match &interaction.record.intent_id {
        Some(id) => {
            let (consent, version) = collection().get(store, id).await?.ok_or(Refusal::Ended)?;
            let lax = context.engine.profile().switched_off.contains(&INTENT_STATE);
            Some((if lax { consent.reopened() } else { consent }, version))
        }
        None => None,
    };
    let skin = app::device::skin(request);
    Ok(Visit { interaction, session, session_version, cookie: cookie.to_owned(), skin, consent })
}

/// Ends an authorisation whose time is over, or whose consent was taken back or decided elsewhere meanwhile. A page that
/// was opened for the first authorisation of a consent does not become a re-authentication when another one was faster:
/// it would let its customer put other accounts under the tokens of that one.
async fn expire(context: &Context, visit: Visit) -> Result<Visit, Refusal> {
    if matches!(visit.session.stage, Stage::Done { .. }) {
        return Ok(visit);
    }
    let now = context.tools.clock.now();
    let usable = visit.consent.as_ref().is_none_or(|(consent, _)| match consent.intent(now).authorisable {
        fapi::Usable::Authorisation => true,
        fapi::Usable::Reauthentication => visit.interaction.record.reauthentication,
        fapi::Usable::No(_) => false,
    });
    if usable && Engine::<Memory>::decidable(&visit.interaction.record, now) {
        return Ok(visit);
    }
    settle(context, visit, Decision::Rejected(Rejection::TimedOut), Vec::new()).await
}

pub(super) fn path(visit: &Visit) -> String {
    format!("/authorisation/{}/{}", visit.interaction.record.id, visit.session.stage.step())
}

fn onward(visit: &Visit) -> Response {
    secured(reply::redirect(StatusCode::SEE_OTHER, &path(visit)))
}

async fn advance(context: &Context, mut visit: Visit, stage: Stage) -> Result<Response, Refusal> {
    visit.session.stage = stage;
    save(context, &mut visit).await?;
    Ok(onward(&visit))
}

async fn save(context: &Context, visit: &mut Visit) -> Result<(), Refusal> {
    let id = &visit.interaction.record.id;
    let change = session::collection().update(id, visit.session_version, &visit.session)?;
    commit(context, vec![change]).await
}

async fn commit(context: &Context, changes: Vec<store::Change>) -> Result<(), Refusal> {
    context.store().commit(changes).await.map_err(|error| match error {
        store::CommitError::Conflict { .. } => Refusal::Overtaken,
        other @ store::CommitError::Store(_) => Refusal::Failed(other.to_string()),
    })
}

async fn wrong(context: &Context, mut visit: Visit, text: &str) -> Result<Response, Refusal> {
    visit.session.failures = visit.session.failures.saturating_add(1);
    if visit.session.failures >= context.bank.attempts {
        return finish(context, visit, Decision::Rejected(Rejection::AuthenticationFailed), Vec::new()).await;
    }
    save(context, &mut visit).await?;
    Ok(views::page(context, &visit, StatusCode::BAD_REQUEST, Some(text)))
}

/// Both factors were right: choose accounts, unless they were chosen at an earlier authorisation of this consent.
async fn authenticated(
    context: &Context,
    visit: Visit,
    customer: String,
    now: OffsetDateTime,
) -> Result<Response, Refusal> {
    if visit.interaction.record.subject.as_ref().is_some_and(|wanted| *wanted != customer) {
        return finish(context, visit, Decision::Rejected(Rejection::AnotherCustomer), Vec::new()).await;
    }
    let Some((consent, _)) = &visit.consent else {
        // Without an intent there is nothing to choose: who the customer is was all that the client asked.
        return finish(context, visit, Decision::Approved { subject: customer, authenticated_at: now }, Vec::new())
            .await;
    };
    if visit.interaction.record.reauthentication {
        let same = consent.customer.as_deref() == Some(customer.as_str());
        let decision = if same {
            Decision::Approved { subject: customer, authenticated_at: now }
        } else {
            Decision::Rejected(Rejection::AuthenticationFailed)
        };
        let accounts = consent.accounts.clone();
        return finish(context, visit, decision, accounts).await;
    }
    match after_authentication(context, consent, &customer, now) {
        Next::Choose => advance(context, visit, Stage::Accounts { customer, authenticated_at: now }).await,
        Next::Confirm(accounts) => {
            advance(context, visit, Stage::Confirm { customer, authenticated_at: now, accounts }).await
        }
        Next::Approve(accounts) => {
            finish(context, visit, Decision::Approved { subject: customer, authenticated_at: now }, accounts).await
        }
        Next::Reject(rejection) => finish(context, visit, Decision::Rejected(rejection), Vec::new()).await,
    }
}

/// What comes when the customer is known.
pub(super) enum Next {
    /// The customer picks accounts.
    Choose,
    /// The customer is told what cannot be told before.
    Confirm(Vec<String>),
    /// Everything was shown where the customer authenticated, which was the only action.
    Approve(Vec<String>),
    /// No account of the customer fits.
    Reject(Rejection),
}

/// The accounts that fit decide, and whether the TPP named one (OB Customer Experience Guidelines: with a payer's account
/// from the TPP, authentication is the only action; a supplementary page only where there is something to tell).
pub(super) fn after_authentication(context: &Context, consent: &Consent, customer: &str, now: OffsetDateTime) -> Next {
    let eligible = payer::eligible(context, consent, customer, now);
    if eligible.is_empty() {
        let unmet = payer::fits_but_for_signatories(context, consent, customer, now);
        return Next::Reject(if unmet { Rejection::AuthorisationType } else { Rejection::NoEligibleAccount });
    }
    if payer::is_open(consent) {
        return Next::Choose;
    }
    let told = match &consent.content {
        Content::FundsConfirmation(_) => true,
        Content::Payment(payment) => payment.offer.is_remarkable(now) || needs_signatories(context, &eligible),
        Content::AccountAccess(_) | Content::VariableRecurringPayments(_) => false,
    };
    if told { Next::Confirm(eligible) } else { Next::Approve(eligible) }
}

/// Whether payments from the account need more than one person.
fn needs_signatories(context: &Context, accounts: &[String]) -> bool {
    let books = context.money.at(context.tools.clock.now());
    let account = accounts.first().and_then(|id| books.account(&AccountId::new(id.as_str())));
    accounts.len() == 1 && account.is_some_and(|account| account.signatories > 1)
}

async fn finish(
    context: &Context,
    visit: Visit,
    decision: Decision,
    accounts: Vec<String>,
) -> Result<Response, Refusal> {
    let visit = settle(context, visit, decision, accounts).await?;
    let mut response = views::page(context, &visit, StatusCode::OK, None);
    let cookie = session::last_cookie(&visit.interaction.record.id, &visit.cookie);
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// After the cut-off time nobody authorises a payment where later ones are refused (OB Read/Write 4.0, Payment Initiation API
/// Profile, CutOffDateTime Behaviour).
fn in_time(context: &Context, consent: &Consent, decision: Decision, now: OffsetDateTime) -> Decision {
    let Content::Payment(payment) = &consent.content else { return decision };
    let refuses = context.bank.payments.refuses_late(payment.request.kind());
    let late = payment.offer.cut_off.is_some_and(|at| at <= now);
    match decision {
        Decision::Approved { .. } if refuses && late => Decision::Rejected(Rejection::TooLate),
        decision => decision,
    }
}

/// Decides: consent, grant, code, interaction and session change in one commit, or not at all.
pub(super) async fn settle(
    context: &Context,
    visit: Visit,
    decision: Decision,
    accounts: Vec<String>,
) -> Result<Visit, Refusal> {
    let now = context.tools.clock.now();
    let Visit { interaction, mut session, session_version, cookie, skin, consent } = visit;
    let decision = match &consent {
        Some((consent, _)) => in_time(context, consent, decision, now),
        None => decision,
    };
    let completed = context.engine.complete(&interaction, &decision, now).await.map_err(Refusal::Protocol)?;
    let approved = matches!(decision, Decision::Approved { .. }) && !completed.failed;
    let why = match &decision {
        Decision::Rejected(rejection) => wording::unwanted(*rejection).map(str::to_owned),
        Decision::Approved { .. } => None,
    };
    session.stage = match completed.response.delivery() {
        Delivery::Redirect(location) => Stage::Done { location, fields: Vec::new(), approved, why },
        Delivery::Form { action, fields } => {
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Stage::Done { location: action, fields, approved, why }
        }
    };
    let mut changes = to_store(completed.changes);
    changes.push(session::collection().update(&interaction.record.id, session_version, &session)?);
    let consent = match consent {
        // Nothing was granted, so that nothing becomes of the consent.
        untouched if completed.failed => untouched,
        Some((consent, version)) => {
            let after = decided(&consent, &decision, accounts, now)?;
            if after != consent {
                changes.push(collection().update(&after.id, version, &after)?);
            }
            changes.extend(dashboard::remember(&after)?);
            Some((after, version))
        }
        None => None,
    };
    commit(context, changes).await?;
    context.engine.settled(&completed.ended);
    Ok(Visit { interaction, session, session_version, cookie, skin, consent })
}

/// The consent after the decision. One that was deleted or decided meanwhile keeps its state when the customer rejects; the
/// TPP still learns that nothing was granted.
fn decided(
    consent: &Consent,
    decision: &Decision,
    accounts: Vec<String>,
    now: OffsetDateTime,
) -> Result<Consent, Refusal> {
    match decision {
        Decision::Approved { subject, authenticated_at } => {
            let customer = subject.clone();
            let authorisation = Authorisation { customer, accounts, authenticated_at: *authenticated_at };
            Ok(consent.clone().authorise(authorisation, now)?)
        }
        Decision::Rejected(rejection) => {
            let reason = match rejection {
                Rejection::Cancelled => Reason::Cancelled,
                Rejection::AuthenticationFailed | Rejection::AnotherCustomer => Reason::AuthenticationFailed,
                Rejection::TimedOut => Reason::TimedOut,
                Rejection::NoEligibleAccount => Reason::NoEligibleAccount,
                Rejection::TooLate => Reason::AfterCutOff,
                Rejection::AuthorisationType => Reason::AuthorisationType,
            };
            Ok(consent.clone().reject(reason, now).unwrap_or_else(|_| consent.clone()))
        }
    }
}
