//! Standing orders when the books leave their generated history.

use super::Books;
use crate::orders::{
    Authorisation, Change, End, Execution, Instruction, InstructionState, MonthDay, OrderId, OrderState, OrderStatus,
    PaymentOrder, Recurrence, Schedule,
};
use crate::{BooksError, StandingOrder};
use std::sync::Arc;
use time::{Date, OffsetDateTime};

impl Books {
    /// Ends the history that was made up: from `at` on, standing orders go on by [`Books::run_until`]. Everything due before
    /// `at` is taken as done.
    ///
    /// # Errors
    /// A standing order's identifier is taken by an order.
    pub(crate) fn resume(&mut self, at: OffsetDateTime) -> Result<(), BooksError> {
        let standing: Vec<_> = self.ledgers.values().flat_map(|ledger| ledger.standing_orders.clone()).collect();
        for order in standing {
            self.enrol(order, at)?;
        }
        self.now = self.now.max(Some(at));
        Ok(())
    }

    /// Makes a payment order of a standing order that exists since long.
    fn enrol(&mut self, standing: StandingOrder, at: OffsetDateTime) -> Result<(), BooksError> {
        let id = OrderId::new(standing.id.clone());
        if self.orders.contains_key(&id) {
            return Err(super::exists("order", &id));
        }
        let ledger = self.ledger(&standing.account)?;
        let holder = ledger.account.holders.first().cloned();
        let ordered_by = holder.ok_or_else(|| BooksError::NoHolder(standing.account.clone()))?;
        let created_at = crate::calendar::midnight(standing.first);
        let schedule = Schedule {
            first: standing.first,
            recurrence: Recurrence::Months { every: 1, on: Some(MonthDay::Day(standing.day)) },
            recurring_from: None,
            recurring_amount: None,
            end: End::Never,
            final_amount: None,
        };
        let instruction = Instruction {
            id: standing.id,
            end_to_end: None,
            payee: standing.payee,
            instructed: standing.amount,
            conversion: None,
            execution: Execution::Recurring(schedule),
            reference: Some(standing.reference).filter(|reference| !reference.is_empty()),
            charges: Vec::new(),
        };
        let mut progress = InstructionState::default();
        let mut next = self.upcoming(&instruction, 1, Date::MIN, OffsetDateTime::UNIX_EPOCH);
        while let Some(due) = next.filter(|due| due.at < at) {
            progress.paid_before = Some((due.day, due.amount));
            next = self.upcoming(&instruction, due.number.saturating_add(1), due.day, OffsetDateTime::UNIX_EPOCH);
        }
        let authorisation = Authorisation { customer: ordered_by.clone(), at: created_at };
        let order = PaymentOrder {
            id: id.clone(),
            debtor: standing.account.clone(),
            ordered_by,
            signatories: 1,
            authorise_before: None,
            instructions: vec![instruction],
            file: false,
        };
        let change = |status| Change { at: created_at, status, reason: None };
        let state = OrderState {
            order: Arc::new(order),
            created_at,
            history: vec![change(OrderStatus::Received), change(OrderStatus::InitiationCompleted)],
            authorisations: vec![authorisation],
            instructions: vec![progress],
            under_way: 0,
        };
        self.orders.insert(id.clone(), state);
        self.ledger_mut(&standing.account)?.orders.push(id.clone());
        self.set_next(&id, 0, next);
        Ok(())
    }
}
