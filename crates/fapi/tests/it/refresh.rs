//! Refresh tokens: bound to the client and its grant, not to a certificate.

use fapi::{
    PresentedCertificate,
    grant::{AccessToken, Grant, RefreshToken},
};
use jose::hash::left_half_sha256;
use serde_json::Value;
use time::Duration;

use crate::world::{CONSENT, LARKSPUR, MAGPIE, World, claims_of_bank, refused};

const GRANT: &str = "invalid_grant";

#[tokio::test]
async fn a_refreshed_token_stands_for_the_same_authentication() {
    let mut world = World::new();
    let tokens = world.granted().await;
    world.advance(Duration::hours(2));
    assert_eq!(refused(world.open(&tokens.access_token).await), ("fapi.access.token-not-expired", "invalid_token"));
    let accepted = world.refresh(&tokens, &[]).await.unwrap();
    let refreshed = accepted.value;
    let rules: Vec<_> = accepted.passed.rules.iter().map(|rule| rule.id).collect();
    for name in ["present", "known", "of-client"] {
        assert!(rules.contains(&&*format!("fapi.token.refresh-token-{name}")), "{rules:?}");
    }
    assert!(world.open(&refreshed.access_token).await.is_ok());
    assert_eq!((refreshed.refresh_token, refreshed.scope.as_deref()), (None, Some("openid accounts")));
    let (first, second) = (claims_of_bank(&tokens.id_token.unwrap()), claims_of_bank(&refreshed.id_token.unwrap()));
    for name in ["iss", "sub", "aud", "auth_time", "acr", "openbanking_intent_id"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    assert_eq!((&second["iat"], second.get("nonce")), (&Value::from(world.at(0)), None));
    assert_eq!(second["at_hash"], left_half_sha256(&refreshed.access_token));
}

#[tokio::test]
async fn a_refresh_token_may_be_used_again() {
    let world = World::new();
    let tokens = world.granted().await;
    let one = world.refresh(&tokens, &[]).await.unwrap().value.access_token;
    let other = world.refresh(&tokens, &[]).await.unwrap().value.access_token;
    assert_ne!(one, other);
    assert!(world.open(&one).await.is_ok() && world.open(&other).await.is_ok());
}

#[tokio::test]
async fn a_refreshed_token_has_at_most_the_granted_scopes() {
    let world = World::new();
    let tokens = world.granted().await;
    for scope in ["payments", "accounts payments"] {
        let outcome = world.refresh(&tokens, &[("scope", scope)]).await;
        assert_eq!(refused(outcome), ("fapi.token.refresh-scope", "invalid_scope"));
    }
    let narrow = world.refresh(&tokens, &[("scope", "openid")]).await.unwrap().value;
    assert_eq!(narrow.scope.as_deref(), Some("openid"));
    let outcome = world.open(&narrow.access_token).await;
    assert_eq!(refused(outcome), ("fapi.access.scope", "insufficient_scope"));
    assert!(world.refresh(&tokens, &[("scope", "accounts openid")]).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_is_sent_and_known() {
    let world = World::new();
    let tokens = world.granted().await;
    for (token, rule, error) in [
        ("", "fapi.token.refresh-token-present", "invalid_request"),
        ("guessed", "fapi.token.refresh-token-known", GRANT),
        (&*tokens.access_token, "fapi.token.refresh-token-known", GRANT),
    ] {
        let outcome = world.token(&LARKSPUR, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        assert_eq!(refused(outcome), (rule, error), "{token}");
    }
}

#[tokio::test]
async fn a_refresh_token_of_one_client_is_nothing_to_another() {
    let world = World::new();
    let tokens = world.granted().await;
    let outcome = world.refresh_as(&MAGPIE, &tokens, &[]).await;
    assert_eq!(refused(outcome), ("fapi.token.refresh-token-of-client", GRANT));
    assert!(world.refresh(&tokens, &[]).await.is_ok());
}

#[tokio::test]
async fn a_renewed_certificate_refreshes_and_the_new_token_is_bound_to_it() {
    let world = World::new();
    let tokens = world.granted().await;
    let token = tokens.refresh_token.as_deref().unwrap();
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let refresh =
        async |certificate: Option<&PresentedCertificate>| world.token_over(&LARKSPUR, certificate, &parameters).await;
    let refreshed = refresh(Some(&LARKSPUR.certificate_numbered(2))).await.unwrap().value;
    let key = fapi::digest(&refreshed.access_token);
    let bound = world.memory().all::<AccessToken>().into_iter().find(|(found, _)| *found == key).unwrap().1;
    assert_eq!(bound.thumbprint, "thumbprint-larkspur-2");
    let outcome = refresh(Some(&MAGPIE.certificate())).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.certificate-of-client", "invalid_client"));
    let outcome = refresh(None).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.certificate-presented", "invalid_client"));
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_grant_and_rests_with_its_consent() {
    let world = World::new();
    let tokens = world.granted().await;
    world.memory().consent(CONSENT, |intent| intent.active = false);
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.intent-active", GRANT));
    world.memory().consent(CONSENT, |intent| intent.active = true);
    assert!(world.refresh(&tokens, &[]).await.is_ok());
    let [(_, grant)] = <[_; 1]>::try_from(world.memory().all::<Grant>()).unwrap();
    world.engine.end_grant(Some(&grant), world.now).await.unwrap();
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.grant-alive", GRANT));
    world.memory().forget::<Grant>(&grant.id);
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.grant-alive", GRANT));
}

#[tokio::test]
async fn a_refresh_token_lasts_as_long_as_the_consent() {
    let mut world = World::new();
    let end = world.now + Duration::days(90);
    world.memory().consent(CONSENT, |intent| intent.expires_at = Some(end));
    let tokens = world.granted().await;
    let told = claims_of_bank(tokens.id_token.as_deref().unwrap());
    assert_eq!(told["http://openbanking.org.uk/refresh_token_expires_at"], end.unix_timestamp());
    world.advance(Duration::days(90) - Duration::SECOND);
    assert!(world.refresh(&tokens, &[]).await.is_ok());
    world.advance(Duration::SECOND);
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.refresh-token-known", GRANT));
    world.memory().edit::<RefreshToken>(|token| token.expires_at = None);
    assert_eq!(refused(world.refresh(&tokens, &[]).await), ("fapi.token.grant-alive", GRANT));
}
