//! One account's transactions in order, with running balances, and the way to page through them.
//!
//! Lines are kept sorted by (booking time, sequence), each with the balance after it, so that a balance at any moment
//! and the start of any page are found by binary search, however long the history is.

mod bulk;

use crate::identification::Pan;
use crate::statements::Months;
use crate::{Account, Counterparty, Direction, EntryId, Exchange, Kind, Merchant, Status, Transaction, TransactionId};
use openbanking::money::Money;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
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

/// What a transaction tells in words. Payments of one habit tell the same, so that rows share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Story {
    pub(crate) kind: Kind,
    pub(crate) counterparty: Option<Counterparty>,
    pub(crate) merchant: Option<Merchant>,
    pub(crate) card: Option<Pan>,
    pub(crate) reference: Option<String>,
    pub(crate) description: String,
}

/// A transaction as it is kept: what its account, its place and other rows know is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: TransactionId,
    pub(crate) entry: EntryId,
    pub(crate) position: Position,
    pub(crate) made_at: OffsetDateTime,
    pub(crate) value_at: OffsetDateTime,
    /// Signed.
    pub(crate) minor: i64,
    pub(crate) status: Status,
    pub(crate) story: Arc<Story>,
    pub(crate) exchange: Option<Box<Exchange>>,
}

impl Record {
    fn direction(&self) -> Direction {
        Direction::of(self.minor)
    }

    fn row(&self, balance_after: i64, account: &Account) -> Row {
        let story = self.story.as_ref().clone();
        let transaction = Transaction {
            id: self.id.clone(),
            entry: self.entry.clone(),
            account: account.id.clone(),
            sequence: self.position.sequence,
            made_at: self.made_at,
            booked_at: self.position.booked_at,
            value_at: self.value_at,
            amount: Money::new(self.minor.saturating_abs(), account.currency),
            direction: self.direction(),
            status: self.status,
            kind: story.kind,
            counterparty: story.counterparty,
            merchant: story.merchant,
            card: story.card,
            reference: story.reference,
            description: story.description,
            exchange: self.exchange.as_deref().cloned(),
        };
        let booked = self.status == Status::Booked;
        let balance_after = booked.then(|| Money::new(balance_after, account.currency));
        Row { transaction: Arc::new(transaction), balance_after }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    balance_after: i64,
    record: Record,
}

impl Line {
    fn position(&self) -> Position {
        self.record.position
    }
}

/// One account's transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    lines: Vec<Line>,
    credits: Vec<Position>,
    debits: Vec<Position>,
    pending: Pending,
    months: Months,
    /// Where the lines of each direct debit and standing order stand, in ascending order.
    recurring: HashMap<Arc<Story>, Vec<Position>>,
}

/// Whether the last payment of that kind is asked for by name.
fn recurs(kind: Kind) -> bool {
    matches!(kind, Kind::DirectDebit | Kind::StandingOrder)
}

/// Puts the place among the others, which are in ascending order.
fn insert_place(places: &mut Vec<Position>, place: Position) {
    let index = first_not(places.len(), places.len(), |index| places[index] < place);
    places.insert(index, place);
}

/// Takes the place out.
fn remove_place(places: &mut Vec<Position>, place: Position) {
    let index = first_not(places.len(), places.len(), |index| places[index] < place);
    if places.get(index) == Some(&place) {
        places.remove(index);
    }
}

/// The signed amounts of pending lines by the time at which they were made, and their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pending {
    amounts: BTreeMap<(OffsetDateTime, u64), i64>,
    credits: i64,
    debits: i64,
}

impl Pending {
    fn count(&mut self, minor: i64, sign: i64) {
        let sum = if minor < 0 { &mut self.debits } else { &mut self.credits };
        *sum += sign * minor.saturating_abs();
    }

    fn insert(&mut self, record: &Record) {
        self.amounts.insert((record.made_at, record.position.sequence), record.minor);
        self.count(record.minor, 1);
    }

    fn remove(&mut self, record: &Record) {
        if let Some(minor) = self.amounts.remove(&(record.made_at, record.position.sequence)) {
            self.count(minor, -1);
        }
    }

    /// Pending credits and debits that were made up to that moment.
    fn at(&self, at: OffsetDateTime) -> (i64, i64) {
        // What is not in the past, which is what is asked for nearly always, is known without adding anything up.
        if self.amounts.last_key_value().is_none_or(|((newest, _), _)| *newest <= at) {
            return (self.credits, self.debits);
        }
        let made = self.amounts.range(..=(at, u64::MAX));
        made.fold((0, 0), |(credits, debits), (_, minor)| match Direction::of(*minor) {
            Direction::Credit => (credits + minor, debits),
            Direction::Debit => (credits, debits - minor),
        })
    }
}

impl History {
    fn direction(&mut self, direction: Direction) -> &mut Vec<Position> {
        match direction {
            Direction::Credit => &mut self.credits,
            Direction::Debit => &mut self.debits,
        }
    }

    /// Puts a transaction into its place. Sums must have been checked before: see `Ledger::turnover`.
    pub(crate) fn insert(&mut self, record: Record) {
        let position = record.position;
        let booked = record.status == Status::Booked;
        if booked {
            self.months.count(position.booked_at, record.minor, record.story.kind);
        }
        let change = if booked { record.minor } else { 0 };
        let index = self.place(self.lines.len(), position);
        let before = index.checked_sub(1).map_or(0, |last| self.lines[last].balance_after);
        insert_place(self.direction(record.direction()), position);
        if recurs(record.story.kind) {
            insert_place(self.recurring.entry(Arc::clone(&record.story)).or_default(), position);
        }
        if !booked {
            self.pending.insert(&record);
        }
        self.lines.insert(index, Line { balance_after: before + change, record });
        // Only what was booked with an earlier date than lines already there has to correct them.
        for line in &mut self.lines[index + 1..] {
            line.balance_after += change;
        }
    }

    /// Puts a pending transaction onto the books at that moment; returns its new place.
    pub(crate) fn book(&mut self, position: Position, at: OffsetDateTime) -> Option<Position> {
        let index = self
            .index(self.lines.len(), position)
            .filter(|index| self.lines[*index].record.status == Status::Pending)?;
        if position.booked_at != at {
            let mut record = self.remove_pending(position)?;
            record.status = Status::Booked;
            (record.position.booked_at, record.value_at) = (at, at);
            let position = record.position;
            self.insert(record);
            return Some(position);
        }
        // It comes when it was expected: nothing has to be moved.
        let record = &mut self.lines[index].record;
        (record.status, record.value_at) = (Status::Booked, at);
        let (minor, kind) = (record.minor, record.story.kind);
        self.months.count(at, minor, kind);
        self.pending.remove(&self.lines[index].record);
        for line in &mut self.lines[index..] {
            line.balance_after += minor;
        }
        Some(position)
    }

    /// Takes a pending transaction out.
    pub(crate) fn remove_pending(&mut self, position: Position) -> Option<Record> {
        let index = self
            .index(self.lines.len(), position)
            .filter(|index| self.lines[*index].record.status == Status::Pending)?;
        let record = self.lines.remove(index).record;
        self.pending.remove(&record);
        remove_place(self.direction(record.direction()), position);
        if let Some(places) = self.recurring.get_mut(&record.story) {
            remove_place(places, position);
        }
        Some(record)
    }

    /// The sum of everything booked up to and including that moment.
    pub(crate) fn booked_at(&self, at: OffsetDateTime) -> i64 {
        let length = self.lines.len();
        let count = first_not(length, length, |index| self.lines[index].position().booked_at <= at);
        count.checked_sub(1).map_or(0, |last| self.lines[last].balance_after)
    }

    /// The sums of each month.
    pub(crate) fn months(&self) -> &Months {
        &self.months
    }

    /// The sum of everything booked and pending.
    pub(crate) fn in_the_end(&self) -> i64 {
        self.lines.last().map_or(0, |line| line.balance_after) + self.pending.credits - self.pending.debits
    }

    /// Pending credits and pending debits made up to that moment, both positive.
    pub(crate) fn pending_at(&self, at: OffsetDateTime) -> (i64, i64) {
        self.pending.at(at)
    }

    /// Where a line with that position stands or would stand; quickest close to `near`.
    fn place(&self, near: usize, position: Position) -> usize {
        first_not(self.lines.len(), near, |index| self.lines[index].position() < position)
    }

    fn index(&self, near: usize, position: Position) -> Option<usize> {
        let index = self.place(near, position);
        (self.lines.get(index)?.position() == position).then_some(index)
    }

    fn row(&self, index: usize, account: &Account) -> Option<Row> {
        self.lines.get(index).map(|line| line.record.row(line.balance_after, account))
    }

    pub(crate) fn row_at(&self, position: Position, account: &Account) -> Option<Row> {
        self.row(self.index(self.lines.len(), position)?, account)
    }

    /// Booking times of the oldest and the newest line.
    pub(crate) fn span(&self) -> Option<(OffsetDateTime, OffsetDateTime)> {
        Some((self.lines.first()?.position().booked_at, self.lines.last()?.position().booked_at))
    }

    pub(crate) fn page(&self, query: &TransactionQuery, account: &Account) -> Page {
        let every = |index: usize| self.lines[index].position();
        match query.direction {
            None => page(self.lines.len(), every, query, |index| self.row(index, account)),
            Some(direction) => {
                let positions = if direction == Direction::Credit { &self.credits } else { &self.debits };
                // Rows that follow each other on the page are neighbours among all rows too, or nearly.
                let mut near = self.lines.len();
                let row = |index: usize| {
                    near = self.index(near, positions[index])?;
                    self.row(near, account)
                };
                page(positions.len(), |index| positions[index], query, row)
            }
        }
    }
}

/// Cuts a page out of `length` rows in ascending order; two or three binary searches and the page's rows.
fn page(
    length: usize,
    position: impl Fn(usize) -> Position,
    query: &TransactionQuery,
    row: impl FnMut(usize) -> Option<Row>,
) -> Page {
    let low = query.from.map_or(0, |from| first_not(length, length, |index| position(index).booked_at < from));
    let high =
        query.to.map_or(length, |to| first_not(length, length, |index| position(index).booked_at <= to)).max(low);
    let top = match query.after {
        None | Some(Cursor::NEWEST) => high,
        Some(Cursor(Some(place))) => first_not(length, length, |index| position(index) < place).clamp(low, high),
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

/// The first index for which `holds` is false, when it is true for all smaller ones. It looks around `near` first, in
/// steps that double: what is asked for is mostly at the end, and the end of a long list is in the processor's cache
/// while its middle is not.
fn first_not(length: usize, near: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high, mut step) = (0, length, 1);
    let near = near.min(length);
    if near < length && holds(near) {
        low = near + 1;
        while let Some(probe) = near.checked_add(step).filter(|probe| *probe < length) {
            if !holds(probe) {
                high = probe;
                break;
            }
            (low, step) = (probe + 1, step * 2);
        }
    } else {
        high = near;
        while let Some(probe) = near.checked_sub(step) {
            if holds(probe) {
                low = probe + 1;
                break;
            }
            (high, step) = (probe, step * 2);
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::first_not;

    #[test]
    fn the_first_that_does_not_hold_is_found_from_everywhere() {
        for length in 0..40 {
            for answer in 0..=length {
                for near in 0..=length + 1 {
                    assert_eq!(first_not(length, near, |index| index < answer), answer);
                }
            }
        }
    }

    #[test]
    fn close_by_it_takes_few_steps() {
        let length = 10_000_000;
        for (near, answer, most) in [(length, length, 1), (length, length - 1, 3), (5_000_000, 4_999_900, 16)] {
            let looks = std::cell::Cell::new(0);
            let found = first_not(length, near, |index| {
                looks.set(looks.get() + 1);
                index < answer
            });
            assert_eq!(found, answer);
            assert!(looks.get() <= most, "{} looks from {near} to {answer}", looks.get());
        }
    }
}
