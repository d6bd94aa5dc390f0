//! The listening end.

use std::{net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use pki::Certificate;
use rustls::{
    CipherSuite, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    pki_types::CertificateRevocationListDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use simulation::TlsFacts;
use tokio_rustls::TlsAcceptor;

use super::{ALPN, Identity, TlsError, provider::PROVIDER, root_store};
use crate::Caller;

/// The TLS configuration of a listener. It can be replaced while the listener runs; connections that stand keep theirs.
#[derive(Debug)]
pub struct ServerTls(ArcSwap<ServerConfig>);

impl ServerTls {
    /// A configuration that shows `identity`. With `client_anchors`, clients are asked for a certificate but may come
    /// without; one that does not lead to an anchor or is on one of `crls` (DER) ends the handshake. A list counts for the
    /// certificates of the authority that signed it; certificates of other authorities pass without one.
    ///
    /// Sessions are never resumed, since a resumed session would not look at the revocation lists again.
    ///
    /// # Errors
    /// The key does not fit the certificate, an anchor or revocation list cannot be read, or `client_anchors` is empty.
    pub fn new(
        identity: &Identity,
        client_anchors: Option<&[Certificate]>,
        crls: &[Vec<u8>],
    ) -> Result<Self, TlsError> {
        Ok(Self(ArcSwap::from_pointee(config(identity, client_anchors, crls)?)))
    }

    /// Replaces the configuration; it counts from the next connection. See [`ServerTls::new`].
    ///
    /// # Errors
    /// As for [`ServerTls::new`]; the old configuration then stays.
    pub fn replace(
        &self,
        identity: &Identity,
        client_anchors: Option<&[Certificate]>,
        crls: &[Vec<u8>],
    ) -> Result<(), TlsError> {
        self.0.store(Arc::new(config(identity, client_anchors, crls)?));
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }
}

fn config(
    identity: &Identity,
    client_anchors: Option<&[Certificate]>,
    crls: &[Vec<u8>],
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Settings)?;
    let builder = match client_anchors {
        None => builder.with_no_client_auth(),
        Some(anchors) => {
            let roots: RootCertStore = root_store(anchors)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&PROVIDER))
                .with_crls(crls.iter().map(|crl| CertificateRevocationListDer::from(crl.clone())))
                // The issuing authority's list does not speak about the issuing authority itself.
                .only_check_end_entity_revocation()
                .allow_unknown_revocation_status()
                .allow_unauthenticated()
                // Hints would make browsers and some libraries hold back certificates of other authorities.
                .clear_root_hint_subjects()
                .build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(identity.chain_der(), identity.key_der()).map_err(TlsError::Identity)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// What a handshake found out.
pub(crate) struct Handshake {
    pub(crate) caller: Caller,
    pub(crate) http2: bool,
}

impl Handshake {
    /// Reads the finished handshake. The error says why the client's certificate cannot be read.
    pub(crate) fn of(address: SocketAddr, connection: &ServerConnection) -> Result<Self, String> {
        let certificate = match connection.peer_certificates().and_then(<[_]>::first) {
            Some(der) => Some(Arc::new(
                Certificate::from_der(der)
                    .map_err(|error| format!("the client's certificate cannot be read: {error}"))?,
            )),
            None => None,
        };
        let facts = certificate.as_ref().map(|certificate| certificate.facts());
        let tls = TlsFacts {
            version: connection.protocol_version().map(version_name).unwrap_or_default(),
            cipher: connection.negotiated_cipher_suite().map(|suite| suite_name(suite.suite())).unwrap_or_default(),
            peer_subject: facts.map(|facts| facts.subject.clone()),
            peer_thumbprint: facts.map(|facts| facts.thumbprint_s256.clone()),
        };
        Ok(Self {
            http2: connection.alpn_protocol() == Some(b"h2"),
            caller: Caller { address, certificate, tls: Some(tls) },
        })
    }
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".into(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".into(),
        other => format!("{other:?}"),
    }
}

/// The name in IANA's registry; rustls writes `TLS13_` for the suites of TLS 1.3.
fn suite_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
}
