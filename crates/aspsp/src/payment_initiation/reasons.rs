//! Why a payment is not made, and where it stands, in the words of the wire.

use ledger::{OrderStatus, Rejection};
use openbanking::{consent::StatusReason, payments::PaymentStatus};

/// The state on the wire of a state in the books.
pub(super) fn status(status: OrderStatus) -> PaymentStatus {
    match status {
        OrderStatus::Received => PaymentStatus::Received,
        OrderStatus::PartiallyAccepted => PaymentStatus::PartiallyAuthorised,
        OrderStatus::AcceptedSettlementInProcess => PaymentStatus::SettlementInProcess,
        OrderStatus::AcceptedSettlementCompleted => PaymentStatus::SettlementCompleted,
        OrderStatus::AcceptedWithoutPosting => PaymentStatus::AcceptedWithoutPosting,
        OrderStatus::AcceptedCreditSettlementCompleted => PaymentStatus::CreditSettlementCompleted,
        OrderStatus::Blocked => PaymentStatus::Blocked,
        OrderStatus::Rejected => PaymentStatus::Rejected,
        OrderStatus::Cancelled => PaymentStatus::Cancelled,
        OrderStatus::InitiationCompleted => PaymentStatus::InitiationCompleted,
        OrderStatus::InitiationFailed => PaymentStatus::InitiationFailed,
    }
}

/// `ExternalStatusReason1Code` of a rejection.
fn code(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::InsufficientFunds => "AM04",
        Rejection::ClosedDebtorAccount => "AC05",
        Rejection::BlockedDebtorAccount | Rejection::BlockedCreditorAccount => "AC06",
        Rejection::TransactionForbidden | Rejection::SameAccount => "AG01",
        Rejection::ClosedCreditorAccount => "AC07",
        Rejection::IncorrectCreditorAccount => "AC03",
        Rejection::NotAllowedCurrency => "AM03",
        Rejection::ZeroAmount => "AM01",
        Rejection::NotAllowedAmount => "AM02",
        Rejection::AmountExceedsAgreedLimit => "AM14",
        Rejection::LimitExceeded => "AM21",
        Rejection::OrderCancelled => "DS02",
        Rejection::AuthorisationExpired => "DS24",
        Rejection::NotSpecified => "MS03",
    }
}

/// The rejection as `StatusReason` of v4.0.
pub(super) fn reason(rejection: Rejection) -> StatusReason {
    StatusReason {
        status_reason_code: Some(code(rejection).to_owned()),
        status_reason_description: Some(sentence(&rejection.to_string())),
        path: None,
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
