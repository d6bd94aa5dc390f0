//! Steps that a TPP takes alone: it is told through its control port.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tpp::{
    steps::{
        self, Answered, Body, ClientToken, Dress, ExchangeCode, Lodged, Onboard, Onboarded, Outcome, Refresh, Register,
        Registered, Revoke, Tokens, account_access,
    },
    tampering::Tamper,
};
use url::Url;

use super::{Done, Run, RunError, steps::missing};
use crate::{
    expectation::Happened,
    language::{
        Step,
        steps::{CallStep, ClientTokenStep, ExchangeCodeStep, LodgeConsentStep, RefreshStep, RegisterStep, RevokeStep},
    },
};

impl Run<'_> {
    /// Tells the TPP of a step; a failure is what came of the step.
    pub(super) async fn tell<S: Serialize, T: DeserializeOwned>(
        &self,
        step: &Step,
        name: &str,
        asked: &S,
    ) -> Result<Result<T, Box<Done>>, RunError> {
        let tpp = step.tpp();
        Ok(match self.runner.tpp(tpp)?.step(name, asked, &self.trace).await? {
            Outcome::Done(done) => Ok(done),
            Outcome::Failed(failure) => Err(Box::new(Done::failed(tpp, failure))),
        })
    }

    /// The tampering with its variables filled in.
    pub(super) fn tamper(&self, tamper: &Tamper) -> Result<Tamper, RunError> {
        if tamper.is_honest() {
            return Ok(Tamper::default());
        }
        let unfit = |error: serde_json::Error| RunError::Step(format!("the tampering cannot be told: {error}"));
        let json = serde_json::to_value(tamper).map_err(unfit)?;
        let filled = self.variables.fill_json(&json).map_err(RunError::Variable)?;
        serde_json::from_value(filled).map_err(unfit)
    }

    fn dress(&self, dress: Dress) -> Result<Dress, RunError> {
        let headers = dress.headers.iter().map(|(name, value)| Ok((name.clone(), self.fill(value)?)));
        Ok(Dress {
            headers: headers.collect::<Result<BTreeMap<_, _>, RunError>>()?,
            idempotency_key: dress.idempotency_key.map(|key| self.fill(&key)).transpose()?,
            sign: dress.sign,
        })
    }

    /// Whether the step needs tokens themselves.
    fn reveals(&self, step: &Step) -> bool {
        self.runner.options.show_secrets || step.common().is_some_and(|common| !common.keep.is_empty())
    }

    pub(super) async fn onboard(&mut self, step: &Step) -> Result<Done, RunError> {
        let onboarded: Onboarded = match self.tell(step, "onboard", &Onboard {}).await? {
            Ok(onboarded) => onboarded,
            Err(done) => return Ok(*done),
        };
        self.state(step).onboarded = Some(onboarded.clone());
        let again = if onboarded.again { " (an earlier onboarding was taken up)" } else { "" };
        let Onboarded { organisation_id, software_id, .. } = &onboarded;
        Ok(Done::with(format!("organisation {organisation_id}, software {software_id}{again}"), json!(onboarded)))
    }

    pub(super) async fn register(&mut self, step: &Step, asked: &RegisterStep) -> Result<Done, RunError> {
        let told = Register {
            bank: self.bank(step)?,
            client_id: asked.client_id.as_ref().map(|id| self.fill(id)).transpose()?,
            resource_base: asked.resource_base.clone(),
            anew: asked.anew,
            tamper: self.tamper(&asked.tamper)?,
        };
        let registered: Registered = match self.tell(step, "register", &told).await? {
            Ok(registered) => registered,
            Err(done) => return Ok(*done),
        };
        if let Ok(issuer) = Url::parse(&registered.issuer) {
            self.state(step).issuers.insert(told.bank, issuer);
        }
        let again = if registered.again { " (an earlier registration was taken up)" } else { "" };
        let outcome = format!("client {} at {}{again}", registered.client_id, registered.issuer);
        let mut done = Done::with(outcome, json!(registered));
        done.happened.claims = Some(registered.claims);
        Ok(done)
    }

    pub(super) async fn lodge_consent(&mut self, step: &Step, asked: &LodgeConsentStep) -> Result<Done, RunError> {
        let now = self.runner.tpp(step.tpp())?.now().await?;
        let body = asked.body.as_ref().map(|body| self.variables.fill_json(body)).transpose();
        let told = steps::LodgeConsent {
            bank: self.bank(step)?,
            version: asked.version.unwrap_or(self.scenario.version),
            kind: asked.kind.clone().unwrap_or_else(account_access),
            body: body.map_err(RunError::Variable)?,
            permissions: asked.permissions.clone(),
            expires_at: asked.expires_in_days.map(|days| after(now, days)).transpose()?,
            transactions_from: asked
                .transactions_from_days_ago
                .map(|days| after(now, days.saturating_neg()))
                .transpose()?,
            transactions_to: asked
                .transactions_to_days_ago
                .map(|days| after(now, days.saturating_neg()))
                .transpose()?,
            dress: self.dress(asked.dress())?,
            reveal: self.runner.options.show_secrets,
            tamper: self.tamper(&asked.tamper)?,
        };
        let lodged: Lodged = match self.tell(step, "lodge-consent", &told).await? {
            Ok(lodged) => lodged,
            Err(done) => return Ok(*done),
        };
        self.variables.keep("consent", lodged.consent_id.clone());
        self.state(step).consent_id = Some(lodged.consent_id.clone());
        let outcome = format!("consent {}, {}", lodged.consent_id, lodged.status);
        Ok(Done { outcome, ..answered(lodged.answered) })
    }

    pub(super) async fn exchange_code(&mut self, step: &Step, asked: &ExchangeCodeStep) -> Result<Done, RunError> {
        let Some(state) = self.state(step).state.clone() else {
            return Err(missing("authorisation", "authorise"));
        };
        let told = ExchangeCode { state, reveal: self.reveals(step), tamper: self.tamper(&asked.tamper)? };
        let answer = self.tell(step, "exchange-code", &told).await?;
        Ok(tokens(answer))
    }

    pub(super) async fn refresh(&mut self, step: &Step, asked: &RefreshStep) -> Result<Done, RunError> {
        let Some(consent_id) = self.consent(step, asked.consent.as_ref())? else {
            return Err(missing("consent", "lodge-consent"));
        };
        let (bank, reveal) = (Some(self.bank(step)?), self.reveals(step));
        let told = Refresh { bank, consent_id, reveal, tamper: self.tamper(&asked.tamper)? };
        let answer = self.tell(step, "refresh", &told).await?;
        Ok(tokens(answer))
    }

    pub(super) async fn client_token(&mut self, step: &Step, asked: &ClientTokenStep) -> Result<Done, RunError> {
        let told = ClientToken {
            bank: self.bank(step)?,
            api: asked.api,
            reveal: self.reveals(step),
            tamper: self.tamper(&asked.tamper)?,
        };
        let answer = self.tell(step, "client-token", &told).await?;
        Ok(tokens(answer))
    }

    pub(super) async fn revoke(&mut self, step: &Step, asked: &RevokeStep) -> Result<Done, RunError> {
        let Some(consent_id) = self.consent(step, asked.consent.as_ref())? else {
            return Err(missing("consent", "lodge-consent"));
        };
        let tamper = self.tamper(&asked.tamper)?;
        let told = Revoke { bank: self.bank(step)?, consent_id, token: asked.token, tamper };
        Ok(match self.tell::<_, ()>(step, "revoke", &told).await? {
            Ok(()) => Done::well("given back"),
            Err(done) => *done,
        })
    }

    pub(super) async fn call(&mut self, step: &Step, asked: &CallStep) -> Result<Done, RunError> {
        let told = steps::Call {
            bank: self.bank(step)?,
            version: asked.version.unwrap_or(self.scenario.version),
            api: asked.api,
            consent_id: self.consent(step, asked.consent.as_ref())?,
            token: asked.token,
            bearer: asked.bearer.as_ref().map(|bearer| self.fill(bearer)).transpose()?,
            method: asked.method.clone().unwrap_or_else(|| "GET".to_owned()),
            path: self.fill(&asked.path)?,
            dress: self.dress(asked.dress())?,
            body: self.body(asked)?,
            reveal: self.runner.options.show_secrets,
            tamper: self.tamper(&asked.tamper)?,
        };
        Ok(match self.tell(step, "call", &told).await? {
            Ok(answer) => answered(answer),
            Err(done) => *done,
        })
    }

    fn body(&self, asked: &CallStep) -> Result<Option<Body>, RunError> {
        if let Some(body) = &asked.body {
            return Ok(Some(Body::Json(self.variables.fill_json(body).map_err(RunError::Variable)?)));
        }
        let text = match (&asked.text, &asked.file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => {
                std::fs::read_to_string(path).map_err(|error| RunError::File { path: path.clone(), error })?
            }
            (None, None) => return Ok(None),
        };
        let content_type = asked.content_type.clone().unwrap_or_else(|| "text/plain; charset=utf-8".to_owned());
        Ok(Some(Body::Text { content_type, text: self.fill(&text)? }))
    }
}

/// So many days after now, or before.
fn after(now: OffsetDateTime, days: i64) -> Result<OffsetDateTime, RunError> {
    let at = days.checked_mul(24 * 3600).and_then(|seconds| now.checked_add(Duration::seconds(seconds)));
    at.ok_or_else(|| RunError::Step(format!("{days} days from now is no date that a calendar has")))
}

/// The tokens that came.
fn tokens(answer: Result<Tokens, Box<Done>>) -> Done {
    let tokens = match answer {
        Ok(tokens) => tokens,
        Err(done) => return *done,
    };
    let scope = tokens.scope.clone().unwrap_or_default();
    let lasts = tokens.expires_in.map(|seconds| format!(", lasts {seconds} s")).unwrap_or_default();
    let refreshable = if tokens.refreshable { ", with a refresh token" } else { "" };
    let mut done = Done::with(format!("an access token for {scope}{lasts}{refreshable}"), json!(tokens));
    done.happened.claims = Some(tokens.id_token);
    done
}

fn answered(answered: Answered) -> Done {
    let outcome = summary(&answered);
    let refused = (answered.status >= 300).then(|| format!("the bank answered {}", answered.status));
    let happened = Happened {
        refused,
        status: Some(answered.status),
        body: answered.body,
        headers: answered.headers,
        shown: answered.text,
        ..Happened::default()
    };
    Done { happened, sent: answered.sent, ..Done::well(outcome) }
}

/// What an answer of the API holds, in a few words.
fn summary(answered: &Answered) -> String {
    let data = answered.body.as_ref().and_then(|body| body.get("Data")).and_then(Value::as_object);
    let list =
        data.and_then(|data| data.iter().find_map(|(name, value)| value.as_array().map(|list| (name, list.len()))));
    match list {
        Some((name, count)) => format!("{}, {count} x {name}", answered.status),
        None => answered.status.to_string(),
    }
}
