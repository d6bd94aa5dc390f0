//! Token introspection (RFC 7662; RFC 8705, 3.2): what a token is good for, told to resource servers and to its own client.

use rules::{Check, holds, judge};
use serde::Serialize;
use time::OffsetDateTime;

use jose::claims::NumericDate;

use crate::{
    Accepted, Client, Engine, ErrorCode, Outcome, PresentedCertificate, Surroundings, digest,
    grant::{AccessToken, Grant, RefreshToken},
    parameters::Parameters,
};

rules::catalogue! {
    /// Rules of the introspection endpoint, beside those of client authentication.
    pub RULES;
    PARAMETERS_ONCE { id: "fapi.introspection.parameters-once",
        reason: "No parameter is sent twice.", clause: "RFC 6749, 3.2" }
    TOKEN_PRESENT { id: "fapi.introspection.token-present",
        reason: "The request carries the token.", clause: "RFC 7662, 2.1" }
}

/// Judged when the client is known. Whose token it is decides what is told, not whether (RFC 7662, 2.2).
const CHECKS: &[Check<Parameters, ErrorCode>] = &[
    Check { rule: &PARAMETERS_ONCE, error: ErrorCode::InvalidRequest, test: Parameters::once },
    Check {
        rule: &TOKEN_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |parameters| holds(parameters.get("token").is_some(), "token", "nothing"),
    },
];

/// The certificate that a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// RFC 8705, 3.1.
    #[serde(rename = "x5t#S256")]
    pub thumbprint: String,
}

/// What a token is good for (RFC 7662, 2.2). Of a token that is not, nothing else is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether it opens anything now.
    pub active: bool,
    /// Scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `Bearer`, of access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<NumericDate>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// This server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The consent behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openbanking_intent_id: Option<String>,
    /// The certificate that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

impl<B: Surroundings> Engine<B> {
    /// Answers an introspection request. A client learns of its own tokens, a resource server of all.
    ///
    /// # Errors
    /// The refusal of a rule of client authentication or of this module, or a failure of the surroundings.
    pub async fn introspect(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Outcome<Introspection> {
        let authenticated = self.authenticate_client(parameters, certificate, now).await?;
        let mut passed = authenticated.passed.clone();
        let judged = judge(parameters, CHECKS, &self.profile.switched_off);
        passed.extend(judged.map_err(|refusal| refusal.after(passed.clone()))?);
        let key = digest(parameters.get("token").unwrap_or_default());
        let value = self.described(&key, &authenticated.client, now).await?;
        self.commit_for(&authenticated, Vec::new(), &passed).await??;
        Ok(Accepted { value, passed })
    }

    async fn described(
        &self,
        key: &str,
        asking: &Client,
        now: OffsetDateTime,
    ) -> Result<Introspection, crate::Failure> {
        let access = self.backend.load::<AccessToken>(key).await?.map(|loaded| loaded.record);
        let refresh = match access {
            Some(_) => None,
            None => self.backend.load::<RefreshToken>(key).await?.map(|loaded| loaded.record),
        };
        let (client_id, grant_id) = match (&access, &refresh) {
            (Some(token), _) => (token.client_id.clone(), token.grant_id.clone()),
            (None, Some(token)) => (token.client_id.clone(), Some(token.grant_id.clone())),
            (None, None) => return Ok(Introspection::default()),
        };
        let grant = match &grant_id {
            Some(id) => self.backend.load::<Grant>(id).await?.map(|loaded| loaded.record),
            None => None,
        };
        let own = client_id == asking.client_id || asking.resource_server;
        let fresh = |until: Option<OffsetDateTime>| until.is_none_or(|until| until > now);
        let alive = match (&access, &refresh) {
            (Some(token), _) => fresh(Some(token.expires_at)),
            // One whose successor is in use is of no use, and who comes with it ends the grant.
            (None, Some(token)) => fresh(token.expires_at) && !token.replaced,
            (None, None) => false,
        };
        let client = self.backend.client(&client_id).await?;
        let taking_part = client.is_some() && self.suspended(client.as_deref()).await?.is_none();
        if !(own && alive && taking_part && self.grant_works(grant_id.is_some(), grant.as_ref(), now).await?) {
            return Ok(Introspection::default());
        }
        let scopes = access.as_ref().map(|token| &token.scopes).or(grant.as_ref().map(|grant| &grant.scopes));
        let expires_at = match (&access, &refresh) {
            (Some(token), _) => Some(token.expires_at),
            (None, token) => token.as_ref().and_then(|token| token.expires_at),
        };
        Ok(Introspection {
            active: true,
            scope: scopes.map(|scopes| scopes.join(" ")),
            client_id: Some(client_id),
            token_type: access.as_ref().map(|_| "Bearer"),
            exp: expires_at.map(NumericDate::from),
            iat: access.as_ref().map(|token| token.issued_at.into()),
            sub: grant.as_ref().map(|grant| grant.subject.clone()),
            iss: Some(self.profile.issuer.clone()),
            openbanking_intent_id: grant.and_then(|grant| grant.intent_id),
            cnf: access.map(|token| Confirmation { thumbprint: token.thumbprint }),
        })
    }

    /// Whether the grant that a token needs, if it needs one, still stands, and so does its consent.
    async fn grant_works(
        &self,
        needed: bool,
        grant: Option<&Grant>,
        now: OffsetDateTime,
    ) -> Result<bool, crate::Failure> {
        let Some(grant) = grant else { return Ok(!needed) };
        if grant.revoked_at.is_some() || grant.expires_at.is_some_and(|at| at <= now) {
            return Ok(false);
        }
        match &grant.intent_id {
            Some(id) => Ok(self.backend.intent(id).await?.is_some_and(|intent| intent.active)),
            None => Ok(true),
        }
    }
}
