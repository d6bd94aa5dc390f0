//! Payment orders as the bank keeps them, beside what the books know.

use openbanking::payments::OrderRequest;
use serde::{Deserialize, Serialize};
use store::Collection;
use time::OffsetDateTime;

use crate::consents::Offer;

/// Where the orders are kept.
#[must_use]
pub(super) fn collection() -> Collection<Order> {
    Collection::new("payment-orders")
}

/// A payment that was ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// `DomesticPaymentId` and its like; also the name of the order in the books.
    pub id: String,
    /// The client that ordered it.
    pub client_id: String,
    /// What was ordered.
    pub request: OrderRequest,
    /// What the consent promised.
    pub offer: Offer,
    /// The PSU.
    pub customer: String,
    /// The account that pays.
    pub account: String,
    /// Whether the payer's account is told for refunds.
    pub refund: bool,
    /// Whether the TPP named the payer's account.
    pub named: bool,
    /// When it was ordered.
    pub created_at: OffsetDateTime,
}
