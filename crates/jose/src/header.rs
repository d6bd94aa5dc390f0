//! The JOSE header (RFC 7515, 4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A header as received, or as it is to be sent (`alg` and `kid` are then filled from the key).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// `alg`.
    #[serde(default)]
    pub alg: String,
    /// `kid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `typ`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// `cty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cty: Option<String>,
    /// `crit`; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<Vec<String>>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Header {
    /// A header with this `typ`.
    #[must_use]
    pub fn typed(typ: &str) -> Self {
        Self { typ: Some(typ.to_owned()), ..Self::default() }
    }
}
