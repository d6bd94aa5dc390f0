//! Encrypted tokens (RFC 7516) with RSA-OAEP-256 and A256GCM, and nothing else.

use josekit::jwe::{JweDecrypter, JweEncrypter, JweHeader, RSA_OAEP_256};

use crate::{JoseError, Jwk, Jwks, KeyError, base64url, jws::LONGEST};

/// The one `alg`.
pub const ALG: &str = "RSA-OAEP-256";
/// The one `enc`.
pub const ENC: &str = "A256GCM";

/// A private key that opens what was encrypted for a party.
pub struct DecryptionKey {
    decrypter: Box<dyn JweDecrypter>,
    public: Jwk,
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// The RSA key in a DER `PrivateKeyInfo` (PKCS#8).
    ///
    /// # Errors
    /// It is not an RSA key of 2048 bits or more.
    pub fn from_pkcs8_der(kid: &str, der: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |error: openssl::error::ErrorStack| KeyError::Unreadable(error.to_string());
        let key = openssl::pkey::PKey::private_key_from_der(der).map_err(unreadable)?;
        let mut public = Jwk::from_rsa_public_der(&key.public_key_to_der().map_err(unreadable)?)?;
        public.kid = Some(kid.to_owned());
        public.use_ = Some("enc".to_owned());
        public.alg = Some(ALG.to_owned());
        let decrypter =
            RSA_OAEP_256.decrypter_from_der(der).map_err(|error| KeyError::Unreadable(error.to_string()))?;
        Ok(Self { decrypter: Box::new(decrypter), public })
    }

    /// The public half, with `use` `enc`.
    #[must_use]
    pub fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// Opens a compact JWE. One whose content was compressed is not opened: a short text can become one that fills the
    /// memory (RFC 8725, 3.6; RFC 7516, 11.3).
    ///
    /// # Errors
    /// It is not one or is too long, is compressed, has `crit`, uses other algorithms, or was made for another key.
    pub fn decrypt(&self, compact: &str) -> Result<Vec<u8>, JoseError> {
        if compact.len() > LONGEST {
            return Err(JoseError::NotCompact(format!("{} characters", compact.len())));
        }
        let header = compact.split('.').next().unwrap_or_default();
        if compact.split('.').count() != 5 {
            return Err(JoseError::NotCompact(format!("{} part(s)", compact.split('.').count())));
        }
        let json = base64url::decode(header).ok_or_else(|| JoseError::NotCompact("a bad header".to_owned()))?;
        let header: crate::Header =
            serde_json::from_slice(&json).map_err(|error| JoseError::Header(error.to_string()))?;
        let enc = header.extra.get("enc").and_then(serde_json::Value::as_str).unwrap_or("nothing");
        if header.alg != ALG || enc != ENC {
            return Err(JoseError::AlgorithmNotAllowed {
                allowed: format!("{ALG} with {ENC}"),
                found: format!("{} with {enc}", header.alg),
            });
        }
        if header.extra.contains_key("zip") {
            return Err(JoseError::Compressed);
        }
        if let Some(critical) = header.crit {
            return Err(JoseError::Critical(critical.into_iter().next().unwrap_or_else(|| "nothing".to_owned())));
        }
        let (payload, _) = josekit::jwe::deserialize_compact(compact, &*self.decrypter)
            .map_err(|_| JoseError::Decryption("another key's, or altered".to_owned()))?;
        Ok(payload)
    }
}

/// A public key to encrypt for, ready to work.
pub struct EncryptionKey {
    kid: Option<String>,
    encrypter: Box<dyn JweEncrypter>,
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl EncryptionKey {
    /// Reads a key.
    ///
    /// # Errors
    /// It is not an RSA key of 2048 bits or more.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let unreadable = |error: josekit::JoseError| KeyError::Unreadable(error.to_string());
        if jwk.kty != "RSA" {
            return Err(KeyError::WrongKind("RSA"));
        }
        jwk.long_enough()?;
        let bare = Jwk { use_: None, alg: None, x5c: Vec::new(), ..jwk.clone() };
        let json = serde_json::to_vec(&bare).map_err(|error| KeyError::Unreadable(error.to_string()))?;
        let key = josekit::jwk::Jwk::from_bytes(json).map_err(unreadable)?;
        let encrypter = RSA_OAEP_256.encrypter_from_jwk(&key).map_err(unreadable)?;
        Ok(Self { kid: jwk.kid.clone(), encrypter: Box::new(encrypter) })
    }

    /// The key of a set to encrypt for: one for encryption, otherwise one for anything.
    pub(crate) fn of(jwks: &Jwks) -> Option<Self> {
        [Some("enc"), None].into_iter().find_map(|use_| {
            let fitting = jwks.keys.iter().filter(|jwk| {
                jwk.kty == "RSA" && jwk.use_.as_deref() == use_ && jwk.alg.as_deref().is_none_or(|alg| alg == ALG)
            });
            fitting.filter_map(|jwk| Self::from_jwk(jwk).ok()).next()
        })
    }

    /// Encrypts bytes for the holder of the key.
    ///
    /// # Errors
    /// The key could not do its work.
    pub fn encrypt(&self, payload: &[u8], cty: Option<&str>) -> Result<String, JoseError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(ENC);
        if let Some(kid) = &self.kid {
            header.set_key_id(kid);
        }
        if let Some(cty) = cty {
            header.set_content_type(cty);
        }
        josekit::jwe::serialize_compact(payload, &header, &*self.encrypter)
            .map_err(|error| JoseError::Key(error.to_string()))
    }
}
