//! The steps that a TPP takes when it is told to, through its control port: what is asked and what is answered.
//!
//! The trace of the request (`traceparent`) goes along with everything that the step causes. What a step does wrong on
//! purpose stands under `tamper`; codes and tokens are in an answer only when the step says `reveal`.

use std::collections::BTreeMap;

use openbanking::{permissions::Permission, version::ApiVersion};
use rules::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    api::Api,
    profile::Answers,
    tampering::{Certificate, Tamper},
};

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
    /// Headers of that answer.
    pub headers: Box<BTreeMap<String, String>>,
    /// Body of that answer, when it was JSON.
    pub body: Option<Box<Value>>,
    /// The TPP's own rule that spoke, when one did.
    pub verdict: Option<Box<Verdict>>,
    /// The request that came to this, when it was one to the bank's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Box<Sent>>,
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
    /// `kid` of its transport certificate.
    pub transport_kid: String,
    /// `kid` of its signing certificate.
    pub signing_kid: String,
    /// Whether an earlier onboarding was found.
    pub again: bool,
}

/// `POST /steps/register`: find a bank at the Directory, read its discovery document, register there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Register {
    /// Name of the bank at the Directory, or its discovery URL.
    pub bank: String,
    /// The `client_id` that the bank gave by hand: the TPP takes it, and does not register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Base URL of the bank's resources, when neither the Directory nor the address of its token endpoint tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_base: Option<String>,
    /// Registers once more, also when there is a registration. The new one takes its place, unless it was tampered with by
    /// more than a new connection.
    pub anew: bool,
    /// What is done wrong on purpose; it makes the registration a new one.
    pub tamper: Tamper,
}

/// Answer to [`Register`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Registered {
    /// `issuer` of the bank.
    pub issuer: String,
    /// `client_id` at the bank.
    pub client_id: String,
    /// Whether an earlier registration was found.
    pub again: bool,
    /// The assertion of the Directory that it registered with.
    pub software_statement: String,
    /// Claims of that assertion.
    pub claims: Value,
    /// What the bank registered.
    pub registered: Value,
    /// The bank's discovery document.
    pub discovery: Value,
}

/// `POST /steps/lodge-consent`: lodge a consent of any kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LodgeConsent {
    /// The bank.
    pub bank: String,
    /// API version.
    pub version: ApiVersion,
    /// Name of the resource, for example `domestic-payment-consents`.
    #[serde(default = "account_access")]
    pub kind: String,
    /// The body; made of the members below when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// What to read.
    #[serde(default)]
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
    /// How the request is dressed.
    #[serde(default)]
    pub dress: Dress,
    /// Whether the answer carries the token that was used.
    #[serde(default)]
    pub reveal: bool,
    /// What is done wrong on purpose.
    #[serde(default)]
    pub tamper: Tamper,
}

/// Name of the resource of account access consents.
#[must_use]
pub fn account_access() -> String {
    "account-access-consents".to_owned()
}

/// Headers of a request to the bank's API beside those that every request has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dress {
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// `x-idempotency-key`; a fresh one when the API asks for one and none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Whether the body is signed; as the API asks when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign: Option<bool>,
}

/// Answer to [`LodgeConsent`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lodged {
    /// `ConsentId`.
    pub consent_id: String,
    /// `Status`.
    pub status: String,
    /// What the bank answered.
    pub answered: Answered,
}

/// `POST /steps/authorise`: make the link that takes the customer to the bank.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Authorise {
    /// The bank.
    pub bank: String,
    /// The intent; none asks for the scope alone, at a bank whose profile has no intents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<String>,
    /// How the bank is asked to answer; as the TPP's profile says when nothing is said.
    #[serde(default)]
    pub answers: Answers,
    /// Whose scope is asked for; that of the consent's kind when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// Whether the request is pushed to the bank first (RFC 9126).
    #[serde(default)]
    pub push: bool,
    /// What is done wrong on purpose.
    #[serde(default)]
    pub tamper: Tamper,
}

/// Answer to [`Authorise`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// Where the customer's browser goes.
    pub url: String,
    /// `state`: names this authorisation in later steps.
    pub state: String,
    /// Where the bank's answer is expected.
    pub redirect_uri: String,
    /// Whether a browser that goes there reaches the TPP. Otherwise the answer is handed over with
    /// [`DeliverResponse`].
    pub served: bool,
    /// The name of the tokens that come of it: the intent, or what stands for it where there is none.
    pub consent_id: String,
}

/// `POST /steps/deliver-response`: what the bank put into the query or the fragment of the redirect URI, for a TPP whose
/// redirect URI is elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DeliverResponse {
    /// The parameters, form-encoded.
    pub answer: String,
    /// Where they were.
    pub part: Part,
}

/// A part of the redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Behind `?`: servers see and log it.
    Query,
    /// Behind `#`: browsers keep it to themselves.
    Fragment,
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
        /// Claims of the id_token; null when none came with the code.
        id_token: Value,
        /// Claims of the signed answer (JARM), when it was one.
        #[serde(default)]
        response: Value,
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExchangeCode {
    /// `state` of the authorisation.
    pub state: String,
    /// Whether the answer carries the tokens themselves.
    pub reveal: bool,
    /// What is done wrong on purpose.
    pub tamper: Tamper,
}

/// `POST /steps/refresh`: get a new access token with the refresh token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Refresh {
    /// The bank; not needed while one bank alone has a consent of this identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// The consent whose token is refreshed.
    pub consent_id: String,
    /// Whether the answer carries the tokens themselves.
    pub reveal: bool,
    /// What is done wrong on purpose.
    pub tamper: Tamper,
}

/// `POST /steps/client-token`: get a token of the TPP's own with `client_credentials`, without using a kept one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientToken {
    /// The bank.
    pub bank: String,
    /// Whose scope.
    pub api: Api,
    /// Whether the answer carries the token itself.
    pub reveal: bool,
    /// What is done wrong on purpose.
    pub tamper: Tamper,
}

/// `POST /steps/revoke`: give a token back (RFC 7009).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revoke {
    /// The bank.
    pub bank: String,
    /// The consent whose token is given back.
    pub consent_id: String,
    /// Which of its tokens.
    pub token: RevokedToken,
    /// What is done wrong on purpose.
    pub tamper: Tamper,
}

/// Which token is given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RevokedToken {
    /// The refresh token, and with it the grant.
    #[default]
    RefreshToken,
    /// The access token.
    AccessToken,
}

/// Answer to [`ExchangeCode`], [`Refresh`] and [`ClientToken`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tokens {
    /// Scope of the access token.
    pub scope: Option<String>,
    /// Seconds that it lives.
    pub expires_in: Option<i64>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// Claims of the id_token, when there is one.
    #[serde(default)]
    pub id_token: Value,
    /// The access token, when it was to be revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The refresh token, when it was to be revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("scope", &self.scope)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Whose token a call carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Which API; that of the consent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// The consent whose token is used; not needed with the TPP's own token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<String>,
    /// Whose token.
    #[serde(default)]
    pub token: Token,
    /// This token instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<String>,
    /// HTTP method.
    #[serde(default = "get")]
    pub method: String,
    /// Path below the resource group, with its query, for example `/accounts`; or an absolute URL of the bank.
    pub path: String,
    /// How the request is dressed.
    #[serde(default)]
    pub dress: Dress,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Whether the answer carries the token that was used.
    #[serde(default)]
    pub reveal: bool,
    /// What is done wrong on purpose.
    #[serde(default)]
    pub tamper: Tamper,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Text of any type, sent to the byte.
    Text {
        /// Content type.
        content_type: String,
        /// The text.
        text: String,
    },
}

fn get() -> String {
    "GET".to_owned()
}

/// Answer to [`Call`]: whatever the bank answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body, when it was JSON.
    pub body: Option<Value>,
    /// Body, when it was another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The request that this is the answer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Box<Sent>>,
}

/// A request to the bank's API as it was sent, so that it can be made again by hand.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Sent {
    /// HTTP method.
    pub method: String,
    /// Where it went.
    pub url: String,
    /// Headers, but for the token.
    pub headers: BTreeMap<String, String>,
    /// Whose token it carried.
    pub token: Bearer,
    /// The token itself, when it was to be revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Which certificate it showed.
    pub certificate: Certificate,
    /// The body, to the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Whose token a request carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bearer {
    /// The customer's.
    Customer,
    /// The TPP's own.
    Client,
    /// One that the step gave.
    Given,
    /// None.
    #[default]
    None,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}
