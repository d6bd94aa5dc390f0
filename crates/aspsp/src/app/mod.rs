//! The bank's app (OB Customer Experience Guidelines, app-to-app redirection): the same addresses as the website in another
//! skin, opened with a passcode on a device that the customer has set up. Who cannot or does not want to use it goes on at
//! the website.
//!
//! - [`device`]: which browser is a device with the app, and whose

pub mod device;

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use transport::{Request, Response, Route, reply, route};

use crate::{
    Context,
    dashboard::{self, LoggedIn, Refusal, form_token},
    pages::{Sheet, secured},
};
use device::Device;

/// Where the app is set up and removed.
pub const PATH: &str = "/app";

/// The pages.
pub(crate) fn routes() -> Vec<Route<Context>> {
    vec![route(Method::GET, "/", home), route(Method::GET, PATH, show), route(Method::POST, PATH, act)]
}

#[derive(Serialize)]
struct HomeView<'a> {
    connections: &'a str,
    apps: &'a str,
    discovery: &'a str,
    keys: &'a str,
    mutual: &'a str,
}

/// The first page of the website, and of the app.
async fn home(context: Arc<Context>, request: Request) -> Response {
    let view = HomeView {
        connections: dashboard::PATH,
        apps: PATH,
        discovery: "/.well-known/openid-configuration",
        keys: "/jwks",
        mutual: context.urls.mtls.as_str(),
    };
    context.pages.show(&context.bank, &Sheet::new("home", "Welcome", device::skin(&request)), &view)
}

#[derive(Serialize)]
struct View<'a> {
    action: &'a str,
    connections: &'a str,
    csrf: String,
    /// Whether this device has the app.
    has_it: bool,
    /// Whether the customer is logged in, which setting it up needs.
    logged_in: bool,
}

async fn show(context: Arc<Context>, request: Request) -> Response {
    page(&context, &request).await.unwrap_or_else(|refusal| refusal.page(&context, &request))
}

async fn page(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let has_it = device::customer_of(context, request).await?.is_some();
    let who = match LoggedIn::of(context, request).await {
        Ok(who) => Some(who),
        Err(Refusal::LoggedOut) => None,
        Err(other) => return Err(other),
    };
    let logged_in = who.is_some();
    let csrf = match who {
        Some(who) if !has_it => who.csrf,
        _ => form_token(device::cookie(request)),
    };
    let view = View { action: PATH, connections: dashboard::PATH, csrf, has_it, logged_in };
    Ok(context.pages.show(&context.bank, &Sheet::new("app", "The app", device::skin(request)), &view))
}

async fn act(context: Arc<Context>, request: Request) -> Response {
    change(&context, &request).await.unwrap_or_else(|refusal| refusal.page(&context, &request))
}

async fn change(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let cookie = device::cookie(request);
    let form = request.form_pairs().ok_or(Refusal::Forged)?;
    let removes = form.iter().any(|(name, value)| name == "action" && value == "remove");
    if removes {
        dashboard::checked_for(request, cookie)?;
        context.store().commit(vec![device::collection().delete(device::key(cookie))]).await?;
        return Ok(back(None));
    }
    let who = LoggedIn::of(context, request).await?;
    dashboard::checked(request)?;
    let value = context.tools.chance.token();
    let expires_at = context.tools.clock.now() + device::LASTS;
    let device = Device { customer: who.customer, expires_at };
    context.store().commit(vec![device::collection().insert(device::key(&value), &device)?]).await?;
    Ok(back(Some(&value)))
}

fn back(cookie: Option<&str>) -> Response {
    let mut response = secured(reply::redirect(StatusCode::SEE_OTHER, PATH));
    if let Ok(value) = HeaderValue::from_str(&device::set_cookie(cookie)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
