//! Who calls: assertions that are signed with the client's key and used once.

use fapi::{
    Failure, PresentedCertificate, client_authentication, client_authentication::ASSERTION_TYPE, grant::UsedJti,
};
use jose::{Algorithm, Header};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{
    ISSUER, KeyPair, LARKSPUR, MAGPIE, MTLS_TOKEN, TOKEN, World, assert_passed, form, refused, signed, unsigned,
};

const CLIENT: &str = "invalid_client";

/// Asks for a token with these parameters in place of the usual ones.
async fn ask(world: &World, assertion: &str, parameters: &[(&str, &str)]) -> Result<String, Failure> {
    let usual = [
        ("grant_type", "client_credentials"),
        ("scope", "accounts"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    let certificate = LARKSPUR.certificate();
    let outcome = world.engine.token(&form(&usual, parameters), Some(&certificate), world.now).await;
    outcome.map(|accepted| accepted.value.access_token)
}

async fn prove(world: &World, changes: &Value) -> Result<String, Failure> {
    ask(world, &world.assertion(&LARKSPUR, changes), &[]).await
}

#[tokio::test]
async fn an_assertion_that_keeps_every_rule_proves_who_calls() {
    let world = World::new();
    let assertion = world.assertion(&LARKSPUR, &json!({}));
    let proof = form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)], &[]);
    let certificate = LARKSPUR.certificate();
    let authenticated = world.engine.authenticate_client(&proof, Some(&certificate), world.now).await.ok().unwrap();
    assert_eq!(((*authenticated.client).clone(), authenticated.certificate), (LARKSPUR.client(), certificate));
    assert_passed(
        &authenticated.passed,
        &[fapi::parameters::RULES, client_authentication::RULES],
        &[
            "fapi.client-authentication.jti",
            "fapi.client-authentication.certificate-subject",
            "fapi.client-authentication.certificate-registered",
            "fapi.client-authentication.secret",
        ],
    );
}

#[tokio::test]
async fn each_rule_refuses_claims_that_break_it() {
    let world = World::new();
    let at = |seconds: i64| json!(world.at(seconds));
    for (rule, changes) in [
        ("fapi.client-authentication.assertion-readable", json!({"sub": null})),
        ("fapi.client-authentication.assertion-readable", json!({"aud": null})),
        ("fapi.client-authentication.assertion-readable", json!({"exp": null})),
        ("fapi.client-authentication.assertion-readable", json!({"jti": null})),
        ("fapi.client-authentication.assertion-readable", json!({"exp": "soon"})),
        ("fapi.client-authentication.client-known", json!({"sub": "nobody", "iss": "nobody"})),
        ("fapi.client-authentication.client-known", json!({"sub": "nobody"})),
        ("fapi.client-authentication.iss", json!({"iss": "magpie"})),
        ("fapi.client-authentication.iss", json!({"iss": null})),
        ("fapi.client-authentication.iss", json!({"sub": "magpie"})),
        ("fapi.client-authentication.signature", json!({"sub": "magpie", "iss": "magpie"})),
        ("fapi.client-authentication.aud", json!({"aud": "https://other.example/token"})),
        ("fapi.client-authentication.aud", json!({"aud": format!("{ISSUER}/")})),
        ("fapi.client-authentication.aud", json!({"aud": []})),
        ("fapi.client-authentication.exp", json!({"exp": at(-10)})),
        ("fapi.client-authentication.exp", json!({"exp": at(-300), "iat": at(-600)})),
        ("fapi.client-authentication.lifetime", json!({"exp": at(3611)})),
        ("fapi.client-authentication.lifetime", json!({"exp": 253_402_300_799_i64})),
        ("fapi.client-authentication.nbf", json!({"nbf": at(11)})),
        ("fapi.client-authentication.nbf", json!({"iat": at(11)})),
    ] {
        assert_eq!(refused(prove(&world, &changes).await), (rule, CLIENT), "{changes}");
    }
    assert_eq!(world.memory().all::<UsedJti>(), []);
}

#[tokio::test]
async fn variants_that_the_rules_allow_are_accepted() {
    let world = World::new();
    let at = |seconds: i64| json!(world.at(seconds));
    for changes in [
        json!({"aud": ISSUER}),
        json!({"aud": MTLS_TOKEN}),
        json!({"aud": [TOKEN, "https://other.example"]}),
        json!({"exp": at(-9)}),
        json!({"exp": at(3610)}),
        json!({"iat": null}),
        json!({"iat": at(10), "nbf": at(10)}),
        json!({"favourite_colour": "green"}),
    ] {
        let outcome = prove(&world, &changes).await;
        assert!(outcome.is_ok(), "{changes}: {:?}", outcome.err());
    }
}

#[tokio::test]
async fn an_assertion_of_the_right_type_is_sent() {
    let world = World::new();
    let assertion = world.assertion(&LARKSPUR, &json!({}));
    for (rule, parameters) in [
        ("fapi.client-authentication.credentials-presented", [("client_assertion", "")]),
        ("fapi.client-authentication.credentials-presented", [("client_assertion_type", "")]),
        ("fapi.client-authentication.credentials-presented", [("client_assertion_type", "jwt-bearer")]),
        ("fapi.client-authentication.assertion-readable", [("client_assertion", "a.b.c")]),
        ("fapi.client-authentication.client-id-consistent", [("client_id", "magpie")]),
    ] {
        assert_eq!(refused(ask(&world, &assertion, &parameters).await), (rule, CLIENT), "{parameters:?}");
    }
    assert!(ask(&world, &assertion, &[("client_id", "larkspur")]).await.is_ok());
}

#[tokio::test]
async fn a_request_object_is_no_assertion_and_an_assertion_no_request_object() {
    let world = World::new();
    let object = world.request_object(&json!({"aud": [ISSUER, TOKEN], "jti": "1"}));
    let outcome = ask(&world, &object, &[]).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.assertion-readable", CLIENT));
    let assertion = world.assertion(&LARKSPUR, &json!({"aud": ISSUER, "nbf": world.at(0)}));
    let outcome = world.authorize(&[("request", &assertion)]).await;
    assert_eq!(crate::world::shown(outcome).0, "fapi.authorization.redirect-uri-present");
}

#[tokio::test]
async fn only_the_registered_algorithm_signs() {
    let world = World::new();
    let claims = world.assertion_claims(&LARKSPUR, &json!({}));
    let ec = KeyPair::ec("larkspur").signing(Algorithm::Es256);
    let in_es256 = signed(&ec, &Header::default(), &claims);
    let in_rs256 = signed(&LARKSPUR.pair.signing(Algorithm::Rs256), &Header::default(), &claims);
    for assertion in [&unsigned("none", &claims), &unsigned("HS256", &claims), &in_rs256, &in_es256] {
        let outcome = ask(&world, assertion, &[]).await;
        assert_eq!(refused(outcome), ("fapi.client-authentication.alg", CLIENT), "{assertion}");
    }
    world.reregister(|client| client.authentication_algorithm = Algorithm::Es256);
    world.memory().publish(&LARKSPUR.jwks_uri(), &[&LARKSPUR.key, &ec]);
    assert!(ask(&world, &in_es256, &[]).await.is_ok());
    assert_eq!(refused(prove(&world, &json!({})).await), ("fapi.client-authentication.alg", CLIENT));
}

#[tokio::test]
async fn only_a_key_of_the_client_signs() {
    let world = World::new();
    let claims = world.assertion_claims(&LARKSPUR, &json!({}));
    let named = |kid: &str| Header { kid: Some(kid.to_owned()), ..Header::default() };
    for assertion in [
        signed(&MAGPIE.key, &Header::default(), &claims),
        signed(&MAGPIE.key, &named("larkspur"), &claims),
        signed(&LARKSPUR.key, &named("magpie"), &claims),
        signed(&LARKSPUR.key, &Header { crit: Some(vec!["x".to_owned()]), ..Header::default() }, &claims),
    ] {
        let outcome = ask(&world, &assertion, &[]).await;
        assert_eq!(refused(outcome), ("fapi.client-authentication.signature", CLIENT), "{assertion}");
    }
    world.memory().withdraw(&LARKSPUR.jwks_uri());
    let outcome = prove(&world, &json!({})).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.keys-available", "temporarily_unavailable"));
}

#[tokio::test]
async fn the_certificate_is_one_of_the_clients_organisation() {
    let world = World::new();
    let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
    let ask =
        async |certificate: Option<&PresentedCertificate>| world.token_over(&LARKSPUR, certificate, &parameters).await;
    let none = ask(None).await;
    assert_eq!(refused(none), ("fapi.client-authentication.certificate-presented", CLIENT));
    let foreign = ask(Some(&MAGPIE.certificate())).await;
    assert_eq!(refused(foreign), ("fapi.client-authentication.certificate-of-client", CLIENT));
    let sister = PresentedCertificate { software_id: Some("another".to_owned()), ..LARKSPUR.certificate() };
    assert_eq!(refused(ask(Some(&sister)).await), ("fapi.client-authentication.certificate-of-software", CLIENT));
    assert!(ask(Some(&LARKSPUR.certificate_numbered(2))).await.is_ok());
}

#[tokio::test]
async fn an_assertion_is_used_once_for_as_long_as_it_is_good() {
    let mut world = World::new();
    let once = world.assertion(&LARKSPUR, &json!({}));
    assert!(ask(&world, &once, &[]).await.is_ok());
    world.advance(Duration::seconds(129));
    let again = ask(&world, &once, &[]).await.unwrap_err();
    let passed = again.verdict().unwrap().passed;
    assert_eq!(refused::<()>(Err(again)), ("fapi.client-authentication.jti", CLIENT));
    assert_eq!(passed.iter().collect::<std::collections::BTreeSet<_>>().len(), passed.len(), "{passed:?}");
    let [(_, used)] = <[_; 1]>::try_from(world.memory().all::<UsedJti>()).unwrap();
    assert!(used.expires_at > world.now);
    world.advance(Duration::SECOND);
    assert_eq!(refused(ask(&world, &once, &[]).await), ("fapi.client-authentication.exp", CLIENT));
}

#[tokio::test]
async fn the_same_jti_is_new_again_from_another_client() {
    let world = World::new();
    let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
    for tpp in [&*LARKSPUR, &*MAGPIE] {
        let assertion = world.assertion(tpp, &json!({"jti": "shared"}));
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &*assertion)];
        let outcome = world.engine.token(&form(&proof, &parameters), Some(&tpp.certificate()), world.now).await;
        assert!(outcome.is_ok());
    }
}

#[tokio::test]
async fn of_two_uses_at_the_same_time_one_counts() {
    let world = World::new();
    let once = world.assertion(&LARKSPUR, &json!({}));
    let (one, other) = tokio::join!(ask(&world, &once, &[]), ask(&world, &once, &[]));
    let (first, second) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(first.is_ok());
    assert_eq!(refused(second), ("fapi.client-authentication.jti", CLIENT));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn an_assertion_with_any_letter_changed_is_never_accepted(at: prop::sample::Index, other in "[A-Za-z0-9_.-]") {
        let world = World::new();
        let assertion = world.assertion(&LARKSPUR, &json!({}));
        let place = at.index(assertion.len());
        prop_assume!(assertion[place..=place] != other);
        let tampered = format!("{}{other}{}", &assertion[..place], &assertion[place + 1..]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(ask(&world, &tampered, &[])).is_err(), "{tampered}");
    }
}
