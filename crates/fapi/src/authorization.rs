//! The authorization endpoint (RFC 6749, 4.1; OpenID Connect Core, 3.3; FAPI 1.0 Part 2, 5.2.2).

use std::sync::Arc;

use jose::Jws;
use rules::{Check, Evidence, Refusal, holds, joined, judge};
use time::OffsetDateTime;

use crate::{
    Accepted, Change, Client, Engine, ErrorCode, Expect, Failure, Interaction, Loaded, Surroundings, Usable,
    asked_customer,
    deviation::Endpoint,
    digest,
    grant::{AuthorizationCode, Grant},
    id_token::IdToken,
    interaction::{Decision, Rejection},
    parameters::{self, Parameters},
    pushed::{self, PushedRequest},
    request_object::{self, RequestFacts, RequestObject},
    response::{Address, AuthorizationResponse},
    token::words,
};

rules::catalogue! {
    /// Rules of the authorization endpoint that are judged before the client's redirect URI can be trusted.
    pub RULES;
    PARAMETERS_ONCE { id: "fapi.authorization.parameters-once",
        reason: "No parameter is sent twice.", clause: "RFC 6749, 3.1" }
    CLIENT_KNOWN { id: "fapi.authorization.client-known",
        reason: "The client_id names a registered client.", clause: "RFC 6749, 4.1.2.1" }
    ORGANISATION_ACTIVE { id: "fapi.authorization.organisation-active",
        reason: "The organisation of the client is active at the Directory.", clause: "OB Directory, participant status" }
    REQUEST_URI { id: "fapi.authorization.request-uri",
        reason: "A request_uri is one that this server gave out for a pushed request.", clause: "RFC 9126, 4; OpenID Connect Core, 6.2" }
    REQUEST_URI_OF_CLIENT { id: "fapi.authorization.request-uri-of-client",
        reason: "The request was pushed by the client that the client_id names.", clause: "RFC 9126, 2.2 and 4" }
    REQUEST_URI_NOT_EXPIRED { id: "fapi.authorization.request-uri-not-expired",
        reason: "The request_uri has not expired.", clause: "RFC 9126, 4" }
    REQUEST_URI_UNUSED { id: "fapi.authorization.request-uri-unused",
        reason: "No authorisation was completed with the request_uri before.", clause: "RFC 9126, 4" }
    REQUEST_OBJECT_PRESENT { id: "fapi.authorization.request-object-present",
        reason: "The request is a signed request object.", clause: "FAPI 1.0 Part 2, 5.2.2-1" }
    REQUEST_OBJECT_READABLE { id: "fapi.authorization.request-object-readable",
        reason: "The request object is a JWT with claims of the right types.", clause: "RFC 9101, 4" }
    REQUEST_OBJECT_ALG { id: "fapi.authorization.request-object-alg",
        reason: "The request object is signed with the registered algorithm, PS256 or ES256.", clause: "FAPI 1.0 Part 2, 8.6-1" }
    CLIENT_KEYS_AVAILABLE { id: "fapi.authorization.keys-available",
        reason: "The client's key set can be read.", clause: "OpenID Connect Core, 10.1" }
    REQUEST_OBJECT_SIGNATURE { id: "fapi.authorization.request-object-signature",
        reason: "The signature of the request object is valid under a key of the client.", clause: "RFC 9101, 6.2" }
    REDIRECT_URI_PRESENT { id: "fapi.authorization.redirect-uri-present",
        reason: "The request object names the redirect_uri.", clause: "FAPI 1.0 Part 1, 5.2.2-9" }
    REDIRECT_URI_REGISTERED { id: "fapi.authorization.redirect-uri-registered",
        reason: "The redirect_uri is exactly one that the client registered.", clause: "FAPI 1.0 Part 1, 5.2.2-10; RFC 6749, 3.1.2.3" }
}

/// Judged first: refusals are shown on a page, because nothing says yet where the client is.
pub(crate) const CHECKS: &[Check<RequestFacts, ErrorCode>] = &[
    Check { rule: &PARAMETERS_ONCE, error: ErrorCode::InvalidRequest, test: |facts| facts.outer.once() },
    Check {
        rule: &CLIENT_KNOWN,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            holds(
                facts.client.is_some(),
                "the client_id of a registered client",
                facts.outer.get("client_id").unwrap_or("nothing"),
            )
        },
    },
    Check {
        rule: &ORGANISATION_ACTIVE,
        error: ErrorCode::UnauthorizedClient,
        test: |facts| holds(facts.suspended.is_none(), "Active", facts.suspended.as_deref().unwrap_or_default()),
    },
    Check {
        rule: &REQUEST_URI,
        error: ErrorCode::InvalidRequestUri,
        test: |facts| match facts.outer.get("request_uri") {
            None => Ok(()),
            Some(_) => {
                let beside = facts.outer.get("request").is_some();
                let known = facts.pushed_request.is_some() && !beside;
                // The value opens an authorisation: it does not go into the journal.
                let found = if beside { "a request beside it" } else { "another one" };
                holds(known, "a request_uri of this server, and no request beside it", found)
            }
        },
    },
    Check {
        rule: &REQUEST_URI_OF_CLIENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_pushed(|pushed| holds(pushed.client_id == facts.client_id(), &pushed.client_id, facts.client_id()))
        },
    },
    Check {
        rule: &REQUEST_URI_NOT_EXPIRED,
        error: ErrorCode::InvalidRequestUri,
        test: |facts| {
            facts.on_pushed(|pushed| {
                holds(
                    pushed.expires_at > facts.opened_at,
                    format_args!("use before {}", pushed.expires_at),
                    facts.opened_at,
                )
            })
        },
    },
    Check { rule: &REQUEST_URI_UNUSED, error: ErrorCode::InvalidRequestUri, test: |facts| facts.on_pushed(unused) },
    Check {
        rule: &REQUEST_OBJECT_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.object.is_some(), "request", "nothing"),
    },
    Check {
        rule: &REQUEST_OBJECT_READABLE,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| match &facts.object {
            Some(Err(error)) => Err(Evidence::new(error.expected(), error.found())),
            _ => Ok(()),
        },
    },
    Check {
        rule: &REQUEST_OBJECT_ALG,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            let expected = facts.client.as_ref().map_or("", |client| client.request_object_algorithm.as_str());
            let found = match &facts.object {
                Some(Ok((jws, _))) => jws.header().alg.as_str(),
                _ => "nothing",
            };
            holds(expected == found, expected, found)
        },
    },
    Check {
        rule: &CLIENT_KEYS_AVAILABLE,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| facts.keys.as_ref().copied().map_err(|error| Evidence::new("the client's JWKS", error)),
    },
    Check {
        rule: &REQUEST_OBJECT_SIGNATURE,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| facts.signature.as_ref().copied().map_err(|error| Evidence::new(error.expected(), error.found())),
    },
    Check {
        rule: &REDIRECT_URI_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            let inside = facts.object().and_then(|object| object.redirect_uri.as_deref());
            holds(inside.is_some(), "redirect_uri in the request object", "nothing")
        },
    },
    Check {
        rule: &REDIRECT_URI_REGISTERED,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            let found = facts.object().and_then(|object| object.redirect_uri.as_deref()).unwrap_or("nothing");
            let registered = facts.client.as_ref().map_or(&[][..], |client| &client.redirect_uris);
            holds(registered.iter().any(|uri| uri == found), joined(registered, " or "), found)
        },
    },
];

/// Nobody completed an authorisation with the request.
fn unused(pushed: &PushedRequest) -> Result<(), Evidence> {
    match pushed.completed_at {
        None => Ok(()),
        Some(at) => Err(Evidence::new("a request_uri that was not used", format!("used at {at}"))),
    }
}

/// A refused authorization request.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Why.
    pub failure: Failure,
    /// Where the error goes; none when nothing trustworthy says where the client is, so that it is shown on a page.
    pub response: Option<AuthorizationResponse>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, response: None }
    }
}

impl From<crate::RepositoryError> for Refused {
    fn from(error: crate::RepositoryError) -> Self {
        Failure::from(error).into()
    }
}

/// Requests of a client that wait no more for a customer's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    client_id: String,
    /// Keys, and until when each would have waited.
    waited: Vec<(String, OffsetDateTime)>,
}

/// A decided interaction: what to send, and what must be committed before it is sent.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The answer for the client.
    pub response: AuthorizationResponse,
    /// To be committed together with the party's own change of the consent.
    pub changes: Vec<Change>,
    /// What waits no more once the changes are committed: for [`Engine::settled`].
    pub ended: Ended,
    /// Whether nothing was granted although the PSU approved, because the answer could not be made; the client is told.
    pub failed: bool,
}

impl<B: Surroundings> Engine<B> {
    /// Judges an authorization request.
    ///
    /// # Errors
    /// [`Refused`] says why, and whether the client is told through the browser.
    pub async fn authorize(&self, outer: Parameters, now: OffsetDateTime) -> Result<Accepted<Interaction>, Refused> {
        let off = &self.profile.switched_off;
        let mut passed = judge(&outer, parameters::CHECKS, off).map_err(Failure::from)?;
        let facts = self.request_facts(outer, false, now).await?;
        passed.extend(judge(&facts, CHECKS, off).map_err(|refusal| Failure::from(refusal.after(passed.clone())))?);
        let (Some(client), Some(object)) = (&facts.client, facts.object()) else {
            let (rule, expected) = match &facts.client {
                None => (&CLIENT_KNOWN, "the client_id of a registered client"),
                Some(_) => (&REQUEST_OBJECT_READABLE, "a request object that can be read"),
            };
            return Err(Failure::indispensable(rule, ErrorCode::InvalidRequest, expected).after(passed).into());
        };
        let redirect_uri = object.redirect_uri.clone().unwrap_or_default();
        let judged = judge(&facts, request_object::CHECKS, off).and_then(|mut more| {
            more.extend(judge(&facts, asked_customer::CHECKS, off).map_err(|refusal| refusal.after(more.clone()))?);
            Ok(more)
        });
        match judged {
            Ok(more) => passed.extend(more),
            Err(refusal) => {
                let refusal = refusal.after(passed);
                let to = Address {
                    client,
                    redirect_uri: &redirect_uri,
                    mode: facts.mode().unwrap_or_default(),
                    state: object.state.as_deref(),
                };
                let response = self.respond_error(&to, refusal.error, refusal.rule.unmet, now)?;
                return Err(Refused { failure: refusal.into(), response: Some(response) });
            }
        }
        let interaction = self.interaction(client, object, &facts, redirect_uri, now);
        let change = Change::put(&interaction.id, Expect::Absent, &interaction)?;
        self.backend.commit(vec![change]).await.map_err(Failure::from)?;
        self.unfinished.add(&interaction.client_id, &interaction.id, interaction.expires_at);
        Ok(Accepted { value: interaction, passed })
    }

    /// What the rules look at. A request that was pushed is judged as of the moment in which it was pushed.
    pub(crate) async fn request_facts(
        &self,
        outer: Parameters,
        pushing: bool,
        now: OffsetDateTime,
    ) -> Result<RequestFacts, Failure> {
        let client = match outer.get("client_id") {
            Some(client_id) => self.backend.client(client_id).await?,
            None => None,
        };
        let pushed_request = match outer.get("request_uri").and_then(|uri| uri.strip_prefix(pushed::PREFIX)) {
            Some(secret) if !pushing => self.backend.load::<PushedRequest>(&digest(secret)).await?,
            _ => None,
        };
        let pushed_request = pushed_request.map(|loaded| loaded.record);
        let text = pushed_request.as_ref().map(|pushed| pushed.request.as_str()).or(outer.get("request"));
        let object = text.map(|text| {
            // Nothing is opened for somebody whom nobody knows.
            let jws = if client.is_some() { Jws::parse(&self.opened(text)?)? } else { Jws::parse(text)? };
            let object = jws.claims::<RequestObject>()?;
            Ok((jws, object))
        });
        let mut facts = RequestFacts {
            profile: Arc::clone(&self.profile),
            now: pushed_request.as_ref().map_or(now, |pushed| pushed.created_at),
            opened_at: now,
            suspended: self.suspended(client.as_deref()).await?,
            pushed: pushing || pushed_request.is_some(),
            pushed_request,
            outer,
            client,
            object,
            keys: Ok(()),
            signature: Ok(()),
            intent: None,
            hinted: None,
            can_encrypt: true,
            unfinished: 0,
        };
        if let Some(client) = &facts.client {
            // A request that was pushed is counted already and becomes the one that is under way.
            let own = usize::from(facts.pushed_request.is_some());
            facts.unfinished = self.unfinished.count(&client.client_id, now).saturating_sub(own);
        }
        if let (Some(client), Some(Ok((jws, object)))) = (&facts.client, &facts.object) {
            match self.keys_of(client, jws.header().kid.as_deref()).await {
                Ok(keys) => {
                    let allowed = [client.request_object_algorithm];
                    facts.signature = self.verify(jws, &keys, &allowed, &REQUEST_OBJECT_ALG);
                }
                Err(error) => facts.keys = Err(error.to_string()),
            }
            facts.hinted = object.id_token_hint.as_deref().map(|hint| self.hinted(hint));
            if client.id_token_encrypted {
                match self.keys_of(client, None).await {
                    Ok(keys) => facts.can_encrypt = keys.encryption_key().is_some(),
                    Err(error) => facts.keys = Err(error.to_string()),
                }
            }
            if let (true, Some(id)) = (self.profile.intents, object.intent_id()) {
                facts.intent = self.backend.intent(id).await?;
            }
        }
        Ok(facts)
    }

    fn interaction(
        &self,
        client: &Client,
        object: &RequestObject,
        facts: &RequestFacts,
        redirect_uri: String,
        now: OffsetDateTime,
    ) -> Interaction {
        Interaction {
            id: self.secret(),
            client_id: client.client_id.clone(),
            client_name: client.name.clone(),
            on_behalf_of: client.on_behalf_of.clone(),
            redirect_uri,
            response_type: object.response_type.clone().unwrap_or_default(),
            response_mode: facts
                .mode()
                .unwrap_or_else(|| crate::response::ResponseMode::unchecked(object.response_mode.as_deref())),
            pushed: facts.pushed_request.as_ref().map(|pushed| pushed.key.clone()),
            state: object.state.clone(),
            nonce: object.nonce.clone(),
            scopes: words(object.scope.as_deref()),
            intent_id: object.intent_id().filter(|_| self.profile.intents).map(str::to_owned),
            subject: facts.subject(),
            acr: object.acr(&self.profile.acr_values),
            code_challenge: object.code_challenge.clone(),
            reauthentication: facts
                .intent
                .as_ref()
                .is_some_and(|intent| intent.authorisable == Usable::Reauthentication),
            created_at: now,
            expires_at: now + self.profile.lifetimes.interaction,
            completed_at: None,
        }
    }

    /// Turns the PSU's decision into the answer for the client. Nothing is remembered until [`Completed::changes`] are
    /// committed; their conditions make sure that an interaction is decided once, and a pushed request with it.
    ///
    /// # Errors
    /// An authorisation was completed with the same pushed request before, the surroundings failed, or the answer could
    /// not be signed.
    pub async fn complete(
        &self,
        interaction: &Loaded<Interaction>,
        decision: &Decision,
        now: OffsetDateTime,
    ) -> Result<Completed, Failure> {
        let Loaded { record, version } = interaction;
        let done = Interaction { completed_at: Some(now), ..record.clone() };
        let mut ended =
            Ended { client_id: record.client_id.clone(), waited: vec![(record.id.clone(), record.expires_at)] };
        let mut changes = vec![Change::put(&record.id, Expect::Version(*version), &done)?];
        if let Some(key) = &record.pushed
            && let Some(loaded) = self.backend.load::<PushedRequest>(key).await?
        {
            // A customer may have come with it twice before the first authorisation was completed.
            let once = !self.profile.switched_off.contains(&REQUEST_URI_UNUSED);
            if once {
                unused(&loaded.record)
                    .map_err(|evidence| Refusal::new(&REQUEST_URI_UNUSED, ErrorCode::InvalidRequestUri, evidence))?;
            }
            ended.waited.push((key.clone(), loaded.record.expires_at));
            let used = PushedRequest { completed_at: Some(now), ..loaded.record };
            let expect = if once { Expect::Version(loaded.version) } else { Expect::Any };
            changes.push(Change::put(key, expect, &used)?);
        }
        let client = self.client_of(&record.client_id).await?;
        let to = Address {
            client: &client,
            redirect_uri: &record.redirect_uri,
            mode: record.response_mode,
            state: record.state.as_deref(),
        };
        let response = match decision {
            Decision::Rejected(rejection) => self.respond_error(&to, rejection.code(), rejection.description(), now)?,
            Decision::Approved { subject, authenticated_at } => {
                let grant = self.grant(record, subject, *authenticated_at).await?;
                let code = self.secret();
                let remembered = AuthorizationCode {
                    client_id: record.client_id.clone(),
                    grant_id: grant.id.clone(),
                    redirect_uri: record.redirect_uri.clone(),
                    code_challenge: record.code_challenge.clone(),
                    expires_at: now + self.profile.lifetimes.code,
                    redeemed_at: None,
                };
                let mut parameters = vec![("code", code.clone())];
                if record.response_type != "code" {
                    let id_token =
                        IdToken::new(&self.profile, &client, &grant, now).for_response(&code, record.state.as_deref());
                    match self.id_token(&client, Endpoint::Authorization, &id_token).await {
                        Ok(id_token) => parameters.push(("id_token", id_token)),
                        Err(failure) => {
                            let response = self.respond_error(&to, failure.code(), failure.description(), now)?;
                            return Ok(Completed { response, changes, ended, failed: true });
                        }
                    }
                }
                changes.push(Change::put(&grant.id, Expect::Absent, &grant)?);
                changes.push(Change::put(digest(&code), Expect::Absent, &remembered)?);
                self.respond(&to, parameters, now)?
            }
        };
        Ok(Completed { response, changes, ended, failed: false })
    }

    /// Counts what was decided no more among what the client leaves unfinished: for when the changes are committed.
    pub fn settled(&self, ended: &Ended) {
        for (key, ends) in &ended.waited {
            self.unfinished.remove(&ended.client_id, key, *ends);
        }
    }

    async fn grant(
        &self,
        interaction: &Interaction,
        subject: &str,
        authenticated_at: OffsetDateTime,
    ) -> Result<Grant, Failure> {
        let expires_at = match &interaction.intent_id {
            Some(id) => self.backend.intent(id).await?.and_then(|intent| intent.expires_at),
            None => None,
        };
        Ok(Grant {
            id: self.secret(),
            client_id: interaction.client_id.clone(),
            subject: subject.to_owned(),
            intent_id: interaction.intent_id.clone(),
            scopes: interaction.scopes.clone(),
            acr: interaction.acr.clone(),
            authenticated_at,
            nonce: interaction.nonce.clone(),
            revoked_at: None,
            expires_at,
        })
    }

    async fn client_of(&self, client_id: &str) -> Result<Arc<Client>, Failure> {
        self.backend.client(client_id).await?.ok_or_else(|| {
            Failure::Refused(Refusal::new(
                &CLIENT_KNOWN,
                ErrorCode::InvalidRequest,
                Evidence::new("a registered client", "a client that was deleted meanwhile"),
            ))
        })
    }

    /// Whether an interaction can still be decided.
    #[must_use]
    pub fn decidable(interaction: &Interaction, now: OffsetDateTime) -> bool {
        interaction.completed_at.is_none() && now < interaction.expires_at
    }

    /// The decision for an interaction whose time is over.
    #[must_use]
    pub fn timed_out() -> Decision {
        Decision::Rejected(Rejection::TimedOut)
    }
}
