//! For how long an authentication of the customer counts (SCA-RTS, Article 10a: the "90-day rule").

use serde::Deserialize;
use time::{Duration, OffsetDateTime};

/// What may be read after the customer's last authentication. Without it there is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sca {
    /// Minutes after an authentication in which everything may be read.
    pub window_minutes: u32,
    /// Endpoints that may be read afterwards: paths below the version.
    #[serde(default)]
    pub exempt_endpoints: Vec<String>,
    /// Days of transactions and statements that may be read afterwards; all when left out.
    #[serde(default)]
    pub history_days_without_sca: Option<u32>,
}

impl Sca {
    /// The moment at which the window closes; the beginning of time when the customer never authenticated.
    #[must_use]
    pub fn closes(&self, authenticated_at: Option<OffsetDateTime>) -> OffsetDateTime {
        let window = Duration::minutes(i64::from(self.window_minutes));
        authenticated_at.map_or(OffsetDateTime::UNIX_EPOCH, |at| at.saturating_add(window))
    }

    /// True when the endpoint may be read outside the window.
    #[must_use]
    pub fn exempts(&self, endpoint: &str) -> bool {
        self.exempt_endpoints.iter().any(|exempt| exempt == endpoint)
    }

    /// The earliest moment whose data may be read outside the window.
    #[must_use]
    pub fn earliest(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.history_days_without_sca.map(|days| now.saturating_sub(Duration::days(i64::from(days))))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_window_closes_and_history_is_cut() {
        let sca = Sca {
            window_minutes: 60,
            exempt_endpoints: vec!["/aisp/accounts".to_owned()],
            history_days_without_sca: Some(90),
        };
        let at = datetime!(2026-11-23 12:00 UTC);
        assert_eq!(sca.closes(Some(at)), datetime!(2026-11-23 13:00 UTC));
        assert!(sca.closes(None) < at);
        assert!(sca.exempts("/aisp/accounts") && !sca.exempts("/aisp/balances"));
        assert_eq!(sca.earliest(at), Some(datetime!(2026-08-25 12:00 UTC)));
        assert_eq!(Sca { history_days_without_sca: None, ..sca }.earliest(at), None);
    }
}
