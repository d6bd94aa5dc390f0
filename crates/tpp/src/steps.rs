//! The steps that a TPP takes when it is told to, through its control port: what is asked and what is answered.
//!
//! The trace of the request (`traceparent`) goes along with everything that the step causes.

use std::collections::BTreeMap;

use openbanking::{permissions::Permission, version::ApiVersion};
use rules::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome<T> {
    /// It was done.
    Done(T),
    /// It was not done.
    Failed(Failure),
}

/// Why a step was not done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Failure {
    /// What happened, in one sentence.
    pub what: String,
    /// HTTP status of the answer that refused, when one did.
    pub status: Option<u16>,
    /// Body of that answer, when it was JSON.
    pub body: Option<Value>,
    /// The TPP's own rule that spoke, when one did.
    pub verdict: Option<Box<Verdict>>,
}

impl Failure {
    /// A failure without an answer.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }
}

/// `POST /steps/onboard`: enrol at the Directory, get certificates, a software statement and its assertion.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Onboard {}

/// Answer to [`Onboard`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Onboarded {
    /// Organisation id at the Directory.
    pub organisation_id: String,
    /// Software statement id at the Directory.
    pub software_id: String,
    /// Whether an earlier onboarding was found.
    pub again: bool,
}

/// `POST /steps/register`: find a bank at the Directory, read its discovery document, register there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Register {
    /// Name of the bank at the Directory, or its discovery URL.
    pub bank: String,
}

/// Answer to [`Register`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Registered {
    /// `issuer` of the bank.
    pub issuer: String,
    /// `client_id` at the bank.
    pub client_id: String,
    /// Whether an earlier registration was found.
    pub again: bool,
}

/// `POST /steps/lodge-consent`: lodge an account access consent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LodgeConsent {
    /// The bank.
    pub bank: String,
    /// API version.
    pub version: ApiVersion,
    /// What to read.
    pub permissions: Vec<Permission>,
    /// `ExpirationDateTime`.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<OffsetDateTime>,
    /// `TransactionFromDateTime`.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub transactions_from: Option<OffsetDateTime>,
    /// `TransactionToDateTime`.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub transactions_to: Option<OffsetDateTime>,
}

/// Answer to [`LodgeConsent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lodged {
    /// `ConsentId`.
    pub consent_id: String,
    /// `Status`.
    pub status: String,
}

/// `POST /steps/authorise`: make the link that takes the customer to the bank.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Authorise {
    /// The bank.
    pub bank: String,
    /// The intent.
    pub consent_id: String,
}

/// Answer to [`Authorise`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// Where the customer's browser goes.
    pub url: String,
    /// `state`: names this authorisation in later steps.
    pub state: String,
}

/// `POST /steps/authorisation-result`: what came back from the bank.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorisationResult {
    /// `state` of the authorisation.
    pub state: String,
}

/// Answer to [`AuthorisationResult`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returned {
    /// The customer has not come back.
    NotYet,
    /// A code came back and the answer passed every check.
    Code {
        /// Claims of the id_token.
        id_token: Value,
    },
    /// The bank answered with an error.
    Error {
        /// OAuth error code.
        error: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// The answer was not trusted.
    Distrusted(Failure),
}

/// `POST /steps/exchange-code`: redeem the code at the token endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExchangeCode {
    /// `state` of the authorisation.
    pub state: String,
}

/// `POST /steps/refresh`: get a new access token with the refresh token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Refresh {
    /// The consent whose token is refreshed.
    pub consent_id: String,
}

/// Answer to [`ExchangeCode`] and [`Refresh`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tokens {
    /// Scope of the access token.
    pub scope: Option<String>,
    /// Seconds that it lives.
    pub expires_in: Option<i64>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
}

/// Whose token a call carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Token {
    /// The token that the customer authorised for the consent.
    #[default]
    Customer,
    /// The TPP's own, from `client_credentials`.
    Client,
    /// None.
    None,
}

/// `POST /steps/call`: call the bank's API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    /// The bank.
    pub bank: String,
    /// API version.
    pub version: ApiVersion,
    /// The consent whose token is used; not needed with the TPP's own token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<String>,
    /// Whose token.
    #[serde(default)]
    pub token: Token,
    /// HTTP method.
    #[serde(default = "get")]
    pub method: String,
    /// Path below the resource group, with its query, for example `/accounts`; or an absolute URL of the bank.
    pub path: String,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Answer to [`Call`]: whatever the bank answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body, when it was JSON.
    pub body: Option<Value>,
}
