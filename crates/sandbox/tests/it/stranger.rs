//! A TPP that is no member of our Directory, with certificates and keys of its own, at a bank that it knows by its
//! discovery document alone.

use std::path::{Path, PathBuf};

use aspsp::Settings;
use jose::{Algorithm, SigningKey};
use party::Tools;
use pki::{Authority, Participant, PrivateKey, Profile, PspRole};
use sandbox::hosting;
use scenario::{ControlAddress, Ecosystem, Runner, Scenario, ScenarioResult};
use serde_json::{Value, json};
use simulation::Clock;
use tempfile::TempDir;
use time::Duration;
use transport::Stop;

use crate::{command_line::run, hand_made::World, profiles::Plain, scenario_files::Silent};

/// Nobody listens there.
const NOWHERE: &str = "https://localhost:1";
/// Where the stranger's own application would be.
const ELSEWHERE: &str = "https://app.stranger.example/back?from=bank";

/// A stranger's files.
struct Files {
    folder: TempDir,
    jwk: Value,
}

impl Files {
    /// Certificates of an authority that nobody here knows, made `ago`.
    fn made(ago: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let then = Clock::real().true_now() - ago;
        let authority = Authority::create(then, "Stranger's authority").unwrap();
        let participant = Participant {
            organisation_identifier: "PSDGB-FCA-999001".to_owned(),
            organisation_id: "stranger".to_owned(),
            legal_name: "Stranger Ltd".to_owned(),
            roles: vec![PspRole::AccountInformation],
        };
        let server = Profile::Server { names: vec!["localhost".to_owned()] };
        for (name, profile) in [("transport", Profile::Obwac(participant)), ("callback", server)] {
            let key = PrivateKey::generate_rsa().unwrap();
            let certificate = authority.issue(key.public_key_der(), &profile, [7; 16], then).unwrap();
            write(&format!("{name}.key"), &key.to_pem());
            write(&format!("{name}.pem"), &format!("{}{}", certificate.pem(), authority.issuing().pem()));
        }
        write("own-authority.pem", &authority.root().pem());
        let key = PrivateKey::generate_rsa().unwrap();
        write("signing.key", &key.to_pem());
        let signing = SigningKey::from_pkcs8_der("strangers-key", Algorithm::Ps256, key.pkcs8_der()).unwrap();
        Self { jwk: serde_json::to_value(signing.public_jwk()).unwrap(), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A profile with this identity, beside the files.
    fn profile(&self, identity: &Value, software: &Value) -> PathBuf {
        let mut profile = json!({
            "organisation": {
                "legal-name": "Stranger Ltd", "competent-authority": "FCA", "registration-id": "999001", "roles": ["AISP", "PISP"],
            },
            "software": { "client-name": "Stranger", "description": "Reads accounts.", "callback": "/back" },
            "identity": identity,
        });
        for (name, value) in software.as_object().unwrap() {
            profile["software"][name] = value.clone();
        }
        let path = self.path("stranger.yaml");
        // JSON is YAML.
        std::fs::write(&path, profile.to_string()).unwrap();
        path
    }

    /// What every one of them has.
    fn identity(&self, more: &Value) -> Value {
        let mut identity = json!({
            "transport": { "certificate": "transport.pem", "key": "transport.key" },
            "signing": { "key": "signing.key", "kid": "strangers-key" },
            "trust": "bank-authority.pem",
        });
        for (name, value) in more.as_object().unwrap() {
            identity[name] = value.clone();
        }
        identity
    }
}

/// Starts the TPP without a Directory, and lets it run a scenario.
async fn run_as(profile: &Path, anchors: &[PathBuf], text: &str) -> ScenarioResult {
    let stop = Stop::new();
    let data = tempfile::tempdir().unwrap();
    let free = "127.0.0.1:0".parse().unwrap();
    let settings = tpp::Settings {
        data: Some(data.path().to_owned()),
        directory: Some(NOWHERE.parse().unwrap()),
        public_listen: Some(free),
        control_listen: Some(free),
        profile: Some(profile.to_owned()),
        ..tpp::Settings::default()
    };
    let running = tpp::start(settings, Tools::real("tpp", stop.clone())).await.unwrap();
    let url = format!("http://{}", running.control).parse().unwrap();
    let mut trust_anchors = running.trusts.clone();
    trust_anchors.extend(anchors.iter().flat_map(|file| hosting::certificates(file).unwrap()));
    let runner = Runner::new(Ecosystem {
        tpp: ControlAddress { party: "tpp".to_owned(), url, token: None },
        tpps: std::collections::BTreeMap::new(),
        others: Vec::new(),
        trust_anchors,
        credentials: hosting::credentials_in(None).unwrap(),
    })
    .unwrap();
    let scenario = Scenario::parse(&beside("stranger.yaml"), text).unwrap();
    let result = runner.run(&scenario, &mut Silent).await.unwrap();
    stop.trigger();
    party::ended(running.tasks).await;
    result
}

/// A file that would stand in `scenarios/`.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name)
}

fn passed(result: &ScenarioResult) {
    assert!(result.passed(), "{:?}", result.steps.last());
}

/// The account-information journey at a bank that is named by its discovery document.
fn journey(bank: &aspsp::Running) -> String {
    let text = include_str!("../../../../scenarios/account-information.yaml");
    let discovery = bank.urls.page("/.well-known/openid-configuration");
    let renamed = text.replace("bank: Ashdown Bank", &format!("bank: {discovery}"));
    assert_ne!(renamed, text);
    renamed
}

/// A bank that trusts the stranger's authority, and knows the stranger by its own file of clients.
fn trusting(files: &Files) -> impl FnOnce(&mut Settings) {
    let authority = files.path("own-authority.pem");
    move |settings| {
        settings.profile = None;
        settings.client_authorities = Some(authority);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_keys_of_its_own_goes_the_whole_way() {
    let files = Files::made(Duration::ZERO);
    let client = json!({
        "client-id": "stranger-1", "name": "Stranger", "redirect-uris": [ELSEWHERE, "https://localhost/back"],
        "authentication": "private_key_jwt", "jwks": { "keys": [files.jwk] },
    });
    let bank = Plain::with_clients(trusting(&files), |_| vec![client]).await;
    std::fs::copy(&bank.world.hosted.directory.trust_anchor, files.path("bank-authority.pem")).unwrap();
    let identity = files.identity(&json!({ "client-id": "stranger-1", "redirect-uri": ELSEWHERE }));
    let profile = files.profile(&identity, &json!({}));
    passed(&run_as(&profile, &[], &journey(&bank.bank)).await);

    // The client_id may stand in the scenario instead.
    let identity = files.identity(&json!({ "redirect-uri": ELSEWHERE }));
    let profile = files.profile(&identity, &json!({}));
    let refused = run_as(&profile, &[], &journey(&bank.bank)).await;
    let problem = refused.steps.last().unwrap().problem.clone().unwrap();
    assert!(problem.contains("identity.software-statement"), "{problem}");
    let named = journey(&bank.bank).replace("register: {}", "register: { client-id: stranger-1 }");
    passed(&run_as(&profile, &[], &named).await);

    // What the stranger cannot do without a Directory it says.
    let by_name = named.replace(&bank.bank.urls.page("/.well-known/openid-configuration"), "Ashdown Bank");
    let problem = run_as(&profile, &[], &by_name).await.steps.last().unwrap().problem.clone().unwrap();
    assert!(problem.contains("name banks by their discovery URLs"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_serve_its_own_redirect_uri() {
    let files = Files::made(Duration::ZERO);
    // The port is not known before the TPP runs, so that the test picks one.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = json!({
        "client-id": "stranger-1", "name": "Stranger", "redirect-uris": [format!("https://localhost:{port}/back")],
        "authentication": "private_key_jwt", "jwks": { "keys": [files.jwk] },
    });
    let bank = Plain::with_clients(trusting(&files), |_| vec![client]).await;
    std::fs::copy(&bank.world.hosted.directory.trust_anchor, files.path("bank-authority.pem")).unwrap();
    let identity = files.identity(&json!({
        "client-id": "stranger-1", "callback": { "certificate": "callback.pem", "key": "callback.key" },
    }));
    let profile = files.profile(&identity, &json!({}));
    let stop = Stop::new();
    let data = tempfile::tempdir().unwrap();
    let settings = tpp::Settings {
        data: Some(data.path().to_owned()),
        directory: Some(NOWHERE.parse().unwrap()),
        public_listen: Some(format!("127.0.0.1:{port}").parse().unwrap()),
        control_listen: Some("127.0.0.1:0".parse().unwrap()),
        profile: Some(profile),
        ..tpp::Settings::default()
    };
    let running = tpp::start(settings, Tools::real("tpp", stop.clone())).await.unwrap();
    let trust_anchors = [files.path("own-authority.pem"), files.path("bank-authority.pem")]
        .iter()
        .flat_map(|file| hosting::certificates(file).unwrap())
        .collect();
    let url = format!("http://{}", running.control).parse().unwrap();
    let runner = Runner::new(Ecosystem {
        tpp: ControlAddress { party: "tpp".to_owned(), url, token: None },
        tpps: std::collections::BTreeMap::new(),
        others: Vec::new(),
        trust_anchors,
        credentials: hosting::credentials_in(None).unwrap(),
    })
    .unwrap();
    let scenario = Scenario::parse(&beside("stranger.yaml"), &journey(&bank.bank)).unwrap();
    let result = runner.run(&scenario, &mut Silent).await.unwrap();
    passed(&result);
    let came_back = |step: &scenario::StepResult| step.exchanges.iter().any(|one| one.url.contains("/back"));
    assert!(result.steps.iter().any(came_back), "the browser opened the redirect URI");
    stop.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_a_software_statement_registers_by_itself() {
    // What a Directory gave to somebody: certificate, keys, and the assertion.
    let world = World::new().await;
    let (hosted, exports) = (&world.hosted, &world.hosted.tpp.exports);
    let registered = world.step("register", &json!({ "bank": hosted.bank.name })).await;
    let ssa = registered["software-statement"].as_str().unwrap();
    let files = Files { folder: tempfile::tempdir().unwrap(), jwk: Value::Null };
    for name in ["transport.pem", "transport.key", "signing.key"] {
        std::fs::copy(exports.join(name), files.path(name)).unwrap();
    }
    std::fs::copy(&hosted.directory.trust_anchor, files.path("bank-authority.pem")).unwrap();
    std::fs::write(files.path("ssa.jwt"), ssa).unwrap();
    let kid = std::fs::read_to_string(exports.join("signing.kid")).unwrap();
    let redirect_uri = hosted.tpp.public.join("/callback").unwrap();
    let with = |uri: &str| {
        let mut identity = files.identity(&json!({ "software-statement": "ssa.jwt", "redirect-uri": uri }));
        identity["signing"]["kid"] = json!(kid.trim());
        identity
    };
    for authentication in ["private_key_jwt", "tls_client_auth"] {
        let profile = files.profile(&with(redirect_uri.as_str()), &json!({ "authentication": authentication }));
        passed(&run_as(&profile, &[], &journey(&hosted.bank)).await);
    }
    // Payments are signed in the name of the software statement.
    let discovery = hosted.bank.urls.page("/.well-known/openid-configuration");
    let payment = include_str!("../../../../scenarios/domestic-payment.yaml")
        .replace("bank: Ashdown Bank", &format!("bank: {discovery}"));
    // Nobody moves a stranger's clock: the money moves in its own time.
    let (payment, _) = payment.split_once("  - advance:").unwrap();
    let profile = files.profile(&with(redirect_uri.as_str()), &json!({}));
    passed(&run_as(&profile, &[], payment).await);

    let wrong = files.profile(&with("https://another.example/back"), &json!({}));
    let told = started(&wrong);
    assert!(told.contains("identity.redirect-uri: https://another.example/back is not among"), "{told}");
}

#[test]
fn a_stranger_tells_its_public_key() {
    let files = Files::made(Duration::ZERO);
    let profile = files.profile(&files.identity(&json!({ "trust": "own-authority.pem" })), &json!({}));
    let output = run("ob-tpp", &["--profile", &profile.display().to_string(), "jwks"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told, json!({ "keys": [files.jwk] }));
    let output = run("ob-tpp", &["jwks"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has no identity"), "{output:?}");
}

/// What `ob-tpp` says with this profile; it does not start.
fn started(profile: &Path) -> String {
    let data = tempfile::tempdir().unwrap();
    let output = run(
        "ob-tpp",
        &[
            "--data",
            &data.path().display().to_string(),
            "--profile",
            &profile.display().to_string(),
            "--public-listen",
            "127.0.0.1:0",
            "--control-listen",
            "127.0.0.1:0",
        ],
    );
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_identity_that_cannot_be_used_is_told_by_member_and_file() {
    let files = Files::made(Duration::ZERO);
    std::fs::copy(files.path("own-authority.pem"), files.path("bank-authority.pem")).unwrap();
    std::fs::write(files.path("nothing.pem"), "nothing").unwrap();
    let right = files.identity(&json!({}));
    for (pointer, value, told) in [
        ("/transport/certificate", "none.pem", "identity.transport.certificate: "),
        ("/transport/certificate", "nothing.pem", "there is no PEM certificate in it"),
        ("/transport/key", "callback.key", "is not that of the certificate in"),
        ("/signing/key", "transport.pem", "identity.signing.key: "),
        ("/signing/key", "none.key", "none.key cannot be read: No such file"),
        ("/trust", "signing.key", "identity.trust: "),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = json!(value);
        let said = started(&files.profile(&wrong, &json!({})));
        assert!(said.contains(told) && said.contains(value), "{pointer} {value}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let mut without = right.clone();
    without["signing"].as_object_mut().unwrap().remove("kid");
    let said = started(&files.profile(&without, &json!({})));
    assert!(said.contains("kid"), "{said}");
    let said = started(&files.profile(&files.identity(&json!({ "software-statement": "signing.key" })), &json!({})));
    assert!(said.contains("identity.software-statement: "), "{said}");

    let old = Files::made(Duration::days(500));
    std::fs::copy(old.path("own-authority.pem"), old.path("bank-authority.pem")).unwrap();
    let said = started(&old.profile(&old.identity(&json!({})), &json!({})));
    assert!(said.contains("identity.transport: the certificate in") && said.contains("is valid from"), "{said}");
}
