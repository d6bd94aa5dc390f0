//! What else the bank does for accounts: products for each kind, and what an account has beside its habits.

use super::Amount;
use crate::identification::UkAccount;
use crate::{AccountKind, OfferKind};
use serde::{Deserialize, Serialize};

/// The product of accounts of a kind. What it costs and pays is told by the account's own habits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductPlan {
    /// The kind of account.
    pub kind: AccountKind,
    /// What it is called.
    pub name: String,
    /// In words.
    pub description: String,
}

/// An offer of the bank. Days count from the day on which the history ends, so that it stays an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferPlan {
    /// What is offered.
    pub kind: OfferKind,
    /// In words.
    pub description: String,
    /// Days before that day on which it began.
    pub since_days: u16,
    /// Days after that day on which it ends.
    pub for_days: u16,
    /// Percent a year.
    #[serde(default)]
    pub percent: Option<Amount>,
    /// How much.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// What it costs.
    #[serde(default)]
    pub fee: Option<Amount>,
    /// Its terms.
    #[serde(default)]
    pub terms: Option<String>,
}

/// Somebody whom the holder has saved as a payee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeneficiaryPlan {
    /// The payee.
    pub name: String,
    /// The payee's sort code and account number, 14 digits.
    pub account: UkAccount,
    /// What the payee reads.
    #[serde(default)]
    pub reference: Option<String>,
    /// On the holder's list of trusted payees.
    #[serde(default)]
    pub trusted: bool,
}

/// A payment that waits for its day. Days count from the day on which the history ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledPaymentPlan {
    /// The payee.
    pub name: String,
    /// The payee's sort code and account number, 14 digits.
    pub account: UkAccount,
    /// How much.
    pub amount: Amount,
    /// In so many days.
    pub in_days: u16,
    /// What the payee reads.
    #[serde(default)]
    pub reference: Option<String>,
}
