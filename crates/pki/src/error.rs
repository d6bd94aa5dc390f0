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
    /// The key is not an RSA key.
    #[error("an RSA key is needed")]
    NotRsa,
    /// The exponent is not one that RSA keys have (FIPS 186-5, 5.4: odd, above 65536).
    #[error("an RSA key with an odd exponent of 65537 or more is needed")]
    Exponent,
    /// A key and the certificate beside it do not belong together.
    #[error("the key of the {0} belongs to another certificate")]
    OtherKey(&'static str),
    /// The issuing authority is not below this root.
    #[error("the issuing authority was not signed by this root")]
    OtherRoot,
    /// A server without a name.
    #[error("a server certificate needs a DNS name or an IP address")]
    NoNames,
    /// The request is not signed by its own key.
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
