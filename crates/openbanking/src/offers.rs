//! Offers of the bank for an account (`OBReadOffer1`).

use crate::money::ActiveAmount;
use crate::payload::{list, payload};
use serde::{Deserialize, Serialize};

list! {
    /// `Data` of `GET /offers` and `GET /accounts/{AccountId}/offers`.
    pub struct OfferData { offer: Offer }
}

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OfferType {
    /// Take over what is owed elsewhere.
    BalanceTransfer,
    /// Borrow more.
    LimitIncrease,
    /// Money from the card onto an account.
    MoneyTransfer,
    /// Something else.
    Other,
    /// Another rate for a time.
    PromotionalRate,
}

payload! {
    /// An offer.
    pub struct Offer {
        /// The account.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe offer_id: String,
        /// What is offered.
        maybe offer_type: OfferType,
        /// In words; at most 500 characters.
        maybe description: String,
        /// From when it can be taken.
        maybe_moment start_date_time,
        /// Until when it can be taken.
        maybe_moment end_date_time,
        /// Percent a year, up to four decimals.
        maybe rate: String,
        /// A value that is not money, such as points.
        maybe value: u32,
        /// Its terms; at most 500 characters.
        maybe term: String,
        /// Where more is said; at most 256 characters.
        #[serde(rename = "URL")]
        maybe url: String,
        /// The amount that is offered.
        maybe amount: ActiveAmount,
        /// What it costs.
        maybe fee: ActiveAmount,
    }
}
