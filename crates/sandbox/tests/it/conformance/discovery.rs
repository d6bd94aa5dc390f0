//! `discovery-end-point-verification`: the documents of both profiles.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::suite::{self, Suite};
use crate::{hand_made::Shows, profiles::Plain};

/// Whether a list of the document contains these values.
fn contains(document: &Value, name: &str, values: &[&str]) {
    let list = document[name].as_array().unwrap_or_else(|| panic!("{name}: {}", document[name]));
    for value in values {
        assert!(list.contains(&json!(value)), "{name} has {value}: {list:?}");
    }
}

async fn document(suite: &Suite<'_>, path: &str, content_type: &str) -> Value {
    let answer = suite.world.http(Shows::Nothing).get(&suite.page(path)).send().await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(content_type)), "{path}");
    answer.json().unwrap()
}

async fn verify(suite: &Suite<'_>) {
    let module = "discovery-end-point-verification";
    let found = document(suite, "/.well-known/openid-configuration", "application/json").await;
    assert_eq!(found["issuer"], json!(suite.bank.urls.issuer()), "{module}");
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"] {
        assert!(found[name].as_str().unwrap().starts_with("https://"), "{module} {name}");
    }
    contains(&found, "response_types_supported", &["code id_token"]);
    contains(&found, "scopes_supported", &["openid", "accounts"]);
    contains(&found, "grant_types_supported", &["authorization_code", "client_credentials", "refresh_token"]);
    contains(&found, "token_endpoint_auth_methods_supported", &["private_key_jwt", "tls_client_auth"]);
    contains(&found, "subject_types_supported", &["public"]);
    contains(&found, "acr_values_supported", &["urn:openbanking:psd2:sca"]);
    contains(&found, "claims_supported", &["acr"]);
    for name in [
        "id_token_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
    ] {
        assert_eq!(found[name], json!(["PS256", "ES256"]), "{module} {name}");
    }
    for (name, expected) in [
        ("request_parameter_supported", true),
        ("request_uri_parameter_supported", false),
        ("claims_parameter_supported", true),
        ("tls_client_certificate_bound_access_tokens", true),
        ("require_pushed_authorization_requests", false),
        ("authorization_response_iss_parameter_supported", true),
    ] {
        assert_eq!(found[name], json!(expected), "{module} {name}");
    }
    contains(&found, "code_challenge_methods_supported", &["S256"]);
    let aliases = found["mtls_endpoint_aliases"].as_object().unwrap();
    assert!(aliases.contains_key("token_endpoint") && !aliases.contains_key("authorization_endpoint"), "{module}");
    for name in aliases.keys() {
        assert!(name.ends_with("_endpoint") && found.get(name).is_some(), "{module} {name}");
    }

    // What the profiles differ in, and nothing that the running one does not do.
    let claims = found["claims_supported"].as_array().unwrap();
    assert_eq!(claims.contains(&json!("openbanking_intent_id")), suite.uk, "{module}");
    let (types, modes) = (&found["response_types_supported"], found["response_modes_supported"].as_array().unwrap());
    assert_eq!(types.as_array().unwrap().contains(&json!("code")), !suite.uk, "{module} {types}");
    assert_eq!(modes.contains(&json!("jwt")), !suite.uk, "{module} {modes:?}");
    assert_eq!(found.get("authorization_signing_alg_values_supported").is_some(), !suite.uk, "{module}");

    let keys = document(suite, "/jwks", "application/jwk-set+json").await;
    let keys = keys["keys"].as_array().unwrap();
    let kids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), keys.len(), "{module}");
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{module} {private}");
        }
    }
    let signing = keys.iter().find(|key| key["alg"] == "PS256").unwrap();
    let leaf = signing["x5c"][0].as_str().unwrap();
    assert!(leaf.len() > 500 && signing["n"].as_str().unwrap().len() >= 342 && signing["use"] == "sig", "{module}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_end_point_verification() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    verify(&suite::uk(&plain.world, &clients)[0]).await;
    verify(&suite::plain(&plain)[0]).await;
}
