//! The values of the fixture's fields, read from text.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use time::Date;

/// Six digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OneTimePassword(String);

impl OneTimePassword {
    /// The six digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimePassword(..)")
    }
}

impl TryFrom<String> for OneTimePassword {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err("expected a one-time password of six digits, in quotes".to_owned())
        }
    }
}

impl From<OneTimePassword> for String {
    fn from(password: OneTimePassword) -> String {
        password.0
    }
}

/// Four digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryCode(String);

impl CategoryCode {
    /// The four digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CategoryCode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(format!("expected a merchant category code of four digits in quotes, found {text:?}"))
        }
    }
}

impl From<CategoryCode> for String {
    fn from(code: CategoryCode) -> String {
        code.0
    }
}

/// A decimal number with at most two decimals, kept in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(i64);

impl Amount {
    /// The number in hundredths: minor units of a currency with two decimals.
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

impl FromStr for Amount {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected an amount such as 1250 or -9.99, found {text:?}");
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let fits =
            |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !fits(whole, 12) || !fits(decimals, 2) {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let decimals: i64 = format!("{decimals:0<2}").parse().map_err(|_| wrong())?;
        Ok(Self(sign * (whole * 100 + decimals)))
    }
}

impl TryFrom<String> for Amount {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> String {
        let sign = if amount.0 < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", amount.0.abs() / 100, amount.0.abs() % 100)
    }
}

/// A positive amount, or two between which one is drawn: `950.00` or `12.50 to 80`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    /// The least.
    pub low: Amount,
    /// The most.
    pub high: Amount,
}

impl TryFrom<String> for Range {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (low, high) = text.split_once(" to ").unwrap_or((&text, &text));
        let range = Self { low: low.trim().parse()?, high: high.trim().parse()? };
        if range.low.0 > 0 && range.low <= range.high {
            Ok(range)
        } else {
            Err(format!("expected an amount above zero, or a range such as 12.50 to 80, found {text:?}"))
        }
    }
}

impl From<Range> for String {
    fn from(range: Range) -> String {
        match range.low == range.high {
            true => range.low.into(),
            false => format!("{} to {}", String::from(range.low), String::from(range.high)),
        }
    }
}

/// A calendar day, written as 2019-05-14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(pub Date);

impl TryFrom<String> for Day {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let format = time::macros::format_description!("[year]-[month]-[day]");
        Date::parse(&text, format).map(Self).map_err(|_| format!("expected a day such as 2019-05-14, found {text:?}"))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.0.to_string()
    }
}
