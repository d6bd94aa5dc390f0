//! Transactions: a posting as the holder of the account sees it.

use crate::identification::Pan;
use crate::{AccountId, EntryId, Identification};
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use time::OffsetDateTime;

crate::identifier! {
    /// Names a transaction towards third parties; immutable.
    TransactionId
}

/// Whether money came or went, as the account's holder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Money came: the balance rises.
    Credit,
    /// Money went: the balance falls.
    Debit,
}

impl Direction {
    /// The direction of a signed amount in minor units; zero counts as credit (as in OBCreditDebitCode).
    pub fn of(minor: i64) -> Self {
        if minor < 0 { Self::Debit } else { Self::Credit }
    }
}

/// Whether the transaction is on the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On the books: part of the booked balance.
    Booked,
    /// Announced (a card authorisation): it lowers what is available and not yet the booked balance.
    Pending,
}

/// What sort of event moved the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What the account held when its books begin.
    OpeningBalance,
    /// Paid with a card.
    CardPurchase,
    /// Money back from a merchant.
    Refund,
    /// Collected by an originator.
    DirectDebit,
    /// Sent regularly by order of the holder.
    StandingOrder,
    /// Wages from an employer.
    Salary,
    /// Received from somebody outside.
    PaymentReceived,
    /// Sent to somebody outside.
    PaymentSent,
    /// Between two accounts at this bank.
    Transfer,
    /// Repayment of a credit card, on both of its sides.
    CardRepayment,
    /// Cash from a machine.
    CashWithdrawal,
    /// Interest, either way.
    Interest,
    /// A fee of the bank.
    Fee,
    /// Between two accounts in different currencies.
    CurrencyExchange,
    /// A payment that came back, and its charges.
    PaymentReturned,
}

/// Who stands on the other side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counterparty {
    /// Name of the person or company.
    pub name: String,
    /// Their account, where it is known.
    pub account: Option<Identification>,
}

/// Where a card was used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Merchant {
    /// The merchant's name.
    pub name: String,
    /// ISO 18245 merchant category code, four digits.
    pub category_code: String,
}

/// An exchange rate: how many major units of one currency a major unit of another is worth; exact to a millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    millionths: u64,
}

impl Rate {
    /// One to one.
    pub const ONE: Self = Self { millionths: 1_000_000 };

    /// The rate of that many millionths; `None` for zero.
    pub fn from_millionths(millionths: u64) -> Option<Self> {
        (millionths > 0).then_some(Self { millionths })
    }

    /// The rate in millionths.
    pub fn millionths(self) -> u64 {
        self.millionths
    }

    /// What `minor` units are worth at this rate, rounded half away from zero. `None` when it does not fit.
    pub fn convert(self, minor: i64) -> Option<i64> {
        quotient(i128::from(minor) * i128::from(self.millionths), 1_000_000)
    }

    /// What the amount is worth in `target`, when this is the rate from its currency to that one; rounded half away from
    /// zero. `None` when it does not fit.
    pub fn exchange(self, amount: Money, target: Currency) -> Option<Money> {
        let (from, to) = (amount.currency().minor_per_major(), target.minor_per_major());
        let exact = i128::from(amount.minor()).checked_mul(i128::from(self.millionths))?.checked_mul(i128::from(to))?;
        Some(Money::new(quotient(exact, i128::from(from) * 1_000_000)?, target))
    }

    /// What has to be given in `source` to get the amount, when this is the rate from that currency to the amount's;
    /// rounded half away from zero. `None` when it does not fit.
    pub fn exchange_back(self, amount: Money, source: Currency) -> Option<Money> {
        let (from, to) = (source.minor_per_major(), amount.currency().minor_per_major());
        let exact = i128::from(amount.minor()).checked_mul(i128::from(from))?.checked_mul(1_000_000)?;
        Some(Money::new(quotient(exact, i128::from(self.millionths).checked_mul(i128::from(to))?)?, source))
    }

    /// The rate from this rate's currency to `other`'s, when both are quoted against the same third currency.
    pub fn cross(self, other: Self) -> Option<Self> {
        let millionths = u128::from(other.millionths) * 1_000_000 / u128::from(self.millionths);
        Self::from_millionths(u64::try_from(millionths).ok()?)
    }
}

/// Rounded half away from zero; the divisor is positive.
fn quotient(exact: i128, divisor: i128) -> Option<i64> {
    i64::try_from(exact.checked_add(exact.signum() * (divisor / 2))? / divisor).ok()
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.millionths / 1_000_000, self.millionths % 1_000_000)
    }
}

/// The text is no exchange rate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected an exchange rate above zero with up to six decimals, such as 1.1725, found {0:?}")]
pub struct ParseRateError(pub String);

impl FromStr for Rate {
    type Err = ParseRateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseRateError(text.to_owned());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 || whole.len() > 9 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let decimals: u64 = format!("{decimals:0<6}").parse().map_err(|_| wrong())?;
        Self::from_millionths(whole * 1_000_000 + decimals).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Rate {
    type Error = ParseRateError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

/// How an amount came out of another currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked for, in the other currency; positive.
    pub instructed: Money,
    /// The currency that was converted from.
    pub source: Currency,
    /// The currency that was converted to.
    pub target: Currency,
    /// Units of `target` for one unit of `source`.
    pub rate: Rate,
}

/// A posting as the holder of the account sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// See [`TransactionId`].
    pub id: TransactionId,
    /// The balanced set that it belongs to.
    pub entry: EntryId,
    /// The account it is on.
    pub account: AccountId,
    /// Position among all transactions of the books in the order of posting; settles ties of `booked_at`.
    pub sequence: u64,
    /// When it was made (the card was used, the payment was ordered).
    pub made_at: OffsetDateTime,
    /// When it came onto the books; for a pending one, when that is expected.
    pub booked_at: OffsetDateTime,
    /// From when it counts for interest.
    pub value_at: OffsetDateTime,
    /// Always positive; see `direction`.
    pub amount: Money,
    /// Whether the money came or went.
    pub direction: Direction,
    /// Booked or pending.
    pub status: Status,
    /// What sort of event it was.
    pub kind: Kind,
    /// Who stands on the other side.
    pub counterparty: Option<Counterparty>,
    /// Where a card was used.
    pub merchant: Option<Merchant>,
    /// The card that was used.
    pub card: Option<Pan>,
    /// The payer's reference.
    pub reference: Option<String>,
    /// The line that a statement would print.
    pub description: String,
    /// Set when the amount was converted.
    pub exchange: Option<Exchange>,
}

impl Transaction {
    /// The amount in minor units with the sign of its effect on the balance.
    pub fn signed_minor(&self) -> i64 {
        match self.direction {
            Direction::Credit => self.amount.minor(),
            Direction::Debit => -self.amount.minor(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_read_and_convert() {
        let rate: Rate = "1.1725".parse().unwrap();
        assert_eq!(rate.to_string(), "1.172500");
        assert_eq!(rate.convert(10_000), Some(11_725));
        assert_eq!(rate.convert(-10_000), Some(-11_725));
        assert_eq!("0.5".parse::<Rate>().unwrap().convert(1), Some(1));
        assert_eq!(rate.cross("1.1725".parse().unwrap()), Some(Rate::ONE));
        for wrong in ["", "0", "0.000000", "-1", "1.", ".5", "1,2", "1.1234567", "1e3"] {
            assert_eq!(wrong.parse::<Rate>(), Err(ParseRateError(wrong.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn rates_round_trip(millionths in 1u64..1_000_000_000_000) {
            let rate = Rate::from_millionths(millionths).unwrap();
            prop_assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate);
        }
    }
}
