//! What bends a party while it runs: faults and lessons, and taking all of it back.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde::Serialize;
use simulation::faults::Fault;
use transport::{Request, Response, Route, reply, route};

use super::{Control, body, refuse};
use crate::lesson::{LessonError, Misbehave, SwitchOff};

pub(super) fn routes<C: Send + Sync + 'static>() -> Vec<Route<Control<C>>> {
    vec![
        route(Method::GET, "/faults", faults::<C>),
        route(Method::POST, "/faults", add_fault::<C>),
        route(Method::DELETE, "/faults", clear_faults::<C>),
        route(Method::DELETE, "/faults/{FaultId}", remove_fault::<C>),
        route(Method::GET, "/lesson", lesson::<C>),
        route(Method::POST, "/lesson", switch_off::<C>),
        route(Method::DELETE, "/lesson", switch_on::<C>),
        route(Method::POST, "/reset", reset::<C>),
    ]
}

/// The rows of a party that can misbehave.
#[must_use]
pub fn misbehaviour_routes<C: Send + Sync + 'static>() -> Vec<Route<Control<C>>> {
    vec![
        route(Method::GET, "/misbehave", misbehaviour::<C>),
        route(Method::POST, "/misbehave", misbehave::<C>),
        route(Method::DELETE, "/misbehave", behave::<C>),
    ]
}

async fn faults<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.tools.faults.list())
}

async fn add_fault<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let fault: Fault = match body(&request) {
        Ok(fault) => fault,
        Err(refused) => return *refused,
    };
    let tools = &control.tools;
    match tools.faults.add(fault, &tools.chance) {
        Ok(active) => {
            tracing::info!(fault = active.id, what = active.fault.what(), "a fault was asked for");
            reply::json(StatusCode::CREATED, &active)
        }
        Err(error) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn clear_faults<C>(control: Arc<Control<C>>, _: Request) -> Response {
    control.tools.faults.clear();
    reply::empty(StatusCode::NO_CONTENT)
}

async fn remove_fault<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let id = request.params.get("FaultId").unwrap_or_default();
    if control.tools.faults.remove(id) {
        return reply::empty(StatusCode::NO_CONTENT);
    }
    refuse(StatusCode::NOT_FOUND, format!("there is no fault {id}"))
}

async fn lesson<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.tools.lesson.state())
}

async fn switch_off<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let asked: SwitchOff = match body(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    changed(&control.tools.lesson.switch_off(asked.off))
}

fn changed(outcome: &Result<impl Serialize, LessonError>) -> Response {
    match outcome {
        Ok(state) => reply::json(StatusCode::OK, state),
        Err(error) => {
            let status = match error {
                LessonError::NotALesson => StatusCode::FORBIDDEN,
                LessonError::Unknown { .. } | LessonError::UnknownDeviation { .. } => StatusCode::BAD_REQUEST,
            };
            refuse(status, error.to_string())
        }
    }
}

async fn misbehaviour<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.tools.lesson.misbehaviour())
}

async fn misbehave<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let asked: Misbehave = match body(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    changed(&control.tools.lesson.misbehave(&asked.deviations))
}

async fn behave<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.tools.lesson.behave())
}

async fn switch_on<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.tools.lesson.reset())
}

/// Takes back what bends the party. What it remembers and its clock stay.
async fn reset<C>(control: Arc<Control<C>>, _: Request) -> Response {
    control.tools.faults.clear();
    control.tools.lesson.reset();
    control.tools.lesson.behave();
    reply::empty(StatusCode::NO_CONTENT)
}
