//! Names to addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{net::lookup_host, time::timeout};

/// How long the name service may take over a name below `localhost` before this machine is assumed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks the machine's name service, except that `localhost` and what lies below it leads to this machine when the name
/// service knows nothing else (RFC 6761, 6.3). It is asked for names below `localhost` because in a network of
/// containers such names are other containers.
pub(super) struct Resolver;

/// A host name has no address.
#[derive(Debug, thiserror::Error)]
#[error("{host} has no address: {cause}")]
pub(super) struct UnknownHost {
    pub(super) host: String,
    pub(super) cause: io::Error,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Addrs = Box::new(addresses(name.as_str()).await?.into_iter());
            Ok(addresses)
        })
    }
}

pub(super) async fn addresses(host: &str) -> Result<Vec<SocketAddr>, UnknownHost> {
    let plain = host.trim_end_matches('.').to_ascii_lowercase();
    if plain == "localhost" {
        return Ok(loopback());
    }
    // Port 0 stands for the port of the URL.
    let asked = lookup_host((host, 0));
    if plain.ends_with(".localhost") {
        return match timeout(PATIENCE, asked).await {
            Ok(Ok(found)) => Ok(or_loopback(found.collect())),
            Ok(Err(_)) | Err(_) => Ok(loopback()),
        };
    }
    match asked.await {
        Ok(found) => Ok(found.collect()),
        Err(cause) => Err(UnknownHost { host: host.to_owned(), cause }),
    }
}

fn or_loopback(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    // Some name services answer only one of the two loopback addresses, and listeners may have only the other.
    if found.iter().all(|address| address.ip().is_loopback()) { loopback() } else { found }
}

fn loopback() -> Vec<SocketAddr> {
    let ips: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    ips.map(|ip| SocketAddr::new(ip, 0)).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_here() {
        for name in ["localhost", "LOCALHOST", "localhost."] {
            assert_eq!(addresses(name).await.unwrap(), loopback(), "{name}");
        }
    }

    #[test]
    fn an_answer_of_the_name_service_counts_unless_it_is_this_machine_or_nothing() {
        let container = vec![SocketAddr::from(([172, 18, 0, 3], 0))];
        assert_eq!(or_loopback(container.clone()), container);
        assert_eq!(or_loopback(vec![SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]), loopback());
        assert_eq!(or_loopback(Vec::new()), loopback());
    }
}
