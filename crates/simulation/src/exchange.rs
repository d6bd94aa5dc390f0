//! One exchange: who said what to whom, what came back, and which rule spoke.

use rules::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::faults::FaultMark;

/// Which end of an exchange wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The one who asked.
    Client,
    /// The one who answered.
    Server,
}

/// What the TLS handshake agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsFacts {
    /// Protocol version, for example `TLSv1.3`.
    pub version: String,
    /// Cipher suite; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cipher: String,
    /// Subject of the other end's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_subject: Option<String>,
    /// Its `x5t#S256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_thumbprint: Option<String>,
}

/// A token that travelled in an exchange: header and claims without the signature, so that it cannot be used. Secrets and
/// signatures inside the claims are removed when the journal records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DecodedToken {
    /// What it was, for example `request object`.
    pub name: String,
    /// JOSE header.
    pub header: Value,
    /// Claims.
    pub claims: Value,
}

/// A token as it travelled, without its signature. It is decoded for whoever reads the journal, not while a request waits.
#[derive(Clone)]
pub struct SeenToken {
    name: &'static str,
    /// Header and claims as they were encoded, and the two dots.
    unsigned: Box<str>,
    decode: fn(&str) -> Option<(Value, Value)>,
}

impl SeenToken {
    /// A compact JWS under this name; none for other texts. `decode` reads header and claims of a JWS whose signature is empty.
    #[must_use]
    pub fn new(name: &'static str, jws: &str, decode: fn(&str) -> Option<(Value, Value)>) -> Option<Self> {
        let (unsigned, _) = jws.rsplit_once('.').filter(|(unsigned, _)| unsigned.matches('.').count() == 1)?;
        Some(Self { name, unsigned: format!("{unsigned}.").into(), decode })
    }

    /// What the token says; none when it cannot be read.
    #[must_use]
    pub fn decoded(&self) -> Option<DecodedToken> {
        let (header, claims) = (self.decode)(&self.unsigned)?;
        Some(DecodedToken { name: self.name.to_owned(), header, claims })
    }
}

impl std::fmt::Debug for SeenToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeenToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One exchange, as one side saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exchange {
    /// Number in this party's journal; given by the journal.
    #[serde(default)]
    pub sequence: u64,
    /// When it began, by the party's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whose journal this is; given by the journal.
    #[serde(default)]
    pub party: String,
    /// Which end the party was.
    pub side: Side,
    /// The other end, by name or address.
    pub peer: String,
    /// HTTP method.
    pub method: String,
    /// URL or path, with secrets removed.
    pub url: String,
    /// HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Duration in microseconds.
    pub duration_us: u64,
    /// The journey that it belongs to (W3C Trace Context `trace-id`).
    pub trace_id: String,
    /// `x-fapi-interaction-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_id: Option<String>,
    /// What TLS agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// What the rules found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Tokens that travelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<DecodedToken>,
    /// The fault that touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultMark>,
}
