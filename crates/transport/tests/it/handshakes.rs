//! Client certificates: shown, missing, unknown, revoked.

use pki::Revoked;
use transport::{CallError, ClientCertificates, HttpClient, TlsFault};
use url::Url;

use crate::support::{PKI, Party, client, seen, settings, written};

#[tokio::test]
async fn a_client_certificate_reaches_the_handler() {
    let party = Party::secure().await;
    let seen = seen(&client(Some(&PKI.client)), &party.url("/items/1")).await;
    let facts = PKI.client.chain[0].facts();
    assert_eq!(seen["subject"], facts.subject.as_str());
    assert_eq!(seen["thumbprint"], facts.thumbprint_s256.as_str());
    assert_eq!(seen["tls"]["version"], "TLSv1.3");
    assert_eq!(seen["tls"]["peer-thumbprint"], facts.thumbprint_s256.as_str());
    assert!(seen["tls"]["cipher"].as_str().unwrap().starts_with("TLS_AES_"), "{seen}");
}

#[tokio::test]
async fn no_certificate_reaches_the_handler_as_none() {
    let party = Party::secure().await;
    let seen = seen(&client(None), &party.url("/items/1")).await;
    assert!(seen["subject"].is_null());
    assert_eq!(seen["tls"]["version"], "TLSv1.3");
}

fn fault(outcome: Result<transport::Answer, CallError>) -> TlsFault {
    match outcome {
        Err(CallError::Tls { fault, .. }) => fault,
        other => panic!("no TLS failure: {other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_fails_the_handshake_on_both_sides_with_the_reason() {
    let party = Party::secure().await;
    let fault = fault(client(Some(&PKI.strange_client)).get(&party.url("/items/1")).send().await);
    assert!(matches!(&fault, TlsFault::RefusedByPeer { alert, .. } if alert == "UnknownCA"), "{fault:?}");
    assert!(fault.to_string().contains("an authority that it does not trust"), "{fault}");
    let entry = written(&party.journal, 1).await;
    let error = entry.error.unwrap();
    assert!(error.contains("TLS handshake") && error.contains("authority that is not trusted"), "{error}");
    assert_eq!((entry.method.as_str(), entry.status), ("TLS", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_hears_why_however_fast_the_refusal_was() {
    let party = Party::secure().await;
    let url: Url = format!("https://localhost:{}/items/1", party.address.port()).parse().unwrap();
    let calls = (0..40).map(|_| {
        let request = client(Some(&PKI.strange_client)).post(&url).form(&[("a", "b")]);
        tokio::spawn(request.send())
    });
    for call in calls.collect::<Vec<_>>() {
        let fault = fault(call.await.unwrap());
        assert!(matches!(&fault, TlsFault::RefusedByPeer { alert, .. } if alert == "UnknownCA"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_from_the_next_connection() {
    let party = Party::secure().await;
    let before = client(Some(&PKI.client));
    seen(&before, &party.url("/items/1")).await;

    let serial = PKI.client.chain[0].facts().serial.clone();
    let revoked = Revoked { serial, at: PKI.now };
    let crl = PKI.authority.crl(&[revoked], 1, PKI.now).unwrap();
    let tls = party.tls.as_ref().unwrap();
    tls.replace(&PKI.server, ClientCertificates::Anchored(&PKI.anchors()), &[crl]).unwrap();

    let before_that = party.journal.last();
    let fault = fault(client(Some(&PKI.client)).get(&party.url("/items/1")).send().await);
    assert!(matches!(&fault, TlsFault::RefusedByPeer { alert, .. } if alert == "CertificateRevoked"), "{fault:?}");
    let error = written(&party.journal, before_that + 1).await.error.unwrap();
    assert!(error.contains("it is revoked"), "{error}");

    // The connection that stood keeps its configuration; another client is not concerned.
    seen(&before, &party.url("/items/1")).await;
    seen(&client(None), &party.url("/items/1")).await;
}

#[tokio::test]
async fn a_list_that_names_others_lets_the_client_in() {
    let party = Party::secure().await;
    let other = Revoked { serial: "63".repeat(16), at: PKI.now };
    let crl = PKI.authority.crl(&[other], 1, PKI.now).unwrap();
    party.tls.as_ref().unwrap().replace(&PKI.server, ClientCertificates::Anchored(&PKI.anchors()), &[crl]).unwrap();
    let seen = seen(&client(Some(&PKI.client)), &party.url("/items/1")).await;
    assert_eq!(seen["subject"], PKI.client.chain[0].facts().subject.as_str());
}

#[tokio::test]
async fn a_client_trusts_only_its_anchors() {
    let party = Party::secure().await;
    let mut strangers = settings(None);
    strangers.anchors = vec![PKI.stranger.root().clone()];
    let fault = fault(HttpClient::new(strangers).unwrap().get(&party.url("/items/1")).send().await);
    assert!(matches!(fault, TlsFault::CertificateRefused { .. }), "{fault:?}");

    let mut nobody = settings(None);
    nobody.anchors.clear();
    let outcome = HttpClient::new(nobody).unwrap().get(&party.url("/items/1")).send().await;
    assert!(matches!(outcome, Err(CallError::Tls { fault: TlsFault::CertificateRefused { .. }, .. })));
}

#[tokio::test]
async fn a_server_under_another_name_is_refused() {
    let party = Party::secure().await;
    let mut url = party.url("/items/1");
    url.set_host(Some("other.localhost")).unwrap();
    let fault = fault(client(None).get(&url).send().await);
    assert!(fault.to_string().contains("not valid for name"), "{fault}");
}
