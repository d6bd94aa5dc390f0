//! Parameters, whatever the endpoint: a form, and not more of them than anybody needs.

use fapi::{Failure, authorization::Refused, client_authentication::ASSERTION_TYPE, parameters::Parameters};
use rules::SwitchedOff;
use serde_json::json;

use crate::world::{LARKSPUR, World, refused};

/// What each endpoint answers to these parameters.
async fn asked(world: &World, parameters: &Parameters) -> [(&'static str, Result<(), Failure>); 5] {
    let (engine, certificate, now) = (&world.engine, Some(LARKSPUR.certificate()), world.now);
    let certificate = certificate.as_ref();
    let authorized = engine.authorize(parameters.clone(), now).await;
    [
        ("token", engine.token(parameters, certificate, now).await.map(drop)),
        ("introspect", engine.introspect(parameters, certificate, now).await.map(drop)),
        ("revoke", engine.revoke(parameters, certificate, now).await.map(drop)),
        ("push", engine.push(parameters, certificate, now).await.map(drop)),
        ("authorize", authorized.map(drop).map_err(|Refused { failure, .. }| failure)),
    ]
}

#[tokio::test]
async fn a_body_that_is_no_form_says_nothing_to_any_endpoint() {
    let world = World::new();
    for (endpoint, outcome) in asked(&world, &Parameters::of_body(None)).await {
        assert_eq!(refused(outcome), ("fapi.parameters.form", "invalid_request"), "{endpoint}");
    }
    for (endpoint, outcome) in asked(&world, &Parameters::of_body(Some(Vec::new()))).await {
        assert_ne!(refused(outcome).0, "fapi.parameters.form", "{endpoint}");
    }
    let rule = "fapi.parameters.form".to_owned();
    let without = World::with(|profile| profile.switched_off = SwitchedOff::new([rule]));
    for (endpoint, outcome) in asked(&without, &Parameters::of_body(None)).await {
        let (rule, _) = refused(outcome);
        let expected = match endpoint {
            "authorize" => "fapi.authorization.client-known",
            _ => "fapi.client-authentication.credentials-presented",
        };
        assert_eq!(rule, expected, "{endpoint}");
    }
}

/// A request for a token, with so many parameters.
fn request(world: &World, number: usize) -> Parameters {
    let assertion = world.assertion(&LARKSPUR, &json!({}));
    let usual = [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &*assertion),
        ("grant_type", "client_credentials"),
        ("scope", "accounts"),
    ];
    let usual = usual.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    // RFC 6749, 3.2: parameters that nobody knows are ignored.
    let others = (usual.len()..number).map(|number| (format!("n{number}"), String::new()));
    Parameters::new(usual.chain(others).collect())
}

#[tokio::test]
async fn more_parameters_than_anybody_needs_are_not_looked_at() {
    let world = World::new();
    let token = async |world: &World, number| {
        world.engine.token(&request(world, number), Some(&LARKSPUR.certificate()), world.now).await
    };
    assert!(token(&world, 100).await.is_ok());
    for number in [101, 16_000] {
        for (endpoint, outcome) in asked(&world, &request(&world, number)).await {
            assert_eq!(refused(outcome), ("fapi.parameters.number", "invalid_request"), "{endpoint}");
        }
    }
    let rule = "fapi.parameters.number".to_owned();
    let without = World::with(|profile| profile.switched_off = SwitchedOff::new([rule]));
    assert_eq!(token(&without, 101).await.unwrap().passed.verdict().skipped, ["fapi.parameters.number"]);
}
