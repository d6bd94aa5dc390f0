//! `expect`: what must come of a step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What must come of a step. With an error, a rule, or a status of 400 or more, the step must be refused.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// HTTP status.
    pub status: Option<u16>,
    /// OAuth error code, or error code of the Read/Write API.
    pub error: Option<String>,
    /// Identifier of the rule that must speak, at whichever party.
    pub rule: Option<String>,
    /// True when the step must be refused, whichever way.
    pub refused: bool,
    /// Texts that the reason of the refusal must contain: for what is refused before there is an answer, as by TLS.
    pub says: Vec<String>,
    /// Values in the JSON answer, by JSON pointer.
    pub equal: BTreeMap<String, Value>,
    /// Values that the JSON answer must have otherwise, by JSON pointer: something is there, and it is not this.
    pub differs: BTreeMap<String, Value>,
    /// Elements that lists in the JSON answer must have, wherever in the list, by JSON pointer: of each, its values by
    /// JSON pointer into the element.
    pub some: BTreeMap<String, Vec<BTreeMap<String, Value>>>,
    /// Texts that are part of values in the JSON answer, by JSON pointer.
    pub contains: BTreeMap<String, String>,
    /// JSON pointers that must lead somewhere.
    pub present: Vec<String>,
    /// JSON pointers that must lead nowhere.
    pub absent: Vec<String>,
    /// Lists in the JSON answer that must have so many elements or more, by JSON pointer.
    pub at_least: BTreeMap<String, usize>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// Headers that the answer must have, whatever their values.
    pub header_present: Vec<String>,
    /// Claims of the JWT that the step is about (the id_token; the software statement of a registration), by JSON pointer.
    pub claims: BTreeMap<String, Value>,
    /// Texts that the last page must show to the customer, or that an answer that is not JSON must contain.
    pub shows: Vec<String>,
}

impl Expect {
    /// Whether the step must be refused.
    #[must_use]
    pub fn refusal(&self) -> bool {
        self.refused
            || !self.says.is_empty()
            || self.error.is_some()
            || self.rule.is_some()
            || self.status.is_some_and(|status| status >= 400)
    }
}
