//! Lesson mode: rules that can be switched off while the party runs, to show the attack that each of them stops.
//!
//! A party that was not started for it refuses every switch. One that was says so: in the log at the start and at each
//! switch, and on its pages.

use std::{collections::BTreeMap, sync::Arc};

use fapi::{Deviation, Deviations};
use rules::{Rule, SwitchedOff};
use serde::{Deserialize, Serialize};

/// Whether a party is there to be attacked, and which of its rules are off.
#[derive(Debug, Clone, Default)]
pub struct Lesson {
    /// Every rule that the party applies; none when it was not started in lesson mode.
    rules: Option<Arc<[&'static Rule]>>,
    switched_off: SwitchedOff,
    deviations: Deviations,
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

/// `GET /misbehave`, and the answer to every change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Misbehaviour {
    /// Whether the party was started in lesson mode.
    pub lesson: bool,
    /// What it does wrong now.
    pub deviations: Vec<Deviation>,
    /// What it can do wrong, each with what that is.
    pub known: BTreeMap<&'static str, &'static str>,
}

/// `POST /misbehave`: what the party does wrong from now on; everything else it does right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Misbehave {
    /// Names.
    pub deviations: Vec<String>,
}

/// Everything stays as it is.
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
    /// There is no such deviation.
    #[error("there is no deviation {name}; the nearest is {nearest}")]
    UnknownDeviation {
        /// What was asked for.
        name: String,
        /// The one whose name is most alike.
        nearest: String,
    },
}

/// Names of everything that a bank can do wrong on purpose.
#[must_use]
pub fn deviations() -> Vec<&'static str> {
    Deviation::ALL.iter().map(|deviation| deviation.as_str()).collect()
}

impl Lesson {
    /// Lesson mode with every rule of this catalogue still on, or, when it is not wanted, no lesson.
    #[must_use]
    pub fn new(wanted: bool, catalogue: Vec<&'static Rule>) -> Self {
        if wanted {
            tracing::warn!("LESSON MODE: the control port can switch off security rules; attacks may succeed here");
        }
        Self { rules: wanted.then(|| catalogue.into()), ..Self::default() }
    }

    /// The same lesson at a party that can also misbehave.
    #[must_use]
    pub fn with_deviations(self, deviations: Deviations) -> Self {
        Self { deviations, ..self }
    }

    /// Where the party misbehaves.
    #[must_use]
    pub fn deviations(&self) -> Deviations {
        self.deviations.clone()
    }

    /// What the party does wrong, and what it could do wrong.
    #[must_use]
    pub fn misbehaviour(&self) -> Misbehaviour {
        let known = Deviation::ALL.iter().map(|one| (one.as_str(), one.what())).collect();
        Misbehaviour { lesson: self.is_on(), deviations: self.deviations.list(), known }
    }

    /// Does these things wrong, and every other one right.
    ///
    /// # Errors
    /// The party was not started in lesson mode, or there is no deviation of such a name; nothing is changed then.
    pub fn misbehave(&self, names: &[String]) -> Result<Misbehaviour, LessonError> {
        if !self.is_on() || !self.deviations.is_armed() {
            return Err(LessonError::NotALesson);
        }
        let find = |name: &String| {
            Deviation::ALL.iter().copied().find(|one| one.as_str() == *name).ok_or_else(|| {
                let nearest = nearest(name, Deviation::ALL.iter().map(|one| one.as_str()));
                LessonError::UnknownDeviation { name: name.clone(), nearest }
            })
        };
        let wanted = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        self.deviations.set(wanted);
        let now = self.misbehaviour();
        let names: Vec<&str> = now.deviations.iter().map(|deviation| deviation.as_str()).collect();
        tracing::warn!(deviations = names.join(", "), "LESSON MODE: the party misbehaves");
        Ok(now)
    }

    /// Does everything right.
    pub fn behave(&self) -> Misbehaviour {
        if !self.deviations.list().is_empty() {
            self.deviations.set([]);
            tracing::warn!("LESSON MODE: the party behaves again");
        }
        self.misbehaviour()
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
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
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
