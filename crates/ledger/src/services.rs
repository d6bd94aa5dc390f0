//! What else the bank does for an account: its product, and offers.

use openbanking::money::Money;
use serde::{Deserialize, Serialize};
use time::Date;

/// What an account costs and pays. Rates are hundredths of a percent a year, those that interest is really computed by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Made by the bank; the same for all accounts of the product.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// In words.
    pub description: String,
    /// Paid on a credit balance.
    pub paid_percent: u32,
    /// Charged on what is owed.
    pub charged_percent: u32,
    /// Charged every month.
    pub monthly_fee: Option<Money>,
}

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// Take over what is owed elsewhere.
    BalanceTransfer,
    /// Borrow more.
    LimitIncrease,
    /// Money from the card onto an account.
    MoneyTransfer,
    /// Another rate for a time.
    PromotionalRate,
    /// Something else.
    Other,
}

/// An offer of the bank to the holder of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Made by the bank, unique among the account's offers.
    pub id: String,
    /// What is offered.
    pub kind: OfferKind,
    /// In words.
    pub description: String,
    /// The first day on which it can be taken.
    pub from: Date,
    /// The last day on which it can be taken.
    pub to: Date,
    /// Hundredths of a percent a year.
    pub rate: Option<u32>,
    /// How much.
    pub amount: Option<Money>,
    /// What it costs.
    pub fee: Option<Money>,
    /// Its terms.
    pub terms: Option<String>,
}

/// All of it for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Its product; none when the fixture has none for its kind.
    pub product: Option<Product>,
    /// What the bank offers.
    pub offers: Vec<Offer>,
}
