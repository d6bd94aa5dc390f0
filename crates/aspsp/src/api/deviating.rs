//! Answers of the API that are wrong on purpose ([`Deviations`]), so that clients can show that they notice. A bank that
//! was not started for it answers as it is.

use bytes::Bytes;
use fapi::{Deviation, Deviations};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use transport::Response;

/// What becomes of the body of an answer.
type Change = fn(&mut Value);

const AMOUNTS: [&str; 2] = ["/Data/Initiation/InstructedAmount/Amount", "/Data/Instruction/InstructedAmount/Amount"];

const CHANGES: [(Deviation, Change); 6] = [
    (Deviation::ForeignSelfLink, |body| {
        if let Some(Value::String(link)) = body.pointer_mut("/Links/Self")
            && let Some((_, path)) = link.split_once("/open-banking/")
        {
            *link = format!("https://another-bank.example/open-banking/{path}");
        }
    }),
    (Deviation::NoIdentifier, |body| {
        if let Some(data) = body.get_mut("Data").and_then(Value::as_object_mut) {
            data.retain(|name, _| !name.ends_with("Id"));
            for item in data.values_mut().filter_map(Value::as_array_mut).flatten().filter_map(Value::as_object_mut) {
                item.remove("AccountId");
            }
        }
    }),
    (Deviation::OtherPayment, |body| {
        let data = body.get_mut("Data").and_then(Value::as_object_mut);
        for (_, id) in data.into_iter().flatten().filter(|(name, _)| name.ends_with("Id") && *name != "ConsentId") {
            *id = json!("another-payment");
        }
    }),
    (Deviation::OtherConsent, |body| {
        let ordered = body
            .get("Data")
            .and_then(Value::as_object)
            .is_some_and(|data| data.keys().any(|name| name.ends_with("Id") && name != "ConsentId"));
        if ordered && let Some(id) = body.pointer_mut("/Data/ConsentId") {
            *id = json!("another-consent");
        }
    }),
    (Deviation::OtherAmount, |body| {
        for at in AMOUNTS {
            if let Some(amount) = body.pointer_mut(at) {
                *amount = json!("9999.00");
            }
        }
    }),
    (Deviation::MorePermissions, |body| {
        if let Some(Value::Array(permissions)) = body.pointer_mut("/Data/Permissions") {
            let missing = ["ReadPAN", "ReadParty"].map(Value::from).into_iter().find(|one| !permissions.contains(one));
            permissions.extend(missing);
        }
    }),
];

/// A successful answer as the bank gives it: as it is, unless the bank is to do something wrong.
#[must_use]
pub fn bent(deviations: &Deviations, mut response: Response) -> Response {
    if !deviations.is_armed() || !response.status().is_success() || response.body().is_empty() {
        return response;
    }
    let wanted = CHANGES.iter().filter(|(deviation, _)| deviations.has(*deviation)).map(|(_, change)| change);
    let changes: Vec<&Change> = wanted.collect();
    if !changes.is_empty()
        && let Ok(mut body) = serde_json::from_slice::<Value>(response.body())
    {
        changes.into_iter().for_each(|change| change(&mut body));
        *response.body_mut() = Bytes::from(body.to_string());
    }
    if deviations.has(Deviation::AnswersAsHtml) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a change makes of a body.
    fn changed(deviation: Deviation, mut body: Value) -> Value {
        CHANGES.iter().filter(|(one, _)| *one == deviation).for_each(|(_, change)| change(&mut body));
        body
    }

    #[test]
    fn each_deviation_changes_what_it_says_alone() {
        let order = json!({ "Data": { "ConsentId": "1", "DomesticPaymentId": "2" }, "Links": { "Self": "/" } });
        let consent = json!({ "Data": { "ConsentId": "1", "Permissions": ["ReadPAN"] } });
        let other =
            json!({ "Data": { "ConsentId": "another-consent", "DomesticPaymentId": "2" }, "Links": { "Self": "/" } });
        assert_eq!(changed(Deviation::OtherConsent, order.clone()), other);
        assert_eq!(changed(Deviation::OtherConsent, consent.clone()), consent);
        assert_eq!(changed(Deviation::OtherPayment, order.clone())["Data"]["DomesticPaymentId"], "another-payment");
        assert_eq!(changed(Deviation::OtherPayment, consent.clone()), consent);
        assert_eq!(changed(Deviation::OtherAmount, order.clone()), order);
        assert_eq!(changed(Deviation::ForeignSelfLink, order.clone()), order);
        assert_eq!(changed(Deviation::NoIdentifier, order)["Data"], json!({}));
        let more = changed(Deviation::MorePermissions, consent);
        assert_eq!(more["Data"]["Permissions"], json!(["ReadPAN", "ReadParty"]));
    }

    #[test]
    fn a_bank_that_was_not_started_for_it_answers_as_it_is() {
        let honest = Deviations::default();
        honest.set(Deviation::ALL.iter().copied());
        let answer = || transport::reply::json(http::StatusCode::OK, &json!({ "Data": { "Permissions": [] } }));
        let response = bent(&honest, answer());
        assert_eq!((response.body(), response.headers()), (answer().body(), answer().headers()));
    }
}
