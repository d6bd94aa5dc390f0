//! Periods of limits, and what of a limit counts in the first one (Domestic VRP Consents, Examples of Periodic Limits).

use super::codes::{PeriodAlignment, PeriodType};
use crate::money::{Money, MoneyError};
use time::{Date, Duration, Month, OffsetDateTime};

/// Days that a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub last: Date,
    /// The first day of the calendar's period, which is earlier when the consent was created inside it.
    calendar_first: Date,
}

impl Period {
    /// Whether the day is inside.
    pub fn contains(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// What of a limit counts in this period: all of it, and in a calendar's period that was cut short the part for
    /// the days that are left, rounded half up to the currency's minor unit.
    ///
    /// # Errors
    /// The amount is too large to compute with.
    pub fn share_of(&self, limit: Money) -> Result<Money, MoneyError> {
        let days = |from: Date| i128::from((self.last - from).whole_days() + 1);
        let (left, all) = (days(self.first), days(self.calendar_first));
        let minor = (i128::from(limit.minor()) * left * 2 + all) / (all * 2);
        i64::try_from(minor).map(|minor| Money::new(minor, limit.currency())).map_err(|_| MoneyError::TooLarge)
    }
}

/// The period that is running. Dates count, in the offset of `created` (the bank's own time); weeks begin on Monday,
/// half-years on 1 January and 1 July, and the first of a calendar's periods on the day of creation.
///
/// Periods that count from a consent begin on its day; in months that lack it, on their last day. `None` before the
/// consent was created, at the ends of the calendar, and for fortnights of a calendar, which do not exist.
pub fn period_bounds(
    period_type: PeriodType,
    alignment: PeriodAlignment,
    created: OffsetDateTime,
    now: OffsetDateTime,
) -> Option<Period> {
    let (created, today) = (created.date(), now.to_offset(created.offset()).date());
    if today < created {
        return None;
    }
    match alignment {
        PeriodAlignment::Consent => since(period_type, created, today),
        PeriodAlignment::Calendar => {
            let (calendar_first, last) = of_calendar(period_type, today)?;
            Some(Period { first: calendar_first.max(created), last, calendar_first })
        }
    }
}

fn since(period_type: PeriodType, created: Date, today: Date) -> Option<Period> {
    let between = |first: Date, next: Date| Some(Period { first, last: next.previous_day()?, calendar_first: first });
    let days = match period_type {
        PeriodType::Day => Some(1),
        PeriodType::Week => Some(7),
        PeriodType::Fortnight => Some(14),
        PeriodType::Month | PeriodType::HalfYear | PeriodType::Year => None,
    };
    if let Some(days) = days {
        let before = (today - created).whole_days() / days;
        let first = created.checked_add(Duration::days(before * days))?;
        return between(first, first.checked_add(Duration::days(days))?);
    }
    let months = match period_type {
        PeriodType::HalfYear => 6,
        PeriodType::Year => 12,
        _ => 1,
    };
    let passed = (today.year() - created.year()) * 12 + i32::from(u8::from(today.month()))
        - i32::from(u8::from(created.month()));
    let mut before = passed / months;
    if months_after(created, before * months)? > today {
        before -= 1;
    }
    between(months_after(created, before * months)?, months_after(created, (before + 1) * months)?)
}

/// The same day so many months later, or the last of that month.
fn months_after(date: Date, months: i32) -> Option<Date> {
    let months = date.year() * 12 + i32::from(u8::from(date.month())) - 1 + months;
    let month = Month::try_from(u8::try_from(months.rem_euclid(12) + 1).ok()?).ok()?;
    let year = months.div_euclid(12);
    Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()
}

fn of_calendar(period_type: PeriodType, today: Date) -> Option<(Date, Date)> {
    let months = |first: Month, last: Month| {
        let year = today.year();
        let first = Date::from_calendar_date(year, first, 1).ok()?;
        Some((first, Date::from_calendar_date(year, last, last.length(year)).ok()?))
    };
    match period_type {
        PeriodType::Day => Some((today, today)),
        PeriodType::Week => {
            let since_monday = Duration::days(i64::from(today.weekday().number_days_from_monday()));
            let monday = today.checked_sub(since_monday)?;
            Some((monday, monday.checked_add(Duration::days(6))?))
        }
        PeriodType::Fortnight => None,
        PeriodType::Month => months(today.month(), today.month()),
        PeriodType::HalfYear if u8::from(today.month()) <= 6 => months(Month::January, Month::June),
        PeriodType::HalfYear => months(Month::July, Month::December),
        PeriodType::Year => months(Month::January, Month::December),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use crate::money::Currency;
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    fn bounds(period_type: PeriodType, alignment: PeriodAlignment, created: Date, today: Date) -> (Date, Date) {
        let at = |day: Date| day.midnight().assume_utc();
        let period = period_bounds(period_type, alignment, at(created), at(today)).unwrap();
        (period.first, period.last)
    }

    fn pounds(text: &str) -> Money {
        Money::parse(text, Currency::GBP).unwrap()
    }

    #[test]
    fn the_examples_of_the_specification() {
        use PeriodAlignment::{Calendar, Consent};
        use PeriodType::{Month, Year};
        for (period_type, alignment, limit, created, today, first, last, share) in [
            (
                Month,
                Calendar,
                "300.00",
                date!(2021 - 06 - 06),
                date!(2021 - 06 - 06),
                date!(2021 - 06 - 06),
                date!(2021 - 06 - 30),
                "250.00",
            ),
            (
                Month,
                Calendar,
                "300.00",
                date!(2021 - 06 - 06),
                date!(2021 - 07 - 31),
                date!(2021 - 07 - 01),
                date!(2021 - 07 - 31),
                "300.00",
            ),
            (
                Month,
                Consent,
                "500.00",
                date!(2021 - 06 - 05),
                date!(2021 - 07 - 04),
                date!(2021 - 06 - 05),
                date!(2021 - 07 - 04),
                "500.00",
            ),
            (
                Month,
                Consent,
                "500.00",
                date!(2021 - 06 - 05),
                date!(2021 - 08 - 05),
                date!(2021 - 08 - 05),
                date!(2021 - 09 - 04),
                "500.00",
            ),
            // The sample says that it was created the day before, and counts from the 6th.
            (
                Year,
                Calendar,
                "500.00",
                date!(2021 - 06 - 06),
                date!(2021 - 12 - 31),
                date!(2021 - 06 - 06),
                date!(2021 - 12 - 31),
                "286.30",
            ),
            (
                Year,
                Calendar,
                "500.00",
                date!(2021 - 06 - 05),
                date!(2021 - 06 - 05),
                date!(2021 - 06 - 05),
                date!(2021 - 12 - 31),
                "287.67",
            ),
            (
                Year,
                Calendar,
                "500.00",
                date!(2021 - 06 - 06),
                date!(2023 - 05 - 01),
                date!(2023 - 01 - 01),
                date!(2023 - 12 - 31),
                "500.00",
            ),
            (
                Year,
                Consent,
                "500.00",
                date!(2021 - 06 - 05),
                date!(2022 - 06 - 05),
                date!(2022 - 06 - 05),
                date!(2023 - 06 - 04),
                "500.00",
            ),
        ] {
            assert_eq!(bounds(period_type, alignment, created, today), (first, last), "{today}");
            let at = |day: Date| day.midnight().assume_utc();
            let period = period_bounds(period_type, alignment, at(created), at(today)).unwrap();
            assert_eq!(period.share_of(pounds(limit)), Ok(pounds(share)), "{today}");
        }
    }

    #[test]
    fn shorter_and_longer_periods() {
        use PeriodAlignment::{Calendar, Consent};
        use PeriodType as T;
        let created = date!(2027 - 01 - 31);
        for (period_type, alignment, today, first, last) in [
            (T::Day, Consent, date!(2027 - 02 - 03), date!(2027 - 02 - 03), date!(2027 - 02 - 03)),
            (T::Day, Calendar, date!(2027 - 02 - 03), date!(2027 - 02 - 03), date!(2027 - 02 - 03)),
            (T::Week, Consent, date!(2027 - 02 - 07), date!(2027 - 02 - 07), date!(2027 - 02 - 13)),
            (T::Week, Consent, date!(2027 - 02 - 06), date!(2027 - 01 - 31), date!(2027 - 02 - 06)),
            // The consent was created on a Sunday.
            (T::Week, Calendar, date!(2027 - 01 - 31), date!(2027 - 01 - 31), date!(2027 - 01 - 31)),
            (T::Week, Calendar, date!(2027 - 02 - 07), date!(2027 - 02 - 01), date!(2027 - 02 - 07)),
            (T::Fortnight, Consent, date!(2027 - 02 - 13), date!(2027 - 01 - 31), date!(2027 - 02 - 13)),
            (T::Fortnight, Consent, date!(2027 - 02 - 14), date!(2027 - 02 - 14), date!(2027 - 02 - 27)),
            // February has no 31st, March has it again.
            (T::Month, Consent, date!(2027 - 02 - 27), date!(2027 - 01 - 31), date!(2027 - 02 - 27)),
            (T::Month, Consent, date!(2027 - 02 - 28), date!(2027 - 02 - 28), date!(2027 - 03 - 30)),
            (T::Month, Consent, date!(2028 - 02 - 29), date!(2028 - 02 - 29), date!(2028 - 03 - 30)),
            (T::HalfYear, Consent, date!(2027 - 07 - 31), date!(2027 - 07 - 31), date!(2028 - 01 - 30)),
            (T::HalfYear, Calendar, date!(2027 - 06 - 30), date!(2027 - 01 - 31), date!(2027 - 06 - 30)),
            (T::HalfYear, Calendar, date!(2027 - 07 - 01), date!(2027 - 07 - 01), date!(2027 - 12 - 31)),
            (T::Year, Consent, date!(2028 - 01 - 30), date!(2027 - 01 - 31), date!(2028 - 01 - 30)),
        ] {
            assert_eq!(bounds(period_type, alignment, created, today), (first, last), "{period_type:?} {today}");
        }
        let at = datetime!(2027-01-31 12:00 UTC);
        assert_eq!(period_bounds(T::Fortnight, Calendar, at, at), None);
        assert_eq!(period_bounds(T::Day, Consent, at, datetime!(2027-01-30 12:00 UTC)), None);
        // The day is that of the bank's own time.
        let summer = datetime!(2027-06-30 23:30 UTC);
        let created = datetime!(2027-06-01 9:00 +1);
        assert_eq!(period_bounds(T::Month, Calendar, created, summer).unwrap().first, date!(2027 - 07 - 01));
    }

    proptest! {
        /// Periods of every sort contain their day, and the next one begins where one ends.
        #[test]
        fn periods_follow_each_other(created in 0i64..20_000, later in 0i64..5_000, sort in 0usize..6, consent: bool) {
            let alignment = if consent { PeriodAlignment::Consent } else { PeriodAlignment::Calendar };
            let (period_type, ..) = PeriodType::TABLE[sort];
            prop_assume!(period_type != PeriodType::Fortnight || consent);
            let start = datetime!(2000-01-01 0:00 UTC);
            let (created, now) = (start + Duration::days(created), start + Duration::days(created + later));
            let period = period_bounds(period_type, alignment, created, now).unwrap();
            prop_assert!(period.contains(now.date()) && period.first >= created.date());
            let next = period.last.next_day().unwrap().midnight().assume_utc();
            let following = period_bounds(period_type, alignment, created, next).unwrap();
            prop_assert_eq!(following.first, next.date());
            let limit = Money::new(1_000_000, Currency::GBP);
            prop_assert!(period.share_of(limit).unwrap().minor() <= 1_000_000);
            prop_assert_eq!(following.share_of(limit).unwrap(), limit);
        }
    }
}
