//! How often a standing order is paid, in the words of both versions.

use ledger::orders::{MonthDay, QuarterDays, Recurrence, Schedule};
use openbanking::{code::Code, mandates::MandateTiming, payments::FrequencyCode, version::ApiVersion};

/// What v3.1 has no pattern for.
const NOT_KNOWN: &str = "NotKnown";

/// The pattern of v3.1, and what v4.0 says. v4.0 takes the pattern where it has no code (v4.0.1, `OBFrequency6`).
pub(super) fn of(schedule: &Schedule) -> (String, MandateTiming) {
    let anchor = schedule.recurring_from.unwrap_or(schedule.first);
    let (pattern, coded) = match schedule.recurrence {
        Recurrence::Days(0 | 1) => ("EvryDay".to_owned(), Some((FrequencyCode::Daily, None))),
        Recurrence::Days(days) => (within(days, 2..=31, format!("IntrvlDay:{days:02}")), None),
        Recurrence::WorkingDays => ("EvryWorkgDay".to_owned(), Some((FrequencyCode::WorkingDay, None))),
        Recurrence::Weeks { every, on } => {
            let (weeks, day) = (every.max(1), on.unwrap_or(anchor.weekday()).number_from_monday());
            let code = FrequencyCode::of_weeks(weeks);
            let point = Some(format!("{day:02}"));
            (within(weeks, 1..=9, format!("IntrvlWkDay:{weeks:02}:{day:02}")), code.map(|code| (code, point)))
        }
        Recurrence::WeekOfMonth { week, on } => {
            (within(week, 1..=5, format!("WkInMnthDay:{week:02}:{:02}", on.number_from_monday())), None)
        }
        Recurrence::Months { every, on } => {
            let months = every.max(1);
            let (day, point) = match on.unwrap_or(MonthDay::Day(anchor.day())) {
                MonthDay::Day(day) => (format!("{day:02}"), Some(format!("{day:02}"))),
                MonthDay::FromEnd(back) => (format!("-{:02}", back.clamp(1, 5)), None),
            };
            let pattern = format!("IntrvlMnthDay:{months:02}:{day}");
            let known = matches!(months, 1..=6 | 12 | 24);
            // A day that is counted from the end has no place in v4.0 but in the pattern, and the last of each month.
            let coded = match day.as_str() {
                "-01" if months == 1 => Some((FrequencyCode::LastDayOfMonth, None)),
                _ => FrequencyCode::of_months(months).filter(|_| point.is_some()).map(|code| (code, point)),
            };
            (if known { pattern } else { NOT_KNOWN.to_owned() }, coded)
        }
        Recurrence::Quarters(days) => {
            let name = match days {
                QuarterDays::English => "ENGLISH",
                QuarterDays::Scottish => "SCOTTISH",
                QuarterDays::Received => "RECEIVED",
            };
            (format!("QtrDay:{name}"), None)
        }
    };
    let timing = match coded {
        Some((code, point_in_time)) => {
            MandateTiming { r#type: code.wire(ApiVersion::V4_0).to_owned(), count_per_period: None, point_in_time }
        }
        None => MandateTiming { r#type: pattern.clone(), count_per_period: None, point_in_time: None },
    };
    (pattern, timing)
}

/// The pattern, when the number is one that it can have.
fn within<N: Copy + PartialOrd>(number: N, range: std::ops::RangeInclusive<N>, pattern: String) -> String {
    if range.contains(&number) { pattern } else { NOT_KNOWN.to_owned() }
}

#[cfg(test)]
mod tests {
    use ledger::orders::End;
    use time::{Weekday, macros::date};

    use super::*;

    #[test]
    fn every_recurrence_has_words_in_both_versions() {
        let months = |every, on| Recurrence::Months { every, on: Some(on) };
        for (recurrence, pattern, r#type, count, point) in [
            (Recurrence::Days(1), "EvryDay", "DAIL", None, None),
            (Recurrence::Days(10), "IntrvlDay:10", "IntrvlDay:10", None, None),
            (Recurrence::Days(40), "NotKnown", "NotKnown", None, None),
            (Recurrence::WorkingDays, "EvryWorkgDay", "WODL", None, None),
            (Recurrence::Weeks { every: 2, on: Some(Weekday::Friday) }, "IntrvlWkDay:02:05", "FRTN", None, Some("05")),
            (Recurrence::Weeks { every: 3, on: None }, "IntrvlWkDay:03:01", "IntrvlWkDay:03:01", None, None),
            (
                Recurrence::WeekOfMonth { week: 2, on: Weekday::Monday },
                "WkInMnthDay:02:01",
                "WkInMnthDay:02:01",
                None,
                None,
            ),
            (months(1, MonthDay::Day(1)), "IntrvlMnthDay:01:01", "MNTH", None, Some("01")),
            (months(12, MonthDay::Day(29)), "IntrvlMnthDay:12:29", "YEAR", None, Some("29")),
            (months(1, MonthDay::FromEnd(1)), "IntrvlMnthDay:01:-01", "LXMH", None, None),
            (months(1, MonthDay::FromEnd(2)), "IntrvlMnthDay:01:-02", "IntrvlMnthDay:01:-02", None, None),
            (months(9, MonthDay::Day(5)), "NotKnown", "NotKnown", None, None),
            (Recurrence::Quarters(QuarterDays::English), "QtrDay:ENGLISH", "QtrDay:ENGLISH", None, None),
        ] {
            let schedule = Schedule {
                first: date!(2026 - 11 - 23),
                recurrence,
                recurring_from: None,
                recurring_amount: None,
                end: End::Never,
                final_amount: None,
            };
            let (found, timing) = of(&schedule);
            assert_eq!((found.as_str(), timing.r#type.as_str()), (pattern, r#type), "{recurrence:?}");
            assert_eq!((timing.count_per_period, timing.point_in_time.as_deref()), (count, point), "{recurrence:?}");
        }
    }
}
