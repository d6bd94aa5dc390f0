//! What leaves the engine: codes, statuses and sentences that say what is demanded, never what was found.

use fapi::{ErrorCode, Failure, catalogue, error::ErrorBody};
use serde_json::json;

use crate::world::{LARKSPUR, World};

#[test]
fn every_reason_fits_into_an_error_description_as_it_is() {
    for rule in catalogue() {
        assert_eq!(ErrorBody::new(ErrorCode::InvalidRequest, rule.reason).error_description, rule.reason);
        assert!(!rule.clause.is_empty() && rule.id.starts_with("fapi."), "{}", rule.id);
    }
}

#[test]
fn an_error_description_has_only_the_characters_that_rfc_6749_allows() {
    let body = ErrorBody::new(ErrorCode::InvalidGrant, "a \"quoted\\\n\u{e9}\u{7f} sentence");
    let expected = json!({"error": "invalid_grant", "error_description": "a 'quoted'??? sentence"});
    assert_eq!(serde_json::to_value(body).unwrap(), expected);
}

#[test]
fn statuses_follow_the_codes() {
    for (code, name, status) in [
        (ErrorCode::InvalidRequest, "invalid_request", 400),
        (ErrorCode::InvalidClient, "invalid_client", 401),
        (ErrorCode::InvalidGrant, "invalid_grant", 400),
        (ErrorCode::UnauthorizedClient, "unauthorized_client", 400),
        (ErrorCode::UnsupportedGrantType, "unsupported_grant_type", 400),
        (ErrorCode::InvalidScope, "invalid_scope", 400),
        (ErrorCode::AccessDenied, "access_denied", 400),
        (ErrorCode::UnsupportedResponseType, "unsupported_response_type", 400),
        (ErrorCode::ServerError, "server_error", 500),
        (ErrorCode::TemporarilyUnavailable, "temporarily_unavailable", 503),
        (ErrorCode::InvalidRequestObject, "invalid_request_object", 400),
        (ErrorCode::InvalidRequestUri, "invalid_request_uri", 400),
        (ErrorCode::RequestUriNotSupported, "request_uri_not_supported", 400),
        (ErrorCode::InvalidToken, "invalid_token", 401),
        (ErrorCode::InsufficientScope, "insufficient_scope", 403),
        (ErrorCode::InvalidRedirectUri, "invalid_redirect_uri", 400),
        (ErrorCode::InvalidClientMetadata, "invalid_client_metadata", 400),
        (ErrorCode::InvalidSoftwareStatement, "invalid_software_statement", 400),
        (ErrorCode::UnapprovedSoftwareStatement, "unapproved_software_statement", 400),
    ] {
        assert_eq!((code.as_str(), code.status()), (name, status));
    }
}

#[tokio::test]
async fn what_was_found_goes_to_the_journal_and_not_to_the_wire() {
    let world = World::new();
    let refused = world.ask(&json!({"aud": "https://marker.example"})).await.unwrap_err();
    let response = refused.response.unwrap();
    let sent = format!("{:?}", response.delivery());
    assert!(!sent.contains("marker"));
    let verdict = refused.failure.verdict().unwrap();
    let by = verdict.refused_by().unwrap();
    assert_eq!((by.expected.as_str(), by.found.as_str()), ("https://bank.example", "https://marker.example"));
    assert_eq!(verdict.passed.last().map(AsRef::as_ref), Some("fapi.request-object.client-id"));
}

#[tokio::test]
async fn secrets_stand_neither_in_the_store_nor_in_verdicts_nor_in_debug_output() {
    let world = World::new();
    let code = world.code().await;
    let tokens = world.redeem(&code, &[]).await.unwrap().value;
    let refresh_token = tokens.refresh_token.clone().unwrap();
    let (store, shown) = (world.memory().dump(), format!("{tokens:?}"));
    for secret in [&code, &tokens.access_token, &refresh_token] {
        assert_eq!(secret.len(), 43);
        assert!(!store.contains(secret) && !shown.contains(secret));
    }
    let failures: [Failure; 2] = [
        world.redeem(&code, &[]).await.unwrap_err(),
        world.token(&LARKSPUR, &[("grant_type", "refresh_token"), ("refresh_token", &code)]).await.unwrap_err(),
    ];
    for failure in failures {
        assert!(!format!("{failure:?}").contains(&code));
    }
}
