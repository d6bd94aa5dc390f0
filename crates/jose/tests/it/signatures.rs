//! JWS: signed, altered, and signed by somebody else.

use jose::{Algorithm, Header, JoseError, Jws, KeySet, SigningKey, base64url};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{KEYS, key, set};

const FAPI: [Algorithm; 2] = [Algorithm::Ps256, Algorithm::Es256];

fn verify(token: &str, keys: &KeySet) -> Result<(), JoseError> {
    Jws::parse(token)?.verify(keys, &FAPI)
}

/// A token with this header and payload, and whatever signature.
fn forged(header: &str, signature: &[u8]) -> String {
    let payload = base64url::encode(br#"{"iss":"me"}"#);
    format!("{}.{payload}.{}", base64url::encode(header.as_bytes()), base64url::encode(signature))
}

#[test]
fn what_a_key_signed_verifies_under_it_and_says_the_same() {
    for algorithm in FAPI {
        let key = key(algorithm);
        let token = key.sign_claims(Some("JWT"), &json!({ "iss": "me", "n": 1 })).unwrap();
        let jws = Jws::parse(&token).unwrap();
        jws.verify(&set(&[&key]), &[algorithm]).unwrap();
        let header = Header { alg: algorithm.to_string(), kid: Some("key".into()), ..Header::typed("JWT") };
        assert_eq!((jws.header(), jws.claims::<Value>().unwrap()), (&header, json!({ "iss": "me", "n": 1 })));
    }
}

#[test]
fn each_part_belongs_to_the_others() {
    let key = key(Algorithm::Ps256);
    let keys = set(&[&key]);
    let one = key.sign_claims(None, &json!({ "sub": "one" })).unwrap();
    let other = key.sign_claims(Some("JWT"), &json!({ "sub": "other" })).unwrap();
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (parts(&one), parts(&other));
    for mixed in [[&other[0], &one[1], &one[2]], [&one[0], &other[1], &one[2]], [&one[0], &one[1], &other[2]]] {
        let token = mixed.map(String::as_str).join(".");
        assert_eq!(verify(&token, &keys), Err(JoseError::BadSignature));
    }
}

#[test]
fn only_allowed_algorithms_count_whatever_the_header_says() {
    let key = key(Algorithm::Ps256);
    let keys = set(&[&key]);
    let public = openssl::pkey::PKey::private_key_from_der(&KEYS.rsa).unwrap().public_key_to_pem().unwrap();
    let payload = base64url::encode(br#"{"iss":"me"}"#);
    let header = base64url::encode(br#"{"alg":"HS256","kid":"key"}"#);
    let hmac = openssl::pkey::PKey::hmac(&public).unwrap();
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &hmac).unwrap();
    let confused = signer.sign_oneshot_to_vec(format!("{header}.{payload}").as_bytes()).unwrap();
    let rs256 = crate::key(Algorithm::Rs256).sign_claims(None, &json!({ "iss": "me" })).unwrap();
    for token in [
        forged(r#"{"alg":"none"}"#, b""),
        forged(r#"{"alg":"None","kid":"key"}"#, b""),
        forged(r#"{"alg":"HS256","kid":"key"}"#, &confused),
        forged(r#"{"alg":"PS512","kid":"key"}"#, b"x"),
        forged(r#"{"alg":"ps256","kid":"key"}"#, b"x"),
        rs256,
    ] {
        assert!(matches!(verify(&token, &keys), Err(JoseError::AlgorithmNotAllowed { .. })), "{token}");
    }
    let es256 = crate::key(Algorithm::Es256).sign_claims(None, &json!({})).unwrap();
    let none = JoseError::NoFittingKey { algorithm: "ES256".into(), unusable: String::new() };
    assert_eq!(verify(&es256, &keys), Err(none));
}

#[test]
fn the_key_is_the_one_that_the_kid_names() {
    let own = key(Algorithm::Ps256);
    let other = SigningKey::from_pkcs8_der("other", Algorithm::Ps256, &KEYS.other).unwrap();
    let token = own.sign_claims(None, &json!({})).unwrap();
    assert!(matches!(verify(&token, &set(&[&other])), Err(JoseError::UnknownKey { .. })));
    let renamed = SigningKey::from_pkcs8_der("key", Algorithm::Ps256, &KEYS.other).unwrap();
    assert_eq!(verify(&token, &set(&[&renamed])), Err(JoseError::BadSignature));
    let nameless = forged(r#"{"alg":"PS256"}"#, b"x");
    assert_eq!(verify(&nameless, &set(&[&own, &other])), Err(JoseError::BadSignature));
    // Keys in the header are nobody's keys.
    let jwk = serde_json::to_value(own.public_jwk()).unwrap();
    let mut header = Header::default();
    header.extra.insert("jwk".into(), jwk);
    let carried = own.sign(&Header { kid: Some("other".into()), ..header }, b"{}").unwrap();
    assert_eq!(verify(&carried, &set(&[&other])), Err(JoseError::BadSignature));
}

#[test]
fn critical_members_must_be_understood_and_there() {
    let key = key(Algorithm::Ps256);
    let keys = set(&[&key]);
    let sign = |crit: Option<Vec<&str>>, extra: Value| {
        let crit = crit.map(|names| names.into_iter().map(str::to_owned).collect());
        let header = Header { crit, extra: extra.as_object().unwrap().clone(), ..Header::default() };
        key.sign(&header, b"{}").unwrap()
    };
    for (token, understood) in [
        (sign(Some(vec![]), json!({})), vec![]),
        (sign(Some(vec!["iat"]), json!({ "iat": 1 })), vec![]),
        (sign(Some(vec!["iat"]), json!({})), vec!["iat"]),
        (sign(Some(vec!["iat", "iss"]), json!({ "iat": 1, "iss": "x" })), vec!["iat"]),
    ] {
        let outcome = Jws::parse(&token).unwrap().verify_critical(&keys, &FAPI, &understood);
        assert!(matches!(outcome, Err(JoseError::Critical(_))), "{outcome:?}");
    }
    let right = sign(Some(vec!["iat"]), json!({ "iat": 1 }));
    Jws::parse(&right).unwrap().verify_critical(&keys, &FAPI, &["iat"]).unwrap();
    let unencoded = sign(None, json!({ "b64": false }));
    assert_eq!(verify(&unencoded, &keys), Err(JoseError::UnencodedPayload));
}

#[test]
fn what_is_no_compact_token_is_told() {
    let token = key(Algorithm::Ps256).sign_claims(None, &json!({})).unwrap();
    let long = format!("{token}{}", "A".repeat(70_000));
    for text in [
        String::new(),
        "..".to_owned(),
        "a.b".to_owned(),
        format!("{token}.x"),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', ".."),
        format!("{}.e30.", base64url::encode(b"[]")),
        format!("{}.e30.", base64url::encode(b"{}")),
        format!("{}.e30.", base64url::encode(br#"{"alg":7}"#)),
        long,
    ] {
        let outcome = Jws::parse(&text);
        assert!(matches!(outcome, Err(JoseError::NotCompact(_) | JoseError::Header(_))), "{text:.60} {outcome:?}");
    }
}

#[test]
fn a_header_with_a_member_twice_is_refused() {
    let token = forged(r#"{"alg":"none","alg":"PS256","kid":"key"}"#, b"x");
    assert!(matches!(Jws::parse(&token), Err(JoseError::Header(_))));
}

#[test]
fn a_detached_signature_is_over_exactly_these_bytes() {
    let key = key(Algorithm::Ps256);
    let keys = set(&[&key]);
    let body = br#"{"Data": {}}"#;
    let token = key.sign_detached(&Header::default(), body).unwrap();
    assert!(token.contains(".."));
    Jws::parse_detached(&token, body).unwrap().verify(&keys, &FAPI).unwrap();
    let altered = Jws::parse_detached(&token, br#"{"Data":{}}"#).unwrap();
    assert_eq!(altered.verify(&keys, &FAPI), Err(JoseError::BadSignature));
    let attached = key.sign(&Header::default(), body).unwrap();
    assert!(matches!(Jws::parse_detached(&attached, body), Err(JoseError::NotCompact(_))));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader_or_verifies(text in ".{0,200}") {
        let keys = set(&[&key(Algorithm::Ps256)]);
        prop_assert!(verify(&text, &keys).is_err());
    }

    #[test]
    fn no_three_parts_break_the_reader_or_verify(parts in proptest::array::uniform3("[A-Za-z0-9_-]{0,80}")) {
        let keys = set(&[&key(Algorithm::Ps256)]);
        prop_assert!(verify(&parts.join("."), &keys).is_err());
    }

    #[test]
    fn a_token_with_a_character_changed_does_not_verify(place in 0usize..600, to in "[A-Za-z0-9_.-]") {
        let key = key(Algorithm::Ps256);
        let token = key.sign_claims(Some("JWT"), &json!({ "iss": "me", "sub": "you" })).unwrap();
        let place = place % token.len();
        let mut altered = token.clone();
        altered.replace_range(place..=place, &to);
        prop_assume!(altered != token);
        prop_assert!(verify(&altered, &set(&[&key])).is_err());
    }

    #[test]
    fn bytes_come_back_from_text(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(base64url::decode(&base64url::encode(&bytes)), Some(bytes));
    }
}
