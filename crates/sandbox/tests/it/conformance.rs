//! What certification suites probe, under the names of their modules, through the bank's real interface.
//!
//! Requests come by value and pushed. `Answer::Page` is an error page, `Answer::Redirect` an error that goes back to the
//! client, `Answer::Login` an accepted request.

use http::Method;
use jose::{Algorithm, Header, SigningKey};
use serde_json::{Value, json};
use url::Url;

use crate::hand_made::{Shows, VERIFIER, World};

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Login,
    Page(String),
    Redirect(String),
}

fn page(code: &str) -> Answer {
    Answer::Page(code.to_owned())
}

fn redirect(code: &str) -> Answer {
    Answer::Redirect(code.to_owned())
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

impl World {
    fn outer(&self, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.page("/authorize");
        let usual =
            [("client_id", self.client_id.as_str()), ("response_type", "code id_token"), ("scope", "openid accounts")];
        let usual = usual.iter().filter(|(name, _)| pairs.iter().all(|(given, _)| given != name));
        url.query_pairs_mut().extend_pairs(usual.chain(pairs).filter(|(_, value)| !value.is_empty()));
        url
    }

    async fn sent(&self, url: &Url) -> Answer {
        let answer = self.browser().get(url).send().await.unwrap();
        match answer.header("location") {
            Some(location) if location.starts_with("/authorisation/") => Answer::Login,
            Some(location) => {
                let target: Url = location.parse().unwrap();
                assert_eq!(target.origin(), self.hosted.tpp.public.origin(), "{location}");
                let fragment: Vec<(String, String)> =
                    url::form_urlencoded::parse(target.fragment().unwrap().as_bytes()).into_owned().collect();
                for (name, _) in &fragment {
                    assert!(["error", "error_description", "state", "iss"].contains(&name.as_str()), "{name}");
                }
                Answer::Redirect(fragment.into_iter().find(|(name, _)| name == "error").unwrap().1)
            }
            None => {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                let marked = text.split("id=\"oauth-error\"").nth(1).and_then(|rest| rest.split_once("<strong>"));
                let marked = marked.and_then(|(_, rest)| rest.split_once("</strong>")).map(|(code, _)| code);
                Answer::Page(marked.unwrap_or_else(|| panic!("no oauth error on {text}")).to_owned())
            }
        }
    }

    async fn by_value(&self, consent: &str, changes: &Value, outer: &[(&str, &str)]) -> Answer {
        let object = changed(self.request_object(consent), changes);
        let text = self.signing.sign_claims(Some("JWT"), &object).unwrap();
        let mut pairs = vec![("request", text.as_str())];
        pairs.extend(outer);
        self.sent(&self.outer(&pairs)).await
    }

    async fn pushed_object(&self, consent: &str, changes: &Value) -> (u16, Value) {
        let object = changed(self.request_object(consent), changes);
        let text = self.signing.sign_claims(Some("JWT"), &object).unwrap();
        self.direct("/par", &[("request", &text)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_objects() {
    let world = World::new().await;
    let consent = world.consent().await;
    let now = world.now();
    let object = "invalid_request_object";
    let long = "n".repeat(384);
    type Row<'a> = (&'a str, Value, Vec<(&'a str, &'a str)>, Answer);
    let rows: Vec<Row<'_>> = vec![
        (
            "ensure-request-object-with-multiple-aud-succeeds",
            json!({ "aud": [world.hosted.bank.urls.issuer(), "https://other.example"] }),
            vec![],
            Answer::Login,
        ),
        ("ensure-authorization-request-without-state-success", json!({ "state": null }), vec![], Answer::Login),
        ("ensure-valid-pkce-succeeds", json!({}), vec![], Answer::Login),
        (
            "ensure-other-scope-order-succeeds",
            json!({ "scope": "accounts openid" }),
            vec![("scope", "accounts openid")],
            Answer::Login,
        ),
        ("ensure-response-mode-query", json!({ "response_mode": "query" }), vec![], redirect("invalid_request")),
        ("ensure-response-mode-query, outside", json!({}), vec![("response_mode", "query")], Answer::Login),
        (
            "ensure-different-nonce-inside-and-outside-request-object",
            json!({}),
            vec![("nonce", "another")],
            Answer::Login,
        ),
        (
            "ensure-registered-redirect-uri",
            json!({ "redirect_uri": "https://unregistered.example/cb" }),
            vec![],
            page("invalid_request"),
        ),
        ("ensure-request-object-with-long-nonce", json!({ "nonce": long }), vec![], Answer::Login),
        ("ensure-request-object-with-64-char-nonce-success", json!({ "nonce": "n".repeat(64) }), vec![], Answer::Login),
        ("ensure-request-object-with-long-state", json!({ "state": long }), vec![], Answer::Login),
        ("ensure-request-object-without-exp-fails", json!({ "exp": null }), vec![], redirect(object)),
        ("ensure-request-object-without-nbf-fails", json!({ "nbf": null }), vec![], redirect(object)),
        (
            "ensure-request-object-without-scope-fails",
            json!({ "scope": null }),
            vec![("scope", "openid accounts")],
            redirect("invalid_request"),
        ),
        (
            "state-only-outside-request-object-not-used",
            json!({ "state": null }),
            vec![("state", "outside")],
            Answer::Login,
        ),
        (
            "ensure-request-object-without-nonce-fails",
            json!({ "nonce": null }),
            vec![("nonce", "outside")],
            redirect("invalid_request"),
        ),
        (
            "ensure-request-object-without-redirect-uri-fails",
            json!({ "redirect_uri": null }),
            vec![("redirect_uri", "https://localhost/cb")],
            page("invalid_request"),
        ),
        (
            "ensure-expired-request-object-fails",
            json!({ "nbf": now - 700, "exp": now - 400 }),
            vec![],
            redirect(object),
        ),
        (
            "ensure-request-object-with-bad-aud-fails",
            json!({ "aud": "https://other.example" }),
            vec![],
            redirect(object),
        ),
        ("ensure-request-object-with-exp-over-60-fails", json!({ "exp": now + 4200 }), vec![], redirect(object)),
        (
            "ensure-request-object-with-nbf-over-60-fails",
            json!({ "nbf": now - 4200, "exp": now + 300 }),
            vec![],
            redirect(object),
        ),
        (
            "ensure-authorization-request-without-request-object-fails",
            json!({}),
            vec![("request", "")],
            page("invalid_request"),
        ),
        (
            "ensure-redirect-uri-in-authorization-request",
            json!({ "redirect_uri": null }),
            vec![],
            page("invalid_request"),
        ),
        (
            "ensure-response-type-code-fails",
            json!({ "response_type": "code" }),
            vec![("response_type", "code")],
            redirect("unsupported_response_type"),
        ),
        ("test-essential-acr-sca-claim", json!({}), vec![], Answer::Login),
        (
            "essential acr that nobody reaches",
            json!({ "claims": { "id_token": { "openbanking_intent_id": { "value": consent }, "acr": { "essential": true, "value": "urn:other" } } } }),
            vec![],
            redirect("access_denied"),
        ),
        (
            "unknown claims and parameters do no harm",
            json!({ "claims": { "id_token": { "openbanking_intent_id": { "value": consent }, "given_name": null } }, "colour": "green" }),
            vec![("colour", "red")],
            Answer::Login,
        ),
    ];
    for (module, changes, outer, expected) in rows {
        let found = match outer.first() {
            Some(("request", "")) => world.sent(&world.outer(&[])).await,
            _ => world.by_value(&consent, &changes, &outer).await,
        };
        assert_eq!(found, expected, "{module}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_request_objects() {
    let world = World::new().await;
    let consent = world.consent().await;
    let claims = world.request_object(&consent);
    let der = openssl_key(&world);
    let rs256 = SigningKey::from_pkcs8_der(world.signing.kid(), Algorithm::Rs256, &der).unwrap();
    let good = world.sign(&claims);
    let unsigned = format!("{}.{}.", jose::base64url::encode(br#"{"alg":"none"}"#), good.split('.').nth(1).unwrap());
    let (body, signature) = good.rsplit_once('.').unwrap();
    let mut bytes = jose::base64url::decode(signature).unwrap();
    bytes[7] ^= 0x5a;
    let broken = format!("{body}.{}", jose::base64url::encode(&bytes));
    for (module, text) in [
        ("ensure-signed-request-object-with-RS256-fails", rs256.sign_claims(Some("JWT"), &claims).unwrap()),
        ("ensure-request-object-signature-algorithm-is-not-none", unsigned),
        ("ensure-request-object-with-invalid-signature-fails", broken),
        (
            "ensure-matching-key-in-authorization-request",
            world.other_signing.sign_claims(Some("JWT"), &claims).unwrap(),
        ),
        (
            "a type that is another token's",
            world.signing.sign(&Header::typed("at+jwt"), &serde_json::to_vec(&claims).unwrap()).unwrap(),
        ),
    ] {
        let found = world.sent(&world.outer(&[("request", &text)])).await;
        assert!(
            matches!(&found, Answer::Page(code) | Answer::Redirect(code) if code == "invalid_request_object"),
            "{module} {found:?}"
        );
    }
    for typ in [None, Some("JWT"), Some("oauth-authz-req+jwt")] {
        let text = world.signing.sign_claims(typ, &claims).unwrap();
        assert_eq!(world.sent(&world.outer(&[("request", &text)])).await, Answer::Login, "{typ:?}");
    }
}

/// The TPP's signing key as it was exported, PKCS#8 DER.
fn openssl_key(world: &World) -> Vec<u8> {
    let pem = std::fs::read_to_string(crate::hand_made::exported(world, "signing.key")).unwrap();
    pki::PrivateKey::from_pem(&pem).unwrap().pkcs8_der().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_requests() {
    let world = World::new().await;
    let consent = world.consent().await;
    let par = world.bank("/par").to_string();
    for (module, changes, status, error) in [
        ("par, happy flow", json!({}), 201, None),
        (
            "par-ensure-pkce-required",
            json!({ "code_challenge": null, "code_challenge_method": null }),
            400,
            Some("invalid_request"),
        ),
        ("par-plain-pkce-rejected", json!({ "code_challenge_method": "plain" }), 400, Some("invalid_request")),
        (
            "par-pushed-authorization-url-as-audience-in-request-object",
            json!({ "aud": par }),
            400,
            Some("invalid_request_object"),
        ),
        (
            "par-attempt-invalid-redirect_uri",
            json!({ "redirect_uri": "https://unregistered.example/cb" }),
            400,
            Some("invalid_request"),
        ),
        (
            "par-authorization-request-containing-request_uri",
            json!({ "request_uri": "urn:x" }),
            400,
            Some("invalid_request_object"),
        ),
    ] {
        let (found, body) = world.pushed_object(&consent, &changes).await;
        assert_eq!((found, body["error"].as_str()), (status, error), "{module} {body}");
    }
    let (status, body) = world.direct("/par", &[("request_uri", "urn:x")]).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("invalid_request")),
        "par-authorization-request-containing-request_uri-form-param"
    );
    let put = world.http(Shows::Own).request(Method::PUT, &world.bank("/par")).send().await.unwrap();
    assert_eq!(put.status, 405, "par-attempt-invalid-http-method");

    let (_, body) = world.pushed_object(&consent, &json!({})).await;
    let uri = body["request_uri"].as_str().unwrap();
    let bare = |client_id: &str| {
        let mut url = world.page("/authorize");
        url.query_pairs_mut().append_pair("client_id", client_id).append_pair("request_uri", uri);
        url
    };
    for module in
        ["par-without-duplicate-parameters", "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"]
    {
        assert_eq!(world.sent(&bare(&world.client_id)).await, Answer::Login, "{module}");
    }
    let other = world.sent(&bare("somebody-else")).await;
    assert_eq!(other, page("invalid_request"), "par-attempt-to-use-request_uri-for-different-client");
    let control: Url = format!("http://{}/clock/advance", world.hosted.bank.control).parse().unwrap();
    world.http(Shows::Nothing).post(&control).json(&json!({ "seconds": 91 })).send().await.unwrap();
    let late = world.sent(&bare(&world.client_id)).await;
    assert_eq!(late, page("invalid_request_uri"), "par-attempt-to-use-expired-request_uri");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_assertions() {
    let world = World::new().await;
    let now = world.now();
    let token = world.bank("/token").to_string();
    let issuer = world.hosted.bank.urls.issuer();
    let par = world.bank("/par").to_string();
    for (module, path, changes, good) in [
        ("ensure-client-assertion-with-iss-aud-succeeds", "/token", json!({ "aud": issuer }), true),
        (
            "test-array-as-audience-for-client-JWT-assertion",
            "/token",
            json!({ "aud": [issuer, "https://dummy.example"] }),
            true,
        ),
        (
            "par-test-pushed-authorization-url-as-audience-for-client-JWT-assertion",
            "/token",
            json!({ "aud": par }),
            true,
        ),
        ("par-token-endpoint-url-as-audience-for-client-JWT-assertion", "/token", json!({ "aud": token }), true),
        ("nbf 8 seconds in the future", "/token", json!({ "nbf": now + 8, "iat": now + 8 }), true),
        ("ensure-client-assertion-with-exp-is-5-minutes-in-past-fails", "/token", json!({ "exp": now - 300 }), false),
        ("ensure-client-assertion-with-wrong-aud-fails", "/token", json!({ "aud": "https://other.example" }), false),
        ("ensure-client-assertion-with-no-sub-fails", "/token", json!({ "sub": null }), false),
        ("ensure-client-assertion-with-wrong-iss-fails", "/token", json!({ "iss": "https://other.example" }), false),
        ("ensure-client-assertion-with-wrong-sub-fails", "/token", json!({ "sub": "somebody-else" }), false),
        ("nbf over 60 seconds in the future", "/token", json!({ "nbf": now + 70, "iat": now + 70 }), false),
        ("par-ensure-client-assertion-with-wrong-aud-fails", "/par", json!({ "aud": "https://other.example" }), false),
        ("par-ensure-client-assertion-with-wrong-iss-fails", "/par", json!({ "iss": "https://other.example" }), false),
        ("par-ensure-client-assertion-with-wrong-sub-fails", "/par", json!({ "sub": "somebody-else" }), false),
    ] {
        let assertion = world.sign(&changed(world.assertion_claims(), &changes));
        let form = world.token_form(&assertion);
        let answer = world.http(Shows::Own).post(&world.bank(path)).form(&form).send().await.unwrap();
        let error = answer.json::<Value>().unwrap()["error"].as_str().map(str::to_owned);
        if good {
            assert_eq!(answer.status, 200, "{module}");
        } else {
            assert_eq!((answer.status.as_u16(), error.as_deref()), (401, Some("invalid_client")), "{module}");
        }
    }
    let rs256 = SigningKey::from_pkcs8_der(world.signing.kid(), Algorithm::Rs256, &openssl_key(&world)).unwrap();
    let form = world.token_form(&rs256.sign_claims(Some("JWT"), &world.assertion_claims()).unwrap());
    let answer = world.token(&form, Shows::Own, &world.journey()).await;
    assert_eq!(answer.status, 401, "ensure-signed-client-assertion-with-RS256-fails");
    let empty = [("grant_type", "client_credentials"), ("client_id", world.client_id.as_str())];
    let answer = world.http(Shows::Own).post(&world.bank("/token")).form(&empty).send().await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap()["error"], "invalid_client", "ensure-client-assertion-in-token-endpoint");
    let (status, body) =
        world.direct("/token", &[("grant_type", "client_credentials"), ("client_id", "somebody-else")]).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "ensure-client-id-in-token-endpoint");
    let (status, body) = world.direct("/token", &[("grant_type", "client_credentials"), ("scope", "")]).await;
    assert_eq!(status, 200, "an empty scope: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_tokens_and_resources() {
    let world = World::new().await;
    let consent = world.consent().await;
    let object = world.sign(&world.request_object(&consent));
    let answer = world.answered(&world.outer(&[("request", &object)])).await;
    let code = answer.iter().find(|(name, _)| name == "code").unwrap().1.clone();
    let callback = world.hosted.tpp.public.join("/callback").unwrap().to_string();
    let redeem = async |verifier: Option<&str>| {
        let mut pairs = vec![("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*callback)];
        pairs.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        world.direct("/token", &pairs).await
    };
    let grant = |(status, body): (u16, Value)| (status, body["error"].as_str().unwrap_or_default().to_owned());
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(grant(redeem(None).await), refused, "ensure-pkce-code-verifier-required");
    assert_eq!(grant(redeem(Some("incorrect")).await), refused, "incorrect-pkce-code-verifier-rejected");
    let form = world.proved(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &callback),
        ("code_verifier", VERIFIER),
    ]);
    let bare = world.http(Shows::Nothing).post(&world.bank("/token")).form(&form).send().await.unwrap();
    assert_eq!(bare.json::<Value>().unwrap()["error"], "invalid_client", "ensure-mtls-holder-of-key-required");
    let (status, tokens) = redeem(Some(VERIFIER)).await;
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    let accounts = world.bank("/open-banking/v4.0/aisp/accounts");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = world.http(Shows::Own).get(&accounts).header("authorization", &format!("{scheme} {access}"));
        let answer = request
            .header("x-fapi-interaction-id", "c770aef3-6784-41f7-8e0e-ff5f97bddb3a")
            .header("x-fapi-customer-ip-address", "2001:DB8::1893:25c8:1946")
            .header("x-fapi-auth-date", "Sun, 10 Sep 2017 19:43:31 GMT")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "access-token-type-header-case-sensitivity {scheme}");
        assert_eq!(answer.header("x-fapi-interaction-id"), Some("c770aef3-6784-41f7-8e0e-ff5f97bddb3a"));
        assert!(answer.header("date").is_some());
    }
    for accept in ["application/json", "application/json;charset=UTF-8", "application/json, application/*+json, */*"] {
        let answer =
            world.http(Shows::Own).get(&accounts).bearer(access).header("accept", accept).send().await.unwrap();
        assert_eq!(answer.status, 200, "{accept}");
    }
    let mut in_query = accounts.clone();
    in_query.query_pairs_mut().append_pair("access_token", access);
    assert_eq!(world.http(Shows::Own).get(&in_query).send().await.unwrap().status, 401, "a token in the query");
    assert_eq!(
        world.http(Shows::Other).get(&accounts).bearer(access).send().await.unwrap().status,
        401,
        "another's certificate"
    );

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, again) = world.direct("/token", &pairs).await;
    assert_eq!(status, 200, "refresh-token {again}");
    assert_ne!(again["access_token"], tokens["access_token"]);
    let bare = world.http(Shows::Nothing).post(&world.bank("/token")).form(&world.proved(&pairs)).send().await.unwrap();
    assert_eq!(bare.status, 401, "refresh-token without a certificate");

    assert_eq!(grant(redeem(Some(VERIFIER)).await), refused, "attempt-reuse-authorisation-code-after-one-second");
    assert_eq!(
        world.http(Shows::Own).get(&accounts).bearer(access).send().await.unwrap().status,
        401,
        "and what it had brought is over"
    );
}
