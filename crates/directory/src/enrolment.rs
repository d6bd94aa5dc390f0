//! The door for an organisation that has no certificate yet. The real Directory does this on paper; here it is JSON in,
//! and for an hour a token that fetches certificates.

use std::sync::Arc;

use fapi::{Client, access::bearer, client::AuthenticationMethod, digest};
use http::StatusCode;
use jose::Algorithm;
use openbanking::{
    directory::{EnrolmentAnswer, EnrolmentRequest},
    ssa::{OrganisationStatus, Role},
};
use store::Change;
use time::{Duration, OffsetDateTime};
use transport::{Request, Response, reply};

use crate::{
    Context, EnrolmentPolicy,
    api::json_body,
    certification::certify,
    keystore::location,
    participants::{Registered, introduce},
    refusal::{CONFLICT, DirectoryError, FORBIDDEN, INVALID, UNAUTHORISED, demand},
    registry::{
        Enrolment, OrganisationRecord, all_below, below, certificates, enrolments, invitations, organisations,
        registrations,
    },
};

/// How long an enrolment token lives.
const LIFETIME: Duration = Duration::hours(1);

rules::catalogue! {
    /// Rules of enrolment.
    pub RULES;
    DETAILS { id: "directory.enrolment.details",
        reason: "Legal name, competent authority and number there are plain text, and there is at least one role, each once.", clause: "docs/directory.md, Enrolment" }
    POLICY { id: "directory.enrolment.policy",
        reason: "The enrolment policy lets an organisation in that is not known.", clause: "docs/directory.md, Enrolment" }
    REGISTER { id: "directory.enrolment.register",
        reason: "The request says what the register says: legal name and authorised roles.", clause: "docs/directory.md, Enrolment" }
    ACTIVE { id: "directory.enrolment.active",
        reason: "The organisation is active.", clause: "OB Directory, participant status" }
    ONCE { id: "directory.enrolment.once",
        reason: "The organisation has no certificates yet. One that lost its keys is let in again by POST /organisations/{OrganisationId}/reopen-enrolment at the Directory's control port.", clause: "docs/directory.md, Enrolment" }
    NEW { id: "directory.enrolment.new",
        reason: "The competent authority's number belongs to no organisation that is known already.", clause: "docs/directory.md, Enrolment" }
    TOKEN { id: "directory.enrolment.token",
        reason: "The enrolment token was issued to this organisation within the last hour.", clause: "docs/directory.md, Enrolment" }
}

/// `POST /enrolment`.
pub(crate) async fn enrol(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let asked: EnrolmentRequest = json_body(&context, &request)?;
    check(&context, &asked)?;
    let store = context.store();
    let known = match registrations().get(store, &below(&asked.register_body, &asked.registration_id)).await? {
        Some((id, _)) => organisations().get(store, &id).await?,
        None => None,
    };
    let mut changes = Vec::new();
    let organisation_id = match known {
        Some((record, version)) => {
            let id = record.organisation.organisation_id.clone();
            changes.push(again(&context, record, version, &asked).await?);
            id
        }
        None => {
            changes.extend(allowed(&context, &request).await?);
            let record = unknown(&context, &asked);
            changes.extend(introduce(&record)?);
            record.organisation.organisation_id
        }
    };
    let now = context.tools.clock.now();
    let token = context.tools.chance.token();
    let enrolment = Enrolment { organisation_id: organisation_id.clone(), expires_at: now + LIFETIME };
    changes.push(enrolments().put(digest(&token), &enrolment)?);
    changes.push(client(&context, &organisation_id, &asked, now)?);
    context.commit(changes).await?;
    let answer = EnrolmentAnswer { organisation_id, enrolment_token: token, expires_at: enrolment.expires_at };
    Ok(party::authorization_server::no_store(reply::json(StatusCode::CREATED, &answer)))
}

/// Makes an organisation known, so that it can come through the door later.
///
/// # Errors
/// It is known already, or its details cannot be used.
pub(crate) async fn add(context: &Context, asked: &EnrolmentRequest) -> Result<OrganisationRecord, DirectoryError> {
    check(context, asked)?;
    let key = below(&asked.register_body, &asked.registration_id);
    let known = registrations().get(context.store(), &key).await?;
    demand(context, known.is_none(), &NEW, CONFLICT, "an organisation that is not known", &key)?;
    let record = unknown(context, asked);
    context.commit(introduce(&record)?).await?;
    Ok(record)
}

/// The record of an organisation that nobody knew.
fn unknown(context: &Context, asked: &EnrolmentRequest) -> OrganisationRecord {
    let mut record = Registered {
        legal_name: asked.legal_entity_name.clone(),
        common_name: asked.organisation_common_name.clone(),
        competent_authority: asked.register_body.clone(),
        registration_id: asked.registration_id.clone(),
        roles: asked.roles.clone(),
    }
    .record(&context.tools);
    record.organisation.contacts.clone_from(&asked.contacts);
    record
}

fn check(context: &Context, asked: &EnrolmentRequest) -> Result<(), DirectoryError> {
    let plain = |text: &str| {
        let length = text.chars().count();
        (1..=64).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
    };
    let word = |text: &str| plain(text) && text.chars().all(|c| c.is_ascii_alphanumeric());
    demand(
        context,
        plain(&asked.legal_entity_name),
        &DETAILS,
        INVALID,
        "1 to 64 characters",
        &asked.legal_entity_name,
    )?;
    demand(context, plain(asked.common_name()), &DETAILS, INVALID, "1 to 64 characters", asked.common_name())?;
    demand(context, word(&asked.register_body), &DETAILS, INVALID, "letters and digits", &asked.register_body)?;
    demand(context, word(&asked.registration_id), &DETAILS, INVALID, "letters and digits", &asked.registration_id)?;
    let mut roles = asked.roles.clone();
    roles.sort_unstable();
    roles.dedup();
    let told = asked.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let once = !roles.is_empty() && roles.len() == asked.roles.len();
    demand(
        context,
        once,
        &DETAILS,
        INVALID,
        "at least one role, and each once",
        if told.is_empty() { "none" } else { &told },
    )
}

/// An organisation that is known: from the register, or one that was let in again.
async fn again(
    context: &Context,
    mut record: OrganisationRecord,
    version: store::Version,
    asked: &EnrolmentRequest,
) -> Result<Change, DirectoryError> {
    let id = record.organisation.organisation_id.clone();
    let status = record.organisation.status;
    demand(context, status == OrganisationStatus::Active, &ACTIVE, FORBIDDEN, "Active", format!("{status:?}"))?;
    let same_name = record.legal_name == asked.legal_entity_name;
    demand(context, same_name, &REGISTER, CONFLICT, &record.legal_name, &asked.legal_entity_name)?;
    let names = |roles: &[Role]| roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let (mut roles, authorised) = (asked.roles.clone(), record.organisation.roles());
    roles.sort_unstable();
    roles.dedup();
    demand(context, roles == authorised, &REGISTER, CONFLICT, names(&authorised), names(&roles))?;
    let issued = all_below(context.store(), certificates(), &id).await?;
    let now = context.tools.clock.true_now();
    let in_use = issued.iter().filter(|one| one.revoked_at.is_none() && one.not_after > now).count();
    let open = in_use == 0 || record.reopened;
    demand(context, open, &ONCE, CONFLICT, "no certificates", format!("{in_use} in use"))?;
    record.reopened = false;
    if !asked.contacts.is_empty() {
        record.organisation.contacts.clone_from(&asked.contacts);
    }
    Ok(organisations().update(id, version, &record)?)
}

/// Whether an organisation that nobody knows may come in; an invitation is used up.
async fn allowed(context: &Context, request: &Request) -> Result<Option<Change>, DirectoryError> {
    match context.policy {
        _ if context.off(&POLICY) => Ok(None),
        EnrolmentPolicy::Open => Ok(None),
        EnrolmentPolicy::Closed => Err(DirectoryError::explained(
            &POLICY,
            FORBIDDEN,
            "a known organisation",
            "an unknown one; enrolment is closed",
        )),
        EnrolmentPolicy::Invitation => {
            let wrong = |found: &str| {
                let expected = "Authorization: Bearer with an invitation from the Directory's control port";
                DirectoryError::explained(&POLICY, FORBIDDEN, expected, found)
            };
            let token = bearer(request.header("authorization")).ok_or_else(|| wrong("none"))?;
            let key = digest(token);
            match invitations().get(context.store(), &key).await? {
                Some((invitation, _)) if invitation.expires_at > context.tools.clock.now() => {
                    Ok(Some(invitations().take(key)))
                }
                Some(_) => Err(wrong("one that has expired")),
                None => Err(wrong("one that is unknown or used up")),
            }
        }
    }
}

/// The organisation as a client of the Directory's own token endpoint.
fn client(
    context: &Context,
    organisation_id: &str,
    asked: &EnrolmentRequest,
    now: OffsetDateTime,
) -> Result<Change, DirectoryError> {
    let mut scopes: Vec<String> = Vec::new();
    if asked.roles.contains(&Role::Aspsp) {
        scopes.extend(["ASPSPReadAccess".to_owned(), "ASPSPManage".to_owned()]);
    }
    if asked.roles.iter().any(|role| *role != Role::Aspsp) {
        scopes.extend(["TPPReadAccess".to_owned(), "TPPManage".to_owned()]);
    }
    let client = Client {
        client_id: organisation_id.to_owned(),
        name: asked.common_name().to_owned(),
        on_behalf_of: None,
        organisation_id: organisation_id.to_owned(),
        software_id: String::new(),
        redirect_uris: Vec::new(),
        authentication_method: AuthenticationMethod::PrivateKeyJwt,
        authentication_algorithm: Algorithm::Ps256,
        request_object_algorithm: Algorithm::Ps256,
        id_token_algorithm: Algorithm::Ps256,
        grant_types: vec!["client_credentials".to_owned()],
        response_types: Vec::new(),
        scopes,
        jwks: None,
        certificate_subject: None,
        secret: None,
        id_token_encrypted: false,
        resource_server: false,
        jwks_uri: location(&context.urls, organisation_id, organisation_id),
        registered_at: now,
        metadata: serde_json::Value::Null,
    };
    let change = fapi::Change::put(organisation_id, fapi::Expect::Any, &client)?;
    let mut changes = party::authorization_server::to_store(vec![change]);
    changes.pop().ok_or_else(|| DirectoryError::Failed("a client made no change".to_owned()))
}

/// `POST /enrolment/{OrganisationId}/certificate/{Kind}`.
pub(crate) async fn certificate(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let id = request.params.get("OrganisationId").unwrap_or_default();
    let refused = |found: &str| DirectoryError::refused(&TOKEN, UNAUTHORISED, format!("a token of {id}"), found);
    let token = bearer(request.header("authorization")).ok_or_else(|| refused("none"))?;
    let enrolment = enrolments().get(context.store(), &digest(token)).await?.map(|(enrolment, _)| enrolment);
    match enrolment {
        None => return Err(refused("one that is unknown")),
        Some(enrolment) if enrolment.organisation_id != id => return Err(refused("one of another organisation")),
        Some(enrolment) if enrolment.expires_at <= context.tools.clock.now() => {
            return Err(refused("one that has expired"));
        }
        Some(_) => {}
    }
    let Some((record, _)) = organisations().get(context.store(), id).await? else {
        return Err(DirectoryError::Failed(format!("the organisation {id} of an enrolment is not there")));
    };
    certify(&context, &record, &request).await
}
