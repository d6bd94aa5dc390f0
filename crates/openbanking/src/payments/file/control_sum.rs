//! Sums of amounts of whatever currency.

use crate::money::Money;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;

/// Most decimals of an amount on the wire.
const DECIMALS: usize = 5;

/// A sum of amounts, irrespective of their currencies: hundred-thousandths of a major unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ControlSum(i128);

impl ControlSum {
    /// The sum of one amount.
    pub fn of(money: Money) -> Self {
        let per_minor = 10_i128.pow(DECIMALS as u32) / i128::from(money.currency().minor_per_major());
        Self(i128::from(money.minor()) * per_minor)
    }

    /// Reads a decimal number without sign, at most 18 digits before the point and at most 5 decimals behind it other
    /// than zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = fraction.trim_end_matches('0');
        let well_formed = digits(whole) && whole.len() <= 18 && fraction.len() <= DECIMALS;
        (well_formed && (fraction.is_empty() || digits(fraction))).then_some(())?;
        format!("{whole}{fraction:0<DECIMALS$}").parse().ok().map(Self)
    }
}

impl Sum for ControlSum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        // A file has too few payments for 128 bits to overflow; saturating is there for the proof.
        Self(sums.fold(0, |total, sum| total.saturating_add(sum.0)))
    }
}

impl fmt::Display for ControlSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_i128.pow(DECIMALS as u32);
        let fraction = format!("{:0DECIMALS$}", self.0 % unit);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / unit),
            fraction => write!(f, "{}.{fraction:0<2}", self.0 / unit),
        }
    }
}

impl TryFrom<String> for ControlSum {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or(text)
    }
}

impl From<ControlSum> for String {
    fn from(sum: ControlSum) -> Self {
        sum.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    #[test]
    fn sums_are_decimal() {
        let sum: ControlSum = [
            Money::parse("3459.30", Currency::GBP).unwrap(),
            Money::parse("10000000", "JPY".parse().unwrap()).unwrap(),
            Money::parse("0.0001", "CLF".parse().unwrap()).unwrap(),
        ]
        .into_iter()
        .map(ControlSum::of)
        .sum();
        assert_eq!(sum.to_string(), "10003459.3001");
        assert_eq!(ControlSum::parse("3459.3"), ControlSum::parse("3459.300000000"));
        assert_eq!(ControlSum::parse("3459.30").unwrap().to_string(), "3459.30");
        assert_eq!(ControlSum::parse("100").unwrap().to_string(), "100");
        for text in ["", "-1", "1e5", ".5", "1.", "1.000001", "1234567890123456789", "1,5", "1.2.3"] {
            let read = ControlSum::parse(text);
            assert_eq!(read, if text == "1." { ControlSum::parse("1") } else { None }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(hundred_thousandths in 0i128..1_000_000_000_000_000_000_000) {
            let sum = ControlSum(hundred_thousandths);
            prop_assert_eq!(ControlSum::parse(&sum.to_string()), Some(sum));
        }
    }
}
