//! What a client makes of answers and of their absence.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use transport::{CallError, HttpClient};

use crate::support::{Party, client, seen, settings};

#[tokio::test]
async fn nobody_listening_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = client(None).get(&format!("https://{address}/").parse().unwrap()).send().await;
    assert!(
        matches!(&outcome, Err(CallError::ConnectionRefused { peer }) if *peer == address.to_string()),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let party = Party::plain().await;
    let mut url = party.url("/items/1");
    url.set_scheme("https").unwrap();
    let outcome = client(None).get(&url).send().await;
    assert!(matches!(outcome, Err(CallError::Tls { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_client_for_https_alone_sends_nothing_in_the_clear() {
    let party = Party::plain().await;
    let url = party.url("/items/1");
    let outcome = HttpClient::https_only(settings(None)).unwrap().get(&url).send().await;
    assert!(matches!(outcome, Err(CallError::InTheClear { .. })), "{outcome:?}");
    assert_eq!(client(None).get(&url).send().await.unwrap().status, StatusCode::OK);
    let secure = Party::secure().await.url("/items/1");
    assert_eq!(
        HttpClient::https_only(settings(None)).unwrap().get(&secure).send().await.unwrap().status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let party = Party::secure().await;
    let mut hurried = settings(None);
    hurried.timeout = Duration::from_millis(500);
    let outcome = HttpClient::new(hurried).unwrap().get(&party.url("/slow")).send().await;
    assert!(matches!(&outcome, Err(CallError::Timeout { after }) if after.as_millis() == 500), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_given_up() {
    let party = Party::secure().await;
    let outcome = client(None).get(&party.url("/large")).send().await;
    assert!(matches!(outcome, Err(CallError::TooLarge { limit: 8_388_608 })), "{outcome:?}");
}

#[tokio::test]
async fn redirects_are_answers() {
    let party = Party::secure().await;
    let answer = client(None).get(&party.url("/elsewhere")).send().await.unwrap();
    assert_eq!((answer.status, answer.header("location")), (StatusCode::FOUND, Some("/items/1")));
}

#[tokio::test]
async fn cookies_are_kept_when_asked_for() {
    let party = Party::secure().await;
    let url = party.url("/items/1");
    let forgetful = client(None);
    seen(&forgetful, &url).await;
    assert!(seen(&forgetful, &url).await["cookie"].is_null());
    let mut browser = settings(None);
    browser.cookies = true;
    let browser = HttpClient::new(browser).unwrap();
    seen(&browser, &url).await;
    assert_eq!(seen(&browser, &url).await["cookie"], "one");
}

#[tokio::test]
async fn what_cannot_be_a_header_is_not_sent() {
    let party = Party::secure().await;
    let url = party.url("/items/1");
    let client = client(None);
    for request in [client.get(&url).header("x", "a\r\nb: c"), client.get(&url).bearer("a\nb")] {
        assert!(matches!(request.send().await, Err(CallError::Request(_))));
    }
    assert!(party.exchanges().is_empty());
}

#[tokio::test]
async fn json_that_is_not_as_expected_is_told_with_the_status() {
    let party = Party::secure().await;
    let answer = client(None).get(&party.url("/elsewhere")).send().await.unwrap();
    assert!(matches!(answer.json::<Value>(), Err(CallError::Json { status: 302, .. })));
}

#[tokio::test]
async fn answers_are_of_the_partys_time_and_clocks_that_are_apart_are_told() {
    let party = Party::secure().await;
    let client = client(None);
    for path in ["/items/1", "/nowhere"] {
        let answer = client.get(&party.url(path)).send().await.unwrap();
        assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")) && answer.clocks_apart().is_none());
    }
    party.clock.advance(time::Duration::days(3650)).unwrap();
    for path in ["/items/1", "/nowhere"] {
        let answer = client.get(&party.url(path)).send().await.unwrap();
        let year = party.clock.now().year().to_string();
        assert!(answer.header("date").unwrap().contains(&year), "{:?}", answer.headers);
        let told = answer.clocks_apart().unwrap().to_string();
        assert!(told.contains("the clocks are apart") && told.contains(&year), "{told}");
    }
}
