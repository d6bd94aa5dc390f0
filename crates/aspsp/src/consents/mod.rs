//! Consents: what a TPP asked for, what the PSU decided, and what became of it. The hinge between API, pages and tokens.
//!
//! One record ([`Consent`]) and one table of states ([`next`]) serve every kind; what a kind is lies in [`ConsentKind`],
//! what it asks for in [`Content`]. [`owned`] finds a consent for the client that lodged it.

pub mod account_access;
mod consent;
mod kind;
pub mod owned;
mod payment;
mod state;

pub use account_access::{AccountAccess, AccountAccessConsent};
pub use consent::{Authorisation, Consent, Content, Reason, collection};
pub use kind::{ConsentKind, Row};
pub use payment::{Offer, Payment, Upload, VariableRecurringPayments};
pub use state::{Event, TransitionError, next};
