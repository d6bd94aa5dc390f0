//! The days of every form of `Frequency` (v3) and `OBFrequency6Code` (v4), over month ends and leap years.

use ledger::orders::{MonthDay, QuarterDays, Recurrence};
use proptest::prelude::*;
use time::macros::date;
use time::{Date, Duration, Weekday};

/// The days that follow the anchor.
fn days(recurrence: Recurrence, anchor: Date, count: usize) -> Vec<Date> {
    std::iter::successors(Some(anchor), |day| recurrence.next_after(anchor, *day)).skip(1).take(count).collect()
}

#[test]
fn every_day_and_every_so_many_days() {
    let anchor = date!(2028 - 02 - 27);
    let expected = [date!(2028 - 02 - 28), date!(2028 - 02 - 29), date!(2028 - 03 - 01)];
    assert_eq!(days(Recurrence::Days(1), anchor, 3), expected);
    // IntrvlDay:15
    let expected = [date!(2028 - 03 - 13), date!(2028 - 03 - 28), date!(2028 - 04 - 12)];
    assert_eq!(days(Recurrence::Days(15), anchor, 3), expected);
}

#[test]
fn every_working_day() {
    let expected = [date!(2026 - 12 - 24), date!(2026 - 12 - 28), date!(2026 - 12 - 29), date!(2026 - 12 - 30)];
    assert_eq!(days(Recurrence::WorkingDays, date!(2026 - 12 - 23), 4), expected);
    let new_year = [date!(2026 - 12 - 31), date!(2027 - 01 - 04)];
    assert_eq!(days(Recurrence::WorkingDays, date!(2026 - 12 - 30), 2), new_year);
}

#[test]
fn weeks() {
    // IntrvlWkDay:01:3 from a Wednesday, over a leap day.
    let wednesday = date!(2028 - 02 - 23);
    let weekly = Recurrence::Weeks { every: 1, on: Some(Weekday::Wednesday) };
    assert_eq!(days(weekly, wednesday, 3), [date!(2028 - 03 - 01), date!(2028 - 03 - 08), date!(2028 - 03 - 15)]);
    // FRTN and FOWK: on the anchor's day.
    let fortnight = Recurrence::Weeks { every: 2, on: None };
    assert_eq!(days(fortnight, wednesday, 2), [date!(2028 - 03 - 08), date!(2028 - 03 - 22)]);
    let four = Recurrence::Weeks { every: 4, on: None };
    assert_eq!(days(four, wednesday, 2), [date!(2028 - 03 - 22), date!(2028 - 04 - 19)]);
    // IntrvlWkDay:02:5 after a first payment on a Wednesday: the Friday of the same week, then every second one.
    let friday = Recurrence::Weeks { every: 2, on: Some(Weekday::Friday) };
    assert_eq!(days(friday, wednesday, 3), [date!(2028 - 02 - 25), date!(2028 - 03 - 10), date!(2028 - 03 - 24)]);
    // IntrvlWkDay:02:1: the Monday of that week has passed.
    let monday = Recurrence::Weeks { every: 2, on: Some(Weekday::Monday) };
    assert_eq!(days(monday, wednesday, 2), [date!(2028 - 03 - 06), date!(2028 - 03 - 20)]);
}

#[test]
fn a_weekday_of_a_week_of_the_month() {
    // WkInMnthDay:01:1, :02:3 and :05:5 (May 2026 has a fifth Friday, June has not).
    let first = Recurrence::WeekOfMonth { week: 1, on: Weekday::Monday };
    assert_eq!(
        days(first, date!(2026 - 05 - 04), 3),
        [date!(2026 - 06 - 01), date!(2026 - 07 - 06), date!(2026 - 08 - 03)]
    );
    let second = Recurrence::WeekOfMonth { week: 2, on: Weekday::Wednesday };
    assert_eq!(days(second, date!(2026 - 04 - 08), 2), [date!(2026 - 05 - 13), date!(2026 - 06 - 10)]);
    let fifth = Recurrence::WeekOfMonth { week: 5, on: Weekday::Friday };
    assert_eq!(
        days(fifth, date!(2026 - 05 - 29), 3),
        [date!(2026 - 06 - 26), date!(2026 - 07 - 31), date!(2026 - 08 - 28)]
    );
    // Later in the anchor's own month.
    assert_eq!(days(second, date!(2026 - 04 - 01), 1), [date!(2026 - 04 - 08)]);
}

#[test]
fn months_end_where_they_end() {
    // IntrvlMnthDay:01:31 through a leap February.
    let last = Recurrence::Months { every: 1, on: Some(MonthDay::Day(31)) };
    let expected = [date!(2028 - 02 - 29), date!(2028 - 03 - 31), date!(2028 - 04 - 30), date!(2028 - 05 - 31)];
    assert_eq!(days(last, date!(2028 - 01 - 31), 4), expected);
    assert_eq!(days(last, date!(2027 - 01 - 31), 1), [date!(2027 - 02 - 28)]);
    // IntrvlMnthDay:01:-01 and :-05.
    let last = Recurrence::Months { every: 1, on: Some(MonthDay::FromEnd(1)) };
    assert_eq!(
        days(last, date!(2028 - 01 - 31), 3),
        [date!(2028 - 02 - 29), date!(2028 - 03 - 31), date!(2028 - 04 - 30)]
    );
    let fifth = Recurrence::Months { every: 1, on: Some(MonthDay::FromEnd(5)) };
    assert_eq!(days(fifth, date!(2027 - 01 - 27), 2), [date!(2027 - 02 - 24), date!(2027 - 03 - 27)]);
    // MNTH without a point in time: the anchor's day, which comes back after a short month.
    let same = Recurrence::Months { every: 1, on: None };
    assert_eq!(days(same, date!(2028 - 01 - 30), 2), [date!(2028 - 02 - 29), date!(2028 - 03 - 30)]);
}

#[test]
fn months_are_counted_from_the_anchors() {
    // IntrvlMnthDay:03:15, QURT with 15.
    let quarter = Recurrence::Months { every: 3, on: Some(MonthDay::Day(15)) };
    assert_eq!(days(quarter, date!(2026 - 11 - 15), 2), [date!(2027 - 02 - 15), date!(2027 - 05 - 15)]);
    // A first payment on the 5th, then the 15th of the same month.
    assert_eq!(days(quarter, date!(2026 - 11 - 05), 2), [date!(2026 - 11 - 15), date!(2027 - 02 - 15)]);
    // TWMH, ALMH, FOMH, FIMH, MIAN, IntrvlMnthDay:24.
    for (every, next) in [
        (2, date!(2027 - 01 - 30)),
        (4, date!(2027 - 03 - 30)),
        (5, date!(2027 - 04 - 30)),
        (6, date!(2027 - 05 - 30)),
        (24, date!(2028 - 11 - 30)),
    ] {
        assert_eq!(days(Recurrence::Months { every, on: None }, date!(2026 - 11 - 30), 1), [next]);
    }
    // YEAR from a leap day: the last day of February, and the leap day again when there is one.
    let yearly = days(Recurrence::Months { every: 12, on: None }, date!(2028 - 02 - 29), 4);
    assert_eq!(yearly, [date!(2029 - 02 - 28), date!(2030 - 02 - 28), date!(2031 - 02 - 28), date!(2032 - 02 - 29)]);
}

#[test]
fn quarter_days() {
    let anchor = date!(2026 - 12 - 24);
    let english = [date!(2026 - 12 - 25), date!(2027 - 03 - 25), date!(2027 - 06 - 24), date!(2027 - 09 - 29)];
    assert_eq!(days(Recurrence::Quarters(QuarterDays::English), anchor, 4), english);
    let scottish = [date!(2027 - 02 - 02), date!(2027 - 05 - 15), date!(2027 - 08 - 01), date!(2027 - 11 - 11)];
    assert_eq!(days(Recurrence::Quarters(QuarterDays::Scottish), anchor, 4), scottish);
    let received = [date!(2027 - 03 - 20), date!(2027 - 06 - 19), date!(2027 - 09 - 24), date!(2027 - 12 - 20)];
    assert_eq!(days(Recurrence::Quarters(QuarterDays::Received), anchor, 4), received);
}

#[test]
fn only_what_is_not_counted_in_days_is_moved_to_working_days() {
    assert!(!Recurrence::Days(1).moves_to_working_days());
    for moved in [
        Recurrence::WorkingDays,
        Recurrence::Weeks { every: 1, on: None },
        Recurrence::Months { every: 1, on: None },
        Recurrence::Quarters(QuarterDays::English),
    ] {
        assert!(moved.moves_to_working_days());
    }
}

fn weekdays() -> impl Strategy<Value = Weekday> {
    (0u8..7).prop_map(|days| Weekday::Monday.nth_next(days))
}

fn recurrences() -> impl Strategy<Value = Recurrence> {
    let month_day = prop_oneof![any::<u8>().prop_map(MonthDay::Day), any::<u8>().prop_map(MonthDay::FromEnd)];
    prop_oneof![
        any::<u16>().prop_map(Recurrence::Days),
        Just(Recurrence::WorkingDays),
        (any::<u8>(), prop::option::of(weekdays())).prop_map(|(every, on)| Recurrence::Weeks { every, on }),
        (any::<u8>(), weekdays()).prop_map(|(week, on)| Recurrence::WeekOfMonth { week, on }),
        (any::<u8>(), prop::option::of(month_day)).prop_map(|(every, on)| Recurrence::Months { every, on }),
        prop::sample::select(vec![QuarterDays::English, QuarterDays::Scottish, QuarterDays::Received])
            .prop_map(Recurrence::Quarters),
    ]
}

proptest! {
    /// The next day is the same whether one asks from the day before or from any day between: nothing is skipped.
    #[test]
    fn no_day_is_skipped_or_repeated(recurrence in recurrences(), start in 0i64..30_000, gap in 0i64..2_000, back in 0i64..500) {
        let anchor = date!(2000 - 01 - 01) + Duration::days(start);
        let from = anchor + Duration::days(gap);
        if let Some(next) = recurrence.next_after(anchor, from) {
            prop_assert!(next > from);
            let between = next - Duration::days(back.min((next - from).whole_days()).max(1));
            prop_assert_eq!(recurrence.next_after(anchor, between), Some(next));
        }
    }

    /// Also at the ends of time, and for days before the anchor.
    #[test]
    fn nothing_panics(recurrence in recurrences(), anchor in any::<bool>(), days in -2_000i64..2_000) {
        let edge = if anchor { Date::MAX } else { Date::MIN };
        let near = edge.saturating_add(Duration::days(days));
        let _ = recurrence.next_after(near, edge);
        let _ = recurrence.next_after(edge, near);
        let _ = recurrence.next_after(near, near);
        let middle = date!(2026 - 11 - 23);
        if let Some(first) = recurrence.next_after(middle, middle.saturating_add(Duration::days(days.min(0)))) {
            prop_assert!(first > middle.saturating_add(Duration::days(days.min(0))));
        }
    }
}
