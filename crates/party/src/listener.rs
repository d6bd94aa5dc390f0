//! Taking a port.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use url::Url;

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

/// The URL from the settings, or the one that the port gives on this machine.
///
/// # Errors
/// The URL from the settings is not a base URL.
pub fn own_url(set: Option<Url>, address: SocketAddr) -> Result<Url, StartError> {
    match set {
        Some(url) if url.scheme() == "https" && url.host_str().is_some() && url.query().is_none() => Ok(url),
        Some(url) => Err(StartError::Configuration(format!("{url} is no base URL: it must begin with https://"))),
        None => Url::parse(&format!("https://localhost:{}", address.port()))
            .map_err(|error| StartError::Other(error.to_string())),
    }
}

/// The names in the certificate of listeners with these URLs: their hosts, and this machine's own names.
#[must_use]
pub fn server_names<const N: usize>(urls: [&Url; N]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    for host in urls.into_iter().filter_map(Url::host_str) {
        if !names.iter().any(|known| known == host) {
            names.push(host.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_url_is_set_or_made() {
        let address: SocketAddr = "127.0.0.1:8443".parse().unwrap();
        assert_eq!(own_url(None, address).unwrap().as_str(), "https://localhost:8443/");
        let set: Url = "https://bank.localhost:1/".parse().unwrap();
        assert_eq!(own_url(Some(set.clone()), address).unwrap(), set);
        assert!(own_url(Some("http://bank.localhost/".parse().unwrap()), address).is_err());
        assert_eq!(server_names([&set, &set]), ["localhost", "127.0.0.1", "bank.localhost"]);
    }
}
