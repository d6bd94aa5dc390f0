//! Accounts: what they are, who holds them and how the world addresses them.

use crate::CustomerId;
use crate::identification::{Iban, Pan, UkAccount};
use crate::orders::Limits;
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use time::Date;

crate::identifier! {
    /// Names an account towards third parties. Made by the bank, immutable, never the account number
    /// (Read/Write Data API, "Unique Identifiers").
    AccountId
}

/// What sort of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Everyday account of a person.
    Current,
    /// Everyday account of a business.
    BusinessCurrent,
    /// Everyday account that is kept in another currency than the bank's own.
    CurrencyCurrent,
    /// Savings that can be withdrawn at any time.
    Savings,
    /// Credit card: the balance is what is owed, so it is negative or zero most of the time.
    CreditCard,
    /// Loan: the balance is what is left to be repaid.
    Loan,
}

impl AccountKind {
    /// True for accounts that businesses hold.
    pub fn is_business(self) -> bool {
        self == Self::BusinessCurrent
    }

    /// True where a payment can be ordered from the account.
    pub fn pays(self) -> bool {
        matches!(self, Self::Current | Self::BusinessCurrent | Self::CurrencyCurrent | Self::Savings)
    }
}

/// Whether the account can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// In use.
    #[default]
    Enabled,
    /// Blocked: it can be seen, but nothing can be ordered from it.
    Disabled,
    /// Closed: it is gone from the customer's list.
    Closed,
}

/// How the world outside addresses an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identification {
    /// Sort code and account number, with the IBAN that contains both.
    SortCode {
        /// Sort code and account number.
        number: UkAccount,
        /// The same account as an IBAN.
        iban: Iban,
    },
    /// Sort code and account number of an account at another bank, whose IBAN is not known.
    UkAccount(UkAccount),
    /// Only an IBAN.
    Iban(Iban),
    /// The number of a payment card.
    Card(Pan),
}

impl Identification {
    /// The sort code and account number, where there is one.
    pub fn uk_account(&self) -> Option<&UkAccount> {
        match self {
            Self::SortCode { number, .. } | Self::UkAccount(number) => Some(number),
            Self::Iban(_) | Self::Card(_) => None,
        }
    }

    /// The IBAN, where there is one.
    pub fn iban(&self) -> Option<&Iban> {
        match self {
            Self::SortCode { iban, .. } | Self::Iban(iban) => Some(iban),
            Self::UkAccount(_) | Self::Card(_) => None,
        }
    }

    /// The card number, where there is one.
    pub fn pan(&self) -> Option<&Pan> {
        match self {
            Self::Card(pan) => Some(pan),
            Self::SortCode { .. } | Self::UkAccount(_) | Self::Iban(_) => None,
        }
    }
}

/// An account at this bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Made by the bank; see [`AccountId`].
    pub id: AccountId,
    /// Who holds it; more than one for a joint account, never none.
    pub holders: Vec<CustomerId>,
    /// What sort of account it is.
    pub kind: AccountKind,
    /// Whether it was moved to another bank (Current Account Switch Service).
    pub switched: bool,
    /// The one currency of all its postings.
    pub currency: Currency,
    /// The name that the customer gave it.
    pub nickname: String,
    /// The holders' name as the bank prints it.
    pub holder_name: String,
    /// How the world addresses it.
    pub identification: Identification,
    /// The day it was opened.
    pub opened: Date,
    /// Whether it can be used.
    pub status: AccountStatus,
    /// How far the balance may go below zero (overdraft, card limit); in the account's currency, never negative.
    pub credit_line: Option<Money>,
    /// How many holders have to authorise a payment from it; 1 when each may pay alone.
    pub signatories: u8,
    /// The most that payments from it may be.
    pub limits: Limits,
}
