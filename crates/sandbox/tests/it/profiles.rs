//! A bank with the plain FAPI profile and configured clients, as a test suite would have it.

use aspsp::{ProfileName, Settings};
use jose::{Algorithm, Jws, KeySet, hash::constant_time_eq};
use party::Tools;
use psu::{Destination, Intention, Psu};
use serde_json::{Value, json};
use tempfile::TempDir;
use transport::Stop;
use url::Url;

use crate::hand_made::{ASSERTION_TYPE, Shows, VERIFIER, World};

pub(crate) const CALLBACK: &str = "https://suite.example/callback?from=bank";

/// A second bank in the ecosystem of a world.
pub(crate) struct Plain {
    pub(crate) world: World,
    pub(crate) bank: aspsp::Running,
    stop: Stop,
    _folder: TempDir,
}

impl Plain {
    pub(crate) async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_clients(change, |_| Vec::new()).await
    }

    /// The same with more clients.
    pub(crate) async fn with_clients(
        change: impl FnOnce(&mut Settings),
        more: impl FnOnce(&World) -> Vec<Value>,
    ) -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let bank =
            include_str!("../../../../fixtures/bank.yaml").replace("204503", "204999").replace("Ashdown", "Plain");
        let jwks = json!({ "keys": [world.signing.public_jwk()] });
        let subject = hosted_subject(&world);
        let mut clients = vec![
            json!({ "client-id": "suite-client-1", "name": "Suite", "redirect-uris": [CALLBACK],
              "authentication": "private_key_jwt", "jwks": jwks }),
            json!({ "client-id": "suite-client-2", "name": "Suite", "redirect-uris": [CALLBACK],
              "authentication": "tls_client_auth", "certificate": { "dn": subject }, "jwks": jwks }),
        ];
        clients.extend(more(&world));
        let free = "127.0.0.1:0".parse().unwrap();
        let mut settings = Settings {
            data: Some(folder.path().join("data")),
            directory: Some(world.hosted.directory.public.clone()),
            trust_anchor: Some(world.hosted.directory.trust_anchor.clone()),
            public_listen: Some(free),
            mtls_listen: Some(free),
            control_listen: Some(free),
            bank: Some(file("bank.yaml", &bank)),
            clients: Some(file("clients.yaml", &Value::from(clients).to_string())),
            profile: Some(ProfileName::Fapi1Advanced),
            ..Settings::default()
        };
        change(&mut settings);
        let stop = Stop::new();
        let bank = aspsp::start(settings, Tools::real("plain", stop.clone())).await.unwrap();
        Self { world, bank, stop, _folder: folder }
    }

    pub(crate) fn api(&self, path: &str) -> Url {
        self.bank.urls.api(path).parse().unwrap()
    }

    fn assertion(&self) -> String {
        let now = self.world.now();
        self.world.sign(&json!({
            "iss": "suite-client-1", "sub": "suite-client-1", "aud": self.bank.urls.issuer(), "iat": now,
            "exp": now + 60, "jti": self.world.chance.uuid().to_string(),
        }))
    }

    pub(crate) async fn direct(&self, path: &str, pairs: &[(&str, &str)]) -> (u16, Value) {
        let assertion = self.assertion();
        let mut form = vec![("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        form.extend(pairs);
        let answer = self.world.http(Shows::Own).post(&self.api(path)).form(&form).send().await.unwrap();
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }

    pub(crate) fn request(&self, changes: &Value) -> String {
        let now = self.world.now();
        let mut claims = json!({
            "iss": "suite-client-1", "client_id": "suite-client-1", "aud": self.bank.urls.issuer(),
            "response_type": "code", "response_mode": "jwt", "scope": "openid accounts", "redirect_uri": CALLBACK,
            "state": "state-1", "nonce": "nonce-1", "nbf": now, "exp": now + 300,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.world.sign(&claims)
    }

    pub(crate) async fn answered(&self, link: &Url) -> Url {
        let credentials = sandbox::hosting::credentials(&self.bank.logins)["nora"].clone();
        let intention = Intention::Approve { accounts: Vec::new() };
        let customer = Psu::new(self.world.browser(), credentials);
        let destination = Destination::Address(CALLBACK.parse().unwrap());
        let arrival = customer.fetch_answer(link, &intention, destination, &self.world.journey()).await.unwrap();
        assert!(arrival.at_destination, "{}", arrival.text);
        arrival.url
    }

    pub(crate) async fn keys(&self) -> KeySet {
        let url = self.bank.urls.page("/jwks").parse().unwrap();
        KeySet::from_json(&self.world.http(Shows::Nothing).get(&url).send().await.unwrap().body).unwrap()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.stop.trigger();
    }
}

/// Subject of the certificate that [`Shows::Other`] shows.
fn hosted_subject(world: &World) -> String {
    let file = world.hosted.bank.exports.join("transport.pem");
    sandbox::hosting::certificate(&file).unwrap().facts().subject.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_logs_in_for_a_configured_client_and_the_answer_is_signed() {
    let plain = Plain::new(|settings| {
        settings.rotate_refresh_tokens = Some(true);
        settings.jwt_access_tokens = Some(true);
    })
    .await;
    let (status, pushed) = plain.direct("/par", &[("request", &plain.request(&json!({})))]).await;
    assert_eq!(status, 201, "{pushed}");
    let mut link: Url = plain.bank.urls.page("/authorize").parse().unwrap();
    link.query_pairs_mut()
        .append_pair("client_id", "suite-client-1")
        .append_pair("request_uri", pushed["request_uri"].as_str().unwrap());
    let answer = plain.answered(&link).await;
    let query: Vec<(String, String)> = answer.query_pairs().into_owned().collect();
    assert_eq!((query[0].0.as_str(), query[0].1.as_str(), query[1].0.as_str()), ("from", "bank", "response"));
    let keys = plain.keys().await;
    let response = Jws::parse(&query[1].1).unwrap();
    response.verify(&keys, &[Algorithm::Ps256]).unwrap();
    let claims: Value = response.claims().unwrap();
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["state"]),
        (&json!(plain.bank.urls.issuer()), &json!("suite-client-1"), &json!("state-1"))
    );
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", claims["code"].as_str().unwrap()),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
    ];
    let (status, tokens) = plain.direct("/token", &redeem).await;
    assert_eq!(status, 200, "{tokens}");
    let id_token = Jws::parse(tokens["id_token"].as_str().unwrap()).unwrap();
    id_token.verify(&keys, &[Algorithm::Ps256]).unwrap();
    let id_claims: Value = id_token.claims().unwrap();
    assert_eq!((&id_claims["nonce"], id_claims.get("openbanking_intent_id")), (&json!("nonce-1"), None));
    let access = tokens["access_token"].as_str().unwrap();
    let at: Value = Jws::parse(access).unwrap().claims().unwrap();
    assert_eq!(at["aud"], json!(plain.bank.urls.api("/open-banking")));
    let info = plain.world.http(Shows::Own).get(&plain.api("/userinfo")).bearer(access).send().await.unwrap();
    assert_eq!(info.json::<Value>().unwrap()["sub"], id_claims["sub"]);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (status, next) = plain.direct("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(status, 200, "{next}");
    assert!(!constant_time_eq(next["refresh_token"].as_str().unwrap(), refresh));
    // Without a consent, the customer's data stays where it is.
    let accounts = plain.api("/open-banking/v4.0/aisp/accounts");
    assert_eq!(plain.world.http(Shows::Own).get(&accounts).bearer(access).send().await.unwrap().status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_carries_the_answer_to_whoever_asks_for_that() {
    let plain = Plain::new(|_| ()).await;
    let object = plain.request(&json!({ "response_type": "code id_token", "response_mode": "form_post" }));
    let mut link: Url = plain.bank.urls.page("/authorize").parse().unwrap();
    link.query_pairs_mut()
        .append_pair("client_id", "suite-client-1")
        .append_pair("response_type", "code id_token")
        .append_pair("scope", "openid accounts")
        .append_pair("request", &object);
    let credentials = sandbox::hosting::credentials(&plain.bank.logins)["nora"].clone();
    let customer = Psu::new(plain.world.browser(), credentials);
    let intention = Intention::Approve { accounts: Vec::new() };
    // Without scripts the customer stays on the bank's last page, which has the form and a button.
    let arrival = customer.authorise(&link, &intention, &plain.world.journey()).await.unwrap();
    assert!(arrival.url.path().ends_with("/outbound") || arrival.text.contains("You are going back to"), "{arrival:?}");
    assert!(arrival.text.contains("You are logged in."), "{}", arrival.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_client_may_be_known_by_its_certificate() {
    let plain = Plain::new(|_| ()).await;
    let form = [("grant_type", "client_credentials"), ("scope", "accounts"), ("client_id", "suite-client-2")];
    for (shows, status) in [(Shows::Other, 200), (Shows::Own, 401), (Shows::Nothing, 401)] {
        let answer = plain.world.http(shows).post(&plain.api("/token")).form(&form).send().await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{}", String::from_utf8_lossy(&answer.body));
    }
    let document = plain.bank.urls.page("/.well-known/openid-configuration").parse().unwrap();
    let document: Value = plain.world.http(Shows::Nothing).get(&document).send().await.unwrap().json().unwrap();
    assert_eq!(document["response_types_supported"], json!(["code id_token", "code"]));
    assert_eq!(document["token_endpoint_auth_methods_supported"], json!(["private_key_jwt", "tls_client_auth"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_may_log_customers_in() {
    const PAGE: &str = "https://login.example/page";
    let keys = tempfile::NamedTempFile::new().unwrap();
    let plain = Plain::new(|settings| {
        settings.login_page = Some(PAGE.parse().unwrap());
        settings.login_keys = Some(keys.path().to_owned());
        // The page has the key of the TPP here: it needs one that the test can sign with.
        let jwks = json!({ "keys": [exported_key(settings)] });
        std::fs::write(keys.path(), jwks.to_string()).unwrap();
    })
    .await;
    let mut link: Url = plain.bank.urls.page("/authorize").parse().unwrap();
    let object = plain.request(&json!({ "response_type": "code id_token", "response_mode": "fragment" }));
    link.query_pairs_mut()
        .append_pair("client_id", "suite-client-1")
        .append_pair("response_type", "code id_token")
        .append_pair("scope", "openid accounts")
        .append_pair("request", &object);
    let browser = plain.world.browser();
    let go = async |url: &Url| browser.get(url).send().await.unwrap();
    let first = go(&link).await;
    let login: Url = plain.bank.urls.page(first.header("location").unwrap()).parse().unwrap();
    let away: Url = go(&login).await.header("location").unwrap().parse().unwrap();
    assert!(away.as_str().starts_with(PAGE), "{away}");
    let request = Jws::parse(&away.query_pairs().find(|(name, _)| name == "request").unwrap().1).unwrap();
    request.verify(&plain.keys().await, &[Algorithm::Ps256]).unwrap();
    let asked: Value = request.claims().unwrap();
    let back = |changes: &Value| {
        let now = plain.world.now();
        let mut answer = json!({
            "iss": PAGE, "aud": plain.bank.urls.issuer(), "exp": now + 60, "login_id": asked["login_id"],
            "sub": "nora", "auth_time": now, "acr": "urn:openbanking:psd2:sca",
        });
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        let mut url: Url = asked["return_to"].as_str().unwrap().parse().unwrap();
        url.query_pairs_mut().append_pair("answer", &plain.world.sign(&answer));
        url
    };
    for wrong in [json!({ "login_id": "another" }), json!({ "sub": "nobody" }), json!({ "aud": PAGE })] {
        assert_eq!(go(&back(&wrong)).await.status, 400, "{wrong}");
    }
    let stranger = plain.world.browser().get(&back(&json!({}))).send().await.unwrap();
    assert_eq!(stranger.status, 400, "the answer counts in one browser");
    let done = go(&back(&json!({}))).await;
    assert_eq!(done.status, 200);
    assert!(String::from_utf8_lossy(&done.body).contains("You are logged in."));
    let again = go(&back(&json!({}))).await;
    assert_eq!(again.status, 303, "it counts once");
    assert!(again.header("location").unwrap().ends_with("/outbound"));
}

/// The public signing key of the TPP in the ecosystem that these settings lead to.
fn exported_key(settings: &Settings) -> Value {
    let exports = settings.trust_anchor.as_ref().unwrap().ancestors().nth(3).unwrap().join("tpp/exports");
    let kid = std::fs::read_to_string(exports.join("signing.kid")).unwrap();
    let pem = std::fs::read_to_string(exports.join("signing.key")).unwrap();
    let key = pki::PrivateKey::from_pem(&pem).unwrap();
    let key = jose::SigningKey::from_pkcs8_der(kid.trim(), Algorithm::Ps256, key.pkcs8_der()).unwrap();
    serde_json::to_value(key.public_jwk()).unwrap()
}
