//! Faults that the control port is asked for, at a bank that a TPP talks to.

use http::Method;
use serde_json::{Value, json};
use url::Url;

use crate::hand_made::{Shows, World};

impl World {
    async fn fault(&self, fault: Value) -> Value {
        let (status, body) = self.control(Method::POST, "/faults", &fault).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    /// What another party's control port answers.
    async fn ask(&self, control: std::net::SocketAddr, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url: Url = format!("http://{control}{path}").parse().unwrap();
        let answer = self.http(Shows::Nothing).request(method, &url).json(body).send().await.unwrap();
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leaves_the_work_done() {
    let world = World::new().await;
    let made = world
        .fault(json!({ "method": "POST", "path": "/token", "client": world.client_id, "when": "after", "effect": "drop", "times": 1 }))
        .await;
    assert_eq!((&made["id"], &made["calls"]), (&json!("fault-1"), &json!(0)));
    let form = world.token_form(&world.sign(&world.assertion_claims()));
    let trace = world.journey();
    let request = world.http(Shows::Own).post(&world.bank("/token")).trace(&trace).form(&form);
    assert!(request.send().await.is_err());
    // The assertion was used, although nobody got the token.
    let again = world.token(&form, Shows::Own, &world.journey()).await;
    assert_eq!(again.status, 401);
    let (_, list) = world.control(Method::GET, "/faults", &Value::Null).await;
    assert_eq!((&list[0]["calls"], &list[0]["struck"]), (&json!(2), &json!(1)));
    let (_, page) = world.control(Method::GET, &format!("/journal?trace={}", trace.trace_id), &Value::Null).await;
    let struck = &page["exchanges"][0];
    assert_eq!(
        struck["fault"],
        json!({ "id": "fault-1", "when": "after", "what": "dropped connection", "instead-of": 200 })
    );
    assert!(struck.get("status").is_none() && struck["verdict"]["outcome"] == "accepted", "{struck}");
    assert_eq!(world.control(Method::DELETE, "/faults/fault-1", &Value::Null).await.0, 204);
    assert_eq!(world.control(Method::DELETE, "/faults/fault-1", &Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_breaks_on_its_way_is_refused_by_name() {
    let world = World::new().await;
    world.fault(json!({ "path": "/token", "effect": "break-signature" })).await;
    let trace = world.journey();
    let form = world.token_form(&world.sign(&world.assertion_claims()));
    assert_eq!(world.token(&form, Shows::Own, &trace).await.status, 401);
    assert_eq!(world.rule(&trace).await.as_deref(), Some("fapi.client-authentication.signature"));
    assert_eq!(world.control(Method::DELETE, "/faults", &Value::Null).await.0, 204);
    assert_eq!(world.token(&form, Shows::Own, &world.journey()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_party_takes_faults_and_says_what_is_wrong_with_one() {
    let world = World::new().await;
    let hosted = &world.hosted;
    for control in [hosted.bank.control, hosted.directory.control, hosted.tpp.control] {
        for (fault, told) in [
            (json!({}), "needs a delay or an effect"),
            (json!({ "delay": 60_001 }), "at most 60000 ms"),
            (json!({ "effect": "explode" }), "explode"),
            (json!({ "path": "token", "effect": "drop" }), "is no path"),
        ] {
            let (status, body) = world.ask(control, Method::POST, "/faults", &fault).await;
            assert!(status == 400 && body["error"].as_str().unwrap().contains(told), "{status} {body}");
        }
        let fault = json!({ "path": "/*", "effect": { "answer": { "status": 503 } } });
        assert_eq!(world.ask(control, Method::POST, "/faults", &fault).await.0, 201);
        // The control port itself is never struck.
        assert_eq!(world.ask(control, Method::GET, "/faults", &json!({})).await.1.as_array().unwrap().len(), 1);
    }
    let keys = hosted.directory.public.join("/keystore/openbanking.jwks").unwrap();
    assert_eq!(world.http(Shows::Nothing).get(&keys).send().await.unwrap().status, 503);
    let callback = hosted.tpp.public.join("/callback").unwrap();
    assert_eq!(world.http(Shows::Nothing).get(&callback).send().await.unwrap().status, 503);
    for control in [hosted.directory.control, hosted.tpp.control] {
        assert_eq!(world.ask(control, Method::POST, "/reset", &json!({})).await.0, 204);
    }
    assert_eq!(world.http(Shows::Nothing).get(&keys).send().await.unwrap().status, 200);
}
