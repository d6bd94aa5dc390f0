//! Lesson mode: rules that are switched off while the bank runs, through its control port.

use http::Method;
use serde_json::{Value, json};

use crate::hand_made::{Shows, World};

async fn banner(world: &World) -> Option<String> {
    let answer = world.http(Shows::Nothing).get(&world.page("/authorize")).send().await.unwrap();
    let page = String::from_utf8_lossy(&answer.body).into_owned();
    let (_, rest) = page.split_once("<p id=\"lesson\"")?;
    rest.split_once("</p>").map(|(banner, _)| banner.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_was_not_started_for_it_keeps_its_rules() {
    let world = World::new().await;
    let off = json!({ "off": ["fapi.client-authentication.aud"] });
    let (status, body) = world.control(Method::POST, "/lesson", &off).await;
    assert_eq!(status, 403, "{body}");
    assert!(body["error"].as_str().unwrap().contains("--lesson"), "{body}");
    assert_eq!(world.control(Method::GET, "/lesson", &Value::Null).await.1, json!({ "lesson": false, "off": [] }));
    assert_eq!(banner(&world).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_can_be_switched_off_and_on_while_the_bank_runs_and_pages_say_so() {
    let world = World::in_lesson().await;
    let wrong = || {
        let mut claims = world.assertion_claims();
        claims["aud"] = json!("https://elsewhere.example");
        world.token_form(&world.sign(&claims))
    };
    let status = async || world.token(&wrong(), Shows::Own, &world.journey()).await.status.as_u16();
    assert_eq!(status().await, 401);
    assert!(banner(&world).await.unwrap().contains("Every rule is on."));

    let rule = "fapi.client-authentication.aud";
    let (answered, body) = world.control(Method::POST, "/lesson", &json!({ "off": [rule] })).await;
    assert_eq!((answered, body), (200, json!({ "lesson": true, "off": [rule] })));
    assert_eq!(status().await, 200);
    let shown = banner(&world).await.unwrap();
    assert!(shown.contains("Lesson mode.") && shown.contains(rule), "{shown}");

    // A name that is not quite right changes nothing.
    let (answered, body) =
        world.control(Method::POST, "/lesson", &json!({ "off": ["fapi.token.code-single-use"] })).await;
    assert_eq!(answered, 400, "{body}");
    assert!(body["error"].as_str().unwrap().contains("the nearest is fapi.token.code-unused"), "{body}");
    assert_eq!(status().await, 200);

    assert_eq!(world.control(Method::DELETE, "/lesson", &Value::Null).await.1, json!({ "lesson": true, "off": [] }));
    assert_eq!(status().await, 401);
}
