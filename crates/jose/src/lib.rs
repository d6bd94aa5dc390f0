//! How it is signed: JWS (PS256, ES256), detached signatures, JWE, JWK sets, thumbprints and typed claims.
//!
//! Keys are parsed once and kept ready: [`SigningKey`], [`KeySet`], [`jwe::DecryptionKey`], [`jwe::EncryptionKey`]. A token is read in two steps,
//! so that every refusal can say what it saw: [`Jws::parse`] reads, [`Jws::verify`] judges.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let der = openssl::rsa::Rsa::generate(2048)?.private_key_to_der()?;
//! # let der = openssl::pkey::PKey::private_key_from_der(&der)?.private_key_to_pkcs8()?;
//! use jose::{Algorithm, Jwks, Jws, KeySet, SigningKey};
//!
//! let key = SigningKey::from_pkcs8_der("key-1", Algorithm::Ps256, &der)?;
//! let token = key.sign_claims(Some("JWT"), &serde_json::json!({ "iss": "me" }))?;
//! let keys = KeySet::from_jwks(&Jwks { keys: vec![key.public_jwk().clone()] });
//! Jws::parse(&token)?.verify(&keys, &[Algorithm::Ps256])?;
//! # Ok(())
//! # }
//! ```

mod algorithm;
pub mod base64url;
pub mod claims;
mod error;
pub mod hash;
mod header;
pub mod jwe;
mod jwk;
mod jws;
mod key_set;
mod shared_secret;
mod signing_key;

pub use algorithm::Algorithm;
pub use error::{JoseError, KeyError};
pub use header::Header;
pub use jwk::{Jwk, Jwks};
pub use jws::{Jws, SHARED_SECRET_ALGORITHM};
pub use key_set::KeySet;
pub use shared_secret::sign_with_secret;
pub use signing_key::SigningKey;
