//! Turns habits into dated events, and standing orders and direct debits into mandates.

use super::people::{Desk, Opened, currency};
use super::{GenerateError, Window};
use crate::calendar::{
    at, daily, month_index, monthly, rests, working_day_from, working_day_until, working_days_after,
};
use crate::dice::Dice;
use crate::mandate::time_of_day;
use crate::personas::{Amount, CardUse, CashUse, Habit, Interest, Monthly, Occasional, Personas, Range};
use crate::{AccountKind, Beneficiary, Contra, Counterparty, DirectDebit, Identification, Kind, StandingOrder};
use openbanking::money::{Currency, Money};
use std::collections::HashMap;
use time::{Date, Duration, OffsetDateTime};

/// Something that is going to happen on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(super) made_at: OffsetDateTime,
    pub(super) booked_at: OffsetDateTime,
    /// Index of the account's desk.
    pub(super) desk: usize,
    pub(super) act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Money comes from or goes to the world outside.
    Outside(Outside),
    /// Money goes to another account of the bank.
    Move { to: usize, minor: i64, reference: Option<String> },
    /// What is owed on a card is repaid.
    Repay { card: usize, percent: u8 },
    /// Interest on the balance of the moment.
    Interest(Interest),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) kind: Kind,
    /// Signed, in hundredths of `currency`.
    pub(super) minor: i64,
    /// Of the amount, when it is not the account's.
    pub(super) currency: Option<Currency>,
    pub(super) contra: Contra,
    pub(super) name: String,
    pub(super) account: Option<Identification>,
    pub(super) category: Option<String>,
    pub(super) reference: Option<String>,
    /// Left undone when there is no money for it, instead of using the credit line of a current account.
    pub(super) optional: bool,
}

impl Outside {
    fn new(kind: Kind, minor: i64, contra: Contra, name: &str) -> Self {
        Self {
            kind,
            minor,
            currency: None,
            contra,
            name: name.to_owned(),
            account: None,
            category: None,
            reference: None,
            optional: false,
        }
    }
}

/// More would not be a habit.
const MOST_PER_DAY: u64 = 20;

/// The longest that a day of the month moves to find a working day.
const LONGEST_SHIFT: Duration = Duration::days(10);

/// What is written down about a habit beside its events.
enum Mandate {
    DirectDebit(DirectDebit),
    StandingOrder(StandingOrder),
    Beneficiary(Beneficiary),
}

struct Planner<'a> {
    desks: &'a [Desk],
    by_key: &'a HashMap<String, usize>,
    window: Window,
    events: Vec<Event>,
    mandates: Vec<Mandate>,
    desk: usize,
    /// First day on which the account's habits happen.
    from: Date,
    key: &'a str,
    number: usize,
    dice: Dice,
}

/// What a planner makes of the habits of one day, after the history: see [`super::life`].
pub(super) fn of_day(
    (desks, by_key): (&[Desk], &HashMap<String, usize>),
    (desk, key, number, habit): (usize, &str, usize, &Habit),
    (seed, day): (u64, Date),
) -> Vec<Event> {
    let window = Window { from: day, to: day.saturating_add(Duration::DAY) };
    let dice = Dice::new(seed, &["day", key, &number.to_string(), &day.to_string()]);
    let (events, mandates) = (Vec::new(), Vec::new());
    let mut planner = Planner { desks, by_key, window, events, mandates, desk, from: day, key, number, dice };
    // Whatever is wrong with it was found when the history was made.
    drop(planner.plan(habit));
    planner.events
}

/// All events of all accounts in the order in which they happen.
pub(super) fn events(
    personas: &Personas,
    opened: &mut Opened,
    seed: u64,
    window: Window,
) -> Result<Vec<Event>, GenerateError> {
    let plans = personas.personas.iter().flat_map(|persona| &persona.accounts);
    let (mut events, mut mandates) = (Vec::with_capacity(8_192), Vec::new());
    let Opened { books, desks, by_key } = opened;
    for (desk, plan) in plans.enumerate() {
        let from = desks[desk].from.date();
        for (index, habit) in plan.habits.iter().enumerate() {
            let number = index + 1;
            let dice = Dice::new(seed, &["habit", &plan.key, &number.to_string()]);
            let key = plan.key.as_str();
            let mut planner = Planner { desks, by_key, window, events, mandates, desk, from, key, number, dice };
            planner.plan(habit)?;
            // A refund may come later than the history does.
            planner.events.retain(|event| event.made_at < window.end());
            (events, mandates) = (planner.events, planner.mandates);
        }
    }
    for mandate in mandates {
        match mandate {
            Mandate::DirectDebit(mandate) => books.add_direct_debit(mandate)?,
            Mandate::StandingOrder(order) => books.add_standing_order(order)?,
            Mandate::Beneficiary(beneficiary) => books.add_beneficiary(beneficiary)?,
        }
    }
    // A stable sort: what happens at the same moment keeps the order of the file.
    events.sort_by_key(|event| event.made_at);
    Ok(events)
}

impl Planner<'_> {
    fn problem(&self, problem: impl Into<String>) -> GenerateError {
        GenerateError::Habit { key: self.key.to_owned(), number: self.number, problem: problem.into() }
    }

    fn other(&self, key: &str) -> Result<usize, GenerateError> {
        let found = self.by_key.get(key).copied().filter(|other| *other != self.desk);
        found.ok_or_else(|| self.problem(format!("{key} is no other account in the file")))
    }

    fn plan(&mut self, habit: &Habit) -> Result<(), GenerateError> {
        match habit {
            Habit::Salary(monthly) => self.monthly(monthly, Kind::Salary, 1, Contra::External),
            Habit::StandingOrder(monthly) => {
                let order = self.standing_order(monthly)?;
                self.mandates.push(Mandate::StandingOrder(order));
                self.monthly(monthly, Kind::StandingOrder, -1, Contra::External)
            }
            Habit::DirectDebit(monthly) => {
                let mandate = DirectDebit {
                    id: self.dice.identifier(16),
                    account: self.desks[self.desk].id.clone(),
                    originator: monthly.name.clone(),
                    reference: monthly.reference.clone().unwrap_or_else(|| monthly.name.to_uppercase()),
                    times_a_year: monthly.months.as_ref().map_or(12, |months| u8::try_from(months.len()).unwrap_or(12)),
                    cancelled: self.ended(monthly),
                };
                self.mandates.push(Mandate::DirectDebit(mandate));
                self.monthly(monthly, Kind::DirectDebit, -1, Contra::External)
            }
            Habit::Fee(monthly) => self.monthly(monthly, Kind::Fee, -1, Contra::Earnings),
            Habit::Income(occasional) => self.occasional(occasional, Kind::PaymentReceived, 1),
            Habit::Payment(occasional) => {
                self.beneficiaries(occasional);
                self.occasional(occasional, Kind::PaymentSent, -1)
            }
            Habit::Card(card) => self.card(card),
            Habit::Cash(cash) => self.cash(cash),
            Habit::Transfer(transfer) => {
                let to = self.other(&transfer.to)?;
                for (due, minor) in self.due(transfer.day, &transfer.amount, transfer.months.as_deref(), None, false)? {
                    let act = Act::Move { to, minor, reference: transfer.reference.clone() };
                    self.add(at(due, 6, 10, 0), act);
                }
                Ok(())
            }
            Habit::TopUp(top_up) => {
                let from = self.other(&top_up.from)?;
                match self.desks[from].currency == self.desks[self.desk].currency {
                    true if top_up.amount.hundredths() > 0 => Ok(()),
                    true => Err(self.problem("the amount must be above zero")),
                    false => Err(self.problem(format!("{} is kept in another currency", top_up.from))),
                }
            }
            Habit::RepayCard(repay) => {
                let card = self.other(&repay.card)?;
                let desk = &self.desks[card];
                if desk.kind != AccountKind::CreditCard || desk.currency != self.desks[self.desk].currency {
                    return Err(self.problem(format!("{} is no credit card in the same currency", repay.card)));
                }
                if !(1..=100).contains(&repay.percent) {
                    return Err(self.problem("percent must be between 1 and 100"));
                }
                for day in self.days(repay.day, None, false)? {
                    self.add(at(day, 2, 45, 0), Act::Repay { card, percent: repay.percent });
                }
                Ok(())
            }
            Habit::Interest(interest) => {
                let sane = |percent: Amount| (0..=10_000).contains(&percent.hundredths());
                if !sane(interest.paid_percent) || !sane(interest.charged_percent) {
                    return Err(self.problem("interest must be between 0 and 100 percent a year"));
                }
                for day in monthly(self.from, self.window.to, 31) {
                    self.add(at(day, 22, 30, 0), Act::Interest(interest.clone()));
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, moment: OffsetDateTime, act: Act) {
        self.add_later(moment, moment, act);
    }

    fn add_later(&mut self, made_at: OffsetDateTime, booked_at: OffsetDateTime, act: Act) {
        if made_at.date() >= self.from && made_at < self.window.end() {
            self.events.push(Event { made_at, booked_at, desk: self.desk, act });
        }
    }

    /// What follows from something within the window, at its own time.
    fn add_after(&mut self, moment: OffsetDateTime, act: Act) {
        self.events.push(Event { made_at: moment, booked_at: moment, desk: self.desk, act });
    }

    /// The working days on which something monthly happens.
    fn days(&self, day: u8, months: Option<&[u8]>, early: bool) -> Result<Vec<Date>, GenerateError> {
        if !(1..=31).contains(&day) {
            return Err(self.problem("day must be between 1 and 31"));
        }
        if let Some(wrong) = months.unwrap_or_default().iter().find(|month| !(1..=12).contains(*month)) {
            return Err(self.problem(format!("months has {wrong}, which is no month")));
        }
        let wanted = |date: &Date| months.is_none_or(|months| months.contains(&u8::from(date.month())));
        let shift = if early { working_day_until } else { working_day_from };
        let (until, end) = (self.window.to.saturating_add(LONGEST_SHIFT), self.window.to);
        // A day of the month to come may move into this one.
        let near = |(day, moved): &(Date, Date)| {
            (day.year(), u8::from(day.month())) <= (end.year(), u8::from(end.month())) || *moved < end
        };
        let days = monthly(self.from, until, day).filter(wanted).map(|day| (day, shift(day))).filter(near);
        Ok(days.map(|(_, moved)| moved).collect())
    }

    /// Days and amounts of something monthly.
    fn due(
        &mut self,
        day: u8,
        amount: &Range,
        months: Option<&[u8]>,
        by_month: Option<&[u16; 12]>,
        early: bool,
    ) -> Result<Vec<(Date, i64)>, GenerateError> {
        let days = self.days(day, months, early)?;
        let draw = |date: Date| {
            let percent = by_month.map_or(100, |percents| i64::from(percents[month_index(date)]));
            let minor = self.dice.between(amount.low.hundredths(), amount.high.hundredths());
            (date, minor.saturating_mul(percent) / 100)
        };
        Ok(days.into_iter().map(draw).filter(|(_, minor)| *minor > 0).collect())
    }

    fn monthly(&mut self, habit: &Monthly, kind: Kind, sign: i64, contra: Contra) -> Result<(), GenerateError> {
        let early = kind == Kind::Salary;
        let mut due = self.due(habit.day, &habit.amount, habit.months.as_deref(), habit.by_month.as_ref(), early)?;
        if let Some(end) = self.ended(habit) {
            due.retain(|(day, _)| *day < end);
        }
        let (hour, minute) = time_of_day(kind);
        for (day, minor) in due {
            let second = self.dice.below(60);
            let event = Outside {
                account: habit.account.clone().map(Identification::UkAccount),
                reference: habit.reference.clone(),
                ..Outside::new(kind, sign * minor, contra, &habit.name)
            };
            self.add(at(day, hour, minute, second), Act::Outside(event));
        }
        Ok(())
    }

    /// The day on which something monthly ended.
    fn ended(&self, habit: &Monthly) -> Option<Date> {
        let months = i32::from(habit.ended_months_ago?);
        let count = self.window.to.year() * 12 + i32::from(u8::from(self.window.to.month())) - 1 - months;
        let month = u8::try_from(count.rem_euclid(12) + 1).ok()?;
        Some(crate::mandate::day_of_month(count.div_euclid(12), month.try_into().ok()?, 1))
    }

    fn standing_order(&mut self, habit: &Monthly) -> Result<StandingOrder, GenerateError> {
        if habit.amount.low != habit.amount.high || habit.months.is_some() || habit.by_month.is_some() {
            return Err(self.problem("a standing order sends the same amount every month"));
        }
        if habit.ended_months_ago.is_some() {
            return Err(self.problem("a standing order goes on: one that has ended is no longer told to anybody"));
        }
        let desk = &self.desks[self.desk];
        let first = crate::mandate::day_of_month(self.from.year(), self.from.month(), habit.day);
        Ok(StandingOrder {
            id: self.dice.identifier(16),
            account: desk.id.clone(),
            payee: Counterparty {
                name: habit.name.clone(),
                account: habit.account.clone().map(Identification::UkAccount),
            },
            amount: Money::new(habit.amount.high.hundredths(), desk.currency),
            reference: habit.reference.clone().unwrap_or_default(),
            day: habit.day,
            first,
        })
    }

    fn beneficiaries(&mut self, habit: &Occasional) {
        for name in &habit.names {
            let beneficiary = Beneficiary {
                id: self.dice.identifier(16),
                account: self.desks[self.desk].id.clone(),
                payee: Counterparty { name: name.clone(), account: None },
                reference: habit.reference.clone().unwrap_or_default(),
                trusted: false,
            };
            self.mandates.push(Mandate::Beneficiary(beneficiary));
        }
    }

    /// How often something happens on that day, drawn from its frequency in an average month and its weights.
    fn times(&mut self, date: Date, per_month: u16, weekday: Option<&[u16; 7]>, month: Option<&[u16; 12]>) -> u64 {
        let weekday = weekday.map_or(100, |weights| weights[usize::from(date.weekday().number_days_from_monday())]);
        let month = month.map_or(100, |weights| weights[month_index(date)]);
        let millionths = u64::from(per_month) * u64::from(weekday) * u64::from(month) * 1200 / 365;
        let certain = millionths / 1_000_000;
        (certain + u64::from(self.dice.chance(millionths % 1_000_000))).min(MOST_PER_DAY)
    }

    fn occasional(&mut self, habit: &Occasional, kind: Kind, sign: i64) -> Result<(), GenerateError> {
        for day in daily(self.from, self.window.to) {
            let times = self.times(day, habit.per_month, None, habit.by_month.as_ref());
            if habit.working_days_only && rests(day) {
                continue;
            }
            for _ in 0..times {
                let name = self.dice.pick(&habit.names).ok_or_else(|| self.problem("names is empty"))?;
                let minor = self.dice.between(habit.amount.low.hundredths(), habit.amount.high.hundredths());
                let event = Outside {
                    reference: habit.reference.clone(),
                    optional: sign < 0,
                    ..Outside::new(kind, sign * minor, Contra::External, name)
                };
                let moment = at(day, 8 + self.dice.below(12), self.dice.below(60), self.dice.below(60));
                self.add(moment, Act::Outside(event));
            }
        }
        Ok(())
    }

    fn card(&mut self, habit: &CardUse) -> Result<(), GenerateError> {
        let foreign = match &habit.currency {
            None => None,
            Some(code) => Some(currency(code).map_err(|text| self.problem(text))?),
        };
        let foreign = foreign.filter(|currency| *currency != self.desks[self.desk].currency);
        let [first, last] = habit.hours.map(u64::from);
        if first > last || last > 23 {
            return Err(self.problem("hours must be two hours of a day, the earlier one first"));
        }
        for day in daily(self.from, self.window.to) {
            for _ in 0..self.times(day, habit.per_month, habit.by_weekday.as_ref(), habit.by_month.as_ref()) {
                let shop = self.dice.pick(&habit.merchants).ok_or_else(|| self.problem("merchants is empty"))?;
                let minor = self.dice.between(habit.amount.low.hundredths(), habit.amount.high.hundredths());
                let used = |kind, minor| Outside {
                    currency: foreign,
                    category: Some(habit.category.as_str().to_owned()),
                    optional: true,
                    ..Outside::new(kind, minor, Contra::Cards, shop)
                };
                let hour = first + self.dice.below(last - first + 1);
                let made_at = at(day, hour, self.dice.below(60), self.dice.below(60));
                let booked = |dice: &mut Dice, day| {
                    let days = 1 + dice.below(2);
                    at(working_days_after(day, days), 3, dice.below(60), dice.below(60))
                };
                let booked_at = booked(&mut self.dice, day);
                self.add_later(made_at, booked_at, Act::Outside(used(Kind::CardPurchase, -minor)));
                if habit.refund_one_in.is_some_and(|chances| self.dice.below(u64::from(chances)) == 0) {
                    let back = working_days_after(day, 4 + self.dice.below(6));
                    let moment = booked(&mut self.dice, back);
                    self.add_after(moment, Act::Outside(used(Kind::Refund, minor)));
                }
            }
        }
        Ok(())
    }

    fn cash(&mut self, habit: &CashUse) -> Result<(), GenerateError> {
        if habit.amounts.iter().any(|amount| amount.hundredths() <= 0) {
            return Err(self.problem("amounts must be above zero"));
        }
        for day in daily(self.from, self.window.to) {
            for _ in 0..self.times(day, habit.per_month, None, None) {
                let machine = self.dice.pick(&habit.machines).ok_or_else(|| self.problem("machines is empty"))?;
                let amount = self.dice.pick(&habit.amounts).ok_or_else(|| self.problem("amounts is empty"))?;
                let event = Outside {
                    optional: true,
                    ..Outside::new(Kind::CashWithdrawal, -amount.hundredths(), Contra::Cash, machine)
                };
                let moment = at(day, 9 + self.dice.below(12), self.dice.below(60), self.dice.below(60));
                self.add(moment, Act::Outside(event));
            }
        }
        Ok(())
    }
}
