//! Certificates: their kinds and their records.

use crate::dates;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use time::OffsetDateTime;

/// Kinds of certificates (`CertificateTypeSchema`, less the eIDAS ones), and our own for servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateKind {
    /// Organisation's, for TLS.
    Obwac,
    /// Organisation's, for signatures.
    Obseal,
    /// Software's, for TLS (legacy).
    Obtransport,
    /// Software's, for signatures (legacy).
    Obsigning,
    /// For the participant's TLS listeners; our own.
    Server,
}

impl CertificateKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Obwac, Self::Obseal, Self::Obtransport, Self::Obsigning, Self::Server];

    /// The name in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Obwac => "obwac",
            Self::Obseal => "obseal",
            Self::Obtransport => "obtransport",
            Self::Obsigning => "obsigning",
            Self::Server => "server",
        }
    }

    /// `use` of its key in a JWKS: `tls` or `sig`. Server certificates are in none.
    pub fn key_use(self) -> Option<&'static str> {
        match self {
            Self::Obwac | Self::Obtransport => Some("tls"),
            Self::Obseal | Self::Obsigning => Some("sig"),
            Self::Server => None,
        }
    }
}

impl fmt::Display for CertificateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No such kind of certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected obwac, obseal, obtransport, obsigning or server, found {0:?}")]
pub struct UnknownKind(pub String);

impl FromStr for CertificateKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A certificate with its key as a JWK, the answer to an upload (`CertificateOrKeyGetSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRecord {
    /// Names key and certificate.
    pub kid: String,
    /// Kind of certificate.
    #[serde(rename = "keyType")]
    pub kind: CertificateKind,
    /// Whose it is.
    #[serde(rename = "obOrganisationId")]
    pub organisation_id: String,
    /// Software statements that it is linked to.
    #[serde(rename = "Associations", default)]
    pub associations: Vec<String>,
    /// `Active`, `Revoked`.
    pub status: String,
    /// When it ends.
    #[serde(
        rename = "expiryDateTime",
        default,
        with = "dates::serde_form::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<OffsetDateTime>,
    /// `RSA`.
    pub kty: String,
    /// `tls` or `sig`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// Modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Certificate and its chain, base64 DER, leaf first.
    pub x5c: Vec<String>,
    /// Base64url SHA-1 of the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    /// Base64url SHA-256 of the leaf.
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
    /// Where the certificate is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5u: Option<String>,
}

/// A list of them (`CertificatesOrKeysGetSchema`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRecords {
    /// The certificates.
    pub keys: Vec<CertificateRecord>,
}

/// Body that links a certificate to a software statement, or takes the link away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateAssociation {
    /// True: link.
    pub associate: bool,
}
