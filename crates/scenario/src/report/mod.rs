//! Reports: JUnit XML for CI servers, JSON for programs, one HTML page for people.

mod diagram;
mod html;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{ScenarioResult, StepResult, result::Spoke};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder or file cannot be written.
    #[error("the report {path} cannot be written: {error}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The report cannot be put into its format.
    #[error("the report cannot be made: {0}")]
    Format(String),
}

/// Makes the folder of a report and tries whether it can be written to, before anything runs.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare(folder: &Path) -> Result<(), ReportError> {
    let unwritable = |error| ReportError::Unwritable { path: folder.to_owned(), error };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let trial = folder.join(".trial");
    fs::write(&trial, "").and_then(|()| fs::remove_file(&trial)).map_err(unwritable)
}

/// Writes `junit.xml`, `results.json` and `report.html` into a folder that is there. `secrets` tells that the results
/// hold tokens.
///
/// # Errors
/// A file cannot be written.
pub fn write(folder: &Path, results: &[ScenarioResult], secrets: bool) -> Result<(), ReportError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| ReportError::Unwritable { path, error }
    };
    let json = serde_json::to_vec_pretty(results).map_err(|error| ReportError::Format(error.to_string()))?;
    let files = [
        ("junit.xml", junit(results)?.into_bytes()),
        ("results.json", json),
        ("report.html", html::page(results, secrets)?.into_bytes()),
    ];
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content).map_err(unwritable(&path))?;
    }
    Ok(())
}

/// The results as JUnit XML: a suite for each scenario, a case for each step.
///
/// # Errors
/// A text cannot be written as XML.
pub fn junit(results: &[ScenarioResult]) -> Result<String, ReportError> {
    let mut report = Report::new("scenarios");
    for result in results {
        let mut suite = TestSuite::new(result.title());
        suite.set_time(Duration::from_micros(result.duration_us));
        suite.add_property(("trace-id", result.trace_id.as_str()));
        for (index, step) in result.steps.iter().enumerate() {
            let status = match &step.problem {
                None => TestCaseStatus::success(),
                Some(problem) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(problem.as_str());
                    status.set_description(explained(problem, step));
                    status
                }
            };
            let mut case = TestCase::new(format!("{:02} {}", index + 1, step.title), status);
            // Readers of such reports put what failed beside the file's line.
            if let Some((file, line)) = step.place.as_deref().and_then(|place| place.rsplit_once(':')) {
                case.extra.insert("file".into(), file.into());
                case.extra.insert("line".into(), line.into());
            }
            case.set_classname(result.name.as_str()).set_time(Duration::from_micros(step.duration_us));
            suite.add_test_case(case);
        }
        if let Some(error) = &result.error {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(error.as_str());
            suite.add_test_case(TestCase::new(format!("{:02} could not run", result.steps.len() + 1), status));
        }
        for index in usize::from(result.error.is_some())..result.left_out {
            let number = result.steps.len() + index + 1;
            let mut status = TestCaseStatus::skipped();
            status.set_message("an earlier step failed");
            suite.add_test_case(TestCase::new(format!("{number:02} left out"), status));
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(|error| ReportError::Format(error.to_string()))?;
    // Whatever a bank answers, the file is one that readers of XML 1.0 (2.2) take.
    let of_xml = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    Ok(text.chars().filter(|letter| of_xml(*letter)).collect())
}

/// What failed, in words that need nothing else.
fn explained(problem: &str, step: &StepResult) -> String {
    let mut lines = vec![problem.to_owned()];
    for Spoke { party, rule, reason, clause, expected, found, .. } in &step.spoke {
        lines.push(format!("rule      {rule} ({party}): {reason}"));
        lines.push(format!("clause    {clause}"));
        lines.push(format!("expected  {expected}"));
        lines.push(format!("found     {found}"));
    }
    lines.extend(diagram::asked(step).into_iter().map(|exchange| {
        let (who, whom, what) = (&exchange.party, &exchange.peer, diagram::path(&exchange.url));
        format!("exchange  {who} -> {whom}: {} {what} {}", exchange.method, diagram::came(exchange))
    }));
    for (name, text) in [("answer", &step.answer), ("in", &step.place), ("to do", &step.advice)] {
        lines.extend(text.iter().map(|text| format!("{name:<9} {text}")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn junit_is_xml_whatever_a_bank_answers() {
        let mut results = results();
        let hostile = "a\u{fffe}b\u{ffff}c\u{0}d\u{1b}[2Je\u{8}f]]>&<g";
        for step in &mut results[0].steps {
            step.problem = Some(hostile.to_owned());
            step.answer = Some(hostile.to_owned());
        }
        results[0].error = Some(hostile.to_owned());
        let text = junit(&results).unwrap();
        let wrong = |letter: char| (letter < ' ' && letter != '\n') || matches!(letter, '\u{fffe}' | '\u{ffff}');
        assert!(!text.contains(wrong), "{text:?}");
        for reference in ["&#0;", "&#x0;", "&#27;", "&#x1b;", "&#x1B;", "&#8;", "&#x8;", "&#xFFFE;", "&#65534;"] {
            assert!(!text.contains(reference), "{reference}: {text}");
        }
        assert!(text.contains("abcd") && text.contains("f]]&gt;&amp;&lt;g"), "{text}");
    }

    fn results() -> Vec<ScenarioResult> {
        let exchange = |party: &str, side: &str, peer: &str, url: &str| {
            serde_json::from_value(json!({
                "at": "2026-11-23T12:00:00Z", "party": party, "side": side, "peer": peer, "method": "POST", "url": url,
                "status": 400, "duration-us": 1500, "trace-id": "a",
                "tokens": [{"name": "client assertion", "header": {"alg": "PS256"}, "claims": {"iss": "<me>"}}]
            }))
            .unwrap()
        };
        let step = StepResult {
            title: "The TPP <exchanges> the code".to_owned(),
            place: Some("short.yaml:9".to_owned()),
            outcome: String::new(),
            duration_us: 1500,
            problem: Some("expected the status 200, found 400".to_owned()),
            answer: Some(r#"400 {"error":"invalid_grant"}"#.to_owned()),
            advice: Some("Redeem a code once.".to_owned()),
            spoke: vec![Spoke {
                party: "bank".to_owned(),
                request: "POST /token".to_owned(),
                rule: "fapi.token.code-unused".to_owned(),
                reason: "Once.".to_owned(),
                clause: "RFC 6749".to_owned(),
                expected: "a new code".to_owned(),
                found: "a used one".to_owned(),
            }],
            exchanges: vec![exchange("tpp", "client", "Ashdown Bank", "https://localhost:1/token")],
            served: vec![exchange("bank", "server", "tpp", "/token")],
            body: Some("{\"error\": \"invalid_grant\"}".to_owned()),
            curl: Some("curl 'https://localhost:1/token'".to_owned()),
        };
        vec![ScenarioResult {
            name: "short".to_owned(),
            about: "A <b>bold</b> story.".to_owned(),
            gains: Some("Much.".to_owned()),
            lesson: false,
            off: vec![crate::result::SwitchedOff {
                rule: "fapi.token.code-unused".to_owned(),
                reason: "A code is used once.".to_owned(),
                clause: "RFC 6749, 4.1.2".to_owned(),
            }],
            stolen: None,
            trace_id: "a".to_owned(),
            duration_us: 2000,
            steps: vec![step],
            left_out: 2,
            folder: Some("scenarios/attacks".to_owned()),
            error: None,
        }]
    }

    #[test]
    fn every_form_tells_what_failed_and_which_rule_spoke() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &results(), false).unwrap();
        for name in ["results.json", "report.html"] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            for part in ["A code is used once.", "RFC 6749, 4.1.2"] {
                assert!(text.contains(part), "what was off, by its demand and clause: {part}: {name}: {text}");
            }
        }
        for name in ["junit.xml", "results.json", "report.html"] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.contains("fapi.token.code-unused"), "{name}: {text}");
            for part in ["expected the status 200", "short.yaml", "invalid_grant", "Redeem a code once."] {
                assert!(text.contains(part), "{name}: {part}: {text}");
            }
        }
    }

    #[test]
    fn the_page_needs_nothing_else_and_escapes_what_it_shows() {
        let page = html::page(&results(), false).unwrap();
        assert!(page.contains("0 of 1 scenarios passed") && page.contains("2 more steps were left out"));
        assert!(page.contains("The TPP &lt;exchanges&gt; the code") && !page.contains("<b>bold</b>"));
        assert!(page.contains("&quot;&lt;me&gt;&quot;"), "tokens are there, escaped");
        assert!(page.contains("&quot;invalid_grant&quot;"), "so is the answer");
        for foreign in ["src=", "<link", "<script", "url(", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        // The arrow leads to the party in whose journal the request stands.
        assert!(page.contains(">bank</text>") && !page.contains(">Ashdown Bank</text>"), "{page}");
    }

    #[test]
    fn what_did_not_pass_comes_first_and_is_open() {
        let named = |name: &str, folder: &str, error: Option<&str>, passes: bool| {
            let mut result = results().remove(0);
            (result.name, result.folder) = (name.to_owned(), Some(folder.to_owned()));
            result.error = error.map(str::to_owned);
            if passes {
                result.left_out = 0;
                result.steps[0].problem = None;
            }
            result
        };
        let all = [
            named("good", "a", None, true),
            named("fine", "b", None, true),
            named("failing", "b", None, false),
            named("stopped", "b", Some("the control port is gone"), true),
        ];
        let page = html::page(&all, false).unwrap();
        let (head, body) = page.split_once("<h2>Scenarios</h2>").unwrap();
        assert!(
            head.contains("<a href=\"#scenario-2\"><strong>failing</strong></a> failed at step <a href=\"#scenario-2-problem\">1. The TPP"),
            "{head}"
        );
        assert!(head.contains("<strong>stopped</strong></a> could not run: the control port is gone"), "{head}");
        assert!(body.contains("<div id=\"scenario-2-problem\">"), "where that link leads");
        assert!(!head.contains("good<") && !head.contains("fine<"), "{head}");
        let places: Vec<usize> = ["failing", "stopped", "fine"]
            .map(|name| body.find(&format!("<summary><strong>{name}</strong>")).unwrap())
            .to_vec();
        assert!(places.is_sorted(), "{places:?}");
        assert!(body.contains("<details class=\"group\">\n<summary><span class=\"wide\">a<"), "passed: closed");
        assert!(body.contains("<details class=\"group\" open>\n<summary><span class=\"wide\">b<"), "failed: open");
        assert_eq!(body.matches("<details class=\"scenario failed\" open>").count(), 2);
        assert_eq!(body.matches("<details class=\"scenario\">").count(), 2);
        let junit = junit(&all).unwrap();
        assert!(junit.contains("errors=\"1\"") && junit.contains("the control port is gone"), "{junit}");
    }
}
