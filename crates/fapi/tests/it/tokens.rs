//! The token endpoint: codes that are redeemed, and tokens without a customer.

use fapi::{
    Client, PresentedCertificate, client_authentication,
    grant::{AccessToken, AuthorizationCode, Grant, RefreshToken},
    parameters::Parameters,
};
use jose::hash::left_half_sha256;
use serde_json::json;
use time::Duration;

use crate::world::{CONSENT, ISSUER, LARKSPUR, MAGPIE, World, assert_passed, claims_of_bank, redemption, refused};

const GRANT: &str = "invalid_grant";

fn borrowed<'a>(parameters: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn a_code_is_redeemed_for_tokens_that_are_bound_to_it() {
    let world = World::new();
    let code = world.code().await;
    let accepted = world.redeem(&code, &[]).await.unwrap();
    let tokens = accepted.value;
    assert_eq!(
        (tokens.token_type, tokens.expires_in, tokens.scope.as_deref()),
        ("Bearer", 3600, Some("openid accounts"))
    );
    let claims = claims_of_bank(tokens.id_token.as_deref().unwrap());
    let expected = json!({
        "iss": ISSUER, "sub": "psu-1", "aud": "larkspur", "iat": world.at(0), "exp": world.at(300),
        "auth_time": world.at(-20), "nonce": "nonce-1", "acr": "urn:openbanking:psd2:sca",
        "openbanking_intent_id": CONSENT, "at_hash": left_half_sha256(&tokens.access_token),
    });
    assert_eq!(claims, expected);
    let access = world.open(&tokens.access_token).await.unwrap().value;
    assert_eq!(
        (access.client.client_id.clone(), access.grant.unwrap().subject),
        ("larkspur".to_owned(), "psu-1".to_owned())
    );
    let of_code = [
        "code-present",
        "code-known",
        "code-of-client",
        "code-unused",
        "code-not-expired",
        "redirect-uri",
        "code-verifier",
        "grant-alive",
        "intent-active",
    ]
    .map(|name| format!("fapi.token.{name}"));
    let found: Vec<_> =
        accepted.passed.rules.iter().map(|rule| rule.id).filter(|id| id.starts_with("fapi.token.")).collect();
    assert!(of_code.iter().all(|id| found.contains(&id.as_str())), "{found:?}");
}

#[tokio::test]
async fn each_rule_of_codes_refuses_what_breaks_it_and_leaves_the_code_alone() {
    let world = World::new();
    let code = world.code().await;
    let before = world.memory().dump();
    let other = format!("{}x", LARKSPUR.redirect_uri());
    for (rule, error, changes) in [
        ("fapi.token.code-present", "invalid_request", [("code", "")]),
        ("fapi.token.code-known", GRANT, [("code", "guessed")]),
        ("fapi.token.redirect-uri", GRANT, [("redirect_uri", "")]),
        ("fapi.token.redirect-uri", GRANT, [("redirect_uri", "https://larkspur.example/other")]),
        ("fapi.token.redirect-uri", GRANT, [("redirect_uri", &*other)]),
        ("fapi.token.code-verifier", GRANT, [("code_verifier", "")]),
        ("fapi.token.code-verifier", GRANT, [("code_verifier", "another-verifier-another-verifier-another-v")]),
        ("fapi.token.code-verifier", GRANT, [("code_verifier", crate::world::CHALLENGE)]),
    ] {
        assert_eq!(refused(world.redeem(&code, &changes).await), (rule, error), "{changes:?}");
    }
    assert_eq!(world.memory().dump(), before);
    assert!(world.redeem(&code, &[]).await.is_ok());
}

#[tokio::test]
async fn a_code_without_challenge_takes_no_verifier() {
    let world = World::new();
    let code = world.code_for(&json!({"code_challenge": null, "code_challenge_method": null})).await;
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.token.code-verifier", GRANT));
    assert!(world.redeem(&code, &[("code_verifier", "")]).await.is_ok());
}

#[tokio::test]
async fn a_code_lives_for_sixty_seconds() {
    let mut world = World::new();
    let (early, late) = (world.code().await, world.code().await);
    world.advance(Duration::seconds(59));
    assert!(world.redeem(&early, &[]).await.is_ok());
    world.advance(Duration::seconds(1));
    assert_eq!(refused(world.redeem(&late, &[]).await), ("fapi.token.code-not-expired", GRANT));
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_was_redeemed_for() {
    let mut world = World::new();
    let code = world.code().await;
    let tokens = world.redeem(&code, &[]).await.unwrap().value;
    let refreshed = world.refresh(&tokens, &[]).await.unwrap().value;
    world.advance(Duration::seconds(1));
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.token.code-unused", GRANT));
    for token in [&tokens.access_token, &refreshed.access_token] {
        assert_eq!(refused(world.open(token).await), ("fapi.access.grant-alive", "invalid_token"));
    }
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.grant-alive", GRANT));
    assert!(world.open(&world.client_token().await).await.is_ok());
}

#[tokio::test]
async fn a_late_or_mangled_replay_ends_the_grant_as_well() {
    for (after, changes) in [
        (Duration::minutes(30), [("code_verifier", "")]),
        (Duration::seconds(1), [("redirect_uri", "https://elsewhere.example")]),
    ] {
        let mut world = World::new();
        let code = world.code().await;
        let tokens = world.redeem(&code, &[]).await.unwrap().value;
        world.advance(after);
        assert_eq!(refused(world.redeem(&code, &changes).await), ("fapi.token.code-unused", GRANT));
        assert_eq!(refused(world.open(&tokens.access_token).await), ("fapi.access.grant-alive", "invalid_token"));
    }
}

#[tokio::test]
async fn of_two_redemptions_at_the_same_time_one_is_refused_and_nothing_of_the_other_lives_on() {
    let world = World::new();
    let code = world.code().await;
    let (one, other) = tokio::join!(world.redeem(&code, &[]), world.redeem(&code, &[]));
    let (first, second) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(refused(second), ("fapi.token.code-unused", GRANT));
    let tokens = first.unwrap().value;
    assert_eq!(refused(world.open(&tokens.access_token).await), ("fapi.access.grant-alive", "invalid_token"));
    assert_eq!(world.memory().all::<AccessToken>().len(), 1);
}

#[tokio::test]
async fn a_code_of_one_client_is_nothing_to_another_and_its_attempt_ends_nothing() {
    let world = World::new();
    let code = world.code().await;
    let parameters = redemption(&code);
    let stolen = async || refused(world.token(&MAGPIE, &borrowed(&parameters)).await);
    assert_eq!(stolen().await, ("fapi.token.code-of-client", GRANT));
    let tokens = world.redeem(&code, &[]).await.unwrap().value;
    assert_eq!(stolen().await, ("fapi.token.code-of-client", GRANT));
    assert!(world.open(&tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn a_code_needs_a_certificate_of_the_client_and_its_token_that_very_one() {
    let world = World::new();
    let code = world.code().await;
    let parameters = redemption(&code);
    let redeem = async |certificate: Option<&PresentedCertificate>| {
        world.token_over(&LARKSPUR, certificate, &borrowed(&parameters)).await
    };
    let none = refused(redeem(None).await);
    assert_eq!(none, ("fapi.client-authentication.certificate-presented", "invalid_client"));
    let foreign = refused(redeem(Some(&MAGPIE.certificate())).await);
    assert_eq!(foreign, ("fapi.client-authentication.certificate-of-client", "invalid_client"));
    let renewed = LARKSPUR.certificate_numbered(2);
    let tokens = redeem(Some(&renewed)).await.unwrap().value;
    let first = refused(world.open(&tokens.access_token).await);
    assert_eq!(first, ("fapi.access.token-bound-to-certificate", "invalid_token"));
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_its_grant_or_consent_ended() {
    let world = World::new();
    let code = world.code().await;
    world.memory().consent(CONSENT, |intent| intent.active = false);
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.token.intent-active", GRANT));
    world.memory().consent(CONSENT, |intent| intent.active = true);
    world.memory().edit::<Grant>(|grant| grant.revoked_at = Some(grant.authenticated_at));
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.token.grant-alive", GRANT));
    world.memory().edit::<Grant>(|grant| (grant.revoked_at, grant.expires_at) = (None, Some(world.now)));
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.token.grant-alive", GRANT));
    world.memory().edit::<Grant>(|grant| grant.expires_at = Some(world.now + Duration::SECOND));
    assert!(world.redeem(&code, &[]).await.is_ok());
}

#[tokio::test]
async fn a_grant_ends_when_its_consent_does() {
    let world = World::new();
    let end = world.now + Duration::minutes(30);
    world.memory().consent(CONSENT, |intent| intent.expires_at = Some(end));
    world.granted().await;
    let memory = world.memory();
    assert_eq!(memory.all::<Grant>()[0].1.expires_at, Some(end));
    assert_eq!(memory.all::<RefreshToken>()[0].1.expires_at, Some(end));
}

#[tokio::test]
async fn a_client_without_the_grant_type_gets_no_refresh_token_and_no_customer() {
    let world = World::new();
    let code = world.code().await;
    world.reregister(|client| client.grant_types = vec!["authorization_code".to_owned()]);
    assert_eq!(world.redeem(&code, &[]).await.unwrap().value.refresh_token, None);
    assert_eq!(world.memory().all::<RefreshToken>(), []);
    for parameters in [
        [("grant_type", "client_credentials"), ("scope", "accounts")],
        [("grant_type", "refresh_token"), ("refresh_token", "guessed")],
    ] {
        let outcome = world.token(&LARKSPUR, &parameters).await;
        assert_eq!(refused(outcome), ("fapi.token.grant-type-registered", "unauthorized_client"));
    }
}

#[tokio::test]
async fn a_server_without_customers_redeems_nothing() {
    let world = World::with(|profile| profile.grant_types = vec!["client_credentials"]);
    let outcome = world.redeem("guessed", &[]).await;
    assert_eq!(refused(outcome), ("fapi.token.grant-type-known", "unsupported_grant_type"));
    assert!(world.open(&world.client_token().await).await.is_ok());
}

#[tokio::test]
async fn the_grant_type_is_one_that_there_is() {
    let world = World::new();
    let outcome = world.token(&LARKSPUR, &[("grant_type", "")]).await;
    assert_eq!(refused(outcome), ("fapi.token.grant-type-present", "invalid_request"));
    for grant_type in ["password", "implicit"] {
        let outcome = world.token(&LARKSPUR, &[("grant_type", grant_type)]).await;
        assert_eq!(refused(outcome), ("fapi.token.grant-type-known", "unsupported_grant_type"), "{grant_type}");
    }
}

#[tokio::test]
async fn a_parameter_comes_once() {
    let world = World::new();
    let assertion = world.assertion(&LARKSPUR, &json!({}));
    let twice = [
        ("grant_type", "client_credentials"),
        ("client_assertion", &*assertion),
        ("scope", "accounts"),
        ("scope", "accounts"),
    ];
    let twice = twice.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let outcome = world.engine.token(&Parameters::new(twice), Some(&LARKSPUR.certificate()), world.now).await;
    assert_eq!(refused(outcome), ("fapi.token.parameters-once", "invalid_request"));
}

#[tokio::test]
async fn a_token_without_a_customer_has_the_scopes_that_were_asked_for() {
    let world = World::new();
    let ask = async |scope| world.token(&LARKSPUR, &[("grant_type", "client_credentials"), ("scope", scope)]).await;
    for (scope, rule) in [
        ("payments", "fapi.token.scope"),
        ("accounts payments", "fapi.token.scope"),
        ("openid", "fapi.token.scope-without-user"),
        ("openid accounts", "fapi.token.scope-without-user"),
    ] {
        assert_eq!(refused(ask(scope).await), (rule, "invalid_scope"), "{scope}");
    }
    let accepted = ask("accounts").await.unwrap();
    let of_this_grant = ["fapi.token.parameters-once", "fapi.token.grant-type", "fapi.token.scope"];
    let others: Vec<_> = fapi::token::RULES.iter().map(|rule| rule.id).collect();
    let others: Vec<_> = others.into_iter().filter(|id| !of_this_grant.iter().any(|own| id.starts_with(own))).collect();
    let of_other_methods = ["certificate-subject", "certificate-registered", "secret"];
    let of_other_methods = of_other_methods.map(|rule| format!("fapi.client-authentication.{rule}"));
    let others: Vec<_> = others.into_iter().chain(of_other_methods.iter().map(String::as_str)).collect();
    assert_passed(
        &accepted.passed,
        &[fapi::parameters::RULES, client_authentication::RULES, fapi::token::RULES],
        &others,
    );
    let tokens = accepted.value;
    assert_eq!((tokens.scope.as_deref(), tokens.refresh_token, tokens.id_token), (Some("accounts"), None, None));
    assert_eq!(ask("").await.unwrap().value.scope, None);
    assert_eq!(world.memory().all::<AccessToken>().len(), 2);
}

#[tokio::test]
async fn a_client_that_was_deleted_gets_no_tokens() {
    let world = World::new();
    let code = world.code().await;
    world.memory().forget::<Client>("larkspur");
    assert_eq!(refused(world.redeem(&code, &[]).await), ("fapi.client-authentication.client-known", "invalid_client"));
    assert_eq!(world.memory().all::<AuthorizationCode>().len(), 1);
}
