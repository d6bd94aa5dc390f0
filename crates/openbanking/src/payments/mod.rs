//! Payments: consents and orders of every kind, in both versions.
//!
//! Payloads are judged by schemas that are data and kept as JSON, because an order must be what was consented to,
//! member by member, and answers repeat what was sent. [`Initiation`] is the typed view of what a bank needs.
//!
//! A kind of payment is a row of [`PaymentKind`]'s table and the list of members of its `Initiation`.

mod codes;
pub mod file;
mod frequency;
mod initiation;
mod kind;
mod request;
pub(crate) mod response;
mod rules;
pub(crate) mod schema;
mod status;
pub(crate) mod view;

pub use codes::{ChargeBearer, FileType, InstructionPriority, LocalInstrument, RateType, is_agent_scheme};
pub use frequency::{Frequency, FrequencyCode, QuarterDays};
pub use initiation::{
    Agent, ExchangeRateRequest, FileFacts, Initiation, PaymentAccount, Remittance, StandingOrderTerms, StatedTotals,
};
pub use kind::{PaymentKind, Timing};
pub(crate) use request::normalise;
pub use request::{AuthorisationType, ConsentRequest, OrderRequest, RequestedAuthorisation, first_difference};
pub use response::{
    Charge, ChargeType, ConsentAnswer, ConsentFacts, ExchangeRate, FundsAvailable, MultiAuthorisation, OrderAnswer,
    OrderFacts, OrderState, PaymentDetail, PaymentDetails, Refund, StatusDetail,
};
pub use status::{MultiAuthorisationStatus, PaymentStatus, StatusFamily};
