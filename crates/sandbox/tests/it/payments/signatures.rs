//! Message signing: each rule of `x-jws-signature` and the request that breaks it alone.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use jose::{Algorithm, Header, SigningKey};
use openbanking::{payments::PaymentKind, version::ApiVersion};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use serde_json::json;
use time::Duration;

use super::{Api, IAT, ISS, Reply, Sent, TAN, bodies, by};
use crate::hand_made::{Shows, World, openssl_key};

/// What is wrong with a header, the code in both versions, and the rule.
type Case = (&'static str, fn(&mut Header), [&'static str; 2], &'static str);

const MISSING: [&str; 2] = ["UK.OBIE.Signature.MissingClaim", "U017"];
const INVALID: [&str; 2] = ["UK.OBIE.Signature.InvalidClaim", "U016"];

const CASES: &[Case] = &[
    ("no iat", |header| drop(header.extra.remove(IAT)), MISSING, "api.signature.iat-present"),
    ("no iss", |header| drop(header.extra.remove(ISS)), MISSING, "api.signature.iss-present"),
    ("no tan", |header| drop(header.extra.remove(TAN)), MISSING, "api.signature.tan-present"),
    ("no crit", |header| header.crit = None, MISSING, "api.signature.crit-present"),
    ("typ", |header| header.typ = Some("JWT".to_owned()), INVALID, "api.signature.typ"),
    ("cty", |header| header.cty = Some("text/plain".to_owned()), INVALID, "api.signature.cty"),
    ("b64", |header| drop(header.extra.insert("b64".to_owned(), json!(false))), INVALID, "api.signature.members"),
    (
        "a strange member",
        |header| drop(header.extra.insert("mood".to_owned(), json!(1))),
        INVALID,
        "api.signature.members",
    ),
    ("crit names less", |header| drop(header.crit.as_mut().unwrap().pop()), INVALID, "api.signature.crit"),
    (
        "crit names one twice",
        |header| header.crit.as_mut().unwrap().push(IAT.to_owned()),
        INVALID,
        "api.signature.crit",
    ),
    ("iat is text", |header| drop(header.extra.insert(IAT.to_owned(), json!("now"))), INVALID, "api.signature.iat"),
    (
        "iat lies ahead",
        |header| {
            let later = header.extra[IAT].as_i64().unwrap() + 600;
            header.extra.insert(IAT.to_owned(), json!(later));
        },
        INVALID,
        "api.signature.iat",
    ),
    ("iss of another", |header| drop(header.extra.insert(ISS.to_owned(), json!("a/b"))), INVALID, "api.signature.iss"),
    ("tan", |header| drop(header.extra.insert(TAN.to_owned(), json!("example.org"))), INVALID, "api.signature.tan"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_signatures_refuses_alone() {
    let world = World::new().await;
    let kind = PaymentKind::Domestic;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let body = bodies::consent(kind, version, api.now()).to_string().into_bytes();
        let path = format!("/{}", kind.consent_path());
        let lodge = async |sent: Sent<'_>| api.send(http::Method::POST, &path, Some(&body), sent).await;
        let with = |signature: String| Sent { signature: Some(signature), ..api.with(&api.own) };
        let by = |codes: [&'static str; 2]| by(version, codes[0], codes[1]);

        lodge(api.with(&api.own)).await.is(201);
        lodge(Sent { signed: false, ..api.with(&api.own) }).await.refused(
            400,
            by(["UK.OBIE.Signature.Missing", "U019"]),
            "api.signature.present",
        );
        let right = api.sign(&body, "application/json");
        let attached = right.replace("..", ".e30.");
        for malformed in ["", "x", "a..b", "a.b.c.d", &attached] {
            lodge(with(malformed.to_owned())).await.refused(
                400,
                by(["UK.OBIE.Signature.Malformed", "U018"]),
                "api.signature.form",
            );
        }
        for (what, change, codes, rule) in CASES {
            let reply = lodge(with(api.sign_as(&world.signing, &body, change))).await;
            assert_eq!((reply.error(), reply.rule.as_deref()), (by(*codes), Some(*rule)), "{version} {what}");
            assert_eq!(reply.status, 400, "{what}");
        }
        // The claims are judged before the signature: what a stranger's key signed is told its claim.
        let reply = lodge(with(api.sign_as(&world.other_signing, &body, CASES[0].1))).await;
        reply.refused(400, by(MISSING), "api.signature.iat-present");

        let key = openssl_key(&world);
        let rs256 = SigningKey::from_pkcs8_der(world.signing.kid(), Algorithm::Rs256, &key).unwrap();
        lodge(with(api.sign_as(&rs256, &body, |_| ()))).await.refused(400, by(INVALID), "api.signature.alg");
        lodge(with(api.sign_as(&world.other_signing, &body, |_| ()))).await.refused(
            400,
            by(INVALID),
            "api.signature.kid",
        );
        let false_signature = ["UK.OBIE.Signature.Invalid", "U015"];
        let forged = crate::hand_made::signing(&world.hosted.bank.exports).with_kid(world.signing.kid());
        lodge(with(api.sign_as(&forged, &body, |_| ()))).await.refused(
            400,
            by(false_signature),
            "api.signature.verified",
        );
        let mut other = body.clone();
        other.push(b' ');
        lodge(with(api.sign(&other, "application/json"))).await.refused(
            400,
            by(false_signature),
            "api.signature.verified",
        );
        for (cty, typ) in [(Some("application/json"), None), (Some("json"), Some("JOSE")), (None, Some("jose"))] {
            let signature = api.sign_as(&world.signing, &body, |header| {
                header.cty = cty.map(str::to_owned);
                header.typ = typ.map(str::to_owned);
            });
            lodge(with(signature)).await.is(201);
        }
    }
}

/// What refuses before, in and after the handlers, each with its signature: [`Api::send`] looks at that.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_signed_whoever_answers() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let body = bodies::consent(PaymentKind::Domestic, version, api.now()).to_string().into_bytes();
        let long = vec![b' '; 4 * 1024 * 1024];
        let (get, post, delete) = (http::Method::GET, http::Method::POST, http::Method::DELETE);
        let own = || api.with(&api.own);
        let accepting = |what| Sent { headers: vec![("accept", what)], ..own() };
        for path in ["domestic-payment-consents", "domestic-vrp-consents"] {
            let all = format!("/{path}");
            let unknown = format!("/{path}/42");
            let cases = [
                (400, api.send(get.clone(), &unknown, None, own()).await),
                (400, api.send(post.clone(), &all, Some(b"{}"), own()).await),
                (401, api.send(get.clone(), &unknown, None, api.with("stolen")).await),
                (404, api.send(get.clone(), &format!("{unknown}/foobar"), None, own()).await),
                (404, api.send(get.clone(), "/foobar", None, own()).await),
                (405, api.send(delete.clone(), &all, None, own()).await),
                (406, api.send(get.clone(), &unknown, None, accepting("text/csv")).await),
                (413, api.send(post.clone(), &all, Some(&long), own()).await),
                (415, api.send(post.clone(), &all, Some(&body), Sent { content_type: "text/plain", ..own() }).await),
            ];
            for (status, reply) in cases {
                assert_eq!(reply.status, status, "{version} {path}: {:?}", reply.rule);
            }
            let reply = cut_off(&world, &format!("/open-banking/{version}/pisp/{path}"));
            api.judge(&post, path, &reply);
            assert_eq!((reply.status, reply.error()), (400, by(version, "UK.OBIE.Resource.InvalidFormat", "U010")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_so_with_a_signature() {
    let limit = "rate-limit: { requests: 4, seconds: 60 }";
    let world = World::with_bank(|profile| format!("{profile}\n{limit}\n")).await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    for status in [400, 400, 400, 400, 429] {
        assert_eq!(api.get("/domestic-payments/42", &api.own).await.status, status);
    }
}

/// Accounts, and confirmations of funds held, sign nothing.
#[tokio::test(flavor = "multi_thread")]
async fn other_apis_do_not_sign() {
    let world = World::new().await;
    for path in ["/open-banking/v4.0/aisp/foobar", "/open-banking/v3.1/cbpii/funds-confirmations", "/token/foobar"] {
        let answer = world.http(Shows::Own).get(&world.bank(path)).send().await.unwrap();
        assert!(matches!(answer.status.as_u16(), 404 | 405), "{path}: {}", answer.status);
        assert_eq!(answer.header(super::SIGNATURE), None, "{path}");
    }
}

/// The answer to a body that breaks off in the middle of a piece.
fn cut_off(world: &World, path: &str) -> Reply {
    let url = world.bank(path);
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let socket = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let mut stream = connector.build().connect("localhost", socket).unwrap();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n");
    stream.write_all(format!("{head}\r\n5\r\n{{\"Dat\r\nno size\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // How the connection ends does not matter.
    drop(stream.read_to_end(&mut answer));
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let fields = lines.map(|line| line.split_once(": ").unwrap());
    let headers = fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let bytes = body.as_bytes().to_vec();
    Reply { status, headers, body: serde_json::from_slice(&bytes).unwrap(), bytes, rule: None }
}

/// The form up to v3.1.3: the payload is signed as it is, and `b64` says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_form_is_a_setting() {
    let world = World::with_bank(|profile| format!("{profile}\nunencoded-signatures: true\n")).await;
    let api = Api::new(&world, ApiVersion::V3_1).await;
    let body = bodies::consent(PaymentKind::Domestic, ApiVersion::V3_1, api.now()).to_string().into_bytes();
    let url = world.bank("/open-banking/v3.1/pisp/domestic-payment-consents");
    let lodge = async |signature: String| {
        let request = world.http(Shows::Own).post(&url).bearer(&api.own);
        let key = world.chance.identifier(32);
        let request = request.header("x-idempotency-key", &key).header("x-jws-signature", &signature);
        request.body("application/json", body.clone()).send().await.unwrap()
    };
    let mut header = Header { typ: Some("JOSE".to_owned()), ..Header::default() };
    header.crit = Some(["b64", IAT, ISS, TAN].map(str::to_owned).to_vec());
    header.extra.insert("b64".to_owned(), json!(false));
    header.extra.insert(IAT.to_owned(), json!(world.now()));
    header.extra.insert(ISS.to_owned(), json!(api.issuer));
    header.extra.insert(TAN.to_owned(), json!("openbanking.org.uk"));
    let answer = lodge(world.signing.sign_detached_unencoded(&header, &body).unwrap()).await;
    assert_eq!(answer.status, 201, "{:?}", String::from_utf8_lossy(&answer.body));
    let signature = answer.header("x-jws-signature").unwrap();
    let jws = jose::Jws::parse_detached_unencoded(signature, &answer.body).unwrap();
    jws.verify_critical(&api.keys, &[Algorithm::Ps256], &["b64", IAT, ISS, TAN]).unwrap();
    assert_eq!(lodge(api.sign(&body, "application/json")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_of_yesterday_is_as_good() {
    let world = World::new().await;
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    api.pass(Duration::DAY).await;
    let body = bodies::consent(PaymentKind::Domestic, ApiVersion::V4_0, api.now());
    api.lodge(PaymentKind::Domestic, &body).await.is(201);
}
