//! What a client does with its registration later (RFC 7592 as OB DCR 3.2 to 3.4 profile it): read, replace, delete.
//!
//! It comes with a token of its own from `client_credentials`. Whatever is wrong with that token, or with the client that
//! the path names, is answered with `invalid_token`, so that nobody learns which clients there are.

use rules::{Check, Evidence, Passed, Refusal, holds, judge};
use time::OffsetDateTime;

use crate::{
    Accepted, Change, Client, Engine, ErrorCode, Expect, Failure, Loaded, Outcome, PresentedCertificate, Surroundings,
    access::{Demand, TokenKind},
    registration::Registered,
};

rules::catalogue! {
    /// Rules of the client configuration endpoint, beside those of access and of registration.
    pub RULES;
    OWN { id: "fapi.client-configuration.own",
        reason: "The access token belongs to the client that the path names.", clause: "OB DCR 3.3, GET, PUT and DELETE /register/{ClientId}; RFC 7592, 3" }
}

struct ConfigurationFacts {
    named: String,
    own: String,
}

const CHECKS: &[Check<ConfigurationFacts, ErrorCode>] = &[Check {
    rule: &OWN,
    error: ErrorCode::InvalidToken,
    test: |facts| holds(facts.named == facts.own, &facts.own, &facts.named),
}];

/// Who comes, and what it comes with.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The client that the path names.
    pub client_id: &'a str,
    /// The access token.
    pub token: Option<&'a str>,
    /// The certificate.
    pub certificate: Option<&'a PresentedCertificate>,
    /// When.
    pub now: OffsetDateTime,
}

impl<B: Surroundings> Engine<B> {
    /// The registration as it was answered last.
    ///
    /// # Errors
    /// The token is none of this client's, or the surroundings failed.
    pub async fn read_client(&self, visit: Visit<'_>) -> Outcome<serde_json::Value> {
        let (client, passed) = self.visited(visit).await?;
        Ok(Accepted { value: client.record.metadata, passed })
    }

    /// Replaces a registration by what a new request says; the client keeps its id.
    ///
    /// # Errors
    /// The token is none of this client's, a rule of registration refused, or the surroundings failed.
    pub async fn replace_client(&self, visit: Visit<'_>, text: &str) -> Outcome<Registered> {
        let (client, mut passed) = self.visited(visit).await?;
        let entered = self.enter(text, visit.certificate, Some(client), visit.now).await;
        let Accepted { value, passed: more } = entered.map_err(|failure| failure.after(passed.clone()))?;
        passed.extend(more);
        Ok(Accepted { value, passed })
    }

    /// What deletes a client: with it, its tokens open nothing more. The party commits it together with the end of the
    /// client's consents.
    ///
    /// # Errors
    /// The token is none of this client's, or the surroundings failed.
    pub async fn delete_client(&self, visit: Visit<'_>) -> Outcome<Change> {
        let (client, passed) = self.visited(visit).await?;
        let change = Change::delete::<Client>(client.record.client_id, Expect::Version(client.version));
        Ok(Accepted { value: change, passed })
    }

    async fn visited(&self, visit: Visit<'_>) -> Result<(Loaded<Client>, Passed), Failure> {
        let demand = Demand { scope: None, kind: TokenKind::Client };
        let access = self.access(visit.token, visit.certificate, demand, visit.now).await?;
        let Accepted { value: access, mut passed } = access;
        let facts = ConfigurationFacts { named: visit.client_id.to_owned(), own: access.client.client_id.clone() };
        let judged = judge(&facts, CHECKS, &self.profile.switched_off);
        passed.extend(judged.map_err(|refusal| refusal.after(passed.clone()))?);
        // With the rule off it is the client that the path names.
        match self.backend.load::<Client>(&facts.named).await? {
            Some(loaded) => Ok((loaded, passed)),
            None if facts.named == facts.own => {
                Err(Failure::Unavailable("the client was deleted meanwhile".to_owned()))
            }
            None => {
                let evidence = Evidence::new(&facts.own, &facts.named);
                Err(Refusal::new(&OWN, ErrorCode::InvalidToken, evidence).after(passed).into())
            }
        }
    }
}
