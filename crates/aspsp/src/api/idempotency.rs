//! Idempotency keys (OB Read/Write 4.0, Idempotency): the same request twice makes one resource.
//!
//! The key is remembered in the commit that makes the resource, so that of two requests that come at once one makes it
//! and the other is shown it, also after the bank was killed between the two.

use http::{HeaderMap, StatusCode};
use openbanking::{error::ErrorCode, headers::IDEMPOTENCY_KEY, version::ApiVersion};
use rules::{Check, Evidence, Passed, holds};
use serde::{Deserialize, Serialize};
use store::{Change, Collection};
use time::{Duration, OffsetDateTime};
use transport::Request;

use super::{ApiError, Progress, Wire, apply};
use crate::Context;

rules::catalogue! {
    /// Rules of idempotency keys.
    pub RULES;
    KEY_PRESENT { id: "api.idempotency.key-present",
        reason: "x-idempotency-key is there.", clause: "OB Read/Write 4.0, Idempotency" }
    KEY_FORM { id: "api.idempotency.key-form",
        reason: "x-idempotency-key has 1 to 40 characters and neither begins nor ends with a space.", clause: "OB Read/Write 4.0, Headers; Idempotency" }
    SAME_BODY { id: "api.idempotency.same-body",
        reason: "A request that repeats an idempotency key repeats the body, too.", clause: "OB Read/Write 4.0.1, Idempotency" }
}

/// How long a key is remembered (OB Read/Write 4.0, Idempotency: 24 hours).
const REMEMBERED: Duration = Duration::hours(24);

/// Where the keys are kept, by client, path and key.
#[must_use]
pub fn collection() -> Collection<Remembered> {
    Collection::new("idempotency-keys")
}

/// A request that made a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    body_digest: String,
    resource: String,
    /// When the key may be used for something else.
    pub expires_at: OffsetDateTime,
}

/// What is known about the key of a request.
#[derive(Debug)]
enum Seen {
    /// Nothing: the request is to be carried out, and this remembered with it.
    New(Key),
    /// It made this resource before.
    Before(String),
}

/// A key that was not used before.
#[derive(Debug)]
pub struct Key {
    name: String,
    body_digest: String,
    now: OffsetDateTime,
    /// The version of the record of an earlier, expired use.
    stale: Option<store::Version>,
}

impl Key {
    /// The change that remembers the resource under the key. Of many who commit it, one wins.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember(&self, resource: &str) -> Result<Change, store::StoreError> {
        let expires_at = self.now + REMEMBERED;
        let record = Remembered { body_digest: self.body_digest.clone(), resource: resource.to_owned(), expires_at };
        match self.stale {
            None => collection().insert(&self.name, &record),
            Some(version) => collection().update(&self.name, version, &record),
        }
    }
}

const HEADERS: &[Check<HeaderMap, Wire>] = &[
    Check {
        rule: &KEY_PRESENT,
        error: Wire::bad_request(ErrorCode::HeaderMissing, Some(IDEMPOTENCY_KEY)),
        test: |headers| match headers.contains_key(IDEMPOTENCY_KEY) {
            true => Ok(()),
            false => Err(Evidence::missing(IDEMPOTENCY_KEY)),
        },
    },
    Check {
        rule: &KEY_FORM,
        error: Wire::bad_request(ErrorCode::HeaderInvalid, Some(IDEMPOTENCY_KEY)),
        test: |headers| {
            let expected = "1 to 40 characters, no space at either end";
            match headers.get(IDEMPOTENCY_KEY).map(|value| value.to_str()) {
                None => Ok(()),
                Some(Err(_)) => Err(Evidence::new(expected, "bytes that are not text")),
                Some(Ok(key)) => {
                    let right = (1..=40).contains(&key.len()) && key.trim() == key;
                    holds(right, expected, format_args!("{} characters", key.len()))
                }
            }
        },
    },
];

struct Repeated<'a> {
    before: &'a str,
    now: &'a str,
}

/// What a bank answers is left to it before v4.0.1, which says 422.
fn same_body(version: ApiVersion) -> StatusCode {
    match version {
        ApiVersion::V3_1 => StatusCode::BAD_REQUEST,
        ApiVersion::V4_0 => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Tries before a request gives way to others that change what it depends on at the same time.
const TRIES: usize = 16;

/// What a request makes.
pub trait Making: Sync {
    /// Makes the resource and remembers it under the key in one commit; gives its id. None when something that it depends on
    /// changed meanwhile, the key among it: then all is judged again.
    ///
    /// # Errors
    /// The request is refused.
    fn make(&self, key: &Key, progress: &mut Progress)
    -> impl Future<Output = Result<Option<String>, ApiError>> + Send;
}

/// The resource of a request.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// Whether this request made it, and not the same one before.
    pub now: bool,
}

/// The resource that a request makes once: now, or when it came before. Of two requests with the same key that come
/// at once, one makes the resource and the other is shown it.
///
/// # Errors
/// The key is missing or malformed, or was used with another body; or the request is refused.
pub async fn once(
    context: &Context,
    request: &Request,
    (client_id, version): (&str, ApiVersion),
    progress: &mut Progress,
    making: &impl Making,
) -> Result<Made, ApiError> {
    let before = |id| Made { id, now: false };
    for _ in 0..TRIES {
        let key = match progress.add(seen(context, request, client_id, version).await)? {
            Seen::Before(id) => return Ok(before(id)),
            Seen::New(key) => key,
        };
        match making.make(&key, progress).await {
            Ok(Some(id)) => return Ok(Made { id, now: true }),
            Ok(None) => {}
            // Refused because of what its own repetition did meanwhile: that is no refusal.
            Err(error) => match seen(context, request, client_id, version).await {
                Ok((Seen::Before(id), _)) => return Ok(before(id)),
                _ => return Err(error),
            },
        }
    }
    Err(ApiError::Failed("too many requests changed the same thing at once".to_owned()))
}

/// Looks for the key of a request that makes a resource.
async fn seen(
    context: &Context,
    request: &Request,
    client_id: &str,
    version: ApiVersion,
) -> Result<(Seen, Passed), ApiError> {
    let off = &context.engine.profile().switched_off;
    let mut passed = apply(&request.headers, HEADERS, off)?;
    let now = context.tools.clock.now();
    // Only with the rule off is there none: then nothing is a repetition.
    let sent = match request.header(IDEMPOTENCY_KEY) {
        Some(sent) => sent.to_owned(),
        None => context.tools.chance.uuid().to_string(),
    };
    let name = fapi::digest(&format!("{client_id}\n{}\n{sent}", request.path));
    let body_digest = jose::hash::sha256_base64url(&request.body);
    let found = collection().get(context.store(), &name).await?;
    let (before, stale) = match found {
        Some((record, _)) if record.expires_at > now => (Some(record), None),
        found => (None, found.map(|(_, version)| version)),
    };
    let Some(before) = before else { return Ok((Seen::New(Key { name, body_digest, now, stale }), passed)) };
    let check = Check {
        rule: &SAME_BODY,
        error: Wire::coded(same_body(version), ErrorCode::HeaderInvalid, Some(IDEMPOTENCY_KEY)),
        test: |facts: &Repeated<'_>| {
            let (before, now) = (facts.before, facts.now);
            holds(before == now, format_args!("the body with SHA-256 {before}"), format_args!("SHA-256 {now}"))
        },
    };
    let facts = Repeated { before: &before.body_digest, now: &body_digest };
    passed.extend(apply(&facts, &[check], off).map_err(|error| error.after(passed.clone()))?);
    Ok((Seen::Before(before.resource), passed))
}
