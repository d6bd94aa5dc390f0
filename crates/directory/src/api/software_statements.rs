//! `/v2.1/organisation/{OrganisationId}/software-statement`.

use std::{collections::BTreeSet, sync::Arc};

use http::StatusCode;
use openbanking::{
    directory::{JWS, SoftwareStatement, SoftwareStatementRequest, SoftwareStatementState},
    ssa::Role,
};
use rules::{Check, Evidence, holds, joined};
use transport::{Request, Response, reply};
use url::Url;

use super::{Described, Purpose, SOFTWARE_DETAILS, SOFTWARE_KNOWN, admit_own, created, json_body, ok, plain};
use crate::{
    Context,
    assertion::assertion,
    progress::Progress,
    refusal::{DirectoryError, INVALID, NOT_FOUND, Wire},
    registry::{OrganisationRecord, all_below, below, software_statements},
};

/// Longest URI of a statement, in characters (OB SSA 1.1: Max256Text).
const LONGEST_URI: usize = 256;

/// `POST`.
pub(crate) async fn create(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let asked: SoftwareStatementRequest = json_body(&mut progress, &request)?;
    progress.judge(&Described { asked: &asked, record: &record }, &[details_check()])?;
    let statement = SoftwareStatement {
        software_statement_id: context.tools.chance.identifier(22),
        active: true,
        mode: "Test".to_owned(),
        client_name: asked.client_name,
        client_description: asked.client_description,
        redirect_uris: asked.redirect_uris,
        roles: asked.roles,
        version: asked.version,
        client_uri: asked.client_uri,
        logo_uri: asked.logo_uri,
        policy_uri: asked.policy_uri,
        terms_of_service_uri: asked.terms_of_service_uri,
        on_behalf_of: asked.on_behalf_of,
        signing_key_ids: Vec::new(),
        transport_key_ids: Vec::new(),
    };
    let key = below(&record.organisation.organisation_id, &statement.software_statement_id);
    progress.commit(&context, vec![software_statements().insert(key, &statement)?]).await?;
    Ok(progress.answer(created(&statement)))
}

fn details_check<'a>() -> Check<Described<'a, SoftwareStatementRequest>, Wire> {
    Check { rule: &SOFTWARE_DETAILS, error: INVALID, test: details }
}

fn details(Described { asked, record }: &Described<'_, SoftwareStatementRequest>) -> Result<(), Evidence> {
    for (member, value, longest) in [
        ("ClientName", Some(&asked.client_name), 40),
        ("Description", asked.client_description.as_ref(), 256),
        ("Version", asked.version.as_ref(), 42),
        ("OnBehalfOfObOrganisation", asked.on_behalf_of.as_ref(), 140),
    ] {
        if let Some(value) = value {
            holds(plain(value, longest), format_args!("a {member} of 1 to {longest} characters"), value)?;
        }
    }
    // These become links and pictures on the pages of banks.
    for (member, value) in [
        ("ClientUri", &asked.client_uri),
        ("LogoUri", &asked.logo_uri),
        ("PolicyUri", &asked.policy_uri),
        ("TermsOfServiceUri", &asked.terms_of_service_uri),
    ] {
        if let Some(uri) = value {
            let right = plain(uri, LONGEST_URI) && Url::parse(uri).is_ok_and(|url| url.scheme() == "https");
            holds(
                right,
                format_args!("a {member} of at most {LONGEST_URI} characters that begins with https://"),
                uri,
            )?;
        }
    }
    holds(!asked.redirect_uris.is_empty(), "at least one RedirectUri", "none")?;
    for uri in &asked.redirect_uris {
        // OB DCR 3.3, redirect_uris: https, and no fragment (RFC 6749, 3.1.2).
        let right = plain(uri, LONGEST_URI)
            && Url::parse(uri).is_ok_and(|url| url.scheme() == "https" && url.fragment().is_none());
        holds(right, "a RedirectUri of at most 256 characters that begins with https:// and has no fragment", uri)?;
    }
    let (roles, authorised): (BTreeSet<Role>, BTreeSet<Role>) =
        (asked.roles.iter().copied().collect(), record.organisation.roles().into_iter().collect());
    let shown: Vec<&str> = asked.roles.iter().map(|role| role.name()).collect();
    let names: Vec<&str> = authorised.iter().map(|role| role.name()).collect();
    let right = !roles.is_empty() && roles.is_subset(&authorised) && roles.len() == asked.roles.len();
    holds(right, format_args!("Roles among {}, each once", joined(&names, ", ")), joined(&shown, ", "))
}

/// `GET`.
pub(crate) async fn list(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, progress) = admit_own(&context, &request, Purpose::Read).await?;
    Ok(progress
        .answer(ok(&all_below(context.store(), software_statements(), &record.organisation.organisation_id).await?)))
}

/// `GET /{SoftwareStatementId}`.
pub(crate) async fn read(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Read).await?;
    let (statement, _) = named(&context, &mut progress, &record, &request).await?;
    Ok(progress.answer(ok(&statement)))
}

/// `PUT /{SoftwareStatementId}`: makes it active or inactive.
pub(crate) async fn change(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Manage).await?;
    let state: SoftwareStatementState = json_body(&mut progress, &request)?;
    let (mut statement, version) = named(&context, &mut progress, &record, &request).await?;
    statement.active = state.active;
    let key = below(&record.organisation.organisation_id, &statement.software_statement_id);
    progress.commit(&context, vec![software_statements().update(key, version, &statement)?]).await?;
    Ok(progress.answer(ok(&statement)))
}

/// `GET /{SoftwareStatementId}/software-statement-assertion`.
pub(crate) async fn assert(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let (record, mut progress) = admit_own(&context, &request, Purpose::Read).await?;
    let (statement, _) = named(&context, &mut progress, &record, &request).await?;
    let assertion = assertion(&context, &mut progress, &record, &statement)?;
    Ok(progress.answer(reply::bytes(StatusCode::OK, JWS, assertion.into_bytes())))
}

/// The software statement that the path names.
pub(super) async fn named(
    context: &Context,
    progress: &mut Progress<'_>,
    record: &OrganisationRecord,
    request: &Request,
) -> Result<(SoftwareStatement, store::Version), DirectoryError> {
    let id = request.params.get("SoftwareStatementId").unwrap_or_default();
    let key = below(&record.organisation.organisation_id, id);
    let found = software_statements().get(context.store(), &key).await?;
    progress.need(found, &SOFTWARE_KNOWN, NOT_FOUND, "a software statement", id)
}
