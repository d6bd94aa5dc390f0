//! `advance`: how much time passes.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Units, and how many seconds each has.
const UNITS: [(&str, i64); 5] =
    [("week", 7 * 24 * 3600), ("day", 24 * 3600), ("hour", 3600), ("minute", 60), ("second", 1)];

/// Most of a unit: more has no date.
const MOST: i64 = 9_999_999_999;

/// A stretch of time: `90 days`, or `1 hour 30 minutes`, or `90d`, or `{ days: 1, hours: 2 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passing {
    /// All of it in seconds, above zero.
    pub seconds: i64,
}

/// Why a text is no stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time above zero, such as \"90 days\" or \"1 hour 30 minutes\"")]
pub struct NotATime(String);

fn unit(name: &str) -> Option<i64> {
    let fits = |unit: &str| name == unit || name.strip_suffix('s') == Some(unit) || name == &unit[..1];
    UNITS.iter().find(|(unit, _)| fits(unit)).map(|(_, seconds)| *seconds)
}

impl std::str::FromStr for Passing {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let wrong = || NotATime(text.to_owned());
        let mut seconds: i64 = 0;
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (count, after) = rest.split_at(rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len()));
            let after = after.trim_start();
            let (name, after) = after.split_at(after.find(|sign: char| !sign.is_alphabetic()).unwrap_or(after.len()));
            let (count, each): (i64, i64) = (count.parse().map_err(|_| wrong())?, unit(name).ok_or_else(wrong)?);
            if count > MOST {
                return Err(wrong());
            }
            seconds = count.checked_mul(each).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
            rest = after.trim_start_matches(',').trim_start();
        }
        if seconds > 0 { Ok(Self { seconds }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.seconds;
        let mut said = Vec::new();
        for (unit, each) in &UNITS[1..] {
            let count = left / each;
            left %= each;
            if count != 0 {
                said.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
            }
        }
        f.write_str(&said.join(", "))
    }
}

struct PassingVisitor;

impl<'de> de::Visitor<'de> for PassingVisitor {
    type Value = Passing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as \"90 days\", or { days: 90 }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Passing, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Passing, A::Error> {
        let mut seconds: i64 = 0;
        while let Some(name) = map.next_key::<String>()? {
            let each = unit(&name)
                .ok_or_else(|| de::Error::unknown_field(&name, &["weeks", "days", "hours", "minutes", "seconds"]))?;
            let count: i64 = map.next_value()?;
            if !(1..=MOST).contains(&count) {
                return Err(de::Error::custom(format!("advance needs times above zero, not {count} {name}")));
            }
            let more = count.checked_mul(each).and_then(|more| seconds.checked_add(more));
            seconds = more.ok_or_else(|| de::Error::custom("that is more time than a clock can show"))?;
        }
        if seconds > 0 { Ok(Passing { seconds }) } else { Err(de::Error::custom("advance needs a time above zero")) }
    }
}

impl<'de> Deserialize<'de> for Passing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PassingVisitor)
    }
}

impl JsonSchema for Passing {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Passing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A stretch of time: \"90 days\", \"1 hour 30 minutes\", or { days: 1, hours: 2 }.",
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^(?=.*[1-9])\s*(\d{1,10}\s*(weeks?|w|days?|d|hours?|h|minutes?|m|seconds?|s)(?![a-z]),*\s*)+$"
                },
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": false,
                    "patternProperties": {
                        "^(weeks?|w|days?|d|hours?|h|minutes?|m|seconds?|s)$": {
                            "type": "integer", "minimum": 1, "maximum": MOST
                        }
                    }
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_said_as_people_say_it() {
        for (text, seconds, said) in [
            ("90 days", 7_776_000, "90 days"),
            ("1 hour 30 minutes", 5400, "1 hour, 30 minutes"),
            ("2 weeks, 1 second", 1_209_601, "14 days, 1 second"),
        ] {
            let passing: Passing = text.parse().unwrap();
            assert_eq!((passing.seconds, passing.to_string().as_str()), (seconds, said));
            assert_eq!(passing.to_string().parse(), Ok(passing));
        }
        for wrong in ["", "90", "days", "-1 days", "0 days", "90 fortnights", "9223372036854775807 weeks"] {
            assert_eq!(wrong.parse::<Passing>(), Err(NotATime(wrong.to_owned())));
        }
    }
}
