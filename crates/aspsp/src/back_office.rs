//! What the bank's own people do with its books, through the control port: payments that move on when they are told to
//! (`settlement: { automatic: false }` in the bank's profile), payments that the bank rejects, accounts that are blocked
//! or closed.

use std::sync::Arc;

use http::{Method, StatusCode};
use ledger::{AccountId, AccountStatus, Action, CommandError, OrderId, Rejection};
use party::control::{self, Control};
use serde::Deserialize;
use transport::{Request, Response, Route, reply, route};

use crate::{Context, money::CommandFailure};

/// `POST /payments/{OrderId}/reject`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Reject {
    /// Why, such as `not_specified`.
    reason: Rejection,
}

/// `POST /accounts/{AccountId}/status`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SetStatus {
    /// `enabled`, `disabled` or `closed`.
    status: AccountStatus,
}

/// The rows that the bank adds to its control port.
pub(crate) fn routes() -> Vec<Route<Control<Context>>> {
    macro_rules! row {
        ($path:literal, $read:expr) => {
            route(Method::POST, $path, |control: Arc<Control<Context>>, request: Request| async move {
                let read: fn(&Request) -> Result<Action, Box<Response>> = $read;
                match read(&request) {
                    Ok(action) => carry_out(&control.party, action).await,
                    Err(refused) => *refused,
                }
            })
        };
    }
    vec![
        row!("/payments/{OrderId}/step", |request| Ok(Action::Step { order: order(request) })),
        row!("/payments/{OrderId}/reject", |request| {
            let asked: Reject = control::body(request)?;
            Ok(Action::Reject { order: order(request), reason: asked.reason })
        }),
        row!("/accounts/{AccountId}/status", |request| {
            let asked: SetStatus = control::body(request)?;
            let account = AccountId::new(request.params.get("AccountId").unwrap_or_default());
            Ok(Action::SetStatus { account, status: asked.status })
        }),
    ]
}

fn order(request: &Request) -> OrderId {
    OrderId::new(request.params.get("OrderId").unwrap_or_default())
}

async fn carry_out(context: &Context, action: Action) -> Response {
    let now = context.tools.clock.now();
    match context.money.carry_out(context.store(), action, Vec::new(), now).await {
        Ok(()) => reply::empty(StatusCode::NO_CONTENT),
        Err(CommandFailure::Refused(error @ CommandError::Books(_))) => {
            control::refuse(StatusCode::NOT_FOUND, error.to_string())
        }
        Err(CommandFailure::Refused(error)) => control::refuse(StatusCode::CONFLICT, error.to_string()),
        Err(error) => control::refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
