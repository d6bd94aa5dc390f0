//! What can go wrong with keys and certificates.

/// A key, certificate or request that cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// The bytes are not what they should be.
    #[error("the {what} cannot be read: {why}")]
    Unreadable {
        /// Key, certificate or request.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// RSA keys have 2048 bits or more (FAPI 1.0 Part 1, 5.2.2-5).
    #[error("an RSA key of 2048 bits or more is needed, this one has {0}")]
    TooShort(u32),
    /// The key is not an RSA key: the Open Banking profiles know no other (OB certificate profiles, OBWAC and OBSeal).
    #[error("an RSA key is needed")]
    NotRsa,
    /// The exponent is not one that RSA keys have (FIPS 186-5, A.1.1: odd, above 2^16 and below 2^256).
    #[error("an RSA key with an odd exponent between 65537 and 2^256 is needed")]
    Exponent,
    /// The private key is encrypted (RFC 7468, 11), and nobody is there to be asked for its passphrase.
    #[error("the key is encrypted, a key without a passphrase is needed")]
    Encrypted,
    /// A text with a NUL, which PKCS#12 cannot hold (RFC 7292, B.1).
    #[error("the {0} of a PKCS#12 file has no NUL in it")]
    Nul(&'static str),
    /// A key and the certificate beside it do not belong together.
    #[error("the key of the {0} belongs to another certificate")]
    OtherKey(&'static str),
    /// The issuing authority is not below this root (RFC 5280, 6.1.3).
    #[error("the issuing authority was not signed by this root")]
    OtherRoot,
    /// A server without a name, or with a blank one (CA/Browser Forum baseline, 7.1.2.7.12; RFC 5280, 4.2.1.6).
    #[error("a server certificate needs a DNS name or an IP address")]
    NoNames,
    /// The request is not signed by its own key (RFC 2986, 4.2).
    #[error("the request is not signed with the key that it asks for")]
    NotSelfSigned,
    /// The library could not make it.
    #[error("the {what} could not be made: {why}")]
    NotMade {
        /// Key, certificate or request.
        what: &'static str,
        /// Why.
        why: String,
    },
}

pub(crate) fn unreadable(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> PkiError {
    move |why| PkiError::Unreadable { what, why: why.to_string() }
}

pub(crate) fn not_made(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> PkiError {
    move |why| PkiError::NotMade { what, why: why.to_string() }
}
