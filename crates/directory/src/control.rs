//! What the Directory's operator does, through the control port: let organisations in again, change statuses, revoke
//! certificates, invite.

use std::sync::Arc;

use fapi::digest;
use http::{Method, StatusCode};
use openbanking::{
    dates,
    directory::{EnrolmentRequest, OrganisationState},
    ssa::OrganisationStatus,
};
use party::control::{Control, body};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use transport::{IntoResponse, Request, Response, Route, reply, route};

use crate::{
    Context,
    api::organisations::{edit, set_status},
    certification,
    enrolment::add,
    progress::Progress,
    refusal::DirectoryError,
    registry::{Invitation, invitations, organisations},
};

/// How long an invitation lives when nothing else is said.
const DAYS: i64 = 7;

/// `POST /invitations`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Invite {
    days: i64,
}

impl Default for Invite {
    fn default() -> Self {
        Self { days: DAYS }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Invited {
    invitation: String,
    #[serde(with = "dates::serde_form")]
    expires_at: OffsetDateTime,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Known {
    organisation_id: String,
    name: String,
    status: OrganisationStatus,
}

/// The rows that the Directory adds to the control port.
pub(crate) fn routes() -> Vec<Route<Control<Context>>> {
    vec![
        route(Method::GET, "/organisations", list),
        route(Method::POST, "/organisations", create),
        route(Method::POST, "/organisations/{OrganisationId}/reopen-enrolment", reopen),
        route(Method::POST, "/organisations/{OrganisationId}/status", status),
        route(Method::POST, "/organisations/{OrganisationId}/certificates/{Kid}/revoke", revoke),
        route(Method::POST, "/organisations/{OrganisationId}/certificates/{Kid}/reinstate", reinstate),
        route(Method::POST, "/invitations", invite),
    ]
}

async fn list(control: Arc<Control<Context>>, _: Request) -> Result<Response, DirectoryError> {
    let all = crate::registry::all(control.party.store(), organisations()).await?;
    let known: Vec<Known> = all
        .into_iter()
        .map(|record| Known {
            organisation_id: record.organisation.organisation_id,
            name: record.organisation.common_name,
            status: record.organisation.status,
        })
        .collect();
    Ok(reply::json(StatusCode::OK, &known))
}

async fn create(control: Arc<Control<Context>>, request: Request) -> Response {
    let asked: EnrolmentRequest = match body(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    match add(&control.party, &mut Progress::new(&control.party), &asked).await {
        Ok(record) => reply::json(StatusCode::CREATED, &record.organisation),
        Err(error) => error.into_response(),
    }
}

async fn reopen(control: Arc<Control<Context>>, request: Request) -> Result<Response, DirectoryError> {
    let id = request.params.get("OrganisationId").unwrap_or_default();
    edit(&control.party, &mut Progress::new(&control.party), id, |record| record.reopened = true).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

async fn status(control: Arc<Control<Context>>, request: Request) -> Response {
    let state: OrganisationState = match body(&request) {
        Ok(state) => state,
        Err(refused) => return *refused,
    };
    let id = request.params.get("OrganisationId").unwrap_or_default();
    match set_status(&control.party, &mut Progress::new(&control.party), id, state.status).await {
        Ok(record) => reply::json(StatusCode::OK, &record.organisation),
        Err(error) => error.into_response(),
    }
}

async fn revoke(control: Arc<Control<Context>>, request: Request) -> Result<Response, DirectoryError> {
    let named = |name| request.params.get(name).unwrap_or_default();
    let mut progress = Progress::new(&control.party);
    certification::revoke(&control.party, &mut progress, named("OrganisationId"), named("Kid")).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

async fn reinstate(control: Arc<Control<Context>>, request: Request) -> Result<Response, DirectoryError> {
    let named = |name| request.params.get(name).unwrap_or_default();
    let mut progress = Progress::new(&control.party);
    certification::reinstate(&control.party, &mut progress, named("OrganisationId"), named("Kid")).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

async fn invite(control: Arc<Control<Context>>, request: Request) -> Response {
    let asked: Invite = match body(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    if !(1..=365).contains(&asked.days) {
        return party::control::refuse(StatusCode::BAD_REQUEST, "days must be 1 to 365");
    }
    let tools = &control.party.tools;
    let (token, expires_at) = (tools.chance.token(), tools.clock.now() + Duration::days(asked.days));
    match keep(&control.party, &token, expires_at).await {
        Ok(()) => reply::json(StatusCode::CREATED, &Invited { invitation: token, expires_at }),
        Err(error) => error.into_response(),
    }
}

async fn keep(context: &Context, token: &str, expires_at: OffsetDateTime) -> Result<(), DirectoryError> {
    let change = invitations().insert(digest(token), &Invitation { expires_at })?;
    context.commit(vec![change]).await?;
    Ok(())
}
