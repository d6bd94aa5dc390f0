//! Certificate requests as they come in.

use openssl::{hash::MessageDigest, pkey::Id, x509::X509Req};
use pki::{Certificate, PkiError, Profile, SigningRequest};

use crate::{KEY, WEAK, participant, server};

#[test]
fn a_request_with_a_broken_signature_is_refused() {
    let pem = pki::certificate_request(&KEY, &Profile::Obwac(participant())).unwrap();
    let good = X509Req::from_pem(pem.as_bytes()).unwrap().to_der().unwrap();
    assert!(SigningRequest::parse(&good).is_ok());
    let name = good.windows(8).position(|window| window == b"Larkspur").unwrap();
    for at in [name, good.len() - 256, good.len() - 1] {
        let mut der = good.clone();
        der[at] ^= 1;
        assert_eq!(SigningRequest::parse(&der), Err(PkiError::NotSelfSigned), "byte {at}");
        let pem = X509Req::from_der(&der).unwrap().to_pem().unwrap();
        assert_eq!(SigningRequest::parse(&pem), Err(PkiError::NotSelfSigned), "byte {at}");
    }
}

#[test]
fn a_request_signed_with_another_key_is_refused() {
    let other = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let key = openssl::pkey::PKey::public_key_from_der(KEY.public_key_der()).unwrap();
    let mut request = X509Req::builder().unwrap();
    request.set_pubkey(&key).unwrap();
    request.sign(&other, MessageDigest::sha256()).unwrap();
    assert_eq!(SigningRequest::parse(&request.build().to_der().unwrap()), Err(PkiError::NotSelfSigned));
}

#[test]
fn a_request_for_a_weak_key_is_refused() {
    for (key, error) in WEAK.iter() {
        let digest = if key.id() == Id::ED25519 { MessageDigest::null() } else { MessageDigest::sha256() };
        let mut request = X509Req::builder().unwrap();
        request.set_pubkey(key).unwrap();
        request.sign(key, digest).unwrap();
        assert_eq!(SigningRequest::parse(&request.build().to_der().unwrap()).unwrap_err(), *error);
    }
}

#[test]
fn a_blank_name_is_not_asked_for() {
    for (names, asked) in [(&[""][..], &[][..]), (&[" ", "localhost"], &["localhost"]), (&[], &[])] {
        let pem = pki::certificate_request(&KEY, &server(names)).unwrap();
        assert_eq!(SigningRequest::parse(pem.as_bytes()).unwrap().names, asked);
    }
}

#[test]
fn garbage_is_refused() {
    for bytes in [&b""[..], b"-----BEGIN CERTIFICATE REQUEST-----", b"\x30\x82\xff\xff", &[0x30; 64], &[0xff; 20000]] {
        assert!(SigningRequest::parse(bytes).is_err());
        assert!(Certificate::from_der(bytes).is_err());
    }
}
