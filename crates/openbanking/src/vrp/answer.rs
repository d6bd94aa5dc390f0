//! Answers about VRP consents, orders and funds.

use super::request::{VrpConsentRequest, VrpFundsRequest, VrpOrderRequest};
use crate::consent::ConsentState;
use crate::dates;
use crate::links::{Links, Meta};
use crate::parties::CashAccount;
use crate::payments::response::{debtor_in, refund_to};
use crate::payments::{OrderFacts, OrderState, Refund, StatusFamily};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// What the bank adds to a VRP consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VrpConsentFacts {
    /// What every consent tells.
    #[serde(flatten)]
    pub state: ConsentState,
    /// The payer's account with its holder, once it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<CashAccount>,
}

impl VrpConsentFacts {
    /// A consent of which nothing else is known.
    pub fn new(state: ConsentState) -> Self {
        Self { state, debtor_account: None }
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
        facts.state = facts.state.in_version(request.version());
        if request.version() == ApiVersion::V3_1 {
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
    /// What every order tells.
    #[serde(flatten)]
    pub state: OrderState,
    /// Where to pay money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<VrpRefund>,
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
    pub fn of(request: &VrpOrderRequest, facts: OrderFacts, links: Links, meta: Meta) -> Self {
        let version = request.version();
        let state = OrderState::of(&facts, request.consent_id(), StatusFamily::Vrp, version);
        let refund = facts.refund.map(refund_to).map(|refund| match version {
            ApiVersion::V3_1 => VrpRefund::Plain(refund.account),
            ApiVersion::V4_0 => VrpRefund::Inside(refund),
        });
        let data = VrpOrderAnswerData {
            domestic_vrp_id: facts.order_id,
            state,
            refund,
            initiation: request.data()["Initiation"].clone(),
            instruction: request.data()["Instruction"].clone(),
            debtor_account: facts.debtor.map(|debtor| debtor_in(version, debtor)),
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
