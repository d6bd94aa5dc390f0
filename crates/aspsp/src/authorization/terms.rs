//! What a consent comes to, in rows that a customer can read (OB Customer Experience Guidelines: what payers, payees and
//! amounts a page must show). Nothing here can be edited by the customer, and nothing comes from elsewhere than the consent.

use std::borrow::Cow;

use ledger::{Account, AccountId, CustomerId, Identification};
use openbanking::{
    code::Code,
    money::{ActiveAmount, Currency, Money},
    parties::AccountScheme,
    payments::{Frequency, FrequencyCode, Initiation, PaymentAccount, StandingOrderTerms},
    version::ApiVersion,
    vrp::{AuthenticationMethod, InteractionType, PeriodAlignment, PeriodType, PeriodicLimit, VrpType},
};
use serde::Serialize;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::{
    Context,
    consents::{Consent, Content, Payment, VariableRecurringPayments},
    payer,
    payment_initiation::instruct::Pricing,
};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:long] [year]");
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");

/// A row: what it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Term {
    label: Cow<'static, str>,
    value: String,
    /// Whether it stands out: what the customer confirms above all.
    main: bool,
}

impl Term {
    /// A row.
    #[must_use]
    pub fn new(label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), main: false }
    }
}

/// Rows under way.
struct Terms(Vec<Term>);

impl Terms {
    fn add(&mut self, label: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push(Term::new(label, value));
    }

    fn main(&mut self, label: &'static str, value: impl Into<String>) {
        self.0.push(Term { main: true, ..Term::new(label, value) });
    }

    fn maybe(&mut self, label: &'static str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(label, value);
        }
    }
}

/// Everything that this customer must know of a consent before it is authorised.
#[must_use]
pub fn of(context: &Context, consent: &Consent, customer: &str) -> Vec<Term> {
    let now = context.tools.clock.now();
    let mut terms = Terms(Vec::new());
    match &consent.content {
        Content::AccountAccess(asked) => {
            terms.maybe("Transactions", history(asked.transactions_from, asked.transactions_to));
            terms.add("Until", end(consent));
        }
        Content::Payment(payment) => payment_terms((context, customer), payment, now, &mut terms),
        Content::VariableRecurringPayments(vrp) => recurring((context, customer), vrp, consent.created_at, &mut terms),
        Content::FundsConfirmation(request) => {
            let account = request.debtor_account().ok();
            terms.maybe("Account", account.map(|account| named(context, customer, &account)));
            terms.add("What we answer", "Yes or no, each time we are asked about an amount");
            terms.add("Until", end(consent));
        }
    }
    terms.0
}

/// Who is paid how much: what the customer authenticates for (RTS Article 5, dynamic linking).
#[must_use]
pub fn of_payment(context: &Context, consent: &Consent, customer: &str) -> Vec<Term> {
    match &consent.content {
        Content::AccountAccess(_) | Content::FundsConfirmation(_) => Vec::new(),
        Content::Payment(_) | Content::VariableRecurringPayments(_) => of(context, consent, customer),
    }
}

fn payment_terms((context, customer): (&Context, &str), payment: &Payment, now: OffsetDateTime, terms: &mut Terms) {
    let Ok(initiation) = payment.request.typed() else { return };
    if let Some(file) = &payment.file {
        let total = file.currency.parse().ok().and_then(|currency: Currency| Money::parse(&file.sum, currency).ok());
        terms.main("Total", total.map_or_else(|| format!("{} {}", file.sum, file.currency), amount));
        terms.add("Payments", file.number.to_string());
        terms.maybe("Reference", initiation.file.as_ref().and_then(|facts| facts.reference.clone()));
    }
    let label = if initiation.standing_order.is_some() { "First amount" } else { "Amount" };
    if let Some(money) = initiation.amount() {
        terms.main(label, amount(money));
    }
    terms.maybe("Payee", payee(&initiation));
    terms.maybe("Payee's account", initiation.creditor_account.as_ref().map(number_of));
    terms.maybe("Reference", reference(&initiation));
    if let Some(account) = &initiation.debtor_account {
        terms.add("From", named(context, customer, account));
    }
    match (&initiation.standing_order, initiation.requested_execution) {
        (Some(order), _) => standing(order, &initiation, now, terms),
        (None, Some(at)) => terms.add("On", day(at)),
        (None, None) => {}
    }
    offer(payment, &initiation, now, terms);
    // Nobody has to reckon what a payment in another currency, or with a charge, costs.
    let home = context.rates.home();
    let pricing = Pricing { own: home, offer: &payment.offer, rates: &context.rates };
    let total = pricing.debit(&initiation).filter(|total| initiation.amount().is_some_and(|amount| amount != *total));
    terms.maybe("Altogether", total.map(|total| format!("{} from an account in {}", amount(total), home.code())));
}

/// What the bank adds: shown where there is something to be shown.
fn offer(payment: &Payment, initiation: &Initiation, now: OffsetDateTime, terms: &mut Terms) {
    let offer = &payment.offer;
    terms.maybe("Arrives in", initiation.currency_of_transfer.map(|currency| currency.code().to_owned()));
    terms.maybe("To", initiation.destination_country.clone());
    if let Some(rate) = &offer.exchange_rate {
        let other = initiation.currency_of_transfer.filter(|transfer| *transfer != rate.unit_currency);
        let other = other.or_else(|| initiation.amount().map(Money::currency)).map(|other| other.code().to_owned());
        let until = rate.expiration_date_time.map(|at| format!(", until {}", moment(at))).unwrap_or_default();
        let value = format!(
            "1 {} = {} {} ({}{until})",
            rate.unit_currency.code(),
            rate.exchange_rate,
            other.unwrap_or_default(),
            rate.rate_type.name()
        );
        terms.add("Exchange rate", value);
    }
    for charge in &offer.charges {
        terms.add("Charge", amount(charge.amount.money()));
    }
    if offer.cut_off.is_some_and(|at| at <= now) {
        terms.maybe("Executed on", offer.expected_execution.map(day));
    }
}

fn standing(order: &StandingOrderTerms, initiation: &Initiation, now: OffsetDateTime, terms: &mut Terms) {
    terms.add("How often", frequency(order.frequency));
    let first = order.first.map(day);
    let first = first.or_else(|| crate::payment_initiation::first_day(initiation, now).map(day_of));
    terms.maybe("First payment", first);
    terms.maybe("Then", order.recurring_amount.map(amount));
    terms.maybe("Second payment", order.recurring.map(day));
    let count = order.number_of_payments.or(order.count_per_period);
    match (order.last, count) {
        (Some(last), _) => terms.add("Last payment", day(last)),
        (None, Some(count)) => terms.add("Number of payments", count.to_string()),
        (None, None) => terms.add("Last payment", "Until you stop it"),
    }
    terms.maybe("Last amount", order.last_amount.map(amount));
}

fn recurring(
    (context, customer): (&Context, &str),
    vrp: &VariableRecurringPayments,
    created: OffsetDateTime,
    terms: &mut Terms,
) {
    let limits = &vrp.limits;
    let creditor = vrp.request.creditor_account().ok().flatten();
    terms.maybe("Payee", creditor.as_ref().and_then(|account| account.name.clone()));
    terms.maybe("Payee's account", creditor.as_ref().map(number_of));
    let text =
        |path: &str| vrp.request.initiation().pointer(path).and_then(serde_json::Value::as_str).map(str::to_owned);
    let reference = text("/RemittanceInformation/Reference");
    let structured = text("/RemittanceInformation/Structured/0/CreditorReferenceInformation/Reference");
    terms.maybe("Reference", reference.or(structured));
    if let Ok(Some(account)) = vrp.request.debtor_account() {
        terms.add("From", named(context, customer, &account));
    }
    terms.main("Most for one payment", amount(limits.maximum_individual_amount));
    for limit in &limits.periodic_limits {
        terms.add(per_period(limit, created), amount(limit.limit));
    }
    terms.maybe("From the day", limits.valid_from.map(day));
    terms.add("Until", until(limits.valid_to));
    let present = !limits.interaction_types.contains(&InteractionType::OffSession);
    let value = if present { "Each time" } else { "No, payments are made without you" };
    terms.add("Do you have to be there?", value);
    let asked = limits.authentication_methods.contains(&AuthenticationMethod::ScaNotRequired);
    terms.add(
        "Do we ask you each time?",
        if asked { "No, not within these limits" } else { "Whenever the app sends you here to log in" },
    );
    let kinds: Vec<&str> = limits.vrp_types.iter().map(|kind| purpose(*kind)).collect();
    terms.add("What they are for", kinds.join("; "));
}

fn purpose(kind: VrpType) -> &'static str {
    match kind {
        VrpType::Sweeping => "Moving money between accounts of your own",
        VrpType::Other => "Payments to others",
        VrpType::Commercial1 | VrpType::Commercial2 | VrpType::Commercial3 => "Payments to a business",
    }
}

/// What a limit limits, in words. Periods of a consent count from the day on which it was created.
#[must_use]
pub fn per_period(limit: &PeriodicLimit, created: OffsetDateTime) -> String {
    let period = match limit.period_type {
        PeriodType::Day => return "Most in a day".to_owned(),
        PeriodType::Week => "week",
        PeriodType::Fortnight => "fortnight",
        PeriodType::Month => "month",
        PeriodType::HalfYear => "half-year",
        PeriodType::Year => "year",
    };
    match limit.alignment {
        PeriodAlignment::Calendar if limit.period_type == PeriodType::Week => "Most from Monday to Sunday".to_owned(),
        PeriodAlignment::Calendar => format!("Most in a calendar {period}"),
        PeriodAlignment::Consent => format!("Most in a {period}, counted from {}", day(created)),
    }
}

fn payee(initiation: &Initiation) -> Option<String> {
    let account = initiation.creditor_account.as_ref().and_then(|account| account.name.clone());
    account.or_else(|| initiation.creditor_name.clone())
}

fn reference(initiation: &Initiation) -> Option<String> {
    let remittance = &initiation.remittance;
    remittance.reference.clone().or_else(|| remittance.unstructured.first().cloned())
}

/// A frequency in words.
fn frequency(frequency: Frequency) -> String {
    const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let weekday = |day: u8| WEEKDAYS.get(usize::from(day).wrapping_sub(1)).copied().unwrap_or("day");
    match frequency {
        Frequency::EveryDay => "Every day".to_owned(),
        Frequency::EveryWorkingDay => "Every working day".to_owned(),
        Frequency::IntervalDays { days } => format!("Every {days} days"),
        Frequency::IntervalWeeks { weeks: 1, day } => format!("Every {}", weekday(day)),
        Frequency::IntervalWeeks { weeks, day } => format!("Every {weeks} weeks on {}", weekday(day)),
        Frequency::WeekInMonth { week, day } => format!("In week {week} of every month, on {}", weekday(day)),
        Frequency::IntervalMonths { months, day } => {
            let every = if months == 1 { "Every month".to_owned() } else { format!("Every {months} months") };
            match day {
                -1 => format!("{every} on the last day"),
                day if day < 0 => format!("{every}, {} days before its end", day.unsigned_abs() - 1),
                day => format!("{every} on day {day}"),
            }
        }
        Frequency::QuarterDays(_) => "Every quarter, on quarter days".to_owned(),
        Frequency::Code(code) => of_code(code).to_owned(),
    }
}

fn of_code(code: FrequencyCode) -> &'static str {
    match code {
        FrequencyCode::Annual => "Every year",
        FrequencyCode::Daily => "Every day",
        FrequencyCode::Fortnightly => "Every two weeks",
        FrequencyCode::Monthly => "Every month",
        FrequencyCode::Quarterly => "Every three months",
        FrequencyCode::SemiAnnual | FrequencyCode::TwiceAYear => "Every six months",
        FrequencyCode::Weekly => "Every week",
        FrequencyCode::WorkingDay => "Every working day",
        FrequencyCode::FourWeekly => "Every four weeks",
        FrequencyCode::TwoMonthly | FrequencyCode::AlternateMonth => "Every two months",
        FrequencyCode::FourMonthly => "Every four months",
        FrequencyCode::FiveMonthly => "Every five months",
        FrequencyCode::LastDayOfMonth => "On the last day of every month",
        FrequencyCode::LastWorkingDayOfMonth => "On the last working day of every month",
        FrequencyCode::AdHoc | FrequencyCode::IntraDay | FrequencyCode::None => "Not said",
    }
}

/// An account that the TPP names: by its name at this bank when it is this customer's, otherwise by its number alone.
fn named(context: &Context, customer: &str, account: &PaymentAccount) -> String {
    let books = context.money.at(context.tools.clock.now());
    let customer = CustomerId::new(customer);
    let found = books.accounts_of(&customer).find(|own| payer::is_named(own, account));
    found.map_or_else(|| number_of(account), self::account)
}

/// A number as customers write it.
fn number_of(account: &PaymentAccount) -> String {
    match (account.scheme, payer::identification(account)) {
        (_, Some(identification)) => number(&identification),
        (AccountScheme::SortCodeAccountNumber, None) => account.identification.clone(),
        (scheme, None) => {
            format!("{} {}", scheme.wire(ApiVersion::V4_0).trim_start_matches("UK.OBIE."), account.identification)
        }
    }
}

/// An account's number as customers know it; of a card only its end.
#[must_use]
pub fn number(identification: &Identification) -> String {
    if let Some(uk) = identification.uk_account() {
        let sort_code = uk.sort_code();
        let pairs: Vec<&str> = [0..2, 2..4, 4..6].into_iter().filter_map(|range| sort_code.get(range)).collect();
        return format!("{} {}", pairs.join("-"), uk.account_number());
    }
    if let Some(iban) = identification.iban() {
        return iban.as_str().to_owned();
    }
    identification.pan().map(|pan| format!("Card ending in {}", pan.last_four())).unwrap_or_default()
}

/// An account by its name and number.
#[must_use]
pub fn account(account: &Account) -> String {
    format!("{}, {}", account.nickname, number(&account.identification))
}

/// The accounts of a consent by name and number.
#[must_use]
pub fn accounts(context: &Context, consent: &Consent) -> Vec<String> {
    let books = context.money.at(context.tools.clock.now());
    consent.accounts.iter().filter_map(|id| books.account(&AccountId::new(id.as_str()))).map(account).collect()
}

/// An amount as customers read it: `£1,234.50`, `-€3.00`, and the code for currencies without a common sign.
#[must_use]
pub fn amount(money: Money) -> String {
    let Ok(size) = ActiveAmount::magnitude_of(money) else { return money.to_string() };
    let (whole, decimals) = size.amount().split_once('.').unwrap_or((size.amount(), ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if decimals.is_empty() { "" } else { "." };
    let sign = if money.is_negative() { "-" } else { "" };
    let (before, after) = match money.currency().code() {
        "GBP" => ("£".to_owned(), String::new()),
        "EUR" => ("€".to_owned(), String::new()),
        "USD" => ("US$".to_owned(), String::new()),
        code => (String::new(), format!(" {code}")),
    };
    format!("{sign}{before}{grouped}{point}{decimals}{after}")
}

/// A day as customers read it.
#[must_use]
pub fn day(at: OffsetDateTime) -> String {
    at.format(DAY).unwrap_or_else(|_| at.to_string())
}

/// A date as customers read it.
#[must_use]
pub fn day_of(date: time::Date) -> String {
    date.format(DAY).unwrap_or_else(|_| date.to_string())
}

/// A moment as customers read it.
#[must_use]
pub fn moment(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(MOMENT).unwrap_or_else(|_| at.to_string())
}

fn history(from: Option<OffsetDateTime>, to: Option<OffsetDateTime>) -> Option<String> {
    match (from, to) {
        (None, None) => None,
        (Some(from), None) => Some(format!("From {}", day(from))),
        (None, Some(to)) => Some(format!("Up to {}", day(to))),
        (Some(from), Some(to)) => Some(format!("From {} to {}", day(from), day(to))),
    }
}

/// Until when a consent lasts: its last day, where limits have one.
#[must_use]
pub fn end(consent: &Consent) -> String {
    match &consent.content {
        Content::VariableRecurringPayments(vrp) => until(vrp.limits.valid_to),
        _ => until(consent.expires_at),
    }
}

/// Until when something lasts.
fn until(end: Option<OffsetDateTime>) -> String {
    end.map_or_else(|| "you stop it".to_owned(), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_amounts() {
        let money = |minor, code: &str| amount(Money::new(minor, code.parse().unwrap()));
        assert_eq!(money(123_456_789, "GBP"), "£1,234,567.89");
        assert_eq!(money(-5, "EUR"), "-€0.05");
        assert_eq!(money(100_000, "USD"), "US$1,000.00");
        assert_eq!(money(1_500, "JPY"), "1,500 JPY");
    }

    #[test]
    fn limits_read_like_limits() {
        let created = time::macros::datetime!(2026-11-26 12:00 UTC);
        let words = |period_type, alignment| {
            per_period(&PeriodicLimit { period_type, alignment, limit: Money::new(1, Currency::GBP) }, created)
        };
        assert_eq!(words(PeriodType::Day, PeriodAlignment::Consent), "Most in a day");
        assert_eq!(words(PeriodType::Week, PeriodAlignment::Calendar), "Most from Monday to Sunday");
        assert_eq!(words(PeriodType::HalfYear, PeriodAlignment::Calendar), "Most in a calendar half-year");
        let counted = "Most in a fortnight, counted from 26 November 2026";
        assert_eq!(words(PeriodType::Fortnight, PeriodAlignment::Consent), counted);
    }

    #[test]
    fn frequencies_read_like_sentences() {
        for (pattern, words) in [
            ("EvryDay", "Every day"),
            ("IntrvlWkDay:01:03", "Every Wednesday"),
            ("IntrvlWkDay:02:05", "Every 2 weeks on Friday"),
            ("IntrvlMnthDay:01:-01", "Every month on the last day"),
            ("IntrvlMnthDay:06:15", "Every 6 months on day 15"),
            ("WkInMnthDay:02:01", "In week 2 of every month, on Monday"),
        ] {
            assert_eq!(frequency(Frequency::of_pattern(pattern).unwrap()), words, "{pattern}");
        }
    }
}
