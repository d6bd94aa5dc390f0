//! The discovery document tells what the running profile does.

use fapi::{Endpoints, Profile, metadata::document};
use jose::Algorithm;

use crate::world::profile;

#[test]
fn the_bank_publishes_what_its_profile_demands_and_offers() {
    insta::assert_json_snapshot!(document(&profile()), @r#"
    {
      "issuer": "https://bank.example",
      "authorization_endpoint": "https://bank.example/authorize",
      "token_endpoint": "https://bank.example/token",
      "jwks_uri": "https://bank.example/jwks",
      "registration_endpoint": "https://mtls.bank.example/register",
      "userinfo_endpoint": "https://bank.example/userinfo",
      "introspection_endpoint": "https://bank.example/introspect",
      "revocation_endpoint": "https://bank.example/revoke",
      "pushed_authorization_request_endpoint": "https://bank.example/par",
      "require_pushed_authorization_requests": false,
      "scopes_supported": [
        "openid",
        "accounts",
        "payments",
        "fundsconfirmations"
      ],
      "response_types_supported": [
        "code id_token"
      ],
      "response_modes_supported": [
        "fragment",
        "form_post"
      ],
      "grant_types_supported": [
        "authorization_code",
        "client_credentials",
        "refresh_token"
      ],
      "subject_types_supported": [
        "public"
      ],
      "acr_values_supported": [
        "urn:openbanking:psd2:sca",
        "urn:openbanking:psd2:ca"
      ],
      "claims_supported": [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "acr",
        "openbanking_intent_id",
        "http://openbanking.org.uk/refresh_token_expires_at"
      ],
      "claim_types_supported": [
        "normal"
      ],
      "claims_parameter_supported": true,
      "id_token_signing_alg_values_supported": [
        "PS256",
        "ES256"
      ],
      "id_token_encryption_alg_values_supported": [
        "RSA-OAEP-256"
      ],
      "id_token_encryption_enc_values_supported": [
        "A256GCM"
      ],
      "request_parameter_supported": true,
      "request_uri_parameter_supported": false,
      "require_signed_request_object": true,
      "request_object_signing_alg_values_supported": [
        "PS256",
        "ES256"
      ],
      "request_object_encryption_alg_values_supported": [
        "RSA-OAEP-256"
      ],
      "request_object_encryption_enc_values_supported": [
        "A256GCM"
      ],
      "token_endpoint_auth_methods_supported": [
        "private_key_jwt",
        "tls_client_auth"
      ],
      "token_endpoint_auth_signing_alg_values_supported": [
        "PS256",
        "ES256"
      ],
      "introspection_endpoint_auth_methods_supported": [
        "private_key_jwt",
        "tls_client_auth"
      ],
      "introspection_endpoint_auth_signing_alg_values_supported": [
        "PS256",
        "ES256"
      ],
      "revocation_endpoint_auth_methods_supported": [
        "private_key_jwt",
        "tls_client_auth"
      ],
      "revocation_endpoint_auth_signing_alg_values_supported": [
        "PS256",
        "ES256"
      ],
      "code_challenge_methods_supported": [
        "S256"
      ],
      "tls_client_certificate_bound_access_tokens": true,
      "authorization_response_iss_parameter_supported": true,
      "mtls_endpoint_aliases": {
        "token_endpoint": "https://mtls.bank.example/token",
        "registration_endpoint": "https://mtls.bank.example/register",
        "userinfo_endpoint": "https://bank.example/userinfo",
        "introspection_endpoint": "https://bank.example/introspect",
        "revocation_endpoint": "https://bank.example/revoke",
        "pushed_authorization_request_endpoint": "https://bank.example/par"
      }
    }
    "#);
}

#[test]
fn a_server_without_users_publishes_its_token_endpoint_alone() {
    let endpoints = Endpoints {
        authorization: None,
        registration: None,
        pushed: None,
        introspection: None,
        revocation: None,
        userinfo: None,
        ..profile().endpoints
    };
    let scopes = vec!["TPPReadAccess".to_owned()];
    let profile =
        Profile::client_credentials_only("https://directory.example".to_owned(), String::new(), endpoints, scopes);
    insta::assert_json_snapshot!(document(&profile), @r#"
    {
      "issuer": "https://directory.example",
      "token_endpoint": "https://bank.example/token",
      "jwks_uri": "https://bank.example/jwks",
      "scopes_supported": [
        "TPPReadAccess"
      ],
      "response_types_supported": [],
      "grant_types_supported": [
        "client_credentials"
      ],
      "token_endpoint_auth_methods_supported": [
        "private_key_jwt"
      ],
      "token_endpoint_auth_signing_alg_values_supported": [
        "PS256"
      ],
      "tls_client_certificate_bound_access_tokens": true,
      "mtls_endpoint_aliases": {
        "token_endpoint": "https://mtls.bank.example/token"
      }
    }
    "#);
}

#[test]
fn a_profile_that_changes_is_published_changed() {
    let mut profile = profile();
    profile.algorithms = vec![Algorithm::Es256, Algorithm::Ps256];
    profile.scopes.retain(|scope| scope != "payments");
    let document = serde_json::to_value(document(&profile)).unwrap();
    for name in [
        "token_endpoint_auth_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
    ] {
        assert_eq!(document[name], serde_json::json!(["ES256", "PS256"]), "{name}");
    }
    assert_eq!(document["scopes_supported"], serde_json::json!(["openid", "accounts", "fundsconfirmations"]));
}

#[test]
fn claims_and_algorithms_are_those_that_are_used() {
    let mut profile = profile();
    let claims = |profile: &Profile| document(profile).claims_supported.unwrap();
    let expiry = "http://openbanking.org.uk/refresh_token_expires_at".to_owned();
    assert!(claims(&profile).contains(&"openbanking_intent_id".to_owned()) && claims(&profile).contains(&expiry));
    profile.intents = false;
    assert!(!claims(&profile).contains(&"openbanking_intent_id".to_owned()) && !claims(&profile).contains(&expiry));
    profile.authentication_methods.push(fapi::client::AuthenticationMethod::ClientSecretJwt);
    let document = serde_json::to_value(document(&profile)).unwrap();
    for endpoint in ["token", "introspection", "revocation"] {
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        assert_eq!(document[&name], serde_json::json!(["PS256", "ES256", "HS256"]), "{name}");
    }
    assert_eq!(document["id_token_signing_alg_values_supported"], serde_json::json!(["PS256", "ES256"]));
}

#[test]
fn every_alias_with_mutual_tls_has_its_endpoint_beside_it() {
    let document = serde_json::to_value(document(&profile())).unwrap();
    let aliases = document["mtls_endpoint_aliases"].as_object().unwrap();
    assert!(!aliases.is_empty() && !aliases.contains_key("authorization_endpoint"));
    for name in aliases.keys() {
        assert!(document[name].is_string(), "{name}");
    }
}
