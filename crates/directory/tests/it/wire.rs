//! Requests that no handler takes, and bodies that are not what they should be.

use http::Method;
use openbanking::{directory::CertificateKind, ssa::Role};
use serde_json::{Value, json};
use transport::{Answer, RequestBuilder};
use url::Url;

use crate::world::{Directory, TPP, request, software_request, text};

fn error(answer: &Answer) -> (u16, String) {
    let body: Value = answer.json().unwrap_or_default();
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_else(|| panic!("{}", text(answer))).to_owned())
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart_on_both_listeners() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let http = directory.http(Some(&tpp.membership.transport));
    let send = async |base: &Url, method: Method, path: &str| {
        http.request(method, &base.join(path).unwrap()).send().await.unwrap()
    };
    let (public, api) = (&directory.running.public, &directory.running.api);
    for (base, path) in
        [(public, "/nowhere"), (public, "/token"), (api, "/nowhere"), (api, "/enrolment"), (api, "/v2.1")]
    {
        assert_eq!(error(&send(base, Method::GET, path).await), (404, "not_found".to_owned()), "{path}");
    }
    for (base, method, path, allowed) in [
        (public, Method::GET, "/enrolment", "POST"),
        (public, Method::DELETE, "/keystore/openbanking.jwks", "GET"),
        (api, Method::GET, "/token", "POST"),
        (api, Method::PATCH, "/v2.1/organisation", "GET"),
    ] {
        let answer = send(base, method, path).await;
        assert_eq!(answer.status, 405, "{path}");
        assert!(answer.header("allow").unwrap_or_default().contains(allowed), "{path}: {:?}", answer.header("allow"));
        error(&answer);
    }
}

#[tokio::test]
async fn key_sets_have_their_names_and_nothing_else_is_one() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    for path in [
        format!("/keystore/{0}/{0}", tpp.id()),
        format!("/keystore/{0}/{0}.txt", tpp.id()),
        "/keystore/0015800001041RHAAY/0015800001041RHAAY.jwks".to_owned(),
        format!("/keystore/{}/4EEh9XwJd3Vq2mQhZ7aBcD.jwks", tpp.id()),
    ] {
        assert_eq!(directory.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn bodies_of_another_type_or_form_or_length_are_refused() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let right = serde_json::to_vec(&asked).unwrap();
    let send = async |content_type: &str, body: Vec<u8>| {
        directory.open(Method::POST, "/enrolment", |builder| builder.body(content_type, body)).await
    };
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/jose"] {
        let answer = send(other, right.clone()).await;
        assert_eq!((answer.status.as_u16(), directory.refused_by(&answer).as_str()), (415, "directory.api.media-type"));
    }
    for (broken, told) in [
        ("{", "line 1"),
        ("", "line 1"),
        ("[]", "EnrolmentRequest"),
        (r#"{"LegalEntityName":"A"}"#, "RegisterBody"),
        (r#"{"LegalEntityName":7}"#, "string"),
        (r#"{"LegalEntityName":"A","RegisterBody":"FCA","RegistrationId":"1","Roles":["KING"]}"#, "KING"),
        (r#"{"LegalEntityName":"A","RegisterBody":"FCA","RegistrationId":"1","Roles":["AISP"],"Colour":1}"#, "Colour"),
    ] {
        let answer = send("application/json", broken.as_bytes().to_vec()).await;
        directory.assert_refused(&answer, 400, "invalid_request", "directory.api.body");
        assert!(text(&answer).contains(told), "{told}: {}", text(&answer));
    }
    let answer = send("application/json", vec![b' '; 70 * 1024]).await;
    assert_eq!(answer.status, 413);
    error(&answer);

    let begun = directory.begin(&asked).await;
    let path = format!("/enrolment/{}/certificate/{}", begun.organisation_id, CertificateKind::Obwac);
    let fill = |builder: RequestBuilder| builder.bearer(&begun.enrolment_token).json(&json!({}));
    let answer = directory.open(Method::POST, &path, fill).await;
    assert_eq!(
        (answer.status.as_u16(), directory.refused_by(&answer).as_str()),
        (415, "directory.certificate.media-type")
    );
}

#[tokio::test]
async fn bodies_of_the_api_are_judged_alike() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let path = tpp.own("/software-statement");
    let send = async |content_type: &str, body: Vec<u8>| {
        tpp.call(&directory, Method::POST, &path, |builder| builder.body(content_type, body)).await
    };
    let right = serde_json::to_vec(&software_request()).unwrap();
    let answer = send("text/plain", right.clone()).await;
    assert_eq!((answer.status.as_u16(), directory.refused_by(&answer).as_str()), (415, "directory.api.media-type"));
    let answer = send("application/json", b"{\"ClientName\":}".to_vec()).await;
    directory.assert_refused(&answer, 400, "invalid_request", "directory.api.body");
    assert_eq!(send("application/json", vec![b' '; 70 * 1024]).await.status, 413);
    assert_eq!(send("application/json; charset=utf-8", right).await.status, 201);
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_and_speaks_oauth() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let http = directory.http(Some(&tpp.membership.transport));
    let send = |builder: RequestBuilder| builder.send();
    let assertion = tpp.assertion(&json!({}));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    let answer = send(http.request(Method::POST, &tpp.address.token).form(&form)).await.unwrap();
    directory.assert_refused(&answer, 400, "unsupported_grant_type", "fapi.token.grant-type-known");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_token_endpoint_takes_nothing_but_forms() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let http = directory.http(Some(&tpp.membership.transport));
    let answer = http.request(Method::POST, &tpp.address.token).json(&json!({})).send().await.unwrap();
    directory.assert_refused(&answer, 400, "invalid_request", "fapi.parameters.form");
}

#[tokio::test]
async fn the_token_endpoint_refuses_a_certificate_that_is_not_for_transport_in_the_words_of_oauth() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let data = party::DataDirectory::open(tpp.data.path()).unwrap();
    let chain = data.read_chain("certificates/signing.pem").unwrap().unwrap();
    let seal = transport::Identity { chain, key: data.load_or_create_key("signing").unwrap() };
    let answer = tpp.ask_token(&directory.http(Some(&seal)), &tpp.assertion(&json!({})), TPP).await;
    directory.assert_refused(&answer, 401, "invalid_client", "directory.api.certificate");
    // RFC 6749, 5.2: who did not use the Authorization header is told no scheme.
    assert_eq!((answer.header("cache-control"), answer.header("www-authenticate")), (Some("no-store"), None));
}
