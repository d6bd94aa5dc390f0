//! `/v2.1/organisation`.

use std::sync::Arc;

use openbanking::directory::{EnrolmentRequest, Organisation, OrganisationState};
use openbanking::ssa::OrganisationStatus;
use transport::{Request, Response};

use super::{ORGANISATION_KNOWN, Purpose, admit, admit_own, created, json_body, ok, organisation};
use crate::{
    Context, EnrolmentPolicy,
    enrolment::{POLICY, add},
    progress::Progress,
    refusal::{DirectoryError, FORBIDDEN, NOT_FOUND},
    registry::{self, OrganisationRecord, organisations},
};

/// `GET /v2.1/organisation`.
pub(crate) async fn list(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (_, progress) = admit(&context, &request, Purpose::Read).await?;
    let all: Vec<Organisation> =
        registry::all(context.store(), organisations()).await?.into_iter().map(|record| record.organisation).collect();
    Ok(progress.answer(ok(&all)))
}

/// `POST /v2.1/organisation`: makes an organisation known. Where enrolment is not open, its operator does that.
pub(crate) async fn create(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (_, mut progress) = admit(&context, &request, Purpose::Manage).await?;
    let asked: EnrolmentRequest = json_body(&mut progress, &request)?;
    let policy = context.policy;
    let open = policy == EnrolmentPolicy::Open;
    progress.demand(open, &POLICY, FORBIDDEN, "open enrolment", format_args!("{policy:?}"))?;
    let record = add(&context, &mut progress, &asked).await?;
    Ok(progress.answer(created(&record.organisation)))
}

/// `GET /v2.1/organisation/{OrganisationId}`.
pub(crate) async fn read(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (_, mut progress) = admit(&context, &request, Purpose::Read).await?;
    let id = request.params.get("OrganisationId").unwrap_or_default();
    let record = organisation(&context, &mut progress, id).await?;
    Ok(progress.answer(ok(&record.organisation)))
}

/// `PUT /v2.1/organisation/{OrganisationId}`: an organisation changes its own status. Nobody comes back that way.
pub(crate) async fn change(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let state: OrganisationState = json_body(&mut progress, &request)?;
    let record = set_status(&context, &mut progress, &record.organisation.organisation_id, state.status).await?;
    Ok(progress.answer(ok(&record.organisation)))
}

/// Gives an organisation a status; it counts from the next request.
pub(crate) async fn set_status(
    context: &Context,
    progress: &mut Progress<'_>,
    id: &str,
    status: OrganisationStatus,
) -> Result<OrganisationRecord, DirectoryError> {
    edit(context, progress, id, |record| record.organisation.status = status).await
}

/// Changes the record of an organisation.
pub(crate) async fn edit(
    context: &Context,
    progress: &mut Progress<'_>,
    id: &str,
    change: impl FnOnce(&mut OrganisationRecord),
) -> Result<OrganisationRecord, DirectoryError> {
    let found = if id.is_empty() { None } else { organisations().get(context.store(), id).await? };
    let (mut record, version) = progress.need(found, &ORGANISATION_KNOWN, NOT_FOUND, "an organisation", id)?;
    change(&mut record);
    record.organisation.modified_at = Some(context.tools.clock.now());
    let update = organisations().update(id, version, &record)?;
    progress.commit(context, vec![update]).await?;
    Ok(record)
}
