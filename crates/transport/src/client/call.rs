//! One request and its answer.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use simulation::{Exchange, SeenToken, Side, TlsFacts, Trace, redact_query};
use time::OffsetDateTime;
use url::Url;

use super::{CallError, HttpClient, diagnosis, error::never_sent};
use crate::INTERACTION_ID;

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Clocks of two machines that differ no more than this go together.
const TOGETHER: time::Duration = time::Duration::seconds(90);

/// A request to be filled in. What cannot be a header or a body is told by [`RequestBuilder::send`].
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    client: HttpClient,
    method: Method,
    url: Url,
    label: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    trace: Option<Trace>,
    tokens: Vec<SeenToken>,
    problem: Option<String>,
}

impl RequestBuilder {
    pub(super) fn new(client: HttpClient, method: Method, url: &Url) -> Self {
        Self {
            client,
            method,
            url: url.clone(),
            label: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            trace: None,
            tokens: Vec::new(),
            problem: None,
        }
    }

    /// Names the other end for the journal; otherwise that is host and port.
    pub fn to(mut self, peer: &str) -> Self {
        self.label = Some(peer.to_owned());
        self
    }

    /// Adds a header; one that is already there stays.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.problem = Some(format!("{name} cannot be a header with this value")),
        }
        self
    }

    /// Adds an access token (RFC 6750, 2.1).
    pub fn bearer(mut self, token: &str) -> Self {
        match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(header::AUTHORIZATION, value);
            }
            Err(_) => self.problem = Some("the access token cannot be a header".into()),
        }
        self
    }

    /// Sets a JSON body.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body("application/json; charset=utf-8", body),
            Err(error) => {
                self.problem = Some(error.to_string());
                self
            }
        }
    }

    /// Sets a form as the body, in this order.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, pairs: &[(N, V)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.body("application/x-www-form-urlencoded", form.finish())
    }

    /// Sets any body.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        match HeaderValue::from_str(content_type) {
            Ok(value) => {
                self.headers.insert(header::CONTENT_TYPE, value);
            }
            Err(_) => self.problem = Some("the content type cannot be a header".into()),
        }
        self.body = body.into();
        self
    }

    /// Makes the request part of a journey; otherwise it begins a new one.
    pub fn trace(mut self, trace: &Trace) -> Self {
        self.trace = Some(trace.clone());
        self
    }

    /// Sends `x-fapi-interaction-id`.
    pub fn interaction_id(self, id: &str) -> Self {
        self.header(INTERACTION_ID, id)
    }

    /// Tokens that travel with the request, for the journal.
    pub fn tokens(mut self, tokens: impl IntoIterator<Item = SeenToken>) -> Self {
        self.tokens.extend(tokens);
        self
    }

    /// Sends the request and reads the answer. Any HTTP status is an answer.
    ///
    /// # Errors
    /// There was no answer, or it was too long: see [`CallError`].
    pub async fn send(mut self) -> Result<Answer, CallError> {
        let at = self.client.0.clock.now();
        let started = Instant::now();
        let chance = &self.client.0.chance;
        let trace = self.trace.take().unwrap_or_else(|| Trace::new(chance));
        if let Ok(value) = HeaderValue::from_str(&trace.header(chance)) {
            self.headers.insert(Trace::HEADER, value);
        }
        let sent_id = text(&self.headers, INTERACTION_ID);
        let mut tls = None;
        let outcome = match self.problem.take() {
            Some(problem) => Err(CallError::Request(problem)),
            None => self.exchange(started, &mut tls).await,
        };
        if let Some(journal) = &self.client.0.journal {
            let answered_id = outcome.as_ref().ok().and_then(|answer| answer.interaction_id.clone());
            let exchange = Exchange {
                sequence: 0,
                at,
                party: String::new(),
                side: Side::Client,
                peer: self.label.take().unwrap_or_else(|| authority(&self.url)),
                method: self.method.to_string(),
                url: redact_query(self.url.as_str()),
                status: outcome.as_ref().ok().map(|answer| answer.status.as_u16()),
                error: outcome.as_ref().err().map(ToString::to_string),
                duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                trace_id: trace.trace_id,
                interaction_id: answered_id.or(sent_id),
                tls,
                verdict: None,
                tokens: Vec::new(),
                fault: None,
            };
            journal.record_with(exchange, std::mem::take(&mut self.tokens));
        }
        outcome
    }

    async fn exchange(&mut self, started: Instant, tls: &mut Option<TlsFacts>) -> Result<Answer, CallError> {
        let inner = &self.client.0;
        if inner.https_only && self.url.scheme() != "https" {
            return Err(CallError::InTheClear { peer: authority(&self.url) });
        }
        let failed = |error: &reqwest::Error| CallError::of(error, &authority(&self.url), inner.timeout);
        let mut request = inner.client.request(self.method.clone(), self.url.clone());
        if !self.body.is_empty() || self.headers.contains_key(header::CONTENT_TYPE) {
            request = request.body(std::mem::take(&mut self.body));
        }
        let sent = request.headers(std::mem::take(&mut self.headers)).send().await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) if never_sent(&error) => {
                let fault = diagnosis::fault(Arc::clone(&inner.tls), &self.url).await;
                let peer = authority(&self.url);
                return Err(fault.map_or_else(|| failed(&error), |fault| CallError::Tls { peer, fault }));
            }
            Err(error) => return Err(failed(&error)),
        };
        *tls = response.extensions().get::<reqwest::tls::TlsInfo>().map(|info| inner.tls_facts(info));
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + piece.len() > ANSWER_LIMIT {
                return Err(CallError::TooLarge { limit: ANSWER_LIMIT });
            }
            body.extend_from_slice(&piece);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer {
            status: response.status(),
            interaction_id: text(&headers, INTERACTION_ID),
            headers,
            body: body.freeze(),
            duration: started.elapsed(),
            own_time: inner.clock.now(),
        })
    }
}

/// Host and port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The answer to a request, complete.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, at most 8 MiB.
    pub body: Bytes,
    /// `x-fapi-interaction-id` of the answer.
    pub interaction_id: Option<String>,
    /// From before connecting until the body was complete.
    pub duration: Duration,
    /// When that was, by the clock of the party that asked.
    pub own_time: OffsetDateTime,
}

/// Two parties whose clocks do not go together: the likely cause of a refusal that is about times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClocksApart {
    /// The time of the party that answered.
    theirs: OffsetDateTime,
    /// The time of the party that asked.
    own: OffsetDateTime,
}

impl fmt::Display for ClocksApart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |time: OffsetDateTime| httpdate::fmt_http_date(time.into());
        let (theirs, own) = (written(self.theirs), written(self.own));
        write!(f, "the clocks are apart, which is the likely cause: theirs says {theirs}, this party's {own}")
    }
}

impl Answer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// The body is no JSON or lacks what `T` needs.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|cause| CallError::Json { status: self.status.as_u16(), cause })
    }

    /// How the clocks of the two parties differ, when they differ by more than a request can take: by the answer's `Date`.
    #[must_use]
    pub fn clocks_apart(&self) -> Option<ClocksApart> {
        let theirs = OffsetDateTime::from(httpdate::parse_http_date(self.header("date")?).ok()?);
        let own = self.own_time;
        ((theirs - own).abs() > TOGETHER).then_some(ClocksApart { theirs, own })
    }

    /// The value of a header; none when it is missing or is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
