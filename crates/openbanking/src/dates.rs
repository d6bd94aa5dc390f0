//! Dates and times as the standards write them (Read/Write Data API Profile, Date Formats).

use thiserror::Error;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

mod iso;
pub mod serde_form;

/// The text is not a date in the form that is wanted here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found:?}")]
pub struct DateError {
    /// The form that is wanted.
    pub expected: &'static str,
    /// The text as received.
    pub found: String,
}

/// A date-time as responses carry it: RFC 3339 with a numeric offset, milliseconds only when there are any.
pub fn format(at: OffsetDateTime) -> String {
    let (date, time, offset) = (at.date(), at.time(), at.offset());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = time.as_hms();
    let fraction = match time.millisecond() {
        0 => String::new(),
        milliseconds => format!(".{milliseconds:03}"),
    };
    let (offset_hours, offset_minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{sign}{:02}:{:02}",
        offset_hours.unsigned_abs(),
        offset_minutes.unsigned_abs()
    )
}

/// Reads a date-time of a request body: any ISO 8601 form with a time and an offset (`Z`, `+01:00`, `+0100`, `+01`),
/// with or without seconds and fractions. It is a moment of the years 1 to 9999, wherever it is told (RFC 3339, 1).
///
/// # Errors
/// The text is something else.
pub fn parse_request(text: &str) -> Result<OffsetDateTime, DateError> {
    const EXPECTED: &str = "an ISO 8601 date-time with an offset, such as 2026-04-05T10:43:07+00:00";
    let wrong = || DateError { expected: EXPECTED, found: text.to_owned() };
    let read = iso::parse(text).ok_or_else(wrong)?;
    let (Some(time), Some(offset)) = (read.time, read.offset) else { return Err(wrong()) };
    let at = PrimitiveDateTime::new(read.date, time).assume_offset(offset);
    let in_time = at.year() >= 1 && at.checked_to_offset(UtcOffset::UTC).is_some_and(|utc| utc.year() >= 1);
    // RFC 3339 knows no comma, and answers repeat what was sent.
    if in_time && !text.contains(',') { Ok(at) } else { Err(wrong()) }
}

/// Whether the text is a date-time of RFC 3339, the one form of ISO 8601 that answers have.
pub fn is_rfc3339(text: &str) -> bool {
    OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

/// A date or date-time of a query parameter, in the bank's own time (read as UTC here).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryDate {
    date: Date,
    time: Option<Time>,
}

impl QueryDate {
    /// Reads `fromBookingDateTime` and its like: extended or basic ISO 8601, a date alone or with a time. A zone is
    /// ignored, as the specification wants it (Filtering).
    ///
    /// # Errors
    /// The text is something else.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        const EXPECTED: &str = "an ISO 8601 date-time without a zone, such as 2026-04-05T10:43:07, or a date";
        // A plus that was not escaped arrives as a space.
        let escaped = text.replace(' ', "+");
        let read = iso::parse(&escaped).ok_or_else(|| DateError { expected: EXPECTED, found: text.to_owned() })?;
        Ok(Self { date: read.date, time: read.time })
    }

    /// The first moment that is meant.
    pub fn lower_bound(self) -> OffsetDateTime {
        PrimitiveDateTime::new(self.date, self.time.unwrap_or(Time::MIDNIGHT)).assume_utc()
    }

    /// The last moment that is meant: of a date alone, the last nanosecond of the day.
    pub fn upper_bound(self) -> OffsetDateTime {
        PrimitiveDateTime::new(self.date, self.time.unwrap_or(Time::MAX)).assume_utc()
    }
}

/// Reads `x-fapi-auth-date`: an HTTP-date with the day of the week, `GMT` or `UTC` (RFC 7231, 7.1.1.1).
///
/// # Errors
/// The text is something else, or its day of the week is wrong.
pub fn parse_http_date(text: &str) -> Result<OffsetDateTime, DateError> {
    const EXPECTED: &str = "an HTTP-date such as Tue, 11 Sep 2012 19:43:31 GMT";
    iso::parse_http(text).ok_or_else(|| DateError { expected: EXPECTED, found: text.to_owned() })
}

/// Parts of an ISO 8601 date-time that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    date: Date,
    time: Option<Time>,
    offset: Option<UtcOffset>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn responses_have_an_offset() {
        assert_eq!(format(datetime!(2026-04-05 10:43:07 UTC)), "2026-04-05T10:43:07+00:00");
        assert_eq!(format(datetime!(2026-04-05 10:43:07.12345 +5:30)), "2026-04-05T10:43:07.123+05:30");
        assert_eq!(format(datetime!(2026-04-05 10:43:07 -0:30)), "2026-04-05T10:43:07-00:30");
    }

    #[test]
    fn requests_may_write_the_offset_in_every_form() {
        let at = datetime!(2026-04-05 10:43:07 +1);
        for text in
            ["2026-04-05T10:43:07+01:00", "2026-04-05T10:43:07+01", "20260405T104307+0100", "2026-04-05T09:43:07Z"]
        {
            assert_eq!(parse_request(text), Ok(at), "{text}");
        }
        assert_eq!(parse_request("2026-04-05T10:43Z"), Ok(datetime!(2026-04-05 10:43 UTC)));
        assert_eq!(parse_request("2026-04-05T00:00:00.999+00:00"), Ok(datetime!(2026-04-05 0:00:00.999 UTC)));
        assert_eq!(parse_request("9999-12-31T23:59:59Z"), Ok(datetime!(9999-12-31 23:59:59 UTC)));
        for text in [
            "",
            "2026-04-05",
            "2026-04-05T10:43:07",
            "2026-02-29T10:43:07Z",
            "2026-04-05T24:00:00Z",
            "2026-04-05T10:43:07+25:00",
            "2026-04-05T10:43:07+01:60",
            "2026-04-05 10:43:07Z",
            "2026-0405T10:43:07Z",
            "2026-04-05T10:43:07.Z",
            "2026-04-05T10:43:07Zx",
            "2026-04-05T10:43:07,5Z",
            "0000-04-05T10:43:07Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "next week",
        ] {
            assert_eq!(parse_request(text).unwrap_err().found, text);
        }
    }

    #[test]
    fn query_dates_ignore_the_zone() {
        let at = datetime!(2016-01-01 10:40:12.345 UTC);
        for text in [
            "2016-01-01T10:40:12.345",
            "20160101T104012.345Z",
            "20160101T104012.345+01",
            "2016-01-01T10:40:12.345 01:00",
        ] {
            assert_eq!(QueryDate::parse(text).unwrap().lower_bound(), at, "{text}");
            assert_eq!(QueryDate::parse(text).unwrap().upper_bound(), at, "{text}");
        }
        for text in ["20160101", "2015-W53-5", "2016-001"] {
            assert_eq!(QueryDate::parse(text), QueryDate::parse("2016-01-01"), "{text}");
        }
        let five = QueryDate::parse("2016-01-01T10:40:12.34567Z").unwrap();
        assert_eq!(five.lower_bound(), datetime!(2016-01-01 10:40:12.34567 UTC));
        let day = QueryDate::parse("2016-01-01").unwrap();
        assert_eq!(
            (day.lower_bound(), day.upper_bound()),
            (datetime!(2016-01-01 0:00 UTC), datetime!(2016-01-01 23:59:59.999999999 UTC))
        );
        for text in ["", "2016", "2016-13-01", "2016-01-01T", "01/02/2016", "2016-01-01T10", "2016-01-01Z"] {
            assert!(QueryDate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn http_dates_need_their_weekday() {
        let at = datetime!(2012-09-11 19:43:31 UTC);
        assert_eq!(parse_http_date("Tue, 11 Sep 2012 19:43:31 GMT"), Ok(at));
        assert_eq!(parse_http_date("Tue, 11 Sep 2012 19:43:31 UTC"), Ok(at));
        for text in [
            "Mon, 11 Sep 2012 19:43:31 GMT",
            "Tue, 11 Sep 2012 19:43:31 +0000",
            "Tue, 31 Sep 2012 19:43:31 GMT",
            "Tue, 11 Sep 2012 25:43:31 GMT",
            "Tuesday, 11-Sep-12 19:43:31 GMT",
            "2012-09-11T19:43:31Z",
            "",
        ] {
            assert!(parse_http_date(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(seconds in -2_000_000_000i64..4_000_000_000, offset in -14i8..=14) {
            let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let at = utc.to_offset(UtcOffset::from_hms(offset, 0, 0).unwrap());
            prop_assert_eq!(parse_request(&format(at)), Ok(at));
            prop_assert_eq!(QueryDate::parse(&format(utc)).unwrap().lower_bound(), utc);
        }

        #[test]
        fn no_text_breaks_the_readers(text in "\\PC{0,40}") {
            let _ = (parse_request(&text), QueryDate::parse(&text), parse_http_date(&text));
        }
    }
}
