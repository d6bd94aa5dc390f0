//! The asking end.

mod call;
mod diagnosis;
mod error;
mod resolve;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Method;
use pki::Certificate;
use simulation::{Chance, Clock, Journal, TlsFacts};
use url::Url;

pub use call::{Answer, RequestBuilder};
pub use error::CallError;

use crate::{Identity, TlsError, tls};

/// How long an idle connection is kept; shorter than the listeners of this crate wait for the next request.
const IDLE: Duration = Duration::from_secs(20);

/// How long a TCP and TLS connection may take, unless the whole call may take less.
const CONNECT: Duration = Duration::from_secs(10);

/// Certificates of servers that are remembered in parsed form.
const REMEMBERED_PEERS: usize = 64;

/// What a client is made of.
pub struct ClientSettings<'a> {
    /// The party's name, sent as `User-Agent`.
    pub party: &'a str,
    /// Authorities whose servers are trusted. There are no others: not those of the machine either.
    pub anchors: Vec<Certificate>,
    /// What the client shows to servers that ask for a certificate.
    pub identity: Option<&'a Identity>,
    /// Gets every exchange.
    pub journal: Option<Journal>,
    /// The time of journal entries.
    pub clock: Clock,
    /// New journey identifiers.
    pub chance: Chance,
    /// Whether cookies are kept and sent back, as a browser does.
    pub cookies: bool,
    /// How long a call may take, the answer's body included.
    pub timeout: Duration,
}

/// Asks other parties over HTTPS. Clones share connections and cookies. Redirects are answers like others, proxies of the
/// environment are not used, and `localhost` with everything below it leads to this machine when no name service knows
/// better.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

/// Subject and thumbprint of a peer's certificate.
type Peer = (Option<String>, Option<String>);

struct Inner {
    client: reqwest::Client,
    https_only: bool,
    tls: Arc<rustls::ClientConfig>,
    journal: Option<Journal>,
    clock: Clock,
    chance: Chance,
    timeout: Duration,
    peers: Mutex<HashMap<Vec<u8>, Peer>>,
}

impl HttpClient {
    /// Makes a client.
    ///
    /// # Errors
    /// An anchor cannot be used, or the identity's key does not fit its certificate.
    pub fn new(settings: ClientSettings<'_>) -> Result<Self, TlsError> {
        Self::speaking(&tls::ALPN, false, settings)
    }

    /// Makes a client that sends nothing in the clear: addresses without TLS are refused before anything is sent.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn https_only(settings: ClientSettings<'_>) -> Result<Self, TlsError> {
        Self::speaking(&tls::ALPN, true, settings)
    }

    /// Makes a client that speaks HTTP/1.1 alone: a connection carries one request at a time, as with most load tools.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn http1(settings: ClientSettings<'_>) -> Result<Self, TlsError> {
        Self::speaking(&tls::ALPN[1..], false, settings)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where HTTP clients come from")]
    fn speaking(protocols: &[&[u8]], https_only: bool, settings: ClientSettings<'_>) -> Result<Self, TlsError> {
        let config = tls::client_config(&settings.anchors, settings.identity, protocols)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config.clone())
            .tls_info(true)
            .dns_resolver(Arc::new(resolve::Resolver))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(https_only)
            .referer(false)
            .cookie_store(settings.cookies)
            .user_agent(settings.party)
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT)
            .timeout(settings.timeout)
            .build()
            .map_err(TlsError::Client)?;
        Ok(Self(Arc::new(Inner {
            client,
            https_only,
            tls: Arc::new(config),
            journal: settings.journal,
            clock: settings.clock,
            chance: settings.chance,
            timeout: settings.timeout,
            peers: Mutex::default(),
        })))
    }

    /// A request to be filled in and sent.
    pub fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url)
    }

    /// A `GET` request.
    pub fn get(&self, url: &Url) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A `POST` request.
    pub fn post(&self, url: &Url) -> RequestBuilder {
        self.request(Method::POST, url)
    }
}

impl Inner {
    /// What is known of the connection. The cipher suite is not: reqwest does not tell.
    fn tls_facts(&self, info: &reqwest::tls::TlsInfo) -> TlsFacts {
        let version = match info.version() {
            Some(reqwest::tls::Version::TLS_1_3) => "TLSv1.3",
            Some(reqwest::tls::Version::TLS_1_2) => "TLSv1.2",
            _ => "",
        };
        let (peer_subject, peer_thumbprint) = info.peer_certificate().map(|der| self.peer(der)).unwrap_or_default();
        TlsFacts { version: version.into(), cipher: String::new(), peer_subject, peer_thumbprint }
    }

    /// Subject and thumbprint, parsed once for each certificate.
    fn peer(&self, der: &[u8]) -> Peer {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = peers.get(der) {
            return known.clone();
        }
        let facts = match Certificate::from_der(der) {
            Ok(certificate) => {
                let facts = certificate.facts();
                (Some(facts.subject.clone()), Some(facts.thumbprint_s256.clone()))
            }
            Err(_) => (None, None),
        };
        if peers.len() >= REMEMBERED_PEERS {
            peers.clear();
        }
        peers.insert(der.to_vec(), facts.clone());
        facts
    }
}
