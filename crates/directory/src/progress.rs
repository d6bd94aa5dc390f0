//! The rules that a request has passed so far, on its way through the Directory's tables.

use std::fmt::Display;

use fapi::{Accepted, Failure};
use rules::{Check, Evidence, Passed, Refusal, Rule, SwitchedOff, holds, judge};
use store::Change;
use transport::Response;

use crate::{
    Context,
    api::UNCHANGED,
    refusal::{DirectoryError, Wire},
};

/// Collects what passed, so that a later refusal and the final answer can tell it.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    off: &'a SwitchedOff,
    passed: Passed,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { off: &context.engine.profile().switched_off, passed: Passed::default() }
    }

    /// A step whose refusal is of this request.
    ///
    /// # Errors
    /// The step's own, with what had passed before.
    pub(crate) fn step<T>(&mut self, step: Result<T, DirectoryError>) -> Result<T, DirectoryError> {
        step.map_err(|error| error.after(std::mem::take(&mut self.passed)))
    }

    /// What the engine let through.
    ///
    /// # Errors
    /// The engine's refusal, with what had passed before.
    pub(crate) fn accepted<T>(&mut self, step: Result<Accepted<T>, Failure>) -> Result<T, DirectoryError> {
        let Accepted { value, passed } = self.step(step.map_err(DirectoryError::Access))?;
        self.passed.extend(passed);
        Ok(value)
    }

    /// A table.
    ///
    /// # Errors
    /// The refusal of the first rule that is not satisfied.
    pub(crate) fn judge<F: ?Sized>(&mut self, facts: &F, checks: &[Check<F, Wire>]) -> Result<(), DirectoryError> {
        let judged = judge(facts, checks, self.off).map_err(DirectoryError::from_table);
        let passed = self.step(judged)?;
        self.passed.extend(passed);
        Ok(())
    }

    /// A rule by itself, unless a lesson switched it off.
    ///
    /// # Errors
    /// Its refusal, when the condition does not hold.
    pub(crate) fn demand(
        &mut self,
        condition: bool,
        rule: &'static Rule,
        wire: Wire,
        expected: impl Display,
        found: impl Display,
    ) -> Result<(), DirectoryError> {
        let judged = holds(condition || self.off.contains(rule), expected, found);
        self.applied(rule, judged.map_err(|evidence| DirectoryError::from_table(Refusal::new(rule, wire, evidence))))
    }

    /// A rule that was applied elsewhere, or found switched off there.
    ///
    /// # Errors
    /// Its refusal.
    pub(crate) fn applied(
        &mut self,
        rule: &'static Rule,
        judged: Result<(), DirectoryError>,
    ) -> Result<(), DirectoryError> {
        self.step(judged)?;
        self.passed.add(rule, self.off);
        Ok(())
    }

    /// What a rule demands and without which there is nothing to go on with: it is applied also when it is switched off.
    ///
    /// # Errors
    /// The rule's refusal, when it is not there.
    pub(crate) fn need<T>(
        &mut self,
        there: Option<T>,
        rule: &'static Rule,
        wire: Wire,
        expected: impl Display,
        found: impl Display,
    ) -> Result<T, DirectoryError> {
        self.read(there.ok_or(found), rule, wire, expected)
    }

    /// What is read from a request under a rule, also when that is switched off.
    ///
    /// # Errors
    /// The rule's refusal, when it cannot be read.
    pub(crate) fn read<T>(
        &mut self,
        read: Result<T, impl Display>,
        rule: &'static Rule,
        wire: Wire,
        expected: impl Display,
    ) -> Result<T, DirectoryError> {
        let value = self.step(read.map_err(|found| {
            let evidence = Evidence::new(expected.to_string(), found.to_string());
            DirectoryError::from_table(Refusal::new(rule, wire, evidence))
        }))?;
        self.passed.rules.push(rule);
        Ok(value)
    }

    /// Changes the store, all or nothing.
    ///
    /// # Errors
    /// Another request was faster, which is told as a conflict; or the store failed.
    pub(crate) async fn commit(&mut self, context: &Context, changes: Vec<Change>) -> Result<(), DirectoryError> {
        let committed = context.commit(changes).await;
        self.step(committed)?;
        self.passed.rules.push(&UNCHANGED);
        Ok(())
    }

    /// The answer with the verdict for the journal.
    pub(crate) fn answer(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self.passed.verdict());
        response
    }
}
