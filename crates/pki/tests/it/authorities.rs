//! Authorities, their files and their lists of revoked certificates.

use pki::{Authority, AuthorityParts, PkiError, Profile, Revoked};

use crate::{AUTHORITY, KEY, NOW, issue, openssl, participant};

#[test]
fn a_chain_verifies_up_to_the_root() {
    let (authority, key) = (&*AUTHORITY, &*KEY);
    let leaf = issue(authority, key, &Profile::Obwac(participant()));
    let (root, issuing, leaf) = (openssl(authority.root()), openssl(authority.issuing()), openssl(&leaf));
    assert!(leaf.verify(&issuing.public_key().unwrap()).unwrap());
    assert!(issuing.verify(&root.public_key().unwrap()).unwrap());
    assert!(!leaf.verify(&root.public_key().unwrap()).unwrap());
}

#[test]
fn an_authority_comes_back_from_its_files_whatever_its_name() {
    for name in ["Sandbox", "Bright, Vale & Sons O=x", "Bank \"of\" things; CN=evil", "Crédit, Ünion"] {
        let made = Authority::create(NOW, name).unwrap();
        let back = Authority::from_parts(&made.to_parts()).unwrap();
        assert!(back.to_parts() == made.to_parts(), "{name}");
        let profile = Profile::Obwac(participant());
        let (before, after) = (issue(&made, &KEY, &profile), issue(&back, &KEY, &profile));
        assert_eq!(before.facts().authority_key_id, after.facts().authority_key_id, "{name}");
        assert!(after.is_signed_by(back.issuing()).unwrap(), "{name}");
        let (issuing, leaf) = (openssl(back.issuing()), openssl(&after));
        assert_eq!(leaf.issuer_name().to_der().unwrap(), issuing.subject_name().to_der().unwrap(), "{name}");
    }
}

#[test]
fn files_that_do_not_belong_together_are_told() {
    let other = Authority::create(NOW, "Sandbox").unwrap().to_parts();
    type Change = fn(&mut AuthorityParts, AuthorityParts);
    let cases: [(Change, PkiError); 5] = [
        (|parts, other| parts.root_key_pem = other.root_key_pem, PkiError::OtherKey("root")),
        (|parts, other| parts.issuing_key_pem = other.issuing_key_pem, PkiError::OtherKey("issuing authority")),
        (|parts, _| std::mem::swap(&mut parts.root_key_pem, &mut parts.issuing_key_pem), PkiError::OtherKey("root")),
        (
            |parts, other| (parts.root_pem, parts.root_key_pem) = (other.root_pem, other.root_key_pem),
            PkiError::OtherRoot,
        ),
        (
            |parts, other| (parts.issuing_pem, parts.issuing_key_pem) = (other.issuing_pem, other.issuing_key_pem),
            PkiError::OtherRoot,
        ),
    ];
    for (change, error) in cases {
        let mut parts = AUTHORITY.to_parts();
        change(&mut parts, other.clone());
        assert_eq!(Authority::from_parts(&parts).unwrap_err(), error);
    }
}

#[test]
fn a_file_that_is_missing_its_content_is_told() {
    for clear in [
        (|parts| parts.root_pem.clear()) as fn(&mut AuthorityParts),
        |parts| parts.root_key_pem.clear(),
        |parts| parts.issuing_pem.clear(),
        |parts| parts.issuing_key_pem.clear(),
    ] {
        let mut parts = AUTHORITY.to_parts();
        clear(&mut parts);
        assert!(matches!(Authority::from_parts(&parts), Err(PkiError::Unreadable { .. })));
    }
}

#[test]
fn a_revoked_certificate_is_on_the_list() {
    let (authority, key) = (&*AUTHORITY, &*KEY);
    let leaf = issue(authority, key, &Profile::Obwac(participant()));
    let revoked = [Revoked { serial: leaf.facts().serial.clone(), at: NOW }];
    let list = openssl::x509::X509Crl::from_der(&authority.crl(&revoked, 1, NOW).unwrap()).unwrap();
    let leaf = openssl(&leaf);
    assert!(matches!(list.get_by_cert(&leaf), openssl::x509::CrlStatus::Revoked(_)));
    let empty = openssl::x509::X509Crl::from_der(&authority.crl(&[], 2, NOW).unwrap()).unwrap();
    assert!(matches!(empty.get_by_cert(&leaf), openssl::x509::CrlStatus::NotRevoked));
}
