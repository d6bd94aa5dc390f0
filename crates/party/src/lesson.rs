//! Lesson mode: rules that can be switched off while the party runs, to show the attack that each of them stops.
//!
//! A party that was not started for it refuses every switch. One that was says so: in the log at the start and at each
//! switch, and on its pages.

use std::sync::Arc;

use rules::{Rule, SwitchedOff};
use serde::{Deserialize, Serialize};

/// Whether a party is there to be attacked, and which of its rules are off.
#[derive(Debug, Clone, Default)]
pub struct Lesson {
    /// Every rule that the party applies; none when it was not started in lesson mode.
    rules: Option<Arc<[&'static Rule]>>,
    switched_off: SwitchedOff,
}

/// `GET /lesson`, and the answer to every change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LessonState {
    /// Whether the party was started in lesson mode.
    pub lesson: bool,
    /// Identifiers of the rules that are off.
    pub off: Vec<String>,
}

/// `POST /lesson`: the rules that are off from now on; all others are on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SwitchOff {
    /// Identifiers.
    pub off: Vec<String>,
}

/// Rules stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LessonError {
    /// The party is no place for attacks.
    #[error("this party was not started in lesson mode; start it with --lesson")]
    NotALesson,
    /// There is no such rule.
    #[error("this party has no rule {id}; the nearest is {nearest}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// The rule whose identifier is most alike.
        nearest: String,
    },
}

impl Lesson {
    /// Lesson mode with every rule of this catalogue still on, or, when it is not wanted, no lesson.
    #[must_use]
    pub fn new(wanted: bool, catalogue: Vec<&'static Rule>) -> Self {
        if wanted {
            tracing::warn!("LESSON MODE: the control port can switch off security rules; attacks may succeed here");
        }
        Self { rules: wanted.then(|| catalogue.into()), switched_off: SwitchedOff::default() }
    }

    /// Whether the party was started in lesson mode.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.rules.is_some()
    }

    /// The list that the party's rules are judged by.
    #[must_use]
    pub fn switched_off(&self) -> SwitchedOff {
        self.switched_off.clone()
    }

    /// What is off now.
    #[must_use]
    pub fn state(&self) -> LessonState {
        LessonState { lesson: self.is_on(), off: self.switched_off.ids() }
    }

    /// Switches off these rules, and every other one on.
    ///
    /// # Errors
    /// The party was not started in lesson mode, or has no rule of such a name; nothing is changed then.
    pub fn switch_off(&self, ids: Vec<String>) -> Result<LessonState, LessonError> {
        let rules = self.rules.as_deref().ok_or(LessonError::NotALesson)?;
        if let Some(id) = ids.iter().find(|id| rules.iter().all(|rule| rule.id != **id)) {
            return Err(LessonError::Unknown {
                id: id.clone(),
                nearest: nearest(id, rules.iter().map(|rule| rule.id)),
            });
        }
        self.switched_off.set(ids);
        let state = self.state();
        tracing::warn!(off = state.off.join(", "), "LESSON MODE: rules were switched");
        Ok(state)
    }

    /// Switches every rule on.
    pub fn reset(&self) -> LessonState {
        if !self.switched_off.ids().is_empty() {
            self.switched_off.set([]);
            tracing::warn!("LESSON MODE: every rule is on again");
        }
        self.state()
    }
}

/// The name that is most like this one; empty when there is none.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known.min_by_key(|one| strsim::damerau_levenshtein(one, name)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    rules::catalogue! {
        /// Rules of these tests.
        RULES;
        CODE { id: "demo.code-unused", reason: "A code is used once.", clause: "Demo, 1" }
        NONCE { id: "demo.nonce", reason: "There is a nonce.", clause: "Demo, 2" }
    }

    #[test]
    fn rules_can_be_switched_off_in_a_lesson_only() {
        let lesson = Lesson::default();
        assert_eq!(lesson.switch_off(vec![CODE.id.into()]), Err(LessonError::NotALesson));
        assert!(!Lesson::new(false, RULES.to_vec()).is_on());

        let lesson = Lesson::new(true, RULES.to_vec());
        let held = lesson.switched_off();
        assert_eq!(lesson.state(), LessonState { lesson: true, off: Vec::new() });
        lesson.switch_off(vec![CODE.id.into()]).unwrap();
        assert!(held.contains(&CODE) && !held.contains(&NONCE));
        lesson.switch_off(vec![NONCE.id.into()]).unwrap();
        assert!(!held.contains(&CODE) && held.contains(&NONCE));
        assert_eq!(lesson.reset().off, Vec::<String>::new());
        assert!(!held.contains(&NONCE));
    }

    #[test]
    fn a_misspelt_rule_is_told_the_nearest_and_changes_nothing() {
        let lesson = Lesson::new(true, RULES.to_vec());
        lesson.switch_off(vec![NONCE.id.into()]).unwrap();
        let error = lesson.switch_off(vec![NONCE.id.into(), "demo.code-used".into()]).unwrap_err();
        assert_eq!(error.to_string(), "this party has no rule demo.code-used; the nearest is demo.code-unused");
        assert_eq!(lesson.state().off, ["demo.nonce"]);
    }
}
