//! What was granted, and the secrets that stand for it. Secrets are keys of records only as digests.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Change, Expect, Record, RepositoryError};

/// The authorisation that a PSU gave a client for one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Identifier, also the key.
    pub id: String,
    /// The client.
    pub client_id: String,
    /// The PSU, by the identifier that goes into `sub`.
    pub subject: String,
    /// `openbanking_intent_id`, where the profile has intents.
    pub intent_id: Option<String>,
    /// Granted scopes.
    pub scopes: Vec<String>,
    /// The `acr` that was achieved, when one was asked for.
    pub acr: Option<String>,
    /// When the PSU authenticated.
    pub authenticated_at: OffsetDateTime,
    /// `nonce` of the request.
    pub nonce: Option<String>,
    /// Set when the grant and every token under it ended.
    pub revoked_at: Option<OffsetDateTime>,
    /// When the grant ends by itself.
    pub expires_at: Option<OffsetDateTime>,
}

impl Grant {
    /// Ends the grant, whoever ends it at the same moment too.
    pub(crate) fn end(&self, now: OffsetDateTime) -> Result<Change, RepositoryError> {
        let ended = Self { revoked_at: Some(self.revoked_at.unwrap_or(now)), ..self.clone() };
        Change::put(&self.id, Expect::Any, &ended)
    }
}

impl Record for Grant {
    const COLLECTION: &'static str = "grants";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }
}

/// An authorization code, under the digest of its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The client that asked.
    pub client_id: String,
    /// The grant that it stands for.
    pub grant_id: String,
    /// `redirect_uri` of the request.
    pub redirect_uri: String,
    /// `code_challenge` (S256), when the client sent one.
    pub code_challenge: Option<String>,
    /// End of its life.
    pub expires_at: OffsetDateTime,
    /// When it was redeemed.
    pub redeemed_at: Option<OffsetDateTime>,
}

impl Record for AuthorizationCode {
    const COLLECTION: &'static str = "authorization-codes";
    /// Redeemed codes are kept for a day, so that a late replay still finds the grant that it must end.
    fn expires_at(&self) -> Option<OffsetDateTime> {
        Some(self.expires_at + time::Duration::days(1))
    }
}

/// An access token, under the digest of its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The client.
    pub client_id: String,
    /// The grant; none for `client_credentials`.
    pub grant_id: Option<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// `cnf` `x5t#S256`: the certificate that it is bound to (RFC 8705, 3).
    pub thumbprint: String,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// End of its life.
    pub expires_at: OffsetDateTime,
}

impl Record for AccessToken {
    const COLLECTION: &'static str = "access-tokens";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        Some(self.expires_at + time::Duration::days(1))
    }
}

/// A refresh token, under the digest of its secret. Bound to the client, not to a certificate, so that certificates
/// can be rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The client.
    pub client_id: String,
    /// The grant.
    pub grant_id: String,
    /// End of its life, when it has one.
    pub expires_at: Option<OffsetDateTime>,
    /// Key of the token that this one takes the place of as soon as it is used.
    #[serde(default)]
    pub predecessor: Option<String>,
    /// Key of the token that was issued for this one and not used yet.
    #[serde(default)]
    pub successor: Option<String>,
    /// Whether the one that was issued for it is in use.
    #[serde(default)]
    pub replaced: bool,
}

impl Record for RefreshToken {
    const COLLECTION: &'static str = "refresh-tokens";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }
}

/// A `jti` that was seen, so that it is not accepted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedJti {
    /// Until when it must be remembered.
    pub expires_at: OffsetDateTime,
}

impl Record for UsedJti {
    const COLLECTION: &'static str = "used-jtis";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        Some(self.expires_at)
    }
}
