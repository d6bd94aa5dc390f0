//! Variable recurring payments (OB Read/Write, VRP API): a consent with limits, under which the TPP pays without asking
//! the PSU each time.
//!
//! The limits are judged with the consent's record held: of two payments that come at once and fit alone but not together,
//! one is refused.

mod consents;
mod funds;
mod migration;
mod orders;

use http::Method;
use openbanking::{
    version::ApiVersion,
    vrp::{CONSENT_PATH, ORDER_PATH},
};
use transport::Route;

pub(crate) use orders::{PaidUnder, ordered_under, used};

use crate::{Context, api::base, payment_initiation::signed};

/// Rules of this API, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static rules::Rule> {
    [consents::RULES, migration::RULES, orders::RULES].into_iter().flatten().copied().collect()
}

/// The routes of every version.
#[must_use]
pub fn routes() -> Vec<Route<Context>> {
    ApiVersion::ALL.into_iter().flat_map(of_version).collect()
}

fn of_version(version: ApiVersion) -> Vec<Route<Context>> {
    let base = base(version, "pisp");
    let (consents, orders) = (format!("{base}/{CONSENT_PATH}"), format!("{base}/{ORDER_PATH}"));
    let (consent, order) = (format!("{consents}/{{ConsentId}}"), format!("{orders}/{{OrderId}}"));
    macro_rules! row {
        ($method:ident, $path:expr, $handler:path) => {
            signed(Method::$method, $path, version, move |context, request| async move {
                $handler(&context, &request, version).await
            })
        };
    }
    let mut rows = vec![
        row!(POST, consents, consents::create),
        row!(GET, consent.clone(), consents::read),
        row!(DELETE, consent.clone(), consents::delete),
        row!(POST, format!("{consent}/funds-confirmation"), funds::confirm),
        row!(POST, orders, orders::create),
        row!(GET, order.clone(), orders::read),
        row!(GET, format!("{order}/payment-details"), orders::details),
    ];
    // There is nothing older than the first version.
    if version > ApiVersion::ALL[0] {
        rows.push(row!(PUT, consent.clone(), migration::migrate));
        rows.push(row!(PATCH, consent, migration::migrate));
    }
    rows
}
