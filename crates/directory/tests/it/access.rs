//! Who may use the API: with which certificate, which token, which scope, and on whom.

use http::Method;
use openbanking::{
    directory::{AuthorisationServerRequest, CertificateAssociation, PEM},
    ssa::Role,
};
use serde_json::{Value, json};
use time::Duration;
use transport::{CallError, Identity};

use crate::world::{BANK, Directory, TPP, call, request, software_request, text};

#[tokio::test]
async fn without_a_certificate_the_handshake_stands_and_the_answer_is_401() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let bare = directory.http(None);
    let answer = tpp.ask_token(&bare, &tpp.assertion(&json!({})), TPP).await;
    directory.assert_refused(&answer, 401, "invalid_client", "fapi.client-authentication.certificate-presented");

    let (_, token) = tpp.token(&directory).await;
    for path in ["/v2.1/organisation".to_owned(), tpp.own("/software-statement"), "/v2.1/authorisation-servers".into()]
    {
        let url = tpp.address.api(&path).unwrap();
        let answer = call(&bare, &token, &url, Method::GET, |builder| builder).await.unwrap();
        assert_eq!(answer.status, 401, "{}", text(&answer));
        assert_eq!(directory.refused_by(&answer), "fapi.access.certificate-presented");
    }
}

#[tokio::test]
async fn a_token_works_only_with_the_certificate_that_it_was_issued_to_and_only_while_it_lives() {
    let directory = Directory::start().await;
    let (tpp, bank) = tokio::join!(directory.tpp(), directory.bank());
    let (own, token) = tpp.token(&directory).await;
    let url = tpp.address.api("/v2.1/organisation").unwrap();
    let (foreign, _) = bank.token(&directory).await;
    let answer = call(&foreign, &token, &url, Method::GET, |builder| builder).await.unwrap();
    directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.token-bound-to-certificate");
    let answer = call(&own, "guessed", &url, Method::GET, |builder| builder).await.unwrap();
    directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.token-known");
    let answer = own.request(Method::GET, &url).send().await.unwrap();
    directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.token-present");
    assert_eq!(call(&own, &token, &url, Method::GET, |builder| builder).await.unwrap().status, 200);
    directory.tools.clock.advance(Duration::hours(2)).unwrap();
    let answer = call(&own, &token, &url, Method::GET, |builder| builder).await.unwrap();
    directory.assert_refused(&answer, 401, "invalid_token", "fapi.access.token-not-expired");
}

#[tokio::test]
async fn an_assertion_must_be_the_callers_for_this_server_and_new() {
    let directory = Directory::start().await;
    let (tpp, bank) = tokio::join!(directory.tpp(), directory.bank());
    let http = directory.http(Some(&tpp.membership.transport));
    for (changed, rule) in [
        (json!({"aud": "https://elsewhere.example/token"}), "aud"),
        (json!({"exp": 1}), "exp"),
        (json!({"iss": bank.id()}), "iss"),
        (json!({"sub": "0015800001041RHAAY", "iss": "0015800001041RHAAY"}), "client-known"),
        // The TPP's key under the bank's name.
        (json!({"sub": bank.id(), "iss": bank.id()}), "signature"),
    ] {
        let answer = tpp.ask_token(&http, &tpp.assertion(&changed), TPP).await;
        directory.assert_refused(&answer, 401, "invalid_client", &format!("fapi.client-authentication.{rule}"));
    }
    // The bank's assertion with the TPP's certificate.
    let answer = tpp.ask_token(&http, &bank.assertion(&json!({})), BANK).await;
    directory.assert_refused(&answer, 401, "invalid_client", "fapi.client-authentication.certificate-of-client");

    let once = tpp.assertion(&json!({}));
    assert_eq!(tpp.ask_token(&http, &once, TPP).await.status, 200);
    let answer = tpp.ask_token(&http, &once, TPP).await;
    directory.assert_refused(&answer, 401, "invalid_client", "fapi.client-authentication.jti");
}

#[tokio::test]
async fn scopes_follow_the_roles_and_reading_does_not_open_changing() {
    let directory = Directory::start().await;
    let (tpp, bank) = tokio::join!(directory.tpp(), directory.bank());
    let http = directory.http(Some(&tpp.membership.transport));
    let answer = tpp.ask_token(&http, &tpp.assertion(&json!({})), BANK).await;
    directory.assert_refused(&answer, 400, "invalid_scope", "fapi.token.scope");
    let http_bank = directory.http(Some(&bank.membership.transport));
    let answer = bank.ask_token(&http_bank, &bank.assertion(&json!({})), TPP).await;
    directory.assert_refused(&answer, 400, "invalid_scope", "fapi.token.scope");

    let answer = tpp.ask_token(&http, &tpp.assertion(&json!({})), "TPPReadAccess").await;
    let token = answer.json::<Value>().unwrap()["access_token"].as_str().unwrap().to_owned();
    let url = tpp.address.api(&tpp.own("/software-statement")).unwrap();
    assert_eq!(call(&http, &token, &url, Method::GET, |builder| builder).await.unwrap().status, 200);
    let answer = call(&http, &token, &url, Method::POST, |builder| builder.json(&software_request())).await.unwrap();
    assert_eq!((answer.status.as_u16(), directory.refused_by(&answer)), (403, "directory.api.scope".to_owned()));
}

#[tokio::test]
async fn an_organisation_acts_only_on_itself() {
    let directory = Directory::start().await;
    let (tpp, bank) = tokio::join!(directory.tpp(), directory.bank());
    let software = tpp.software().await.software_statement_id;
    let server = AuthorisationServerRequest::new("Larkspur", "https://localhost:1/.well-known/openid-configuration");
    let kid = &tpp.membership.signing_kid;
    let json = |value: Value| Some(value);
    let attempts: Vec<(Method, String, Option<Value>)> = vec![
        (Method::PUT, tpp.own(""), json(json!({"status": "Withdrawn"}))),
        (Method::GET, tpp.own("/software-statement"), None),
        (Method::POST, tpp.own("/software-statement"), json(serde_json::to_value(software_request()).unwrap())),
        (Method::GET, tpp.own(&format!("/software-statement/{software}")), None),
        (Method::PUT, tpp.own(&format!("/software-statement/{software}")), json(json!({"Active": false}))),
        (Method::GET, tpp.own(&format!("/software-statement/{software}/software-statement-assertion")), None),
        (
            Method::PUT,
            tpp.own(&format!("/software-statement/{software}/certificate/obseal/{kid}")),
            json(serde_json::to_value(CertificateAssociation { associate: true }).unwrap()),
        ),
        (Method::GET, tpp.own("/certificate"), None),
        (Method::GET, tpp.own(&format!("/certificate/kid/{kid}")), None),
        (Method::DELETE, tpp.own(&format!("/certificate/kid/{kid}")), None),
        (Method::GET, tpp.own("/authorisation-server"), None),
        (Method::POST, tpp.own("/authorisation-server"), json(serde_json::to_value(&server).unwrap())),
        (Method::GET, "/v2.1/organisation/0015800001041RHAAY/certificate".to_owned(), None),
    ];
    let (http, token) = bank.token(&directory).await;
    for (method, path, body) in attempts {
        let url = bank.address.api(&path).unwrap();
        let fill = |builder: transport::RequestBuilder| match &body {
            Some(body) => builder.json(body),
            None => builder,
        };
        let answer = call(&http, &token, &url, method, fill).await.unwrap();
        directory.assert_refused(&answer, 403, "access_denied", "directory.api.own-organisation");
    }
    let url = bank.address.api(&tpp.own("/certificate/obseal")).unwrap();
    let answer = call(&http, &token, &url, Method::POST, |builder| builder.body(PEM, b"x".to_vec())).await.unwrap();
    directory.assert_refused(&answer, 403, "access_denied", "directory.api.own-organisation");
    // A software statement of one's own path with somebody else's id is not there.
    let path = bank.own(&format!("/software-statement/{software}"));
    let answer = bank.call(&directory, Method::GET, &path, |builder| builder).await;
    directory.assert_refused(&answer, 404, "not_found", "directory.api.software-statement-known");
    // What all participants may see.
    let answer = bank.call(&directory, Method::GET, &tpp.own(""), |builder| builder).await;
    assert_eq!(answer.json::<Value>().unwrap()["OBOrganisationId"], tpp.id());
}

#[tokio::test]
async fn a_servers_certificate_ends_the_handshake_of_a_client() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let server = &tpp.membership.server;
    let http = directory.http(Some(server));
    let request = http.request(Method::POST, &tpp.address.token).form(&[("grant_type", "client_credentials")]);
    let refused = request.send().await;
    assert!(matches!(refused, Err(CallError::Tls { .. })), "{:?}", refused.map(|answer| answer.status));
}

#[tokio::test]
async fn a_signing_certificate_opens_nothing() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let data = party::DataDirectory::open(tpp.data.path()).unwrap();
    let chain = data.read_chain("certificates/signing.pem").unwrap().unwrap();
    let seal = Identity { chain, key: data.load_or_create_key("signing").unwrap() };
    let http = directory.http(Some(&seal));
    let answer = tpp.ask_token(&http, &tpp.assertion(&json!({})), TPP).await;
    directory.assert_refused(&answer, 401, "invalid_client", "directory.api.certificate");
}

#[tokio::test]
async fn certificates_of_another_authority_end_the_handshake() {
    let (directory, elsewhere) = tokio::join!(Directory::start(), Directory::start());
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let stranger = elsewhere.member(&asked, TPP).await;
    let http = directory.http(Some(&stranger.membership.transport));
    let url = directory.running.api.join("/v2.1/organisation").unwrap();
    let refused = call(&http, "none", &url, Method::GET, |builder| builder).await;
    assert!(matches!(refused, Err(CallError::Tls { .. })), "{:?}", refused.map(|answer| answer.status));
}
