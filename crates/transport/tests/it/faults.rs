//! Every fault, on the way in and on the way out, over TLS.

use std::{sync::atomic::Ordering, time::Duration};

use simulation::{
    Chance,
    faults::{Fault, FaultMark, When},
};
use transport::{Answer, CallError, HttpClient};

use crate::support::{PKI, Party, client};

const SIGNED: &str = "eyJhbGciOiJQUzI1NiJ9.e30.AAAAAAAAAAAA";
const BROKEN: &str = "eyJhbGciOiJQUzI1NiJ9.e30.AAAAAABAAAAA";

struct World {
    party: Party,
    client: HttpClient,
}

impl World {
    async fn with(faults: &[&str]) -> Self {
        let party = Party::secure().await;
        for fault in faults {
            let fault: Fault = serde_json::from_str(fault).unwrap();
            party.faults.add(fault, &Chance::from_seed(1)).unwrap();
        }
        Self { party, client: client(Some(&PKI.client)) }
    }

    async fn post(&self, path: &str, content_type: &str, body: &str) -> Result<Answer, CallError> {
        let request = self.client.post(&self.party.url(path)).header("x-jws-signature", SIGNED);
        request.body(content_type, body.to_owned()).send().await
    }

    async fn work(&self, body: &str) -> Result<Answer, CallError> {
        self.post("/work/1", "text/plain", body).await
    }

    fn worked(&self) -> u64 {
        self.party.context.worked.load(Ordering::SeqCst)
    }

    fn last(&self) -> simulation::Exchange {
        self.party.exchanges().pop().unwrap()
    }
}

fn mark(when: When, what: &str, instead_of: Option<u16>) -> Option<FaultMark> {
    Some(FaultMark { id: "fault-1".to_owned(), when, what: what.to_owned(), instead_of })
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn another_answer_comes_instead_of_the_work_or_instead_of_its_answer() {
    for (when, worked, instead_of) in [("before", 0, None), ("after", 1, Some(201))] {
        let fault = format!(r#"{{"when":"{when}","effect":{{"answer":{{"status":503,"body":"{{}}"}}}}}}"#);
        let world = World::with(&[&fault]).await;
        let answer = world.work("hello").await.unwrap();
        assert_eq!((answer.status.as_u16(), text(&answer)), (503, "{}".to_owned()), "{when}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-jws-signature"), None, "nobody signed this");
        assert!(answer.header("x-fapi-interaction-id").is_some());
        assert_eq!(world.worked(), worked, "{when}");
        let last = world.last();
        assert_eq!(last.status, Some(503));
        let side = if when == "before" { When::Before } else { When::After };
        assert_eq!(last.fault, mark(side, "answer 503", instead_of));
    }
}

#[tokio::test]
async fn a_connection_is_dropped_before_the_work_or_after_it() {
    for (when, worked, instead_of) in [("before", 0, None), ("after", 1, Some(201))] {
        let world = World::with(&[&format!(r#"{{"when":"{when}","effect":"drop","times":1}}"#)]).await;
        let error = world.work("hello").await.unwrap_err();
        assert!(!matches!(error, CallError::Request(_)), "{error:?}");
        assert_eq!(world.worked(), worked, "{when}");
        let last = world.last();
        let side = if when == "before" { When::Before } else { When::After };
        assert_eq!((last.status, last.fault), (None, mark(side, "dropped connection", instead_of)));
        assert_eq!(last.error.as_deref(), Some("a fault closed the connection"));
        // The next call has a connection of its own.
        assert_eq!(world.work("hello").await.unwrap().status.as_u16(), 201);
        assert_eq!(world.last().fault, None);
    }
}

#[tokio::test]
async fn an_answer_over_plain_http_is_dropped_too() {
    let party = Party::plain().await;
    party.faults.add(serde_json::from_str(r#"{"effect":"drop"}"#).unwrap(), &Chance::from_seed(1)).unwrap();
    let answer = party.raw("POST /work/1 HTTP/1.1\r\nhost: bank\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(answer, "");
}

#[tokio::test]
async fn a_body_is_truncated_or_altered_on_its_way_in_or_out() {
    for when in ["before", "after"] {
        for (effect, expected) in
            [(r#"{"truncate":3}"#, "hel"), (r#"{"alter":1}"#, "hdllo"), (r#"{"alter":99}"#, "helln")]
        {
            let world = World::with(&[&format!(r#"{{"when":"{when}","effect":{effect}}}"#)]).await;
            let answer = world.work("hello").await.unwrap();
            assert_eq!((answer.status.as_u16(), text(&answer).as_str()), (201, expected), "{when} {effect}");
            assert_eq!(world.worked(), 1);
            assert_eq!(world.last().fault.unwrap().instead_of, None);
        }
    }
}

#[tokio::test]
async fn signatures_are_broken_on_their_way_in_or_out() {
    for when in ["before", "after"] {
        let world = World::with(&[&format!(r#"{{"when":"{when}","effect":"break-signature"}}"#)]).await;
        let answer = world.work(&format!(r#"{{"id_token":"{SIGNED}"}}"#)).await.unwrap();
        assert_eq!(text(&answer), format!(r#"{{"id_token":"{BROKEN}"}}"#), "{when}");
        assert_eq!(answer.header("x-jws-signature"), Some(BROKEN), "{when}");
        assert_eq!(world.last().fault.unwrap().what, "broken signature");
    }
}

#[tokio::test]
async fn a_delay_passes_before_the_work_or_after_it() {
    for when in ["before", "after"] {
        let world = World::with(&[&format!(r#"{{"when":"{when}","delay":60}}"#)]).await;
        assert_eq!(world.work("hello").await.unwrap().status.as_u16(), 201);
        assert!(world.last().duration_us >= Duration::from_millis(60).as_micros().try_into().unwrap(), "{when}");
    }
    // The work is done while the client still waits.
    let world = World::with(&[r#"{"when":"after","delay":60000}"#]).await;
    let waiting = world.work("hello");
    tokio::pin!(waiting);
    let worked = async {
        while world.worked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = &mut waiting => panic!("{answer:?}"),
        () = worked => {}
    }
    world.party.stop.trigger();
}

#[tokio::test]
async fn only_the_calls_that_fit_are_struck() {
    let teapot = |conditions: &str| format!(r#"{{{conditions},"effect":{{"answer":{{"status":418}}}}}}"#);
    let assertion = |issuer: &str| {
        let claims = format!(r#"{{"iss":"{issuer}"}}"#);
        let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims);
        format!("grant_type=client_credentials&client_assertion=eyJh.{encoded}.AAAA")
    };
    let form = "application/x-www-form-urlencoded";
    for (conditions, struck) in [
        (r#""method":"POST","path":"/work/{item}""#, true),
        (r#""method":"GET""#, false),
        (r#""path":"/work/*""#, true),
        (r#""path":"/items/*""#, false),
        (r#""organisation":"0015800001041RHAAY""#, true),
        (r#""organisation":"0015800001041RHABZ""#, false),
        (r#""client":"client-1""#, true),
        (r#""client":"client-2""#, false),
        (r#""nth":2"#, false),
    ] {
        let world = World::with(&[&teapot(conditions)]).await;
        let answer = world.post("/work/1", form, &assertion("client-1")).await.unwrap();
        assert_eq!(answer.status.as_u16() == 418, struck, "{conditions}");
    }
    let world = World::with(&[&teapot(r#""client":"client-1""#)]).await;
    assert_eq!(world.post("/work/1", form, "client_id=client-1").await.unwrap().status.as_u16(), 418);
    assert_eq!(world.post("/work/1?client_id=client-1", form, "a=b").await.unwrap().status.as_u16(), 418);
    // A path that nobody serves is nobody's to strike.
    let world = World::with(&[r#"{"effect":{"answer":{"status":418}}}"#]).await;
    assert_eq!(world.post("/nothing", form, "a=b").await.unwrap().status.as_u16(), 404);
}
