//! The control port: plain HTTP on loopback for health, metrics, journal and clock, and for what a party adds.
//!
//! Bound elsewhere it demands `Authorization: Bearer` with a token from the settings, and does not start without one.

mod bending;
mod guard;
mod metrics;

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
};

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use simulation::{Chance, Clock, Exchange, Filter};
use time::{Duration, OffsetDateTime};
use tokio::{net::TcpListener, task::JoinHandle};
use transport::{ClientSettings, HttpClient, Problem, Request, Response, Route, Router, reply, route};
use url::Url;

pub use bending::misbehaviour_routes;

use self::{guard::guarded, metrics::metrics};
use crate::{DataDirectory, StartError, Tools, clock::keep};

/// Most exchanges in one answer, unless fewer are asked for.
const MOST_EXCHANGES: usize = 1000;

/// How long a party may take to say that it is ready.
const PROBE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// What the control port shares with its handlers: the party's own context and what the port itself needs.
pub struct Control<C> {
    /// The party's context.
    pub party: Arc<C>,
    pub(crate) tools: Tools,
    token: Option<String>,
    data: DataDirectory,
    journal: String,
    /// One at a time moves the clock and keeps where it is.
    moving: tokio::sync::Mutex<()>,
}

/// `GET /clock`, and the answer to `POST /clock/advance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClockReading {
    /// The party's time.
    #[serde(with = "time::serde::rfc3339")]
    pub now: OffsetDateTime,
    /// Seconds that it is ahead of true time.
    pub ahead: i64,
}

/// `POST /clock/advance`: how far the clock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Advance {
    /// So many seconds forward.
    Seconds(i64),
    /// So many seconds ahead of true time; a clock that is there or further stays. Told to all parties, it brings their
    /// clocks to the same time.
    Ahead(i64),
}

/// `GET /journal`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalPage {
    /// Names this journal. After a restart it is another one, whose numbers begin anew.
    #[serde(default)]
    pub journal: String,
    /// Exchanges, the oldest first.
    pub exchanges: Vec<Exchange>,
}

/// A problem of a control request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ControlError {
    /// What is wrong, and what would be right.
    pub error: String,
}

/// An answer that says what is wrong.
#[must_use]
pub fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    reply::json(status, &ControlError { error: error.into() })
}

/// The JSON body of a control request.
///
/// # Errors
/// The answer that says why the body cannot be read.
pub fn body<T: for<'de> Deserialize<'de>>(request: &Request) -> Result<T, Box<Response>> {
    let bytes: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(bytes).map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, error.to_string())))
}

/// Takes the address for a control port.
///
/// # Errors
/// The port is taken, or it is bound beyond loopback without a token.
pub async fn bind(address: SocketAddr, token: Option<&str>) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() && token.is_none_or(str::is_empty) {
        return Err(StartError::Configuration(format!(
            "the control port {address} is beyond loopback and needs a control token"
        )));
    }
    crate::listener::bind(address, "the control port").await
}

/// Serves the control port with the routes that every party has and those that this one adds.
///
/// # Errors
/// A route is there twice.
pub fn serve<C: Send + Sync + 'static>(
    listener: TcpListener,
    token: Option<String>,
    party: Arc<C>,
    data: &DataDirectory,
    tools: &Tools,
    added: Vec<Route<Control<C>>>,
) -> Result<JoinHandle<()>, StartError> {
    let control = Arc::new(Control {
        party,
        tools: tools.clone(),
        token: token.filter(|token| !token.is_empty()),
        data: data.clone(),
        journal: tools.chance.uuid().to_string(),
        moving: tokio::sync::Mutex::new(()),
    });
    let routes = [
        route(Method::GET, "/health", health::<C>),
        route(Method::GET, "/ready", health::<C>),
        route(Method::GET, "/metrics", metrics::<C>),
        route(Method::GET, "/journal", journal::<C>),
        route(Method::GET, "/clock", clock::<C>),
        route(Method::POST, "/clock/advance", advance::<C>),
    ];
    let routes = routes.into_iter().chain(bending::routes()).chain(added).map(guarded);
    let router = Router::new(control, routes, problem::<C>)?;
    Ok(transport::serve(listener, None, Arc::new(router), tools.silent_observer(), tools.stop.clone()))
}

/// Asks a control port whether its party is ready: exit code 0 if it is, 1 if it is not. One that listens on every address
/// is asked on this machine.
///
/// # Errors
/// The question cannot be put.
pub async fn probe(address: SocketAddr) -> Result<ExitCode, StartError> {
    let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    let url = Url::parse(&format!("http://{}/ready", SocketAddr::new(ip, address.port())))
        .map_err(|error| StartError::Other(error.to_string()))?;
    let http = HttpClient::new(ClientSettings {
        party: "health",
        anchors: Vec::new(),
        identity: None,
        journal: None,
        clock: Clock::real(),
        chance: Chance::from_system(),
        cookies: false,
        timeout: PROBE_TIMEOUT,
    })?;
    let ready = http.request(Method::GET, &url).send().await.is_ok_and(|answer| answer.status.is_success());
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn problem<C>(_: &Control<C>, request: &Request, problem: &Problem) -> Response {
    let status = match problem {
        Problem::UnknownPath => StatusCode::NOT_FOUND,
        Problem::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Problem::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Problem::BodyUnreadable => StatusCode::BAD_REQUEST,
        Problem::HandlerPanicked => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refuse(status, format!("{} {}: {problem}", request.method, request.path))
}

async fn health<C>(_: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &serde_json::json!({ "status": "up" }))
}

async fn clock<C>(control: Arc<Control<C>>, _: Request) -> Response {
    reply::json(StatusCode::OK, &control.reading())
}

impl<C> Control<C> {
    fn reading(&self) -> ClockReading {
        ClockReading { now: self.tools.clock.now(), ahead: self.tools.clock.offset().whole_seconds() }
    }
}

async fn advance<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let step: Advance = match body(&request) {
        Ok(step) => step,
        Err(refused) => return *refused,
    };
    let _moving = control.moving.lock().await;
    let clock = &control.tools.clock;
    let moved = match step {
        Advance::Seconds(seconds) => clock.advance(Duration::seconds(seconds)).map(drop),
        Advance::Ahead(ahead) => clock.reach(Duration::seconds(ahead)),
    };
    if let Err(error) = moved {
        return refuse(StatusCode::BAD_REQUEST, error.to_string());
    }
    let (data, clock) = (control.data.clone(), control.tools.clock.clone());
    match tokio::task::spawn_blocking(move || keep(&data, &clock)).await {
        Ok(Ok(())) => reply::json(StatusCode::OK, &control.reading()),
        Ok(Err(error)) => {
            tracing::error!(%error, "the clock was moved, and a restart will not know");
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the clock was moved, and a restart will not know: {error}"),
            )
        }
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn journal<C>(control: Arc<Control<C>>, request: Request) -> Response {
    let mut filter = Filter { limit: Some(MOST_EXCHANGES), ..Filter::default() };
    for (name, value) in request.query_pairs() {
        let number = value.parse::<u64>();
        match (name.as_str(), number) {
            ("trace", _) => filter.trace = Some(value),
            ("interaction", _) => filter.interaction = Some(value),
            ("after", Ok(after)) => filter.after = Some(after),
            ("limit", Ok(limit)) => filter.limit = Some(usize::try_from(limit).unwrap_or(MOST_EXCHANGES)),
            _ => {
                let text = format!("{name}={value} is not trace=ID, interaction=ID, after=NUMBER or limit=NUMBER");
                return refuse(StatusCode::BAD_REQUEST, text);
            }
        }
    }
    let exchanges = control.tools.journal.recent(&filter);
    reply::json(StatusCode::OK, &JournalPage { journal: control.journal.clone(), exchanges })
}
