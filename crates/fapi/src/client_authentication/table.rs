//! The rules of client authentication, the facts that they look at, and the tables in which they are judged.

use std::sync::Arc;

use jose::{
    JoseError, Jws,
    claims::{Audience, NumericDate},
    hash::constant_time_eq,
};
use rules::{Check, Evidence, holds, joined};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{ASSERTION_TYPE, LEEWAY};
use crate::{
    Client, ErrorCode, PresentedCertificate, Profile,
    client::{AuthenticationMethod, CertificateSubject, Secret},
    distinguished_name,
};

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
pub(super) struct AssertionClaims {
    pub(super) iss: Option<String>,
    pub(super) sub: String,
    pub(super) aud: Audience,
    pub(super) exp: NumericDate,
    pub(super) nbf: Option<NumericDate>,
    pub(super) iat: Option<NumericDate>,
    pub(super) jti: String,
}

/// What the rules of client authentication look at.
pub(super) struct AuthenticationFacts {
    pub(super) profile: Arc<Profile>,
    pub(super) now: OffsetDateTime,
    pub(super) certificate: Option<PresentedCertificate>,
    pub(super) assertion_type: Option<String>,
    pub(super) assertion: Option<Result<(Jws, AssertionClaims), JoseError>>,
    /// Client id and secret of the `Authorization` header.
    pub(super) basic: Option<(String, String)>,
    pub(super) parameter_client_id: Option<String>,
    pub(super) client: Option<Arc<Client>>,
    pub(super) keys: Result<(), String>,
    pub(super) signature: Result<(), JoseError>,
    /// `x5t#S256` of the certificates in the client's key set.
    pub(super) registered_certificates: Vec<String>,
    /// Why the client's organisation may not take part, if it may not.
    pub(super) suspended: Option<String>,
}

impl AuthenticationFacts {
    pub(super) fn claims(&self) -> Option<&AssertionClaims> {
        self.assertion.as_ref()?.as_ref().ok().map(|(_, claims)| claims)
    }

    /// The client that the credentials name.
    pub(super) fn named(&self) -> Option<&str> {
        match (self.claims(), &self.basic) {
            (Some(claims), _) => Some(&claims.sub),
            (None, Some((client_id, _))) => Some(client_id),
            (None, None) => self.parameter_client_id.as_deref(),
        }
    }

    pub(super) fn registered_method(&self) -> Option<AuthenticationMethod> {
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
pub(super) const CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[
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
const ALGORITHM_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
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
}];

/// Judged where the client's key set is looked at.
const KEY_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &CLIENT_KEYS_AVAILABLE,
    error: ErrorCode::TemporarilyUnavailable,
    test: |facts| facts.keys.as_ref().copied().map_err(|error| Evidence::new("the client's JWKS", error)),
}];

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
const SELF_SIGNED_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &CERTIFICATE_REGISTERED,
    error: ErrorCode::InvalidClient,
    test: |facts| {
        let found = facts.certificate.as_ref().map_or("none", |certificate| certificate.thumbprint.as_str());
        let registered = facts.registered_certificates.iter().any(|own| constant_time_eq(own, found));
        holds(registered, format_args!("one of {}", joined(&facts.registered_certificates, ", ")), found)
    },
}];

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

/// Judged of a certificate of the ecosystem; a client that registered one of its own has none.
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

/// Judged last, whatever the method.
const PARTICIPANT_CHECKS: &[Check<AuthenticationFacts, ErrorCode>] = &[Check {
    rule: &ORGANISATION_ACTIVE,
    error: ErrorCode::InvalidClient,
    test: |facts| holds(facts.suspended.is_none(), "Active", facts.suspended.as_deref().unwrap_or_default()),
}];

impl AuthenticationMethod {
    /// The tables of the method, in order.
    pub(super) fn checks(self) -> &'static [&'static [Check<AuthenticationFacts, ErrorCode>]] {
        match self {
            Self::PrivateKeyJwt => &[
                ISSUER_CHECKS,
                ALGORITHM_CHECKS,
                KEY_CHECKS,
                ASSERTION_CHECKS,
                ORGANISATION_CHECKS,
                PARTICIPANT_CHECKS,
            ],
            Self::ClientSecretJwt => &[ISSUER_CHECKS, ASSERTION_CHECKS, ORGANISATION_CHECKS, PARTICIPANT_CHECKS],
            Self::TlsClientAuth => &[CERTIFICATE_CHECKS, ORGANISATION_CHECKS, PARTICIPANT_CHECKS],
            Self::SelfSignedTlsClientAuth => &[KEY_CHECKS, SELF_SIGNED_CHECKS, PARTICIPANT_CHECKS],
            Self::ClientSecretBasic => &[SECRET_CHECKS, ORGANISATION_CHECKS, PARTICIPANT_CHECKS],
        }
    }
}
