//! Lesson mode: rules that are switched off while the bank runs, through its control port.

use http::Method;
use psu::{Destination, Intention, Psu};
use serde_json::{Value, json};
use url::Url;

use crate::hand_made::{Shows, VERIFIER, World};

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

impl World {
    pub(crate) async fn without(&self, rules: &[&str]) {
        let (status, body) = self.control(Method::POST, "/lesson", &json!({ "off": rules })).await;
        assert_eq!(status, 200, "{body}");
    }

    /// The link for a customer with this request object.
    fn link_with(&self, object: &Value) -> Url {
        let request = self.signing.sign_claims(Some("oauth-authz-req+jwt"), object).unwrap();
        let mut url = self.page("/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("response_type", "code id_token")
            .append_pair("scope", "openid accounts")
            .append_pair("request", &request);
        url
    }

    /// The code that a customer who shares these accounts (all when there is none) comes back with.
    async fn code_from(&self, persona: &str, accounts: &[&str], object: &Value) -> Option<String> {
        let credentials = sandbox::hosting::credentials(&self.hosted.bank.logins)[persona].clone();
        let intention = Intention::Approve { accounts: accounts.iter().map(|name| (*name).to_owned()).collect() };
        let customer = Psu::new(self.browser(), credentials);
        let link = self.link_with(object);
        let arrival = customer.fetch_answer(&link, &intention, Destination::Elsewhere, &self.journey()).await.ok()?;
        let fragment = arrival.url.fragment()?.to_owned();
        let mut pairs = url::form_urlencoded::parse(fragment.as_bytes()).into_owned();
        pairs.find(|(name, _)| name == "code").map(|(_, value)| value)
    }

    async fn code(&self, object: &Value) -> Option<String> {
        self.code_from("nora", &["Everyday"], object).await
    }

    async fn redeemed(&self, code: &str) -> Value {
        let redirect_uri = self.hosted.tpp.public.join("/callback").unwrap();
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        self.direct("/token", &redeem).await.1
    }

    /// A new consent with a customer's access token and refresh token for it.
    async fn granted_by(&self, persona: &str, accounts: &[&str]) -> (String, String, String) {
        let consent = self.consent().await;
        let code = self.code_from(persona, accounts, &self.request_object(&consent)).await.unwrap();
        let tokens = self.redeemed(&code).await;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        (consent, text("access_token"), text("refresh_token"))
    }

    async fn read_showing(
        &self,
        path: &str,
        token: &str,
        shows: Shows,
        header: Option<(&'static str, &'static str)>,
    ) -> u16 {
        let url = self.bank(&format!("/open-banking/v4.0/aisp{path}"));
        let mut request = self.http(shows).get(&url).bearer(token);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status.as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_the_api_that_is_off_lets_its_attack_through() {
    let world = World::in_lesson().await;
    let (consent, token, refresh) = world.granted_by("nora", &["Everyday"]).await;
    let own = world.client_token().await;
    let (_, everything, _) = world.granted_by("rosalind", &[]).await;
    let accounts = async |token: &str| -> Vec<String> {
        let url = world.bank("/open-banking/v4.0/aisp/accounts");
        let body: Value = world.http(Shows::Own).get(&url).bearer(token).send().await.unwrap().json().unwrap();
        let list = body["Data"]["Account"].as_array().unwrap().iter();
        list.map(|account| account["AccountId"].as_str().unwrap().to_owned()).collect()
    };
    let (mine, stranger) = (accounts(&token).await.remove(0), accounts(&everything).await.remove(0));
    let (balances, other) = (format!("/accounts/{mine}/balances"), format!("/accounts/{stranger}"));
    type Case<'a> = (&'a str, &'a str, &'a str, Shows, Option<(&'static str, &'static str)>);
    let cases: [Case<'_>; 7] = [
        ("fapi.access.token-bound-to-certificate", "/accounts", &token, Shows::Other, None),
        ("fapi.access.certificate-presented", "/accounts", &token, Shows::Nothing, None),
        ("ais.resource.permission", &balances, &token, Shows::Own, None),
        ("ais.resource.account-chosen", &other, &token, Shows::Own, None),
        ("api.headers.accept", "/accounts", &token, Shows::Own, Some(("accept", "text/xml"))),
        ("api.headers.x-fapi-auth-date", "/accounts", &token, Shows::Own, Some(("x-fapi-auth-date", "yesterday"))),
        (
            "api.headers.x-fapi-customer-ip-address",
            "/accounts",
            &token,
            Shows::Own,
            Some(("x-fapi-customer-ip-address", "home")),
        ),
    ];
    for (rule, path, token, shows, header) in cases {
        world.without(&[]).await;
        assert!(world.read_showing(path, token, shows, header).await >= 400, "{rule}");
        world.without(&[rule]).await;
        assert_eq!(world.read_showing(path, token, shows, header).await, 200, "{rule}");
    }
    // A token of the TPP's own opens no customer's data, whichever of the two rules is off, and nothing fails.
    for rule in ["fapi.access.token-kind", "ais.resource.consent"] {
        world.without(&[rule]).await;
        assert!([401, 403].contains(&world.read_showing("/accounts", &own, Shows::Own, None).await), "{rule}");
    }
    world.without(&["fapi.access.token-kind", "ais.resource.consent"]).await;
    assert_eq!(world.read_showing("/accounts", &own, Shows::Own, None).await, 403);

    // A consent that was taken back, and a grant that was given back.
    let delete = world.bank(&format!("/open-banking/v4.0/aisp/account-access-consents/{consent}"));
    world.without(&[]).await;
    let deleted = world.http(Shows::Own).request(Method::DELETE, &delete).bearer(&own).send().await.unwrap();
    assert_eq!(deleted.status, 204);
    assert_eq!(world.read_showing("/accounts", &token, Shows::Own, None).await, 401);
    world.without(&["fapi.access.intent-active"]).await;
    assert_eq!(world.read_showing("/accounts", &token, Shows::Own, None).await, 200);
    assert_eq!(world.direct("/revoke", &[("token", &refresh)]).await.0, 200);
    assert_eq!(world.read_showing("/accounts", &token, Shows::Own, None).await, 401);
    world.without(&["fapi.access.grant-alive", "fapi.access.intent-active"]).await;
    assert_eq!(world.read_showing("/accounts", &token, Shows::Own, None).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_requests_that_is_off_leads_the_customer_through() {
    let world = World::in_lesson().await;
    let now = world.now();
    for (rule, name, value, comes_back) in [
        ("fapi.request-object.aud", "aud", json!("https://other.example"), true),
        ("fapi.request-object.exp", "exp", json!(now - 60), true),
        ("fapi.request-object.nonce", "nonce", Value::Null, true),
        ("fapi.request-object.scope-present", "scope", json!("accounts"), true),
        ("fapi.request-object.intent-named", "claims", json!({}), true),
        ("fapi.authorization.redirect-uri-registered", "redirect_uri", json!("https://attacker.example/cb"), true),
        // There is no such consent to show.
        (
            "fapi.request-object.intent-of-client",
            "claims",
            json!({ "id_token": { "openbanking_intent_id": { "value": "aac-none" } } }),
            false,
        ),
    ] {
        let mut object = world.request_object(&world.consent().await);
        object[name] = value;
        world.without(&[]).await;
        assert_eq!(world.code(&object).await, None, "{rule}");
        world.without(&[rule]).await;
        let answer = world.browser().get(&world.link_with(&object)).send().await.unwrap();
        assert!(answer.status.as_u16() < 500, "{rule}");
        assert_eq!(world.code(&object).await.is_some(), comes_back, "{rule}");
    }
}

/// Whichever rule is off, bad requests of all kinds are answered, and never with a failure of the bank's own.
#[tokio::test(flavor = "multi_thread")]
async fn no_rule_that_is_off_makes_the_bank_fail() {
    let world = World::in_lesson().await;
    let (_, token, _) = world.granted_by("nora", &["Everyday"]).await;
    let own = world.client_token().await;
    let consents = "/open-banking/v4.0/aisp/account-access-consents";
    let json_type = "application/json";
    type Case<'a> = (Method, String, &'a str, Shows, Option<(&'a str, &'a str)>);
    let get = |path: &str| (Method::GET, format!("/open-banking/v4.0/aisp{path}"));
    let mut cases: Vec<Case<'_>> = Vec::new();
    for path in [
        "/accounts",
        "/accounts/none",
        "/accounts/none/balances",
        "/accounts/none/transactions",
        "/account-access-consents/none",
    ] {
        for token in [token.as_str(), own.as_str(), "guessed"] {
            for shows in [Shows::Own, Shows::Nothing] {
                let (method, path) = get(path);
                cases.push((method, path, token, shows, None));
            }
        }
    }
    for body in [
        "{}",
        "[]",
        "{",
        r#"{"Data":{"Permissions":[]},"Risk":{}}"#,
        r#"{"Data":{"Permissions":["ReadAccountsBasic"],"ExpirationDateTime":"2001-01-01T00:00:00Z"},"Risk":{}}"#,
    ] {
        cases.push((Method::POST, consents.to_owned(), &own, Shows::Own, Some((json_type, body))));
        cases.push((Method::POST, consents.to_owned(), &token, Shows::Nothing, Some(("text/plain", body))));
    }
    cases.push((Method::DELETE, format!("{consents}/none"), &own, Shows::Own, None));
    for path in ["/token", "/par", "/introspect", "/revoke", "/register"] {
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", "grant_type=x&client_id=x&token=x&request=x.y.z"),
            ("application/jwt", "x.y.z"),
            (json_type, "{}"),
        ] {
            cases.push((Method::POST, path.to_owned(), &own, Shows::Own, Some((content_type, body))));
        }
    }
    cases.push((Method::GET, "/userinfo".to_owned(), &own, Shows::Own, None));
    cases.push((Method::GET, "/register/other".to_owned(), &own, Shows::Own, None));
    cases.push((Method::PUT, "/register/other".to_owned(), &own, Shows::Own, Some(("application/jwt", "x.y.z"))));
    for rule in aspsp::catalogue() {
        world.without(&[rule.id]).await;
        for (method, path, token, shows, body) in &cases {
            let mut request = world.http(*shows).request(method.clone(), &world.bank(path)).bearer(token);
            if let Some((content_type, body)) = body {
                request = request.body(content_type, (*body).to_owned());
            }
            let status = request.send().await.unwrap().status.as_u16();
            assert_ne!(status, 500, "{} off: {method} {path} {body:?}", rule.id);
        }
        for (name, value) in
            [("client_id", "nobody"), ("request", "x.y.z"), ("request_uri", "urn:none"), ("redirect_uri", "x")]
        {
            let mut url = world.page("/authorize");
            url.query_pairs_mut().append_pair(name, value);
            assert_ne!(world.browser().get(&url).send().await.unwrap().status, 500, "{} off: {url}", rule.id);
        }
    }
}
