//! What the standard leaves to each bank about payments: the section `payments` of the bank's profile.

use ledger::orders::{Limits, Steps, Timing};
use openbanking::{
    code::Code,
    money::{ActiveAmount, Currency, Money},
    payments::{Charge, ChargeBearer, ChargeType, PaymentKind, RateType},
    version::ApiVersion,
};
use serde::{Deserialize, Deserializer, de::Error};
use time::{Time, macros::format_description};

use crate::rates::Rates;

/// How the bank handles payments.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PaymentSettings {
    /// Until when payments of some kinds are executed on the same day.
    pub cut_off: Option<CutOff>,
    /// What payments cost.
    pub charges: Vec<ChargeRow>,
    /// Types of exchange rates that are offered: `Actual`, `Agreed`, `Indicative`.
    pub rate_types: Vec<String>,
    /// How long an actual rate holds, in minutes.
    pub quote_minutes: u16,
    /// Frequencies of standing orders that are refused: codes of v4.0, or patterns of v3.1 without their numbers.
    pub refused_frequencies: Vec<String>,
    /// Local instruments that are refused.
    pub refused_local_instruments: Vec<String>,
    /// The most that one payment may be, in the currency of its account.
    pub payment_limit: Option<u32>,
    /// The most that the payments of a day may be, in the currency of their account.
    pub daily_limit: Option<u32>,
    /// How payments move on.
    pub settlement: Settlement,
    /// Days that further signatories have when the consent does not say until when.
    pub signatory_days: u16,
}

impl Default for PaymentSettings {
    fn default() -> Self {
        Self {
            cut_off: None,
            charges: Vec::new(),
            rate_types: ["Actual", "Agreed", "Indicative"].map(str::to_owned).into(),
            quote_minutes: 10,
            refused_frequencies: Vec::new(),
            refused_local_instruments: Vec::new(),
            payment_limit: None,
            daily_limit: None,
            settlement: Settlement::default(),
            signatory_days: 7,
        }
    }
}

/// How payments move from status to status. Seconds count from the order.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settlement {
    /// Whether payments move on by themselves; otherwise only when the control port says so.
    pub automatic: bool,
    /// Seconds until settlement begins.
    pub begins: u32,
    /// Seconds until the payer is debited.
    pub debits: u32,
    /// Seconds until the payee is credited.
    pub credits: u32,
    /// The same when the payment changes its currency.
    pub credits_abroad: u32,
    /// Seconds for which a payment waits for a payee's account that is blocked, before it is sent back.
    pub holds: u32,
}

impl Default for Settlement {
    fn default() -> Self {
        Self { automatic: true, begins: 0, debits: 2, credits: 5, credits_abroad: 86_400, holds: 86_400 }
    }
}

impl From<Settlement> for Timing {
    fn from(settlement: Settlement) -> Self {
        Self {
            steps: if settlement.automatic { Steps::Auto } else { Steps::Explicit },
            in_process: settlement.begins,
            debited: settlement.debits.max(settlement.begins),
            without_posting: settlement.debits.max(settlement.begins),
            credited: settlement.credits,
            credited_abroad: settlement.credits_abroad,
            blocked: settlement.holds,
            ..Self::default()
        }
    }
}

/// The hour after which a payment waits for the next working day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CutOff {
    /// Paths of the orders it is for, such as `international-payments`.
    pub orders: Vec<String>,
    /// `HH:MM`, UTC.
    #[serde(deserialize_with = "hour")]
    pub at: Time,
    /// What happens after it.
    pub afterwards: Afterwards,
}

fn hour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    Time::parse(&text, format_description!("[hour]:[minute]"))
        .map_err(|_| D::Error::custom(format!("{text:?} is not an hour such as 16:30")))
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
#[serde(try_from = "ChargeText")]
pub struct ChargeRow {
    orders: Vec<String>,
    charge: Charge,
}

/// A charge as the file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ChargeText {
    /// Paths of the orders it is for.
    orders: Vec<String>,
    /// Such as `UK.OBIE.MoneyTransferOut`.
    r#type: String,
    /// Such as `4.50`.
    amount: String,
    /// Such as `GBP`.
    currency: String,
}

impl TryFrom<ChargeText> for ChargeRow {
    type Error = String;
    fn try_from(text: ChargeText) -> Result<Self, String> {
        let currency: Currency = text.currency.parse().map_err(|_| format!("{:?} is no currency", text.currency))?;
        let amount = ActiveAmount::parse(&text.amount, currency).map_err(|error| error.to_string())?;
        if amount.money().minor() == 0 {
            return Err(format!("a charge of {} is none: leave the row out", text.amount));
        }
        let kind =
            ChargeType::from_wire(&text.r#type).ok_or_else(|| format!("{:?} is no type of charge", text.r#type))?;
        let charge = Charge {
            charge_bearer: ApiVersion::V4_0.code(ChargeBearer::BorneByDebtor),
            r#type: ApiVersion::V4_0.code(kind),
            amount,
        };
        Ok(Self { orders: text.orders, charge })
    }
}

impl PaymentSettings {
    /// What a payment of this kind costs, borne as the TPP asks.
    #[must_use]
    pub fn charges_of(&self, kind: PaymentKind, bearer: Option<ChargeBearer>) -> Vec<Charge> {
        let path = kind.order_path();
        let rows = self.charges.iter().filter(|row| row.orders.iter().any(|order| order == path));
        let bearer = ApiVersion::V4_0.code(bearer.unwrap_or(ChargeBearer::BorneByDebtor));
        rows.map(|row| Charge { charge_bearer: bearer.clone(), ..row.charge.clone() }).collect()
    }

    /// Whether orders of this kind are refused after the cut-off time.
    #[must_use]
    pub fn refuses_late(&self, kind: PaymentKind) -> bool {
        let path = kind.order_path();
        let row = self.cut_off.as_ref().filter(|cut_off| cut_off.orders.iter().any(|order| order == path));
        row.is_some_and(|cut_off| cut_off.afterwards == Afterwards::Reject)
    }

    /// What is said here and cannot be: orders that do not exist, words that mean nothing, currencies without a rate.
    ///
    /// # Errors
    /// The first such thing.
    pub fn check(&self, rates: &Rates) -> Result<(), String> {
        let orders = self.charges.iter().flat_map(|row| &row.orders);
        let orders = orders.chain(self.cut_off.iter().flat_map(|cut_off| &cut_off.orders));
        let is_order = |path: &&String| PaymentKind::ALL.iter().any(|kind| kind.order_path() == path.as_str());
        if let Some(path) = orders.into_iter().find(|path| !is_order(path)) {
            return Err(format!("payments: {path:?} is no kind of order, such as domestic-payments"));
        }
        let mut rows = self.charges.iter().map(|row| row.charge.amount.currency());
        if let Some(unknown) = rows.find(|currency| !rates.knows(*currency)) {
            return Err(format!("payments: a charge is in {unknown}, and the rates are for {}", rates.names()));
        }
        let is_rate = |name: &&String| RateType::from_wire(name).is_some();
        if let Some(name) = self.rate_types.iter().find(|name| !is_rate(name)) {
            return Err(format!("payments: {name:?} is none of Actual, Agreed and Indicative"));
        }
        Ok(())
    }

    /// The limits of accounts in this currency that have none of their own.
    #[must_use]
    pub fn limits(&self, currency: Currency) -> Limits {
        let money = |limit: u32| Money::new(i64::from(limit).saturating_mul(currency.minor_per_major()), currency);
        Limits { payment: self.payment_limit.map(money), day: self.daily_limit.map(money) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(section: &str) -> String {
        let settings: PaymentSettings = serde_saphyr::from_str(section).unwrap();
        let rates = Rates::of(&crate::money::personas(None).unwrap()).unwrap();
        settings.check(&rates).err().unwrap_or_default()
    }

    #[test]
    fn what_cannot_be_is_told() {
        let charge = |order: &str, currency: &str| {
            format!("charges: [{{ orders: [{order}], type: UK.OBIE.CHAPSOut, amount: '1.00', currency: {currency} }}]")
        };
        assert_eq!(complaint(&charge("international-payments", "EUR")), "");
        assert!(complaint(&charge("payments", "GBP")).contains("\"payments\" is no kind of order"));
        assert!(complaint(&charge("domestic-payments", "JPY")).contains("a charge is in JPY"));
        let cut_off = "cut-off: { orders: [domestic], at: '16:30', afterwards: accept }";
        assert!(complaint(cut_off).contains("\"domestic\" is no kind of order"));
        assert!(complaint("rate-types: [Actual, Guessed]").contains("\"Guessed\""));
        let nothing = charge("file-payments", "GBP").replace("1.00", "0.00");
        for wrong in ["cut-off: { orders: [], at: '25:00', afterwards: accept }", "quote-minute: 5", &nothing] {
            assert!(serde_saphyr::from_str::<PaymentSettings>(wrong).is_err(), "{wrong}");
        }
    }
}
