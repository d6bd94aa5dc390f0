//! Key sets as others publish them.

use base64::{Engine, engine::general_purpose::STANDARD};
use jose::{Algorithm, JoseError, Jwk, Jwks, Jws, KeyError, KeySet, SigningKey, hash::sha256_base64url};
use serde_json::json;

use crate::{KEYS, key, set};

fn token() -> Jws {
    Jws::parse(&key(Algorithm::Ps256).sign_claims(None, &json!({})).unwrap()).unwrap()
}

fn with(change: impl FnOnce(&mut Jwk)) -> KeySet {
    let mut jwk = key(Algorithm::Ps256).public_jwk().clone();
    change(&mut jwk);
    KeySet::from_jwks(&Jwks { keys: vec![jwk] })
}

#[test]
fn a_key_is_used_for_what_it_is_published_for() {
    let verifies = |keys: KeySet| token().verify(&keys, &[Algorithm::Ps256]);
    assert_eq!(verifies(with(|_| ())), Ok(()));
    assert_eq!(verifies(with(|jwk| jwk.use_ = None)), Ok(()));
    assert_eq!(verifies(with(|jwk| jwk.alg = None)), Ok(()));
    let unfit = Err(JoseError::NoFittingKey { algorithm: "PS256".into(), unusable: String::new() });
    assert_eq!(verifies(with(|jwk| jwk.use_ = Some("enc".into()))), unfit);
    assert_eq!(verifies(with(|jwk| jwk.use_ = Some("tls".into()))), unfit);
    assert_eq!(verifies(with(|jwk| jwk.alg = Some("RS256".into()))), unfit);
    assert_eq!(verifies(with(|jwk| jwk.kty = "oct".into())), unfit);
}

#[test]
fn keys_that_cannot_be_used_are_left_out_and_named() {
    let weak = openssl::rsa::Rsa::generate(1024).unwrap();
    let n = jose::base64url::encode(&weak.n().to_vec());
    let keys = with(|jwk| jwk.n = Some(n));
    assert!(
        matches!(keys.skipped(), [(Some(kid), KeyError::TooShort(1024)), ..] if kid == "key"),
        "{:?}",
        keys.skipped()
    );
    let error = token().verify(&keys, &[Algorithm::Ps256]).unwrap_err();
    let told = "none that can be used (key: an RSA key needs 2048 bits or more, this one has 1024)";
    assert_eq!(error.found(), told);
    for change in
        [|jwk: &mut Jwk| jwk.n = None, |jwk: &mut Jwk| jwk.n = Some("###".into()), |jwk: &mut Jwk| jwk.e = None]
    {
        assert!(token().verify(&with(change), &[Algorithm::Ps256]).is_err());
    }
}

#[test]
fn a_key_that_is_one_bit_too_short_is_too_short() {
    let weak = openssl::rsa::Rsa::generate(2047).unwrap();
    assert_eq!((weak.size(), weak.n().num_bits()), (256, 2047), "as many bytes as a full one");
    let n = jose::base64url::encode(&weak.n().to_vec());
    let keys = with(|jwk| jwk.n = Some(n));
    assert!(matches!(keys.skipped(), [(_, KeyError::TooShort(2047)), ..]), "{:?}", keys.skipped());
    let der = openssl::pkey::PKey::from_rsa(weak).unwrap().public_key_to_der().unwrap();
    assert_eq!(Jwk::from_rsa_public_der(&der), Err(KeyError::TooShort(2047)));
    // Leading zeros make no key longer (RFC 7518, 6.3.1.1).
    let mut padded = vec![0; 256];
    padded.extend(openssl::rsa::Rsa::generate(1024).unwrap().n().to_vec());
    let keys = with(|jwk| jwk.n = Some(jose::base64url::encode(&padded)));
    assert!(matches!(keys.skipped(), [(_, KeyError::TooShort(1024)), ..]), "{:?}", keys.skipped());
}

#[test]
fn among_keys_of_one_name_the_right_one_is_found() {
    let other = SigningKey::from_pkcs8_der("key", Algorithm::Ps256, &KEYS.other).unwrap();
    assert_eq!(token().verify(&set(&[&other, &key(Algorithm::Ps256)]), &[Algorithm::Ps256]), Ok(()));
}

#[test]
fn a_document_that_is_no_key_set_is_told() {
    for text in ["", "[]", "{}", r#"{"keys": 7}"#, r#"{"keys": [7]}"#] {
        assert!(matches!(KeySet::from_json(text.as_bytes()), Err(KeyError::Unreadable(_))), "{text}");
    }
    assert!(KeySet::from_json(br#"{"keys": []}"#).unwrap().jwks().keys.is_empty());
    assert!(KeySet::from_json(br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}], "more": 1}"#).is_ok());
}

#[test]
fn what_is_published_is_public() {
    for algorithm in [Algorithm::Ps256, Algorithm::Es256] {
        let published = serde_json::to_value(key(algorithm).public_jwk()).unwrap();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(published.get(private).is_none(), "{private}");
        }
        assert_eq!((&published["kid"], &published["use"]), (&json!("key"), &json!("sig")));
    }
    assert!(!format!("{:?}", key(Algorithm::Ps256)).contains('['), "Debug shows no key");
}

#[test]
fn an_elliptic_key_is_named_by_its_thumbprint_and_is_no_rsa_key() {
    let own = SigningKey::from_es256_pem(&KEYS.elliptic).unwrap();
    assert_eq!(own.kid(), own.public_jwk().thumbprint());
    assert!(SigningKey::from_es256_pem("no key").is_err());
    assert!(SigningKey::from_pkcs8_der("x", Algorithm::Es256, &KEYS.rsa).is_err());
    let rsa = openssl::pkey::PKey::private_key_from_der(&KEYS.rsa).unwrap().private_key_to_pem_pkcs8().unwrap();
    assert!(SigningKey::from_es256_pem(&String::from_utf8(rsa).unwrap()).is_err());
}

#[test]
fn certificates_of_keys_are_known_by_their_thumbprints() {
    let jwk = |x5c: &str| Jwk { x5c: vec![x5c.to_owned()], ..Jwk::default() };
    let keys = Jwks { keys: vec![jwk(&STANDARD.encode(b"certificate")), jwk("not base64!"), Jwk::default()] };
    assert_eq!(keys.certificate_thumbprints(), [sha256_base64url(b"certificate")]);
}
