//! Account information (OB Read/Write, Account and Transaction API): consents and the customer's data, in every version
//! from one table.
//!
//! A request goes through [`request`] (headers), the engine (token), the rules of the resource, and then the row's own
//! answer. What a refusal looks like in each version is in [`refusal`].

mod consents;
mod refusal;
mod request;
mod resources;
mod shown;
mod transactions;

use http::Method;
use openbanking::version::ApiVersion;
use transport::{Route, route};

use crate::Context;

pub use refusal::problem;

/// Rules of this API, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static rules::Rule> {
    [request::RULES, consents::RULES, resources::RULES, transactions::RULES].into_iter().flatten().copied().collect()
}

/// Path under which a version of this API lives.
#[must_use]
pub fn base(version: ApiVersion) -> String {
    format!("/open-banking/{version}/aisp")
}

/// The version that a path names.
#[must_use]
pub fn version_of(path: &str) -> Option<ApiVersion> {
    path.strip_prefix("/open-banking/")?.split('/').next()?.parse().ok()
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    ApiVersion::ALL.into_iter().flat_map(version_routes).collect()
}

fn version_routes(version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version);
    let consents = format!("{base}/account-access-consents");
    let consent = format!("{consents}/{{ConsentId}}");
    let mut routes = vec![
        route(Method::POST, consents, move |context, request| consents::create(context, request, version)),
        route(Method::GET, consent.clone(), move |context, request| consents::read(context, request, version)),
        route(Method::DELETE, consent, move |context, request| consents::delete(context, request, version)),
    ];
    routes.extend(resources::RESOURCES.iter().map(|resource| {
        route(Method::GET, format!("{base}{}", resource.path), move |context, request| {
            resources::read(context, request, version, resource)
        })
    }));
    routes
}
