//! Taking a port.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::StartError;

/// Takes an address; port 0 takes a free one.
///
/// # Errors
/// The port is taken, or the address is not one of this machine.
pub async fn bind(address: SocketAddr, purpose: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let taken = |error: std::io::Error| StartError::Address { address, purpose, error };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let local = listener.local_addr().map_err(taken)?;
    Ok((listener, local))
}
