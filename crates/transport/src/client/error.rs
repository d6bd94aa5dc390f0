//! Why a call got no answer.

use std::{error::Error as StdError, io, time::Duration};

use super::resolve::UnknownHost;
use crate::TlsFault;

/// Why a call got no answer, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request cannot be written: a header with control characters, or a body that cannot be JSON.
    #[error("the request cannot be written: {0}")]
    Request(String),
    /// The address is without TLS, and the client sends nothing in the clear.
    #[error("the address of {peer} is not https, and nothing is sent in the clear")]
    InTheClear {
        /// Host and port.
        peer: String,
    },
    /// The host name has no address.
    #[error("{0}")]
    UnknownHost(String),
    /// Nobody listens at the address.
    #[error("{peer} refuses the connection: nobody listens there")]
    ConnectionRefused {
        /// Host and port.
        peer: String,
    },
    /// TLS failed at either end.
    #[error("TLS with {peer}: {fault}")]
    Tls {
        /// Host and port.
        peer: String,
        /// Which end refused what.
        fault: TlsFault,
    },
    /// No complete answer in time.
    #[error("no complete answer within {} s", after.as_secs_f32())]
    Timeout {
        /// How long the call was allowed to take.
        after: Duration,
    },
    /// The answer's body is too long.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// What is read, in bytes.
        limit: usize,
    },
    /// The answer's body is not the JSON that was expected.
    #[error("the answer with status {status} is not as expected: {cause}")]
    Json {
        /// HTTP status of the answer.
        status: u16,
        /// Where and why reading failed.
        cause: serde_json::Error,
    },
    /// The connection broke, or the other end does not speak HTTP.
    #[error("the exchange with {peer} broke: {cause}")]
    Broken {
        /// Host and port.
        peer: String,
        /// The innermost cause.
        cause: String,
    },
}

impl CallError {
    /// Tells from the causes of an error what went wrong.
    pub(super) fn of(error: &reqwest::Error, peer: &str, limit: Duration) -> Self {
        let peer = peer.to_owned();
        // The cause decides: a TLS failure while connecting is also a failed connection, and says more.
        if let Some(fault) = TlsFault::find(error) {
            return Self::Tls { peer, fault };
        }
        if let Some(unknown) = cause::<UnknownHost>(error) {
            return Self::UnknownHost(unknown.to_string());
        }
        if error.is_timeout() {
            return Self::Timeout { after: limit };
        }
        if cause::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return Self::ConnectionRefused { peer };
        }
        if error.is_builder() {
            return Self::Request(innermost(error));
        }
        Self::Broken { peer, cause: innermost(error) }
    }
}

/// Whether the connection ended before the request went out on it.
pub(super) fn never_sent(error: &reqwest::Error) -> bool {
    TlsFault::find(error).is_none()
        && cause::<hyper::Error>(error).is_some_and(|error| error.is_canceled() || error.is_closed())
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        error.source()
    })
}

fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
