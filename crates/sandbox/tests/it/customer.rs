//! `ob-sandbox psu`: what a TPP's developer gets from it.

use std::process::{Command, Output};

use serde_json::{Value, json};
use url::Url;

use crate::hand_made::World;

/// A link of the TPP to the bank, for a new consent.
async fn link(world: &World) -> (Url, String) {
    let bank = &world.hosted.bank.name;
    let permissions = ["ReadAccountsBasic"];
    let lodged =
        world.step("lodge-consent", &json!({ "bank": bank, "version": "v4.0", "permissions": permissions })).await;
    let consent = lodged["consent-id"].as_str().unwrap();
    let begun = world.step("authorise", &json!({ "bank": bank, "consent-id": consent })).await;
    (begun["url"].as_str().unwrap().parse().unwrap(), begun["state"].as_str().unwrap().to_owned())
}

async fn customer(world: &World, link: &Url, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ob-sandbox"));
    command.env_clear().arg("psu").arg(link.as_str()).args(arguments);
    command.arg("--trust-anchor").arg(&world.hosted.directory.trust_anchor);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn answer(output: &Output) -> Url {
    String::from_utf8(output.stdout.clone()).unwrap().trim().parse().unwrap()
}

fn fragment(url: &Url, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
    pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_printed_and_not_delivered() {
    let world = World::new().await;
    let (link, state) = link(&world).await;
    let output = customer(&world, &link, &["--persona", "nora", "--account", "Everyday"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let answer = answer(&output);
    assert_eq!((answer.origin(), answer.path()), (world.hosted.tpp.public.origin(), "/callback"));
    assert!(fragment(&answer, "code").is_some() && fragment(&answer, "id_token").is_some(), "{answer}");
    assert_eq!(fragment(&answer, "state"), Some(state.clone()));
    let told = world.step("authorisation-result", &json!({ "state": state })).await;
    assert_eq!(told, json!("not-yet"), "the TPP was told nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_authorisation_is_an_answer_too() {
    let world = World::new().await;
    for cancel in ["at-login", "at-accounts"] {
        let (link, _) = link(&world).await;
        let redirect_uri = world.hosted.tpp.public.join("/callback").unwrap();
        let output =
            customer(&world, &link, &["--cancel", cancel, "--redirect-uri", redirect_uri.as_str(), "--json"]).await;
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &told["answered"]), (Some(0), &json!(true)), "{told}");
        let answer: Url = told["url"].as_str().unwrap().parse().unwrap();
        assert_eq!(fragment(&answer, "error").as_deref(), Some("access_denied"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_looks_at_the_connections_and_stops_one() {
    let world = World::new().await;
    let (first, _) = link(&world).await;
    let output = customer(&world, &first, &["--account", "Everyday"]).await;
    assert_eq!(output.status.code(), Some(0));
    let dashboard = world.page("/connections");
    let says = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let looked = customer(&world, &dashboard, &["--press", ""]).await;
    assert!(says(&looked).contains("Larkspur Budget Active Sees your account information"), "{}", says(&looked));
    let stopped = customer(&world, &dashboard, &["--press", "Larkspur Budget", "--press", "Stop the access"]).await;
    assert_eq!(stopped.status.code(), Some(0), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(says(&stopped).contains("Stopped by you"), "{}", says(&stopped));
    let left = customer(&world, &dashboard, &["--press", "Log out"]).await;
    assert_eq!(left.status.code(), Some(0), "{}", String::from_utf8_lossy(&left.stderr));
    assert!(!says(&left).contains("Larkspur Budget"), "the login, and no further: {}", says(&left));
    let (second, _) = link(&world).await;
    let cancelled = customer(&world, &second, &["--cancel-on", "Choose your accounts"]).await;
    assert_eq!(fragment(&answer(&cancelled), "error").as_deref(), Some("access_denied"));
    let nothing = customer(&world, &dashboard, &["--press", "Close my account"]).await;
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("no button or link \"Close my account\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_an_answer_and_a_customer_that_nobody_knows_are_told_apart() {
    let world = World::new().await;
    let (mut link, _) = link(&world).await;
    let unknown = customer(&world, &link, &["--persona", "nobody"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("the customers are nora, rosalind, tobias"));
    link.set_query(Some("client_id=nobody"));
    let refused = customer(&world, &link, &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(String::from_utf8_lossy(&refused.stdout).starts_with("No answer. The last page"));
    let refused = customer(&world, &link, &["--json"]).await;
    let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let code = told["error"].as_str().unwrap();
    assert!(code.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "an error code alone: {told}");
    assert!(told["error-description"].is_string(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_delivered_reaches_the_tpp() {
    let world = World::new().await;
    let (link, state) = link(&world).await;
    let output = customer(&world, &link, &["--account", "Everyday", "--deliver"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("Connected"), "what the TPP's page says: {text}");
    let told = world.step("authorisation-result", &json!({ "state": state })).await;
    assert!(told.get("code").is_some(), "{told}");
    assert!(world.step("exchange-code", &json!({ "state": state })).await.get("scope").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_page_asked_for_is_no_success() {
    let world = World::new().await;
    for (arguments, told) in [
        (["--cancel-on", "Never said"], "no page that says \"Never said\""),
        (["--account", "Mortgage"], "no account on the page fits"),
    ] {
        let (link, _) = link(&world).await;
        let output = customer(&world, &link, &arguments).await;
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(told) && !said.contains("code="), "{arguments:?}: {said}");
    }
    // The bank's error is the error, also when it came as an answer.
    let (link, _) = link(&world).await;
    let output = customer(&world, &link, &["--cancel", "at-login", "--json"]).await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["error"], &told["undone"]), (&json!("access_denied"), &Value::Null), "{told}");
    // A page of the bank is looked at without further words; nothing can be chosen there.
    let dashboard = world.page("/connections");
    let looked = customer(&world, &dashboard, &[]).await;
    assert_eq!(looked.status.code(), Some(0), "{}", String::from_utf8_lossy(&looked.stderr));
    let nothing = customer(&world, &dashboard, &["--deliver"]).await;
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("is no authorization request"));
}
