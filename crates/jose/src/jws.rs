//! Signed tokens (RFC 7515): read first, judged then.

use josekit::jws::{HS256, JwsVerifier};
use serde::de::DeserializeOwned;

use crate::{Algorithm, Header, JoseError, KeySet, base64url};

/// The algorithm of signatures under a shared secret (RFC 7518, 3.2), which only [`Jws::verify_secret`] takes.
pub const SHARED_SECRET_ALGORITHM: &str = "HS256";

/// Characters of the longest token that is read.
pub(crate) const LONGEST: usize = 64 * 1024;

/// A compact JWS that was read and not yet verified.
#[derive(Debug, Clone)]
pub struct Jws {
    header: Header,
    payload: Vec<u8>,
    signing_input: Vec<u8>,
    signature: Vec<u8>,
    /// Whether the payload was signed as it is (RFC 7797).
    unencoded: bool,
}

impl Jws {
    /// Reads a compact JWS.
    ///
    /// # Errors
    /// It is not one, or its header cannot be read.
    pub fn parse(compact: &str) -> Result<Self, JoseError> {
        let [protected, payload, signature] = split(compact)?;
        let decoded = part("payload", payload)?;
        Self::read(protected, decoded, format!("{protected}.{payload}").into_bytes(), signature, false)
    }

    /// Reads a JWS whose payload travelled elsewhere: `header..signature` over these exact bytes.
    ///
    /// # Errors
    /// It is not one, or carries a payload of its own.
    pub fn parse_detached(compact: &str, payload: &[u8]) -> Result<Self, JoseError> {
        let [protected, signature] = split_detached(compact)?;
        let input = format!("{protected}.{}", base64url::encode(payload));
        Self::read(protected, payload.to_vec(), input.into_bytes(), signature, false)
    }

    /// As [`Jws::parse_detached`], where the payload was signed as it is and the header says so with `b64` (RFC 7797).
    ///
    /// # Errors
    /// As [`Jws::parse_detached`].
    pub fn parse_detached_unencoded(compact: &str, payload: &[u8]) -> Result<Self, JoseError> {
        let [protected, signature] = split_detached(compact)?;
        Self::read(protected, payload.to_vec(), unencoded_input(protected, payload), signature, true)
    }

    fn read(
        protected: &str,
        payload: Vec<u8>,
        signing_input: Vec<u8>,
        signature: &str,
        unencoded: bool,
    ) -> Result<Self, JoseError> {
        let json = part("header", protected)?;
        let header: Header = serde_json::from_slice(&json).map_err(|error| JoseError::Header(error.to_string()))?;
        if header.alg.is_empty() {
            return Err(JoseError::Header("no alg".to_owned()));
        }
        let signature = part("signature", signature)?;
        Ok(Self { header, payload, signing_input, signature, unencoded })
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
        if self.header.alg != SHARED_SECRET_ALGORITHM {
            let found = self.header.alg.clone();
            return Err(JoseError::AlgorithmNotAllowed { allowed: SHARED_SECRET_ALGORITHM.to_owned(), found });
        }
        self.check_critical(&[])?;
        let verifier = HS256.verifier_from_bytes(secret).map_err(|_| JoseError::NoFittingKey {
            algorithm: SHARED_SECRET_ALGORITHM.to_owned(),
            unusable: "a secret of fewer than 32 bytes".to_owned(),
        })?;
        verifier.verify(&self.signing_input, &self.signature).map_err(|_| JoseError::BadSignature)
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
        if let Some(kid) = kid
            && !keys.contains(kid)
        {
            return Err(JoseError::UnknownKey { kid: kid.to_owned(), known: keys.kids() });
        }
        let mut fitting = keys
            .verifiers()
            .iter()
            .filter(|verifier| verifier.algorithm == algorithm)
            .filter(|verifier| kid.is_none_or(|kid| verifier.kid.as_deref() == Some(kid)))
            .peekable();
        if fitting.peek().is_none() {
            return Err(JoseError::NoFittingKey { algorithm: algorithm.to_string(), unusable: keys.told_skipped() });
        }
        let input = &self.signing_input;
        if fitting.any(|verifier| verifier.inner.verify(input, &self.signature).is_ok()) {
            Ok(())
        } else {
            Err(JoseError::BadSignature)
        }
    }

    fn check_critical(&self, understood: &[&str]) -> Result<(), JoseError> {
        let says_unencoded = self.header.extra.get("b64").is_some_and(|b64| b64 == false);
        if self.header.extra.contains_key("b64") && !(self.unencoded && says_unencoded) {
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

/// Header and signature of a JWS without a payload of its own.
fn split_detached(compact: &str) -> Result<[&str; 2], JoseError> {
    let [protected, none, signature] = split(compact)?;
    if !none.is_empty() {
        return Err(JoseError::NotCompact("a payload where none belongs".to_owned()));
    }
    Ok([protected, signature])
}

/// What is signed when the payload is not encoded (RFC 7797, 3).
pub(crate) fn unencoded_input(protected: &str, payload: &[u8]) -> Vec<u8> {
    [protected.as_bytes(), b".", payload].concat()
}

fn split(compact: &str) -> Result<[&str; 3], JoseError> {
    if compact.len() > LONGEST {
        return Err(JoseError::NotCompact(format!("{} characters", compact.len())));
    }
    let parts: Vec<&str> = compact.split('.').collect();
    <[&str; 3]>::try_from(parts).map_err(|parts| JoseError::NotCompact(format!("{} part(s)", parts.len())))
}

fn part(name: &str, text: &str) -> Result<Vec<u8>, JoseError> {
    base64url::decode(text).ok_or_else(|| JoseError::NotCompact(format!("a {name} that is not base64url")))
}
