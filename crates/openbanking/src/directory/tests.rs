use super::*;
use crate::version::ApiVersion;
use serde_json::json;
use time::macros::datetime;

fn organisation() -> Organisation {
    let role = |role, active| RoleAuthorisation { active, member_state: "GB".to_owned(), role };
    Organisation {
        organisation_id: "0015800001041RHAAY".to_owned(),
        common_name: "Diary".to_owned(),
        status: OrganisationStatus::Active,
        created_at: Some(datetime!(2026-01-01 0:00 UTC)),
        modified_at: None,
        authority_claims: vec![AuthorityClaim {
            authority_id: "FCAGBR".to_owned(),
            member_state: "GB".to_owned(),
            registration_id: "123456".to_owned(),
            etsi_identifier: Some("PSDGB-FCA-123456".to_owned()),
            authorisations: vec![role(Role::Pisp, true), role(Role::Aisp, true), role(Role::Cbpii, false)],
        }],
        contacts: vec![Contact {
            r#type: ContactType::PrimaryTechnical,
            name: "Ada".to_owned(),
            email_address: "ada@tpp.example".to_owned(),
            phone_number: None,
        }],
    }
}

#[test]
fn organisations_have_the_names_of_the_official_description() {
    insta::assert_json_snapshot!(organisation(), @r##"
    {
      "OBOrganisationId": "0015800001041RHAAY",
      "OrganisationCommonName": "Diary",
      "status": "Active",
      "CreateTimestamp": "2026-01-01T00:00:00+00:00",
      "CompetentAuthorityClaims": [
        {
          "AuthorityId": "FCAGBR",
          "MemberState": "GB",
          "RegistrationId": "123456",
          "EtsiIdentifier": "PSDGB-FCA-123456",
          "Authorisations": [
            {
              "Active": true,
              "MemberState": "GB",
              "Psd2Role": "PISP"
            },
            {
              "Active": true,
              "MemberState": "GB",
              "Psd2Role": "AISP"
            },
            {
              "Active": false,
              "MemberState": "GB",
              "Psd2Role": "CBPII"
            }
          ]
        }
      ],
      "Contacts": [
        {
          "Type": "PTC",
          "Name": "Ada",
          "EmailAddress": "ada@tpp.example"
        }
      ]
    }
    "##);
    assert_eq!(organisation().roles(), [Role::Aisp, Role::Pisp]);
    let back: Organisation = serde_json::from_value(serde_json::to_value(organisation()).unwrap()).unwrap();
    assert_eq!(back, organisation());
}

#[test]
fn software_statements_have_the_names_of_the_official_description() {
    let request = SoftwareStatementRequest {
        client_name: "Money Diary".to_owned(),
        redirect_uris: vec!["https://tpp.example/callback".to_owned()],
        roles: vec![Role::Aisp],
        ..SoftwareStatementRequest::default()
    };
    insta::assert_json_snapshot!(request, @r##"
    {
      "ClientName": "Money Diary",
      "RedirectUri": [
        "https://tpp.example/callback"
      ],
      "Roles": [
        "AISP"
      ]
    }
    "##);
    for wrong in [
        json!({"ClientName": "x", "RedirectUri": []}),
        json!({"ClientName": "x", "RedirectUri": [], "Roles": ["AISP"], "Rolls": []}),
        json!({"ClientName": "x", "RedirectUri": [], "Roles": ["aisp"]}),
    ] {
        assert!(serde_json::from_value::<SoftwareStatementRequest>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn servers_say_where_a_bank_is() {
    let mut request =
        AuthorisationServerRequest::new("Hedge Bank", "https://bank.example/.well-known/openid-configuration");
    request.resource_base = Some("https://mtls.bank.example/open-banking".to_owned());
    request.api_families =
        vec![ApiFamily { family: "aisp".to_owned(), versions: ApiVersion::ALL.to_vec(), endpoints: Vec::new() }];
    let body = serde_json::to_value(&request).unwrap();
    assert_eq!(serde_json::from_value::<AuthorisationServerRequest>(body.clone()).unwrap(), request);
    insta::assert_json_snapshot!(request.registered("as-1".to_owned(), "0015800001041RHAAX".to_owned()), @r##"
    {
      "Id": "as-1",
      "OBOrganisationId": "0015800001041RHAAX",
      "AuthorizationDomain": "PSD2",
      "AutoRegistrationSupported": true,
      "CustomerFriendlyName": "Hedge Bank",
      "OpenIDConfigEndPointUri": "https://bank.example/.well-known/openid-configuration",
      "BaseApiDNSUri": "https://mtls.bank.example/open-banking",
      "ApiFamilies": [
        {
          "Family": "aisp",
          "Versions": [
            "v3.1",
            "v4.0"
          ]
        }
      ]
    }
    "##);
    let mut wrong = body;
    wrong["Id"] = json!("chosen-by-me");
    assert!(serde_json::from_value::<AuthorisationServerRequest>(wrong).is_err());
}

#[test]
fn certificates_are_named_in_paths() {
    for kind in CertificateKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    assert_eq!("OBWAC".parse::<CertificateKind>(), Err(UnknownKind("OBWAC".to_owned())));
    assert_eq!("PTC".parse(), Ok(ContactType::PrimaryTechnical));
    assert!("Boss".parse::<ContactType>().is_err());
    assert_eq!(serde_json::to_value(ContactType::PrimaryBusiness).unwrap(), ContactType::PrimaryBusiness.to_string());
}

#[test]
fn certificate_records_are_jwks() {
    let record = CertificateRecord {
        kid: "k1".to_owned(),
        kind: CertificateKind::Obwac,
        organisation_id: "0015800001041RHAAY".to_owned(),
        associations: vec![],
        status: "Active".to_owned(),
        expires_at: Some(datetime!(2027-01-01 0:00 UTC)),
        kty: "RSA".to_owned(),
        key_use: Some("tls".to_owned()),
        n: Some("AQAB".to_owned()),
        e: Some("AQAB".to_owned()),
        x5c: vec!["MIIB".to_owned()],
        x5t: None,
        x5t_s256: Some("abc".to_owned()),
        x5u: None,
    };
    insta::assert_json_snapshot!(record, @r##"
    {
      "kid": "k1",
      "keyType": "obwac",
      "obOrganisationId": "0015800001041RHAAY",
      "Associations": [],
      "status": "Active",
      "expiryDateTime": "2027-01-01T00:00:00+00:00",
      "kty": "RSA",
      "use": "tls",
      "n": "AQAB",
      "e": "AQAB",
      "x5c": [
        "MIIB"
      ],
      "x5t#S256": "abc"
    }
    "##);
}

#[test]
fn enrolment_is_closed_and_its_token_stays_out_of_logs() {
    let request = json!({
        "LegalEntityName": "Diary Ltd", "RegisterBody": "FCA", "RegistrationId": "123456", "Roles": ["AISP"],
        "Contacts": [{"Type": "Technical", "Name": "Ada", "EmailAddress": "ada@tpp.example"}]
    });
    let read: EnrolmentRequest = serde_json::from_value(request.clone()).unwrap();
    assert_eq!((read.common_name(), serde_json::to_value(&read).unwrap()), ("Diary Ltd", request.clone()));
    let mut wrong = request;
    wrong["Admin"] = json!(true);
    assert!(serde_json::from_value::<EnrolmentRequest>(wrong).is_err());
    let answer = EnrolmentAnswer {
        organisation_id: "0015800001041RHAAY".to_owned(),
        enrolment_token: "s3cret".to_owned(),
        expires_at: datetime!(2026-01-01 1:00 UTC),
    };
    assert!(!format!("{answer:?}").contains("s3cret"));
    insta::assert_json_snapshot!(answer, @r##"
    {
      "OrganisationId": "0015800001041RHAAY",
      "EnrolmentToken": "s3cret",
      "ExpiresAt": "2026-01-01T01:00:00+00:00"
    }
    "##);
}
