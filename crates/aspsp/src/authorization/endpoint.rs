//! The authorization endpoint: from the TPP's request to the bank's first page, which is the login.

use std::sync::Arc;

use fapi::{
    Interaction,
    authorization::Refused,
    parameters::Parameters,
    response::{AuthorizationResponse, Delivery},
};
use http::{HeaderValue, Method, StatusCode, header};
use party::authorization_server::seen;
use serde::Serialize;
use store::CommitError;
use transport::{Request, Response, reply};

use super::{auto_approval, session};
use crate::{
    Context, app,
    authorization::session::{Session, Stage},
    authorization::views::{OutboundFormView, OutboundView},
    consents,
    pages::{Sheet, TppView, secured},
};

/// `GET` or `POST /authorize`.
pub async fn authorize(context: Arc<Context>, request: Request) -> Response {
    let parameters = if request.method == Method::POST {
        Parameters::of_body(request.form_pairs())
    } else {
        Parameters::new(request.query_pairs())
    };
    let tokens: Vec<_> = seen("request object", parameters.get("request")).into_iter().collect();
    let now = context.tools.clock.now();
    let mut response = match context.engine.authorize(parameters, now).await {
        Ok(accepted) => {
            let mut response = begin(&context, &request, &accepted.value).await;
            response.extensions_mut().insert(accepted.passed.verdict());
            response
        }
        Err(refused) => refuse(&context, &request, &refused),
    };
    response.extensions_mut().insert(tokens);
    response
}

async fn begin(context: &Context, request: &Request, interaction: &Interaction) -> Response {
    let cookie = context.tools.chance.token();
    let step = match first_stage(context, request, interaction, &cookie).await {
        Ok(stage) => stage.step(),
        Err(error) => {
            tracing::error!(%error, "the authorisation could not begin");
            let text = "The bank could not go on.";
            return error_page(context, request, StatusCode::INTERNAL_SERVER_ERROR, "server_error", text);
        }
    };
    if let Some(username) = &context.bank.auto_approve {
        return auto_approval::confirm_alone(context, request, &interaction.id, &cookie, username).await;
    }
    let mut response = reply::redirect(StatusCode::SEE_OTHER, &format!("/authorisation/{}/{step}", interaction.id));
    if let Ok(value) = HeaderValue::from_str(&session::set_cookie(&interaction.id, &cookie)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    secured(response)
}

/// Opens the customer's way in a browser, or in the bank's app where the browser is a device that has it.
async fn first_stage(
    context: &Context,
    request: &Request,
    interaction: &Interaction,
    cookie: &str,
) -> Result<Stage, CommitError> {
    let app = match &context.login_page {
        Some(_) => None,
        None => app::device::customer_of(context, request).await?,
    };
    let stage = app.map_or(Stage::Login, |customer| Stage::Passcode { customer });
    let session = Session {
        cookie_digest: fapi::digest(cookie),
        csrf: context.tools.chance.token(),
        stage: stage.clone(),
        failures: 0,
        expires_at: interaction.expires_at,
    };
    remember(context, interaction, &session).await?;
    Ok(stage)
}

/// Keeps the session, and until when the consent waits for a decision.
async fn remember(context: &Context, interaction: &Interaction, session: &Session) -> Result<(), CommitError> {
    loop {
        let mut changes = vec![session::collection().insert(&interaction.id, session)?];
        if let Some(id) = &interaction.intent_id
            && let Some((consent, version)) = consents::collection().get(context.store(), id).await?
        {
            let waiting = consent.clone().wait_until(interaction.expires_at);
            if waiting != consent {
                changes.push(consents::collection().update(id, version, &waiting)?);
            }
        }
        match context.store().commit(changes).await {
            // Another authorisation of the consent began, or the TPP changed it, at the same moment.
            Err(CommitError::Conflict { .. }) => {}
            outcome => return outcome,
        }
    }
}

fn refuse(context: &Context, request: &Request, refused: &Refused) -> Response {
    let code = refused.failure.code();
    let mut response = match &refused.response {
        Some(response) => leave(context, request, response),
        None => {
            let status = if code.status() >= 500 { code.status() } else { 400 };
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            error_page(context, request, status, code.as_str(), refused.failure.description())
        }
    };
    if let Some(verdict) = refused.failure.verdict() {
        response.extensions_mut().insert(verdict);
    }
    response
}

/// Takes the browser to the TPP with an answer that nobody was asked about.
fn leave(context: &Context, request: &Request, response: &AuthorizationResponse) -> Response {
    match response.delivery() {
        Delivery::Redirect(location) => secured(reply::redirect(StatusCode::SEE_OTHER, &location)),
        Delivery::Form { action, fields } => {
            let fields: Vec<(String, String)> =
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let outbound = OutboundView {
                tpp: TppView { name: "the company that sent you", on_behalf_of: None },
                heading: "That did not work",
                status: "We could not begin.".to_owned(),
                later: None,
            };
            let view = OutboundFormView { outbound, action: &action, fields: &fields, seconds: 0 };
            let sheet = Sheet::new("outbound-form", "That did not work", app::device::skin(request));
            context.pages.show_leaving(&context.bank, &sheet, &action, &view)
        }
    }
}

#[derive(Debug, Serialize)]
struct ErrorView<'a> {
    error: &'a str,
    description: &'a str,
    interaction_id: &'a str,
    /// Where the customer can go on at the bank; none when the TPP is where to go on.
    back: Option<&'a str>,
}

/// The page that tells the customer, and the developer, that nothing can be done here.
#[must_use]
pub fn error_page(
    context: &Context,
    request: &Request,
    status: StatusCode,
    error: &str,
    description: &str,
) -> Response {
    error_page_with(context, request, status, (error, description), None)
}

/// The same with a way on at the bank.
#[must_use]
pub fn error_page_with(
    context: &Context,
    request: &Request,
    status: StatusCode,
    (error, description): (&str, &str),
    back: Option<&str>,
) -> Response {
    let view = ErrorView { error, description, interaction_id: &request.interaction_id, back };
    let sheet = Sheet { status, ..Sheet::new("error", "Error", app::device::skin(request)) };
    context.pages.show(&context.bank, &sheet, &view)
}
