//! How many requests a client may make (OB Read/Write 4.0, 429 Too Many Requests): a switch of the bank's profile.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use time::{Duration, OffsetDateTime};

/// So many requests in so many seconds, for each client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateLimit {
    /// Requests, 1 or more.
    pub requests: std::num::NonZeroU32,
    /// Seconds, 1 or more.
    pub seconds: std::num::NonZeroU32,
}

/// What the clients have used of it.
#[derive(Debug, Default)]
pub struct Allowance(Mutex<HashMap<String, Used>>);

/// What a client has left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What it has in all.
    pub limit: RateLimit,
    /// Requests.
    pub requests: u32,
    /// Seconds until it has all of them again, 1 or more.
    pub seconds: i64,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    since: OffsetDateTime,
    requests: u32,
}

impl Allowance {
    /// Counts a request; gives what is left after it.
    ///
    /// # Errors
    /// Nothing was left; the request does not count.
    pub fn take(&self, client_id: &str, limit: RateLimit, now: OffsetDateTime) -> Result<Left, Left> {
        let lasts = Duration::seconds(i64::from(limit.seconds.get()));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Registered clients alone come here, so that the table has at most as many rows as there are clients.
        let used = all.entry(client_id.to_owned()).or_insert(Used { since: now, requests: 0 });
        if now - used.since >= lasts {
            *used = Used { since: now, requests: 0 };
        }
        let seconds = (used.since + lasts - now).whole_seconds().max(1);
        if used.requests >= limit.requests.get() {
            return Err(Left { limit, requests: 0, seconds });
        }
        used.requests += 1;
        Ok(Left { limit, requests: limit.requests.get() - used.requests, seconds })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn each_client_has_its_own_and_gets_it_anew() {
        let (allowance, now) = (Allowance::default(), datetime!(2026-11-23 12:00 UTC));
        let limit: RateLimit = serde_json::from_str(r#"{"requests": 2, "seconds": 60}"#).unwrap();
        let told = |left: Left| (left.requests, left.seconds);
        let take = |client: &str, seconds: i64| {
            allowance.take(client, limit, now + Duration::seconds(seconds)).map(told).map_err(told)
        };
        assert_eq!((take("a", 0), take("a", 10)), (Ok((1, 60)), Ok((0, 50))));
        assert_eq!(take("a", 20), Err((0, 40)));
        assert_eq!(take("b", 20), Ok((1, 60)));
        assert_eq!((take("a", 60), take("a", 61), take("a", 62)), (Ok((1, 60)), Ok((0, 59)), Err((0, 58))));
        assert!(serde_json::from_str::<RateLimit>(r#"{"requests": 0, "seconds": 60}"#).is_err());
    }
}
