//! Hashes that tokens and keys are compared by.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base64url;

/// Base64url SHA-256: thumbprints (RFC 7638, RFC 8705), PKCE challenges (RFC 7636).
#[must_use]
pub fn sha256_base64url(bytes: &[u8]) -> String {
    base64url::encode(&Sha256::digest(bytes))
}

/// `c_hash`, `s_hash` and `at_hash` with a SHA-256 algorithm: the left half of the hash (OpenID Connect Core, 3.3.2.11).
#[must_use]
pub fn left_half_sha256(value: &str) -> String {
    let digest = Sha256::digest(value.as_bytes());
    base64url::encode(digest.get(..16).unwrap_or_default())
}

/// Whether two texts are the same, in a time that does not tell where they differ.
#[must_use]
pub fn constant_time_eq(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specifications() {
        // OpenID Connect Core, A.4 (c_hash) and RFC 7636, B (challenge).
        assert_eq!(
            left_half_sha256("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
            "LDktKdoQak3Pk0cnXxCltA"
        );
        assert_eq!(
            sha256_base64url(b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn comparison_finds_differences() {
        assert!(constant_time_eq("secret", "secret"));
        assert!(!constant_time_eq("secret", "secres"));
        assert!(!constant_time_eq("secret", "secre"));
    }
}
