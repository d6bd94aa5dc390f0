//! Private keys: RSA 2048, because FAPI's TLS 1.2 suites and the Open Banking profiles want RSA.

use std::fmt;

use openssl::{
    pkey::{HasPublic, Id, PKey, PKeyRef},
    rsa::Rsa,
};

use crate::{
    PkiError,
    error::{not_made, unreadable},
};

const BITS: u32 = 2048;
const EXPONENT_BITS: std::ops::RangeInclusive<i32> = 17..=256;

/// A private key. It is not shown by `Debug`, and never leaves the party that made it.
#[derive(Clone)]
pub struct PrivateKey {
    pkcs8_der: Vec<u8>,
    public_der: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// A new RSA key of 2048 bits. Takes some 40 ms of one core.
    ///
    /// # Errors
    /// The library could not make one.
    pub fn generate_rsa() -> Result<Self, PkiError> {
        let made = not_made("key");
        let rsa = Rsa::generate(BITS).map_err(|error| made(&error))?;
        let key = PKey::from_rsa(rsa).map_err(|error| made(&error))?;
        let pkcs8_der = key.private_key_to_pkcs8().map_err(|error| made(&error))?;
        let public_der = key.public_key_to_der().map_err(|error| made(&error))?;
        Ok(Self { pkcs8_der, public_der })
    }

    /// Reads a PEM key (RFC 7468, 10). Never asks for a passphrase: a key that needs one is refused.
    ///
    /// # Errors
    /// [`PkiError::Encrypted`], [`PkiError::NotRsa`], [`PkiError::TooShort`] below 2048 bits (FAPI 1.0 Part 1,
    /// 5.2.2-5), [`PkiError::Exponent`] (FIPS 186-5, A.1.1), or [`PkiError::Unreadable`] when it is no key.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let read = unreadable("key");
        // Without an answer of its own, OpenSSL asks for a passphrase at the terminal.
        let mut asked = false;
        let key = PKey::private_key_from_pem_callback(pem.as_bytes(), |_| {
            asked = true;
            Ok(0)
        });
        if asked {
            return Err(PkiError::Encrypted);
        }
        // The library's own words are about its decoders.
        let key = key.map_err(|_| read(&"there is no PEM private key in it"))?;
        check_strength(&key)?;
        let pkcs8_der = key.private_key_to_pkcs8().map_err(|error| read(&error))?;
        let public_der = key.public_key_to_der().map_err(|error| read(&error))?;
        Ok(Self { pkcs8_der, public_der })
    }

    /// The key as PKCS#8 PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8_der)
    }

    /// The key as PKCS#8 DER.
    #[must_use]
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8_der
    }

    pub(crate) fn rcgen(&self) -> Result<rcgen::KeyPair, PkiError> {
        rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(&self.to_pem(), &rcgen::PKCS_RSA_SHA256)
            .map_err(|error| unreadable("key")(&error))
    }

    /// The public half as DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_der
    }
}

/// Refuses public keys (DER `SubjectPublicKeyInfo`) that no certificate should be about.
///
/// # Errors
/// It is none, or is not an RSA key of 2048 bits or more with an odd exponent between 2^16 and 2^256.
pub(crate) fn check_public(der: &[u8]) -> Result<(), PkiError> {
    let key = PKey::public_key_from_der(der).map_err(|error| unreadable("key")(&error))?;
    check_strength(&key)
}

fn check_strength<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), PkiError> {
    // Keys for RSASSA-PSS only (RFC 4055, 1.2) have an identifier of their own and are refused too.
    if key.id() != Id::RSA {
        return Err(PkiError::NotRsa);
    }
    if key.bits() < BITS {
        return Err(PkiError::TooShort(key.bits()));
    }
    let rsa = key.rsa().map_err(|_| PkiError::NotRsa)?;
    let exponent = rsa.e();
    // An odd number of 17 bits or more is above 2^16.
    if exponent.is_bit_set(0) && EXPONENT_BITS.contains(&exponent.num_bits()) {
        Ok(())
    } else {
        Err(PkiError::Exponent)
    }
}

/// PEM text around DER bytes (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
