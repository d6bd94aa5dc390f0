//! What a client checks of the answer to its registration (RFC 7591, 3.2.1): a bank may replace what was asked for, and
//! this client then does not go on as somebody that it is not.

use std::collections::BTreeSet;

use rules::{Check, Passed, Refusal, SwitchedOff, holds, judge};
use serde_json::Value;

rules::catalogue! {
    /// Rules of a client that was registered.
    pub RULES;
    CLIENT_ID { id: "tpp.registration.client-id",
        reason: "The answer to a registration names the client.", clause: "RFC 7591, 3.2.1" }
    SAME_AS_ASKED { id: "tpp.registration.same-as-asked",
        reason: "What was registered is what was asked for: redirect URIs, authentication, algorithms, and no wider scope.", clause: "RFC 7591, 3.2.1; OB DCR 3.3" }
}

/// Members that a bank does not replace without the client having to know.
const SAME: [&str; 3] = ["token_endpoint_auth_method", "id_token_signed_response_alg", "request_object_signing_alg"];

/// A registration and the answer to it.
struct Facts<'a> {
    request: &'a Value,
    answer: &'a Value,
}

/// The redirect URIs of a registration.
fn redirect_uris(registration: &Value) -> Option<BTreeSet<&str>> {
    registration.get("redirect_uris")?.as_array()?.iter().map(Value::as_str).collect()
}

/// The scope of a registration, one by one.
fn scopes(registration: &Value) -> BTreeSet<&str> {
    registration.get("scope").and_then(Value::as_str).unwrap_or_default().split_whitespace().collect()
}

impl Facts<'_> {
    /// The member in which the answer is not what was asked; what it leaves out it does not replace.
    fn replaced(&self) -> Option<&'static str> {
        let differs = |name: &&str| {
            let found = self.answer.get(*name).filter(|found| !found.is_null());
            found.is_some_and(|found| Some(found) != self.request.get(*name))
        };
        let told = self.answer.get("redirect_uris").is_some();
        if told && redirect_uris(self.answer) != redirect_uris(self.request) {
            return Some("redirect_uris");
        }
        // Banks that speak OpenID Connect tell its scope in any case.
        let wider = |scope: &&str| *scope != "openid" && !scopes(self.request).contains(scope);
        if scopes(self.answer).iter().any(wider) {
            return Some("scope");
        }
        SAME.into_iter().find(differs)
    }
}

const fn checks<'a>() -> [Check<Facts<'a>, ()>; 2] {
    [
        Check {
            rule: &CLIENT_ID,
            error: (),
            test: |facts| {
                let named = facts.answer.get("client_id").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
                holds(named, "client_id", "nothing")
            },
        },
        Check {
            rule: &SAME_AS_ASKED,
            error: (),
            test: |facts| match facts.replaced() {
                Some(name) => {
                    let shown = |from: &Value| from.get(name).map(Value::to_string).unwrap_or_default();
                    holds(false, format_args!("{name} {}", shown(facts.request)), shown(facts.answer))
                }
                None => Ok(()),
            },
        },
    ]
}

/// Checks the answer to a registration.
///
/// # Errors
/// It names no client, or registers something else than what was asked for.
pub fn check(request: &Value, answer: &Value, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    judge(&Facts { request, answer }, &checks(), switched_off)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request() -> Value {
        json!({
            "redirect_uris": ["https://tpp.example/a", "https://tpp.example/b"],
            "scope": "openid accounts payments", "token_endpoint_auth_method": "private_key_jwt",
            "id_token_signed_response_alg": "PS256", "request_object_signing_alg": "PS256",
        })
    }

    /// The rule that refuses the answer in which one member is another.
    fn verdict(name: &str, value: Value) -> Option<&'static str> {
        let mut answer = request();
        answer["client_id"] = json!("client");
        answer[name] = value;
        check(&request(), &answer, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    #[test]
    fn a_registration_as_it_was_asked_for_is_taken() {
        assert_eq!(verdict("client_id_issued_at", json!(1)), None);
        assert_eq!(verdict("redirect_uris", json!(["https://tpp.example/b", "https://tpp.example/a"])), None);
        assert_eq!(verdict("scope", json!("accounts openid")), None);
        assert_eq!(verdict("request_object_signing_alg", Value::Null), None);
        assert!(check(&request(), &json!({ "client_id": "client" }), &SwitchedOff::default()).is_ok());
    }

    #[test]
    fn what_the_bank_replaced_is_not_taken() {
        for (name, value) in [
            ("redirect_uris", json!(["https://tpp.example/a", "https://tpp.example/b", "https://evil.example/"])),
            ("redirect_uris", json!(["https://tpp.example/a"])),
            ("redirect_uris", json!("https://tpp.example/a")),
            ("scope", json!("openid accounts payments fundsconfirmations")),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("id_token_signed_response_alg", json!("RS256")),
            ("request_object_signing_alg", json!("none")),
        ] {
            assert_eq!(verdict(name, value.clone()), Some(SAME_AS_ASKED.id), "{name} {value}");
        }
        for nobody in [Value::Null, json!(""), json!(1)] {
            assert_eq!(verdict("client_id", nobody), Some(CLIENT_ID.id));
        }
    }
}
