//! `/v2.1/organisation/{OrganisationId}/certificate`, and certificates of software statements.

use std::sync::Arc;

use http::StatusCode;
use openbanking::directory::{CertificateAssociation, CertificateRecords};
use transport::{Request, Response, reply};

use super::{Purpose, admit_own, json_body, ok, software_statements::named};
use crate::{
    Context,
    certification::{self, KNOWN, certify, record_of, shown},
    refusal::{DirectoryError, NOT_FOUND},
    registry::{below, certificates, software_statements},
};

/// `POST /{Kind}`: a certificate for a request.
pub(crate) async fn create(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let response = certify(&context, &mut progress, &record, &request).await?;
    Ok(progress.answer(response))
}

/// `GET`.
pub(crate) async fn list(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, progress) = admit_own(&context, &request, Purpose::Read).await?;
    let certificates = context.engine.backend().certificates(&record.organisation.organisation_id).await?;
    let keys = certificates.all.iter().map(|issued| record_of(&context.authority, issued)).collect();
    Ok(progress.answer(ok(&CertificateRecords { keys })))
}

/// `GET /kid/{Kid}`.
pub(crate) async fn read(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Read).await?;
    let kid = request.params.get("Kid").unwrap_or_default();
    let certificates = context.engine.backend().certificates(&record.organisation.organisation_id).await?;
    let issued = progress.need(certificates.get(kid), &KNOWN, NOT_FOUND, "a certificate of the organisation", kid)?;
    Ok(progress.answer(ok(&record_of(&context.authority, issued))))
}

/// `DELETE /kid/{Kid}`: revokes.
pub(crate) async fn revoke(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let kid = request.params.get("Kid").unwrap_or_default();
    certification::revoke(&context, &mut progress, &record.organisation.organisation_id, kid).await?;
    Ok(progress.answer(reply::empty(StatusCode::NO_CONTENT)))
}

/// `PUT .../software-statement/{SoftwareStatementId}/certificate/{Kind}/{Kid}`: puts a certificate of the organisation
/// into the key set of a software statement, or takes it out.
pub(crate) async fn associate(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let wanted: CertificateAssociation = json_body(&mut progress, &request)?;
    let (mut statement, statement_version) = named(&context, &mut progress, &record, &request).await?;
    let (kind, kid) = (request.params.get("Kind").unwrap_or_default(), request.params.get("Kid").unwrap_or_default());
    let organisation_id = &record.organisation.organisation_id;
    let found = certificates().get(context.store(), &below(organisation_id, kid)).await?;
    let found = found.filter(|(issued, _)| issued.kind.name() == kind && issued.revoked_at.is_none());
    let expected = format!("a certificate of the kind {kind} that is in use");
    let (mut issued, version) = progress.need(found, &KNOWN, NOT_FOUND, expected, kid)?;
    let software_id = statement.software_statement_id.clone();
    let key_ids = certification::key_ids(&mut statement, issued.kind);
    issued.associations.retain(|id| *id != software_id);
    key_ids.retain(|id| *id != issued.kid);
    if wanted.associate {
        issued.associations.push(software_id.clone());
        key_ids.push(issued.kid.clone());
    }
    let changes = vec![
        certificates().update(below(organisation_id, kid), version, &issued)?,
        software_statements().update(below(organisation_id, &software_id), statement_version, &statement)?,
    ];
    progress.commit(&context, changes).await?;
    Ok(progress.answer(ok(&shown(&context.authority, &issued)?)))
}
