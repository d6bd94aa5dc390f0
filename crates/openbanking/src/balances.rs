//! Balances (`OBReadBalance1`).

use crate::code::{Coded, codes};
use crate::dates;
use crate::money::ActiveAmount;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

codes! {
    /// What a balance counts (`OBBalanceType1Code`). v4.0 has no cleared balances; the booked ones stand for them there.
    pub enum BalanceType {
        /// What could be spent at the end of the period.
        ClosingAvailable = "ClosingAvailable" / "CLAV",
        /// What was booked at the end of the period.
        ClosingBooked = "ClosingBooked" / "CLBD",
        /// What was cleared at the end of the period.
        ClosingCleared = "ClosingCleared" / "CLBD",
        /// What is expected.
        Expected = "Expected" / "XPCD",
        /// What can be spent at a later day.
        ForwardAvailable = "ForwardAvailable" / "FWAV",
        /// For information.
        Information = "Information" / "INFO",
        /// What can be spent now.
        InterimAvailable = "InterimAvailable" / "ITAV",
        /// What is booked now.
        InterimBooked = "InterimBooked" / "ITBD",
        /// What is cleared now.
        InterimCleared = "InterimCleared" / "ITBD",
        /// What could be spent at the start of the period.
        OpeningAvailable = "OpeningAvailable" / "OPAV",
        /// What was booked at the start of the period.
        OpeningBooked = "OpeningBooked" / "OPBD",
        /// What was cleared at the start of the period.
        OpeningCleared = "OpeningCleared" / "OPBD",
        /// What was booked at the end of the period before.
        PreviouslyClosedBooked = "PreviouslyClosedBooked" / "PRCD",
    }
}

codes! {
    /// In which currency an amount is (`OBExternalBalanceSubType1Code`).
    pub enum BalanceSubType {
        /// The account's.
        BaseCurrency = "BaseCurrency" / "BCUR",
        /// The local one.
        LocalCurrency = "LocalCurrency" / "LCUR",
    }
}

/// Sign of an amount. Zero is a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CreditDebitIndicator {
    /// Plus.
    Credit,
    /// Minus.
    Debit,
}

impl CreditDebitIndicator {
    /// Sign of an amount in minor units.
    pub fn of(minor: i64) -> Self {
        if minor < 0 { Self::Debit } else { Self::Credit }
    }
}

/// `Data` of `GET /balances` and `GET /accounts/{AccountId}/balances`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BalanceData {
    /// At least one.
    pub balance: Vec<Balance>,
    /// Sum of all in the base currency; v4.0.1 and v3.1.11 have it for aggregated views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_value: Option<ActiveAmount>,
}

/// A balance of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Balance {
    /// The account.
    pub account_id: String,
    /// Sign of the amount.
    pub credit_debit_indicator: CreditDebitIndicator,
    /// What it counts.
    pub r#type: Coded<BalanceType>,
    /// When it was so.
    #[serde(with = "dates::serde_form")]
    pub date_time: OffsetDateTime,
    /// How much.
    pub amount: BalanceAmount,
    /// Credit lines that are included or could be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credit_line: Vec<CreditLine>,
    /// The same in the local currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_amount: Option<BalanceAmount>,
}

/// An amount with its sub type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceAmount {
    /// How much.
    #[serde(flatten)]
    pub amount: ActiveAmount,
    /// In which currency; the default is said by where it stands.
    #[serde(rename = "SubType", default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<Coded<BalanceSubType>>,
}

impl From<ActiveAmount> for BalanceAmount {
    fn from(amount: ActiveAmount) -> Self {
        Self { amount, sub_type: None }
    }
}

/// An overdraft or a card limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreditLine {
    /// True when the balance counts it.
    pub included: bool,
    /// What sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<CreditLineType>,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<ActiveAmount>,
}

/// `OBInternalLimitType1Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CreditLineType {
    /// What is left of it.
    Available,
    /// The whole limit.
    Credit,
    /// For emergencies.
    Emergency,
    /// Agreed beforehand.
    #[serde(rename = "Pre-Agreed")]
    PreAgreed,
    /// For a time.
    Temporary,
}

impl Balance {
    /// A balance of a signed amount.
    ///
    /// # Errors
    /// The amount has more digits than the wire can carry.
    pub fn new(
        version: ApiVersion,
        account_id: impl Into<String>,
        r#type: BalanceType,
        money: crate::money::Money,
        date_time: OffsetDateTime,
    ) -> Result<Self, crate::money::MoneyError> {
        Ok(Self {
            account_id: account_id.into(),
            credit_debit_indicator: CreditDebitIndicator::of(money.minor()),
            r#type: version.code(r#type),
            date_time,
            amount: ActiveAmount::magnitude_of(money)?.into(),
            credit_line: Vec::new(),
            local_amount: None,
        })
    }
}
