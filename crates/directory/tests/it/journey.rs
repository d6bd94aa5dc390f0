//! The way of a TPP: from a name to a software statement assertion that banks can verify.

use base64::{Engine, engine::general_purpose::STANDARD};
use jose::{Algorithm, Jws, KeySet};
use openbanking::{
    directory::{AuthorisationServerRequest, CertificateKind},
    discovery::ProviderMetadata,
    ssa::{ISSUER, OrganisationStatus, Role, SoftwareStatementAssertion},
};
use pki::Certificate;

use crate::world::Directory;

#[tokio::test]
async fn a_new_tpp_comes_to_an_assertion_that_verifies() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await;
    let id = software.software_statement_id.clone();
    assert_eq!((tpp.id().len(), id.len()), (18, 22));
    let membership = &tpp.membership;
    for (kind, kid) in
        [(CertificateKind::Obwac, &membership.transport_kid), (CertificateKind::Obseal, &membership.signing_kid)]
    {
        tpp.client.link_certificate(&id, kind, kid, &tpp.trace).await.unwrap();
    }

    let compact = tpp.client.software_statement_assertion(&id, &tpp.trace).await.unwrap();
    let assertion = Jws::parse(&compact).unwrap();
    let keys = KeySet::from_json(&directory.get("/keystore/openbanking.jwks").await.body).unwrap();
    assertion.verify(&keys, &[Algorithm::Ps256]).unwrap();
    assert_eq!(assertion.header().typ.as_deref(), Some("JWT"));
    assert!(keys.contains(assertion.header().kid.as_deref().unwrap()));

    let claims: SoftwareStatementAssertion = assertion.claims().unwrap();
    let said = &claims.metadata;
    assert_eq!((claims.iss.as_str(), said.org_id.as_str(), said.software_id.as_str()), (ISSUER, tpp.id(), id.as_str()));
    assert_eq!((said.org_name.as_str(), said.org_status), ("Larkspur Money Ltd", OrganisationStatus::Active));
    assert_eq!(said.software_roles, [Role::Aisp]);
    assert_eq!(said.software_redirect_uris, ["https://localhost:8460/callback"]);
    let authority = said.organisation_competent_authority_claims.as_ref().unwrap();
    assert_eq!((authority.authority_id.as_str(), authority.registration_id.as_str()), ("FCAGBR", "730166"));

    let base = directory.running.public.as_str().trim_end_matches('/');
    let path = |url: &str| url.strip_prefix(base).unwrap().to_owned();
    let expected =
        [("sig".to_owned(), membership.signing_kid.clone()), ("tls".to_owned(), membership.transport_kid.clone())];
    assert_eq!(directory.key_set(&path(&said.software_jwks_endpoint)).await, expected);
    assert_eq!(directory.key_set(&path(said.org_jwks_endpoint.as_deref().unwrap())).await, expected);
    let revoked = said.software_jwks_revoked_endpoint.as_deref().unwrap();
    assert_eq!(directory.key_set(&path(revoked)).await, []);
}

#[tokio::test]
async fn a_banks_server_is_found_by_others_and_replaced_under_its_id() {
    let directory = Directory::start().await;
    let (bank, tpp) = tokio::join!(directory.bank(), directory.tpp());
    let mut server =
        AuthorisationServerRequest::new("Ashdown Bank", "https://localhost:8450/.well-known/openid-configuration");
    let first = bank.client.register_authorisation_server(&server, &bank.trace).await.unwrap();
    server.customer_friendly_description = Some("Current accounts".to_owned());
    let second = bank.client.register_authorisation_server(&server, &bank.trace).await.unwrap();
    assert_eq!(second.id, first.id);
    let found = tpp.client.authorisation_servers(&tpp.trace).await.unwrap();
    assert_eq!(found, [second]);
    assert_eq!(found[0].organisation_id, bank.id());
}

#[tokio::test]
async fn published_keys_are_those_of_the_certificates_and_lead_to_the_anchor() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let set: jose::Jwks = directory.get(&format!("/keystore/{0}/{0}.jwks", tpp.id())).await.json().unwrap();
    assert_eq!(set.keys.len(), 2);
    for key in set.keys {
        let leaf = Certificate::from_der(&STANDARD.decode(&key.x5c[0]).unwrap()).unwrap();
        let mut of_leaf = jose::Jwk::from_rsa_public_der(&leaf.public_key_der().unwrap()).unwrap();
        assert_eq!((of_leaf.n.take(), of_leaf.e.take()), (key.n, key.e));
        assert_eq!(key.x5t_s256.as_deref(), Some(leaf.facts().thumbprint_s256.as_str()));
        assert_eq!(leaf.facts().common_name, tpp.id());
        assert_eq!(leaf.facts().organisation_identifier.as_deref(), Some("PSDGB-FCA-730166"));
    }
    let [leaf, issuing] = tpp.membership.transport.chain.as_slice() else { panic!("leaf and issuing authority") };
    let anchor = directory.anchor();
    assert_eq!(leaf.facts().issuer, issuing.facts().subject);
    assert_eq!(issuing.facts().issuer, anchor.facts().subject);
    let days = (leaf.facts().not_after - leaf.facts().not_before).whole_days();
    assert!(days <= pki::LONGEST_VALIDITY_DAYS, "{days}");
}

#[tokio::test]
async fn discovery_tells_where_everything_is() {
    let directory = Directory::start().await;
    let metadata: ProviderMetadata = directory.get("/.well-known/openid-configuration").await.json().unwrap();
    let (public, api) = (directory.running.public.clone(), directory.running.api.clone());
    assert_eq!(metadata.issuer, public.as_str().trim_end_matches('/'));
    assert_eq!(metadata.jwks_uri.unwrap(), public.join("/keystore/openbanking.jwks").unwrap().as_str());
    assert_eq!(metadata.token_endpoint.unwrap(), api.join("/token").unwrap().as_str());
    assert_eq!(metadata.grant_types_supported.unwrap(), ["client_credentials"]);
    assert_eq!(metadata.token_endpoint_auth_methods_supported.unwrap(), ["private_key_jwt"]);
    assert_eq!(metadata.authorization_endpoint, None);
    let served = directory.get("/pki/trust-anchor.pem").await;
    assert_eq!(served.body, std::fs::read(&directory.running.trust_anchor).unwrap());
}

#[tokio::test]
async fn the_directorys_own_keys_come_with_their_certificate() {
    let directory = Directory::start().await;
    let set: jose::Jwks = directory.get("/keystore/openbanking.jwks").await.json().unwrap();
    for key in set.keys {
        let leaf = key.x5c.first().expect("x5c");
        let leaf = Certificate::from_der(&STANDARD.decode(leaf).unwrap()).unwrap();
        let of_leaf = jose::Jwk::from_rsa_public_der(&leaf.public_key_der().unwrap()).unwrap();
        assert_eq!((of_leaf.n, key.x5t_s256.as_deref()), (key.n, Some(leaf.facts().thumbprint_s256.as_str())));
    }
}
