//! The authorization endpoint: what is judged before the client can be told, and the customer's decision.

use fapi::{
    Engine, Failure, Interaction, Loaded, Repository,
    client::Client,
    grant::{AuthorizationCode, Grant},
    interaction::{Decision, Rejection},
    parameters::Parameters,
    response::{AuthorizationResponse, Delivery, ResponseMode},
};
use jose::{Algorithm, Header, hash::left_half_sha256};
use serde_json::{Value, json};
use time::Duration;

use crate::world::{
    CONSENT, DIRECTORY_KEY, ISSUER, KeyPair, LARKSPUR, MAGPIE, Memory, START, World, claims_of_bank, parameter,
    refused, shown, signed, told, unsigned,
};

const OBJECT: &str = "invalid_request_object";
const REQUEST: &str = "invalid_request";

#[tokio::test]
async fn nothing_is_redirected_while_nobody_vouches_for_the_redirect_uri() {
    let world = World::new();
    let object = world.request_object(&json!({}));
    let elsewhere = |uri: &str| world.request_object(&json!({"redirect_uri": uri, "exp": null}));
    let own = LARKSPUR.redirect_uri();
    let unregistered = "fapi.authorization.redirect-uri-registered";
    let long = world.request_object(&json!({"state": "s".repeat(50_000)}));
    let (plain, slash, longer) =
        (elsewhere("https://larkspur.example/callback"), format!("{own}/"), format!("{own}&x"));
    for (rule, error, parameters) in [
        ("fapi.authorization.client-known", REQUEST, vec![("client_id", "nobody"), ("request", &*object)]),
        ("fapi.authorization.client-known", REQUEST, vec![("client_id", ""), ("request", &object)]),
        (
            "fapi.authorization.request-uri",
            "invalid_request_uri",
            vec![("request_uri", "https://larkspur.example/request.jwt")],
        ),
        ("fapi.authorization.request-object-present", REQUEST, vec![("redirect_uri", &own), ("nonce", "n")]),
        ("fapi.authorization.request-object-present", REQUEST, vec![("request", "")]),
        ("fapi.authorization.request-object-readable", OBJECT, vec![("request", "a.b.c")]),
        ("fapi.authorization.request-object-readable", OBJECT, vec![("request", "e30.e30")]),
        ("fapi.authorization.request-object-readable", OBJECT, vec![("request", "e30.e30.e30.e30.e30")]),
        ("fapi.authorization.request-object-readable", OBJECT, vec![("request", &long)]),
        (
            "fapi.authorization.request-object-readable",
            OBJECT,
            vec![("request", &*world.request_object(&json!({"exp": "soon"})))],
        ),
        (
            "fapi.authorization.request-object-readable",
            OBJECT,
            vec![("request", &*world.request_object(&json!({"nbf": 1e300})))],
        ),
        (
            "fapi.authorization.redirect-uri-present",
            REQUEST,
            vec![("redirect_uri", &own), ("request", &*world.request_object(&json!({"redirect_uri": null})))],
        ),
        (unregistered, REQUEST, vec![("request", &*elsewhere("https://magpie.example/callback?from=bank"))]),
        (unregistered, REQUEST, vec![("redirect_uri", &own), ("request", &plain)]),
        (unregistered, REQUEST, vec![("request", &*elsewhere(&slash))]),
        (unregistered, REQUEST, vec![("request", &*elsewhere(&longer))]),
        (unregistered, REQUEST, vec![("request", &*elsewhere(&own.replace("larkspur", "LARKSPUR")))]),
    ] {
        assert_eq!(shown(world.authorize(&parameters).await), (rule, error), "{parameters:?}");
    }
    assert_eq!(world.memory().all::<Interaction>(), []);
}

#[tokio::test]
async fn a_parameter_comes_once_even_when_both_are_the_same() {
    let world = World::new();
    let object = world.request_object(&json!({}));
    for (first, second) in [("larkspur", "larkspur"), ("larkspur", "magpie"), ("", "larkspur")] {
        let pairs = [("client_id", first), ("client_id", second), ("request", &object)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let outcome = world.engine.authorize(Parameters::new(pairs), world.now).await;
        assert_eq!(shown(outcome), ("fapi.authorization.parameters-once", REQUEST));
    }
}

#[tokio::test]
async fn only_the_registered_algorithm_signs() {
    let world = World::new();
    let claims = world.claims(&json!({}));
    let ec = KeyPair::ec("larkspur");
    let objects = [
        unsigned("none", &claims),
        unsigned("HS256", &claims),
        unsigned("ps256", &claims),
        signed(&LARKSPUR.pair.signing(Algorithm::Rs256), &Header::default(), &claims),
        signed(&ec.signing(Algorithm::Es256), &Header::default(), &claims),
    ];
    for object in &objects {
        let outcome = world.authorize(&[("request", object)]).await;
        assert_eq!(shown(outcome), ("fapi.authorization.request-object-alg", OBJECT), "{object}");
    }
    world.reregister(|client| client.request_object_algorithm = Algorithm::Es256);
    world.memory().publish(&LARKSPUR.jwks_uri(), &[&LARKSPUR.key, &ec.signing(Algorithm::Es256)]);
    assert!(world.authorize(&[("request", &objects[4])]).await.is_ok());
    assert_eq!(shown(world.ask(&json!({})).await), ("fapi.authorization.request-object-alg", OBJECT));
}

#[tokio::test]
async fn only_a_key_of_the_client_signs() {
    let world = World::new();
    let claims = world.claims(&json!({}));
    let genuine = world.request_object(&json!({}));
    let named = |kid: &str| Header { kid: Some(kid.to_owned()), ..Header::default() };
    let with = |name: &str, value: Value| Header {
        extra: [(name.to_owned(), value)].into_iter().collect(),
        ..Header::default()
    };
    let key_inside = with("jwk", serde_json::to_value(MAGPIE.key.public_jwk()).unwrap());
    let (head, signature) = genuine.rsplit_once('.').unwrap();
    let other = world.request_object(&json!({"nonce": "nonce-2"}));
    for object in [
        signed(&MAGPIE.key, &Header::default(), &claims),
        signed(&MAGPIE.key, &named("larkspur"), &claims),
        signed(&MAGPIE.key, &Header { kid: Some("larkspur".to_owned()), ..key_inside }, &claims),
        signed(&DIRECTORY_KEY.ps256(), &named("larkspur"), &claims),
        signed(&LARKSPUR.key, &named("unknown"), &claims),
        signed(&LARKSPUR.key, &Header { crit: Some(vec!["exp".to_owned()]), ..with("exp", json!(1)) }, &claims),
        signed(&LARKSPUR.key, &Header { crit: Some(Vec::new()), ..Header::default() }, &claims),
        signed(&LARKSPUR.key, &with("b64", json!(false)), &claims),
        format!("{head}."),
        format!("{}.{signature}", other.rsplit_once('.').unwrap().0),
    ] {
        let outcome = world.authorize(&[("request", &object)]).await;
        assert_eq!(shown(outcome), ("fapi.authorization.request-object-signature", OBJECT), "{object}");
    }
    assert!(world.authorize(&[("request", &genuine)]).await.is_ok());
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_not_the_clients_fault() {
    let world = World::new();
    world.memory().withdraw(&LARKSPUR.jwks_uri());
    let outcome = world.ask(&json!({})).await;
    assert_eq!(shown(outcome), ("fapi.authorization.keys-available", "temporarily_unavailable"));
}

#[tokio::test]
async fn a_client_without_the_grant_type_sends_no_customer() {
    let world = World::new();
    world.reregister(|client| client.grant_types = vec!["client_credentials".to_owned()]);
    let (rule, error, response) = told(world.ask(&json!({})).await);
    assert_eq!((rule, error), ("fapi.request-object.grant-type", "unauthorized_client"));
    assert_eq!(parameter(&response, "code"), None);
}

#[tokio::test]
async fn an_approval_answers_with_a_code_and_an_id_token_that_signs_it() {
    let world = World::new();
    let interaction = world.interaction(&json!({})).await;
    let response = world.decide(&interaction, &world.approval()).await;
    let names: Vec<_> = response.parameters.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["code", "id_token", "state", "iss"]);
    let code = parameter(&response, "code").unwrap();
    let claims = claims_of_bank(&parameter(&response, "id_token").unwrap());
    let expected = json!({
        "iss": ISSUER, "sub": "psu-1", "aud": "larkspur", "iat": world.at(0), "exp": world.at(300),
        "auth_time": world.at(-20), "nonce": "nonce-1", "acr": "urn:openbanking:psd2:sca",
        "openbanking_intent_id": CONSENT, "c_hash": left_half_sha256(&code), "s_hash": left_half_sha256("state-1"),
    });
    assert_eq!(claims, expected);
    let [(_, grant)] = <[_; 1]>::try_from(world.memory().all::<Grant>()).unwrap();
    assert_eq!((grant.client_id.as_str(), grant.intent_id.as_deref()), ("larkspur", Some(CONSENT)));
    assert_eq!(grant.scopes, ["openid", "accounts"]);
}

#[tokio::test]
async fn without_state_there_is_neither_state_nor_s_hash() {
    let world = World::new();
    let object = world
        .request_object(&json!({"state": null, "claims": {"id_token": {"openbanking_intent_id": {"value": CONSENT}}}}));
    let asked = world.authorize(&[("request", &object), ("state", "outside")]).await.unwrap().value;
    let loaded = world.memory().load(&asked.id).await.unwrap().unwrap();
    let response = world.decide(&loaded, &world.approval()).await;
    assert_eq!(parameter(&response, "state"), None);
    let claims = claims_of_bank(&parameter(&response, "id_token").unwrap());
    assert_eq!((claims.get("s_hash"), claims.get("acr")), (None, None));
}

#[tokio::test]
async fn a_rejection_tells_the_client_and_grants_nothing() {
    let denied = "access_denied";
    for (rejection, error, description) in [
        (Rejection::Cancelled, denied, "The customer cancelled."),
        (Rejection::AuthenticationFailed, denied, "The customer could not be authenticated."),
        (Rejection::TimedOut, denied, "The customer did not decide in time."),
        (Rejection::NoEligibleAccount, denied, "The customer has no account for this request."),
        (Rejection::TooLate, denied, "The customer decided when it was too late for this request."),
        (
            Rejection::AuthorisationType,
            "invalid_request",
            "The customer has no account with the AuthorisationType of this request.",
        ),
    ] {
        let world = World::new();
        let interaction = world.interaction(&json!({})).await;
        let response = world.decide(&interaction, &Decision::Rejected(rejection)).await;
        let expected = [("error", error), ("error_description", description), ("state", "state-1"), ("iss", ISSUER)];
        assert_eq!(response.parameters, expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!((world.memory().all::<Grant>(), world.memory().all::<AuthorizationCode>()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn an_interaction_is_decided_once_and_in_time() {
    let world = World::new();
    let interaction = world.interaction(&json!({})).await;
    let decidable = |record: &Interaction, after| Engine::<Memory>::decidable(record, START + after);
    assert!(decidable(&interaction.record, Duration::minutes(14)));
    assert!(!decidable(&interaction.record, Duration::minutes(15)));
    world.decide(&interaction, &world.approval()).await;
    let again = world.engine.complete(&interaction, &world.approval(), world.now).await.unwrap();
    assert!(world.memory().commit(again.changes).await.is_err());
    assert_eq!(world.memory().all::<AuthorizationCode>().len(), 1);
    let Loaded { record, .. } = world.memory().load(&interaction.record.id).await.unwrap().unwrap();
    assert!(!decidable(&record, Duration::ZERO));
    assert_eq!(Engine::<Memory>::timed_out(), Decision::Rejected(Rejection::TimedOut));
}

#[tokio::test]
async fn a_client_that_was_deleted_meanwhile_gets_no_code() {
    let world = World::new();
    let interaction = world.interaction(&json!({})).await;
    world.memory().forget::<Client>("larkspur");
    let outcome = world.engine.complete(&interaction, &world.approval(), world.now).await;
    assert_eq!(refused(outcome), ("fapi.authorization.client-known", REQUEST));
}

#[tokio::test]
async fn a_store_that_fails_is_not_described_to_anybody() {
    let world = World::new();
    let object = world.request_object(&json!({}));
    world.memory().break_down();
    let outcome = world.authorize(&[("request", &object)]).await.unwrap_err();
    assert!(matches!(outcome.failure, Failure::Unavailable(_)) && outcome.response.is_none());
    assert_eq!((outcome.failure.code().as_str(), outcome.failure.code().status()), ("server_error", 500));
    assert!(!outcome.failure.description().contains("sda1"));
    assert_eq!(outcome.failure.verdict(), None);
}

#[test]
fn answers_travel_in_the_fragment_and_leave_the_query_alone() {
    let parameters = vec![("error", "access_denied".to_owned()), ("state", "a b&c=d#e".to_owned())];
    for uri in ["https://tpp.example/callback?from=bank&x=1", "https://tpp.example/callback", "com.tpp.app:/callback"] {
        let response = AuthorizationResponse {
            redirect_uri: uri.to_owned(),
            mode: ResponseMode::Fragment,
            parameters: parameters.clone(),
        };
        let expected = format!("{uri}#error=access_denied&state=a+b%26c%3Dd%23e");
        assert_eq!(response.delivery(), Delivery::Redirect(expected));
    }
}
