//! One connection: handshake, then requests until one end has enough.

use std::{convert::Infallible, error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    service::Service,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use simulation::{Exchange, Side, Trace};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    pin,
    time::timeout,
};

use super::{Caller, Observer, fault::HangUp};
use crate::{ServerTls, Stop, TlsFault, tls::Handshake};

const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How long the headers of the next request may take, idle time on a kept connection included. Longer than clients keep
/// idle connections, so that it is them who close.
const HEADER_PATIENCE: Duration = Duration::from_secs(60);

/// How long a refused client is listened to, so that it can read the alert.
const LINGER: Duration = Duration::from_secs(1);

/// How often an HTTP/2 client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// A connection that was accepted and has not said anything yet.
pub(super) struct Connection<S> {
    pub(super) socket: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) service: S,
    pub(super) observer: Observer,
    pub(super) stop: Stop,
}

impl<S, B> Connection<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send + 'static>,
    S: Send + Sync + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    pub(super) async fn run(self) {
        // Answers are written in one go; waiting for more to send would only delay them.
        if let Err(error) = self.socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let Some(tls) = &self.tls else {
            let caller = Caller { address: self.address, certificate: None, anchored: true, tls: None };
            return drive(self.socket, false, caller, self.service, &self.stop).await;
        };
        let configured = tls.configured();
        let handshake = timeout(HANDSHAKE_PATIENCE, configured.acceptor().accept(self.socket).into_fallible());
        let finished = tokio::select! {
            () = self.stop.wait() => return,
            finished = handshake => finished,
        };
        let note = HandshakeNote { observer: &self.observer, address: self.address };
        let stream = match finished {
            Ok(Ok(stream)) => stream,
            Ok(Err((error, socket))) => {
                note.failed(&error);
                return linger(socket).await;
            }
            Err(_) => return note.write(&format!("not complete after {} s", HANDSHAKE_PATIENCE.as_secs())),
        };
        match Handshake::of(self.address, &configured, stream.get_ref().1) {
            Ok(Handshake { caller, http2 }) => drive(stream, http2, caller, self.service, &self.stop).await,
            Err(cause) => note.write(&cause),
        }
    }
}

/// Serves requests until the connection ends or stopping is asked for.
async fn drive<I, S, B>(stream: I, http2: bool, caller: Caller, service: S, stop: &Stop)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send + 'static>,
    S: Send + Sync + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    let caller = Arc::new(caller);
    let hang_up = HangUp::default();
    let hung_up = hang_up.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&caller));
        request.extensions_mut().insert(hang_up.clone());
        name_host(&mut request);
        service.call(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING_INTERVAL);
    // The handshake has settled the version, so that nobody waits for the client's first bytes without a limit.
    let builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = hung_up.wait() => return,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = hung_up.wait() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// HTTP/2 names the host in the URI; handlers find it in the header as with HTTP/1.1.
fn name_host<B>(request: &mut Request<B>) {
    if !request.headers().contains_key(http::header::HOST)
        && let Some(host) = request.uri().authority().and_then(|authority| authority.as_str().parse().ok())
    {
        request.headers_mut().insert(http::header::HOST, host);
    }
}

/// Closes without losing the alert: a socket that is closed with unread bytes in it resets the connection, and the other
/// end then never reads what was sent last.
async fn linger(mut socket: TcpStream) {
    let read_out = async {
        socket.shutdown().await?;
        let mut unread = [0; 1024];
        while socket.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    if let Ok(Err(error)) = timeout(LINGER, read_out).await {
        tracing::trace!(%error, "a refused client is gone");
    }
}

struct HandshakeNote<'a> {
    observer: &'a Observer,
    address: SocketAddr,
}

impl HandshakeNote<'_> {
    fn failed(&self, error: &io::Error) {
        match TlsFault::find(error) {
            Some(fault) => self.write(&fault.to_string()),
            // A port probe connects and goes away; that is no exchange.
            None => tracing::debug!(address = %self.address, %error, "a TLS handshake was not finished"),
        }
    }

    fn write(&self, cause: &str) {
        tracing::debug!(address = %self.address, cause, "a TLS handshake failed");
        let Some(journal) = &self.observer.journal else { return };
        journal.record(Exchange {
            sequence: 0,
            at: self.observer.clock.now(),
            party: String::new(),
            side: Side::Server,
            peer: self.address.to_string(),
            method: "TLS".into(),
            url: String::new(),
            status: None,
            error: Some(format!("TLS handshake: {cause}")),
            duration_us: 0,
            trace_id: Trace::new(&self.observer.chance).trace_id,
            interaction_id: None,
            tls: None,
            verdict: None,
            tokens: Vec::new(),
            fault: None,
        });
    }
}
