//! Bodies of payments, with dates that lie ahead of the bank's clock.

use openbanking::{
    payments::{PaymentKind, Timing},
    version::ApiVersion,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::by;

/// An account at another bank.
pub(super) const ELSEWHERE: &str = "00009912345601";

pub(super) fn money(amount: &str, currency: &str) -> Value {
    json!({ "Amount": amount, "Currency": currency })
}

pub(super) fn account(identification: &str, name: &str) -> Value {
    json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": identification, "Name": name })
}

/// The first moment of the day so many days ahead.
pub(super) fn day(now: OffsetDateTime, days: i64) -> String {
    let at = (now + Duration::days(days)).replace_time(time::Time::MIDNIGHT);
    at.format(&Rfc3339).unwrap()
}

/// The object with the members of another.
pub(super) fn with(mut object: Value, more: &Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// What a kind says of its time.
fn timing(kind: PaymentKind, version: ApiVersion, now: OffsetDateTime) -> Value {
    match kind.timing() {
        Timing::Immediate | Timing::File => json!({}),
        Timing::Scheduled => json!({ "RequestedExecutionDateTime": day(now, 3) }),
        Timing::Recurring => {
            let mandate = json!({ "FirstPaymentDateTime": day(now, 2), "Frequency": { "Type": "DAIL" } });
            by(
                version,
                json!({ "FirstPaymentDateTime": day(now, 2), "Frequency": "EvryDay", "NumberOfPayments": "3" }),
                json!({ "NumberOfPayments": "3", "MandateRelatedInformation": mandate }),
            )
        }
    }
}

/// A payment of ten pounds, or its like abroad, with as much as is usual.
pub(super) fn initiation(kind: PaymentKind, version: ApiVersion, now: OffsetDateTime) -> Value {
    let recurring = kind.timing() == Timing::Recurring;
    let mut initiation = json!({ "CreditorAccount": account(ELSEWHERE, "Marrow and Finch Lettings") });
    if !recurring {
        initiation["InstructionIdentification"] = json!("8f1d7f9f0ab44b0c9d9a9c4d3e5b6a71");
        initiation["EndToEndIdentification"] = json!("ORDER-1-SHOP");
        initiation["RemittanceInformation"] = by(
            version,
            json!({ "Reference": "ORDER 1", "Unstructured": "Thanks" }),
            json!({ "Unstructured": ["ORDER 1"] }),
        );
    }
    if kind.is_international() {
        initiation["CurrencyOfTransfer"] = json!("EUR");
        initiation["InstructedAmount"] = money("10.00", "GBP");
        initiation["CreditorAccount"] =
            json!({ "SchemeName": "UK.OBIE.IBAN", "Identification": "BE30001216371411", "Name": "Editions du Moulin" });
        initiation["Creditor"] = json!({ "Name": "Editions du Moulin" });
    } else if recurring {
        initiation["FirstPaymentAmount"] = money("10.00", "GBP");
    } else {
        initiation["InstructedAmount"] = money("10.00", "GBP");
    }
    with(initiation, &timing(kind, version, now))
}

/// A body that lodges a consent.
pub(super) fn consent(kind: PaymentKind, version: ApiVersion, now: OffsetDateTime) -> Value {
    of(kind, &initiation(kind, version, now))
}

/// The same for an `Initiation`.
pub(super) fn of(kind: PaymentKind, initiation: &Value) -> Value {
    let mut body = json!({ "Data": { "Initiation": initiation }, "Risk": {} });
    if kind.has_permission() {
        body["Data"]["Permission"] = json!("Create");
    }
    if !kind.has_risk() {
        body.as_object_mut().unwrap().remove("Risk");
    }
    body
}

/// A domestic payment to an account.
pub(super) fn domestic(to: &str, amount: &str) -> Value {
    let initiation = json!({
        "InstructionIdentification": "I-1", "EndToEndIdentification": "E-1", "InstructedAmount": money(amount, "GBP"),
        "CreditorAccount": account(to, "Tobias Ashdown-Vale"),
    });
    of(PaymentKind::Domestic, &initiation)
}

/// The order of what a consent asked for.
pub(super) fn order(consent: &Value, id: &str) -> Value {
    let mut body = json!({ "Data": { "ConsentId": id, "Initiation": consent["Data"]["Initiation"] } });
    if let Some(risk) = consent.get("Risk") {
        body["Risk"] = risk.clone();
    }
    body
}
