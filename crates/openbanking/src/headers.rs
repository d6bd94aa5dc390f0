//! Names of the HTTP headers of the Read/Write APIs (Read/Write Data API Profile, Headers).

/// When the PSU last logged in at the TPP; an HTTP-date.
pub const FAPI_AUTH_DATE: &str = "x-fapi-auth-date";
/// The PSU's address; its presence says that the PSU is there.
pub const FAPI_CUSTOMER_IP_ADDRESS: &str = "x-fapi-customer-ip-address";
/// UUID that is played back on every response, errors included.
pub const FAPI_INTERACTION_ID: &str = "x-fapi-interaction-id";
/// The PSU's browser or app.
pub const CUSTOMER_USER_AGENT: &str = "x-customer-user-agent";
/// Makes a POST repeatable; at most 40 characters without blanks at the ends.
pub const IDEMPOTENCY_KEY: &str = "x-idempotency-key";
/// Detached signature of the body.
pub const JWS_SIGNATURE: &str = "x-jws-signature";
/// Seconds to wait, with 429.
pub const RETRY_AFTER: &str = "retry-after";
/// What is left of the allowance (v4.0.1).
pub const RATE_LIMIT: &str = "ratelimit";
/// Media type of all JSON bodies.
pub const JSON: &str = "application/json; charset=utf-8";
