//! Signing with a secret that both ends know (RFC 7518, 3.2).

use josekit::jws::{HS256, JwsSigner};

use crate::{Header, JoseError, SHARED_SECRET_ALGORITHM, base64url};

/// A compact JWS under HS256. `alg` is set here.
///
/// # Errors
/// The secret is shorter than 32 bytes, or the header cannot be written.
pub fn sign_with_secret(header: &Header, payload: &[u8], secret: &[u8]) -> Result<String, JoseError> {
    let signer = HS256.signer_from_bytes(secret).map_err(|error| JoseError::Key(error.to_string()))?;
    let header = Header { alg: SHARED_SECRET_ALGORITHM.to_owned(), ..header.clone() };
    let json = serde_json::to_vec(&header).map_err(|error| JoseError::Header(error.to_string()))?;
    let input = format!("{}.{}", base64url::encode(&json), base64url::encode(payload));
    let signature = signer.sign(input.as_bytes()).map_err(|error| JoseError::Key(error.to_string()))?;
    Ok(format!("{input}.{}", base64url::encode(&signature)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Jws;

    #[test]
    fn what_is_signed_verifies_under_the_same_secret_only() {
        let secret = [7; 32];
        let token = sign_with_secret(&Header::typed("JWT"), b"{}", &secret).unwrap();
        let jws = Jws::parse(&token).unwrap();
        assert_eq!(jws.verify_secret(&secret), Ok(()));
        assert_eq!(jws.verify_secret(&[8; 32]), Err(JoseError::BadSignature));
        assert!(sign_with_secret(&Header::default(), b"{}", b"short").is_err());
    }
}
