//! Modules that go all the way, in every variant that applies: ten of them.

use jose::hash::left_half_sha256;
use psu::Intention;
use serde_json::{Value, json};

use super::{
    Answer,
    suite::{self, Suite, value},
};
use crate::{
    hand_made::{Shows, World},
    profiles::Plain,
};

/// What has to be true of an id_token, wherever it comes from.
fn check(suite: &Suite<'_>, claims: &Value, consent: Option<&str>, nonce: Option<&str>) {
    let text = |name: &str| claims[name].as_str();
    let name = suite.name();
    assert_eq!((text("iss"), text("aud")), (Some(&*suite.bank.urls.issuer()), Some(suite.me.id.as_str())), "{name}");
    assert_eq!((text("nonce"), text("openbanking_intent_id")), (nonce, consent), "{name}");
    assert_eq!(text("acr"), Some("urn:openbanking:psd2:sca"), "{name}");
    let now = suite.world.now();
    let at = |name: &str| claims[name].as_i64().unwrap();
    assert!((now - at("iat")).abs() < 60 && at("exp") > now && at("auth_time") <= now, "{name} {claims}");
}

async fn happy_flow(suite: &Suite<'_>) {
    let name = suite.name();
    let consent = suite.consent().await;
    let (state, nonce) = ("s".repeat(128), "n".repeat(43));
    let claims = suite.claims(&suite.me, consent.as_deref(), &json!({ "state": state, "nonce": nonce }));
    let told = suite.approved(&claims, "oauth-authz-req+jwt").await;
    let code = value(&told, "code").unwrap();
    assert!(code.len() >= 43, "fapi1-advanced-final {name}");
    assert_eq!(value(&told, "state"), Some(state.clone()), "{name}");
    let issuer = (!suite.jarm).then(|| suite.bank.urls.issuer());
    assert_eq!(value(&told, "iss"), issuer, "{name}");
    let subject = match value(&told, "id_token") {
        Some(token) => {
            let claims = suite.id_token(&token).await;
            check(suite, &claims, consent.as_deref(), Some(&nonce));
            assert_eq!(claims["c_hash"], json!(left_half_sha256(&code)), "{name}");
            assert_eq!(claims["s_hash"], json!(left_half_sha256(&state)), "{name}");
            Some(claims["sub"].clone())
        }
        None => None,
    };
    assert_eq!(subject.is_some(), !suite.jarm, "{name}");

    // Nobody but the client gets anything for the code, and the client only with its certificate.
    let redeem = suite.redemption(&code);
    let (status, body) = suite.direct(&suite.other, "/token", &redeem).await;
    let module = "ensure-authorization-code-is-bound-to-client";
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{module} {name}");
    let mut mixed = suite.form(&suite.me, &redeem);
    mixed.retain(|(name, _)| name != "client_id");
    mixed.push(("client_id".to_owned(), suite.other.id.clone()));
    let answer = suite.send(suite.me.shows, "/token", &mixed).await;
    let error = answer.json::<Value>().unwrap()["error"].clone();
    assert!([400, 401].contains(&answer.status.as_u16()), "ensure-client-id-in-token-endpoint {name}");
    assert!(["invalid_client", "invalid_grant"].contains(&error.as_str().unwrap()), "{error} {name}");
    let bare = suite.send(Shows::Nothing, "/token", &suite.form(&suite.me, &redeem)).await;
    let error = bare.json::<Value>().unwrap()["error"].clone();
    assert_eq!((bare.status.as_u16(), error), (401, json!("invalid_client")), "ensure-mtls-holder-of-key-required");

    let answer = suite.send(suite.me.shows, "/token", &suite.form(&suite.me, &redeem)).await;
    let tokens: Value = answer.json().unwrap();
    assert_eq!(answer.status, 200, "{name} {tokens}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["expires_in"].as_i64().unwrap() > 0);
    let first = suite.id_token(tokens["id_token"].as_str().unwrap()).await;
    check(suite, &first, consent.as_deref(), Some(&nonce));
    assert!(subject.is_none_or(|subject| subject == first["sub"]), "{name}");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(first["at_hash"], json!(left_half_sha256(access)));
    resources(suite, access).await;
    refresh_token(suite, &tokens, &first).await;

    let (status, body) = suite.direct(&suite.me, "/token", &redeem).await;
    let module = "attempt-reuse-authorisation-code-after-one-second";
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{module} {name}");
    let over = suite.world.http(suite.me.shows).get(&suite.resource()).bearer(access).send().await.unwrap();
    assert_eq!(over.status, 401, "{module} {name}");
}

/// The calls that the first module makes with the token.
async fn resources(suite: &Suite<'_>, access: &str) {
    let (name, url) = (suite.name(), suite.resource());
    let strange = if suite.me.shows == Shows::Own { Shows::Other } else { Shows::Own };
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = suite.world.http(suite.me.shows).get(&url).header("authorization", &format!("{scheme} {access}"));
        let id = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a";
        let request = request.header("x-fapi-interaction-id", id).header("x-fapi-customer-ip-address", "2001:DB8::1");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status, 200, "access-token-type-header-case-sensitivity {name}");
        assert_eq!(answer.header("x-fapi-interaction-id"), Some(id));
        assert!(answer.header("date").is_some());
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    }
    for shows in [strange, Shows::Nothing] {
        let answer = suite.world.http(shows).get(&url).bearer(access).send().await.unwrap();
        assert_eq!(answer.status, 401, "{shows:?} {name}");
    }
    let mut in_query = url.clone();
    in_query.query_pairs_mut().append_pair("access_token", access);
    let answer = suite.world.http(suite.me.shows).get(&in_query).send().await.unwrap();
    assert_eq!(answer.status, 401, "a token in the query, {name}");
}

async fn refresh_token(suite: &Suite<'_>, tokens: &Value, first: &Value) {
    let name = suite.name();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let bare = suite.send(Shows::Nothing, "/token", &suite.form(&suite.me, &pairs)).await;
    assert_eq!(bare.status, 401, "refresh-token {name}");
    let (status, body) = suite.direct(&suite.other, "/token", &pairs).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "refresh-token {name}");
    let answer = suite.send(suite.me.shows, "/token", &suite.form(&suite.me, &pairs)).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")), "{name}");
    let again: Value = answer.json().unwrap();
    assert_ne!(again["access_token"], tokens["access_token"], "refresh-token {name}");
    let second = suite.id_token(again["id_token"].as_str().unwrap()).await;
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(first[claim], second[claim], "refresh-token {name} {claim}");
    }
    let access = again["access_token"].as_str().unwrap();
    let answer = suite.world.http(suite.me.shows).get(&suite.resource()).bearer(access).send().await.unwrap();
    assert_eq!(answer.status, 200, "refresh-token {name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn happy_flows_of_the_uk_profile() {
    let world = World::new().await;
    let clients = suite::registered(&world).await;
    for suite in suite::uk(&world, &clients) {
        happy_flow(&suite).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn happy_flows_of_the_plain_profile() {
    let plain = Plain::new(|_| ()).await;
    for suite in suite::plain(&plain) {
        happy_flow(&suite).await;
    }
}

/// What comes back of requests whose `state` and `nonce` are unusual.
async fn echoes(suite: &Suite<'_>) {
    let (long, very_long) = ("n".repeat(384), "s".repeat(1024));
    for (module, changes, state, nonce) in [
        ("ensure-authorization-request-without-state-success", json!({ "state": null }), None, "nonce-1"),
        (
            "ensure-request-object-with-64-char-nonce-success",
            json!({ "nonce": "n".repeat(64) }),
            Some("state-1"),
            &*"n".repeat(64),
        ),
        ("ensure-request-object-with-long-nonce", json!({ "nonce": long }), Some("state-1"), &long),
        ("ensure-request-object-with-long-state", json!({ "state": very_long }), Some(very_long.as_str()), "nonce-1"),
    ] {
        let consent = suite.consent().await;
        let told = suite.approved(&suite.claims(&suite.me, consent.as_deref(), &changes), "JWT").await;
        assert_eq!(value(&told, "state").as_deref(), state, "{module} {}", suite.name());
        let code = value(&told, "code").unwrap();
        if let Some(token) = value(&told, "id_token") {
            let claims = suite.id_token(&token).await;
            assert_eq!(
                claims.get("s_hash").and_then(Value::as_str),
                state.map(left_half_sha256).as_deref(),
                "{module}"
            );
            assert_eq!(claims["nonce"], nonce, "{module}");
        }
        let (status, tokens) = suite.direct(&suite.me, "/token", &suite.redemption(&code)).await;
        assert_eq!(status, 200, "{module} {tokens}");
        assert_eq!(suite.id_token(tokens["id_token"].as_str().unwrap()).await["nonce"], nonce, "{module}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_and_nonce_come_back_as_they_are() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    let mut variants = suite::uk(&plain.world, &clients);
    variants.truncate(1);
    variants.extend(suite::plain(&plain).into_iter().filter(|suite| suite.pushed && suite.me.by_assertion));
    for suite in variants {
        echoes(&suite).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn user_rejects_authentication() {
    let plain = Plain::new(|_| ()).await;
    let clients = suite::registered(&plain.world).await;
    for suite in suite::uk(&plain.world, &clients).into_iter().chain(suite::plain(&plain)) {
        let consent = suite.consent().await;
        let object = suite.world.sign(&suite.claims(&suite.me, consent.as_deref(), &json!({})));
        let link = suite.link(&object, &[]).await.unwrap();
        let arrival = suite.customer(&link, &Intention::CancelAtLogin).await;
        assert!(arrival.at_destination, "user-rejects-authentication {}", suite.name());
        let told = suite.read(&arrival.url).await;
        let found = (value(&told, "error"), value(&told, "state"), value(&told, "code"));
        let expected = (Some("access_denied".to_owned()), Some("state-1".to_owned()), None);
        assert_eq!(found, expected, "user-rejects-authentication {}", suite.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ensure_server_handles_non_matching_intent_id() {
    let world = World::new().await;
    let clients = suite::registered(&world).await;
    let variants = suite::uk(&world, &clients);
    // An intent of the one, a request of the other.
    for (lodging, asking) in [(0, 1), (1, 0)] {
        let intent = variants[lodging].consent().await;
        let suite = &variants[asking];
        let object = world.sign(&suite.claims(&suite.me, intent.as_deref(), &json!({})));
        assert_eq!(
            suite.probe(&object, &[]).await,
            Answer::Redirect("invalid_request".to_owned()),
            "ensure-server-handles-non-matching-intent-id {}",
            suite.name()
        );
        let own = suite.consent().await;
        let object = world.sign(&suite.claims(&suite.me, own.as_deref(), &json!({})));
        assert_eq!(suite.probe(&object, &[]).await, Answer::Login);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_uri_ends_with_the_authorisation_and_belongs_to_one_client() {
    let plain = Plain::new(|_| ()).await;
    for suite in suite::plain(&plain).into_iter().filter(|suite| suite.pushed) {
        let object = suite.world.sign(&suite.claims(&suite.me, None, &json!({})));
        let link = suite.link(&object, &[]).await.unwrap();
        assert_eq!(link.query_pairs().count(), 2, "par-without-duplicate-parameters");
        let mut of_other = suite.page("/authorize");
        let uri = link.query_pairs().find(|(name, _)| name == "request_uri").unwrap().1.into_owned();
        of_other.query_pairs_mut().append_pair("client_id", &suite.other.id).append_pair("request_uri", &uri);
        let module = "par-attempt-to-use-request_uri-for-different-client";
        assert_eq!(suite.opened(&of_other).await, Answer::Page("invalid_request".to_owned()), "{module}");
        let module = "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds";
        assert_eq!(suite.opened(&link).await, Answer::Login, "{module}");
        let arrival = suite.customer(&link, &Intention::Approve { accounts: Vec::new() }).await;
        assert!(arrival.at_destination, "{module}");
        assert!(value(&suite.read(&arrival.url).await, "code").is_some(), "{module}");
        let module = "par-attempt-reuse-request_uri";
        assert_eq!(suite.opened(&link).await, Answer::Page("invalid_request_uri".to_owned()), "{module}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_verifiers() {
    let plain = Plain::new(|_| ()).await;
    for suite in suite::plain(&plain).into_iter().filter(|suite| suite.pushed) {
        let told = suite.approved(&suite.claims(&suite.me, None, &json!({})), "JWT").await;
        let code = value(&told, "code").unwrap();
        let good = suite.redemption(&code);
        let without: Vec<_> = good.iter().copied().filter(|(name, _)| *name != "code_verifier").collect();
        let incorrect = [without.as_slice(), &[("code_verifier", "incorrect")]].concat();
        for (module, pairs) in
            [("ensure-pkce-code-verifier-required", &without), ("incorrect-pkce-code-verifier-rejected", &incorrect)]
        {
            let (status, body) = suite.direct(&suite.me, "/token", pairs).await;
            assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{module} {}", suite.name());
        }
        assert_eq!(suite.direct(&suite.me, "/token", &good).await.0, 200, "{}", suite.name());
    }
}
