//! What can be asked about orders.

use super::Books;
use crate::orders::{Execution, Instruction, InstructionState, NextPayment, OrderId, OrderState, Schedule};
use crate::{AccountId, BooksError};

/// A payment that an order has planned for a day to come.
#[derive(Clone, Copy, Debug)]
pub struct ScheduledPayment<'a> {
    /// The order.
    pub order: &'a OrderState,
    /// What is to be paid.
    pub instruction: &'a Instruction,
    /// When and how much.
    pub next: NextPayment,
}

/// A series of payments, from an order or from the history before the books.
#[derive(Clone, Copy, Debug)]
pub struct StandingInstruction<'a> {
    /// The order.
    pub order: &'a OrderState,
    /// Who is paid and with which reference.
    pub instruction: &'a Instruction,
    /// When and how much.
    pub schedule: &'a Schedule,
    /// What was paid and what comes next; nothing comes next when it has ended or was cancelled.
    pub progress: &'a InstructionState,
}

impl Books {
    /// Everything that is known of the order.
    pub fn order(&self, id: &OrderId) -> Option<&OrderState> {
        self.orders.get(id)
    }

    /// The orders to pay from the account, oldest first.
    ///
    /// # Errors
    /// There is no such account.
    pub fn orders_of<'a>(
        &'a self,
        account: &AccountId,
    ) -> Result<impl Iterator<Item = &'a OrderState> + use<'a>, BooksError> {
        Ok(self.ledger(account)?.orders.iter().filter_map(|id| self.orders.get(id)))
    }

    /// The single payments from the account whose day has not come.
    ///
    /// # Errors
    /// There is no such account.
    pub fn scheduled_payments(&self, account: &AccountId) -> Result<Vec<ScheduledPayment<'_>>, BooksError> {
        let all = self.instructions_of(account)?;
        Ok(all
            .filter_map(|(order, instruction, progress)| match instruction.execution {
                Execution::On(_) => progress.next.map(|next| ScheduledPayment { order, instruction, next }),
                Execution::Immediate | Execution::Recurring(_) => None,
            })
            .collect())
    }

    /// The standing orders of the account in the order in which they were made, ended ones too.
    ///
    /// # Errors
    /// There is no such account.
    pub fn standing_instructions(&self, account: &AccountId) -> Result<Vec<StandingInstruction<'_>>, BooksError> {
        let all = self.instructions_of(account)?;
        Ok(all
            .filter_map(|(order, instruction, progress)| match &instruction.execution {
                Execution::Recurring(schedule) => Some(StandingInstruction { order, instruction, schedule, progress }),
                Execution::Immediate | Execution::On(_) => None,
            })
            .collect())
    }

    fn instructions_of<'a>(
        &'a self,
        account: &AccountId,
    ) -> Result<impl Iterator<Item = (&'a OrderState, &'a Instruction, &'a InstructionState)> + use<'a>, BooksError>
    {
        Ok(self.orders_of(account)?.flat_map(|state| {
            state.order.instructions.iter().zip(&state.instructions).map(move |(one, other)| (state, one, other))
        }))
    }
}
