//! The client side of the Directory, as every participant needs it: enrolment, certificates, and later its API.

mod client;
mod enrolment;
mod reach;

pub use client::DirectoryClient;
pub use enrolment::{Membership, enrol, make_keys, psp_role};
pub use reach::{DirectoryAddress, find_directory};

use transport::{Answer, CallError};

use crate::DataError;

/// What the participant asked of the Directory did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ParticipantError {
    /// The Directory or the trust anchor did not appear in time.
    #[error("the Directory at {url} cannot be reached: {why}")]
    Unreachable {
        /// Its URL.
        url: String,
        /// What was missing.
        why: String,
    },
    /// It was asked to stop while it waited for the Directory.
    #[error("it was stopped while it waited for the Directory")]
    Stopped,
    /// A call got no answer.
    #[error("the Directory did not answer: {0}")]
    Call(#[from] CallError),
    /// The Directory refused.
    #[error("the Directory refused {what}: {status} {detail}")]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The Directory's answer cannot be used.
    #[error("the Directory's answer to {what} cannot be used: {why}")]
    Unusable {
        /// What was asked.
        what: String,
        /// Why.
        why: String,
    },
    /// A file of the data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A key or certificate could not be made.
    #[error(transparent)]
    Pki(#[from] pki::PkiError),
    /// A key cannot sign.
    #[error(transparent)]
    Key(#[from] jose::KeyError),
    /// Something could not be signed.
    #[error(transparent)]
    Jose(#[from] jose::JoseError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] transport::TlsError),
}

/// The answer, when it is a success.
fn succeeded(what: &str, answer: Answer) -> Result<Answer, ParticipantError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let mut detail: String = String::from_utf8_lossy(&answer.body).chars().take(500).collect();
    if let Some(apart) = answer.clocks_apart() {
        detail.push_str(&format!(" ({apart}; ob-sandbox advance moves all together)"));
    }
    Err(ParticipantError::Refused { what: what.to_owned(), status: answer.status.as_u16(), detail })
}

fn unusable(what: &str, why: impl std::fmt::Display) -> ParticipantError {
    ParticipantError::Unusable { what: what.to_owned(), why: why.to_string() }
}
