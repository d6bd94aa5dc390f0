//! A customer who is logged in at the bank itself, bound to one browser by a cookie. Nothing is kept of a browser before
//! its customer typed the right password.

use serde::{Deserialize, Serialize};
use store::{Collection, Version};
use time::{Duration, OffsetDateTime};
use transport::Request;

use crate::{Context, authorization::session::HOST_COOKIE};

/// How long a login lasts.
pub(super) const LASTS: Duration = Duration::minutes(15);

/// Where the sessions are kept, by the digest of the cookie.
#[must_use]
pub fn collection() -> Collection<Session> {
    Collection::new("dashboard-sessions")
}

/// How far the customer has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The one-time password comes next.
    OneTimePassword,
    /// Both factors were right.
    Open {
        /// When.
        authenticated_at: OffsetDateTime,
    },
}

/// One browser at the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The customer who gave the right password.
    pub customer: String,
    /// How far the customer has come.
    pub stage: Stage,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// A session that was found.
pub(super) struct Visit {
    pub(super) key: String,
    pub(super) session: Session,
    pub(super) version: Version,
}

/// The session of the browser that sent the request.
pub(super) async fn of(context: &Context, request: &Request) -> Result<Option<Visit>, store::StoreError> {
    let Some(cookie) = request.cookie(COOKIE) else { return Ok(None) };
    let key = fapi::digest(cookie);
    let found = collection().get(context.store(), &key).await?;
    let now = context.tools.clock.now();
    Ok(found.filter(|(session, _)| session.expires_at > now).map(|(session, version)| Visit { key, session, version }))
}

/// Name of the cookie.
const COOKIE: &str = "__Host-dashboard";

/// The cookie's value in a request; empty when there is none.
pub(super) fn cookie(request: &Request) -> &str {
    request.cookie(COOKIE).unwrap_or_default()
}

/// The token that every form of the browser with this cookie carries. Whoever does not know the cookie cannot make it.
pub(crate) fn form_token(cookie: &str) -> String {
    fapi::digest(&format!("form of {cookie}"))
}

/// The `Set-Cookie` value that binds the browser, or unbinds it when `value` is none.
pub(super) fn set_cookie(value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{COOKIE}={value}; {HOST_COOKIE}"),
        None => format!("{COOKIE}=; {HOST_COOKIE}; Max-Age=0"),
    }
}
