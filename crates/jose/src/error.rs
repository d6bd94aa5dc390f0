//! What can be wrong with tokens and keys, with what was expected and what was found.

/// A token that cannot be read or trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three (JWS) or five (JWE) parts of base64url, or too long.
    #[error("not a compact token: {0}")]
    NotCompact(String),
    /// The header is not a JSON object of the right form.
    #[error("the header cannot be read: {0}")]
    Header(String),
    /// The claims are not JSON of the right form.
    #[error("the claims cannot be read: {0}")]
    Claims(String),
    /// The algorithm is not allowed here.
    #[error("the algorithm {found} is not {allowed}")]
    AlgorithmNotAllowed {
        /// Those that are.
        allowed: String,
        /// The one in the header.
        found: String,
    },
    /// No key has this `kid`.
    #[error("no key has the kid {kid}")]
    UnknownKey {
        /// The one in the header.
        kid: String,
        /// Those of the key set.
        known: String,
    },
    /// No key of the set fits the algorithm.
    #[error("no key fits the algorithm {algorithm}")]
    NoFittingKey {
        /// The one that is wanted.
        algorithm: String,
        /// The keys that could not be used, and why; empty when there are none.
        unusable: String,
    },
    /// The signature is not that of the key over these bytes.
    #[error("the signature is not valid")]
    BadSignature,
    /// `crit` names something absent or not understood (RFC 7515, 4.1.11).
    #[error("the critical header member {0} is absent or not understood")]
    Critical(String),
    /// `b64` must not be used (RFC 7797; OB Read/Write from 3.1.4).
    #[error("the header member b64 is not allowed")]
    UnencodedPayload,
    /// `zip` (RFC 7516, 4.1.3): what it becomes when it is opened has no bound.
    #[error("the header member zip is not allowed")]
    Compressed,
    /// A JWE that cannot be opened.
    #[error("cannot be decrypted: {0}")]
    Decryption(String),
    /// The key could not do its work.
    #[error("the key failed: {0}")]
    Key(String),
}

impl JoseError {
    /// What would have been right.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::NotCompact(_) => "a compact token of base64url parts".to_owned(),
            Self::Header(_) => "a header that is a JSON object with alg".to_owned(),
            Self::Claims(_) => "claims that are a JSON object of the right types".to_owned(),
            Self::AlgorithmNotAllowed { allowed, .. } => format!("alg {allowed}"),
            Self::UnknownKey { known, .. } => format!("a kid of the key set ({known})"),
            Self::NoFittingKey { algorithm, .. } => format!("a key for {algorithm} in the key set"),
            Self::BadSignature => "a valid signature".to_owned(),
            Self::Critical(_) => "crit with members that are present and understood".to_owned(),
            Self::UnencodedPayload => "no b64".to_owned(),
            Self::Compressed => "no zip".to_owned(),
            Self::Decryption(_) => "a JWE for this party's key, RSA-OAEP-256 with A256GCM".to_owned(),
            Self::Key(_) => "a key that works".to_owned(),
        }
    }

    /// What was there instead.
    #[must_use]
    pub fn found(&self) -> String {
        match self {
            Self::NotCompact(found) | Self::Header(found) | Self::Claims(found) | Self::Decryption(found) => {
                found.clone()
            }
            Self::AlgorithmNotAllowed { found, .. } => format!("alg {found}"),
            Self::UnknownKey { kid, .. } => format!("kid {kid}"),
            Self::NoFittingKey { unusable, .. } if unusable.is_empty() => "none".to_owned(),
            Self::NoFittingKey { unusable, .. } => format!("none that can be used ({unusable})"),
            Self::BadSignature => "a signature that does not verify".to_owned(),
            Self::Critical(name) => format!("crit with {name}"),
            Self::UnencodedPayload => "b64".to_owned(),
            Self::Compressed => "zip".to_owned(),
            Self::Key(error) => error.clone(),
        }
    }
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes or members are not those of a key.
    #[error("the key cannot be read: {0}")]
    Unreadable(String),
    /// FAPI 1.0 Part 2, 8.6 and Part 1, 5.2.2-5: RSA keys have 2048 bits or more.
    #[error("an RSA key needs 2048 bits or more, this one has {0}")]
    TooShort(u32),
    /// The key is of another kind than the algorithm needs.
    #[error("the key is not one for {0}")]
    WrongKind(&'static str),
}
