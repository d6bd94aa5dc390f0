//! Certificate requests: what they must say, and with which keys.

use http::Method;
use openbanking::{
    directory::{CertificateAssociation, CertificateKind, CertificateRecord, CertificateRecords, PEM},
    ssa::Role,
};
use pki::{Certificate, Participant, PrivateKey, Profile, PspRole};

use crate::world::{Directory, call, request, signing_request, subject, text};

/// An RSA key of 1024 bits.
const WEAK: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIIBbjCB2AIBADAvMQswCQYDVQQGEwJHQjERMA8GA1UECgwIV2VhayBMdGQxDTAL\n\
BgNVBAMMBHdlYWswgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAK6cxtuffhh/\n\
d6CDfuZYIsEO9aFTreJxAz+LNVsQ7pzkx6WhEIZXVelmYeqVdOK1J2Cc6XPRTTR9\n\
p6L66JT1uG1p78amIGUgs6h9H3WeZqwWPinX7THRleIE9SmIWRfERugDHqjWQEcw\n\
udPgyeODoXPkWiesrvA3V+buIXkRsYU3AgMBAAGgADANBgkqhkiG9w0BAQsFAAOB\n\
gQCrCZsCS16SAVozOvc6YsB4Zo/jQ+Vdzv7tuVhtu5TyEUIeSSsWoAKbhTF4++5o\n\
+8g8CimXm4E0zjVnAfQB5DgdrW25oiB3PIRbtMmCSLChHvdH42Shhj46Pvwep4WC\n\
YHZ89NdmDyub+PLWrlqKURubr2L/fgce5PrM8QzuPGreTQ==\n\
-----END CERTIFICATE REQUEST-----\n";
/// A key on the curve P-256.
const ELLIPTIC: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIHTMHsCAQAwGTELMAkGA1UEBhMCR0IxCjAIBgNVBAMMAXgwWTATBgcqhkjOPQIB\n\
BggqhkjOPQMBBwNCAARTevOHSyCGxvCAcfXkFzhc3q11OQAyKYB7fipv9ToTzKBE\n\
MkHtClrw5JCpwN8OHo3mqXTxPUuOzU1XKY1+84AFoAAwCgYIKoZIzj0EAwIDSAAw\n\
RQIgP+e7NT6yn33rq2IcL9bZuIv+rd6cuh3EFkmzPKt+/YQCIQCoqhOqzPCS27xH\n\
d27aquGRtAID8/Ow7LHEmaJ0fhn4nQ==\n\
-----END CERTIFICATE REQUEST-----\n";

#[tokio::test]
async fn the_subject_must_name_the_organisation_as_the_directory_knows_it() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp, Role::Pisp]);
    let begun = directory.begin(&asked).await;
    let right = subject(&asked, &begun.organisation_id);
    let wrong: [(Participant, &str, &str); 4] = [
        (
            Participant { organisation_id: "0015800001041RHAAY".into(), ..right.clone() },
            "subject",
            &begun.organisation_id,
        ),
        (Participant { legal_name: "Larkspur Ltd".into(), ..right.clone() }, "subject", "Larkspur Money Ltd"),
        (
            Participant { organisation_identifier: "PSDGB-FCA-204503".into(), ..right.clone() },
            "subject",
            "PSDGB-FCA-730166",
        ),
        (Participant { roles: vec![PspRole::AccountServicing], ..right.clone() }, "qc-statements", "PSP_AI, PSP_PI"),
    ];
    for (participant, rule, expected) in wrong {
        for (kind, profile) in [
            (CertificateKind::Obwac, Profile::Obwac(participant.clone())),
            (CertificateKind::Obseal, Profile::Obseal(participant.clone())),
        ] {
            let answer = directory.certify(&begun, kind, &signing_request(&profile)).await;
            directory.assert_refused(&answer, 400, "invalid_request", &format!("directory.certificate.{rule}"));
            assert!(text(&answer).contains(expected), "{expected}: {}", text(&answer));
        }
    }
    let answer = directory.certify(&begun, CertificateKind::Obwac, &signing_request(&Profile::Obwac(right))).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
}

#[tokio::test]
async fn the_statements_must_fit_the_kind() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    let right = subject(&asked, &begun.organisation_id);
    for (kind, profile, rule) in [
        (CertificateKind::Obwac, Profile::Obseal(right.clone()), "qc-statements"),
        (CertificateKind::Obseal, Profile::Obwac(right.clone()), "qc-statements"),
        // A server's request names no organisation.
        (CertificateKind::Obwac, Profile::Server { names: vec!["localhost".into()] }, "subject"),
    ] {
        let answer = directory.certify(&begun, kind, &signing_request(&profile)).await;
        directory.assert_refused(&answer, 400, "invalid_request", &format!("directory.certificate.{rule}"));
    }
    for kind in [CertificateKind::Obtransport, CertificateKind::Obsigning] {
        let answer = directory.certify(&begun, kind, &signing_request(&Profile::Obwac(right.clone()))).await;
        directory.assert_refused(&answer, 400, "invalid_request", "directory.certificate.kind");
    }
}

#[tokio::test]
async fn weak_keys_other_kinds_of_keys_and_broken_requests_are_refused() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    let right = signing_request(&Profile::Obwac(subject(&asked, &begun.organisation_id)));
    // The last characters of the last line are within the signature.
    let (head, tail) = right.split_at(right.rfind("-----END").unwrap() - 12);
    let flipped: String = tail.chars().enumerate().map(|(at, c)| if at == 2 { other(c) } else { c }).collect();
    for (wrong, told) in [
        (WEAK.to_owned(), "1024"),
        (ELLIPTIC.to_owned(), "RSA"),
        (format!("{head}{flipped}"), "signed"),
        ("not a request".to_owned(), "request"),
        (String::new(), "request"),
    ] {
        let answer = directory.certify(&begun, CertificateKind::Obwac, &wrong).await;
        directory.assert_refused(&answer, 400, "invalid_request", "directory.certificate.request-readable");
        assert!(text(&answer).contains(told), "{told}: {}", text(&answer));
    }
}

fn other(c: char) -> char {
    if c == 'A' { 'B' } else { 'A' }
}

#[tokio::test]
async fn a_server_certificate_has_the_names_that_were_asked_for_and_no_key_in_the_key_store() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    let names = vec!["tpp.localhost".to_owned(), "127.0.0.1".to_owned()];
    let answer = directory.certify(&begun, CertificateKind::Server, &signing_request(&Profile::Server { names })).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
    let record: CertificateRecord = answer.json().unwrap();
    assert_eq!((record.kind, record.key_use), (CertificateKind::Server, None));
    assert_eq!(directory.key_set(&format!("/keystore/{0}/{0}.jwks", begun.organisation_id)).await, []);
    let none = signing_request(&Profile::Server { names: Vec::new() });
    let answer = directory.certify(&begun, CertificateKind::Server, &none).await;
    directory.assert_refused(&answer, 400, "invalid_request", "directory.certificate.server-names");
}

#[tokio::test]
async fn a_member_renews_its_certificates_through_the_api() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp, Role::Pisp]);
    let csr = signing_request(&Profile::Obseal(subject(&asked, tpp.id())));
    let path = tpp.own("/certificate/obseal");
    let answer = tpp.call(&directory, Method::POST, &path, |builder| builder.body(PEM, csr.into_bytes())).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
    assert_eq!(answer.header("content-type"), Some("application/jwk+json"));
    let record: CertificateRecord = answer.json().unwrap();
    assert_eq!((record.key_use.as_deref(), record.status.as_str()), (Some("sig"), "Active"));

    let list: CertificateRecords =
        tpp.call(&directory, Method::GET, &tpp.own("/certificate"), |builder| builder).await.json().unwrap();
    assert_eq!(list.keys.len(), 4);
    assert!(list.keys.contains(&record));
    let one = tpp.own(&format!("/certificate/kid/{}", record.kid));
    let one: CertificateRecord = tpp.call(&directory, Method::GET, &one, |builder| builder).await.json().unwrap();
    assert_eq!(one, record);
    let keys = directory.key_set(&format!("/keystore/{0}/{0}.jwks", tpp.id())).await;
    assert!(keys.contains(&("sig".to_owned(), record.kid)), "{keys:?}");
}

#[tokio::test]
async fn the_key_of_the_request_is_the_key_of_the_certificate() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    let key = PrivateKey::generate_rsa().unwrap();
    let csr = pki::certificate_request(&key, &Profile::Obwac(subject(&asked, &begun.organisation_id))).unwrap();
    let record: CertificateRecord = directory.certify(&begun, CertificateKind::Obwac, &csr).await.json().unwrap();
    let leaf = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &record.x5c[0]).unwrap();
    let leaf = Certificate::from_der(&leaf).unwrap();
    assert_eq!(leaf.public_key_der().unwrap(), key.public_key_der());
    assert_eq!(leaf.facts().roles, [PspRole::AccountInformation]);
    assert_eq!(leaf.facts().key_usages, ["digitalSignature"]);
    assert_eq!(leaf.facts().extended_key_usages, ["clientAuth", "serverAuth"]);
}

#[tokio::test]
async fn only_a_certificate_of_the_organisation_and_kind_is_linked_and_a_link_is_taken_away() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let (tls, sig) = (&tpp.membership.transport_kid, &tpp.membership.signing_kid);
    let path = |kind: &str, kid: &str| tpp.own(&format!("/software-statement/{software}/certificate/{kind}/{kid}"));
    let link = |associate: bool| CertificateAssociation { associate };
    for (kind, kid) in [("obwac", sig.as_str()), ("obseal", tls), ("obwac", "unknown")] {
        let answer = tpp.call(&directory, Method::PUT, &path(kind, kid), |builder| builder.json(&link(true))).await;
        directory.assert_refused(&answer, 404, "not_found", "directory.certificate.known");
    }
    let keys = format!("/keystore/{}/{software}.jwks", tpp.id());
    for (associate, expected) in [(true, 1), (true, 1), (false, 0)] {
        let answer =
            tpp.call(&directory, Method::PUT, &path("obseal", sig), |builder| builder.json(&link(associate))).await;
        assert_eq!(answer.status, 200, "{}", text(&answer));
        assert_eq!(directory.key_set(&keys).await.len(), expected);
    }
}

#[tokio::test]
async fn links_that_are_made_at_once_are_made_or_refused_as_a_conflict() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let software = tpp.software().await.software_statement_id;
    let (http, token) = tpp.token(&directory).await;
    let link = async |kind: &str, kid: &str, associate: bool| {
        let path = tpp.own(&format!("/software-statement/{software}/certificate/{kind}/{kid}"));
        let url = tpp.address.api(&path).unwrap();
        let body = CertificateAssociation { associate };
        call(&http, &token, &url, Method::PUT, |builder| builder.json(&body)).await.unwrap()
    };
    let (tls, sig) = (&tpp.membership.transport_kid, &tpp.membership.signing_kid);
    // What each of them was told last that it is.
    let mut linked = [false, false];
    for associate in [true, false, true, false, true] {
        let (one, other) = tokio::join!(link("obwac", tls, associate), link("obseal", sig, associate));
        let answers = [one, other];
        assert!(answers.iter().any(|answer| answer.status == 200), "one of two is always done");
        for (answer, linked) in answers.iter().zip(&mut linked) {
            match answer.status.as_u16() {
                200 => *linked = associate,
                _ => directory.assert_refused(answer, 409, "conflict", "directory.api.unchanged"),
            }
        }
        let statements = tpp.client.software_statements(&tpp.trace).await.unwrap();
        let found = [&statements[0].transport_key_ids, &statements[0].signing_key_ids];
        for ((found, kid), linked) in found.into_iter().zip([tls, sig]).zip(linked) {
            assert_eq!(*found, if linked { vec![kid.clone()] } else { vec![] });
        }
    }
}
