//! Keys of another party, parsed once when its JWK set is read.

use std::sync::OnceLock;

use josekit::jws::{ES256, JwsVerifier, PS256, RS256};

use crate::{Algorithm, Jwk, Jwks, KeyError, jwe::EncryptionKey};

/// A key set that is ready to verify. Keys that cannot be used are left out of it, but stay in [`KeySet::jwks`].
#[derive(Debug)]
pub struct KeySet {
    jwks: Jwks,
    verifiers: Vec<Verifier>,
    skipped: Vec<(Option<String>, KeyError)>,
    /// Made when it is first asked for: hardly any set is encrypted for.
    encryption: OnceLock<Option<EncryptionKey>>,
}

#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) inner: Box<dyn JwsVerifier>,
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
        Self { jwks: jwks.clone(), verifiers, skipped, encryption: OnceLock::new() }
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

    /// The key to encrypt for: an RSA key for encryption, otherwise one for anything; none when there is none that works.
    #[must_use]
    pub fn encryption_key(&self) -> Option<&EncryptionKey> {
        self.encryption.get_or_init(|| EncryptionKey::of(&self.jwks)).as_ref()
    }

    /// Keys that could not be used, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(Option<String>, KeyError)] {
        &self.skipped
    }

    pub(crate) fn verifiers(&self) -> &[Verifier] {
        &self.verifiers
    }

    /// Keys that could not be used, for evidence; empty when there are none.
    pub(crate) fn told_skipped(&self) -> String {
        let told = self.skipped.iter().map(|(kid, error)| format!("{}: {error}", kid.as_deref().unwrap_or("no kid")));
        let mut told: Vec<String> = told.collect();
        // A key without alg is tried for several.
        told.dedup();
        told.join("; ")
    }

    /// The names of all keys, for evidence.
    #[must_use]
    pub fn kids(&self) -> String {
        self.jwks.keys.iter().filter_map(|jwk| jwk.kid.clone()).collect::<Vec<_>>().join(", ")
    }
}

fn verifier(jwk: &Jwk, algorithm: Algorithm) -> Result<Box<dyn JwsVerifier>, KeyError> {
    let unreadable = |error: josekit::JoseError| KeyError::Unreadable(error.to_string());
    if algorithm.key_type() == "RSA" {
        jwk.long_enough()?;
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
