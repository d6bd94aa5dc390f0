//! Reading ISO 8601 and HTTP-dates.

use super::Parts;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Reads `date [T time [zone]]`, where date and time are each extended (with separators) or basic (without).
pub(super) fn parse(text: &str) -> Option<Parts> {
    let (date, rest) = match text.split_once('T') {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let date = read_date(date)?;
    let Some(rest) = rest else { return Some(Parts { date, time: None, offset: None }) };
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let offset = if zone.is_empty() { None } else { Some(read_zone(zone)?) };
    Some(Parts { date, time: Some(read_time(time)?), offset })
}

/// Reads `Tue, 11 Sep 2012 19:43:31 GMT`.
pub(super) fn parse_http(text: &str) -> Option<OffsetDateTime> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split(' ');
    let mut next = || parts.next();
    let weekday = next()?.strip_suffix(',')?;
    let (day, month, year, clock, zone) = (next()?, next()?, next()?, next()?, next()?);
    let well_formed = next().is_none() && matches!(zone, "GMT" | "UTC") && clock.len() == 8;
    let month = u8::try_from(MONTHS.iter().position(|name| *name == month)? + 1).ok()?;
    let month = Month::try_from(month).ok()?;
    let date = Date::from_calendar_date(number(year, 4)?.into(), month, number(day, 2)?.try_into().ok()?).ok()?;
    let right_day = DAYS.get(usize::from(date.weekday().number_days_from_monday())) == Some(&weekday);
    (well_formed && right_day).then_some(())?;
    Some(PrimitiveDateTime::new(date, read_time(clock)?).assume_utc())
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u16> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Cuts text into fields of the given widths, all with the separator between them or all without.
fn fields<const N: usize>(text: &str, widths: [usize; N], separator: char) -> Option<[u16; N]> {
    let extended = text.contains(separator);
    let (mut rest, mut numbers) = (text, [0; N]);
    for (index, width) in widths.into_iter().enumerate() {
        if extended && index > 0 {
            rest = rest.strip_prefix(separator)?;
        }
        let (field, after) = rest.split_at_checked(width)?;
        numbers[index] = number(field, width)?;
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}

fn read_date(text: &str) -> Option<Date> {
    let [year, month, day] = fields(text, [4, 2, 2], '-')?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year.into(), month, day.try_into().ok()?).ok()
}

/// Hours and minutes, optionally seconds, optionally a fraction of up to nine digits.
fn read_time(text: &str) -> Option<Time> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let [hour, minute, second] = match fields(clock, [2, 2, 2], ':') {
        Some(full) => full,
        None if fraction.is_none() => fields(clock, [2, 2], ':').map(|[hour, minute]| [hour, minute, 0])?,
        None => return None,
    };
    let nanosecond = match fraction {
        None => 0,
        Some(digits) => {
            ((1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
            format!("{digits:0<9}").parse().ok()?
        }
    };
    let small = |number: u16| u8::try_from(number).ok();
    Time::from_hms_nano(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()
}

fn read_zone(text: &str) -> Option<UtcOffset> {
    if text == "Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, clock) = match text.strip_prefix('+') {
        Some(clock) => (1, clock),
        None => (-1, text.strip_prefix('-')?),
    };
    let [hours, minutes] = match number(clock, 2) {
        Some(hours) => [hours, 0],
        None => fields(clock, [2, 2], ':')?,
    };
    let small = |number: u16, most: u16| (number <= most).then(|| i8::try_from(number).ok())?;
    UtcOffset::from_hms(sign * small(hours, 23)?, sign * small(minutes, 59)?, 0).ok()
}
