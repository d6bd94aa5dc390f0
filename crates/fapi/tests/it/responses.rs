//! How answers are signed, encrypted and carried, as each client registered it.

use std::sync::Arc;

use fapi::{
    Accepted, Failure, Interaction, Loaded, Profile, Repository,
    authorization::Refused,
    response::{Delivery, ResponseMode},
};
use jose::{
    Algorithm, Header, Jwks, Jws, KeySet, SigningKey,
    jwe::{DecryptionKey, EncryptionKey},
};
use rules::SwitchedOff;
use serde_json::{Value, json};

use crate::world::{CONSENT, ISSUER, KeyPair, LARKSPUR, World, claims_of_bank, parameter, profile, signed, told};

fn plain() -> World {
    World::with(|profile: &mut Profile| {
        let other = Profile::fapi1_advanced(ISSUER.to_owned(), String::new(), profile.endpoints.clone());
        profile.response_types = other.response_types;
        profile.response_modes = other.response_modes;
        profile.intents = other.intents;
    })
}

/// As [`World::ask`], with the same response type outside the object.
async fn ask(world: &World, changes: &Value) -> Result<Accepted<Interaction>, Refused> {
    let response_type = changes["response_type"].as_str().unwrap_or("code id_token");
    world.authorize(&[("request", &world.request_object(changes)), ("response_type", response_type)]).await
}

async fn began(world: &World, changes: &Value) -> Loaded<Interaction> {
    let id = ask(world, changes).await.unwrap().value.id;
    world.engine.backend().load::<Interaction>(&id).await.unwrap().unwrap()
}

fn with_jarm(world: &World) {
    world.amend(|client| client.response_types = vec!["code".to_owned(), "code id_token".to_owned()]);
}

#[tokio::test]
async fn a_code_alone_travels_signed() {
    let world = plain();
    with_jarm(&world);
    for (mode, expected) in [
        ("jwt", ResponseMode::QueryJwt),
        ("query.jwt", ResponseMode::QueryJwt),
        ("fragment.jwt", ResponseMode::FragmentJwt),
        ("form_post.jwt", ResponseMode::FormPostJwt),
    ] {
        let asked = json!({ "response_type": "code", "response_mode": mode, "nonce": "n" });
        let interaction = began(&world, &asked).await;
        let response = world.decide(&interaction, &world.approval()).await;
        assert_eq!(response.mode, expected);
        let names: Vec<_> = response.parameters.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["response"], "{mode}");
        let claims = claims_of_bank(&parameter(&response, "response").unwrap());
        let code = claims["code"].as_str().unwrap().to_owned();
        let expected = json!({
            "iss": ISSUER, "aud": "larkspur", "exp": world.at(300), "code": code, "state": "state-1",
        });
        assert_eq!(claims, expected, "{mode}");
    }
}

#[tokio::test]
async fn errors_travel_as_the_client_asked_and_a_code_alone_is_not_sent_unsigned() {
    let world = plain();
    with_jarm(&world);
    let (rule, error, response) =
        told_signed(&world, &json!({ "response_type": "code", "response_mode": "jwt", "scope": "openid payments" }))
            .await;
    assert_eq!(
        (rule, error.as_str(), response),
        ("fapi.request-object.scope", "invalid_scope", Some(ISSUER.to_owned()))
    );
    for changes in [json!({ "response_type": "code" }), json!({ "response_type": "code", "response_mode": "query" })] {
        let (rule, error, _) = told(ask(&world, &changes).await);
        assert_eq!((rule, error), ("fapi.request-object.response-mode", "invalid_request"), "{changes}");
    }
    let uk = World::new();
    let (rule, error, _) = told(ask(&uk, &json!({ "response_type": "code", "response_mode": "jwt" })).await);
    assert_eq!((rule, error), ("fapi.request-object.response-type", "unsupported_response_type"));
}

/// The rule, and error and issuer out of the signed answer.
async fn told_signed(world: &World, changes: &Value) -> (&'static str, String, Option<String>) {
    let refused = ask(world, changes).await.unwrap_err();
    let response = refused.response.unwrap();
    let claims = claims_of_bank(&parameter(&response, "response").unwrap());
    let Failure::Refused(refusal) = refused.failure else { panic!("a refusal") };
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    (refusal.rule.id, text("error").unwrap(), text("iss"))
}

#[tokio::test]
async fn a_form_carries_what_the_fragment_would() {
    let world = World::new();
    let interaction = began(&world, &json!({ "response_mode": "form_post" })).await;
    let response = world.decide(&interaction, &world.approval()).await;
    let Delivery::Form { action, fields } = response.delivery() else { panic!("a form") };
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!((action, names), (LARKSPUR.redirect_uri(), vec!["code", "id_token", "state", "iss"]));
}

#[tokio::test]
async fn a_client_that_registered_es256_gets_es256() {
    let pem = SigningKey::generate_es256_pem().unwrap();
    let key = Arc::new(SigningKey::from_es256_pem(&pem).unwrap());
    let world = World::new().equipped(|engine| engine.with_elliptic(Arc::clone(&key)));
    world.amend(|client| client.id_token_algorithm = Algorithm::Es256);
    let interaction = began(&world, &json!({})).await;
    let response = world.decide(&interaction, &world.approval()).await;
    let keys = KeySet::from_jwks(&Jwks { keys: vec![key.public_jwk().clone()] });
    let id_token = Jws::parse(&parameter(&response, "id_token").unwrap()).unwrap();
    id_token.verify(&keys, &[Algorithm::Es256]).unwrap();
    let tokens = world.redeem(&parameter(&response, "code").unwrap(), &[]).await.unwrap().value;
    Jws::parse(&tokens.id_token.unwrap()).unwrap().verify(&keys, &[Algorithm::Es256]).unwrap();
}

#[tokio::test]
async fn a_signed_answer_has_the_algorithm_that_was_registered_for_it() {
    let pem = SigningKey::generate_es256_pem().unwrap();
    let key = Arc::new(SigningKey::from_es256_pem(&pem).unwrap());
    let world = plain().equipped(|engine| engine.with_elliptic(Arc::clone(&key)));
    with_jarm(&world);
    for (algorithm, expected) in [(None, "PS256"), (Some(Algorithm::Es256), "ES256")] {
        world.amend(|client| client.response_algorithm = algorithm);
        let interaction = began(&world, &json!({ "response_type": "code", "response_mode": "jwt" })).await;
        let response = world.decide(&interaction, &world.approval()).await;
        let signed = Jws::parse(&parameter(&response, "response").unwrap()).unwrap();
        assert_eq!(signed.header().alg, expected);
    }
}

#[tokio::test]
async fn acr_values_are_reported_where_they_can_be_reached() {
    let world = World::new();
    let asked = json!({ "acr_values": "urn:mace:silver urn:openbanking:psd2:sca", "claims": {
        "id_token": { "openbanking_intent_id": { "value": CONSENT, "essential": true } } } });
    let interaction = began(&world, &asked).await;
    let response = world.decide(&interaction, &world.approval()).await;
    assert_eq!(claims_of_bank(&parameter(&response, "id_token").unwrap())["acr"], "urn:openbanking:psd2:sca");
}

fn decryption() -> Arc<DecryptionKey> {
    Arc::new(DecryptionKey::from_pkcs8_der("encryption", KeyPair::rsa("encryption").der()).unwrap())
}

#[tokio::test]
async fn an_encrypted_request_object_is_opened_and_judged_like_any_other() {
    let (key, other) = (decryption(), decryption());
    let world = World::new().equipped(|engine| engine.with_decryption(Arc::clone(&key)));
    let object = world.request_object(&json!({}));
    let sealed = |key: &DecryptionKey, text: &str| {
        EncryptionKey::from_jwk(key.public_jwk()).unwrap().encrypt(text.as_bytes(), Some("JWT")).unwrap()
    };
    assert!(world.authorize(&[("request", &sealed(&key, &object))]).await.is_ok());
    let stranger = signed(&KeyPair::rsa("larkspur").ps256(), &Header::default(), &world.claims(&json!({})));
    for (rule, text) in [
        ("fapi.authorization.request-object-signature", sealed(&key, &stranger)),
        ("fapi.authorization.request-object-readable", sealed(&other, &object)),
        ("fapi.authorization.request-object-readable", sealed(&key, "no JWS")),
    ] {
        let outcome = world.authorize(&[("request", &text)]).await;
        assert_eq!(crate::world::shown(outcome), (rule, "invalid_request_object"));
    }
}

#[tokio::test]
async fn nothing_is_opened_for_somebody_whom_nobody_knows() {
    let key = decryption();
    let off = SwitchedOff::new(["fapi.authorization.client-known".to_owned()]);
    let world =
        World::with(|profile| profile.switched_off = off).equipped(|engine| engine.with_decryption(Arc::clone(&key)));
    let sealed = EncryptionKey::from_jwk(key.public_jwk()).unwrap();
    let sealed = sealed.encrypt(world.request_object(&json!({})).as_bytes(), Some("JWT")).unwrap();
    assert!(world.authorize(&[("request", &sealed)]).await.is_ok());
    let outcome = world.authorize(&[("client_id", "nobody"), ("request", &sealed)]).await;
    let refused = outcome.unwrap_err().failure;
    let Failure::Refused(refusal) = &refused else { panic!("{refused:?}") };
    assert_eq!(refusal.rule.id, "fapi.authorization.request-object-readable");
    assert_eq!(refusal.evidence.found, "5 part(s)", "it was not opened");
}

#[tokio::test]
async fn an_id_token_is_encrypted_for_a_client_that_wants_that() {
    let key = decryption();
    let world = World::new();
    let keys = vec![LARKSPUR.key.public_jwk().clone(), key.public_jwk().clone()];
    world.amend(|client| {
        client.id_token_encrypted = true;
        client.jwks = Some(Jwks { keys });
    });
    let interaction = began(&world, &json!({})).await;
    let later = began(&world, &json!({})).await;
    let response = world.decide(&interaction, &world.approval()).await;
    let sealed = parameter(&response, "id_token").unwrap();
    assert_eq!(sealed.split('.').count(), 5);
    let inner = String::from_utf8(key.decrypt(&sealed).unwrap()).unwrap();
    assert_eq!(claims_of_bank(&inner)["openbanking_intent_id"], CONSENT);

    // The key is gone while the customer decides: nothing is sent in the open, and nothing is granted.
    world.amend(|client| client.jwks = Some(Jwks { keys: vec![LARKSPUR.key.public_jwk().clone()] }));
    let completed = world.engine.complete(&later, &world.approval(), world.now).await.unwrap();
    assert!(completed.failed);
    assert_eq!(parameter(&completed.response, "error").as_deref(), Some("server_error"));
    assert_eq!((parameter(&completed.response, "code"), completed.changes.len()), (None, 1));
    let outcome = world.ask(&json!({})).await;
    let (rule, error, _) = told(outcome);
    assert_eq!(
        (rule, error),
        ("fapi.request-object.encryption-key", "invalid_request"),
        "before the customer is asked"
    );
}

#[test]
fn the_profiles_differ_in_what_they_are_for() {
    let uk = profile();
    let plain = Profile::fapi1_advanced(ISSUER.to_owned(), String::new(), uk.endpoints.clone());
    assert_eq!((uk.name, plain.name), ("fapi1-advanced-uk", "fapi1-advanced"));
    assert!(uk.intents && !plain.intents);
    assert_eq!((uk.response_types.len(), plain.response_types.len()), (1, 2));
}
