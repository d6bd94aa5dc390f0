//! What is issued, what is not, and what is exported.

use openssl::{bn::BigNum, pkey::PKey, rsa::Rsa};
use pki::{PkiError, Profile, QcType, SigningRequest};
use time::{Duration, macros::datetime};

use crate::{AUTHORITY, KEY, NOW, WEAK, issue, participant, server};

#[test]
fn a_request_says_who_asks_and_becomes_a_certificate() {
    let (authority, key) = (&*AUTHORITY, &*KEY);
    for (profile, qc_type) in
        [(Profile::Obwac(participant()), QcType::Web), (Profile::Obseal(participant()), QcType::Seal)]
    {
        let pem = pki::certificate_request(key, &profile).unwrap();
        let request = SigningRequest::parse(pem.as_bytes()).unwrap();
        assert_eq!(request.common_name.as_deref(), Some("0015800001041REAAY"));
        assert_eq!(request.organisation_identifier.as_deref(), Some("PSDGB-FCA-730166"));
        assert_eq!(request.country.as_deref(), Some("GB"));
        assert_eq!(request.public_key_der, key.public_key_der());
        let statements = request.qc_statements.unwrap();
        assert_eq!((statements.qc_type, statements.roles), (Some(qc_type), participant().roles));

        let facts = issue(authority, key, &profile).facts().clone();
        assert_eq!(
            facts.subject,
            "CN=0015800001041REAAY,organizationIdentifier=PSDGB-FCA-730166,O=Larkspur Money Ltd,C=GB"
        );
        assert_eq!(facts.roles, participant().roles);
        assert_eq!(facts.issuer, authority.issuing().facts().subject);
        assert_eq!(facts.authority_key_id, authority.issuing().facts().subject_key_id);
        let usages: &[&str] = match qc_type {
            QcType::Web => &["digitalSignature"],
            QcType::Seal => &["digitalSignature", "nonRepudiation"],
        };
        assert_eq!(facts.key_usages, usages);
        let extended: &[&str] = if qc_type == QcType::Web { &["clientAuth", "serverAuth"] } else { &[] };
        assert_eq!(facts.extended_key_usages, extended);
    }
}

#[test]
fn a_server_certificate_names_its_hosts() {
    let (authority, key) = (&*AUTHORITY, &*KEY);
    let profile = server(&["localhost", "127.0.0.1"]);
    let request = SigningRequest::parse(pki::certificate_request(key, &profile).unwrap().as_bytes()).unwrap();
    assert_eq!(request.names, ["localhost", "127.0.0.1"]);
    let facts = issue(authority, key, &profile).facts().clone();
    assert_eq!(facts.san_dns, ["localhost"]);
    assert_eq!(facts.san_ip, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(facts.extended_key_usages, ["serverAuth"]);
    assert!(facts.subject_key_id.is_some());
}

#[test]
fn no_certificate_is_valid_for_more_than_397_days() {
    for profile in [server(&["localhost"]), Profile::Obwac(participant()), Profile::Obseal(participant())] {
        for now in [
            datetime!(2026-11-23 12:00 UTC),
            datetime!(2026-11-23 23:59:59.999 UTC),
            datetime!(2028-02-29 00:00 UTC),
            datetime!(2049-12-31 23:59:59 UTC),
            datetime!(2030-03-31 02:30 +1),
        ] {
            let issued = AUTHORITY.issue(KEY.public_key_der(), &profile, [7; 16], now).unwrap();
            let facts = issued.facts();
            assert!(facts.not_before <= now && now < facts.not_after, "{now}");
            let both_ends_included = facts.not_after - facts.not_before + Duration::SECOND;
            assert_eq!(both_ends_included, Duration::days(pki::LONGEST_VALIDITY_DAYS), "{now}");
        }
    }
    assert_eq!(pki::LONGEST_VALIDITY_DAYS, 397);
}

#[test]
fn no_certificate_is_about_a_weak_key() {
    let refused = |der: &[u8], profile: &Profile| AUTHORITY.issue(der, profile, [7; 16], NOW).unwrap_err();
    for profile in [server(&["localhost"]), Profile::Obwac(participant()), Profile::Obseal(participant())] {
        for (key, error) in WEAK.iter() {
            assert_eq!(refused(&key.public_key_to_der().unwrap(), &profile), *error);
        }
        assert!(matches!(refused(b"no key", &profile), PkiError::Unreadable { what: "key", .. }));
    }
}

#[test]
fn a_key_for_rsassa_pss_only_is_no_rsa_key() {
    let (head, bits) = KEY.public_key_der().split_at(19);
    assert_eq!(head, b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
    let head = b"\x30\x82\x01\x20\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    let outcome = AUTHORITY.issue(&[&head[..], bits].concat(), &Profile::Obseal(participant()), [7; 16], NOW);
    assert_eq!(outcome, Err(PkiError::NotRsa));
}

#[test]
fn exponents_are_odd_and_between_two_bounds() {
    let modulus = PKey::public_key_from_der(KEY.public_key_der()).unwrap().rsa().unwrap().n().to_owned().unwrap();
    for (exponent, good) in [
        ("1", false),
        ("2", false),
        ("10000", false),
        ("10001", true),
        ("10002", false),
        (&"f".repeat(64), true),
        (&format!("1{}1", "0".repeat(63)), false),
    ] {
        let exponent_number = BigNum::from_hex_str(exponent).unwrap();
        let rsa = Rsa::from_public_components(modulus.to_owned().unwrap(), exponent_number).unwrap();
        let der = PKey::from_rsa(rsa).unwrap().public_key_to_der().unwrap();
        let outcome = AUTHORITY.issue(&der, &Profile::Obseal(participant()), [7; 16], NOW).map(drop);
        assert_eq!(outcome, if good { Ok(()) } else { Err(PkiError::Exponent) }, "{exponent}");
    }
}

#[test]
fn a_server_without_a_name_gets_no_certificate() {
    for names in [&[][..], &[""], &[" "], &["localhost", ""]] {
        let outcome = AUTHORITY.issue(KEY.public_key_der(), &server(names), [7; 16], NOW);
        assert_eq!(outcome, Err(PkiError::NoNames), "{names:?}");
    }
}

#[test]
fn a_pkcs12_file_opens_with_its_password_only() {
    let (authority, key) = (&*AUTHORITY, &*KEY);
    let leaf = issue(authority, key, &Profile::Obwac(participant()));
    let chain = [authority.issuing().clone(), authority.root().clone()];
    let file = pki::pkcs12(key, &leaf, &chain, "changeit", "transport").unwrap();
    let file = openssl::pkcs12::Pkcs12::from_der(&file).unwrap();
    let opened = file.parse2("changeit").unwrap();
    assert_eq!(opened.cert.unwrap().to_der().unwrap(), leaf.der());
    assert_eq!(opened.ca.unwrap().len(), 2);
    assert!(file.parse2("wrong").is_err());
}

#[test]
fn a_pkcs12_file_has_no_nul_in_its_name_or_password() {
    let leaf = issue(&AUTHORITY, &KEY, &Profile::Obwac(participant()));
    for (password, name, what) in
        [("changeit", "a\0b", "name"), ("changeit", "\0", "name"), ("a\0b", "transport", "password")]
    {
        assert_eq!(pki::pkcs12(&KEY, &leaf, &[], password, name), Err(PkiError::Nul(what)));
    }
}
