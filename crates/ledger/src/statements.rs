//! Statements: what came and went in each calendar month, kept while it is posted, so that a statement costs the same
//! however long the history is.

use crate::{AccountId, Books, BooksError, Kind};
use openbanking::money::Money;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use time::{Date, Duration, Month, OffsetDateTime, Time};

/// A month of the calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarMonth {
    year: i32,
    month: Month,
}

impl CalendarMonth {
    /// The month of that moment.
    pub fn of(at: OffsetDateTime) -> Self {
        let at = at.to_offset(time::UtcOffset::UTC);
        Self { year: at.year(), month: at.month() }
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        let month = self.month.next();
        Self { year: if month == Month::January { self.year + 1 } else { self.year }, month }
    }

    /// Its first moment.
    pub fn start(self) -> OffsetDateTime {
        let day = Date::from_calendar_date(self.year, self.month, 1).unwrap_or(Date::MAX);
        day.with_time(Time::MIDNIGHT).assume_utc()
    }

    /// Its last second.
    pub fn end(self) -> OffsetDateTime {
        self.next().start() - Duration::SECOND
    }
}

impl fmt::Display for CalendarMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, u8::from(self.month))
    }
}

/// The text is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as 2026-10, found {0:?}")]
pub struct ParseMonthError(pub String);

impl FromStr for CalendarMonth {
    type Err = ParseMonthError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseMonthError(text.to_owned());
        let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if !digits(year, 4) || !digits(month, 2) {
            return Err(wrong());
        }
        let year = year.parse().map_err(|_| wrong())?;
        let month: u8 = month.parse().map_err(|_| wrong())?;
        Ok(Self { year, month: Month::try_from(month).map_err(|_| wrong())? })
    }
}

/// Sums of what was booked in a month, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    credits: i64,
    debits: i64,
    interest: i64,
    fees: i64,
}

/// The sums of each month in which something was booked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Months(BTreeMap<CalendarMonth, Totals>);

impl Months {
    /// Counts a transaction that was booked. The sums of an account's postings fit: see `Ledger::turnover`.
    pub(crate) fn count(&mut self, booked_at: OffsetDateTime, signed: i64, kind: Kind) {
        let totals = self.0.entry(CalendarMonth::of(booked_at)).or_default();
        if signed < 0 {
            totals.debits -= signed;
        } else {
            totals.credits += signed;
        }
        match kind {
            Kind::Interest => totals.interest += signed,
            Kind::Fee => totals.fees += signed,
            _ => {}
        }
    }

    fn first(&self) -> Option<CalendarMonth> {
        self.0.keys().next().copied()
    }

    fn totals(&self, month: CalendarMonth) -> Totals {
        self.0.get(&month).copied().unwrap_or_default()
    }
}

/// What an account's statement of a month says; all in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The month.
    pub month: CalendarMonth,
    /// Booked balance before it.
    pub opening: Money,
    /// Booked balance at its end.
    pub closing: Money,
    /// Sum of what came; positive.
    pub credits: Money,
    /// Sum of what went; positive.
    pub debits: Money,
    /// Interest, signed.
    pub interest: Money,
    /// Fees, signed.
    pub fees: Money,
}

impl Books {
    /// The statement of a month that is over, from the month of the account's first transaction on. O(log n).
    pub fn statement(
        &self,
        id: &AccountId,
        month: CalendarMonth,
        now: OffsetDateTime,
    ) -> Result<Option<Statement>, BooksError> {
        let (history, currency) = self.history(id)?;
        let first = history.months().first();
        if first.is_none_or(|first| month < first) || month.end() >= now {
            return Ok(None);
        }
        let money = |minor| Money::new(minor, currency);
        let totals = history.months().totals(month);
        Ok(Some(Statement {
            month,
            opening: money(history.booked_at(month.start() - Duration::NANOSECOND)),
            closing: money(history.booked_at(month.next().start() - Duration::NANOSECOND)),
            credits: money(totals.credits),
            debits: money(totals.debits),
            interest: money(totals.interest),
            fees: money(totals.fees),
        }))
    }

    /// Every statement that there is, newest first.
    pub fn statements(&self, id: &AccountId, now: OffsetDateTime) -> Result<Vec<Statement>, BooksError> {
        let first = self.history(id)?.0.months().first();
        let mut all = Vec::new();
        for month in std::iter::successors(first, |month| Some(month.next())) {
            match self.statement(id, month, now)? {
                Some(statement) => all.push(statement),
                None => break,
            }
        }
        all.reverse();
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn months_are_read_and_written() {
        let december: CalendarMonth = "2026-12".parse().unwrap();
        assert_eq!((december.next().to_string(), december.to_string()), ("2027-01".to_owned(), "2026-12".to_owned()));
        assert_eq!(december.start(), datetime!(2026-12-01 0:00 UTC));
        assert_eq!(december.end(), datetime!(2026-12-31 23:59:59 UTC));
        assert_eq!(CalendarMonth::of(datetime!(2027-01-01 0:30 +1)), december);
        for wrong in ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "+026-01"] {
            assert!(wrong.parse::<CalendarMonth>().is_err(), "{wrong}");
        }
    }
}
