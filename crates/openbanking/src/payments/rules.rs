//! What the members of an `Initiation` demand of each other (Read/Write, Standing Order Consents and International
//! Payment Consents): each rule looks at the JSON and names the member that breaks it.

use super::initiation::Initiation;
use super::view::View;
use crate::error::ErrorCode;
use crate::parties::AccountScheme;
use crate::reading::ReadingError;
use time::OffsetDateTime;

type Rule = fn(&View<'_>) -> Result<(), ReadingError>;

/// In the order in which they are applied.
const RULES: &[Rule] = &[
    ends_once,
    one_currency,
    point_in_time,
    count_or_point_in_time,
    final_amount_with_final_date,
    agreed_rate_is_complete,
    other_rates_are_the_banks,
    agent_is_identified,
    priority_or_local_instrument,
];

/// Judges all of them.
pub(super) fn members_fit(initiation: &View<'_>) -> Result<(), ReadingError> {
    RULES.iter().try_for_each(|rule| rule(initiation))
}

/// Where the dates and the frequency of a standing order are: in v4.0 inside the mandate.
pub(super) fn dates_of<'a>(initiation: &View<'a>) -> View<'a> {
    initiation.get("MandateRelatedInformation").unwrap_or_else(|| initiation.clone())
}

/// `Field.Unexpected` when the member is there.
fn absent(view: &View<'_>, name: &str, words: &str) -> Result<(), ReadingError> {
    view.get(name).map_or(Ok(()), |member| Err(member.wrong(ErrorCode::FieldUnexpected, words)))
}

/// `Field.Expected` when the member is not there.
fn present(view: &View<'_>, name: &str, words: &str) -> Result<(), ReadingError> {
    if view.has(name) {
        return Ok(());
    }
    Err(ReadingError::new(ErrorCode::FieldExpected, view.path_of(name), words, "none"))
}

/// A standing order ends on a date or after a number of payments, not both. v4.0 counts in `CountPerPeriod`, v4.0.1
/// has `NumberOfPayments` back.
fn ends_once(initiation: &View<'_>) -> Result<(), ReadingError> {
    const WORDS: &str = "a last date or a number of payments, not both";
    let dates = dates_of(initiation);
    if !dates.has("FinalPaymentDateTime") {
        return Ok(());
    }
    absent(initiation, "NumberOfPayments", WORDS)?;
    dates.get("Frequency").map_or(Ok(()), |frequency| absent(&frequency, "CountPerPeriod", WORDS))
}

/// All payments of a standing order are in the currency of the first.
fn one_currency(initiation: &View<'_>) -> Result<(), ReadingError> {
    let currency_of = |name: &str| initiation.get(name).and_then(|amount| amount.get("Currency"));
    let Some(first) = currency_of("FirstPaymentAmount").or_else(|| currency_of("InstructedAmount")) else {
        return Ok(());
    };
    let others = ["RecurringPaymentAmount", "FinalPaymentAmount"].into_iter().filter_map(currency_of);
    let other = others.into_iter().find(|currency| currency.value() != first.value());
    other.map_or(Ok(()), |currency| Err(currency.invalid("the currency of the first payment")))
}

/// `PointInTime` of v4.0's `Frequency` is the day of the week or of the month, in two digits; 00, which the OpenAPI shows, is
/// no day in particular: that of the first payment.
fn point_in_time(initiation: &View<'_>) -> Result<(), ReadingError> {
    let Some(frequency) = dates_of(initiation).get("Frequency") else { return Ok(()) };
    let Some(point) = frequency.get("PointInTime") else { return Ok(()) };
    let weekly = |name: &str| ["WEEK", "FRTN", "FOWK"].contains(&name);
    let weekly = frequency.get("Type").is_some_and(|name| name.value().as_str().is_some_and(weekly));
    let (last, words) = if weekly { (7, "a day of the week, 01 to 07, or 00") } else { (31, "a day, 01 to 31, or 00") };
    let text = point.text()?;
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = digits.then(|| text.parse::<u8>().ok()).flatten();
    match day.is_some_and(|day| day <= last) {
        true => Ok(()),
        false => Err(point.invalid(words)),
    }
}

/// Of v4.0's `Frequency`.
fn count_or_point_in_time(initiation: &View<'_>) -> Result<(), ReadingError> {
    match dates_of(initiation).get("Frequency") {
        Some(frequency) if frequency.has("CountPerPeriod") => {
            absent(&frequency, "PointInTime", "CountPerPeriod or PointInTime, not both")
        }
        _ => Ok(()),
    }
}

fn final_amount_with_final_date(initiation: &View<'_>) -> Result<(), ReadingError> {
    if initiation.has("FinalPaymentAmount") {
        present(&dates_of(initiation), "FinalPaymentDateTime", "the date of the final payment beside its amount")?;
    }
    Ok(())
}

fn agreed_rate_is_complete(initiation: &View<'_>) -> Result<(), ReadingError> {
    match initiation.get("ExchangeRateInformation") {
        Some(rate) if is_agreed(&rate) => {
            present(&rate, "ExchangeRate", "the rate that was agreed")?;
            present(&rate, "ContractIdentification", "the contract of the agreed rate")
        }
        _ => Ok(()),
    }
}

fn other_rates_are_the_banks(initiation: &View<'_>) -> Result<(), ReadingError> {
    match initiation.get("ExchangeRateInformation") {
        Some(rate) if !is_agreed(&rate) => {
            absent(&rate, "ExchangeRate", "no rate unless it was agreed")?;
            absent(&rate, "ContractIdentification", "no contract unless the rate was agreed")
        }
        _ => Ok(()),
    }
}

fn is_agreed(rate: &View<'_>) -> bool {
    rate.get("RateType").is_some_and(|rate_type| rate_type.value() == "Agreed")
}

/// By scheme and identification, or by name and address.
fn agent_is_identified(initiation: &View<'_>) -> Result<(), ReadingError> {
    const WORDS: &str = "SchemeName with Identification, or Name with PostalAddress";
    let Some(agent) = initiation.get("CreditorAgent") else { return Ok(()) };
    if agent.has("SchemeName") || agent.has("Identification") {
        present(&agent, "SchemeName", WORDS)?;
        return present(&agent, "Identification", WORDS);
    }
    if agent.has("Name") || agent.has("PostalAddress") {
        present(&agent, "Name", WORDS)?;
        return present(&agent, "PostalAddress", WORDS);
    }
    Err(agent.wrong(ErrorCode::FieldExpected, WORDS))
}

fn priority_or_local_instrument(initiation: &View<'_>) -> Result<(), ReadingError> {
    if !initiation.has("LocalInstrument") {
        return Ok(());
    }
    absent(initiation, "InstructionPriority", "InstructionPriority or LocalInstrument, not both")
}

/// Whether the number has the form of its scheme: sort code and account number are 14 digits, an IBAN begins with a
/// country and two digits.
pub(super) fn fits_scheme(scheme: AccountScheme, identification: &View<'_>) -> Result<(), ReadingError> {
    let text = identification.text()?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (fits, words) = match scheme {
        AccountScheme::SortCodeAccountNumber => {
            (text.len() == 14 && digits(text), "six digits of sort code and eight of account number")
        }
        AccountScheme::Iban => {
            let capitals = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase());
            let alphanumeric = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let head = text.get(..2).is_some_and(capitals) && text.get(2..4).is_some_and(digits);
            ((15..=34).contains(&text.len()) && alphanumeric && head, "an IBAN without spaces")
        }
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(identification.wrong(ErrorCode::UnsupportedAccountIdentifier, words)) }
}

/// What is to happen lies ahead, and in its order. A scheduled payment is executed after today, a standing order begins
/// today at the earliest.
pub(super) fn dates_lie_ahead(initiation: &Initiation, now: OffsetDateTime) -> Result<(), ReadingError> {
    let wrong = |path: &str, expected: &str, found: OffsetDateTime| {
        Err(ReadingError::new(ErrorCode::FieldInvalidDate, path, expected, crate::dates::format(found)))
    };
    let today = |at: OffsetDateTime| now.to_offset(at.offset()).date();
    if let Some(at) = initiation.requested_execution
        && at.date() <= today(at)
    {
        return wrong("Data.Initiation.RequestedExecutionDateTime", "a date after today", at);
    }
    let Some(terms) = &initiation.standing_order else { return Ok(()) };
    let base = initiation.path_of_dates();
    if let Some(first) = terms.first
        && first.date() < today(first)
    {
        return wrong(&format!("{base}.FirstPaymentDateTime"), "today or later", first);
    }
    let mut earlier = terms.first;
    for (name, date) in [("RecurringPaymentDateTime", terms.recurring), ("FinalPaymentDateTime", terms.last)] {
        let Some(date) = date else { continue };
        // Neither the moments nor the days may go backwards, whatever their offsets: days are what the bank pays on.
        let after = |earlier: OffsetDateTime| date >= earlier && date.date() >= earlier.date();
        let late_enough = earlier.map_or(date.date() >= today(date), after);
        if !late_enough {
            return wrong(&format!("{base}.{name}"), "a date not before the payments ahead of it", date);
        }
        earlier = Some(date);
    }
    Ok(())
}
