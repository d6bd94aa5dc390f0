//! The payment initiation API through the bank's real HTTPS interface. Whatever a test asks here, every answer is held
//! against the published OpenAPI files and, where it is signed, against the bank's keys.

mod bodies;
mod files;
mod idempotency;
mod kinds;
mod migration;
mod money;
mod profiles;
mod refusals;
mod signatures;

use std::cell::Cell;

use http::Method;
use jose::{Algorithm, Header, Jws, KeySet, SigningKey};
use openbanking::{payments::PaymentKind, version::ApiVersion};
use psu::{Intention, Psu};
use serde_json::{Map, Value, json};
use testkit::Specification;
use time::{Duration, OffsetDateTime};

use crate::hand_made::{Shows, World};

const SIGNATURE: &str = "x-jws-signature";
const INTERACTION: &str = "x-fapi-interaction-id";
const IAT: &str = "http://openbanking.org.uk/iat";
const ISS: &str = "http://openbanking.org.uk/iss";
const TAN: &str = "http://openbanking.org.uk/tan";

/// Every kind in both versions.
fn each() -> impl Iterator<Item = (PaymentKind, ApiVersion)> {
    ApiVersion::ALL.into_iter().flat_map(|version| PaymentKind::ALL.map(|kind| (kind, version)))
}

/// Suffix of the schemas of a kind: that of consent, order, and their answers.
fn schemas(kind: PaymentKind) -> [&'static str; 2] {
    match kind {
        PaymentKind::Domestic => ["OBWriteDomesticConsentResponse5", "OBWriteDomesticResponse5"],
        PaymentKind::DomesticScheduled => {
            ["OBWriteDomesticScheduledConsentResponse5", "OBWriteDomesticScheduledResponse5"]
        }
        PaymentKind::DomesticStandingOrder => {
            ["OBWriteDomesticStandingOrderConsentResponse6", "OBWriteDomesticStandingOrderResponse6"]
        }
        PaymentKind::International => ["OBWriteInternationalConsentResponse6", "OBWriteInternationalResponse5"],
        PaymentKind::InternationalScheduled => {
            ["OBWriteInternationalScheduledConsentResponse6", "OBWriteInternationalScheduledResponse6"]
        }
        PaymentKind::InternationalStandingOrder => {
            ["OBWriteInternationalStandingOrderConsentResponse7", "OBWriteInternationalStandingOrderResponse7"]
        }
        PaymentKind::File => ["OBWriteFileConsentResponse4", "OBWriteFileResponse3"],
    }
}

/// One or the other version's.
fn by<T>(version: ApiVersion, v3: T, v4: T) -> T {
    match version {
        ApiVersion::V3_1 => v3,
        ApiVersion::V4_0 => v4,
    }
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: http::HeaderMap,
    bytes: Vec<u8>,
    body: Value,
    /// The rule that the bank's journal names.
    rule: Option<String>,
}

impl Reply {
    fn error(&self) -> &str {
        self.body["Errors"][0]["ErrorCode"].as_str().unwrap_or_default()
    }

    fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn consent_id(&self) -> String {
        self.text("/Data/ConsentId")
    }

    /// It was refused so, by that rule.
    #[track_caller]
    fn refused(&self, status: u16, code: &str, rule: &str) {
        let found = (self.status, self.error(), self.rule.as_deref().unwrap_or_default());
        assert_eq!(found, (status, code, rule), "{:#}", self.body);
    }

    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}: {:#}", self.rule, self.body);
        self
    }
}

/// How a request is sent.
#[derive(Clone)]
struct Sent<'a> {
    token: &'a str,
    key: Option<String>,
    content_type: &'a str,
    /// The signature; made when none is given.
    signature: Option<String>,
    signed: bool,
    headers: Vec<(&'a str, &'a str)>,
    shows: Shows,
}

/// The API of one version, as a TPP sees it.
struct Api<'a> {
    world: &'a World,
    version: ApiVersion,
    specification: Option<Specification>,
    keys: KeySet,
    /// Organisation and software statement of the TPP, as its signatures name it.
    issuer: String,
    /// A token of the TPP's own.
    own: String,
    /// How far the bank's clock was moved.
    ahead: Cell<i64>,
}

impl<'a> Api<'a> {
    async fn new(world: &'a World, version: ApiVersion) -> Self {
        let file = by(version, "v3.1.11/payment-initiation-openapi.yaml", "v4.0.1/payment-initiation-openapi.json");
        let jwks = world.http(Shows::Nothing).get(&world.page("/jwks")).send().await.unwrap();
        let (_, clock) = world.control(Method::GET, "/clock", &Value::Null).await;
        let member = world.step("onboard", &json!({})).await;
        let text = |name: &str| member[name].as_str().unwrap();
        let api = Self {
            world,
            issuer: format!("{}/{}", text("organisation-id"), text("software-id")),
            version,
            specification: Specification::open(file).unwrap(),
            keys: KeySet::from_json(&jwks.body).unwrap(),
            own: String::new(),
            ahead: Cell::new(clock["ahead"].as_i64().unwrap()),
        };
        let own = api.client_token().await;
        Self { own, ..api }
    }

    /// A fresh token of the TPP's own.
    async fn client_token(&self) -> String {
        let asked = json!({ "bank": self.world.hosted.bank.name, "api": "pisp", "reveal": true });
        let tokens = self.world.step("client-token", &asked).await;
        tokens["access-token"].as_str().unwrap().to_owned()
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.world.now() + self.ahead.get()).unwrap()
    }

    /// Lets time pass at every party; the TPP needs a new token of its own then.
    async fn pass(&mut self, time: Duration) {
        self.world.advance(time.whole_seconds()).await;
        self.ahead.set(self.ahead.get() + time.whole_seconds());
        self.own = self.client_token().await;
    }

    /// A signature that the bank accepts, but for what is changed in its header.
    fn sign_as(&self, key: &SigningKey, body: &[u8], change: impl FnOnce(&mut Header)) -> String {
        let mut extra = Map::new();
        extra.insert(IAT.to_owned(), self.world.now().into());
        extra.insert(ISS.to_owned(), self.issuer.clone().into());
        extra.insert(TAN.to_owned(), "openbanking.org.uk".into());
        let crit = Some([IAT, ISS, TAN].map(str::to_owned).to_vec());
        let mut header = Header { typ: Some("JOSE".to_owned()), crit, extra, ..Header::default() };
        change(&mut header);
        key.sign_detached(&header, body).unwrap()
    }

    fn sign(&self, body: &[u8], content_type: &str) -> String {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let cty = (media_type != "application/json").then(|| media_type.to_owned());
        self.sign_as(&self.world.signing, body, |header| header.cty = cty)
    }

    fn with<'b>(&self, token: &'b str) -> Sent<'b> {
        Sent {
            token,
            key: Some(self.world.chance.identifier(32)),
            content_type: "application/json",
            signature: None,
            signed: true,
            headers: Vec::new(),
            shows: Shows::Own,
        }
    }

    /// Sends a request and judges the answer by what is true of every answer.
    async fn send(&self, method: Method, path: &str, body: Option<&[u8]>, sent: Sent<'_>) -> Reply {
        let url = self.world.bank(&format!("/open-banking/{}/pisp{path}", self.version));
        let trace = self.world.journey();
        let interaction = self.world.chance.uuid().to_string();
        let mut request = self.world.http(sent.shows).request(method.clone(), &url).bearer(sent.token).trace(&trace);
        request = request.interaction_id(&interaction);
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            if let Some(key) = &sent.key {
                request = request.header("x-idempotency-key", key);
            }
            if sent.signed {
                let signature = sent.signature.unwrap_or_else(|| self.sign(body, sent.content_type));
                request = request.header(SIGNATURE, &signature);
            }
            request = request.body(sent.content_type, body.to_vec());
        }
        let answer = request.send().await.unwrap();
        let reply = Reply {
            status: answer.status.as_u16(),
            headers: answer.headers.clone(),
            body: answer.json().unwrap_or_default(),
            bytes: answer.body.to_vec(),
            rule: if answer.status.is_success() { None } else { self.world.rule(&trace).await },
        };
        assert_eq!(answer.header(INTERACTION), Some(interaction.as_str()), "{method} {path}");
        self.judge(&method, path, &reply);
        reply
    }

    /// What the published files say of every answer.
    fn judge(&self, method: &Method, path: &str, reply: &Reply) {
        let signature = reply.headers.get(SIGNATURE).map(|value| value.to_str().unwrap());
        let carries = !reply.bytes.is_empty() || reply.status >= 400;
        assert_eq!(signature.is_some(), carries, "{method} {path}: {} and its signature", reply.status);
        if let Some(signature) = signature {
            let jws = Jws::parse_detached(signature, &reply.bytes).unwrap();
            jws.verify_critical(&self.keys, &[Algorithm::Ps256], &[IAT, ISS, TAN]).unwrap();
            let header = jws.header();
            assert_eq!(header.typ.as_deref(), Some("JOSE"));
            assert_eq!(header.extra[TAN], "openbanking.org.uk");
            assert!(header.extra[ISS].as_str().unwrap().len() == 18 && header.extra[IAT].as_i64().unwrap() > 0);
            let mut names: Vec<&str> = header.extra.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, [IAT, ISS, TAN], "no b64");
        }
        assert_ne!(reply.status, 500, "{method} {path}: {:#}", reply.body);
        if let (Some(specification), Some(schema)) = (&self.specification, self.schema(path, reply)) {
            let errors = specification.errors(schema, &reply.body).unwrap();
            assert!(errors.is_empty(), "{} {method} {path} {schema}: {errors:#?}\n{:#}", self.version, reply.body);
        }
    }

    /// The schema of an answer; none for files and for what has no body.
    fn schema(&self, path: &str, reply: &Reply) -> Option<&'static str> {
        if reply.bytes.is_empty() || path.ends_with("file") && reply.status < 300 {
            return None;
        }
        if reply.status >= 400 {
            return Some("OBErrorResponse1");
        }
        if path.ends_with("/funds-confirmation") {
            return Some("OBWriteFundsConfirmationResponse1");
        }
        if path.ends_with("/payment-details") {
            return Some("OBWritePaymentDetailsResponse1");
        }
        let first = path.split('/').nth(1).unwrap_or_default();
        if first.starts_with("domestic-vrp") {
            // Another file's.
            return None;
        }
        let kind = PaymentKind::at_path(first).unwrap_or_else(|| panic!("{path} is answered and is no payment"));
        Some(schemas(kind)[usize::from(first == kind.order_path())])
    }

    async fn post(&self, path: &str, body: &Value, sent: Sent<'_>) -> Reply {
        self.send(Method::POST, path, Some(body.to_string().as_bytes()), sent).await
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(Method::GET, path, None, self.with(token)).await
    }

    async fn lodge(&self, kind: PaymentKind, body: &Value) -> Reply {
        self.post(&format!("/{}", kind.consent_path()), body, self.with(&self.own)).await
    }

    async fn order(&self, kind: PaymentKind, body: &Value, token: &str) -> Reply {
        self.post(&format!("/{}", kind.order_path()), body, self.with(token)).await
    }

    /// What the TPP reads of an order.
    async fn ordered(&self, kind: PaymentKind, id: &str) -> Reply {
        self.get(&format!("/{}/{id}", kind.order_path()), &self.own).await.is(200)
    }

    /// The customer goes through the bank's pages; the state of the authorisation comes back.
    async fn decide(&self, consent: &str, persona: &str, intention: Intention) -> String {
        let world = self.world;
        let asked = json!({ "bank": world.hosted.bank.name, "consent-id": consent, "api": "pisp" });
        let link = world.step("authorise", &asked).await;
        let credentials = sandbox::hosting::credentials(&world.hosted.bank.logins)[persona].clone();
        let psu = Psu::new(world.browser(), credentials);
        let url = link["url"].as_str().unwrap().parse().unwrap();
        psu.authorise(&url, &intention, &world.journey()).await.unwrap();
        link["state"].as_str().unwrap().to_owned()
    }

    /// The customer authorises a payment from an account; the customer's token comes back.
    async fn authorise(&self, consent: &str, persona: &str, account: &str) -> String {
        let intention = Intention::Approve { accounts: vec![account.to_owned()] };
        let state = self.decide(consent, persona, intention).await;
        let tokens = self.world.step("exchange-code", &json!({ "state": state, "reveal": true })).await;
        tokens["access-token"].as_str().unwrap().to_owned()
    }

    /// A consent that the customer authorised: its answer and the customer's token.
    async fn authorised(&self, kind: PaymentKind, body: &Value, persona: &str, account: &str) -> (Reply, String) {
        let lodged = self.lodge(kind, body).await.is(201);
        let token = self.authorise(&lodged.consent_id(), persona, account).await;
        (lodged, token)
    }

    /// A payment from consent to order.
    async fn pay(&self, kind: PaymentKind, body: &Value, persona: &str, account: &str) -> Reply {
        let (lodged, token) = self.authorised(kind, body, persona, account).await;
        self.order(kind, &bodies::order(body, &lodged.consent_id()), &token).await.is(201)
    }
}

impl Api<'_> {
    /// A new access token for a consent whose first one has expired.
    async fn refreshed(&self, consent: &str) -> String {
        let tokens = self.world.step("refresh", &json!({ "consent-id": consent, "reveal": true })).await;
        tokens["access-token"].as_str().unwrap().to_owned()
    }
}

impl World {
    /// Another TPP, onboarded and registered: the URL of its control port.
    async fn second(&self, name: &str) -> url::Url {
        let control = self.hosted.tpps[name].control;
        let control: url::Url = format!("http://{control}").parse().unwrap();
        self.step_of(&control, "onboard", &json!({})).await;
        self.step_of(&control, "register", &json!({ "bank": self.hosted.bank.name })).await;
        control
    }

    /// Tells that TPP to take a step.
    async fn step_of(&self, control: &url::Url, name: &str, step: &Value) -> Value {
        let url = control.join(&format!("/steps/{name}")).unwrap();
        let answer = self.http(Shows::Nothing).post(&url).json(step).send().await.unwrap();
        let body: Value = answer.json().unwrap();
        assert!(body.get("done").is_some(), "{name}: {body}");
        body["done"].clone()
    }

    /// The rule that the bank's journal named last.
    async fn last_rule(&self) -> Option<String> {
        let (_, body) = self.control(Method::GET, "/journal", &Value::Null).await;
        let exchanges = body["exchanges"].as_array().unwrap().clone();
        let rule = |exchange: &Value| {
            exchange.pointer("/verdict/outcome/refused/rule").and_then(Value::as_str).map(str::to_owned)
        };
        exchanges.iter().rev().find_map(rule)
    }
}
