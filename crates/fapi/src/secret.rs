//! Bearer secrets: made with 256 bits, remembered only as digests.

/// The key under which a secret is remembered: base64url SHA-256.
#[must_use]
pub fn digest(secret: &str) -> String {
    jose::hash::sha256_base64url(secret.as_bytes())
}

/// A code, token or handle from 32 random bytes.
#[must_use]
pub fn random_secret(bytes: [u8; 32]) -> String {
    jose::base64url::encode(&bytes)
}
