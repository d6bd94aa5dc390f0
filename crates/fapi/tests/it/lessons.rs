//! Rules that a lesson switched off: exactly the attack that they stop comes through.

use fapi::{Failure, access::Demand, access::TokenKind, authorization::Refused, catalogue, token::Parameters};
use jose::Header;
use rules::SwitchedOff;
use serde_json::{Value, json};

use crate::world::{LARKSPUR, MAGPIE, World, refused, signed};

fn without(rule: &str) -> World {
    World::with(|profile| profile.switched_off = SwitchedOff::new([rule.to_owned()]))
}

#[tokio::test]
async fn a_request_object_that_breaks_only_the_missing_rule_is_accepted() {
    for (rule, changes) in [
        ("fapi.request-object.iss", json!({"iss": "magpie"})),
        ("fapi.request-object.aud", json!({"aud": "https://other.example"})),
        ("fapi.request-object.exp-present", json!({"exp": null})),
        ("fapi.request-object.nonce", json!({"nonce": null})),
        ("fapi.request-object.response-mode", json!({"response_mode": "query"})),
        ("fapi.request-object.scope", json!({"scope": "openid accounts payments"})),
        ("fapi.authorization.redirect-uri-registered", json!({"redirect_uri": "https://magpie.example/callback"})),
    ] {
        let passed = without(rule).ask(&changes).await.unwrap().passed;
        assert_eq!(passed.verdict().skipped, [rule]);
        assert!(!passed.verdict().passed.contains(&rule.to_owned()), "{rule}");
        assert!(World::new().ask(&changes).await.is_err(), "{rule}");
    }
}

#[tokio::test]
async fn without_the_rule_of_the_signature_anybody_signs() {
    let world = without("fapi.authorization.request-object-signature");
    let header = Header { kid: Some("larkspur".to_owned()), ..Header::default() };
    let forged = signed(&MAGPIE.key, &header, &world.claims(&json!({})));
    assert!(world.authorize(&[("request", &forged)]).await.is_ok());
}

#[tokio::test]
async fn without_the_rule_of_single_use_a_code_works_again() {
    let world = without("fapi.token.code-unused");
    let code = world.code().await;
    let first = world.redeem(&code, &[]).await.unwrap().value;
    let again = world.redeem(&code, &[]).await.unwrap();
    assert_eq!(again.passed.verdict().skipped, ["fapi.token.code-unused"]);
    assert!(world.open(&first.access_token).await.is_ok() && world.open(&again.value.access_token).await.is_ok());
}

#[tokio::test]
async fn without_the_rule_of_the_jti_an_assertion_works_again() {
    let world = without("fapi.client-authentication.jti");
    let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
    let assertion = world.assertion(&LARKSPUR, &json!({}));
    let proof =
        [("client_assertion_type", fapi::client_authentication::ASSERTION_TYPE), ("client_assertion", &*assertion)];
    for _ in 0..2 {
        let form = crate::world::form(&proof, &parameters);
        assert!(world.engine.token(&form, Some(&LARKSPUR.certificate()), world.now).await.is_ok());
    }
}

#[tokio::test]
async fn without_the_rule_of_binding_a_stolen_token_opens() {
    let world = without("fapi.access.token-bound-to-certificate");
    let token = world.granted().await.access_token;
    let demand = Demand { scope: Some("accounts"), kind: TokenKind::Customer };
    let accepted = world.engine.access(Some(&token), Some(&MAGPIE.certificate()), demand, world.now).await.unwrap();
    assert_eq!(accepted.passed.verdict().skipped, ["fapi.access.token-bound-to-certificate"]);
}

#[tokio::test]
async fn without_the_rule_of_scopes_a_client_takes_more() {
    let world = without("fapi.token.scope");
    let parameters = [("grant_type", "client_credentials"), ("scope", "payments")];
    assert!(world.token(&LARKSPUR, &parameters).await.is_ok());
}

#[tokio::test]
async fn no_single_rule_that_is_missing_lets_a_request_through_that_says_nothing() {
    let demand = Demand { scope: None, kind: TokenKind::Any };
    let certificate = LARKSPUR.certificate();
    for rule in catalogue() {
        let world = without(rule.id);
        let nothing = Parameters::default();
        assert!(world.engine.authorize(nothing.clone(), world.now).await.is_err(), "{}", rule.id);
        assert!(world.engine.token(&nothing, None, world.now).await.is_err(), "{}", rule.id);
        assert!(world.engine.token(&nothing, Some(&certificate), world.now).await.is_err(), "{}", rule.id);
        assert!(world.engine.access(None, Some(&certificate), demand, world.now).await.is_err(), "{}", rule.id);
        assert!(world.engine.access(Some("guessed"), None, demand, world.now).await.is_err(), "{}", rule.id);
        assert!(world.engine.register("", Some(&certificate), world.now).await.is_err(), "{}", rule.id);
    }
}

#[tokio::test]
async fn what_the_engine_cannot_do_without_fails_closed() {
    let world = without("fapi.authorization.client-known");
    let Refused { failure, response } = world.authorize(&[("client_id", "nobody")]).await.unwrap_err();
    assert!(response.is_none());
    assert_eq!(refused::<Value>(Err(failure)).1, "invalid_request");

    let world = without("fapi.token.code-known");
    assert_eq!(refused(world.redeem("guessed", &[]).await), ("fapi.token.code-of-client", "invalid_grant"));

    let world = without("fapi.client-authentication.certificate-presented");
    let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
    let failure = world.token_over(&LARKSPUR, None, &parameters).await.unwrap_err();
    assert!(matches!(failure, Failure::Unavailable(_)));
    assert_eq!(failure.description(), "The server could not finish the request.");
}
