//! What a client checks before it takes an answer of the API for the resource that it asked for.

use rules::{Check, Passed, Refusal, SwitchedOff, holds, judge};
use serde_json::Value;
use url::Url;

rules::catalogue! {
    /// Rules of a client that receives a resource.
    pub RULES;
    READABLE { id: "tpp.resource.readable",
        reason: "An answer that says it is JSON can be read as JSON.", clause: "OB Read/Write 4.0, Headers, Content-Type" }
    SELF { id: "tpp.resource.self",
        reason: "An answer that says where it stands (Links.Self) stands where it was asked for.", clause: "OB Read/Write 4.0, Links" }
    ABOUT { id: "tpp.resource.about",
        reason: "An answer about one account or consent names that one.", clause: "OB Read/Write 4.0, Resources" }
}

/// A successful answer of the API.
pub struct ResourceFacts {
    /// What was asked for.
    pub asked: Url,
    /// Whether the answer says that it is JSON.
    pub json: bool,
    /// How many bytes it has.
    pub length: usize,
    /// The answer, when it can be read as JSON.
    pub body: Option<Value>,
}

impl ResourceFacts {
    /// Where the answer says that it stands; a shortened link says nothing of the whole path.
    fn own(&self) -> Option<String> {
        let link = self.body.as_ref()?.pointer("/Links/Self")?.as_str()?;
        Url::parse(link).ok().map(|url| url.path().to_owned()).filter(|path| path.contains("/open-banking/"))
    }

    /// The account or consent that was asked for, and the name of its identifier.
    fn one(&self) -> Option<(&'static str, &str)> {
        let mut segments = self.asked.path_segments()?;
        let kind = segments.find(|segment| *segment == "accounts" || segment.ends_with("-consents"))?;
        let name = if kind == "accounts" { "AccountId" } else { "ConsentId" };
        segments.next().filter(|id| !id.is_empty()).map(|id| (name, id))
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

const CHECKS: &[Check<ResourceFacts, ()>] = &[
    Check {
        rule: &READABLE,
        error: (),
        test: |facts| {
            let readable = !facts.json || facts.length == 0 || facts.body.is_some();
            holds(readable, "JSON", format_args!("{} bytes that are none", facts.length))
        },
    },
    Check {
        rule: &SELF,
        error: (),
        test: |facts| match facts.own() {
            // What was created stands below the place that it was sent to.
            Some(own) => holds(own.starts_with(facts.asked.path()), facts.asked.path(), own.clone()),
            None => Ok(()),
        },
    },
    Check {
        rule: &ABOUT,
        error: (),
        test: |facts| {
            let Some((name, asked)) = facts.one() else { return Ok(()) };
            match facts.named(name).into_iter().find(|found| *found != asked) {
                Some(other) => holds(false, format_args!("{name} {asked}"), other),
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

    fn verdict(path: &str, body: Option<Value>) -> Option<&'static str> {
        let asked = Url::parse(&format!("{BANK}{path}")).unwrap();
        let facts = ResourceFacts { asked, json: true, length: 20, body };
        check(&facts, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    fn linked(path: &str, link: &str) -> Option<&'static str> {
        verdict(path, Some(json!({"Data": {}, "Links": {"Self": format!("{BANK}{link}")}})))
    }

    #[test]
    fn an_answer_stands_where_it_was_asked_for() {
        assert_eq!(linked("/accounts?page=2", "/accounts?page=2"), None);
        assert_eq!(linked("/account-access-consents", "/account-access-consents/1"), None);
        assert_eq!(linked("/accounts/1", "/accounts/2"), Some(SELF.id));
        assert_eq!(linked("/accounts/1/balances", "/accounts/1/transactions"), Some(SELF.id));
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
    }

    #[test]
    fn what_says_it_is_json_is_json() {
        assert_eq!(verdict("/accounts", None), Some(READABLE.id));
    }
}
