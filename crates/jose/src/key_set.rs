//! Keys of another party, parsed once when its JWK set is read.

use josekit::jws::{ES256, JwsVerifier, PS256, RS256};

use crate::{Algorithm, JoseError, Jwk, Jwks, KeyError, base64url};

/// A key set that is ready to verify. Keys that cannot be used are left out of it, but stay in [`KeySet::jwks`].
#[derive(Debug)]
pub struct KeySet {
    jwks: Jwks,
    verifiers: Vec<Verifier>,
    skipped: Vec<(Option<String>, KeyError)>,
}

#[derive(Debug)]
struct Verifier {
    kid: Option<String>,
    algorithm: Algorithm,
    inner: Box<dyn JwsVerifier>,
}

impl KeySet {
    /// Parses the keys of a set.
    #[must_use]
    pub fn from_jwks(jwks: &Jwks) -> Self {
        let mut verifiers = Vec::new();
        let mut skipped = Vec::new();
        for jwk in &jwks.keys {
            for algorithm in [Algorithm::Ps256, Algorithm::Es256, Algorithm::Rs256] {
                if !jwk.fits(algorithm) {
                    continue;
                }
                match verifier(jwk, algorithm) {
                    Ok(inner) => verifiers.push(Verifier { kid: jwk.kid.clone(), algorithm, inner }),
                    Err(error) => skipped.push((jwk.kid.clone(), error)),
                }
            }
        }
        Self { jwks: jwks.clone(), verifiers, skipped }
    }

    /// Reads a JWK set document.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_json(json: &[u8]) -> Result<Self, KeyError> {
        let jwks: Jwks = serde_json::from_slice(json).map_err(|error| KeyError::Unreadable(error.to_string()))?;
        Ok(Self::from_jwks(&jwks))
    }

    /// The set as it was read.
    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// Whether a key of the set has this `kid`.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.jwks.keys.iter().any(|jwk| jwk.kid.as_deref() == Some(kid))
    }

    /// Keys that could not be used, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(Option<String>, KeyError)] {
        &self.skipped
    }

    /// Verifies a signature over these bytes. Without `kid` every fitting key is tried.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), JoseError> {
        if let Some(kid) = kid
            && !self.contains(kid)
        {
            return Err(JoseError::UnknownKey { kid: kid.to_owned(), known: self.kids() });
        }
        let mut fitting = self
            .verifiers
            .iter()
            .filter(|verifier| verifier.algorithm == algorithm)
            .filter(|verifier| kid.is_none_or(|kid| verifier.kid.as_deref() == Some(kid)))
            .peekable();
        if fitting.peek().is_none() {
            return Err(JoseError::NoFittingKey(algorithm.to_string()));
        }
        if fitting.any(|verifier| verifier.inner.verify(input, signature).is_ok()) {
            Ok(())
        } else {
            Err(JoseError::BadSignature)
        }
    }

    pub(crate) fn kids(&self) -> String {
        self.jwks.keys.iter().filter_map(|jwk| jwk.kid.clone()).collect::<Vec<_>>().join(", ")
    }
}

fn verifier(jwk: &Jwk, algorithm: Algorithm) -> Result<Box<dyn JwsVerifier>, KeyError> {
    let unreadable = |error: josekit::JoseError| KeyError::Unreadable(error.to_string());
    if algorithm.key_type() == "RSA" {
        let modulus = jwk.n.as_deref().and_then(base64url::decode).unwrap_or_default();
        let length = u32::try_from(modulus.iter().skip_while(|byte| **byte == 0).count() * 8).unwrap_or(u32::MAX);
        if length < 2048 {
            return Err(KeyError::TooShort(length));
        }
    }
    // josekit wants its own type; the key's use and alg were judged before.
    let bare = Jwk { use_: None, alg: None, x5c: Vec::new(), ..jwk.clone() };
    let json = serde_json::to_vec(&bare).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    let key = josekit::jwk::Jwk::from_bytes(json).map_err(unreadable)?;
    Ok(match algorithm {
        Algorithm::Ps256 => Box::new(PS256.verifier_from_jwk(&key).map_err(unreadable)?),
        Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&key).map_err(unreadable)?),
        Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(&key).map_err(unreadable)?),
    })
}
