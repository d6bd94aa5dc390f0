//! What is expected of a step in this run, and what is kept of what came of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Run, RunError};
use crate::{
    expectation::{Happened, at},
    language::{Expect, Step},
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

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}
