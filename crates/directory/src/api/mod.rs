//! The Directory's API (OB Directory API 2.1, the part that is simulated): mutual TLS with the participant's certificate
//! and a token of the Directory. A participant reads all organisations and acts on its own.

pub mod authorisation_servers;
pub mod certificates;
pub mod organisations;
pub mod software_statements;
mod token;

use fapi::access::{Demand, TokenKind, bearer};
use http::StatusCode;
use openbanking::directory::CertificateKind;
use party::authorization_server::presented;
use rules::joined;
use serde::de::DeserializeOwned;
use transport::{Request, Response, reply};

pub(crate) use token::token;

use crate::{
    Context,
    progress::Progress,
    refusal::{self, DirectoryError, FORBIDDEN, INVALID, MEDIA_TYPE, NOT_FOUND, UNAUTHORISED, Wire},
    registry::{self, OrganisationRecord},
};

rules::catalogue! {
    /// Rules of the API.
    pub RULES;
    MEDIA { id: "directory.api.media-type",
        reason: "A body is application/json.", clause: "OB Directory API 2.1" }
    BODY { id: "directory.api.body",
        reason: "The body is what the schema allows.", clause: "OB Directory API 2.1" }
    CERTIFICATE { id: "directory.api.certificate",
        reason: "The client certificate is a transport certificate (OBWAC) that the Directory issued to the organisation and that is in use.", clause: "OB certificate profiles, OBWAC; RFC 5280, 5" }
    UNCHANGED { id: "directory.api.unchanged",
        reason: "Nobody changed the same thing at the same time; ask again.", clause: "RFC 9110, 15.5.10" }
    SCOPE { id: "directory.api.scope",
        reason: "The access token has a scope for reading, or for managing where something is changed.", clause: "OB Directory, Technical Overview, scopes" }
    ORGANISATION_KNOWN { id: "directory.api.organisation-known",
        reason: "There is an organisation with this id.", clause: "OB Directory API 2.1, organisation" }
    OWN_ORGANISATION { id: "directory.api.own-organisation",
        reason: "A participant acts on its own organisation only.", clause: "OB Directory API 2.1" }
    SOFTWARE_KNOWN { id: "directory.api.software-statement-known",
        reason: "The organisation has a software statement with this id.", clause: "OB Directory API 2.1, software-statement" }
    SOFTWARE_DETAILS { id: "directory.api.software-statement-details",
        reason: "A software statement has a name, redirect URIs and roles of its organisation.", clause: "OB SSA 1.1; OB DCR 3.3, redirect_uris" }
    SERVER_KNOWN { id: "directory.api.authorisation-server-known",
        reason: "The organisation has an authorisation server with this id.", clause: "OB Directory API 2.1, authorisation-server" }
    SERVER_DETAILS { id: "directory.api.authorisation-server-details",
        reason: "An authorisation server has a name and https URLs, and belongs to a bank.", clause: "OB Directory API 2.1, authorisation-server" }
}

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Look.
    Read,
    /// Change.
    Manage,
}

/// A JSON body.
///
/// # Errors
/// Another media type, or not what the schema allows.
pub(crate) fn json_body<T: DeserializeOwned>(
    progress: &mut Progress<'_>,
    request: &Request,
) -> Result<T, DirectoryError> {
    let found = request.content_type().unwrap_or("none");
    // The Directory's OpenAPI has media types of its own for some bodies.
    let found_in_lower_case = found.to_ascii_lowercase();
    let own = found_in_lower_case.starts_with("application/vnd.openbanking.directory.")
        && found_in_lower_case.ends_with("+json");
    let json = found_in_lower_case == "application/json" || own;
    let expected = "application/json, or application/vnd.openbanking.directory...+json";
    progress.demand(json, &MEDIA, MEDIA_TYPE, expected, found)?;
    progress.read(serde_json::from_slice(&request.body), &BODY, INVALID, "a body of the schema")
}

/// What a participant says about something of its own, and who it is.
pub(crate) struct Described<'a, T> {
    pub(crate) asked: &'a T,
    pub(crate) record: &'a OrganisationRecord,
}

/// Whether the text has 1 to `longest` characters and nothing that a page or a log would obey.
pub(crate) fn plain(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Lets a participant in, and answers with its organisation and the rules that it passed.
///
/// # Errors
/// Certificate or token do not open the API, or the organisation is not active.
pub(crate) async fn admit<'a>(
    context: &'a Context,
    request: &Request,
    purpose: Purpose,
) -> Result<(OrganisationRecord, Progress<'a>), DirectoryError> {
    let mut progress = Progress::new(context);
    let certificate = presented(&request.caller);
    let wanted = Demand { scope: None, kind: TokenKind::Client };
    let token = bearer(request.header("authorization"));
    let now = context.tools.clock.now();
    let access = progress.accepted(context.engine.access(token, certificate.as_ref(), wanted, now).await)?;
    let needed: &[&str] = match purpose {
        Purpose::Read => &["TPPReadAccess", "TPPManage", "ASPSPReadAccess", "ASPSPManage"],
        Purpose::Manage => &["TPPManage", "ASPSPManage"],
    };
    let enough = access.scopes.iter().any(|scope| needed.contains(&scope.as_str()));
    progress.demand(enough, &SCOPE, refusal::SCOPE, joined(needed, " or "), joined(&access.scopes, " "))?;
    progress.applied(&CERTIFICATE, certificate_in_use(context, request, UNAUTHORISED).await)?;
    let record = organisation(context, &mut progress, &access.client.client_id).await?;
    Ok((record, progress))
}

/// Looks the caller's certificate up: TLS judged it when the connection began, and it may have been revoked since.
///
/// # Errors
/// It is not known, not for transport, or revoked; or the store failed.
async fn certificate_in_use(context: &Context, request: &Request, wire: Wire) -> Result<(), DirectoryError> {
    let (Some(shown), Some(caller)) = (&request.caller.certificate, presented(&request.caller)) else { return Ok(()) };
    if context.off(&CERTIFICATE) {
        return Ok(());
    }
    let refused = |found: &str| {
        let expected = format!("an OBWAC of {} that is in use", caller.organisation_id);
        DirectoryError::refused(&CERTIFICATE, wire, expected, found)
    };
    let certificates = context.engine.backend().certificates(&caller.organisation_id).await?;
    match certificates.shown(shown)? {
        None => Err(refused("one that was not issued")),
        Some(issued) if !issued.in_use() => Err(refused("one that was revoked")),
        Some(issued) if issued.record.kind != CertificateKind::Obwac => Err(refused(issued.record.kind.name())),
        Some(_) => Ok(()),
    }
}

/// Lets a participant in to its own organisation, which the path names.
///
/// # Errors
/// As [`admit`], or the path names another organisation.
pub(crate) async fn admit_own<'a>(
    context: &'a Context,
    request: &Request,
    purpose: Purpose,
) -> Result<(OrganisationRecord, Progress<'a>), DirectoryError> {
    let (record, mut progress) = admit(context, request, purpose).await?;
    let (own, named) = (&record.organisation.organisation_id, request.params.get("OrganisationId").unwrap_or_default());
    progress.demand(own == named, &OWN_ORGANISATION, FORBIDDEN, own, named)?;
    // With the rule off it is the named one.
    let record = if own == named { record } else { organisation(context, &mut progress, named).await? };
    Ok((record, progress))
}

/// The organisation with this id.
///
/// # Errors
/// There is none, or the store failed.
pub(crate) async fn organisation(
    context: &Context,
    progress: &mut Progress<'_>,
    id: &str,
) -> Result<OrganisationRecord, DirectoryError> {
    let found = match id {
        "" => None,
        id => registry::organisations().get(context.store(), id).await?,
    };
    let (record, _) = progress.need(found, &ORGANISATION_KNOWN, NOT_FOUND, "an organisation", id)?;
    Ok(record)
}

fn ok(value: &impl serde::Serialize) -> Response {
    reply::json(StatusCode::OK, value)
}

fn created(value: &impl serde::Serialize) -> Response {
    reply::json(StatusCode::CREATED, value)
}
