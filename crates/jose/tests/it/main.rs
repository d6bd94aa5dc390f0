//! Tokens from outside: what verifies, and everything that must not.

#[cfg(test)]
mod encryption;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod signatures;

#[cfg(test)]
use std::sync::LazyLock;

#[cfg(test)]
use jose::{Algorithm, Jwks, KeySet, SigningKey};

/// Keys that all tests share; making them takes most of the time.
#[cfg(test)]
struct Keys {
    rsa: Vec<u8>,
    other: Vec<u8>,
    elliptic: String,
}

#[cfg(test)]
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let rsa = || {
        let key = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        key.private_key_to_pkcs8().unwrap()
    };
    Keys { rsa: rsa(), other: rsa(), elliptic: SigningKey::generate_es256_pem().unwrap() }
});

#[cfg(test)]
fn key(algorithm: Algorithm) -> SigningKey {
    match algorithm {
        Algorithm::Es256 => SigningKey::from_es256_pem(&KEYS.elliptic).unwrap().with_kid("key"),
        other => SigningKey::from_pkcs8_der("key", other, &KEYS.rsa).unwrap(),
    }
}

#[cfg(test)]
fn set(keys: &[&SigningKey]) -> KeySet {
    KeySet::from_jwks(&Jwks { keys: keys.iter().map(|key| key.public_jwk().clone()).collect() })
}
