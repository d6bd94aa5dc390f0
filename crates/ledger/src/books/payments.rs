//! Payments on their way: the money is held, debited, credited.

use super::Books;
use super::agenda::Due;
use super::judgement::Figures;
use crate::calendar::working_day_from;
use crate::dice::Dice;
use crate::orders::{
    Change, CommandError, Execution, Instruction, NextPayment, OrderId, OrderStatus, Payment, PaymentOrder, Rejection,
    Steps, Timing, later,
};
use crate::{AccountStatus, Contra, Counterparty, Details, Entry, EntryId, Exchange, Kind, Posting, TransactionId};
use openbanking::money::Money;
use std::sync::Arc;
use time::{Date, OffsetDateTime};

/// An identifier that follows from what it is for.
fn derived(order: &OrderId, instruction: usize, number: u32, purpose: &str) -> String {
    Dice::new(0, &["order", order.as_str(), &instruction.to_string(), &number.to_string(), purpose]).identifier(24)
}

impl Books {
    /// Sets how long the steps of payments take. For books without open payments: steps that are planned keep their time.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// How long the steps of payments take.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Nothing more stands in the order's way: what is immediate begins, the rest is planned.
    pub(super) fn accept(&mut self, id: &OrderId, at: OffsetDateTime) {
        let Some(state) = self.orders.get(id) else { return };
        let (order, one) = (Arc::clone(&state.order), state.is_one_payment());
        for (index, instruction) in order.instructions.iter().enumerate() {
            match instruction.execution {
                Execution::Immediate => self.begin(&order, index, (1, at.date(), instruction.instructed), at),
                Execution::On(_) | Execution::Recurring(_) => self.plan(&order, index, 1, Date::MIN, at),
            }
        }
        match order.file {
            true => self.conclude_file(id, at),
            false if !one => self.note(id, OrderStatus::InitiationCompleted, None, at),
            false => {}
        }
    }

    /// Plans the payment with that number, if there is one.
    fn plan(&mut self, order: &PaymentOrder, index: usize, number: u32, previous: Date, at: OffsetDateTime) {
        let next =
            order.instructions.get(index).and_then(|instruction| self.upcoming(instruction, number, previous, at));
        self.set_next(&order.id, index, next);
    }

    pub(super) fn set_next(&mut self, id: &OrderId, index: usize, next: Option<NextPayment>) {
        if let Some(progress) = self.orders.get_mut(id).and_then(|state| state.instructions.get_mut(index)) {
            progress.next = next;
            if let Some(next) = next {
                self.agenda.insert((next.at, Due::Execute(id.clone(), index)));
            }
        }
    }

    /// The payment with that number when the one before it was due on `previous`; not before `at`.
    pub(super) fn upcoming(
        &self,
        instruction: &Instruction,
        number: u32,
        previous: Date,
        at: OffsetDateTime,
    ) -> Option<NextPayment> {
        let (day, moved, amount) = match &instruction.execution {
            Execution::On(day) if number == 1 => (*day, *day, instruction.instructed),
            Execution::Recurring(schedule) => {
                let day = schedule.day(number, previous)?;
                let moved = if schedule.recurrence.moves_to_working_days() { working_day_from(day) } else { day };
                (day, moved, schedule.amount(instruction.instructed, number, day))
            }
            Execution::Immediate | Execution::On(_) => return None,
        };
        let moment = moved.with_time(self.timing.time_of_day).assume_utc();
        Some(NextPayment { number, day, at: moment.max(at), amount })
    }

    /// The day of a planned payment has come.
    pub(super) fn execute(&mut self, id: &OrderId, index: usize, at: OffsetDateTime) {
        let Some(state) = self.orders.get_mut(id) else { return };
        let order = Arc::clone(&state.order);
        let Some(due) = state.instructions.get_mut(index).and_then(|progress| progress.next.take()) else { return };
        self.begin(&order, index, (due.number, due.day, due.amount), at);
        self.plan(&order, index, due.number.saturating_add(1), due.day, at);
    }

    /// A payment begins: its money is held, or it is rejected.
    fn begin(&mut self, order: &PaymentOrder, index: usize, what: (u32, Date, Money), at: OffsetDateTime) {
        let (number, day, amount) = what;
        let Some(instruction) = order.instructions.get(index) else { return };
        let held = self.weigh(&order.debtor, instruction, amount, Some(at)).and_then(|figures| {
            let (entry, transaction) = self.debit_entry(order, index, number, &figures, at);
            let id = entry.id.clone();
            // Only sums that no longer fit stand in the way of what was weighed.
            self.hold(entry).map_err(|_| Rejection::NotAllowedAmount)?;
            Ok((figures, id, transaction))
        });
        let (status, reason) = match &held {
            Ok(_) => (OrderStatus::Received, None),
            Err(reason) => (OrderStatus::Rejected, Some(*reason)),
        };
        let history = vec![Change { at, status, reason }];
        let payment = match held {
            Ok((figures, entry, transaction)) => Payment {
                number,
                day,
                debit: figures.debit,
                credit: figures.credit,
                creditor: figures.creditor,
                entry: Some(entry),
                transaction: Some(transaction),
                history,
                next_step: None,
            },
            Err(_) => Payment {
                number,
                day,
                debit: amount,
                credit: amount,
                creditor: None,
                entry: None,
                transaction: None,
                history,
                next_step: None,
            },
        };
        let spent = if status == OrderStatus::Received { payment.debit.minor() } else { 0 };
        if let Ok(ledger) = self.ledger_mut(&order.debtor) {
            let before = ledger.ordered.filter(|(day, _)| *day == at.date()).map_or(0, |(_, minor)| minor);
            ledger.ordered = Some((at.date(), before.saturating_add(spent)));
        }
        let Some(state) = self.orders.get_mut(&order.id) else { return };
        state.under_way += usize::from(status.is_under_way());
        if let Some(progress) = state.instructions.get_mut(index) {
            progress.payments.push(payment);
        }
        match reason {
            Some(_) if state.is_one_payment() => self.note(&order.id, status, reason, at),
            Some(_) => {}
            None => self.plan_step(&order.id, index, number, at),
        }
    }

    fn payment(&mut self, id: &OrderId, index: usize, number: u32) -> Option<&mut Payment> {
        let payments = &mut self.orders.get_mut(id)?.instructions.get_mut(index)?.payments;
        payments.iter_mut().rev().find(|payment| payment.number == number)
    }

    /// Enters the payment's next step into the agenda, unless only commands make steps.
    fn plan_step(&mut self, id: &OrderId, index: usize, number: u32, at: OffsetDateTime) {
        let timing = self.timing;
        let Some(payment) = self.payment(id, index, number).filter(|payment| payment.status().is_under_way()) else {
            return;
        };
        let begun = payment.history.first().map_or(at, |change| change.at);
        let credited = if payment.debit.currency() == payment.credit.currency() {
            timing.credited
        } else {
            timing.credited_abroad
        };
        let seconds = match payment.status() {
            OrderStatus::Received => timing.in_process,
            OrderStatus::AcceptedSettlementInProcess => timing.debited,
            OrderStatus::AcceptedSettlementCompleted if payment.creditor.is_none() => timing.without_posting,
            _ => credited,
        };
        if timing.steps == Steps::Auto {
            let moment = later(begun, seconds).max(at);
            payment.next_step = Some(moment);
            self.agenda.insert((moment, Due::Step(id.clone(), index, number)));
        }
    }

    /// The payment takes its next step.
    pub(super) fn step(&mut self, id: &OrderId, index: usize, number: u32, at: OffsetDateTime) {
        let Some(order) = self.orders.get(id).map(|state| Arc::clone(&state.order)) else { return };
        let Some(payment) = self.payment(id, index, number) else { return };
        if let Some(moment) = payment.next_step.take() {
            self.agenda.remove(&(moment, Due::Step(id.clone(), index, number)));
        }
        let Some(payment) = self.payment(id, index, number) else { return };
        let (status, within, entry) = (payment.status(), payment.creditor.is_some(), payment.entry.clone());
        let (status, reason) = match status {
            OrderStatus::Received => (OrderStatus::AcceptedSettlementInProcess, None),
            OrderStatus::AcceptedSettlementInProcess => match entry.map(|entry| self.book(&entry, at)) {
                Some(Ok(())) => (OrderStatus::AcceptedSettlementCompleted, None),
                Some(Err(_)) | None => (OrderStatus::Rejected, Some(Rejection::NotSpecified)),
            },
            OrderStatus::AcceptedSettlementCompleted if !within => (OrderStatus::AcceptedWithoutPosting, None),
            OrderStatus::AcceptedSettlementCompleted => match self.credit(&order, index, number, at) {
                Ok(()) => (OrderStatus::AcceptedCreditSettlementCompleted, None),
                Err(reason) => (OrderStatus::Blocked, Some(reason)),
            },
            OrderStatus::AcceptedWithoutPosting => (OrderStatus::AcceptedCreditSettlementCompleted, None),
            _ => return,
        };
        self.change(id, index, number, Change { at, status, reason });
        self.plan_step(id, index, number, at);
    }

    /// Writes down where a payment stands, and where its order does.
    fn change(&mut self, id: &OrderId, index: usize, number: u32, change: Change) {
        if let Some(payment) = self.payment(id, index, number) {
            payment.history.push(change);
        }
        let Some(state) = self.orders.get_mut(id) else { return };
        if !change.status.is_under_way() {
            state.under_way = state.under_way.saturating_sub(1);
        }
        match state.is_one_payment() {
            true => self.note(id, change.status, change.reason, change.at),
            false => self.conclude_file(id, change.at),
        }
    }

    /// A file is worked through when none of its payments is under way.
    fn conclude_file(&mut self, id: &OrderId, at: OffsetDateTime) {
        let Some(state) = self.orders.get(id).filter(|state| state.order.file && state.under_way == 0) else { return };
        if !matches!(state.status(), OrderStatus::Received | OrderStatus::PartiallyAccepted) {
            return;
        }
        let payments = || state.instructions.iter().flat_map(|progress| &progress.payments);
        let planned = state.instructions.iter().any(|progress| progress.next.is_some());
        let refused = payments().find_map(Payment::reason);
        let paid = payments().any(|payment| payment.status() != OrderStatus::Rejected);
        match planned || paid {
            true => self.note(id, OrderStatus::InitiationCompleted, None, at),
            false => self.note(id, OrderStatus::InitiationFailed, refused, at),
        }
    }

    /// The open payments of an order; there is at least one.
    pub(super) fn under_way(&self, id: &OrderId) -> Result<Vec<(usize, u32)>, CommandError> {
        let open = self.open_payments(id, OrderStatus::is_under_way)?;
        if open.is_empty() { Err(CommandError::NothingUnderWay(id.clone())) } else { Ok(open) }
    }

    /// The payments of an order that are held and not yet debited.
    pub(super) fn held(&self, id: &OrderId) -> Result<Vec<(usize, u32)>, CommandError> {
        let held = |status| matches!(status, OrderStatus::Received | OrderStatus::AcceptedSettlementInProcess);
        self.open_payments(id, held)
    }

    /// The next step of all open payments of an order.
    pub(super) fn step_all(&mut self, id: &OrderId, at: OffsetDateTime) -> Result<(), CommandError> {
        for (index, number) in self.under_way(id)? {
            self.step(id, index, number, at);
        }
        Ok(())
    }

    /// Instruction and number of the payments in such a status.
    fn open_payments(
        &self,
        id: &OrderId,
        wanted: impl Fn(OrderStatus) -> bool,
    ) -> Result<Vec<(usize, u32)>, CommandError> {
        let state = self.orders.get(id).ok_or_else(|| super::unknown("order", id))?;
        let instructions = state.instructions.iter().enumerate();
        let payments =
            instructions.flat_map(|(index, progress)| progress.payments.iter().map(move |payment| (index, payment)));
        Ok(payments
            .filter(|(_, payment)| wanted(payment.status()))
            .map(|(index, payment)| (index, payment.number))
            .collect())
    }

    /// Rejects what is held and not yet debited.
    pub(super) fn release_held(&mut self, id: &OrderId, reason: Rejection, at: OffsetDateTime) {
        let held = self.held(id).unwrap_or_default();
        for (index, number) in &held {
            let Some(payment) = self.payment(id, *index, *number) else { continue };
            let (moment, entry, minor) = (payment.next_step.take(), payment.entry.clone(), payment.debit.minor());
            let begun = payment.history.first().map(|change| change.at.date());
            if let Some(moment) = moment {
                self.agenda.remove(&(moment, Due::Step(id.clone(), *index, *number)));
            }
            if let Some(entry) = entry {
                // It is pending as long as the payment is not debited.
                drop(self.release(&entry));
            }
            let debtor = self.orders.get(id).map(|state| state.order.debtor.clone());
            if let Some((day, spent)) = debtor.and_then(|debtor| self.ledger_mut(&debtor).ok()?.ordered.as_mut())
                && begun == Some(*day)
            {
                *spent -= minor;
            }
            self.change(id, *index, *number, Change { at, status: OrderStatus::Rejected, reason: Some(reason) });
        }
    }

    /// The payer's side of a payment, and the payer's transaction.
    fn debit_entry(
        &self,
        order: &PaymentOrder,
        index: usize,
        number: u32,
        figures: &Figures,
        at: OffsetDateTime,
    ) -> (Entry, TransactionId) {
        let instruction = &order.instructions[index];
        let Figures { debit, credit, creditor } = figures;
        let minus = |amount: Money| Money::new(-amount.minor(), amount.currency());
        let transaction = TransactionId::new(derived(&order.id, index, number, "debit"));
        let details = Details {
            counterparty: Some(instruction.payee.clone()),
            reference: instruction.reference.clone(),
            exchange: exchange(instruction, *debit, *credit),
            ..Details::new(
                transaction.clone(),
                kind(instruction, figures),
                description(instruction, creditor.is_some()),
            )
        };
        let mut postings = vec![Posting::on(order.debtor.clone(), minus(*debit), details)];
        if debit.currency() != credit.currency() {
            postings.push(Posting::against(Contra::ForeignExchange, *debit));
            postings.push(Posting::against(Contra::ForeignExchange, minus(*credit)));
        }
        let contra = if creditor.is_some() { Contra::Transit } else { Contra::External };
        postings.push(Posting::against(contra, *credit));
        for (charge_number, charge) in instruction.charges.iter().enumerate() {
            let id = derived(&order.id, index, number, &format!("charge {charge_number}"));
            let details = Details::new(TransactionId::new(id), Kind::Fee, charge.description.clone());
            postings.push(Posting::on(order.debtor.clone(), minus(charge.amount), details));
            postings.push(Posting::against(Contra::Earnings, charge.amount));
        }
        let expected = match self.timing.steps {
            Steps::Auto => later(at, self.timing.in_process.max(self.timing.debited)),
            Steps::Explicit => at,
        };
        let id = EntryId::new(derived(&order.id, index, number, "debit entry"));
        (Entry::pending(id, at, expected, postings), transaction)
    }

    /// The payee's side of a payment within the bank.
    fn credit(&mut self, order: &PaymentOrder, index: usize, number: u32, at: OffsetDateTime) -> Result<(), Rejection> {
        let gone = Rejection::IncorrectCreditorAccount;
        let payment = self.payment(&order.id, index, number).ok_or(gone)?;
        let (debit, credit, creditor) = (payment.debit, payment.credit, payment.creditor.clone().ok_or(gone)?);
        match self.account(&creditor).ok_or(gone)?.status {
            AccountStatus::Enabled => {}
            AccountStatus::Disabled => return Err(Rejection::BlockedCreditorAccount),
            AccountStatus::Closed => return Err(Rejection::ClosedCreditorAccount),
        }
        let payer = self.account(&order.debtor).ok_or(gone)?;
        let instruction = order.instructions.get(index).ok_or(gone)?;
        let name = payer.holder_name.clone();
        let text = match &instruction.reference {
            Some(reference) => format!("FROM {} {reference}", name.to_uppercase()),
            None => format!("FROM {}", name.to_uppercase()),
        };
        let exchange = exchange(instruction, debit, credit);
        let kind = if exchange.is_some() { Kind::CurrencyExchange } else { Kind::Transfer };
        let details = Details {
            counterparty: Some(Counterparty { name, account: Some(payer.identification.clone()) }),
            reference: instruction.reference.clone(),
            exchange,
            ..Details::new(TransactionId::new(derived(&order.id, index, number, "credit")), kind, text)
        };
        let postings = vec![
            Posting::on(creditor, credit, details),
            Posting::against(Contra::Transit, Money::new(-credit.minor(), credit.currency())),
        ];
        let id = EntryId::new(derived(&order.id, index, number, "credit entry"));
        self.post(Entry::booked(id, at, postings)).map_err(|_| Rejection::NotAllowedAmount)
    }
}

fn kind(instruction: &Instruction, figures: &Figures) -> Kind {
    let converted = figures.debit.currency() != figures.credit.currency();
    match (&instruction.execution, &figures.creditor) {
        (Execution::Recurring(_), _) => Kind::StandingOrder,
        (_, Some(_)) if converted => Kind::CurrencyExchange,
        (_, Some(_)) => Kind::Transfer,
        (_, None) => Kind::PaymentSent,
    }
}

/// The line on the payer's statement.
fn description(instruction: &Instruction, within: bool) -> String {
    let name = instruction.payee.name.to_uppercase();
    let name = if within { format!("TO {name}") } else { name };
    match &instruction.reference {
        Some(reference) => format!("{name} {reference}"),
        None => name,
    }
}

fn exchange(instruction: &Instruction, debit: Money, credit: Money) -> Option<Exchange> {
    let conversion = instruction.conversion.filter(|_| debit.currency() != credit.currency())?;
    let instructed = if instruction.instructed.currency() == debit.currency() { debit } else { credit };
    Some(Exchange { instructed, source: debit.currency(), target: credit.currency(), rate: conversion.rate })
}
