//! The signed request object (RFC 9101; FAPI 1.0 Part 2, 5.2.2; OpenID Connect Core, 6): the only source of parameters.

mod claims;

use std::sync::Arc;

use jose::{JoseError, Jws};
use rules::{Check, Evidence, holds, joined};
use time::{Duration, OffsetDateTime};

use crate::{
    Client, ErrorCode, Intent, Profile, Usable, client_authentication::LEEWAY, parameters::Parameters,
    pushed::PushedRequest, response::ResponseMode,
};

pub use claims::{RequestObject, RequestedClaim, RequestedClaims};

/// Longest distance of `exp` from `nbf`, and of `nbf` from now.
const WINDOW: Duration = Duration::minutes(60);

rules::catalogue! {
    /// Rules of request objects.
    pub RULES;
    ISSUER_IS_CLIENT { id: "fapi.request-object.iss",
        reason: "The issuer of the request object is the client_id.", clause: "RFC 9101, 4; OpenID Connect Core, 6.1" }
    CLIENT_ID_SAME { id: "fapi.request-object.client-id",
        reason: "The client_id inside the request object is the one outside.", clause: "RFC 9101, 5; OpenID Connect Core, 6.1" }
    AUDIENCE { id: "fapi.request-object.aud",
        reason: "The audience of the request object is, or contains, this server's issuer.", clause: "FAPI 1.0 Part 2, 5.2.2-15" }
    EXP_PRESENT { id: "fapi.request-object.exp-present",
        reason: "The request object says when it expires.", clause: "FAPI 1.0 Part 2, 5.2.2-13" }
    NBF_PRESENT { id: "fapi.request-object.nbf-present",
        reason: "The request object says from when it is valid.", clause: "FAPI 1.0 Part 2, 5.2.2-17" }
    NOT_EXPIRED { id: "fapi.request-object.exp",
        reason: "The request object has not expired.", clause: "FAPI 1.0 Part 2, 5.2.2-13" }
    LIFETIME { id: "fapi.request-object.lifetime",
        reason: "The request object lives at most 60 minutes after its nbf.", clause: "FAPI 1.0 Part 2, 5.2.2-13" }
    NOT_BEFORE { id: "fapi.request-object.nbf",
        reason: "The request object is valid already, and its nbf is at most 60 minutes old.", clause: "FAPI 1.0 Part 2, 5.2.2-17" }
    TYP { id: "fapi.request-object.typ",
        reason: "The typ of the request object is absent, JWT or oauth-authz-req+jwt.", clause: "RFC 9101, 10.8" }
    NOT_NESTED { id: "fapi.request-object.not-nested",
        reason: "The request object does not contain request or request_uri.", clause: "RFC 9101, 4" }
    GRANT_TYPE { id: "fapi.request-object.grant-type",
        reason: "A client that sends customers registered the grant type authorization_code.", clause: "RFC 6749, 4.1.2.1; RFC 7591, 2.1" }
    RESPONSE_TYPE_PRESENT { id: "fapi.request-object.response-type-present",
        reason: "The request object names the response_type.", clause: "RFC 6749, 3.1.1; 4.1.2.1, invalid_request" }
    RESPONSE_TYPE { id: "fapi.request-object.response-type",
        reason: "The response_type is one that this server and this client use.", clause: "FAPI 1.0 Part 2, 5.2.2-2" }
    RESPONSE_TYPE_SAME { id: "fapi.request-object.response-type-same",
        reason: "The response_type outside the request object is the one inside.", clause: "OpenID Connect Core, 6.1" }
    RESPONSE_MODE { id: "fapi.request-object.response-mode",
        reason: "The response_mode fits the response_type: code id_token keeps out of the query, code alone is signed (JARM).", clause: "FAPI 1.0 Part 2, 5.2.2-2; JARM, 2.3; OAuth 2.0 Multiple Response Types, 5" }
    SCOPE_PRESENT { id: "fapi.request-object.scope-present",
        reason: "The request object names the scope, openid among it.", clause: "OpenID Connect Core, 3.1.2.1; FAPI 1.0 Part 2, 5.2.2-10" }
    SCOPE_REGISTERED { id: "fapi.request-object.scope",
        reason: "The client is registered for every scope that it asks for.", clause: "RFC 6749, 3.3" }
    NONCE_PRESENT { id: "fapi.request-object.nonce",
        reason: "The request object contains a nonce.", clause: "FAPI 1.0 Part 1, 5.2.2.2-1" }
    PKCE_METHOD { id: "fapi.request-object.pkce",
        reason: "A code_challenge uses the method S256.", clause: "RFC 7636, 4.3; FAPI 1.0 Part 2, 5.2.2-18" }
    PKCE_REQUIRED { id: "fapi.request-object.pkce-required",
        reason: "A pushed request has a code_challenge.", clause: "FAPI 1.0 Part 2, 5.2.2-18" }
    INTENT_NAMED { id: "fapi.request-object.intent-named",
        reason: "The claims parameter names the openbanking_intent_id, the same wherever it is named.", clause: "OB Read/Write 4.0, Security and access control" }
    INTENT_OF_CLIENT { id: "fapi.request-object.intent-of-client",
        reason: "The intent exists and was lodged by this client.", clause: "OB Read/Write 4.0, Security and access control" }
    INTENT_STATE { id: "fapi.request-object.intent-state",
        reason: "The intent is in a state in which the customer may be asked.", clause: "OB Read/Write 4.0, Changes to an intent's authorized state" }
    INTENT_SCOPE { id: "fapi.request-object.intent-scope",
        reason: "The requested scope covers the intent.", clause: "OB Read/Write 4.0, Security and access control" }
    UNFINISHED { id: "fapi.request-object.unfinished",
        reason: "The client does not leave more authorisations unfinished than this server keeps for it.", clause: "RFC 6749, 4.1.2.1, temporarily_unavailable" }
    ACR { id: "fapi.request-object.acr",
        reason: "An essential acr is one that this server can reach.", clause: "OpenID Connect Core, 5.5.1.1" }
}

/// What the rules of the authorization endpoint look at.
pub(crate) struct RequestFacts {
    pub(crate) profile: Arc<Profile>,
    pub(crate) now: OffsetDateTime,
    pub(crate) outer: Parameters,
    pub(crate) client: Option<Arc<Client>>,
    /// Why the client's organisation may not take part, if it may not.
    pub(crate) suspended: Option<String>,
    pub(crate) object: Option<Result<(Jws, RequestObject), JoseError>>,
    pub(crate) keys: Result<(), String>,
    pub(crate) signature: Result<(), JoseError>,
    pub(crate) intent: Option<Intent>,
    /// The PSU whom the id_token_hint means, or what it is instead; none without a hint.
    pub(crate) hinted: Option<Result<String, String>>,
    /// Whether there is a key to encrypt for, where the client wants that.
    pub(crate) can_encrypt: bool,
    /// How many of the client's requests wait for a decision.
    pub(crate) unfinished: usize,
    /// Whether the request is, or was, pushed.
    pub(crate) pushed: bool,
    /// The pushed request that `request_uri` names.
    pub(crate) pushed_request: Option<PushedRequest>,
    /// When the customer came; [`RequestFacts::now`] is when the request was made.
    pub(crate) opened_at: OffsetDateTime,
}

impl RequestFacts {
    pub(crate) fn object(&self) -> Option<&RequestObject> {
        self.object.as_ref()?.as_ref().ok().map(|(_, object)| object)
    }

    /// How the answer travels; none when the request asks for something that there is not.
    pub(crate) fn mode(&self) -> Option<ResponseMode> {
        let object = self.object()?;
        let response_type = object.response_type.as_deref().unwrap_or_default();
        ResponseMode::of(response_type, object.response_mode.as_deref(), &self.profile.response_modes)
    }

    fn on_object(&self, test: impl FnOnce(&RequestObject) -> Result<(), Evidence>) -> Result<(), Evidence> {
        self.object().map_or_else(|| Err(Evidence::missing("a readable request object")), test)
    }

    /// Applies a test to the pushed request, if there is one.
    pub(crate) fn on_pushed(&self, test: impl FnOnce(&PushedRequest) -> Result<(), Evidence>) -> Result<(), Evidence> {
        self.pushed_request.as_ref().map_or(Ok(()), test)
    }

    pub(crate) fn client_id(&self) -> &str {
        self.client.as_ref().map_or("", |client| &client.client_id)
    }
}

fn shown(value: Option<&str>) -> &str {
    value.unwrap_or("nothing")
}

/// Judged after the signature and the redirect URI hold, so that their errors can go to the client.
pub(crate) const CHECKS: &[Check<RequestFacts, ErrorCode>] = &[
    Check {
        rule: &TYP,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            let Some(Ok((jws, _))) = &facts.object else { return Err(Evidence::missing("a readable request object")) };
            let found = jws.header().typ.as_deref();
            let accepted = found.is_none_or(|typ| {
                ["JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(typ))
            });
            holds(accepted, "no typ, JWT or oauth-authz-req+jwt", shown(found))
        },
    },
    Check {
        rule: &ISSUER_IS_CLIENT,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| {
                holds(object.iss.as_deref() == Some(facts.client_id()), facts.client_id(), shown(object.iss.as_deref()))
            })
        },
    },
    Check {
        rule: &CLIENT_ID_SAME,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| match object.client_id.as_deref() {
                Some(inside) => holds(inside == facts.client_id(), facts.client_id(), inside),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &AUDIENCE,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            let issuer = &facts.profile.issuer;
            facts.on_object(|object| match &object.aud {
                Some(aud) => holds(aud.contains(issuer), issuer, aud),
                None => Err(Evidence::missing(issuer)),
            })
        },
    },
    Check {
        rule: &EXP_PRESENT,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| facts.on_object(|object| holds(object.exp.is_some(), "exp", "nothing")),
    },
    Check {
        rule: &NBF_PRESENT,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| facts.on_object(|object| holds(object.nbf.is_some(), "nbf", "nothing")),
    },
    Check {
        rule: &NOT_EXPIRED,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| match object.exp.map(OffsetDateTime::from) {
                Some(exp) => holds(exp > facts.now - LEEWAY, format_args!("exp after {}", facts.now), exp),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &LIFETIME,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| match (object.nbf, object.exp) {
                (Some(nbf), Some(exp)) => {
                    let lifetime = OffsetDateTime::from(exp) - OffsetDateTime::from(nbf);
                    holds(
                        lifetime <= WINDOW,
                        "exp at most 3600 s after nbf",
                        format_args!("{} s", lifetime.whole_seconds()),
                    )
                }
                _ => Ok(()),
            })
        },
    },
    Check {
        rule: &NOT_BEFORE,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| match object.nbf.map(OffsetDateTime::from) {
                Some(nbf) => holds(
                    nbf <= facts.now + LEEWAY && nbf >= facts.now - WINDOW - LEEWAY,
                    format_args!("nbf between {} and {}", facts.now - WINDOW, facts.now),
                    nbf,
                ),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &NOT_NESTED,
        error: ErrorCode::InvalidRequestObject,
        test: |facts| {
            facts.on_object(|object| {
                holds(
                    object.request.is_none() && object.request_uri.is_none(),
                    "neither request nor request_uri",
                    "one of them",
                )
            })
        },
    },
    Check {
        rule: &GRANT_TYPE,
        error: ErrorCode::UnauthorizedClient,
        test: |facts| {
            let registered = facts.client.as_ref().map_or(&[][..], |client| &client.grant_types);
            if registered.is_empty() {
                return Err(Evidence::new("authorization_code", "none"));
            }
            let sends = registered.iter().any(|one| one == "authorization_code");
            holds(sends, "authorization_code", joined(registered, ", "))
        },
    },
    Check {
        rule: &RESPONSE_TYPE_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| facts.on_object(|object| holds(object.response_type.is_some(), "response_type", "nothing")),
    },
    Check {
        rule: &RESPONSE_TYPE,
        error: ErrorCode::UnsupportedResponseType,
        test: |facts| {
            facts.on_object(|object| {
                let found = object.response_type.as_deref();
                let used = || {
                    let registered = facts.client.iter().flat_map(|client| &client.response_types);
                    registered.map(String::as_str).filter(|known| facts.profile.response_types.contains(known))
                };
                if found.is_some_and(|found| used().any(|known| same_words(known, found))) {
                    return Ok(());
                }
                Err(Evidence::new(used().collect::<Vec<_>>().join(" or "), shown(found)))
            })
        },
    },
    Check {
        rule: &RESPONSE_TYPE_SAME,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| match (object.response_type.as_deref(), facts.outer.get("response_type")) {
                (Some(inside), Some(outside)) => holds(same_words(inside, outside), inside, outside),
                _ => Ok(()),
            })
        },
    },
    Check {
        rule: &RESPONSE_MODE,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                if facts.mode().is_some() {
                    return Ok(());
                }
                let offered: Vec<_> = facts.profile.response_modes.iter().map(|mode| mode.as_str()).collect();
                let (mode, response_type) = (object.response_mode.as_deref(), object.response_type.as_deref());
                let found = format!("{} for {}", shown(mode), shown(response_type));
                Err(Evidence::new(format!("one of {}", offered.join(", ")), found))
            })
        },
    },
    Check {
        rule: &SCOPE_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                holds(
                    object.scopes().any(|scope| scope == "openid"),
                    "scope with openid",
                    shown(object.scope.as_deref()),
                )
            })
        },
    },
    Check {
        rule: &SCOPE_REGISTERED,
        error: ErrorCode::InvalidScope,
        test: |facts| {
            facts.on_object(|object| {
                let Some(client) = &facts.client else { return Err(Evidence::missing("a client")) };
                holds(client.covers(object.scopes()), joined(&client.scopes, " "), shown(object.scope.as_deref()))
            })
        },
    },
    Check {
        rule: &NONCE_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                holds(object.nonce.as_deref().is_some_and(|nonce| !nonce.is_empty()), "nonce", "nothing")
            })
        },
    },
    Check {
        rule: &PKCE_METHOD,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| match &object.code_challenge {
                None => Ok(()),
                Some(challenge) => {
                    let found = object.code_challenge_method.as_deref();
                    holds(found == Some("S256"), "S256", shown(found))?;
                    holds(
                        challenge.len() == 43,
                        "a challenge of 43 characters",
                        format_args!("{} characters", challenge.len()),
                    )
                }
            })
        },
    },
    Check {
        rule: &PKCE_REQUIRED,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                holds(!facts.pushed || object.code_challenge.is_some(), "code_challenge", "nothing")
            })
        },
    },
    Check {
        rule: &INTENT_NAMED,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                let needed = facts.profile.intents;
                holds(
                    !needed || object.intent_id().is_some(),
                    "claims.id_token.openbanking_intent_id.value",
                    "nothing, or two values",
                )
            })
        },
    },
    Check {
        rule: &INTENT_OF_CLIENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            facts.on_object(|object| {
                let (true, Some(named)) = (facts.profile.intents, object.intent_id()) else { return Ok(()) };
                let own = facts.intent.as_ref().is_some_and(|intent| intent.client_id == facts.client_id());
                holds(
                    own,
                    format_args!("an intent of {}", facts.client_id()),
                    format_args!("{named}, which is not one"),
                )
            })
        },
    },
    Check {
        rule: &INTENT_STATE,
        error: ErrorCode::InvalidRequest,
        test: |facts| match &facts.intent {
            Some(Intent { authorisable: Usable::No(state), .. }) => {
                Err(Evidence::new("an intent that awaits authorisation, or may be authorised again", state))
            }
            _ => Ok(()),
        },
    },
    Check {
        rule: &INTENT_SCOPE,
        error: ErrorCode::InvalidScope,
        test: |facts| {
            facts.on_object(|object| match &facts.intent {
                Some(intent) => holds(
                    object.scopes().any(|scope| scope == intent.scope),
                    &intent.scope,
                    shown(object.scope.as_deref()),
                ),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &ACR,
        error: ErrorCode::AccessDenied,
        test: |facts| {
            facts.on_object(|object| {
                let (known, essential) = object.acr_values(&facts.profile.acr_values);
                holds(!essential || !known.is_empty(), joined(&facts.profile.acr_values, " or "), "other values")
            })
        },
    },
    Check {
        rule: &UNFINISHED,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| {
            let most = facts.profile.unfinished_authorisations;
            holds(facts.unfinished < most, format_args!("fewer than {most}"), facts.unfinished)
        },
    },
];

/// `response_type` is a set of words (OAuth 2.0 Multiple Response Types, 3).
fn same_words(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    words(one) == words(other)
}
