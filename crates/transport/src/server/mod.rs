//! The listening end: connections, and what becomes of each request.

mod connection;
mod exchange;
mod fault;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pki::Certificate;
use simulation::{Chance, Clock, Faults, Journal, TlsFacts};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use crate::{Router, ServerTls, Stop};

/// How long requests in flight may take after a stop was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when no connection can be accepted, for example because all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The other end of a connection, found out once per connection.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its address.
    pub address: SocketAddr,
    /// Its certificate, which was not revoked; none when it showed none.
    pub certificate: Option<Arc<Certificate>>,
    /// Whether the certificate leads to an anchor of the listener. False only where a listener takes others, too.
    pub anchored: bool,
    /// What TLS agreed on; none over plain HTTP.
    pub tls: Option<TlsFacts>,
}

impl Caller {
    /// Organisation id at the Directory that the certificate names: the organisational unit of an OBTransport certificate,
    /// the common name of an OBWAC.
    #[must_use]
    pub fn organisation_id(&self) -> Option<&str> {
        let facts = self.certificate.as_ref()?.facts();
        Some(facts.organisational_unit.as_deref().unwrap_or(&facts.common_name))
    }

    /// The name for the journal: the certificate's common name or subject, otherwise the address.
    fn label(&self) -> String {
        match self.certificate.as_ref().map(|certificate| certificate.facts()) {
            Some(facts) if facts.common_name.is_empty() => facts.subject.clone(),
            Some(facts) => facts.common_name.clone(),
            None => self.address.to_string(),
        }
    }
}

/// Where a listener writes down what happens, and its time, chance and faults.
#[derive(Clone)]
pub struct Observer {
    /// Gets every exchange and every failed handshake.
    pub journal: Option<Journal>,
    /// The time of journal entries.
    pub clock: Clock,
    /// New interaction and journey identifiers.
    pub chance: Chance,
    /// Strike what was asked for.
    pub faults: Faults,
}

/// Serves a table of routes on a listener until `stop`, then finishes the requests in flight within 5 seconds. Without
/// `tls` it speaks plain HTTP/1.1, for control ports on the loopback interface; with it HTTP/2 too. The handle ends when
/// the last connection has ended.
pub fn serve<C: Send + Sync + 'static>(
    listener: TcpListener,
    tls: Option<Arc<ServerTls>>,
    router: Arc<Router<C>>,
    observer: Observer,
    stop: Stop,
) -> JoinHandle<()> {
    let service = exchange::service(router, observer.clone());
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.wait() => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => report(ended),
                accepted = listener.accept() => match accepted {
                    Ok((socket, address)) => {
                        let connection = connection::Connection {
                            socket,
                            address,
                            tls: tls.clone(),
                            service: service.clone(),
                            observer: observer.clone(),
                            stop: stop.clone(),
                        };
                        connections.spawn(connection.run());
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be accepted");
                        pause().await;
                    }
                },
            }
        }
        drop(listener);
        let finish = async {
            while let Some(ended) = connections.join_next().await {
                report(ended);
            }
        };
        if tokio::time::timeout(GRACE, finish).await.is_err() {
            tracing::warn!(connections = connections.len(), "requests in flight did not finish in time");
            connections.shutdown().await;
        }
    })
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended badly");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "accepting fails at once while descriptors are short: without a pause it would spin"
)]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
