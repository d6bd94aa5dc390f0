//! Answers about consents and orders: what was sent, and what the bank adds.

use super::codes::{ChargeBearer, LocalInstrument, RateType};
use super::kind::PaymentKind;
use super::request::{ConsentRequest, OrderRequest};
use super::status::{MultiAuthorisationStatus, PaymentStatus, StatusFamily};
use crate::code::{Coded, codes};
use crate::consent::{ConsentState, StatusReason};
use crate::dates;
use crate::links::{Links, Meta};
use crate::money::{ActiveAmount, Currency};
use crate::parties::CashAccount;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use time::OffsetDateTime;

codes! {
    /// What a charge is for (`OBInternalPaymentChargeType1Code`).
    #[derive(Serialize, Deserialize)]
    pub enum ChargeType {
        /// A CHAPS payment.
        ChapsOut = "UK.OBIE.CHAPSOut" / "UK.OBIE.CHAPSOut",
        /// A balance transfer.
        BalanceTransferOut = "UK.OBIE.BalanceTransferOut" / "UK.OBIE.BalanceTransferOut",
        /// A money transfer.
        MoneyTransferOut = "UK.OBIE.MoneyTransferOut" / "UK.OBIE.MoneyTransferOut",
    }
}

/// What the bank takes for a payment (`OBCharge2`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Charge {
    /// Who pays it.
    pub charge_bearer: Coded<ChargeBearer>,
    /// What for.
    pub r#type: Coded<ChargeType>,
    /// How much.
    pub amount: ActiveAmount,
}

/// The exchange rate of a consent or order. An actual rate has an expiration date, agreed and indicative ones have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExchangeRate {
    /// The currency of which the rate is the price of one.
    pub unit_currency: Currency,
    /// The rate.
    pub exchange_rate: Number,
    /// What sort of rate.
    pub rate_type: Coded<RateType>,
    /// The contract of an agreed rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_identification: Option<String>,
    /// Until when the bank stands by it.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expiration_date_time: Option<OffsetDateTime>,
}

/// How far the authorisation by several people has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiAuthorisation {
    /// Where it stands.
    pub status: Coded<MultiAuthorisationStatus>,
    /// How many people must say yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_required: Option<u32>,
    /// How many have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_received: Option<u32>,
    /// When the last one answered.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub last_update_date_time: Option<OffsetDateTime>,
    /// Until when all must have.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expiration_date_time: Option<OffsetDateTime>,
}

/// What the bank adds to a consent. Members that the kind or the version does not have are left out of its answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConsentFacts {
    /// What every consent tells.
    #[serde(flatten)]
    pub state: ConsentState,
    /// Until when the payment may be ordered for that day.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub cut_off_date_time: Option<OffsetDateTime>,
    /// When it should be executed.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expected_execution_date_time: Option<OffsetDateTime>,
    /// When it should be settled.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expected_settlement_date_time: Option<OffsetDateTime>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// The rate of an international payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_rate_information: Option<ExchangeRate>,
    /// The payer's account, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor: Option<CashAccount>,
}

impl ConsentFacts {
    /// A consent of which nothing else is known.
    pub fn new(state: ConsentState) -> Self {
        Self {
            state,
            cut_off_date_time: None,
            expected_execution_date_time: None,
            expected_settlement_date_time: None,
            charges: Vec::new(),
            exchange_rate_information: None,
            debtor: None,
        }
    }
}

/// `Data` of an answer about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentAnswerData {
    /// What the bank adds.
    #[serde(flatten)]
    pub facts: ConsentFacts,
    /// What was sent.
    #[serde(flatten)]
    pub asked: Map<String, Value>,
}

/// Body of the answers about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConsentAnswer {
    /// The consent.
    pub data: ConsentAnswerData,
    /// As it was sent; files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Value>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl ConsentAnswer {
    /// The answer about a consent, in the version of its request.
    pub fn of(request: &ConsentRequest, mut facts: ConsentFacts, links: Links, meta: Meta) -> Self {
        let kind = request.kind();
        facts.state = facts.state.in_version(request.version());
        if !kind.has_expected_dates() {
            (facts.expected_execution_date_time, facts.expected_settlement_date_time) = (None, None);
        }
        if !kind.has_exchange_rate() {
            facts.exchange_rate_information = None;
        }
        facts.debtor = facts.debtor.map(|debtor| debtor_in(request.version(), debtor));
        let asked = request.data().as_object().cloned().unwrap_or_default();
        let data = ConsentAnswerData { facts, asked };
        Self { data, risk: request.risk().cloned(), links: Some(links), meta: Some(meta) }
    }
}

pub(crate) fn debtor_in(version: ApiVersion, mut debtor: CashAccount) -> CashAccount {
    if version == ApiVersion::V3_1 {
        debtor.as_in_v3();
    }
    debtor
}

/// `Refund` of an order: the payer's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Refund {
    /// With the name of its holder.
    pub account: CashAccount,
}

/// What the bank says of an order. Members that the kind or the version does not have are left out of its answers.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderFacts {
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
    /// The rate of an international payment.
    pub exchange_rate: Option<ExchangeRate>,
    /// Of an account that needs several people.
    pub multi_authorisation: Option<MultiAuthorisation>,
    /// The payer's account.
    pub debtor: Option<CashAccount>,
}

impl OrderFacts {
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
            exchange_rate: None,
            multi_authorisation: None,
            debtor: None,
        }
    }
}

/// What the answers about orders of every kind, and about payments under a VRP consent, tell of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderState {
    /// The consent that it was for.
    pub consent_id: String,
    /// When it was received.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Its state, by the name of the kind and version; see [`PaymentStatus::from_wire`].
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
    /// What it costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
}

impl OrderState {
    /// The order in the words of a version.
    pub(crate) fn of(facts: &OrderFacts, consent_id: &str, family: StatusFamily, version: ApiVersion) -> Self {
        Self {
            consent_id: consent_id.to_owned(),
            creation_date_time: facts.created,
            status: facts.status.wire(family, version).to_owned(),
            status_reason: if version == ApiVersion::V3_1 { Vec::new() } else { facts.status_reasons.clone() },
            status_update_date_time: facts.updated,
            expected_execution_date_time: facts.expected_execution,
            expected_settlement_date_time: facts.expected_settlement,
            charges: facts.charges.clone(),
        }
    }
}

/// `Data` of an answer about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderAnswerData {
    /// What every order tells.
    #[serde(flatten)]
    pub state: OrderState,
    /// Where to pay money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// The rate of an international payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_rate_information: Option<ExchangeRate>,
    /// What was ordered.
    pub initiation: Value,
    /// Of an account that needs several people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_authorisation: Option<MultiAuthorisation>,
    /// The payer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor: Option<CashAccount>,
    /// The identifier, under the name that its kind gives it, and what a stranger adds.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Body of the answers about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderAnswer {
    /// The order.
    pub data: OrderAnswerData,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl OrderAnswer {
    /// The answer about an order, in the version of its request.
    pub fn of(request: &OrderRequest, mut facts: OrderFacts, links: Links, meta: Meta) -> Self {
        let (kind, version) = (request.kind(), request.version());
        if !kind.has_expected_dates() {
            (facts.expected_execution, facts.expected_settlement) = (None, None);
        }
        let data = OrderAnswerData {
            state: OrderState::of(&facts, request.consent_id(), kind.status_family(), version),
            refund: facts.refund.filter(|_| kind != PaymentKind::File).map(refund_to),
            exchange_rate_information: facts.exchange_rate.filter(|_| kind.has_exchange_rate()),
            initiation: request.initiation().clone(),
            multi_authorisation: facts.multi_authorisation,
            debtor: facts.debtor.map(|debtor| debtor_in(version, debtor)),
            rest: Map::from_iter([(kind.order_id_member().to_owned(), facts.order_id.into())]),
        };
        Self { data, links: Some(links), meta: Some(meta) }
    }

    /// The order's identifier.
    pub fn order_id(&self, kind: PaymentKind) -> Option<&str> {
        self.data.rest.get(kind.order_id_member())?.as_str()
    }
}

/// Refunds name an account by its number and holder; what else is known of it does not belong there.
pub(crate) fn refund_to(mut account: CashAccount) -> Refund {
    account.as_in_v3();
    Refund { account }
}

/// `Data` of the answer whether a payment's funds are there (`OBWriteFundsConfirmationResponse1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsAvailable {
    /// When that was found out.
    pub funds_available_result: FundsAvailableResult,
}

/// `OBFundsAvailableResult1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsAvailableResult {
    /// When that was found out.
    #[serde(with = "dates::serde_form")]
    pub funds_available_date_time: OffsetDateTime,
    /// Whether they are.
    pub funds_available: bool,
}

impl FundsAvailable {
    /// The answer of that moment.
    pub fn new(available: bool, at: OffsetDateTime) -> Self {
        let funds_available_result = FundsAvailableResult { funds_available_date_time: at, funds_available: available };
        Self { funds_available_result }
    }
}

/// One item of `Data.PaymentStatus` of payment-details (`OBWritePaymentDetails1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentDetail {
    /// At most 210 characters.
    pub payment_transaction_id: String,
    /// The state.
    pub status: String,
    /// When it was reached.
    #[serde(with = "dates::serde_form")]
    pub status_update_date_time: OffsetDateTime,
    /// What the scheme says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_detail: Option<StatusDetail>,
}

/// `Data` of payment-details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentDetails {
    /// The states that it went through.
    pub payment_status: Vec<PaymentDetail>,
}

/// What a scheme says about a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusDetail {
    /// The scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_instrument: Option<Coded<LocalInstrument>>,
    /// The state there.
    pub status: String,
    /// Why: one of seven names in v3.1 (such as `PendingSettlement`), a code of four characters in v4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// In words; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason_description: Option<String>,
}

impl PaymentDetail {
    /// The state that a payment reached then.
    pub fn new(version: ApiVersion, id: impl Into<String>, status: PaymentStatus, at: OffsetDateTime) -> Self {
        Self {
            payment_transaction_id: id.into(),
            status: status.in_details(version).to_owned(),
            status_update_date_time: at,
            status_detail: None,
        }
    }

    /// The same with why it is not carried out. v3.1 has seven names for all reasons, and words.
    #[must_use]
    pub fn because(self, version: ApiVersion, reason: &StatusReason) -> Self {
        let detail = self.status_detail.unwrap_or_else(|| StatusDetail {
            local_instrument: None,
            status: self.status.clone(),
            status_reason: None,
            status_reason_description: None,
        });
        let status_detail = StatusDetail {
            status_reason: match version {
                ApiVersion::V3_1 => Some("ProprietaryRejection".to_owned()),
                ApiVersion::V4_0 => reason.status_reason_code.clone(),
            },
            status_reason_description: reason.status_reason_description.clone(),
            ..detail
        };
        Self { status_detail: Some(status_detail), ..self }
    }

    /// The same with the scheme that carries it.
    #[must_use]
    pub fn over(self, version: ApiVersion, instrument: LocalInstrument) -> Self {
        let status_detail = StatusDetail {
            local_instrument: Some(version.code(instrument)),
            status: self.status.clone(),
            status_reason: None,
            status_reason_description: None,
        };
        Self { status_detail: Some(status_detail), ..self }
    }
}
