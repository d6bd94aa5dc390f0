//! What goes on by itself when the books leave their generated history: standing orders, and the habits that bring and
//! take money every month.

use super::Books;
use super::agenda::Due;
use crate::calendar::{at as moment_of, monthly, working_day_from, working_day_until};
use crate::dice::Dice;
use crate::mandate::Regular;
use crate::orders::{
    Authorisation, Change, End, Execution, Instruction, InstructionState, MonthDay, OrderId, OrderState, OrderStatus,
    PaymentOrder, Recurrence, Schedule,
};
use crate::{BooksError, Counterparty, Details, Entry, EntryId, Kind, Posting, StandingOrder, TransactionId};
use openbanking::money::Money;
use std::sync::Arc;
use time::{Date, Duration, OffsetDateTime};

impl Books {
    /// Ends the history that was made up: from `at` on, standing orders and monthly habits go on by
    /// [`Books::run_until`]. Everything due before `at` is taken as done.
    ///
    /// # Errors
    /// A standing order's identifier is taken by an order.
    pub(crate) fn resume(&mut self, at: OffsetDateTime) -> Result<(), BooksError> {
        let standing: Vec<_> = self.ledgers.values().flat_map(|ledger| ledger.standing_orders.clone()).collect();
        for order in standing {
            self.enrol(order, at)?;
        }
        for number in 0..self.habits.len() {
            self.plan_habit(number, at);
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

    /// Records a habit; it begins to act with [`Books::resume`].
    pub(crate) fn add_habit(&mut self, habit: Regular) {
        self.habits.push(habit);
    }

    /// Plans the first time at or after `from` at which the habit acts.
    fn plan_habit(&mut self, number: usize, from: OffsetDateTime) {
        let due = self.habits.get(number).and_then(|habit| habit.next(from));
        if let Some(due) = due {
            self.agenda.insert((due, Due::Habit(number)));
        }
    }

    /// A habit acts, if the account can bear it; then it is planned again.
    pub(super) fn habit(&mut self, number: usize, at: OffsetDateTime) {
        let Some(habit) = self.habits.get(number) else { return };
        let mut dice = habit.dice("month", at);
        let minor = habit.draw(&mut dice, at.date());
        let amount = habit.amount(minor);
        let (account, contra) = (habit.account.clone(), habit.contra);
        let name = habit.name.to_uppercase();
        let description = match &habit.reference {
            Some(reference) => format!("{name} {reference}"),
            None => name,
        };
        let counterparty = Counterparty { name: habit.name.clone(), account: habit.number.clone() };
        let details = Details {
            counterparty: (habit.kind != Kind::Fee).then_some(counterparty),
            reference: habit.reference.clone(),
            ..Details::new(TransactionId::new(dice.identifier(24)), habit.kind, description)
        };
        let id = EntryId::new(dice.identifier(24));
        self.plan_habit(number, at + Duration::DAY);
        let back = Money::new(-amount.minor(), amount.currency());
        let affordable = amount.minor() > 0 || self.can_pay(&account, back, at).is_ok_and(|can| can);
        let open = self.account(&account).is_some_and(|account| account.status != crate::AccountStatus::Closed);
        if amount.minor() != 0 && affordable && open {
            let postings = vec![Posting::on(account, amount, details), Posting::against(contra, back)];
            // Nothing can be refused but sums that no longer fit: then the habit pauses.
            drop(self.post(Entry::booked(id, at, postings)));
        }
    }
}

impl Regular {
    fn dice(&self, purpose: &str, day: OffsetDateTime) -> Dice {
        Dice::new(self.seed, &["regular", purpose, &self.key, &day.date().to_string()])
    }

    /// The first moment at or after `from`.
    fn next(&self, from: OffsetDateTime) -> Option<OffsetDateTime> {
        let wanted = |date: &Date| self.months.as_ref().is_none_or(|months| months.contains(&u8::from(date.month())));
        let shift = if self.early { working_day_until } else { working_day_from };
        let until = from.date().saturating_add(Duration::days(800));
        let (hour, minute) = self.time_of_day();
        let days = monthly(from.date(), until, self.day).filter(wanted).map(shift);
        days.map(|day| moment_of(day, hour, minute, self.dice("second", moment_of(day, 0, 0, 0)).below(60)))
            .find(|moment| *moment >= from)
    }
}
