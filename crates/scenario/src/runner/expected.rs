//! What is expected of a step in this run, and what is kept of what came of it.

use std::collections::BTreeMap;

use serde_json::Value;
use simulation::Exchange;

use super::{Run, RunError};
use crate::{
    expectation::{Happened, at},
    language::{Expect, Step},
    result::Spoke,
};

impl Run<'_> {
    /// What is expected of a step now: in a lesson, a refusal by a rule that is off is expected no more.
    pub(super) fn expected(&self, step: &Step) -> Expect {
        let Some(common) = step.common() else { return Expect::default() };
        let usual = common.expect.cloned().unwrap_or_default();
        if !self.lesson {
            return usual;
        }
        if let Some(in_lesson) = common.in_lesson {
            return in_lesson.clone();
        }
        let off = self.scenario.lesson.iter().flat_map(|lesson| &lesson.off);
        let silent = usual.rule.as_ref().is_some_and(|rule| off.into_iter().any(|off| off == rule));
        if silent { Expect::default() } else { usual }
    }

    /// Whether somebody refused the step: by an answer, by a rule, by an alert of TLS, or at least by giving no answer. A
    /// reason that the file tells speaks for itself.
    pub(super) fn somebody_refused(
        expect: &Expect,
        happened: &Happened,
        spoke: &[Spoke],
        exchanges: &[Exchange],
    ) -> bool {
        let lost = |exchange: &Exchange| exchange.status.is_none() && exchange.error.is_some();
        heard(happened) || !expect.says.is_empty() || !spoke.is_empty() || exchanges.iter().any(lost)
    }

    /// Without a bank's journal a rule that is expected of it is taken for one that spoke where the bank refused, and for
    /// nothing else: what is wrong then.
    pub(super) fn not_heard(unheard: &str, happened: &Happened) -> Option<String> {
        let why = happened.refused.as_ref().filter(|_| !unheard.is_empty() && !heard(happened))?;
        Some(format!("expected a refusal by the bank, an error or an alert of TLS, found: {why}"))
    }

    /// Without a bank's journal nobody can tell which of its rules spoke: then a refusal is expected, and this says so.
    pub(super) fn unheard(&self, expect: &mut Expect) -> String {
        let others = ["tpp.", "directory."];
        match &expect.rule {
            Some(rule) if self.runner.banks().next().is_none() && !others.iter().any(|own| rule.starts_with(own)) => {
                let said = format!(" (no bank's journal is read, so that nobody knows whether {rule} spoke)");
                expect.refused = true;
                expect.rule = None;
                said
            }
            _ => String::new(),
        }
    }

    /// Keeps what the step says of what happened; the problem, when something is not there.
    pub(super) fn keep(&mut self, step: &Step, happened: &Happened) -> Option<String> {
        let keep = step.common()?.keep;
        for (name, source) in keep {
            let found = match source.split_once(' ') {
                Some(("header", header)) => happened.headers.get(&header.trim().to_lowercase()).cloned(),
                Some(("claim", pointer)) => happened.claims.as_ref().and_then(|claims| text_at(claims, pointer.trim())),
                _ => happened.body.as_ref().and_then(|body| text_at(body, source)),
            };
            match found {
                Some(value) => self.variables.keep(name, value),
                None => {
                    let found = match source.split_once(' ') {
                        Some(("header", _)) => "no such header".to_owned(),
                        Some(("claim", pointer)) => {
                            at(happened.claims.as_ref().unwrap_or(&Value::Null), pointer.trim())
                        }
                        _ => at(happened.body.as_ref().unwrap_or(&Value::Null), source),
                    };
                    return Some(format!("expected something to keep as {name} at {source}, found {found}"));
                }
            }
        }
        None
    }

    /// The expectation with its variables filled in.
    pub(super) fn filled(&self, mut expect: Expect) -> Result<Expect, RunError> {
        let fill = |text: &String| self.variables.fill(text).map_err(RunError::Variable);
        let elements = expect.some.values_mut().flatten().flat_map(BTreeMap::values_mut);
        let values = expect.equal.values_mut().chain(expect.differs.values_mut()).chain(expect.claims.values_mut());
        for value in values.chain(elements) {
            *value = self.variables.fill_json(value).map_err(RunError::Variable)?;
        }
        for text in expect.contains.values_mut().chain(expect.headers.values_mut()).chain(&mut expect.shows) {
            *text = fill(text)?;
        }
        Ok(expect)
    }
}

/// Whether there is an answer that refuses.
fn heard(happened: &Happened) -> bool {
    let alert = |why: &String| why.contains("refused with the alert");
    happened.status.is_some_and(|status| status >= 400)
        || happened.error.is_some()
        || happened.refused.as_ref().is_some_and(alert)
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(why: &str, status: Option<u16>) -> Happened {
        Happened { refused: Some(why.to_owned()), status, ..Happened::default() }
    }

    #[test]
    fn a_bank_that_is_not_there_refuses_nothing() {
        let unheard = "(no bank's journal is read)";
        let alert = "TLS with localhost:1: the other end refused with the alert CertificateRequired";
        let denied = Happened { error: Some("access_denied".to_owned()), ..refused("the bank answered", None) };
        for (happened, heard) in [
            (refused("the bank answered 400", Some(400)), true),
            (refused(alert, None), true),
            (denied, true),
            (refused("localhost:1 refuses the connection: nobody listens there", None), false),
            (refused("no complete answer within 30 s", None), false),
            (refused("the answer is not as expected", Some(200)), false),
        ] {
            assert_eq!(Run::not_heard(unheard, &happened).is_none(), heard, "{happened:?}");
            assert_eq!(Run::not_heard("", &happened), None, "where the bank's journal is read its rule is looked for");
        }
    }

    #[test]
    fn somebody_refuses_by_an_answer_a_rule_or_silence() {
        let exchange = |error: Option<&str>| -> Exchange {
            serde_json::from_value(json!({
                "at": "2026-11-23T12:00:00Z", "party": "tpp", "side": "client", "peer": "bank", "method": "POST",
                "url": "/token", "status": error.is_none().then_some(200), "error": error, "duration-us": 1, "trace-id": "a"
            }))
            .unwrap()
        };
        let any = Expect { refused: true, ..Expect::default() };
        let says = Expect { says: vec!["no token".to_owned()], ..Expect::default() };
        let nothing = refused("there is no token", None);
        let by = |expect: &Expect, happened: &Happened, exchanges: &[Exchange]| {
            Run::somebody_refused(expect, happened, &[], exchanges)
        };
        assert!(!by(&any, &nothing, &[exchange(None)]));
        assert!(by(&any, &nothing, &[exchange(Some("the connection was closed"))]));
        assert!(by(&says, &nothing, &[]));
        assert!(by(&any, &refused("the bank answered 400", Some(400)), &[]));
    }
}
