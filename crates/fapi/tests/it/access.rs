//! What opens a protected resource.

use fapi::{
    Client, Outcome, PresentedCertificate,
    access::{self, Access, Demand, TokenKind, bearer},
    client::AuthenticationMethod,
    grant::{AccessToken, Grant},
};
use time::Duration;

use crate::world::{CONSENT, LARKSPUR, MAGPIE, World, assert_passed, refused, shown};

const TOKEN: &str = "invalid_token";

async fn demanded(world: &World, token: &str, scope: Option<&'static str>, kind: TokenKind) -> Outcome<Access> {
    let certificate = LARKSPUR.certificate();
    world.engine.access(Some(token), Some(&certificate), Demand { scope, kind }, world.now).await
}

#[tokio::test]
async fn a_customers_token_opens_the_resource_of_its_scope() {
    let world = World::new();
    let token = world.granted().await.access_token;
    let accepted = demanded(&world, &token, Some("accounts"), TokenKind::Customer).await.unwrap();
    assert_passed(&accepted.passed, &[access::RULES], &[]);
    let access = accepted.value;
    assert_eq!(
        ((*access.client).clone(), access.scopes),
        (LARKSPUR.client(), vec!["openid".to_owned(), "accounts".to_owned()])
    );
    assert_eq!(access.grant.unwrap().intent_id.as_deref(), Some(CONSENT));
}

#[tokio::test]
async fn a_token_is_sent_and_was_issued_here() {
    let world = World::new();
    let tokens = world.granted().await;
    let demand = Demand { scope: None, kind: TokenKind::Any };
    let none = world.engine.access(None, Some(&LARKSPUR.certificate()), demand, world.now).await;
    assert_eq!(refused(none), ("fapi.access.token-present", TOKEN));
    for other in ["", "guessed", tokens.refresh_token.as_deref().unwrap(), tokens.id_token.as_deref().unwrap()] {
        assert_eq!(refused(world.open(other).await), ("fapi.access.token-known", TOKEN), "{other}");
    }
    let digest = fapi::digest(&tokens.access_token);
    assert_eq!(refused(world.open(&digest).await), ("fapi.access.token-known", TOKEN));
}

#[tokio::test]
async fn a_token_works_only_with_the_certificate_that_it_was_issued_to() {
    let world = World::new();
    let demand = Demand { scope: None, kind: TokenKind::Any };
    for token in [world.granted().await.access_token, world.client_token().await] {
        let open = async |certificate: Option<&PresentedCertificate>| {
            world.engine.access(Some(&token), certificate, demand, world.now).await
        };
        assert_eq!(refused(open(None).await), ("fapi.access.certificate-presented", TOKEN));
        for other in [MAGPIE.certificate(), LARKSPUR.certificate_numbered(2)] {
            assert_eq!(refused(open(Some(&other)).await), ("fapi.access.token-bound-to-certificate", TOKEN));
        }
        assert!(open(Some(&LARKSPUR.certificate())).await.is_ok());
    }
}

#[tokio::test]
async fn a_certificate_that_leads_to_no_trusted_authority_opens_nothing_unless_the_client_registered_it() {
    let world = World::new();
    let demand = Demand { scope: None, kind: TokenKind::Any };
    // The very certificate that the token is bound to, shown without what leads to its authority.
    let alone = PresentedCertificate { anchored: false, ..LARKSPUR.certificate() };
    for token in [world.granted().await.access_token, world.client_token().await] {
        let open = async || world.engine.access(Some(&token), Some(&alone), demand, world.now).await;
        assert_eq!(refused(open().await), ("fapi.access.certificate-anchored", TOKEN));
        world.amend(|client| client.authentication_method = AuthenticationMethod::SelfSignedTlsClientAuth);
        assert!(open().await.is_ok());
        world.amend(|client| client.authentication_method = AuthenticationMethod::PrivateKeyJwt);
    }
}

#[tokio::test]
async fn a_token_lives_for_an_hour() {
    let mut world = World::new();
    let tokens = [world.granted().await.access_token, world.client_token().await];
    world.advance(Duration::hours(1) - Duration::SECOND);
    for token in &tokens {
        assert!(world.open(token).await.is_ok());
    }
    world.advance(Duration::SECOND);
    for token in &tokens {
        assert_eq!(refused(world.open(token).await), ("fapi.access.token-not-expired", TOKEN));
    }
}

#[tokio::test]
async fn a_token_ends_with_its_grant() {
    let world = World::new();
    let token = world.granted().await.access_token;
    let [(_, grant)] = <[_; 1]>::try_from(world.memory().all::<Grant>()).unwrap();
    world.memory().edit::<Grant>(|grant| grant.expires_at = Some(world.now + Duration::SECOND));
    assert!(world.open(&token).await.is_ok());
    world.memory().edit::<Grant>(|grant| grant.expires_at = Some(world.now));
    assert_eq!(refused(world.open(&token).await), ("fapi.access.grant-alive", TOKEN));
    world.memory().edit::<Grant>(|grant| grant.expires_at = None);
    world.engine.end_grant(Some(&grant), world.now).await.unwrap();
    assert_eq!(refused(world.open(&token).await), ("fapi.access.grant-alive", TOKEN));
    world.memory().forget::<Grant>(&grant.id);
    assert_eq!(refused(world.open(&token).await), ("fapi.access.grant-alive", TOKEN));
    assert!(world.open(&world.client_token().await).await.is_ok());
}

#[tokio::test]
async fn a_token_rests_while_its_consent_is_not_authorised() {
    let world = World::new();
    let token = world.granted().await.access_token;
    world.memory().consent(CONSENT, |intent| intent.active = false);
    assert_eq!(refused(world.open(&token).await), ("fapi.access.intent-active", TOKEN));
    assert!(world.open(&world.client_token().await).await.is_ok());
    world.memory().consent(CONSENT, |intent| intent.active = true);
    assert!(world.open(&token).await.is_ok());
}

#[tokio::test]
async fn a_token_ends_with_the_registration_of_its_client() {
    let world = World::new();
    let token = world.client_token().await;
    world.memory().forget::<Client>("larkspur");
    assert_eq!(refused(world.open(&token).await), ("fapi.access.client-registered", TOKEN));
}

#[tokio::test]
async fn a_resource_says_whether_a_customer_stands_behind_the_token() {
    let world = World::new();
    let (customer, client) = (world.granted().await.access_token, world.client_token().await);
    for (token, kind, opens) in [
        (&customer, TokenKind::Customer, true),
        (&customer, TokenKind::Client, false),
        (&customer, TokenKind::Any, true),
        (&client, TokenKind::Client, true),
        (&client, TokenKind::Customer, false),
        (&client, TokenKind::Any, true),
    ] {
        let outcome = demanded(&world, token, Some("accounts"), kind).await;
        if opens {
            assert!(outcome.is_ok(), "{kind:?}");
        } else {
            assert_eq!(refused(outcome), ("fapi.access.token-kind", TOKEN), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_token_opens_no_resource_beyond_its_scope() {
    let world = World::new();
    let token = world.client_token().await;
    for scope in ["payments", "openid", "account"] {
        let outcome = demanded(&world, &token, Some(scope), TokenKind::Any).await;
        assert_eq!(refused(outcome), ("fapi.access.scope", "insufficient_scope"), "{scope}");
    }
    world.memory().edit::<AccessToken>(|token| token.scopes.clear());
    assert_eq!(refused(world.open(&token).await), ("fapi.access.scope", "insufficient_scope"));
    assert!(demanded(&world, &token, None, TokenKind::Any).await.is_ok());
}

#[test]
fn a_bearer_token_is_what_follows_the_scheme_in_any_case() {
    for (header, token) in [
        (Some("Bearer abc"), Some("abc")),
        (Some("bearer abc"), Some("abc")),
        (Some("BEARER  abc "), Some("abc")),
        (Some("Bearer"), None),
        (Some("Bearer "), None),
        (Some("Basic abc"), None),
        (Some("abc"), None),
        (None, None),
    ] {
        assert_eq!(bearer(header), token, "{header:?}");
    }
}

#[tokio::test]
async fn a_client_whose_organisation_may_not_take_part_is_refused_everywhere() {
    let world = World::new();
    let tokens = world.granted().await;
    world.memory().suspend(LARKSPUR.organisation_id);
    assert_eq!(refused(world.open(&tokens.access_token).await), ("fapi.access.organisation-active", "invalid_token"));
    let outcome = world.token(&LARKSPUR, &[("grant_type", "client_credentials")]).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.organisation-active", "invalid_client"));
    let outcome = world.ask(&serde_json::json!({})).await;
    assert_eq!(shown(outcome), ("fapi.authorization.organisation-active", "unauthorized_client"));
}
