//! `Initiation` as a bank needs it.

use super::codes::{ChargeBearer, FileType, InstructionPriority, LocalInstrument, RateType};
use super::file::ControlSum;
use super::frequency::Frequency;
use super::kind::{PaymentKind, Timing};
use super::rules;
use super::view::View;
use crate::code::Code;
use crate::error::ErrorCode;
use crate::money::{Currency, Money};
use crate::parties::AccountScheme;
use crate::reading::ReadingError;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use time::OffsetDateTime;

/// What is to be paid, from whom to whom, when and how. Members that a kind does not have are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Initiation {
    /// The kind.
    pub kind: PaymentKind,
    /// The version that it was written in.
    pub version: ApiVersion,
    /// The TPP's own name of it.
    pub instruction_identification: Option<String>,
    /// Handed on to the payee.
    pub end_to_end_identification: Option<String>,
    /// The scheme that is to carry it.
    pub local_instrument: Option<LocalInstrument>,
    /// How much. Domestic standing orders have [`StandingOrderTerms::first_amount`] instead.
    pub instructed_amount: Option<Money>,
    /// The currency that is to arrive.
    pub currency_of_transfer: Option<Currency>,
    /// From where; none leaves the choice to the PSU.
    pub debtor_account: Option<PaymentAccount>,
    /// To where; files say it inside.
    pub creditor_account: Option<PaymentAccount>,
    /// Name of the payee abroad, when `Creditor` has one.
    pub creditor_name: Option<String>,
    /// The payee's bank.
    pub creditor_agent: Option<Agent>,
    /// What the payee is told.
    pub remittance: Remittance,
    /// Who is to pay the charges.
    pub charge_bearer: Option<ChargeBearer>,
    /// How pressing it is.
    pub instruction_priority: Option<InstructionPriority>,
    /// Where it goes; two capital letters.
    pub destination_country: Option<String>,
    /// The exchange rate that is asked for.
    pub exchange_rate: Option<ExchangeRateRequest>,
    /// When it is to be executed; its date counts.
    pub requested_execution: Option<OffsetDateTime>,
    /// When and how often, of a standing order.
    pub standing_order: Option<StandingOrderTerms>,
    /// What is said about a file.
    pub file: Option<FileFacts>,
}

/// An account that money comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAccount {
    /// How it is identified.
    #[serde(with = "scheme_form")]
    pub scheme: AccountScheme,
    /// Its number.
    pub identification: String,
    /// Its holder.
    pub name: Option<String>,
    /// Roll number.
    pub secondary_identification: Option<String>,
}

impl PaymentAccount {
    pub(crate) fn of(view: &View<'_>) -> Result<Self, ReadingError> {
        let scheme = view.need("SchemeName")?;
        let scheme = AccountScheme::lenient(scheme.text()?)
            .ok_or_else(|| scheme.wrong(ErrorCode::UnsupportedScheme, "a known identification scheme"))?;
        let identification = view.need("Identification")?;
        rules::fits_scheme(scheme, &identification)?;
        Ok(Self {
            scheme,
            identification: identification.text()?.to_owned(),
            name: owned(view, "Name")?,
            secondary_identification: owned(view, "SecondaryIdentification")?,
        })
    }
}

/// Schemes are stored under their names.
mod scheme_form {
    use super::{AccountScheme, ApiVersion, Code};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(scheme: &AccountScheme, to: S) -> Result<S::Ok, S::Error> {
        scheme.wire(ApiVersion::V4_0).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AccountScheme, D::Error> {
        let name = String::deserialize(from)?;
        AccountScheme::lenient(&name).ok_or_else(|| D::Error::custom(format!("unknown scheme {name}")))
    }
}

/// A bank: identified by scheme and identification, or by name and address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The scheme, such as `UK.OBIE.BICFI`.
    pub scheme: Option<String>,
    /// Its identifier in that scheme.
    pub identification: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// What the payee is told: `RemittanceInformation`, and `Reference` of v3.1's standing orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remittance {
    /// The reference; in v4.0 the first that is in `Structured`.
    pub reference: Option<String>,
    /// Words; v3.1 has at most one line.
    pub unstructured: Vec<String>,
}

impl Remittance {
    /// Reads `RemittanceInformation` of a parent in either version's form.
    pub(crate) fn of(parent: &View<'_>) -> Result<Self, ReadingError> {
        let Some(view) = parent.get("RemittanceInformation") else { return Ok(Self::default()) };
        let mut remittance = Self { reference: owned(&view, "Reference")?, unstructured: Vec::new() };
        match view.get("Unstructured") {
            Some(lines) if lines.value().is_array() => {
                for line in lines.items() {
                    remittance.unstructured.push(line.text()?.to_owned());
                }
            }
            Some(line) => remittance.unstructured.push(line.text()?.to_owned()),
            None => {}
        }
        let structured = view.get("Structured");
        let mut references = structured.iter().flat_map(View::items);
        let structured = references.find_map(|item| item.get("CreditorReferenceInformation")?.get("Reference"));
        if let (None, Some(reference)) = (&remittance.reference, structured) {
            remittance.reference = Some(reference.text()?.to_owned());
        }
        Ok(remittance)
    }
}

/// `ExchangeRateInformation` of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExchangeRateRequest {
    /// The currency of which the rate is the price of one.
    pub unit_currency: Currency,
    /// What sort of rate.
    pub rate_type: RateType,
    /// The rate; of an agreed one alone.
    pub rate: Option<Number>,
    /// The contract; of an agreed rate alone.
    pub contract_identification: Option<String>,
}

/// When a standing order pays, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOrderTerms {
    /// How often.
    pub frequency: Frequency,
    /// `CountPerPeriod` of v4.0. Its text means by it the number of payments, ISO 20022 the number in each period.
    pub count_per_period: Option<u32>,
    /// `PointInTime` of v4.0: the day in the period.
    pub point_in_time: Option<String>,
    /// The first payment; v4.0 may leave it to the bank.
    pub first: Option<OffsetDateTime>,
    /// The second payment, when it is not where the frequency puts it.
    pub recurring: Option<OffsetDateTime>,
    /// The last payment; open ended without it and without [`StandingOrderTerms::number_of_payments`].
    pub last: Option<OffsetDateTime>,
    /// How many payments.
    pub number_of_payments: Option<u32>,
    /// Amount of the first payment.
    pub first_amount: Money,
    /// Amount of the others, when it is another.
    pub recurring_amount: Option<Money>,
    /// Amount of the last payment, when it is another.
    pub last_amount: Option<Money>,
}

/// What a consent says about a file that is to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// What is inside.
    pub file_type: FileType,
    /// Base64 of the SHA-256 of its bytes; the padding may be missing.
    pub hash: String,
    /// The TPP's own name of it.
    pub reference: Option<String>,
    /// What it should add up to.
    pub totals: StatedTotals,
}

/// How many payments there are said to be, and what they add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedTotals {
    /// How many.
    pub number: Option<u64>,
    /// Their sum, whatever the currencies.
    pub control_sum: Option<ControlSum>,
}

impl Initiation {
    /// Where the dates of a standing order are, as `Path` of an error names it.
    pub fn path_of_dates(&self) -> &'static str {
        match self.version {
            ApiVersion::V3_1 => "Data.Initiation",
            ApiVersion::V4_0 => "Data.Initiation.MandateRelatedInformation",
        }
    }

    /// The typed view of an `Initiation` that its schema has let through.
    ///
    /// # Errors
    /// What breaks a rule between members (Standing Order Consents, International Payment Consents), an account whose
    /// number does not fit its scheme, or an amount with more decimals than its currency has.
    pub fn of(kind: PaymentKind, version: ApiVersion, initiation: &Value) -> Result<Self, ReadingError> {
        let view = View::new(initiation, "Data.Initiation");
        rules::members_fit(&view)?;
        let mut remittance = Remittance::of(&view)?;
        for name in ["InstructedAmount", "RequestedExecutionDateTime", "CreditorAccount"] {
            if kind.demands(name) {
                view.need(name)?;
            }
        }
        let instructed_amount = view.maybe("InstructedAmount", View::money)?;
        let (mut standing_order, mut file) = (None, None);
        match kind.timing() {
            Timing::Recurring => {
                remittance.reference = owned(&view, "Reference")?.or(remittance.reference);
                standing_order = Some(terms(&view, instructed_amount)?);
            }
            Timing::File => file = Some(facts(&view)?),
            Timing::Scheduled | Timing::Immediate => {}
        }
        Ok(Self {
            kind,
            version,
            instruction_identification: owned(&view, "InstructionIdentification")?,
            end_to_end_identification: owned(&view, "EndToEndIdentification")?,
            local_instrument: view
                .maybe("LocalInstrument", |view| view.named(LocalInstrument::lenient, "a local instrument"))?,
            instructed_amount,
            currency_of_transfer: view.maybe("CurrencyOfTransfer", View::currency)?,
            debtor_account: view.maybe("DebtorAccount", PaymentAccount::of)?,
            creditor_account: view.maybe("CreditorAccount", PaymentAccount::of)?,
            creditor_name: view.get("Creditor").map(|view| owned(&view, "Name")).transpose()?.flatten(),
            creditor_agent: view.maybe("CreditorAgent", agent)?,
            remittance,
            charge_bearer: view.maybe("ChargeBearer", |view| view.named(ChargeBearer::from_wire, "a charge bearer"))?,
            instruction_priority: view
                .maybe("InstructionPriority", |view| view.named(InstructionPriority::from_wire, "a priority"))?,
            destination_country: owned(&view, "DestinationCountryCode")?,
            exchange_rate: view.maybe("ExchangeRateInformation", rate)?,
            requested_execution: view.maybe("RequestedExecutionDateTime", View::date)?,
            standing_order,
            file,
        })
    }

    /// How much the payment, or the first of a standing order, is; files have no amount of their own.
    pub fn amount(&self) -> Option<Money> {
        self.standing_order.as_ref().map(|terms| terms.first_amount).or(self.instructed_amount)
    }

    /// Judges the dates: what is to happen must lie ahead, in its order. Dates count, in the offset that they came with.
    ///
    /// # Errors
    /// `Field.InvalidDate` with the path of the first date that is wrong.
    pub fn dates_lie_ahead(&self, now: OffsetDateTime) -> Result<(), ReadingError> {
        rules::dates_lie_ahead(self, now)
    }
}

fn owned(view: &View<'_>, name: &str) -> Result<Option<String>, ReadingError> {
    view.maybe(name, |view| view.text().map(str::to_owned))
}

fn agent(view: &View<'_>) -> Result<Agent, ReadingError> {
    Ok(Agent {
        scheme: owned(view, "SchemeName")?,
        identification: owned(view, "Identification")?,
        name: owned(view, "Name")?,
    })
}

fn rate(view: &View<'_>) -> Result<ExchangeRateRequest, ReadingError> {
    Ok(ExchangeRateRequest {
        unit_currency: view.need("UnitCurrency")?.currency()?,
        rate_type: view.need("RateType")?.named(RateType::from_wire, "Actual, Agreed or Indicative")?,
        rate: view.maybe("ExchangeRate", |view| match view.value() {
            Value::Number(rate) if rate.as_f64().is_some_and(|rate| rate > 0.0) => Ok(rate.clone()),
            _ => Err(view.invalid("a number above 0")),
        })?,
        contract_identification: owned(view, "ContractIdentification")?,
    })
}

fn terms(view: &View<'_>, instructed: Option<Money>) -> Result<StandingOrderTerms, ReadingError> {
    let dates = rules::dates_of(view);
    let frequency = dates.need("Frequency")?;
    let name = if frequency.value().is_object() { frequency.need("Type")? } else { frequency.clone() };
    let count = |view: &View<'_>| {
        let number = view.value().as_str().and_then(|text| text.parse().ok());
        let number = number.or_else(|| view.value().as_u64().and_then(|number| u32::try_from(number).ok()));
        number.filter(|number| *number > 0).ok_or_else(|| view.invalid("a whole number above 0"))
    };
    Ok(StandingOrderTerms {
        frequency: Frequency::of_pattern(name.text()?)
            .or_else(|| Frequency::of_code(name.value().as_str()?))
            .ok_or_else(|| name.wrong(ErrorCode::UnsupportedFrequency, "a frequency"))?,
        count_per_period: frequency.maybe("CountPerPeriod", count)?,
        point_in_time: owned(&frequency, "PointInTime")?.filter(|day| day != "00"),
        first: dates.maybe("FirstPaymentDateTime", View::date)?,
        recurring: dates.maybe("RecurringPaymentDateTime", View::date)?,
        last: dates.maybe("FinalPaymentDateTime", View::date)?,
        number_of_payments: view.maybe("NumberOfPayments", count)?,
        first_amount: match instructed {
            Some(amount) => amount,
            None => view.need("FirstPaymentAmount")?.money()?,
        },
        recurring_amount: view.maybe("RecurringPaymentAmount", View::money)?,
        last_amount: view.maybe("FinalPaymentAmount", View::money)?,
    })
}

fn facts(view: &View<'_>) -> Result<FileFacts, ReadingError> {
    let number = |view: &View<'_>| view.text()?.parse().map_err(|_| view.invalid("a number"));
    let sum = |view: &View<'_>| {
        ControlSum::parse(&view.value().to_string()).ok_or_else(|| view.invalid("a sum with at most 5 decimals"))
    };
    Ok(FileFacts {
        file_type: view.need("FileType")?.named(FileType::from_name, "a file type")?,
        hash: view.need("FileHash")?.text()?.to_owned(),
        reference: owned(view, "FileReference")?,
        totals: StatedTotals {
            number: view.maybe("NumberOfTransactions", number)?,
            control_sum: view.maybe("ControlSum", sum)?,
        },
    })
}
