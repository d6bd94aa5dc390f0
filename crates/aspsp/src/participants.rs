//! What the Directory says about TPPs: whether their organisations may take part now.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use openbanking::ssa::OrganisationStatus;
use party::{
    control::{self, Control},
    participant::{DirectoryClient, ParticipantError},
};
use simulation::Trace;
use transport::{Request, Response, Route, reply, route};

use crate::Context;

/// How often the Directory is asked, true time.
const PERIOD: Duration = Duration::from_secs(30);

/// Asks the Directory now.
///
/// # Errors
/// It cannot be reached or refuses; what it said last stays.
pub async fn refresh(context: &Context, directory: &DirectoryClient, trace: &Trace) -> Result<usize, ParticipantError> {
    let organisations = directory.organisations(trace).await?;
    let suspended: HashMap<String, String> = organisations
        .into_iter()
        .filter(|organisation| organisation.status != OrganisationStatus::Active)
        .map(|organisation| (organisation.organisation_id, format!("{:?}", organisation.status)))
        .collect();
    let many = suspended.len();
    context.engine.backend().suspend(suspended);
    Ok(many)
}

/// Asks again and again until the bank stops.
pub(crate) async fn keep_fresh(context: Arc<Context>, directory: Arc<DirectoryClient>) {
    let mut period = tokio::time::interval(PERIOD);
    let chance = context.tools.chance.fork();
    loop {
        tokio::select! {
            _ = period.tick() => {}
            () = context.tools.stop.wait() => return,
        }
        let trace = Trace::new(&chance);
        if let Err(error) = refresh(&context, &directory, &trace).await {
            tracing::warn!(%error, "the Directory did not tell the statuses of participants");
        }
    }
}

/// The row that the bank adds to its control port: `POST /directory/refresh` asks the Directory at once.
pub(crate) fn routes(directory: Arc<DirectoryClient>) -> Vec<Route<Control<Context>>> {
    let handler = move |control: Arc<Control<Context>>, request: Request| {
        let directory = Arc::clone(&directory);
        async move { ask(&control.party, &directory, &request).await }
    };
    vec![route(Method::POST, "/directory/refresh", handler)]
}

async fn ask(context: &Context, directory: &DirectoryClient, request: &Request) -> Response {
    match refresh(context, directory, &request.trace).await {
        Ok(suspended) => reply::json(StatusCode::OK, &serde_json::json!({ "suspended": suspended })),
        Err(error) => control::refuse(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}
