//! Authorisation servers: banks say where they are, TPPs ask. The list of all is this Directory's own addition.

use std::sync::Arc;

use openbanking::{
    directory::{AuthorisationServer, AuthorisationServerRequest},
    ssa::{OrganisationStatus, Role},
};
use transport::{Request, Response};
use url::Url;

use super::{Purpose, SERVER_DETAILS, SERVER_KNOWN, admit, admit_own, created, json_body, ok};
use crate::{
    Context,
    refusal::{DirectoryError, INVALID, NOT_FOUND, demand},
    registry::{self, OrganisationRecord, all_below, authorisation_servers, below, organisations},
};

/// `GET /v2.1/authorisation-servers`: those of all active organisations.
pub(crate) async fn all(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    admit(&context, &request, Purpose::Read).await?;
    let active: Vec<String> = registry::all(context.store(), organisations())
        .await?
        .into_iter()
        .filter(|record| record.organisation.status == OrganisationStatus::Active)
        .map(|record| record.organisation.organisation_id)
        .collect();
    let mut servers = registry::all(context.store(), authorisation_servers()).await?;
    servers.retain(|server| active.contains(&server.organisation_id));
    Ok(ok(&servers))
}

/// `GET /v2.1/organisation/{OrganisationId}/authorisation-server`.
pub(crate) async fn list(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let record = admit_own(&context, &request, Purpose::Read).await?;
    Ok(ok(&all_below(context.store(), authorisation_servers(), &record.organisation.organisation_id).await?))
}

/// `POST`.
pub(crate) async fn create(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let record = admit_own(&context, &request, Purpose::Manage).await?;
    let asked: AuthorisationServerRequest = json_body(&context, &request)?;
    check(&context, &asked, &record)?;
    let id = context.tools.chance.identifier(18);
    let server = asked.registered(id, record.organisation.organisation_id.clone());
    let change = authorisation_servers().insert(below(&server.organisation_id, &server.id), &server)?;
    context.commit(vec![change]).await?;
    Ok(created(&server))
}

/// `GET /{ServerId}`.
pub(crate) async fn read(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let record = admit_own(&context, &request, Purpose::Read).await?;
    Ok(ok(&named(&context, &record, &request).await?.0))
}

/// `PUT /{ServerId}`.
pub(crate) async fn change(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let record = admit_own(&context, &request, Purpose::Manage).await?;
    let asked: AuthorisationServerRequest = json_body(&context, &request)?;
    check(&context, &asked, &record)?;
    let (known, version) = named(&context, &record, &request).await?;
    let server = asked.registered(known.id, known.organisation_id);
    let change = authorisation_servers().update(below(&server.organisation_id, &server.id), version, &server)?;
    context.commit(vec![change]).await?;
    Ok(ok(&server))
}

async fn named(
    context: &Context,
    record: &OrganisationRecord,
    request: &Request,
) -> Result<(AuthorisationServer, store::Version), DirectoryError> {
    let id = request.params.get("ServerId").unwrap_or_default();
    let found = authorisation_servers().get(context.store(), &below(&record.organisation.organisation_id, id)).await?;
    found.ok_or_else(|| DirectoryError::explained(&SERVER_KNOWN, NOT_FOUND, "an authorisation server", id))
}

fn check(
    context: &Context,
    asked: &AuthorisationServerRequest,
    record: &OrganisationRecord,
) -> Result<(), DirectoryError> {
    let bank = record.organisation.roles().contains(&Role::Aspsp);
    demand(context, bank, &SERVER_DETAILS, INVALID, "an organisation with the role ASPSP", "one without")?;
    let name = &asked.customer_friendly_name;
    let plain = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    demand(context, plain, &SERVER_DETAILS, INVALID, "a CustomerFriendlyName of 1 to 100 characters", name)?;
    let urls = [&asked.resource_base, &asked.registration_endpoint];
    let urls = urls.into_iter().flatten().chain(std::iter::once(&asked.openid_configuration));
    for url in urls {
        let right = Url::parse(url).is_ok_and(|url| url.scheme() == "https");
        demand(context, right, &SERVER_DETAILS, INVALID, "a URL that begins with https://", url)?;
    }
    Ok(())
}
