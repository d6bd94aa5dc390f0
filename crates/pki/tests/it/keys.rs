//! Private keys from files.

use openssl::{pkey::PKey, symm::Cipher};
use pki::{PkiError, PrivateKey};

use crate::{KEY, WEAK};

#[test]
fn a_key_survives_as_a_file() {
    let back = PrivateKey::from_pem(&KEY.to_pem()).unwrap();
    assert_eq!((back.pkcs8_der(), back.public_key_der()), (KEY.pkcs8_der(), KEY.public_key_der()));
}

#[test]
fn a_weak_key_is_refused() {
    for (key, error) in WEAK.iter() {
        let pem = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        assert_eq!(PrivateKey::from_pem(&pem).unwrap_err(), *error);
    }
    assert!(matches!(PrivateKey::from_pem("no key"), Err(PkiError::Unreadable { what: "key", .. })));
}

#[test]
fn an_encrypted_key_is_refused_and_nobody_is_asked_for_a_passphrase() {
    let (key, cipher) = (PKey::private_key_from_der(KEY.pkcs8_der()).unwrap(), Cipher::aes_128_cbc());
    for pem in [
        key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap(),
        key.private_key_to_pem_pkcs8_passphrase(cipher, b"").unwrap(),
        key.rsa().unwrap().private_key_to_pem_passphrase(cipher, b"secret").unwrap(),
    ] {
        let pem = String::from_utf8(pem).unwrap();
        assert!(pem.contains("ENCRYPTED"), "{pem}");
        assert_eq!(PrivateKey::from_pem(&pem).unwrap_err(), PkiError::Encrypted);
    }
}
