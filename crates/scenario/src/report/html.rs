//! The report as one page that needs nothing else.

use std::collections::BTreeMap;

use handlebars::Handlebars;
use serde::Serialize;
use serde_json::Value;
use simulation::Exchange;

use super::{
    ReportError,
    diagram::{Diagram, asked, came, path, refused},
};
use crate::result::{ScenarioResult, Spoke, StepResult, SwitchedOff};

const PAGE: &str = include_str!("../../../../web/scenario/report.hbs");

#[derive(Serialize)]
struct Page<'a> {
    passed: usize,
    total: usize,
    duration: String,
    secrets: bool,
    troubled: Vec<Trouble<'a>>,
    groups: Vec<Group<'a>>,
}

/// A scenario that did not pass, for the head of the page.
#[derive(Serialize)]
struct Trouble<'a> {
    anchor: String,
    title: String,
    /// The step that was not as expected, if there is one.
    step: Option<String>,
    why: &'a str,
    stopped: bool,
}

/// The scenarios of a folder: those that did not pass first.
#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    passed: usize,
    total: usize,
    open: bool,
    scenarios: Vec<ScenarioView<'a>>,
}

#[derive(Serialize)]
struct ScenarioView<'a> {
    anchor: String,
    title: String,
    about: &'a str,
    gains: Option<&'a str>,
    off: &'a [SwitchedOff],
    stolen: Option<&'a str>,
    error: Option<&'a str>,
    passed: bool,
    open: bool,
    trace_id: &'a str,
    duration: String,
    steps_done: usize,
    left_out: usize,
    diagram: Diagram,
    steps: Vec<StepView<'a>>,
}

#[derive(Serialize)]
struct StepView<'a> {
    number: usize,
    title: &'a str,
    outcome: &'a str,
    problem: Option<&'a str>,
    place: Option<&'a str>,
    advice: Option<&'a str>,
    duration: String,
    spoke: &'a [Spoke],
    exchanges: Vec<ExchangeView<'a>>,
    tokens: Vec<TokenView<'a>>,
    body: Option<&'a str>,
    curl: Option<&'a str>,
}

#[derive(Serialize)]
struct ExchangeView<'a> {
    party: &'a str,
    peer: &'a str,
    method: &'a str,
    url: String,
    came: String,
    refused: bool,
    fault: Option<String>,
    duration: String,
}

#[derive(Serialize)]
struct TokenView<'a> {
    party: &'a str,
    name: &'a str,
    text: String,
}

fn milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

/// The page.
///
/// # Errors
/// The template cannot be filled.
pub(super) fn page(results: &[ScenarioResult], secrets: bool) -> Result<String, ReportError> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    let numbered: Vec<(usize, &ScenarioResult)> = results.iter().enumerate().collect();
    let page = Page {
        passed: results.iter().filter(|result| result.passed()).count(),
        total: results.len(),
        duration: milliseconds(results.iter().map(|result| result.duration_us).sum()),
        secrets,
        troubled: numbered.iter().filter(|(_, result)| !result.passed()).map(trouble).collect(),
        groups: groups(&numbered),
    };
    templates.render_template(PAGE, &page).map_err(|error| ReportError::Format(error.to_string()))
}

fn anchor(index: usize) -> String {
    format!("scenario-{index}")
}

fn trouble<'a>((index, result): &(usize, &'a ScenarioResult)) -> Trouble<'a> {
    let failed = result.steps.iter().enumerate().find_map(|(at, step)| Some((at, step, step.problem.as_deref()?)));
    let why = result.error.as_deref().or(failed.map(|(.., problem)| problem)).unwrap_or_default();
    Trouble {
        anchor: anchor(*index),
        title: result.title(),
        step: failed.map(|(at, step, _)| format!("{}. {}", at + 1, step.title)),
        why,
        stopped: result.error.is_some(),
    }
}

/// The scenarios by folder; folders in alphabetical order.
fn groups<'a>(results: &[(usize, &'a ScenarioResult)]) -> Vec<Group<'a>> {
    let mut folders: BTreeMap<&str, Vec<(usize, &'a ScenarioResult)>> = BTreeMap::new();
    for (index, result) in results {
        folders.entry(result.folder.as_deref().unwrap_or_default()).or_default().push((*index, result));
    }
    let (one, alone) = (folders.len() == 1, results.len() == 1);
    let group = |(name, mut members): (&'a str, Vec<(usize, &'a ScenarioResult)>)| {
        members.sort_by_key(|(index, result)| (result.passed(), *index));
        let passed = members.iter().filter(|(_, result)| result.passed()).count();
        let open = one || passed < members.len();
        let scenarios = members.iter().map(|(index, result)| scenario(*index, result, alone)).collect();
        Group { name, passed, total: members.len(), open, scenarios }
    };
    folders.into_iter().map(group).collect()
}

fn scenario(index: usize, result: &ScenarioResult, alone: bool) -> ScenarioView<'_> {
    ScenarioView {
        anchor: anchor(index),
        title: result.title(),
        about: &result.about,
        gains: result.gains.as_deref(),
        off: &result.off,
        stolen: result.stolen.as_deref().filter(|_| result.passed()),
        error: result.error.as_deref(),
        passed: result.passed(),
        open: alone || !result.passed(),
        trace_id: &result.trace_id,
        duration: milliseconds(result.duration_us),
        steps_done: result.steps.len(),
        left_out: result.left_out,
        diagram: Diagram::of(result),
        steps: result.steps.iter().enumerate().map(|(index, each)| step(index + 1, each)).collect(),
    }
}

fn step(number: usize, step: &StepResult) -> StepView<'_> {
    StepView {
        number,
        title: &step.title,
        outcome: &step.outcome,
        problem: step.problem.as_deref(),
        place: step.place.as_deref(),
        advice: step.advice.as_deref(),
        duration: milliseconds(step.duration_us),
        spoke: &step.spoke,
        exchanges: asked(step).into_iter().map(exchange).collect(),
        tokens: each_once(step.exchanges.iter().chain(&step.served).flat_map(tokens)),
        body: step.body.as_deref(),
        curl: step.curl.as_deref(),
    }
}

fn exchange(exchange: &Exchange) -> ExchangeView<'_> {
    ExchangeView {
        party: &exchange.party,
        peer: &exchange.peer,
        method: &exchange.method,
        url: path(&exchange.url),
        came: came(exchange),
        refused: refused(exchange),
        fault: exchange.fault.as_ref().map(|fault| fault.what.clone()),
        duration: milliseconds(exchange.duration_us),
    }
}

/// Both ends of an exchange write a token down; it is shown once.
fn each_once<'a>(tokens: impl Iterator<Item = TokenView<'a>>) -> Vec<TokenView<'a>> {
    let mut once: Vec<TokenView<'a>> = Vec::new();
    for token in tokens {
        if !once.iter().any(|known| known.text == token.text) {
            once.push(token);
        }
    }
    once
}

fn tokens(exchange: &Exchange) -> impl Iterator<Item = TokenView<'_>> {
    exchange.tokens.iter().map(|token| {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let text = format!("{}\n{}", pretty(&token.header), pretty(&token.claims));
        TokenView { party: &exchange.party, name: &token.name, text }
    })
}
