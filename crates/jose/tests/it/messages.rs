//! `x-jws-signature`: signed, altered, and each member of its header in turn.

use jose::message_signature::*;
use jose::{Algorithm, JoseError, Jws, KeySet, SigningKey, base64url};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::{KEYS, key, set};

const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);
const BODY: &[u8] = br#"{"Data":{"Initiation":{"InstructedAmount":{"Amount":"165.88","Currency":"GBP"}}}}"#;

/// What a signature is judged by.
struct World {
    keys: KeySet,
    issuers: [String; 1],
    trust_anchors: [String; 1],
}

fn world() -> World {
    World {
        keys: set(&[&key(Algorithm::Ps256)]),
        issuers: ["0015800001HQQrZAAX/software".to_owned()],
        trust_anchors: [DIRECTORY.to_owned()],
    }
}

impl World {
    fn expected(&self, form: PayloadForm) -> Expected<'_> {
        Expected {
            form,
            issuers: &self.issuers,
            trust_anchors: &self.trust_anchors,
            keys: &self.keys,
            content_type: None,
            now: NOW,
            clock_skew: Duration::ZERO,
        }
    }
}

fn claims() -> SignatureClaims {
    SignatureClaims {
        issued_at: NOW,
        issuer: "0015800001HQQrZAAX/software".to_owned(),
        trust_anchor: DIRECTORY.to_owned(),
        content_type: None,
    }
}

/// The header of a good signature.
fn header(form: PayloadForm) -> Map<String, Value> {
    let signed = sign(&key(Algorithm::Ps256), BODY, &claims(), form).unwrap();
    MessageSignature::parse(&signed).unwrap().header().clone()
}

/// A signature with this header that nobody made.
fn unsigned(header: &Map<String, Value>) -> String {
    let header = base64url::encode(serde_json::to_string(header).unwrap().as_bytes());
    format!("{header}..{}", base64url::encode(&[7; 256]))
}

#[test]
fn what_was_signed_is_accepted_in_both_forms() {
    let (world, key) = (world(), key(Algorithm::Ps256));
    for form in [PayloadForm::Encoded, PayloadForm::Unencoded] {
        let signed = sign(&key, BODY, &claims(), form).unwrap();
        let read = judge(Some(&signed), BODY, &world.expected(form)).unwrap();
        assert_eq!(read.header().get("b64"), (form == PayloadForm::Unencoded).then(|| json!(false)).as_ref());
        let other = if form == PayloadForm::Encoded { PayloadForm::Unencoded } else { PayloadForm::Encoded };
        assert!(judge(Some(&signed), BODY, &world.expected(other)).is_err());
    }
}

#[test]
fn the_header_is_that_of_the_profile() {
    let header = header(PayloadForm::Encoded);
    assert_eq!(
        Value::Object(header),
        json!({
            "alg": "PS256", "kid": "key", "typ": "JOSE",
            "crit": ["http://openbanking.org.uk/iat", "http://openbanking.org.uk/iss", "http://openbanking.org.uk/tan"],
            "http://openbanking.org.uk/iat": NOW.unix_timestamp(),
            "http://openbanking.org.uk/iss": "0015800001HQQrZAAX/software",
            "http://openbanking.org.uk/tan": "openbanking.org.uk"
        })
    );
    // The encoded form is a plain detached JWS, which any library verifies.
    let signed = sign(&key(Algorithm::Ps256), BODY, &claims(), PayloadForm::Encoded).unwrap();
    let jws = Jws::parse_detached(&signed, BODY).unwrap();
    jws.verify_critical(&world().keys, &[Algorithm::Ps256], &[ISSUED_AT, ISSUER, TRUST_ANCHOR]).unwrap();
}

/// RFC 7797 by hand: josekit itself refuses payloads with a dot.
#[test]
fn the_unencoded_form_signs_the_bytes_themselves() {
    let signed = sign(&key(Algorithm::Ps256), BODY, &claims(), PayloadForm::Unencoded).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let public = openssl::pkey::PKey::private_key_from_der(&KEYS.rsa).unwrap().public_key_to_der().unwrap();
    let public = openssl::pkey::PKey::public_key_from_der(&public).unwrap();
    let digest = openssl::hash::MessageDigest::sha256();
    let mut verifier = openssl::sign::Verifier::new(digest, &public).unwrap();
    verifier.set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS).unwrap();
    verifier.set_rsa_pss_saltlen(openssl::sign::RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    let input = [parts[0].as_bytes(), b".", BODY].concat();
    assert!(verifier.verify_oneshot(&base64url::decode(parts[2]).unwrap(), &input).unwrap());
}

#[test]
fn what_is_no_detached_signature_is_malformed() {
    let world = world();
    let expected = world.expected(PayloadForm::Encoded);
    assert_eq!(judge(None, BODY, &expected), Err(Fault::Missing));
    let whole = key(Algorithm::Ps256).sign_claims(None, &json!({})).unwrap();
    let good = sign(&key(Algorithm::Ps256), BODY, &claims(), PayloadForm::Encoded).unwrap();
    let list = format!("{}..c2ln", base64url::encode(b"[]"));
    for text in ["", "x", "a.b", "a..b..c", "!!..c2ln", &whole, &list, good.rsplit_once('.').unwrap().0] {
        assert!(matches!(judge(Some(text), BODY, &expected), Err(Fault::Malformed(_))), "{text}");
    }
    let (start, _) = good.rsplit_once('.').unwrap();
    assert!(matches!(judge(Some(&format!("{start}.")), BODY, &expected), Err(Fault::Malformed(_))));
}

#[test]
fn missing_members_are_told_before_the_signature() {
    let world = world();
    for form in [PayloadForm::Encoded, PayloadForm::Unencoded] {
        let mut names = vec!["alg", "kid", "crit", ISSUED_AT, ISSUER, TRUST_ANCHOR];
        names.extend((form == PayloadForm::Unencoded).then_some("b64"));
        for name in names {
            let mut header = header(form);
            header.remove(name);
            let fault = judge(Some(&unsigned(&header)), BODY, &world.expected(form)).unwrap_err();
            assert_eq!(fault, Fault::MissingClaim(name));
        }
    }
}

#[test]
fn wrong_members_are_told_before_the_signature() {
    let world = world();
    let expected = world.expected(PayloadForm::Encoded);
    let future = (NOW + Duration::SECOND).unix_timestamp();
    let list = |names: &[&str]| json!(names);
    for (name, value) in [
        ("mood", json!("good")),
        ("jwk", json!({})),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("crit", json!([])),
        ("crit", json!("b64")),
        ("crit", list(&[ISSUED_AT, ISSUER])),
        ("crit", list(&[ISSUED_AT, ISSUER, TRUST_ANCHOR, "b64"])),
        ("crit", list(&[ISSUED_AT, ISSUER, ISSUER])),
        ("crit", json!([ISSUED_AT, ISSUER, 7])),
        ("alg", json!("RS256")),
        ("alg", json!("none")),
        ("alg", json!(256)),
        ("typ", json!("JWT")),
        ("cty", json!("text/xml")),
        (ISSUED_AT, json!(future)),
        (ISSUED_AT, json!(NOW.unix_timestamp().to_string())),
        (ISSUED_AT, json!(0)),
        (ISSUED_AT, json!(null)),
        (TRUST_ANCHOR, json!("example.org")),
        (ISSUER, json!("0015800001HQQrZAAX/other")),
        (ISSUER, json!(["0015800001HQQrZAAX/software"])),
        ("kid", json!("other")),
        ("kid", json!(7)),
    ] {
        let mut header = header(PayloadForm::Encoded);
        header.insert(name.to_owned(), value.clone());
        match judge(Some(&unsigned(&header)), BODY, &expected) {
            Err(Fault::InvalidClaim(fault)) => assert_eq!(fault.member, name, "{value}"),
            other => panic!("{name} {value}: {other:?}"),
        }
    }
    let mut late = header(PayloadForm::Encoded);
    late.insert(ISSUED_AT.to_owned(), json!(future));
    let lenient = Expected { clock_skew: Duration::SECOND, ..expected };
    assert!(matches!(judge(Some(&unsigned(&late)), BODY, &lenient), Err(Fault::Invalid(_))));
}

#[test]
fn the_media_type_of_a_file_is_named() {
    let world = world();
    let key = key(Algorithm::Ps256);
    let expected = Expected { content_type: Some("text/xml"), ..world.expected(PayloadForm::Encoded) };
    let with = |content_type: Option<&str>| {
        let claims = SignatureClaims { content_type: content_type.map(str::to_owned), ..claims() };
        judge(Some(&sign(&key, b"<x/>", &claims, PayloadForm::Encoded).unwrap()), b"<x/>", &expected).map(drop)
    };
    assert_eq!(with(Some("text/xml")), Ok(()));
    for content_type in [None, Some("application/json")] {
        assert!(matches!(with(content_type), Err(Fault::InvalidClaim(fault)) if fault.member == "cty"));
    }
}

#[test]
fn every_byte_of_the_body_counts() {
    let world = world();
    for form in [PayloadForm::Encoded, PayloadForm::Unencoded] {
        let signed = sign(&key(Algorithm::Ps256), BODY, &claims(), form).unwrap();
        let altered = String::from_utf8(BODY.to_vec()).unwrap().replace("165.88", "965.88");
        let spaced = [BODY, b" "].concat();
        for body in [altered.as_bytes(), &spaced, b""] {
            let fault = judge(Some(&signed), body, &world.expected(form)).unwrap_err();
            assert_eq!(fault, Fault::Invalid(JoseError::BadSignature));
        }
    }
    let other = SigningKey::from_pkcs8_der("key", Algorithm::Ps256, &KEYS.other).unwrap();
    let signed = sign(&other, BODY, &claims(), PayloadForm::Encoded).unwrap();
    let fault = judge(Some(&signed), BODY, &world.expected(PayloadForm::Encoded)).unwrap_err();
    assert_eq!(fault, Fault::Invalid(JoseError::BadSignature));
}

proptest! {
    #[test]
    fn no_text_breaks_the_judgement(text in "\\PC{0,60}", name in "[a-z0-9]{0,6}", number: i64) {
        let world = world();
        let expected = world.expected(PayloadForm::Encoded);
        prop_assert!(judge(Some(&text), BODY, &expected).is_err());
        let mut header = header(PayloadForm::Encoded);
        header.insert(name, json!(number));
        prop_assert!(judge(Some(&unsigned(&header)), BODY, &expected).is_err());
    }
}
