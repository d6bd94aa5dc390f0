//! What opens doors and passed through the runner's hands: revealed tokens, caught codes, signatures of JWTs. Whatever a
//! result says is written without them, also where a problem or an address repeats one.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{ScenarioResult, StepResult, result::Spoke};

/// What stands in the place of a secret.
const REMOVED: &str = "[removed]";

/// Members of answers whose texts are secrets, whatever step they came of.
const MEMBERS: &[&str] =
    &["access_token", "client_secret", "code_verifier", "refresh_token", "registration_access_token"];

/// Those of the bank's answer to an authorisation.
const OF_AUTHORISATIONS: &[&str] = &["code", "response"];

/// Shorter texts are words of an answer; to take them out of everything would hide more than it protects.
const SHORTEST: usize = 8;

/// The secrets of a run.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    known: BTreeSet<String>,
    /// Whether nothing is taken out: the run was asked to show secrets.
    shown: bool,
}

impl Secrets {
    pub(crate) fn new(shown: bool) -> Self {
        Self { known: BTreeSet::new(), shown }
    }

    /// Learns what is secret in what a step answered. `caught` is the bank's answer to an authorisation.
    pub(crate) fn learn(&mut self, answer: &Value, caught: bool) {
        match answer {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item, caught)),
            Value::Object(members) => {
                for (name, member) in members {
                    let name = name.replace('-', "_");
                    let secret =
                        MEMBERS.contains(&name.as_str()) || (caught && OF_AUTHORISATIONS.contains(&name.as_str()));
                    match member {
                        Value::String(text) if secret => self.add(text),
                        other => self.learn(other, caught),
                    }
                }
            }
            _ => {}
        }
    }

    /// Learns a secret as it stands in texts, in addresses and forms, and in JSON.
    fn add(&mut self, text: &str) {
        if self.shown || text.len() < SHORTEST {
            return;
        }
        self.known.insert(url::form_urlencoded::byte_serialize(text.as_bytes()).collect());
        self.known.insert(Value::from(text).to_string().trim_matches('"').to_owned());
        self.known.insert(text.to_owned());
    }

    /// The text without secrets, and JWTs in it without their signatures.
    pub(crate) fn masked(&self, text: &str) -> String {
        if self.shown {
            return text.to_owned();
        }
        // Longer ones first: one may be the beginning of another.
        let mut known: Vec<&String> = self.known.iter().filter(|secret| text.contains(secret.as_str())).collect();
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let clean = known.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), REMOVED));
        without_signatures(&clean).into_owned()
    }

    /// The same of anything that is written as JSON.
    fn masked_json<T: Serialize + DeserializeOwned>(&self, value: T) -> T {
        let masked = serde_json::to_string(&value).ok().filter(|json| self.masked(json) != *json);
        masked.and_then(|json| serde_json::from_str(&self.masked(&json)).ok()).unwrap_or(value)
    }

    /// A step's result as it may be told.
    pub(crate) fn step(&self, result: StepResult) -> StepResult {
        if self.shown {
            return result;
        }
        let text = |text: String| self.masked(&text);
        let spoke = |spoke: Spoke| Spoke {
            request: text(spoke.request),
            expected: text(spoke.expected),
            found: text(spoke.found),
            ..spoke
        };
        StepResult {
            title: text(result.title),
            place: result.place,
            outcome: text(result.outcome),
            duration_us: result.duration_us,
            problem: result.problem.map(text),
            answer: result.answer.map(text),
            advice: result.advice.map(text),
            spoke: result.spoke.into_iter().map(spoke).collect(),
            exchanges: result.exchanges.into_iter().map(|exchange| self.masked_json(exchange)).collect(),
            served: result.served.into_iter().map(|exchange| self.masked_json(exchange)).collect(),
            body: result.body.map(text),
            curl: result.curl.map(text),
        }
    }

    /// A scenario's result; its steps were told before.
    pub(crate) fn scenario(&self, result: ScenarioResult) -> ScenarioResult {
        ScenarioResult { error: result.error.map(|error| self.masked(&error)), ..result }
    }
}

/// The text with the signatures of compact JWS taken off, and of compact JWE all but the header (RFC 7515, 3.1; RFC 7516,
/// 3.1). Detached ones, which have nothing between the dots, open nothing without their body, and stay.
fn without_signatures(text: &str) -> Cow<'_, str> {
    // The base64url form of `{"`, with which every header begins.
    if !text.contains("eyJ") {
        return Cow::Borrowed(text);
    }
    let of_token = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find("eyJ") {
        let (before, token) = rest.split_at(begin);
        let (token, after) = token.split_at(token.find(|letter| !of_token(letter)).unwrap_or(token.len()));
        clean.push_str(before);
        match token.split('.').collect::<Vec<_>>().as_slice() {
            [header, claims, signature] if !claims.is_empty() && !signature.is_empty() => {
                clean.push_str(&format!("{header}.{claims}.{REMOVED}"));
            }
            [header, _, _, _, _] => clean.push_str(&format!("{header}.{REMOVED}")),
            _ => clean.push_str(token),
        }
        rest = after;
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::new(false);
        secrets.learn(
            &json!({ "access-token": "to/ken+one=", "list": [{ "refresh_token": "renewing" }], "code": "not-one" }),
            false,
        );
        secrets.learn(&json!({ "code": "one-of-the-bank", "state": "a-state-of-ours" }), true);
        secrets
    }

    #[test]
    fn what_was_revealed_is_in_no_text_in_whatever_form() {
        let secrets = secrets();
        for (text, clean) in [
            ("found \"to/ken+one=\"", "found \"[removed]\""),
            ("/connections?access=to%2Fken%2Bone%3D&a=b", "/connections?access=[removed]&a=b"),
            ("renewing renewing", "[removed] [removed]"),
            ("one-of-the-bank, not-one, a-state-of-ours", "[removed], not-one, a-state-of-ours"),
        ] {
            assert_eq!(secrets.masked(text), clean);
        }
        let mut shown = Secrets::new(true);
        shown.learn(&json!({ "access-token": "to/ken+one=" }), false);
        assert_eq!(shown.masked("to/ken+one= eyJh.eyJi.sig"), "to/ken+one= eyJh.eyJi.sig");
    }

    #[test]
    fn a_jwt_keeps_its_claims_and_loses_its_signature() {
        let secrets = Secrets::default();
        for (text, clean) in [
            ("a \"eyJhbGci.eyJpc3M.c2ln\" b", "a \"eyJhbGci.eyJpc3M.[removed]\" b"),
            ("x=eyJhbGci.eyJpc3M.c2ln&y=eyJh.b.c.d.e", "x=eyJhbGci.eyJpc3M.[removed]&y=eyJh.[removed]"),
            ("x-jws-signature: eyJhbGci..c2ln", "x-jws-signature: eyJhbGci..c2ln"),
            ("eyJ is the beginning of one", "eyJ is the beginning of one"),
        ] {
            assert_eq!(secrets.masked(text), clean);
        }
    }

    #[test]
    fn exchanges_are_masked_in_all_that_they_hold() {
        let exchange: simulation::Exchange = serde_json::from_value(json!({
            "at": "2026-11-23T12:00:00Z", "party": "psu", "side": "client", "peer": "bank", "method": "GET",
            "url": "https://bank/connections?x=renewing", "status": 200, "duration-us": 1, "trace-id": "a"
        }))
        .unwrap();
        assert_eq!(secrets().masked_json(exchange).url, "https://bank/connections?x=[removed]");
    }
}
