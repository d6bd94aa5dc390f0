//! How the personas live on when their history has ended: each day's habits become events of that day, played when their
//! time comes.
//!
//! Chance comes from the seed, the habit and the day alone, so that it matters neither what happened before nor in how
//! many calls the time passes. Whether somebody can afford something depends on the books, as in the history.

use super::people::{Desk, Opened};
use super::plan::{self, Event};
use super::play::Player;
use crate::books::Due;
use crate::calendar::midnight;
use crate::dice::Dice;
use crate::personas::{Habit, Personas, TopUp};
use crate::{AccountStatus, Books, Rate};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use time::{Date, Duration, OffsetDateTime};

/// How long habits go on after the history: beyond what anybody looks at, and short enough that a clock moved by centuries
/// does not fill the memory. What was ordered goes on without end.
const LIVED: Duration = Duration::days(3_653);

/// The accounts and what their holders do, as the fixture describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(super) seed: u64,
    /// The bank's own currency.
    pub(super) currency: String,
    pub(super) exchange_rates: BTreeMap<String, Rate>,
    pub(super) desks: Vec<Desk>,
    pub(super) by_key: HashMap<String, usize>,
    /// Where each account's money comes from when it runs short.
    pub(super) help: Vec<Option<(usize, TopUp)>>,
    /// What goes on: desk, key of the account, number of the habit.
    habits: Vec<(usize, String, usize, Habit)>,
}

/// Days that have been begun, and what is still to come of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Living {
    life: Option<Arc<Life>>,
    /// The day after the last that is lived.
    end: Option<Date>,
    events: BTreeMap<u64, Event>,
    next: u64,
}

impl Life {
    /// The lives of the personas with these accounts, and the books of the accounts.
    pub(super) fn of(personas: &Personas, opened: Opened, seed: u64) -> (Self, Books) {
        let Opened { books, desks, by_key } = opened;
        let plans = || personas.personas.iter().flat_map(|persona| &persona.accounts).enumerate();
        let help = plans().map(|(_, plan)| {
            plan.habits.iter().find_map(|habit| match habit {
                Habit::TopUp(top_up) => Some((*by_key.get(&top_up.from)?, top_up.clone())),
                _ => None,
            })
        });
        let help = help.collect();
        let numbered = plans().flat_map(|(desk, plan)| {
            plan.habits.iter().enumerate().map(move |(index, habit)| (desk, plan.key.clone(), index + 1, habit))
        });
        let goes_on = |habit: &Habit| match habit {
            // These are orders, which the books carry out.
            Habit::StandingOrder(_) | Habit::TopUp(_) => false,
            Habit::Salary(monthly) | Habit::DirectDebit(monthly) | Habit::Fee(monthly) => {
                monthly.ended_months_ago.is_none()
            }
            _ => true,
        };
        let habits = numbered.filter(|(.., habit)| personas.habits_go_on && goes_on(habit));
        let habits = habits.map(|(desk, key, number, habit)| (desk, key, number, habit.clone())).collect();
        let (currency, exchange_rates) = (personas.bank.currency.clone(), personas.exchange_rates.clone());
        (Self { seed, currency, exchange_rates, desks, by_key, help, habits }, books)
    }
}

impl Books {
    /// Begins the first day of life after the history.
    pub(super) fn live_on(&mut self, life: Life, at: OffsetDateTime) {
        if !life.habits.is_empty() {
            self.living.life = Some(Arc::new(life));
            self.living.end = at.date().checked_add(LIVED);
            self.expect(at, Due::Dawn);
        }
    }

    /// A day begins: what its people are going to do is planned, and the day after it.
    pub(crate) fn dawn(&mut self, at: OffsetDateTime) {
        let Some(life) = self.living.life.clone() else { return };
        let day = at.date();
        for (desk, key, number, habit) in &life.habits {
            let habit = (*desk, key.as_str(), *number, habit);
            for event in plan::of_day((&life.desks, &life.by_key), habit, (life.seed, day)) {
                let number = self.living.next;
                self.living.next += 1;
                self.expect(event.made_at.max(at), Due::Act(number));
                self.living.events.insert(number, event);
            }
        }
        if let Some(next) = day.next_day().filter(|next| self.living.end.is_some_and(|end| *next < end)) {
            self.expect(midnight(next), Due::Dawn);
        }
    }

    /// Somebody does what was planned, if the account allows it and bears it.
    pub(crate) fn act(&mut self, number: u64, at: OffsetDateTime) {
        let Some(life) = self.living.life.clone() else { return };
        let Some(event) = self.living.events.remove(&number) else { return };
        let open =
            self.account(&life.desks[event.desk].id).is_some_and(|account| account.status == AccountStatus::Enabled);
        if open {
            let ids = Dice::new(life.seed, &["act", &number.to_string()]);
            let (end, ahead, rates) = (at + Duration::NANOSECOND, Duration::ZERO, HashMap::new());
            // Only sums that no longer fit stand in its way: then it is left undone.
            drop(Player { life: &life, books: self, ids, end, ahead, rates }.event(event));
        }
    }
}
