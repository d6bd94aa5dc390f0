//! Into the dashboard and out of it: login, one-time password, the list, log out.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use jose::hash::constant_time_eq;
use serde::Serialize;
use transport::{Request, Response, reply};

use super::{
    PATH, connections, payments,
    refusal::Refusal,
    session::{self, LASTS, Session, Stage, Visit, set_cookie},
};
use crate::{Context, pages::secured};

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

/// `GET /connections`.
pub(super) async fn show(context: Arc<Context>, request: Request) -> Response {
    match visit(&context, &request).await {
        Err(refusal) => refusal.page(&context, &request),
        Ok((visit, cookie)) => {
            let page = page(&context, &visit, StatusCode::OK, None).await;
            let response = page.unwrap_or_else(|refusal| refusal.page(&context, &request));
            with_cookie(response, cookie.as_deref().map(Some))
        }
    }
}

fn with_cookie(mut response: Response, cookie: Option<Option<&str>>) -> Response {
    if let Some(cookie) = cookie
        && let Ok(value) = HeaderValue::from_str(&set_cookie(cookie))
    {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The session of this browser, or a new one with its cookie.
async fn visit(context: &Context, request: &Request) -> Result<(Visit, Option<String>), Refusal> {
    if let Some(visit) = session::of(context, request).await? {
        return Ok((visit, None));
    }
    let cookie = context.tools.chance.token();
    let session = Session {
        csrf: context.tools.chance.token(),
        stage: Stage::Login,
        failures: 0,
        expires_at: context.tools.clock.now() + LASTS,
    };
    let key = fapi::digest(&cookie);
    context.store().commit(vec![session::collection().insert(&key, &session)?]).await?;
    let (session, version) = session::collection()
        .get(context.store(), &key)
        .await?
        .ok_or_else(|| Refusal::Failed("no session".to_owned()))?;
    Ok((Visit { key, session, version }, Some(cookie)))
}

async fn page(
    context: &Context,
    visit: &Visit,
    status: StatusCode,
    problem: Option<&str>,
) -> Result<Response, Refusal> {
    let csrf = visit.session.csrf.as_str();
    let show = |template, title, phone_ending| {
        let view = LoginView { action: PATH, csrf, problem, phone_ending };
        context.pages.show(status, &context.bank, template, title, None, &view)
    };
    Ok(match &visit.session.stage {
        Stage::Login => show("bank-login", "Log in", String::new()),
        Stage::OneTimePassword { customer } => {
            show("bank-one-time-password", "One-time password", context.customers.phone_ending(customer))
        }
        Stage::Open { customer, .. } => {
            let now = context.tools.clock.now();
            let name =
                context.money.at(now).customer(&ledger::CustomerId::new(customer.as_str())).map(ledger::Customer::name);
            let (waiting, payments) = payments::of(context, customer).await?;
            let view = ListView {
                action: PATH,
                csrf,
                name: name.unwrap_or_default(),
                connections: connections::of(context, customer).await?,
                waiting,
                payments,
            };
            context.pages.show(status, &context.bank, "connections", "Connections", None, &view)
        }
    })
}

/// `POST /connections`.
pub(super) async fn act(context: Arc<Context>, request: Request) -> Response {
    match take(&context, &request).await {
        Ok(response) => response,
        Err(refusal) => refusal.page(&context, &request),
    }
}

async fn take(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let mut visit = session::of(context, request).await?.ok_or(Refusal::Forged)?;
    let form = checked(request, &visit)?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if field("action") == "leave" {
        context.store().commit(vec![session::collection().delete(&visit.key)]).await?;
        let response = secured(reply::redirect(StatusCode::SEE_OTHER, PATH));
        return Ok(with_cookie(response, Some(None)));
    }
    let now = context.tools.clock.now();
    let (next, text) = match &visit.session.stage {
        Stage::Login => (
            context
                .customers
                .login(field("username"), field("password"))
                .map(|customer| Stage::OneTimePassword { customer: customer.to_owned() }),
            "That user name and password do not belong together.",
        ),
        Stage::OneTimePassword { customer } => (
            context
                .customers
                .second_factor(customer, field("one_time_password"))
                .then(|| Stage::Open { customer: customer.clone(), authenticated_at: now }),
            "That is not the one-time password that we sent.",
        ),
        Stage::Open { .. } => return Ok(secured(reply::redirect(StatusCode::SEE_OTHER, PATH))),
    };
    match next {
        Some(stage) => visit.session.stage = stage,
        None => visit.session.failures = visit.session.failures.saturating_add(1),
    }
    let failed = matches!(visit.session.stage, Stage::Login | Stage::OneTimePassword { .. })
        && visit.session.failures >= context.bank.attempts;
    let change = if failed {
        session::collection().delete_version(&visit.key, visit.version)
    } else {
        session::collection().update(&visit.key, visit.version, &visit.session)?
    };
    context.store().commit(vec![change]).await?;
    if failed {
        return Err(Refusal::Late("That was wrong too often. Start again.".to_owned()));
    }
    if text.is_empty() || matches!(visit.session.stage, Stage::Open { .. }) {
        return Ok(secured(reply::redirect(StatusCode::SEE_OTHER, PATH)));
    }
    let problem = (visit.session.failures > 0).then_some(text).filter(|_| !advanced(&visit, request));
    page(context, &visit, if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }, problem).await
}

/// Whether the form that was sent led to the next page.
fn advanced(visit: &Visit, request: &Request) -> bool {
    let sent = |name: &str| request.form_pairs().is_some_and(|form| form.iter().any(|(key, _)| key == name));
    match visit.session.stage {
        Stage::Login => false,
        Stage::OneTimePassword { .. } => sent("password"),
        Stage::Open { .. } => true,
    }
}

/// The fields of a form that belongs to this session.
pub(super) fn checked(request: &Request, visit: &Visit) -> Result<Vec<(String, String)>, Refusal> {
    let form = request.form_pairs().ok_or(Refusal::Forged)?;
    let csrf = form.iter().find(|(key, _)| key == "csrf").map_or("", |(_, value)| value.as_str());
    if constant_time_eq(csrf, &visit.session.csrf) { Ok(form) } else { Err(Refusal::Forged) }
}

/// The customer of an open session with its form, or the way to the login.
pub(super) async fn customer(context: &Context, request: &Request) -> Result<(Visit, String), Refusal> {
    let visit = session::of(context, request).await?.ok_or(Refusal::Forged)?;
    match visit.session.stage.clone() {
        Stage::Open { customer, .. } => Ok((visit, customer)),
        _ => Err(Refusal::Forged),
    }
}
