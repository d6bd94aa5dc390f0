//! What the journal tells of each request: the rules that it passed, those that were off, and the one that refused.

use http::Method;
use openbanking::{
    directory::{CertificateAssociation, CertificateKind, EnrolmentAnswer, SoftwareStatement},
    ssa::Role,
};
use pki::Profile;
use rules::Verdict;
use serde_json::json;

use crate::world::{Directory, request, signing_request, software_request, subject, text};

/// What every request with a token passes.
const ADMITTED: [&str; 3] = ["directory.api.scope", "directory.api.certificate", "directory.api.organisation-known"];
const OWN: &str = "directory.api.own-organisation";
const JSON: [&str; 2] = ["directory.api.media-type", "directory.api.body"];

/// The Directory's own rules that were passed, in order.
fn passed(verdict: &Verdict) -> Vec<&str> {
    verdict.passed.iter().map(AsRef::as_ref).filter(|rule: &&str| rule.starts_with("directory.")).collect()
}

fn owned<'a>(rest: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    ADMITTED.into_iter().chain([OWN]).chain(rest).collect()
}

#[tokio::test]
async fn an_accepted_request_tells_every_rule_that_it_passed() {
    let directory = Directory::start().await;
    let tpp = directory.tpp().await;
    let send = async |method: Method, path: &str, body: Option<serde_json::Value>| {
        let answer = tpp
            .call(&directory, method, path, |builder| match &body {
                Some(body) => builder.json(body),
                None => builder,
            })
            .await;
        assert!(answer.status.is_success(), "{path}: {}", text(&answer));
        let verdict = directory.verdict(&answer).unwrap();
        assert_eq!((verdict.refused_by(), verdict.skipped.len()), (None, 0), "{path}");
        assert!(verdict.passed.iter().any(|rule| rule == "fapi.access.token-known"), "{path}: {verdict:?}");
        (answer, verdict)
    };
    let software_path = tpp.own("/software-statement");
    let (answer, verdict) =
        send(Method::POST, &software_path, Some(serde_json::to_value(software_request()).unwrap())).await;
    let written = ["directory.api.software-statement-details", "directory.api.unchanged"];
    assert_eq!(passed(&verdict), owned(JSON.into_iter().chain(written)));

    let software: SoftwareStatement = answer.json().unwrap();
    let software = format!("{software_path}/{}", software.software_statement_id);
    let known = "directory.api.software-statement-known";
    let link = serde_json::to_value(CertificateAssociation { associate: true }).unwrap();
    let active = ["directory.assertion.organisation-active", "directory.assertion.software-active"];
    let linked = [known, "directory.certificate.known", "directory.api.unchanged"];
    let kid = &tpp.membership.signing_kid;
    for (method, path, body, expected) in [
        (Method::GET, software_path.clone(), None, owned([])),
        (Method::GET, software.clone(), None, owned([known])),
        (
            Method::GET,
            format!("{software}/software-statement-assertion"),
            None,
            owned([known].into_iter().chain(active)),
        ),
        (
            Method::PUT,
            format!("{software}/certificate/obseal/{kid}"),
            Some(link),
            owned(JSON.into_iter().chain(linked)),
        ),
        (Method::GET, tpp.own("/certificate"), None, owned([])),
        (Method::GET, tpp.own(&format!("/certificate/kid/{kid}")), None, owned(["directory.certificate.known"])),
        (Method::GET, "/v2.1/authorisation-servers".to_owned(), None, ADMITTED.to_vec()),
        (
            Method::DELETE,
            tpp.own(&format!("/certificate/kid/{kid}")),
            None,
            owned(["directory.certificate.known", "directory.api.unchanged"]),
        ),
    ] {
        let (_, verdict) = send(method, &path, body).await;
        assert_eq!(passed(&verdict), expected, "{path}");
    }
}

#[tokio::test]
async fn the_door_tells_what_it_looked_at() {
    let directory = Directory::start().await;
    let asked = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&asked)).await;
    let details = ["directory.enrolment.details", "directory.enrolment.policy", "directory.api.unchanged"];
    let expected: Vec<&str> = JSON.into_iter().chain(details).collect();
    assert_eq!(passed(&directory.verdict(&answer).unwrap()), expected);

    let begun: EnrolmentAnswer = answer.json().unwrap();
    let certify =
        async |profile: Profile| directory.certify(&begun, CertificateKind::Obwac, &signing_request(&profile)).await;
    let right = subject(&asked, &begun.organisation_id);
    let before = [
        "directory.enrolment.token",
        "directory.api.organisation-known",
        "directory.certificate.kind",
        "directory.certificate.media-type",
        "directory.certificate.organisation-active",
        "directory.certificate.request-readable",
        "directory.certificate.subject",
    ];
    let after = ["directory.certificate.qc-statements", "directory.certificate.key-new", "directory.api.unchanged"];
    let answer = certify(Profile::Obwac(right.clone())).await;
    assert_eq!(passed(&directory.verdict(&answer).unwrap()), [&before[..], &after].concat());
    // A refusal tells what was passed before it.
    let answer = certify(Profile::Obseal(right)).await;
    directory.assert_refused(&answer, 400, "invalid_request", after[0]);
    assert_eq!(passed(&directory.verdict(&answer).unwrap()), before);
}

#[tokio::test]
async fn what_a_lesson_lets_through_is_told_as_not_looked_at() {
    let directory = Directory::in_lesson().await;
    let (tpp, bank) = (directory.tpp().await, directory.bank().await);
    let theirs = tpp.own("/software-statement");
    let read = async || {
        let answer = bank.call(&directory, Method::GET, &theirs, |builder| builder).await;
        (answer.status.as_u16(), directory.verdict(&answer).unwrap())
    };
    let (status, verdict) = read().await;
    assert_eq!((status, passed(&verdict)), (403, ADMITTED.to_vec()));

    let off = ["directory.api.certificate", OWN, "directory.enrolment.once"];
    assert_eq!(directory.control(Method::POST, "/lesson", &json!({ "off": off })).await.status, 200);
    let (status, verdict) = read().await;
    assert_eq!((status, verdict.skipped), (200, vec![off[0].into(), off[1].into()]));
    let again = request("Ashdown Bank plc", "204503", &[Role::Aspsp]);
    let answer = directory.open(Method::POST, "/enrolment", |builder| builder.json(&again)).await;
    let verdict = directory.verdict(&answer).unwrap();
    assert_eq!((answer.status.as_u16(), verdict.skipped), (201, vec![off[2].into()]));

    assert_eq!(directory.control(Method::DELETE, "/lesson", &json!(null)).await.status, 200);
    assert_eq!(read().await.0, 403);
}
