//! What the suite probes below HTTP, against a bank as it runs: versions, suites, certificates.

use std::net::{SocketAddr, TcpStream};

use http::Method;
use openssl::ssl::{SslConnector, SslMethod, SslOptions, SslVerifyMode, SslVersion};
use serde_json::Value;
use url::Url;

use crate::hand_made::{Shows, World};

/// The two suites of TLS 1.2 that FAPI 1.0 leaves and rustls has.
const ALLOWED: [&str; 2] = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"];

/// Shakes hands in these versions with these suites (those of TLS 1.3 are always offered there): version and suite that
/// were agreed on, or the alert.
fn handshake(url: &Url, from: SslVersion, to: SslVersion, suites: &str) -> Result<(String, String), String> {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1);
    connector.set_min_proto_version(Some(from)).unwrap();
    connector.set_max_proto_version(Some(to)).unwrap();
    connector.set_cipher_list(&format!("{suites}:@SECLEVEL=0")).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()));
    let socket = TcpStream::connect(address).unwrap();
    match connector.build().connect("localhost", socket) {
        Ok(stream) => {
            let ssl = stream.ssl();
            Ok((ssl.version_str().to_owned(), ssl.current_cipher().unwrap().name().to_owned()))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ensure_mtls_holder_of_key_required() {
    let module = "ensure-mtls-holder-of-key-required";
    let world = World::new().await;
    let (tls12, tls13) = (SslVersion::TLS1_2, SslVersion::TLS1_3);
    for url in [world.bank("/token"), world.page("/authorize")] {
        for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
            let refused = handshake(&url, version, version, "ALL").unwrap_err();
            assert!(refused.contains("alert"), "{module} {version:?}: {refused}");
        }
        for suite in ALLOWED {
            let agreed = handshake(&url, tls12, tls12, suite);
            assert_eq!(agreed, Ok(("TLSv1.2".to_owned(), suite.to_owned())), "{module}");
        }
        // Everything else at once, as the suite offers it, and one by one.
        let others = format!("ALL:COMPLEMENTOFALL:!{}:!{}", ALLOWED[0], ALLOWED[1]);
        let refused = handshake(&url, tls12, tls12, &others).unwrap_err();
        assert!(refused.contains("alert handshake failure"), "{module} {refused}");
        for suite in [
            "ECDHE-RSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES128-SHA256",
            "ECDHE-RSA-AES256-SHA384",
            "ECDHE-RSA-AES128-SHA",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "AES128-GCM-SHA256",
            "AES256-SHA",
        ] {
            let refused = handshake(&url, tls12, tls12, suite).unwrap_err();
            assert!(refused.contains("alert"), "{module} {suite}: {refused}");
        }
        let (version, _) = handshake(&url, tls12, tls13, &ALLOWED.join(":")).unwrap();
        assert_eq!(version, "TLSv1.3", "{module}: the newest is preferred");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_certificate_gets_an_oauth_error_and_no_broken_handshake() {
    let world = World::new().await;
    let (token, registration) = (world.client_token().await, format!("/register/{}", world.client_id));
    for (method, path, error) in [
        (Method::POST, "/token", "invalid_client"),
        (Method::POST, "/par", "invalid_client"),
        (Method::POST, "/introspect", "invalid_client"),
        (Method::POST, "/revoke", "invalid_client"),
        (Method::GET, "/userinfo", "invalid_token"),
        (Method::GET, registration.as_str(), "invalid_token"),
    ] {
        let url = world.bank(path);
        let mut request = world.http(Shows::Nothing).request(method.clone(), &url);
        request = if method == Method::POST {
            request.form(&world.proved(&[("grant_type", "client_credentials"), ("token", "x"), ("request", "a.b.c")]))
        } else {
            request.bearer(&token)
        };
        let answer = request.send().await.unwrap();
        let body: Value = answer.json().unwrap();
        assert_eq!((answer.status.as_u16(), body["error"].as_str()), (401, Some(error)), "{path}");
    }
    let request = world.http(Shows::Nothing).post(&world.bank("/register")).body("application/jwt", "a.b.c");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap()["error"], "invalid_client");
    // Those of the browser, and the documents, ask for none.
    for path in ["/authorize", "/jwks", "/.well-known/openid-configuration"] {
        let answer = world.http(Shows::Nothing).get(&world.page(path)).send().await.unwrap();
        assert!([200, 400].contains(&answer.status.as_u16()), "{path}");
    }
}
