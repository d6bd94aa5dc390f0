//! The TPP's journey: onboarding, registration, consent, authorisation, tokens, resources. One module for each.

pub mod authorisation;
pub mod consent;
pub mod onboarding;
pub mod registration;
pub mod resources;
pub mod token;

use std::sync::Arc;

use http::Method;
use jose::{KeySet, claims::NumericDate};
use openbanking::discovery::ProviderMetadata;
use rules::Refusal;
use serde::Serialize;
use serde_json::Value;
use simulation::Trace;
use time::Duration;
use transport::{Answer, CallError, RequestBuilder};
use url::Url;

use crate::{
    Tpp,
    records::{Registration, json_body},
    steps::Failure,
    tampering::{Made, TamperJwt},
};

/// How long the TPP's assertions and request objects live.
const LIFETIME: Duration = Duration::minutes(5);

/// Claims of a client assertion (RFC 7523, 3).
#[derive(Debug, Serialize)]
struct ClientAssertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: NumericDate,
    exp: NumericDate,
    jti: String,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<store::CommitError> for Failure {
    fn from(error: store::CommitError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<jose::JoseError> for Failure {
    fn from(error: jose::JoseError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<party::participant::ParticipantError> for Failure {
    fn from(error: party::participant::ParticipantError) -> Self {
        Self::new(error.to_string())
    }
}

/// What the journal calls a bank: its name, or host and port of its discovery URL.
fn label(bank: &str) -> String {
    match Url::parse(bank) {
        Ok(url) => url[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
        Err(_) => bank.to_owned(),
    }
}

/// An answer that was not the one hoped for.
fn refused(what: &str, answer: &Answer) -> Failure {
    let body = json_body(&answer.body);
    let text = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str);
    let detail = match (text("error"), text("error_description")) {
        (Some(error), Some(description)) => format!(": {error} ({description})"),
        (Some(error), None) => format!(": {error}"),
        _ => String::new(),
    };
    let apart = answer.clocks_apart().map(|apart| format!(" ({apart})")).unwrap_or_default();
    Failure {
        what: format!("{what} answered {}{detail}{apart}", answer.status.as_u16()),
        status: Some(answer.status.as_u16()),
        headers: Box::new(resources::texts(&answer.headers)),
        body: body.map(Box::new),
        ..Failure::default()
    }
}

/// The TPP itself refused to go on.
fn distrusted(what: &str, refusal: &Refusal<()>) -> Failure {
    Failure {
        what: format!("{what}. {}", refusal.rule.unmet),
        verdict: Some(Box::new(refusal.verdict())),
        ..Failure::default()
    }
}

fn endpoint(url: Option<&str>, name: &str) -> Result<Url, Failure> {
    let text = url.ok_or_else(|| Failure::new(format!("the bank's discovery document has no {name}")))?;
    Url::parse(text).map_err(|error| Failure::new(format!("the bank's {name} is not a URL: {error}")))
}

/// The alias for clients with a certificate, or the endpoint itself (RFC 8705, 5).
fn token_endpoint(metadata: &ProviderMetadata) -> Result<Url, Failure> {
    let alias = metadata.mtls_endpoint_aliases.as_ref().and_then(|aliases| aliases.token_endpoint.as_deref());
    endpoint(alias.or(metadata.token_endpoint.as_deref()), "token_endpoint")
}

impl Tpp {
    /// A request to a bank, with the TPP's certificate.
    async fn request(
        self: &Arc<Self>,
        method: Method,
        url: &Url,
        bank: &str,
        trace: &Trace,
    ) -> Result<RequestBuilder, Failure> {
        let member = self.member().await?;
        Ok(member.http.request(method, url).to(&label(bank)).trace(trace))
    }

    async fn registration(&self, bank: &str) -> Result<Registration, Failure> {
        let found = self.records.registrations.get(&*self.store, bank).await?;
        found
            .map(|(registration, _)| registration)
            .ok_or_else(|| Failure::new(format!("this TPP is not registered at {bank}; register first")))
    }

    /// The bank's keys; fetched again when they are old, or do not hold this `kid`.
    async fn bank_keys(
        self: &Arc<Self>,
        registration: &Registration,
        kid: Option<&str>,
        trace: &Trace,
    ) -> Result<Arc<KeySet>, Failure> {
        let uri = endpoint(registration.metadata.jwks_uri.as_deref(), "jwks_uri")?;
        if let Some(keys) = self.key_sets.get(uri.as_str(), self.clock.now())
            && kid.is_none_or(|kid| keys.contains(kid))
        {
            return Ok(keys);
        }
        let answer = self.request(Method::GET, &uri, &registration.bank, trace).await?.send().await?;
        if !answer.status.is_success() {
            return Err(refused("the bank's jwks_uri", &answer));
        }
        let keys = KeySet::from_json(&answer.body).map_err(|error| Failure::new(error.to_string()))?;
        Ok(self.key_sets.put(uri.as_str(), keys, self.clock.now()))
    }

    async fn client_assertion(
        self: &Arc<Self>,
        registration: &Registration,
        tamper: Option<&TamperJwt>,
    ) -> Result<String, Failure> {
        let member = self.member().await?;
        let now = self.clock.now();
        let audience = token_endpoint(&registration.metadata)?;
        let claims = ClientAssertion {
            iss: &registration.client_id,
            sub: &registration.client_id,
            aud: audience.as_str(),
            iat: now.into(),
            exp: (now + LIFETIME).into(),
            jti: self.chance.uuid().to_string(),
        };
        let honest = member.signing.sign_claims(Some("JWT"), &claims)?;
        self.forger(&member, |forger| forger.jwt(Made::ClientAssertion, honest, tamper))
    }
}
