//! Orders as the bank keeps them, beside what the books know.

use ledger::OrderId;
use openbanking::{
    payments::{OrderRequest, StatusFamily},
    version::ApiVersion,
    vrp::{self, VrpOrderRequest},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::Collection;
use time::OffsetDateTime;

use crate::consents::Offer;

/// What a TPP can order.
pub trait Ordered: Serialize + DeserializeOwned + Send + Sync {
    /// Where such orders are kept.
    const COLLECTION: &'static str;

    /// The version on which it was ordered.
    fn version(&self) -> ApiVersion;

    /// Name of the member with the order's identifier.
    fn id_member(&self) -> &'static str;

    /// Path of the orders below the resource group.
    fn path(&self) -> &'static str;

    /// The statuses that they go through.
    fn status_family(&self) -> StatusFamily;
}

impl Ordered for OrderRequest {
    const COLLECTION: &'static str = "payment-orders";

    fn version(&self) -> ApiVersion {
        self.version()
    }

    fn id_member(&self) -> &'static str {
        self.kind().order_id_member()
    }

    fn path(&self) -> &'static str {
        self.kind().order_path()
    }

    fn status_family(&self) -> StatusFamily {
        self.kind().status_family()
    }
}

impl Ordered for VrpOrderRequest {
    const COLLECTION: &'static str = "vrp-orders";

    fn version(&self) -> ApiVersion {
        self.version()
    }

    fn id_member(&self) -> &'static str {
        vrp::ORDER_ID_MEMBER
    }

    fn path(&self) -> &'static str {
        vrp::ORDER_PATH
    }

    fn status_family(&self) -> StatusFamily {
        StatusFamily::Vrp
    }
}

/// Where the orders are kept.
pub(crate) fn collection<R: Ordered>() -> Collection<Order<R>> {
    Collection::new(R::COLLECTION)
}

/// A payment that was ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order<R> {
    /// `DomesticPaymentId` and its like; also the name of the order in the books.
    pub id: String,
    /// The client that ordered it.
    pub client_id: String,
    /// What was ordered.
    pub request: R,
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

impl<R> Order<R> {
    /// Its name in the books.
    pub(crate) fn in_books(&self) -> OrderId {
        OrderId::new(self.id.as_str())
    }
}
