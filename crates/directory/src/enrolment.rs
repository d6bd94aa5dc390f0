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
use rules::{Check, Evidence, holds, joined};
use store::{Change, Version};
use time::{Duration, OffsetDateTime};
use transport::{Request, Response, reply};

use crate::{
    Context, EnrolmentPolicy,
    api::{json_body, organisation},
    certification::certify,
    keystore::location,
    participants::{Registered, introduce},
    progress::Progress,
    refusal::{CONFLICT, DirectoryError, FORBIDDEN, INVALID, UNAUTHORISED, Wire},
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
    let mut progress = Progress::new(&context);
    let asked: EnrolmentRequest = json_body(&mut progress, &request)?;
    progress.judge(&asked, &[DETAILS_CHECK])?;
    let store = context.store();
    let known = match registrations().get(store, &below(&asked.register_body, &asked.registration_id)).await? {
        Some((id, _)) => organisations().get(store, &id).await?,
        None => None,
    };
    let mut changes = Vec::new();
    let organisation_id = match known {
        Some((record, version)) => {
            let id = record.organisation.organisation_id.clone();
            changes.push(again(&context, &mut progress, record, version, &asked).await?);
            id
        }
        None => {
            changes.extend(allowed(&context, &mut progress, &request).await?);
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
    progress.commit(&context, changes).await?;
    let answer = EnrolmentAnswer { organisation_id, enrolment_token: token, expires_at: enrolment.expires_at };
    Ok(progress.answer(party::authorization_server::no_store(reply::json(StatusCode::CREATED, &answer))))
}

/// Makes an organisation known, so that it can come through the door later.
///
/// # Errors
/// It is known already, or its details cannot be used.
pub(crate) async fn add(
    context: &Context,
    progress: &mut Progress<'_>,
    asked: &EnrolmentRequest,
) -> Result<OrganisationRecord, DirectoryError> {
    progress.judge(asked, &[DETAILS_CHECK])?;
    let key = below(&asked.register_body, &asked.registration_id);
    let known = registrations().get(context.store(), &key).await?;
    progress.demand(known.is_none(), &NEW, CONFLICT, "an organisation that is not known", &key)?;
    let record = unknown(context, asked);
    progress.commit(context, introduce(&record)?).await?;
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

const DETAILS_CHECK: Check<EnrolmentRequest, Wire> = Check { rule: &DETAILS, error: INVALID, test: details };

fn details(asked: &EnrolmentRequest) -> Result<(), Evidence> {
    let plain = |text: &str| crate::api::plain(text, 64) && text.trim() == text;
    let word = |text: &str| plain(text) && text.chars().all(|c| c.is_ascii_alphanumeric());
    holds(plain(&asked.legal_entity_name), "1 to 64 characters", &asked.legal_entity_name)?;
    holds(plain(asked.common_name()), "1 to 64 characters", asked.common_name())?;
    holds(word(&asked.register_body), "letters and digits", &asked.register_body)?;
    holds(word(&asked.registration_id), "letters and digits", &asked.registration_id)?;
    holds(!asked.roles.is_empty(), "at least one role, and each once", "none")?;
    let once = each_once(&asked.roles).len() == asked.roles.len();
    holds(once, "at least one role, and each once", joined(&names(&asked.roles), ", "))
}

/// Roles in their order, each once.
fn each_once(roles: &[Role]) -> Vec<Role> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn names(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.name()).collect()
}

/// An organisation that is known, and what it says at the door.
struct Returning<'a> {
    record: &'a OrganisationRecord,
    asked: &'a EnrolmentRequest,
    /// How many certificates it has.
    in_use: usize,
}

fn returning_checks<'a>() -> [Check<Returning<'a>, Wire>; 3] {
    [
        Check {
            rule: &ACTIVE,
            error: FORBIDDEN,
            test: |facts| {
                let status = facts.record.organisation.status;
                holds(status == OrganisationStatus::Active, "Active", format_args!("{status:?}"))
            },
        },
        Check {
            rule: &REGISTER,
            error: CONFLICT,
            test: |Returning { record, asked, .. }| {
                let same = record.legal_name == asked.legal_entity_name;
                holds(same, &record.legal_name, &asked.legal_entity_name)?;
                let (asked, authorised) = (each_once(&asked.roles), record.organisation.roles());
                holds(asked == authorised, joined(&names(&authorised), ", "), joined(&names(&asked), ", "))
            },
        },
        Check {
            rule: &ONCE,
            error: CONFLICT,
            test: |facts| {
                let open = facts.in_use == 0 || facts.record.reopened;
                holds(open, "no certificates", format_args!("{} in use", facts.in_use))
            },
        },
    ]
}

/// An organisation that is known: from the register, or one that was let in again.
async fn again(
    context: &Context,
    progress: &mut Progress<'_>,
    mut record: OrganisationRecord,
    version: Version,
    asked: &EnrolmentRequest,
) -> Result<Change, DirectoryError> {
    let id = record.organisation.organisation_id.clone();
    let issued = all_below(context.store(), certificates(), &id).await?;
    let now = context.tools.clock.true_now();
    let in_use = issued.iter().filter(|one| one.revoked_at.is_none() && one.not_after > now).count();
    progress.judge(&Returning { record: &record, asked, in_use }, &returning_checks())?;
    record.reopened = false;
    if !asked.contacts.is_empty() {
        record.organisation.contacts.clone_from(&asked.contacts);
    }
    Ok(organisations().update(id, version, &record)?)
}

/// The invitation of an organisation that nobody knows.
enum Invited {
    /// It brings none.
    No,
    /// One that was never issued, or is used up.
    Unknown,
    /// One that has expired.
    Expired,
    /// One that opens the door, under this key.
    Yes(String),
}

/// Somebody unknown at the door.
struct Entry {
    policy: EnrolmentPolicy,
    invited: Invited,
}

const POLICY_CHECK: Check<Entry, Wire> = Check {
    rule: &POLICY,
    error: FORBIDDEN,
    test: |entry| {
        let found = match (entry.policy, &entry.invited) {
            (EnrolmentPolicy::Open, _) | (EnrolmentPolicy::Invitation, Invited::Yes(_)) => return Ok(()),
            (EnrolmentPolicy::Closed, _) => {
                return Err(Evidence::new("a known organisation", "an unknown one; enrolment is closed"));
            }
            (EnrolmentPolicy::Invitation, Invited::No) => "none",
            (EnrolmentPolicy::Invitation, Invited::Unknown) => "one that is unknown or used up",
            (EnrolmentPolicy::Invitation, Invited::Expired) => "one that has expired",
        };
        Err(Evidence::new("Authorization: Bearer with an invitation from the Directory's control port", found))
    },
};

/// Whether an organisation that nobody knows may come in; an invitation is used up.
async fn allowed(
    context: &Context,
    progress: &mut Progress<'_>,
    request: &Request,
) -> Result<Option<Change>, DirectoryError> {
    let invited = match bearer(request.header("authorization")) {
        Some(token) if context.policy == EnrolmentPolicy::Invitation => invitation(context, token).await?,
        _ => Invited::No,
    };
    let entry = Entry { policy: context.policy, invited };
    progress.judge(&entry, &[POLICY_CHECK])?;
    Ok(match entry.invited {
        Invited::Yes(key) => Some(invitations().take(key)),
        _ => None,
    })
}

async fn invitation(context: &Context, token: &str) -> Result<Invited, DirectoryError> {
    let key = digest(token);
    Ok(match invitations().get(context.store(), &key).await? {
        Some((invitation, _)) if invitation.expires_at > context.tools.clock.now() => Invited::Yes(key),
        Some(_) => Invited::Expired,
        None => Invited::Unknown,
    })
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
        response_algorithm: None,
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

/// The token that somebody brings who wants a certificate of this organisation.
struct Presented<'a> {
    organisation_id: &'a str,
    sent: bool,
    enrolment: Option<Enrolment>,
    now: OffsetDateTime,
}

fn token_check<'a>() -> Check<Presented<'a>, Wire> {
    Check {
        rule: &TOKEN,
        error: UNAUTHORISED,
        test: |facts| {
            let found = match &facts.enrolment {
                None if facts.sent => "one that is unknown",
                None => "none",
                Some(enrolment) if enrolment.organisation_id != facts.organisation_id => "one of another organisation",
                Some(enrolment) if enrolment.expires_at <= facts.now => "one that has expired",
                Some(_) => return Ok(()),
            };
            Err(Evidence::new(format!("a token of {}", facts.organisation_id), found))
        },
    }
}

/// `POST /enrolment/{OrganisationId}/certificate/{Kind}`.
pub(crate) async fn certificate(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    let mut progress = Progress::new(&context);
    let organisation_id = request.params.get("OrganisationId").unwrap_or_default();
    let token = bearer(request.header("authorization"));
    let enrolment = match token {
        Some(token) => enrolments().get(context.store(), &digest(token)).await?.map(|(enrolment, _)| enrolment),
        None => None,
    };
    let now = context.tools.clock.now();
    let presented = Presented { organisation_id, sent: token.is_some(), enrolment, now };
    progress.judge(&presented, &[token_check()])?;
    let record = organisation(&context, &mut progress, organisation_id).await?;
    let response = certify(&context, &mut progress, &record, &request).await?;
    Ok(progress.answer(response))
}
