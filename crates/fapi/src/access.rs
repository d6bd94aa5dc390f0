//! What a resource server asks about an access token (RFC 6750; RFC 8705, 3; FAPI 1.0 Part 2, 6.2.1).

use std::sync::Arc;

use jose::hash::constant_time_eq;
use rules::{Check, Evidence, holds, joined, judge};
use time::OffsetDateTime;

use crate::{
    Accepted, Client, Engine, ErrorCode, Failure, Intent, Outcome, PresentedCertificate, Surroundings,
    client::AuthenticationMethod,
    digest,
    grant::{AccessToken, Grant},
};

rules::catalogue! {
    /// Rules of protected resources.
    pub RULES;
    TOKEN_PRESENT { id: "fapi.access.token-present",
        reason: "The access token is sent as a Bearer token in the Authorization header.", clause: "FAPI 1.0 Part 1, 6.2.1-2; RFC 6750, 2.1" }
    TOKEN_KNOWN { id: "fapi.access.token-known",
        reason: "The access token was issued by this server.", clause: "RFC 6750, 3.1" }
    TOKEN_NOT_EXPIRED { id: "fapi.access.token-not-expired",
        reason: "The access token has not expired.", clause: "RFC 6750, 3.1" }
    CERTIFICATE_PRESENTED { id: "fapi.access.certificate-presented",
        reason: "The client presents its certificate in the TLS handshake.", clause: "FAPI 1.0 Part 2, 5.2.2-5; RFC 8705, 3" }
    TOKEN_BOUND { id: "fapi.access.token-bound-to-certificate",
        reason: "The access token is used with the certificate that it was issued to.", clause: "RFC 8705, 3; FAPI 1.0 Part 2, 6.2.1" }
    CLIENT_REGISTERED { id: "fapi.access.client-registered",
        reason: "The client of the access token is still registered.", clause: "RFC 7592, 2.3" }
    CERTIFICATE_ANCHORED { id: "fapi.access.certificate-anchored",
        reason: "The certificate leads to an authority that this server trusts, unless the client registered one of its own.", clause: "RFC 8705, 2.1 and 2.2" }
    ORGANISATION_ACTIVE { id: "fapi.access.organisation-active",
        reason: "The organisation of the client is active at the Directory.", clause: "OB Directory, participant status" }
    GRANT_ALIVE { id: "fapi.access.grant-alive",
        reason: "The grant behind the access token was not revoked and has not expired.", clause: "RFC 6750, 3.1" }
    TOKEN_KIND { id: "fapi.access.token-kind",
        reason: "The access token comes from the grant that the resource asks for: with a customer, or without one.", clause: "OB Read/Write 4.0, Grant types" }
    INTENT_ACTIVE { id: "fapi.access.intent-active",
        reason: "The consent behind the access token is authorised.", clause: "OB Read/Write 4.0, Changes to an intent's authorized state" }
    SCOPE { id: "fapi.access.scope",
        reason: "The access token has the scope of the resource.", clause: "RFC 6750, 3.1" }
}

/// Which tokens a resource takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// From `client_credentials`.
    Client,
    /// From a customer's authorisation.
    Customer,
    /// Either, as registration management does.
    Any,
}

/// What a resource demands of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Needed scope; none where any token of the client will do.
    pub scope: Option<&'static str>,
    /// Needed grant.
    pub kind: TokenKind,
}

/// A token that satisfies the demand.
#[derive(Debug, Clone)]
pub struct Access {
    /// The client that holds the token.
    pub client: Arc<Client>,
    /// The customer's grant, where there is one.
    pub grant: Option<Grant>,
    /// Scopes of the token.
    pub scopes: Vec<String>,
}

struct AccessFacts {
    demand: Demand,
    now: OffsetDateTime,
    sent: bool,
    certificate: Option<PresentedCertificate>,
    token: Option<AccessToken>,
    client: Option<Arc<Client>>,
    suspended: Option<String>,
    grant: Option<Grant>,
    intent: Option<Intent>,
}

impl AccessFacts {
    fn with_token(&self, test: impl FnOnce(&AccessToken) -> Result<(), Evidence>) -> Result<(), Evidence> {
        self.token.as_ref().map_or_else(|| Err(Evidence::missing("a token of this server")), test)
    }
}

const CHECKS: &[Check<AccessFacts, ErrorCode>] = &[
    Check {
        rule: &TOKEN_PRESENT,
        error: ErrorCode::InvalidToken,
        test: |facts| holds(facts.sent, "Authorization: Bearer", "nothing"),
    },
    Check {
        rule: &TOKEN_KNOWN,
        error: ErrorCode::InvalidToken,
        test: |facts| holds(facts.token.is_some(), "a token of this server", "another one"),
    },
    Check {
        rule: &CERTIFICATE_PRESENTED,
        error: ErrorCode::InvalidToken,
        test: |facts| holds(facts.certificate.is_some(), "a client certificate", "none"),
    },
    Check {
        rule: &TOKEN_BOUND,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            // That there is none is for an earlier rule to say.
            let Some(certificate) = &facts.certificate else { return Ok(()) };
            let found = &certificate.thumbprint;
            facts.with_token(|token| {
                holds(constant_time_eq(&token.thumbprint, found), format_args!("x5t#S256 {}", token.thumbprint), found)
            })
        },
    },
    Check {
        rule: &TOKEN_NOT_EXPIRED,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            facts.with_token(|token| {
                holds(
                    token.expires_at > facts.now,
                    format_args!("a token that lasts beyond {}", facts.now),
                    format_args!("expired at {}", token.expires_at),
                )
            })
        },
    },
    Check {
        rule: &CLIENT_REGISTERED,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            facts.with_token(|token| {
                holds(facts.client.is_some(), "a registered client", format_args!("{}, which is not", token.client_id))
            })
        },
    },
    Check {
        rule: &CERTIFICATE_ANCHORED,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            // That there is no certificate, or no client, is for an earlier rule to say.
            let (Some(certificate), Some(client)) = (&facts.certificate, &facts.client) else { return Ok(()) };
            let own = client.authentication_method == AuthenticationMethod::SelfSignedTlsClientAuth;
            holds(own || certificate.anchored, "a certificate of a trusted authority", "one of another authority")
        },
    },
    Check {
        rule: &ORGANISATION_ACTIVE,
        error: ErrorCode::InvalidToken,
        test: |facts| holds(facts.suspended.is_none(), "Active", facts.suspended.as_deref().unwrap_or_default()),
    },
    Check {
        rule: &GRANT_ALIVE,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            facts.with_token(|token| {
                if token.grant_id.is_none() {
                    return Ok(());
                }
                let alive = facts.grant.as_ref().is_some_and(|grant| {
                    grant.revoked_at.is_none() && grant.expires_at.is_none_or(|at| at > facts.now)
                });
                holds(alive, "a live grant", "a revoked or expired one")
            })
        },
    },
    Check {
        rule: &TOKEN_KIND,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            facts.with_token(|token| match (facts.demand.kind, &token.grant_id) {
                (TokenKind::Client, Some(_)) => {
                    Err(Evidence::new("a token from client_credentials", "a customer's token"))
                }
                (TokenKind::Customer, None) => {
                    Err(Evidence::new("a customer's token", "a token from client_credentials"))
                }
                _ => Ok(()),
            })
        },
    },
    Check {
        rule: &INTENT_ACTIVE,
        error: ErrorCode::InvalidToken,
        test: |facts| {
            let named = facts.grant.as_ref().and_then(|grant| grant.intent_id.as_ref());
            let active = facts.intent.as_ref().is_some_and(|intent| intent.active);
            holds(named.is_none() || active, "an authorised consent", "a consent that is not, or no consent")
        },
    },
    Check {
        rule: &SCOPE,
        error: ErrorCode::InsufficientScope,
        test: |facts| match facts.demand.scope {
            None => Ok(()),
            Some(scope) => facts.with_token(|token| {
                holds(token.scopes.iter().any(|granted| granted == scope), scope, joined(&token.scopes, " "))
            }),
        },
    },
];

/// The token of an `Authorization` header; the scheme's case does not matter (RFC 9110, 11.1).
#[must_use]
pub fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, token) = header?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

impl<B: Surroundings> Engine<B> {
    /// Judges whether an access token opens a resource.
    ///
    /// # Errors
    /// The refusal of one of this module's rules, or a failure of the surroundings.
    pub async fn access(
        &self,
        token: Option<&str>,
        certificate: Option<&PresentedCertificate>,
        demand: Demand,
        now: OffsetDateTime,
    ) -> Outcome<Access> {
        let mut facts = AccessFacts {
            demand,
            now,
            sent: token.is_some(),
            certificate: certificate.cloned(),
            token: None,
            client: None,
            suspended: None,
            grant: None,
            intent: None,
        };
        if let Some(secret) = token {
            facts.token = self.backend.load::<AccessToken>(&digest(secret)).await?.map(|loaded| loaded.record);
        }
        if let Some(token) = &facts.token {
            facts.client = self.backend.client(&token.client_id).await?;
            facts.suspended = self.suspended(facts.client.as_deref()).await?;
            if let Some(grant_id) = &token.grant_id {
                facts.grant = self.backend.load::<Grant>(grant_id).await?.map(|loaded| loaded.record);
            }
        }
        if let Some(intent_id) = facts.grant.as_ref().and_then(|grant| grant.intent_id.as_deref()) {
            facts.intent = self.backend.intent(intent_id).await?;
        }
        let passed = judge(&facts, CHECKS, &self.profile.switched_off)?;
        match (facts.client, facts.token) {
            (Some(client), Some(token)) => {
                Ok(Accepted { value: Access { client, grant: facts.grant, scopes: token.scopes }, passed })
            }
            (None, Some(_)) => {
                let expected = "a registered client";
                Err(Failure::indispensable(&CLIENT_REGISTERED, ErrorCode::InvalidToken, expected).after(passed))
            }
            (_, None) => {
                let expected = "a token of this server";
                Err(Failure::indispensable(&TOKEN_KNOWN, ErrorCode::InvalidToken, expected).after(passed))
            }
        }
    }
}
