//! How each step is done.

use psu::{Intention, PsuError};
use serde::{Serialize, de::DeserializeOwned};
use time::Duration;
use tpp::steps::{
    self, Answered, AuthorisationResult, ExchangeCode, Failure, Link, Lodged, Onboard, Onboarded, Outcome, Refresh,
    Register, Registered, Returned, Tokens,
};
use url::Url;

use super::{Done, Run, RunError};
use crate::{
    ecosystem::ControlClient,
    expectation::Happened,
    language::{Authorise, Call, Decision, LodgeConsent, Step},
    result::Spoke,
};

impl Done {
    fn well(outcome: impl Into<String>) -> Self {
        Self { happened: Happened::default(), outcome: outcome.into(), spoke: Vec::new() }
    }

    fn failed(failure: Failure) -> Self {
        let spoke = failure.verdict.as_ref().and_then(|verdict| Spoke::of_verdict("tpp", String::new(), verdict));
        let happened =
            Happened { refused: Some(failure.what), status: failure.status, body: failure.body, ..Happened::default() };
        Self { happened, outcome: String::new(), spoke: spoke.into_iter().collect() }
    }

    /// Refused by an OAuth error that came through the browser.
    fn denied(what: String, error: &str) -> Self {
        let happened = Happened { refused: Some(what), error: Some(error.to_owned()), ..Happened::default() };
        Self { happened, outcome: String::new(), spoke: Vec::new() }
    }
}

impl Run<'_> {
    pub(super) async fn take(&mut self, step: &Step) -> Result<Done, RunError> {
        let bank = self.scenario.bank.clone();
        match step {
            Step::Onboard(_) => {
                self.tell("onboard", &Onboard {}, |onboarded: Onboarded| {
                    let again = if onboarded.again { " (an earlier onboarding was taken up)" } else { "" };
                    format!("organisation {}, software {}{again}", onboarded.organisation_id, onboarded.software_id)
                })
                .await
            }
            Step::Register(_) => {
                self.tell("register", &Register { bank }, |registered: Registered| {
                    let again = if registered.again { " (an earlier registration was taken up)" } else { "" };
                    format!("client {} at {}{again}", registered.client_id, registered.issuer)
                })
                .await
            }
            Step::LodgeConsent(step) => self.lodge_consent(step).await,
            Step::Authorise(step) => self.authorise(step).await,
            Step::ExchangeCode(_) => {
                let Some(state) = self.state.clone() else { return Ok(no("an authorisation", "authorise")) };
                self.tell("exchange-code", &ExchangeCode { state }, tokens).await
            }
            Step::Refresh(_) => {
                let Some(consent_id) = self.consent_id.clone() else { return Ok(no("a consent", "lodge-consent")) };
                self.tell("refresh", &Refresh { consent_id }, tokens).await
            }
            Step::Call(call) => self.call(call).await,
            Step::Advance(advance) => {
                let seconds = advance.total_seconds();
                for client in std::iter::once(&self.runner.tpp).chain(&self.runner.others) {
                    client.advance(seconds).await?;
                }
                let parties: Vec<&str> = self.runner.others.iter().map(ControlClient::party).collect();
                Ok(Done::well(format!("{advance} at tpp, {}", parties.join(", "))))
            }
        }
    }

    async fn tell<S: Serialize, T: DeserializeOwned>(
        &self,
        name: &str,
        step: &S,
        outcome: impl FnOnce(T) -> String,
    ) -> Result<Done, RunError> {
        Ok(match self.runner.tpp.step(name, step, &self.trace).await? {
            Outcome::Done(done) => Done::well(outcome(done)),
            Outcome::Failed(failure) => Done::failed(failure),
        })
    }

    async fn lodge_consent(&mut self, step: &LodgeConsent) -> Result<Done, RunError> {
        let now = self.runner.tpp.now().await?;
        let step = steps::LodgeConsent {
            bank: self.scenario.bank.clone(),
            version: self.scenario.version,
            permissions: step.permissions.clone(),
            expires_at: step.expires_in_days.map(|days| now + Duration::days(days)),
            transactions_from: step.transactions_from_days_ago.map(|days| now - Duration::days(days)),
            transactions_to: step.transactions_to_days_ago.map(|days| now - Duration::days(days)),
        };
        Ok(match self.runner.tpp.step::<_, Lodged>("lodge-consent", &step, &self.trace).await? {
            Outcome::Failed(failure) => Done::failed(failure),
            Outcome::Done(lodged) => {
                self.variables.keep("consent", lodged.consent_id.clone());
                self.consent_id = Some(lodged.consent_id.clone());
                Done::well(format!("consent {}, {}", lodged.consent_id, lodged.status))
            }
        })
    }

    async fn authorise(&mut self, step: &Authorise) -> Result<Done, RunError> {
        let Some(consent_id) = self.consent_id.clone() else { return Ok(no("a consent", "lodge-consent")) };
        let asked = steps::Authorise { bank: self.scenario.bank.clone(), consent_id };
        let link = match self.runner.tpp.step::<_, Link>("authorise", &asked, &self.trace).await? {
            Outcome::Failed(failure) => return Ok(Done::failed(failure)),
            Outcome::Done(link) => link,
        };
        self.state = Some(link.state.clone());
        let url = match Url::parse(&link.url) {
            Ok(url) => url,
            Err(error) => return Ok(Done::failed(Failure::new(format!("the TPP's link {}: {error}", link.url)))),
        };
        let intention = match step.psu {
            Decision::Approve => Intention::Approve { accounts: step.accounts.clone() },
            Decision::CancelAtLogin => Intention::CancelAtLogin,
            Decision::CancelAtAccounts => Intention::CancelAtAccounts,
        };
        let arrival = match self.psu.authorise(&url, &intention, &self.trace).await {
            Ok(arrival) => arrival,
            Err(error) => return Ok(lost(&error)),
        };
        if let Some(error) = &arrival.error_page {
            return Ok(Done::denied(format!("the bank showed the customer an error page: {error}"), error));
        }
        let asked = AuthorisationResult { state: link.state };
        let returned = match self.runner.tpp.step("authorisation-result", &asked, &self.trace).await? {
            Outcome::Failed(failure) => return Ok(Done::failed(failure)),
            Outcome::Done(returned) => returned,
        };
        Ok(match returned {
            Returned::Code { .. } => Done::well(format!("{} pages; a code came back", arrival.pages.len())),
            Returned::NotYet => {
                Done::failed(Failure::new(format!("the customer did not come back; the last page was {}", arrival.url)))
            }
            Returned::Error { error, description } => {
                let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
                Done::denied(format!("the bank answered {error}{description}"), &error)
            }
            Returned::Distrusted(failure) => Done::failed(failure),
        })
    }

    async fn call(&mut self, call: &Call) -> Result<Done, RunError> {
        let fill = |text: &str| self.variables.fill(text).map_err(RunError::Variable);
        let mut headers = std::collections::BTreeMap::new();
        for (name, value) in &call.headers {
            headers.insert(name.clone(), fill(value)?);
        }
        let step = steps::Call {
            bank: self.scenario.bank.clone(),
            version: call.version.unwrap_or(self.scenario.version),
            consent_id: self.consent_id.clone(),
            token: call.token,
            method: call.method.clone(),
            path: fill(&call.path)?,
            headers,
            body: call.body.clone(),
        };
        let answered = match self.runner.tpp.step::<_, Answered>("call", &step, &self.trace).await? {
            Outcome::Failed(failure) => return Ok(Done::failed(failure)),
            Outcome::Done(answered) => answered,
        };
        let refused = (answered.status >= 300).then(|| format!("the bank answered {}", answered.status));
        if refused.is_none() {
            for (name, pointer) in &call.keep {
                let found = answered.body.as_ref().and_then(|body| body.pointer(pointer));
                let Some(found) = found else {
                    return Ok(Done::failed(Failure::new(format!("there is nothing to keep as {name} at {pointer}"))));
                };
                let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                self.variables.keep(name, text);
            }
        }
        let outcome = summary(&answered);
        let happened = Happened {
            refused,
            status: Some(answered.status),
            error: None,
            body: answered.body,
            headers: answered.headers,
        };
        Ok(Done { happened, outcome, spoke: Vec::new() })
    }
}

fn tokens(tokens: Tokens) -> String {
    let scope = tokens.scope.unwrap_or_default();
    let lasts = tokens.expires_in.map(|seconds| format!(", lasts {seconds} s")).unwrap_or_default();
    let refreshable = if tokens.refreshable { ", with a refresh token" } else { "" };
    format!("an access token for {scope}{lasts}{refreshable}")
}

/// What an answer of the API holds, in a few words.
fn summary(answered: &Answered) -> String {
    let data = answered.body.as_ref().and_then(|body| body.get("Data")).and_then(serde_json::Value::as_object);
    let list =
        data.and_then(|data| data.iter().find_map(|(name, value)| value.as_array().map(|list| (name, list.len()))));
    match list {
        Some((name, count)) => format!("{}, {count} x {name}", answered.status),
        None => answered.status.to_string(),
    }
}

fn no(what: &str, step: &str) -> Done {
    Done::failed(Failure::new(format!(
        "there is no {what} yet; the step {step} comes first",
        what = what.trim_start_matches("a ")
    )))
}

fn lost(error: &PsuError) -> Done {
    Done::failed(Failure::new(format!("the customer could not go on: {error}")))
}
