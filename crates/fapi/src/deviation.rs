//! A server that misbehaves on purpose, so that clients can show that they notice.
//!
//! Off unless a party was started for it: only [`Deviations::armed`] can be changed. A server that was not looks at one
//! option and goes on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jose::{Header, JoseError, SigningKey, base64url, hash::left_half_sha256, sign_with_secret};
use openbanking::discovery::ProviderMetadata;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An issuer that is somebody else's.
const FOREIGN_ISSUER: &str = "https://another-bank.example";

/// Declares the deviations with their names on the wire and what each one does.
macro_rules! deviations {
    ($($name:ident $wire:literal $what:literal)+) => {
        /// One way to misbehave.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Deviation {
            $(
                #[doc = $what]
                #[serde(rename = $wire)]
                $name,
            )+
        }

        impl Deviation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name at the control port.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $wire,)+
                }
            }

            /// What the server does.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)+
                }
            }
        }
    };
}

deviations! {
    WrongNonce "wrong-nonce" "The nonce of id_tokens is another one."
    MissingNonce "missing-nonce" "id_tokens have no nonce."
    WrongSHash "wrong-s-hash" "The s_hash is that of another state."
    WrongCHash "wrong-c-hash" "The c_hash is no hash of any code."
    OtherCHash "c-hash-of-another-code" "The c_hash is that of the code of the answer before, or of a code that nobody has."
    WrongAtHash "wrong-at-hash" "The at_hash is that of another access token."
    WrongIss "wrong-iss" "The issuer of id_tokens is another bank's."
    WrongIssParameter "wrong-iss-parameter" "The iss parameter of authorization responses is another bank's."
    WrongAud "wrong-aud" "The audience of id_tokens is another client."
    WrongSub "wrong-sub" "The id_token of the token endpoint names another customer than the first one."
    AlgNone "alg-none" "id_tokens are not signed: alg none."
    AlgHs256 "alg-hs256" "id_tokens are signed with HS256, the secret being the bank's public key."
    AlgRs256 "alg-rs256" "id_tokens are signed with the bank's key, but RS256."
    UnknownKid "unknown-kid" "The kid of id_tokens is not in the bank's key set."
    OtherKey "other-key" "id_tokens are signed with a key that is not the bank's, under the kid of one that is."
    Expired "expired" "id_tokens have expired when they are issued."
    WrongIntentId "wrong-intent-id" "The openbanking_intent_id is another one."
    WrongAcr "wrong-acr" "The acr is one that nobody asked for."
    ReplayedIdToken "replayed-id-token" "The id_token of the answer before comes again; an endpoint's first answer is right."
    SwappedState "swapped-state" "Authorization responses have the state of the answer before, or one that nobody has."
    PlainResponse "response-not-signed" "Answers that were asked for as a signed JWT (JARM) come as plain parameters."
    ResponseIss "response-wrong-iss" "The issuer of signed answers (JARM) is another bank's."
    ResponseAud "response-wrong-aud" "The audience of signed answers (JARM) is another client."
    ResponseExpired "response-expired" "Signed answers (JARM) have expired when they are issued."
    ResponseAlgNone "response-alg-none" "Signed answers (JARM) are not signed: alg none."
    ResponseOtherKey "response-other-key" "Signed answers (JARM) are signed with a key that is not the bank's, under the kid of one that is."
    TokenType "token-type-not-bearer" "The token_type of the token endpoint is MAC."
    TokenWithoutEnd "token-without-end" "The expires_in of the token endpoint is longer than any calendar."
    TokenEnded "token-ended" "The expires_in of the token endpoint is below zero."
    WiderScope "wider-scope" "Tokens are for a scope more than was asked for."
    ForeignDiscoveryIssuer "foreign-discovery-issuer" "The discovery document names another bank's issuer."
    PlainTokenEndpoint "plain-token-endpoint" "The token_endpoint of the discovery document is an http address."
    WrongMessageSignature "wrong-message-signature" "The x-jws-signature of responses is not valid."
    OtherResource "other-resource" "Requests for one account are answered with another account of the same customer."
    AnswersAsHtml "answers-as-html" "Answers of the API say that they are HTML."
    ForeignSelfLink "foreign-self-link" "Links.Self of answers of the API leads to another bank."
    NoIdentifier "no-identifier" "Answers of the API do not name the account, consent or payment that they are about."
    OtherPayment "other-payment" "Payments are answered with the identifier of another payment."
    OtherConsent "other-consent" "Payments are answered with the identifier of another consent than the one that they were ordered under."
    OtherAmount "other-amount" "Payments and their consents are answered with another amount than the one that was asked for."
    MorePermissions "more-permissions" "Consents for account information are answered with a permission that nobody asked for."
}

/// What a misbehaving server needs beside its own key.
pub struct Rogue {
    /// Signs for PS256 under the kid of the server's key, and is another one.
    pub other: SigningKey,
    /// The server's key for RS256.
    pub rs256: SigningKey,
}

/// Where an id_token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    Authorization,
    Token,
}

/// The deviations of a server. Clones share them.
#[derive(Clone, Default)]
pub struct Deviations(Option<Arc<Inner>>);

struct Inner {
    rogue: Rogue,
    /// One bit for each deviation that is on.
    on: AtomicU64,
    before: Mutex<Before>,
}

/// What was answered before.
#[derive(Default)]
struct Before {
    id_tokens: BTreeMap<Endpoint, String>,
    c_hash: Option<String>,
    state: Option<String>,
}

impl std::fmt::Debug for Deviations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Deviations {
    /// Deviations that can be switched on; none is.
    #[must_use]
    pub fn armed(rogue: Rogue) -> Self {
        Self(Some(Arc::new(Inner { rogue, on: AtomicU64::new(0), before: Mutex::default() })))
    }

    /// Whether they can be switched on.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.0.is_some()
    }

    /// Switches these on and all others off. Without effect unless armed.
    pub fn set(&self, wanted: impl IntoIterator<Item = Deviation>) {
        if let Some(inner) = &self.0 {
            let bits = wanted.into_iter().fold(0, |bits, one| bits | bit(one));
            inner.on.store(bits, Ordering::Release);
        }
    }

    /// Those that are on.
    #[must_use]
    pub fn list(&self) -> Vec<Deviation> {
        Deviation::ALL.iter().copied().filter(|one| self.has(*one)).collect()
    }

    /// Whether this one is on.
    #[must_use]
    pub fn has(&self, deviation: Deviation) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.has(deviation))
    }

    /// The detached signature of a message as it is sent; `right` is the valid one.
    #[must_use]
    pub fn message_signature(&self, right: String) -> String {
        if !self.has(Deviation::WrongMessageSignature) {
            return right;
        }
        // The signature of something else: right in its form, and not valid. The last letter of base64url has bits that
        // must be zero, and stays.
        let Some((header, signature)) = right.rsplit_once('.') else { return right };
        let mut turned: Vec<char> = signature.chars().collect();
        if let Some((_, letters)) = turned.split_last_mut() {
            letters.reverse();
        }
        format!("{header}.{}", turned.into_iter().collect::<String>())
    }

    /// Does to a discovery document what the server does wrong there; whether it did anything.
    pub fn discovery(&self, document: &mut ProviderMetadata) -> bool {
        let plain = |address: &mut String| *address = address.replacen("https://", "http://", 1);
        if self.has(Deviation::ForeignDiscoveryIssuer) {
            FOREIGN_ISSUER.clone_into(&mut document.issuer);
        }
        if self.has(Deviation::PlainTokenEndpoint) {
            let alias = document.mtls_endpoint_aliases.as_mut().and_then(|aliases| aliases.token_endpoint.as_mut());
            alias.into_iter().chain(document.token_endpoint.as_mut()).for_each(plain);
        }
        [Deviation::ForeignDiscoveryIssuer, Deviation::PlainTokenEndpoint].into_iter().any(|one| self.has(one))
    }

    /// `token_type` of the token endpoint.
    pub(crate) fn token_type(&self) -> &'static str {
        if self.has(Deviation::TokenType) { "MAC" } else { "Bearer" }
    }

    /// `expires_in` of the token endpoint.
    pub(crate) fn expires_in(&self, right: i64) -> i64 {
        match (self.has(Deviation::TokenWithoutEnd), self.has(Deviation::TokenEnded)) {
            (true, _) => i64::MAX,
            (false, true) => -5,
            (false, false) => right,
        }
    }

    /// `scope` of the token endpoint.
    pub(crate) fn scope(&self, right: Option<String>) -> Option<String> {
        if !self.has(Deviation::WiderScope) {
            return right;
        }
        Some(format!("{} admin", right.unwrap_or_default()).trim_start().to_owned())
    }

    /// `iss` of an authorization response.
    pub(crate) fn iss_parameter<'a>(&self, own: &'a str) -> &'a str {
        if self.has(Deviation::WrongIssParameter) { FOREIGN_ISSUER } else { own }
    }

    /// `state` of an authorization response.
    pub(crate) fn state(&self, own: &str) -> String {
        let Some(inner) = &self.0 else { return own.to_owned() };
        let before = inner.before().state.replace(own.to_owned());
        if inner.has(Deviation::SwappedState) {
            return before.unwrap_or_else(|| "a-state-that-nobody-has".to_owned());
        }
        own.to_owned()
    }

    /// Whether an answer that should be signed as a whole comes as plain parameters.
    pub(crate) fn plain_response(&self) -> bool {
        self.has(Deviation::PlainResponse)
    }

    /// A signed authorization response (JARM). `typ` is JWT.
    pub(crate) fn response<C: Serialize>(&self, key: &SigningKey, claims: &C) -> Result<String, JoseError> {
        let Some(inner) = &self.0 else { return key.sign_claims(Some("JWT"), claims) };
        let mut claims = serde_json::to_value(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
        if let Some(claims) = claims.as_object_mut() {
            RESPONSE.iter().filter(|(deviation, _)| inner.has(*deviation)).for_each(|(_, change)| change(claims));
        }
        if inner.has(Deviation::ResponseAlgNone) {
            let payload = serde_json::to_vec(&claims).map_err(|error| JoseError::Claims(error.to_string()))?;
            return Ok(unsigned(&payload));
        }
        if inner.has(Deviation::ResponseOtherKey) {
            return inner.rogue.other.sign_claims(Some("JWT"), &claims);
        }
        key.sign_claims(Some("JWT"), &claims)
    }

    /// A signed id_token. `typ` is JWT.
    pub(crate) fn id_token<C: Serialize>(
        &self,
        key: &SigningKey,
        from: Endpoint,
        claims: &C,
    ) -> Result<String, JoseError> {
        match &self.0 {
            None => key.sign_claims(Some("JWT"), claims),
            Some(inner) => {
                let claims = serde_json::to_value(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
                inner.id_token(key, from, claims)
            }
        }
    }
}

fn bit(deviation: Deviation) -> u64 {
    1 << (deviation as u32)
}

/// Changes the claims of an id_token.
type ClaimsChange = fn(&mut Map<String, Value>);

/// What becomes of the claims of an id_token. Each changes only what is there, so that the answers of both endpoints stay
/// what they are in everything else.
const CLAIMS: &[(Deviation, ClaimsChange)] = &[
    (Deviation::WrongNonce, |claims| replace(claims, "nonce", json!("a-nonce-of-another-request"))),
    (Deviation::MissingNonce, |claims| {
        claims.remove("nonce");
    }),
    (Deviation::WrongSHash, |claims| replace(claims, "s_hash", left_half_sha256("another state").into())),
    (Deviation::WrongCHash, |claims| replace(claims, "c_hash", json!("no-hash"))),
    (Deviation::WrongAtHash, |claims| replace(claims, "at_hash", left_half_sha256("another access token").into())),
    (Deviation::WrongIss, |claims| replace(claims, "iss", json!(FOREIGN_ISSUER))),
    (Deviation::WrongAud, |claims| replace(claims, "aud", json!("another-client"))),
    (Deviation::WrongSub, |claims| {
        if claims.contains_key("at_hash") {
            replace(claims, "sub", json!("another-customer"));
        }
    }),
    (Deviation::Expired, |claims| {
        let issued = claims.get("iat").and_then(Value::as_i64).unwrap_or_default();
        replace(claims, "exp", json!(issued - 600));
    }),
    (Deviation::WrongIntentId, |claims| replace(claims, "openbanking_intent_id", json!("an-intent-of-somebody-else"))),
    (Deviation::WrongAcr, |claims| replace(claims, "acr", json!("urn:example:no-authentication"))),
];

/// What becomes of the claims of a signed authorization response.
const RESPONSE: &[(Deviation, ClaimsChange)] = &[
    (Deviation::ResponseIss, |claims| replace(claims, "iss", json!(FOREIGN_ISSUER))),
    (Deviation::ResponseAud, |claims| replace(claims, "aud", json!("another-client"))),
    (Deviation::ResponseExpired, |claims| {
        let until = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
        replace(claims, "exp", json!(until - 3600));
    }),
];

/// A JWT without a signature.
fn unsigned(payload: &[u8]) -> String {
    let text = json!({ "alg": "none", "typ": "JWT" }).to_string();
    format!("{}.{}.", base64url::encode(text.as_bytes()), base64url::encode(payload))
}

fn replace(claims: &mut Map<String, Value>, name: &str, value: Value) {
    if let Some(found) = claims.get_mut(name) {
        *found = value;
    }
}

impl Inner {
    fn has(&self, deviation: Deviation) -> bool {
        self.on.load(Ordering::Acquire) & bit(deviation) != 0
    }

    fn before(&self) -> MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id_token(&self, key: &SigningKey, from: Endpoint, mut claims: Value) -> Result<String, JoseError> {
        if self.has(Deviation::ReplayedIdToken)
            && let Some(before) = self.before().id_tokens.get(&from)
        {
            return Ok(before.clone());
        }
        if let Some(claims) = claims.as_object_mut() {
            if let Some(c_hash) = claims.get("c_hash").and_then(Value::as_str).map(str::to_owned) {
                let other = self.before().c_hash.replace(c_hash);
                if self.has(Deviation::OtherCHash) {
                    let other = other.unwrap_or_else(|| left_half_sha256("a code that nobody has"));
                    replace(claims, "c_hash", other.into());
                }
            }
            CLAIMS.iter().filter(|(deviation, _)| self.has(*deviation)).for_each(|(_, change)| change(claims));
        }
        let token = self.signed(key, &claims)?;
        self.before().id_tokens.insert(from, token.clone());
        Ok(token)
    }

    fn signed(&self, key: &SigningKey, claims: &Value) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|error| JoseError::Claims(error.to_string()))?;
        let mut header = Header { kid: Some(key.kid().to_owned()), ..Header::typed("JWT") };
        if self.has(Deviation::AlgNone) {
            return Ok(unsigned(&payload));
        }
        if self.has(Deviation::AlgHs256) {
            let public = serde_json::to_vec(key.public_jwk()).map_err(|error| JoseError::Key(error.to_string()))?;
            return sign_with_secret(&header, &payload, &public);
        }
        if self.has(Deviation::UnknownKid) {
            header.kid = Some("a-key-that-nobody-published".to_owned());
        }
        if self.has(Deviation::AlgRs256) {
            return self.rogue.rs256.sign(&header, &payload);
        }
        if self.has(Deviation::OtherKey) {
            return self.rogue.other.sign(&header, &payload);
        }
        key.sign(&header, &payload)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_deviation_has_a_name_and_a_bit_of_its_own() {
        let names: BTreeSet<_> = Deviation::ALL.iter().map(|one| one.as_str()).collect();
        let bits = Deviation::ALL.iter().fold(0_u64, |bits, one| bits | bit(*one));
        assert_eq!((names.len(), bits.count_ones() as usize), (Deviation::ALL.len(), Deviation::ALL.len()));
        for deviation in Deviation::ALL {
            assert_eq!(serde_json::to_value(deviation).unwrap(), deviation.as_str());
        }
    }

    #[test]
    fn the_page_in_docs_knows_each() {
        let page = include_str!("../../../docs/control.md");
        for deviation in Deviation::ALL {
            let row = format!("| `{}` | {} |", deviation.as_str(), deviation.what());
            assert!(page.contains(&row), "docs/control.md lacks {row}");
        }
    }

    #[test]
    fn a_server_that_was_not_started_for_it_cannot_misbehave() {
        let honest = Deviations::default();
        honest.set(Deviation::ALL.iter().copied());
        assert!(!honest.is_armed() && honest.list().is_empty());
        assert_eq!((honest.token_type(), honest.state("s").as_str()), ("Bearer", "s"));
        assert_eq!((honest.expires_in(300), honest.scope(Some("accounts".into()))), (300, Some("accounts".into())));
        assert_eq!(honest.message_signature("a..bc".into()), "a..bc");
    }
}
