//! What all Read/Write Data APIs of the bank share: paths, headers and tokens ([`request`]), and refusals ([`refusal`]).

pub mod allowance;
mod counted;
pub mod deviating;
mod ended;
pub mod idempotency;
mod progress;
mod refusal;
mod request;

use openbanking::version::ApiVersion;

pub use counted::counted;
pub use progress::Progress;
pub mod signature;
pub use refusal::{ApiError, Refused, Wire, apply, problem};
pub use request::{JSON, RULES, accepts, admit, admit_any, admit_to};

/// Path under which a version of a resource group (`aisp`, `pisp`, `cbpii`) lives.
#[must_use]
pub fn base(version: ApiVersion, group: &str) -> String {
    format!("/open-banking/{version}/{group}")
}

/// The version that a path names.
#[must_use]
pub fn version_of(path: &str) -> Option<ApiVersion> {
    path.strip_prefix("/open-banking/")?.split('/').next()?.parse().ok()
}
