//! The rules of the token endpoint, the facts that they look at, and the tables in which they are judged.

use jose::hash::{constant_time_eq, sha256_base64url};
use rules::{Check, Evidence, holds, joined};
use time::OffsetDateTime;

use crate::{
    ErrorCode, Intent,
    grant::{AuthorizationCode, Grant, RefreshToken},
    parameters::Parameters,
};

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
    REFRESH_TOKEN_CURRENT { id: "fapi.token.refresh-token-current",
        reason: "The refresh token was not replaced by one that is in use.", clause: "RFC 9700, 4.14.2" }
    REFRESH_SCOPE { id: "fapi.token.refresh-scope",
        reason: "A refreshed token has no scope beyond the granted ones.", clause: "RFC 6749, 6" }
    GRANT_ALIVE { id: "fapi.token.grant-alive",
        reason: "The grant was not revoked and has not expired.", clause: "RFC 6749, 5.2" }
    INTENT_ACTIVE { id: "fapi.token.intent-active",
        reason: "The consent behind the grant is authorised.", clause: "OB Read/Write 4.0, Changes to an intent's authorized state" }
}

/// Something issued earlier that was presented again.
pub(super) struct Presented<T> {
    pub(super) sent: bool,
    pub(super) found: Option<T>,
    pub(super) grant: Option<Grant>,
    pub(super) intent: Option<Intent>,
    pub(super) client_id: String,
    pub(super) parameters: Parameters,
    pub(super) now: OffsetDateTime,
}

/// Judged before anything else is looked at.
pub(super) const REQUEST_CHECKS: &[Check<Parameters, ErrorCode>] =
    &[Check { rule: &PARAMETERS_ONCE, error: ErrorCode::InvalidRequest, test: Parameters::once }];

/// The grant type, against what the server has and the client registered.
pub(super) struct GrantTypeFacts {
    pub(super) asked: Option<String>,
    pub(super) known: Vec<&'static str>,
    pub(super) registered: Vec<String>,
}

impl GrantTypeFacts {
    pub(super) fn asked(&self) -> &str {
        self.asked.as_deref().unwrap_or_default()
    }
}

/// Judged when the client is known.
pub(super) const GRANT_TYPE_CHECKS: &[Check<GrantTypeFacts, ErrorCode>] = &[
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
pub(super) struct ScopeFacts {
    pub(super) asked: Vec<String>,
    pub(super) registered: Vec<String>,
}

/// Judged for `client_credentials`.
pub(super) const SCOPE_CHECKS: &[Check<ScopeFacts, ErrorCode>] = &[
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

pub(super) const CODE_CHECKS: &[Check<Presented<AuthorizationCode>, ErrorCode>] = &[
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

pub(super) const REFRESH_CHECKS: &[Check<Presented<RefreshToken>, ErrorCode>] = &[
    Check {
        rule: &REFRESH_TOKEN_PRESENT,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.sent, "refresh_token", "nothing"),
    },
    Check {
        rule: &REFRESH_TOKEN_KNOWN,
        error: ErrorCode::InvalidGrant,
        test: |facts| match &facts.found {
            None => Err(Evidence::new("a refresh token of this server", "another one, or one that was revoked")),
            Some(RefreshToken { expires_at: Some(at), .. }) => holds(
                *at > facts.now,
                format_args!("a refresh token that lasts beyond {}", facts.now),
                format_args!("expired at {at}"),
            ),
            Some(_) => Ok(()),
        },
    },
    Check {
        rule: &REFRESH_TOKEN_OF_CLIENT,
        error: ErrorCode::InvalidGrant,
        test: |facts| facts.with(|token| holds(token.client_id == facts.client_id, &token.client_id, &facts.client_id)),
    },
    Check {
        rule: &REFRESH_TOKEN_CURRENT,
        error: ErrorCode::InvalidGrant,
        test: |facts| facts.with(|token| holds(!token.replaced, "the latest refresh token", "one that was replaced")),
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
