//! Looking into JSON that was judged, by path, so that a refusal can name the place.

use crate::dates;
use crate::error::ErrorCode;
use crate::money::{Currency, Money, MoneyError};
use crate::reading::ReadingError;
use serde_json::Value;
use time::OffsetDateTime;

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct View<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> View<'a> {
    pub(crate) fn new(value: &'a Value, path: impl Into<String>) -> Self {
        Self { value, path: path.into() }
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// The member, when it is there.
    pub(crate) fn get(&self, name: &str) -> Option<View<'a>> {
        self.value.get(name).map(|value| View { value, path: self.path_of(name) })
    }

    /// The member, which must be there.
    pub(crate) fn need(&self, name: &str) -> Result<View<'a>, ReadingError> {
        self.get(name).ok_or_else(|| {
            ReadingError::new(ErrorCode::FieldMissing, self.path_of(name), format!("the member {name}"), "none")
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    /// The elements of a list; none when it is something else.
    pub(crate) fn items(&self) -> impl Iterator<Item = View<'a>> {
        let (list, path) = (self.value.as_array().map_or(&[][..], Vec::as_slice), self.path.clone());
        list.iter().enumerate().map(move |(index, value)| View { value, path: format!("{path}[{index}]") })
    }

    /// A refusal of this value.
    pub(crate) fn wrong(&self, code: ErrorCode, expected: &str) -> ReadingError {
        ReadingError::new(
            code,
            self.path.clone(),
            expected,
            self.value.to_string().chars().take(80).collect::<String>(),
        )
    }

    /// A refusal of this value as the invalid value of its member.
    pub(crate) fn invalid(&self, expected: &str) -> ReadingError {
        self.wrong(ErrorCode::FieldInvalid, expected)
    }

    pub(crate) fn text(&self) -> Result<&'a str, ReadingError> {
        self.value.as_str().ok_or_else(|| self.invalid("text"))
    }

    pub(crate) fn date(&self) -> Result<OffsetDateTime, ReadingError> {
        dates::parse_request(self.text()?).map_err(|error| self.wrong(ErrorCode::FieldInvalidDate, error.expected))
    }

    pub(crate) fn currency(&self) -> Result<Currency, ReadingError> {
        self.text()?.parse().map_err(|_| self.invalid("three capital letters"))
    }

    /// `{Amount, Currency}`: more than nothing, and not more decimals than the currency has.
    pub(crate) fn money(&self) -> Result<Money, ReadingError> {
        let currency = self.need("Currency")?.currency()?;
        let amount = self.need("Amount")?;
        match Money::parse(amount.text()?, currency) {
            Ok(money) if money.minor() > 0 => Ok(money),
            Ok(_) => Err(amount.invalid("more than nothing")),
            Err(MoneyError::TooPrecise { currency, .. }) => {
                Err(amount.invalid(&format!("at most {} decimals for {currency}", currency.exponent())))
            }
            Err(_) => Err(amount.invalid("an amount")),
        }
    }

    /// A value by the name that it has on the wire.
    pub(crate) fn named<T>(&self, read: impl Fn(&str) -> Option<T>, expected: &str) -> Result<T, ReadingError> {
        read(self.text()?).ok_or_else(|| self.invalid(expected))
    }

    /// What a reader makes of the member, when it is there.
    pub(crate) fn maybe<T>(
        &self,
        name: &str,
        read: impl FnOnce(&View<'a>) -> Result<T, ReadingError>,
    ) -> Result<Option<T>, ReadingError> {
        self.get(name).map(|view| read(&view)).transpose()
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }
}
