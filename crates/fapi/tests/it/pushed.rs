//! Requests that are pushed, and customers who come with a request_uri.

use fapi::{
    CommitError, Failure, Interaction, Loaded, Outcome, Record, Repository,
    client_authentication::ASSERTION_TYPE,
    interaction::{Decision, Rejection},
    pushed::{Pushed, PushedRequest},
};
use rules::SwitchedOff;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{ISSUER, LARKSPUR, MAGPIE, Tpp, World, form, parameter, refused, shown, told};

const REQUEST: &str = "invalid_request";
const URI: &str = "invalid_request_uri";

async fn push_as(world: &World, tpp: &Tpp, pairs: &[(&str, &str)], assertion: &Value) -> Outcome<Pushed> {
    let assertion = world.assertion(tpp, assertion);
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    world.engine.push(&form(&proof, pairs), Some(&tpp.certificate()), world.now).await
}

async fn push(world: &World, changes: &Value) -> Outcome<Pushed> {
    push_as(world, &LARKSPUR, &[("request", &world.request_object(changes))], &json!({})).await
}

async fn pushed(world: &World) -> String {
    let accepted = push(world, &json!({})).await.unwrap();
    assert_eq!(accepted.value.expires_in, 90);
    accepted.value.request_uri
}

#[tokio::test]
async fn a_pushed_request_needs_nothing_but_its_name_and_the_client() {
    let world = World::new();
    let uri = pushed(&world).await;
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() > 70, "{uri}");
    let accepted = world.authorize(&[("request_uri", &uri)]).await.unwrap();
    assert_eq!((accepted.value.client_id.as_str(), accepted.value.state.as_deref()), ("larkspur", Some("state-1")));
    // What stands beside it does not count.
    let beside = [
        ("request_uri", uri.as_str()),
        ("scope", "payments"),
        ("state", "other"),
        ("redirect_uri", "https://x.example"),
    ];
    let accepted = world.authorize(&beside).await.unwrap();
    assert_eq!(accepted.value.state.as_deref(), Some("state-1"));
}

#[tokio::test]
async fn a_request_uri_serves_until_an_authorisation_was_completed_with_it() {
    let world = World::new();
    let uri = pushed(&world).await;
    let first = world.authorize(&[("request_uri", &uri)]).await.unwrap().value;
    let second = world.authorize(&[("request_uri", &uri)]).await.unwrap().value;
    assert_ne!(first.id, second.id);
    let loaded = world.memory().load::<Interaction>(&second.id).await.unwrap().unwrap();
    let response = world.decide(&loaded, &world.approval()).await;
    assert!(parameter(&response, "code").is_some());
    let outcome = world.authorize(&[("request_uri", &uri)]).await;
    assert_eq!(shown(outcome), ("fapi.authorization.request-uri-unused", URI));
}

/// Interactions of customers who came with the same request_uri.
async fn opened_twice(world: &World) -> [Loaded<Interaction>; 2] {
    let uri = pushed(world).await;
    let open = async || {
        let asked = world.authorize(&[("request_uri", &uri)]).await.unwrap().value;
        world.memory().load::<Interaction>(&asked.id).await.unwrap().unwrap()
    };
    [open().await, open().await]
}

#[tokio::test]
async fn of_two_authorisations_with_one_request_uri_one_is_completed() {
    let world = World::new();
    let [first, second] = opened_twice(&world).await;
    let rejection = Decision::Rejected(Rejection::Cancelled);
    assert!(parameter(&world.decide(&first, &world.approval()).await, "code").is_some());
    for decision in [world.approval(), rejection] {
        let outcome = world.engine.complete(&second, &decision, world.now).await;
        assert_eq!(refused(outcome), ("fapi.authorization.request-uri-unused", URI), "{decision:?}");
    }
    // Decided at the same moment: what is committed first counts.
    let [first, second] = opened_twice(&world).await;
    let approval = world.approval();
    let one = world.engine.complete(&first, &approval, world.now).await.unwrap();
    let other = world.engine.complete(&second, &approval, world.now).await.unwrap();
    world.memory().commit(one.changes).await.unwrap();
    let outcome = world.memory().commit(other.changes).await;
    let taken = PushedRequest::COLLECTION;
    assert!(matches!(&outcome, Err(CommitError::Conflict { collection, .. }) if collection == taken), "{outcome:?}");
    // Without the rule both are.
    let rule = "fapi.authorization.request-uri-unused".to_owned();
    let world = World::with(|profile| profile.switched_off = SwitchedOff::new([rule]));
    let both = opened_twice(&world).await;
    for interaction in &both {
        assert!(parameter(&world.decide(interaction, &world.approval()).await, "code").is_some());
    }
}

#[tokio::test]
async fn a_request_uri_ends_is_known_and_belongs_to_one_client() {
    let mut world = World::new();
    let uri = pushed(&world).await;
    let object = world.request_object(&json!({}));
    for (rule, error, pairs) in [
        ("fapi.authorization.request-uri", URI, vec![("request_uri", "urn:ietf:params:oauth:request_uri:guessed")]),
        ("fapi.authorization.request-uri", URI, vec![("request_uri", "https://larkspur.example/request.jwt")]),
        ("fapi.authorization.request-uri", URI, vec![("request_uri", &*uri), ("request", &*object)]),
        ("fapi.authorization.request-uri-of-client", REQUEST, vec![("request_uri", &*uri), ("client_id", "magpie")]),
    ] {
        let outcome = world.authorize(&pairs).await;
        let Failure::Refused(refusal) = &outcome.as_ref().unwrap_err().failure else { panic!("a refusal") };
        let evidence = format!("{:?}", refusal.evidence);
        assert!(
            !evidence.contains("urn:ietf:params:oauth:request_uri:"),
            "what opens an authorisation is not written down: {evidence}"
        );
        assert_eq!(shown(outcome), (rule, error), "{pairs:?}");
    }
    world.advance(Duration::seconds(89));
    assert!(world.authorize(&[("request_uri", &uri)]).await.is_ok());
    world.advance(Duration::seconds(1));
    let outcome = world.authorize(&[("request_uri", &uri)]).await;
    assert_eq!(shown(outcome), ("fapi.authorization.request-uri-not-expired", URI));
}

#[tokio::test]
async fn a_request_is_judged_when_it_is_pushed() {
    let world = World::new();
    let object = "invalid_request_object";
    for (rule, error, changes) in [
        (
            "fapi.request-object.pkce-required",
            REQUEST,
            json!({ "code_challenge": null, "code_challenge_method": null }),
        ),
        ("fapi.request-object.pkce", REQUEST, json!({ "code_challenge_method": "plain" })),
        ("fapi.request-object.aud", object, json!({ "aud": format!("{ISSUER}/par") })),
        ("fapi.request-object.not-nested", object, json!({ "request_uri": "urn:x" })),
        ("fapi.request-object.exp", object, json!({ "exp": world.at(-60) })),
        ("fapi.authorization.redirect-uri-registered", REQUEST, json!({ "redirect_uri": "https://x.example" })),
    ] {
        assert_eq!(refused(push(&world, &changes).await), (rule, error), "{changes}");
    }
    let outcome = push_as(&world, &LARKSPUR, &[("request_uri", "urn:x")], &json!({})).await;
    assert_eq!(refused(outcome), ("fapi.pushed.no-request-uri", REQUEST));
    let outcome = push_as(&world, &LARKSPUR, &[("scope", "openid accounts")], &json!({})).await;
    assert_eq!(refused(outcome), ("fapi.authorization.request-object-present", REQUEST));
    let of_larkspur = world.request_object(&json!({}));
    let outcome = push_as(&world, &MAGPIE, &[("request", &of_larkspur)], &json!({})).await;
    assert_eq!(refused(outcome), ("fapi.authorization.request-object-signature", object));
    let without = World::with(|profile| profile.endpoints.pushed = None);
    assert_eq!(refused(push(&without, &json!({})).await), ("fapi.pushed.offered", REQUEST));
}

#[tokio::test]
async fn an_assertion_for_pushing_may_be_meant_for_the_issuer_the_token_endpoint_or_the_endpoint_itself() {
    let world = World::new();
    let par = format!("{ISSUER}/par");
    for aud in [json!(ISSUER), json!(par), json!([ISSUER, "https://x.example"])] {
        let object = world.request_object(&json!({}));
        let outcome = push_as(&world, &LARKSPUR, &[("request", &object)], &json!({ "aud": aud })).await;
        assert!(outcome.is_ok(), "{aud}: {:?}", outcome.err());
    }
    for changes in [json!({ "aud": "https://x.example" }), json!({ "iss": "magpie" }), json!({ "exp": world.at(-60) })]
    {
        let object = world.request_object(&json!({}));
        let outcome = push_as(&world, &LARKSPUR, &[("request", &object)], &changes).await;
        assert_eq!(refused(outcome).1, "invalid_client", "{changes}");
    }
}

#[tokio::test]
async fn what_the_customer_is_refused_after_a_push_is_told_to_the_client() {
    let world = World::new();
    let uri = pushed(&world).await;
    world.memory().consent(crate::world::CONSENT, |intent| {
        intent.authorisable = fapi::Usable::No("Rejected".to_owned());
    });
    let (rule, _, response) = told(world.authorize(&[("request_uri", &uri)]).await);
    assert_eq!(rule, "fapi.request-object.intent-state");
    assert_eq!(response.redirect_uri, LARKSPUR.redirect_uri());
}

#[tokio::test]
async fn without_its_rule_an_old_or_used_request_uri_serves_on() {
    let without = |rule: &str| World::with(|profile| profile.switched_off = SwitchedOff::new([rule.to_owned()]));
    let mut world = without("fapi.authorization.request-uri-not-expired");
    let uri = pushed(&world).await;
    world.advance(Duration::minutes(2));
    assert!(world.authorize(&[("request_uri", &uri)]).await.is_ok());

    let world = without("fapi.authorization.request-uri-unused");
    let uri = pushed(&world).await;
    for _ in 0..2 {
        let asked = world.authorize(&[("request_uri", &uri)]).await.unwrap().value;
        let loaded = world.memory().load::<Interaction>(&asked.id).await.unwrap().unwrap();
        assert!(parameter(&world.decide(&loaded, &world.approval()).await, "code").is_some());
    }
    let world = without("fapi.request-object.pkce-required");
    assert!(push(&world, &json!({"code_challenge": null, "code_challenge_method": null})).await.is_ok());
}

#[tokio::test]
async fn pushed_requests_count_as_unfinished_until_they_end_or_are_used() {
    let mut world = World::with(|profile| profile.unfinished_authorisations = 2);
    let uri = pushed(&world).await;
    pushed(&world).await;
    let outcome = push(&world, &json!({})).await;
    assert_eq!(refused(outcome), ("fapi.request-object.unfinished", "temporarily_unavailable"));
    // The customer still comes with one that was pushed.
    let parameters = [("request_uri", uri.as_str()), ("response_type", ""), ("scope", "")];
    let asked = world.authorize(&parameters).await.unwrap().value;
    // A decision that is not remembered decides nothing.
    let loaded = world.memory().load::<Interaction>(&asked.id).await.unwrap().unwrap();
    world.engine.complete(&loaded, &world.approval(), world.now).await.unwrap();
    assert_eq!(refused(push(&world, &json!({})).await).0, "fapi.request-object.unfinished");
    world.decide(&loaded, &world.approval()).await;
    assert!(push(&world, &json!({})).await.is_ok());
    world.advance(Duration::seconds(90));
    assert!(push(&world, &json!({})).await.is_ok());
}
