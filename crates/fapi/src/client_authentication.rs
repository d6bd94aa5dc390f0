//! Client authentication: an assertion (RFC 7523; OpenID Connect Core, 9), a certificate (RFC 8705, 2), or, where the
//! profile takes them, a shared secret (RFC 6749, 2.3.1). Each client has one method (FAPI 1.0 Part 2, 5.2.2-14).

use std::sync::Arc;

use jose::{
    JoseError, Jws,
    claims::{Audience, NumericDate},
    hash::constant_time_eq,
};
use rules::{Check, Evidence, Passed, Refusal, holds, joined, judge};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{
    Change, Client, CommitError, Engine, ErrorCode, Expect, Failure, PresentedCertificate, Profile, Record,
    Surroundings,
    client::{AuthenticationMethod, CertificateSubject, Secret},
    distinguished_name,
    grant::UsedJti,
    token::Parameters,
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
    CREDENTIALS_PRESENTED { id: "fapi.client-authentication.credentials-presented",
        reason: "The request names its client: by one client_assertion of the type jwt-bearer, by client_id, or in the Authorization header.", clause: "RFC 6749, 2.3; RFC 7523, 2.2" }
    ASSERTION_READABLE { id: "fapi.client-authentication.assertion-readable",
        reason: "The client_assertion is a signed JWT with the claims that RFC 7523 asks for.", clause: "RFC 7523, 3" }
    CLIENT_KNOWN { id: "fapi.client-authentication.client-known",
        reason: "The client is registered.", clause: "RFC 6749, 5.2" }
    CLIENT_ID_CONSISTENT { id: "fapi.client-authentication.client-id-consistent",
        reason: "A client_id parameter names the client of the assertion.", clause: "RFC 7521, 4.2" }
    METHOD { id: "fapi.client-authentication.method",
        reason: "The client authenticates with the method that it registered.", clause: "FAPI 1.0 Part 2, 5.2.2-14; RFC 7591, 2" }
    CERTIFICATE_ANCHORED { id: "fapi.client-authentication.certificate-anchored",
        reason: "The certificate leads to an authority that this server trusts.", clause: "RFC 8705, 2.1" }
    CERTIFICATE_SUBJECT { id: "fapi.client-authentication.certificate-subject",
        reason: "The certificate names the subject that the client registered.", clause: "RFC 8705, 2.1.2" }
    CERTIFICATE_REGISTERED { id: "fapi.client-authentication.certificate-registered",
        reason: "The certificate stands in the client's key set.", clause: "RFC 8705, 2.2" }
    SECRET { id: "fapi.client-authentication.secret",
        reason: "The client secret is the registered one.", clause: "RFC 6749, 2.3.1" }
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
    ORGANISATION_ACTIVE { id: "fapi.client-authentication.organisation-active",
        reason: "The organisation of the client is active at the Directory.", clause: "OB Directory, participant status; OB DCR 3.3, server checks" }
    CERTIFICATE_OF_CLIENT { id: "fapi.client-authentication.certificate-of-client",
        reason: "The certificate belongs to the organisation of the client.", clause: "OB DCR 3.3, data model; RFC 8705, 3" }
    CERTIFICATE_OF_SOFTWARE { id: "fapi.client-authentication.certificate-of-software",
        reason: "A certificate that names one software names that of the client.", clause: "OB Directory, certificate profiles (OBTransport); RFC 8705, 3" }
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

/// What the rules of client authentication look at.
struct AuthenticationFacts {
    profile: Arc<Profile>,
    now: OffsetDateTime,
    certificate: Option<PresentedCertificate>,
    assertion_type: Option<String>,
    assertion: Option<Result<(Jws, AssertionClaims), JoseError>>,
    /// Client id and secret of the `Authorization` header.
    basic: Option<(String, String)>,
    parameter_client_id: Option<String>,
    client: Option<Arc<Client>>,
    keys: Result<(), String>,
    signature: Result<(), JoseError>,
    /// `x5t#S256` of the certificates in the client's key set.
    registered_certificates: Vec<String>,
    /// Why the client's organisation may not take part, if it may not.
    suspended: Option<String>,
}

impl AuthenticationFacts {
    fn claims(&self) -> Option<&AssertionClaims> {
        self.assertion.as_ref()?.as_ref().ok().map(|(_, claims)| claims)
    }

    /// The client that the credentials name.
    fn named(&self) -> Option<&str> {
        match (self.claims(), &self.basic) {
            (Some(claims), _) => Some(&claims.sub),
            (None, Some((client_id, _))) => Some(client_id),
            (None, None) => self.parameter_client_id.as_deref(),
        }
    }

    fn registered_method(&self) -> Option<AuthenticationMethod> {
        self.client.as_ref().map(|client| client.authentication_method)
    }

    /// Whether the request does what this method asks for.
    fn uses(&self, method: AuthenticationMethod) -> bool {
        match method {
            AuthenticationMethod::PrivateKeyJwt | AuthenticationMethod::ClientSecretJwt => {
                self.assertion.is_some() && self.basic.is_none()
            }
            AuthenticationMethod::ClientSecretBasic => self.basic.is_some() && self.assertion.is_none(),
            AuthenticationMethod::TlsClientAuth | AuthenticationMethod::SelfSignedTlsClientAuth => {
                self.assertion.is_none() && self.basic.is_none() && self.parameter_client_id.is_some()
            }
        }
    }

    /// What the request does, in the words of metadata.
    fn used(&self) -> String {
        let used: Vec<&str> = AuthenticationMethod::ALL
            .into_iter()
            .filter(|method| self.uses(*method))
            .map(AuthenticationMethod::as_str)
            .collect();
        if used.is_empty() { "two methods at once".to_owned() } else { used.join(" or ") }
    }
}

fn matches(subject: &CertificateSubject, certificate: &PresentedCertificate) -> bool {
    match subject {
        CertificateSubject::Dn(name) => distinguished_name::same(name, &certificate.subject),
        CertificateSubject::SanDns(name) => certificate.san_dns.iter().any(|own| own.eq_ignore_ascii_case(name)),
        CertificateSubject::SanUri(uri) => certificate.san_uri.contains(uri),
        CertificateSubject::SanIp(address) => certificate.san_ip.contains(address),
        CertificateSubject::SanEmail(address) => certificate.san_email.contains(address),
    }
}

/// Applies a test to the claims; their absence was refused by an earlier rule.
fn on_claims(
    facts: &AuthenticationFacts,
    test: impl FnOnce(&AssertionClaims) -> Result<(), Evidence>,
) -> Result<(), Evidence> {
    facts.claims().map_or_else(|| Err(Evidence::missing("a readable client_assertion")), test)
}

/// Judged first, whatever the method.
const CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
    Check {
        rule: &CERTIFICATE_PRESENTED,
        error: ErrorCode::InvalidClient,
        test: |facts| holds(facts.certificate.is_some(), "a client certificate", "none"),
    },
    Check {
        rule: &CREDENTIALS_PRESENTED,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            if facts.assertion.is_some() || facts.assertion_type.is_some() {
                let found = facts.assertion_type.as_deref().unwrap_or("nothing");
                holds(found == ASSERTION_TYPE, ASSERTION_TYPE, found)?;
                return holds(facts.assertion.is_some(), "client_assertion", "nothing");
            }
            let named = facts.basic.is_some() || facts.parameter_client_id.is_some();
            holds(named, "client_assertion, client_id or Authorization: Basic", "nothing")
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
            holds(facts.client.is_some(), "the client_id of a registered client", facts.named().unwrap_or("nothing"))
        },
    },
    Check {
        rule: &CLIENT_ID_CONSISTENT,
        error: ErrorCode::InvalidClient,
        test: |facts| match (&facts.parameter_client_id, facts.named()) {
            (Some(parameter), Some(named)) => holds(parameter == named, named, parameter),
            _ => Ok(()),
        },
    },
    Check {
        rule: &METHOD,
        error: ErrorCode::InvalidClient,
        test: |facts| match facts.registered_method() {
            Some(method) => {
                let offered = facts.profile.authentication_methods.contains(&method);
                if facts.uses(method) && offered {
                    return Ok(());
                }
                Err(Evidence::new(method.as_str(), facts.used()))
            }
            None => Ok(()),
        },
    },
];

/// Judged for `private_key_jwt` and `client_secret_jwt`, before the signature.
const ISSUER_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &ASSERTION_ISS,
    error: ErrorCode::InvalidClient,
    test: |facts| {
        on_claims(facts, |claims| {
            let found = claims.iss.as_deref().unwrap_or("nothing");
            holds(found == claims.sub, &claims.sub, found)
        })
    },
}];

/// Judged for `private_key_jwt`.
const KEY_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
    Check {
        rule: &ASSERTION_ALG,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let expected = facts.client.as_ref().map(|client| client.authentication_algorithm.as_str());
            let found = match &facts.assertion {
                Some(Ok((jws, _))) => jws.header().alg.as_str(),
                _ => "nothing",
            };
            holds(expected == Some(found), expected.unwrap_or_default(), found)
        },
    },
    Check {
        rule: &CLIENT_KEYS_AVAILABLE,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| facts.keys.as_ref().copied().map_err(|error| Evidence::new("the client's JWKS", error)),
    },
];

/// Judged for `private_key_jwt` and `client_secret_jwt`.
const ASSERTION_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
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
                if accepted.clone().any(|audience| claims.aud.contains(audience)) {
                    return Ok(());
                }
                let accepted = accepted.collect::<Vec<_>>().join(", ");
                Err(Evidence::new(format!("one of {accepted}"), claims.aud.to_string()))
            })
        },
    },
    Check {
        rule: &ASSERTION_EXP,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let exp = OffsetDateTime::from(claims.exp);
                holds(exp > facts.now - LEEWAY, format_args!("exp after {}", facts.now), exp)
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
                holds(exp <= latest, format_args!("exp at most {latest}"), exp)
            })
        },
    },
    Check {
        rule: &ASSERTION_NOT_BEFORE,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            on_claims(facts, |claims| {
                let latest = facts.now + LEEWAY;
                [claims.nbf, claims.iat]
                    .into_iter()
                    .flatten()
                    .map(OffsetDateTime::from)
                    .try_for_each(|from| holds(from <= latest, format_args!("nbf and iat at most {latest}"), from))
            })
        },
    },
];

/// Judged for `tls_client_auth`.
const CERTIFICATE_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &CERTIFICATE_SUBJECT,
    error: ErrorCode::InvalidClient,
    test: |facts| {
        let subject = facts.client.as_ref().and_then(|client| client.certificate_subject.as_ref());
        let (Some(subject), Some(certificate)) = (subject, &facts.certificate) else {
            return Err(Evidence::missing("a registered subject"));
        };
        holds(matches(subject, certificate), format_args!("{subject:?}"), &certificate.subject)
    },
}];

/// Judged for `self_signed_tls_client_auth`.
const SELF_SIGNED_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
    Check {
        rule: &CLIENT_KEYS_AVAILABLE,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| facts.keys.as_ref().copied().map_err(|error| Evidence::new("the client's JWKS", error)),
    },
    Check {
        rule: &CERTIFICATE_REGISTERED,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let found = facts.certificate.as_ref().map_or("none", |certificate| certificate.thumbprint.as_str());
            let registered = facts.registered_certificates.iter().any(|own| constant_time_eq(own, found));
            holds(registered, format_args!("one of {}", joined(&facts.registered_certificates, ", ")), found)
        },
    },
];

/// Judged for `client_secret_basic`.
const SECRET_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &SECRET,
    error: ErrorCode::InvalidClient,
    test: |facts| {
        let registered = facts.client.as_ref().and_then(|client| client.secret.as_ref());
        let right = match (registered, &facts.basic) {
            (Some(Secret(registered)), Some((_, sent))) => constant_time_eq(registered, sent),
            _ => false,
        };
        holds(right, "the registered secret", "another one")
    },
}];

/// Judged last, unless the client registered a certificate of its own.
const ORGANISATION_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
    Check {
        rule: &CERTIFICATE_ANCHORED,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let anchored = facts.certificate.as_ref().is_none_or(|certificate| certificate.anchored);
            holds(anchored, "a certificate of a trusted authority", "one of another authority")
        },
    },
    Check {
        rule: &ORGANISATION_ACTIVE,
        error: ErrorCode::InvalidClient,
        test: |facts| holds(facts.suspended.is_none(), "Active", facts.suspended.as_deref().unwrap_or_default()),
    },
    Check {
        rule: &CERTIFICATE_OF_CLIENT,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let (Some(certificate), Some(client)) = (&facts.certificate, &facts.client) else { return Ok(()) };
            // A client that was configured without the Directory belongs to no organisation.
            let free = client.organisation_id.is_empty();
            let own = certificate.organisation_id == client.organisation_id;
            holds(free || own, &client.organisation_id, &certificate.organisation_id)
        },
    },
    Check {
        rule: &CERTIFICATE_OF_SOFTWARE,
        error: ErrorCode::InvalidClient,
        test: |facts| {
            let (Some(certificate), Some(client)) = (&facts.certificate, &facts.client) else { return Ok(()) };
            match &certificate.software_id {
                Some(found) if !client.software_id.is_empty() => {
                    holds(*found == client.software_id, &client.software_id, found)
                }
                _ => Ok(()),
            }
        },
    },
];

impl AuthenticationMethod {
    /// The tables of the method, in order.
    fn checks(self) -> &'static [&'static [Check<AuthenticationFacts, ErrorCode>]] {
        match self {
            Self::PrivateKeyJwt => &[ISSUER_CHECKS, KEY_CHECKS, ASSERTION_CHECKS, ORGANISATION_CHECKS],
            Self::ClientSecretJwt => &[ISSUER_CHECKS, ASSERTION_CHECKS, ORGANISATION_CHECKS],
            Self::TlsClientAuth => &[CERTIFICATE_CHECKS, ORGANISATION_CHECKS],
            Self::SelfSignedTlsClientAuth => &[SELF_SIGNED_CHECKS],
            Self::ClientSecretBasic => &[SECRET_CHECKS, ORGANISATION_CHECKS],
        }
    }
}

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
    /// The refusal of one of this module's rules, or a failure of the surroundings.
    pub async fn authenticate_client(
        &self,
        parameters: &Parameters,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Result<Authenticated, Failure> {
        let mut facts = self.authentication_facts(parameters, certificate, now).await?;
        let off = &self.profile.switched_off;
        let mut passed = judge(&facts, CHECKS, off)?;
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
        facts.suspended = facts.client.as_ref().and_then(|client| self.backend.suspended(&client.organisation_id));
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
