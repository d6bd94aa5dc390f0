//! An ecosystem, and a client that says whatever a test wants, with the keys that the TPP exported: what a developer does
//! with curl.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::Method;
use jose::{Algorithm, SigningKey};
use party::DataDirectory;
use pki::PrivateKey;
use sandbox::hosting::{self, Hosted, Place};
use scenario::Runner;
use serde_json::{Value, json};
use simulation::{Chance, Clock, Trace};
use tempfile::TempDir;
use transport::{Answer, CallError, ClientSettings, HttpClient, Identity, Stop};
use url::Url;

/// The verifier of the challenge in [`World::request_object`] (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Which certificate a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// That of the TPP.
    Own,
    /// That of another participant.
    Other,
    /// None.
    Nothing,
}

pub(crate) struct World {
    pub(crate) hosted: Hosted,
    pub(crate) client_id: String,
    pub(crate) signing: SigningKey,
    pub(crate) other_signing: SigningKey,
    pub(crate) chance: Chance,
    clients: Vec<(Shows, HttpClient)>,
    stop: Stop,
    _folder: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.trigger();
    }
}

pub(crate) fn identity(exports: &std::path::Path) -> Identity {
    let data = DataDirectory::open(exports.parent().unwrap()).unwrap();
    let chain = data.read_chain("exports/transport.pem").unwrap().unwrap();
    let key = PrivateKey::from_pem(&std::fs::read_to_string(exports.join("transport.key")).unwrap()).unwrap();
    Identity { chain, key }
}

pub(crate) fn signing(exports: &std::path::Path) -> SigningKey {
    let data = DataDirectory::open(exports.parent().unwrap()).unwrap();
    let kept: Value = data.read_json("membership.json").unwrap().unwrap();
    let key = PrivateKey::from_pem(&std::fs::read_to_string(exports.join("signing.key")).unwrap()).unwrap();
    SigningKey::from_pkcs8_der(kept["signing-kid"].as_str().unwrap(), Algorithm::Ps256, key.pkcs8_der()).unwrap()
}

impl World {
    /// An ecosystem in which the TPP is registered at the bank, and whose customers do nothing by themselves: what a test
    /// counts is what it did.
    pub(crate) async fn new() -> Self {
        Self::on(|_| {}).await
    }

    /// The same with another bank profile, made of the one in `fixtures`.
    pub(crate) async fn with_bank(change: impl FnOnce(&str) -> String) -> Self {
        let profile = change(include_str!("../../../../fixtures/bank.yaml"));
        Self::on(|place| {
            let path = place.data.join("profile.yaml");
            std::fs::write(&path, profile).unwrap();
            place.bank = Some(path);
        })
        .await
    }

    /// The same in lesson mode: rules can be switched off.
    pub(crate) async fn in_lesson() -> Self {
        Self::on(|place| place.lesson = true).await
    }

    /// The same in a place of another kind.
    pub(crate) async fn on(change: impl FnOnce(&mut Place)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stop = Stop::new();
        let personas = folder.path().join("personas.yaml");
        let quiet = format!("habits_go_on: false\n{}", include_str!("../../../../fixtures/personas.yaml"));
        std::fs::write(&personas, quiet).unwrap();
        let mut place = Place { data: folder.path().to_owned(), personas: Some(personas), ..Place::default() };
        change(&mut place);
        let hosted = hosting::start(&place, &stop).await.unwrap();
        let ecosystem = hosted.ecosystem().unwrap();
        let client_id = Runner::new(ecosystem).unwrap().join(&hosted.bank.name).await.unwrap();
        let anchor = hosting::certificate(&hosted.directory.trust_anchor).unwrap();
        let chance = Chance::from_seed(7);
        let client = |identity: Option<&Identity>| {
            HttpClient::new(ClientSettings {
                party: "hand",
                anchors: vec![anchor.clone()],
                identity,
                journal: None,
                clock: Clock::real(),
                chance: Chance::from_system(),
                cookies: false,
                timeout: Duration::from_secs(20),
            })
            .unwrap()
        };
        let clients = vec![
            (Shows::Own, client(Some(&identity(&hosted.tpp.exports)))),
            (Shows::Other, client(Some(&identity(&hosted.bank.exports)))),
            (Shows::Nothing, client(None)),
        ];
        Self {
            client_id,
            signing: signing(&hosted.tpp.exports),
            other_signing: signing(&hosted.bank.exports),
            chance,
            clients,
            hosted,
            stop,
            _folder: folder,
        }
    }

    pub(crate) fn http(&self, shows: Shows) -> &HttpClient {
        &self.clients.iter().find(|(known, _)| *known == shows).unwrap().1
    }

    /// A client with the exported certificate and anchors of somebody else's ecosystem.
    pub(crate) fn stranger(&self, other: &Self) -> HttpClient {
        self.showing(&identity(&other.hosted.tpp.exports))
    }

    /// A client with these certificates, whose connections are its own.
    pub(crate) fn showing(&self, identity: &Identity) -> HttpClient {
        HttpClient::new(ClientSettings {
            party: "stranger",
            anchors: vec![hosting::certificate(&self.hosted.directory.trust_anchor).unwrap()],
            identity: Some(identity),
            journal: None,
            clock: Clock::real(),
            chance: Chance::from_system(),
            cookies: false,
            timeout: Duration::from_secs(20),
        })
        .unwrap()
    }

    /// A browser of its own, which keeps cookies.
    pub(crate) fn browser(&self) -> HttpClient {
        HttpClient::new(ClientSettings {
            party: "browser",
            anchors: vec![hosting::certificate(&self.hosted.directory.trust_anchor).unwrap()],
            identity: None,
            journal: None,
            clock: Clock::real(),
            chance: Chance::from_system(),
            cookies: true,
            timeout: Duration::from_secs(20),
        })
        .unwrap()
    }

    pub(crate) fn bank(&self, path: &str) -> Url {
        self.hosted.bank.urls.api(path).parse().unwrap()
    }

    pub(crate) fn page(&self, path: &str) -> Url {
        self.hosted.bank.urls.page(path).parse().unwrap()
    }

    pub(crate) fn now(&self) -> i64 {
        Clock::real().now().unix_timestamp()
    }

    pub(crate) fn journey(&self) -> Trace {
        Trace::new(&Chance::from_system())
    }

    /// Claims of a client assertion that the bank accepts.
    pub(crate) fn assertion_claims(&self) -> Value {
        json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.bank("/token"),
            "iat": self.now(), "exp": self.now() + 60, "jti": self.chance.uuid().to_string(),
        })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.signing.sign_claims(Some("JWT"), claims).unwrap()
    }

    /// A form for the token endpoint that the bank accepts.
    pub(crate) fn token_form(&self, assertion: &str) -> Vec<(String, String)> {
        [
            ("grant_type", "client_credentials"),
            ("scope", "accounts"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// A form for any endpoint that authenticates its clients.
    pub(crate) fn proved(&self, pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let assertion = self.sign(&self.assertion_claims());
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        proof.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// What an endpoint that authenticates its clients answers.
    pub(crate) async fn direct(&self, path: &str, pairs: &[(&str, &str)]) -> (u16, Value) {
        let form = self.proved(pairs);
        let answer = self.http(Shows::Own).post(&self.bank(path)).form(&form).send().await.unwrap();
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }

    pub(crate) async fn token(&self, form: &[(String, String)], shows: Shows, trace: &Trace) -> Answer {
        self.http(shows).post(&self.bank("/token")).trace(trace).form(form).send().await.unwrap()
    }

    /// A token of the TPP's own.
    pub(crate) async fn client_token(&self) -> String {
        let form = self.token_form(&self.sign(&self.assertion_claims()));
        let answer = self.token(&form, Shows::Own, &self.journey()).await;
        let body: Value = answer.json().unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A consent that awaits authorisation.
    pub(crate) async fn consent(&self) -> String {
        let body = json!({ "Data": { "Permissions": ["ReadAccountsBasic"] }, "Risk": {} });
        let url = self.bank("/open-banking/v4.0/aisp/account-access-consents");
        let token = self.client_token().await;
        let answer = self.http(Shows::Own).post(&url).bearer(&token).json(&body).send().await.unwrap();
        let body: Value = answer.json().unwrap();
        body["Data"]["ConsentId"].as_str().unwrap().to_owned()
    }

    /// Claims of a request object that the bank accepts.
    pub(crate) fn request_object(&self, consent: &str) -> Value {
        let now = self.now();
        json!({
            "iss": self.client_id, "client_id": self.client_id, "aud": self.hosted.bank.urls.issuer(),
            "response_type": "code id_token", "scope": "openid accounts",
            "redirect_uri": self.hosted.tpp.public.join("/callback").unwrap(),
            "state": "state-1", "nonce": "nonce-1", "iat": now, "nbf": now, "exp": now + 300,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
            "claims": { "id_token": {
                "openbanking_intent_id": { "value": consent, "essential": true },
                "acr": { "essential": true, "values": ["urn:openbanking:psd2:sca"] },
            } },
        })
    }

    /// Subject of the certificate that the TPP shows.
    pub(crate) fn certificate_subject(&self) -> String {
        hosting::certificate(&self.hosted.tpp.exports.join("transport.pem")).unwrap().facts().subject.clone()
    }

    /// Asks the bank's control port; a body that is null is none.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url: Url = format!("http://{}{path}", self.hosted.bank.control).parse().unwrap();
        let mut request = self.http(Shows::Nothing).request(method, &url);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }

    /// The rule that the bank's journal names for a journey.
    pub(crate) async fn rule(&self, trace: &Trace) -> Option<String> {
        self.rule_at(self.hosted.bank.control, trace).await
    }

    /// The same of the party with this control port.
    pub(crate) async fn rule_at(&self, control: SocketAddr, trace: &Trace) -> Option<String> {
        let url: Url = format!("http://{control}/journal?trace={}", trace.trace_id).parse().unwrap();
        let answer = self.http(Shows::Nothing).request(Method::GET, &url).send().await.unwrap();
        let body: Value = answer.json().unwrap();
        let exchanges = body["exchanges"].as_array().unwrap().clone();
        exchanges.iter().rev().find_map(|exchange| {
            exchange.pointer("/verdict/outcome/refused/rule").and_then(Value::as_str).map(str::to_owned)
        })
    }
}

/// The bank's profile with another section on payments.
pub(crate) fn with_payments(profile: &str, section: &str) -> String {
    let kept: Vec<&str> = match profile.find("\npayments:") {
        None => profile.lines().collect(),
        Some(start) => {
            let rest = profile[start + 1..].lines().skip(1);
            let behind = rest.skip_while(|line| line.is_empty() || line.starts_with([' ', '#']));
            profile[..start].lines().chain(behind).collect()
        }
    };
    format!("{}\n{section}\n", kept.join("\n"))
}

/// The path of a file that the TPP exported.
pub(crate) fn exported(world: &World, name: &str) -> PathBuf {
    world.hosted.tpp.exports.join(name)
}

/// What a handshake that was refused looks like to the client.
pub(crate) fn refused_handshake(result: Result<Answer, CallError>) -> String {
    result.unwrap_err().to_string()
}

/// The TPP's signing key as it was exported, PKCS#8 DER.
pub(crate) fn openssl_key(world: &World) -> Vec<u8> {
    let pem = std::fs::read_to_string(exported(world, "signing.key")).unwrap();
    PrivateKey::from_pem(&pem).unwrap().pkcs8_der().to_vec()
}

/// A PS256 signature under this header as it is, whatever the project's own signer would put into it.
pub(crate) fn signed_by_hand(der: &[u8], header: &Value, claims: &Value) -> String {
    use openssl::{hash::MessageDigest, pkey::PKey, rsa::Padding, sign::RsaPssSaltlen, sign::Signer};
    let part = |value: &Value| jose::base64url::encode(&serde_json::to_vec(value).unwrap());
    let input = format!("{}.{}", part(header), part(claims));
    let key = PKey::private_key_from_der(der).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", jose::base64url::encode(&signature))
}
