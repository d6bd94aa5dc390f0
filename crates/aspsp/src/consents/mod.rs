//! Consents: what a TPP asked for, what the PSU decided, and what became of it. The hinge between API, pages and tokens.

pub mod account_access;
mod state;

pub use account_access::AccountAccessConsent;
pub use state::{Event, TransitionError, next};
