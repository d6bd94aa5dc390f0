//! Dates of JWT claims.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Seconds since 1970 (RFC 7519, 2). Written as an integer; fractions that others write are cut off, strings refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumericDate(#[serde(deserialize_with = "whole_seconds")] pub i64);

fn whole_seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    number
        .as_i64()
        // Casting cuts the fraction off and saturates.
        .or_else(|| number.as_f64().map(|seconds| seconds as i64))
        .ok_or_else(|| serde::de::Error::custom("expected seconds since 1970"))
}

impl From<OffsetDateTime> for NumericDate {
    fn from(at: OffsetDateTime) -> Self {
        Self(at.unix_timestamp())
    }
}

impl NumericDate {
    /// The moment that is meant; `None` outside the years that can be represented.
    pub fn at(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn seconds_are_numbers() {
        let date: NumericDate = datetime!(2026-04-05 10:43:07.9 UTC).into();
        assert_eq!(serde_json::to_string(&date).unwrap(), "1775385787");
        assert_eq!(serde_json::from_str::<NumericDate>("1775385787.9").unwrap(), date);
        assert_eq!(date.at(), Some(datetime!(2026-04-05 10:43:07 UTC)));
        assert_eq!(NumericDate(i64::MAX).at(), None);
        assert!(serde_json::from_str::<NumericDate>("\"1775385787\"").is_err());
        assert!(serde_json::from_str::<NumericDate>("null").is_err());
    }
}
