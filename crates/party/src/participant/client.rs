//! The Directory's API, as participants use it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::Method;
use jose::claims::NumericDate;
use openbanking::{
    directory::{
        AuthorisationServer, AuthorisationServerRequest, CertificateAssociation, CertificateKind, Organisation,
        SoftwareStatement, SoftwareStatementRequest,
    },
    registration::ASSERTION_TYPE,
};
use serde::{Deserialize, Serialize};
use simulation::Trace;
use time::OffsetDateTime;
use transport::{Answer, ClientSettings, HttpClient, RequestBuilder};

use super::{DirectoryAddress, Membership, ParticipantError, succeeded};
use crate::Tools;

/// How long an assertion lives.
const ASSERTION_LIFETIME: time::Duration = time::Duration::minutes(2);
/// A token is renewed this long before it ends.
const EARLY: time::Duration = time::Duration::seconds(10);

/// A participant's connection to the Directory: mutual TLS, and a token that is renewed when it ends.
pub struct DirectoryClient {
    directory: DirectoryAddress,
    membership_id: String,
    scope: &'static str,
    signing: std::sync::Arc<jose::SigningKey>,
    http: HttpClient,
    tools: Tools,
    token: Mutex<Option<(String, OffsetDateTime)>>,
}

#[derive(Debug, Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: NumericDate,
    exp: NumericDate,
    jti: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

impl DirectoryClient {
    /// A client for a member. `scope` is what it may do: `TPPReadAccess TPPManage` or `ASPSPReadAccess ASPSPManage`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        directory: DirectoryAddress,
        membership: &Membership,
        scope: &'static str,
        tools: &Tools,
    ) -> Result<Self, ParticipantError> {
        let http = HttpClient::https_only(ClientSettings {
            party: tools.journal.party(),
            anchors: vec![membership.anchor.clone()],
            identity: Some(&membership.transport),
            journal: Some(tools.journal.clone()),
            clock: tools.clock.clone(),
            chance: tools.chance.clone(),
            cookies: false,
            timeout: Duration::from_secs(30),
        })?;
        Ok(Self {
            directory,
            membership_id: membership.organisation_id.clone(),
            scope,
            signing: std::sync::Arc::clone(&membership.signing),
            http,
            tools: tools.clone(),
            token: Mutex::new(None),
        })
    }

    /// Creates a software statement.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn create_software_statement(
        &self,
        request: &SoftwareStatementRequest,
        trace: &Trace,
    ) -> Result<SoftwareStatement, ParticipantError> {
        let path = format!("/v2.1/organisation/{}/software-statement", self.membership_id);
        let answer = self.call(Method::POST, &path, trace, |builder| builder.json(request)).await?;
        Ok(answer.json()?)
    }

    /// The software statements of the organisation.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn software_statements(&self, trace: &Trace) -> Result<Vec<SoftwareStatement>, ParticipantError> {
        let path = format!("/v2.1/organisation/{}/software-statement", self.membership_id);
        Ok(self.call(Method::GET, &path, trace, |builder| builder).await?.json()?)
    }

    /// Links a certificate of the organisation to a software statement, so that its key appears in the software's JWKS.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn link_certificate(
        &self,
        software_id: &str,
        kind: CertificateKind,
        kid: &str,
        trace: &Trace,
    ) -> Result<(), ParticipantError> {
        let path = format!(
            "/v2.1/organisation/{}/software-statement/{software_id}/certificate/{kind}/{kid}",
            self.membership_id
        );
        let body = CertificateAssociation { associate: true };
        self.call(Method::PUT, &path, trace, |builder| builder.json(&body)).await?;
        Ok(())
    }

    /// The software statement assertion, a compact JWS.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn software_statement_assertion(
        &self,
        software_id: &str,
        trace: &Trace,
    ) -> Result<String, ParticipantError> {
        self.assertion_of(&self.membership_id, software_id, trace).await
    }

    /// The assertion of a software of whichever organisation; the Directory gives each only its own.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn assertion_of(
        &self,
        organisation_id: &str,
        software_id: &str,
        trace: &Trace,
    ) -> Result<String, ParticipantError> {
        let path = format!(
            "/v2.1/organisation/{organisation_id}/software-statement/{software_id}/software-statement-assertion"
        );
        let answer =
            self.call(Method::GET, &path, trace, |builder| builder.header("accept", "application/jws+json")).await?;
        Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
    }

    /// All organisations, with their statuses.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn organisations(&self, trace: &Trace) -> Result<Vec<Organisation>, ParticipantError> {
        Ok(self.call(Method::GET, "/v2.1/organisation", trace, |builder| builder).await?.json()?)
    }

    /// All authorisation servers that the Directory knows.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn authorisation_servers(&self, trace: &Trace) -> Result<Vec<AuthorisationServer>, ParticipantError> {
        Ok(self.call(Method::GET, "/v2.1/authorisation-servers", trace, |builder| builder).await?.json()?)
    }

    /// Tells the Directory where this bank's authorisation server is; one with the same discovery URL is replaced.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn register_authorisation_server(
        &self,
        server: &AuthorisationServerRequest,
        trace: &Trace,
    ) -> Result<AuthorisationServer, ParticipantError> {
        let path = format!("/v2.1/organisation/{}/authorisation-server", self.membership_id);
        let known: Vec<AuthorisationServer> = self.call(Method::GET, &path, trace, |builder| builder).await?.json()?;
        let same = known.iter().find(|known| known.openid_configuration == server.openid_configuration);
        let answer = match same {
            Some(known) => {
                let path = format!("{path}/{}", known.id);
                self.call(Method::PUT, &path, trace, |builder| builder.json(server)).await?
            }
            None => self.call(Method::POST, &path, trace, |builder| builder.json(server)).await?,
        };
        Ok(answer.json()?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        trace: &Trace,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, ParticipantError> {
        let token = self.token(trace).await?;
        let url = self.directory.api(path)?;
        let what = format!("{method} {path}");
        let builder = self.http.request(method, &url).to("Directory").trace(trace).bearer(&token);
        succeeded(&what, fill(builder).send().await?)
    }

    async fn token(&self, trace: &Trace) -> Result<String, ParticipantError> {
        let now = self.tools.clock.now();
        let kept = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, until)) = kept
            && until > now
        {
            return Ok(token);
        }
        let assertion = self.signing.sign_claims(
            Some("JWT"),
            &Assertion {
                iss: &self.membership_id,
                sub: &self.membership_id,
                aud: self.directory.token.as_str(),
                iat: now.into(),
                exp: (now + ASSERTION_LIFETIME).into(),
                jti: self.tools.chance.uuid().to_string(),
            },
        )?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        let answer = self
            .http
            .request(Method::POST, &self.directory.token)
            .to("Directory")
            .trace(trace)
            .form(&form)
            .send()
            .await?;
        let answer: TokenAnswer = succeeded("a token", answer)?.json()?;
        let until = used_until(now, answer.expires_in);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some((answer.access_token.clone(), until));
        Ok(answer.access_token)
    }
}

/// When a token that was asked for now is renewed. What the Directory says of its life is a number of somebody else's.
fn used_until(now: OffsetDateTime, expires_in: i64) -> OffsetDateTime {
    now.saturating_add(time::Duration::seconds(expires_in.max(0))) - EARLY
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn whatever_the_directory_says_of_a_tokens_life_is_a_time() {
        let now = datetime!(2026-01-31 10:00 UTC);
        assert_eq!(used_until(now, 300), datetime!(2026-01-31 10:04:50 UTC));
        for ended in [i64::MIN, -1, 0, 10] {
            assert!(used_until(now, ended) <= now, "{ended}");
        }
        assert!(used_until(now, i64::MAX) > datetime!(9000-01-01 0:00 UTC));
    }
}
