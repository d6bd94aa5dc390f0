//! Reading ISO 8601 and HTTP-dates.

use super::Parts;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    format_description::well_known::Iso8601, macros::format_description,
};

/// Reads `date [T time [zone]]`: calendar, week and ordinal dates, with separators or without.
pub(super) fn parse(text: &str) -> Option<Parts> {
    let zoned = OffsetDateTime::parse(text, &Iso8601::PARSING).map(|at| Parts {
        date: at.date(),
        time: Some(at.time()),
        offset: Some(at.offset()),
    });
    let local = || {
        PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(|at| Parts {
            date: at.date(),
            time: Some(at.time()),
            offset: None,
        })
    };
    let day = || Date::parse(text, &Iso8601::PARSING).map(|date| Parts { date, time: None, offset: None });
    let read = zoned.or_else(|_| local()).or_else(|_| day()).ok()?;
    // The library reads offsets of a day and more.
    read.offset.is_none_or(|offset| offset.whole_hours().abs() < 24).then_some(read)
}

/// What of an HTTP-date comes before its zone.
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] ");

/// Reads `Tue, 11 Sep 2012 19:43:31 GMT`.
pub(super) fn parse_http(text: &str) -> Option<OffsetDateTime> {
    let told = text.strip_suffix("GMT").or_else(|| text.strip_suffix("UTC"))?;
    let at = PrimitiveDateTime::parse(told, HTTP_DATE).ok()?;
    // The library does not hold the day of the week against the date.
    (at.format(HTTP_DATE).ok()? == told).then(|| at.assume_utc())
}
