//! The bank's authorization server on the FAPI engine: what HTTP and the customer's browser add to it.

mod auto_approval;
mod direct;
pub mod discovery;
pub mod endpoint;
pub mod interaction;
pub mod login_page;
pub mod pushed;
pub mod registration;
pub mod session;
pub mod terms;
pub mod token;
pub mod tokens;
mod views;
mod wording;

pub use views::{ClusterView, clusters};
