//! What a client checks before it takes an answer of the API for the resource that it asked for.

use http::Method;
use rules::{Check, Passed, Refusal, SwitchedOff, holds, judge};
use serde_json::Value;
use url::Url;

use crate::sameness;

rules::catalogue! {
    /// Rules of a client that receives a resource.
    pub RULES;
    INTERACTION_ID { id: "tpp.resource.interaction-id",
        reason: "An answer plays back the x-fapi-interaction-id of its request.", clause: "FAPI 1.0 Part 1, 6.2.1-11; OB Read/Write 4.0, Headers" }
    MEDIA_TYPE { id: "tpp.resource.media-type",
        reason: "An answer is of a media type that was asked for.", clause: "OB Read/Write 4.0, Headers, Accept and Content-Type; RFC 9110, 12.5.1" }
    READABLE { id: "tpp.resource.readable",
        reason: "An answer that says it is JSON can be read as JSON.", clause: "OB Read/Write 4.0, Headers, Content-Type" }
    SELF { id: "tpp.resource.self",
        reason: "An answer that says where it stands (Links.Self) stands where it was asked for.", clause: "OB Read/Write 4.0, Links" }
    ABOUT { id: "tpp.resource.about",
        reason: "An answer about one account, consent or payment names that one.", clause: "OB Read/Write 4.0, Resources" }
    SAME_AS_ASKED { id: "tpp.resource.same-as-asked",
        reason: "What was lodged is answered as it was sent.", clause: "OB Read/Write 4.0, data models of consents and payments" }
}

/// A successful answer of the API.
pub struct ResourceFacts {
    /// HTTP method of the request.
    pub method: Method,
    /// What was asked for.
    pub asked: Url,
    /// `x-fapi-interaction-id` of the request.
    pub interaction_id: String,
    /// That of the answer.
    pub played_back: Option<String>,
    /// `Accept` of the request.
    pub accept: String,
    /// What was sent, when it was JSON.
    pub sent: Option<Value>,
    /// `Content-Type` of the answer.
    pub media_type: Option<String>,
    /// How many bytes it has.
    pub length: usize,
    /// The answer, when it can be read as JSON.
    pub body: Option<Value>,
}

/// Resources with an identifier of their own, and its name in answers about them.
const IDENTIFIERS: [(&str, &str); 9] = [
    ("accounts", "AccountId"),
    ("domestic-payments", "DomesticPaymentId"),
    ("domestic-scheduled-payments", "DomesticScheduledPaymentId"),
    ("domestic-standing-orders", "DomesticStandingOrderId"),
    ("international-payments", "InternationalPaymentId"),
    ("international-scheduled-payments", "InternationalScheduledPaymentId"),
    ("international-standing-orders", "InternationalStandingOrderId"),
    ("file-payments", "FilePaymentId"),
    ("domestic-vrps", "DomesticVRPId"),
];

/// A resource that was asked for by its identifier.
struct One<'a> {
    /// Name of the identifier.
    name: &'static str,
    /// The identifier.
    id: &'a str,
    /// Whether it was asked for itself, and not for something below it.
    itself: bool,
}

impl ResourceFacts {
    fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(|kind| essence(kind).eq_ignore_ascii_case("application/json"))
    }

    /// Whether it is a file, whose type is the bank's to choose.
    fn is_file(&self) -> bool {
        let last = self.asked.path_segments().and_then(|mut segments| segments.next_back());
        matches!(last, Some("file" | "report-file"))
    }

    /// Where the answer says that it stands; a shortened link says nothing of the whole path.
    fn own(&self) -> Option<Url> {
        let link = self.body.as_ref()?.pointer("/Links/Self")?.as_str()?;
        Url::parse(link).ok()
    }

    /// Whether a link leads to what was asked for. What was created stands below the place that it was sent to.
    fn leads_here(&self, own: &Url) -> bool {
        let (asked, own_path) = (self.asked.path().trim_end_matches('/'), own.path().trim_end_matches('/'));
        let below = || own_path.strip_prefix(asked).is_some_and(|rest| rest.starts_with('/'));
        let shortened = !own_path.contains("/open-banking/");
        own.origin() == self.asked.origin()
            && (shortened || own_path == asked || (self.method == Method::POST && below()))
    }

    /// The account, consent or payment that was asked for.
    fn one(&self) -> Option<One<'_>> {
        let mut segments = self.asked.path_segments()?;
        let name = segments.find_map(|segment| match segment.ends_with("-consents") {
            true => Some("ConsentId"),
            false => IDENTIFIERS.iter().find(|(resource, _)| *resource == segment).map(|(_, name)| *name),
        })?;
        let id = segments.next().filter(|id| !id.is_empty())?;
        let itself = self.method == Method::GET && segments.all(str::is_empty);
        Some(One { name, id, itself })
    }

    /// The identifiers of this name in `Data`, and in the lists of `Data`.
    fn named(&self, name: &str) -> Vec<&str> {
        let Some(data) = self.body.as_ref().and_then(|body| body.get("Data")).and_then(Value::as_object) else {
            return Vec::new();
        };
        let lists = data.values().filter_map(Value::as_array).flatten().filter_map(|item| item.get(name));
        data.get(name).into_iter().chain(lists).filter_map(Value::as_str).collect()
    }
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Whether a list of media ranges (RFC 9110, 12.5.1) has one for this type.
fn accepts(accept: &str, media_type: &str) -> bool {
    let found = essence(media_type);
    accept.split(',').map(essence).any(|range| match range.strip_suffix("/*") {
        Some("*") => true,
        Some(group) => found.split_once('/').is_some_and(|(found, _)| found.eq_ignore_ascii_case(group)),
        None => found.eq_ignore_ascii_case(range),
    })
}

const CHECKS: &[Check<ResourceFacts, ()>] = &[
    Check {
        rule: &INTERACTION_ID,
        error: (),
        test: |facts| {
            let found = facts.played_back.as_deref().unwrap_or("nothing");
            holds(found.eq_ignore_ascii_case(&facts.interaction_id), &facts.interaction_id, found)
        },
    },
    Check {
        rule: &MEDIA_TYPE,
        error: (),
        test: |facts| {
            let found = facts.media_type.as_deref().unwrap_or_default();
            let fits = facts.length == 0 || facts.is_file() || accepts(&facts.accept, found);
            holds(fits, &facts.accept, if found.is_empty() { "nothing" } else { found })
        },
    },
    Check {
        rule: &READABLE,
        error: (),
        test: |facts| {
            let readable = !facts.is_json() || facts.length == 0 || facts.body.is_some();
            holds(readable, "JSON", format_args!("{} bytes that are none", facts.length))
        },
    },
    Check {
        rule: &SELF,
        error: (),
        test: |facts| match facts.own() {
            Some(own) => holds(facts.leads_here(&own), &facts.asked, &own),
            None => Ok(()),
        },
    },
    Check {
        rule: &ABOUT,
        error: (),
        test: |facts| {
            let Some(One { name, id, itself }) = facts.one() else { return Ok(()) };
            let named = facts.named(name);
            let expected = format_args!("{name} {id}");
            match named.iter().find(|found| **found != id) {
                Some(other) => holds(false, expected, other),
                None => holds(!named.is_empty() || !itself || !facts.is_json(), expected, "nothing"),
            }
        },
    },
    Check {
        rule: &SAME_AS_ASKED,
        error: (),
        test: |facts| {
            let (Some(sent), Some(body), &Method::POST) = (&facts.sent, &facts.body, &facts.method) else {
                return Ok(());
            };
            match sameness::difference(sent, body) {
                Some(difference) => {
                    holds(false, format_args!("{} {}", difference.at, difference.asked), difference.answered)
                }
                None => Ok(()),
            }
        },
    },
];

/// Checks an answer of the API.
///
/// # Errors
/// It cannot be read, or is about something else than what was asked for.
pub fn check(facts: &ResourceFacts, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    judge(facts, CHECKS, switched_off)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BANK: &str = "https://bank.example/open-banking/v4.0/aisp";

    fn facts(path: &str, body: Option<Value>) -> ResourceFacts {
        ResourceFacts {
            method: Method::GET,
            asked: Url::parse(&format!("{BANK}{path}")).unwrap(),
            interaction_id: "93bac548-d2de-4546-b106-880a5018460d".to_owned(),
            played_back: Some("93BAC548-d2de-4546-b106-880a5018460d".to_owned()),
            accept: "application/json".to_owned(),
            sent: None,
            media_type: Some("application/json; charset=utf-8".to_owned()),
            length: 20,
            body,
        }
    }

    fn rule(facts: &ResourceFacts) -> Option<&'static str> {
        check(facts, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    fn verdict(path: &str, body: Option<Value>) -> Option<&'static str> {
        rule(&facts(path, body))
    }

    fn linked(method: Method, path: &str, link: &str) -> Option<&'static str> {
        let body = Some(json!({"Data": {}, "Links": {"Self": link}}));
        rule(&ResourceFacts { method, ..facts(path, body) })
    }

    #[test]
    fn an_answer_stands_where_it_was_asked_for() {
        let here = |method, path: &str, link: &str| linked(method, path, &format!("{BANK}{link}"));
        assert_eq!(here(Method::GET, "/accounts?page=2", "/accounts?page=2"), None);
        assert_eq!(here(Method::GET, "/accounts", "/accounts/"), None);
        assert_eq!(here(Method::POST, "/account-access-consents", "/account-access-consents/1"), None);
        assert_eq!(here(Method::GET, "/accounts/1/balances", "/accounts/1/transactions"), Some(SELF.id));
        assert_eq!(here(Method::GET, "/accounts/1/balances", "/accounts/12/balances"), Some(SELF.id));
        assert_eq!(here(Method::GET, "/accounts", "/accounts/1"), Some(SELF.id));
        assert_eq!(here(Method::POST, "/account-access-consents", "/account-access-consents-of-others"), Some(SELF.id));
        // A shortened link, and one that leads to another bank.
        assert_eq!(linked(Method::GET, "/accounts", "https://bank.example/accounts"), None);
        assert_eq!(linked(Method::GET, "/accounts", "/accounts"), None);
        let evil = format!("{BANK}/accounts").replace("bank.example", "evil.example");
        assert_eq!(linked(Method::GET, "/accounts", &evil), Some(SELF.id));
        assert_eq!(linked(Method::GET, "/accounts", "https://evil.example/accounts"), Some(SELF.id));
    }

    #[test]
    fn an_answer_names_what_was_asked_for() {
        let accounts = |id: &str| Some(json!({"Data": {"Account": [{"AccountId": id}]}}));
        assert_eq!(verdict("/accounts/1/balances", accounts("1")), None);
        assert_eq!(verdict("/accounts/1", accounts("2")), Some(ABOUT.id));
        assert_eq!(verdict("/accounts", accounts("2")), None);
        let consent = |id: &str| Some(json!({"Data": {"ConsentId": id}}));
        assert_eq!(verdict("/account-access-consents/1", consent("1")), None);
        assert_eq!(verdict("/account-access-consents/1", consent("2")), Some(ABOUT.id));
        assert_eq!(verdict("/account-access-consents", consent("2")), None);
        let payment = |id: &str| Some(json!({"Data": {"ConsentId": "C", "DomesticPaymentId": id}}));
        assert_eq!(verdict("/domestic-payments/1", payment("1")), None);
        assert_eq!(verdict("/domestic-payments/1", payment("2")), Some(ABOUT.id));
    }

    #[test]
    fn an_answer_about_one_resource_names_it() {
        let nothing = || Some(json!({"Data": {}}));
        for path in ["/accounts/1", "/account-access-consents/1", "/domestic-payments/1", "/domestic-vrps/1"] {
            assert_eq!(verdict(path, nothing()), Some(ABOUT.id), "{path}");
        }
        // An account may have no standing orders, and what stands below a consent may not name it.
        for path in ["/accounts/1/standing-orders", "/domestic-payment-consents/1/funds-confirmation", "/accounts"] {
            assert_eq!(verdict(path, nothing()), None, "{path}");
        }
    }

    #[test]
    fn what_says_it_is_json_is_json() {
        assert_eq!(verdict("/accounts", None), Some(READABLE.id));
    }

    #[test]
    fn an_answer_is_of_a_type_that_was_asked_for() {
        let of_type = |path: &str, accept: &str, media_type: Option<&str>| {
            let body = Some(json!({"Data": {}}));
            let (accept, media_type) = (accept.to_owned(), media_type.map(str::to_owned));
            rule(&ResourceFacts { accept, media_type, ..facts(path, body) })
        };
        let json = "application/json";
        for media_type in ["application/json", "Application/JSON;charset=UTF-8"] {
            assert_eq!(of_type("/accounts", json, Some(media_type)), None, "{media_type}");
        }
        for media_type in [Some("text/html"), Some("application/jsonp"), None] {
            assert_eq!(of_type("/accounts", json, media_type), Some(MEDIA_TYPE.id), "{media_type:?}");
        }
        let file = "/accounts/1/statements/2/file";
        assert_eq!(of_type("/accounts", "application/pdf, application/*;q=0.5", Some("application/json")), None);
        assert_eq!(of_type("/accounts", "text/csv", Some("application/json")), Some(MEDIA_TYPE.id));
        assert_eq!(of_type(file, json, Some("application/pdf")), None);
        let empty = ResourceFacts { length: 0, media_type: None, body: None, ..facts("/accounts", None) };
        assert_eq!(rule(&empty), None);
    }

    #[test]
    fn an_answer_belongs_to_its_request() {
        let accounts = || facts("/accounts", Some(json!({"Data": {"Account": []}})));
        assert_eq!(rule(&accounts()), None);
        for played_back in [None, Some("3a9b3a3c-9d2f-4a38-8c1b-30a3a6b2f3d1".to_owned())] {
            assert_eq!(rule(&ResourceFacts { played_back, ..accounts() }), Some(INTERACTION_ID.id));
        }
    }

    #[test]
    fn what_was_lodged_is_answered_as_it_was_sent() {
        let lodged = |method, permissions: &[&str]| {
            let sent = Some(json!({"Data": {"Permissions": ["ReadBalances"]}, "Risk": {}}));
            let body = Some(json!({"Data": {"ConsentId": "1", "Permissions": permissions}, "Risk": {}}));
            rule(&ResourceFacts { method, sent, ..facts("/account-access-consents", body) })
        };
        assert_eq!(lodged(Method::POST, &["ReadBalances"]), None);
        assert_eq!(lodged(Method::POST, &["ReadBalances", "ReadParty"]), Some(SAME_AS_ASKED.id));
        assert_eq!(lodged(Method::PUT, &["ReadBalances", "ReadParty"]), None);
    }
}
