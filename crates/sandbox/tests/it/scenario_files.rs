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

/// A lesson's file with each rule of its `off` left on alone; none where there is only one.
fn with_one_rule_on(file: &Path) -> Vec<String> {
    let scenario = Scenario::read(file).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let Some(lesson) = scenario.lesson.filter(|lesson| lesson.off.len() > 1) else { return Vec::new() };
    let common = format!("{}/", scenarios("common"));
    let (before, list) = text.split_once("  off:").unwrap();
    // What follows the list begins in the column of `off`.
    let (_, after) = list.split_once("\n  stolen:").unwrap();
    let left = lesson.off.iter().map(|on| {
        let off: Vec<&str> = lesson.off.iter().filter(|rule| *rule != on).map(String::as_str).collect();
        let name = format!("name: {}--{}", scenario.name, on.replace('.', "-"));
        let text = format!("{before}  off: [{}]\n  stolen:{after}", off.join(", "));
        text.replacen(&format!("name: {}", scenario.name), &name, 1).replace("../common/", &common)
    });
    left.collect()
}

#[test]
fn every_rule_that_a_lesson_switches_off_stands_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = 0;
    for of in ["attacks", "signed-answers"] {
        let files = std::fs::read_dir(scenarios(of)).unwrap().map(|entry| entry.unwrap().path());
        for text in files.flat_map(|file| with_one_rule_on(&file)) {
            let path = folder.path().join(format!("{written}.yaml"));
            // Where the step expects the very rule that is left on, the file is refused for that.
            if Scenario::parse(&path, &text).is_ok() {
                std::fs::write(path, text).unwrap();
                written += 1;
            }
        }
    }
    let (_, results) = results(&[&folder.path().display().to_string(), "--lesson", "--parallel", "2"]);
    let lessons = results.iter().filter(|result| result["lesson"] == true);
    let failed = |result: &Value| result["steps"].as_array().unwrap().iter().any(|step| step["problem"].is_string());
    let superfluous: Vec<&str> =
        lessons.clone().filter(|result| !failed(result)).map(|result| result["name"].as_str().unwrap()).collect();
    assert_eq!(superfluous, Vec::<&str>::new(), "the attack succeeds with this rule on");
    assert!(lessons.count() >= 30);
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

/// Everything that a run writes: lines, and the three reports.
fn written(steps: &str, flags: &[&str]) -> [String; 4] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml").display().to_string();
    let reports = folder.path().join("reports").display().to_string();
    std::fs::write(&file, format!("name: leak\n{BEGINNING}{steps}")).unwrap();
    let output = run("ob-sandbox", &[&["run", &file, "--seed", "5", "--report", &reports], flags].concat());
    let read = |file: &str| std::fs::read_to_string(Path::new(&reports).join(file)).unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    [lines, read("junit.xml"), read("report.html"), read("results.json")]
}

/// The texts at these members of the answers that steps had.
fn members(results: &str, names: &[&str]) -> Vec<String> {
    let results: Value = serde_json::from_str(results).unwrap();
    let steps = results[0]["steps"].as_array().unwrap();
    let bodies = steps.iter().filter_map(|step| serde_json::from_str::<Value>(step["body"].as_str()?).ok());
    bodies
        .flat_map(|body| names.iter().filter_map(|name| Some(body.get(name)?.as_str()?.to_owned())).collect::<Vec<_>>())
        .collect()
}

/// The signatures of compact JWTs in a text.
fn signatures(text: &str) -> Vec<String> {
    let tokens = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    let parts = tokens.filter(|token| token.starts_with("eyJ")).map(|token| token.split('.').collect::<Vec<_>>());
    parts
        .filter(|parts| parts.len() == 3 && !parts[1].is_empty())
        .map(|parts| parts[2].to_owned())
        .filter(|last| !last.is_empty())
        .collect()
}

#[test]
fn tokens_and_codes_are_in_nothing_that_a_run_writes_also_where_a_step_fails() {
    let caught = "  - authorise: { deliver: false, keep: { code: /code } }\n  - deliver-response: {}\n";
    let exchanged =
        format!("{caught}  - exchange-code: {{ keep: {{ stolen: /access-token, renewing: /refresh-token }} }}\n");
    let cases = [
        // In a header, an address, a body, a form.
        format!(
            "{exchanged}  - call: {{ path: /accounts, token: none, headers: {{ authorization: 'Bearer {{stolen}}' }} }}\n  \
             - visit: {{ page: '/connections?access={{stolen}}' }}\n  \
             - call: {{ path: '/accounts?code={{code}}', bearer: '{{renewing}}', expect: {{ refused: true }} }}\n"
        ),
        // In what is not as expected.
        format!(
            "{caught}  - exchange-code: {{ keep: {{ stolen: /access-token }}, expect: {{ absent: [/access-token] }} }}\n"
        ),
        format!(
            "{exchanged}  - refresh: {{ keep: {{ a: /access-token }}, expect: {{ equal: {{ /refresh-token: x, /access-token: y }} }} }}\n"
        ),
        "  - authorise: { deliver: false, expect: { absent: [/code, /id_token] } }\n".to_owned(),
    ];
    for steps in &cases {
        let shown = written(steps, &["--show-secrets"]);
        let names = ["access-token", "refresh-token", "code"];
        let secrets = members(&shown[3], &names);
        assert!(!secrets.is_empty(), "{steps}");
        assert_eq!(secrets, members(&written(steps, &["--show-secrets"])[3], &names), "a seed repeats them");
        assert!(!signatures(&shown[3]).is_empty(), "{steps}");
        for text in written(steps, &["--explain"]) {
            for secret in &secrets {
                assert!(!text.contains(secret), "{secret}: {steps}: {text}");
            }
            assert_eq!(signatures(&text), Vec::<String>::new(), "{steps}");
            assert!(text.contains("leak"));
        }
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
