//! Authorisation servers: banks say where they are, TPPs ask. The list of all is this Directory's own addition.

use std::{collections::HashSet, sync::Arc};

use openbanking::{
    directory::{AuthorisationServer, AuthorisationServerRequest},
    ssa::{OrganisationStatus, Role},
};
use rules::{Check, Evidence, holds};
use transport::{Request, Response};
use url::Url;

use super::{Described, Purpose, SERVER_DETAILS, SERVER_KNOWN, admit, admit_own, created, json_body, ok, plain};
use crate::{
    Context,
    progress::Progress,
    refusal::{DirectoryError, INVALID, NOT_FOUND, Wire},
    registry::{self, OrganisationRecord, all_below, authorisation_servers, below, organisations},
};

/// `GET /v2.1/authorisation-servers`: those of all active organisations.
pub(crate) async fn all(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (_, progress) = admit(&context, &request, Purpose::Read).await?;
    let active: HashSet<String> = registry::all(context.store(), organisations())
        .await?
        .into_iter()
        .filter(|record| record.organisation.status == OrganisationStatus::Active)
        .map(|record| record.organisation.organisation_id)
        .collect();
    let mut servers = registry::all(context.store(), authorisation_servers()).await?;
    servers.retain(|server| active.contains(&server.organisation_id));
    Ok(progress.answer(ok(&servers)))
}

/// `GET /v2.1/organisation/{OrganisationId}/authorisation-server`.
pub(crate) async fn list(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, progress) = admit_own(&context, &request, Purpose::Read).await?;
    Ok(progress
        .answer(ok(&all_below(context.store(), authorisation_servers(), &record.organisation.organisation_id).await?)))
}

/// `POST`.
pub(crate) async fn create(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let asked: AuthorisationServerRequest = json_body(&mut progress, &request)?;
    progress.judge(&Described { asked: &asked, record: &record }, &[details_check()])?;
    let id = context.tools.chance.identifier(18);
    let server = asked.registered(id, record.organisation.organisation_id.clone());
    let change = authorisation_servers().insert(below(&server.organisation_id, &server.id), &server)?;
    progress.commit(&context, vec![change]).await?;
    Ok(progress.answer(created(&server)))
}

/// `GET /{ServerId}`.
pub(crate) async fn read(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Read).await?;
    let (server, _) = named(&context, &mut progress, &record, &request).await?;
    Ok(progress.answer(ok(&server)))
}

/// `PUT /{ServerId}`.
pub(crate) async fn change(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let asked: AuthorisationServerRequest = json_body(&mut progress, &request)?;
    progress.judge(&Described { asked: &asked, record: &record }, &[details_check()])?;
    let (known, version) = named(&context, &mut progress, &record, &request).await?;
    let server = asked.registered(known.id, known.organisation_id);
    let change = authorisation_servers().update(below(&server.organisation_id, &server.id), version, &server)?;
    progress.commit(&context, vec![change]).await?;
    Ok(progress.answer(ok(&server)))
}

async fn named(
    context: &Context,
    progress: &mut Progress<'_>,
    record: &OrganisationRecord,
    request: &Request,
) -> Result<(AuthorisationServer, store::Version), DirectoryError> {
    let id = request.params.get("ServerId").unwrap_or_default();
    let found = authorisation_servers().get(context.store(), &below(&record.organisation.organisation_id, id)).await?;
    progress.need(found, &SERVER_KNOWN, NOT_FOUND, "an authorisation server", id)
}

fn details_check<'a>() -> Check<Described<'a, AuthorisationServerRequest>, Wire> {
    Check { rule: &SERVER_DETAILS, error: INVALID, test: details }
}

fn details(Described { asked, record }: &Described<'_, AuthorisationServerRequest>) -> Result<(), Evidence> {
    let bank = record.organisation.roles().contains(&Role::Aspsp);
    holds(bank, "an organisation with the role ASPSP", "one without")?;
    let name = &asked.customer_friendly_name;
    holds(plain(name, 100), "a CustomerFriendlyName of 1 to 100 characters", name)?;
    let urls = [&asked.resource_base, &asked.registration_endpoint];
    for url in urls.into_iter().flatten().chain(std::iter::once(&asked.openid_configuration)) {
        let right = Url::parse(url).is_ok_and(|url| url.scheme() == "https");
        holds(right, "a URL that begins with https://", url)?;
    }
    Ok(())
}
