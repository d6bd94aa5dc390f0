//! Payment consents of every kind (OB Read/Write 4.0, Payment Initiation API).

use openbanking::{
    payments::{ConsentRequest, ExchangeRate},
    vrp::{ControlParameters, VrpConsentRequest},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a payment consent asks for, and what the bank adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// What the TPP sent.
    pub request: ConsentRequest,
    /// What the bank adds.
    pub offer: Offer,
    /// What was uploaded, for a file.
    pub file: Option<Upload>,
}

/// What a consent to variable recurring payments asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableRecurringPayments {
    /// What the TPP sent.
    pub request: VrpConsentRequest,
    /// The limits in it.
    pub limits: ControlParameters,
}

/// What the bank adds to a payment: what it costs, at which rate, and when it would happen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What it costs.
    pub charges: Vec<openbanking::payments::Charge>,
    /// The rate of an international payment.
    pub exchange_rate: Option<ExchangeRate>,
    /// `CutOffDateTime`.
    pub cut_off: Option<OffsetDateTime>,
    /// `ExpectedExecutionDateTime`.
    pub expected_execution: Option<OffsetDateTime>,
    /// `ExpectedSettlementDateTime`.
    pub expected_settlement: Option<OffsetDateTime>,
}

/// A file that came; its bytes are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Media type with which it came.
    pub content_type: String,
    /// How many payments are in it.
    pub number: usize,
    /// What they add up to, as text.
    pub sum: String,
    /// The currency of all of them.
    pub currency: String,
}

impl Offer {
    /// Whether the rate that the PSU saw still holds.
    #[must_use]
    pub fn rate_holds(&self, now: OffsetDateTime) -> bool {
        self.exchange_rate.as_ref().and_then(|rate| rate.expiration_date_time).is_none_or(|at| at > now)
    }

    /// Whether there is something that the PSU must be told beside the payment itself.
    #[must_use]
    pub fn is_remarkable(&self, now: OffsetDateTime) -> bool {
        let late = self.cut_off.is_some_and(|at| at <= now);
        !self.charges.is_empty() || self.exchange_rate.is_some() || late
    }
}
