//! Client authentication: an assertion (RFC 7523; OpenID Connect Core, 9), a certificate (RFC 8705, 2), or, where the
//! profile takes them, a shared secret (RFC 6749, 2.3.1). Each client has one method (FAPI 1.0 Part 2, 5.2.2-14).

mod table;

use std::sync::Arc;

use jose::Jws;
use rules::{Evidence, Passed, Refusal, judge};
use time::{Duration, OffsetDateTime};

use crate::{
    Change, Client, CommitError, Engine, ErrorCode, Expect, Failure, PresentedCertificate, Record, Surroundings,
    client::{AuthenticationMethod, Secret},
    grant::UsedJti,
    parameters::{self, Parameters},
};

pub use table::RULES;
pub(crate) use table::{ASSERTION_JTI_NEW, CLIENT_KNOWN};

use table::{ASSERTION_ALG, AssertionClaims, AuthenticationFacts, CHECKS};

pub use openbanking::registration::ASSERTION_TYPE;

/// How far clocks may differ.
pub(crate) const LEEWAY: Duration = Duration::seconds(10);

/// A client that proved who it is.
pub struct Authenticated {
    /// The client.
    pub client: Arc<Client>,
    /// The certificate that it presented.
    pub certificate: PresentedCertificate,
    /// Marks the assertion's `jti` as used, where there is an assertion: belongs into the commit of whatever the client is
    /// given.
    pub(crate) used_jti: Option<Change>,
    /// The rules that were applied.
    pub passed: Passed,
}

impl<B: Surroundings> Engine<B> {
    /// Authenticates the client of a direct request.
    ///
    /// # Errors
    /// The refusal of one of the rules of parameters or of this module, or a failure of the surroundings.
    pub async fn authenticate_client(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Result<Authenticated, Failure> {
        let off = &self.profile.switched_off;
        let mut passed = judge(parameters, parameters::CHECKS, off)?;
        let mut facts = self.authentication_facts(parameters, certificate, now).await?;
        passed.extend(judge(&facts, CHECKS, off).map_err(|refusal| refusal.after(passed.clone()))?);
        let Some(method) = facts.registered_method() else {
            let expected = "the client_id of a registered client";
            return Err(Failure::indispensable(&CLIENT_KNOWN, ErrorCode::InvalidClient, expected).after(passed));
        };
        self.look_up(&mut facts, method).await;
        for table in method.checks() {
            passed.extend(judge(&facts, table, off).map_err(|refusal| refusal.after(passed.clone()))?);
        }
        let used_jti = match (facts.claims(), facts.named()) {
            (Some(claims), Some(client_id)) => {
                let used = UsedJti { expires_at: OffsetDateTime::from(claims.exp).saturating_add(LEEWAY) };
                let key = format!("{client_id}/{}", crate::digest(&claims.jti));
                let expect = if off.contains(&ASSERTION_JTI_NEW) { Expect::Any } else { Expect::Absent };
                Some(Change::put(key, expect, &used)?)
            }
            _ => None,
        };
        // Only without the rule that wants one there is none.
        let certificate = facts.certificate.unwrap_or_else(PresentedCertificate::absent);
        match facts.client {
            Some(client) => Ok(Authenticated { client, certificate, used_jti, passed }),
            None => {
                let expected = "the client_id of a registered client";
                Err(Failure::indispensable(&CLIENT_KNOWN, ErrorCode::InvalidClient, expected).after(passed))
            }
        }
    }

    async fn authentication_facts(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Result<AuthenticationFacts, Failure> {
        let assertion = parameters.get("client_assertion").map(|text| {
            let jws = Jws::parse(text)?;
            let claims = jws.claims::<AssertionClaims>()?;
            Ok((jws, claims))
        });
        let mut facts = AuthenticationFacts {
            profile: Arc::clone(&self.profile),
            now,
            certificate: certificate.cloned(),
            assertion_type: parameters.get("client_assertion_type").map(str::to_owned),
            assertion,
            basic: parameters.basic(),
            parameter_client_id: parameters.get("client_id").map(str::to_owned),
            client: None,
            keys: Ok(()),
            signature: Ok(()),
            registered_certificates: Vec::new(),
            suspended: None,
        };
        if let Some(named) = facts.named() {
            facts.client = self.backend.client(named).await?;
        }
        facts.suspended = self.suspended(facts.client.as_deref()).await?;
        Ok(facts)
    }

    /// Adds what the method of the client asks for.
    async fn look_up(&self, facts: &mut AuthenticationFacts, method: AuthenticationMethod) {
        let Some(client) = &facts.client else { return };
        let jws = facts.assertion.as_ref().and_then(|read| read.as_ref().ok()).map(|(jws, _)| jws);
        match (method, jws) {
            (AuthenticationMethod::PrivateKeyJwt, Some(jws)) => {
                match self.keys_of(client, jws.header().kid.as_deref()).await {
                    Ok(keys) => {
                        let allowed = [client.authentication_algorithm];
                        facts.signature = self.verify(jws, &keys, &allowed, &ASSERTION_ALG);
                    }
                    Err(error) => facts.keys = Err(error.to_string()),
                }
            }
            (AuthenticationMethod::ClientSecretJwt, Some(jws)) => {
                let secret = client.secret.as_ref().map(|Secret(secret)| secret.as_bytes()).unwrap_or_default();
                facts.signature = jws.verify_secret(secret);
            }
            (AuthenticationMethod::SelfSignedTlsClientAuth, _) => match self.keys_of(client, None).await {
                Ok(keys) => facts.registered_certificates = keys.jwks().certificate_thumbprints(),
                Err(error) => facts.keys = Err(error.to_string()),
            },
            _ => {}
        }
    }

    /// Commits what an authenticated client is given, together with the mark on its assertion. The inner result is that
    /// of the commit, unless it failed because the assertion was used before. `passed` is what the grant's own rules let
    /// through.
    pub(crate) async fn commit_for(
        &self,
        authenticated: &Authenticated,
        changes: Vec<Change>,
        passed: &Passed,
    ) -> Result<Result<(), CommitError>, Failure> {
        let all = authenticated.used_jti.clone().into_iter().chain(changes).collect();
        match self.backend.commit(all).await {
            Err(CommitError::Conflict { collection, .. }) if collection == UsedJti::COLLECTION => Err(Refusal::new(
                &ASSERTION_JTI_NEW,
                ErrorCode::InvalidClient,
                Evidence::new("a jti that was not seen before", "a jti that was used already"),
            )
            .after(passed.clone())
            .into()),
            other => Ok(other),
        }
    }
}
