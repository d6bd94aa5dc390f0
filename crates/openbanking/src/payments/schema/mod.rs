//! The members of payment requests as data: each type is written once, for both versions, and composed.
//!
//! Names, lengths and lists are those of the OpenAPI files of v3.1.11 and v4.0.1; what v4.0 takes is taken too. Schemes
//! and local instruments may come without their namespace (Namespaced Enumerations, Release Management).

mod initiation;
mod parties;
mod purposes;
mod risk;

pub(crate) use initiation::*;
pub(crate) use parties::*;
pub(crate) use risk::*;

use crate::error::ErrorCode;
use crate::money::{Currency, Money, MoneyError};
use crate::payments::LocalInstrument;
use crate::reading::{Form, Member};

pub(super) use crate::version::ApiVersion::{V3_1, V4_0};

/// Three capital letters.
pub(crate) const CURRENCY: Form = Form::Code(is_currency, "three capital letters");
/// `OBActiveCurrencyAndAmount_SimpleType`.
pub(crate) const AMOUNT_TEXT: Form = Form::Code(is_amount, "up to 13 digits, and up to 5 decimals after a point");
/// `OBActiveOrHistoricCurrencyAndAmount`.
pub(crate) const AMOUNT: &[Member] = &[Member::required("Amount", AMOUNT_TEXT), Member::required("Currency", CURRENCY)];
/// Two capital letters.
pub(crate) const COUNTRY: Form = Form::Code(is_country, "two capital letters");
/// Any object.
pub(crate) const SUPPLEMENTARY_DATA: Member = Member::optional("SupplementaryData", Form::Open(&[]));
/// `OBInternalLocalInstrument1Code`.
pub(crate) const LOCAL_INSTRUMENT: Member = Member::optional(
    "LocalInstrument",
    Form::Matching(
        is_local_instrument,
        "a local instrument such as UK.OBIE.FPS",
        ErrorCode::UnsupportedLocalInstrument,
    ),
);
/// Unique for the TPP.
pub(crate) const INSTRUCTION_IDENTIFICATION: Member = Member::required("InstructionIdentification", Form::Text(35));
/// Handed on to the payee.
pub(crate) const END_TO_END_IDENTIFICATION: Member = Member::required("EndToEndIdentification", Form::Text(35));
/// The consent that an order is for.
pub(crate) const CONSENT_ID: Member = Member::required("ConsentId", Form::Text(128));
/// Whether the order's answer is to name the payer's account.
pub(crate) const READ_REFUND_ACCOUNT: Member = Member::optional("ReadRefundAccount", Form::OneOf(&["No", "Yes"]));

fn is_currency(text: &str) -> bool {
    text.parse::<Currency>().is_ok()
}

fn is_amount(text: &str) -> bool {
    // Whether the currency has that many decimals is judged with both at hand.
    !matches!(Money::parse(text, Currency::GBP), Err(MoneyError::NotAnAmount(_)))
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_local_instrument(text: &str) -> bool {
    LocalInstrument::lenient(text).is_some()
}
