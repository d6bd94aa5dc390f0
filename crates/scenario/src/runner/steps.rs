//! Which step is done where.

use serde_json::{Value, json};
use tpp::steps::Failure;

use super::{Done, Run, RunError};
use crate::{expectation::Happened, language::Step, result::Spoke};

impl Done {
    pub(super) fn well(outcome: impl Into<String>) -> Self {
        Self { happened: Happened::default(), outcome: outcome.into(), spoke: Vec::new(), sent: None }
    }

    /// Well, with what the step answered.
    pub(super) fn with(outcome: impl Into<String>, answer: Value) -> Self {
        let mut done = Self::well(outcome);
        done.happened.body = Some(answer);
        done
    }

    pub(super) fn failed(party: &str, failure: Failure) -> Self {
        let spoke = failure.verdict.as_ref().and_then(|verdict| Spoke::of_verdict(party, String::new(), verdict));
        let happened = Happened {
            refused: Some(failure.what),
            status: failure.status,
            headers: *failure.headers,
            body: failure.body.map(|body| *body),
            ..Happened::default()
        };
        Self { happened, outcome: String::new(), spoke: spoke.into_iter().collect(), sent: failure.sent }
    }

    /// The step was not done, and nobody refused it.
    pub(super) fn impossible(why: impl Into<String>) -> Self {
        let mut done = Self::failed("", Failure::new(why));
        done.happened.undone = true;
        done
    }

    /// Refused by an OAuth error that came through the browser.
    pub(super) fn denied(what: String, error: &str) -> Self {
        let happened = Happened { refused: Some(what), error: Some(error.to_owned()), ..Happened::default() };
        Self { happened, outcome: String::new(), spoke: Vec::new(), sent: None }
    }
}

/// An earlier step is missing: the file is wrong.
pub(super) fn missing(what: &str, step: &str) -> RunError {
    RunError::Step(format!("there is no {what} yet; the step {step} comes first"))
}

impl Run<'_> {
    pub(super) async fn take(&mut self, step: &Step) -> Result<Done, RunError> {
        match step {
            Step::Onboard(_) => self.onboard(step).await,
            Step::Register(asked) => self.register(step, asked).await,
            Step::LodgeConsent(asked) => self.lodge_consent(step, asked).await,
            Step::Authorise(asked) => self.authorise(step, asked).await,
            Step::DeliverResponse(asked) => self.deliver(step, asked).await,
            Step::ExchangeCode(asked) => self.exchange_code(step, asked).await,
            Step::Refresh(asked) => self.refresh(step, asked).await,
            Step::ClientToken(asked) => self.client_token(step, asked).await,
            Step::Revoke(asked) => self.revoke(step, asked).await,
            Step::Call(asked) => self.call(step, asked).await,
            Step::Visit(asked) => self.visit(step, asked).await,
            Step::Advance(passing) => self.advance(*passing).await,
            Step::Fault(asked) => self.fault(asked).await,
            Step::Misbehave(asked) => self.misbehave(asked).await,
            Step::SetStatus(asked) => self.set_status(step, asked).await,
            Step::RevokeCertificate(asked) => self.set_revoked(step, asked, "revoke").await,
            Step::SetAccountStatus(asked) => self.set_account_status(asked, asked.status).await,
            Step::RejectPayment(asked) => self.reject_payment(asked).await,
            Step::SettlePayment(asked) => self.settle_payment(asked).await,
            Step::ExpectJournal(asked) => Ok(match self.read_journals(asked)? {
                Some(problem) => Done::impossible(problem),
                None => Done::well(format!("{} events, in this order", asked.order.len())),
            }),
            Step::Set(values) => {
                for (name, value) in values {
                    let value = self.variables.fill(value).map_err(RunError::Variable)?;
                    self.variables.keep(name, value);
                }
                Ok(Done::with("kept", json!(values)))
            }
            Step::Include(include) => Ok(Done::impossible(format!("{} was not read", include.file))),
        }
    }

    /// The step's bank.
    pub(super) fn bank(&self, step: &Step) -> Result<String, RunError> {
        self.fill(step.common().and_then(|common| common.bank).unwrap_or(&self.scenario.bank))
    }

    pub(super) fn fill(&self, text: &str) -> Result<String, RunError> {
        self.variables.fill(text).map_err(RunError::Variable)
    }

    /// The consent that a step names, or the TPP's last one.
    pub(super) fn consent(&mut self, step: &Step, named: Option<&String>) -> Result<Option<String>, RunError> {
        match named {
            Some(named) => self.fill(named).map(Some),
            None => Ok(self.state(step).consent_id.clone()),
        }
    }
}
