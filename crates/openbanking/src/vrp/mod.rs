//! Variable recurring payments: consents with control parameters, orders, funds confirmation (VRP Profile).
//!
//! Like [`crate::payments`], payloads are judged by schemas that are data and kept as JSON. Their schemas are open:
//! members that nobody knows are let through.

mod answer;
mod codes;
mod control_parameters;
mod migration;
mod period;
mod request;
mod schema;

pub use answer::{
    Available, VrpConsentAnswer, VrpConsentAnswerData, VrpConsentFacts, VrpFundsAnswer, VrpFundsAnswerData,
    VrpFundsResult, VrpOrderAnswer, VrpOrderAnswerData, VrpRefund,
};
pub use codes::{AuthenticationMethod, InteractionType, PeriodAlignment, PeriodType, VrpType};
pub use control_parameters::{Breach, ControlParameters, PeriodicLimit};
pub use period::{Period, period_bounds};
pub use request::{Instruction, VrpConsentRequest, VrpFundsRequest, VrpOrderRequest};

/// Path of the consents.
pub const CONSENT_PATH: &str = "domestic-vrp-consents";
/// Path of the orders.
pub const ORDER_PATH: &str = "domestic-vrps";
/// Name of the member with an order's identifier.
pub const ORDER_ID_MEMBER: &str = "DomesticVRPId";
