//! What a client does with its registration later.

use fapi::client_configuration::Visit;
use jose::Header;
use serde_json::{Value, json};

use crate::{
    registration::{METADATA, bank, numbered},
    world::{LARKSPUR, World, refused, signed},
};

async fn configure(world: &World, token: Option<&str>, client_id: &str) -> Result<Value, fapi::Failure> {
    let certificate = LARKSPUR.certificate();
    let visit = Visit { client_id, token, certificate: Some(&certificate), now: world.now };
    world.engine.read_client(visit).await.map(|accepted| accepted.value)
}

#[tokio::test]
async fn a_client_of_the_configuration_is_its_operators() {
    let world = World::new();
    world.amend(|client| client.metadata = Value::Null);
    let token = world.client_token().await;
    let outcome = configure(&world, Some(&token), "larkspur").await;
    assert_eq!(refused(outcome), ("fapi.client-configuration.registered-itself", METADATA));
}

#[tokio::test]
async fn a_registration_is_its_clients_own_and_keeps_its_name_when_it_changes() {
    let world = bank();
    let registered = world.register(&json!({})).await.unwrap().value;
    let id = registered.client.client_id.clone();
    let assertion = world.assertion(&LARKSPUR, &json!({"iss": id, "sub": id}));
    let form = crate::world::form(
        &[("grant_type", "client_credentials"), ("scope", "accounts"), ("client_assertion", &assertion)],
        &[("client_assertion_type", fapi::client_authentication::ASSERTION_TYPE)],
    );
    let certificate = LARKSPUR.certificate();
    let token = world.engine.token(&form, Some(&certificate), world.now).await.unwrap().value.access_token;
    assert_eq!(configure(&world, Some(&token), &id).await.unwrap()["client_id"], json!(id));
    let outcome = configure(&world, Some(&token), "magpie").await;
    assert_eq!(refused(outcome), ("fapi.client-configuration.own", "invalid_token"));
    assert_eq!(refused(configure(&world, Some(&token), &id).await).0, "fapi.access.token-known", "it was misused");
    let assertion = world.assertion(&LARKSPUR, &json!({"iss": id, "sub": id, "jti": "again"}));
    let form = crate::world::form(
        &[("grant_type", "client_credentials"), ("scope", "accounts"), ("client_assertion", &assertion)],
        &[("client_assertion_type", fapi::client_authentication::ASSERTION_TYPE)],
    );
    let token = world.engine.token(&form, Some(&certificate), world.now).await.unwrap().value.access_token;
    let metadata = configure(&world, Some(&token), &id).await.unwrap();
    assert_eq!(metadata["token_endpoint_auth_signing_alg"], "PS256");
    assert_eq!(refused(configure(&world, None, &id).await), ("fapi.access.token-present", "invalid_token"));

    let visit = Visit { client_id: &id, token: Some(&token), certificate: Some(&certificate), now: world.now };
    let change = |changes: Value| signed(&LARKSPUR.key, &Header::typed("JWT"), &world.registration_claims(&changes));
    let other = json!({
        "jti": numbered(2), "iss": "another", "software_id": "another",
        "software_statement": world.statement(&json!({"software_id": "another"})),
    });
    let outcome = world.engine.replace_client(visit, &change(other)).await;
    assert_eq!(refused(outcome), ("fapi.registration.same-software", METADATA));
    let outcome =
        world.engine.replace_client(visit, &change(json!({"jti": numbered(5), "client_id": "another"}))).await;
    assert_eq!(refused(outcome), ("fapi.registration.client-id", METADATA));
    let changed =
        world.engine.replace_client(visit, &change(json!({"jti": numbered(3), "scope": "openid"}))).await.unwrap();
    assert_eq!((changed.value.client.client_id.as_str(), changed.value.client.scopes.len()), (id.as_str(), 1));
    let outcome = world.engine.replace_client(visit, &change(json!({"jti": numbered(3)}))).await;
    assert_eq!(refused(outcome), ("fapi.registration.jti", METADATA));

    let deletion = world.engine.delete_client(visit).await.unwrap().value;
    fapi::Repository::commit(world.engine.backend(), vec![deletion]).await.unwrap();
    assert_eq!(refused(configure(&world, Some(&token), &id).await).0, "fapi.access.client-registered");
}
