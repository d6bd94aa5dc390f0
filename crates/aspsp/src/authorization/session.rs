//! A customer's way through the pages of one authorisation, bound to one browser by a cookie.

use serde::{Deserialize, Serialize};
use store::Collection;
use time::{Duration, OffsetDateTime};

/// Where the sessions are kept.
#[must_use]
pub fn collection() -> Collection<Session> {
    Collection::new("authorisation-sessions")
}

/// How far the customer has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// User name and password come next.
    Login,
    /// The passcode of the bank's app comes next.
    Passcode {
        /// The customer who set the app up on this device.
        customer: String,
    },
    /// The one-time password comes next.
    OneTimePassword {
        /// The customer who gave the right password.
        customer: String,
    },
    /// The choice of accounts comes next.
    Accounts {
        /// The customer.
        customer: String,
        /// When both factors were right.
        authenticated_at: OffsetDateTime,
    },
    /// A last look at everything comes next.
    Confirm {
        /// The customer.
        customer: String,
        /// When both factors were right.
        authenticated_at: OffsetDateTime,
        /// The accounts.
        accounts: Vec<String>,
    },
    /// Decided; only the way back is left.
    Done {
        /// URL of the TPP, with the answer unless a form carries it.
        location: String,
        /// Fields that the browser posts there, when the answer travels in a form.
        #[serde(default)]
        fields: Vec<(String, String)>,
        /// Whether the customer confirmed.
        approved: bool,
        /// Why not, where it was not the customer's choice.
        #[serde(default)]
        why: Option<String>,
    },
}

impl Stage {
    /// The name of the page, as it stands in its address.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Passcode { .. } => "passcode",
            Self::OneTimePassword { .. } => "one-time-password",
            Self::Accounts { .. } => "accounts",
            Self::Confirm { .. } => "confirm",
            Self::Done { .. } => "outbound",
        }
    }
}

/// One authorisation in one browser. The key is the interaction's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Digest of the cookie's value.
    pub cookie_digest: String,
    /// Token that every form must carry.
    pub csrf: String,
    /// How far the customer has come.
    pub stage: Stage,
    /// Wrong passwords so far.
    pub failures: u8,
    /// When the authorisation ends without a decision.
    pub expires_at: OffsetDateTime,
}

impl Session {
    /// Whether it may be forgotten. A customer who comes back late still finds the way to the TPP.
    #[must_use]
    pub fn over(&self, now: OffsetDateTime) -> bool {
        self.expires_at + Duration::hours(1) <= now
    }
}

/// Name of the cookie of an interaction: each authorisation has its own, so that two of them can go on in two tabs.
#[must_use]
pub fn cookie_name(interaction_id: &str) -> String {
    let short: String = interaction_id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("__Host-authorisation-{short}")
}

/// What every cookie of the bank's pages says of itself, as the prefix `__Host-` demands.
pub const HOST_COOKIE: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Seconds in which a browser that sent the last form twice, or went back, still finds the way to the TPP.
const WAY_BACK: u8 = 60;

/// The `Set-Cookie` value that binds the browser.
#[must_use]
pub fn set_cookie(interaction_id: &str, value: &str) -> String {
    format!("{}={value}; {HOST_COOKIE}", cookie_name(interaction_id))
}

/// The `Set-Cookie` value once all is decided: the session is over, and soon forgotten.
#[must_use]
pub fn last_cookie(interaction_id: &str, value: &str) -> String {
    format!("{}; Max-Age={WAY_BACK}", set_cookie(interaction_id, value))
}
