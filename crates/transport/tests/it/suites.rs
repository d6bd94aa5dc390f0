//! Protocol versions and cipher suites.

use std::sync::Arc;

use rustls::{
    AlertDescription, CipherSuite, ClientConfig, RootCertStore, SupportedCipherSuite,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, cipher_suite},
    },
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{PKI, Party};

/// Shakes hands with these suites only, and tells which one was agreed on.
async fn agreed(party: &Party, suites: &[SupportedCipherSuite]) -> Result<CipherSuite, rustls::Error> {
    let provider = CryptoProvider { cipher_suites: suites.to_vec(), ..aws_lc_rs::default_provider() };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(PKI.authority.root().der().to_vec())).unwrap();
    let version = if suites[0].tls13().is_some() { &TLS13 } else { &TLS12 };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(party.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    match TlsConnector::from(Arc::new(config)).connect(name, socket).await {
        Ok(stream) => Ok(stream.get_ref().1.negotiated_cipher_suite().unwrap().suite()),
        Err(error) => Err(error.into_inner().unwrap().downcast_ref::<rustls::Error>().unwrap().clone()),
    }
}

#[tokio::test]
async fn tls_1_2_has_the_two_suites_of_fapi_and_no_others() {
    let party = Party::secure().await;
    for good in
        [cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
    {
        assert_eq!(agreed(&party, &[good]).await, Ok(good.suite()));
    }
    for bad in [
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ] {
        let refused = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert_eq!(agreed(&party, &[bad]).await, Err(refused), "{:?}", bad.suite());
    }
}

#[tokio::test]
async fn tls_1_3_has_all_its_suites() {
    let party = Party::secure().await;
    for good in [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ] {
        assert_eq!(agreed(&party, &[good]).await, Ok(good.suite()));
    }
}
