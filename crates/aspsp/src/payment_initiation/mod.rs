//! Payment initiation (OB Read/Write, Payment Initiation API): consents and orders of every kind, in every version, from
//! the one table of [`PaymentKind`].
//!
//! How a payment travels: a TPP lodges a consent ([`consents`]), to which the bank adds what it costs and when it would
//! happen ([`offer`]); the PSU authorises it on the pages; the TPP orders exactly that ([`orders`]), which is told to the
//! books ([`instruct`]); what the books make of it is told to the TPP ([`answers`], [`reasons`]).

pub(crate) mod answers;
mod consents;
mod files;
mod funds;
pub(crate) mod instruct;
pub(crate) mod offer;
pub(crate) mod order;
pub(crate) mod orders;
mod reasons;
mod settings;

use std::{collections::BTreeSet, future::Future, sync::Arc};

use http::Method;
use ledger::OrderId;
use openbanking::{
    payments::{OrderRequest, PaymentKind},
    version::ApiVersion,
    vrp::VrpOrderRequest,
};
use transport::{Request, Response, Route};

use crate::{
    Context,
    api::{ApiError, base, counted, deviating::bent, signature},
    endpoints::{Family, endpoint_of, operation},
};

pub use instruct::first_day;
pub use order::{Order, Ordered};
pub use settings::{Afterwards, CutOff, PaymentSettings, Settlement};

/// Scope of the tokens of this API.
const SCOPE: &str = "payments";

/// Longest file of payments, in bytes.
const FILE_LIMIT: usize = 2 * 1024 * 1024;

/// Rules of this API, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static rules::Rule> {
    [consents::RULES, offer::RULES, files::RULES, orders::RULES].into_iter().flatten().copied().collect()
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    let versions = ApiVersion::ALL.into_iter();
    versions.flat_map(|version| PaymentKind::ALL.into_iter().flat_map(move |kind| of_kind(kind, version))).collect()
}

/// A row whose answers, refusals among them, are signed.
pub(crate) fn signed<H, F>(method: Method, path: String, version: ApiVersion, handler: H) -> Route<Context>
where
    H: Fn(Arc<Context>, Arc<Request>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    counted(method, path, version, move |context: Arc<Context>, request: Request| async move {
        let request = Arc::new(request);
        let outcome = handler(Arc::clone(&context), Arc::clone(&request)).await;
        let response = outcome.unwrap_or_else(|error| error.response(version, &request));
        signature::sign(&context, bent(&context.engine.profile().deviations, response))
    })
}

/// The routes of a kind in a version.
fn of_kind(kind: PaymentKind, version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version, "pisp");
    let (consents, orders) = (format!("{base}/{}", kind.consent_path()), format!("{base}/{}", kind.order_path()));
    let (consent, order) = (format!("{consents}/{{ConsentId}}"), format!("{orders}/{{OrderId}}"));
    macro_rules! row {
        ($method:ident, $path:expr, $handler:path) => {
            signed(Method::$method, $path, version, move |context, request| async move {
                $handler(&context, &request, kind, version).await
            })
        };
    }
    macro_rules! file_row {
        ($method:ident, $path:expr, $handler:path) => {
            signed(Method::$method, $path, version, move |context, request| async move {
                $handler(&context, &request, version).await
            })
        };
    }
    let mut rows = vec![
        row!(POST, consents, consents::create),
        row!(GET, consent.clone(), consents::read),
        row!(POST, orders, orders::create),
        row!(GET, order.clone(), orders::read),
        row!(GET, format!("{order}/payment-details"), orders::details),
    ];
    if kind.has_funds_confirmation() {
        rows.push(row!(GET, format!("{consent}/funds-confirmation"), funds::confirm));
    }
    if kind == PaymentKind::File {
        rows.push(file_row!(POST, format!("{consent}/file"), files::upload).body_limit(FILE_LIMIT));
        rows.push(file_row!(GET, format!("{consent}/file"), files::download));
        rows.push(file_row!(GET, format!("{order}/report-file"), files::report));
    }
    rows
}

/// The client of the TPP that made the order of this name; none when it was no TPP's.
///
/// # Errors
/// The store failed.
pub async fn client_of(context: &Context, order: &OrderId) -> Result<Option<String>, store::StoreError> {
    let (store, id) = (context.store(), order.as_str());
    if let Some((order, _)) = order::collection::<OrderRequest>().get(store, id).await? {
        return Ok(Some(order.client_id));
    }
    Ok(order::collection::<VrpOrderRequest>().get(store, id).await?.map(|(order, _)| order.client_id))
}

/// The endpoints of this API.
pub(crate) fn family() -> Family {
    let all = routes().into_iter().chain(crate::variable_recurring_payments::routes());
    let mut names = BTreeSet::new();
    for route in all {
        if let Some(endpoint) = endpoint_of(&route.path) {
            // Migration is the only thing that a bank may leave out at a path that it has (Domestic VRP Consents, Endpoints).
            if matches!(route.method, Method::PUT | Method::PATCH) {
                names.insert(operation(&route.method, &endpoint));
            }
            names.insert(endpoint);
        }
    }
    Family { name: "pisp", always: Vec::new(), switchable: names.into_iter().collect() }
}
