//! The tables of routes of both listeners.

use std::sync::Arc;

use http::Method;
use transport::{Request, Route, Router, RouterError, route};

use crate::{
    Context, account_information, app,
    authorization::{discovery, endpoint, interaction, pushed, registration, token, tokens},
    dashboard,
    endpoints::{EndpointsOff, endpoint_of, operation},
    funds_confirmation, pages, payment_initiation,
    problem::problem,
    variable_recurring_payments,
};

/// Longest body of a registration: a request with a software statement in it.
const REGISTRATION_LIMIT: usize = 128 * 1024;

/// Without client certificates: discovery, keys, and the customer's pages.
pub(crate) fn public(context: Arc<Context>) -> Result<Router<Context>, RouterError> {
    let page = "/authorisation/{InteractionId}/{Step}";
    let routes = [
        route(Method::GET, "/.well-known/openid-configuration", discovery::configuration),
        route(Method::GET, "/jwks", discovery::jwks),
        route(Method::GET, "/authorize", endpoint::authorize),
        route(Method::POST, "/authorize", endpoint::authorize),
        route(Method::GET, page, interaction::show),
        route(Method::POST, page, interaction::act),
        route(Method::GET, "/assets/bank.css", |_: Arc<Context>, _: Request| async { pages::style() }),
        route(Method::GET, "/assets/return.js", |_: Arc<Context>, _: Request| async { pages::script() }),
    ];
    let routes = routes.into_iter().chain(dashboard::routes()).chain(app::routes());
    Router::new(context, routes, problem)
}

/// With client certificates: token endpoint, registration, and the APIs.
pub(crate) fn mutual(context: Arc<Context>) -> Result<Router<Context>, RouterError> {
    let mut routes: Vec<Route<Context>> = vec![
        route(Method::POST, "/token", token::token),
        route(Method::POST, "/introspect", tokens::introspect),
        route(Method::POST, "/revoke", tokens::revoke),
        route(Method::GET, "/userinfo", tokens::userinfo),
        route(Method::POST, "/userinfo", tokens::userinfo),
        route(Method::POST, "/par", pushed::push).body_limit(REGISTRATION_LIMIT),
        route(Method::POST, "/register", registration::register).body_limit(REGISTRATION_LIMIT),
        route(Method::GET, "/register/{ClientId}", registration::read),
        route(Method::PUT, "/register/{ClientId}", registration::replace).body_limit(REGISTRATION_LIMIT),
        route(Method::DELETE, "/register/{ClientId}", registration::delete),
    ];
    routes.extend(account_information::routes());
    routes.extend(payment_initiation::routes());
    routes.extend(variable_recurring_payments::routes());
    routes.extend(funds_confirmation::routes());
    let off = &context.bank.endpoints_off;
    routes.retain(|route| offered(&route.method, &route.path, off));
    Router::new(context, routes, problem)
}

/// Whether the bank's profile offers an endpoint. Account information looks at its own, because a path there may have
/// several endpoints on one row.
fn offered(method: &Method, path: &str, off: &EndpointsOff) -> bool {
    let offers = |endpoint: &str| off.offers(endpoint) && off.offers(&operation(method, endpoint));
    endpoint_of(path).is_none_or(|endpoint| endpoint.starts_with("/aisp/") || offers(&endpoint))
}
