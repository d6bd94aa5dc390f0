//! Clients that authenticate with a certificate or a secret, and that each has one method.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fapi::{
    Failure, PresentedCertificate,
    client::{AuthenticationMethod, CertificateSubject, Secret},
    client_authentication::ASSERTION_TYPE,
    parameters::Parameters,
};
use jose::{Jwk, Jwks, base64url, hash::sha256_base64url};
use serde_json::{Value, json};

use crate::world::{LARKSPUR, TOKEN, World, refused};

const CLIENT: &str = "invalid_client";
const SECRET: &str = "correct horse: battery & staple, and so on";

/// A world in which the client has this method, and the server takes it.
fn world(method: AuthenticationMethod) -> World {
    let world = World::with(|profile| profile.authentication_methods = AuthenticationMethod::ALL.to_vec());
    world.reregister(|client| client.authentication_method = method);
    world
}

async fn prove(
    world: &World,
    pairs: &[(&str, &str)],
    authorization: Option<&str>,
    certificate: &PresentedCertificate,
) -> Result<String, Failure> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let parameters = Parameters::new(pairs).with_authorization(authorization);
    let outcome = world.engine.authenticate_client(&parameters, Some(certificate), world.now).await;
    outcome.map(|authenticated| authenticated.client.client_id.clone())
}

fn named(certificate: PresentedCertificate) -> PresentedCertificate {
    PresentedCertificate {
        san_dns: vec!["tpp.larkspur.example".to_owned()],
        san_uri: vec!["urn:larkspur".to_owned()],
        san_ip: vec!["192.0.2.7".parse().unwrap()],
        san_email: vec!["tls@larkspur.example".to_owned()],
        ..certificate
    }
}

#[tokio::test]
async fn the_registered_subject_is_the_client() {
    let world = world(AuthenticationMethod::TlsClientAuth);
    let certificate = named(LARKSPUR.certificate());
    let reversed = "O=larkspur, CN=".to_owned() + LARKSPUR.organisation_id;
    for subject in [
        CertificateSubject::Dn(certificate.subject.clone()),
        CertificateSubject::Dn(reversed),
        CertificateSubject::SanDns("TPP.larkspur.example".to_owned()),
        CertificateSubject::SanUri("urn:larkspur".to_owned()),
        CertificateSubject::SanIp("192.0.2.7".parse().unwrap()),
        CertificateSubject::SanEmail("tls@larkspur.example".to_owned()),
    ] {
        world.amend(|client| client.certificate_subject = Some(subject.clone()));
        let outcome = prove(&world, &[("client_id", "larkspur")], None, &certificate).await;
        assert_eq!(outcome.ok().as_deref(), Some("larkspur"), "{subject:?}");
    }
    for subject in [
        Some(CertificateSubject::Dn("CN=somebody,O=larkspur".to_owned())),
        Some(CertificateSubject::SanDns("larkspur.example".to_owned())),
        Some(CertificateSubject::SanUri("urn:magpie".to_owned())),
        Some(CertificateSubject::SanIp("192.0.2.8".parse().unwrap())),
        Some(CertificateSubject::SanEmail("tls@magpie.example".to_owned())),
        None,
    ] {
        world.amend(|client| client.certificate_subject.clone_from(&subject));
        let outcome = prove(&world, &[("client_id", "larkspur")], None, &certificate).await;
        assert_eq!(refused(outcome), ("fapi.client-authentication.certificate-subject", CLIENT), "{subject:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_proves_nothing_unless_it_is_registered() {
    let stranger = PresentedCertificate { anchored: false, ..LARKSPUR.certificate() };
    let subject = CertificateSubject::Dn(stranger.subject.clone());
    let by_subject = world(AuthenticationMethod::TlsClientAuth);
    by_subject.amend(|client| client.certificate_subject = Some(subject));
    let outcome = prove(&by_subject, &[("client_id", "larkspur")], None, &stranger).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.certificate-anchored", CLIENT));

    let der = b"a certificate that the client signed itself";
    let own = PresentedCertificate { thumbprint: sha256_base64url(der), ..stranger.clone() };
    let by_itself = world(AuthenticationMethod::SelfSignedTlsClientAuth);
    let key = Jwk { x5c: vec![STANDARD.encode(der)], ..LARKSPUR.key.public_jwk().clone() };
    by_itself.amend(|client| client.jwks = Some(Jwks { keys: vec![key.clone()] }));
    assert!(prove(&by_itself, &[("client_id", "larkspur")], None, &own).await.is_ok());
    let outcome = prove(&by_itself, &[("client_id", "larkspur")], None, &stranger).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.certificate-registered", CLIENT));
    by_itself.amend(|client| client.jwks = None);
    by_itself.memory().withdraw(&LARKSPUR.jwks_uri());
    let outcome = prove(&by_itself, &[("client_id", "larkspur")], None, &own).await;
    assert_eq!(refused(outcome).0, "fapi.client-authentication.keys-available");
}

fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

#[tokio::test]
async fn a_secret_is_compared_as_it_was_registered() {
    let world = world(AuthenticationMethod::ClientSecretBasic);
    world.amend(|client| client.secret = Some(Secret(SECRET.to_owned())));
    let certificate = LARKSPUR.certificate();
    assert!(prove(&world, &[], Some(&basic("larkspur", SECRET)), &certificate).await.is_ok());
    assert!(prove(&world, &[("client_id", "larkspur")], Some(&basic("larkspur", SECRET)), &certificate).await.is_ok());
    for (rule, pairs, header) in [
        ("secret", vec![], basic("larkspur", "guessed")),
        ("secret", vec![], basic("larkspur", "")),
        ("client-known", vec![], basic("nobody", SECRET)),
        ("client-id-consistent", vec![("client_id", "magpie")], basic("larkspur", SECRET)),
        ("credentials-presented", vec![], "Basic ###".to_owned()),
        ("credentials-presented", vec![], "Bearer abc".to_owned()),
        ("method", vec![("client_id", "larkspur")], "Bearer abc".to_owned()),
    ] {
        let outcome = prove(&world, &pairs, Some(&header), &certificate).await;
        assert_eq!(refused(outcome), (format!("fapi.client-authentication.{rule}").as_str(), CLIENT), "{header}");
    }
    world.amend(|client| client.secret = None);
    let outcome = prove(&world, &[], Some(&basic("larkspur", "")), &certificate).await;
    assert_eq!(refused(outcome).0, "fapi.client-authentication.secret");
}

fn shared(secret: &str, algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(&serde_json::to_vec(value).unwrap());
    let input = format!("{}.{}", part(&json!({ "alg": algorithm })), part(claims));
    let key = openssl::pkey::PKey::hmac(secret.as_bytes()).unwrap();
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

#[tokio::test]
async fn an_assertion_under_a_shared_secret_is_judged_like_any_other() {
    let world = world(AuthenticationMethod::ClientSecretJwt);
    world.amend(|client| client.secret = Some(Secret(SECRET.to_owned())));
    let certificate = LARKSPUR.certificate();
    let claims = |changes: Value| world.assertion_claims(&LARKSPUR, &changes);
    let send = async |assertion: String| {
        let pairs = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        prove(&world, &pairs, None, &certificate).await
    };
    assert!(send(shared(SECRET, "HS256", &claims(json!({ "aud": TOKEN })))).await.is_ok());
    for (rule, assertion) in [
        ("signature", shared("another secret that is as long as it must be", "HS256", &claims(json!({})))),
        ("signature", shared(SECRET, "HS512", &claims(json!({})))),
        ("signature", world.assertion(&LARKSPUR, &json!({}))),
        ("aud", shared(SECRET, "HS256", &claims(json!({ "aud": "https://elsewhere.example" })))),
        ("exp", shared(SECRET, "HS256", &claims(json!({ "exp": world.at(-60) })))),
        ("iss", shared(SECRET, "HS256", &claims(json!({ "iss": "magpie" })))),
    ] {
        let outcome = send(assertion.clone()).await;
        assert_eq!(refused(outcome), (format!("fapi.client-authentication.{rule}").as_str(), CLIENT), "{assertion}");
    }
    world.amend(|client| client.secret = Some(Secret("short".to_owned())));
    let outcome = send(shared("short", "HS256", &claims(json!({})))).await;
    assert_eq!(refused(outcome).0, "fapi.client-authentication.signature", "a short secret proves nothing");
}

#[tokio::test]
async fn each_client_has_one_method_and_the_server_must_offer_it() {
    let certificate = LARKSPUR.certificate();
    let by_key = world(AuthenticationMethod::PrivateKeyJwt);
    let outcome = prove(&by_key, &[("client_id", "larkspur")], None, &certificate).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.method", CLIENT));
    let assertion = by_key.assertion(&LARKSPUR, &json!({}));
    let pairs = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    let outcome = prove(&by_key, &pairs, Some(&basic("larkspur", SECRET)), &certificate).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.method", CLIENT), "two methods at once");

    let by_certificate = world(AuthenticationMethod::TlsClientAuth);
    let subject = CertificateSubject::Dn(certificate.subject.clone());
    by_certificate.amend(|client| client.certificate_subject = Some(subject.clone()));
    let assertion = by_certificate.assertion(&LARKSPUR, &json!({}));
    let pairs = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    let outcome = prove(&by_certificate, &pairs, None, &certificate).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.method", CLIENT));

    let not_offered = World::with(|profile| profile.authentication_methods = vec![AuthenticationMethod::PrivateKeyJwt]);
    not_offered.amend(|client| {
        client.authentication_method = AuthenticationMethod::TlsClientAuth;
        client.certificate_subject = Some(subject);
    });
    let outcome = prove(&not_offered, &[("client_id", "larkspur")], None, &certificate).await;
    assert_eq!(refused(outcome), ("fapi.client-authentication.method", CLIENT));
}

/// What a client with this method sends, and the certificate that it shows.
fn proof(world: &World, method: AuthenticationMethod) -> (Vec<(&'static str, String)>, Option<String>) {
    let assertion =
        |assertion: String| vec![("client_assertion_type", ASSERTION_TYPE.to_owned()), ("client_assertion", assertion)];
    match method {
        AuthenticationMethod::PrivateKeyJwt => (assertion(world.assertion(&LARKSPUR, &json!({}))), None),
        AuthenticationMethod::ClientSecretJwt => {
            (assertion(shared(SECRET, "HS256", &world.assertion_claims(&LARKSPUR, &json!({})))), None)
        }
        AuthenticationMethod::ClientSecretBasic => (Vec::new(), Some(basic("larkspur", SECRET))),
        AuthenticationMethod::TlsClientAuth | AuthenticationMethod::SelfSignedTlsClientAuth => {
            (vec![("client_id", "larkspur".to_owned())], None)
        }
    }
}

#[tokio::test]
async fn whatever_the_method_a_client_whose_organisation_may_not_take_part_proves_nothing() {
    let der = b"a certificate that the client signed itself";
    for method in AuthenticationMethod::ALL {
        let world = world(method);
        let own = method == AuthenticationMethod::SelfSignedTlsClientAuth;
        let certificate =
            PresentedCertificate { thumbprint: sha256_base64url(der), anchored: !own, ..LARKSPUR.certificate() };
        let mut key = LARKSPUR.key.public_jwk().clone();
        key.x5c = vec![STANDARD.encode(der)];
        world.amend(|client| {
            client.secret = Some(Secret(SECRET.to_owned()));
            client.certificate_subject = Some(CertificateSubject::Dn(certificate.subject.clone()));
            client.jwks = Some(Jwks { keys: vec![key] });
        });
        let send = async || {
            let (pairs, header) = proof(&world, method);
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            prove(&world, &pairs, header.as_deref(), &certificate).await
        };
        assert_eq!(send().await.ok().as_deref(), Some("larkspur"), "{method:?}");
        world.memory().suspend(LARKSPUR.organisation_id);
        let expected = ("fapi.client-authentication.organisation-active", CLIENT);
        assert_eq!(refused(send().await), expected, "{method:?}");
    }
}
