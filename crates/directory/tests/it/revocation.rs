//! A revoked certificate leaves the key set, enters the list, and opens no new connection.

use http::Method;
use openbanking::directory::CertificateRecord;
use serde_json::json;
use transport::{CallError, ServerTls};

use crate::world::{Directory, Member, TPP, call, text};

async fn revoke(directory: &Directory, member: &Member, kid: &str) {
    let path = member.own(&format!("/certificate/kid/{kid}"));
    let answer = member.call(directory, Method::DELETE, &path, |builder| builder).await;
    assert_eq!(answer.status, 204, "{}", text(&answer));
}

#[tokio::test]
async fn a_revoked_transport_certificate_opens_no_new_connection() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let before = directory.get("/pki/issuing.crl").await.body;
    revoke(&directory, &tpp, &tpp.membership.transport_kid).await;
    assert_ne!(directory.get("/pki/issuing.crl").await.body, before);

    let http = directory.http(Some(&tpp.membership.transport));
    let url = tpp.address.api("/v2.1/organisation").unwrap();
    let refused = call(&http, "none", &url, Method::GET, |builder| builder).await;
    assert!(matches!(refused, Err(CallError::Tls { .. })), "{:?}", refused.map(|answer| answer.status));

    let gone = ("tls".to_owned(), tpp.membership.transport_kid.clone());
    assert!(!directory.key_set(&format!("/keystore/{0}/{0}.jwks", tpp.id())).await.contains(&gone));
    assert_eq!(directory.key_set(&format!("/keystore/{0}/revoked/{0}.jwks", tpp.id())).await, [gone]);
}

#[tokio::test]
async fn a_connection_that_stands_is_of_no_more_use_once_its_certificate_is_revoked() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let (http, token) = tpp.token(&directory).await;
    let url = tpp.address.api("/v2.1/organisation").unwrap();
    assert_eq!(call(&http, &token, &url, Method::GET, |builder| builder).await.unwrap().status, 200);
    revoke(&directory, &tpp, &tpp.membership.transport_kid).await;
    let answer = call(&http, &token, &url, Method::GET, |builder| builder).await;
    let status = answer.map(|answer| answer.status.as_u16());
    assert!(matches!(status, Ok(401) | Err(CallError::Tls { .. })), "{status:?}");
}

#[tokio::test]
async fn a_revoked_signing_certificate_signs_no_more_and_leaves_the_software_too() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let kid = &tpp.membership.signing_kid;
    let kind = openbanking::directory::CertificateKind::Obseal;
    tpp.client.link_certificate(&software, kind, kid, &tpp.trace).await.unwrap();
    let (http, token) = tpp.token(&directory).await;
    revoke(&directory, &tpp, kid).await;

    let answer = tpp.ask_token(&http, &tpp.assertion(&json!({})), TPP).await;
    directory.assert_refused(&answer, 401, "invalid_client", "fapi.client-authentication.signature");
    assert_eq!(directory.key_set(&format!("/keystore/{}/{software}.jwks", tpp.id())).await, []);
    let revoked = directory.key_set(&format!("/keystore/{}/revoked/{software}.jwks", tpp.id())).await;
    assert_eq!(revoked, [("sig".to_owned(), kid.clone())]);
    // The token and the transport certificate still read: the record says what happened.
    let url = tpp.address.api(&tpp.own(&format!("/certificate/kid/{kid}"))).unwrap();
    let answer = call(&http, &token, &url, Method::GET, |builder| builder).await.unwrap();
    assert_eq!(answer.json::<CertificateRecord>().unwrap().status, "Revoked");
}

#[tokio::test]
async fn a_software_statement_does_not_name_a_revoked_key() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let kid = &tpp.membership.signing_kid;
    let kind = openbanking::directory::CertificateKind::Obseal;
    tpp.client.link_certificate(&software, kind, kid, &tpp.trace).await.unwrap();
    let (http, token) = tpp.token(&directory).await;
    revoke(&directory, &tpp, kid).await;
    let url = tpp.address.api(&tpp.own(&format!("/software-statement/{software}"))).unwrap();
    let answer = call(&http, &token, &url, Method::GET, |builder| builder).await.unwrap();
    let statement: openbanking::directory::SoftwareStatement = answer.json().unwrap();
    assert!(statement.signing_key_ids.is_empty(), "{:?}", statement.signing_key_ids);
}

#[tokio::test]
async fn the_list_is_one_that_listeners_take() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    revoke(&directory, &tpp, &tpp.membership.signing_kid).await;
    let list = directory.get("/pki/issuing.crl").await;
    assert_eq!(list.header("content-type"), Some("application/pkix-crl"));
    ServerTls::new(
        &tpp.membership.server,
        transport::ClientCertificates::Anchored(&[directory.anchor()]),
        &[list.body.to_vec()],
    )
    .unwrap();
}

#[tokio::test]
async fn an_unknown_certificate_cannot_be_revoked() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let path = tpp.own("/certificate/kid/unknown");
    let answer = tpp.call(&directory, Method::DELETE, &path, |builder| builder).await;
    directory.assert_refused(&answer, 404, "not_found", "directory.certificate.known");
}

#[tokio::test]
async fn the_operator_revokes_and_takes_it_back() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let kid = &tpp.membership.signing_kid;
    let kind = openbanking::directory::CertificateKind::Obseal;
    tpp.client.link_certificate(&software, kind, kid, &tpp.trace).await.unwrap();
    let published = async || directory.key_set(&format!("/keystore/{}/{software}.jwks", tpp.id())).await;
    let before = published().await;
    assert_eq!(before, [("sig".to_owned(), kid.clone())]);
    let operate = async |kid: &str, how: &str| {
        let path = format!("/organisations/{}/certificates/{kid}/{how}", tpp.id());
        directory.control(Method::POST, &path, &json!({})).await.status
    };

    assert_eq!(operate(kid, "revoke").await, 204);
    assert_eq!(published().await, []);
    // Once more changes nothing.
    assert_eq!(operate(kid, "revoke").await, 204);
    assert_eq!(operate(kid, "reinstate").await, 204);
    assert_eq!(published().await, before);
    assert_eq!(operate(kid, "reinstate").await, 204);
    assert_eq!(published().await, before);
    assert_eq!(operate("unknown", "reinstate").await, 404);

    let transport = &tpp.membership.transport_kid;
    let http = directory.http(Some(&tpp.membership.transport));
    let url = tpp.address.api("/v2.1/organisation").unwrap();
    assert_eq!(operate(transport, "revoke").await, 204);
    let refused = call(&http, "none", &url, Method::GET, |builder| builder).await;
    assert!(matches!(refused, Err(CallError::Tls { .. })), "{:?}", refused.map(|answer| answer.status));
    assert_eq!(operate(transport, "reinstate").await, 204);
    let answer = call(&http, "none", &url, Method::GET, |builder| builder).await.unwrap();
    assert_eq!(answer.status, 401, "the connection stands; the token is none");
}
