//! What the bank adds to a payment when its consent is lodged, and the rules of what it takes on at all.

use ledger::{PaymentOrder, orders::Execution};
use openbanking::{
    code::Code,
    error::ErrorCode,
    money::{Currency, Money},
    payments::{
        ChargeBearer, ExchangeRate, ExchangeRateRequest, Frequency, FrequencyCode, Initiation, LocalInstrument,
        PaymentKind, RateType,
    },
    version::ApiVersion,
};
use rules::{Check, Evidence, Passed, SwitchedOff, holds, joined};
use serde_json::Number;
use time::{Duration, OffsetDateTime, Time};

use super::{
    instruct::{InstructError, countable, quoted_against},
    settings::{Afterwards, CutOff, PaymentSettings},
};
use crate::{
    api::{ApiError, Wire, apply},
    consents::Offer,
    rates::Rates,
};

rules::catalogue! {
    /// Rules of what the bank takes on.
    pub(super) RULES;
    CURRENCY { id: "pis.consent.currency",
        reason: "A domestic payment is in the currency of the country.", clause: "OB Read/Write 4.0, Domestic Payment Consents" }
    TRANSFER_CURRENCY { id: "pis.consent.currency-of-transfer",
        reason: "The bank has an exchange rate for the currencies of the payment.", clause: "OB Read/Write 4.0, International Payment Consents" }
    RATE_TYPE { id: "pis.consent.rate-type",
        reason: "The bank offers this type of exchange rate.", clause: "OB Read/Write 4.0, International Payment Consents, Exchange Rate" }
    AGREED_RATE { id: "pis.consent.agreed-rate",
        reason: "An agreed rate is above zero, in six decimals.", clause: "OB Read/Write 4.0, International Payment Consents, Exchange Rate" }
    CHARGE_BEARER { id: "pis.consent.charge-bearer",
        reason: "The payer bears the bank's charges, where there are any.", clause: "OB Read/Write 4.0, International Payment Consents, ChargeBearer" }
    FREQUENCY { id: "pis.consent.frequency",
        reason: "The bank offers this frequency.", clause: "OB Read/Write 4.0, Domestic Standing Order Consents, Frequency" }
    LOCAL_INSTRUMENT { id: "pis.consent.local-instrument",
        reason: "The bank offers this local instrument.", clause: "OB Read/Write 4.0, Namespaced Enumerations, LocalInstrument" }
    CUT_OFF { id: "pis.consent.cut-off",
        reason: "The consent is lodged before the cut-off time.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, CutOffDateTime Behaviour" }
}

/// What the bank looks at before it makes an offer.
pub(super) struct Asked<'a> {
    pub(super) settings: &'a PaymentSettings,
    pub(super) rates: &'a Rates,
    pub(super) initiation: &'a Initiation,
    pub(super) now: OffsetDateTime,
}

impl Asked<'_> {
    fn kind(&self) -> PaymentKind {
        self.initiation.kind
    }

    fn cut_off(&self) -> Option<(&CutOff, OffsetDateTime)> {
        let path = self.kind().order_path();
        let row = self.settings.cut_off.as_ref().filter(|row| row.orders.iter().any(|order| order == path))?;
        Some((row, self.now.replace_time(row.at)))
    }

    fn late(&self) -> bool {
        self.cut_off().is_some_and(|(_, at)| at <= self.now)
    }
}

/// Frequencies that tell no days.
fn tells_days(frequency: Frequency) -> bool {
    !matches!(
        frequency,
        Frequency::Code(
            FrequencyCode::AdHoc | FrequencyCode::IntraDay | FrequencyCode::None | FrequencyCode::LastWorkingDayOfMonth
        )
    )
}

/// A domestic payment, or a standing order where `standing`, is in the currency of the country.
const fn home_currency<'a>(standing: bool, path: &'static str) -> Check<Asked<'a>, Wire> {
    let test: fn(&Asked<'a>) -> Result<(), Evidence> = match standing {
        true => |asked| in_home_currency(asked, true),
        false => |asked| in_home_currency(asked, false),
    };
    Check { rule: &CURRENCY, error: Wire::bad_request(ErrorCode::UnsupportedCurrency, Some(path)), test }
}

fn in_home_currency(asked: &Asked<'_>, standing: bool) -> Result<(), Evidence> {
    let meant = !asked.kind().is_international() && asked.initiation.standing_order.is_some() == standing;
    match asked.initiation.amount().filter(|_| meant).map(Money::currency) {
        Some(currency) => holds(currency == asked.rates.home(), asked.rates.home().code(), currency.code()),
        None => Ok(()),
    }
}

/// The bank has rates for a currency of an international payment.
fn exchanged(asked: &Asked<'_>, currency: Option<Currency>) -> Result<(), Evidence> {
    match currency.filter(|_| asked.kind().is_international()) {
        Some(currency) => holds(asked.rates.knows(currency), asked.rates.names(), currency.code()),
        None => Ok(()),
    }
}

/// One row for each member that a rule may find wrong.
fn checks<'a>() -> [Check<Asked<'a>, Wire>; 12] {
    let unknown = |path| Wire::bad_request(ErrorCode::UnsupportedCurrency, Some(path));
    let frequency = |path| Wire::bad_request(ErrorCode::UnsupportedFrequency, Some(path));
    [
        home_currency(false, "Data.Initiation.InstructedAmount.Currency"),
        home_currency(true, "Data.Initiation.FirstPaymentAmount.Currency"),
        Check {
            rule: &TRANSFER_CURRENCY,
            error: unknown("Data.Initiation.CurrencyOfTransfer"),
            test: |asked| exchanged(asked, asked.initiation.currency_of_transfer),
        },
        Check {
            rule: &TRANSFER_CURRENCY,
            error: unknown("Data.Initiation.ExchangeRateInformation.UnitCurrency"),
            test: |asked| exchanged(asked, asked.initiation.exchange_rate.as_ref().map(|rate| rate.unit_currency)),
        },
        Check {
            rule: &TRANSFER_CURRENCY,
            error: unknown("Data.Initiation.InstructedAmount.Currency"),
            test: |asked| exchanged(asked, asked.initiation.amount().map(Money::currency)),
        },
        Check {
            rule: &RATE_TYPE,
            error: Wire::bad_request(ErrorCode::FieldInvalid, Some("Data.Initiation.ExchangeRateInformation.RateType")),
            test: |asked| match &asked.initiation.exchange_rate {
                None => Ok(()),
                Some(rate) => {
                    let name = rate.rate_type.wire(ApiVersion::V4_0);
                    let offered = &asked.settings.rate_types;
                    holds(offered.iter().any(|offered| *offered == name), joined(offered, " or "), name)
                }
            },
        },
        Check {
            rule: &AGREED_RATE,
            error: Wire::bad_request(
                ErrorCode::FieldInvalid,
                Some("Data.Initiation.ExchangeRateInformation.ExchangeRate"),
            ),
            test: |asked| match asked.initiation.exchange_rate.as_ref().and_then(|asked| asked.rate.as_ref()) {
                None => Ok(()),
                Some(rate) => {
                    let counts = rate.as_f64().and_then(countable).is_some();
                    holds(counts, "0.000001 to 999999999", rate)
                }
            },
        },
        Check {
            rule: &CHARGE_BEARER,
            error: Wire::bad_request(ErrorCode::FieldInvalid, Some("Data.Initiation.ChargeBearer")),
            test: |asked| {
                let creditor = asked.initiation.charge_bearer == Some(ChargeBearer::BorneByCreditor);
                let free = asked.settings.charges_of(asked.kind(), None).is_empty();
                holds(free || !creditor, "a charge bearer other than the creditor", "BorneByCreditor")
            },
        },
        Check {
            rule: &FREQUENCY,
            error: frequency("Data.Initiation.Frequency"),
            test: |asked| offers_frequency(asked, ApiVersion::V3_1),
        },
        Check {
            rule: &FREQUENCY,
            error: frequency("Data.Initiation.MandateRelatedInformation.Frequency.Type"),
            test: |asked| offers_frequency(asked, ApiVersion::V4_0),
        },
        Check {
            rule: &LOCAL_INSTRUMENT,
            error: Wire::bad_request(ErrorCode::UnsupportedLocalInstrument, Some("Data.Initiation.LocalInstrument")),
            test: |asked| offers_local_instrument(asked.settings, asked.initiation.local_instrument),
        },
        Check {
            rule: &CUT_OFF,
            error: Wire::bad_request(ErrorCode::RulesAfterCutOffDateTime, None),
            test: |asked| match asked.cut_off() {
                Some((row, at)) if row.afterwards == Afterwards::Reject => {
                    holds(at > asked.now, format_args!("before {at}"), asked.now)
                }
                _ => Ok(()),
            },
        },
    ]
}

fn offers_local_instrument(settings: &PaymentSettings, instrument: Option<LocalInstrument>) -> Result<(), Evidence> {
    let Some(instrument) = instrument else { return Ok(()) };
    let name = instrument.wire(ApiVersion::V4_0);
    let refused = settings.refused_local_instruments.iter().any(|refused| refused == name);
    holds(!refused, "a local instrument that the bank offers", name)
}

/// The same for payments that name it elsewhere than in the initiation of their consent: at this path.
pub(crate) fn local_instruments(
    settings: &PaymentSettings,
    asked: impl IntoIterator<Item = LocalInstrument>,
    path: &'static str,
    off: &SwitchedOff,
) -> Result<Passed, ApiError> {
    let refused = |instrument: &LocalInstrument| offers_local_instrument(settings, Some(*instrument)).is_err();
    let found = asked.into_iter().find(refused);
    let check = Check {
        rule: &LOCAL_INSTRUMENT,
        error: Wire::bad_request(ErrorCode::UnsupportedLocalInstrument, Some(path)),
        test: |facts: &(&PaymentSettings, Option<LocalInstrument>)| offers_local_instrument(facts.0, facts.1),
    };
    apply(&(settings, found), &[check], off)
}

fn offers_frequency(asked: &Asked<'_>, version: ApiVersion) -> Result<(), Evidence> {
    let Some(terms) = asked.initiation.standing_order.as_ref().filter(|_| asked.initiation.version == version) else {
        return Ok(());
    };
    let refused = |name: &String| asked.settings.refused_frequencies.contains(name);
    let offered = tells_days(terms.frequency) && !terms.frequency.names().iter().any(refused);
    holds(offered, "a frequency that the bank offers", terms.frequency)
}

/// What the bank adds to a payment, if it takes it on.
///
/// # Errors
/// A rule of this module refuses.
pub(super) fn make(asked: &Asked<'_>, off: &SwitchedOff) -> Result<(Offer, Passed), ApiError> {
    let passed = apply(asked, &checks(), off)?;
    let (kind, now) = (asked.kind(), asked.now);
    let execution = match asked.initiation.requested_execution {
        Some(at) => at,
        None if asked.late() => ledger::working_day_after(now.date()).with_time(Time::MIDNIGHT).assume_utc(),
        None => now,
    };
    let offer = Offer {
        charges: asked.settings.charges_of(kind, asked.initiation.charge_bearer),
        exchange_rate: asked.initiation.exchange_rate.as_ref().and_then(|rate| quote(asked, rate)),
        cut_off: asked.cut_off().map(|(_, at)| at),
        expected_execution: None,
        expected_settlement: None,
    };
    Ok((expecting(offer, kind, execution), passed))
}

/// The offer with the days on which the payment is expected to be executed and settled.
fn expecting(offer: Offer, kind: PaymentKind, execution: OffsetDateTime) -> Offer {
    let settlement = if kind.is_international() { execution.saturating_add(Duration::days(1)) } else { execution };
    Offer {
        expected_execution: kind.has_expected_dates().then_some(execution),
        expected_settlement: kind.has_expected_dates().then_some(settlement),
        ..offer
    }
}

/// What an order tells that was made now: the consent's offer, and when this order is executed.
pub(super) fn of_order(offer: &Offer, initiation: &Initiation, order: &PaymentOrder, now: OffsetDateTime) -> Offer {
    let execution = order.instructions.first().map(|instruction| &instruction.execution);
    let execution = match (initiation.requested_execution, execution) {
        (Some(at), _) => at,
        (None, Some(Execution::On(day))) => day.midnight().assume_utc(),
        _ => now,
    };
    expecting(offer.clone(), initiation.kind, execution)
}

/// The rate that the bank offers for what was asked.
fn quote(asked: &Asked<'_>, request: &ExchangeRateRequest) -> Option<ExchangeRate> {
    let unit = request.unit_currency;
    let transfer = asked.initiation.currency_of_transfer.unwrap_or(unit);
    let other = quoted_against(unit, transfer, asked.rates);
    let rate = match &request.rate {
        Some(agreed) => agreed.clone(),
        None => Number::from_f64(asked.rates.between(unit, other)?)?,
    };
    let holds_until = asked.now + Duration::minutes(i64::from(asked.settings.quote_minutes));
    Some(ExchangeRate {
        unit_currency: unit,
        exchange_rate: rate,
        rate_type: ApiVersion::V4_0.code(request.rate_type),
        contract_identification: request.contract_identification.clone(),
        expiration_date_time: (request.rate_type == RateType::Actual).then_some(holds_until),
    })
}

/// The refusal of what this bank would not have taken on, had its rules not been off.
pub(super) fn untold(error: &InstructError) -> ApiError {
    let (rule, code) = match error {
        InstructError::NoRate { .. } | InstructError::NoAmount => (&TRANSFER_CURRENCY, ErrorCode::UnsupportedCurrency),
        InstructError::Frequency(_) => (&FREQUENCY, ErrorCode::UnsupportedFrequency),
    };
    ApiError::indispensable(rule, Wire::bad_request(code, Some("Data.Initiation")), &error.to_string())
}
