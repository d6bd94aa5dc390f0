//! What is ordered.

use crate::orders::Recurrence;
use crate::{AccountId, Counterparty, CustomerId, Rate};
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Date, OffsetDateTime};

crate::identifier! {
    /// Names a payment order; made by the bank and never reused. Identifiers of its entries and transactions derive
    /// from it.
    OrderId
}

/// An order to pay, of any kind: one payment now, later or again and again, or the payments of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOrder {
    /// See [`OrderId`].
    pub id: OrderId,
    /// The account that pays.
    pub debtor: AccountId,
    /// Which holder of the account ordered it; this is the first authorisation.
    pub ordered_by: CustomerId,
    /// How many holders have to authorise it, the one who ordered included; 1 when nobody further.
    pub signatories: u8,
    /// Until when they have to; without it the order waits for ever.
    #[serde(with = "time::serde::rfc3339::option")]
    pub authorise_before: Option<OffsetDateTime>,
    /// What is to be paid: one instruction, or those of a file.
    pub instructions: Vec<Instruction>,
    /// True when the instructions came as a file. The order's own status is then that of the file as a whole.
    pub file: bool,
}

/// One payment, or one series of payments to one payee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// InstructionIdentification, or whatever tells the instructions of one order apart.
    pub id: String,
    /// EndToEndIdentification.
    pub end_to_end: Option<String>,
    /// Who is paid. An account that this bank keeps gets the money in these books.
    pub payee: Counterparty,
    /// How much; above zero. In a series the amount of the first payment.
    pub instructed: Money,
    /// How it changes its currency; `None` when the account that pays is debited in the currency of `instructed` and the
    /// payee gets the same.
    pub conversion: Option<Conversion>,
    /// When it is paid.
    pub execution: Execution,
    /// What payee and payer read.
    pub reference: Option<String>,
    /// What the payer is charged for each payment, in the currency of the account that pays.
    pub charges: Vec<Charge>,
}

/// How a payment changes its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// What the payee gets (CurrencyOfTransfer).
    pub transfer: Currency,
    /// Units of `transfer` for one unit of the paying account's currency.
    pub rate: Rate,
}

/// What the bank takes for a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The line that a statement prints.
    pub description: String,
    /// How much; above zero, in the currency of the account that pays.
    pub amount: Money,
}

/// When an instruction is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    /// At once.
    Immediate,
    /// On that day; at once when its hour has passed, or when the signatories took so long.
    On(Date),
    /// Again and again. Days that passed while signatories were waited for are left out.
    Recurring(Schedule),
}

/// When a standing order pays, and how much. The first payment is `first` and [`Instruction::instructed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The day of the first payment.
    pub first: Date,
    /// How the days after the first one follow each other.
    pub recurrence: Recurrence,
    /// The day of the first recurring payment (RecurringPaymentDateTime), when the recurrence is to be counted from
    /// there and not from `first`.
    pub recurring_from: Option<Date>,
    /// The amount of the payments after the first one, when it is another one.
    pub recurring_amount: Option<Money>,
    /// When it ends.
    pub end: End,
    /// The amount of the last payment, when it is another one; only with [`End::On`].
    pub final_amount: Option<Money>,
}

/// When a series of payments ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// When it is cancelled.
    Never,
    /// After so many payments, the first one included, failed and left out ones too.
    After(u32),
    /// With a last payment on that day.
    On(Date),
}

impl Schedule {
    /// The day of the payment with that number (counted from 1) when the one before it was on `previous`; `None` when
    /// there is no more. Days are nominal: see [`Recurrence::moves_to_working_days`].
    pub fn day(&self, number: u32, previous: Date) -> Option<Date> {
        let last = match self.end {
            End::After(count) if number > count => return None,
            End::On(last) if number > 1 && previous >= last => return None,
            End::On(last) => Some(last),
            End::After(_) | End::Never => None,
        };
        let day = match (number, self.recurring_from) {
            (0 | 1, _) => Some(self.first),
            (_, Some(from)) if from > previous => Some(from),
            (_, from) => self.recurrence.next_after(from.unwrap_or(self.first), previous),
        };
        match (day, last) {
            (Some(day), Some(last)) => Some(day.min(last)),
            (None, Some(last)) => Some(last),
            (day, None) => day,
        }
    }

    /// The amount of the payment with that number (counted from 1) on that nominal day, when the first one's is `first`.
    pub fn amount(&self, first: Money, number: u32, day: Date) -> Money {
        match (self.end, self.final_amount) {
            (End::On(last), Some(amount)) if day >= last => amount,
            _ if number <= 1 => first,
            _ => self.recurring_amount.unwrap_or(first),
        }
    }
}

/// Why an order cannot be understood. Such an order leaves no trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// Nothing is to be paid, or more than one thing without being a file.
    #[error("expected one instruction, or at least one in a file, found {0}")]
    Instructions(usize),
    /// Two instructions have the same identification.
    #[error("two instructions are called {0:?}")]
    SameInstruction(String),
    /// The account has fewer holders than are to authorise the order, or demands more.
    #[error("expected between {least} and {holders} signatories, found {found}")]
    Signatories {
        /// How many the account demands.
        least: u8,
        /// How many holders the account has.
        holders: usize,
        /// How many are to authorise.
        found: u8,
    },
    /// An amount that is not above zero.
    #[error("instruction {instruction}: expected an amount above zero, found {found}")]
    Amount {
        /// Which instruction.
        instruction: usize,
        /// The amount.
        found: Money,
    },
    /// A charge in another currency than the account that pays, or amounts of a series in different ones.
    #[error("instruction {instruction}: expected an amount in {expected}, found {found}")]
    Currency {
        /// Which instruction.
        instruction: usize,
        /// The currency of the account or of the first payment.
        expected: Currency,
        /// The currency that was given.
        found: Currency,
    },
    /// A schedule without any payment, with a beginning in the past, an end before its beginning or a final amount and no
    /// final day.
    #[error("instruction {instruction}: {problem}")]
    Schedule {
        /// Which instruction.
        instruction: usize,
        /// What is wrong.
        problem: &'static str,
    },
}
