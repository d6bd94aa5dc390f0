//! The days on which something recurs.

use crate::calendar::{rests, working_day_from};
use crate::mandate::day_of_month;
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, Weekday};

/// How days follow each other. It holds what `Frequency` of v3 and `OBFrequency6Code` of v4 can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// Every so many days, counted from the anchor (EvryDay, IntrvlDay; DAIL). Zero counts as one.
    Days(u16),
    /// Every working day (EvryWorkgDay; WODL).
    WorkingDays,
    /// In every so many weeks, counted from the anchor's (IntrvlWkDay; WEEK, FRTN, FOWK).
    Weeks {
        /// Zero counts as one.
        every: u8,
        /// The day of the week; the anchor's when left out.
        on: Option<Weekday>,
    },
    /// Once a month, on the n-th of that weekday (WkInMnthDay).
    WeekOfMonth {
        /// 1 to 5; a month without a fifth has its last.
        week: u8,
        /// The weekday.
        on: Weekday,
    },
    /// In every so many months, counted from the anchor's (IntrvlMnthDay; MNTH, TWMH, ALMH, QURT, FOMH, FIMH, MIAN, YEAR).
    Months {
        /// Zero counts as one.
        every: u8,
        /// The day of the month; the anchor's when left out.
        on: Option<MonthDay>,
    },
    /// On four days of the year that are customary for rents (QtrDay).
    Quarters(QuarterDays),
}

/// A day of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDay {
    /// Counted from the beginning, from 1; shorter months have their last day.
    Day(u8),
    /// Counted from the end: 1 is the last day.
    FromEnd(u8),
}

/// The four days of the year on which rents are paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarterDays {
    /// 25 March, 24 June, 29 September, 25 December.
    English,
    /// 2 February, 15 May, 1 August, 11 November.
    Scottish,
    /// 20 March, 19 June, 24 September, 20 December.
    Received,
}

impl QuarterDays {
    fn days(self) -> [(Month, u8); 4] {
        use Month::{August, December, February, June, March, May, November, September};
        match self {
            Self::English => [(March, 25), (June, 24), (September, 29), (December, 25)],
            Self::Scottish => [(February, 2), (May, 15), (August, 1), (November, 11)],
            Self::Received => [(March, 20), (June, 19), (September, 24), (December, 20)],
        }
    }
}

impl MonthDay {
    fn of(self, year: i32, month: Month) -> Date {
        match self {
            Self::Day(day) => day_of_month(year, month, day),
            Self::FromEnd(back) => day_of_month(year, month, (month.length(year) + 1).saturating_sub(back)),
        }
    }
}

/// Months since the year 0.
fn month_count(date: Date) -> i32 {
    date.year() * 12 + i32::from(u8::from(date.month())) - 1
}

fn month_at(count: i32) -> Option<(i32, Month)> {
    let number = u8::try_from(count.rem_euclid(12) + 1).ok()?;
    Some((count.div_euclid(12), Month::try_from(number).ok()?))
}

/// The first day after `after` in a row of days that rises with its index; `guess` is an index not above the wanted one.
fn first_after(guess: i64, after: Date, day: impl Fn(i64) -> Option<Date>) -> Option<Date> {
    let mut index = guess.max(0);
    loop {
        match day(index) {
            Some(day) if day > after => return Some(day),
            Some(_) => index += 1,
            None => return None,
        }
    }
}

impl Recurrence {
    /// The first day of the recurrence after `after`, when it begins with `anchor` and is counted from there; `None` at the
    /// end of time.
    pub fn next_after(self, anchor: Date, after: Date) -> Option<Date> {
        let after = after.max(anchor.previous_day().unwrap_or(Date::MIN));
        let elapsed = (after - anchor).whole_days();
        match self {
            Self::Days(every) => {
                let every = i64::from(every.max(1));
                first_after(elapsed.div_euclid(every), after, |index| days_later(anchor, index.checked_mul(every)?))
            }
            Self::WorkingDays => {
                let day = working_day_from(after.next_day()?);
                (!rests(day)).then_some(day)
            }
            Self::Weeks { every, on } => {
                let every = i64::from(every.max(1)) * 7;
                let weekday = |date: Date| i64::from(date.weekday().number_days_from_monday());
                let on = on.map_or(weekday(anchor), |on| i64::from(on.number_days_from_monday()));
                let start = on - weekday(anchor);
                first_after((elapsed - 7).div_euclid(every), after, |index| {
                    days_later(anchor, index.checked_mul(every)?.checked_add(start)?)
                })
            }
            Self::WeekOfMonth { week, on } => monthly(anchor, after, 1, |year, month| nth(year, month, week, on)),
            Self::Months { every, on } => {
                let on = on.unwrap_or(MonthDay::Day(anchor.day()));
                monthly(anchor, after, every, |year, month| on.of(year, month))
            }
            Self::Quarters(quarters) => {
                let year = |year: i32| quarters.days().map(|(month, day)| day_of_month(year, month, day));
                let days = year(after.year()).into_iter().chain(year(after.year().checked_add(1)?));
                days.into_iter().find(|day| *day > after)
            }
        }
    }

    /// True when a payment that would fall on a day on which banks rest is made on the next working day. What recurs by
    /// the day is not moved.
    pub fn moves_to_working_days(self) -> bool {
        !matches!(self, Self::Days(_))
    }
}

fn days_later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Duration::days(days))
}

fn monthly(anchor: Date, after: Date, every: u8, day: impl Fn(i32, Month) -> Date) -> Option<Date> {
    let every = i64::from(every.max(1));
    let (base, passed) = (month_count(anchor), i64::from(month_count(after) - month_count(anchor)));
    first_after(passed.div_euclid(every), after, |index| {
        let (year, month) = month_at(base.checked_add(i32::try_from(index.checked_mul(every)?).ok()?)?)?;
        (year <= Date::MAX.year()).then(|| day(year, month))
    })
}

/// The n-th of that weekday in the month, or the last one.
fn nth(year: i32, month: Month, week: u8, on: Weekday) -> Date {
    let first = day_of_month(year, month, 1);
    let shift = (7 + on.number_days_from_monday() - first.weekday().number_days_from_monday()) % 7;
    let mut day = 1 + shift + 7 * (week.clamp(1, 5) - 1);
    while day > month.length(year) {
        day -= 7;
    }
    day_of_month(year, month, day)
}
