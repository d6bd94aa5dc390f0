//! The control port's routes for steps: one row a step.

use std::{future::Future, sync::Arc};

use http::{Method, StatusCode};
use party::control::{Control, body};
use serde::{Serialize, de::DeserializeOwned};
use simulation::Trace;
use transport::{Request, Route, reply, route};

use crate::{
    Tpp,
    steps::{
        AuthorisationResult, Authorise, Call, ClientToken, DeliverResponse, ExchangeCode, Failure, LodgeConsent,
        Onboard, Outcome, Refresh, Register, Revoke,
    },
};

/// The rows.
pub(crate) fn routes() -> Vec<Route<Control<Tpp>>> {
    vec![
        step("/steps/onboard", |tpp, _: Onboard, trace| async move { tpp.onboard(&trace).await }),
        step("/steps/register", |tpp, step: Register, trace| async move { tpp.register(&step, &trace).await }),
        step(
            "/steps/lodge-consent",
            |tpp, step: LodgeConsent, trace| async move { tpp.lodge_consent(&step, &trace).await },
        ),
        step("/steps/authorise", |tpp, step: Authorise, trace| async move { tpp.authorise(&step, &trace).await }),
        step("/steps/authorisation-result", |tpp, step: AuthorisationResult, _| async move {
            tpp.returned(&step.state).await
        }),
        step("/steps/deliver-response", |tpp, step: DeliverResponse, trace| async move {
            tpp.take_answer(step.part, &step.answer, &trace).await.map(|taken| taken.returned)
        }),
        step(
            "/steps/exchange-code",
            |tpp, step: ExchangeCode, trace| async move { tpp.exchange_code(&step, &trace).await },
        ),
        step("/steps/refresh", |tpp, step: Refresh, trace| async move { tpp.refresh(&step, &trace).await }),
        step("/steps/client-token", |tpp, step: ClientToken, trace| async move {
            tpp.new_client_token(&step, &trace).await
        }),
        step("/steps/revoke", |tpp, step: Revoke, trace| async move { tpp.revoke(&step, &trace).await }),
        step("/steps/call", |tpp, step: Call, trace| async move { tpp.call(&step, &trace).await }),
    ]
}

/// A step that cannot be read is a 400; one that fails is an answer.
fn step<S, T, H, F>(path: &'static str, run: H) -> Route<Control<Tpp>>
where
    S: DeserializeOwned,
    T: Serialize,
    H: Fn(Arc<Tpp>, S, Trace) -> F + Send + Sync + Copy + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    route(Method::POST, path, move |control: Arc<Control<Tpp>>, request: Request| {
        let begun = body::<S>(&request).map(|step| run(Arc::clone(&control.party), step, request.trace));
        async move {
            match begun {
                Err(refused) => *refused,
                Ok(running) => {
                    let outcome = running.await.map_or_else(Outcome::Failed, Outcome::Done);
                    reply::json(StatusCode::OK, &outcome)
                }
            }
        }
    })
}
