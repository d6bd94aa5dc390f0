//! Where the parties are: their control ports, and what the customer needs.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use party::control::{Advance, ClockReading, ControlError, JournalPage};
use pki::Certificate;
use psu::Credentials;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use simulation::{Chance, Clock, Exchange, Trace};
use tpp::steps::Outcome;
use transport::{Answer, CallError, ClientSettings, HttpClient, TlsError};
use url::Url;

use crate::RunError;

/// How long a party may take for a step.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A party's control port.
#[derive(Debug, Clone)]
pub struct ControlAddress {
    /// The party's name in reports.
    pub party: String,
    /// Base URL.
    pub url: Url,
    /// Its token, when it demands one.
    pub token: Option<String>,
}

/// The parties of a run.
#[derive(Debug, Clone)]
pub struct Ecosystem {
    /// The TPP, which is told what to do.
    pub tpp: ControlAddress,
    /// Further TPPs, by the names that scenarios use.
    pub tpps: BTreeMap<String, ControlAddress>,
    /// The others, whose journals are read and whose clocks are moved.
    pub others: Vec<ControlAddress>,
    /// The certificates that the customer's browser trusts.
    pub trust_anchors: Vec<Certificate>,
    /// The customers by user name.
    pub credentials: BTreeMap<String, Credentials>,
}

/// A control port did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ControlFailure {
    /// It cannot be reached.
    #[error("the control port of {party} cannot be reached: {error}")]
    Unreachable {
        /// Whose.
        party: String,
        /// Why.
        error: CallError,
    },
    /// It refused.
    #[error("the control port of {party} refused {path}: {status} {text}")]
    Refused {
        /// Whose.
        party: String,
        /// What.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
}

/// How far a party's journal was read. A party that was started again has another journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bookmark {
    journal: String,
    after: u64,
}

/// A connection to a control port.
pub(crate) struct ControlClient {
    http: HttpClient,
    address: ControlAddress,
}

impl ControlClient {
    pub(crate) fn new(address: ControlAddress, anchors: &[Certificate]) -> Result<Self, TlsError> {
        let http = HttpClient::new(ClientSettings {
            party: "runner",
            anchors: anchors.to_vec(),
            identity: None,
            journal: None,
            clock: Clock::real(),
            chance: Chance::from_system(),
            cookies: false,
            timeout: TIMEOUT,
        })?;
        Ok(Self { http, address })
    }

    pub(crate) fn party(&self) -> &str {
        &self.address.party
    }

    /// Tells the TPP to take a step.
    pub(crate) async fn step<S: Serialize, T: DeserializeOwned>(
        &self,
        name: &str,
        step: &S,
        trace: &Trace,
    ) -> Result<Outcome<T>, ControlFailure> {
        let path = format!("/steps/{name}");
        let answer = self.call(Method::POST, &path, Some(step), Some(trace)).await?;
        answer.json().map_err(|error| self.unreachable(error))
    }

    /// The exchanges of a journey that were not read before.
    pub(crate) async fn journal(&self, trace: &Trace, mark: &mut Bookmark) -> Result<Vec<Exchange>, ControlFailure> {
        let mut page = self.journal_after(trace, mark.after).await?;
        if page.journal != mark.journal {
            if mark.after > 0 {
                page = self.journal_after(trace, 0).await?;
            }
            *mark = Bookmark { journal: page.journal, after: 0 };
        }
        mark.after = page.exchanges.iter().map(|exchange| exchange.sequence).max().unwrap_or(mark.after);
        Ok(page.exchanges)
    }

    async fn journal_after(&self, trace: &Trace, after: u64) -> Result<JournalPage, ControlFailure> {
        let path = format!("/journal?trace={}&after={after}", trace.trace_id);
        let answer = self.call(Method::GET, &path, None::<&()>, None).await?;
        answer.json().map_err(|error| self.unreachable(error))
    }

    /// Moves the party's clock to so many seconds ahead of true time.
    async fn reach(&self, ahead: i64) -> Result<ClockReading, ControlFailure> {
        let answer = self.call(Method::POST, "/clock/advance", Some(&Advance::Ahead(ahead)), None).await?;
        answer.json().map_err(|error| self.unreachable(error))
    }

    pub(crate) async fn clock(&self) -> Result<ClockReading, ControlFailure> {
        let answer = self.call(Method::GET, "/clock", None::<&()>, None).await?;
        answer.json().map_err(|error| self.unreachable(error))
    }

    /// The party's time.
    pub(crate) async fn now(&self) -> Result<time::OffsetDateTime, ControlFailure> {
        Ok(self.clock().await?.now)
    }

    /// Tells the party something that it has no answer to but an acknowledgement: a fault, a lesson, a deviation.
    pub(crate) async fn tell(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(), ControlFailure> {
        self.call(method, path, body, None).await.map(drop)
    }

    fn unreachable(&self, error: CallError) -> ControlFailure {
        ControlFailure::Unreachable { party: self.address.party.clone(), error }
    }

    async fn call<S: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&S>,
        trace: Option<&Trace>,
    ) -> Result<Answer, ControlFailure> {
        let refused = |status, text: String| ControlFailure::Refused {
            party: self.address.party.clone(),
            path: path.to_owned(),
            status,
            text,
        };
        let url = self.address.url.join(path).map_err(|error| refused(0, error.to_string()))?;
        let mut request = self.http.request(method, &url);
        if let Some(trace) = trace {
            request = request.trace(trace);
        }
        if let Some(token) = &self.address.token {
            request = request.bearer(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let said: Option<ControlError> = answer.json().ok();
        let text = said.map_or_else(|| String::from_utf8_lossy(&answer.body).into_owned(), |said| said.error);
        Err(refused(answer.status.as_u16(), text))
    }
}

/// Moves the clocks of these parties to the same time: so many seconds beyond the latest of them. Parties of one process
/// have one clock, which moves once. Answers what the clocks say then.
///
/// # Errors
/// A control port is not there, in which case no clock was moved, or refused.
pub(crate) async fn advance_together(
    clients: &[&ControlClient],
    seconds: i64,
) -> Result<Vec<(String, ClockReading)>, ControlFailure> {
    let mut latest = 0;
    for client in clients {
        latest = latest.max(client.clock().await?.ahead);
    }
    let mut readings = Vec::new();
    for client in clients {
        readings.push((client.party().to_owned(), client.reach(latest.saturating_add(seconds)).await?));
    }
    Ok(readings)
}

/// Moves the clocks of parties that run to the same time, so many seconds beyond the latest of them.
///
/// # Errors
/// A control port is not there, in which case no clock was moved, or refused.
pub async fn advance(addresses: Vec<ControlAddress>, seconds: i64) -> Result<Vec<(String, ClockReading)>, RunError> {
    let clients: Vec<ControlClient> =
        addresses.into_iter().map(|address| ControlClient::new(address, &[])).collect::<Result<_, _>>()?;
    Ok(advance_together(&clients.iter().collect::<Vec<_>>(), seconds).await?)
}
