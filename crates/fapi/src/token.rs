//! The token endpoint (RFC 6749, 3.2; RFC 8705; FAPI 1.0 Part 2, 5.2.2).

mod table;

use rules::{Evidence, Refusal, judge};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::{
    Accepted, Change, CommitError, Engine, ErrorCode, Expect, Failure, Loaded, Outcome, PresentedCertificate, Record,
    Surroundings,
    access_token::AccessTokenClaims,
    client_authentication::{ASSERTION_JTI_NEW, Authenticated},
    deviation::Endpoint,
    digest,
    grant::{AccessToken, AuthorizationCode, Grant, RefreshToken},
    id_token::IdToken,
    parameters::Parameters,
};

pub use table::RULES;

use table::{
    CODE_CHECKS, CODE_KNOWN, CODE_UNUSED, GRANT_TYPE_CHECKS, GRANT_TYPE_KNOWN, GrantTypeFacts, Presented,
    REFRESH_CHECKS, REFRESH_TOKEN_CURRENT, REFRESH_TOKEN_KNOWN, REQUEST_CHECKS, SCOPE_CHECKS, ScopeFacts,
};

/// A successful answer of the token endpoint.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `Bearer`; the binding to the certificate is RFC 8705's.
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// Granted scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The refresh token, when one was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The id_token, when the grant has the scope openid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// How long a refresh token that was replaced is known, to tell that it was stolen.
const REPLACED_FOR: Duration = Duration::days(90);

/// Tries of a refresh before it gives way to others with the same token.
const TRIES: usize = 8;

/// A scope is a set of words (RFC 6749, 3.3): each once, in the order in which they came.
pub(crate) fn words(scope: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in scope.unwrap_or_default().split_ascii_whitespace() {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

impl<B: Surroundings> Engine<B> {
    /// Answers a token request.
    ///
    /// # Errors
    /// The refusal of a rule of client authentication or of the grant, or a failure of the surroundings.
    pub async fn token(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Outcome<TokenResponse> {
        let off = &self.profile.switched_off;
        let mut earlier = judge(parameters, REQUEST_CHECKS, off)?;
        let authenticated = self.authenticate_client(parameters, certificate, now).await;
        let authenticated = authenticated.map_err(|failure| failure.after(earlier.clone()))?;
        earlier.extend(authenticated.passed.clone());
        let facts = GrantTypeFacts {
            asked: parameters.get("grant_type").map(str::to_owned),
            known: self.profile.grant_types.clone(),
            registered: authenticated.client.grant_types.clone(),
        };
        earlier.extend(judge(&facts, GRANT_TYPE_CHECKS, off).map_err(|refusal| refusal.after(earlier.clone()))?);
        let result = match facts.asked() {
            "authorization_code" => self.redeem_code(parameters, &authenticated, now).await,
            "refresh_token" => self.refresh(parameters, &authenticated, now).await,
            "client_credentials" => self.client_credentials(parameters, &authenticated, now).await,
            _ => {
                let expected = self.profile.grant_types.join(" or ");
                Err(Failure::indispensable(&GRANT_TYPE_KNOWN, ErrorCode::UnsupportedGrantType, &expected))
            }
        };
        match result {
            Ok(mut accepted) => {
                earlier.extend(accepted.passed);
                if authenticated.used_jti.is_some() {
                    earlier.add(&ASSERTION_JTI_NEW, off);
                }
                accepted.passed = earlier;
                Ok(accepted)
            }
            Err(failure) => Err(failure.after(earlier)),
        }
    }

    async fn client_credentials(
        &self,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Outcome<TokenResponse> {
        let asked = words(parameters.get("scope"));
        let told = asked.join(" ");
        let facts = ScopeFacts { asked, registered: authenticated.client.scopes.clone() };
        let passed = judge(&facts, SCOPE_CHECKS, &self.profile.switched_off)?;
        let (access_token, change) = self.access_token(authenticated, None, facts.asked, now)?;
        self.commit_for(authenticated, vec![change], &passed).await??;
        let scope = Some(told).filter(|scope| !scope.is_empty());
        let value = self.response(access_token, scope, self.lifetime(None, now));
        Ok(Accepted { value, passed })
    }

    async fn redeem_code(
        &self,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Outcome<TokenResponse> {
        let sent = parameters.get("code");
        let key = sent.map(digest).unwrap_or_default();
        let loaded = self.backend.load::<AuthorizationCode>(&key).await?;
        let grant_id = loaded.as_ref().map(|code| code.record.grant_id.clone());
        let facts = self
            .presented(
                sent.is_some(),
                loaded.as_ref().map(|code| code.record.clone()),
                grant_id,
                parameters,
                authenticated,
                now,
            )
            .await?;
        let passed = match judge(&facts, CODE_CHECKS, &self.profile.switched_off) {
            Ok(passed) => passed,
            Err(refusal) => {
                if refusal.rule == &CODE_UNUSED {
                    self.end_grant(facts.grant.as_ref(), now).await?;
                }
                return Err(refusal.into());
            }
        };
        let (Some(Loaded { record: code, version }), Some(grant)) = (loaded, facts.grant) else {
            let expected = "a code of this server with its grant";
            return Err(Failure::indispensable(&CODE_KNOWN, ErrorCode::InvalidGrant, expected).after(passed));
        };
        let redeemed = AuthorizationCode { redeemed_at: Some(now), ..code };
        let refresh_token = self.secret();
        let remembered = RefreshToken {
            client_id: grant.client_id.clone(),
            grant_id: grant.id.clone(),
            expires_at: grant.expires_at,
            predecessor: None,
            successor: None,
            replaced: false,
        };
        let (access_token, change) = self.access_token(authenticated, Some(&grant), grant.scopes.clone(), now)?;
        // Without the rule a code works for as many as come, also at the same time.
        let once = !self.profile.switched_off.contains(&CODE_UNUSED);
        let expect = if once { Expect::Version(version) } else { Expect::Any };
        let mut changes = vec![Change::put(key, expect, &redeemed)?, change];
        let refreshable = authenticated.client.may_use("refresh_token");
        if refreshable {
            changes.push(Change::put(digest(&refresh_token), Expect::Absent, &remembered)?);
        }
        // What cannot be answered spends no code.
        let mut value = self.user_response(authenticated, &grant, access_token, &grant.scopes, now).await?;
        match self.commit_for(authenticated, changes, &passed).await? {
            Err(CommitError::Conflict { collection, .. }) if collection == AuthorizationCode::COLLECTION => {
                self.end_grant(Some(&grant), now).await?;
                let evidence = Evidence::new("a code that was not used", "a code that was used at the same time");
                return Err(Refusal::new(&CODE_UNUSED, ErrorCode::InvalidGrant, evidence).after(passed).into());
            }
            other => other?,
        }
        value.refresh_token = refreshable.then_some(refresh_token);
        Ok(Accepted { value, passed })
    }

    async fn refresh(
        &self,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Outcome<TokenResponse> {
        for _ in 0..TRIES {
            if let Some(accepted) = self.refreshed(parameters, authenticated, now).await? {
                return Ok(accepted);
            }
        }
        Err(Failure::Unavailable("a refresh token is used too often at once".to_owned()))
    }

    /// A refreshed access token; none when the refresh token was used at the same moment.
    async fn refreshed(
        &self,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Result<Option<Accepted<TokenResponse>>, Failure> {
        let sent = parameters.get("refresh_token");
        let key = sent.map(digest).unwrap_or_default();
        let presented = self.backend.load::<RefreshToken>(&key).await?;
        let found = presented.as_ref().map(|loaded| loaded.record.clone());
        let grant_id = found.as_ref().map(|token| token.grant_id.clone());
        let facts = self.presented(sent.is_some(), found, grant_id, parameters, authenticated, now).await?;
        let passed = match judge(&facts, REFRESH_CHECKS, &self.profile.switched_off) {
            Ok(passed) => passed,
            Err(refusal) => {
                if refusal.rule == &REFRESH_TOKEN_CURRENT {
                    self.end_grant(facts.grant.as_ref(), now).await?;
                }
                return Err(refusal.into());
            }
        };
        let predecessor = facts.found.as_ref().and_then(|token| token.predecessor.clone());
        let Some(mut grant) = facts.grant else {
            let expected = "a refresh token of this server with its grant";
            return Err(Failure::indispensable(&REFRESH_TOKEN_KNOWN, ErrorCode::InvalidGrant, expected).after(passed));
        };
        // OpenID Connect Core, 12.2: the refreshed id_token has no nonce.
        grant.nonce = None;
        let wanted = words(parameters.get("scope"));
        let scopes = if wanted.is_empty() { grant.scopes.clone() } else { wanted };
        let (access_token, change) = self.access_token(authenticated, Some(&grant), scopes.clone(), now)?;
        let mut changes = vec![change];
        // Whoever uses a token has it: the one before has no use any more, but for telling that it was stolen.
        if let Some(key) = predecessor
            && let Some(before) = self.backend.load::<RefreshToken>(&key).await?
        {
            let kept = now.saturating_add(REPLACED_FOR);
            let expires_at = before.record.expires_at.map_or(kept, |ends| ends.min(kept));
            let replaced =
                RefreshToken { replaced: true, successor: None, expires_at: Some(expires_at), ..before.record };
            changes.push(Change::put(key, Expect::Version(before.version), &replaced)?);
        }
        let rotated = self.profile.rotation.then(|| self.secret());
        if let Some(secret) = &rotated {
            let next = RefreshToken {
                client_id: grant.client_id.clone(),
                grant_id: grant.id.clone(),
                expires_at: grant.expires_at,
                predecessor: Some(key.clone()),
                successor: None,
                replaced: false,
            };
            let successor = digest(secret);
            if let Some(Loaded { record: token, version }) = presented {
                // An answer that was lost has a token that nobody knows.
                changes.extend(token.successor.clone().map(|lost| Change::delete::<RefreshToken>(lost, Expect::Any)));
                let token = RefreshToken { successor: Some(successor.clone()), ..token };
                changes.push(Change::put(key, Expect::Version(version), &token)?);
            }
            changes.push(Change::put(successor, Expect::Absent, &next)?);
        }
        let mut value = self.user_response(authenticated, &grant, access_token, &scopes, now).await?;
        match self.commit_for(authenticated, changes, &passed).await? {
            // The token was used at the same moment: what it came to is to be judged again.
            Err(CommitError::Conflict { collection, .. }) if collection == RefreshToken::COLLECTION => return Ok(None),
            other => other?,
        }
        value.refresh_token = rotated;
        Ok(Some(Accepted { value, passed }))
    }

    async fn presented<T>(
        &self,
        sent: bool,
        found: Option<T>,
        grant_id: Option<String>,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Result<Presented<T>, Failure> {
        let grant = match &grant_id {
            Some(id) => self.backend.load::<Grant>(id).await?.map(|loaded| loaded.record),
            None => None,
        };
        let intent = match grant.as_ref().and_then(|grant| grant.intent_id.as_ref()) {
            Some(id) => self.backend.intent(id).await?,
            None => None,
        };
        let client_id = authenticated.client.client_id.clone();
        Ok(Presented { sent, found, grant, intent, client_id, parameters: parameters.clone(), now })
    }

    /// Ends a grant, and with it every token under it (RFC 6749, 4.1.2: a code that comes twice was stolen once).
    ///
    /// # Errors
    /// The surroundings failed.
    pub async fn end_grant(&self, grant: Option<&Grant>, now: OffsetDateTime) -> Result<(), Failure> {
        let Some(grant) = grant else { return Ok(()) };
        Ok(self.backend.commit(vec![grant.end(now)?]).await?)
    }

    fn access_token(
        &self,
        authenticated: &Authenticated,
        grant: Option<&Grant>,
        scopes: Vec<String>,
        now: OffsetDateTime,
    ) -> Result<(String, Change), Failure> {
        let token = AccessToken {
            client_id: authenticated.client.client_id.clone(),
            grant_id: grant.map(|grant| grant.id.clone()),
            scopes,
            thumbprint: authenticated.certificate.thumbprint.clone(),
            issued_at: now,
            expires_at: now + self.lifetime(grant, now),
        };
        let secret = self.secret();
        let text = if self.profile.jwt_access_tokens {
            let claims = AccessTokenClaims::new(&self.profile, &token, grant, &secret);
            self.signing.sign_claims(Some("at+jwt"), &claims)?
        } else {
            secret
        };
        let change = Change::put(digest(&text), Expect::Absent, &token)?;
        Ok((text, change))
    }

    /// How long an access token lives: never longer than its grant.
    fn lifetime(&self, grant: Option<&Grant>, now: OffsetDateTime) -> Duration {
        let usual = self.profile.lifetimes.access_token;
        grant.and_then(|grant| grant.expires_at).map_or(usual, |ends| usual.min(ends - now).max(Duration::ZERO))
    }

    fn response(&self, access_token: String, scope: Option<String>, lives: Duration) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: self.profile.deviations.token_type(),
            expires_in: self.profile.deviations.expires_in(lives.whole_seconds()),
            scope: self.profile.deviations.scope(scope),
            refresh_token: None,
            id_token: None,
        }
    }

    async fn user_response(
        &self,
        authenticated: &Authenticated,
        grant: &Grant,
        access_token: String,
        scopes: &[String],
        now: OffsetDateTime,
    ) -> Result<TokenResponse, Failure> {
        // A client that may refresh has a refresh token, from this answer or from an earlier one.
        let refreshable = self.profile.intents && authenticated.client.may_use("refresh_token");
        let id_token = IdToken::new(&self.profile, &authenticated.client, grant, now)
            .for_access_token(&access_token)
            .with_refresh_token_until(grant.expires_at.filter(|_| refreshable));
        let id_token = self.id_token(&authenticated.client, Endpoint::Token, &id_token).await?;
        let lives = self.lifetime(Some(grant), now);
        let mut response = self.response(access_token, Some(scopes.join(" ")), lives);
        response.id_token = Some(id_token);
        Ok(response)
    }
}
