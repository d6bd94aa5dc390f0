//! A device on which a customer has set up the app: what the customer has, beside the passcode that the customer knows. A
//! device is a browser with a cookie that only it holds.

use serde::{Deserialize, Serialize};
use store::{Collection, StoreError};
use time::{Duration, OffsetDateTime};
use transport::Request;

use crate::{Context, authorization::session::HOST_COOKIE, pages::Skin};

/// How long the app stays set up.
pub(super) const LASTS: Duration = Duration::days(90);

/// Where the devices are kept, by the digest of the cookie.
#[must_use]
pub fn collection() -> Collection<Device> {
    Collection::new("app-devices")
}

/// A device with the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Whose app it is.
    pub customer: String,
    /// Until when.
    pub expires_at: OffsetDateTime,
}

/// The customer whose app the device of a request has.
///
/// # Errors
/// The store failed.
pub async fn customer_of(context: &Context, request: &Request) -> Result<Option<String>, StoreError> {
    let Some(cookie) = request.cookie(COOKIE) else { return Ok(None) };
    let found = collection().get(context.store(), &key(cookie)).await?;
    let now = context.tools.clock.now();
    Ok(found.filter(|(device, _)| device.expires_at > now).map(|(device, _)| device.customer))
}

/// What the pages of a request look like. It opens nothing: whose app it is, [`customer_of`] tells.
#[must_use]
pub fn skin(request: &Request) -> Skin {
    if request.cookie(COOKIE).is_some_and(|cookie| !cookie.is_empty()) { Skin::App } else { Skin::Website }
}

/// Name of the cookie.
const COOKIE: &str = "__Host-app";

/// The cookie's value in a request; empty when there is none.
pub(super) fn cookie(request: &Request) -> &str {
    request.cookie(COOKIE).unwrap_or_default()
}

/// The key of the device with this cookie.
pub(super) fn key(cookie: &str) -> String {
    fapi::digest(cookie)
}

/// The `Set-Cookie` value that makes a browser the device, or a browser again when `value` is none.
pub(super) fn set_cookie(value: Option<&str>) -> String {
    let seconds = value.map_or(0, |_| LASTS.whole_seconds());
    format!("{COOKIE}={}; {HOST_COOKIE}; Max-Age={seconds}", value.unwrap_or_default())
}
