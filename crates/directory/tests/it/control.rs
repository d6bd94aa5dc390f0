//! What the operator asks for at the control port.

use directory::{EnrolmentPolicy, Settings};
use http::Method;
use openbanking::ssa::Role;
use party::Tools;
use serde_json::json;
use transport::Stop;

use crate::world::{Directory, request, text};

#[tokio::test]
async fn unknown_organisations_statuses_and_members_are_refused() {
    let directory = Directory::start().await;
    for (path, body, status) in [
        ("/organisations/0015800001041RHAAY/status", json!({"status": "Revoked"}), 404),
        ("/organisations/0015800001041RHAAY/reopen-enrolment", json!({}), 404),
        ("/organisations/0015800001041RHAAY/status", json!({"status": "Sleeping"}), 400),
        ("/organisations/0015800001041RHAAY/status", json!({}), 400),
        ("/organisations/0015800001041RHAAY/status", json!({"status": "Active", "why": "fun"}), 400),
        ("/nowhere", json!({}), 404),
    ] {
        let answer = directory.control(Method::POST, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}: {}", text(&answer));
    }
}

#[tokio::test]
async fn web_pages_and_names_of_others_do_not_reach_the_control_port() {
    let directory = Directory::in_lesson().await;
    let off = json!({"off": ["directory.enrolment.once"]}).to_string();
    let ask = async |headers: &[(&str, &str)]| {
        let url = format!("http://{}/lesson", directory.running.control).parse().unwrap();
        let asked = directory.http(None).request(Method::POST, &url).body("text/plain", off.clone());
        headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value)).send().await.unwrap()
    };
    let port = directory.running.control.port();
    let (own, below) = (format!("localhost:{port}"), format!("directory.localhost:{port}"));
    for (headers, told) in [
        (&[("origin", "https://evil.example")][..], "https://evil.example"),
        (&[("origin", "null")], "null"),
        (&[("origin", "http://localhost:8440"), ("host", own.as_str())], "http://localhost:8440"),
        (&[("host", "evil.example")], "evil.example"),
        (&[("host", "192.168.0.1")], "192.168.0.1"),
    ] {
        let answer = ask(headers).await;
        assert_eq!(answer.status, 403, "{headers:?}: {}", text(&answer));
        assert!(text(&answer).contains(told), "{told}: {}", text(&answer));
    }
    assert!(directory.tools.lesson.switched_off().ids().is_empty(), "what was refused was done all the same");
    // As curl asks, under either name.
    for headers in [&[][..], &[("host", own.as_str())], &[("host", below.as_str())]] {
        assert_eq!(ask(headers).await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn whoever_has_the_token_may_use_any_name_and_no_web_page_does() {
    let directory = Directory::of(tempfile::tempdir().unwrap(), |settings| {
        settings.control_token = Some("a token".to_owned());
    })
    .await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let url = format!("http://{}{path}", directory.running.control).parse().unwrap();
        let asked = directory.http(None).request(Method::GET, &url);
        let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
        asked.send().await.unwrap().status.as_u16()
    };
    let token = ("authorization", "Bearer a token");
    for (headers, status) in [
        (&[token, ("host", "directory:8449")][..], 200),
        (&[("host", "localhost")], 401),
        (&[("authorization", "Bearer another")], 401),
        (&[token, ("origin", "https://evil.example")], 403),
    ] {
        assert_eq!(ask("/clock", headers).await, status, "{headers:?}");
    }
    assert_eq!(ask("/ready", &[("host", "directory:8449")]).await, 200);
}

#[tokio::test]
async fn the_clock_cannot_be_moved_to_where_nothing_can_be_answered() {
    let directory = Directory::start().await;
    for body in
        [json!({"seconds": 250_000_000_000_i64}), json!({"ahead": 250_000_000_000_i64}), json!({"ahead": i64::MAX})]
    {
        let answer = directory.control(Method::POST, "/clock/advance", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", text(&answer));
        assert!(text(&answer).contains("year 9000"), "{}", text(&answer));
    }
    // As far as it goes, everything still works, and after a restart too.
    let far = json!({"ahead": 219_000_000_000_i64});
    assert_eq!(directory.control(Method::POST, "/clock/advance", &far).await.status, 200);
    let directory = directory.restarted().await;
    let now: serde_json::Value = directory.control(Method::GET, "/clock", &json!(null)).await.json().unwrap();
    assert!(now["now"].as_str().unwrap().starts_with("89"), "{now}");
    let begun = directory.begin(&request("Larkspur Money Ltd", "730166", &[Role::Aisp])).await;
    assert!(begun.expires_at > directory.tools.clock.now());
}

#[tokio::test]
async fn metrics_count_what_was_answered_and_which_rules_refused() {
    let directory = Directory::start().await;
    for _ in 0..2 {
        assert_eq!(directory.get("/keystore/nobody/nobody.jwks").await.status, 404);
    }
    directory.get("/pki/trust-anchor.pem").await;
    let answer = directory.control(Method::GET, "/metrics", &json!(null)).await;
    let text = text(&answer);
    for line in [
        "ob_exchanges_total{side=\"server\",status=\"2xx\"} 1",
        "ob_exchanges_total{side=\"server\",status=\"4xx\"} 2",
        "ob_refusals_total{rule=\"directory.keystore.known\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn invitations_end_within_a_year() {
    let directory = Directory::with(EnrolmentPolicy::Invitation).await;
    for days in [0, -1, 366] {
        let answer = directory.control(Method::POST, "/invitations", &json!({ "days": days })).await;
        assert_eq!(answer.status, 400, "{days}: {}", text(&answer));
    }
    let answer = directory.control(Method::POST, "/invitations", &json!({ "days": 1 })).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let free = Some(([127, 0, 0, 1], 0).into());
    let settings = |data: &str| Settings {
        data: Some(folder.path().join(data)),
        public_listen: free,
        mtls_listen: free,
        control_listen: free,
        ..Settings::default()
    };
    let start = async |settings: Settings| {
        let error = directory::start(settings, Tools::real("directory", Stop::new())).await.err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr();
    let holder = tokio::net::TcpListener::bind(taken.unwrap()).await.unwrap();
    let address = holder.local_addr().unwrap();
    let error = start(Settings { mtls_listen: Some(address), ..settings("a") }).await;
    assert!(error.contains(&address.to_string()), "{error}");

    let wrong = folder.path().join("participants.yaml");
    std::fs::write(&wrong, "- legal_name: A\n").unwrap();
    let error = start(Settings { participants: Some(wrong), ..settings("b") }).await;
    assert!(error.contains("participants.yaml") && error.contains("line 1"), "{error}");

    let error = start(Settings { control_listen: Some(([0, 0, 0, 0], 0).into()), ..settings("c") }).await;
    assert!(error.contains("token"), "{error}");

    std::fs::create_dir_all(folder.path().join("d/authority")).unwrap();
    std::fs::write(folder.path().join("d/authority/root.pem"), "lost").unwrap();
    let error = start(settings("d")).await;
    assert!(error.contains("authority"), "{error}");
}

#[tokio::test]
async fn a_lesson_switches_off_the_directorys_own_rules() {
    let right = request("Larkspur Money Ltd", "730166", &[Role::Aisp]);
    let other = request("Somebody Else Ltd", "812299", &[Role::Aisp]);
    let off = |rules: &[&str]| json!({ "off": rules });
    // Elsewhere they stay on.
    let strict = Directory::start().await;
    let answer = strict.control(Method::POST, "/lesson", &off(&["directory.enrolment.once"])).await;
    assert_eq!(answer.status, 403, "{}", text(&answer));

    let directory = Directory::in_lesson().await;
    let one = directory.member(&right, "TPPReadAccess TPPManage").await;
    let two = directory.member(&other, "TPPReadAccess TPPManage").await;
    let enrol = async || directory.open(Method::POST, "/enrolment", |builder| builder.json(&right)).await;
    let theirs = format!("/v2.1/organisation/{}/software-statement", one.id());
    let read = async || two.call(&directory, Method::GET, &theirs, |builder| builder).await.status.as_u16();
    directory.assert_refused(&enrol().await, 409, "conflict", "directory.enrolment.once");
    assert_eq!(read().await, 403);
    let both = off(&["directory.enrolment.once", "directory.api.own-organisation"]);
    assert_eq!(directory.control(Method::POST, "/lesson", &both).await.status, 200);
    assert_eq!(enrol().await.status, 201);
    assert_eq!(read().await, 200);
    assert_eq!(directory.control(Method::DELETE, "/lesson", &json!(null)).await.status, 200);
    directory.assert_refused(&enrol().await, 409, "conflict", "directory.enrolment.once");
    assert_eq!(read().await, 403);
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    testkit::settings::assert_precedence(env!("CARGO_BIN_EXE_ob-directory").as_ref(), "OB_DIRECTORY");
}
