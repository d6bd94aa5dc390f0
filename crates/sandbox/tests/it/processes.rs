//! Three processes do the journey of one, and kill -9 of any of them loses nothing.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use sandbox::hosting::{certificates, credentials_in};
use scenario::{ControlAddress, Ecosystem, Progress, Runner, Scenario, ScenarioResult, StepResult};
use serde_json::json;
use simulation::{Chance, Clock};
use tempfile::TempDir;
use transport::{ClientSettings, HttpClient};
use url::Url;

/// A program of this workspace; `cargo test --workspace` builds all of them.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_ob-sandbox")).with_file_name(name);
    assert!(path.exists(), "{} is not built; run cargo test --workspace", path.display());
    path
}

/// A party as a process of its own.
pub(crate) struct Party {
    name: &'static str,
    arguments: Vec<String>,
    child: Child,
    /// The URLs of its ready line, in order.
    pub(crate) urls: Vec<Url>,
}

impl Party {
    fn start(name: &'static str, arguments: Vec<String>) -> Self {
        let mut child = Command::new(program(name))
            .args(&arguments)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("is ready"), "{name} said {line:?}");
        let urls = line
            .split([' ', ',', '(', ')', '\n'])
            .filter(|word| word.starts_with("http"))
            .map(|word| word.parse().unwrap())
            .collect();
        Self { name, arguments, child, urls }
    }

    pub(crate) fn control(&self) -> ControlAddress {
        ControlAddress { party: self.name.to_owned(), url: self.urls.last().unwrap().clone(), token: None }
    }

    /// kill -9, and start again on the same ports.
    pub(crate) fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let again = Self::start(self.name, self.arguments.clone());
        self.child = again.into_child();
    }

    fn into_child(mut self) -> Child {
        let idle = Command::new("true").spawn().unwrap();
        std::mem::replace(&mut self.child, idle)
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        // A process that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next port to look at. A party that is killed must come back to its own ports, so that they cannot be chosen by the
/// system: those below 32768 are never given to outgoing connections in between.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Ports that nobody else has.
fn free_ports<const N: usize>() -> [u16; N] {
    let own = u16::try_from(std::process::id() % 90).unwrap() * 100;
    [(); N].map(|()| {
        loop {
            let port = 20_000 + (own + NEXT_PORT.fetch_add(1, Ordering::Relaxed)) % 10_000;
            if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    })
}

pub(crate) struct Three {
    pub(crate) directory: Party,
    pub(crate) bank: Party,
    pub(crate) tpp: Party,
    pub(crate) folder: TempDir,
}

fn address(flag: &str, port: u16) -> [String; 2] {
    [format!("--{flag}-listen"), format!("127.0.0.1:{port}")]
}

impl Three {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = |name: &str| ["--data".to_owned(), folder.path().join(name).display().to_string()];
        let [a, b, c, d, e, f, g, h] = free_ports();
        let arguments = |parts: &[[String; 2]]| parts.iter().flatten().cloned().collect::<Vec<String>>();
        let directory =
            arguments(&[data("directory"), address("public", a), address("mtls", b), address("control", c)]);
        let directory = Party::start("ob-directory", directory);
        let known = [
            ["--directory".to_owned(), directory.urls[0].to_string()],
            [
                "--trust-anchor".to_owned(),
                folder.path().join("directory/public/trust-anchor.pem").display().to_string(),
            ],
        ];
        let mut bank = arguments(&[data("bank"), address("public", d), address("mtls", e), address("control", f)]);
        bank.extend(arguments(&known));
        let mut tpp = arguments(&[data("tpp"), address("public", g), address("control", h)]);
        tpp.extend(arguments(&known));
        Self { bank: Party::start("ob-aspsp", bank), tpp: Party::start("ob-tpp", tpp), directory, folder }
    }

    fn ecosystem(&self) -> Ecosystem {
        Ecosystem {
            tpps: std::collections::BTreeMap::new(),
            tpp: self.tpp.control(),
            others: vec![self.directory.control(), self.bank.control()],
            trust_anchors: certificates(&self.folder.path().join("directory/public/trust-anchor.pem")).unwrap(),
            credentials: credentials_in(None).unwrap(),
        }
    }
}

/// Kills parties before certain steps.
struct Killer<'a> {
    three: &'a mut Three,
    killed: Vec<&'static str>,
}

impl Progress for Killer<'_> {
    fn begins(&mut self, _: &Scenario, _: bool) {}

    fn step_begins(&mut self, _: usize, _: usize, title: &str) {
        let victims: Vec<&mut Party> = match title {
            // A payment that was ordered; its answer is asked for again.
            "The same request again" => vec![&mut self.three.bank],
            // Consent authorised, code issued, nothing redeemed.
            "The TPP exchanges the code" => vec![&mut self.three.bank, &mut self.three.tpp],
            "The TPP refreshes its token" => {
                vec![&mut self.three.directory, &mut self.three.bank, &mut self.three.tpp]
            }
            _ => Vec::new(),
        };
        for victim in victims {
            victim.kill_and_start();
            self.killed.push(victim.name);
        }
    }

    fn step_ended(&mut self, _: &StepResult) {}
    fn ended(&mut self, _: &ScenarioResult) {}
}

fn scenario(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/{name}.yaml"));
    Scenario::read(&path).unwrap()
}

fn problems(result: &ScenarioResult) -> Vec<String> {
    result.steps.iter().filter_map(|step| step.problem.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_survives_kills_of_every_party() {
    let mut three = Three::start();
    let runner = Runner::new(three.ecosystem()).unwrap();
    let mut killer = Killer { three: &mut three, killed: Vec::new() };
    let result = runner.run(&scenario("account-information"), &mut killer).await.unwrap();
    let killed = killer.killed;
    assert_eq!(problems(&result), Vec::<String>::new());
    assert_eq!(killed, ["ob-aspsp", "ob-tpp", "ob-directory", "ob-aspsp", "ob-tpp"]);
    // A second journey takes up what the first one left.
    let again = runner
        .run(&scenario("account-information"), &mut Killer { three: &mut three, killed: Vec::new() })
        .await
        .unwrap();
    assert!(again.passed());
    assert!(again.steps[0].outcome.contains("taken up") && again.steps[1].outcome.contains("taken up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_survives_a_kill_and_is_not_made_twice() {
    let mut three = Three::start();
    let runner = Runner::new(three.ecosystem()).unwrap();
    let mut killer = Killer { three: &mut three, killed: Vec::new() };
    let result = runner.run(&scenario("domestic-payment"), &mut killer).await.unwrap();
    let killed = killer.killed;
    assert_eq!(problems(&result), Vec::<String>::new());
    assert_eq!(killed, ["ob-aspsp", "ob-tpp", "ob-aspsp"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_is_killed_comes_back_at_the_time_that_the_others_have() {
    let mut three = Three::start();
    let runner = Runner::new(three.ecosystem()).unwrap();
    let mut killer = Killer { three: &mut three, killed: Vec::new() };
    // Days go by in this one, and refusals after a kill are still explained.
    let earlier = runner.run(&scenario("consent-ends"), &mut killer).await.unwrap();
    assert_eq!(problems(&earlier), Vec::<String>::new());
    three.directory.kill_and_start();
    let mut killer = Killer { three: &mut three, killed: Vec::new() };
    let later = runner.run(&scenario("account-information"), &mut killer).await.unwrap();
    assert_eq!(problems(&later), Vec::<String>::new());
}

/// Tells the TPP to take a step, and answers what it did; none when it could not.
pub(crate) async fn step(
    http: &HttpClient,
    tpp: &Url,
    name: &str,
    body: serde_json::Value,
) -> Option<serde_json::Value> {
    let url = tpp.join(&format!("/steps/{name}")).unwrap();
    let answer = http.post(&url).json(&body).send().await.ok()?;
    answer.json::<serde_json::Value>().ok()?.get("done").cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_under_load_is_there_after_a_kill() {
    let mut three = Three::start();
    let http = HttpClient::new(ClientSettings {
        party: "load",
        anchors: Vec::new(),
        identity: None,
        journal: None,
        clock: Clock::real(),
        chance: Chance::from_system(),
        cookies: false,
        timeout: std::time::Duration::from_secs(20),
    })
    .unwrap();
    let tpp = three.tpp.control().url;
    let bank = "Ashdown Bank";
    step(&http, &tpp, "onboard", json!({})).await.unwrap();
    step(&http, &tpp, "register", json!({ "bank": bank })).await.unwrap();
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..8 {
        let (http, tpp, answered) = (http.clone(), tpp.clone(), answered.clone());
        tokio::spawn(async move {
            let body = json!({ "bank": bank, "version": "v4.0", "permissions": ["ReadAccountsBasic"] });
            while let Some(lodged) = step(&http, &tpp, "lodge-consent", body.clone()).await {
                if answered.send(lodged["consent-id"].as_str().unwrap().to_owned()).is_err() {
                    return;
                }
            }
        });
    }
    drop(answered);
    let mut lodged = Vec::new();
    while lodged.len() < 60 {
        lodged.push(answers.recv().await.unwrap());
    }
    three.bank.kill_and_start();
    while let Ok(more) = answers.try_recv() {
        lodged.push(more);
    }
    answers.close();
    for consent in lodged {
        let call = json!({
            "bank": bank, "version": "v4.0", "token": "client", "method": "GET",
            "path": format!("/account-access-consents/{consent}"),
        });
        let answer = step(&http, &tpp, "call", call).await.unwrap();
        assert_eq!(answer["status"], 200, "{consent} was answered and is gone: {answer}");
    }
}

#[test]
fn a_party_answers_the_question_after_its_health() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c] = free_ports();
    let mut arguments = vec!["--data".to_owned(), folder.path().display().to_string()];
    for part in [address("public", a), address("mtls", b), address("control", c)] {
        arguments.extend(part);
    }
    let health = |arguments: &[String]| {
        let mut command = Command::new(program("ob-directory"));
        command.args(arguments).arg("health").env_clear().status().unwrap().code()
    };
    assert_eq!(health(&arguments), Some(1));
    let party = Party::start("ob-directory", arguments.clone());
    assert_eq!(health(&arguments), Some(0));
    drop(party);
}
