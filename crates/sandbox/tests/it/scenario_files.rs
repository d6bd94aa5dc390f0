//! Scenario files from outside: all of them, their lessons, reports, seeds, and banks that are not ours.

use std::path::Path;

use sandbox::hosting::{self, Place};
use scenario::{Progress, Runner, Scenario, ScenarioResult, StepResult};
use serde_json::Value;
use transport::Stop;

use crate::command_line::run;

fn scenarios(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name).display().to_string()
}

fn results(arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = run("ob-sandbox", &[&["run", "--json"], arguments].concat());
    let results = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    (output.status.code(), results)
}

/// What failed, in words.
fn problems(results: &[Value]) -> Vec<String> {
    let steps = |result: &Value| result["steps"].as_array().cloned().unwrap_or_default();
    let told = |result: &Value, step: &Value| {
        let problem = step["problem"].as_str()?;
        Some(format!("{} (lesson: {}): {}: {problem}", result["name"], result["lesson"], step["title"]))
    };
    results
        .iter()
        .flat_map(|result| steps(result).iter().filter_map(|step| told(result, step)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_file_passes_and_every_attack_succeeds_with_its_rule_off() {
    let (code, results) = results(&[&scenarios(""), "--lesson", "--parallel", "2"]);
    assert_eq!(problems(&results), Vec::<String>::new());
    assert_eq!(code, Some(0));
    let attacks = results.iter().filter(|result| result["gains"].is_string() && result["lesson"] == false).count();
    let lessons = results.iter().filter(|result| result["lesson"] == true);
    assert!(attacks >= 40, "{attacks} attacks");
    assert!(lessons.clone().count() >= 40);
    assert!(lessons.into_iter().all(|result| result["stolen"].is_string()));
}

#[test]
fn an_attack_has_a_lesson_or_says_why_it_has_none() {
    let files = std::fs::read_dir(scenarios("attacks")).unwrap().map(|entry| entry.unwrap().path());
    let mut attacks = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lesson = Scenario::read(&file).unwrap().lesson.is_some();
        assert_ne!(lesson, text.contains("\n# No lesson: "), "{}", file.display());
        attacks += 1;
    }
    assert!(attacks >= 40, "{attacks} attacks");
}

/// Names, outcomes and rules; addresses have other ports each time.
fn stable(results: &[Value]) -> Vec<String> {
    let masked = |text: &str| {
        let words = text.split_whitespace().map(|word| if word.contains("localhost:") { "URL" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let steps = results.iter().flat_map(|result| result["steps"].as_array().unwrap());
    steps.map(|step| format!("{} {}", step["title"], masked(step["outcome"].as_str().unwrap()))).collect()
}

#[test]
fn runs_with_the_same_seed_are_alike() {
    // With further parties, too: what the Directory gives to whom depends on who comes first.
    let files = [scenarios("customer-cancels.yaml"), scenarios("two-banks"), scenarios("signed-answers")];
    let seeded = |seed| stable(&results(&[&files[0], &files[1], &files[2], "--seed", seed]).1);
    let first = seeded("7");
    assert!(first.iter().any(|line| line.contains("consent ")), "{first:?}");
    assert_eq!(first, seeded("7"));
    assert_ne!(first, seeded("8"));
}

#[test]
fn scenarios_are_listed_and_picked() {
    let output = run("ob-sandbox", &["run", &scenarios(""), "--list", "--filter", "replayed"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("code-replayed") && !text.contains("common"), "{text}");
    assert!(!text.contains("customer-cancels"), "{text}");
    let output = run("ob-sandbox", &["run", &scenarios(""), "--filter", "nothing is about this"]);
    assert_eq!(output.status.code(), Some(2));
}

fn report(name: &str, text: &str, flags: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let reports = folder.path().join("reports").display().to_string();
    let file = file.display().to_string();
    let output = run("ob-sandbox", &[&["run", &file, "--report", &reports], flags].concat());
    let read = |file: &str| std::fs::read_to_string(Path::new(&reports).join(file)).unwrap();
    assert!(read("junit.xml").contains(name));
    (output.status.code(), read("report.html"), read("results.json"))
}

const BEGINNING: &str = "about: x\nbank: Ashdown Bank\npersona: nora\nsteps:\n  - onboard: {}\n  - register: {}\n  \
                         - lodge-consent: { permissions: [ReadAccountsBasic] }\n";

#[test]
fn a_broken_bank_is_caught_by_the_words_of_the_report() {
    let text =
        format!("name: broken\n{BEGINNING}  - misbehave: {{ deviations: [wrong-s-hash] }}\n  - authorise: {{}}\n");
    let (code, page, results) = report("broken", &text, &[]);
    assert_eq!(code, Some(1));
    assert!(page.contains("0 of 1 scenarios passed") && page.contains("<svg"));
    // What is wrong, by which rule, where in the file, and whose turn it is: in each form.
    for part in ["tpp.id-token.s-hash", "The s_hash fits the state.", "scenario.yaml:10", "The bank has to send"] {
        assert!(page.contains(part), "{part}");
        assert!(results.contains(part), "{part}");
    }
}

#[test]
fn what_failed_explains_itself_on_the_terminal_and_in_junit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml").display().to_string();
    let reports = folder.path().join("reports").display().to_string();
    let broken = |end: &str| {
        std::fs::write(&file, format!("name: broken\n{BEGINNING}{end}")).unwrap();
        let output = run("ob-sandbox", &["run", &file, "--report", &reports]);
        assert_eq!(output.status.code(), Some(1));
        let junit = std::fs::read_to_string(Path::new(&reports).join("junit.xml")).unwrap();
        [String::from_utf8(output.stdout).unwrap(), junit]
    };
    for (end, told) in [
        (
            "  - misbehave: { deviations: [wrong-nonce] }\n  - authorise: {}\n",
            ["tpp.id-token.nonce", "a-nonce-of-another-request", "scenario.yaml:10", "The bank has to send"],
        ),
        (
            "  - lodge-consent: { permissions: [ReadBalances] }\n",
            ["ais.consent.permissions", "400 {", "scenario.yaml:9", "refused what it was sent"],
        ),
        (
            "  - fault: { at: bank, fault: { path: /open-banking/*, effect: { answer: { status: 503, body: '' } } } }\n  \
             - lodge-consent: { permissions: [ReadAccountsBasic] }\n",
            ["answered 503", "struck at bank", "scenario.yaml:10", "Take the step fault away"],
        ),
        (
            "  - authorise: {}\n  - exchange-code: {}\n  - call: { path: /accounts, expect: { equal: { /Data/Acount: 1 } } }\n",
            ["expected 1 at /Data/Acount", "(/Data has Account)", "scenario.yaml:11", "one of the two is wrong"],
        ),
    ] {
        for text in broken(end) {
            for part in told {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}

#[test]
fn secrets_are_in_reports_only_when_they_are_asked_for() {
    let text = format!(
        "name: open\n{BEGINNING}  - authorise: {{}}\n  - exchange-code: {{}}\n  - call: {{ path: /accounts }}\n"
    );
    let (_, page, results) = report("open", &text, &[]);
    assert!(page.contains("Bearer $ACCESS_TOKEN") && results.contains("Bearer $ACCESS_TOKEN"));
    let (_, page, results) = report("open", &text, &["--show-secrets"]);
    assert!(page.contains("authorization: Bearer ") && !results.contains("$ACCESS_TOKEN"));
    for password in ["lantern-moss-47", "246810"] {
        assert!(!page.contains(password) && !results.contains(password));
    }
}

pub(crate) struct Silent;

impl Progress for Silent {
    fn begins(&mut self, _: &Scenario, _: bool) {}
    fn step_begins(&mut self, _: usize, _: usize, _: &str) {}
    fn step_ended(&mut self, _: &StepResult) {}
    fn ended(&mut self, _: &ScenarioResult) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_is_driven_by_its_discovery_document_alone() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    let place = Place { data: folder.path().to_owned(), ..Place::default() };
    let hosted = hosting::start(&place, &stop).await.unwrap();
    let mut ecosystem = hosted.ecosystem().unwrap();
    // Nobody looks into a stranger's journal, or moves its clock.
    ecosystem.others.retain(|party| party.party != "bank");
    let runner = Runner::new(ecosystem).unwrap();
    let discovery = hosted.bank.urls.page("/.well-known/openid-configuration");
    let text = std::fs::read_to_string(scenarios("account-information.yaml")).unwrap();
    let read = |text: &str| Scenario::parse(Path::new("stranger.yaml"), text).unwrap();
    let stranger = read(&text.replace("bank: Ashdown Bank", &format!("bank: {discovery}")));
    let result = runner.run(&stranger, &mut Silent).await.unwrap();
    assert!(result.passed(), "{:?}", result.steps.last());

    // One that registered the TPP by hand.
    let client_id = runner.join(&discovery).await.unwrap();
    let by_hand = text
        .replace("bank: Ashdown Bank", &format!("bank: {discovery}"))
        .replace("- register: {}", &format!("- register: {{ client-id: {client_id} }}"));
    let result = runner.run(&read(&by_hand), &mut Silent).await.unwrap();
    assert!(result.passed(), "{:?}", result.steps.last());
    stop.trigger();
    hosted.ended().await;
}
