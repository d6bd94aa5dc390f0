//! The PSU's access dashboard (OB Customer Experience Guidelines, Access dashboards): which TPPs have access to what and
//! until when, to stop it and to give it again; what became of payments; and payments that wait for a second signatory.
//!
//! - [`session`]: who is logged in, in which browser
//! - [`entry`]: login, one-time password, log out
//! - [`connections`]: consents of the customer
//! - [`payments`]: orders of the customer
//! - [`uses`]: what TPPs did with consents

mod connections;
mod entry;
mod payments;
mod refusal;
pub mod session;
pub mod uses;

use http::Method;
use transport::{Route, route};

use crate::Context;

pub(crate) use connections::remember;
pub(crate) use entry::{LoggedIn, checked, checked_for};
pub(crate) use refusal::Refusal;
pub(crate) use session::form_token;

/// Where the dashboard is.
pub const PATH: &str = "/connections";

/// The pages.
pub(crate) fn routes() -> Vec<Route<Context>> {
    vec![
        route(Method::GET, PATH, entry::show),
        route(Method::POST, PATH, entry::act),
        route(Method::GET, "/connections/{ConsentId}", connections::show),
        route(Method::POST, "/connections/{ConsentId}", connections::act),
        route(Method::POST, "/connections/payments/{OrderId}", payments::act),
    ]
}
