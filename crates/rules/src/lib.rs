//! Named rules: every check has an id, a reason, a clause, and says what it expected and what it found.
//!
//! HTTP turns a request into *facts*; a table of [`Check`]s turns facts into a [`Verdict`]. The wire gets the one error
//! that the specification wants; the journal, the logs and the reports get the verdict.
//!
//! ```
//! use rules::{Check, Evidence, SwitchedOff, catalogue, judge};
//!
//! catalogue! {
//!     /// The rules of this endpoint.
//!     pub RULES;
//!     GREETING_IS_POLITE { id: "demo.greeting.polite", reason: "A greeting says hello.", clause: "House rules, 1" }
//! }
//! const CHECKS: &[Check<str, u16>] =
//!     &[Check { rule: &GREETING_IS_POLITE, error: 400, test: |text| match text.starts_with("hello") {
//!         true => Ok(()),
//!         false => Err(Evidence::new("a greeting that starts with hello", text)),
//!     } }];
//!
//! assert!(judge("hello, bank", CHECKS, &SwitchedOff::default()).is_ok());
//! let refusal = judge("oi", CHECKS, &SwitchedOff::default()).unwrap_err();
//! assert_eq!((refusal.error, refusal.rule.id), (400, "demo.greeting.polite"));
//! ```

mod check;
mod verdict;

pub use check::{Check, Joined, Passed, Refusal, SwitchedOff, holds, joined, judge};
pub use verdict::{Evidence, Outcome, RefusedBy, Verdict};

/// A check with a name. Rules are compared by their identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Dotted identifier, unique in the product: `area.subject.what`, for example `fapi.request-object.aud`.
    pub id: &'static str,
    /// One sentence that says what the rule demands.
    pub reason: &'static str,
    /// The same as a refusal says it, so that nobody takes the demand for what was found.
    pub unmet: &'static str,
    /// Where the demand comes from, for example `FAPI 1.0 Part 2, 5.2.2-15`.
    pub clause: &'static str,
}

/// Declares rules as public statics and one list of them all, so that a rule cannot be missing from the catalogue.
#[macro_export]
macro_rules! catalogue {
    ($(#[$doc:meta])* $vis:vis $all:ident; $($name:ident { id: $id:expr, reason: $reason:expr, clause: $clause:expr $(,)? })+) => {
        $(
            #[doc = $reason]
            #[doc = ""]
            #[doc = $clause]
            $vis static $name: $crate::Rule = $crate::Rule {
                id: $id,
                reason: $reason,
                unmet: ::core::concat!("Not met: ", $reason),
                clause: $clause,
            };
        )+
        $(#[$doc])*
        $vis static $all: &[&$crate::Rule] = &[$(&$name),+];
    };
}
