//! Pushed authorization requests (RFC 9126; FAPI 1.0 Part 2, 5.2.2): the request object comes over the back channel, and
//! the customer brings a name for it.

use rules::{Check, Refusal, holds, judge};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    Accepted, Change, Engine, ErrorCode, Expect, Outcome, PresentedCertificate, Record, Surroundings, asked_customer,
    authorization, digest, parameters::Parameters, request_object, request_object::RequestFacts,
};

/// How a `request_uri` of this server begins (RFC 9126, 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

rules::catalogue! {
    /// Rules of the endpoint that requests are pushed to, beside those of client authentication and of requests.
    pub RULES;
    OFFERED { id: "fapi.pushed.offered",
        reason: "This server takes pushed requests.", clause: "RFC 9126, 5" }
    NO_REQUEST_URI { id: "fapi.pushed.no-request-uri",
        reason: "A pushed request has no request_uri.", clause: "RFC 9126, 2.1" }
}

/// Judged before what the request says.
const CHECKS: &[Check<RequestFacts, ErrorCode>] = &[
    Check {
        rule: &OFFERED,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.profile.endpoints.pushed.is_some(), "a request by value", "a pushed request"),
    },
    Check {
        rule: &NO_REQUEST_URI,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.outer.get("request_uri").is_none(), "no request_uri", "request_uri"),
    },
];

/// A request that was pushed, under the digest of the secret in its `request_uri`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// Its key.
    pub key: String,
    /// The client that pushed it.
    pub client_id: String,
    /// The request object, as it came.
    pub request: String,
    /// When it was pushed.
    pub created_at: OffsetDateTime,
    /// Until when a customer may come with it.
    pub expires_at: OffsetDateTime,
    /// When an authorisation was completed with it.
    pub completed_at: Option<OffsetDateTime>,
}

impl Record for PushedRequest {
    const COLLECTION: &'static str = "pushed-requests";
    fn expires_at(&self) -> Option<OffsetDateTime> {
        Some(self.expires_at + time::Duration::hours(1))
    }
}

/// The answer to a pushed request (RFC 9126, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// What the customer brings.
    pub request_uri: String,
    /// Seconds that it lives.
    pub expires_in: i64,
}

impl<B: Surroundings> Engine<B> {
    /// Takes a pushed request.
    ///
    /// # Errors
    /// The refusal of a rule of client authentication, of this module, or of requests; or a failure of the surroundings.
    pub async fn push(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Outcome<Pushed> {
        let off = &self.profile.switched_off;
        let authenticated = self.authenticate_client(parameters, certificate, now).await?;
        let mut passed = authenticated.passed.clone();
        let outer = parameters.clone().naming(&authenticated.client.client_id);
        let facts = self.request_facts(outer, true, now).await?;
        for table in [CHECKS, authorization::CHECKS, request_object::CHECKS, asked_customer::CHECKS] {
            let judged = judge(&facts, table, off).map_err(|refusal: Refusal<ErrorCode>| refusal.after(passed.clone()));
            passed.extend(judged?);
        }
        let secret = self.secret();
        let pushed = PushedRequest {
            key: digest(&secret),
            client_id: authenticated.client.client_id.clone(),
            request: parameters.get("request").unwrap_or_default().to_owned(),
            created_at: now,
            expires_at: now + self.profile.lifetimes.pushed,
            completed_at: None,
        };
        let change = Change::put(&pushed.key, Expect::Absent, &pushed)?;
        self.commit_for(&authenticated, vec![change], &passed).await??;
        self.unfinished.add(&pushed.client_id, &pushed.key, pushed.expires_at);
        let value = Pushed {
            request_uri: format!("{PREFIX}{secret}"),
            expires_in: self.profile.lifetimes.pushed.whole_seconds(),
        };
        Ok(Accepted { value, passed })
    }
}
