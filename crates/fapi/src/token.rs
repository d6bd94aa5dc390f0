//! The token endpoint (RFC 6749, 3.2; RFC 8705; FAPI 1.0 Part 2, 5.2.2).

use jose::hash::{constant_time_eq, sha256_base64url};
use rules::{Check, Evidence, Refusal, holds, joined, judge};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    Accepted, Change, CommitError, Engine, ErrorCode, Expect, Failure, Intent, Loaded, Outcome, PresentedCertificate,
    Record, Surroundings,
    access_token::AccessTokenClaims,
    client_authentication::{ASSERTION_JTI_NEW, Authenticated},
    deviation::Endpoint,
    digest,
    grant::{AccessToken, AuthorizationCode, Grant, RefreshToken},
    id_token::IdToken,
};

pub use crate::parameters::Parameters;

rules::catalogue! {
    /// Rules of the token endpoint.
    pub RULES;
    PARAMETERS_ONCE { id: "fapi.token.parameters-once",
        reason: "No parameter is sent twice.", clause: "RFC 6749, 3.2" }
    GRANT_TYPE_PRESENT { id: "fapi.token.grant-type-present",
        reason: "The request names the grant_type.", clause: "RFC 6749, 4.1.3" }
    GRANT_TYPE_KNOWN { id: "fapi.token.grant-type-known",
        reason: "The grant_type is one that this server has.", clause: "RFC 6749, 5.2" }
    GRANT_TYPE_REGISTERED { id: "fapi.token.grant-type-registered",
        reason: "The client registered the grant_type.", clause: "RFC 6749, 5.2; RFC 7591, 2" }
    SCOPE_REGISTERED { id: "fapi.token.scope",
        reason: "The client is registered for every scope that it asks for.", clause: "RFC 6749, 3.3" }
    SCOPE_WITHOUT_USER { id: "fapi.token.scope-without-user",
        reason: "A token without a customer does not have the scope openid.", clause: "OpenID Connect Core, 3.1.2.1" }
    CODE_PRESENT { id: "fapi.token.code-present",
        reason: "The request carries the authorization code.", clause: "RFC 6749, 4.1.3" }
    CODE_KNOWN { id: "fapi.token.code-known",
        reason: "The authorization code was issued by this server.", clause: "RFC 6749, 5.2" }
    CODE_OF_CLIENT { id: "fapi.token.code-of-client",
        reason: "The authorization code was issued to this client.", clause: "RFC 6749, 4.1.3; RFC 6749, 5.2" }
    CODE_UNUSED { id: "fapi.token.code-unused",
        reason: "The authorization code was not used before.", clause: "RFC 6749, 4.1.2; FAPI 1.0 Part 1, 5.2.2-13" }
    CODE_NOT_EXPIRED { id: "fapi.token.code-not-expired",
        reason: "The authorization code has not expired.", clause: "RFC 6749, 4.1.2" }
    CODE_REDIRECT_URI { id: "fapi.token.redirect-uri",
        reason: "The redirect_uri is the one of the authorization request.", clause: "RFC 6749, 4.1.3" }
    CODE_VERIFIER { id: "fapi.token.code-verifier",
        reason: "The code_verifier fits the code_challenge.", clause: "RFC 7636, 4.6" }
    REFRESH_TOKEN_PRESENT { id: "fapi.token.refresh-token-present",
        reason: "The request carries the refresh token.", clause: "RFC 6749, 6" }
    REFRESH_TOKEN_KNOWN { id: "fapi.token.refresh-token-known",
        reason: "The refresh token was issued by this server and has not expired.", clause: "RFC 6749, 5.2" }
    REFRESH_TOKEN_OF_CLIENT { id: "fapi.token.refresh-token-of-client",
        reason: "The refresh token was issued to this client.", clause: "RFC 6749, 6" }
    REFRESH_SCOPE { id: "fapi.token.refresh-scope",
        reason: "A refreshed token has no scope beyond the granted ones.", clause: "RFC 6749, 6" }
    GRANT_ALIVE { id: "fapi.token.grant-alive",
        reason: "The grant was not revoked and has not expired.", clause: "RFC 6749, 5.2" }
    INTENT_ACTIVE { id: "fapi.token.intent-active",
        reason: "The consent behind the grant is authorised.", clause: "OB Read/Write 4.0, Changes to an intent's authorized state" }
}

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

/// Something issued earlier that was presented again.
struct Presented<T> {
    sent: bool,
    found: Option<T>,
    grant: Option<Grant>,
    intent: Option<Intent>,
    client_id: String,
    parameters: Parameters,
    now: OffsetDateTime,
}

/// Judged before anything else is looked at.
const REQUEST_CHECKS: &[Check<Parameters, ErrorCode>] = &[Check {
    rule: &PARAMETERS_ONCE,
    error: ErrorCode::InvalidRequest,
    test: |parameters| match parameters.repeated() {
        Some(name) => Err(Evidence::new("each parameter once", format!("{name} twice"))),
        None => Ok(()),
    },
}];

/// The grant type, against what the server has and the client registered.
struct GrantTypeFacts {
    asked: Option<String>,
    known: Vec<&'static str>,
    registered: Vec<String>,
}

impl GrantTypeFacts {
    fn asked(&self) -> &str {
        self.asked.as_deref().unwrap_or_default()
    }
}

/// Judged when the client is known.
const GRANT_TYPE_CHECKS: &[Check<GrantTypeFacts, ErrorCode>] = &[
    Check {
        rule: &GRANT_TYPE_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.asked.is_some(), "grant_type", "nothing"),
    },
    Check {
        rule: &GRANT_TYPE_KNOWN,
        error: ErrorCode::UnsupportedGrantType,
        test: |facts| holds(facts.known.contains(&facts.asked()), joined(&facts.known, " or "), facts.asked()),
    },
    Check {
        rule: &GRANT_TYPE_REGISTERED,
        error: ErrorCode::UnauthorizedClient,
        test: |facts| {
            let registered = facts.registered.iter().any(|one| one == facts.asked());
            holds(registered, joined(&facts.registered, " or "), facts.asked())
        },
    },
];

/// The scopes of a token without a customer.
struct ScopeFacts {
    asked: Vec<String>,
    registered: Vec<String>,
}

/// Judged for `client_credentials`.
const SCOPE_CHECKS: &[Check<ScopeFacts, ErrorCode>] = &[
    Check {
        rule: &SCOPE_REGISTERED,
        error: ErrorCode::InvalidScope,
        test: |facts| {
            let covered = facts.asked.iter().all(|scope| facts.registered.contains(scope));
            holds(covered, joined(&facts.registered, " "), joined(&facts.asked, " "))
        },
    },
    Check {
        rule: &SCOPE_WITHOUT_USER,
        error: ErrorCode::InvalidScope,
        test: |facts| {
            let without = facts.asked.iter().all(|scope| scope != "openid");
            holds(without, "scopes without openid", joined(&facts.asked, " "))
        },
    },
];

impl<T> Presented<T> {
    fn with(&self, test: impl FnOnce(&T) -> Result<(), Evidence>) -> Result<(), Evidence> {
        self.found.as_ref().map_or_else(|| Err(Evidence::missing("something that was issued")), test)
    }

    fn grant_alive(&self) -> Result<(), Evidence> {
        let Some(grant) = &self.grant else { return Err(Evidence::missing("a grant")) };
        if let Some(at) = grant.revoked_at {
            return Err(Evidence::new("a grant that was not revoked", format!("revoked at {at}")));
        }
        match grant.expires_at {
            Some(at) => holds(
                at > self.now,
                format_args!("a grant that lasts beyond {}", self.now),
                format_args!("expired at {at}"),
            ),
            None => Ok(()),
        }
    }

    fn intent_active(&self) -> Result<(), Evidence> {
        let needed = self.grant.as_ref().is_some_and(|grant| grant.intent_id.is_some());
        let active = self.intent.as_ref().is_some_and(|intent| intent.active);
        holds(!needed || active, "an authorised consent", "a consent that is not, or no consent")
    }
}

const CODE_CHECKS: &[Check<Presented<AuthorizationCode>, ErrorCode>] = &[
    Check { rule: &CODE_PRESENT, error: ErrorCode::InvalidRequest, test: |facts| holds(facts.sent, "code", "nothing") },
    Check {
        rule: &CODE_KNOWN,
        error: ErrorCode::InvalidGrant,
        test: |facts| holds(facts.found.is_some(), "a code of this server", "another one"),
    },
    Check {
        rule: &CODE_OF_CLIENT,
        error: ErrorCode::InvalidGrant,
        test: |facts| facts.with(|code| holds(code.client_id == facts.client_id, &code.client_id, &facts.client_id)),
    },
    Check {
        rule: &CODE_UNUSED,
        error: ErrorCode::InvalidGrant,
        test: |facts| {
            facts.with(|code| match code.redeemed_at {
                Some(at) => Err(Evidence::new("a code that was not used", format!("used at {at}"))),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &CODE_NOT_EXPIRED,
        error: ErrorCode::InvalidGrant,
        test: |facts| {
            facts.with(|code| {
                holds(
                    code.expires_at > facts.now,
                    format_args!("a code that lasts beyond {}", facts.now),
                    format_args!("expired at {}", code.expires_at),
                )
            })
        },
    },
    Check {
        rule: &CODE_REDIRECT_URI,
        error: ErrorCode::InvalidGrant,
        test: |facts| {
            facts.with(|code| {
                let found = facts.parameters.get("redirect_uri").unwrap_or("nothing");
                holds(found == code.redirect_uri, &code.redirect_uri, found)
            })
        },
    },
    Check {
        rule: &CODE_VERIFIER,
        error: ErrorCode::InvalidGrant,
        test: |facts| {
            facts.with(|code| {
                let verifier = facts.parameters.get("code_verifier");
                match (&code.code_challenge, verifier) {
                    (None, None) => Ok(()),
                    (None, Some(_)) => {
                        Err(Evidence::new("no code_verifier, as there was no code_challenge", "code_verifier"))
                    }
                    (Some(_), None) => Err(Evidence::missing("code_verifier")),
                    (Some(challenge), Some(verifier)) => {
                        let fits = constant_time_eq(challenge, &sha256_base64url(verifier.as_bytes()));
                        holds(fits, "the verifier of the code_challenge", "another verifier")
                    }
                }
            })
        },
    },
    Check { rule: &GRANT_ALIVE, error: ErrorCode::InvalidGrant, test: Presented::grant_alive },
    Check { rule: &INTENT_ACTIVE, error: ErrorCode::InvalidGrant, test: Presented::intent_active },
];

const REFRESH_CHECKS: &[Check<Presented<RefreshToken>, ErrorCode>] = &[
    Check {
        rule: &REFRESH_TOKEN_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.sent, "refresh_token", "nothing"),
    },
    Check {
        rule: &REFRESH_TOKEN_KNOWN,
        error: ErrorCode::InvalidGrant,
        test: |facts| {
            let alive = facts.found.as_ref().is_some_and(|token| token.expires_at.is_none_or(|at| at > facts.now));
            holds(alive, "a live refresh token of this server", "another or an expired one")
        },
    },
    Check {
        rule: &REFRESH_TOKEN_OF_CLIENT,
        error: ErrorCode::InvalidGrant,
        test: |facts| facts.with(|token| holds(token.client_id == facts.client_id, &token.client_id, &facts.client_id)),
    },
    Check { rule: &GRANT_ALIVE, error: ErrorCode::InvalidGrant, test: Presented::grant_alive },
    Check { rule: &INTENT_ACTIVE, error: ErrorCode::InvalidGrant, test: Presented::intent_active },
    Check {
        rule: &REFRESH_SCOPE,
        error: ErrorCode::InvalidScope,
        test: |facts| {
            let Some(grant) = &facts.grant else { return Ok(()) };
            let wanted = facts.parameters.get("scope").unwrap_or_default();
            let within =
                wanted.split_ascii_whitespace().all(|scope| grant.scopes.iter().any(|granted| granted == scope));
            holds(within, joined(&grant.scopes, " "), wanted)
        },
    },
];

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
        let wanted = parameters.get("scope").unwrap_or_default();
        let asked: Vec<String> = wanted.split_ascii_whitespace().map(str::to_owned).collect();
        let facts = ScopeFacts { asked, registered: authenticated.client.scopes.clone() };
        let passed = judge(&facts, SCOPE_CHECKS, &self.profile.switched_off)?;
        let (access_token, change) = self.access_token(authenticated, None, facts.asked, now)?;
        self.commit_for(authenticated, vec![change], &passed).await??;
        let value = self.response(access_token, Some(wanted.to_owned()).filter(|scope| !scope.is_empty()));
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
        match self.commit_for(authenticated, changes, &passed).await? {
            Err(CommitError::Conflict { collection, .. }) if collection == AuthorizationCode::COLLECTION => {
                self.end_grant(Some(&grant), now).await?;
                let evidence = Evidence::new("a code that was not used", "a code that was used at the same time");
                return Err(Refusal::new(&CODE_UNUSED, ErrorCode::InvalidGrant, evidence).after(passed).into());
            }
            other => other?,
        }
        let mut value = self.user_response(authenticated, &grant, access_token, &grant.scopes, now).await?;
        value.refresh_token = refreshable.then_some(refresh_token);
        Ok(Accepted { value, passed })
    }

    async fn refresh(
        &self,
        parameters: &Parameters,
        authenticated: &Authenticated,
        now: OffsetDateTime,
    ) -> Outcome<TokenResponse> {
        let sent = parameters.get("refresh_token");
        let key = sent.map(digest).unwrap_or_default();
        let found = self.backend.load::<RefreshToken>(&key).await?.map(|loaded| loaded.record);
        let grant_id = found.as_ref().map(|token| token.grant_id.clone());
        let facts = self.presented(sent.is_some(), found, grant_id, parameters, authenticated, now).await?;
        let passed = judge(&facts, REFRESH_CHECKS, &self.profile.switched_off)?;
        let predecessor = facts.found.as_ref().and_then(|token| token.predecessor.clone());
        let Some(mut grant) = facts.grant else {
            let expected = "a refresh token of this server with its grant";
            return Err(Failure::indispensable(&REFRESH_TOKEN_KNOWN, ErrorCode::InvalidGrant, expected).after(passed));
        };
        // OpenID Connect Core, 12.2: the refreshed id_token has no nonce.
        grant.nonce = None;
        let wanted: Vec<String> =
            parameters.get("scope").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        let scopes = if wanted.is_empty() { grant.scopes.clone() } else { wanted };
        let (access_token, change) = self.access_token(authenticated, Some(&grant), scopes.clone(), now)?;
        let mut changes = vec![change];
        // Whoever uses a token has it: the one before is not needed any more.
        changes.extend(predecessor.map(|key| Change::delete::<RefreshToken>(key, Expect::Any)));
        let rotated = self.profile.rotation.then(|| self.secret());
        if let Some(secret) = &rotated {
            let next = RefreshToken {
                client_id: grant.client_id.clone(),
                grant_id: grant.id.clone(),
                expires_at: grant.expires_at,
                predecessor: Some(key),
            };
            changes.push(Change::put(digest(secret), Expect::Absent, &next)?);
        }
        self.commit_for(authenticated, changes, &passed).await??;
        let mut value = self.user_response(authenticated, &grant, access_token, &scopes, now).await?;
        value.refresh_token = rotated;
        Ok(Accepted { value, passed })
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
        let ended = Grant { revoked_at: Some(grant.revoked_at.unwrap_or(now)), ..grant.clone() };
        Ok(self.backend.commit(vec![Change::put(&grant.id, Expect::Any, &ended)?]).await?)
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
            expires_at: now + self.profile.lifetimes.access_token,
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

    fn response(&self, access_token: String, scope: Option<String>) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: self.profile.deviations.token_type(),
            expires_in: self.profile.lifetimes.access_token.whole_seconds(),
            scope,
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
        let mut response = self.response(access_token, Some(scopes.join(" ")));
        response.id_token = Some(id_token);
        Ok(response)
    }
}
