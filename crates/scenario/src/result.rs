//! What came of a scenario.

use rules::{Outcome, Rule, Verdict};
use serde::Serialize;
use simulation::Exchange;

use crate::Scenario;

/// What came of a scenario.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScenarioResult {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// For attacks: what the attacker would gain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gains: Option<String>,
    /// Whether its rules were off: then the attack must succeed.
    pub lesson: bool,
    /// In a lesson: the rules that were off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<SwitchedOff>,
    /// In a lesson: what was stolen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stolen: Option<String>,
    /// The journey's identifier in every party's journal.
    pub trace_id: String,
    /// Duration in microseconds.
    pub duration_us: u64,
    /// Its steps, as far as it came.
    pub steps: Vec<StepResult>,
    /// How many steps were left out because an earlier one failed.
    pub left_out: usize,
    /// The folder that its file is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Why it could not run to its end; that is not a failed expectation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why there is no answer, without what only programmers look up.
#[must_use]
pub fn no_answer(error: &str) -> String {
    if error.contains("close_notify") {
        return "the connection was closed before there was an answer".to_owned();
    }
    let words = error.split_once("https://docs.rs/").map_or(error, |(words, _)| words);
    words.trim_end_matches([' ', ':', '(']).to_owned()
}

impl ScenarioResult {
    /// Its name, and whether its rules were off.
    #[must_use]
    pub fn title(&self) -> String {
        if self.lesson { format!("{} (lesson)", self.name) } else { self.name.clone() }
    }

    /// What is left of a scenario that could not begin.
    #[must_use]
    pub fn of_none(scenario: &Scenario, lesson: bool, error: String) -> Self {
        Self {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            gains: scenario.gains.clone(),
            lesson,
            off: SwitchedOff::all(scenario, lesson, &[]),
            stolen: None,
            trace_id: String::new(),
            duration_us: 0,
            steps: Vec::new(),
            left_out: scenario.steps.len(),
            folder: None,
            error: Some(error),
        }
    }

    /// Whether every step was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.left_out == 0 && self.steps.iter().all(|step| step.problem.is_none())
    }
}

/// A rule that was off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SwitchedOff {
    /// Identifier of the rule.
    pub rule: String,
    /// What it demands; empty where that is not known.
    pub reason: String,
    /// Where the demand comes from; empty where that is not known.
    pub clause: String,
}

impl SwitchedOff {
    /// The rules of a scenario's lesson, with what is known of them.
    pub(crate) fn all(scenario: &Scenario, lesson: bool, known: &[&'static Rule]) -> Vec<Self> {
        let off = scenario.lesson.iter().filter(|_| lesson).flat_map(|lesson| &lesson.off);
        let named = |rule: &String| {
            let found = known.iter().find(|known| known.id == rule.as_str());
            let text = |of: fn(&Rule) -> &'static str| found.map(|rule| of(rule)).unwrap_or_default().to_owned();
            Self { rule: rule.clone(), reason: text(|rule| rule.reason), clause: text(|rule| rule.clause) }
        };
        off.map(named).collect()
    }
}

/// What came of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepResult {
    /// What the step was.
    pub title: String,
    /// Where it stands: file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What came of it, in a few words.
    pub outcome: String,
    /// Duration in microseconds.
    pub duration_us: u64,
    /// What was not as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it failed: the answer that decided, if that was an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When it failed: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The rules that refused something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spoke: Vec<Spoke>,
    /// The exchanges that TPPs and customers began.
    pub exchanges: Vec<Exchange>,
    /// The exchanges that the other parties had since the step began: what they answered, and what they asked each other.
    pub served: Vec<Exchange>,
    /// What the bank answered, or the page that the customer ended on: secrets removed, and its beginning if it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A curl command that repeats the step's request to the bank by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

/// A rule that refused something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spoke {
    /// The party whose rule it is.
    pub party: String,
    /// What was refused: method and path.
    pub request: String,
    /// Identifier of the rule.
    pub rule: String,
    /// What the rule demands.
    pub reason: String,
    /// Where the demand comes from.
    pub clause: String,
    /// What it expected.
    pub expected: String,
    /// What it found.
    pub found: String,
}

impl Spoke {
    /// The refusal of an exchange, when a rule refused it.
    pub(crate) fn of_exchange(exchange: &Exchange) -> Option<Self> {
        Self::of_verdict(&exchange.party, format!("{} {}", exchange.method, exchange.url), exchange.verdict.as_ref()?)
    }

    /// The refusal of a verdict.
    pub(crate) fn of_verdict(party: &str, request: String, verdict: &Verdict) -> Option<Self> {
        match &verdict.outcome {
            Outcome::Accepted => None,
            Outcome::Refused(refused) => Some(Self {
                party: party.to_owned(),
                request,
                rule: refused.rule.clone(),
                reason: refused.reason.clone(),
                clause: refused.clause.clone(),
                expected: refused.expected.clone(),
                found: refused.found.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_told_in_plain_words() {
        for (error, told) in [
            (
                "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/latest/rustls/x.html",
                "the connection was closed before there was an answer",
            ),
            ("something else: https://docs.rs/other", "something else"),
            ("no complete answer within 30 s", "no complete answer within 30 s"),
        ] {
            assert_eq!(no_answer(error), told);
        }
    }
}
