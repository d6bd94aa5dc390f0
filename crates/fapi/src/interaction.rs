//! An authorisation under way: from an accepted request to the PSU's decision.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Record, error::ErrorCode, response::ResponseMode};

/// An accepted authorization request that waits for the PSU. Everything in it comes from the signed request object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Identifier, also the key.
    pub id: String,
    /// The client that asked.
    pub client_id: String,
    /// Name of the client for the pages.
    pub client_name: String,
    /// Whom the client acts for, if it is an agent.
    pub on_behalf_of: Option<String>,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// `response_type`; empty in records of older versions, which had `code id_token` alone.
    #[serde(default)]
    pub response_type: String,
    /// How the answer travels.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// Key of the pushed request that it came from.
    #[serde(default)]
    pub pushed: Option<String>,
    /// `state`, to be returned unchanged.
    pub state: Option<String>,
    /// `nonce`, to be put into the id_token.
    pub nonce: Option<String>,
    /// Requested scopes.
    pub scopes: Vec<String>,
    /// `openbanking_intent_id`.
    pub intent_id: Option<String>,
    /// `sub` of the PSU who must come: named by the claims parameter or by `id_token_hint`.
    #[serde(default)]
    pub subject: Option<String>,
    /// `acr` that will be reported after strong customer authentication.
    pub acr: Option<String>,
    /// `code_challenge` (S256).
    pub code_challenge: Option<String>,
    /// Whether the intent was authorised before.
    pub reauthentication: bool,
    /// When it was accepted.
    pub created_at: OffsetDateTime,
    /// When it ends without a decision.
    pub expires_at: OffsetDateTime,
    /// When it was decided.
    pub completed_at: Option<OffsetDateTime>,
}

impl Record for Interaction {
    const COLLECTION: &'static str = "interactions";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        Some(self.expires_at + time::Duration::hours(1))
    }
}

/// What the PSU decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Authenticated and confirmed.
    Approved {
        /// Identifier of the PSU for `sub`.
        subject: String,
        /// When the PSU authenticated.
        authenticated_at: OffsetDateTime,
    },
    /// Cancelled, failed to authenticate, ran out of time, or had nothing to choose from.
    Rejected(Rejection),
}

/// Why an authorisation ended without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The PSU pressed Cancel.
    Cancelled,
    /// Too many wrong passwords or one-time passwords.
    AuthenticationFailed,
    /// Another PSU authenticated than the one whom the client asked for (OpenID Connect Core, 3.1.2.2, 5.5.1).
    AnotherCustomer,
    /// No decision in time.
    TimedOut,
    /// No account of the PSU fits the intent.
    NoEligibleAccount,
    /// What the intent asks for cannot be done any more at this hour.
    TooLate,
    /// No account of the PSU is authorised by as many people as the intent says.
    AuthorisationType,
}

impl Rejection {
    /// The `error_description` that goes with `access_denied`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Cancelled => "The customer cancelled.",
            Self::AuthenticationFailed => "The customer could not be authenticated.",
            Self::AnotherCustomer => "Another customer authenticated than the one who was asked for.",
            Self::TimedOut => "The customer did not decide in time.",
            Self::NoEligibleAccount => "The customer has no account for this request.",
            Self::TooLate => "The customer decided when it was too late for this request.",
            Self::AuthorisationType => "The customer has no account with the AuthorisationType of this request.",
        }
    }

    /// The OAuth error: what the PSU did, or what the TPP asked for and cannot be had (OB Read/Write, Payment Initiation API
    /// Profile, Multiple Authorisation).
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Cancelled | Self::AuthenticationFailed | Self::TimedOut | Self::NoEligibleAccount | Self::TooLate => {
                ErrorCode::AccessDenied
            }
            Self::AnotherCustomer => ErrorCode::LoginRequired,
            Self::AuthorisationType => ErrorCode::InvalidRequest,
        }
    }
}
