//! What came of a run, and how it is told.

use std::{path::Path, process::ExitCode, time::Duration};

use party::{CANNOT_START, StartError};
use scenario::{RunError, Scenario, ScenarioError, ScenarioResult, report};

use super::Manner;
use crate::{
    command::FAILED,
    output::{plain, say},
    terminal,
};

/// A result and the place of its scenario in the run.
pub(super) type Numbers = (usize, ScenarioResult);

/// What is left of a scenario that did not begin any more.
pub(super) fn not_run(scenario: &Scenario) -> ScenarioResult {
    ScenarioResult::of_none(scenario, false, "not run: the run was stopped before".to_owned())
}

/// Why a scenario cannot run, and what to do about it where the command line can help.
pub(super) fn why(error: &RunError) -> String {
    match error {
        RunError::UnknownParty { kind: "TPP", name, .. } => {
            format!("{error} (for parties that run already: --other-tpp-control {name}=URL)")
        }
        RunError::UnknownParty { name, .. } => {
            format!("{error} (for parties that run already: --other-bank-control {name}=URL)")
        }
        error => error.to_string(),
    }
}

/// Tells the results, in the order of the scenarios. `failed` is why an ecosystem could not start.
pub(super) fn told(
    mut numbered: Vec<Numbers>,
    manner: &Manner,
    report: Option<&Path>,
    started_in: Option<Duration>,
    failed: Option<StartError>,
) -> Result<ExitCode, StartError> {
    if numbered.is_empty()
        && let Some(error) = failed
    {
        return Err(error);
    }
    numbered.sort_by_key(|(index, result)| (*index, result.lesson));
    let code = write(numbered, manner, report, started_in)?;
    let Some(error) = failed else { return Ok(code) };
    last_words(&error);
    Ok(ExitCode::from(CANNOT_START))
}

fn write(
    numbered: Vec<Numbers>,
    manner: &Manner,
    report: Option<&Path>,
    started_in: Option<Duration>,
) -> Result<ExitCode, StartError> {
    let in_folder = |(index, result): Numbers| {
        let folder = manner.folders.get(index).cloned().flatten();
        ScenarioResult { folder, ..result }
    };
    let results: Vec<ScenarioResult> = numbered.into_iter().map(in_folder).collect();
    if manner.json {
        say!("{}", serde_json::to_string_pretty(&results).map_err(|error| StartError::Other(error.to_string()))?);
    } else {
        terminal::summary(&results, started_in);
    }
    if let Some(folder) = report {
        report::write(folder, &results, manner.options.show_secrets)
            .map_err(|error| StartError::Other(error.to_string()))?;
    }
    let stopped: Vec<&ScenarioResult> = results.iter().filter(|result| result.error.is_some()).collect();
    // Those that never began have one reason, which is told once.
    let mut told = Vec::new();
    for result in &stopped {
        let error = result.error.as_deref().unwrap_or_default();
        if result.trace_id.is_empty() && told.contains(&error) {
            continue;
        }
        told.push(error);
        last_words(&format!("{}: {}", result.title(), result.error.as_deref().unwrap_or_default()));
    }
    let passed = results.iter().all(ScenarioResult::passed);
    Ok(match (stopped.is_empty(), passed) {
        (false, _) => ExitCode::from(CANNOT_START),
        (true, false) => ExitCode::from(FAILED),
        (true, true) => ExitCode::SUCCESS,
    })
}

/// A file that is wrong, beside the one for which nothing runs.
pub(super) fn last_words_of(mistake: &ScenarioError) {
    last_words(&StartError::Configuration(mistake.to_string()));
}

#[expect(clippy::print_stderr, reason = "what could not run is told apart from what was asked for")]
fn last_words(error: &dyn std::fmt::Display) {
    eprintln!("ob-sandbox: {}", plain(&error.to_string()));
}
