//! The engine: a profile, a signing key, a source of secrets and the surroundings.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jose::{Algorithm, JoseError, Jwks, Jws, KeySet, SigningKey, jwe::DecryptionKey};
use rules::{Evidence, Passed, Refusal, Rule, Verdict};

use crate::{
    Client, CommitError, ErrorCode, KeysError, Profile, RepositoryError, Surroundings, random_secret,
    unfinished::Unfinished,
};

/// Something that every rule let through.
#[derive(Debug, Clone)]
pub struct Accepted<T> {
    /// The result.
    pub value: T,
    /// The rules that were applied.
    pub passed: Passed,
}

/// Why there is no result.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A rule refused.
    Refused(Refusal<ErrorCode>),
    /// The surroundings failed; the text is for the log. On the wire: `server_error`.
    Unavailable(String),
}

impl Failure {
    /// The error for the wire.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.error,
            Self::Unavailable(_) => ErrorCode::ServerError,
        }
    }

    /// The sentence for the wire.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.rule.unmet,
            Self::Unavailable(_) => "The server could not finish the request.",
        }
    }

    /// The verdict for the journal, when a rule spoke.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Refused(refusal) => Some(refusal.verdict()),
            Self::Unavailable(_) => None,
        }
    }

    /// The refusal of a rule that was switched off and without which there is nothing to go on with.
    pub(crate) fn indispensable(rule: &'static Rule, error: ErrorCode, expected: &str) -> Self {
        Self::Refused(Refusal::new(rule, error, Evidence::missing(expected)))
    }

    /// Puts what earlier tables had let through before a refusal.
    #[must_use]
    pub fn after(self, earlier: Passed) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.after(earlier)),
            other => other,
        }
    }
}

impl From<Refusal<ErrorCode>> for Failure {
    fn from(refusal: Refusal<ErrorCode>) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<JoseError> for Failure {
    fn from(error: JoseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What an operation of the engine answers.
pub type Outcome<T> = Result<Accepted<T>, Failure>;

/// An authorization server as decisions. `B` is what surrounds it: memory, keys of others, consents.
pub struct Engine<B> {
    pub(crate) backend: B,
    pub(crate) profile: Arc<Profile>,
    pub(crate) signing: Arc<SigningKey>,
    elliptic: Option<Arc<SigningKey>>,
    /// The public halves of the keys that sign.
    pub(crate) own_keys: KeySet,
    decryption: Option<Arc<DecryptionKey>>,
    randomness: Box<dyn Fn() -> [u8; 32] + Send + Sync>,
    /// Keys of clients that were configured with them, parsed once.
    configured_keys: RwLock<HashMap<String, (Jwks, Arc<KeySet>)>>,
    pub(crate) unfinished: Unfinished,
}

impl<B: Surroundings> Engine<B> {
    /// An engine. `randomness` gives 32 bytes that nobody can guess, each time it is called.
    pub fn new(
        backend: B,
        profile: Arc<Profile>,
        signing: Arc<SigningKey>,
        randomness: impl Fn() -> [u8; 32] + Send + Sync + 'static,
    ) -> Self {
        let own_keys = KeySet::from_jwks(&Jwks { keys: vec![signing.public_jwk().clone()] });
        Self {
            backend,
            profile,
            signing,
            own_keys,
            elliptic: None,
            decryption: None,
            randomness: Box::new(randomness),
            configured_keys: RwLock::default(),
            unfinished: Unfinished::default(),
        }
    }

    /// The same engine with a key that signs for clients which registered ES256.
    #[must_use]
    pub fn with_elliptic(mut self, key: Arc<SigningKey>) -> Self {
        let both = [&self.signing, &key].map(|key| key.public_jwk().clone());
        self.own_keys = KeySet::from_jwks(&Jwks { keys: both.to_vec() });
        self.elliptic = Some(key);
        self
    }

    /// The same engine with a key that opens encrypted request objects.
    #[must_use]
    pub fn with_decryption(mut self, key: Arc<DecryptionKey>) -> Self {
        self.decryption = Some(key);
        self
    }

    /// The key for this algorithm, or the usual one.
    pub(crate) fn signing_for(&self, algorithm: Algorithm) -> &SigningKey {
        match &self.elliptic {
            Some(key) if algorithm == key.algorithm() => key,
            _ => &self.signing,
        }
    }

    /// A compact JWS, out of its encryption if it has one (RFC 7516; RFC 9101, 6.1).
    pub(crate) fn opened(&self, text: &str) -> Result<String, JoseError> {
        match &self.decryption {
            Some(key) if text.split('.').count() == 5 => {
                let inner = key.decrypt(text)?;
                String::from_utf8(inner).map_err(|_| JoseError::NotCompact("a JWE around something else".to_owned()))
            }
            _ => Ok(text.to_owned()),
        }
    }

    /// Verifies a signature under the algorithms that a rule names. Without that rule whatever the token names is believed,
    /// no signature at all too, as by servers that let tokens choose.
    pub(crate) fn verify(&self, jws: &Jws, keys: &KeySet, allowed: &[Algorithm], rule: &Rule) -> Result<(), JoseError> {
        if !self.profile.switched_off.contains(rule) {
            return jws.verify(keys, allowed);
        }
        if jws.header().alg == "none" {
            return Ok(());
        }
        jws.verify(keys, &[Algorithm::Ps256, Algorithm::Es256, Algorithm::Rs256])
    }

    /// The running profile.
    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// What surrounds the engine.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The key that signs id_tokens and responses.
    #[must_use]
    pub fn signing_key(&self) -> &Arc<SigningKey> {
        &self.signing
    }

    /// A new bearer secret.
    pub(crate) fn secret(&self) -> String {
        random_secret((self.randomness)())
    }

    /// Why the organisation of the client may not take part, if it may not.
    pub(crate) async fn suspended(&self, client: Option<&Client>) -> Result<Option<String>, RepositoryError> {
        match client {
            Some(client) => self.backend.suspended(&client.organisation_id).await,
            None => Ok(None),
        }
    }

    /// The public keys of a client: those that it was configured with, or those at its `jwks_uri`.
    ///
    /// # Errors
    /// They cannot be had.
    pub async fn keys_of(&self, client: &Client, kid: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        match &client.jwks {
            Some(jwks) => Ok(self.configured_keys(&client.client_id, jwks)),
            None => self.keys_for(&client.jwks_uri, kid).await,
        }
    }

    fn configured_keys(&self, client_id: &str, jwks: &Jwks) -> Arc<KeySet> {
        let parsed = self.configured_keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, keys)) = parsed.get(client_id)
            && known == jwks
        {
            return Arc::clone(keys);
        }
        drop(parsed);
        let keys = Arc::new(KeySet::from_jwks(jwks));
        let mut parsed = self.configured_keys.write().unwrap_or_else(PoisonError::into_inner);
        parsed.insert(client_id.to_owned(), (jwks.clone(), Arc::clone(&keys)));
        keys
    }

    pub(crate) async fn keys_for(&self, uri: &str, kid: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        self.backend.keys(uri, kid).await
    }
}
