//! Public keys on the wire (RFC 7517), and their thumbprints (RFC 7638).

use base64::{Engine, engine::general_purpose::STANDARD};
use openssl::bn::{BigNum, BigNumRef};
use serde::{Deserialize, Serialize};

use crate::{Algorithm, KeyError, base64url, hash::sha256_base64url};

/// A public key. Private members that somebody sends are dropped when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `RSA` or `EC`.
    pub kty: String,
    /// Key id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `sig`, `enc` or (in Open Banking key stores) `tls`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// The algorithm that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Certificate chain, the leaf first, base64 DER.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x5c: Vec<String>,
    /// SHA-256 thumbprint of the certificate.
    #[serde(default, rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
    /// Where the certificate is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5u: Option<String>,
}

/// A set of public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// `x5t#S256` of the certificates of the keys (RFC 7515, 4.1.8), from `x5c`.
    #[must_use]
    pub fn certificate_thumbprints(&self) -> Vec<String> {
        let leaves = self.keys.iter().filter_map(|jwk| jwk.x5c.first());
        leaves.filter_map(|leaf| STANDARD.decode(leaf).ok()).map(|der| sha256_base64url(&der)).collect()
    }
}

impl Jwk {
    /// An RSA key from its DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// It is not an RSA key, or has fewer than 2048 bits.
    pub fn from_rsa_public_der(der: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |error: openssl::error::ErrorStack| KeyError::Unreadable(error.to_string());
        let key = openssl::pkey::PKey::public_key_from_der(der).map_err(unreadable)?;
        let rsa = key.rsa().map_err(|_| KeyError::WrongKind("RSA"))?;
        enough(rsa.n())?;
        Ok(Self {
            kty: "RSA".to_owned(),
            n: Some(base64url::encode(&rsa.n().to_vec())),
            e: Some(base64url::encode(&rsa.e().to_vec())),
            ..Self::default()
        })
    }

    /// RFC 7638 thumbprint: SHA-256 over the required members in lexicographic order.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let member = |value: &Option<String>| value.clone().unwrap_or_default();
        let canonical = match self.kty.as_str() {
            "EC" => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                member(&self.crv),
                member(&self.x),
                member(&self.y)
            ),
            _ => format!(r#"{{"e":"{}","kty":"{}","n":"{}"}}"#, member(&self.e), self.kty, member(&self.n)),
        };
        sha256_base64url(canonical.as_bytes())
    }

    /// Whether an RSA key has the length that every one needs.
    pub(crate) fn long_enough(&self) -> Result<(), KeyError> {
        let modulus = self.n.as_deref().and_then(base64url::decode).unwrap_or_default();
        let modulus = BigNum::from_slice(&modulus).map_err(|error| KeyError::Unreadable(error.to_string()))?;
        enough(&modulus)
    }

    /// Whether the key may verify signatures of this algorithm.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.kty == algorithm.key_type()
            && self.use_.as_deref().is_none_or(|use_| use_ == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == algorithm.as_str())
    }
}

/// Bits, not bytes, are what counts (FAPI 1.0 Part 1, 5.2.2-5).
fn enough(modulus: &BigNumRef) -> Result<(), KeyError> {
    let bits = u32::try_from(modulus.num_bits()).unwrap_or_default();
    if bits < 2048 { Err(KeyError::TooShort(bits)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let jwk: Jwk = serde_json::from_str(concat!(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK"#,
            r#"RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"#,
            r#"zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU"#,
            r#"8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
        ))
        .unwrap();
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn private_members_are_dropped() {
        let jwk: Jwk = serde_json::from_str(r#"{"kty":"RSA","n":"AQ","e":"AQAB","d":"secret","p":"secret"}"#).unwrap();
        assert!(!serde_json::to_string(&jwk).unwrap().contains("secret"));
    }
}
