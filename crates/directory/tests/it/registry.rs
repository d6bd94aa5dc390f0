//! What may be written into the register.

use http::Method;
use openbanking::directory::{AuthorisationServerRequest, SoftwareStatement};
use serde_json::{Value, json};

use crate::world::{Directory, software_request, text};

#[tokio::test]
async fn a_software_statement_keeps_within_its_organisation_and_the_standard() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    for (member, value) in [
        ("Roles", json!(["AISP", "CBPII"])),
        ("Roles", json!(["ASPSP"])),
        ("Roles", json!([])),
        ("RedirectUri", json!([])),
        ("RedirectUri", json!(["http://localhost/callback"])),
        ("RedirectUri", json!(["https://localhost/callback#there"])),
        ("RedirectUri", json!(["callback"])),
        ("ClientName", json!("")),
        ("ClientName", json!("x".repeat(41))),
    ] {
        let mut wrong = serde_json::to_value(software_request()).unwrap();
        wrong[member] = value.clone();
        let path = tpp.own("/software-statement");
        let answer = tpp.call(&directory, Method::POST, &path, |builder| builder.json(&wrong)).await;
        assert_eq!(answer.status, 400, "{member} {value}: {}", text(&answer));
        directory.assert_refused(&answer, 400, "invalid_request", "directory.api.software-statement-details");
    }
    assert_eq!(tpp.client.software_statements(&tpp.trace).await.unwrap(), []);
}

#[tokio::test]
async fn lengths_that_assertions_limit_are_limited() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    for (member, value) in [
        ("Description", json!("x".repeat(257))),
        ("Version", json!("1".repeat(43))),
        ("RedirectUri", json!([format!("https://localhost/{}", "x".repeat(256))])),
        ("LogoUri", json!("javascript:alert(1)")),
    ] {
        let mut wrong = serde_json::to_value(software_request()).unwrap();
        wrong[member] = value;
        let path = tpp.own("/software-statement");
        let answer = tpp.call(&directory, Method::POST, &path, |builder| builder.json(&wrong)).await;
        assert_eq!(answer.status, 400, "{member}: {}", text(&answer));
    }
}

#[tokio::test]
async fn software_statements_are_read_as_they_were_written() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let written = tpp.software().await;
    assert_eq!((written.client_name.as_str(), written.active), ("Larkspur Budget", true));
    assert_eq!(tpp.client.software_statements(&tpp.trace).await.unwrap(), std::slice::from_ref(&written));
    let path = tpp.own(&format!("/software-statement/{}", written.software_statement_id));
    let read = tpp.call(&directory, Method::GET, &path, |builder| builder).await;
    assert_eq!(read.json::<SoftwareStatement>().unwrap(), written);
    let path = tpp.own("/software-statement/4EEh9XwJd3Vq2mQhZ7aBcD");
    let answer = tpp.call(&directory, Method::GET, &path, |builder| builder).await;
    directory.assert_refused(&answer, 404, "not_found", "directory.api.software-statement-known");
}

#[tokio::test]
async fn only_banks_have_authorisation_servers_and_those_are_https() {
    let directory = Directory::start().await;
    let (bank, tpp) = tokio::join!(directory.bank(), directory.tpp());
    let right = AuthorisationServerRequest::new("Ashdown Bank", "https://localhost:1/.well-known/openid-configuration");
    let path = tpp.own("/authorisation-server");
    let answer = tpp.call(&directory, Method::POST, &path, |builder| builder.json(&right)).await;
    directory.assert_refused(&answer, 400, "invalid_request", "directory.api.authorisation-server-details");
    for (member, value) in [
        ("OpenIDConfigEndPointUri", "http://localhost:1/"),
        ("OpenIDConfigEndPointUri", "nowhere"),
        ("BaseApiDNSUri", "ftp://localhost:1/"),
        ("CustomerFriendlyName", ""),
    ] {
        let mut wrong = serde_json::to_value(&right).unwrap();
        wrong[member] = Value::from(value);
        let path = bank.own("/authorisation-server");
        let answer = bank.call(&directory, Method::POST, &path, |builder| builder.json(&wrong)).await;
        directory.assert_refused(&answer, 400, "invalid_request", "directory.api.authorisation-server-details");
    }
    let path = bank.own("/authorisation-server/unknown");
    let answer = bank.call(&directory, Method::PUT, &path, |builder| builder.json(&right)).await;
    directory.assert_refused(&answer, 404, "not_found", "directory.api.authorisation-server-known");
}

#[tokio::test]
async fn a_participant_adds_an_organisation_that_then_comes_to_the_door() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let new = crate::world::request("Fennel Finance Ltd", "730167", &[openbanking::ssa::Role::Aisp]);
    let answer = tpp.call(&directory, Method::POST, "/v2.1/organisation", |builder| builder.json(&new)).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
    let id = answer.json::<Value>().unwrap()["OBOrganisationId"].as_str().unwrap().to_owned();
    assert_eq!(directory.begin(&new).await.organisation_id, id);
}
