//! Request objects whose signature and redirect URI hold: what else they must say.

use fapi::{Interaction, Usable, asked_customer, authorization, parameters, profile::ACR_SCA, request_object};
use jose::Header;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{
    CHALLENGE, CONSENT, CONSENT_OF_MAGPIE, ISSUER, LARKSPUR, START, World, assert_passed, parameter, signed, told,
};

const OBJECT: &str = "invalid_request_object";
const REQUEST: &str = "invalid_request";

fn intent(value: &Value) -> Value {
    json!({"id_token": {"openbanking_intent_id": {"value": value, "essential": true}}})
}

fn acr(request: &Value) -> Value {
    json!({"id_token": {"openbanking_intent_id": {"value": CONSENT}, "acr": request}})
}

#[tokio::test]
async fn a_request_that_keeps_every_rule_becomes_an_interaction() {
    let world = World::new();
    let accepted = world.ask(&json!({})).await.unwrap();
    let tables = [parameters::RULES, authorization::RULES, request_object::RULES, asked_customer::RULES];
    assert_passed(&accepted.passed, &tables, &[]);
    let interaction = accepted.value;
    let expected = Interaction {
        response_type: "code id_token".to_owned(),
        response_mode: fapi::response::ResponseMode::Fragment,
        pushed: None,
        id: interaction.id.clone(),
        client_id: "larkspur".to_owned(),
        client_name: "Larkspur Budget".to_owned(),
        on_behalf_of: Some("Thistle Ltd".to_owned()),
        redirect_uri: LARKSPUR.redirect_uri(),
        state: Some("state-1".to_owned()),
        nonce: Some("nonce-1".to_owned()),
        scopes: vec!["openid".to_owned(), "accounts".to_owned()],
        intent_id: Some(CONSENT.to_owned()),
        subject: None,
        acr: Some(ACR_SCA.to_owned()),
        code_challenge: Some(CHALLENGE.to_owned()),
        reauthentication: false,
        created_at: START,
        expires_at: START + Duration::minutes(15),
        completed_at: None,
    };
    assert_eq!(interaction, expected);
    assert_eq!(world.memory().all(), [(interaction.id.clone(), interaction)]);
}

#[tokio::test]
async fn each_rule_refuses_what_breaks_it_and_the_client_is_told() {
    let world = World::new();
    let at = |seconds: i64| json!(world.at(seconds));
    let long_ago = json!({"nbf": at(-4200), "exp": at(60)});
    let cases = [
        ("fapi.request-object.iss", OBJECT, json!({"iss": "magpie"})),
        ("fapi.request-object.iss", OBJECT, json!({"iss": null})),
        ("fapi.request-object.client-id", OBJECT, json!({"client_id": "magpie"})),
        ("fapi.request-object.aud", OBJECT, json!({"aud": null})),
        ("fapi.request-object.aud", OBJECT, json!({"aud": "https://other.example"})),
        ("fapi.request-object.aud", OBJECT, json!({"aud": format!("{ISSUER}/")})),
        ("fapi.request-object.aud", OBJECT, json!({"aud": []})),
        ("fapi.request-object.aud", OBJECT, json!({"aud": [format!("{ISSUER}/token"), "https://other.example"]})),
        ("fapi.request-object.exp-present", OBJECT, json!({"exp": null})),
        ("fapi.request-object.nbf-present", OBJECT, json!({"nbf": null})),
        ("fapi.request-object.exp", OBJECT, json!({"nbf": at(-300), "exp": at(-10)})),
        ("fapi.request-object.exp", OBJECT, json!({"exp": -62_135_596_800_i64})),
        ("fapi.request-object.lifetime", OBJECT, json!({"exp": at(3601)})),
        ("fapi.request-object.lifetime", OBJECT, long_ago),
        ("fapi.request-object.lifetime", OBJECT, json!({"exp": 253_402_300_799_i64})),
        ("fapi.request-object.nbf", OBJECT, json!({"nbf": at(11)})),
        ("fapi.request-object.not-nested", OBJECT, json!({"request": "a.b.c"})),
        ("fapi.request-object.not-nested", OBJECT, json!({"request_uri": "urn:request"})),
        ("fapi.request-object.response-type", "unsupported_response_type", json!({"response_type": "code"})),
        ("fapi.request-object.response-type", "unsupported_response_type", json!({"response_type": "token id_token"})),
        ("fapi.request-object.response-mode", REQUEST, json!({"response_mode": "query"})),
        ("fapi.request-object.response-mode", REQUEST, json!({"response_mode": "query.jwt"})),
        ("fapi.request-object.response-mode", REQUEST, json!({"response_mode": "jwt"})),
        ("fapi.request-object.scope-present", REQUEST, json!({"scope": null})),
        ("fapi.request-object.scope-present", REQUEST, json!({"scope": "accounts"})),
        ("fapi.request-object.scope", "invalid_scope", json!({"scope": "openid accounts payments"})),
        ("fapi.request-object.nonce", REQUEST, json!({"nonce": null})),
        ("fapi.request-object.nonce", REQUEST, json!({"nonce": ""})),
        ("fapi.request-object.pkce", REQUEST, json!({"code_challenge_method": "plain"})),
        ("fapi.request-object.pkce", REQUEST, json!({"code_challenge_method": null})),
        ("fapi.request-object.pkce", REQUEST, json!({"code_challenge": "short"})),
        ("fapi.request-object.intent-named", REQUEST, json!({"claims": null})),
        ("fapi.request-object.intent-named", REQUEST, json!({"claims": {"id_token": {"acr": null}}})),
        ("fapi.request-object.intent-named", REQUEST, json!({"claims": intent(&json!(1))})),
        (
            "fapi.request-object.intent-named",
            REQUEST,
            json!({"claims": {
                "id_token": {"openbanking_intent_id": {"value": CONSENT}},
                "userinfo": {"openbanking_intent_id": {"value": CONSENT_OF_MAGPIE}},
            }}),
        ),
        ("fapi.request-object.intent-of-client", REQUEST, json!({"claims": intent(&json!(CONSENT_OF_MAGPIE))})),
        ("fapi.request-object.intent-of-client", REQUEST, json!({"claims": intent(&json!("consent-3"))})),
        ("fapi.request-object.intent-scope", "invalid_scope", json!({"scope": "openid"})),
        ("fapi.request-object.acr", "access_denied", json!({"claims": acr(&json!({"essential": true, "value": "0"}))})),
    ];
    for (rule, error, changes) in cases {
        let (found, code, response) = told(world.ask(&changes).await);
        assert_eq!((found, code), (rule, error), "{changes}");
        assert_eq!(response.redirect_uri, LARKSPUR.redirect_uri());
        assert_eq!(parameter(&response, "state").as_deref(), Some("state-1"));
        assert_eq!(response.parameters.len(), 4, "{changes}");
    }
    assert_eq!(world.memory().all::<Interaction>(), []);
}

#[tokio::test]
async fn variants_that_the_rules_allow_are_accepted() {
    let world = World::new();
    let at = |seconds: i64| json!(world.at(seconds));
    let fraction: Value = serde_json::from_str(&format!("{}.5", world.at(300))).unwrap();
    let both = json!({
        "id_token": {"openbanking_intent_id": {"value": CONSENT}, "email": null},
        "userinfo": {"openbanking_intent_id": {"value": CONSENT}},
    });
    for changes in [
        json!({"aud": [ISSUER, "https://other.example"]}),
        json!({"exp": at(3600)}),
        json!({"exp": fraction}),
        json!({"nbf": at(-300), "exp": at(-9)}),
        json!({"nbf": at(-3600), "exp": at(0)}),
        json!({"nbf": at(10)}),
        json!({"client_id": null}),
        json!({"response_type": "id_token code"}),
        json!({"response_mode": "fragment"}),
        json!({"response_mode": "form_post"}),
        json!({"scope": "accounts openid"}),
        json!({"nonce": "n".repeat(384)}),
        json!({"state": "s".repeat(1024)}),
        json!({"state": null}),
        json!({"code_challenge": null, "code_challenge_method": null}),
        json!({"code_challenge": null}),
        json!({"redirect_uri": "https://larkspur.example/other"}),
        json!({"claims": both}),
        json!({"claims": {"userinfo": {"openbanking_intent_id": {"value": CONSENT}}}}),
        json!({"claims": acr(&json!({"values": ["urn:other", "urn:openbanking:psd2:ca"], "essential": true}))}),
        json!({"claims": acr(&json!({"value": "urn:other"}))}),
        json!({"claims": acr(&json!({"essential": true}))}),
        json!({"favourite_colour": "green", "sub": "larkspur"}),
    ] {
        let accepted = world.ask(&changes).await;
        assert!(accepted.is_ok(), "{changes}: {:?}", accepted.err());
    }
}

#[tokio::test]
async fn the_typ_is_absent_or_says_that_it_is_a_request_object() {
    let world = World::new();
    let ask = async |typ: Option<&str>| {
        let header = Header { typ: typ.map(str::to_owned), ..Header::default() };
        let object = signed(&LARKSPUR.key, &header, &world.claims(&json!({})));
        world.authorize(&[("request", &object)]).await
    };
    for typ in ["JWT", "jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"] {
        assert!(ask(Some(typ)).await.is_ok(), "{typ}");
    }
    assert!(ask(None).await.is_ok());
    for typ in ["at+jwt", "client-authentication+jwt", ""] {
        let (rule, error, _) = told(ask(Some(typ)).await);
        assert_eq!((rule, error), ("fapi.request-object.typ", OBJECT), "{typ}");
    }
}

#[tokio::test]
async fn parameters_outside_the_object_do_not_replace_those_inside() {
    let world = World::new();
    let object = world.request_object(&json!({"state": null}));
    let outside = [
        ("request", &*object),
        ("redirect_uri", "https://magpie.example/callback"),
        ("scope", "openid payments"),
        ("state", "outside"),
        ("nonce", "outside"),
        ("code_challenge", "outside"),
        ("response_type", "id_token code"),
    ];
    let interaction = world.authorize(&outside).await.unwrap().value;
    assert_eq!(interaction.redirect_uri, LARKSPUR.redirect_uri());
    assert_eq!((interaction.state, interaction.nonce.as_deref()), (None, Some("nonce-1")));
    assert_eq!(interaction.scopes, ["openid", "accounts"]);
    assert_eq!(interaction.code_challenge.as_deref(), Some(CHALLENGE));
}

/// Nobody is logged in before the request: what asks for that, or for somebody in particular, is told so.
#[tokio::test]
async fn the_customer_who_is_asked_for_is_the_one_who_comes() {
    let world = World::new();
    for (changes, rule, error) in [
        (json!({"prompt": "none"}), "fapi.request-object.prompt-none", "login_required"),
        (json!({"prompt": " none"}), "fapi.request-object.prompt-none", "login_required"),
        (json!({"prompt": "none login"}), "fapi.request-object.prompt", REQUEST),
        (json!({"prompt": "dance"}), "fapi.request-object.prompt", REQUEST),
        (json!({"id_token_hint": "junk"}), "fapi.request-object.id-token-hint", REQUEST),
        (json!({"id_token_hint": world.request_object(&json!({}))}), "fapi.request-object.id-token-hint", REQUEST),
    ] {
        let (found, code, _) = told(world.ask(&changes).await);
        assert_eq!((found, code), (rule, error), "{changes}");
    }
    for prompt in ["login", "consent login", "select_account"] {
        assert!(world.ask(&json!({"prompt": prompt})).await.is_ok(), "{prompt}");
    }
    assert_eq!(world.ask(&json!({})).await.unwrap().value.subject, None);
    let tokens = world.granted().await;
    let hint = tokens.id_token.unwrap();
    let hinted = world.ask(&json!({"id_token_hint": hint})).await.unwrap().value;
    assert_eq!(hinted.subject.as_deref(), Some("psu-1"));
    let mut claims = world.claims(&json!({}))["claims"].clone();
    claims["id_token"]["sub"] = json!({"value": "psu-2"});
    let claimed = world.ask(&json!({"claims": claims})).await.unwrap().value;
    assert_eq!(claimed.subject.as_deref(), Some("psu-2"));
    let (found, code, _) = told(world.ask(&json!({"claims": claims, "id_token_hint": hint})).await);
    assert_eq!((found, code), ("fapi.request-object.one-customer", REQUEST));
}

#[tokio::test]
async fn parameters_that_stand_only_outside_the_object_are_missing() {
    let world = World::new();
    for (name, value, rule, error) in [
        ("scope", "openid accounts", "fapi.request-object.scope-present", REQUEST),
        ("nonce", "nonce-1", "fapi.request-object.nonce", REQUEST),
        ("response_type", "code id_token", "fapi.request-object.response-type-present", REQUEST),
    ] {
        let object = world.request_object(&json!({name: null}));
        let (found, code, _) = told(world.authorize(&[("request", &object), (name, value)]).await);
        assert_eq!((found, code), (rule, error), "{name}");
    }
}

#[tokio::test]
async fn a_response_type_outside_must_not_contradict_and_a_response_mode_outside_does_not_count() {
    let world = World::new();
    let object = world.request_object(&json!({}));
    let (found, code, _) = told(world.authorize(&[("request", &object), ("response_type", "code")]).await);
    assert_eq!((found, code), ("fapi.request-object.response-type-same", REQUEST));
    let accepted = world.authorize(&[("request", &object), ("response_mode", "form_post")]).await.unwrap();
    assert_eq!(accepted.value.response_mode, fapi::response::ResponseMode::Fragment);
}

#[tokio::test]
async fn the_customer_is_asked_only_for_an_intent_that_awaits_it() {
    let world = World::new();
    world.memory().consent(CONSENT, |intent| intent.authorisable = Usable::No("Rejected".to_owned()));
    let (rule, error, _) = told(world.ask(&json!({})).await);
    assert_eq!((rule, error), ("fapi.request-object.intent-state", REQUEST));
    world.memory().consent(CONSENT, |intent| intent.authorisable = Usable::Reauthentication);
    assert!(world.ask(&json!({})).await.unwrap().value.reauthentication);
}

#[tokio::test]
async fn a_client_registered_for_less_asks_for_less() {
    let world = World::new();
    world.reregister(|client| client.scopes = vec!["openid".to_owned()]);
    let (rule, error, _) = told(world.ask(&json!({})).await);
    assert_eq!((rule, error), ("fapi.request-object.scope", "invalid_scope"));
    world.reregister(|client| client.response_types.clear());
    let (rule, error, _) = told(world.ask(&json!({})).await);
    assert_eq!((rule, error), ("fapi.request-object.response-type", "unsupported_response_type"));
}

#[tokio::test]
async fn a_request_object_ages_with_the_clock() {
    let mut world = World::new();
    let object = world.request_object(&json!({"exp": world.at(3600)}));
    world.advance(Duration::minutes(60));
    assert!(world.authorize(&[("request", &object)]).await.is_ok());
    world.advance(Duration::seconds(10));
    let (rule, _, _) = told(world.authorize(&[("request", &object)]).await);
    assert_eq!(rule, "fapi.request-object.exp");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_request_object_with_any_character_changed_is_never_accepted(at: prop::sample::Index, other: char) {
        let world = World::new();
        let object = world.request_object(&json!({}));
        let mut characters: Vec<char> = object.chars().collect();
        let place = at.index(characters.len());
        prop_assume!(characters[place] != other);
        characters[place] = other;
        let tampered: String = characters.into_iter().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(world.authorize(&[("request", &tampered)]));
        prop_assert!(outcome.is_err(), "{tampered}");
    }

    #[test]
    fn a_request_object_with_any_letter_of_its_alphabet_changed_is_never_accepted(
        at: prop::sample::Index,
        other in "[A-Za-z0-9_.-]",
    ) {
        let world = World::new();
        let object = world.request_object(&json!({}));
        let place = at.index(object.len());
        prop_assume!(object[place..=place] != other);
        let tampered = format!("{}{other}{}", &object[..place], &object[place + 1..]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(world.authorize(&[("request", &tampered)]));
        prop_assert!(outcome.is_err(), "{tampered}");
    }
}

#[tokio::test]
async fn a_client_leaves_only_so_many_authorisations_unfinished() {
    let mut world = World::with(|profile| profile.unfinished_authorisations = 3);
    let first = world.interaction(&json!({})).await;
    world.interaction(&json!({})).await;
    world.interaction(&json!({})).await;
    let (found, code, response) = told(world.ask(&json!({})).await);
    assert_eq!((found, code), ("fapi.request-object.unfinished", "temporarily_unavailable"));
    assert_eq!(parameter(&response, "state").as_deref(), Some("state-1"));
    assert_eq!(world.memory().all::<Interaction>().len(), 3);
    // One that was decided makes room, and so does time.
    world.decide(&first, &world.approval()).await;
    world.interaction(&json!({})).await;
    assert_eq!(told(world.ask(&json!({})).await).0, "fapi.request-object.unfinished");
    world.advance(Duration::minutes(15));
    assert!(world.ask(&json!({})).await.is_ok());
}
