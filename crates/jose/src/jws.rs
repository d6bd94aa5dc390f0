//! Signed tokens (RFC 7515): read first, judged then.

use josekit::jws::{HS256, JwsVerifier};
use serde::de::DeserializeOwned;

use crate::{Algorithm, Header, JoseError, KeySet, base64url};

/// Characters of the longest token that is read.
const LONGEST: usize = 64 * 1024;

/// A compact JWS that was read and not yet verified.
#[derive(Debug, Clone)]
pub struct Jws {
    header: Header,
    payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads a compact JWS.
    ///
    /// # Errors
    /// It is not one, or its header cannot be read.
    pub fn parse(compact: &str) -> Result<Self, JoseError> {
        let [protected, payload, signature] = split(compact)?;
        let decoded = part("payload", payload)?;
        Self::read(protected, decoded, format!("{protected}.{payload}"), signature)
    }

    /// Reads a JWS whose payload travelled elsewhere: `header..signature` over these exact bytes.
    ///
    /// # Errors
    /// It is not one, or carries a payload of its own.
    pub fn parse_detached(compact: &str, payload: &[u8]) -> Result<Self, JoseError> {
        let [protected, none, signature] = split(compact)?;
        if !none.is_empty() {
            return Err(JoseError::NotCompact("a payload where none belongs".to_owned()));
        }
        let input = format!("{protected}.{}", base64url::encode(payload));
        Self::read(protected, payload.to_vec(), input, signature)
    }

    fn read(protected: &str, payload: Vec<u8>, signing_input: String, signature: &str) -> Result<Self, JoseError> {
        let json = part("header", protected)?;
        let header: Header = serde_json::from_slice(&json).map_err(|error| JoseError::Header(error.to_string()))?;
        if header.alg.is_empty() {
            return Err(JoseError::Header("no alg".to_owned()));
        }
        let signature = part("signature", signature)?;
        Ok(Self { header, payload, signing_input, signature })
    }

    /// The header, which nobody vouches for yet.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, which nobody vouches for yet.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The claims, which nobody vouches for yet.
    ///
    /// # Errors
    /// The payload is not JSON of this form.
    pub fn claims<C: DeserializeOwned>(&self) -> Result<C, JoseError> {
        serde_json::from_slice(&self.payload).map_err(|error| JoseError::Claims(error.to_string()))
    }

    /// Verifies the signature. Keys come from the key set alone; what the header says about keys (`jwk`, `jku`, `x5c`,
    /// `x5u`) is not looked at. Without `kid` every fitting key is tried.
    ///
    /// # Errors
    /// The algorithm is not allowed, `crit` is there, no key fits, or the signature is wrong.
    pub fn verify(&self, keys: &KeySet, allowed: &[Algorithm]) -> Result<(), JoseError> {
        self.verify_critical(keys, allowed, &[])
    }

    /// Verifies an HS256 signature under a shared secret (RFC 7518, 3.2). A secret of fewer than 32 bytes verifies nothing.
    ///
    /// # Errors
    /// The algorithm is another one, `crit` is there, the secret is too short, or the signature is wrong.
    pub fn verify_secret(&self, secret: &[u8]) -> Result<(), JoseError> {
        const ALLOWED: &str = "HS256";
        if self.header.alg != ALLOWED {
            let found = self.header.alg.clone();
            return Err(JoseError::AlgorithmNotAllowed { allowed: ALLOWED.to_owned(), found });
        }
        self.check_critical(&[])?;
        let verifier = HS256.verifier_from_bytes(secret).map_err(|_| JoseError::NoFittingKey(ALLOWED.to_owned()))?;
        verifier.verify(self.signing_input.as_bytes(), &self.signature).map_err(|_| JoseError::BadSignature)
    }

    /// As [`Jws::verify`], where `crit` may name these members.
    ///
    /// # Errors
    /// As [`Jws::verify`]; also when `crit` is empty, or names a member that is absent or not among these.
    pub fn verify_critical(&self, keys: &KeySet, allowed: &[Algorithm], understood: &[&str]) -> Result<(), JoseError> {
        let algorithm = allowed.iter().copied().find(|algorithm| algorithm.as_str() == self.header.alg);
        let algorithm = algorithm.ok_or_else(|| JoseError::AlgorithmNotAllowed {
            allowed: allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
            found: self.header.alg.clone(),
        })?;
        self.check_critical(understood)?;
        let kid = self.header.kid.as_deref();
        keys.verify(algorithm, kid, self.signing_input.as_bytes(), &self.signature)
    }

    fn check_critical(&self, understood: &[&str]) -> Result<(), JoseError> {
        if self.header.extra.contains_key("b64") {
            return Err(JoseError::UnencodedPayload);
        }
        let Some(critical) = &self.header.crit else { return Ok(()) };
        if critical.is_empty() {
            return Err(JoseError::Critical("nothing".to_owned()));
        }
        match critical
            .iter()
            .find(|name| !understood.contains(&name.as_str()) || !self.header.extra.contains_key(name.as_str()))
        {
            Some(name) => Err(JoseError::Critical(name.clone())),
            None => Ok(()),
        }
    }
}

pub(crate) fn split(compact: &str) -> Result<[&str; 3], JoseError> {
    if compact.len() > LONGEST {
        return Err(JoseError::NotCompact(format!("{} characters", compact.len())));
    }
    let parts: Vec<&str> = compact.split('.').collect();
    <[&str; 3]>::try_from(parts).map_err(|parts| JoseError::NotCompact(format!("{} part(s)", parts.len())))
}

pub(crate) fn part(name: &str, text: &str) -> Result<Vec<u8>, JoseError> {
    base64url::decode(text).ok_or_else(|| JoseError::NotCompact(format!("a {name} that is not base64url")))
}
