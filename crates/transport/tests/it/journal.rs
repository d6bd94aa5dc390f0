//! What both sides write down.

use simulation::{Chance, Clock, Filter, Journal, Side, Trace};
use transport::HttpClient;

use crate::support::{PKI, POLITE, Party, settings};

fn recording() -> (HttpClient, Journal) {
    let journal = Journal::new("fintech", 100);
    let mut settings = settings(Some(&PKI.client));
    settings.journal = Some(journal.clone());
    (HttpClient::new(settings).unwrap(), journal)
}

#[tokio::test]
async fn both_sides_write_the_same_journey() {
    let party = Party::secure().await;
    let (client, journal) = recording();
    let trace = Trace::new(&Chance::from_seed(3));
    let url = party.url("/items/1?state=s&code=secret");
    let answer = client.get(&url).to("bank").trace(&trace).send().await.unwrap();

    let filter = Filter { trace: Some(trace.trace_id.clone()), ..Filter::default() };
    let (asked, answered) = (journal.recent(&filter), party.journal.recent(&filter));
    let ([asked], [answered]) = (asked.as_slice(), answered.as_slice()) else {
        panic!("not one entry each: {asked:?} {answered:?}");
    };
    assert_eq!((asked.side, answered.side), (Side::Client, Side::Server));
    assert_eq!((asked.party.as_str(), asked.peer.as_str()), ("fintech", "bank"));
    assert_eq!(answered.url, "/items/1?state=s&code=[removed]");
    assert!(asked.url.ends_with("/items/1?state=s&code=[removed]") && !asked.url.contains("secret"), "{}", asked.url);
    assert_eq!((asked.status, answered.status), (Some(200), Some(200)));
    assert!(asked.interaction_id.is_some() && asked.interaction_id == answered.interaction_id);
    assert_eq!(asked.interaction_id, answer.interaction_id);

    let thumbprint = |identity: &transport::Identity| Some(identity.chain[0].facts().thumbprint_s256.clone());
    assert_eq!(asked.tls.as_ref().unwrap().peer_thumbprint, thumbprint(&PKI.server));
    assert_eq!(asked.tls.as_ref().unwrap().version, "TLSv1.3");
    assert_eq!(answered.tls.as_ref().unwrap().peer_thumbprint, thumbprint(&PKI.client));
}

#[tokio::test]
async fn verdict_and_tokens_go_to_the_journal_and_not_to_the_wire() {
    let party = Party::secure().await;
    let (client, _) = recording();
    let answer = client.get(&party.url("/refused")).send().await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (403, 0));
    let entry = &party.exchanges()[0];
    assert_eq!(entry.verdict.as_ref().unwrap().refused_by().unwrap().rule, POLITE.id);
    assert_eq!(entry.tokens[0].name, "assertion");
}

#[tokio::test]
async fn a_call_without_an_answer_is_written_down_with_its_cause() {
    let (client, journal) = recording();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
    drop(listener);
    client.get(&url).send().await.unwrap_err();
    let entry = &journal.recent(&Filter::default())[0];
    assert_eq!(entry.status, None);
    assert!(entry.error.as_ref().unwrap().contains("nobody listens"), "{entry:?}");
}

#[tokio::test]
async fn business_time_dates_the_entries() {
    let party = Party::secure().await;
    let journal = Journal::new("fintech", 10);
    let clock = Clock::starting_at(time::macros::datetime!(2040-01-01 00:00 UTC));
    let mut settings = settings(None);
    (settings.journal, settings.clock) = (Some(journal.clone()), clock.clone());
    // A clock far beyond the certificates' validity does not concern TLS.
    HttpClient::new(settings).unwrap().get(&party.url("/items/1")).send().await.unwrap();
    assert_eq!(journal.recent(&Filter::default())[0].at, clock.now());
}
