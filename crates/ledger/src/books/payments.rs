//! Payments on their way: the money is held, debited, credited.

use super::Books;
use super::agenda::Due;
use super::judgement::Figures;
use crate::calendar::working_day_from;
use crate::dice::Dice;
use crate::orders::{
    Change, CommandError, Execution, Instruction, NextPayment, OrderId, OrderStatus, Payment, PaymentOrder, Rejection,
    Steps, Terms, later,
};
use crate::{
    AccountStatus, BooksError, Contra, Counterparty, Details, Entry, EntryId, Exchange, Kind, Posting, TransactionId,
};
use openbanking::money::Money;
use std::sync::Arc;
use time::{Date, OffsetDateTime};

/// An identifier that follows from what it is for.
fn derived(order: &OrderId, instruction: usize, number: u32, purpose: &str) -> String {
    Dice::new(0, &["order", order.as_str(), &instruction.to_string(), &number.to_string(), purpose]).identifier(24)
}

impl Books {
    /// Sets the terms of payments. Steps that are planned keep their time.
    ///
    /// # Errors
    /// A limit is in another currency than its accounts or not above zero; then nothing has changed.
    pub fn set_terms(&mut self, terms: Terms) -> Result<(), BooksError> {
        terms.check()?;
        self.terms = terms;
        Ok(())
    }

    /// The terms of payments.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Nothing more stands in the order's way: what is immediate begins, the rest is planned.
    pub(super) fn accept(&mut self, id: &OrderId, at: OffsetDateTime) {
        let Some(state) = self.orders.get(id) else { return };
        let (order, one) = (Arc::clone(&state.order), state.is_one_payment());
        let mut over = false;
        for (index, instruction) in order.instructions.iter().enumerate() {
            match instruction.execution {
                Execution::Immediate => self.begin(&order, index, (1, at.date(), instruction.instructed), at),
                Execution::On(_) | Execution::Recurring(_) => {
                    let next = self.first(instruction, at);
                    over |= next.is_none();
                    self.set_next(&order.id, index, next);
                }
            }
        }
        match order.file {
            true => self.conclude_file(id, at),
            // All its days passed while signatories were waited for.
            false if over => self.fail(id, Rejection::AuthorisationExpired, at),
            false if !one => self.note(id, OrderStatus::InitiationCompleted, None, at),
            false => {}
        }
    }

    /// The first payment of what is accepted now. Days of a series that have passed are left out, and count.
    fn first(&self, instruction: &Instruction, at: OffsetDateTime) -> Option<NextPayment> {
        let mut next = self.upcoming(instruction, 1, Date::MIN, OffsetDateTime::UNIX_EPOCH);
        while let Some(missed) = next.filter(|next| next.at.date() < at.date())
            && matches!(instruction.execution, Execution::Recurring(_))
        {
            let number = missed.number.saturating_add(1);
            next = self.upcoming(instruction, number, missed.day, OffsetDateTime::UNIX_EPOCH);
        }
        next.map(|next| NextPayment { at: next.at.max(at), ..next })
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
        let moment = moved.with_time(self.terms.timing.time_of_day).assume_utc();
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
        let timing = self.terms.timing;
        let Some(payment) = self.payment(id, index, number).filter(|payment| payment.status().is_under_way()) else {
            return;
        };
        let begun = payment.history.first().map_or(at, |change| change.at);
        let credited = if payment.debit.currency() == payment.credit.currency() {
            timing.credited
        } else {
            timing.credited_abroad
        };
        let moment = match payment.status() {
            OrderStatus::Received => later(begun, timing.in_process),
            OrderStatus::AcceptedSettlementInProcess => later(begun, timing.debited),
            OrderStatus::AcceptedSettlementCompleted if payment.creditor.is_none() => {
                later(begun, timing.without_posting)
            }
            OrderStatus::Blocked => later(at, timing.blocked),
            _ => later(begun, credited),
        };
        if timing.steps == Steps::Auto {
            let moment = moment.max(at);
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
        let credit = payment.credit;
        let (status, reason) = match status {
            OrderStatus::Received => (OrderStatus::AcceptedSettlementInProcess, None),
            OrderStatus::AcceptedSettlementInProcess => match entry.map(|entry| self.book(&entry, at)) {
                Some(Ok(())) => (OrderStatus::AcceptedSettlementCompleted, None),
                Some(Err(_)) | None => (OrderStatus::Rejected, Some(Rejection::NotSpecified)),
            },
            OrderStatus::AcceptedSettlementCompleted if !within => (OrderStatus::AcceptedWithoutPosting, None),
            OrderStatus::AcceptedSettlementCompleted | OrderStatus::Blocked => {
                match self.credit(&order, index, number, at) {
                    Ok(()) => (OrderStatus::AcceptedCreditSettlementCompleted, None),
                    // A block may end.
                    Err(reason @ Rejection::BlockedCreditorAccount) if status != OrderStatus::Blocked => {
                        (OrderStatus::Blocked, Some(reason))
                    }
                    Err(reason) => {
                        self.give_back(&order, index, number, at);
                        (OrderStatus::Rejected, Some(reason))
                    }
                }
            }
            OrderStatus::AcceptedWithoutPosting => {
                self.shift(Contra::Clearing, Contra::External, credit);
                (OrderStatus::AcceptedCreditSettlementCompleted, None)
            }
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
        let open = self.open_payments(id)?;
        if open.is_empty() { Err(CommandError::NothingUnderWay(id.clone())) } else { Ok(open) }
    }

    /// The next step of all open payments of an order.
    pub(super) fn step_all(&mut self, id: &OrderId, at: OffsetDateTime) -> Result<(), CommandError> {
        for (index, number) in self.under_way(id)? {
            self.step(id, index, number, at);
        }
        Ok(())
    }

    /// Instruction and number of the payments that are under way.
    fn open_payments(&self, id: &OrderId) -> Result<Vec<(usize, u32)>, CommandError> {
        let state = self.orders.get(id).ok_or_else(|| super::unknown("order", id))?;
        let instructions = state.instructions.iter().enumerate();
        let payments =
            instructions.flat_map(|(index, progress)| progress.payments.iter().map(move |payment| (index, payment)));
        Ok(payments
            .filter(|(_, payment)| payment.status().is_under_way())
            .map(|(index, payment)| (index, payment.number))
            .collect())
    }

    /// Rejects what has not arrived: what is held is free again, what is debited comes back.
    pub(super) fn reject_open(&mut self, id: &OrderId, reason: Rejection, at: OffsetDateTime) {
        let Some(order) = self.orders.get(id).map(|state| Arc::clone(&state.order)) else { return };
        for (index, number) in self.open_payments(id).unwrap_or_default() {
            let Some(payment) = self.payment(id, index, number) else { continue };
            let (moment, entry) = (payment.next_step.take(), payment.entry.clone());
            let debited = payment.debited_at().is_some();
            if let Some(moment) = moment {
                self.agenda.remove(&(moment, Due::Step(id.clone(), index, number)));
            }
            match entry {
                // It is pending as long as the payment is not debited.
                Some(entry) if !debited => {
                    drop(self.release(&entry));
                    self.forget_spent(&order, index, number);
                }
                _ => self.give_back(&order, index, number, at),
            }
            self.change(id, index, number, Change { at, status: OrderStatus::Rejected, reason: Some(reason) });
        }
    }

    /// A payment that is not made does not count towards the limit of its day.
    fn forget_spent(&mut self, order: &PaymentOrder, index: usize, number: u32) {
        let Some(payment) = self.payment(&order.id, index, number) else { return };
        let (begun, minor) = (payment.history.first().map(|change| change.at.date()), payment.debit.minor());
        if let Some((day, spent)) = self.ledger_mut(&order.debtor).ok().and_then(|ledger| ledger.ordered.as_mut())
            && begun == Some(*day)
        {
            *spent -= minor;
        }
    }

    /// A payment that was debited and cannot arrive comes back with its charges, as the mirror of its debit.
    fn give_back(&mut self, order: &PaymentOrder, index: usize, number: u32, at: OffsetDateTime) {
        self.forget_spent(order, index, number);
        let Some(payment) = self.payment(&order.id, index, number) else { return };
        let figures = Figures { debit: payment.debit, credit: payment.credit, creditor: payment.creditor.clone() };
        let waits = waiting_in(&figures);
        let id = EntryId::new(derived(&order.id, index, number, "return entry"));
        let entry = Entry::booked(id, at, self.returned(order, index, number, &figures));
        let open = self.account(&order.debtor).is_some_and(|account| account.status != AccountStatus::Closed);
        // Only sums that no longer fit stand in the way of an open account.
        if !open || self.post(entry).is_err() {
            self.shift(waits, Contra::Unclaimed, figures.credit);
        }
    }

    /// The lines by which a payment comes back.
    fn returned(&self, order: &PaymentOrder, index: usize, number: u32, figures: &Figures) -> Vec<Posting> {
        let text = |description: String| format!("RETURNED {description}");
        let lines = self.debit_lines(order, index, number, figures).into_iter().enumerate();
        let mirrored = lines.map(|(line, posting)| match posting {
            Posting::Account { account, amount, details } => {
                let id = derived(&order.id, index, number, &format!("return {line}"));
                let details = Details {
                    transaction: TransactionId::new(id),
                    kind: Kind::PaymentReturned,
                    description: text(details.description),
                    ..*details
                };
                Posting::on(account, minus(amount), details)
            }
            Posting::Contra { contra, amount } => Posting::against(contra, minus(amount)),
        });
        mirrored.collect()
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
        let transaction = debit_transaction(&order.id, index, number);
        let expected = match self.terms.timing.steps {
            Steps::Auto => later(at, self.terms.timing.in_process.max(self.terms.timing.debited)),
            Steps::Explicit => at,
        };
        let id = EntryId::new(derived(&order.id, index, number, "debit entry"));
        (Entry::pending(id, at, expected, self.debit_lines(order, index, number, figures)), transaction)
    }

    /// What is taken from the payer, where it waits, and what the bank earns by it.
    fn debit_lines(&self, order: &PaymentOrder, index: usize, number: u32, figures: &Figures) -> Vec<Posting> {
        let Some(instruction) = order.instructions.get(index) else { return Vec::new() };
        let Figures { debit, credit, creditor } = figures;
        let details = Details {
            counterparty: Some(instruction.payee.clone()),
            reference: instruction.reference.clone(),
            exchange: exchange(instruction, *debit, *credit),
            ..Details::new(
                debit_transaction(&order.id, index, number),
                kind(instruction, figures),
                description(instruction, creditor.is_some()),
            )
        };
        let mut postings = vec![Posting::on(order.debtor.clone(), minus(*debit), details)];
        if debit.currency() != credit.currency() {
            postings.push(Posting::against(Contra::ForeignExchange, *debit));
            postings.push(Posting::against(Contra::ForeignExchange, minus(*credit)));
        }
        postings.push(Posting::against(waiting_in(figures), *credit));
        for (charge_number, charge) in instruction.charges.iter().enumerate() {
            let id = derived(&order.id, index, number, &format!("charge {charge_number}"));
            let details = Details::new(TransactionId::new(id), Kind::Fee, charge.description.clone());
            postings.push(Posting::on(order.debtor.clone(), minus(charge.amount), details));
            postings.push(Posting::against(Contra::Earnings, charge.amount));
        }
        postings
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

fn minus(amount: Money) -> Money {
    Money::new(-amount.minor(), amount.currency())
}

fn debit_transaction(order: &OrderId, index: usize, number: u32) -> TransactionId {
    TransactionId::new(derived(order, index, number, "debit"))
}

/// Where the money of a payment is between debit and credit.
fn waiting_in(figures: &Figures) -> Contra {
    if figures.creditor.is_some() { Contra::Transit } else { Contra::Clearing }
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
