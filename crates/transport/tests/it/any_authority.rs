//! A listener that takes client certificates of any authority, and tells which lead to an anchor.

use pki::{PrivateKey, Revoked};
use time::Duration;
use transport::{Answer, CallError, ClientCertificates, Identity, TlsFault};

use crate::support::{PKI, Party, client, identity, obwac, seen};

/// The party, with these serial numbers on the authority's list of revoked certificates.
async fn party(revoked: &[String]) -> Party {
    let party = Party::secure().await;
    let revoked: Vec<_> = revoked.iter().map(|serial| Revoked { serial: serial.clone(), at: PKI.now }).collect();
    let crl = PKI.authority.crl(&revoked, 1, PKI.now).unwrap();
    let tls = party.tls.as_ref().unwrap();
    tls.replace(&PKI.server, ClientCertificates::Any(&PKI.anchors()), &[crl]).unwrap();
    party
}

/// The same certificate without that of the authority that issued it.
fn alone(identity: &Identity) -> Identity {
    let key = PrivateKey::from_pem(&identity.key.to_pem()).unwrap();
    Identity { chain: identity.chain[..1].to_vec(), key }
}

async fn anchored(party: &Party, identity: Option<&Identity>) -> bool {
    let seen = seen(&client(identity), &party.url("/items/1")).await;
    let subject = identity.map(|identity| identity.chain[0].facts().subject.as_str());
    assert_eq!(seen["subject"].as_str(), subject);
    seen["anchored"].as_bool().unwrap()
}

fn alert(outcome: Result<Answer, CallError>) -> String {
    match outcome {
        Err(CallError::Tls { fault: TlsFault::RefusedByPeer { alert, .. }, .. }) => alert,
        other => panic!("no TLS alert: {other:?}"),
    }
}

#[tokio::test]
async fn only_what_leads_to_an_anchor_is_called_so() {
    let party = party(&[]).await;
    assert!(anchored(&party, Some(&PKI.client)).await && anchored(&party, None).await);
    assert!(!anchored(&party, Some(&PKI.strange_client)).await);
    assert!(!anchored(&party, Some(&alone(&PKI.client))).await, "nothing leads from it to the anchor");
    // One that calls itself an authority, as openssl makes them unless it is told otherwise.
    let parts = PKI.stranger.to_parts();
    let authority =
        Identity { chain: vec![PKI.stranger.root().clone()], key: PrivateKey::from_pem(&parts.root_key_pem).unwrap() };
    assert!(!anchored(&party, Some(&authority)).await);
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_with_its_chain_and_not_anchored_without() {
    let party = party(&[PKI.client.chain[0].facts().serial.clone()]).await;
    let whole = client(Some(&PKI.client)).get(&party.url("/items/1")).send().await;
    assert_eq!(alert(whole), "CertificateRevoked");
    assert!(!anchored(&party, Some(&alone(&PKI.client))).await);
}

#[tokio::test]
async fn an_expired_certificate_is_refused_with_or_without_its_chain() {
    let party = party(&[]).await;
    let old = identity(&PKI.authority, &obwac(), 9, PKI.now - Duration::days(400));
    for shown in [&old, &alone(&old)] {
        let outcome = client(Some(shown)).get(&party.url("/items/1")).send().await;
        assert_eq!(alert(outcome), "CertificateExpired");
    }
}
