//! Into the dashboard and out of it: login, one-time password, the list, log out.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use jose::hash::constant_time_eq;
use ledger::CustomerId;
use serde::Serialize;
use time::OffsetDateTime;
use transport::{Request, Response, reply};

use super::{
    PATH, connections, payments,
    refusal::Refusal,
    session::{self, LASTS, Session, Stage, Visit, form_token, set_cookie},
};
use crate::{Context, customers::LoginFailure, pages::secured};

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
    waiting: Vec<payments::PaymentView>,
    payments: Vec<payments::PaymentView>,
}

/// A customer who is logged in, with the token of the page's forms.
pub(super) struct LoggedIn {
    pub(super) customer: String,
    pub(super) authenticated_at: OffsetDateTime,
    pub(super) csrf: String,
}

impl LoggedIn {
    /// The customer of the session that a request belongs to.
    pub(super) async fn of(context: &Context, request: &Request) -> Result<Self, Refusal> {
        let visit = session::of(context, request).await?.ok_or(Refusal::LoggedOut)?;
        let Stage::Open { authenticated_at } = visit.session.stage else { return Err(Refusal::LoggedOut) };
        let csrf = form_token(session::cookie(request));
        Ok(Self { customer: visit.session.customer, authenticated_at, csrf })
    }
}

/// The fields of a form that a page of this browser has sent.
pub(super) fn checked(request: &Request) -> Result<Vec<(String, String)>, Refusal> {
    let form = request.form_pairs().ok_or(Refusal::Forged)?;
    let cookie = session::cookie(request);
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
        match session::of(&context, &request).await? {
            Some(visit) => page(&context, &visit, cookie, None).await,
            None if cookie.is_empty() => {
                let cookie = context.tools.chance.token();
                Ok(with_cookie(login(&context, &cookie, None), Some(&cookie)))
            }
            None => Ok(login(&context, cookie, None)),
        }
    };
    shown.await.unwrap_or_else(|refusal: Refusal| refusal.page(&context, &request))
}

/// The status of a page that is shown again because of a problem.
fn status(problem: Option<LoginFailure>) -> StatusCode {
    if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

fn login(context: &Context, cookie: &str, problem: Option<LoginFailure>) -> Response {
    let view = LoginView {
        action: PATH,
        csrf: &form_token(cookie),
        problem: problem.map(LoginFailure::text),
        phone_ending: String::new(),
    };
    context.pages.show(status(problem), &context.bank, "bank-login", "Log in", None, &view)
}

async fn page(
    context: &Context,
    visit: &Visit,
    cookie: &str,
    problem: Option<LoginFailure>,
) -> Result<Response, Refusal> {
    let (csrf, customer, status) = (form_token(cookie), visit.session.customer.as_str(), status(problem));
    Ok(match visit.session.stage {
        Stage::OneTimePassword => {
            let phone_ending = context.customers.phone_ending(customer);
            let view = LoginView { action: PATH, csrf: &csrf, problem: problem.map(LoginFailure::text), phone_ending };
            let template = "bank-one-time-password";
            context.pages.show(status, &context.bank, template, "One-time password", None, &view)
        }
        Stage::Open { .. } => {
            let name = {
                let books = context.money.at(context.tools.clock.now());
                books.customer(&CustomerId::new(customer)).map(ledger::Customer::name)
            };
            let (waiting, payments) = payments::of(context, customer).await?;
            let view = ListView {
                action: PATH,
                csrf: &csrf,
                name: name.unwrap_or_default(),
                connections: connections::of(context, customer).await?,
                waiting,
                payments,
            };
            context.pages.show(status, &context.bank, "connections", "Connections", None, &view)
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
        Err(failure) => Ok(login(context, cookie, Some(failure))),
        Ok(customer) => {
            let session = Session { customer, stage: Stage::OneTimePassword, expires_at: now + LASTS };
            let change = session::collection().put(fapi::digest(cookie), &session)?;
            context.store().commit(vec![change]).await?;
            Ok(home())
        }
    }
}

/// The right one opens a new session under a new cookie: whoever knew the old one knows nothing.
async fn one_time_password(
    context: &Context,
    request: &Request,
    visit: Visit,
    form: &[(String, String)],
) -> Result<Response, Refusal> {
    let now = context.tools.clock.now();
    let typed = (visit.session.customer.as_str(), value(form, "one_time_password"));
    if let Err(failure) = context.customers.confirm(context.store(), typed, now).await? {
        return page(context, &visit, session::cookie(request), Some(failure)).await;
    }
    let cookie = context.tools.chance.token();
    let stage = Stage::Open { authenticated_at: now };
    let session = Session { stage, expires_at: now + LASTS, ..visit.session };
    let changes = vec![
        session::collection().delete_version(&visit.key, visit.version),
        session::collection().insert(fapi::digest(&cookie), &session)?,
    ];
    context.store().commit(changes).await?;
    Ok(with_cookie(home(), Some(&cookie)))
}
