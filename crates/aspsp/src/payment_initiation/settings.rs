//! What the standard leaves to each bank about payments: the section `payments` of the bank's profile.

use openbanking::{
    money::Money,
    payments::{ChargeBearer, ChargeType, FrequencyCode, LocalInstrument, PaymentKind, RateType},
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime, Time};

/// How the bank handles payments.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PaymentSettings {
    /// Until when payments of some kinds are executed on the same day.
    pub cut_off: Option<CutOff>,
    /// What payments cost.
    pub charges: Vec<ChargeRow>,
    /// Kinds of exchange rates that are offered.
    pub rate_types: Vec<String>,
    /// How long an actual rate holds, in minutes.
    pub quote_minutes: u16,
    /// Frequencies of standing orders that are refused, by the codes of v4.0 or the patterns of v3.1 without their numbers.
    pub refused_frequencies: Vec<String>,
    /// Local instruments that are refused.
    pub refused_local_instruments: Vec<String>,
    /// The most that one payment from an account may be, in its currency; `10000.00`.
    pub payment_limit: Option<String>,
    /// The most that a day's payments from an account may be, in its currency.
    pub daily_limit: Option<String>,
    /// How a payment moves on.
    pub settlement: Settlement,
    /// Days that signatories have when the consent does not say until when.
    pub signatory_days: u16,
}

/// How payments move from status to status.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settlement {
    /// Whether a payment moves on by itself; otherwise only when the control port says so.
    pub automatic: bool,
    /// Seconds from the order until settlement begins.
    pub begins: u32,
    /// Seconds from there until the payer is debited.
    pub debits: u32,
    /// Seconds from there until the payee is credited.
    pub credits: u32,
}

impl Default for Settlement {
    fn default() -> Self {
        Self { automatic: true, begins: 0, debits: 2, credits: 3 }
    }
}

/// The hour after which a payment waits for the next working day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CutOff {
    /// Paths of the orders it is for, such as `international-payments`.
    pub orders: Vec<String>,
    /// `HH:MM`, UTC.
    pub at: String,
    /// What happens after it.
    pub afterwards: Afterwards,
}

/// What happens to a payment that comes after the cut-off time (Payment Initiation API Profile, CutOffDateTime
/// Behaviour).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// It is refused.
    Reject,
    /// It is executed on the next working day.
    Accept,
}

/// What a payment costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChargeRow {
    /// Paths of the orders it is for.
    pub orders: Vec<String>,
    /// `UK.OBIE.CHAPSOut` or another type.
    pub r#type: String,
    /// `4.50`.
    pub amount: String,
    /// `GBP`.
    pub currency: String,
}
