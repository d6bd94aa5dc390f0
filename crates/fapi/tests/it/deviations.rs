//! What a misbehaving server makes of signatures.

use fapi::{Deviation, Deviations, deviation::Rogue};
use jose::{Algorithm, Header, Jwks, Jws, KeySet, SigningKey};

use crate::world::KeyPair;

fn key(kid: &'static str, algorithm: Algorithm) -> SigningKey {
    KeyPair::rsa(kid).signing(algorithm)
}

#[test]
fn the_signature_of_a_message_is_wrong_when_asked_for() {
    let own = key("bank", Algorithm::Ps256);
    let deviations =
        Deviations::armed(Rogue { other: key("bank", Algorithm::Ps256), rs256: key("bank", Algorithm::Rs256) });
    let keys = KeySet::from_jwks(&Jwks { keys: vec![own.public_jwk().clone()] });
    let valid = |signature: &str| {
        Jws::parse_detached(signature, b"{}").and_then(|jws| jws.verify(&keys, &[Algorithm::Ps256])).is_ok()
    };
    let sent = || deviations.message_signature(own.sign_detached(&Header::default(), b"{}").unwrap());
    assert!(valid(&sent()));
    deviations.set([Deviation::WrongMessageSignature]);
    assert!(!valid(&sent()));
    assert_eq!(deviations.list(), [Deviation::WrongMessageSignature]);
    deviations.set([]);
    assert!(valid(&sent()));
}
