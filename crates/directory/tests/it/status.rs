//! Organisations and software statements that are not active.

use http::Method;
use openbanking::{
    directory::{AuthorisationServerRequest, Organisation, PEM, SoftwareStatement},
    ssa::{OrganisationStatus, Role},
};
use pki::Profile;
use serde_json::json;

use crate::world::{Directory, TPP, call, request, signing_request, subject, text};

#[tokio::test]
async fn a_revoked_organisation_gets_no_assertion_no_token_and_no_certificate_until_it_is_active_again() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let (http, token) = tpp.token(&directory).await;
    let assertion = tpp.own(&format!("/software-statement/{software}/software-statement-assertion"));
    let assertion = tpp.address.api(&assertion).unwrap();
    let certificate = tpp.address.api(&tpp.own("/certificate/obseal")).unwrap();
    let csr = signing_request(&Profile::Obseal(subject(
        &request("Larkspur Money Ltd", "730166", &[Role::Aisp, Role::Pisp]),
        tpp.id(),
    )));
    for status in [OrganisationStatus::Revoked, OrganisationStatus::Withdrawn] {
        directory.set_status(tpp.id(), status).await;
        let answer = tpp.ask_token(&http, &tpp.assertion(&json!({})), TPP).await;
        let rule = "fapi.client-authentication.organisation-active";
        directory.assert_refused(&answer, 401, "invalid_client", rule);
        assert_eq!((answer.header("cache-control"), answer.header("www-authenticate")), (Some("no-store"), None));
        let answer = call(&http, &token, &assertion, Method::GET, |builder| builder).await.unwrap();
        directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.organisation-active");
        let body = csr.clone().into_bytes();
        let answer = call(&http, &token, &certificate, Method::POST, |builder| builder.body(PEM, body)).await.unwrap();
        directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.organisation-active");
    }
    directory.set_status(tpp.id(), OrganisationStatus::Active).await;
    let answer = call(&http, &token, &assertion, Method::GET, |builder| builder).await.unwrap();
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert_eq!(answer.header("content-type"), Some("application/jws+json"));
}

#[tokio::test]
async fn others_see_the_status_and_a_bank_that_is_not_active_is_not_listed() {
    let directory = Directory::start().await;
    let (bank, tpp) = tokio::join!(directory.bank(), directory.tpp());
    let server =
        AuthorisationServerRequest::new("Ashdown Bank", "https://localhost:1/.well-known/openid-configuration");
    bank.client.register_authorisation_server(&server, &bank.trace).await.unwrap();
    assert_eq!(tpp.client.authorisation_servers(&tpp.trace).await.unwrap().len(), 1);
    directory.set_status(bank.id(), OrganisationStatus::Revoked).await;
    assert_eq!(tpp.client.authorisation_servers(&tpp.trace).await.unwrap(), []);
    let seen = tpp.call(&directory, Method::GET, &bank.own(""), |builder| builder).await;
    assert_eq!(seen.json::<Organisation>().unwrap().status, OrganisationStatus::Revoked);
}

#[tokio::test]
async fn an_organisation_withdraws_and_cannot_come_back_by_itself() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let (http, token) = tpp.token(&directory).await;
    let url = tpp.address.api(&tpp.own("")).unwrap();
    let set = async |status: &str| {
        let body = json!({ "status": status });
        call(&http, &token, &url, Method::PUT, |builder| builder.json(&body)).await.unwrap()
    };
    let answer = set("Sleeping").await;
    directory.assert_refused(&answer, 400, "invalid_request", "directory.api.body");
    let answer = set("Withdrawn").await;
    assert_eq!(answer.json::<Organisation>().unwrap().status, OrganisationStatus::Withdrawn);
    let answer = set("Active").await;
    directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.organisation-active");
}

#[tokio::test]
async fn an_inactive_software_statement_gets_no_assertion() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let path = tpp.own(&format!("/software-statement/{software}"));
    let switch = async |active: bool| {
        let body = json!({ "Active": active });
        let answer = tpp.call(&directory, Method::PUT, &path, |builder| builder.json(&body)).await;
        assert_eq!(answer.json::<SoftwareStatement>().unwrap().active, active);
    };
    let assertion = format!("{path}/software-statement-assertion");
    switch(false).await;
    let answer = tpp.call(&directory, Method::GET, &assertion, |builder| builder).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.assertion.software-active");
    switch(true).await;
    assert_eq!(tpp.call(&directory, Method::GET, &assertion, |builder| builder).await.status, 200);
}
