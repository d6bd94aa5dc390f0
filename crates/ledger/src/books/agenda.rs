//! What happens by itself: a list in the order of time, and the loop that works it off.

use super::Books;
use crate::EntryId;
use crate::orders::{OrderId, Rejection};
use time::OffsetDateTime;

/// Something that happens by itself. The order of the variants settles ties, so that it never matters in how many
/// calls the time passes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A pending entry comes onto the books.
    Book(EntryId),
    /// A day begins for the personas.
    Dawn,
    /// A persona does what was planned under that number.
    Act(u64),
    /// The time to authorise an order is over.
    Expire(OrderId),
    /// A payment takes its next step: order, instruction, number of the payment.
    Step(OrderId, usize, u32),
    /// The day of a scheduled payment has come: order, instruction.
    Execute(OrderId, usize),
}

impl Books {
    /// The moment up to which everything has happened; `None` before the first one.
    pub fn now(&self) -> Option<OffsetDateTime> {
        self.now
    }

    /// When something happens next by itself. O(log n).
    pub fn next_due(&self) -> Option<OffsetDateTime> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Lets everything happen that is due up to and including that moment, in the order of time; returns how much it
    /// was. It never matters in how many calls the time passes. Going back in time changes nothing.
    pub fn run_until(&mut self, now: OffsetDateTime) -> usize {
        let mut happened = 0;
        while self.next_due().is_some_and(|due| due <= now) {
            if let Some((at, due)) = self.agenda.pop_first() {
                self.now = self.now.max(Some(at));
                self.happen(due, at);
                happened += 1;
            }
        }
        self.now = self.now.max(Some(now));
        happened
    }

    /// Puts something on the list.
    pub(crate) fn expect(&mut self, at: OffsetDateTime, due: Due) {
        self.agenda.insert((at, due));
    }

    fn happen(&mut self, due: Due, at: OffsetDateTime) {
        match due {
            // An entry that was released or booked before took its line from the agenda with it.
            Due::Book(entry) => drop(self.book(&entry, at)),
            Due::Dawn => self.dawn(at),
            Due::Act(number) => self.act(number, at),
            Due::Expire(order) => self.fail(&order, Rejection::AuthorisationExpired, at),
            Due::Step(order, instruction, number) => self.step(&order, instruction, number, at),
            Due::Execute(order, instruction) => self.execute(&order, instruction, at),
        }
    }
}
