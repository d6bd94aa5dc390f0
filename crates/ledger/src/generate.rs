//! Makes lifelike books from [`Personas`], a seed and a date.
//!
//! Three steps: accounts are opened (`people`), habits become dated events (`plan`), and the events are played in the
//! order of time against running balances (`play`), because repayments, interest and whether somebody can afford
//! something depend on what happened before.

pub(crate) mod life;
mod people;
mod plan;
mod play;
mod services;

use crate::calendar::midnight;
use crate::identification::IdentificationError;
use crate::{Books, BooksError, Personas};
use thiserror::Error;
use time::{Date, OffsetDateTime};

/// How many months of history are made.
pub const MONTHS: i32 = 24;

/// Why no books can be made of the fixture.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenerateError {
    /// A field of the bank or of the exchange rates.
    #[error("bank: {0}")]
    Bank(String),
    /// A field of a persona.
    #[error("persona {username}: {problem}")]
    Persona {
        /// Which one.
        username: String,
        /// What is wrong.
        problem: String,
    },
    /// A field of an account.
    #[error("account {key}: {problem}")]
    Account {
        /// Which one.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A field of a habit.
    #[error("account {key}, habit {number}: {problem}")]
    Habit {
        /// On which account.
        key: String,
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        problem: String,
    },
    /// An account number cannot be made.
    #[error(transparent)]
    Identification(#[from] IdentificationError),
    /// The books refuse.
    #[error(transparent)]
    Books(#[from] BooksError),
}

/// The part of time for which history is made: `from` inclusive, `to` exclusive, both at midnight UTC.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Date,
    to: Date,
}

impl Window {
    fn before(date: Date) -> Self {
        let from = crate::mandate::day_of_month(date.year() - MONTHS / 12, date.month(), date.day());
        Self { from, to: date }
    }

    fn end(self) -> OffsetDateTime {
        midnight(self.to)
    }
}

/// Books with 24 months of history that end with the day before `date`. From then on everybody lives on by
/// [`Books::run_until`], unless [`Personas::habits_go_on`] says otherwise. The same fixture, seed and date make the same books, identifiers included; the identifiers of customers and
/// accounts depend on the fixture's names and the seed alone.
pub fn generate(personas: &Personas, seed: u64, date: Date) -> Result<Books, GenerateError> {
    let window = Window::before(date);
    let mut opened = people::open(personas, seed, window)?;
    services::add(personas, &mut opened, seed, window)?;
    let events = plan::events(personas, &mut opened, seed, window)?;
    let accounts: Vec<_> = opened.desks.iter().map(|desk| desk.id.clone()).collect();
    let (life, mut books) = life::Life::of(personas, opened, seed);
    play::play(&mut books, &life, events, window)?;
    books.resume(window.end())?;
    books.live_on(life, window.end());
    services::schedule(personas, &accounts, &mut books, seed, window)?;
    Ok(books)
}
