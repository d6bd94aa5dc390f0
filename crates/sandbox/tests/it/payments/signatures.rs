//! Message signing: each rule of `x-jws-signature` and the request that breaks it alone.

use jose::{Algorithm, Header, SigningKey};
use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::json;
use time::Duration;

use super::{Api, IAT, ISS, Sent, TAN, bodies, by};
use crate::hand_made::{World, openssl_key};

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

/// The form up to v3.1.3: the payload is signed as it is, and `b64` says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_form_is_a_setting() {
    let world = World::with_bank(|profile| format!("{profile}\nunencoded-signatures: true\n")).await;
    let api = Api::new(&world, ApiVersion::V3_1).await;
    let body = bodies::consent(PaymentKind::Domestic, ApiVersion::V3_1, api.now()).to_string().into_bytes();
    let url = world.bank("/open-banking/v3.1/pisp/domestic-payment-consents");
    let lodge = async |signature: String| {
        let request = world.http(crate::hand_made::Shows::Own).post(&url).bearer(&api.own);
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
