//! The rules of registration, the facts that they look at, and the table in which they are judged.

use std::sync::Arc;

use jose::{JoseError, Jws, jwe};
use openbanking::{
    registration::RegistrationRequest,
    ssa::{self, OrganisationStatus, SoftwareStatementAssertion},
};
use rules::{Check, Evidence, holds, joined};
use time::OffsetDateTime;
use url::Url;
use uuid::{Uuid, fmt::Hyphenated};

use crate::{
    Client, ErrorCode, PresentedCertificate, Profile, client::AuthenticationMethod, client_authentication::LEEWAY,
    distinguished_name,
};

rules::catalogue! {
    /// Rules of the registration endpoint.
    pub RULES;
    CERTIFICATE_PRESENTED { id: "fapi.registration.certificate-presented",
        reason: "The TPP presents its certificate in the TLS handshake.", clause: "OB DCR 3.3, POST /register" }
    REQUEST_READABLE { id: "fapi.registration.request-readable",
        reason: "The request is a signed JWT with the mandatory claims.", clause: "OB DCR 3.3, data model" }
    STATEMENT_READABLE { id: "fapi.registration.statement-readable",
        reason: "The software_statement is a signed JWT with the claims of an SSA.", clause: "OB SSA 1.1" }
    STATEMENT_ALG { id: "fapi.registration.statement-alg",
        reason: "The software_statement is signed with PS256 or ES256.", clause: "OB SSA 1.1; FAPI 1.0 Part 2, 8.6-1" }
    DIRECTORY_KEYS { id: "fapi.registration.directory-keys-available",
        reason: "The Directory's key set can be read.", clause: "OB DCR 3.3, server checks" }
    STATEMENT_SIGNATURE { id: "fapi.registration.statement-signature",
        reason: "The signature of the software_statement is valid under a key of the Directory.", clause: "OB DCR 3.3, server checks; RFC 7591, 2.3" }
    STATEMENT_ISS { id: "fapi.registration.statement-iss",
        reason: "The software_statement was issued by the Directory.", clause: "OB SSA 1.1" }
    STATEMENT_AGE { id: "fapi.registration.statement-age",
        reason: "The software_statement is not older than this bank accepts, and not from the future.", clause: "OB DCR 3.3, server checks" }
    ORGANISATION_ACTIVE { id: "fapi.registration.organisation-active",
        reason: "The organisation of the software statement is active.", clause: "OB SSA 1.1, org_status" }
    REQUEST_ALG { id: "fapi.registration.request-alg",
        reason: "The request is signed with PS256 or ES256.", clause: "OB DCR 3.3, request header; FAPI 1.0 Part 2, 8.6-1" }
    SOFTWARE_KEYS { id: "fapi.registration.software-keys-available",
        reason: "The key set of the software statement can be read.", clause: "OB DCR 3.3, server checks" }
    REQUEST_SIGNATURE { id: "fapi.registration.request-signature",
        reason: "The signature of the request is valid under a key of the software statement.", clause: "OB DCR 3.3, server checks" }
    REQUEST_ISS { id: "fapi.registration.iss",
        reason: "The issuer of the request is the software_id of the software statement.", clause: "OB DCR 3.3, data model" }
    REQUEST_AUD { id: "fapi.registration.aud",
        reason: "The audience of the request is this bank: its organisation id or its issuer.", clause: "OB DCR 3.3, data model" }
    REQUEST_EXP { id: "fapi.registration.exp",
        reason: "The request has not expired and was not made in the future.", clause: "OB DCR 3.3, data model" }
    REQUEST_JTI_UUID { id: "fapi.registration.jti-uuid",
        reason: "The jti of the request is a UUID, in small or capital letters.", clause: "OB DCR 3.2 to 3.4, data model" }
    REQUEST_JTI { id: "fapi.registration.jti",
        reason: "The jti of the request was not used before.", clause: "OB DCR 3.3, data model" }
    CERTIFICATE_ANCHORED { id: "fapi.registration.certificate-anchored",
        reason: "The certificate leads to an authority that this server trusts: what another one says of the TPP counts for nothing.", clause: "OB DCR 3.3, server checks; RFC 8705, 2.1" }
    CERTIFICATE_OF_ORGANISATION { id: "fapi.registration.certificate-of-organisation",
        reason: "The certificate belongs to the organisation of the software statement.", clause: "OB DCR 3.3, server checks" }
    CERTIFICATE_OF_SOFTWARE { id: "fapi.registration.certificate-of-software",
        reason: "A certificate that names one software names that of the software statement.", clause: "OB Directory, certificate profiles (OBTransport); OB DCR 3.3, server checks" }
    SOFTWARE_ID_SAME { id: "fapi.registration.software-id",
        reason: "A software_id in the request is the one of the software statement.", clause: "OB DCR 3.3, data model" }
    REDIRECT_URIS_PRESENT { id: "fapi.registration.redirect-uris-present",
        reason: "The request names at least one redirect URI.", clause: "OB DCR 3.3, data model" }
    REDIRECT_URIS_HTTPS { id: "fapi.registration.redirect-uris-https",
        reason: "Redirect URIs are https, without fragment, of at most 256 characters.", clause: "OB DCR 3.3, data model; FAPI 1.0 Part 1, 5.2.2-20" }
    REDIRECT_URIS_IN_STATEMENT { id: "fapi.registration.redirect-uris-in-statement",
        reason: "Redirect URIs are among those of the software statement.", clause: "OB DCR 3.3, data model" }
    AUTHENTICATION_METHOD { id: "fapi.registration.authentication-method",
        reason: "The token_endpoint_auth_method is one that this server has.", clause: "FAPI 1.0 Part 2, 5.2.2-14" }
    ALGORITHMS { id: "fapi.registration.algorithms",
        reason: "Signature algorithms are ones that this server has.", clause: "FAPI 1.0 Part 2, 8.6-1" }
    GRANT_TYPES { id: "fapi.registration.grant-types",
        reason: "Grant types are ones that this server has.", clause: "OB DCR 3.3, data model" }
    RESPONSE_TYPES { id: "fapi.registration.response-types",
        reason: "Response types are ones that this server has.", clause: "OB DCR 3.3, data model" }
    SCOPE { id: "fapi.registration.scope",
        reason: "Scopes are ones that this server has and that the roles of the software statement open.", clause: "OB DCR 3.3, server checks" }
    TLS_SUBJECT { id: "fapi.registration.tls-client-auth-subject-dn",
        reason: "tls_client_auth_subject_dn is a distinguished name, and there with tls_client_auth only.", clause: "RFC 8705, 2.1.2; OB DCR 3.3, data model" }
    ENCRYPTION { id: "fapi.registration.encryption",
        reason: "Encryption of id_tokens is RSA-OAEP-256 with A256GCM, where this server has it.", clause: "OpenID Connect Registration, 2" }
    ENCRYPTION_KEY { id: "fapi.registration.encryption-key",
        reason: "A client whose id_tokens are to be encrypted has an RSA key for encryption in its key set.", clause: "OpenID Connect Core, 10.2; OpenID Connect Registration, 2" }
    CLIENT_ID_SAME { id: "fapi.registration.client-id",
        reason: "A client_id in a changed registration is the one that it had.", clause: "RFC 7592, 2.2" }
    SAME_SOFTWARE { id: "fapi.registration.same-software",
        reason: "A changed registration is for the same software statement.", clause: "OB DCR 3.3, PUT /register/{ClientId}" }
    APPLICATION_TYPE { id: "fapi.registration.application-type",
        reason: "The application_type is web, mobile or native.", clause: "OB DCR 3.2 to 3.4, data model" }
}

/// What the rules of registration look at.
pub(super) struct RegistrationFacts {
    pub(super) profile: Arc<Profile>,
    /// The client that is to be changed; none when a new one registers.
    pub(super) before: Option<Client>,
    pub(super) now: OffsetDateTime,
    pub(super) certificate: Option<PresentedCertificate>,
    pub(super) request: Result<(Jws, RegistrationRequest), JoseError>,
    pub(super) request_keys: Result<(), String>,
    pub(super) request_signature: Result<(), JoseError>,
    /// Whether the software statement's key set has a key to encrypt for.
    pub(super) encryption_key: bool,
    pub(super) statement: Option<Result<(Jws, SoftwareStatementAssertion), JoseError>>,
    pub(super) statement_keys: Result<(), String>,
    pub(super) statement_signature: Result<(), JoseError>,
}

/// Most characters of `tls_client_auth_subject_dn` (OB DCR 3.4, data model).
const LONGEST_NAME: usize = 512;

/// What a test answers.
type Tested = Result<(), Evidence>;

impl RegistrationFacts {
    fn on_request(&self, test: impl FnOnce(&RegistrationRequest) -> Tested) -> Tested {
        match &self.request {
            Ok((_, request)) => test(request),
            Err(_) => Err(Evidence::missing("a readable request")),
        }
    }

    fn on_statement(&self, test: impl FnOnce(&SoftwareStatementAssertion) -> Tested) -> Tested {
        match &self.statement {
            Some(Ok((_, statement))) => test(statement),
            _ => Err(Evidence::missing("a readable software_statement")),
        }
    }

    fn on_both(&self, test: impl FnOnce(&RegistrationRequest, &SoftwareStatementAssertion) -> Tested) -> Tested {
        self.on_request(|request| self.on_statement(|statement| test(request, statement)))
    }

    fn alg(&self, jws: &Jws) -> Tested {
        let known: Vec<&str> = self.profile.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
        let found = jws.header().alg.as_str();
        holds(known.contains(&found), joined(&known, " or "), found)
    }
}

fn readable<T>(token: &Result<T, JoseError>) -> Tested {
    token.as_ref().map(|_| ()).map_err(|error| Evidence::new(error.expected(), error.found()))
}

fn available(keys: &Result<(), String>, of: &str) -> Tested {
    keys.as_ref().copied().map_err(|error| Evidence::new(format!("the key set of {of}"), error))
}

/// Every value is one of the known ones.
fn among<'a>(found: impl IntoIterator<Item = &'a str>, known: &[&str]) -> Tested {
    match found.into_iter().find(|value| !known.contains(value)) {
        Some(stranger) => Err(Evidence::new(format!("among {}", known.join(", ")), stranger)),
        None => Ok(()),
    }
}

/// Judged in this order.
pub(super) const CHECKS: &[Check<RegistrationFacts, ErrorCode>] = &[
    Check {
        rule: &CERTIFICATE_PRESENTED,
        error: ErrorCode::InvalidClient,
        test: |facts| holds(facts.certificate.is_some(), "a client certificate", "none"),
    },
    Check { rule: &REQUEST_READABLE, error: ErrorCode::InvalidClientMetadata, test: |facts| readable(&facts.request) },
    Check {
        rule: &STATEMENT_READABLE,
        error: ErrorCode::InvalidSoftwareStatement,
        test: |facts| match &facts.statement {
            Some(statement) => readable(statement),
            None => Err(Evidence::missing("software_statement")),
        },
    },
    Check {
        rule: &STATEMENT_ALG,
        error: ErrorCode::InvalidSoftwareStatement,
        test: |facts| match &facts.statement {
            Some(Ok((jws, _))) => facts.alg(jws),
            _ => Ok(()),
        },
    },
    Check {
        rule: &DIRECTORY_KEYS,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| available(&facts.statement_keys, "the Directory"),
    },
    Check {
        rule: &STATEMENT_SIGNATURE,
        error: ErrorCode::InvalidSoftwareStatement,
        test: |facts| readable(&facts.statement_signature),
    },
    Check {
        rule: &STATEMENT_ISS,
        error: ErrorCode::InvalidSoftwareStatement,
        test: |facts| facts.on_statement(|statement| holds(statement.iss == ssa::ISSUER, ssa::ISSUER, &statement.iss)),
    },
    Check {
        rule: &STATEMENT_AGE,
        error: ErrorCode::InvalidSoftwareStatement,
        test: |facts| {
            facts.on_statement(|statement| {
                let (made, oldest) =
                    (OffsetDateTime::from(statement.iat), facts.now - facts.profile.software_statement_age);
                holds(
                    made >= oldest && made <= facts.now + LEEWAY,
                    format_args!("iat between {oldest} and {}", facts.now),
                    made,
                )
            })
        },
    },
    Check {
        rule: &ORGANISATION_ACTIVE,
        error: ErrorCode::UnapprovedSoftwareStatement,
        test: |facts| {
            facts.on_statement(|statement| {
                let status = statement.metadata.org_status;
                holds(status == OrganisationStatus::Active, "org_status Active", format_args!("{status:?}"))
            })
        },
    },
    Check {
        rule: &REQUEST_ALG,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| match &facts.request {
            Ok((jws, _)) => facts.alg(jws),
            Err(_) => Ok(()),
        },
    },
    Check {
        rule: &SOFTWARE_KEYS,
        error: ErrorCode::TemporarilyUnavailable,
        test: |facts| available(&facts.request_keys, "the software statement"),
    },
    Check {
        rule: &REQUEST_SIGNATURE,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| readable(&facts.request_signature),
    },
    Check {
        rule: &REQUEST_ISS,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_both(|request, statement| {
                holds(request.iss == statement.metadata.software_id, &statement.metadata.software_id, &request.iss)
            })
        },
    },
    Check {
        rule: &REQUEST_AUD,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let (id, issuer) = (&facts.profile.organisation_id, &facts.profile.issuer);
                let meant = request.aud.contains(id) || request.aud.contains(issuer);
                holds(meant, format_args!("{id} or {issuer}"), &request.aud)
            })
        },
    },
    Check {
        rule: &REQUEST_EXP,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let (made, ends) = (OffsetDateTime::from(request.iat), OffsetDateTime::from(request.exp));
                holds(ends > facts.now - LEEWAY, format_args!("exp after {}", facts.now), ends)?;
                holds(made <= facts.now + LEEWAY, format_args!("iat at most {}", facts.now), made)?;
                let begins = request.nbf.map_or(made, OffsetDateTime::from);
                holds(begins <= facts.now + LEEWAY, format_args!("nbf at most {}", facts.now), begins)
            })
        },
    },
    Check {
        rule: &REQUEST_JTI_UUID,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let hyphenated = request.jti.len() == Hyphenated::LENGTH && Uuid::try_parse(&request.jti).is_ok();
                holds(hyphenated, "a UUID in five groups", &request.jti)
            })
        },
    },
    Check {
        rule: &CERTIFICATE_ANCHORED,
        error: ErrorCode::UnapprovedSoftwareStatement,
        test: |facts| {
            // That there is none is for an earlier rule to say.
            let anchored = facts.certificate.as_ref().is_none_or(|certificate| certificate.anchored);
            holds(anchored, "a certificate of a trusted authority", "one of another authority")
        },
    },
    Check {
        rule: &CERTIFICATE_OF_ORGANISATION,
        error: ErrorCode::UnapprovedSoftwareStatement,
        test: |facts| {
            // That there is none is for an earlier rule to say.
            let Some(certificate) = &facts.certificate else { return Ok(()) };
            facts.on_statement(|statement| {
                let (expected, found) = (&statement.metadata.org_id, &certificate.organisation_id);
                holds(found == expected, expected, found)
            })
        },
    },
    Check {
        rule: &CERTIFICATE_OF_SOFTWARE,
        error: ErrorCode::UnapprovedSoftwareStatement,
        test: |facts| {
            facts.on_statement(|statement| {
                let expected = &statement.metadata.software_id;
                match facts.certificate.as_ref().and_then(|certificate| certificate.software_id.as_ref()) {
                    Some(found) => holds(found == expected, expected, found),
                    None => Ok(()),
                }
            })
        },
    },
    Check {
        rule: &SOFTWARE_ID_SAME,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_both(|request, statement| match &request.software_id {
                Some(found) => holds(*found == statement.metadata.software_id, &statement.metadata.software_id, found),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &REDIRECT_URIS_PRESENT,
        error: ErrorCode::InvalidRedirectUri,
        test: |facts| facts.on_request(|request| holds(!request.redirect_uris.is_empty(), "redirect_uris", "none")),
    },
    Check {
        rule: &REDIRECT_URIS_HTTPS,
        error: ErrorCode::InvalidRedirectUri,
        test: |facts| {
            facts.on_request(|request| {
                let wrong = request.redirect_uris.iter().find(|uri| {
                    let parsed = Url::parse(uri);
                    uri.len() > 256 || !parsed.is_ok_and(|url| url.scheme() == "https" && url.fragment().is_none())
                });
                wrong.map_or(Ok(()), |uri| Err(Evidence::new("https URIs without fragment", uri)))
            })
        },
    },
    Check {
        rule: &REDIRECT_URIS_IN_STATEMENT,
        error: ErrorCode::InvalidRedirectUri,
        test: |facts| {
            facts.on_both(|request, statement| {
                let known: Vec<&str> = statement.metadata.software_redirect_uris.iter().map(String::as_str).collect();
                among(request.redirect_uris.iter().map(String::as_str), &known)
            })
        },
    },
    Check {
        rule: &AUTHENTICATION_METHOD,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let known: Vec<&str> =
                    facts.profile.authentication_methods.iter().map(|method| method.as_str()).collect();
                among([request.token_endpoint_auth_method.as_str()], &known)
            })
        },
    },
    Check {
        rule: &ALGORITHMS,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let known: Vec<&str> = facts.profile.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
                let found = [&request.id_token_signed_response_alg, &request.request_object_signing_alg];
                among(found.into_iter().map(String::as_str), &known)?;
                among(request.authorization_signed_response_alg.as_deref(), &known)?;
                let shared = request.token_endpoint_auth_method == AuthenticationMethod::ClientSecretJwt.as_str();
                let known = if shared { vec![jose::SHARED_SECRET_ALGORITHM] } else { known };
                among(request.token_endpoint_auth_signing_alg.as_deref(), &known)
            })
        },
    },
    Check {
        rule: &GRANT_TYPES,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                holds(!request.grant_types.is_empty(), "grant_types", "none")?;
                among(request.grant_types.iter().map(String::as_str), &facts.profile.grant_types)
            })
        },
    },
    Check {
        rule: &RESPONSE_TYPES,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                among(request.response_types.iter().map(String::as_str), &facts.profile.response_types)
            })
        },
    },
    Check {
        rule: &SCOPE,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_both(|request, statement| {
                let opened: Vec<&str> =
                    statement.metadata.software_roles.iter().filter_map(|role| role.scope()).collect();
                let known: Vec<&str> = facts
                    .profile
                    .scopes
                    .iter()
                    .map(String::as_str)
                    .filter(|scope| *scope == "openid" || opened.contains(scope))
                    .collect();
                // One space between two (RFC 6749, 3.3): the answer repeats what was sent.
                among(request.scope.split(' ').filter(|_| !request.scope.is_empty()), &known)
            })
        },
    },
    Check {
        rule: &TLS_SUBJECT,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let needed = request.token_endpoint_auth_method == AuthenticationMethod::TlsClientAuth.as_str();
                match &request.tls_client_auth_subject_dn {
                    Some(name) if needed => {
                        let fits = name.chars().count() <= LONGEST_NAME && distinguished_name::readable(name);
                        holds(fits, format_args!("a distinguished name of at most {LONGEST_NAME} characters"), name)
                    }
                    Some(_) => Err(Evidence::new("none", "tls_client_auth_subject_dn")),
                    None => holds(!needed, "tls_client_auth_subject_dn", "nothing"),
                }
            })
        },
    },
    Check {
        rule: &ENCRYPTION,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                for (name, found, only) in [
                    ("id_token_encrypted_response_alg", &request.id_token_encrypted_response_alg, jwe::ALG),
                    ("id_token_encrypted_response_enc", &request.id_token_encrypted_response_enc, jwe::ENC),
                ] {
                    if let Some(found) = found {
                        let right = facts.profile.encryption && found == only;
                        holds(right, format_args!("{name} {only}, or none"), found)?;
                    }
                }
                let alone = request.id_token_encrypted_response_alg.is_none();
                match &request.id_token_encrypted_response_enc {
                    Some(enc) if alone => Err(Evidence::new("id_token_encrypted_response_alg beside it", enc)),
                    _ => Ok(()),
                }
            })
        },
    },
    Check {
        rule: &ENCRYPTION_KEY,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| {
                let needed = request.id_token_encrypted_response_alg.is_some();
                holds(!needed || facts.encryption_key, "an RSA key with use enc in the key set", "none")
            })
        },
    },
    Check {
        rule: &CLIENT_ID_SAME,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| match (&facts.before, request.other.get("client_id")) {
                (Some(before), Some(found)) => holds(found == &before.client_id, &before.client_id, found),
                _ => Ok(()),
            })
        },
    },
    Check {
        rule: &SAME_SOFTWARE,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| match &facts.before {
            None => Ok(()),
            Some(before) => facts.on_statement(|statement| {
                let found = &statement.metadata.software_id;
                holds(*found == before.software_id, &before.software_id, found)
            }),
        },
    },
    Check {
        rule: &APPLICATION_TYPE,
        error: ErrorCode::InvalidClientMetadata,
        test: |facts| {
            facts.on_request(|request| among([request.application_type.as_str()], &["web", "mobile", "native"]))
        },
    },
];
