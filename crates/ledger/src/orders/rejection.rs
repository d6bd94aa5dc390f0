//! Why a payment is not made.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why the bank does not make a payment. The names follow ISO 20022 ExternalStatusReason1Code, given in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The account cannot cover the amount and its charges (AM04).
    #[error("insufficient funds")]
    InsufficientFunds,
    /// The account that pays is closed (AC05).
    #[error("the debtor's account is closed")]
    ClosedDebtorAccount,
    /// The account that pays is blocked (AC06).
    #[error("the debtor's account is blocked")]
    BlockedDebtorAccount,
    /// The account that pays is of a kind from which no payment can be ordered (AG01).
    #[error("no payment can be ordered from the debtor's account")]
    TransactionForbidden,
    /// The payee's account, at this bank, is closed (AC07).
    #[error("the creditor's account is closed")]
    ClosedCreditorAccount,
    /// The payee's account, at this bank, is blocked (AC06).
    #[error("the creditor's account is blocked")]
    BlockedCreditorAccount,
    /// The number is this bank's and no account has it (AC01).
    #[error("the creditor's account does not exist")]
    IncorrectCreditorAccount,
    /// Payer and payee are the same account (AG01).
    #[error("the debtor's and the creditor's account are the same")]
    SameAccount,
    /// The account that pays or the payee's is kept in another currency (AM03).
    #[error("the currency is not allowed")]
    NotAllowedCurrency,
    /// Nothing is left of the amount in the other currency (AM01).
    #[error("the amount is zero")]
    ZeroAmount,
    /// The amount is too large to be counted (AM02).
    #[error("the amount is not allowed")]
    NotAllowedAmount,
    /// The amount is above what one payment from the account may be (AM14).
    #[error("the amount exceeds the limit for one payment")]
    AmountExceedsAgreedLimit,
    /// With this amount the day's payments from the account are above what they may be (AM21).
    #[error("the amount exceeds the limit for the day")]
    LimitExceeded,
    /// A holder of the account cancelled it, or was to authorise it and refused (DS02).
    #[error("a holder of the account refused or cancelled it")]
    OrderCancelled,
    /// Not all who were to authorise it did so in time (TM01).
    #[error("not all signatories authorised in time")]
    AuthorisationExpired,
    /// The bank gives no reason (MS03).
    #[error("not specified by the bank")]
    NotSpecified,
}
