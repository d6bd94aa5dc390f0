//! How it is bent: time, chance and faults as inputs, and the journal of everything that was said.
//!
//! Only this crate asks the machine for the time or for random bytes; everything else is handed a [`Clock`] and a
//! [`Chance`], so that time can be moved and runs can be repeated.

mod chance;
mod clock;
mod exchange;
pub mod faults;
mod journal;
mod lines;
mod redact;
mod totals;
mod trace;

pub use chance::Chance;
pub use clock::{Clock, ClockError};
pub use exchange::{DecodedToken, Exchange, SeenToken, Side, TlsFacts};
pub use faults::Faults;
pub use journal::{Filter, Journal};
pub use redact::{redact_body, redact_query};
pub use totals::{Outcome, Total, Totals};
pub use trace::Trace;
