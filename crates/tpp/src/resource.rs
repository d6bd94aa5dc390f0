//! What a client checks before it takes an answer of the API for the resource that it asked for.

use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, judge};
use serde_json::Value;
use url::Url;

rules::catalogue! {
    /// Rules of a client that receives a resource.
    pub RULES;
    SELF { id: "tpp.resource.self",
        reason: "An answer that says where it stands (Links.Self) stands where it was asked for.", clause: "OB Read/Write 4.0, Links" }
}

struct Facts {
    asked: String,
    own: Option<String>,
}

const CHECKS: &[Check<Facts, ()>] = &[Check {
    rule: &SELF,
    error: (),
    test: |facts| match &facts.own {
        // What was created stands below the place that it was sent to.
        Some(own) => holds(own.starts_with(&facts.asked), facts.asked.clone(), own.clone()),
        None => Ok::<(), Evidence>(()),
    },
}];

/// Checks an answer of the API.
///
/// # Errors
/// It is about something else than what was asked for.
pub fn check(asked: &Url, body: Option<Value>, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    let own = body
        .as_ref()
        .and_then(|body| body.pointer("/Links/Self"))
        .and_then(Value::as_str)
        .map(|link| Url::parse(link).map_or_else(|_| link.to_owned(), |url| url.path().to_owned()));
    // A relative or shortened link says nothing of the whole path.
    let own = own.filter(|path| path.starts_with('/') && path.contains("/open-banking/"));
    judge(&Facts { asked: asked.path().to_owned(), own }, CHECKS, switched_off)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(asked: &str, link: &str) -> bool {
        let body = Some(json!({"Data": {}, "Links": {"Self": link}}));
        check(&Url::parse(asked).unwrap(), body, &SwitchedOff::default()).is_ok()
    }

    #[test]
    fn an_answer_is_about_what_was_asked_for() {
        const BANK: &str = "https://bank.example/open-banking/v4.0/aisp";
        assert!(verdict(&format!("{BANK}/accounts?page=2"), &format!("{BANK}/accounts?page=2")));
        assert!(verdict(&format!("{BANK}/account-access-consents"), &format!("{BANK}/account-access-consents/1")));
        assert!(!verdict(&format!("{BANK}/accounts/1"), &format!("{BANK}/accounts/2")));
        assert!(!verdict(&format!("{BANK}/accounts/1/balances"), &format!("{BANK}/accounts/1/transactions")));
    }
}
