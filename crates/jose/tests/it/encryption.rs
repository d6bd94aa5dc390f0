//! JWE: one algorithm, one key.

use jose::{Algorithm, JoseError, Jwk, base64url, jwe, jwe::DecryptionKey};

use crate::{KEYS, key};

fn own() -> DecryptionKey {
    DecryptionKey::from_pkcs8_der("own", &KEYS.rsa).unwrap()
}

#[test]
fn what_was_encrypted_for_a_key_is_opened_with_it_alone() {
    let sealed = jwe::encrypt(own().public_jwk(), b"a letter", Some("JWT")).unwrap();
    assert_eq!(own().decrypt(&sealed).unwrap(), b"a letter");
    assert_ne!(sealed, jwe::encrypt(own().public_jwk(), b"a letter", Some("JWT")).unwrap());
    let other = DecryptionKey::from_pkcs8_der("other", &KEYS.other).unwrap();
    assert!(matches!(other.decrypt(&sealed), Err(JoseError::Decryption(_))));
}

#[test]
fn what_was_altered_or_cut_is_not_opened() {
    let sealed = jwe::encrypt(own().public_jwk(), b"a letter", None).unwrap();
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
    let sealed = jwe::encrypt(own().public_jwk(), b"a letter", None).unwrap();
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

#[test]
fn only_rsa_keys_of_full_length_are_encrypted_for() {
    assert!(jwe::encrypt(key(Algorithm::Es256).public_jwk(), b"x", None).is_err());
    assert!(jwe::encrypt(&Jwk::default(), b"x", None).is_err());
    assert!(DecryptionKey::from_pkcs8_der("x", b"no key").is_err());
    assert!(!format!("{:?}", own()).contains('['), "Debug shows no key");
}
