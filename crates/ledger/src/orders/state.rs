//! What became of an order.

use crate::orders::{PaymentOrder, Rejection};
use crate::{AccountId, CustomerId, EntryId, TransactionId};
use openbanking::money::Money;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::{Date, OffsetDateTime};

/// Where an order or a payment stands. The names are those of the Read/Write payment statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// It is understood and its money is held, nothing more.
    Received,
    /// It waits for further signatories (PATC).
    PartiallyAccepted,
    /// Settlement has begun.
    AcceptedSettlementInProcess,
    /// The payer's account is debited.
    AcceptedSettlementCompleted,
    /// The payee's bank has it and has not posted it.
    AcceptedWithoutPosting,
    /// The payee's account is credited.
    AcceptedCreditSettlementCompleted,
    /// The payee's account is blocked; the money waits in transit until that ends or it is sent back.
    Blocked,
    /// It is not paid; no money moved, or it was sent back.
    Rejected,
    /// It was withdrawn before it was paid.
    Cancelled,
    /// A scheduled payment or standing order is set up, a file is worked through.
    InitiationCompleted,
    /// A scheduled payment, standing order or file could not be set up or nothing in it could be paid.
    InitiationFailed,
}

impl OrderStatus {
    /// True for a payment that has not come to its end.
    pub fn is_under_way(self) -> bool {
        matches!(
            self,
            Self::Received
                | Self::PartiallyAccepted
                | Self::AcceptedSettlementInProcess
                | Self::AcceptedSettlementCompleted
                | Self::AcceptedWithoutPosting
                | Self::Blocked
        )
    }
}

/// A status that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: OffsetDateTime,
    /// Which one.
    pub status: OrderStatus,
    /// Why, for those that are no good news.
    pub reason: Option<Rejection>,
}

/// Everything that is known of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// What was ordered.
    pub order: Arc<PaymentOrder>,
    /// When it came.
    pub created_at: OffsetDateTime,
    /// The statuses of the order as a whole, oldest first; never empty. A single immediate payment has those of its
    /// payment.
    pub history: Vec<Change>,
    /// Who authorised it, in order of time.
    pub authorisations: Vec<Authorisation>,
    /// What became of each instruction, in their order.
    pub instructions: Vec<InstructionState>,
    /// How many of its payments are under way.
    pub(crate) under_way: usize,
}

/// Somebody authorised an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorisation {
    /// Who.
    pub customer: CustomerId,
    /// When.
    pub at: OffsetDateTime,
}

impl OrderState {
    /// The last change.
    pub fn latest(&self) -> Change {
        let created = Change { at: self.created_at, status: OrderStatus::Received, reason: None };
        self.history.last().copied().unwrap_or(created)
    }

    /// Where the order as a whole stands.
    pub fn status(&self) -> OrderStatus {
        self.latest().status
    }

    /// Since when it stands there.
    pub fn status_updated_at(&self) -> OffsetDateTime {
        self.latest().at
    }

    /// Why it was rejected or failed.
    pub fn reason(&self) -> Option<Rejection> {
        self.latest().reason
    }
}

/// What became of an instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstructionState {
    /// Payments that were begun or rejected, oldest first.
    pub payments: Vec<Payment>,
    /// The payment that is waited for; `None` when nothing more is to come.
    pub next: Option<NextPayment>,
    /// The last payment of a series that the history before these books knows of.
    pub paid_before: Option<(Date, Money)>,
}

impl InstructionState {
    /// The last payment for which the account was debited and that did not come back: its nominal day and the amount
    /// debited.
    pub fn last_paid(&self) -> Option<(Date, Money)> {
        let paid = self
            .payments
            .iter()
            .rev()
            .find(|payment| payment.debited_at().is_some() && payment.status() != OrderStatus::Rejected);
        paid.map(|payment| (payment.day, payment.debit)).or(self.paid_before)
    }
}

/// A payment that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPayment {
    /// Which one of the instruction's payments, counted from 1.
    pub number: u32,
    /// The nominal day.
    pub day: Date,
    /// When it is paid; on another day when the nominal one is no working day.
    pub at: OffsetDateTime,
    /// In the currency of the instruction.
    pub amount: Money,
}

/// A payment that was begun, or rejected when it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Which one of the instruction's payments, counted from 1.
    pub number: u32,
    /// The nominal day.
    pub day: Date,
    /// What the payer's account is debited with, charges apart; in its currency. What was instructed, for a payment that
    /// was rejected at once.
    pub debit: Money,
    /// What the payee gets; likewise.
    pub credit: Money,
    /// The payee's account, when this bank keeps it.
    pub creditor: Option<AccountId>,
    /// The entry that holds and then debits the money; none was made for a payment that was rejected at once.
    pub entry: Option<EntryId>,
    /// The payer's transaction, under the same condition.
    pub transaction: Option<TransactionId>,
    /// Its statuses, oldest first; never empty.
    pub history: Vec<Change>,
    /// When the next step happens by itself.
    pub(crate) next_step: Option<OffsetDateTime>,
}

impl Payment {
    /// Where it stands.
    pub fn status(&self) -> OrderStatus {
        self.history.last().map_or(OrderStatus::Received, |change| change.status)
    }

    /// Why it was rejected.
    pub fn reason(&self) -> Option<Rejection> {
        self.history.last().and_then(|change| change.reason)
    }

    /// When the payer's account was debited.
    pub fn debited_at(&self) -> Option<OffsetDateTime> {
        let debited = |change: &&Change| change.status == OrderStatus::AcceptedSettlementCompleted;
        self.history.iter().find(debited).map(|change| change.at)
    }
}
