//! How often a standing order pays: the patterns of v3.1 and the codes of v4.0 (`OBFrequency6Code`).

use crate::code::{Code, codes};
use serde::{Deserialize, Serialize};
use std::fmt;

codes! {
    /// `OBFrequency6Code` with what v4.0.1 added.
    #[derive(Serialize, Deserialize)]
    pub enum FrequencyCode {
        /// On request.
        AdHoc = "ADHO" / "ADHO",
        /// Every year.
        Annual = "YEAR" / "YEAR",
        /// Every day.
        Daily = "DAIL" / "DAIL",
        /// Every two weeks.
        Fortnightly = "FRTN" / "FRTN",
        /// Several times a day.
        IntraDay = "INDA" / "INDA",
        /// Every month.
        Monthly = "MNTH" / "MNTH",
        /// Every three months.
        Quarterly = "QURT" / "QURT",
        /// Every six months.
        SemiAnnual = "MIAN" / "MIAN",
        /// Every week.
        Weekly = "WEEK" / "WEEK",
        /// Every working day.
        WorkingDay = "WODL" / "WODL",
        /// Every four weeks.
        FourWeekly = "FOWK" / "FOWK",
        /// Every two months.
        TwoMonthly = "TWMH" / "TWMH",
        /// Every four months.
        FourMonthly = "FOMH" / "FOMH",
        /// Every five months.
        FiveMonthly = "FIMH" / "FIMH",
        /// Every other month.
        AlternateMonth = "ALMH" / "ALMH",
        /// Not known.
        None = "NONE" / "NONE",
        /// On the last working day of the month.
        LastWorkingDayOfMonth = "LWMH" / "LWMH",
        /// On the last day of the month.
        LastDayOfMonth = "LXMH" / "LXMH",
        /// Twice a year.
        TwiceAYear = "TWYR" / "TWYR",
    }
}

impl FrequencyCode {
    /// The codes that count weeks from one payment to the next.
    const WEEKS: [(u8, Self); 3] = [(1, Self::Weekly), (2, Self::Fortnightly), (4, Self::FourWeekly)];
    /// Those that count months.
    const MONTHS: [(u8, Self); 7] = [
        (1, Self::Monthly),
        (2, Self::TwoMonthly),
        (3, Self::Quarterly),
        (4, Self::FourMonthly),
        (5, Self::FiveMonthly),
        (6, Self::SemiAnnual),
        (12, Self::Annual),
    ];

    /// The code for every so many weeks.
    pub fn of_weeks(weeks: u8) -> Option<Self> {
        Self::WEEKS.iter().find(|(number, _)| *number == weeks).map(|(_, code)| *code)
    }

    /// The code for every so many months.
    pub fn of_months(months: u8) -> Option<Self> {
        Self::MONTHS.iter().find(|(number, _)| *number == months).map(|(_, code)| *code)
    }
}

/// Which four days of the year quarterly payments are made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QuarterDays {
    /// 25 March, 24 June, 29 September, 25 December.
    English,
    /// 2 February, 15 May, 1 August, 11 November.
    Scottish,
    /// 20 March, 19 June, 24 September, 20 December.
    Received,
}

impl QuarterDays {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::English, "ENGLISH"), (Self::Scottish, "SCOTTISH"), (Self::Received, "RECEIVED")];
}

/// How often a standing order pays. Days of the week count from Monday, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Frequency {
    /// `EvryDay`.
    EveryDay,
    /// `EvryWorkgDay`.
    EveryWorkingDay,
    /// `IntrvlDay:NN`, every 2 to 31 days.
    IntervalDays {
        /// Days from one to the next.
        days: u8,
    },
    /// `IntrvlWkDay:NN:DD`, every 1 to 9 weeks on that day.
    IntervalWeeks {
        /// Weeks from one to the next.
        weeks: u8,
        /// Day of the week.
        day: u8,
    },
    /// `WkInMnthDay:NN:DD`, every month in its first to fifth week on that day.
    WeekInMonth {
        /// Week of the month.
        week: u8,
        /// Day of the week.
        day: u8,
    },
    /// `IntrvlMnthDay:NN:DD`, every 1 to 6, 12 or 24 months on that day; -1 is the last of the month.
    IntervalMonths {
        /// Months from one to the next.
        months: u8,
        /// Day of the month, 1 to 31 or -5 to -1.
        day: i8,
    },
    /// `QtrDay:NAME`.
    QuarterDays(QuarterDays),
    /// A code of v4.0; the first payment's date says on which day.
    Code(FrequencyCode),
}

impl Frequency {
    /// The frequency in the pattern of v3.1, which v4.0.1 takes too. `NotKnown`, which is for reading alone, is none.
    pub fn of_pattern(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let name = parts.next()?;
        let fields: Vec<&str> = parts.collect();
        match (name, fields.as_slice()) {
            ("EvryDay", []) => Some(Self::EveryDay),
            ("EvryWorkgDay", []) => Some(Self::EveryWorkingDay),
            ("IntrvlDay", [days]) => Some(Self::IntervalDays { days: number(days, 2..=31)? }),
            ("IntrvlWkDay", [weeks, day]) => {
                Some(Self::IntervalWeeks { weeks: number(weeks, 1..=9)?, day: number(day, 1..=7)? })
            }
            ("WkInMnthDay", [week, day]) => {
                Some(Self::WeekInMonth { week: number(week, 1..=5)?, day: number(day, 1..=7)? })
            }
            ("IntrvlMnthDay", [months, day]) => {
                let months = number(months, 1..=24).filter(|months| matches!(months, 1..=6 | 12 | 24))?;
                let day = match day.strip_prefix('-') {
                    Some(day) => -i8::try_from(number(day, 1..=5)?).ok()?,
                    None => i8::try_from(number(day, 1..=31)?).ok()?,
                };
                Some(Self::IntervalMonths { months, day })
            }
            ("QtrDay", [name]) => {
                let row = QuarterDays::NAMES.iter().find(|(_, known)| known == name);
                row.map(|(days, _)| Self::QuarterDays(*days))
            }
            _ => None,
        }
    }

    /// The names under which the frequency goes, in v3.1 (without its numbers) and in v4.0: those that it was not written
    /// with as well.
    pub fn names(self) -> Vec<String> {
        let written = self.to_string();
        let plain = written.split(':').next().unwrap_or(&written).to_owned();
        let code = match self {
            Self::EveryDay => Some(FrequencyCode::Daily),
            Self::EveryWorkingDay => Some(FrequencyCode::WorkingDay),
            Self::IntervalWeeks { weeks, .. } => FrequencyCode::of_weeks(weeks),
            Self::IntervalMonths { months: 1, day: -1 } => Some(FrequencyCode::LastDayOfMonth),
            Self::IntervalMonths { months, day: 1.. } => FrequencyCode::of_months(months),
            _ => None,
        };
        let other = match self {
            Self::Code(FrequencyCode::Daily) => Some("EvryDay"),
            Self::Code(FrequencyCode::WorkingDay) => Some("EvryWorkgDay"),
            _ => code.map(|code| code.wire(crate::version::ApiVersion::V4_0)),
        };
        std::iter::once(plain).chain(other.map(str::to_owned)).collect()
    }

    /// The frequency of that code.
    pub fn of_code(text: &str) -> Option<Self> {
        FrequencyCode::from_wire(text).map(Self::Code)
    }
}

/// A number of two digits in that range.
fn number(text: &str, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|number| range.contains(number))
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryDay => f.write_str("EvryDay"),
            Self::EveryWorkingDay => f.write_str("EvryWorkgDay"),
            Self::IntervalDays { days } => write!(f, "IntrvlDay:{days:02}"),
            Self::IntervalWeeks { weeks, day } => write!(f, "IntrvlWkDay:{weeks:02}:{day:02}"),
            Self::WeekInMonth { week, day } => write!(f, "WkInMnthDay:{week:02}:{day:02}"),
            Self::IntervalMonths { months, day } => {
                let sign = if *day < 0 { "-" } else { "" };
                write!(f, "IntrvlMnthDay:{months:02}:{sign}{:02}", day.unsigned_abs())
            }
            Self::QuarterDays(days) => {
                let name = QuarterDays::NAMES.iter().find(|(known, _)| known == days).map_or("", |(_, name)| name);
                write!(f, "QtrDay:{name}")
            }
            Self::Code(code) => f.write_str(code.wire(crate::version::ApiVersion::V4_0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_are_read_and_written_alike() {
        for text in [
            "EvryDay",
            "EvryWorkgDay",
            "IntrvlDay:02",
            "IntrvlDay:31",
            "IntrvlWkDay:01:03",
            "IntrvlWkDay:09:07",
            "WkInMnthDay:05:01",
            "IntrvlMnthDay:01:-01",
            "IntrvlMnthDay:06:31",
            "IntrvlMnthDay:24:15",
            "QtrDay:ENGLISH",
            "QtrDay:SCOTTISH",
            "QtrDay:RECEIVED",
        ] {
            assert_eq!(Frequency::of_pattern(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "foobar",
            "NotKnown",
            "evryday",
            "EvryDay:01",
            "IntrvlDay",
            "IntrvlDay:01",
            "IntrvlDay:32",
            "IntrvlDay:2",
            "IntrvlDay:+2",
            "IntrvlWkDay:10:01",
            "IntrvlWkDay:01:08",
            "IntrvlWkDay:1:3",
            "WkInMnthDay:06:01",
            "WkInMnthDay:00:01",
            "IntrvlMnthDay:07:01",
            "IntrvlMnthDay:01:32",
            "IntrvlMnthDay:01:00",
            "IntrvlMnthDay:01:-06",
            "IntrvlMnthDay:01:--1",
            "QtrDay:WELSH",
            "QtrDay:ENGLISH:01",
            "MNTH",
        ] {
            assert_eq!(Frequency::of_pattern(text), None, "{text}");
        }
    }

    #[test]
    fn codes_are_read_and_written_alike() {
        for (code, _, name) in FrequencyCode::TABLE {
            assert_eq!(Frequency::of_code(name), Some(Frequency::Code(*code)));
            assert_eq!(Frequency::Code(*code).to_string(), *name);
        }
        assert_eq!(Frequency::of_code("EvryDay"), None);
    }

    #[test]
    fn a_frequency_has_a_name_in_either_version() {
        for (written, names) in [
            ("EvryDay", &["EvryDay", "DAIL"][..]),
            ("IntrvlWkDay:02:03", &["IntrvlWkDay", "FRTN"]),
            ("IntrvlWkDay:03:03", &["IntrvlWkDay"]),
            ("IntrvlMnthDay:01:-01", &["IntrvlMnthDay", "LXMH"]),
            ("IntrvlMnthDay:06:15", &["IntrvlMnthDay", "MIAN"]),
            ("QtrDay:ENGLISH", &["QtrDay"]),
        ] {
            assert_eq!(Frequency::of_pattern(written).unwrap().names(), names, "{written}");
        }
        assert_eq!(Frequency::Code(FrequencyCode::Daily).names(), ["DAIL", "EvryDay"]);
        assert_eq!(Frequency::Code(FrequencyCode::WorkingDay).names(), ["WODL", "EvryWorkgDay"]);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "(IntrvlMnthDay|IntrvlDay|QtrDay)?(:[-0-9A-Zé]{0,3}){0,3}") {
            if let Some(frequency) = Frequency::of_pattern(&text) {
                prop_assert_eq!(frequency.to_string(), text);
            }
        }
    }
}
