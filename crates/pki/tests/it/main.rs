//! Certificates as they come out of the sandbox's authority, and requests as they come in.

#[cfg(test)]
mod authority {
    use pki::{
        Authority, Certificate, Participant, PkiError, PrivateKey, Profile, PspRole, QcType, Revoked, SigningRequest,
    };
    use time::{OffsetDateTime, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn authority() -> Authority {
        Authority::create(NOW, "Sandbox").unwrap()
    }

    fn participant() -> Participant {
        Participant {
            organisation_identifier: "PSDGB-FCA-730166".into(),
            organisation_id: "0015800001041REAAY".into(),
            legal_name: "Larkspur Money Ltd".into(),
            roles: vec![PspRole::AccountInformation, PspRole::PaymentInitiation],
        }
    }

    fn issue(authority: &Authority, key: &PrivateKey, profile: &Profile) -> Certificate {
        authority.issue(key.public_key_der(), profile, [7; 16], NOW).unwrap()
    }

    #[test]
    fn a_request_says_who_asks_and_becomes_a_certificate() {
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        for (profile, qc_type) in
            [(Profile::Obwac(participant()), QcType::Web), (Profile::Obseal(participant()), QcType::Seal)]
        {
            let pem = pki::certificate_request(&key, &profile).unwrap();
            let request = SigningRequest::parse(pem.as_bytes()).unwrap();
            assert_eq!(request.common_name.as_deref(), Some("0015800001041REAAY"));
            assert_eq!(request.organisation_identifier.as_deref(), Some("PSDGB-FCA-730166"));
            assert_eq!(request.country.as_deref(), Some("GB"));
            assert_eq!(request.public_key_der, key.public_key_der());
            let statements = request.qc_statements.unwrap();
            assert_eq!((statements.qc_type, statements.roles), (Some(qc_type), participant().roles));

            let facts = issue(&authority, &key, &profile).facts().clone();
            assert_eq!(
                facts.subject,
                "CN=0015800001041REAAY,organizationIdentifier=PSDGB-FCA-730166,O=Larkspur Money Ltd,C=GB"
            );
            assert_eq!(facts.roles, participant().roles);
            assert_eq!(facts.issuer, authority.issuing().facts().subject);
            assert_eq!(facts.authority_key_id, authority.issuing().facts().subject_key_id);
            assert!(facts.not_after - facts.not_before <= time::Duration::days(397));
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
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        let profile = Profile::Server { names: vec!["localhost".into(), "127.0.0.1".into()] };
        let request = SigningRequest::parse(pki::certificate_request(&key, &profile).unwrap().as_bytes()).unwrap();
        assert_eq!(request.names, ["localhost", "127.0.0.1"]);
        let facts = issue(&authority, &key, &profile).facts().clone();
        assert_eq!(facts.san_dns, ["localhost"]);
        assert_eq!(facts.san_ip, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(facts.extended_key_usages, ["serverAuth"]);
        assert!(facts.subject_key_id.is_some());
    }

    #[test]
    fn a_chain_verifies_up_to_the_root() {
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        let leaf = issue(&authority, &key, &Profile::Obwac(participant()));
        let x509 = |certificate: &Certificate| openssl::x509::X509::from_der(certificate.der()).unwrap();
        let (root, issuing, leaf) = (x509(authority.root()), x509(authority.issuing()), x509(&leaf));
        assert!(leaf.verify(&issuing.public_key().unwrap()).unwrap());
        assert!(issuing.verify(&root.public_key().unwrap()).unwrap());
        assert!(!leaf.verify(&root.public_key().unwrap()).unwrap());
    }

    #[test]
    fn an_authority_survives_as_files() {
        let first = authority();
        let second = Authority::from_parts(&first.to_parts()).unwrap();
        let key = PrivateKey::generate_rsa().unwrap();
        let leaf = issue(&second, &key, &Profile::Obseal(participant()));
        assert_eq!(leaf.facts().issuer, first.issuing().facts().subject);
        assert_eq!(leaf.facts().authority_key_id, first.issuing().facts().subject_key_id);
        let issuing = openssl::x509::X509::from_der(first.issuing().der()).unwrap();
        let leaf = openssl::x509::X509::from_der(leaf.der()).unwrap();
        assert!(leaf.verify(&issuing.public_key().unwrap()).unwrap());
    }

    #[test]
    fn a_revoked_certificate_is_on_the_list() {
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        let leaf = issue(&authority, &key, &Profile::Obwac(participant()));
        let revoked = [Revoked { serial: leaf.facts().serial.clone(), at: NOW }];
        let list = openssl::x509::X509Crl::from_der(&authority.crl(&revoked, 1, NOW).unwrap()).unwrap();
        let leaf = openssl::x509::X509::from_der(leaf.der()).unwrap();
        assert!(matches!(list.get_by_cert(&leaf), openssl::x509::CrlStatus::Revoked(_)));
        let empty = openssl::x509::X509Crl::from_der(&authority.crl(&[], 2, NOW).unwrap()).unwrap();
        assert!(matches!(empty.get_by_cert(&leaf), openssl::x509::CrlStatus::NotRevoked));
    }

    #[test]
    fn a_tampered_request_is_refused() {
        let key = PrivateKey::generate_rsa().unwrap();
        let pem = pki::certificate_request(&key, &Profile::Obwac(participant())).unwrap();
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let mut der = block.contents;
        let at = der.windows(8).position(|window| window == b"Larkspur").unwrap();
        der[at] = b'D';
        assert_eq!(SigningRequest::parse(&der), Err(PkiError::NotSelfSigned));
    }

    #[test]
    fn a_short_key_is_refused() {
        let rsa = openssl::rsa::Rsa::generate(1024).unwrap();
        let pem = String::from_utf8(rsa.private_key_to_pem().unwrap()).unwrap();
        assert_eq!(PrivateKey::from_pem(&pem).unwrap_err(), PkiError::TooShort(1024));
    }

    #[test]
    fn garbage_is_refused() {
        for bytes in
            [&b""[..], b"-----BEGIN CERTIFICATE REQUEST-----", b"\x30\x82\xff\xff", &[0x30; 64], &[0xff; 20000]]
        {
            assert!(SigningRequest::parse(bytes).is_err());
            assert!(Certificate::from_der(bytes).is_err());
        }
    }

    #[test]
    fn a_pkcs12_file_opens_with_its_password_only() {
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        let leaf = issue(&authority, &key, &Profile::Obwac(participant()));
        let chain = [authority.issuing().clone(), authority.root().clone()];
        let file = pki::pkcs12(&key, &leaf, &chain, "changeit", "transport").unwrap();
        let file = openssl::pkcs12::Pkcs12::from_der(&file).unwrap();
        let opened = file.parse2("changeit").unwrap();
        assert_eq!(opened.cert.unwrap().to_der().unwrap(), leaf.der());
        assert_eq!(opened.ca.unwrap().len(), 2);
        assert!(file.parse2("wrong").is_err());
    }

    #[test]
    fn an_authority_comes_back_from_its_files_whatever_its_name() {
        for name in ["Sandbox", "Bright, Vale & Sons O=x", "Bank \"of\" things; CN=evil"] {
            let made = Authority::create(NOW, name).unwrap();
            let key = PrivateKey::generate_rsa().unwrap();
            let back = Authority::from_parts(&made.to_parts()).unwrap();
            let before = issue(&made, &key, &Profile::Obwac(participant()));
            let after = issue(&back, &key, &Profile::Obwac(participant()));
            assert_eq!(before.facts().issuer, after.facts().issuer, "{name}");
            assert_eq!(before.facts().authority_key_id, after.facts().authority_key_id, "{name}");
            assert!(after.is_signed_by(back.issuing()).unwrap() && back.issuing().is_signed_by(back.root()).unwrap());
        }
    }

    #[test]
    fn files_that_do_not_belong_together_are_told() {
        let (one, other) = (authority().to_parts(), authority().to_parts());
        let wrong = |change: fn(&mut pki::AuthorityParts, &pki::AuthorityParts)| {
            let mut parts = one.clone();
            change(&mut parts, &other);
            Authority::from_parts(&parts).err()
        };
        assert_eq!(
            wrong(|parts, other| parts.root_key_pem.clone_from(&other.root_key_pem)),
            Some(PkiError::OtherKey("root"))
        );
        assert_eq!(
            wrong(|parts, other| parts.issuing_key_pem.clone_from(&other.issuing_key_pem)),
            Some(PkiError::OtherKey("issuing authority"))
        );
        assert_eq!(
            wrong(|parts, other| {
                parts.root_pem.clone_from(&other.root_pem);
                parts.root_key_pem.clone_from(&other.root_key_pem);
            }),
            Some(PkiError::OtherRoot)
        );
        assert!(matches!(wrong(|parts, _| parts.root_pem.clear()), Some(PkiError::Unreadable { .. })));
    }

    #[test]
    fn no_certificate_is_about_a_weak_key_or_a_server_without_a_name() {
        let authority = authority();
        let der = |rsa: openssl::rsa::Rsa<openssl::pkey::Private>| {
            openssl::pkey::PKey::from_rsa(rsa).unwrap().public_key_to_der().unwrap()
        };
        let three = openssl::bn::BigNum::from_u32(3).unwrap();
        let elliptic = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
        let elliptic = openssl::pkey::PKey::from_ec_key(openssl::ec::EcKey::generate(&elliptic).unwrap()).unwrap();
        let profile = Profile::Obseal(participant());
        let refused = |key: &[u8], profile: &Profile| authority.issue(key, profile, [7; 16], NOW).err();
        let short = der(openssl::rsa::Rsa::generate(1024).unwrap());
        assert_eq!(refused(&short, &profile), Some(PkiError::TooShort(1024)));
        let small = der(openssl::rsa::Rsa::generate_with_e(2048, &three).unwrap());
        assert_eq!(refused(&small, &profile), Some(PkiError::Exponent));
        assert_eq!(refused(&elliptic.public_key_to_der().unwrap(), &profile), Some(PkiError::NotRsa));
        assert!(matches!(refused(b"no key", &profile), Some(PkiError::Unreadable { .. })));
        let key = PrivateKey::generate_rsa().unwrap();
        let nameless = Profile::Server { names: Vec::new() };
        assert_eq!(refused(key.public_key_der(), &nameless), Some(PkiError::NoNames));
    }

    #[test]
    fn an_encrypted_key_is_refused_and_nobody_is_asked_for_a_passphrase() {
        let key = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let cipher = openssl::symm::Cipher::aes_128_cbc();
        let pem = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
        let outcome = PrivateKey::from_pem(&String::from_utf8(pem).unwrap());
        assert!(matches!(outcome, Err(PkiError::Unreadable { what: "key", .. })), "{outcome:?}");
    }

    #[test]
    fn a_name_with_a_nul_makes_no_file() {
        let (authority, key) = (authority(), PrivateKey::generate_rsa().unwrap());
        let leaf = issue(&authority, &key, &Profile::Obwac(participant()));
        for (password, name) in [("changeit", "a\0b"), ("a\0b", "transport")] {
            assert!(pki::pkcs12(&key, &leaf, &[], password, name).is_err());
        }
    }
}
