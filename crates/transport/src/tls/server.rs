//! The listening end.

use std::{net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use pki::Certificate;
use rustls::{
    CertificateError, CipherSuite, DigitallySignedStruct, DistinguishedName, ProtocolVersion, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime},
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use simulation::TlsFacts;
use tokio_rustls::TlsAcceptor;

use super::{ALPN, Identity, TlsError, provider::PROVIDER, root_store};
use crate::Caller;

/// Which client certificates a listener takes. Clients are asked for one but may come without.
#[derive(Debug, Clone, Copy)]
pub enum ClientCertificates<'a> {
    /// Nobody is asked.
    Unasked,
    /// Those that lead to one of these anchors; others end the handshake.
    Anchored(&'a [Certificate]),
    /// Any that the client proves to have the key of (RFC 8705, 2.2). [`Caller::anchored`] tells those that lead to an
    /// anchor from others, and whoever takes such a caller must look at it: a client that leaves out the issuing
    /// authority's certificate hides where its own comes from, and with that whether it was revoked. One that is shown
    /// with its whole chain and is revoked, and every expired one, still ends the handshake.
    Any(&'a [Certificate]),
}

/// The TLS configuration of a listener. It can be replaced while the listener runs; connections that stand keep theirs.
#[derive(Debug)]
pub struct ServerTls(ArcSwap<Configured>);

/// A configuration, and what judges client certificates again where unknown authorities are let through.
#[derive(Debug)]
pub(crate) struct Configured {
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl ServerTls {
    /// A configuration that shows `identity`. A client certificate on one of `crls` (DER) ends the handshake. A list
    /// counts for the certificates of the authority that signed it; certificates of other authorities pass without one.
    ///
    /// Sessions are never resumed, since a resumed session would not look at the revocation lists again.
    ///
    /// # Errors
    /// The key does not fit the certificate, an anchor or revocation list cannot be read, or there are no anchors.
    pub fn new(identity: &Identity, clients: ClientCertificates<'_>, crls: &[Vec<u8>]) -> Result<Self, TlsError> {
        Ok(Self(ArcSwap::from_pointee(configured(identity, clients, crls)?)))
    }

    /// Replaces the configuration; it counts from the next connection. See [`ServerTls::new`].
    ///
    /// # Errors
    /// As for [`ServerTls::new`]; the old configuration then stays.
    pub fn replace(
        &self,
        identity: &Identity,
        clients: ClientCertificates<'_>,
        crls: &[Vec<u8>],
    ) -> Result<(), TlsError> {
        self.0.store(Arc::new(configured(identity, clients, crls)?));
        Ok(())
    }

    pub(crate) fn configured(&self) -> Arc<Configured> {
        self.0.load_full()
    }
}

impl Configured {
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Whether the certificates that a client showed lead to an anchor.
    fn anchored(&self, shown: &[CertificateDer<'_>]) -> bool {
        let (Some(verifier), [leaf, others @ ..]) = (&self.verifier, shown) else { return true };
        verifier.verify_client_cert(leaf, others, UnixTime::now()).is_ok()
    }
}

fn configured(identity: &Identity, clients: ClientCertificates<'_>, crls: &[Vec<u8>]) -> Result<Configured, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Settings)?;
    let mut strict: Option<Arc<dyn ClientCertVerifier>> = None;
    let builder = match clients {
        ClientCertificates::Unasked => builder.with_no_client_auth(),
        ClientCertificates::Anchored(anchors) | ClientCertificates::Any(anchors) => {
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
            if let ClientCertificates::Any(_) = clients {
                strict = Some(Arc::clone(&verifier));
                builder.with_client_cert_verifier(Arc::new(AnyAuthority(verifier)))
            } else {
                builder.with_client_cert_verifier(verifier)
            }
        }
    };
    let mut config = builder.with_single_cert(identity.chain_der(), identity.key_der()).map_err(TlsError::Identity)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Configured { config: Arc::new(config), verifier: strict })
}

/// Takes certificates whose authority cannot be found out; everything else is judged as usual.
#[derive(Debug)]
struct AnyAuthority(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyAuthority {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.0.verify_client_cert(end_entity, intermediates, now) {
            // Among the others: a certificate that signed itself as an authority, as `openssl req -x509` makes them.
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))) => {
                Ok(ClientCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// What a handshake found out.
pub(crate) struct Handshake {
    pub(crate) caller: Caller,
    pub(crate) http2: bool,
}

impl Handshake {
    /// Reads the finished handshake. The error says why the client's certificate cannot be read.
    pub(crate) fn of(
        address: SocketAddr,
        configured: &Configured,
        connection: &ServerConnection,
    ) -> Result<Self, String> {
        let anchored = connection.peer_certificates().is_none_or(|shown| configured.anchored(shown));
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
            caller: Caller { address, certificate, anchored, tls: Some(tls) },
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
