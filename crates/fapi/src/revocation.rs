//! Token revocation (RFC 7009): a client gives a token back.

use rules::{Check, holds, judge};
use time::OffsetDateTime;

use crate::{
    Accepted, Change, Engine, ErrorCode, Expect, Outcome, PresentedCertificate, Surroundings, digest,
    grant::{AccessToken, Grant, RefreshToken},
    parameters::Parameters,
};

rules::catalogue! {
    /// Rules of the revocation endpoint, beside those of client authentication.
    pub RULES;
    PARAMETERS_ONCE { id: "fapi.revocation.parameters-once",
        reason: "No parameter is sent twice.", clause: "RFC 6749, 3.2" }
    TOKEN_PRESENT { id: "fapi.revocation.token-present",
        reason: "The request carries the token.", clause: "RFC 7009, 2.1" }
    TOKEN_OF_CLIENT { id: "fapi.revocation.token-of-client",
        reason: "A token that is known was issued to the client that gives it back.", clause: "RFC 7009, 2.1" }
}

struct RevocationFacts {
    parameters: Parameters,
    client_id: String,
    /// Whose token it is, if it is one.
    owner: Option<String>,
}

const CHECKS: &[Check<RevocationFacts, ErrorCode>] = &[
    Check { rule: &PARAMETERS_ONCE, error: ErrorCode::InvalidRequest, test: |facts| facts.parameters.once() },
    Check {
        rule: &TOKEN_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.parameters.get("token").is_some(), "token", "nothing"),
    },
    Check {
        rule: &TOKEN_OF_CLIENT,
        error: ErrorCode::InvalidGrant,
        test: |facts| match &facts.owner {
            Some(owner) => holds(*owner == facts.client_id, owner, &facts.client_id),
            None => Ok(()),
        },
    },
];

impl<B: Surroundings> Engine<B> {
    /// Revokes a token. With a refresh token ends the grant and everything under it. A token that is not known is as good
    /// as revoked (RFC 7009, 2.2).
    ///
    /// # Errors
    /// The refusal of a rule of client authentication or of this module, or a failure of the surroundings.
    pub async fn revoke(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Outcome<()> {
        let authenticated = self.authenticate_client(parameters, certificate, now).await?;
        let mut passed = authenticated.passed.clone();
        let key = digest(parameters.get("token").unwrap_or_default());
        let access = self.backend.load::<AccessToken>(&key).await?.map(|loaded| loaded.record);
        let refresh = self.backend.load::<RefreshToken>(&key).await?.map(|loaded| loaded.record);
        let facts = RevocationFacts {
            parameters: parameters.clone(),
            client_id: authenticated.client.client_id.clone(),
            owner: access
                .as_ref()
                .map(|token| token.client_id.clone())
                .or(refresh.as_ref().map(|token| token.client_id.clone())),
        };
        let judged = judge(&facts, CHECKS, &self.profile.switched_off);
        passed.extend(judged.map_err(|refusal| refusal.after(passed.clone()))?);
        let mut changes = Vec::new();
        if access.is_some() {
            changes.push(Change::delete::<AccessToken>(&key, Expect::Any));
        }
        if let Some(token) = refresh
            && let Some(grant) = self.backend.load::<Grant>(&token.grant_id).await?
        {
            changes.push(grant.record.end(now)?);
        }
        self.commit_for(&authenticated, changes, &passed).await??;
        Ok(Accepted { value: (), passed })
    }
}
