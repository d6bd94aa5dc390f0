//! Settings of the authorization server that are off by default, and what clients may register for themselves, each
//! through the bank's real interface.

use jose::{
    Algorithm, Jws, SigningKey,
    jwe::{DecryptionKey, EncryptionKey},
};
use openssl::base64::encode_block;
use sandbox::hosting;
use serde_json::{Value, json};
use simulation::Trace;
use transport::{Answer, HttpClient};
use url::Url;

use crate::{
    hand_made::{ASSERTION_TYPE, Shows, VERIFIER, World, identity, openssl_key, refused_handshake},
    profiles::{CALLBACK, Plain},
};

const SECRET: &str = "a secret of the tests' own, longer than 32 bytes";

fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", encode_block(format!("{}:{}", encoded(client_id), encoded(secret)).as_bytes()))
}

/// An assertion under a shared secret (HS256).
fn shared(secret: &str, claims: &Value) -> String {
    let part = |value: &Value| jose::base64url::encode(&serde_json::to_vec(value).unwrap());
    let input = format!("{}.{}", part(&json!({ "alg": "HS256" })), part(claims));
    let key = openssl::pkey::PKey::hmac(secret.as_bytes()).unwrap();
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", jose::base64url::encode(&signature))
}

fn error(answer: &Answer) -> (u16, String) {
    let body: Value = answer.json().unwrap();
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
}

impl Plain {
    fn claims_of(&self, client_id: &str) -> Value {
        let now = self.world.now();
        json!({
            "iss": client_id, "sub": client_id, "aud": self.bank.urls.issuer(), "iat": now, "exp": now + 60,
            "jti": self.world.chance.uuid().to_string(),
        })
    }

    async fn post(&self, path: &str, header: Option<&str>, pairs: &[(&str, &str)]) -> Answer {
        let mut request = self.world.http(Shows::Own).post(&self.api(path));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        request.form(pairs).send().await.unwrap()
    }

    async fn advance(&self, seconds: i64) {
        let control: Url = format!("http://{}/clock/advance", self.bank.control).parse().unwrap();
        let request = self.world.http(Shows::Nothing).post(&control).json(&json!({ "seconds": seconds }));
        assert_eq!(request.send().await.unwrap().status, 200);
    }

    /// A code of the first client.
    async fn code(&self) -> String {
        let object = json!({ "response_type": "code id_token", "response_mode": "fragment" });
        let answer = self.answered(&self.by_value("suite-client-1", &self.request(&object))).await;
        let fragment = answer.fragment().unwrap().as_bytes().to_vec();
        url::form_urlencoded::parse(&fragment).find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    fn by_value(&self, client_id: &str, object: &str) -> Url {
        let mut link: Url = self.bank.urls.page("/authorize").parse().unwrap();
        link.query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("response_type", "code id_token")
            .append_pair("scope", "openid accounts")
            .append_pair("request", object);
        link
    }

    /// The page on which a customer's way ends, as a browser gets it: psu would go on or tell its text alone.
    async fn last_page(&self, link: &Url) -> Answer {
        let browser = self.world.browser();
        let first = self.first_page(&browser, link).await;
        self.last_page_from(&browser, first, &self.world.journey()).await
    }

    fn page(&self, answer: &Answer) -> Url {
        let location = answer.header("location").unwrap_or_else(|| panic!("{}", answer.status));
        self.bank.urls.page(location).parse().unwrap()
    }

    /// Where the customer's way begins.
    async fn first_page(&self, browser: &HttpClient, link: &Url) -> Url {
        self.page(&browser.get(link).send().await.unwrap())
    }

    async fn last_page_from(&self, browser: &HttpClient, first: Url, trace: &Trace) -> Answer {
        let mut url = first;
        let nora = hosting::credentials(&self.bank.logins)["nora"].clone();
        for fields in [
            vec![("username", nora.username.as_str()), ("password", nora.password.as_str())],
            vec![("one_time_password", nora.one_time_password.as_str())],
        ] {
            let shown = browser.get(&url).send().await.unwrap();
            let text = String::from_utf8_lossy(&shown.body).into_owned();
            let (_, rest) = text.split_once("name=\"csrf\" value=\"").unwrap();
            let form = [fields, vec![("csrf", rest.split('"').next().unwrap()), ("action", "continue")]].concat();
            let answer = browser.post(&url).trace(trace).form(&form).send().await.unwrap();
            if answer.header("location").is_none() {
                return answer;
            }
            url = self.page(&answer);
        }
        panic!("no last page, but {url}")
    }

    async fn redeemed(&self, code: &str) -> (u16, Value) {
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
        ];
        self.direct("/token", &redeem).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_taken_where_they_are_switched_on() {
    let plain = Plain::with_clients(
        |settings| settings.client_secrets = Some(true),
        |world| {
            let jwks = json!({ "keys": [world.signing.public_jwk()] });
            ["client_secret_basic", "client_secret_jwt"]
                .map(|method| {
                    json!({ "client-id": method, "name": "Tool", "redirect-uris": [CALLBACK], "jwks": jwks,
                            "authentication": method, "secret": SECRET })
                })
                .to_vec()
        },
    )
    .await;
    let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
    let good = basic("client_secret_basic", SECRET);
    assert_eq!(plain.post("/token", Some(&good), &own).await.status, 200);
    for header in [basic("client_secret_basic", "guessed"), basic("client_secret_jwt", SECRET), basic("x", SECRET)] {
        let answer = plain.post("/token", Some(&header), &own).await;
        assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
    }
    // The certificate is asked for all the same.
    let request = plain.world.http(Shows::Nothing).post(&plain.api("/token")).header("authorization", &good);
    assert_eq!(error(&request.form(&own).send().await.unwrap()).0, 401);

    let claims = plain.claims_of("client_secret_jwt");
    for (assertion, status) in [
        (shared(SECRET, &claims), 200),
        (shared("another secret, which is as long as it has to be", &plain.claims_of("client_secret_jwt")), 401),
        (plain.world.sign(&plain.claims_of("client_secret_jwt")), 401),
        (shared(SECRET, &claims), 401),
    ] {
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        let answer = plain.post("/token", None, &[own.as_slice(), &proof].concat()).await;
        assert_eq!(answer.status.as_u16(), status, "{}", String::from_utf8_lossy(&answer.body));
    }
    let document = plain.bank.urls.page("/.well-known/openid-configuration").parse().unwrap();
    let document: Value = plain.world.http(Shows::Nothing).get(&document).send().await.unwrap().json().unwrap();
    let methods = json!(["private_key_jwt", "tls_client_auth", "client_secret_basic", "client_secret_jwt"]);
    assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
    assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"], json!(["PS256", "ES256", "HS256"]));

    // A registration gets a secret of its own, and is told it.
    let token = plain.world.client_token().await;
    let id = plain.world.client_id.clone();
    let read = plain.world.registration(http::Method::GET, &id, Some(&token), None).await;
    let changes = json!({
        "token_endpoint_auth_method": "client_secret_basic", "token_endpoint_auth_signing_alg": null,
        "aud": plain.bank.urls.issuer(),
    });
    let text = plain.world.request(&read.json().unwrap(), &changes);
    let request = plain.world.http(Shows::Own).post(&plain.api("/register")).body("application/jwt", text);
    let registered: Value = request.send().await.unwrap().json().unwrap();
    let header = basic(registered["client_id"].as_str().unwrap(), registered["client_secret"].as_str().unwrap());
    assert_eq!(plain.post("/token", Some(&header), &own).await.status, 200, "{registered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_clients_own_is_taken_where_that_is_switched_on() {
    let elsewhere = World::new().await;
    let file = elsewhere.hosted.tpp.exports.join("transport.pem");
    let certificate = hosting::certificate(&file).unwrap();
    let (der, subject) = (certificate.der().to_vec(), certificate.facts().subject.clone());
    let plain = Plain::with_clients(
        |settings| settings.self_signed_clients = Some(true),
        |world| {
            let mut jwk = serde_json::to_value(world.signing.public_jwk()).unwrap();
            jwk["x5c"] = json!([encode_block(&der)]);
            let jwks = json!({ "keys": [jwk] });
            vec![
                json!({ "client-id": "self", "name": "Self", "redirect-uris": [CALLBACK],
                        "authentication": "self_signed_tls_client_auth", "jwks": jwks }),
                // What a certificate says of its subject is worth as much as the authority that says so.
                json!({ "client-id": "named", "name": "Named", "redirect-uris": [CALLBACK],
                        "authentication": "tls_client_auth", "certificate": { "dn": subject }, "jwks": jwks }),
            ]
        },
    )
    .await;
    let stranger = plain.world.stranger(&elsewhere);
    let own = |client_id| [("grant_type", "client_credentials"), ("scope", "accounts"), ("client_id", client_id)];
    let answer = stranger.post(&plain.api("/token")).form(&own("self")).send().await.unwrap();
    let tokens: Value = answer.json().unwrap();
    assert_eq!(answer.status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    // Nobody else is that client, and that certificate is nobody else.
    let trace = plain.world.journey();
    let form = own("named");
    let answer = stranger.post(&plain.api("/token")).trace(&trace).form(&form).send().await.unwrap();
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
    let rule = plain.world.rule_at(plain.bank.control, &trace).await;
    assert_eq!(rule.as_deref(), Some("fapi.client-authentication.certificate-anchored"));
    let answer = plain.post("/token", None, &own("self")).await;
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
    // The token is bound to that very certificate.
    let url = plain.api("/open-banking/v4.0/aisp/account-access-consents/x");
    assert_eq!(stranger.get(&url).bearer(access).send().await.unwrap().status, 400);
    assert_eq!(plain.world.http(Shows::Own).get(&url).bearer(access).send().await.unwrap().status, 401);
}

/// Whoever takes certificates of any authority takes a revoked one too, if the client hides where it comes from.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_opens_nothing_without_its_chain_either() {
    let plain = Plain::new(|settings| settings.self_signed_clients = Some(true)).await;
    let world = &plain.world;
    let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
    let (status, tokens) = plain.direct("/token", &own).await;
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    let url = plain.api("/open-banking/v4.0/aisp/account-access-consents/x");
    assert_eq!(world.http(Shows::Own).get(&url).bearer(access).send().await.unwrap().status, 400);

    let mut identity = identity(&world.hosted.tpp.exports);
    let leaf = identity.chain[0].clone();
    let kid = jose::Jwk::from_rsa_public_der(&leaf.public_key_der().unwrap()).unwrap().thumbprint();
    let organisation = leaf.facts().common_name.clone();
    let tell = async |url: String| {
        let request = world.http(Shows::Nothing).post(&url.parse().unwrap()).json(&json!({}));
        assert!(request.send().await.unwrap().status.is_success(), "{url}");
    };
    let directory = world.hosted.directory.control;
    tell(format!("http://{directory}/organisations/{organisation}/certificates/{kid}/revoke")).await;
    tell(format!("http://{}/directory/refresh", plain.bank.control)).await;
    let whole = world.showing(&identity);
    let told = refused_handshake(whole.get(&url).bearer(access).send().await);
    assert!(told.contains("revoked") || told.contains("Revoked"), "{told}");

    identity.chain.truncate(1);
    let alone = world.showing(&identity);
    let told = refused_handshake(alone.get(&url).bearer(access).send().await);
    assert!(told.contains("revoked") || told.contains("Revoked"), "{told}");
}

/// Many clients send their certificate alone, the conformance suite's among them.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_needs_nothing_beside_it() {
    let plain = Plain::new(|_| ()).await;
    let world = &plain.world;
    let (status, tokens) = plain.direct("/token", &[("grant_type", "client_credentials"), ("scope", "accounts")]).await;
    assert_eq!(status, 200, "{tokens}");
    let mut identity = identity(&world.hosted.tpp.exports);
    assert!(identity.chain.len() > 1);
    identity.chain.truncate(1);
    let url = plain.api("/open-banking/v4.0/aisp/account-access-consents/x");
    let request = world.showing(&identity).get(&url).bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(request.send().await.unwrap().status, 400, "the consent is unknown, the client is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_elliptic_key_and_encryption_both_ways() {
    let pem = SigningKey::generate_es256_pem().unwrap();
    let key = SigningKey::from_es256_pem(&pem).unwrap();
    let public = key.public_jwk().clone();
    let plain = Plain::with_clients(
        |_| (),
        |world| {
            let encryption = DecryptionKey::from_pkcs8_der("enc", &openssl_key(world)).unwrap();
            let jwks = json!({ "keys": [public, encryption.public_jwk()] });
            vec![
                json!({ "client-id": "elliptic", "name": "Elliptic", "redirect-uris": [CALLBACK], "algorithm": "ES256",
                         "authentication": "private_key_jwt", "jwks": jwks, "id-token-encrypted": true }),
            ]
        },
    )
    .await;
    let decryption = DecryptionKey::from_pkcs8_der("enc", &openssl_key(&plain.world)).unwrap();
    let (keys, now) = (plain.keys().await, plain.world.now());
    let of_bank = keys.jwks().keys.iter().find(|key| key.use_.as_deref() == Some("enc")).unwrap().clone();
    let claims = json!({
        "iss": "elliptic", "client_id": "elliptic", "aud": plain.bank.urls.issuer(), "scope": "openid accounts",
        "response_type": "code id_token", "redirect_uri": CALLBACK, "state": "s", "nonce": "n", "nbf": now,
        "exp": now + 300,
    });
    let object = key.sign_claims(Some("JWT"), &claims).unwrap();
    let of_bank = EncryptionKey::from_jwk(&of_bank).unwrap();
    let encrypted = of_bank.encrypt(object.as_bytes(), Some("JWT")).unwrap();
    assert_eq!(encrypted.split('.').count(), 5);
    let answer = plain.answered(&plain.by_value("elliptic", &encrypted)).await;
    let fragment: Vec<_> = url::form_urlencoded::parse(answer.fragment().unwrap().as_bytes()).into_owned().collect();
    let value = |name: &str| fragment.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let opened = |token: &str| {
        let inner = String::from_utf8(decryption.decrypt(token).unwrap()).unwrap();
        let token = Jws::parse(&inner).unwrap();
        token.verify(&keys, &[Algorithm::Es256]).unwrap();
        token.claims::<Value>().unwrap()
    };
    let first = opened(&value("id_token"));
    assert_eq!((&first["nonce"], &first["aud"]), (&json!("n"), &json!("elliptic")));
    let assertion = key.sign_claims(Some("JWT"), &plain.claims_of("elliptic")).unwrap();
    let code = value("code");
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let tokens: Value = plain.post("/token", None, &redeem).await.json().unwrap();
    assert_eq!(opened(tokens["id_token"].as_str().unwrap())["sub"], first["sub"], "{tokens}");

    // What was altered, or made for another key, is not opened; what is PS256 is not ES256.
    let middle = encrypted.len() / 2;
    let letter = if encrypted.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let altered = format!("{}{letter}{}", &encrypted[..middle], &encrypted[middle + 1..]);
    let foreign = EncryptionKey::from_jwk(decryption.public_jwk()).unwrap();
    let foreign = foreign.encrypt(object.as_bytes(), Some("JWT")).unwrap();
    for wrong in [altered, foreign, plain.world.sign(&claims)] {
        let answer = plain.world.browser().get(&plain.by_value("elliptic", &wrong)).send().await.unwrap();
        assert_eq!(answer.status, 400);
        assert!(String::from_utf8_lossy(&answer.body).contains("invalid_request_object"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_refresh_token_survives_a_lost_answer() {
    let plain = Plain::new(|settings| settings.rotate_refresh_tokens = Some(true)).await;
    let (_, tokens) = plain.redeemed(&plain.code().await).await;
    let refresh = async |token: &Value| {
        let token = token["refresh_token"].as_str().unwrap().to_owned();
        plain.direct("/token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await
    };
    let (status, lost) = refresh(&tokens).await;
    assert_eq!(status, 200, "{lost}");
    // The client never saw that answer and asks again with what it has.
    let (status, second) = refresh(&tokens).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    assert_eq!(refresh(&second).await.0, 200);
    let (status, body) = refresh(&tokens).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "its successor was used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_server_asks_about_every_token_and_a_gateway_reads_them_itself() {
    let plain = Plain::with_clients(
        |settings| settings.jwt_access_tokens = Some(true),
        |world| {
            let jwks = json!({ "keys": [world.signing.public_jwk()] });
            vec![json!({ "client-id": "gateway", "name": "Gateway", "authentication": "private_key_jwt", "jwks": jwks,
                         "scopes": ["openid"], "resource-server": true })]
        },
    )
    .await;
    let (_, tokens) = plain.redeemed(&plain.code().await).await;
    let access = tokens["access_token"].as_str().unwrap();
    let read = Jws::parse(access).unwrap();
    read.verify(&plain.keys().await, &[Algorithm::Ps256]).unwrap();
    assert_eq!(read.header().typ.as_deref(), Some("at+jwt"));
    let claims: Value = read.claims().unwrap();
    let own = hosting::certificate(&plain.world.hosted.tpp.exports.join("transport.pem")).unwrap();
    assert_eq!(claims["cnf"]["x5t#S256"], json!(own.facts().thumbprint_s256));
    assert_eq!(claims["client_id"], "suite-client-1");

    let asked = async |client_id: &str| {
        let assertion = plain.world.sign(&plain.claims_of(client_id));
        let pairs =
            [("token", access), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        plain.post("/introspect", None, &pairs).await.json::<Value>().unwrap()
    };
    let told = asked("gateway").await;
    assert_eq!(
        (&told["active"], &told["cnf"], &told["client_id"]),
        (&json!(true), &claims["cnf"], &claims["client_id"])
    );
    assert_eq!(asked("suite-client-1").await["active"], true);
    let request = plain.world.http(Shows::Other).post(&plain.api("/introspect"));
    let other = request.form(&[("token", access), ("client_id", "suite-client-2")]).send().await.unwrap();
    assert_eq!(other.json::<Value>().unwrap(), json!({ "active": false }), "it is another client's");
    assert_eq!(plain.direct("/revoke", &[("token", access)]).await.0, 200);
    assert_eq!(asked("gateway").await, json!({ "active": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lives_for_sixty_seconds() {
    let plain = Plain::new(|_| ()).await;
    let (late, early) = (plain.code().await, plain.code().await);
    plain.advance(50).await;
    assert_eq!(plain.redeemed(&early).await.0, 200);
    plain.advance(11).await;
    let (status, body) = plain.redeemed(&late).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_brings_a_code_that_can_be_redeemed() {
    let plain = Plain::new(|_| ()).await;
    let object = plain.request(&json!({ "response_type": "code id_token", "response_mode": "form_post" }));
    let last = plain.last_page(&plain.by_value("suite-client-1", &object)).await;
    let page = String::from_utf8_lossy(&last.body).into_owned();
    let action = format!("action=\"{}\"", CALLBACK.replace('=', "&#x3D;"));
    assert!(page.contains(&action), "{page}");
    let policy = last.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action https://suite.example"), "{policy}");
    let field = |name: &str| {
        let (_, rest) =
            page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(field("state"), "state-1");
    assert_eq!(field("iss"), plain.bank.urls.issuer());
    let token = Jws::parse(&field("id_token")).unwrap();
    token.verify(&plain.keys().await, &[Algorithm::Ps256]).unwrap();
    let (status, tokens) = plain.redeemed(&field("code")).await;
    assert_eq!(status, 200, "{tokens}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_customers_with_one_request_uri_one_authorises() {
    let plain = Plain::new(|_| ()).await;
    let object = plain.request(&json!({ "response_type": "code id_token", "response_mode": "fragment" }));
    let (_, pushed) = plain.direct("/par", &[("request", &object)]).await;
    let mut link: Url = plain.bank.urls.page("/authorize").parse().unwrap();
    let uri = pushed["request_uri"].as_str().unwrap();
    link.query_pairs_mut().append_pair("client_id", "suite-client-1").append_pair("request_uri", uri);
    let late = plain.world.browser();
    let first = plain.first_page(&late, &link).await;
    assert!(plain.answered(&link).await.fragment().unwrap().contains("code="));
    let trace = plain.world.journey();
    let last = plain.last_page_from(&late, first, &trace).await;
    assert_eq!(last.status, 400);
    assert!(String::from_utf8_lossy(&last.body).contains("invalid_request_uri"));
    let rule = plain.world.rule_at(plain.bank.control, &trace).await;
    assert_eq!(rule.as_deref(), Some("fapi.authorization.request-uri-unused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unfinished_authorisations_fills_nothing_but_its_clients_own_share() {
    let plain = Plain::new(|settings| settings.unfinished_authorisations = Some(20)).await;
    let changes = json!({ "response_type": "code id_token", "response_mode": "fragment" });
    let link = plain.by_value("suite-client-1", &plain.request(&changes));
    let opened = async |link: &Url| {
        let answer = plain.world.http(Shows::Nothing).get(link).send().await.unwrap();
        answer.header("location").unwrap().to_owned()
    };
    let (mut begun, mut refused) = (0, 0);
    for _ in 0..60 {
        let location = opened(&link).await;
        if location.starts_with("/authorisation/") {
            begun += 1;
        } else {
            assert!(
                location.contains("error=temporarily_unavailable") && location.contains("state=state-1"),
                "{location}"
            );
            refused += 1;
        }
    }
    assert_eq!((begun, refused), (20, 40));
    // Another client is not concerned, and when time has gone by neither is this one.
    let now = plain.world.now();
    let of_other = plain.world.sign(&json!({
        "iss": "suite-client-2", "client_id": "suite-client-2", "aud": plain.bank.urls.issuer(), "nonce": "n",
        "response_type": "code id_token", "scope": "openid accounts", "redirect_uri": CALLBACK, "nbf": now,
        "exp": now + 300,
    }));
    assert!(opened(&plain.by_value("suite-client-2", &of_other)).await.starts_with("/authorisation/"));
    plain.advance(15 * 60 + 1).await;
    let now = now + 15 * 60 + 1;
    let later = plain.request(&json!({
        "response_type": "code id_token", "response_mode": "fragment", "nbf": now, "exp": now + 300,
    }));
    assert!(opened(&plain.by_value("suite-client-1", &later)).await.starts_with("/authorisation/"));
}
