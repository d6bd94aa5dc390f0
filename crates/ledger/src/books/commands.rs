//! Commands: orders come in, are authorised, refused, cancelled.

use super::agenda::Due;
use super::{Books, exists, unknown};
use crate::orders::{
    Action, Authorisation, Change, Command, CommandError, End, Execution, Instruction, InstructionState, OrderError,
    OrderId, OrderState, OrderStatus, PaymentOrder, Rejection, Schedule,
};
use crate::{Account, BooksError, CustomerId};
use std::collections::HashSet;
use std::sync::Arc;
use time::{Date, OffsetDateTime};

impl Books {
    /// Lets everything happen that is due at the command's time and then does what it says, or refuses it and changes
    /// nothing more. That an order is rejected is no error: see [`OrderState`].
    ///
    /// # Errors
    /// The command comes too late, names something unknown or asks for what cannot be done. Such a command can be kept
    /// and repeated with the others: it is refused again.
    pub fn apply(&mut self, command: &Command) -> Result<(), CommandError> {
        let at = command.at;
        if let Some(now) = self.now.filter(|now| at < *now) {
            return Err(CommandError::Past { at, now });
        }
        self.run_until(at);
        match &command.action {
            Action::Submit(order) => self.submit(order, at)?,
            Action::Authorise { order, customer } => self.authorise(order, customer, at)?,
            Action::Refuse { order, customer } => {
                self.signatory(order, customer)?;
                self.fail(order, Rejection::OrderCancelled, at);
            }
            Action::Cancel { order } => self.cancel(order, at)?,
            Action::Step { order } => self.step_all(order, at)?,
            Action::Reject { order, reason } => self.reject(order, *reason, at)?,
            Action::SetStatus { account, status } => self.set_status(account, *status)?,
            Action::SetTerms(terms) => self.set_terms(terms.clone())?,
        }
        // What begins at once has begun when the command is done.
        self.run_until(at);
        Ok(())
    }

    /// Whether [`Books::apply`] would do what the command says, as the books stand.
    ///
    /// # Errors
    /// What [`Books::apply`] would report.
    pub fn check(&self, command: &Command) -> Result<(), CommandError> {
        if let Some(now) = self.now.filter(|now| command.at < *now) {
            return Err(CommandError::Past { at: command.at, now });
        }
        match &command.action {
            Action::Submit(order) => self.check_submission(order, command.at),
            Action::Authorise { order, customer } => self.check_authorisation(order, customer),
            Action::Refuse { order, customer } => self.signatory(order, customer).map(drop),
            Action::Cancel { order } => self.check_cancellation(order),
            Action::Step { order } => self.under_way(order).map(drop),
            Action::Reject { order, .. } => self.check_rejection(order),
            Action::SetStatus { account, .. } => Ok(self.ledger(account).map(drop)?),
            Action::SetTerms(terms) => Ok(terms.check()?),
        }
    }

    fn check_submission(&self, order: &PaymentOrder, at: OffsetDateTime) -> Result<(), CommandError> {
        if !order.id.fits() {
            return Err(BooksError::Identifier(order.id.to_string()).into());
        }
        if self.orders.contains_key(&order.id) {
            return Err(exists("order", &order.id).into());
        }
        let account = &self.ledger(&order.debtor)?.account;
        if !account.holders.contains(&order.ordered_by) {
            let (order, customer) = (order.id.clone(), order.ordered_by.clone());
            return Err(CommandError::NotAHolder { order, customer });
        }
        Ok(check(order, account, at.date())?)
    }

    fn submit(&mut self, order: &PaymentOrder, at: OffsetDateTime) -> Result<(), CommandError> {
        self.check_submission(order, at)?;
        let id = order.id.clone();
        let received = Change { at, status: OrderStatus::Received, reason: None };
        let state = OrderState {
            order: Arc::new(order.clone()),
            created_at: at,
            history: vec![received],
            authorisations: vec![Authorisation { customer: order.ordered_by.clone(), at }],
            instructions: vec![InstructionState::default(); order.instructions.len()],
            under_way: 0,
        };
        self.ledger_mut(&order.debtor)?.orders.push(id.clone());
        self.orders.insert(id.clone(), state);
        let refused = self.judge(order, at).into_iter().collect::<Result<Vec<()>, _>>().err();
        match (refused, order.authorise_before) {
            // A file's payments are judged one by one when their turn comes.
            (Some(reason), _) if !order.file => self.fail(&id, reason, at),
            (_, deadline) if order.signatories > 1 => {
                self.note(&id, OrderStatus::PartiallyAccepted, None, at);
                if let Some(deadline) = deadline {
                    self.agenda.insert((deadline.max(at), Due::Expire(id)));
                }
            }
            _ => self.accept(&id, at),
        }
        Ok(())
    }

    /// The order, if it waits for signatories and the customer can be one.
    fn signatory(&self, id: &OrderId, customer: &CustomerId) -> Result<&OrderState, CommandError> {
        let state = self.orders.get(id).ok_or_else(|| unknown("order", id))?;
        if state.status() != OrderStatus::PartiallyAccepted {
            return Err(CommandError::NotAwaiting(id.clone()));
        }
        if !self.ledger(&state.order.debtor)?.account.holders.contains(customer) {
            return Err(CommandError::NotAHolder { order: id.clone(), customer: customer.clone() });
        }
        Ok(state)
    }

    fn check_authorisation(&self, id: &OrderId, customer: &CustomerId) -> Result<(), CommandError> {
        let state = self.signatory(id, customer)?;
        if state.authorisations.iter().any(|given| given.customer == *customer) {
            return Err(CommandError::AuthorisedAlready { order: id.clone(), customer: customer.clone() });
        }
        Ok(())
    }

    fn authorise(&mut self, id: &OrderId, customer: &CustomerId, at: OffsetDateTime) -> Result<(), CommandError> {
        self.check_authorisation(id, customer)?;
        let state = self.signatory(id, customer)?;
        let order = Arc::clone(&state.order);
        let complete = state.authorisations.len() + 1 >= usize::from(order.signatories);
        if let Some(state) = self.orders.get_mut(id) {
            state.authorisations.push(Authorisation { customer: customer.clone(), at });
        }
        if complete {
            self.forget_deadline(id);
            // Much may have changed while it waited.
            match self.judge(&order, at).into_iter().find_map(Result::err) {
                Some(reason) if !order.file => self.fail(id, reason, at),
                _ => self.accept(id, at),
            }
        }
        Ok(())
    }

    fn check_cancellation(&self, id: &OrderId) -> Result<(), CommandError> {
        let state = self.orders.get(id).ok_or_else(|| unknown("order", id))?;
        let waits = state.status() == OrderStatus::PartiallyAccepted;
        if !waits && state.instructions.iter().all(|instruction| instruction.next.is_none()) {
            return Err(CommandError::NothingLeft(id.clone()));
        }
        Ok(())
    }

    fn cancel(&mut self, id: &OrderId, at: OffsetDateTime) -> Result<(), CommandError> {
        self.check_cancellation(id)?;
        self.forget_deadline(id);
        self.forget_next(id);
        self.note(id, OrderStatus::Cancelled, None, at);
        Ok(())
    }

    fn check_rejection(&self, id: &OrderId) -> Result<(), CommandError> {
        match self.check_cancellation(id) {
            Err(CommandError::NothingLeft(_)) if self.under_way(id).is_ok() => Ok(()),
            checked => checked,
        }
    }

    fn reject(&mut self, id: &OrderId, reason: Rejection, at: OffsetDateTime) -> Result<(), CommandError> {
        self.check_rejection(id)?;
        if self.check_cancellation(id).is_ok() {
            self.fail(id, reason, at);
        }
        self.reject_open(id, reason, at);
        Ok(())
    }

    /// The order comes to nothing, or to nothing more.
    pub(super) fn fail(&mut self, id: &OrderId, reason: Rejection, at: OffsetDateTime) {
        let Some(state) = self.orders.get(id) else { return };
        let failed = if state.is_one_payment() { OrderStatus::Rejected } else { OrderStatus::InitiationFailed };
        self.forget_deadline(id);
        self.forget_next(id);
        self.note(id, failed, Some(reason), at);
    }

    fn forget_deadline(&mut self, id: &OrderId) {
        let deadline = self.orders.get(id).and_then(|state| Some(state.order.authorise_before?.max(state.created_at)));
        if let Some(deadline) = deadline {
            self.agenda.remove(&(deadline, Due::Expire(id.clone())));
        }
    }

    fn forget_next(&mut self, id: &OrderId) {
        let Some(state) = self.orders.get_mut(id) else { return };
        for (index, instruction) in state.instructions.iter_mut().enumerate() {
            if let Some(next) = instruction.next.take() {
                self.agenda.remove(&(next.at, Due::Execute(id.clone(), index)));
            }
        }
    }

    /// Writes down where the order as a whole stands.
    pub(super) fn note(&mut self, id: &OrderId, status: OrderStatus, reason: Option<Rejection>, at: OffsetDateTime) {
        if let Some(state) = self.orders.get_mut(id) {
            state.history.push(Change { at, status, reason });
        }
    }
}

impl OrderState {
    /// True for a single immediate payment: the order is the payment.
    pub(super) fn is_one_payment(&self) -> bool {
        !self.order.file
            && self.order.instructions.iter().all(|instruction| instruction.execution == Execution::Immediate)
    }
}

/// Refuses what nobody could execute.
fn check(order: &PaymentOrder, account: &Account, today: Date) -> Result<(), OrderError> {
    match order.instructions.len() {
        0 => return Err(OrderError::Instructions(0)),
        more @ 2.. if !order.file => return Err(OrderError::Instructions(more)),
        _ => {}
    }
    if !(account.signatories.max(1)..=u8::try_from(account.holders.len()).unwrap_or(u8::MAX))
        .contains(&order.signatories)
    {
        return Err(OrderError::Signatories {
            least: account.signatories.max(1),
            holders: account.holders.len(),
            found: order.signatories,
        });
    }
    let mut names = HashSet::new();
    for (index, instruction) in order.instructions.iter().enumerate() {
        if !names.insert(instruction.id.as_str()) {
            return Err(OrderError::SameInstruction(instruction.id.clone()));
        }
        check_instruction(index, instruction, account, today)?;
    }
    Ok(())
}

fn check_instruction(
    index: usize,
    instruction: &Instruction,
    account: &Account,
    today: Date,
) -> Result<(), OrderError> {
    let first = instruction.instructed;
    let amounts = match &instruction.execution {
        Execution::Recurring(schedule) => {
            check_schedule(schedule, today).map_err(|problem| OrderError::Schedule { instruction: index, problem })?;
            [Some(first), schedule.recurring_amount, schedule.final_amount]
        }
        Execution::Immediate | Execution::On(_) => [Some(first), None, None],
    };
    let amounts = amounts.into_iter().flatten().map(|amount| (amount, first.currency()));
    let charges = instruction.charges.iter().map(|charge| (charge.amount, account.currency));
    for (amount, expected) in amounts.chain(charges) {
        if amount.minor() <= 0 {
            return Err(OrderError::Amount { instruction: index, found: amount });
        }
        if amount.currency() != expected {
            return Err(OrderError::Currency { instruction: index, expected, found: amount.currency() });
        }
    }
    Ok(())
}

fn check_schedule(schedule: &Schedule, today: Date) -> Result<(), &'static str> {
    match schedule.end {
        // Otherwise all the days that it missed would be paid at once.
        _ if schedule.first < today => Err("the first payment is in the past"),
        End::After(0) => Err("expected at least one payment"),
        End::On(last) if last < schedule.first => Err("the final payment is before the first one"),
        End::Never | End::After(_) if schedule.final_amount.is_some() => Err("a final amount needs a final day"),
        _ if schedule.recurring_from.is_some_and(|from| from <= schedule.first) => {
            Err("the first recurring payment is not after the first one")
        }
        _ => Ok(()),
    }
}
