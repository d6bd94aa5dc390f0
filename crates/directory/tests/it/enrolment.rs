//! The door: who is let in, for how long, and how often.

use directory::EnrolmentPolicy;
use http::Method;
use openbanking::{
    directory::{CertificateKind, CertificateRecord},
    ssa::{OrganisationStatus, Role},
};
use party::DataDirectory;
use pki::Profile;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{Directory, Member, TPP, request, signing_request, subject, text};

#[tokio::test]
async fn a_registered_bank_enrols_once_by_its_registration() {
    let directory = Directory::start().await;
    let known = known(&directory, "Ashdown Bank").await;
    let bank = directory.bank().await;
    assert_eq!(bank.id(), known);
    let again = request("Ashdown Bank plc", "204503", &[Role::Aspsp]);
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&again)).await;
    directory.assert_refused(&answer, 409, "conflict", "directory.enrolment.once");
}

#[tokio::test]
async fn the_operator_lets_somebody_in_again_for_one_enrolment() {
    let directory = Directory::start().await;
    let bank = directory.bank().await;
    let path = format!("/organisations/{}/reopen-enrolment", bank.id());
    let answer = directory.control(Method::POST, &path, &json!({})).await;
    assert!(answer.status.is_success(), "{}", text(&answer));
    let again = request("Ashdown Bank plc", "204503", &[Role::Aspsp]);
    let renewed = directory.member(&again, crate::world::BANK).await;
    assert_eq!(renewed.id(), bank.id());
    assert_ne!(renewed.membership.transport_kid, bank.membership.transport_kid);
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&again)).await;
    directory.assert_refused(&answer, 409, "conflict", "directory.enrolment.once");
}

#[tokio::test]
async fn nobody_takes_the_place_of_a_registered_organisation_under_another_name_or_with_more_roles() {
    let directory = Directory::start().await;
    for wrong in [
        request("Ashdowne Bank plc", "204503", &[Role::Aspsp]),
        request("Ashdown Bank plc", "204503", &[Role::Aspsp, Role::Aisp]),
        request("Ashdown Bank plc", "204503", &[Role::Aisp]),
    ] {
        let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&wrong)).await;
        directory.assert_refused(&answer, 409, "conflict", "directory.enrolment.register");
    }
}

#[tokio::test]
async fn details_that_no_certificate_can_hold_are_refused() {
    let directory = Directory::start().await;
    let right = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    for (member, value) in [
        ("LegalEntityName", json!("")),
        ("LegalEntityName", json!("x".repeat(65))),
        ("LegalEntityName", json!("a\u{0}b")),
        ("RegisterBody", json!("F-CA")),
        ("RegistrationId", json!("73/0166")),
        ("RegistrationId", json!("")),
        ("Roles", json!([])),
    ] {
        let mut wrong = serde_json::to_value(&right).unwrap();
        wrong[member] = value;
        let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&wrong)).await;
        directory.assert_refused(&answer, 400, "invalid_request", "directory.enrolment.details");
    }
}

#[tokio::test]
async fn a_closed_door_lets_only_known_organisations_in() {
    let directory = Directory::with(EnrolmentPolicy::Closed).await;
    let stranger = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&stranger)).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.enrolment.policy");
    directory.begin(&request("Ashdown Bank plc", "204503", &[Role::Aspsp])).await;
}

#[tokio::test]
async fn an_invitation_lets_one_stranger_in_and_ends() {
    let directory = Directory::with(EnrolmentPolicy::Invitation).await;
    let invite = async || {
        let answer = directory.control(Method::POST, "/invitations", &json!({})).await;
        assert_eq!(answer.status, 201, "{}", text(&answer));
        answer.json::<Value>().unwrap()["invitation"].as_str().unwrap().to_owned()
    };
    let enter = async |registration: &str, invitation: Option<&str>| {
        let stranger = request("Larkspur Money Ltd", registration, &[Role::Aisp]);
        let fill = |builder: transport::RequestBuilder| match invitation {
            Some(invitation) => builder.bearer(invitation).json(&stranger),
            None => builder.json(&stranger),
        };
        directory.open(Method::POST, "/enrolment", fill).await
    };
    let invitation = invite().await;
    for wrong in [None, Some("guessed")] {
        let answer = enter("730166", wrong).await;
        directory.assert_refused(&answer, 403, "access_denied", "directory.enrolment.policy");
    }
    assert_eq!(enter("730166", Some(&invitation)).await.status, 201);
    let answer = enter("730167", Some(&invitation)).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.enrolment.policy");

    let late = invite().await;
    directory.tools.clock.advance(Duration::days(400)).unwrap();
    let answer = enter("730168", Some(&late)).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.enrolment.policy");
}

#[tokio::test]
async fn the_token_opens_its_own_organisation_for_an_hour() {
    let directory = Directory::start().await;
    let (one, other) = (
        request("Larkspur Money Ltd", "730166", &[Role::Aisp]),
        request("Fennel Finance Ltd", "730167", &[Role::Aisp]),
    );
    let (begun, foreign) = (directory.begin(&one).await, directory.begin(&other).await);
    let csr = signing_request(&Profile::Obwac(subject(&one, &begun.organisation_id)));

    let mut wrong = begun.clone();
    wrong.enrolment_token = foreign.enrolment_token.clone();
    let answer = directory.certify(&wrong, CertificateKind::Obwac, &csr).await;
    directory.assert_refused(&answer, 401, "invalid_token", "directory.enrolment.token");
    wrong.enrolment_token = "guessed".to_owned();
    let answer = directory.certify(&wrong, CertificateKind::Obwac, &csr).await;
    directory.assert_refused(&answer, 401, "invalid_token", "directory.enrolment.token");
    let path = format!("/enrolment/{}/certificate/obwac", begun.organisation_id);
    let answer =
        directory.open(Method::POST, &path, |builder| builder.body("application/x-pem-file", csr.clone())).await;
    directory.assert_refused(&answer, 401, "invalid_token", "directory.enrolment.token");

    directory.tools.clock.advance(Duration::minutes(59)).unwrap();
    assert_eq!(directory.certify(&begun, CertificateKind::Obwac, &csr).await.status, 201);
    directory.tools.clock.advance(Duration::minutes(2)).unwrap();
    let csr = signing_request(&Profile::Obseal(subject(&one, &begun.organisation_id)));
    let answer = directory.certify(&begun, CertificateKind::Obseal, &csr).await;
    directory.assert_refused(&answer, 401, "invalid_token", "directory.enrolment.token");
}

#[tokio::test]
async fn an_organisation_that_is_not_active_gets_neither_token_nor_certificate_at_the_door() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    directory.set_status(&begun.organisation_id, OrganisationStatus::Withdrawn).await;
    let csr = signing_request(&Profile::Obwac(subject(&asked, &begun.organisation_id)));
    let answer = directory.certify(&begun, CertificateKind::Obwac, &csr).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.certificate.organisation-active");
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&asked)).await;
    directory.assert_refused(&answer, 403, "access_denied", "directory.enrolment.active");
}

/// A participant stops after the Directory answered and before it wrote everything down: keys and enrolment token are
/// there, the certificates are not.
#[tokio::test]
async fn an_enrolment_that_was_interrupted_is_finished_with_the_same_keys() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let begun = directory.begin(&asked).await;
    let folder = tempfile::tempdir().unwrap();
    let kept = DataDirectory::open(folder.path()).unwrap();
    kept.write_json("enrolment.json", &begun).unwrap();
    let profile = Profile::Obseal(subject(&asked, &begun.organisation_id));
    let lost = pki::certificate_request(&kept.load_or_create_key("signing").unwrap(), &profile).unwrap();
    let lost: CertificateRecord = directory.certify(&begun, CertificateKind::Obseal, &lost).await.json().unwrap();

    let member = Member::enrolled(&directory, folder, &asked, TPP).await.map_err(|error| error.to_string()).unwrap();
    assert_eq!((member.id(), &member.membership.signing_kid), (begun.organisation_id.as_str(), &lost.kid));
    assert_eq!(kept.read("enrolment.json").unwrap(), None, "its token is of no more use and still opens the door");

    // Finished, and stopped before the token was deleted.
    kept.write_json("enrolment.json", &begun).unwrap();
    let again =
        Member::enrolled(&directory, member.data, &asked, TPP).await.map_err(|error| error.to_string()).unwrap();
    assert_eq!(again.id(), begun.organisation_id);
    assert_eq!(kept.read("enrolment.json").unwrap(), None);
}

#[tokio::test]
async fn two_who_enrol_the_same_organisation_at_once_do_not_make_two() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let enter = || directory.open(Method::POST, "/enrolment", |builder| builder.json(&asked));
    let answers = tokio::join!(enter(), enter(), enter(), enter());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!([201, 409].contains(&answer.status.as_u16()), "{}", text(&answer));
    }
    let all: Vec<Value> = directory.control(Method::GET, "/organisations", &json!({})).await.json().unwrap();
    assert_eq!(all.iter().filter(|one| one["name"] == "Larkspur Money Ltd").count(), 1);
}

async fn known(directory: &Directory, name: &str) -> String {
    let all: Vec<Value> = directory.control(Method::GET, "/organisations", &json!({})).await.json().unwrap();
    let found = all.iter().find(|one| one["name"] == name).unwrap();
    found["organisation-id"].as_str().unwrap().to_owned()
}
