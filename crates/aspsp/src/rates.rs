//! Exchange rates of the bank: from the personas' file, in units for one unit of the bank's own currency.

use std::collections::BTreeMap;

use ledger::{Personas, Rate};
use openbanking::money::Currency;

/// What currencies are worth.
#[derive(Debug, Clone)]
pub struct Rates {
    home: Currency,
    foreign: BTreeMap<String, Rate>,
}

/// A currency of the personas' file is none.
#[derive(Debug, thiserror::Error)]
#[error("the bank's currency {0:?} is not one of three capital letters")]
pub struct UnknownCurrency(String);

impl Rates {
    /// The rates of this file.
    ///
    /// # Errors
    /// The bank's own currency is none.
    pub fn of(personas: &Personas) -> Result<Self, UnknownCurrency> {
        let name = &personas.bank.currency;
        let home = name.parse().map_err(|_| UnknownCurrency(name.clone()))?;
        Ok(Self { home, foreign: personas.exchange_rates.clone() })
    }

    /// The bank's own currency.
    #[must_use]
    pub fn home(&self) -> Currency {
        self.home
    }

    /// Whether there is a rate for it.
    #[must_use]
    pub fn knows(&self, currency: Currency) -> bool {
        currency == self.home || self.foreign.contains_key(currency.code())
    }

    /// All currencies that there is a rate for.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        let foreign = self.foreign.keys().filter_map(|code| code.parse().ok());
        std::iter::once(self.home).chain(foreign)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> String {
        let foreign = self.foreign.keys().map(String::as_str);
        std::iter::once(self.home.code()).chain(foreign).collect::<Vec<_>>().join(", ")
    }

    /// Units of `other` for one unit of `unit`, to six decimals; none when a rate is missing.
    #[must_use]
    pub fn between(&self, unit: Currency, other: Currency) -> Option<f64> {
        self.rate(unit, other).map(rate_value)
    }

    /// The same as a rate of the books.
    #[must_use]
    pub fn rate(&self, unit: Currency, other: Currency) -> Option<Rate> {
        let millionths = |currency: Currency| {
            if currency == self.home {
                return Some(1_000_000_u128);
            }
            self.foreign.get(currency.code()).map(|rate| u128::from(rate.millionths()))
        };
        let (unit, other) = (millionths(unit)?, millionths(other)?);
        let quotient = (other * 1_000_000 + unit / 2).checked_div(unit)?;
        Rate::from_millionths(u64::try_from(quotient).ok()?)
    }
}

fn rate_value(rate: Rate) -> f64 {
    // Exact enough: rates have six decimals.
    rate.to_string().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        Rates::of(&crate::money::personas(None).unwrap()).unwrap()
    }

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn rates_cross() {
        let rates = rates();
        let between = |unit, other| rates.between(currency(unit), currency(other));
        assert_eq!(between("GBP", "EUR"), Some(1.165));
        assert_eq!(between("EUR", "GBP"), Some(0.858_369));
        assert_eq!(between("EUR", "USD"), Some(1.098_712));
        assert_eq!(between("GBP", "GBP"), Some(1.0));
        assert_eq!(between("GBP", "JPY"), None);
        assert!(rates.knows(currency("USD")) && !rates.knows(currency("JPY")));
        assert_eq!(rates.names(), "GBP, EUR, USD");
    }
}
