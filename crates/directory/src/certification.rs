//! From a certificate request to a certificate (OB certificate profiles, OBWAC and OBSeal), and from a certificate to the
//! list of revoked ones.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use jose::Jwk;
use openbanking::{
    directory::{CertificateKind, CertificateRecord, JWK, PEM, SoftwareStatement},
    ssa::OrganisationStatus,
};
use party::participant::psp_role;
use pki::{Authority, Certificate, Participant, Profile, PspRole, QcType, Revoked, SigningRequest};
use rules::{Check, Evidence, holds, joined};
use store::Store;
use time::{Duration, OffsetDateTime};
use transport::{ClientCertificates, Request, Response, reply};

use crate::{
    Context,
    issued::Issued,
    progress::Progress,
    refusal::{CONFLICT, DirectoryError, FORBIDDEN, INVALID, MEDIA_TYPE, NOT_FOUND, Wire},
    registry::{self, IssuedCertificate, OrganisationRecord, below, certificates, software_statements},
};

rules::catalogue! {
    /// Rules of certificate requests.
    pub RULES;
    MEDIA { id: "directory.certificate.media-type",
        reason: "A certificate request is sent as application/x-pem-file.", clause: "OB Directory API 2.1, certificate" }
    KIND { id: "directory.certificate.kind",
        reason: "The kind of certificate is one that the Directory issues: obwac, obseal or server.", clause: "OB Directory API 2.1, certificate" }
    READABLE { id: "directory.certificate.request-readable",
        reason: "The body is a PKCS#10 request for an RSA key of 2048 bits or more, signed with that key.", clause: "RFC 2986; OB certificate profiles" }
    ACTIVE { id: "directory.certificate.organisation-active",
        reason: "The organisation is active.", clause: "OB Directory, participant status" }
    SUBJECT { id: "directory.certificate.subject",
        reason: "The subject of the request names the organisation as the Directory knows it.", clause: "OB certificate profiles, Subject" }
    STATEMENTS { id: "directory.certificate.qc-statements",
        reason: "The QCStatements of the request name the kind of certificate and the organisation's roles.", clause: "ETSI TS 119 495, 5.1" }
    NAMES { id: "directory.certificate.server-names",
        reason: "A request for a server certificate has at least one DNS name or IP address.", clause: "RFC 6125, 6.4" }
    NEW_KEY { id: "directory.certificate.key-new",
        reason: "A key has one certificate: the organisation asked for none of another kind for it, and none for it was revoked.", clause: "OB certificate profiles, key usage" }
    KNOWN { id: "directory.certificate.known",
        reason: "The organisation has a certificate with this kid.", clause: "OB Directory API 2.1, certificate" }
}

/// A certificate that ends within this time is renewed when its key is sent again.
const RENEWAL: Duration = Duration::days(30);

/// A certificate request that was read, and whose it is.
struct Asked<'a> {
    kind: CertificateKind,
    request: &'a SigningRequest,
    participant: &'a Participant,
}

/// The kind of certificate as the QCStatements name it; none for a server's.
fn qc_type(kind: CertificateKind) -> Option<QcType> {
    match kind {
        CertificateKind::Obwac | CertificateKind::Obtransport => Some(QcType::Web),
        CertificateKind::Obseal | CertificateKind::Obsigning => Some(QcType::Seal),
        CertificateKind::Server => None,
    }
}

/// What a request for a participant's certificate must say.
fn participant_checks<'a>() -> [Check<Asked<'a>, Wire>; 2] {
    [
        Check { rule: &SUBJECT, error: INVALID, test: |asked| subject(asked.request, asked.participant) },
        Check { rule: &STATEMENTS, error: INVALID, test: |asked| statements(asked) },
    ]
}

/// What a request for a server's certificate must say.
fn server_checks<'a>() -> [Check<Asked<'a>, Wire>; 1] {
    [Check {
        rule: &NAMES,
        error: INVALID,
        test: |asked| holds(!asked.request.names.is_empty(), "a DNS name or IP address", "none"),
    }]
}

fn subject(asked: &SigningRequest, participant: &Participant) -> Result<(), Evidence> {
    for (expected, found) in [
        (&participant.organisation_id, &asked.common_name),
        (&participant.organisation_identifier, &asked.organisation_identifier),
        (&participant.legal_name, &asked.organisation),
    ] {
        let told = found.as_deref().unwrap_or("nothing");
        holds(found.as_ref() == Some(expected), expected, told)?;
    }
    Ok(())
}

fn statements(asked: &Asked<'_>) -> Result<(), Evidence> {
    let in_order = |roles: &[PspRole]| {
        let mut names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        names.sort_unstable();
        names
    };
    let (wanted, roles) = (qc_type(asked.kind), in_order(&asked.participant.roles));
    let shown = |qc_type: Option<QcType>| qc_type.map_or_else(|| "no type".to_owned(), |known| format!("{known:?}"));
    let Some(statements) = &asked.request.qc_statements else {
        let expected = format!("{} with {}", shown(wanted), joined(&roles, ", "));
        return Err(Evidence::new(expected, "no QCStatements"));
    };
    let found = in_order(&statements.roles);
    let (qc_type, same) = (statements.qc_type, found == roles && statements.qc_type == wanted);
    if same {
        return Ok(());
    }
    let told = |qc_type, roles: &[&str]| format!("{} with {}", shown(qc_type), joined(roles, ", "));
    Err(Evidence::new(told(wanted, &roles), told(qc_type, &found)))
}

/// The kind of certificate that is asked for, and what the organisation has for the same key.
struct Before<'a> {
    kind: CertificateKind,
    issued: Option<&'a IssuedCertificate>,
}

fn new_key_check<'a>() -> Check<Before<'a>, Wire> {
    Check {
        rule: &NEW_KEY,
        error: CONFLICT,
        test: |Before { kind, issued }| {
            let Some(issued) = issued else { return Ok(()) };
            let revoked = if issued.revoked_at.is_some() { "revoked " } else { "" };
            holds(
                issued.kind == *kind && issued.revoked_at.is_none(),
                format_args!("a new key or one with {kind}"),
                format_args!("one with {revoked}{}", issued.kind),
            )
        },
    }
}

/// Answers a request for a certificate of the organisation.
///
/// # Errors
/// A rule of this module refused, or the store failed.
pub(crate) async fn certify(
    context: &Context,
    progress: &mut Progress<'_>,
    record: &OrganisationRecord,
    request: &Request,
) -> Result<Response, DirectoryError> {
    let named = request.params.get("Kind").unwrap_or_default();
    let kind = named
        .parse::<CertificateKind>()
        .ok()
        .filter(|kind| !matches!(kind, CertificateKind::Obtransport | CertificateKind::Obsigning));
    let kind = progress.need(kind, &KIND, INVALID, "obwac, obseal or server", named)?;
    let found = request.content_type().unwrap_or("none");
    progress.demand(found.eq_ignore_ascii_case(PEM), &MEDIA, MEDIA_TYPE, PEM, found)?;
    let status = record.organisation.status;
    let active = status == OrganisationStatus::Active;
    progress.demand(active, &ACTIVE, FORBIDDEN, "Active", format_args!("{status:?}"))?;
    let read = SigningRequest::parse(&request.body).map_err(|error| error.to_string()).and_then(|asked| {
        let jwk = Jwk::from_rsa_public_der(&asked.public_key_der).map_err(|error| error.to_string())?;
        Ok((asked, jwk))
    });
    let (asked, mut jwk) = progress.read(read, &READABLE, INVALID, "a PKCS#10 request for an RSA key")?;
    let profile = profile(progress, kind, record, &asked)?;
    let kid = jwk.thumbprint();
    let now = context.tools.clock.true_now();
    let organisation_id = &record.organisation.organisation_id;
    let key = below(organisation_id, &kid);
    let before = certificates().get(context.store(), &key).await?;
    let issued_before = before.as_ref().map(|(issued, _)| issued);
    progress.judge(&Before { kind, issued: issued_before }, &[new_key_check()])?;
    if let Some(issued) = issued_before
        && issued.not_after > now + RENEWAL
    {
        // The answer to an earlier request was lost: the same request gets the same certificate.
        let body = serde_json::to_vec(&shown(&context.authority, issued)?)?;
        return Ok(reply::bytes(StatusCode::OK, JWK, body));
    }
    let certificate = context.authority.issue(&asked.public_key_der, &profile, context.tools.chance.bytes(), now)?;
    let issued = IssuedCertificate {
        kid: kid.clone(),
        kind,
        organisation_id: organisation_id.clone(),
        pem: certificate.pem(),
        serial: certificate.facts().serial.clone(),
        not_after: certificate.facts().not_after,
        revoked_at: None,
        associations: before.as_ref().map(|(issued, _)| issued.associations.clone()).unwrap_or_default(),
    };
    let change = match before {
        Some((_, version)) => certificates().update(key, version, &issued)?,
        None => certificates().insert(key, &issued)?,
    };
    progress.commit(context, vec![change]).await?;
    jwk.kid = Some(kid);
    let body = serde_json::to_vec(&answer(&context.authority, &issued, &certificate, &jwk))?;
    Ok(reply::bytes(StatusCode::CREATED, JWK, body))
}

/// What the certificate will say; the request must say the same.
fn profile(
    progress: &mut Progress<'_>,
    kind: CertificateKind,
    record: &OrganisationRecord,
    request: &SigningRequest,
) -> Result<Profile, DirectoryError> {
    let participant = Participant {
        organisation_identifier: record.organisation_identifier(),
        organisation_id: record.organisation.organisation_id.clone(),
        legal_name: record.legal_name.clone(),
        roles: record.organisation.roles().into_iter().map(psp_role).collect(),
    };
    let asked = Asked { kind, request, participant: &participant };
    match qc_type(kind) {
        None => progress.judge(&asked, &server_checks())?,
        Some(_) => progress.judge(&asked, &participant_checks())?,
    }
    Ok(match qc_type(kind) {
        None => Profile::Server { names: request.names.clone() },
        Some(QcType::Seal) => Profile::Obseal(participant),
        Some(_) => Profile::Obwac(participant),
    })
}

fn answer(
    authority: &Authority,
    issued: &IssuedCertificate,
    certificate: &Certificate,
    jwk: &Jwk,
) -> CertificateRecord {
    CertificateRecord {
        kid: issued.kid.clone(),
        kind: issued.kind,
        organisation_id: issued.organisation_id.clone(),
        associations: issued.associations.clone(),
        status: if issued.revoked_at.is_some() { "Revoked" } else { "Active" }.to_owned(),
        expires_at: Some(issued.not_after),
        kty: jwk.kty.clone(),
        key_use: issued.kind.key_use().map(str::to_owned),
        n: jwk.n.clone(),
        e: jwk.e.clone(),
        x5c: vec![certificate.x5c(), STANDARD.encode(authority.issuing().der())],
        x5t: None,
        x5t_s256: Some(certificate.facts().thumbprint_s256.clone()),
        x5u: None,
    }
}

/// A certificate as the API shows it.
pub(crate) fn record_of(authority: &Authority, issued: &Issued) -> CertificateRecord {
    answer(authority, &issued.record, &issued.certificate, &issued.jwk)
}

/// A certificate that has just been read or written, as the API shows it.
///
/// # Errors
/// The kept certificate cannot be read.
pub(crate) fn shown(authority: &Authority, issued: &IssuedCertificate) -> Result<CertificateRecord, DirectoryError> {
    Ok(record_of(authority, &Issued::parsed(issued.clone())?))
}

/// Revokes a certificate: it leaves the key sets and the software statements and enters the list. Here it counts from
/// the next request.
///
/// # Errors
/// There is no such certificate, or the store failed.
pub(crate) async fn revoke(
    context: &Context,
    progress: &mut Progress<'_>,
    organisation_id: &str,
    kid: &str,
) -> Result<(), DirectoryError> {
    set_revoked(context, progress, organisation_id, kid, Some(context.tools.clock.true_now())).await
}

/// Takes a revocation back: the certificate counts again, and is in the key sets that it was in. A real authority can
/// only do so with a certificate that it has put on hold (RFC 5280, 5.3.1).
///
/// # Errors
/// There is no such certificate, or the store failed.
pub(crate) async fn reinstate(
    context: &Context,
    progress: &mut Progress<'_>,
    organisation_id: &str,
    kid: &str,
) -> Result<(), DirectoryError> {
    set_revoked(context, progress, organisation_id, kid, None).await
}

async fn set_revoked(
    context: &Context,
    progress: &mut Progress<'_>,
    organisation_id: &str,
    kid: &str,
    revoked_at: Option<OffsetDateTime>,
) -> Result<(), DirectoryError> {
    let key = below(organisation_id, kid);
    let found = certificates().get(context.store(), &key).await?;
    let (mut issued, version) = progress.need(found, &KNOWN, NOT_FOUND, "a certificate of the organisation", kid)?;
    if issued.revoked_at.is_some() != revoked_at.is_some() {
        issued.revoked_at = revoked_at;
        let mut changes = vec![certificates().update(key, version, &issued)?];
        for software in &issued.associations {
            let key = below(organisation_id, software);
            if let Some((mut statement, version)) = software_statements().get(context.store(), &key).await? {
                statement.signing_key_ids.retain(|id| id != kid);
                statement.transport_key_ids.retain(|id| id != kid);
                if revoked_at.is_none() {
                    key_ids(&mut statement, issued.kind).push(kid.to_owned());
                }
                changes.push(software_statements().update(key, version, &statement)?);
            }
        }
        progress.commit(context, changes).await?;
    }
    // One at a time: a list that was made earlier does not replace one that was made later.
    let mut published = context.revocations.lock().await;
    let list = revocations(context.store(), &context.authority, context.tools.clock.true_now()).await?;
    let anchors = std::slice::from_ref(context.authority.root());
    context.tls.replace(&context.server, ClientCertificates::Anchored(anchors), &[list.to_vec()])?;
    *published = list;
    Ok(())
}

/// Where a software statement has the keys of certificates of this kind.
pub(crate) fn key_ids(statement: &mut SoftwareStatement, kind: CertificateKind) -> &mut Vec<String> {
    match kind.key_use() {
        Some("tls") => &mut statement.transport_key_ids,
        _ => &mut statement.signing_key_ids,
    }
}

/// The list of revoked certificates, DER.
///
/// # Errors
/// The store failed, or the list cannot be signed.
pub(crate) async fn revocations(
    store: &dyn Store,
    authority: &Authority,
    now: OffsetDateTime,
) -> Result<Bytes, DirectoryError> {
    let issued = registry::all(store, certificates()).await?;
    let revoked: Vec<Revoked> = issued
        .into_iter()
        .filter_map(|certificate| Some(Revoked { at: certificate.revoked_at?, serial: certificate.serial }))
        .collect();
    let number = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Ok(authority.crl(&revoked, number, now)?.into())
}
