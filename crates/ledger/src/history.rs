//! One account's transactions in order, with running balances, and the way to page through them.
//!
//! Lines are kept sorted by (booking time, sequence), each with the balance after it, so that a balance at any moment
//! and the start of any page are found by binary search, however long the history is.

use crate::{Direction, Status, Transaction};
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;
use time::OffsetDateTime;

/// Where a transaction stands in its account's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) booked_at: OffsetDateTime,
    pub(crate) sequence: u64,
}

/// A place between two rows of a list of transactions: what follows it is older. It keeps its meaning while new
/// transactions arrive, and also when the row that it was taken from is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(Option<Position>);

impl Cursor {
    /// The place before the newest row.
    pub const NEWEST: Self = Self(None);
}

/// The text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected a cursor as an earlier page gave it, found {0:?}")]
pub struct CursorError(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("newest"),
            Some(place) => write!(f, "{:x}.{:x}", place.booked_at.unix_timestamp_nanos(), place.sequence),
        }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || CursorError(text.to_owned());
        if text == "newest" {
            return Ok(Self::NEWEST);
        }
        let (nanos, sequence) = text.split_once('.').ok_or_else(wrong)?;
        let nanos = i128::from_str_radix(nanos, 16).map_err(|_| wrong())?;
        let booked_at = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| wrong())?;
        let sequence = u64::from_str_radix(sequence, 16).map_err(|_| wrong())?;
        Ok(Self(Some(Position { booked_at, sequence })))
    }
}

impl TryFrom<String> for Cursor {
    type Error = CursorError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.to_string()
    }
}

/// What part of an account's transactions is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionQuery {
    /// Earliest booking time, inclusive.
    pub from: Option<OffsetDateTime>,
    /// Latest booking time, inclusive.
    pub to: Option<OffsetDateTime>,
    /// Only this direction; `None` for both.
    pub direction: Option<Direction>,
    /// Continue after this place; `None` begins with the newest.
    pub after: Option<Cursor>,
    /// The most rows to return; at least one row is returned if there is any.
    pub limit: usize,
}

impl Default for TransactionQuery {
    /// Everything, 100 rows a page.
    fn default() -> Self {
        Self { from: None, to: None, direction: None, after: None, limit: 100 }
    }
}

/// A transaction with the balance that the account had after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// Booked balance after it; `None` while it is pending.
    pub balance_after: Option<Money>,
}

/// A page of transactions, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// `after` of the page that follows (older); `None` on the last page.
    pub next: Option<Cursor>,
    /// `after` of the page before (newer); `None` on the first page.
    pub previous: Option<Cursor>,
    /// How many rows all pages have together.
    pub total: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    position: Position,
    balance_after: i64,
    transaction: Arc<Transaction>,
}

/// One account's transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    lines: Vec<Line>,
    credits: Vec<Position>,
    debits: Vec<Position>,
    /// Positions of pending lines; there are never many.
    pending: Vec<Position>,
}

impl History {
    fn direction(&mut self, direction: Direction) -> &mut Vec<Position> {
        match direction {
            Direction::Credit => &mut self.credits,
            Direction::Debit => &mut self.debits,
        }
    }

    /// Puts a transaction into its place. Sums must have been checked before: see `Ledger::turnover`.
    pub(crate) fn insert(&mut self, transaction: Arc<Transaction>) {
        let position = Position { booked_at: transaction.booked_at, sequence: transaction.sequence };
        let booked = transaction.status == Status::Booked;
        let change = if booked { transaction.signed_minor() } else { 0 };
        let index = self.lines.partition_point(|line| line.position < position);
        let before = index.checked_sub(1).map_or(0, |last| self.lines[last].balance_after);
        let direction = self.direction(transaction.direction);
        direction.insert(direction.partition_point(|other| *other < position), position);
        if !booked {
            self.pending.push(position);
        }
        self.lines.insert(index, Line { position, balance_after: before + change, transaction });
        // Only what was booked with an earlier date than lines already there has to correct them.
        for line in &mut self.lines[index + 1..] {
            line.balance_after += change;
        }
    }

    /// Takes a pending transaction out.
    pub(crate) fn remove_pending(&mut self, position: Position) -> Option<Arc<Transaction>> {
        let listed = self.pending.iter().position(|other| *other == position)?;
        let index = self.lines.binary_search_by_key(&position, |line| line.position).ok()?;
        self.pending.swap_remove(listed);
        let line = self.lines.remove(index);
        let direction = self.direction(line.transaction.direction);
        direction.retain(|other| *other != position);
        Some(line.transaction)
    }

    /// The sum of everything booked up to and including that moment.
    pub(crate) fn booked_at(&self, at: OffsetDateTime) -> i64 {
        let count = self.lines.partition_point(|line| line.position.booked_at <= at);
        count.checked_sub(1).map_or(0, |last| self.lines[last].balance_after)
    }

    /// The sum of everything booked.
    pub(crate) fn booked(&self) -> i64 {
        self.lines.last().map_or(0, |line| line.balance_after)
    }

    /// Pending credits and pending debits made up to that moment, both positive.
    pub(crate) fn pending_at(&self, at: OffsetDateTime) -> (i64, i64) {
        let pending = self.pending.iter().filter_map(|position| self.find(*position));
        pending.filter(|row| row.made_at <= at).fold((0, 0), |(credits, debits), row| match row.direction {
            Direction::Credit => (credits + row.amount.minor(), debits),
            Direction::Debit => (credits, debits + row.amount.minor()),
        })
    }

    fn find(&self, position: Position) -> Option<&Arc<Transaction>> {
        let index = self.lines.binary_search_by_key(&position, |line| line.position).ok()?;
        Some(&self.lines[index].transaction)
    }

    fn row(&self, line: &Line, currency: Currency) -> Row {
        let booked = line.transaction.status == Status::Booked;
        let balance_after = booked.then(|| Money::new(line.balance_after, currency));
        Row { transaction: Arc::clone(&line.transaction), balance_after }
    }

    pub(crate) fn row_at(&self, position: Position, currency: Currency) -> Option<Row> {
        let index = self.lines.binary_search_by_key(&position, |line| line.position).ok()?;
        Some(self.row(&self.lines[index], currency))
    }

    /// Booking times of the oldest and the newest line.
    pub(crate) fn span(&self) -> Option<(OffsetDateTime, OffsetDateTime)> {
        Some((self.lines.first()?.position.booked_at, self.lines.last()?.position.booked_at))
    }

    pub(crate) fn page(&self, query: &TransactionQuery, currency: Currency) -> Page {
        let every = |index: usize| self.lines[index].position;
        match query.direction {
            None => page(self.lines.len(), every, query, |index| Some(self.row(&self.lines[index], currency))),
            Some(direction) => {
                let positions = if direction == Direction::Credit { &self.credits } else { &self.debits };
                page(positions.len(), |index| positions[index], query, |index| self.row_at(positions[index], currency))
            }
        }
    }
}

/// Cuts a page out of `length` rows in ascending order; two or three binary searches and the page's rows.
fn page(
    length: usize,
    position: impl Fn(usize) -> Position,
    query: &TransactionQuery,
    row: impl Fn(usize) -> Option<Row>,
) -> Page {
    let low = query.from.map_or(0, |from| first_not(length, |index| position(index).booked_at < from));
    let high = query.to.map_or(length, |to| first_not(length, |index| position(index).booked_at <= to)).max(low);
    let top = match query.after {
        None | Some(Cursor::NEWEST) => high,
        Some(Cursor(Some(place))) => first_not(length, |index| position(index) < place).clamp(low, high),
    };
    let limit = query.limit.max(1);
    let bottom = top.saturating_sub(limit).max(low);
    let newer = top.saturating_add(limit);
    Page {
        rows: (bottom..top).rev().filter_map(row).collect(),
        next: (bottom > low).then(|| Cursor(Some(position(bottom)))),
        previous: (top < high).then(|| if newer >= high { Cursor::NEWEST } else { Cursor(Some(position(newer))) }),
        total: high - low,
    }
}

/// The first index for which `holds` is false, when it is true for all smaller ones.
fn first_not(length: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
