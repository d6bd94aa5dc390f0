//! TLS as FAPI wants it: version 1.3, and for 1.2 two cipher suites.

mod fault;
mod provider;
mod server;

use std::sync::Arc;

use pki::{Certificate, PrivateKey};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
pub(crate) use server::Handshake;

pub use fault::TlsFault;
pub use server::{ClientCertificates, ServerTls};

/// Protocols that listeners offer and clients ask for, the preferred one first (RFC 7301).
pub(crate) const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What one end of a connection shows of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate, then those that lead from it to a trust anchor. The anchor itself may be left out.
    pub chain: Vec<Certificate>,
    /// The key of the first certificate.
    pub key: PrivateKey,
}

impl Identity {
    fn chain_der(&self) -> Vec<CertificateDer<'static>> {
        self.chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect()
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.pkcs8_der().to_vec()).into()
    }
}

/// A TLS configuration cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key cannot be used, or is not the key of the certificate.
    #[error("the identity cannot be used: {0}")]
    Identity(rustls::Error),
    /// A trust anchor cannot be used.
    #[error("the trust anchor {subject} cannot be used: {cause}")]
    Anchor {
        /// Subject of the anchor.
        subject: String,
        /// What is wrong with it.
        cause: rustls::Error,
    },
    /// Client certificates cannot be checked: no anchors, or a revocation list that cannot be read.
    #[error("client certificates cannot be checked: {0}")]
    ClientVerifier(#[from] rustls::server::VerifierBuilderError),
    /// The cipher suites do not fit the protocol versions.
    #[error("the TLS settings cannot be used: {0}")]
    Settings(rustls::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(reqwest::Error),
}

fn root_store(anchors: &[Certificate]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots
            .add(CertificateDer::from(anchor.der().to_vec()))
            .map_err(|cause| TlsError::Anchor { subject: anchor.facts().subject.clone(), cause })?;
    }
    Ok(roots)
}

/// A client's configuration that trusts the anchors and nothing else; without anchors it trusts nobody.
pub(crate) fn client_config(
    anchors: &[Certificate],
    identity: Option<&Identity>,
    protocols: &[&[u8]],
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider::PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Settings)?
        .with_root_certificates(root_store(anchors)?);
    let mut config = match identity {
        Some(identity) => {
            builder.with_client_auth_cert(identity.chain_der(), identity.key_der()).map_err(TlsError::Identity)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}
