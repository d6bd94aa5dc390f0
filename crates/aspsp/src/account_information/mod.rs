//! Account information (OB Read/Write, Account and Transaction API): consents and the customer's data, in every version
//! from one table.
//!
//! A request goes through [`crate::api`] (token and headers), the rules of the resource, and then the row's own answer.

mod consents;
mod resources;
mod shown;
mod transactions;

use http::Method;
use openbanking::version::ApiVersion;
use transport::{Route, route};

use crate::{Context, api::base};

/// Rules of this API, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static rules::Rule> {
    [consents::RULES, resources::RULES, transactions::RULES].into_iter().flatten().copied().collect()
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    ApiVersion::ALL.into_iter().flat_map(version_routes).collect()
}

fn version_routes(version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version, "aisp");
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
