//! Whether an answer says what was asked: every member that was sent stands in it, with the same value.
//!
//! A bank may add members, write a time in another zone or an amount with other decimals, and tell permissions in another
//! order.

use std::collections::BTreeSet;

use openbanking::{dates::parse_request, money::Money};
use serde_json::{Map, Value};

/// Where an answer is not what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// JSON pointer.
    pub(crate) at: String,
    /// What was asked, as JSON.
    pub(crate) asked: String,
    /// What was answered, as JSON.
    pub(crate) answered: String,
}

/// Members of `Data` that an answer repeats, whatever else it may leave out (OB Read/Write 4.0, data models of the
/// responses).
const REPEATED: [&str; 5] = ["ConsentId", "Initiation", "Permissions", "ControlParameters", "Instruction"];

/// The first difference between a body that was sent and the answer to it; none when they say the same.
pub(crate) fn difference(sent: &Value, answer: &Value) -> Option<Difference> {
    let (data, found) = (sent.get("Data")?.as_object()?, answer.get("Data"));
    let of_data = data.iter().find_map(|(name, asked)| {
        let found = found.and_then(|data| data.get(name));
        let told = found.is_some() || REPEATED.contains(&name.as_str());
        told.then(|| differs(&format!("/Data/{name}"), asked, found)).flatten()
    });
    // Orders are answered without the risk that was sent with them.
    let of_risk = || differs("/Risk", sent.get("Risk")?, Some(answer.get("Risk")?));
    of_data.or_else(of_risk)
}

fn differs(at: &str, asked: &Value, found: Option<&Value>) -> Option<Difference> {
    let different = || {
        let answered = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
        Some(Difference { at: at.to_owned(), asked: asked.to_string(), answered })
    };
    match (asked, found) {
        (Value::Null, _) => None,
        (Value::Object(asked), None) if asked.is_empty() => None,
        (Value::Array(asked), None) if asked.is_empty() => None,
        (Value::Object(asked), Some(Value::Object(found))) => members_differ(at, asked, found),
        (Value::Array(asked), Some(Value::Array(found))) => match (texts(asked), texts(found)) {
            (Some(asked), Some(found)) if asked == found => None,
            (None, None) if asked.len() == found.len() => {
                let pairs = asked.iter().zip(found).enumerate();
                pairs
                    .into_iter()
                    .find_map(|(index, (asked, found))| differs(&format!("{at}/{index}"), asked, Some(found)))
            }
            _ => different(),
        },
        (Value::String(asked), Some(Value::String(found))) if same_text(asked, found) => None,
        (Value::Number(asked), Some(Value::Number(found))) if asked.as_f64() == found.as_f64() => None,
        (asked, Some(found)) if asked == found => None,
        _ => different(),
    }
}

fn members_differ(at: &str, asked: &Map<String, Value>, found: &Map<String, Value>) -> Option<Difference> {
    let same_money = money(asked).is_some_and(|asked| money(found) == Some(asked));
    let members = asked.iter().filter(|(name, _)| !(same_money && *name == "Amount"));
    members.into_iter().find_map(|(name, value)| differs(&format!("{at}/{name}"), value, found.get(name)))
}

/// `Amount` and `Currency` of an object that has both.
fn money(object: &Map<String, Value>) -> Option<Money> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    Money::parse(text("Amount")?, text("Currency")?.parse().ok()?).ok()
}

/// A list of texts, whose order says nothing.
fn texts(list: &[Value]) -> Option<BTreeSet<&str>> {
    list.iter().map(Value::as_str).collect()
}

fn same_text(asked: &str, found: &str) -> bool {
    let instant = |text: &str| parse_request(text).ok();
    asked == found || instant(asked).is_some_and(|asked| instant(found) == Some(asked))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payment() -> Value {
        json!({
            "Data": {
                "ReadRefundAccount": "Yes",
                "Initiation": {
                    "InstructionIdentification": "one",
                    "InstructedAmount": { "Amount": "10.00", "Currency": "GBP" },
                    "CreditorAccount": { "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": "20000012345678" },
                    "RequestedExecutionDateTime": "2026-12-01T10:00:00+00:00",
                    "SupplementaryData": {},
                },
            },
            "Risk": { "PaymentContextCode": "TransferToThirdParty" },
        })
    }

    /// Where the answer to the payment differs, when one member of it is another.
    fn at(pointer: &str, value: Value) -> Option<String> {
        let mut answer = payment();
        answer["Data"]["ConsentId"] = json!("1");
        *answer.pointer_mut(pointer).unwrap() = value;
        difference(&payment(), &answer).map(|difference| difference.at)
    }

    #[test]
    fn what_was_asked_is_answered() {
        for (pointer, value) in [
            ("/Data/Initiation/InstructedAmount/Amount", json!("9999.00")),
            ("/Data/Initiation/InstructedAmount/Currency", json!("EUR")),
            ("/Data/Initiation/CreditorAccount/Identification", json!("20000087654321")),
            ("/Data/Initiation/RequestedExecutionDateTime", json!("2026-12-02T10:00:00+00:00")),
            ("/Data/ReadRefundAccount", json!("No")),
            ("/Risk/PaymentContextCode", json!("BillPayment")),
        ] {
            assert_eq!(at(pointer, value).as_deref(), Some(pointer));
        }
        let mut answer = payment();
        answer["Data"].as_object_mut().unwrap().remove("Initiation");
        assert_eq!(difference(&payment(), &answer).unwrap().at, "/Data/Initiation");
        let order = json!({ "Data": { "ConsentId": "1" } });
        let other = json!({ "Data": { "ConsentId": "2", "DomesticPaymentId": "3" } });
        let expected = Difference { at: "/Data/ConsentId".into(), asked: "\"1\"".into(), answered: "\"2\"".into() };
        assert_eq!(difference(&order, &other), Some(expected));
    }

    #[test]
    fn a_bank_may_write_the_same_otherwise() {
        for (pointer, value) in [
            ("/Data/Initiation/InstructedAmount/Amount", json!("10.0")),
            ("/Data/Initiation/InstructedAmount/Amount", json!("10")),
            ("/Data/Initiation/RequestedExecutionDateTime", json!("2026-12-01T11:00:00+01:00")),
            ("/Data/Initiation/RequestedExecutionDateTime", json!("2026-12-01T10:00:00.000Z")),
            ("/Data/Initiation/SupplementaryData", json!({ "More": 1 })),
        ] {
            assert_eq!(at(pointer, value.clone()), None, "{pointer} {value}");
        }
        let mut answer = payment();
        answer["Data"]["Initiation"]["DebtorAccount"] = json!({ "Identification": "20000099999999" });
        answer["Data"]["Initiation"].as_object_mut().unwrap().remove("SupplementaryData");
        let answer = answer.as_object_mut().unwrap();
        answer["Data"].as_object_mut().unwrap().remove("ReadRefundAccount");
        answer.remove("Risk");
        assert_eq!(difference(&payment(), &json!(answer)), None);
    }

    #[test]
    fn permissions_are_those_that_were_asked_for_in_any_order() {
        let permissions = |names: &[&str]| json!({ "Data": { "Permissions": names } });
        let asked = permissions(&["ReadBalances", "ReadAccountsBasic"]);
        assert_eq!(difference(&asked, &permissions(&["ReadAccountsBasic", "ReadBalances"])), None);
        for other in [&["ReadBalances"][..], &["ReadAccountsBasic", "ReadBalances", "ReadAccountsDetail"], &[]] {
            assert_eq!(difference(&asked, &permissions(other)).unwrap().at, "/Data/Permissions", "{other:?}");
        }
        // Numbers are not texts: their order and their number count.
        let limits = |amounts: &[i64]| json!({ "Data": { "ControlParameters": { "Limits": amounts } } });
        assert_eq!(difference(&limits(&[1, 2]), &limits(&[1, 2])), None);
        for other in [&[2, 1][..], &[1], &[1, 2, 3]] {
            assert!(difference(&limits(&[1, 2]), &limits(other)).is_some(), "{other:?}");
        }
    }
}
