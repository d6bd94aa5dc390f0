//! A party's own key, parsed once.

use josekit::jws::{ES256, JwsSigner, PS256, RS256};
use serde::Serialize;

use crate::{Algorithm, Header, JoseError, Jwk, KeyError, base64url, jws::unencoded_input};

/// A private key that signs.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    signer: Box<dyn JwsSigner>,
    public: Jwk,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key in a DER `PrivateKeyInfo` (PKCS#8).
    ///
    /// # Errors
    /// It is not a key for the algorithm, or an RSA key of fewer than 2048 bits.
    pub fn from_pkcs8_der(kid: &str, algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |error: josekit::JoseError| KeyError::Unreadable(error.to_string());
        let signer: Box<dyn JwsSigner> = match algorithm {
            Algorithm::Ps256 => Box::new(PS256.signer_from_der(der).map_err(unreadable)?),
            Algorithm::Rs256 => Box::new(RS256.signer_from_der(der).map_err(unreadable)?),
            Algorithm::Es256 => Box::new(ES256.signer_from_der(der).map_err(unreadable)?),
        };
        let mut public = public_jwk(algorithm, der)?;
        public.kid = Some(kid.to_owned());
        public.use_ = Some("sig".to_owned());
        public.alg = Some(algorithm.to_string());
        Ok(Self { kid: kid.to_owned(), algorithm, signer, public })
    }

    /// A new key for ES256, as PKCS#8 PEM.
    ///
    /// # Errors
    /// The library could not make one.
    pub fn generate_es256_pem() -> Result<String, KeyError> {
        let pair = ES256.generate_key_pair().map_err(|error| KeyError::Unreadable(error.to_string()))?;
        String::from_utf8(pair.to_pem_private_key()).map_err(|error| KeyError::Unreadable(error.to_string()))
    }

    /// The ES256 key in a PKCS#8 PEM. Its `kid` is its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// It is not a P-256 key.
    pub fn from_es256_pem(pem: &str) -> Result<Self, KeyError> {
        let key = openssl::pkey::PKey::private_key_from_pem(pem.as_bytes())
            .and_then(|key| key.private_key_to_pkcs8())
            .map_err(|_| KeyError::Unreadable("there is no PEM private key in it".to_owned()))?;
        let unnamed = Self::from_pkcs8_der("", Algorithm::Es256, &key)?;
        let kid = unnamed.public.thumbprint();
        Ok(unnamed.with_kid(&kid))
    }

    /// The same key under another `kid`, as a directory assigned it.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self.public.kid = Some(kid.to_owned());
        self
    }

    /// Adds the certificate of the key to its public form.
    #[must_use]
    pub fn with_certificate(mut self, x5c: Vec<String>, x5t_s256: String) -> Self {
        self.public.x5c = x5c;
        self.public.x5t_s256 = Some(x5t_s256);
        self
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, with `kid`, `use` and `alg`.
    #[must_use]
    pub fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// A compact JWS over these bytes. `alg` comes from the key, and so does `kid` unless the header has one.
    ///
    /// # Errors
    /// The key failed.
    pub fn sign(&self, header: &Header, payload: &[u8]) -> Result<String, JoseError> {
        let (protected, signature) = self.parts(header, payload)?;
        Ok(format!("{protected}.{}.{signature}", base64url::encode(payload)))
    }

    /// A compact JWS over claims.
    ///
    /// # Errors
    /// The claims cannot be written as JSON, or the key failed.
    pub fn sign_claims<C: Serialize>(&self, typ: Option<&str>, claims: &C) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
        self.sign(&Header { typ: typ.map(str::to_owned), ..Header::default() }, &payload)
    }

    /// A JWS over these bytes whose payload travels elsewhere (RFC 7515, appendix F).
    ///
    /// # Errors
    /// The key failed.
    pub fn sign_detached(&self, header: &Header, payload: &[u8]) -> Result<String, JoseError> {
        let (protected, signature) = self.parts(header, payload)?;
        Ok(format!("{protected}..{signature}"))
    }

    /// As [`Self::sign_detached`], with the payload signed as it is; the header should say so with `b64` (RFC 7797).
    ///
    /// # Errors
    /// The key failed.
    pub fn sign_detached_unencoded(&self, header: &Header, payload: &[u8]) -> Result<String, JoseError> {
        let protected = self.protected(header)?;
        let signature = self.signature(&unencoded_input(&protected, payload))?;
        Ok(format!("{protected}..{signature}"))
    }

    fn parts(&self, header: &Header, payload: &[u8]) -> Result<(String, String), JoseError> {
        let protected = self.protected(header)?;
        let signature = self.signature(format!("{protected}.{}", base64url::encode(payload)).as_bytes())?;
        Ok((protected, signature))
    }

    fn protected(&self, header: &Header) -> Result<String, JoseError> {
        let mut header = header.clone();
        header.alg = self.algorithm.to_string();
        header.kid.get_or_insert_with(|| self.kid.clone());
        let json = serde_json::to_vec(&header).map_err(|error| JoseError::Header(error.to_string()))?;
        Ok(base64url::encode(&json))
    }

    fn signature(&self, input: &[u8]) -> Result<String, JoseError> {
        let signature = self.signer.sign(input).map_err(|error| JoseError::Key(error.to_string()))?;
        Ok(base64url::encode(&signature))
    }
}

fn public_jwk(algorithm: Algorithm, der: &[u8]) -> Result<Jwk, KeyError> {
    let unreadable = |error: openssl::error::ErrorStack| KeyError::Unreadable(error.to_string());
    let key = openssl::pkey::PKey::private_key_from_der(der).map_err(unreadable)?;
    if algorithm.key_type() == "RSA" {
        return Jwk::from_rsa_public_der(&key.public_key_to_der().map_err(unreadable)?);
    }
    let pair = ES256.key_pair_from_der(der).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    let json =
        serde_json::to_vec(&pair.to_jwk_public_key()).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    let jwk: Jwk = serde_json::from_slice(&json).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    if jwk.crv.as_deref() == Some("P-256") { Ok(jwk) } else { Err(KeyError::WrongKind("ES256")) }
}
