//! Reports: JUnit XML for CI servers, JSON for everybody else.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{ScenarioResult, result::Spoke};

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

/// Writes `junit.xml` and `results.json` into a folder that is there.
///
/// # Errors
/// A file cannot be written.
pub fn write(folder: &Path, results: &[ScenarioResult]) -> Result<(), ReportError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| ReportError::Unwritable { path, error }
    };
    let json = serde_json::to_vec_pretty(results).map_err(|error| ReportError::Format(error.to_string()))?;
    for (name, content) in [("junit.xml", junit(results)?.into_bytes()), ("results.json", json)] {
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
                    let rules: Vec<String> = step
                        .spoke
                        .iter()
                        .map(|spoke| {
                            let Spoke { party, rule, expected, found, .. } = spoke;
                            format!("{party}: {rule}: expected {expected}, found {found}")
                        })
                        .collect();
                    status.set_description(rules.join("\n"));
                    status
                }
            };
            let mut case = TestCase::new(format!("{:02} {}", index + 1, step.title), status);
            case.set_classname(result.name.as_str()).set_time(Duration::from_micros(step.duration_us));
            suite.add_test_case(case);
        }
        for index in 0..result.left_out {
            let number = result.steps.len() + index + 1;
            let mut status = TestCaseStatus::skipped();
            status.set_message("an earlier step failed");
            suite.add_test_case(TestCase::new(format!("{number:02} left out"), status));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| ReportError::Format(error.to_string()))
}
