//! Modules about the request itself, in every variant that applies.

use jose::{Algorithm, Header, SigningKey};
use serde_json::{Value, json};

use super::{
    Answer,
    suite::{self, Suite},
};
use crate::{
    hand_made::{Shows, openssl_key},
    profiles::Plain,
};

const OBJECT: &str = "invalid_request_object";
const REQUEST: &str = "invalid_request";

/// A module, what it changes in the request object, what it puts outside, and the error; none when it must succeed.
type Row<'a> = (&'a str, Value, Vec<(&'a str, &'a str)>, Option<&'a str>);

fn rows<'a>(suite: &Suite<'_>) -> Vec<Row<'a>> {
    let now = suite.world.now();
    let both = json!([suite.bank.urls.issuer(), "https://other.example"]);
    // A pushed request has everything inside; the parameters of these modules stand in the link then.
    vec![
        ("ensure-request-object-with-multiple-aud-succeeds", json!({ "aud": both }), vec![], None),
        ("ensure-authorization-request-without-state-success", json!({ "state": null }), vec![], None),
        (
            "ensure-valid-pkce-succeeds",
            json!({ "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256" }),
            vec![],
            None,
        ),
        (
            "ensure-other-scope-order-succeeds",
            json!({ "scope": "accounts openid" }),
            vec![("scope", "accounts openid")],
            None,
        ),
        ("ensure-different-nonce-inside-and-outside-request-object", json!({}), vec![("nonce", "another")], None),
        ("state-only-outside-request-object-not-used", json!({ "state": null }), vec![("state", "outside")], None),
        ("test-essential-acr-sca-claim", sca(suite, "urn:openbanking:psd2:sca"), vec![], None),
        (
            "test-essential-acr-sca-claim, one that nobody reaches",
            sca(suite, "urn:other"),
            vec![],
            Some("access_denied"),
        ),
        ("ensure-request-object-without-exp-fails", json!({ "exp": null }), vec![], Some(OBJECT)),
        ("ensure-request-object-without-nbf-fails", json!({ "nbf": null }), vec![], Some(OBJECT)),
        (
            "ensure-request-object-without-scope-fails",
            json!({ "scope": null }),
            vec![("scope", "openid accounts")],
            Some(REQUEST),
        ),
        (
            "ensure-request-object-without-nonce-fails",
            json!({ "nonce": null }),
            vec![("nonce", "outside")],
            Some(REQUEST),
        ),
        (
            "ensure-request-object-without-redirect-uri-fails",
            json!({ "redirect_uri": null }),
            vec![("redirect_uri", "https://suite.example/callback?from=bank")],
            Some(REQUEST),
        ),
        ("ensure-redirect-uri-in-authorization-request", json!({ "redirect_uri": null }), vec![], Some(REQUEST)),
        (
            "ensure-registered-redirect-uri",
            json!({ "redirect_uri": "https://unregistered.example/cb" }),
            vec![],
            Some(REQUEST),
        ),
        ("ensure-expired-request-object-fails", json!({ "nbf": now - 700, "exp": now - 400 }), vec![], Some(OBJECT)),
        ("ensure-request-object-with-bad-aud-fails", json!({ "aud": "https://other.example" }), vec![], Some(OBJECT)),
        ("ensure-request-object-with-exp-over-60-fails", json!({ "exp": now + 4200 }), vec![], Some(OBJECT)),
        (
            "ensure-request-object-with-nbf-over-60-fails",
            json!({ "nbf": now - 4200, "exp": now - 4200 + 3600 }),
            vec![],
            Some(OBJECT),
        ),
    ]
}

/// A request for this acr alone.
fn sca(suite: &Suite<'_>, acr: &str) -> Value {
    let mut claims = suite.claims(&suite.me, Some("INTENT").filter(|_| suite.uk), &json!({}))["claims"].clone();
    claims["id_token"]["acr"] = json!({ "essential": true, "value": acr });
    json!({ "claims": claims })
}

/// Rows whose outcome depends on how requests and answers travel.
fn rows_of_variant<'a>(suite: &Suite<'_>) -> Vec<Row<'a>> {
    let unsupported = Some("unsupported_response_type");
    let plain_code = if suite.uk { unsupported } else { Some(REQUEST) };
    let mut rows: Vec<Row<'a>> = vec![(
        "ensure-response-type-code-fails",
        json!({ "response_type": "code", "response_mode": null }),
        vec![("response_type", "code")],
        plain_code,
    )];
    if !suite.jarm {
        rows.push(("ensure-response-mode-query", json!({ "response_mode": "query" }), vec![], Some(REQUEST)));
        rows.push(("ensure-response-mode-query, outside", json!({}), vec![("response_mode", "query")], None));
    }
    if suite.pushed {
        let no_pkce = json!({ "code_challenge": null, "code_challenge_method": null });
        rows.push(("par-ensure-pkce-required", no_pkce, vec![], Some(REQUEST)));
        rows.push(("par-plain-pkce-rejected", json!({ "code_challenge_method": "plain" }), vec![], Some(REQUEST)));
        let elsewhere = json!({ "redirect_uri": "https://unregistered.example/cb" });
        rows.push(("par-attempt-invalid-redirect_uri", elsewhere, vec![], Some(REQUEST)));
        let nested = json!({ "request_uri": "urn:x" });
        rows.push(("par-authorization-request-containing-request_uri", nested, vec![], Some(OBJECT)));
        let par = json!({ "aud": suite.api("/par") });
        rows.push(("par-pushed-authorization-url-as-audience-in-request-object", par, vec![], Some(OBJECT)));
    }
    rows
}

/// Modules whose error has to be shown on a page, because nothing says where the client is.
const ON_A_PAGE: [&str; 3] = [
    "ensure-request-object-without-redirect-uri-fails",
    "ensure-redirect-uri-in-authorization-request",
    "ensure-registered-redirect-uri",
];

#[tokio::test(flavor = "multi_thread")]
async fn request_objects() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    for suite in suite::uk(&plain.world, &clients).into_iter().chain(suite::plain(&plain)) {
        let consent = suite.consent().await;
        for (module, mut changes, outer, expected) in rows(&suite).into_iter().chain(rows_of_variant(&suite)) {
            if let Some(intent) = changes.pointer_mut("/claims/id_token/openbanking_intent_id/value") {
                *intent = json!(consent);
            }
            let object = suite.world.sign(&suite.claims(&suite.me, consent.as_deref(), &changes));
            let found = suite.probe(&object, &outer).await;
            let name = suite.name();
            assert_eq!(found.error(), expected, "{module} {name} {found:?}");
            if expected.is_some() {
                assert_eq!(matches!(found, Answer::Pushed(_)), suite.pushed, "{module} {name}");
                let page = !suite.pushed && ON_A_PAGE.contains(&module);
                assert_eq!(matches!(found, Answer::Page(_)), page, "{module} {name} {found:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_request_objects() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    let world = &plain.world;
    let rs256 = SigningKey::from_pkcs8_der(world.signing.kid(), Algorithm::Rs256, &openssl_key(world)).unwrap();
    for suite in suite::uk(world, &clients).into_iter().chain(suite::plain(&plain)) {
        let (consent, name) = (suite.consent().await, suite.name());
        let claims = suite.claims(&suite.me, consent.as_deref(), &json!({}));
        let good = world.sign(&claims);
        let payload = good.split('.').nth(1).unwrap();
        let unsigned = format!("{}.{payload}.", jose::base64url::encode(br#"{"alg":"none"}"#));
        let (body, signature) = good.rsplit_once('.').unwrap();
        let mut bytes = jose::base64url::decode(signature).unwrap();
        bytes[7] ^= 0x5a;
        let broken = format!("{body}.{}", jose::base64url::encode(&bytes));
        let another = Header::typed("at+jwt");
        for (module, text) in [
            ("ensure-signed-request-object-with-RS256-fails", rs256.sign_claims(Some("JWT"), &claims).unwrap()),
            ("ensure-request-object-signature-algorithm-is-not-none", unsigned),
            ("ensure-request-object-with-invalid-signature-fails", broken),
            (
                "ensure-matching-key-in-authorization-request",
                world.other_signing.sign_claims(Some("JWT"), &claims).unwrap(),
            ),
            ("a type of another token", world.signing.sign(&another, &serde_json::to_vec(&claims).unwrap()).unwrap()),
        ] {
            let found = suite.probe(&text, &[]).await;
            assert_eq!(found.error(), Some(OBJECT), "{module} {name} {found:?}");
        }
        for typ in [None, Some("JWT"), Some("oauth-authz-req+jwt")] {
            let text = world.signing.sign_claims(typ, &claims).unwrap();
            assert_eq!(suite.probe(&text, &[]).await, Answer::Login, "{typ:?} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_an_object_and_where_requests_are_pushed() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    for suite in suite::uk(&plain.world, &clients).into_iter().chain(suite::plain(&plain)) {
        let (name, callback) = (suite.name(), suite.callback.to_string());
        let module = "ensure-authorization-request-without-request-object-fails";
        let parameters = [
            ("response_type", "code id_token"),
            ("scope", "openid accounts"),
            ("redirect_uri", callback.as_str()),
            ("state", "s"),
            ("nonce", "n"),
        ];
        if suite.pushed {
            let (status, body) = suite.direct(&suite.me, "/par", &parameters).await;
            assert_eq!((status, &body["error"]), (400, &json!(REQUEST)), "{module} {name}");
        } else {
            let mut link = suite.page("/authorize");
            link.query_pairs_mut().append_pair("client_id", &suite.me.id).extend_pairs(parameters);
            assert_eq!(suite.opened(&link).await, Answer::Page(REQUEST.to_owned()), "{module} {name}");
        }
        if !suite.pushed {
            continue;
        }
        let (status, body) = suite.direct(&suite.me, "/par", &[("request_uri", "urn:x")]).await;
        let module = "par-authorization-request-containing-request_uri-form-param";
        assert_eq!((status, &body["error"]), (400, &json!(REQUEST)), "{module} {name}");
        let request = suite.world.http(suite.me.shows).request(http::Method::PUT, &suite.api("/par"));
        assert_eq!(request.send().await.unwrap().status, 405, "par-attempt-invalid-http-method {name}");
    }
    // Time goes on for all of them.
    let suites = suite::plain(&plain);
    let suite = suites.iter().find(|suite| suite.pushed).unwrap();
    let link = suite.link(&suite.world.sign(&suite.claims(&suite.me, None, &json!({}))), &[]).await.unwrap();
    assert_eq!(suite.opened(&link).await, Answer::Login);
    let control: url::Url = format!("http://{}/clock/advance", suite.bank.control).parse().unwrap();
    let moved = suite.world.http(Shows::Nothing).post(&control).json(&json!({ "seconds": 91 })).send().await.unwrap();
    assert_eq!(moved.status, 200);
    let late = suite.opened(&link).await;
    assert_eq!(late, Answer::Page("invalid_request_uri".to_owned()), "par-attempt-to-use-expired-request_uri");
}
