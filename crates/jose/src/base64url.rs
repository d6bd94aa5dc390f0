//! Base64url without padding (RFC 7515, 2), strict.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Text for bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of a text; none when it holds padding, whitespace, or characters or trailing bits that do not belong there.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
