//! Payment orders: what a customer asks the bank to pay, when, and what became of it.
//!
//! An order comes into the books by a [`Command`]; [`crate::Books::run_until`] moves it on. Everything that happens to
//! it is written down with its time, so that a status can be told as it was.

mod command;
mod order;
mod recurrence;
mod rejection;
mod state;
mod timing;

pub use command::{Action, Command, CommandError};
pub use order::{Charge, Conversion, End, Execution, Instruction, OrderError, OrderId, PaymentOrder, Schedule};
pub use recurrence::{MonthDay, QuarterDays, Recurrence};
pub use rejection::Rejection;
pub use state::{Authorisation, Change, InstructionState, NextPayment, OrderState, OrderStatus, Payment};
pub(crate) use timing::later;
pub use timing::{Limits, Steps, Terms, Timing};
