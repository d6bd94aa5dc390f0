//! The endpoints beside the token endpoint, through the bank's real interface.

use http::Method;
use psu::{Destination, Intention, Psu};
use serde_json::{Value, json};
use url::Url;

use crate::hand_made::{Shows, VERIFIER, World};

impl World {
    /// Where the customer ends with this link, and what the answer says in its fragment.
    pub(crate) async fn answered(&self, link: &Url) -> Vec<(String, String)> {
        let credentials = sandbox::hosting::credentials(&self.hosted.bank.logins)["nora"].clone();
        let intention = Intention::Approve { accounts: Vec::new() };
        let customer = Psu::new(self.browser(), credentials);
        let arrival = customer.fetch_answer(link, &intention, Destination::Elsewhere, &self.journey()).await.unwrap();
        assert!(arrival.at_destination, "{}", arrival.text);
        url::form_urlencoded::parse(arrival.url.fragment().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    async fn pushed(&self, object: &Value) -> (u16, Value) {
        let text = self.signing.sign_claims(Some("oauth-authz-req+jwt"), object).unwrap();
        self.direct("/par", &[("request", &text)]).await
    }

    fn link(&self, request_uri: &str) -> Url {
        let mut url = self.page("/authorize");
        url.query_pairs_mut().append_pair("client_id", &self.client_id).append_pair("request_uri", request_uri);
        url
    }
}

fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_leads_to_tokens_that_can_be_asked_about_and_given_back() {
    let world = World::new().await;
    let consent = world.consent().await;
    let (status, body) = world.pushed(&world.request_object(&consent)).await;
    assert_eq!(status, 201, "{body}");
    let uri = body["request_uri"].as_str().unwrap().to_owned();
    assert!(body["expires_in"].as_i64().unwrap() > 0);
    let answer = world.answered(&world.link(&uri)).await;
    assert_eq!(value(&answer, "iss"), Some(world.hosted.bank.urls.issuer()));
    assert_eq!(value(&answer, "state").as_deref(), Some("state-1"));
    let redirect_uri = world.hosted.tpp.public.join("/callback").unwrap();
    let code = value(&answer, "code").unwrap();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", redirect_uri.as_str()),
    ];
    let (status, tokens) = world.direct("/token", &redeem).await;
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();

    let info = world.http(Shows::Own).get(&world.bank("/userinfo")).bearer(access).send().await.unwrap();
    let info: Value = info.json().unwrap();
    let (status, told) = world.direct("/introspect", &[("token", access)]).await;
    assert_eq!((status, &told["active"], &told["sub"]), (200, &json!(true), &info["sub"]));
    assert_eq!(told["openbanking_intent_id"], json!(consent));

    // The request was used up; a second customer cannot come with it.
    let page = world.browser().get(&world.link(&uri)).send().await.unwrap();
    assert_eq!(page.status, 400);
    assert!(String::from_utf8_lossy(&page.body).contains("invalid_request_uri"));

    assert_eq!(world.direct("/revoke", &[("token", tokens["refresh_token"].as_str().unwrap())]).await.0, 200);
    let (_, told) = world.direct("/introspect", &[("token", access)]).await;
    assert_eq!(told, json!({ "active": false }));
    let url = world.bank("/open-banking/v4.0/aisp/accounts");
    assert_eq!(world.http(Shows::Own).get(&url).bearer(access).send().await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_are_held_to_their_methods_and_their_clients() {
    let world = World::new().await;
    for path in ["/token", "/par", "/introspect", "/revoke"] {
        let answer = world.http(Shows::Own).request(Method::PUT, &world.bank(path)).send().await.unwrap();
        assert_eq!(answer.status, 405, "{path}");
        let form = world.proved(&[("token", "x"), ("request", "a.b.c")]);
        let answer = world.http(Shows::Nothing).post(&world.bank(path)).form(&form).send().await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.json::<Value>().unwrap()["error"]),
            (401, &json!("invalid_client"))
        );
        let trace = world.journey();
        let request = world.http(Shows::Own).post(&world.bank(path)).trace(&trace).json(&json!({}));
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (400, Some("no-store")), "{path}");
        assert_eq!(world.rule(&trace).await.as_deref(), Some("fapi.parameters.form"), "{path}");
    }
    let own = world.client_token().await;
    for (token, status) in [(own.as_str(), 401), ("guessed", 401)] {
        let answer = world.http(Shows::Own).get(&world.bank("/userinfo")).bearer(token).send().await.unwrap();
        assert_eq!(answer.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_tells_what_there_is_and_where_certificates_are_wanted() {
    let world = World::new().await;
    let url = world.page("/.well-known/openid-configuration");
    let document: Value = world.http(Shows::Nothing).get(&url).send().await.unwrap().json().unwrap();
    let aliases = document["mtls_endpoint_aliases"].as_object().unwrap();
    for (name, alias) in aliases {
        assert!(document.get(name).is_some(), "{name} has no endpoint beside it");
        let answer = world.http(Shows::Nothing).request(Method::POST, &alias.as_str().unwrap().parse().unwrap());
        let status = answer.send().await.unwrap().status.as_u16();
        assert!([400, 401, 415].contains(&status), "{name} answers {status} to nobody");
    }
    let keys: Value = world
        .http(Shows::Nothing)
        .get(&document["jwks_uri"].as_str().unwrap().parse().unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .unwrap();
    let kinds: Vec<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| (key["kty"].as_str(), key["use"].as_str())).collect();
    assert_eq!(kinds, [(Some("RSA"), Some("sig")), (Some("EC"), Some("sig")), (Some("RSA"), Some("enc"))]);
    assert!(keys["keys"][0]["x5c"][0].is_string());
}
