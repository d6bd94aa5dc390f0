//! Modules about how clients authenticate.

use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::{changed, suite};
use crate::{
    hand_made::{Shows, World, openssl_key, signed_by_hand},
    profiles::Plain,
};

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
    let nameless = signed_by_hand(&openssl_key(&world), &json!({ "alg": "PS256" }), &world.assertion_claims());
    let answer = world.token(&world.token_form(&nameless), Shows::Own, &world.journey()).await;
    assert_eq!(answer.status, 200, "an assertion whose header names no key");
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

/// Where the other client authenticates with its certificate, nothing of an assertion helps, and its certificate alone
/// does not make it another client.
#[tokio::test(flavor = "multi_thread")]
async fn clients_with_certificates() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    let mut variants = suite::uk(&plain.world, &clients);
    variants.extend(suite::plain(&plain));
    for suite in variants.iter().filter(|suite| !suite.me.by_assertion) {
        let name = suite.name();
        for path in ["/token", "/par", "/introspect", "/revoke"] {
            let rest = [("grant_type", "client_credentials"), ("token", "x"), ("request", "a.b.c")];
            let as_other = [rest.as_slice(), &[("client_id", suite.other.id.as_str())]].concat();
            let nobody = [rest.as_slice(), &[("client_id", "nobody")]].concat();
            for (shows, pairs) in [
                (suite.me.shows, rest.as_slice()),
                (suite.me.shows, &as_other),
                (suite.me.shows, &nobody),
                (Shows::Nothing, &[rest.as_slice(), &[("client_id", suite.me.id.as_str())]].concat()),
            ] {
                let answer = suite.world.http(shows).post(&suite.api(path)).form(pairs).send().await.unwrap();
                let error = answer.json::<Value>().unwrap()["error"].clone();
                let module = "ensure-client-id-in-token-endpoint";
                assert_eq!((answer.status.as_u16(), error), (401, json!("invalid_client")), "{module} {name} {path}");
            }
        }
        let good = [("grant_type", "client_credentials"), ("scope", "accounts")];
        assert_eq!(suite.direct(&suite.me, "/token", &good).await.0, 200, "{name}");
    }
}
