//! Money: minor units with a currency inside, decimal text on the wire.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Currencies whose minor unit is not a hundredth (ISO 4217, list one), with the number of its decimals.
const EXPONENTS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Most digits before the decimal point that `OBActiveCurrencyAndAmount_SimpleType` allows.
const WHOLE_DIGITS: usize = 13;
/// Most digits after it.
const FRACTION_DIGITS: usize = 5;

/// An ISO 4217 alphabetic code: three capital letters (`^[A-Z]{3,3}$`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");

    /// The three letters.
    pub fn code(&self) -> &str {
        // Only capital letters get in, so that the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Number of decimals of the minor unit; 2 for a code that is not in the table, like most currencies.
    pub fn exponent(&self) -> u32 {
        EXPONENTS.iter().find(|(code, _)| *code == self.code()).map_or(2, |(_, exponent)| *exponent)
    }

    /// How many minor units make a major one.
    pub fn minor_per_major(&self) -> i64 {
        10_i64.pow(self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(MoneyError::NotACurrency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// Why an amount cannot be read, computed or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not a currency code.
    #[error("expected three capital letters, found {0:?}")]
    NotACurrency(String),
    /// Not an amount in the form of the specification.
    #[error("expected up to 13 digits and up to 5 decimals without a sign, found {0:?}")]
    NotAnAmount(String),
    /// More decimals than the currency has.
    #[error("expected at most {} decimals for {currency}, found {found:?}", currency.exponent())]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// The amount as received.
        found: String,
    },
    /// The two amounts are in different currencies.
    #[error("expected {expected}, found {found}")]
    OtherCurrency {
        /// Currency of the first amount.
        expected: Currency,
        /// Currency of the second.
        found: Currency,
    },
    /// The result does not fit 64 bits, or the amount does not fit the 13 digits of the wire.
    #[error("the amount is too large")]
    TooLarge,
}

/// A signed amount of minor units of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` hundredths (or whatever the currency's minor unit is).
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads the wire form of an amount: digits, optionally a point and decimals; no sign, no more decimals than the
    /// currency has unless they are zeros.
    ///
    /// # Errors
    /// [`MoneyError::NotAnAmount`] or [`MoneyError::TooPrecise`].
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotAnAmount(amount.to_owned());
        let digits =
            |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = match amount.split_once('.') {
            Some((whole, fraction)) if digits(fraction, FRACTION_DIGITS) => (whole, fraction),
            Some(_) => return Err(wrong()),
            None => (amount, ""),
        };
        if !digits(whole, WHOLE_DIGITS) {
            return Err(wrong());
        }
        let decimals = currency.exponent() as usize;
        let (kept, excess) = fraction.split_at(fraction.len().min(decimals));
        if excess.bytes().any(|digit| digit != b'0') {
            return Err(MoneyError::TooPrecise { currency, found: amount.to_owned() });
        }
        let minor = format!("{whole}{kept:0<decimals$}").parse().map_err(|_| wrong())?;
        Ok(Self { minor, currency })
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// True below zero.
    pub fn is_negative(&self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// The currencies differ, or the sum is too large.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// The currencies differ, or the difference is too large.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// The smallest amount of all has no opposite.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.minor.checked_neg().map(|minor| Self { minor, ..self }).ok_or(MoneyError::TooLarge)
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// The currencies differ.
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, MoneyError> {
        self.same_currency(other).map(|()| self.minor.cmp(&other.minor))
    }

    fn with(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        operation(self.minor, other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::TooLarge)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::OtherCurrency { expected: self.currency, found: other.currency })
        }
    }

    /// The size of the amount as decimal text, with all the decimals of the currency.
    fn magnitude(self) -> String {
        let (minor, per_major) = (self.minor.unsigned_abs(), self.currency.minor_per_major().unsigned_abs());
        match self.currency.exponent() as usize {
            0 => minor.to_string(),
            decimals => format!("{}.{:0decimals$}", minor / per_major, minor % per_major),
        }
    }
}

impl fmt::Display for Money {
    /// For people: sign, decimals, currency, such as `-12.30 GBP`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{} {}", if self.is_negative() { "-" } else { "" }, self.magnitude(), self.currency))
    }
}

/// `{Amount, Currency}` of the Read/Write APIs: never negative, the sign is a `CreditDebitIndicator` beside it.
///
/// The text is kept as it was received, because resources are to be returned as they were sent: `10.0` stays `10.0`.
/// Equality is that of the texts; compare [`ActiveAmount::money`] for equality of the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireAmount", into = "WireAmount")]
pub struct ActiveAmount {
    text: String,
    money: Money,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAmount {
    amount: String,
    currency: Currency,
}

impl ActiveAmount {
    /// Reads the two members.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        Ok(Self { money: Money::parse(amount, currency)?, text: amount.to_owned() })
    }

    /// The size of the amount; its sign is left to the `CreditDebitIndicator`.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] for more than 13 digits before the point.
    pub fn magnitude_of(money: Money) -> Result<Self, MoneyError> {
        Self::parse(&money.magnitude(), money.currency).map_err(|_| MoneyError::TooLarge)
    }

    /// The value, never negative.
    pub fn money(&self) -> Money {
        self.money
    }

    /// `Amount` as it stands on the wire.
    pub fn amount(&self) -> &str {
        &self.text
    }

    /// `Currency`.
    pub fn currency(&self) -> Currency {
        self.money.currency
    }
}

impl TryFrom<WireAmount> for ActiveAmount {
    type Error = MoneyError;
    fn try_from(wire: WireAmount) -> Result<Self, Self::Error> {
        Self::parse(&wire.amount, wire.currency)
    }
}

impl From<ActiveAmount> for WireAmount {
    fn from(amount: ActiveAmount) -> Self {
        Self { currency: amount.money.currency, amount: amount.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_follow_the_currency() {
        for (code, text, minor) in [
            ("GBP", "10.00", 1_000),
            ("GBP", "10", 1_000),
            ("GBP", "0.5", 50),
            ("GBP", "007.10", 710),
            ("GBP", "1.99000", 199),
            ("JPY", "500", 500),
            ("JPY", "500.0", 500),
            ("BHD", "1.234", 1_234),
            ("UYW", "9999999999999.9999", 99_999_999_999_999_999),
        ] {
            assert_eq!(Money::parse(text, currency(code)), Ok(Money::new(minor, currency(code))), "{text} {code}");
        }
        for (code, text) in [("GBP", "1.001"), ("JPY", "1.5"), ("BHD", "1.2345")] {
            let refused = Err(MoneyError::TooPrecise { currency: currency(code), found: text.to_owned() });
            assert_eq!(Money::parse(text, currency(code)), refused);
        }
        for text in ["", "-1", "+1", "1.", ".5", "1,00", "1e3", " 1", "12345678901234", "1.000000", "1.2.3", "١"] {
            assert_eq!(Money::parse(text, Currency::GBP), Err(MoneyError::NotAnAmount(text.to_owned())));
        }
    }

    #[test]
    fn the_wire_form_keeps_the_text_and_never_the_sign() {
        let amount: ActiveAmount = serde_json::from_value(json!({"Amount": "10.0", "Currency": "GBP"})).unwrap();
        assert_eq!(amount.money(), Money::new(1_000, Currency::GBP));
        insta::assert_json_snapshot!(amount, @r#"
        {
          "Amount": "10.0",
          "Currency": "GBP"
        }
        "#);
        let debt = Money::new(-1_205, Currency::GBP);
        assert_eq!(
            (ActiveAmount::magnitude_of(debt).unwrap().amount(), debt.to_string().as_str()),
            ("12.05", "-12.05 GBP")
        );
        assert_eq!(ActiveAmount::magnitude_of(Money::new(i64::MIN, Currency::GBP)), Err(MoneyError::TooLarge));
        for wrong in [
            json!({"Amount": "-1.00", "Currency": "GBP"}),
            json!({"Amount": 1.0, "Currency": "GBP"}),
            json!({"Amount": "1.00", "Currency": "gbp"}),
            json!({"Amount": "1.00", "Currency": "GBPP"}),
            json!({"Amount": "1.00"}),
        ] {
            assert!(serde_json::from_value::<ActiveAmount>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arithmetic_refuses_instead_of_wrapping() {
        let (pound, euro) = (Money::new(100, Currency::GBP), Money::new(100, Currency::EUR));
        assert_eq!(pound.checked_add(pound), Ok(Money::new(200, Currency::GBP)));
        assert_eq!(pound.checked_sub(Money::new(250, Currency::GBP)), Ok(Money::new(-150, Currency::GBP)));
        let mixed = MoneyError::OtherCurrency { expected: Currency::GBP, found: Currency::EUR };
        assert_eq!((pound.checked_add(euro), pound.compare(euro)), (Err(mixed.clone()), Err(mixed)));
        assert_eq!(Money::new(i64::MAX, Currency::GBP).checked_add(pound), Err(MoneyError::TooLarge));
        assert_eq!(Money::new(i64::MIN, Currency::GBP).checked_neg(), Err(MoneyError::TooLarge));
    }

    proptest! {
        #[test]
        fn amounts_round_trip(minor in -999_999_999_999_999i64..=999_999_999_999_999, index in 0..4usize) {
            let money = Money::new(minor, currency(["GBP", "JPY", "BHD", "CLF"][index]));
            // Without decimals only 13 digits fit.
            prop_assume!(money.currency().exponent() > 1 || minor.abs() < 10_000_000_000_000);
            let wire = serde_json::to_string(&ActiveAmount::magnitude_of(money).unwrap()).unwrap();
            let back: ActiveAmount = serde_json::from_str(&wire).unwrap();
            prop_assert_eq!(back.money().minor(), minor.abs());
            prop_assert_eq!(back.currency(), money.currency());
        }

        #[test]
        fn whatever_is_accepted_has_the_form_of_the_specification(text in "[-+0-9.e ]{0,22}") {
            if let Ok(money) = Money::parse(&text, Currency::GBP) {
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
                prop_assert!((1..=13).contains(&whole.len()) && (1..=5).contains(&fraction.len()));
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
                prop_assert!(!money.is_negative());
            }
        }
    }
}
