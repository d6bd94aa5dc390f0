//! JWE: one algorithm, one key.

use jose::{
    Algorithm, JoseError, Jwk, Jwks, KeyError, KeySet, base64url, jwe,
    jwe::{DecryptionKey, EncryptionKey},
};
use josekit::jwe::{JweHeader, RSA_OAEP_256};

use crate::{KEYS, key};

fn encrypted(jwk: &Jwk, payload: &[u8], cty: Option<&str>) -> String {
    EncryptionKey::from_jwk(jwk).unwrap().encrypt(payload, cty).unwrap()
}

fn own() -> DecryptionKey {
    DecryptionKey::from_pkcs8_der("own", &KEYS.rsa).unwrap()
}

#[test]
fn what_was_encrypted_for_a_key_is_opened_with_it_alone() {
    let sealed = encrypted(own().public_jwk(), b"a letter", Some("JWT"));
    assert_eq!(own().decrypt(&sealed).unwrap(), b"a letter");
    assert_ne!(sealed, encrypted(own().public_jwk(), b"a letter", Some("JWT")));
    let other = DecryptionKey::from_pkcs8_der("other", &KEYS.other).unwrap();
    assert!(matches!(other.decrypt(&sealed), Err(JoseError::Decryption(_))));
}

#[test]
fn what_was_altered_or_cut_is_not_opened() {
    let sealed = encrypted(own().public_jwk(), b"a letter", None);
    let parts: Vec<&str> = sealed.split('.').collect();
    for place in 1..5 {
        let mut bytes = base64url::decode(parts[place]).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let altered = base64url::encode(&bytes);
        let mut parts = parts.clone();
        parts[place] = &altered;
        let outcome = own().decrypt(&parts.join("."));
        assert!(matches!(outcome, Err(JoseError::Decryption(_))), "part {place}: {outcome:?}");
    }
    for text in [parts[..4].join("."), format!("{sealed}.x"), String::new(), "....".to_owned()] {
        assert!(own().decrypt(&text).is_err(), "{text}");
    }
}

#[test]
fn other_algorithms_are_named_and_not_used() {
    let sealed = encrypted(own().public_jwk(), b"a letter", None);
    let rest = sealed.split_once('.').unwrap().1;
    for header in [
        r#"{"alg":"RSA1_5","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A128CBC-HS256"}"#,
        r#"{"alg":"RSA-OAEP-256"}"#,
    ] {
        let token = format!("{}.{rest}", base64url::encode(header.as_bytes()));
        assert!(matches!(own().decrypt(&token), Err(JoseError::AlgorithmNotAllowed { .. })), "{header}");
    }
}

/// A JWE for the key whose header says this beside the algorithms.
fn sealed_with(payload: &[u8], change: impl FnOnce(&mut JweHeader)) -> String {
    let json = serde_json::to_vec(&Jwk { use_: None, alg: None, ..own().public_jwk().clone() }).unwrap();
    let key = josekit::jwk::Jwk::from_bytes(json).unwrap();
    let mut header = JweHeader::new();
    header.set_content_encryption(jwe::ENC);
    change(&mut header);
    josekit::jwe::serialize_compact(payload, &header, &RSA_OAEP_256.encrypter_from_jwk(&key).unwrap()).unwrap()
}

#[test]
fn what_was_compressed_is_not_opened() {
    let bomb = sealed_with(&vec![b'a'; 10_000_000], |header| header.set_compression("DEF"));
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    assert_eq!(own().decrypt(&bomb), Err(JoseError::Compressed));
    let small = sealed_with(b"a letter", |header| header.set_compression("DEF"));
    assert_eq!(own().decrypt(&small), Err(JoseError::Compressed));
}

#[test]
fn nothing_is_opened_that_is_too_long_or_has_critical_members() {
    let longest = "a".repeat(48_000);
    assert_eq!(own().decrypt(&sealed_with(longest.as_bytes(), |_| ())).unwrap(), longest.as_bytes());
    let longer = sealed_with(&[b'a'; 64 * 1024], |_| ());
    assert_eq!(own().decrypt(&longer), Err(JoseError::NotCompact(format!("{} characters", longer.len()))));
    let rest = sealed_with(b"a letter", |_| ());
    let rest = rest.split_once('.').unwrap().1;
    for (critical, named) in [(r#"["exp"]"#, "exp"), ("[]", "nothing")] {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":{critical},"exp":1}}"#);
        let outcome = own().decrypt(&format!("{}.{rest}", base64url::encode(header.as_bytes())));
        assert_eq!(outcome, Err(JoseError::Critical(named.to_owned())));
    }
}

#[test]
fn only_rsa_keys_of_full_length_are_encrypted_for() {
    let key_of = |jwk: &Jwk| EncryptionKey::from_jwk(jwk).map(drop);
    assert_eq!(key_of(key(Algorithm::Es256).public_jwk()), Err(KeyError::WrongKind("RSA")));
    assert_eq!(key_of(&Jwk::default()), Err(KeyError::WrongKind("RSA")));
    let weak = openssl::rsa::Rsa::generate(2047).unwrap();
    let short = Jwk { n: Some(base64url::encode(&weak.n().to_vec())), ..own().public_jwk().clone() };
    assert_eq!(key_of(&short), Err(KeyError::TooShort(2047)));
    assert!(DecryptionKey::from_pkcs8_der("x", b"no key").is_err());
    assert!(!format!("{:?}", own()).contains('['), "Debug shows no key");
}

#[test]
fn of_a_key_set_the_key_for_encryption_is_taken_or_one_for_anything() {
    let named = |kid: &str, use_: Option<&str>| Jwk {
        kid: Some(kid.to_owned()),
        use_: use_.map(str::to_owned),
        ..own().public_jwk().clone()
    };
    let chosen = |keys: Vec<Jwk>| {
        let keys = KeySet::from_jwks(&Jwks { keys });
        let sealed = keys.encryption_key()?.encrypt(b"a letter", None).unwrap();
        assert_eq!(own().decrypt(&sealed).unwrap(), b"a letter");
        let header = base64url::decode(sealed.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<jose::Header>(&header).unwrap().kid
    };
    let (any, for_it, signs) = (named("any", None), named("enc", Some("enc")), named("sig", Some("sig")));
    assert_eq!(chosen(vec![signs.clone(), any.clone(), for_it.clone()]).as_deref(), Some("enc"));
    assert_eq!(chosen(vec![signs.clone(), any.clone()]).as_deref(), Some("any"));
    assert_eq!(chosen(vec![signs]), None);
    // A key that cannot be used, or is for another algorithm, is none.
    let broken = Jwk { n: None, ..for_it.clone() };
    let other = Jwk { alg: Some("RSA-OAEP".to_owned()), ..for_it };
    assert_eq!(chosen(vec![broken, other, any]).as_deref(), Some("any"));
}
