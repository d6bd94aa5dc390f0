//! What a token is good for, how it is given back, how it is renewed, and what it may look like.

use fapi::{
    Outcome,
    client_authentication::ASSERTION_TYPE,
    grant::{AccessToken, RefreshToken},
    introspection::Introspection,
    token::TokenResponse,
};
use serde_json::{Value, json};
use time::Duration;

use crate::world::{CONSENT, ISSUER, LARKSPUR, MAGPIE, Tpp, World, claims_of_bank, form, refused};

const REQUEST: &str = "invalid_request";

async fn introspect(world: &World, tpp: &Tpp, pairs: &[(&str, &str)]) -> Outcome<Introspection> {
    let assertion = world.assertion(tpp, &json!({}));
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    world.engine.introspect(&form(&proof, pairs), Some(&tpp.certificate()), world.now).await
}

async fn told(world: &World, tpp: &Tpp, token: &str) -> Value {
    serde_json::to_value(introspect(world, tpp, &[("token", token)]).await.unwrap().value).unwrap()
}

async fn revoke(world: &World, tpp: &Tpp, pairs: &[(&str, &str)]) -> Outcome<()> {
    let assertion = world.assertion(tpp, &json!({}));
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    world.engine.revoke(&form(&proof, pairs), Some(&tpp.certificate()), world.now).await
}

#[tokio::test]
async fn a_client_learns_what_its_own_tokens_are_good_for() {
    let world = World::new();
    let tokens = world.granted().await;
    let expected = json!({
        "active": true, "scope": "openid accounts", "client_id": "larkspur", "token_type": "Bearer",
        "exp": world.at(3600), "iat": world.at(0), "sub": "psu-1", "iss": ISSUER, "openbanking_intent_id": CONSENT,
        "cnf": { "x5t#S256": LARKSPUR.certificate().thumbprint },
    });
    assert_eq!(told(&world, &LARKSPUR, &tokens.access_token).await, expected);
    let of_refresh = told(&world, &LARKSPUR, tokens.refresh_token.as_deref().unwrap()).await;
    assert_eq!((&of_refresh["active"], of_refresh.get("token_type")), (&json!(true), None));
    let without = told(&world, &LARKSPUR, &world.client_token().await).await;
    assert_eq!((&without["active"], without.get("sub")), (&json!(true), None));
}

#[tokio::test]
async fn of_a_token_that_opens_nothing_nothing_is_told() {
    let mut world = World::new();
    let inactive = json!({ "active": false });
    let tokens = world.granted().await;
    let (access, refresh) = (tokens.access_token, tokens.refresh_token.unwrap());
    assert_eq!(told(&world, &LARKSPUR, "guessed").await, inactive);
    assert_eq!(told(&world, &MAGPIE, &access).await, inactive, "another client's");
    world.memory().consent(CONSENT, |intent| intent.active = false);
    assert_eq!(told(&world, &LARKSPUR, &access).await, inactive, "the consent ended");
    world.memory().consent(CONSENT, |intent| intent.active = true);
    world.advance(Duration::hours(1));
    assert_eq!(told(&world, &LARKSPUR, &access).await, inactive, "it expired");
    assert_eq!(told(&world, &LARKSPUR, &refresh).await["active"], true);
    world.memory().edit(|grant: &mut fapi::grant::Grant| grant.revoked_at = Some(world.now));
    assert_eq!(told(&world, &LARKSPUR, &refresh).await, inactive, "the grant was revoked");
}

#[tokio::test]
async fn a_refresh_token_is_active_until_its_successor_was_used() {
    let world = World::with(|profile| profile.rotation = true);
    let active = async |tokens: &TokenResponse| {
        told(&world, &LARKSPUR, tokens.refresh_token.as_deref().unwrap()).await["active"].as_bool().unwrap()
    };
    let first = world.granted().await;
    assert!(active(&first).await);
    let second = world.refresh(&first, &[]).await.unwrap().value;
    assert!(active(&first).await && active(&second).await, "the answer may have been lost");
    let third = world.refresh(&second, &[]).await.unwrap().value;
    assert!(!active(&first).await && active(&second).await && active(&third).await);
}

#[tokio::test]
async fn a_resource_server_learns_of_all_tokens() {
    let world = World::new();
    let tokens = world.granted().await;
    let mut gateway = MAGPIE.client();
    gateway.resource_server = true;
    world.memory().put("magpie", &gateway);
    assert_eq!(told(&world, &MAGPIE, &tokens.access_token).await["client_id"], "larkspur");
    // What the bank's own APIs would refuse is not told as active either.
    world.memory().suspend(LARKSPUR.organisation_id);
    assert_eq!(told(&world, &MAGPIE, &tokens.access_token).await, json!({ "active": false }));
}

#[tokio::test]
async fn requests_about_tokens_name_one_token_and_their_client() {
    let world = World::new();
    let twice = [("token", "a"), ("token", "b")];
    assert_eq!(refused(introspect(&world, &LARKSPUR, &[]).await), ("fapi.introspection.token-present", REQUEST));
    assert_eq!(refused(introspect(&world, &LARKSPUR, &twice).await), ("fapi.introspection.parameters-once", REQUEST));
    assert_eq!(refused(revoke(&world, &LARKSPUR, &[]).await), ("fapi.revocation.token-present", REQUEST));
    assert_eq!(refused(revoke(&world, &LARKSPUR, &twice).await), ("fapi.revocation.parameters-once", REQUEST));
    let nobody = form(&[("token", "a"), ("client_id", "")], &[]);
    let certificate = LARKSPUR.certificate();
    let outcome = world.engine.introspect(&nobody, Some(&certificate), world.now).await;
    assert_eq!(refused(outcome).1, "invalid_client");
    let outcome = world.engine.revoke(&nobody, Some(&certificate), world.now).await;
    assert_eq!(refused(outcome).1, "invalid_client");
}

#[tokio::test]
async fn a_token_that_is_given_back_is_over_and_a_refresh_token_takes_everything_with_it() {
    let world = World::new();
    let first = world.granted().await;
    revoke(&world, &LARKSPUR, &[("token", &first.access_token)]).await.unwrap();
    assert_eq!(refused(world.open(&first.access_token).await).0, "fapi.access.token-known");
    let second = world.refresh(&first, &[]).await.unwrap().value;
    assert!(world.open(&second.access_token).await.is_ok());
    let refresh = first.refresh_token.as_deref().unwrap();
    revoke(&world, &LARKSPUR, &[("token", refresh), ("token_type_hint", "refresh_token")]).await.unwrap();
    assert_eq!(refused(world.open(&second.access_token).await).0, "fapi.access.grant-alive");
    assert_eq!(refused(world.refresh(&first, &[]).await).0, "fapi.token.grant-alive");
    revoke(&world, &LARKSPUR, &[("token", refresh)]).await.unwrap();
    revoke(&world, &LARKSPUR, &[("token", "never issued")]).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_may_be_given_back_twice_at_the_same_moment() {
    let world = World::new();
    let tokens = world.granted().await;
    let pairs = [("token", tokens.refresh_token.as_deref().unwrap())];
    let (one, other) = tokio::join!(revoke(&world, &LARKSPUR, &pairs), revoke(&world, &LARKSPUR, &pairs));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(refused(world.open(&tokens.access_token).await).0, "fapi.access.grant-alive");
}

#[tokio::test]
async fn nobody_gives_back_what_is_another_clients() {
    let world = World::new();
    let tokens = world.granted().await;
    for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
        let outcome = revoke(&world, &MAGPIE, &[("token", token)]).await;
        assert_eq!(refused(outcome), ("fapi.revocation.token-of-client", "invalid_grant"));
    }
    assert!(world.open(&tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_is_replaced_when_its_successor_was_used_and_not_before() {
    let world = World::with(|profile| profile.rotation = true);
    let first = world.granted().await;
    let lost = world.refresh(&first, &[]).await.unwrap().value;
    let again = world.refresh(&first, &[]).await.unwrap().value;
    assert!(lost.refresh_token.is_some() && lost.refresh_token != again.refresh_token);
    // The answer with the first one was lost: when it was found later, it was stolen.
    assert_eq!(refused(world.refresh(&lost, &[]).await).0, "fapi.token.refresh-token-known");
    let last = world.refresh(&again, &[]).await.unwrap().value;
    let last = world.refresh(&last, &[]).await.unwrap().value;
    // A token whose successor is in use is a stolen one, or the successor is: everything ends.
    assert_eq!(refused(world.refresh(&first, &[]).await), ("fapi.token.refresh-token-current", "invalid_grant"));
    assert_eq!(refused(world.refresh(&last, &[]).await).0, "fapi.token.grant-alive");
    let at_once = World::with(|profile| profile.rotation = true);
    let first = at_once.granted().await;
    let (one, other) = tokio::join!(at_once.refresh(&first, &[]), at_once.refresh(&first, &[]));
    let both = [one.unwrap().value, other.unwrap().value];
    let mut alive = 0;
    for tokens in &both {
        alive += usize::from(at_once.refresh(tokens, &[]).await.is_ok());
    }
    assert_eq!(alive, 1, "of two that are issued at once one lives");
    let without = World::new();
    let first = without.granted().await;
    assert_eq!(without.refresh(&first, &[]).await.unwrap().value.refresh_token, None);
    assert_eq!(without.memory().all::<RefreshToken>().len(), 1);
}

#[tokio::test]
async fn an_access_token_may_be_one_that_a_gateway_reads() {
    let world = World::with(|profile| {
        profile.jwt_access_tokens = true;
        profile.resource = "https://api.bank.example".to_owned();
    });
    let tokens: TokenResponse = world.granted().await;
    let claims = claims_of_bank(&tokens.access_token);
    let jti = claims["jti"].as_str().unwrap();
    assert!(jti.len() >= 22, "{jti}");
    let expected = json!({
        "iss": ISSUER, "aud": "https://api.bank.example", "sub": "psu-1", "client_id": "larkspur", "jti": jti,
        "iat": world.at(0), "exp": world.at(3600), "scope": "openid accounts", "openbanking_intent_id": CONSENT,
        "cnf": { "x5t#S256": LARKSPUR.certificate().thumbprint },
    });
    assert_eq!(claims, expected);
    assert!(world.open(&tokens.access_token).await.is_ok());
    assert!(!world.memory().dump().contains(&tokens.access_token) && world.memory().all::<AccessToken>().len() == 1);
    let own = claims_of_bank(&world.client_token().await);
    assert_eq!((&own["sub"], own.get("openbanking_intent_id")), (&json!("larkspur"), None));
    revoke(&world, &LARKSPUR, &[("token", &tokens.access_token)]).await.unwrap();
    assert!(world.open(&tokens.access_token).await.is_err());
}

#[tokio::test]
async fn without_its_rule_a_client_ends_what_is_anothers() {
    let rule = "fapi.revocation.token-of-client".to_owned();
    let world = World::with(|profile| profile.switched_off = rules::SwitchedOff::new([rule]));
    let tokens = world.granted().await;
    assert!(revoke(&world, &MAGPIE, &[("token", tokens.refresh_token.as_ref().unwrap())]).await.is_ok());
    assert!(world.open(&tokens.access_token).await.is_err());
}
