//! What the rules found, in a form that can be kept and sent.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a rule wanted to see and what it saw instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What would have satisfied the rule.
    pub expected: String,
    /// What was there. Never a secret: callers put descriptions, identifiers or claims here, not keys, codes or tokens.
    pub found: String,
}

impl Evidence {
    /// Evidence from anything that can be written down.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into() }
    }

    /// Evidence that something is missing.
    pub fn missing(expected: impl Into<String>) -> Self {
        Self::new(expected, "nothing")
    }
}

/// The verdict over one request, for the journal, reports and the inspector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// Identifiers of the rules that were applied and satisfied, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Cow<'static, str>>,
    /// Identifiers of the rules that were switched off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Cow<'static, str>>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No rule objected.
    Accepted,
    /// One rule objected.
    Refused(RefusedBy),
}

/// The rule that refused, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedBy {
    /// Identifier of the rule.
    pub rule: String,
    /// What the rule demands.
    pub reason: String,
    /// The clause of the specification.
    pub clause: String,
    /// What would have satisfied the rule.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl Verdict {
    /// The rule that refused, if one did.
    #[must_use]
    pub fn refused_by(&self) -> Option<&RefusedBy> {
        match &self.outcome {
            Outcome::Accepted => None,
            Outcome::Refused(by) => Some(by),
        }
    }
}
