//! Account information (OB Read/Write, Account and Transaction API): consents and the customer's data, in every version
//! from one table.
//!
//! A request goes through [`crate::api`] (token and headers), the rules of the resource, and then the row's own answer.

mod answers;
mod consents;
mod paging;
mod reauthentication;
mod resources;
mod shown;
mod statements;
mod table;
mod transactions;
mod window;

pub(crate) use shown::numbers;

use http::Method;
use openbanking::version::ApiVersion;
use transport::Route;

use crate::{
    Context,
    api::{base, counted},
    endpoints::Family,
};

/// Rules of this API, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static rules::Rule> {
    let tables = [
        consents::RULES,
        resources::RULES,
        reauthentication::RULES,
        paging::RULES,
        transactions::RULES,
        statements::RULES,
    ];
    tables.into_iter().flatten().copied().collect()
}

/// Path of the consents below the version's base.
const CONSENTS: &str = "/account-access-consents";

/// The endpoints of the family, which a bank may switch off but for the consents.
#[must_use]
pub fn family() -> Family {
    let consents = [CONSENTS.to_owned(), format!("{CONSENTS}/{{ConsentId}}")];
    let resources = table::RESOURCES.iter().flat_map(|row| row.paths);
    Family {
        name: "aisp",
        always: consents.iter().map(|path| table::endpoint(path)).collect(),
        switchable: resources.map(|path| table::endpoint(path)).collect(),
    }
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    ApiVersion::ALL.into_iter().flat_map(version_routes).collect()
}

fn version_routes(version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version, "aisp");
    let consents = format!("{base}{CONSENTS}");
    let consent = format!("{consents}/{{ConsentId}}");
    let mut routes = vec![
        counted(Method::POST, consents, version, move |context, request| consents::create(context, request, version)),
        counted(Method::GET, consent.clone(), version, move |context, request| {
            consents::read(context, request, version)
        }),
        counted(Method::DELETE, consent, version, move |context, request| consents::delete(context, request, version)),
    ];
    let paths = |row: &'static table::Resource| row.paths.iter().map(move |path| (row, *path));
    routes.extend(table::RESOURCES.iter().flat_map(paths).map(|(row, path)| {
        counted(Method::GET, format!("{base}{path}"), version, move |context, request| {
            resources::read(context, request, version, row, path)
        })
    }));
    routes
}
