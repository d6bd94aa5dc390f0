//! Answers about VRP consents, orders and funds.

use super::request::{VrpConsentRequest, VrpFundsRequest, VrpOrderRequest};
use crate::code::Coded;
use crate::consent::{ConsentStatus, StatusReason};
use crate::dates;
use crate::links::{Links, Meta};
use crate::parties::CashAccount;
use crate::payments::{Charge, PaymentStatus, Refund, StatusFamily};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// What the bank adds to a VRP consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpConsentFacts {
    /// At most 128 characters.
    pub consent_id: String,
    /// When it was lodged; [`super::PeriodAlignment::Consent`] counts from its day.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Its state.
    pub status: Coded<ConsentStatus>,
    /// Why it is in this state; v4.0 only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reason: Vec<StatusReason>,
    /// When the state changed.
    #[serde(with = "dates::serde_form")]
    pub status_update_date_time: OffsetDateTime,
    /// The payer's account with its holder, once it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<CashAccount>,
}

impl VrpConsentFacts {
    /// A consent of which nothing else is known.
    pub fn new(consent_id: impl Into<String>, status: Coded<ConsentStatus>, created: OffsetDateTime) -> Self {
        Self {
            consent_id: consent_id.into(),
            creation_date_time: created,
            status,
            status_reason: Vec::new(),
            status_update_date_time: created,
            debtor_account: None,
        }
    }
}

/// `Data` of an answer about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VrpConsentAnswerData {
    /// What the bank adds.
    #[serde(flatten)]
    pub facts: VrpConsentFacts,
    /// What was sent.
    #[serde(flatten)]
    pub asked: Map<String, Value>,
}

/// Body of the answers about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpConsentAnswer {
    /// The consent.
    pub data: VrpConsentAnswerData,
    /// As it was sent.
    pub risk: Value,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl VrpConsentAnswer {
    /// The answer about a consent, in the version of its request. The account that was chosen also stands in
    /// `Initiation`, as the VRP Profile wants it.
    pub fn of(request: &VrpConsentRequest, mut facts: VrpConsentFacts, links: Links, meta: Meta) -> Self {
        if request.version() == ApiVersion::V3_1 {
            facts.status_reason.clear();
            facts.debtor_account.iter_mut().for_each(CashAccount::as_in_v3);
        }
        let mut asked = request.data().as_object().cloned().unwrap_or_default();
        // Members of its own have one place.
        for name in ["ConsentId", "CreationDateTime", "Status", "StatusReason", "StatusUpdateDateTime", "DebtorAccount"]
        {
            asked.remove(name);
        }
        let chosen = facts.debtor_account.as_ref().and_then(|account| serde_json::to_value(account).ok());
        if let (Some(chosen), Some(Value::Object(initiation))) = (chosen, asked.get_mut("Initiation")) {
            initiation.entry("DebtorAccount").or_insert(chosen);
        }
        let data = VrpConsentAnswerData { facts, asked };
        Self { data, risk: request.risk().clone(), links: Some(links), meta: Some(meta) }
    }
}

/// What the bank says of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct VrpOrderFacts {
    /// At most 40 characters.
    pub order_id: String,
    /// When it was received.
    pub created: OffsetDateTime,
    /// Its state.
    pub status: PaymentStatus,
    /// Why it is in this state; v4.0 only.
    pub status_reasons: Vec<StatusReason>,
    /// When the state changed.
    pub updated: OffsetDateTime,
    /// When it should be executed.
    pub expected_execution: Option<OffsetDateTime>,
    /// When it should be settled.
    pub expected_settlement: Option<OffsetDateTime>,
    /// The payer's account with its holder, when the consent asked for it.
    pub refund: Option<CashAccount>,
    /// What it costs.
    pub charges: Vec<Charge>,
    /// The payer's account with its holder.
    pub debtor_account: Option<CashAccount>,
}

impl VrpOrderFacts {
    /// An order of which nothing else is known.
    pub fn new(order_id: impl Into<String>, status: PaymentStatus, created: OffsetDateTime) -> Self {
        Self {
            order_id: order_id.into(),
            created,
            status,
            status_reasons: Vec::new(),
            updated: created,
            expected_execution: None,
            expected_settlement: None,
            refund: None,
            charges: Vec::new(),
            debtor_account: None,
        }
    }
}

/// Where to pay money back: v3.1 names the account itself, v4.0 inside `Account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VrpRefund {
    /// As v4.0 has it.
    Inside(Refund),
    /// As v3.1 has it.
    Plain(CashAccount),
}

/// `Data` of an answer about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpOrderAnswerData {
    /// The order's identifier.
    #[serde(rename = "DomesticVRPId")]
    pub domestic_vrp_id: String,
    /// The consent that it was under.
    pub consent_id: String,
    /// When it was received.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Its state, by the name of the version; see [`PaymentStatus::from_wire`].
    pub status: String,
    /// Why it is in this state; v4.0 only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reason: Vec<StatusReason>,
    /// When the state changed.
    #[serde(with = "dates::serde_form")]
    pub status_update_date_time: OffsetDateTime,
    /// When it should be executed.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expected_execution_date_time: Option<OffsetDateTime>,
    /// When it should be settled.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expected_settlement_date_time: Option<OffsetDateTime>,
    /// Where to pay money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<VrpRefund>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// As ordered.
    pub initiation: Value,
    /// As ordered.
    pub instruction: Value,
    /// The payer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<CashAccount>,
}

/// Body of the answers about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpOrderAnswer {
    /// The order.
    pub data: VrpOrderAnswerData,
    /// As it was sent.
    pub risk: Value,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl VrpOrderAnswer {
    /// The answer about an order, in the version of its request.
    pub fn of(request: &VrpOrderRequest, facts: VrpOrderFacts, links: Links, meta: Meta) -> Self {
        let version = request.version();
        let old = version == ApiVersion::V3_1;
        let refund = facts.refund.map(|mut account| {
            account.as_in_v3();
            if old { VrpRefund::Plain(account) } else { VrpRefund::Inside(Refund { account }) }
        });
        let mut debtor_account = facts.debtor_account;
        if old {
            debtor_account.iter_mut().for_each(CashAccount::as_in_v3);
        }
        let data = VrpOrderAnswerData {
            domestic_vrp_id: facts.order_id,
            consent_id: request.consent_id().to_owned(),
            creation_date_time: facts.created,
            status: facts.status.wire(StatusFamily::Vrp, version).to_owned(),
            status_reason: if old { Vec::new() } else { facts.status_reasons },
            status_update_date_time: facts.updated,
            expected_execution_date_time: facts.expected_execution,
            expected_settlement_date_time: facts.expected_settlement,
            refund,
            charges: facts.charges,
            initiation: request.data()["Initiation"].clone(),
            instruction: request.data()["Instruction"].clone(),
            debtor_account,
        };
        Self { data, risk: request.risk().clone(), links: Some(links), meta: Some(meta) }
    }
}

/// Whether there is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Available {
    /// Yes.
    Available,
    /// No.
    NotAvailable,
}

/// `OBPAFundsAvailableResult1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpFundsResult {
    /// When that was found out.
    #[serde(with = "dates::serde_form")]
    pub funds_available_date_time: OffsetDateTime,
    /// Whether there is enough.
    pub funds_available: Available,
}

/// `Data` of the answer about funds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpFundsAnswerData {
    /// At most 40 characters.
    pub funds_confirmation_id: String,
    /// When it was asked.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Whether there is enough.
    pub funds_available_result: VrpFundsResult,
    /// What was asked.
    #[serde(flatten)]
    pub asked: Map<String, Value>,
}

/// Body of the answer about funds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpFundsAnswer {
    /// The answer.
    pub data: VrpFundsAnswerData,
}

impl VrpFundsAnswer {
    /// The answer of that moment.
    pub fn of(request: &VrpFundsRequest, id: impl Into<String>, enough: bool, at: OffsetDateTime) -> Self {
        let funds_available = if enough { Available::Available } else { Available::NotAvailable };
        let mut asked = request.data().as_object().cloned().unwrap_or_default();
        asked.retain(|name, _| matches!(name.as_str(), "ConsentId" | "Reference" | "InstructedAmount"));
        let data = VrpFundsAnswerData {
            funds_confirmation_id: id.into(),
            creation_date_time: at,
            funds_available_result: VrpFundsResult { funds_available_date_time: at, funds_available },
            asked,
        };
        Self { data }
    }
}
