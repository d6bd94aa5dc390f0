//! Bad input at every door of the bank: the specification's error on the wire, the rule in the journal, never a 500.

use http::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, ROSALIND};
use crate::hand_made::{Shows, World, exported, refused_handshake};

type Form = Vec<(String, String)>;

fn replaced(mut form: Form, name: &str, value: &str) -> Form {
    form.iter_mut().filter(|(key, _)| key == name).for_each(|(_, old)| value.clone_into(old));
    form
}

fn without(mut form: Form, name: &str) -> Form {
    form.retain(|(key, _)| key != name);
    form
}

/// A name that the store could not keep: nothing has it, and asking for it is no failure.
static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "n".repeat(4_200));

/// Flips one character of a token's part (0 header, 1 claims, 2 signature).
fn tampered(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut letters: Vec<char> = parts[part].chars().collect();
    let place = letters.len() / 2;
    letters[place] = if letters[place] == 'A' { 'B' } else { 'A' };
    parts[part] = letters.into_iter().collect();
    parts.join(".")
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// The same claims under `alg: none`.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    format!("{}.{claims}.", jose::base64url::encode(br#"{"alg":"none","typ":"JWT"}"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_refuses_by_name() {
    let world = World::new().await;
    let fresh = || world.assertion_claims();
    let form = |claims: &Value| world.token_form(&world.sign(claims));
    let good = form(&fresh());
    let used = good.clone();
    let authentication = |rule: &str| format!("fapi.client-authentication.{rule}");
    assert_eq!(world.token(&good, Shows::Own, &world.journey()).await.status, 200);
    let other = world.other_signing.sign_claims(Some("JWT"), &fresh()).unwrap();
    let now = world.now();
    let cases = [
        (
            "no certificate",
            form(&fresh()),
            Shows::Nothing,
            401,
            "invalid_client",
            authentication("certificate-presented"),
        ),
        (
            "another's certificate",
            form(&fresh()),
            Shows::Other,
            401,
            "invalid_client",
            authentication("certificate-of-client"),
        ),
        ("the same assertion again", used, Shows::Own, 401, "invalid_client", authentication("jti")),
        (
            "no assertion",
            without(form(&fresh()), "client_assertion"),
            Shows::Own,
            401,
            "invalid_client",
            authentication("credentials-presented"),
        ),
        (
            "garbage",
            replaced(form(&fresh()), "client_assertion", "a.b.c"),
            Shows::Own,
            401,
            "invalid_client",
            authentication("assertion-readable"),
        ),
        (
            "a tampered signature",
            world.token_form(&tampered(&world.sign(&fresh()), 2)),
            Shows::Own,
            401,
            "invalid_client",
            authentication("signature"),
        ),
        ("another's key", world.token_form(&other), Shows::Own, 401, "invalid_client", authentication("signature")),
        (
            "no signature",
            world.token_form(&unsigned(&world.sign(&fresh()))),
            Shows::Own,
            401,
            "invalid_client",
            authentication("alg"),
        ),
        (
            "an unknown client",
            form(&with(with(fresh(), "iss", json!("nobody")), "sub", json!("nobody"))),
            Shows::Own,
            401,
            "invalid_client",
            authentication("client-known"),
        ),
        (
            "a client with a name longer than any",
            form(&with(with(fresh(), "iss", json!(LONG.as_str())), "sub", json!(LONG.as_str()))),
            Shows::Own,
            401,
            "invalid_client",
            authentication("client-known"),
        ),
        (
            "another audience",
            form(&with(fresh(), "aud", json!("https://elsewhere.example"))),
            Shows::Own,
            401,
            "invalid_client",
            authentication("aud"),
        ),
        (
            "an expired assertion",
            form(&with(with(fresh(), "iat", json!(now - 400)), "exp", json!(now - 300))),
            Shows::Own,
            401,
            "invalid_client",
            authentication("exp"),
        ),
        (
            "another grant type",
            replaced(form(&fresh()), "grant_type", "password"),
            Shows::Own,
            400,
            "unsupported_grant_type",
            "fapi.token.grant-type-known".to_owned(),
        ),
        (
            "an unknown scope",
            replaced(form(&fresh()), "scope", "everything"),
            Shows::Own,
            400,
            "invalid_scope",
            "fapi.token.scope".to_owned(),
        ),
        (
            "an unknown code",
            replaced(
                [
                    form(&fresh()),
                    vec![
                        ("code".into(), "x".into()),
                        ("redirect_uri".into(), "https://a.example".into()),
                        ("code_verifier".into(), "x".into()),
                    ],
                ]
                .concat(),
                "grant_type",
                "authorization_code",
            ),
            Shows::Own,
            400,
            "invalid_grant",
            "fapi.token.code-known".to_owned(),
        ),
        (
            "an unknown refresh token",
            replaced(
                [form(&fresh()), vec![("refresh_token".into(), "x".into())]].concat(),
                "grant_type",
                "refresh_token",
            ),
            Shows::Own,
            400,
            "invalid_grant",
            "fapi.token.refresh-token-known".to_owned(),
        ),
    ];
    for (what, form, shows, status, error, rule) in cases {
        let trace = world.journey();
        let answer = world.token(&form, shows, &trace).await;
        let body: Value = answer.json().unwrap();
        assert_eq!((answer.status.as_u16(), body["error"].as_str()), (status, Some(error)), "{what}: {body}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
        assert_eq!(world.rule(&trace).await, Some(rule), "{what}");
        // What was expected and found stays with the bank.
        assert!(!body.to_string().contains("expected"), "{what}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_itself_is_held_to_its_rules() {
    let world = World::new().await;
    let token = world.client_token().await;
    let consents = "/open-banking/v4.0/aisp/account-access-consents";
    let large = "x".repeat(200 * 1024);
    type Case<'a> = (&'a str, Method, &'a str, Option<(&'a str, &'a str)>, u16);
    let cases: [Case<'_>; 16] = [
        ("an unknown path", Method::GET, "/nothing", None, 404),
        ("an unknown path of the API", Method::GET, "/open-banking/v4.0/aisp/nothing", None, 404),
        ("an unknown version", Method::GET, "/open-banking/v2.0/aisp/accounts", None, 404),
        ("another method", Method::GET, "/token", None, 405),
        ("another method of the API", Method::PUT, consents, Some(("application/json", "{}")), 405),
        ("a form in JSON", Method::POST, "/token", Some(("application/json", "{}")), 400),
        ("an oversized form", Method::POST, "/token", Some(("application/x-www-form-urlencoded", &large)), 413),
        ("an oversized registration", Method::POST, "/register", Some(("application/jwt", &large)), 413),
        ("a registration in JSON", Method::POST, "/register", Some(("application/json", "{}")), 415),
        ("a registration that is no JWT", Method::POST, "/register", Some(("application/jwt", "hello")), 400),
        ("an oversized consent", Method::POST, consents, Some(("application/json", &large)), 413),
        ("a consent as text", Method::POST, consents, Some(("text/plain", "{}")), 415),
        ("no JSON", Method::POST, consents, Some(("application/json", "{")), 400),
        ("a list", Method::POST, consents, Some(("application/json", "[]")), 400),
        ("deep nesting", Method::POST, consents, Some(("application/json", &"[".repeat(20_000))), 400),
        ("no UTF-8 in the path", Method::GET, "/open-banking/v4.0/aisp/accounts/%ff", None, 404),
    ];
    for (what, method, path, body, status) in cases {
        let mut request = world.http(Shows::Own).request(method, &world.bank(path)).bearer(&token);
        if let Some((content_type, body)) = body {
            request = request.body(content_type, body.to_owned());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", String::from_utf8_lossy(&answer.body));
        assert!(answer.header("x-fapi-interaction-id").is_some(), "{what}");
        if status == 405 {
            assert!(answer.header("allow").is_some(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_looked_at() {
    let (world, elsewhere) = (World::new().await, World::new().await);
    let url = world.bank("/token");
    // A certificate of another authority ends the handshake; none gets the protocol's error.
    let error = refused_handshake(world.stranger(&elsewhere).post(&url).form(&[("a", "b")]).send().await);
    assert!(error.contains("UnknownCA"), "{error}");
    let token = world.client_token().await;
    let accounts = world.bank("/open-banking/v4.0/aisp/account-access-consents/x");
    for (shows, rule) in [
        (Shows::Own, "api.consent.known"),
        (Shows::Other, "fapi.access.token-bound-to-certificate"),
        (Shows::Nothing, "fapi.access.certificate-presented"),
    ] {
        let trace = world.journey();
        let answer = world.http(shows).get(&accounts).bearer(&token).trace(&trace).send().await.unwrap();
        assert_eq!(answer.status.as_u16(), if shows == Shows::Own { 400 } else { 401 }, "{rule}");
        assert_eq!(world.rule(&trace).await.as_deref(), Some(rule));
    }
    // Keys that were exported are for their owner only.
    use std::os::unix::fs::PermissionsExt;
    for (name, mode) in [("transport.key", 0o600), ("transport.p12", 0o600), ("signing.key", 0o600)] {
        let found = std::fs::metadata(exported(&world, name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
}

fn authorize(world: &World, request: &str) -> url::Url {
    let mut url = world.page("/authorize");
    url.query_pairs_mut()
        .append_pair("client_id", &world.client_id)
        .append_pair("response_type", "code id_token")
        .append_pair("scope", "openid accounts")
        .append_pair("request", request);
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_endpoint_redirects_only_where_it_may() {
    let world = World::new().await;
    let consent = world.consent().await;
    let good = || world.request_object(&consent);
    let sign = |claims: &Value| world.signing.sign_claims(Some("oauth-authz-req+jwt"), claims).unwrap();
    let intent = |id: &str| {
        let asked = json!({ "id_token": { "openbanking_intent_id": { "value": id, "essential": true } } });
        with(good(), "claims", asked)
    };
    let now = world.now();
    let elsewhere = json!("https://attacker.example/callback");
    // What the browser sees: the login, an error that goes back to the TPP, or a page of the bank's own.
    let cases = [
        ("a good request", sign(&good()), Some("/authorisation/"), None),
        (
            "a foreign redirect URI",
            sign(&with(good(), "redirect_uri", elsewhere)),
            None,
            Some("fapi.authorization.redirect-uri-registered"),
        ),
        ("a tampered request", tampered(&sign(&good()), 2), None, Some("fapi.authorization.request-object-signature")),
        ("no signature", unsigned(&sign(&good())), None, Some("fapi.authorization.request-object-alg")),
        ("garbage", "x.y.z".to_owned(), None, Some("fapi.authorization.request-object-readable")),
        (
            "another audience",
            sign(&with(good(), "aud", json!("https://other.example"))),
            Some("error=invalid_request_object"),
            Some("fapi.request-object.aud"),
        ),
        (
            "an expired request",
            sign(&with(with(good(), "nbf", json!(now - 900)), "exp", json!(now - 600))),
            Some("error=invalid_request_object"),
            Some("fapi.request-object.exp"),
        ),
        (
            "a request that lives too long",
            sign(&with(good(), "exp", json!(now + 7200))),
            Some("error=invalid_request_object"),
            Some("fapi.request-object.lifetime"),
        ),
        (
            "another response type",
            sign(&with(good(), "response_type", json!("token"))),
            Some("error="),
            Some("fapi.request-object.response-type"),
        ),
        (
            "no nonce",
            sign(&with(good(), "nonce", Value::Null)),
            Some("error=invalid_request"),
            Some("fapi.request-object.nonce"),
        ),
        (
            "another's consent",
            sign(&with(
                good(),
                "claims",
                json!({"id_token": {"openbanking_intent_id": {"value": "aac-none", "essential": true}}}),
            )),
            Some("error="),
            Some("fapi.request-object.intent-of-client"),
        ),
        ("a consent without a name", sign(&intent("")), Some("error="), Some("fapi.request-object.intent-of-client")),
        (
            "a consent with a name longer than any",
            sign(&intent(&LONG)),
            Some("error="),
            Some("fapi.request-object.intent-of-client"),
        ),
    ];
    for (what, request, location, rule) in cases {
        let trace = world.journey();
        let url = authorize(&world, &request);
        let answer = world.http(Shows::Nothing).get(&url).trace(&trace).send().await.unwrap();
        let found = answer.header("location").map(str::to_owned);
        match location {
            Some(part) => {
                assert_eq!(answer.status.as_u16(), 303, "{what}");
                assert!(found.as_ref().is_some_and(|found| found.contains(part)), "{what}: {found:?}");
            }
            None => {
                assert_eq!((answer.status.as_u16(), found), (400, None), "{what}");
                let page = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(page.contains("id=\"oauth-error\""), "{what}: {page}");
            }
        }
        assert_eq!(world.rule(&trace).await.as_deref(), rule, "{what}");
    }
    for nobody in ["nobody", LONG.as_str()] {
        let no_client = world.page(&format!("/authorize?client_id={nobody}&request=a.b.c"));
        let answer = world.http(Shows::Nothing).get(&no_client).send().await.unwrap();
        assert_eq!(answer.status.as_u16(), 400);
    }
    let userinfo = world.http(Shows::Own).get(&world.bank("/userinfo")).send().await.unwrap();
    let accounts = world.bank("/open-banking/v4.0/aisp/accounts");
    let nothing = world.http(Shows::Own).get(&accounts).send().await.unwrap();
    for answer in [userinfo, nothing] {
        assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, Some("Bearer realm=\"api\"")));
    }
    let unknown = world.http(Shows::Own).post(&world.bank("/token")).form(&[("grant_type", "x")]).send().await.unwrap();
    assert_eq!((unknown.status.as_u16(), unknown.header("www-authenticate")), (401, None));
    let (token, path) = (world.client_token().await, "/open-banking/v4.0/aisp/account-access-consents/");
    let consent = world.bank(&format!("{path}{}", LONG.as_str()));
    let answer = world.http(Shows::Own).get(&consent).bearer(&token).send().await.unwrap();
    assert_eq!(answer.status.as_u16(), 400, "as any consent that is not there");
}

/// Who asks for one customer gets no answer about another (OpenID Connect Core, 5.5.1), and sees no page when it forbids them.
#[tokio::test(flavor = "multi_thread")]
async fn the_customer_who_was_asked_for_comes_or_nobody() {
    let world = World::new().await;
    let consent = world.consent().await;
    let link = |changed: &dyn Fn(&mut Value)| {
        let mut claims = world.request_object(&consent);
        changed(&mut claims);
        authorize(&world, &world.signing.sign_claims(Some("oauth-authz-req+jwt"), &claims).unwrap())
    };
    let silent = link(&|claims| claims["prompt"] = json!("none"));
    let answer = world.http(Shows::Nothing).get(&silent).send().await.unwrap();
    assert!(answer.header("location").unwrap().contains("error=login_required"), "{:?}", answer.header("location"));
    let mut browser = Browser::new(&world);
    browser.open(&link(&|claims| claims["claims"]["id_token"]["sub"] = json!({ "value": "somebody-else" }))).await;
    let last = browser.log_in(ROSALIND).await;
    assert_eq!((last.answer("error").as_deref(), last.answer("code")), (Some("login_required"), None));
}

/// A browser without scripts at one page of the bank.
struct Visitor<'a> {
    world: &'a World,
    cookie: String,
    path: String,
    page: String,
}

impl<'a> Visitor<'a> {
    async fn arrive(world: &'a World) -> Self {
        let consent = world.consent().await;
        let request = world.request_object(&consent);
        let request = world.signing.sign_claims(Some("oauth-authz-req+jwt"), &request).unwrap();
        let answer = world.http(Shows::Nothing).get(&authorize(world, &request)).send().await.unwrap();
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut visitor =
            Self { world, cookie, path: answer.header("location").unwrap().to_owned(), page: String::new() };
        visitor.open().await;
        visitor
    }

    async fn open(&mut self) -> u16 {
        let url = self.world.page(&self.path);
        let answer = self.world.http(Shows::Nothing).get(&url).header("cookie", &self.cookie).send().await.unwrap();
        self.page = String::from_utf8_lossy(&answer.body).into_owned();
        answer.status.as_u16()
    }

    fn csrf(&self) -> String {
        let (_, rest) = self.page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn send(&mut self, fields: &[(&str, &str)]) -> u16 {
        let csrf = self.csrf();
        let mut form = vec![("csrf", csrf.as_str())];
        form.extend(fields);
        let url = self.world.page(&self.path);
        let request = self.world.http(Shows::Nothing).post(&url).header("cookie", &self.cookie).form(&form);
        let answer = request.send().await.unwrap();
        self.page = String::from_utf8_lossy(&answer.body).into_owned();
        let status = answer.status.as_u16();
        if let Some(location) = answer.header("location") {
            self.path = location.to_owned();
            self.open().await;
        }
        status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_pages_belong_to_one_browser() {
    let world = World::new().await;
    let mut visitor = Visitor::arrive(&world).await;
    assert!(visitor.page.contains("Larkspur Budget") && visitor.page.contains("name=\"password\""));
    let url = world.page(&visitor.path);
    let http = world.http(Shows::Nothing);
    for (what, cookie, fields, status) in [
        ("no cookie", None, vec![], 400),
        ("another cookie", Some(format!("{}x", visitor.cookie)), vec![], 400),
        ("no CSRF token", Some(visitor.cookie.clone()), vec![("username", "nora")], 403),
        ("another CSRF token", Some(visitor.cookie.clone()), vec![("csrf", "x")], 403),
    ] {
        let mut request = http.post(&url).form(&fields);
        if let Some(cookie) = &cookie {
            request = request.header("cookie", cookie);
        }
        assert_eq!(request.send().await.unwrap().status.as_u16(), status, "{what}");
    }
    // The pages cannot be taken in another order.
    let accounts = visitor.path.replace("/login", "/accounts");
    let answer = http.get(&world.page(&accounts)).header("cookie", &visitor.cookie).send().await.unwrap();
    assert_eq!(answer.header("location"), Some(visitor.path.as_str()));
    // A page carries what keeps it from being framed, scripted or cached.
    let answer = http.get(&url).header("cookie", &visitor.cookie).send().await.unwrap();
    let policy = answer.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // Somebody else's account cannot be slipped in.
    assert_eq!(
        visitor.send(&[("username", "nora"), ("password", "lantern-moss-47"), ("action", "continue")]).await,
        303
    );
    assert_eq!(visitor.send(&[("one_time_password", "246810"), ("action", "continue")]).await, 303);
    assert!(visitor.page.contains("Choose your accounts"), "{}", visitor.page);
    assert_eq!(visitor.send(&[("account", "somebody-elses"), ("action", "continue")]).await, 400);
    assert!(visitor.page.contains("Choose at least one account"));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_cannot_be_guessed() {
    let world = World::new().await;
    let mut visitor = Visitor::arrive(&world).await;
    for _ in 0..2 {
        assert_eq!(visitor.send(&[("username", "nora"), ("password", "guess"), ("action", "continue")]).await, 400);
        assert!(visitor.page.contains("do not belong together"));
    }
    assert_eq!(visitor.send(&[("username", "nora"), ("password", "guess"), ("action", "continue")]).await, 200);
    // Handlebars writes the equals signs of the link as entities.
    assert!(visitor.page.contains("access_denied") && !visitor.page.contains("code&#x3D;"), "{}", visitor.page);
}
