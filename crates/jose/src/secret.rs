//! HS256 with a shared secret (RFC 7518, 3.2). FAPI forbids it; its refusal can be shown and tested with it.

use josekit::jws::{HS256, JwsSigner};

use crate::{Header, JoseError, base64url};

/// A compact JWS over these bytes, signed with HS256.
///
/// # Errors
/// The secret has fewer than 32 bytes.
pub fn sign_secret(header: &Header, payload: &[u8], secret: &[u8]) -> Result<String, JoseError> {
    let signer = HS256.signer_from_bytes(secret).map_err(|error| JoseError::Key(error.to_string()))?;
    let header = Header { alg: "HS256".to_owned(), ..header.clone() };
    let json = serde_json::to_vec(&header).map_err(|error| JoseError::Header(error.to_string()))?;
    let input = format!("{}.{}", base64url::encode(&json), base64url::encode(payload));
    let signature = signer.sign(input.as_bytes()).map_err(|error| JoseError::Key(error.to_string()))?;
    Ok(format!("{input}.{}", base64url::encode(&signature)))
}
