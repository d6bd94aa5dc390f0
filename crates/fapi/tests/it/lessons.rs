//! Rules that a lesson switched off: exactly the attack that they stop comes through.

use fapi::{
    Failure,
    access::{Demand, TokenKind},
    authorization::Refused,
    catalogue,
    client_authentication::ASSERTION_TYPE,
    grant::Grant,
    parameters::Parameters,
};
use jose::{Algorithm, Header};
use rules::SwitchedOff;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{
    CONSENT, CONSENT_OF_MAGPIE, LARKSPUR, MAGPIE, VERIFIER, World, form, parameter, redemption, refused, shown, signed,
    unsigned,
};

fn without(rule: &str) -> World {
    World::with(|profile| profile.switched_off = SwitchedOff::new([rule.to_owned()]))
}

#[tokio::test]
async fn a_request_object_that_breaks_only_the_missing_rule_is_accepted() {
    let now = World::new().now.unix_timestamp();
    let intent = |id: &str| json!({"id_token": {"openbanking_intent_id": {"value": id, "essential": true}}});
    let reach = json!({"id_token": {
        "openbanking_intent_id": {"value": CONSENT, "essential": true},
        "acr": {"value": "urn:example:impossible", "essential": true},
    }});
    for (rule, changes) in [
        ("fapi.request-object.iss", json!({"iss": "magpie"})),
        ("fapi.request-object.client-id", json!({"client_id": "magpie"})),
        ("fapi.request-object.aud", json!({"aud": "https://other.example"})),
        ("fapi.request-object.exp-present", json!({"exp": null})),
        ("fapi.request-object.nbf-present", json!({"nbf": null})),
        ("fapi.request-object.exp", json!({"exp": now - 60, "nbf": now - 90})),
        ("fapi.request-object.lifetime", json!({"exp": now + 7200})),
        ("fapi.request-object.nbf", json!({"nbf": now + 120})),
        ("fapi.request-object.not-nested", json!({"request": "a.b.c"})),
        ("fapi.request-object.nonce", json!({"nonce": null})),
        ("fapi.request-object.response-mode", json!({"response_mode": "query"})),
        ("fapi.request-object.scope", json!({"scope": "openid accounts payments"})),
        ("fapi.request-object.scope-present", json!({"scope": "accounts"})),
        ("fapi.request-object.intent-scope", json!({"scope": "openid"})),
        ("fapi.request-object.pkce", json!({"code_challenge_method": "plain"})),
        ("fapi.request-object.intent-named", json!({"claims": {}})),
        ("fapi.request-object.intent-of-client", json!({"claims": intent(CONSENT_OF_MAGPIE)})),
        ("fapi.request-object.acr", json!({"claims": reach})),
        ("fapi.authorization.redirect-uri-registered", json!({"redirect_uri": "https://magpie.example/callback"})),
    ] {
        let world = without(rule);
        let passed = world.ask(&changes).await.unwrap_or_else(|refused| panic!("{rule}: {refused:?}")).passed;
        assert_eq!(passed.verdict().skipped, [rule]);
        assert!(!passed.verdict().passed.contains(&rule.into()), "{rule}");
        // What came in is decided like any other request.
        let interaction = world.interaction(&changes).await;
        assert!(parameter(&world.decide(&interaction, &world.approval()).await, "code").is_some(), "{rule}");
        let failure = World::new().ask(&changes).await.unwrap_err().failure;
        assert_eq!(refused::<Value>(Err(failure)).0, rule);
    }
}

#[tokio::test]
async fn a_client_assertion_that_breaks_only_the_missing_rule_is_accepted() {
    let now = World::new().now.unix_timestamp();
    for (rule, changes) in [
        ("iss", json!({"iss": "magpie"})),
        ("aud", json!({"aud": "https://other.example"})),
        ("exp", json!({"exp": now - 60})),
        ("lifetime", json!({"exp": now + 7200})),
        ("nbf", json!({"nbf": now + 120})),
    ] {
        let rule = format!("fapi.client-authentication.{rule}");
        let ask = async |world: &World| {
            let assertion = world.assertion(&LARKSPUR, &changes);
            let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &*assertion)];
            let form = form(&proof, &[("grant_type", "client_credentials"), ("scope", "accounts")]);
            world.engine.token(&form, Some(&LARKSPUR.certificate()), world.now).await
        };
        assert_eq!(ask(&without(&rule)).await.unwrap().passed.verdict().skipped, [rule.as_str()]);
        assert_eq!(refused(ask(&World::new()).await).0, rule);
    }
}

#[tokio::test]
async fn without_the_rule_of_algorithms_what_a_token_names_is_believed() {
    let rule = "fapi.client-authentication.alg";
    let claims = World::new().assertion_claims(&LARKSPUR, &json!({}));
    let foreign = signed(&MAGPIE.pair.signing(Algorithm::Rs256), &Header::default(), &claims);
    let ask = async |world: &World, assertion: &str| {
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
        let form = form(&proof, &[("grant_type", "client_credentials"), ("scope", "accounts")]);
        world.engine.token(&form, Some(&LARKSPUR.certificate()), world.now).await
    };
    let assertion = unsigned("none", &claims);
    assert!(ask(&without(rule), &assertion).await.is_ok());
    assert_eq!(refused(ask(&World::new(), &assertion).await).0, rule);
    // A signature that is there is still looked at.
    assert_eq!(refused(ask(&without(rule), &foreign).await).0, "fapi.client-authentication.signature");

    let rule = "fapi.authorization.request-object-alg";
    let request = unsigned("none", &World::new().claims(&json!({})));
    assert!(without(rule).authorize(&[("request", &request)]).await.is_ok());
    assert_eq!(shown(World::new().authorize(&[("request", &request)]).await).0, rule);
}

#[tokio::test]
async fn stolen_codes_and_refresh_tokens_work_for_another_client() {
    let redeem = async |world: &World, code: &str, change: (&str, &str), tpp| {
        let mut all = redemption(code);
        all.retain(|(name, _)| *name != change.0);
        let mut all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.push(change);
        world.token(tpp, &all).await
    };
    let same = ("code_verifier", VERIFIER);
    for (rule, change, tpp) in [
        ("fapi.token.code-of-client", same, &*MAGPIE),
        ("fapi.token.redirect-uri", ("redirect_uri", "https://magpie.example/callback"), &*LARKSPUR),
        ("fapi.token.code-verifier", ("code_verifier", "another-verifier-of-forty-three-characters--"), &*LARKSPUR),
    ] {
        let world = without(rule);
        let code = world.code().await;
        let stolen = redeem(&world, &code, change, tpp).await.unwrap();
        assert_eq!(stolen.passed.verdict().skipped, [rule]);
        let demand = Demand { scope: Some("accounts"), kind: TokenKind::Customer };
        let token = Some(&*stolen.value.access_token);
        let access = world.engine.access(token, Some(&tpp.certificate()), demand, world.now).await.unwrap().value;
        assert_eq!(access.grant.unwrap().intent_id.as_deref(), Some(CONSENT), "{rule}");
        let world = World::new();
        let code = world.code().await;
        assert_eq!(refused(redeem(&world, &code, change, tpp).await).0, rule);
    }
    let rule = "fapi.token.refresh-token-of-client";
    let world = without(rule);
    let tokens = world.granted().await;
    assert!(world.refresh_as(&MAGPIE, &tokens, &[]).await.is_ok());
    let rule = "fapi.token.refresh-scope";
    let world = without(rule);
    let tokens = world.granted().await;
    let more = world.refresh(&tokens, &[("scope", "openid accounts payments")]).await.unwrap().value;
    assert_eq!(more.scope.as_deref(), Some("openid accounts payments"));
}

#[tokio::test]
async fn what_is_over_works_on() {
    for (rule, by) in
        [("fapi.token.code-not-expired", Duration::minutes(2)), ("fapi.access.token-not-expired", Duration::hours(2))]
    {
        for (mut world, accepted) in [(without(rule), true), (World::new(), false)] {
            let outcome = if rule.contains("code") {
                let code = world.code().await;
                world.advance(by);
                world.redeem(&code, &[]).await.map(drop)
            } else {
                let token = world.granted().await.access_token;
                world.advance(by);
                world.open(&token).await.map(drop)
            };
            assert_eq!(outcome.is_ok(), accepted, "{rule}");
        }
    }
    // A grant that was revoked, and a consent that was taken back.
    for (rule, accepted) in [(Some("fapi.access.grant-alive"), true), (None, false)] {
        let world = rule.map_or_else(World::new, without);
        let token = world.granted().await.access_token;
        world.memory().edit(|grant: &mut Grant| grant.revoked_at = Some(world.now));
        assert_eq!(world.open(&token).await.is_ok(), accepted);
    }
    for (rule, accepted) in [(Some("fapi.access.intent-active"), true), (None, false)] {
        let world = rule.map_or_else(World::new, without);
        let token = world.granted().await.access_token;
        world.memory().consent(CONSENT, |intent| intent.active = false);
        assert_eq!(world.open(&token).await.is_ok(), accepted);
    }
    for (rule, accepted) in
        [(Some("fapi.token.grant-alive"), true), (Some("fapi.token.intent-active"), false), (None, false)]
    {
        let world = rule.map_or_else(World::new, without);
        let tokens = world.granted().await;
        world.memory().edit(|grant: &mut Grant| grant.revoked_at = Some(world.now));
        assert_eq!(world.refresh(&tokens, &[]).await.is_ok(), accepted);
    }
}

#[tokio::test]
async fn an_organisation_that_may_not_take_part_goes_on() {
    for (area, accepted) in [("client-authentication", true), ("access", true), ("authorization", true), ("", false)] {
        let world = without(&format!("fapi.{area}.organisation-active"));
        let token = world.client_token().await;
        world.memory().suspend(LARKSPUR.organisation_id);
        let outcome = match area {
            "access" => world.open(&token).await.is_ok(),
            "authorization" => world.ask(&json!({})).await.is_ok(),
            _ => world.token(&LARKSPUR, &[("grant_type", "client_credentials")]).await.is_ok(),
        };
        assert_eq!(outcome, accepted, "{area}");
    }
}

#[tokio::test]
async fn no_certificate_is_needed_where_the_rule_is_missing() {
    let world = without("fapi.client-authentication.certificate-presented");
    let parameters = [("grant_type", "client_credentials"), ("scope", "accounts")];
    assert!(world.token_over(&LARKSPUR, None, &parameters).await.is_ok());
    let world = without("fapi.access.certificate-presented");
    let token = world.client_token().await;
    let demand = Demand { scope: Some("accounts"), kind: TokenKind::Client };
    assert!(world.engine.access(Some(&token), None, demand, world.now).await.is_ok());
    // The binding still holds for whoever has a certificate.
    assert!(world.engine.access(Some(&token), Some(&MAGPIE.certificate()), demand, world.now).await.is_err());
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
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &*assertion)];
    for _ in 0..2 {
        let form = form(&proof, &parameters);
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
        let authorized = world.engine.authorize(nothing.clone(), world.now).await;
        for outcome in [
            authorized.map(drop).map_err(|refused| refused.failure),
            world.engine.token(&nothing, None, world.now).await.map(drop),
            world.engine.token(&nothing, Some(&certificate), world.now).await.map(drop),
            world.engine.access(None, Some(&certificate), demand, world.now).await.map(drop),
            world.engine.access(Some("guessed"), None, demand, world.now).await.map(drop),
            world.engine.register("", Some(&certificate), world.now).await.map(drop),
        ] {
            // A server that failed refused nothing.
            assert!(matches!(outcome, Err(Failure::Refused(_))), "{}: {outcome:?}", rule.id);
        }
    }
}

/// Where nothing is left to go on with, the rule refuses all the same, and the engine does not fail.
#[tokio::test]
async fn what_the_engine_cannot_do_without_is_refused_by_name() {
    let world = without("fapi.authorization.client-known");
    let Refused { failure, response } = world.authorize(&[("client_id", "nobody")]).await.unwrap_err();
    assert!(response.is_none());
    assert_eq!(refused::<Value>(Err(failure)), ("fapi.authorization.request-object-present", "invalid_request"));

    let world = without("fapi.token.code-known");
    assert_eq!(refused(world.redeem("guessed", &[]).await), ("fapi.token.code-of-client", "invalid_grant"));

    let certificate = LARKSPUR.certificate();
    let proof =
        |assertion: &str| form(&[], &[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]);
    for (rule, changes) in [
        ("fapi.client-authentication.client-known", json!({"iss": "nobody", "sub": "nobody"})),
        ("fapi.client-authentication.assertion-readable", json!({"jti": null})),
    ] {
        let world = without(rule);
        let assertion = world.assertion(&LARKSPUR, &changes);
        let outcome = world.engine.token(&proof(&assertion), Some(&certificate), world.now).await;
        assert_eq!(refused(outcome), ("fapi.client-authentication.client-known", "invalid_client"), "{rule}");
    }
    for (rule, grant_type) in
        [("fapi.token.grant-type-known", "password"), ("fapi.token.grant-type-registered", "password")]
    {
        let outcome = without(rule).token(&LARKSPUR, &[("grant_type", grant_type)]).await;
        assert!(matches!(outcome, Err(Failure::Refused(_))), "{rule}");
    }
}

/// Whichever rule is missing, requests of all kinds are accepted or refused; the server never fails.
#[tokio::test]
async fn no_missing_rule_makes_the_engine_fail() {
    let certificate = LARKSPUR.certificate();
    let demand = Demand { scope: Some("accounts"), kind: TokenKind::Customer };
    fn sound<T>(rule: &str, outcome: Result<T, Failure>) {
        if let Err(Failure::Unavailable(error)) = outcome {
            panic!("{rule}: {error}");
        }
    }
    for rule in catalogue().iter().map(|rule| rule.id) {
        let world = without(rule);
        for request in [
            "",
            "x.y.z",
            &world.request_object(&json!({"claims": {}, "redirect_uri": null})),
            &unsigned("none", &json!({})),
        ] {
            for client in ["nobody", LARKSPUR.client_id] {
                let outcome = world.authorize(&[("client_id", client), ("request", request)]).await;
                sound(rule, outcome.map_err(|refused| refused.failure));
            }
        }
        let gone = world.client_token().await;
        for (name, value) in
            [("code", "x"), ("refresh_token", "x"), ("scope", "everything openid"), ("grant_type", "password")]
        {
            let grant = if name == "code" {
                "authorization_code"
            } else if name == "scope" {
                "client_credentials"
            } else {
                name
            };
            sound(rule, world.token(&LARKSPUR, &[("grant_type", grant), (name, value)]).await);
            sound(rule, world.token_over(&LARKSPUR, None, &[("grant_type", grant), (name, value)]).await);
        }
        sound(rule, world.engine.token(&Parameters::default(), Some(&certificate), world.now).await);
        sound(rule, world.engine.push(&Parameters::default(), Some(&certificate), world.now).await);
        for text in ["", "x.y.z", &unsigned("none", &json!({}))] {
            sound(rule, world.engine.register(text, Some(&certificate), world.now).await);
            sound(rule, world.engine.register(text, None, world.now).await);
        }
        for token in [None, Some("guessed"), Some(&*gone)] {
            sound(rule, world.engine.access(token, Some(&certificate), demand, world.now).await);
            sound(rule, world.engine.access(token, None, demand, world.now).await);
        }
        world.memory().forget::<fapi::Client>(LARKSPUR.client_id);
        sound(rule, world.engine.access(Some(&gone), Some(&certificate), demand, world.now).await);
    }
}
