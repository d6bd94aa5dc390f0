//! Double entry: every event is a set of postings that balances in each currency.

use crate::identification::Pan;
use crate::{AccountId, Counterparty, Exchange, Kind, Merchant, Status, TransactionId};
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

crate::identifier! {
    /// Names an entry, a balanced set of postings.
    EntryId
}

/// The bank's own accounts that stand for the world outside the customers' accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contra {
    /// What accounts held before their books begin.
    Opening,
    /// Payments to and from other banks.
    External,
    /// Payments within the bank between debit and credit.
    Transit,
    /// Payments to other banks between debit and settlement.
    Clearing,
    /// Payments that came back for an account that is closed.
    Unclaimed,
    /// Owed to the card schemes.
    Cards,
    /// Cash machines.
    Cash,
    /// The bank's currency position: money of one currency goes in, of another comes out.
    ForeignExchange,
    /// The bank's own interest and fees.
    Earnings,
}

/// What the account's holder is told about a posting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The transaction that the posting becomes.
    pub transaction: TransactionId,
    /// What sort of event it is.
    pub kind: Kind,
    /// Who stands on the other side.
    pub counterparty: Option<Counterparty>,
    /// Where a card was used.
    pub merchant: Option<Merchant>,
    /// The card that was used.
    pub card: Option<Pan>,
    /// The payer's reference.
    pub reference: Option<String>,
    /// The line that a statement prints.
    pub description: String,
    /// Set when the amount was converted.
    pub exchange: Option<Exchange>,
}

impl Details {
    /// Details with nothing but what is mandatory.
    pub fn new(transaction: TransactionId, kind: Kind, description: impl Into<String>) -> Self {
        Self {
            transaction,
            kind,
            counterparty: None,
            merchant: None,
            card: None,
            reference: None,
            description: description.into(),
            exchange: None,
        }
    }
}

/// One line of an entry. Amounts are signed: positive raises the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posting {
    /// On a customer's account; it becomes a transaction.
    Account {
        /// Which account.
        account: AccountId,
        /// Signed, in the account's currency, not zero.
        amount: Money,
        /// What the holder is told.
        details: Box<Details>,
    },
    /// On one of the bank's own accounts.
    Contra {
        /// Which one.
        contra: Contra,
        /// Signed, not zero.
        amount: Money,
    },
}

impl Posting {
    /// A line on a customer's account.
    pub fn on(account: AccountId, amount: Money, details: Details) -> Self {
        Self::Account { account, amount, details: Box::new(details) }
    }

    /// A line on one of the bank's own accounts.
    pub fn against(contra: Contra, amount: Money) -> Self {
        Self::Contra { contra, amount }
    }

    /// The signed amount.
    pub fn amount(&self) -> Money {
        match self {
            Self::Account { amount, .. } | Self::Contra { amount, .. } => *amount,
        }
    }
}

/// Why a set of postings is no entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// No posting is on a customer's account.
    #[error("an entry needs a posting on at least one customer's account")]
    NoAccount,
    /// A posting that moves nothing.
    #[error("posting {0} of the entry moves nothing")]
    Zero(usize),
    /// The postings of a currency do not add up to zero.
    #[error("the postings in {currency} do not balance: they add up to {difference} minor units")]
    Unbalanced {
        /// The currency in question.
        currency: Currency,
        /// The sum that should have been zero.
        difference: i128,
    },
}

/// A balanced set of postings. Applied to the books as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Made by the caller, unique in the books.
    pub id: EntryId,
    /// When the event happened.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// When it comes onto the books (pending: is expected to).
    #[serde(with = "time::serde::rfc3339")]
    pub booked_at: OffsetDateTime,
    /// From when it counts for interest.
    #[serde(with = "time::serde::rfc3339")]
    pub value_at: OffsetDateTime,
    /// Booked, or pending until [`crate::Books::book`].
    pub status: Status,
    /// The lines; they add up to zero in each currency.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// An entry that happens and is booked at one moment.
    pub fn booked(id: EntryId, at: OffsetDateTime, postings: Vec<Posting>) -> Self {
        Self { id, made_at: at, booked_at: at, value_at: at, status: Status::Booked, postings }
    }

    /// An entry that is announced at `made_at` and expected on the books at `booked_at`.
    pub fn pending(id: EntryId, made_at: OffsetDateTime, booked_at: OffsetDateTime, postings: Vec<Posting>) -> Self {
        Self { id, made_at, booked_at, value_at: booked_at, status: Status::Pending, postings }
    }

    /// Refuses a set that does not balance, moves nothing or touches no customer.
    pub fn check(&self) -> Result<(), EntryError> {
        let mut sums: Vec<(Currency, i128)> = Vec::with_capacity(2);
        for (position, posting) in self.postings.iter().enumerate() {
            let amount = posting.amount();
            if amount.minor() == 0 {
                return Err(EntryError::Zero(position));
            }
            match sums.iter_mut().find(|(currency, _)| *currency == amount.currency()) {
                Some((_, sum)) => *sum += i128::from(amount.minor()),
                None => sums.push((amount.currency(), i128::from(amount.minor()))),
            }
        }
        if let Some((currency, difference)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            return Err(EntryError::Unbalanced { currency, difference });
        }
        if !self.postings.iter().any(|posting| matches!(posting, Posting::Account { .. })) {
            return Err(EntryError::NoAccount);
        }
        Ok(())
    }
}
