//! Client authentication with `private_key_jwt` (RFC 7523; OpenID Connect Core, 9; FAPI 1.0 Part 2, 5.2.2-14).

use std::sync::Arc;

use jose::{
    JoseError, Jws,
    claims::{Audience, NumericDate},
};
use rules::{Check, Evidence, Passed, Refusal, holds, judge};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{
    Change, Client, CommitError, Engine, ErrorCode, Expect, Failure, Intents, Keys, PresentedCertificate, Profile,
    Record, Repository, grant::UsedJti, token::Parameters,
};

/// The only `client_assertion_type` (RFC 7523, 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far clocks may differ.
pub(crate) const LEEWAY: Duration = Duration::seconds(10);

rules::catalogue! {
    /// Rules of client authentication.
    pub RULES;
    CERTIFICATE_PRESENTED { id: "fapi.client-authentication.certificate-presented",
        reason: "The client presents its certificate in the TLS handshake.", clause: "FAPI 1.0 Part 2, 5.2.2-5; RFC 8705, 3" }
    ASSERTION_PRESENTED { id: "fapi.client-authentication.assertion-presented",
        reason: "The request carries a client_assertion of the type jwt-bearer.", clause: "RFC 7523, 2.2; FAPI 1.0 Part 2, 5.2.2-14" }
    ASSERTION_READABLE { id: "fapi.client-authentication.assertion-readable",
        reason: "The client_assertion is a signed JWT with the claims that RFC 7523 asks for.", clause: "RFC 7523, 3" }
    CLIENT_KNOWN { id: "fapi.client-authentication.client-known",
        reason: "The client is registered.", clause: "RFC 6749, 5.2" }
    CLIENT_ID_CONSISTENT { id: "fapi.client-authentication.client-id-consistent",
        reason: "A client_id parameter names the client of the assertion.", clause: "RFC 7521, 4.2" }
    ASSERTION_ISS { id: "fapi.client-authentication.iss",
        reason: "The issuer of the client_assertion is the client_id.", clause: "RFC 7523, 3-1; OpenID Connect Core, 9" }
    ASSERTION_ALG { id: "fapi.client-authentication.alg",
        reason: "The client_assertion is signed with the registered algorithm, PS256 or ES256.", clause: "FAPI 1.0 Part 2, 8.6-1" }
    CLIENT_KEYS_AVAILABLE { id: "fapi.client-authentication.keys-available",
        reason: "The client's key set can be read.", clause: "OpenID Connect Core, 10.1" }
    ASSERTION_SIGNATURE { id: "fapi.client-authentication.signature",
        reason: "The signature of the client_assertion is valid under a key of the client.", clause: "RFC 7523, 3-9" }
    ASSERTION_AUD { id: "fapi.client-authentication.aud",
        reason: "The audience of the client_assertion is this server's issuer or token endpoint.", clause: "RFC 7523, 3-3" }
    ASSERTION_EXP { id: "fapi.client-authentication.exp",
        reason: "The client_assertion has not expired.", clause: "RFC 7523, 3-4" }
    ASSERTION_LIFETIME { id: "fapi.client-authentication.lifetime",
        reason: "The client_assertion does not live longer than an hour.", clause: "RFC 7523, 3-4" }
    ASSERTION_NOT_BEFORE { id: "fapi.client-authentication.nbf",
        reason: "The client_assertion is already valid.", clause: "RFC 7523, 3-5 and 3-6" }
    CERTIFICATE_OF_CLIENT { id: "fapi.client-authentication.certificate-of-client",
        reason: "The certificate belongs to the organisation of the client.", clause: "OB DCR 3.3, data model; RFC 8705, 3" }
    ASSERTION_JTI_NEW { id: "fapi.client-authentication.jti",
        reason: "The jti of the client_assertion was not used before.", clause: "RFC 7523, 3-7; OpenID Connect Core, 9" }
}

#[derive(Debug, Clone, Deserialize)]
struct AssertionClaims {
    iss: Option<String>,
    sub: String,
    aud: Audience,
    exp: NumericDate,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    jti: String,
}

struct AssertionFacts {
    profile: Arc<Profile>,
    now: OffsetDateTime,
    certificate: Option<PresentedCertificate>,
    assertion_type: Option<String>,
    assertion: Option<Result<(Jws, AssertionClaims), JoseError>>,
    parameter_client_id: Option<String>,
    client: Option<Client>,
    keys: Result<(), String>,
    signature: Result<(), JoseError>,
}

impl AssertionFacts {
    fn claims(&self) -> Option<&AssertionClaims> {
        self.assertion.as_ref()?.as_ref().ok().map(|(_, claims)| claims)
    }
}

/// Applies a test to the claims; their absence was refused by an earlier rule.
fn on_claims(
    facts: &AssertionFacts,
    test: impl FnOnce(&AssertionClaims) -> Result<(), Evidence>,
) -> Result<(), Evidence> {
    facts.claims().map_or_else(|| Err(Evidence::missing("a readable client_assertion")), test)
}

const CHECKS: &[Check<AssertionFacts, ErrorCode>] = &[
    Check {
        rule: &CERTIFICATE_PRESENTED,
        error: ErrorCode::InvalidClient,
        test: |facts| holds(facts.certificate.is_some(), "a client certificate", "none"),
    },
    Check {
        rule: &ASSERTION_PRESENTED,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            holds(facts.assertion.is_some(), "client_assertion", "nothing")?;
            let found = facts.assertion_type.as_deref().unwrap_or("nothing");
            holds(found == ASSERTION_TYPE, ASSERTION_TYPE, found)
        },
    },
    Check {
        rule: &ASSERTION_READABLE,
        error: ErrorCode::InvalidClient,
        test: |facts| match &facts.assertion {
            Some(Err(error)) => Err(Evidence::new(error.expected(), error.found())),
            _ => Ok(()),
        },
    },
    Check {
        rule: &CLIENT_KNOWN,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let subject = facts.claims().map_or("nothing", |claims| claims.sub.as_str());
            holds(facts.client.is_some(), "the client_id of a registered client in sub", subject)
        },
    },
    Check {
        rule: &CLIENT_ID_CONSISTENT,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| match &facts.parameter_client_id {
                Some(parameter) => holds(*parameter == claims.sub, &claims.sub, parameter),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &ASSERTION_ISS,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let found = claims.iss.as_deref().unwrap_or("nothing");
                holds(found == claims.sub, &claims.sub, found)
            })
        },
    },
    Check {
        rule: &ASSERTION_ALG,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let expected = facts.client.as_ref().map(|client| client.authentication_algorithm.to_string());
            let found = match &facts.assertion {
                Some(Ok((jws, _))) => jws.header().alg.clone(),
                _ => "nothing".to_owned(),
            };
            holds(expected.as_deref() == Some(&found), expected.clone().unwrap_or_default(), found)
        },
    },
    Check {
        rule: &CLIENT_KEYS_AVAILABLE,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| facts.keys.as_ref().copied().map_err(|error| Evidence::new("the client's JWKS", error)),
    },
    Check {
        rule: &ASSERTION_SIGNATURE,
        error: ErrorCode::InvalidClient,
        test: |facts| facts.signature.as_ref().copied().map_err(|error| Evidence::new(error.expected(), error.found())),
    },
    Check {
        rule: &ASSERTION_AUD,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let accepted = facts.profile.assertion_audiences();
                holds(
                    accepted.iter().any(|audience| claims.aud.contains(audience)),
                    format!("one of {}", accepted.join(", ")),
                    claims.aud.to_string(),
                )
            })
        },
    },
    Check {
        rule: &ASSERTION_EXP,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let exp = OffsetDateTime::from(claims.exp);
                holds(exp > facts.now - LEEWAY, format!("exp after {}", facts.now), exp.to_string())
            })
        },
    },
    Check {
        rule: &ASSERTION_LIFETIME,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let latest = facts.now + Duration::hours(1) + LEEWAY;
                let exp = OffsetDateTime::from(claims.exp);
                holds(exp <= latest, format!("exp at most {latest}"), exp.to_string())
            })
        },
    },
    Check {
        rule: &ASSERTION_NOT_BEFORE,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let latest = facts.now + LEEWAY;
                [claims.nbf, claims.iat].into_iter().flatten().map(OffsetDateTime::from).try_for_each(|from| {
                    holds(from <= latest, format!("nbf and iat at most {latest}"), from.to_string())
                })
            })
        },
    },
    Check {
        rule: &CERTIFICATE_OF_CLIENT,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let (Some(certificate), Some(client)) = (&facts.certificate, &facts.client) else { return Ok(()) };
            holds(
                certificate.organisation_id == client.organisation_id,
                &client.organisation_id,
                &certificate.organisation_id,
            )
        },
    },
];

/// A client that proved who it is.
pub struct Authenticated {
    /// The client.
    pub client: Client,
    /// The certificate that it presented.
    pub certificate: PresentedCertificate,
    /// Marks the assertion's `jti` as used: belongs into the commit of whatever the client is given.
    pub(crate) used_jti: Change,
    /// The rules that were applied.
    pub passed: Passed,
}

impl<B: Repository + Keys + Intents> Engine<B> {
    /// Authenticates the client of a direct request.
    ///
    /// # Errors
    /// The refusal of one of this module's rules, or a failure of the surroundings.
    pub async fn authenticate_client(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Result<Authenticated, Failure> {
        let assertion = parameters.get("client_assertion").map(|text| {
            let jws = Jws::parse(text)?;
            let claims = jws.claims::<AssertionClaims>()?;
            Ok((jws, claims))
        });
        let mut facts = AssertionFacts {
            profile: Arc::clone(&self.profile),
            now,
            certificate: certificate.cloned(),
            assertion_type: parameters.get("client_assertion_type").map(str::to_owned),
            assertion,
            parameter_client_id: parameters.get("client_id").map(str::to_owned),
            client: None,
            keys: Ok(()),
            signature: Ok(()),
        };
        if let Some(Ok((jws, claims))) = &facts.assertion {
            facts.client = self.backend.load::<Client>(&claims.sub).await?.map(|loaded| loaded.record);
            if let Some(client) = &facts.client {
                match self.keys_for(&client.jwks_uri, jws.header().kid.as_deref()).await {
                    Ok(keys) => facts.signature = jws.verify(&keys, &[client.authentication_algorithm]),
                    Err(error) => facts.keys = Err(error.to_string()),
                }
            }
        }
        let passed = judge(&facts, CHECKS, &self.profile.switched_off)?;
        let (Some(certificate), Some(client), Some(Ok((_, claims)))) =
            (facts.certificate, facts.client, facts.assertion)
        else {
            return Err(Failure::Unavailable("client authentication cannot be skipped altogether".to_owned()));
        };
        let used = UsedJti { expires_at: OffsetDateTime::from(claims.exp).saturating_add(LEEWAY) };
        let key = format!("{}/{}", client.client_id, crate::digest(&claims.jti));
        let lesson = self.profile.switched_off.contains(&ASSERTION_JTI_NEW);
        let used_jti = Change::put(key, if lesson { Expect::Any } else { Expect::Absent }, &used)?;
        Ok(Authenticated { client, certificate, used_jti, passed })
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
        let all = std::iter::once(authenticated.used_jti.clone()).chain(changes).collect();
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
