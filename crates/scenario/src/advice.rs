//! What a report says about a step that failed, beside what was not as expected: the answer that decided, and what to do.

use serde_json::Value;
use simulation::{Exchange, redact_body};

use crate::{expectation::Happened, language::Expect, result::Spoke};

/// Longest body that is shown.
const BODY: usize = 600;

/// The answer that decided, when it was an error: its status and body. `secrets` leaves tokens in it.
pub(crate) fn answer(happened: &Happened, secrets: bool) -> Option<String> {
    let status = happened.status.filter(|status| *status >= 400)?;
    let body = match (&happened.body, &happened.shown) {
        (Some(Value::Null) | None, None) => String::new(),
        (Some(Value::Null) | None, Some(text)) => format!(" {text}"),
        (Some(body), _) => {
            let mut body = body.clone();
            if !secrets {
                redact_body(&mut body);
            }
            format!(" {body}")
        }
    };
    let short: String = body.chars().take(BODY).collect();
    let more = if short.len() < body.len() { " ..." } else { "" };
    Some(format!("{status}{short}{more}"))
}

/// What whoever reads the report can do.
pub(crate) fn advice(expect: &Expect, happened: &Happened, spoke: &[Spoke], exchanges: &[&Exchange]) -> String {
    if let Some((party, fault)) = exchanges.iter().find_map(|one| Some((&one.party, one.fault.as_ref()?))) {
        return format!(
            "A fault that was asked for struck at {party}: {}. Take the step fault away, or expect what comes of it.",
            fault.what
        );
    }
    let wanted = expect.rule.as_deref().unwrap_or_default();
    match (expect.refusal(), &happened.refused, spoke.first()) {
        (true, None, _) if !wanted.is_empty() => format!(
            "What {wanted} should refuse went through: whoever has this rule does not apply it, or what the step does is \
             nothing wrong."
        ),
        (true, None, _) => {
            "What should be refused went through: whoever should refuse it does not look at it.".to_owned()
        }
        (true, Some(_), Some(spoke)) if !wanted.is_empty() && spoke.rule != wanted => format!(
            "Another rule spoke first: {} ({}). The step does something else wrong before {wanted} is looked at, or the \
             file should name {}.",
            spoke.rule, spoke.party, spoke.rule
        ),
        (false, Some(_), Some(spoke)) => refused(spoke),
        (false, Some(_), None) if happened.status.is_some_and(|status| status >= 500) => {
            "The party that answered failed; its log says why.".to_owned()
        }
        (false, Some(_), None) if happened.status.is_some() => {
            "No rule of ours spoke: whoever answered refused by itself. Its answer says why, or its log.".to_owned()
        }
        (_, Some(why), None) if happened.status.is_none() && happened.error.is_none() => undone(why).to_owned(),
        _ => "The answer is not what the file expects: one of the two is wrong.".to_owned(),
    }
}

/// What there is to do where no answer decided, by words of the reason.
const UNDONE: &[(&str, &str)] = &[
    (
        "in the journals",
        "The parties did something else than the file expects, or in another order: their journals (GET /journal) have it all.",
    ),
    (
        "knows no bank called",
        "The bank has to be enrolled at the Directory that the TPP uses; `bank` names it as the Directory does, or by its discovery URL.",
    ),
    (
        "nobody listens there",
        "Nobody answers at that address: the party has to run, and to listen where its name and its links say.",
    ),
    ("no complete answer", "The party took too long, or waits for something itself: its log says what."),
    (
        "issuer",
        "Nobody that is trusted vouches for that server: --trust-anchor of the TPP or of ob-sandbox names its authorities.",
    ),
    (
        "authority",
        "Nobody that is trusted vouches for that server: --trust-anchor of the TPP or of ob-sandbox names its authorities.",
    ),
    ("no account on the page fits", "`accounts` has texts of the labels that the page offers, which are listed here."),
    (
        "has no button or link",
        "`press` has the labels of what the page offers, which are listed here, one after the other.",
    ),
    (
        "could not do what the step says",
        "The pages were other ones than the step expects: the exchanges above show which.",
    ),
    (
        "there are no tokens for the consent",
        "The consent has to be authorised (authorise) and its code redeemed (exchange-code) before, by the same TPP.",
    ),
    (
        "gave no refresh token",
        "The tokens of this consent cannot be renewed: exchange-code comes first, and the bank has to give a refresh token.",
    ),
    (
        "no code came back",
        "A code is redeemed once, and after authorise only: a step before has done so already, or the customer has not come back.",
    ),
    ("not registered at", "The step register comes first, at this bank and by this TPP."),
    ("onboard first", "The step onboard comes first, or the TPP's profile names keys of its own (identity)."),
    ("to replay yet", "What is replayed has to be sent by an earlier step."),
];

/// What there is to do about a step that nobody answered.
fn undone(why: &str) -> &'static str {
    let words = UNDONE.iter().find(|(reason, _)| why.contains(reason));
    words.map_or(
        "The step could not be done, and no answer decided it: what it says above is all there is.",
        |(_, told)| told,
    )
}

/// A step that should succeed was refused by a rule.
fn refused(spoke: &Spoke) -> String {
    let Spoke { rule, party, clause, .. } = spoke;
    let meant = format!("If the refusal is what the file is about, say expect: {{ rule: {rule} }}.");
    if rule.starts_with("tpp.") {
        return format!(
            "The TPP stopped because of what the bank sent, which breaks {clause}. The bank has to send what is expected \
             here. {meant}"
        );
    }
    format!("{party} refused what it was sent. The request has to have what is expected here. {meant}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spoke(rule: &str, party: &str) -> Spoke {
        let text = |text: &str| text.to_owned();
        Spoke {
            party: text(party),
            request: String::new(),
            rule: text(rule),
            reason: text("It is so."),
            clause: text("RFC 1"),
            expected: text("a"),
            found: text("b"),
        }
    }

    fn refused(status: Option<u16>) -> Happened {
        Happened { refused: Some("no".to_owned()), status, ..Happened::default() }
    }

    fn because(why: &str) -> Happened {
        Happened { refused: Some(why.to_owned()), undone: true, ..Happened::default() }
    }

    fn expect(json: Value) -> Expect {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn it_says_whose_turn_it_is() {
        for (wanted, happened, spoke, told) in [
            (json!({}), refused(None), vec![spoke("tpp.id-token.nonce", "tpp")], "The bank has to send"),
            (json!({}), refused(Some(400)), vec![spoke("fapi.token.scope", "bank")], "bank refused what it was sent"),
            (json!({}), refused(Some(503)), vec![], "its log says why"),
            (json!({}), refused(Some(400)), vec![], "refused by itself"),
            (json!({}), refused(None), vec![], "could not be done"),
            (json!({"refused": true}), refused(None), vec![], "could not be done"),
            (json!({}), because("there are no tokens for the consent a"), vec![], "exchange-code"),
            (json!({}), because("localhost:1 refuses the connection: nobody listens there"), vec![], "has to run"),
            (
                json!({}),
                because("expected in the journals, in this order: a; it is not there"),
                vec![],
                "in another order",
            ),
            (json!({"rule": "a.b"}), Happened::default(), vec![], "What a.b should refuse went through"),
            (json!({"rule": "a.b"}), refused(None), vec![spoke("a.c", "bank")], "Another rule spoke first: a.c (bank)"),
            (json!({"refused": true}), Happened::default(), vec![], "does not look at it"),
            (json!({"status": 200}), Happened::default(), vec![], "one of the two is wrong"),
        ] {
            let said = advice(&expect(wanted.clone()), &happened, &spoke, &[]);
            assert!(said.contains(told), "{wanted}: {said}");
        }
    }

    #[test]
    fn a_fault_that_was_asked_for_is_named() {
        let exchange: Exchange = serde_json::from_value(json!({
            "at": "2026-11-23T12:00:00Z", "party": "bank", "side": "server", "peer": "tpp", "method": "POST",
            "url": "/token", "status": 503, "duration-us": 1, "trace-id": "a",
            "fault": { "id": "fault-1", "when": "before", "what": "answers 503", "instead-of": null }
        }))
        .unwrap();
        let said = advice(&Expect::default(), &refused(Some(503)), &[], &[&exchange]);
        assert!(said.contains("struck at bank: answers 503"), "{said}");
    }

    #[test]
    fn an_error_is_shown_with_its_body() {
        let body = Some(json!({"error": "invalid_scope"}));
        assert_eq!(
            answer(&Happened { body: body.clone(), ..refused(Some(400)) }, false).unwrap(),
            r#"400 {"error":"invalid_scope"}"#
        );
        assert_eq!(answer(&refused(Some(503)), false).unwrap(), "503");
        assert_eq!(answer(&Happened { body, status: Some(200), ..Happened::default() }, false), None);
        let token = Some(json!({"error": "x", "access_token": "a-secret"}));
        let refused = Happened { body: token, ..refused(Some(400)) };
        assert!(!answer(&refused, false).unwrap().contains("a-secret"));
        assert!(answer(&refused, true).unwrap().contains("a-secret"));
    }
}
