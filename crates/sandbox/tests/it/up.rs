//! `ob-sandbox up`: an ecosystem that goes on, or says why not.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use simulation::{Chance, Clock};
use transport::{ClientSettings, HttpClient};
use url::Url;

use crate::processes::{Three, step};

fn client() -> HttpClient {
    HttpClient::new(ClientSettings {
        party: "test",
        anchors: Vec::new(),
        identity: None,
        journal: None,
        clock: Clock::real(),
        chance: Chance::from_system(),
        cookies: false,
        timeout: std::time::Duration::from_secs(20),
    })
    .unwrap()
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ob-sandbox"));
    command.env_clear().args(["up", "--json", "--data"]).arg(data).args(arguments);
    command
}

/// An ecosystem that runs, and the table that it printed.
struct Up {
    child: Child,
    table: Value,
}

impl Up {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = command(data, arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut text = String::new();
        for line in lines {
            let line = line.unwrap();
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let table = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { child, table }
    }

    fn control(&self, party: &str) -> Url {
        self.table[party]["control"].as_str().unwrap().parse().unwrap()
    }

    /// Whether the TPP can lodge a consent at the bank.
    async fn lodges(&self) -> bool {
        let body = json!({ "bank": "Ashdown Bank", "version": "v4.0", "permissions": ["ReadAccountsBasic"] });
        step(&client(), &self.control("tpp"), "lodge-consent", body).await.is_some()
    }

    /// Every address that it printed.
    fn addresses(&self) -> Vec<Value> {
        ["directory", "bank", "tpp"]
            .iter()
            .flat_map(|party| ["public", "mtls", "control"].map(|listener| self.table[*party][listener].clone()))
            .collect()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A process that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one that cannot start says in its one line.
fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = command(data, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_one_and_goes_on_with_addresses_and_clients() {
    let folder = tempfile::tempdir().unwrap();
    let first = Up::start(folder.path(), &["--first-port", "0"]);
    let days = 90 * 24 * 3600;
    let advance = first.control("bank").join("/clock/advance").unwrap();
    assert_eq!(client().post(&advance).json(&json!({ "seconds": days })).send().await.unwrap().status, 200);
    for party in ["directory", "bank", "tpp"] {
        let answer = client().get(&first.control(party).join("/clock").unwrap()).send().await.unwrap();
        assert_eq!(answer.json::<Value>().unwrap()["ahead"], days, "{party}");
    }
    assert!(first.lodges().await);
    let (addresses, client_id) = (first.addresses(), first.table["tpp"]["client-id"].clone());
    drop(first);
    // The bank alone has kept that its clock was moved; a clock that is behind does not hold anybody up.
    std::fs::write(folder.path().join("tpp/clock.json"), r#"{"ahead": 5}"#).unwrap();
    let second = Up::start(folder.path(), &[]);
    assert_eq!(second.table["clock-ahead"], days);
    assert_eq!((second.addresses(), &second.table["tpp"]["client-id"]), (addresses, &client_id));
    assert!(second.lodges().await);
    drop(second);

    // Other addresses are not those that certificates and registrations name.
    let told = refused(folder.path(), &["--first-port", "20900"]);
    assert!(told.contains("--first-port 20900") && told.contains("Leave --first-port out"), "{told}");
    // A bank that begins anew knows the client no more; it is registered again.
    std::fs::remove_dir_all(folder.path().join("bank/store")).unwrap();
    let third = Up::start(folder.path(), &["--lesson"]);
    assert_ne!(third.table["tpp"]["client-id"], client_id);
    assert!(third.lodges().await);
    let lesson = client().get(&third.control("bank").join("/lesson").unwrap()).send().await.unwrap();
    assert_eq!(lesson.json::<Value>().unwrap()["lesson"], true);
    drop(third);

    // What cannot go on says what to do.
    let bank = folder.path().join("bank");
    let told = refused(&bank, &[]);
    assert!(
        told.contains("is the folder of ob-aspsp as Ashdown Bank (FCA 204503), and this is ob-sandbox up"),
        "{told}"
    );
    std::fs::write(folder.path().join("bank/keys/server.key"), "damaged").unwrap();
    let told = refused(folder.path(), &[]);
    assert!(told.contains("server.key") && told.contains("delete") && told.contains("to begin anew"), "{told}");
    std::fs::remove_dir_all(folder.path().join("tpp")).unwrap();
    let told = refused(folder.path(), &[]);
    assert!(told.contains("tpp/membership.json is not there any more. Delete"), "{told}");
}

fn advance(three: &Three, arguments: &[&str]) -> Output {
    let control = |party: &crate::processes::Party| party.control().url.to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ob-sandbox"));
    command.env_clear().arg("advance").args(arguments);
    command.args(["--directory-control", &control(&three.directory), "--bank-control", &control(&three.bank)]);
    command.args(["--tpp-control", &control(&three.tpp)]).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_of_separate_programs_are_moved_together_and_one_that_was_moved_alone_is_told() {
    let three = Three::start();
    let tpp = three.tpp.control().url;
    step(&client(), &tpp, "onboard", json!({})).await.unwrap();
    step(&client(), &tpp, "register", json!({ "bank": "Ashdown Bank" })).await.unwrap();
    let moved = three.bank.control().url.join("/clock/advance").unwrap();
    assert_eq!(client().post(&moved).json(&json!({ "seconds": 86_400 })).send().await.unwrap().status, 200);
    let lodge = json!({ "bank": "Ashdown Bank", "version": "v4.0", "permissions": ["ReadAccountsBasic"] });
    let url = tpp.join("/steps/lodge-consent").unwrap();
    let failed: Value = client().post(&url).json(&lodge).send().await.unwrap().json().unwrap();
    let what = failed["failed"]["what"].as_str().unwrap();
    assert!(what.contains("the clocks are apart, which is the likely cause"), "{what}");

    let together = advance(&three, &[]);
    let text = String::from_utf8(together.stdout).unwrap();
    assert_eq!((together.status.code(), text.matches("1 day ahead of true time").count()), (Some(0), 3), "{text}");
    assert!(step(&client(), &tpp, "lodge-consent", lodge.clone()).await.is_some());
    let later = advance(&three, &["90d 1h"]);
    let text = String::from_utf8(later.stdout).unwrap();
    assert_eq!(text.matches("91 days, 1 hour ahead of true time").count(), 3, "{text}");
    assert!(step(&client(), &tpp, "lodge-consent", lodge).await.is_some());
}
