//! Checks in a table, judged in order.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt::{self, Display},
    sync::Arc,
};

use arc_swap::ArcSwap;

use crate::{Evidence, Outcome, RefusedBy, Rule, Verdict};

/// One row of an endpoint's table: the rule, the error that its refusal puts on the wire, and the test itself.
pub struct Check<F: ?Sized, E> {
    /// The rule that speaks when the test fails.
    pub rule: &'static Rule,
    /// The wire error that the specification wants for a refusal by this rule.
    pub error: E,
    /// Looks at the facts; says what was expected and found when they do not satisfy the rule.
    pub test: fn(&F) -> Result<(), Evidence>,
}

/// Rules that a lesson switched off: none, unless the party was started in lesson mode. Clones share the list, so that it
/// can be changed while requests are judged; a table is judged by the list as it was when its first rule was looked at.
#[derive(Debug, Clone, Default)]
pub struct SwitchedOff(Arc<ArcSwap<BTreeSet<String>>>);

impl SwitchedOff {
    /// Switches off the rules with these identifiers.
    pub fn new(ids: impl IntoIterator<Item = String>) -> Self {
        let list = Self::default();
        list.set(ids);
        list
    }

    /// Switches off the rules with these identifiers, and every other one on.
    pub fn set(&self, ids: impl IntoIterator<Item = String>) {
        self.0.store(Arc::new(ids.into_iter().collect()));
    }

    /// Identifiers of the rules that are off, in alphabetical order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.0.load().iter().cloned().collect()
    }

    /// Whether this rule is not to be applied.
    #[must_use]
    pub fn contains(&self, rule: &Rule) -> bool {
        self.0.load().contains(rule.id)
    }
}

/// The rules that a request passed, in order, and those that were switched off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Applied and satisfied.
    pub rules: Vec<&'static Rule>,
    /// Not applied: switched off by a lesson.
    pub skipped: Vec<&'static Rule>,
}

impl Passed {
    /// Adds what another table of the same request found.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.skipped.extend(other.skipped);
    }

    /// Adds a rule that is satisfied and is applied outside a table, or was switched off.
    pub fn add(&mut self, rule: &'static Rule, switched_off: &SwitchedOff) {
        let list = if switched_off.contains(rule) { &mut self.skipped } else { &mut self.rules };
        list.push(rule);
    }

    /// The verdict of a request that every table let through.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict { outcome: Outcome::Accepted, passed: ids(&self.rules), skipped: ids(&self.skipped) }
    }
}

/// A refused request: the rule that spoke, its evidence, and the error for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<E> {
    /// The rule that spoke.
    pub rule: &'static Rule,
    /// What it expected and what it found. For the journal and the logs, never for the wire.
    pub evidence: Evidence,
    /// The error for the wire.
    pub error: E,
    /// What had passed before.
    pub passed: Passed,
}

impl<E> Refusal<E> {
    /// A refusal outside a table, for rules whose test needs more than facts (a store, a peer).
    pub fn new(rule: &'static Rule, error: E, evidence: Evidence) -> Self {
        Self { rule, evidence, error, passed: Passed::default() }
    }

    /// Changes the wire error and keeps the verdict.
    pub fn map_error<T>(self, f: impl FnOnce(E) -> T) -> Refusal<T> {
        Refusal { rule: self.rule, evidence: self.evidence, error: f(self.error), passed: self.passed }
    }

    /// Puts what an earlier table had let through before this one.
    #[must_use]
    pub fn after(mut self, mut earlier: Passed) -> Self {
        earlier.extend(std::mem::take(&mut self.passed));
        self.passed = earlier;
        self
    }

    /// The verdict for the journal.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict {
            outcome: Outcome::Refused(RefusedBy {
                rule: self.rule.id.to_owned(),
                reason: self.rule.reason.to_owned(),
                clause: self.rule.clause.to_owned(),
                expected: self.evidence.expected.clone(),
                found: self.evidence.found.clone(),
            }),
            passed: ids(&self.passed.rules),
            skipped: ids(&self.passed.skipped),
        }
    }
}

/// The result of a test: what was expected and found, unless the condition holds. Evidence is written only then: texts that
/// are put together come as `format_args!` or [`joined`], so that a satisfied rule costs nothing.
///
/// # Errors
/// The condition does not hold.
pub fn holds(condition: bool, expected: impl Display, found: impl Display) -> Result<(), Evidence> {
    if condition { Ok(()) } else { Err(Evidence::new(expected.to_string(), found.to_string())) }
}

/// Texts for evidence, put together when they are written.
pub fn joined<'a, T: Display>(texts: &'a [T], separator: &'a str) -> Joined<'a, T> {
    Joined { texts, separator }
}

/// What [`joined`] gives.
#[derive(Debug, Clone, Copy)]
pub struct Joined<'a, T> {
    texts: &'a [T],
    separator: &'a str,
}

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, text) in self.texts.iter().enumerate() {
            if index > 0 {
                f.write_str(self.separator)?;
            }
            write!(f, "{text}")?;
        }
        Ok(())
    }
}

/// Applies the table in order and stops at the first rule that is not satisfied.
///
/// # Errors
/// The refusal of the first rule whose test failed and that is not switched off.
pub fn judge<F: ?Sized, E: Clone>(
    facts: &F,
    checks: &[Check<F, E>],
    switched_off: &SwitchedOff,
) -> Result<Passed, Refusal<E>> {
    let mut passed = Passed::default();
    let off = switched_off.0.load();
    for check in checks {
        if off.contains(check.rule.id) {
            passed.skipped.push(check.rule);
            continue;
        }
        match (check.test)(facts) {
            Ok(()) => passed.rules.push(check.rule),
            Err(evidence) => {
                return Err(Refusal { rule: check.rule, evidence, error: check.error.clone(), passed });
            }
        }
    }
    Ok(passed)
}

fn ids(rules: &[&'static Rule]) -> Vec<Cow<'static, str>> {
    rules.iter().map(|rule| Cow::Borrowed(rule.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::catalogue! {
        /// Rules of these tests.
        RULES;
        POSITIVE { id: "test.positive", reason: "The number is positive.", clause: "Arithmetic, 1" }
        EVEN { id: "test.even", reason: "The number is even.", clause: "Arithmetic, 2" }
    }

    const CHECKS: &[Check<i32, &str>] = &[
        Check { rule: &POSITIVE, error: "not positive", test: |n| check(*n > 0, "more than 0", *n) },
        Check { rule: &EVEN, error: "odd", test: |n| check(n % 2 == 0, "an even number", *n) },
    ];

    fn check(holds: bool, expected: &str, found: i32) -> Result<(), Evidence> {
        if holds { Ok(()) } else { Err(Evidence::new(expected, found.to_string())) }
    }

    #[test]
    fn the_first_rule_that_fails_speaks() {
        let refusal = judge(&-3, CHECKS, &SwitchedOff::default()).unwrap_err();
        assert_eq!((refusal.rule, refusal.error), (&POSITIVE, "not positive"));
        assert_eq!(refusal.evidence, Evidence::new("more than 0", "-3"));
        let refusal = judge(&3, CHECKS, &SwitchedOff::default()).unwrap_err();
        assert_eq!(refusal.verdict().passed, ["test.positive"]);
        assert_eq!(RULES.len(), 2);
    }

    #[test]
    fn evidence_is_written_only_when_it_is_needed() {
        struct Never;
        impl Display for Never {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("nobody reads this")
            }
        }
        assert_eq!(holds(true, Never, Never), Ok(()));
        let refused = holds(false, joined(&["a", "b", "c"], " or "), joined::<i32>(&[], ", "));
        assert_eq!(refused, Err(Evidence::new("a or b or c", "")));
    }

    #[test]
    fn a_rule_that_is_switched_off_lets_everything_through_and_is_named() {
        let off = SwitchedOff::new(["test.even".to_owned()]);
        let passed = judge(&3, CHECKS, &off).unwrap();
        assert_eq!(passed.verdict().skipped, ["test.even"]);
        assert_eq!(judge(&-3, CHECKS, &off).unwrap_err().rule, &POSITIVE);
    }

    #[test]
    fn whoever_holds_a_clone_sees_the_switch() {
        let held = SwitchedOff::default();
        let switch = held.clone();
        assert!(judge(&3, CHECKS, &held).is_err());
        switch.set(["test.even".to_owned()]);
        assert!(judge(&3, CHECKS, &held).is_ok() && held.contains(&EVEN));
        assert_eq!(held.ids(), ["test.even"]);
        switch.set([]);
        assert_eq!(judge(&3, CHECKS, &held).unwrap_err().rule, &EVEN);
    }
}
