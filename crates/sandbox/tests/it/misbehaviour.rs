//! A bank that misbehaves on purpose, and the rule of the TPP that stops each of its tricks.

use http::Method;
use psu::{Destination, Intention, Psu};
use serde_json::{Value, json};
use url::Url;

use crate::hand_made::{Shows, World};

impl World {
    async fn misbehave(&self, deviations: &[&str]) {
        let (status, body) = self.control(Method::POST, "/misbehave", &json!({ "deviations": deviations })).await;
        assert_eq!((status, &body["deviations"]), (200, &json!(deviations)), "{body}");
    }

    /// What the TPP says about a step, a failure too.
    async fn outcome(&self, name: &str, step: &Value) -> Value {
        let url: Url = format!("http://{}/steps/{name}", self.hosted.tpp.control).parse().unwrap();
        self.http(Shows::Nothing).post(&url).json(step).send().await.unwrap().json().unwrap()
    }

    fn customer(&self) -> Psu {
        Psu::new(self.browser(), sandbox::hosting::credentials(&self.hosted.bank.logins)["nora"].clone())
    }

    /// A consent and the link for the customer: consent, link, state.
    async fn lodged_link(&self) -> (String, Url, String) {
        let bank = &self.hosted.bank.name;
        let lodged = self
            .step("lodge-consent", &json!({ "bank": bank, "version": "v4.0", "permissions": ["ReadAccountsBasic"] }))
            .await;
        let consent = lodged["consent-id"].as_str().unwrap().to_owned();
        let link = self.step("authorise", &json!({ "bank": bank, "consent-id": consent })).await;
        let text = |name: &str| link[name].as_str().unwrap().to_owned();
        (consent, text("url").parse().unwrap(), text("state"))
    }

    /// From a new consent to the customer's token: the consent, and the step's answer that ended it.
    async fn connect(&self) -> (String, Value) {
        let (consent, link, state) = self.lodged_link().await;
        let intention = Intention::Approve { accounts: Vec::new() };
        self.customer().authorise(&link, &intention, &self.journey()).await.unwrap();
        let returned = self.outcome("authorisation-result", &json!({ "state": state })).await;
        if returned["done"]["code"].is_null() {
            return (consent, returned);
        }
        (consent, self.outcome("exchange-code", &json!({ "state": state })).await)
    }
}

/// The rule of the TPP that a step's answer names.
fn rule(answer: &Value) -> Option<&str> {
    let failure = answer.get("failed").or_else(|| answer.pointer("/done/distrusted"))?;
    failure.pointer("/verdict/outcome/refused/rule")?.as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_bank_that_was_started_for_it_misbehaves() {
    let world = World::new().await;
    let (status, body) = world.control(Method::POST, "/misbehave", &json!({ "deviations": ["alg-none"] })).await;
    assert_eq!(status, 403, "{body}");
    let (_, body) = world.control(Method::GET, "/misbehave", &Value::Null).await;
    assert_eq!((&body["lesson"], &body["deviations"]), (&json!(false), &json!([])));
    assert!(body["known"]["alg-none"].is_string(), "{body}");
    assert!(world.connect().await.1["done"]["scope"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tpp_stops_at_every_trick_with_an_id_token() {
    let world = World::in_lesson().await;
    let (_, honest) = world.connect().await;
    assert!(honest["done"]["scope"].is_string(), "{honest}");
    for (deviation, expected) in [
        ("wrong-nonce", "nonce"),
        ("missing-nonce", "nonce"),
        ("wrong-s-hash", "s-hash"),
        ("wrong-c-hash", "c-hash"),
        ("c-hash-of-another-code", "c-hash"),
        ("wrong-at-hash", "at-hash"),
        ("wrong-iss", "iss"),
        ("wrong-aud", "aud"),
        ("wrong-sub", "sub-same"),
        ("alg-none", "alg"),
        ("alg-hs256", "alg"),
        ("alg-rs256", "alg"),
        ("unknown-kid", "signature"),
        ("other-key", "signature"),
        ("expired", "exp"),
        ("wrong-intent-id", "openbanking-intent-id"),
        ("wrong-acr", "acr"),
        ("replayed-id-token", "nonce"),
    ] {
        world.misbehave(&[deviation]).await;
        let (_, answer) = world.connect().await;
        assert_eq!(rule(&answer), Some(format!("tpp.id-token.{expected}").as_str()), "{deviation}: {answer}");
    }
    let (status, body) = world.control(Method::POST, "/misbehave", &json!({ "deviations": ["wrong-nonse"] })).await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("the nearest is wrong-nonce"), "{body}");
    let (_, body) = world.control(Method::DELETE, "/misbehave", &Value::Null).await;
    assert_eq!(body["deviations"], json!([]));
    assert!(world.connect().await.1["done"]["scope"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_wrong_around_the_id_token_too() {
    let world = World::in_lesson().await;
    let (consent, honest) = world.connect().await;
    assert!(honest["done"]["scope"].is_string(), "{honest}");

    world.misbehave(&["wrong-iss-parameter"]).await;
    let (_, link, _) = world.lodged_link().await;
    let destination = Destination::Address(world.hosted.tpp.public.join("/callback").unwrap());
    let intention = Intention::Approve { accounts: Vec::new() };
    let arrival = world.customer().fetch_answer(&link, &intention, destination, &world.journey()).await.unwrap();
    let fragment = arrival.url.fragment().unwrap().to_owned();
    assert!(fragment.contains("iss=https%3A%2F%2Fanother-bank.example"), "{fragment}");

    // The state of an authorisation that is over: its result stays, and the new one waits for an answer.
    world.misbehave(&[]).await;
    let (_, honest) = world.connect().await;
    assert!(honest["done"]["scope"].is_string(), "{honest}");
    // The same answer once more, as when a page is loaded again, is told the same.
    let (_, link, state) = world.lodged_link().await;
    let destination = Destination::Address(world.hosted.tpp.public.join("/callback").unwrap());
    let arrival = world.customer().fetch_answer(&link, &intention, destination, &world.journey()).await.unwrap();
    let answer = json!({ "part": "fragment", "answer": arrival.url.fragment().unwrap() });
    let first = world.outcome("deliver-response", &answer).await;
    assert!(first["done"].is_object() || first["done"].is_string(), "{first}");
    assert_eq!(world.outcome("deliver-response", &answer).await["done"], first["done"]);
    let returned = world.outcome("authorisation-result", &json!({ "state": state })).await;
    assert_eq!(returned["done"], first["done"], "{returned}");
    world.misbehave(&["swapped-state"]).await;
    let (_, link, state) = world.lodged_link().await;
    let arrival = world.customer().authorise(&link, &intention, &world.journey()).await.unwrap();
    assert!(arrival.text.contains("tpp.response.state-unused"), "{}", arrival.text);
    let returned = world.outcome("authorisation-result", &json!({ "state": state })).await;
    assert_eq!(returned["done"], "not-yet", "{returned}");

    world.misbehave(&["token-type-not-bearer"]).await;
    let (status, body) = world.direct("/token", &[("grant_type", "client_credentials"), ("scope", "accounts")]).await;
    assert_eq!((status, &body["token_type"]), (200, &json!("MAC")));

    world.misbehave(&["foreign-discovery-issuer"]).await;
    let url = world.page("/.well-known/openid-configuration");
    let document = async || -> Value { world.http(Shows::Nothing).get(&url).send().await.unwrap().json().unwrap() };
    assert_eq!(document().await["issuer"], "https://another-bank.example");

    world.misbehave(&["other-resource"]).await;
    let bank = &world.hosted.bank.name;
    let call = async |path: &str| {
        let call = json!({ "bank": bank, "version": "v4.0", "consent-id": consent, "path": path });
        world.step("call", &call).await["body"]["Data"]["Account"][0]["AccountId"].clone()
    };
    let first = call("/accounts").await.as_str().unwrap().to_owned();
    let path = format!("/accounts/{first}");
    let asked = json!({ "bank": bank, "version": "v4.0", "consent-id": consent, "path": path });
    let answer = world.outcome("call", &asked).await;
    assert_eq!(rule(&answer), Some("tpp.resource.about"), "{answer}");

    // Everything that bends the bank is taken back at once.
    let fault = json!({ "path": "/jwks", "effect": "drop" });
    assert_eq!(world.control(Method::POST, "/faults", &fault).await.0, 201);
    world.control(Method::POST, "/lesson", &json!({ "off": ["fapi.token.code-unused"] })).await;
    assert_eq!(world.control(Method::POST, "/reset", &Value::Null).await.0, 204);
    assert_eq!(call(&path).await, json!(first));
    assert_eq!(document().await["issuer"], json!(world.hosted.bank.urls.issuer()));
    assert_eq!(world.control(Method::GET, "/faults", &Value::Null).await.1, json!([]));
    assert_eq!(world.control(Method::GET, "/lesson", &Value::Null).await.1["off"], json!([]));
}
