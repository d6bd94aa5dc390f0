//! Nothing that was answered is forgotten by a restart.

use openbanking::{
    directory::{AuthorisationServerRequest, CertificateKind},
    ssa::{OrganisationStatus, Role},
};
use party::{
    DataDirectory,
    participant::{DirectoryClient, find_directory},
};
use serde_json::json;
use simulation::Trace;
use transport::CallError;

use crate::world::{Directory, Member, TPP, call, request};

#[tokio::test]
async fn organisations_keys_statements_servers_and_the_authority_are_still_there() {
    let directory = Directory::start().await;
    let (bank, tpp) = tokio::join!(directory.bank(), directory.tpp());
    let software = tpp.software().await;
    let kid = tpp.membership.signing_kid.clone();
    tpp.client
        .link_certificate(&software.software_statement_id, CertificateKind::Obseal, &kid, &tpp.trace)
        .await
        .unwrap();
    let server =
        AuthorisationServerRequest::new("Ashdown Bank", "https://localhost:1/.well-known/openid-configuration");
    let server = bank.client.register_authorisation_server(&server, &bank.trace).await.unwrap();
    let keys = format!("/keystore/{}/{}.jwks", tpp.id(), software.software_statement_id);
    let own = "/keystore/openbanking.jwks";
    let before = (directory.anchor(), directory.key_set(&keys).await, directory.key_set(own).await);

    let directory = directory.restarted().await;
    let after = (directory.anchor(), directory.key_set(&keys).await, directory.key_set(own).await);
    assert_eq!(after, before);
    let address = directory.address().await;
    let client = DirectoryClient::new(address.clone(), &tpp.membership, TPP, &tpp.tools).unwrap();
    assert_eq!(client.authorisation_servers(&tpp.trace).await.unwrap(), [server]);
    let statements = client.software_statements(&tpp.trace).await.unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0].signing_key_ids, [kid]);
    client.software_statement_assertion(&software.software_statement_id, &tpp.trace).await.unwrap();

    // A participant that starts again takes up what it has and does not enrol twice.
    let id = tpp.id().to_owned();
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp, Role::Pisp]);
    let again = Member::enrolled(&directory, tpp.data, &asked, TPP).await.unwrap();
    assert_eq!(again.id(), id);
}

#[tokio::test]
async fn a_token_an_open_enrolment_and_used_assertions_last() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let begun = directory.begin(&request("Fennel Finance Ltd", "730167", &[Role::Aisp])).await;
    let (_, token) = tpp.token(&directory).await;
    let directory = directory.restarted().await;
    let http = directory.http(Some(&tpp.membership.transport));
    let url = directory.running.api.join("/v2.1/organisation").unwrap();
    let answer = call(&http, &token, &url, http::Method::GET, |builder| builder).await.unwrap();
    assert_eq!(answer.status, 200);
    let csr = crate::world::signing_request(&pki::Profile::Server { names: vec!["localhost".into()] });
    assert_eq!(directory.certify(&begun, CertificateKind::Server, &csr).await.status, 201);
}

#[tokio::test]
async fn revocations_and_statuses_last() {
    let directory = Directory::start().await;
    let (bank, tpp) = tokio::join!(directory.bank(), directory.tpp());
    let path = tpp.own(&format!("/certificate/kid/{}", tpp.membership.transport_kid));
    tpp.call(&directory, http::Method::DELETE, &path, |builder| builder).await;
    directory.set_status(bank.id(), OrganisationStatus::Revoked).await;

    let directory = directory.restarted().await;
    let url = directory.running.api.join("/v2.1/organisation").unwrap();
    let http = directory.http(Some(&tpp.membership.transport));
    let refused = call(&http, "none", &url, http::Method::GET, |builder| builder).await;
    assert!(matches!(refused, Err(CallError::Tls { .. })), "{:?}", refused.map(|answer| answer.status));
    let http = directory.http(Some(&bank.membership.transport));
    let answer = bank_token(&directory, &bank, &http).await;
    directory.assert_refused(&answer, 401, "invalid_client", "fapi.client-authentication.organisation-active");
}

async fn bank_token(directory: &Directory, bank: &Member, http: &transport::HttpClient) -> transport::Answer {
    let token = directory.running.api.join("/token").unwrap();
    let assertion = bank.assertion(&json!({ "aud": token.as_str() }));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    http.request(http::Method::POST, &token).form(&form).send().await.unwrap()
}

#[tokio::test]
async fn who_waits_for_the_directory_notices_that_it_began_anew() {
    let (directory, before) = tokio::join!(Directory::start(), Directory::start());
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("trust-anchor.pem");
    std::fs::copy(&before.running.trust_anchor, &anchor).unwrap();
    let (public, path) = (directory.running.public.clone(), anchor.clone());
    let found = tokio::spawn(async move {
        let tools = crate::world::tools();
        find_directory(&public, &path, &tools, &Trace::new(&tools.chance)).await
    });
    // Two handshakes fail: the anchor is that of another Directory.
    while directory.tools.journal.last() < 2 {
        tokio::task::yield_now().await;
    }
    std::fs::copy(&directory.running.trust_anchor, folder.path().join("new")).unwrap();
    std::fs::rename(folder.path().join("new"), &anchor).unwrap();
    let found = found.await.unwrap().map_err(|error| error.to_string()).unwrap();
    assert_eq!(found.anchor.der(), directory.anchor().der());
}

#[tokio::test]
async fn secrets_are_readable_by_their_owner_only_and_the_anchor_is_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::start().await;
    let data = DataDirectory::open(&directory.folder.path().join("directory")).unwrap();
    for key in ["authority/root.key", "authority/issuing.key", "keys/server.key", "keys/signing.key"] {
        let mode = std::fs::metadata(data.join(key)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{key}");
    }
    assert_eq!(directory.running.trust_anchor, data.join("public/trust-anchor.pem"));
}
