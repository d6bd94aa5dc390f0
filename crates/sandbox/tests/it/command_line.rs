//! Exit codes and last words.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    let program: PathBuf = Path::new(env!("CARGO_BIN_EXE_ob-sandbox")).with_file_name(name);
    assert!(program.exists(), "{} is not built; run cargo test --workspace", program.display());
    Command::new(program).args(arguments).env_clear().output().unwrap()
}

/// The one line that a program leaves when it cannot start, and its exit code.
fn last_words(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{text}");
    (output.status.code(), lines[0].to_owned())
}

const PARTIES: [&str; 3] = ["ob-directory", "ob-aspsp", "ob-tpp"];

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in PARTIES {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let output = run(name, &["--data", &data, "--public-listen", &address]);
        let (code, words) = last_words(&output);
        assert_eq!(code, Some(2), "{name}");
        assert!(words.starts_with(&format!("{name}: cannot listen on {address}")), "{words}");
        assert!(words.contains("another program has that port"), "{words}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_its_line() {
    for name in PARTIES {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("party.yaml");
        std::fs::write(&file, "data: here\npublic-listn: 127.0.0.1:0\n").unwrap();
        let (code, words) = last_words(&run(name, &["--config", &file.display().to_string()]));
        assert_eq!(code, Some(2), "{name}");
        assert!(words.contains("public-listn") && words.contains("line 2"), "{words}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    for name in PARTIES {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a-file");
        std::fs::write(&file, "in the way").unwrap();
        let (code, words) = last_words(&run(name, &["--data", &file.display().to_string()]));
        assert_eq!(code, Some(2), "{name}");
        assert!(words.contains("a-file"), "{words}");
    }
}

#[test]
fn a_control_port_beyond_loopback_needs_a_token() {
    for name in PARTIES {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let listen = ["--public-listen", "127.0.0.1:0"];
        let mut arguments = vec!["--data", &data, "--control-listen", "0.0.0.0:0"];
        arguments.extend(listen);
        if name != "ob-tpp" {
            arguments.extend(["--mtls-listen", "127.0.0.1:0"]);
        }
        let (code, words) = last_words(&run(name, &arguments));
        assert_eq!(code, Some(2), "{name}");
        assert!(words.contains("needs a control token"), "{words}");
    }
}

#[test]
fn help_teaches() {
    for name in PARTIES.into_iter().chain(["ob-sandbox"]) {
        let output = run(name, &["--help"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text.contains("Exit codes") && text.contains("Usage"), "{name}: {text}");
        let short = String::from_utf8(run(name, &["-h"]).stdout).unwrap();
        let sentence = |help: &str| help.lines().next().unwrap().trim_end_matches('.').to_owned();
        assert_eq!(sentence(&short), sentence(&text), "{name}");
    }
}

#[test]
fn who_is_stopped_while_it_waits_for_the_directory_was_stopped_as_asked() {
    use std::io::{BufRead, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let mut listen: Vec<String> = ["public", "mtls", "control"]
        .iter()
        .flat_map(|part| [format!("--{part}-listen"), "127.0.0.1:0".to_owned()])
        .collect();
    listen.extend(["--data".to_owned(), folder.path().display().to_string()]);
    listen.extend(["--trust-anchor".to_owned(), folder.path().join("nowhere.pem").display().to_string()]);
    let program = Path::new(env!("CARGO_BIN_EXE_ob-sandbox")).with_file_name("ob-aspsp");
    let mut child =
        Command::new(program).args(listen).env_clear().stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("waiting for the Directory")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), Vec::<String>::new(), "no last words");
}

fn scenario(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let path = file.display().to_string();
    (folder, path)
}

#[test]
fn a_scenario_that_cannot_be_read_is_told_with_its_line() {
    let text = "name: x\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onbord: {}\n";
    let (_folder, file) = scenario(text);
    let (code, words) = last_words(&run("ob-sandbox", &["run", &file]));
    assert_eq!(code, Some(2));
    assert!(words.contains("onbord") && words.contains("line 6"), "{words}");
}

#[test]
fn a_failed_expectation_is_exit_code_1_and_is_explained() {
    let text = "name: x\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onboard: {}\n  - register: {}\n  \
                - lodge-consent: { permissions: [ReadBalances] }\n  - authorise: {}\n";
    let (folder, file) = scenario(text);
    let reports = folder.path().join("reports");
    let output = run("ob-sandbox", &["run", &file, "--explain", "--report", &reports.display().to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["ais.consent.permissions (bank)", "ReadAccountsBasic or ReadAccountsDetail", "0 of 1 scenarios passed"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let junit = std::fs::read_to_string(reports.join("junit.xml")).unwrap();
    assert!(junit.contains("failures=\"1\"") && junit.contains("an earlier step failed"), "{junit}");
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(reports.join("results.json")).unwrap()).unwrap();
    assert_eq!(results[0]["left-out"], 1);
}

#[test]
fn an_unknown_customer_or_bank_is_told() {
    let text = "name: x\nabout: x\nbank: Ashdown Bank\npersona: nobody\nsteps:\n  - onboard: {}\n";
    let (_folder, file) = scenario(text);
    let (code, words) = last_words(&run("ob-sandbox", &["run", &file]));
    assert_eq!(code, Some(2));
    assert!(words.contains("line 4, column 10: there is no customer nobody") && words.contains("nora"), "{words}");
    let text = "name: x\nabout: x\nbank: No Bank\npersona: nora\nsteps:\n  - onboard: {}\n  - register: {}\n";
    let (_folder, file) = scenario(text);
    let (code, words) = last_words(&run("ob-sandbox", &["run", &file]));
    assert_eq!(code, Some(2));
    assert!(words.contains("line 3, column 7: there is no bank No Bank. There are Ashdown Bank."), "{words}");
    // Every file that is wrong is told.
    let (_other, second) = scenario("name: y\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps: []\n");
    let output = run("ob-sandbox", &["run", &file, &second]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), told.lines().count()), (Some(2), 2), "{told}");
    assert!(told.contains("No Bank") && told.contains("it has no steps"), "{told}");
}

#[test]
fn a_scenario_that_cannot_run_keeps_no_other_from_running_or_from_the_report() {
    let folder = tempfile::tempdir().unwrap();
    for (name, step) in [("before", "onboard: {}"), ("broken", "advance: 9000000 weeks"), ("later", "onboard: {}")] {
        let text = format!("name: {name}\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - {step}\n");
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    let (files, reports) = (folder.path().display().to_string(), folder.path().join("reports"));
    let output = run("ob-sandbox", &["run", &files, "--report", &reports.display().to_string()]);
    let (code, words) = last_words(&output);
    assert_eq!(code, Some(2));
    assert!(words.contains("broken: ") && words.contains("the clock cannot be moved that far"), "{words}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Could not run: broken") && text.contains("2 of 3 scenarios passed"), "{text}");
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(reports.join("results.json")).unwrap()).unwrap();
    let names: Vec<&str> = results.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["before", "broken", "later"]);
    let page = std::fs::read_to_string(reports.join("report.html")).unwrap();
    assert!(page.contains("<strong>broken</strong></a> could not run"), "{page}");
}

#[test]
fn a_run_that_is_stopped_reports_what_did_run() {
    use std::io::{BufRead, BufReader};

    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        // Nothing moves the clock there, so that waiting for the fault's delay is where it is stopped.
        let text = format!(
            "name: {name}\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onboard: {{}}\n  \
             - fault: {{ at: bank, fault: {{ delay: 60000 }} }}\n  - register: {{}}\n"
        );
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    let reports = folder.path().join("reports");
    let program = env!("CARGO_BIN_EXE_ob-sandbox");
    let mut child = Command::new(program)
        .env_clear()
        .args(["run", &folder.path().display().to_string(), "--report", &reports.display().to_string()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("3/3 The TPP registers")));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("COULD NOT RUN: it was stopped")), "{rest:?}");
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(reports.join("results.json")).unwrap()).unwrap();
    assert_eq!(results[0]["steps"].as_array().unwrap().len(), 2, "what was done is there");
    assert_eq!(results[1]["error"], "not run: the run was stopped before");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::Stdio;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").display().to_string();
    let (_folder, onboarding) = scenario(
        "name: pipe\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onboard: {}\n  - register: {}\n",
    );
    for arguments in
        [&["schema"][..], &["run", &scenarios, "--list"], &["run", &onboarding], &["run", "--json", &onboarding]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ob-sandbox"))
            .args(arguments)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn who_stops_a_run_while_it_starts_finds_nothing_left_and_nothing_claimed() {
    use std::process::Stdio;
    let temporary = tempfile::tempdir().unwrap();
    let (_folder, file) =
        scenario("name: early\nabout: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onboard: {}\n");
    let child = Command::new(env!("CARGO_BIN_EXE_ob-sandbox"))
        .args(["run", &file])
        .env_clear()
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The folder is there: it has begun to start.
    while std::fs::read_dir(temporary.path()).unwrap().next().is_none() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let [said, last] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(2), "{said} {last}");
    assert!(said.contains("Not run: 1") && !said.contains("scenarios passed"), "{said}");
    assert!(last.contains("the run was stopped") && !last.contains("could not be written"), "{last}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "keys are gone with their folder");
}
