//! Into the dashboard and out of it: login, one-time password, the list, log out.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use jose::hash::constant_time_eq;
use ledger::CustomerId;
use serde::Serialize;
use store::Change;
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{
    PATH, connections, payments,
    refusal::Refusal,
    session::{self, LASTS, Session, Stage, Visit, form_token, set_cookie},
};
use crate::{
    Context, app,
    customers::LoginFailure,
    pages::{Sheet, secured},
};

#[derive(Serialize)]
struct LoginView<'a> {
    action: &'a str,
    csrf: &'a str,
    problem: Option<&'a str>,
    phone_ending: String,
}

#[derive(Serialize)]
struct ListView<'a> {
    action: &'a str,
    csrf: &'a str,
    name: String,
    connections: Vec<connections::ConnectionView>,
    /// Whether there is so much that it can be searched.
    searchable: bool,
    /// What is looked for.
    search: String,
    waiting: Vec<payments::PaymentView>,
    payments: Vec<payments::PaymentView>,
    /// Where the app is set up and removed.
    apps: &'a str,
}

/// Connections and payments above which they can be searched.
const MANY: usize = 3;

/// A customer who is logged in, with the token of the page's forms.
pub(crate) struct LoggedIn {
    pub(crate) customer: String,
    pub(crate) authenticated_at: OffsetDateTime,
    pub(crate) csrf: String,
}

impl LoggedIn {
    /// The customer of the session that a request belongs to.
    pub(crate) async fn of(context: &Context, request: &Request) -> Result<Self, Refusal> {
        let visit = session::of(context, request).await?.ok_or(Refusal::LoggedOut)?;
        let Stage::Open { authenticated_at } = visit.session.stage else { return Err(Refusal::LoggedOut) };
        let csrf = form_token(session::cookie(request));
        Ok(Self { customer: visit.session.customer, authenticated_at, csrf })
    }
}

/// The fields of a form that a page of this browser has sent.
pub(crate) fn checked(request: &Request) -> Result<Vec<(String, String)>, Refusal> {
    checked_for(request, session::cookie(request))
}

/// The fields of a form that a page of the browser with this cookie has sent.
pub(crate) fn checked_for(request: &Request, cookie: &str) -> Result<Vec<(String, String)>, Refusal> {
    let form = request.form_pairs().ok_or(Refusal::Forged)?;
    let right = !cookie.is_empty() && constant_time_eq(value(&form, "csrf"), &form_token(cookie));
    if right { Ok(form) } else { Err(Refusal::Forged) }
}

/// A field of a form; empty when it was not sent.
pub(super) fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// To the list, or wherever the login is.
pub(super) fn home() -> Response {
    secured(reply::redirect(StatusCode::SEE_OTHER, PATH))
}

fn with_cookie(mut response: Response, cookie: Option<&str>) -> Response {
    if let Ok(value) = HeaderValue::from_str(&set_cookie(cookie)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// `GET /connections`.
pub(super) async fn show(context: Arc<Context>, request: Request) -> Response {
    let shown = async {
        let cookie = session::cookie(&request);
        if let Some(visit) = session::of(&context, &request).await? {
            return page(&context, &request, &visit, None).await;
        }
        let new = cookie.is_empty().then(|| context.tools.chance.token());
        let csrf = form_token(new.as_deref().unwrap_or(cookie));
        let first = match app::device::customer_of(&context, &request).await? {
            Some(_) => passcode_page(&context, &request, &csrf, None),
            None => login_page(&context, &request, &csrf, None),
        };
        Ok(match new {
            Some(cookie) => with_cookie(first, Some(&cookie)),
            None => first,
        })
    };
    shown.await.unwrap_or_else(|refusal: Refusal| refusal.page(&context, &request))
}

/// A page that is shown again because of a problem is no success.
fn sheet<'a>(request: &Request, template: &'a str, title: &'a str, problem: Option<LoginFailure>) -> Sheet<'a> {
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Sheet { status, ..Sheet::new(template, title, app::device::skin(request)) }
}

fn login_view(csrf: &str, problem: Option<LoginFailure>) -> LoginView<'_> {
    LoginView { action: PATH, csrf, problem: problem.map(LoginFailure::text), phone_ending: String::new() }
}

fn login_page(context: &Context, request: &Request, csrf: &str, problem: Option<LoginFailure>) -> Response {
    let sheet = sheet(request, "bank-login", "Log in", problem);
    context.pages.show(&context.bank, &sheet, &login_view(csrf, problem))
}

fn passcode_page(context: &Context, request: &Request, csrf: &str, problem: Option<LoginFailure>) -> Response {
    let sheet = sheet(request, "bank-passcode", "Passcode", problem);
    context.pages.show(&context.bank, &sheet, &login_view(csrf, problem))
}

async fn page(
    context: &Context,
    request: &Request,
    visit: &Visit,
    problem: Option<LoginFailure>,
) -> Result<Response, Refusal> {
    let (csrf, customer) = (form_token(session::cookie(request)), visit.session.customer.as_str());
    Ok(match visit.session.stage {
        Stage::OneTimePassword => {
            let phone_ending = context.customers.phone_ending(customer);
            let view = LoginView { phone_ending, ..login_view(&csrf, problem) };
            let sheet = sheet(request, "bank-one-time-password", "One-time password", problem);
            context.pages.show(&context.bank, &sheet, &view)
        }
        Stage::Open { .. } => {
            let search = request.query_pairs().into_iter().find(|(name, _)| name == "search");
            let search = search.map(|(_, text)| text.trim().to_owned()).unwrap_or_default();
            let name = {
                let books = context.money.at(context.tools.clock.now());
                books.customer(&CustomerId::new(customer)).map(ledger::Customer::name)
            };
            let (waiting, mut payments) = payments::of(context, customer).await?;
            let mut connections = connections::of(context, customer).await?;
            let many = connections.len() + payments.len() > MANY;
            if !search.is_empty() {
                connections.retain(|connection| connection.has(&search));
                payments.retain(|payment| payment.has(&search));
            }
            let view = ListView {
                action: PATH,
                csrf: &csrf,
                name: name.unwrap_or_default(),
                connections,
                searchable: many || !search.is_empty(),
                search,
                waiting,
                payments,
                apps: app::PATH,
            };
            context.pages.show(&context.bank, &sheet(request, "connections", "Connections", problem), &view)
        }
    })
}

/// `POST /connections`: log in, or out.
pub(super) async fn act(context: Arc<Context>, request: Request) -> Response {
    match take(&context, &request).await {
        Ok(response) => response,
        Err(refusal) => refusal.page(&context, &request),
    }
}

async fn take(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let form = checked(request)?;
    let visit = session::of(context, request).await?;
    if value(&form, "action") == "leave" {
        if let Some(visit) = visit {
            context.store().commit(vec![session::collection().delete(&visit.key)]).await?;
        }
        return Ok(with_cookie(home(), None));
    }
    match visit {
        None if value(&form, "action") == "website" => {
            Ok(login_page(context, request, &form_token(session::cookie(request)), None))
        }
        None if form.iter().any(|(name, _)| name == "passcode") => passcode(context, request, &form).await,
        None => password(context, request, &form).await,
        Some(visit) if visit.session.stage == Stage::OneTimePassword => {
            one_time_password(context, request, visit, &form).await
        }
        Some(_) => Ok(home()),
    }
}

async fn password(context: &Context, request: &Request, form: &[(String, String)]) -> Result<Response, Refusal> {
    let (typed, now) = ((value(form, "username"), value(form, "password")), context.tools.clock.now());
    let cookie = session::cookie(request);
    match context.customers.log_in(context.store(), typed, now).await? {
        Err(failure) => Ok(login_page(context, request, &form_token(cookie), Some(failure))),
        Ok(customer) => {
            let session = Session { customer, stage: Stage::OneTimePassword, expires_at: now + LASTS };
            let change = session::collection().put(fapi::digest(cookie), &session)?;
            context.store().commit(vec![change]).await?;
            Ok(home())
        }
    }
}

/// The passcode on a device with the app is both factors.
async fn passcode(context: &Context, request: &Request, form: &[(String, String)]) -> Result<Response, Refusal> {
    let Some(customer) = app::device::customer_of(context, request).await? else { return Ok(home()) };
    let typed = (customer.as_str(), value(form, "passcode"));
    if let Err(failure) = context.customers.unlock(context.store(), typed, context.tools.clock.now()).await? {
        return Ok(passcode_page(context, request, &form_token(session::cookie(request)), Some(failure)));
    }
    open(context, customer, Vec::new()).await
}

async fn one_time_password(
    context: &Context,
    request: &Request,
    visit: Visit,
    form: &[(String, String)],
) -> Result<Response, Refusal> {
    let typed = (visit.session.customer.as_str(), value(form, "one_time_password"));
    if let Err(failure) = context.customers.confirm(context.store(), typed, context.tools.clock.now()).await? {
        return page(context, request, &visit, Some(failure)).await;
    }
    let ends = session::collection().delete_version(&visit.key, visit.version);
    open(context, visit.session.customer, vec![ends]).await
}

/// Opens a new session under a new cookie: whoever knew the old one knows nothing.
async fn open(context: &Context, customer: String, mut changes: Vec<Change>) -> Result<Response, Refusal> {
    let (cookie, now) = (context.tools.chance.token(), context.tools.clock.now());
    let session = Session { customer, stage: Stage::Open { authenticated_at: now }, expires_at: now + LASTS };
    changes.push(session::collection().insert(fapi::digest(&cookie), &session)?);
    context.store().commit(changes).await?;
    Ok(with_cookie(home(), Some(&cookie)))
}
