//! Claims with types of their own (RFC 7519).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use time::OffsetDateTime;

/// `aud`: one audience or several (RFC 7519, 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Whether this audience is meant.
    #[must_use]
    pub fn contains(&self, audience: &str) -> bool {
        self.iter().any(|named| named == audience)
    }

    /// All audiences.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
        .map(String::as_str)
    }
}

impl Default for Audience {
    /// Nobody.
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<String> for Audience {
    fn from(one: String) -> Self {
        Self::One(one)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => f.write_str(one),
            Self::Many(many) => write!(f, "[{}]", many.join(", ")),
        }
    }
}

/// Seconds since 1970 (RFC 7519, 2). Written as an integer; read from an integer or a fraction, never from a string, and
/// never outside the calendar: what cannot be a moment is not taken for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NumericDate(i64);

/// 0001-01-01 and 9999-12-31, the calendar that times here have.
const CALENDAR: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl NumericDate {
    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl From<OffsetDateTime> for NumericDate {
    fn from(at: OffsetDateTime) -> Self {
        Self(at.unix_timestamp())
    }
}

impl From<NumericDate> for OffsetDateTime {
    fn from(date: NumericDate) -> Self {
        Self::from_unix_timestamp(date.0).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let seconds = match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(whole),
            #[expect(clippy::cast_possible_truncation, reason = "checked against the calendar first")]
            (None, Some(fraction)) if fraction.is_finite() && fraction.abs() < 1e12 => Some(fraction.floor() as i64),
            _ => None,
        };
        seconds
            .filter(|seconds| CALENDAR.contains(seconds))
            .map(Self)
            .ok_or_else(|| de::Error::custom("a date is a number of seconds since 1970, between the years 1 and 9999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_numbers() {
        let read = |text: &str| serde_json::from_str::<NumericDate>(text).map(NumericDate::seconds).ok();
        assert_eq!(read("1700000000"), Some(1_700_000_000));
        assert_eq!(read("1700000000.9"), Some(1_700_000_000));
        assert_eq!(read("\"1700000000\""), None);
        assert_eq!(read("1e300"), None);
        assert_eq!(read("-99999999999999"), None);
    }

    #[test]
    fn audiences_come_alone_or_in_a_list() {
        let one: Audience = serde_json::from_str("\"a\"").unwrap();
        let many: Audience = serde_json::from_str("[\"a\",\"b\"]").unwrap();
        assert!(one.contains("a") && many.contains("b") && !one.contains("b"));
        assert_eq!(many.to_string(), "[a, b]");
    }
}
