//! What becomes of a request: found, read, answered.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Party, client, seen};

#[tokio::test]
async fn a_request_reaches_its_handler_over_http_2_with_everything_extracted() {
    let party = Party::secure().await;
    let seen = seen(&client(None), &party.url("/items/a%2Fb?x=1&x=2")).await;
    assert_eq!((&seen["item"], &seen["query"]), (&"a/b".into(), &"x=1&x=2".into()));
    assert_eq!(seen["host"], format!("bank.localhost:{}", party.address.port()));
}

#[tokio::test]
async fn what_no_handler_answers_reaches_the_party_as_a_problem() {
    let party = Party::secure().await;
    let client = client(None);
    let ask = async |method: Method, path: &str, body: &'static str| {
        let answer = client.request(method, &party.url(path)).body("text/plain", body).send().await.unwrap();
        let problem: Value = answer.json().unwrap();
        assert_eq!(problem["path"], path);
        (answer, problem["problem"].as_str().unwrap().to_owned())
    };
    let (answer, problem) = ask(Method::GET, "/nowhere", "").await;
    assert_eq!((answer.status, problem.as_str()), (StatusCode::NOT_FOUND, "no route has this path"));
    let (answer, _) = ask(Method::DELETE, "/items/1", "").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD")));
    let (answer, problem) = ask(Method::POST, "/items", "12345678901").await;
    assert_eq!((answer.status, problem.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 10 bytes"));
    let exact = client.post(&party.url("/items")).body("text/plain", "1234567890").send().await.unwrap();
    assert_eq!(exact.json::<Value>().unwrap()["body"], 10);
}

#[tokio::test]
async fn a_body_without_an_announced_length_is_bounded_too() {
    let party = Party::plain().await;
    let chunked = "POST /items HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = party.raw(&format!("{chunked}6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("longer than 10 bytes"), "{answer}");
    let answer = party.raw(&format!("{chunked}5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_announced_too_long_is_not_asked_for() {
    let party = Party::plain().await;
    let head = "POST /items HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nconnection: close\r\n";
    let answer = party.raw(&format!("{head}content-length: 11\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_broken_body_reaches_the_party_as_a_problem() {
    let party = Party::plain().await;
    let chunked = "POST /items HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = party.raw(&format!("{chunked}zz\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("did not arrive completely"), "{answer}");
    assert!(party.exchanges()[0].error.as_ref().unwrap().contains("body"));
}

#[tokio::test]
async fn a_head_request_gets_the_headers_of_get_and_no_body() {
    let party = Party::secure().await;
    let url = party.url("/items/1");
    let client = client(None);
    let head = client.request(Method::HEAD, &url).send().await.unwrap();
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 0);

    let party = Party::plain().await;
    let answer = party.raw("HEAD /items/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn the_interaction_id_is_echoed_when_it_is_a_uuid_and_made_otherwise() {
    let party = Party::secure().await;
    let client = client(None);
    let url = party.url("/items/1");
    let answered = async |id: &str| {
        let answer = client.get(&url).interaction_id(id).send().await.unwrap();
        answer.interaction_id.unwrap()
    };
    let id = "93BAC548-d2de-4546-b106-880a5018460d";
    assert_eq!(answered(id).await, id);
    let made = answered("not a uuid").await;
    assert!(made.len() == 36 && made != "not a uuid", "{made}");
    let other = client.get(&party.url("/nowhere")).send().await.unwrap().interaction_id.unwrap();
    assert!(other.len() == 36 && other != made, "{other}");
}

#[tokio::test]
async fn a_handler_that_panics_gives_500_and_the_connection_stays() {
    let party = Party::secure().await;
    let client = client(None);
    let answer = client.get(&party.url("/defect")).send().await.unwrap();
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json::<Value>().unwrap()["path"], "/defect");
    assert!(answer.interaction_id.is_some());
    let entry = &party.exchanges()[0];
    assert_eq!(entry.status, Some(500));
    assert!(entry.error.as_ref().unwrap().contains("a defect"), "{entry:?}");
    seen(&client, &party.url("/items/1")).await;
}
