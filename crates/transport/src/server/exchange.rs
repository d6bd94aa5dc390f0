//! One request: found in the table, read, handled, answered, written down.

use std::{
    any::Any,
    convert::Infallible,
    error::Error as StdError,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream, StreamExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::{Body, Incoming};
use hyper_util::service::TowerToHyperService;
use rules::Verdict;
use simulation::{Exchange, SeenToken, Side, Trace, faults::FaultMark, redact_query};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use uuid::Uuid;
use warp::{Filter, filters::BoxedFilter};

use super::{
    Caller, Observer,
    fault::{self, HangUp, Struck},
};
use crate::{
    INTERACTION_ID, Params, Problem, Request, Response, Router,
    message::{BodyError, Lookup, allow, read_bounded},
    reply,
};

/// How long a body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>;

/// What hyper calls for every request. The caller is expected among the request's extensions.
pub(super) fn service<C: Send + Sync + 'static>(
    router: Arc<Router<C>>,
    observer: Observer,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = hyper::Response<impl Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static>,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    TowerToHyperService::new(warp::service(filter(Arc::new(Engine { router, observer }))))
}

/// Extracts, and never rejects with a meaning: every method and path leads to the table.
fn filter<C: Send + Sync + 'static>(engine: Arc<Engine<C>>) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    warp::ext::get::<Arc<Caller>>()
        .and(warp::ext::get::<HangUp>())
        .and(warp::method())
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |caller, hang_up: HangUp, method, path: warp::path::FullPath, query, headers, body| {
            let head = Head { caller, method, path: path.as_str().to_owned(), query, headers };
            let body: BodyStream = Box::pin(pieces(body));
            let engine = Arc::clone(&engine);
            let exchange = async move { engine.exchange(head, body).await };
            // What a panic leaves behind is the engine, which has no state of its own.
            let work = Unabandoned(Some(Box::pin(AssertUnwindSafe(exchange).catch_unwind())));
            async move {
                match work.await {
                    Ok(Some(response)) => response,
                    Ok(None) => hang_up.hang_up().await,
                    Err(panic) => {
                        let error = panic_text(panic.as_ref());
                        tracing::error!(error, "an exchange ended badly");
                        reply::empty(StatusCode::INTERNAL_SERVER_ERROR)
                    }
                }
            }
        })
        .boxed()
}

/// Work that is done to its end, so that a client that goes away does not leave it half done and unrecorded. It runs where
/// it is waited for; only what nobody waits for any more becomes a task of its own.
struct Unabandoned<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Future for Unabandoned<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = work.as_mut().poll(context);
        if done.is_ready() {
            self.0 = None;
        }
        done
    }
}

impl<T: Send + 'static> Drop for Unabandoned<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

fn pieces(
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, warp::Error>> + Send + 'static {
    body.map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())))
}

/// What the filter extracted.
struct Head {
    caller: Arc<Caller>,
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
}

struct Engine<C> {
    router: Arc<Router<C>>,
    observer: Observer,
}

impl<C: Send + Sync + 'static> Engine<C> {
    /// The answer; none when a fault closes the connection instead.
    async fn exchange(&self, head: Head, body: BodyStream) -> Option<Response> {
        let started = Instant::now();
        let at = self.observer.clock.now();
        let request = self.request(head);
        // The handler consumes the request; its outline is what the journal and a problem after it are about.
        let outline = request.outline();
        let mut struck = None;
        let (mut response, mut defect) = match self.handle(request, body, &mut struck).await {
            Ok(response) => (response, None),
            Err(Unhandled { request, problem, detail }) => {
                let request = request.as_deref().unwrap_or(&outline);
                (self.unhandled(request, &problem), detail)
            }
        };
        let work = Work { verdict: response.extensions_mut().remove(), tokens: response.extensions_mut().remove() };
        let mark = match &struck {
            Some(struck) => struck.strike_response(&mut response).await,
            None => None,
        };
        if outline.method == Method::HEAD {
            without_body(&mut response);
        }
        if let Ok(id) = HeaderValue::from_str(&outline.interaction_id) {
            response.headers_mut().insert(INTERACTION_ID, id);
        }
        self.date(&mut response);
        if let Some(error) = &defect {
            tracing::error!(method = %outline.method, path = outline.path, trace = outline.trace.trace_id, error);
        }
        let dropped = struck.is_some_and(|struck| struck.drops());
        let status = (!dropped).then(|| response.status().as_u16());
        if dropped {
            defect.get_or_insert_with(|| "a fault closed the connection".to_owned());
        }
        self.record(&outline, Ended { status, error: defect, mark, work, at, duration: started.elapsed() });
        (!dropped).then_some(response)
    }

    /// An answer is of the party's time (RFC 9110, 6.6.1). True time is put there by the connection.
    fn date(&self, response: &mut Response) {
        let clock = &self.observer.clock;
        if !clock.is_true()
            && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(clock.now().into()))
        {
            response.headers_mut().insert(header::DATE, date);
        }
    }

    fn request(&self, head: Head) -> Request {
        let Head { caller, method, path, query, headers } = head;
        let chance = &self.observer.chance;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let trace = Trace::of_request(text(Trace::HEADER), chance);
        let interaction_id = match text(INTERACTION_ID) {
            Some(id) if is_uuid(id) => id.to_owned(),
            _ => chance.uuid().to_string(),
        };
        Request {
            method,
            path,
            params: Params::default(),
            query,
            headers,
            body: Bytes::new(),
            caller,
            interaction_id,
            trace,
            notes: http::Extensions::new(),
        }
    }

    /// `struck` gets the fault that the request meets, which has done its work on the way in.
    async fn handle(
        &self,
        mut request: Request,
        body: BodyStream,
        struck: &mut Option<Struck>,
    ) -> Result<Response, Unhandled> {
        let (route, params) = match self.router.lookup(&request.method, &request.path) {
            Lookup::Found(route, params) => (route, params),
            Lookup::UnknownPath => return Err(Unhandled::before(request, Problem::UnknownPath, None)),
            Lookup::MethodNotAllowed(allowed) => {
                return Err(Unhandled::before(request, Problem::MethodNotAllowed { allowed }, None));
            }
        };
        request.params = params;
        request.body = match read_bounded(&request.headers, body, route.body_limit, BODY_PATIENCE).await {
            Ok(body) => body,
            Err(BodyError::TooLarge { limit }) => {
                return Err(Unhandled::before(request, Problem::BodyTooLarge { limit }, None));
            }
            Err(BodyError::Unreadable(cause)) => {
                let detail = format!("the body cannot be read: {cause}");
                return Err(Unhandled::before(request, Problem::BodyUnreadable, Some(detail)));
            }
        };
        *struck = fault::find(&self.observer.faults, &request);
        if let Some(struck) = struck
            && let Some(response) = struck.strike_request(&mut request).await
        {
            return Ok(response);
        }
        let handler = Arc::clone(&route.handler);
        let context = Arc::clone(&self.router.context);
        // The call itself is inside, since a handler may panic before it returns its future.
        let answer = async move { handler(context, request).await };
        // What a panicking handler leaves behind is the context, and its locks are the party's to judge.
        AssertUnwindSafe(answer).catch_unwind().await.map_err(|panic| Unhandled {
            request: None,
            problem: Problem::HandlerPanicked,
            detail: Some(format!("the handler panicked: {}", panic_text(panic.as_ref()))),
        })
    }

    fn unhandled(&self, request: &Request, problem: &Problem) -> Response {
        let allowed = match problem {
            Problem::MethodNotAllowed { allowed } => HeaderValue::from_str(&allow(allowed)).ok(),
            _ => None,
        };
        let mut response = (self.router.problem)(&self.router.context, request, problem);
        if let Some(allowed) = allowed {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }

    fn record(&self, request: &Request, ended: Ended) {
        let Some(journal) = &self.observer.journal else { return };
        let url = match &request.query {
            Some(query) => redact_query(&format!("{}?{query}", request.path)),
            None => request.path.clone(),
        };
        let exchange = Exchange {
            sequence: 0,
            at: ended.at,
            party: String::new(),
            side: Side::Server,
            peer: request.caller.label(),
            method: request.method.to_string(),
            url,
            status: ended.status,
            error: ended.error,
            duration_us: u64::try_from(ended.duration.as_micros()).unwrap_or(u64::MAX),
            trace_id: request.trace.trace_id.clone(),
            interaction_id: Some(request.interaction_id.clone()),
            tls: request.caller.tls.clone(),
            verdict: ended.work.verdict,
            tokens: Vec::new(),
            fault: ended.mark,
        };
        journal.record_with(exchange, ended.work.tokens.unwrap_or_default());
    }
}

/// What the party's work says about itself.
struct Work {
    verdict: Option<Verdict>,
    tokens: Option<Vec<SeenToken>>,
}

/// How an exchange ended.
struct Ended {
    /// Of the answer that was sent, if one was.
    status: Option<u16>,
    error: Option<String>,
    mark: Option<FaultMark>,
    work: Work,
    at: OffsetDateTime,
    duration: Duration,
}

/// A request that no handler answered.
struct Unhandled {
    /// The request, unless the handler has consumed it.
    request: Option<Box<Request>>,
    problem: Problem,
    /// For the journal, when it is more than a client's mistake.
    detail: Option<String>,
}

impl Unhandled {
    fn before(request: Request, problem: Problem, detail: Option<String>) -> Self {
        Self { request: Some(Box::new(request)), problem, detail }
    }
}

/// The form with hyphens (RFC 9562, 4); the parser also takes others, which are not echoed.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// A response to `HEAD` has the headers of the one to `GET` (RFC 9110, 9.3.2).
fn without_body(response: &mut Response) {
    let length = response.body().len();
    if length > 0 {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        *response.body_mut() = Bytes::new();
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_with_hyphens_is_an_interaction_id() {
        assert!(is_uuid("93bac548-d2de-4546-b106-880a5018460d"));
        assert!(is_uuid("93BAC548-D2DE-4546-B106-880A5018460D"));
        for bad in [
            "93bac548d2de4546b106880a5018460d",
            "{93bac548-d2de-4546-b106-880a5018460d}",
            "urn:uuid:93bac548-d2de-4546-b106-880a5018460d",
            "93bac548-d2de-4546-b106-880a5018460g",
            "",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
    }
}
