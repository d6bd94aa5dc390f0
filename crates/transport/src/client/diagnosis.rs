//! Why a connection broke before it carried a request.
//!
//! In TLS 1.3 a client has finished its handshake before the server has judged its certificate. When the server's alert
//! is there before the first request is written, hyper gives the request back as never sent and keeps the alert to itself.
//! A second connection that only listens hears it.

use std::{io, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use url::Url;

use super::resolve::addresses;
use crate::TlsFault;

/// How long the other end may take to refuse. One that is content waits for a request and says nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the other end has against a connection with this configuration; none when it has nothing, or does not say so.
pub(super) async fn fault(config: Arc<ClientConfig>, url: &Url) -> Option<TlsFault> {
    if url.scheme() != "https" {
        return None;
    }
    match timeout(PATIENCE, listen(config, url)).await {
        Ok(Err(error)) => TlsFault::find(&error),
        Ok(Ok(())) | Err(_) => None,
    }
}

async fn listen(config: Arc<ClientConfig>, url: &Url) -> io::Result<()> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let mut found = addresses(host).await.map_err(io::Error::other)?;
    for address in &mut found {
        address.set_port(port);
    }
    let socket = TcpStream::connect(found.as_slice()).await?;
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let mut stream = TlsConnector::from(config).connect(name, socket).await?;
    stream.read_u8().await.map(drop)
}
