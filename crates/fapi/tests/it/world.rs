//! An authorization server over a memory of its own, TPPs with real keys, and a clock that tests move.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use fapi::{
    Accepted, Change, Client, CommitError, Endpoints, Engine, Expect, Failure, Intent, Intents, Interaction, Keys,
    KeysError, Loaded, Outcome, Participants, PresentedCertificate, Profile, Record, Repository, RepositoryError,
    Usable,
    access::{Access, Demand, TokenKind},
    authorization::Refused,
    client::AuthenticationMethod,
    client_authentication::ASSERTION_TYPE,
    interaction::Decision,
    parameters::Parameters,
    response::AuthorizationResponse,
    token::TokenResponse,
};
use jose::{Algorithm, Header, Jwks, Jws, KeySet, SigningKey, base64url};
use openssl::{
    ec::{EcGroup, EcKey},
    nid::Nid,
    pkey::PKey,
    rsa::Rsa,
};
use rules::{Passed, Rule};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};

pub(crate) const START: OffsetDateTime = datetime!(2026-03-02 09:00 UTC);
pub(crate) const ISSUER: &str = "https://bank.example";
pub(crate) const TOKEN: &str = "https://bank.example/token";
pub(crate) const MTLS_TOKEN: &str = "https://mtls.bank.example/token";
pub(crate) const BANK_ID: &str = "0015800001041RHAAX";
pub(crate) const DIRECTORY_JWKS: &str = "https://keystore.example/directory.jwks";
/// The consent that Larkspur lodged.
pub(crate) const CONSENT: &str = "consent-1";
/// The consent that Magpie lodged.
pub(crate) const CONSENT_OF_MAGPIE: &str = "consent-2";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) static BANK_KEY: LazyLock<Arc<SigningKey>> = LazyLock::new(|| Arc::new(KeyPair::rsa("bank").ps256()));
pub(crate) static DIRECTORY_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa("directory"));
pub(crate) static LARKSPUR: LazyLock<Tpp> = LazyLock::new(|| Tpp::new("larkspur", "0015800001041RHAAY"));
pub(crate) static MAGPIE: LazyLock<Tpp> = LazyLock::new(|| Tpp::new("magpie", "0015800001041RHAAZ"));

/// A key pair of which tests may make keys for any algorithm.
pub(crate) struct KeyPair {
    kid: &'static str,
    pkcs8: Vec<u8>,
}

impl KeyPair {
    pub(crate) fn rsa(kid: &'static str) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        Self { kid, pkcs8: key.private_key_to_pkcs8().unwrap() }
    }

    pub(crate) fn ec(kid: &'static str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        Self { kid, pkcs8: key.private_key_to_pkcs8().unwrap() }
    }

    pub(crate) fn signing(&self, algorithm: Algorithm) -> SigningKey {
        SigningKey::from_pkcs8_der(self.kid, algorithm, &self.pkcs8).unwrap()
    }

    pub(crate) fn ps256(&self) -> SigningKey {
        self.signing(Algorithm::Ps256)
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.pkcs8
    }
}

/// A client of the bank, with its key and its certificates.
pub(crate) struct Tpp {
    pub(crate) client_id: &'static str,
    pub(crate) organisation_id: &'static str,
    pub(crate) pair: KeyPair,
    pub(crate) key: SigningKey,
}

impl Tpp {
    fn new(client_id: &'static str, organisation_id: &'static str) -> Self {
        let pair = KeyPair::rsa(client_id);
        let key = pair.ps256();
        Self { client_id, organisation_id, pair, key }
    }

    pub(crate) fn certificate(&self) -> PresentedCertificate {
        self.certificate_numbered(1)
    }

    pub(crate) fn certificate_numbered(&self, number: u32) -> PresentedCertificate {
        PresentedCertificate {
            thumbprint: format!("thumbprint-{}-{number}", self.client_id),
            subject: format!("CN={},O={}", self.organisation_id, self.client_id),
            organisation_id: self.organisation_id.to_owned(),
            software_id: None,
            san_dns: Vec::new(),
            san_uri: Vec::new(),
            san_ip: Vec::new(),
            san_email: Vec::new(),
            anchored: true,
        }
    }

    pub(crate) fn jwks_uri(&self) -> String {
        format!("https://keystore.example/{}.jwks", self.client_id)
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("https://{}.example/callback?from=bank", self.client_id)
    }

    pub(crate) fn client(&self) -> Client {
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Client {
            client_id: self.client_id.to_owned(),
            name: "Larkspur Budget".to_owned(),
            on_behalf_of: Some("Thistle Ltd".to_owned()),
            organisation_id: self.organisation_id.to_owned(),
            software_id: format!("software-{}", self.client_id),
            redirect_uris: vec![self.redirect_uri(), format!("https://{}.example/other", self.client_id)],
            authentication_method: AuthenticationMethod::PrivateKeyJwt,
            jwks: None,
            certificate_subject: None,
            secret: None,
            id_token_encrypted: false,
            resource_server: false,
            authentication_algorithm: Algorithm::Ps256,
            request_object_algorithm: Algorithm::Ps256,
            id_token_algorithm: Algorithm::Ps256,
            response_algorithm: None,
            grant_types: texts(&["authorization_code", "client_credentials", "refresh_token"]),
            response_types: texts(&["code id_token"]),
            scopes: texts(&["openid", "accounts"]),
            jwks_uri: self.jwks_uri(),
            registered_at: START - Duration::days(1),
            metadata: Value::Null,
        }
    }
}

/// Versions and values by collection and key.
type Records = BTreeMap<(&'static str, String), (u64, Value)>;

/// Records, keys of others and consents. Reading yields, so that requests at the same time overlap.
#[derive(Default)]
pub(crate) struct Memory {
    records: Mutex<Records>,
    versions: AtomicU64,
    key_sets: Mutex<HashMap<String, Arc<KeySet>>>,
    fetched: Mutex<Vec<String>>,
    intents: Mutex<HashMap<String, Intent>>,
    broken: AtomicBool,
    suspended: Mutex<BTreeMap<String, String>>,
}

impl Memory {
    pub(crate) fn put<R: Record>(&self, key: &str, record: &R) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        let value = serde_json::to_value(record).unwrap();
        self.records.lock().unwrap().insert((R::COLLECTION, key.to_owned()), (version, value));
    }

    pub(crate) fn forget<R: Record>(&self, key: &str) {
        self.records.lock().unwrap().remove(&(R::COLLECTION, key.to_owned())).unwrap();
    }

    pub(crate) fn all<R: Record>(&self) -> Vec<(String, R)> {
        let records = self.records.lock().unwrap();
        let of_collection = records.iter().filter(|((collection, _), _)| *collection == R::COLLECTION);
        of_collection
            .map(|((_, key), (_, value))| (key.clone(), serde_json::from_value(value.clone()).unwrap()))
            .collect()
    }

    /// Changes the only record of a collection.
    pub(crate) fn edit<R: Record>(&self, change: impl FnOnce(&mut R)) {
        let [(key, mut record)] = <[_; 1]>::try_from(self.all::<R>()).ok().unwrap();
        change(&mut record);
        self.put(&key, &record);
    }

    /// Everything that is remembered, as text.
    pub(crate) fn dump(&self) -> String {
        format!("{:?}", self.records.lock().unwrap())
    }

    pub(crate) fn publish_jwks(&self, uri: &str, jwks: &Jwks) {
        self.key_sets.lock().unwrap().insert(uri.to_owned(), Arc::new(KeySet::from_jwks(jwks)));
    }

    pub(crate) fn publish(&self, uri: &str, keys: &[&SigningKey]) {
        let jwks = Jwks { keys: keys.iter().map(|key| key.public_jwk().clone()).collect() };
        self.key_sets.lock().unwrap().insert(uri.to_owned(), Arc::new(KeySet::from_jwks(&jwks)));
    }

    pub(crate) fn withdraw(&self, uri: &str) {
        self.key_sets.lock().unwrap().remove(uri).unwrap();
    }

    pub(crate) fn fetched(&self) -> Vec<String> {
        self.fetched.lock().unwrap().clone()
    }

    pub(crate) fn consent(&self, id: &str, change: impl FnOnce(&mut Intent)) {
        change(self.intents.lock().unwrap().get_mut(id).unwrap());
    }

    pub(crate) fn suspend(&self, organisation_id: &str) {
        self.suspended.lock().unwrap().insert(organisation_id.to_owned(), "Revoked".to_owned());
    }

    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    fn working(&self) -> Result<(), RepositoryError> {
        if self.broken.load(Ordering::Relaxed) { Err(RepositoryError("disk sda1 is full".to_owned())) } else { Ok(()) }
    }
}

impl Repository for Memory {
    async fn load<R: Record>(&self, key: &str) -> Result<Option<Loaded<R>>, RepositoryError> {
        self.working()?;
        let found = self.records.lock().unwrap().get(&(R::COLLECTION, key.to_owned())).cloned();
        tokio::task::yield_now().await;
        Ok(found.map(|(version, value)| Loaded { record: serde_json::from_value(value).unwrap(), version }))
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        self.working()?;
        let mut records = self.records.lock().unwrap();
        for change in &changes {
            let found = records.get(&(change.collection, change.key.clone())).map(|(version, _)| *version);
            let holds = match change.expect {
                Expect::Absent => found.is_none(),
                Expect::Version(version) => found == Some(version),
                Expect::Any => true,
            };
            if !holds {
                return Err(CommitError::Conflict {
                    collection: change.collection.to_owned(),
                    key: change.key.clone(),
                });
            }
        }
        for change in changes {
            let key = (change.collection, change.key);
            let version = self.versions.fetch_add(1, Ordering::Relaxed);
            match change.value {
                Some(value) => records.insert(key, (version, serde_json::from_slice(&value).unwrap())),
                None => records.remove(&key),
            };
        }
        Ok(())
    }
}

impl Keys for Memory {
    async fn keys(&self, jwks_uri: &str, _: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        self.fetched.lock().unwrap().push(jwks_uri.to_owned());
        let found = self.key_sets.lock().unwrap().get(jwks_uri).cloned();
        found.ok_or_else(|| KeysError(format!("{jwks_uri} cannot be read")))
    }
}

impl Participants for Memory {
    async fn suspended(&self, organisation_id: &str) -> Result<Option<String>, RepositoryError> {
        self.working()?;
        Ok(self.suspended.lock().unwrap().get(organisation_id).cloned())
    }
}

impl Intents for Memory {
    async fn intent(&self, id: &str) -> Result<Option<Intent>, RepositoryError> {
        Ok(self.intents.lock().unwrap().get(id).cloned())
    }
}

/// The bank's authorization server at a moment.
pub(crate) struct World {
    pub(crate) engine: Engine<Memory>,
    pub(crate) now: OffsetDateTime,
}

/// The profile of the bank.
pub(crate) fn profile() -> Profile {
    let endpoints = Endpoints {
        authorization: Some(format!("{ISSUER}/authorize")),
        token: TOKEN.to_owned(),
        mtls_token: MTLS_TOKEN.to_owned(),
        registration: Some("https://mtls.bank.example/register".to_owned()),
        jwks: format!("{ISSUER}/jwks"),
        pushed: Some(format!("{ISSUER}/par")),
        introspection: Some(format!("{ISSUER}/introspect")),
        revocation: Some(format!("{ISSUER}/revoke")),
        userinfo: Some(format!("{ISSUER}/userinfo")),
    };
    let mut profile = Profile::fapi1_advanced_uk(ISSUER.to_owned(), BANK_ID.to_owned(), endpoints);
    profile.directory_jwks_uri = Some(DIRECTORY_JWKS.to_owned());
    profile
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Profile)) -> Self {
        let mut profile = profile();
        change(&mut profile);
        let memory = Memory::default();
        for (tpp, consent) in [(&*LARKSPUR, CONSENT), (&*MAGPIE, CONSENT_OF_MAGPIE)] {
            memory.put(tpp.client_id, &tpp.client());
            memory.publish(&tpp.jwks_uri(), &[&tpp.key]);
            let intent = Intent {
                id: consent.to_owned(),
                client_id: tpp.client_id.to_owned(),
                scope: "accounts".to_owned(),
                authorisable: Usable::Authorisation,
                active: true,
                expires_at: None,
            };
            memory.intents.lock().unwrap().insert(consent.to_owned(), intent);
        }
        let drawn = AtomicU64::new(1);
        let randomness = move || {
            let mut bytes = [0x5a; 32];
            bytes[..8].copy_from_slice(&drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            bytes
        };
        Self { engine: Engine::new(memory, Arc::new(profile), Arc::clone(&BANK_KEY), randomness), now: START }
    }

    /// The same world with an engine that has more keys.
    pub(crate) fn equipped(self, change: impl FnOnce(Engine<Memory>) -> Engine<Memory>) -> Self {
        Self { engine: change(self.engine), ..self }
    }

    pub(crate) fn memory(&self) -> &Memory {
        self.engine.backend()
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
    }

    /// Changes how Larkspur is registered.
    pub(crate) fn reregister(&self, change: impl FnOnce(&mut Client)) {
        let mut client = LARKSPUR.client();
        change(&mut client);
        self.memory().put(LARKSPUR.client_id, &client);
    }

    /// Changes something of how Larkspur is registered, and leaves the rest.
    pub(crate) fn amend(&self, change: impl FnOnce(&mut Client)) {
        let all = self.memory().all::<Client>();
        let (_, mut client) = all.into_iter().find(|(client_id, _)| client_id == LARKSPUR.client_id).unwrap();
        change(&mut client);
        self.memory().put(LARKSPUR.client_id, &client);
    }

    /// Seconds since 1970, so many seconds from now.
    pub(crate) fn at(&self, seconds: i64) -> i64 {
        self.now.unix_timestamp() + seconds
    }

    /// Claims of a request object by Larkspur, with these in place of the usual ones.
    pub(crate) fn claims(&self, changes: &Value) -> Value {
        let usual = json!({
            "iss": LARKSPUR.client_id, "aud": ISSUER, "exp": self.at(300), "nbf": self.at(0),
            "client_id": LARKSPUR.client_id, "response_type": "code id_token",
            "redirect_uri": LARKSPUR.redirect_uri(), "scope": "openid accounts", "state": "state-1",
            "nonce": "nonce-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
            "claims": {"id_token": {
                "openbanking_intent_id": {"value": CONSENT, "essential": true},
                "acr": {"values": ["urn:openbanking:psd2:ca", "urn:openbanking:psd2:sca"], "essential": true},
            }},
        });
        changed(usual, changes)
    }

    pub(crate) fn request_object(&self, changes: &Value) -> String {
        LARKSPUR.key.sign_claims(Some("JWT"), &self.claims(changes)).unwrap()
    }

    /// Asks for an authorisation as a TPP does, with these parameters in place of the usual ones.
    pub(crate) async fn authorize(&self, parameters: &[(&str, &str)]) -> Result<Accepted<Interaction>, Refused> {
        let usual = [("client_id", LARKSPUR.client_id), ("response_type", "code id_token"), ("scope", "openid")];
        self.engine.authorize(form(&usual, parameters), self.now).await
    }

    pub(crate) async fn ask(&self, changes: &Value) -> Result<Accepted<Interaction>, Refused> {
        self.authorize(&[("request", &self.request_object(changes))]).await
    }

    pub(crate) async fn interaction(&self, changes: &Value) -> Loaded<Interaction> {
        let interaction = self.ask(changes).await.unwrap().value;
        self.memory().load(&interaction.id).await.unwrap().unwrap()
    }

    pub(crate) fn approval(&self) -> Decision {
        Decision::Approved { subject: "psu-1".to_owned(), authenticated_at: self.now - Duration::seconds(20) }
    }

    /// The customer's answer, remembered.
    pub(crate) async fn decide(&self, asked: &Loaded<Interaction>, decision: &Decision) -> AuthorizationResponse {
        let completed = self.engine.complete(asked, decision, self.now).await.unwrap();
        self.memory().commit(completed.changes).await.unwrap();
        self.engine.settled(&completed.ended);
        completed.response
    }

    /// A code of Larkspur's, from a request object with these claims.
    pub(crate) async fn code_for(&self, changes: &Value) -> String {
        let interaction = self.interaction(changes).await;
        parameter(&self.decide(&interaction, &self.approval()).await, "code").unwrap()
    }

    pub(crate) async fn code(&self) -> String {
        self.code_for(&json!({})).await
    }

    /// A client assertion with these claims in place of the usual ones.
    pub(crate) fn assertion(&self, tpp: &Tpp, changes: &Value) -> String {
        tpp.key.sign_claims(Some("JWT"), &self.assertion_claims(tpp, changes)).unwrap()
    }

    pub(crate) fn assertion_claims(&self, tpp: &Tpp, changes: &Value) -> Value {
        static JTI: AtomicU64 = AtomicU64::new(0);
        let jti = format!("jti-{}", JTI.fetch_add(1, Ordering::Relaxed));
        let usual = json!({
            "iss": tpp.client_id, "sub": tpp.client_id, "aud": TOKEN, "iat": self.at(0), "exp": self.at(120),
            "jti": jti,
        });
        changed(usual, changes)
    }

    /// Asks the token endpoint as this TPP.
    pub(crate) async fn token(&self, tpp: &Tpp, parameters: &[(&str, &str)]) -> Outcome<TokenResponse> {
        self.token_over(tpp, Some(&tpp.certificate()), parameters).await
    }

    pub(crate) async fn token_over(
        &self,
        tpp: &Tpp,
        certificate: Option<&PresentedCertificate>,
        parameters: &[(&str, &str)],
    ) -> Outcome<TokenResponse> {
        let assertion = self.assertion(tpp, &json!({}));
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &*assertion)];
        self.engine.token(&form(&proof, parameters), certificate, self.now).await
    }

    /// Redeems a code of Larkspur's, with these parameters in place of the usual ones.
    pub(crate) async fn redeem(&self, code: &str, parameters: &[(&str, &str)]) -> Outcome<TokenResponse> {
        let mut all = redemption(code);
        all.retain(|(name, _)| parameters.iter().all(|(other, _)| other != name));
        all.extend(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.token(&LARKSPUR, &all).await
    }

    /// Tokens that a customer granted Larkspur.
    pub(crate) async fn granted(&self) -> TokenResponse {
        let code = self.code().await;
        self.redeem(&code, &[]).await.unwrap().value
    }

    pub(crate) async fn client_token(&self) -> String {
        let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
        self.token(&LARKSPUR, &parameters).await.unwrap().value.access_token
    }

    pub(crate) async fn refresh(&self, tokens: &TokenResponse, parameters: &[(&str, &str)]) -> Outcome<TokenResponse> {
        self.refresh_as(&LARKSPUR, tokens, parameters).await
    }

    pub(crate) async fn refresh_as(
        &self,
        tpp: &Tpp,
        tokens: &TokenResponse,
        parameters: &[(&str, &str)],
    ) -> Outcome<TokenResponse> {
        let token = tokens.refresh_token.as_deref().unwrap();
        let all = [&[("grant_type", "refresh_token"), ("refresh_token", token)], parameters].concat();
        self.token(tpp, &all).await
    }

    /// Asks for accounts as Larkspur.
    pub(crate) async fn open(&self, token: &str) -> Outcome<Access> {
        let demand = Demand { scope: Some("accounts"), kind: TokenKind::Any };
        self.engine.access(Some(token), Some(&LARKSPUR.certificate()), demand, self.now).await
    }
}

/// Parameters of the redemption of a code of Larkspur's.
pub(crate) fn redemption(code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", LARKSPUR.redirect_uri()),
        ("code_verifier", VERIFIER.to_owned()),
    ]
}

/// The usual parameters, those replaced that are given again, and the others.
pub(crate) fn form(usual: &[(&str, &str)], given: &[(&str, &str)]) -> Parameters {
    let kept = usual.iter().filter(|(name, _)| given.iter().all(|(other, _)| other != name));
    Parameters::new(kept.chain(given).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// The claims with these changes; null takes a claim away.
pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A JWS with this header.
pub(crate) fn signed(key: &SigningKey, header: &Header, claims: &Value) -> String {
    key.sign(header, &serde_json::to_vec(claims).unwrap()).unwrap()
}

/// A JWT whose header names this algorithm and whose signature is empty.
pub(crate) fn unsigned(algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(&serde_json::to_vec(value).unwrap());
    format!("{}.{}.", part(&json!({"alg": algorithm, "kid": LARKSPUR.client_id})), part(claims))
}

/// The claims of a token that the bank signed.
pub(crate) fn claims_of_bank(token: &str) -> Value {
    let keys = KeySet::from_jwks(&Jwks { keys: vec![BANK_KEY.public_jwk().clone()] });
    let jws = Jws::parse(token).unwrap();
    jws.verify(&keys, &[Algorithm::Ps256]).unwrap();
    assert_eq!(jws.header().kid.as_deref(), Some("bank"));
    jws.claims().unwrap()
}

pub(crate) fn parameter(response: &AuthorizationResponse, name: &str) -> Option<String> {
    response.parameters.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone())
}

/// The rule that refused and the code on the wire, where the rule's own sentence stands and no other.
pub(crate) fn refused<T>(outcome: Result<T, Failure>) -> (&'static str, &'static str) {
    let failure = outcome.err().expect("a refusal");
    let Failure::Refused(refusal) = &failure else { panic!("{failure:?}") };
    assert_eq!(failure.description(), refusal.rule.unmet);
    (refusal.rule.id, failure.code().as_str())
}

/// As [`refused`], where the client is told through the browser.
pub(crate) fn told<T>(outcome: Result<T, Refused>) -> (&'static str, &'static str, AuthorizationResponse) {
    let Refused { failure, response } = outcome.err().expect("a refusal");
    let response = response.unwrap_or_else(|| panic!("{failure:?} is not told"));
    let reason = failure.description().to_owned();
    let (rule, error) = refused::<()>(Err(failure));
    assert_eq!(parameter(&response, "error").as_deref(), Some(error), "{rule}");
    assert_eq!(parameter(&response, "error_description"), Some(reason), "{rule}");
    (rule, error, response)
}

/// As [`refused`], where the client is not told.
pub(crate) fn shown<T>(outcome: Result<T, Refused>) -> (&'static str, &'static str) {
    let Refused { failure, response } = outcome.err().expect("a refusal");
    assert_eq!(response, None, "{failure:?}");
    refused::<()>(Err(failure))
}

/// Checks that these rules, and no others, were applied, each once.
pub(crate) fn assert_passed(passed: &Passed, tables: &[&[&'static Rule]], but: &[&str]) {
    let found: Vec<_> = passed.rules.iter().map(|rule| rule.id).collect();
    let expected: BTreeSet<_> = tables.concat().iter().map(|rule| rule.id).filter(|id| !but.contains(id)).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}
