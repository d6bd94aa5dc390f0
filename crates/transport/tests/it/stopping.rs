//! A stop that loses nothing.

use tokio::{
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::support::{Party, client, seen, written};

const LONG: Duration = Duration::from_secs(20);

async fn finishes_what_is_in_flight(party: Party) {
    let client = client(None);
    let url = party.url("/slow");
    let request = tokio::spawn(async move { client.get(&url).send().await });
    party.context.entered.notified().await;
    party.stop.trigger();
    // The listener goes first: once nobody can connect, the stop was heard.
    while TcpStream::connect(party.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    party.context.release.notify_one();
    let answer = timeout(LONG, request).await.unwrap().unwrap().unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"at last".as_slice()));
    timeout(LONG, party.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_in_flight_is_finished_over_http_2() {
    finishes_what_is_in_flight(Party::secure().await).await;
}

#[tokio::test]
async fn a_request_in_flight_is_finished_over_http_1() {
    finishes_what_is_in_flight(Party::plain().await).await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let party = Party::secure().await;
    let client = client(None);
    seen(&client, &party.url("/items/1")).await;
    let silent = TcpStream::connect(party.address).await.unwrap();
    party.stop.trigger();
    // Less than the time that requests in flight are given.
    timeout(Duration::from_secs(4), party.serving).await.unwrap().unwrap();
    drop(silent);
}

async fn is_done_to_its_end(party: Party) {
    let client = client(None);
    let url = party.url("/slow");
    let request = tokio::spawn(async move { client.get(&url).send().await });
    party.context.entered.notified().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    party.stop.trigger();
    // Less than the time that requests in flight are given: the connection is gone, and its request is not yet answered.
    timeout(Duration::from_secs(4), party.serving).await.unwrap().unwrap();
    assert_eq!(party.journal.last(), 0);
    party.context.release.notify_one();
    let written = written(&party.journal, 1).await;
    assert_eq!((written.url.as_str(), written.status), ("/slow", Some(200)));
}

#[tokio::test]
async fn what_a_client_no_longer_waits_for_is_done_over_http_2() {
    is_done_to_its_end(Party::secure().await).await;
}

#[tokio::test]
async fn what_a_client_no_longer_waits_for_is_done_over_http_1() {
    is_done_to_its_end(Party::plain().await).await;
}
