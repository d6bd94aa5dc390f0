//! Private keys: RSA 2048, because FAPI's TLS 1.2 suites and the Open Banking profiles want RSA.

use std::fmt;

use openssl::{bn::BigNum, pkey::PKey, rsa::Rsa};

use crate::{
    PkiError,
    error::{not_made, unreadable},
};

const BITS: u32 = 2048;

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

    /// Reads a PEM key.
    ///
    /// # Errors
    /// It is not an RSA key of 2048 bits or more, or it is encrypted.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let read = unreadable("key");
        // Without an answer of its own, OpenSSL asks for a passphrase at the terminal.
        let key = PKey::private_key_from_pem_callback(pem.as_bytes(), |_| Ok(0)).map_err(|error| read(&error))?;
        if key.id() != openssl::pkey::Id::RSA {
            return Err(PkiError::NotRsa);
        }
        if key.bits() < BITS {
            return Err(PkiError::TooShort(key.bits()));
        }
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
/// It is not an RSA key of 2048 bits or more with an odd exponent of 65537 or more.
pub(crate) fn check_public(der: &[u8]) -> Result<(), PkiError> {
    let read = unreadable("key");
    let key = PKey::public_key_from_der(der).map_err(|error| read(&error))?;
    let rsa = key.rsa().map_err(|_| PkiError::NotRsa)?;
    if key.bits() < BITS {
        return Err(PkiError::TooShort(key.bits()));
    }
    let exponent = rsa.e();
    let least = BigNum::from_u32(65_537).map_err(|error| read(&error))?;
    if exponent.is_bit_set(0) && *exponent >= *least { Ok(()) } else { Err(PkiError::Exponent) }
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
