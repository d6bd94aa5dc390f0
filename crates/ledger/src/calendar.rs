//! Days: working days, months, times of day.

use crate::mandate::day_of_month;
use time::{Date, Duration, Month, OffsetDateTime, Time, Weekday};

/// The first moment of the day.
pub(crate) fn midnight(date: Date) -> OffsetDateTime {
    date.with_time(Time::MIDNIGHT).assume_utc()
}

/// True on weekends and on the holidays with a fixed date. Moving holidays are left out: a simplification.
pub(crate) fn rests(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
        || matches!((date.month(), date.day()), (Month::January, 1) | (Month::December, 25 | 26))
}

fn step(mut date: Date, walk: impl Fn(Date) -> Option<Date>) -> Date {
    while rests(date) {
        match walk(date) {
            Some(next) => date = next,
            None => return date,
        }
    }
    date
}

/// The date, or the first working day after it.
pub(crate) fn working_day_from(date: Date) -> Date {
    step(date, Date::next_day)
}

/// The date, or the last working day before it.
pub(crate) fn working_day_until(date: Date) -> Date {
    step(date, Date::previous_day)
}

/// The working day that is so many working days after the date.
pub(crate) fn working_days_after(date: Date, days: u64) -> Date {
    (0..days).fold(date, |day, _| working_day_from(day.saturating_add(Duration::DAY)))
}

/// The first day after `date` on which banks work.
pub fn working_day_after(date: Date) -> Date {
    working_days_after(date, 1)
}

/// That day of every month, from the month before `from` to the one of `to`: a move to a working day may cross the
/// end of a month.
pub(crate) fn monthly(from: Date, to: Date, day: u8) -> impl Iterator<Item = Date> {
    let first = from.year() * 12 + i32::from(u8::from(from.month())) - 2;
    let last = to.year() * 12 + i32::from(u8::from(to.month())) - 1;
    (first..=last).filter_map(move |count| {
        let month = u8::try_from(count.rem_euclid(12) + 1).ok()?;
        Some(day_of_month(count.div_euclid(12), Month::try_from(month).ok()?, day))
    })
}

/// Every day from `from` to the one before `to`.
pub(crate) fn daily(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |day| day.next_day()).take_while(move |day| *day < to)
}

/// January 0 to December 11.
pub(crate) fn month_index(date: Date) -> usize {
    usize::from(u8::from(date.month())) - 1
}

/// The moment on that day.
pub(crate) fn at(date: Date, hour: u64, minute: u64, second: u64) -> OffsetDateTime {
    let seconds = i64::try_from(hour * 3600 + minute * 60 + second).unwrap_or(0);
    midnight(date).saturating_add(Duration::seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn working_days_avoid_weekends_and_christmas() {
        assert_eq!(working_day_from(date!(2025 - 12 - 25)), date!(2025 - 12 - 29));
        assert_eq!(working_day_until(date!(2025 - 12 - 28)), date!(2025 - 12 - 24));
        assert_eq!(working_days_after(date!(2026 - 11 - 20), 2), date!(2026 - 11 - 24));
        assert_eq!(working_day_from(date!(2026 - 11 - 23)), date!(2026 - 11 - 23));
    }

    #[test]
    fn months_are_counted_over_the_turn_of_the_year() {
        let days: Vec<_> = monthly(date!(2024 - 01 - 15), date!(2024 - 03 - 01), 31).collect();
        let expected = [date!(2023 - 12 - 31), date!(2024 - 01 - 31), date!(2024 - 02 - 29), date!(2024 - 03 - 31)];
        assert_eq!(days, expected);
    }
}
