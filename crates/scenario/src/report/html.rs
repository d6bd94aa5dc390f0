//! The report as one page that needs nothing else.

use handlebars::Handlebars;
use serde::Serialize;
use serde_json::Value;
use simulation::Exchange;

use super::{
    ReportError,
    diagram::{Diagram, asked, came, path, refused},
};
use crate::result::{ScenarioResult, Spoke, StepResult};

const PAGE: &str = include_str!("../../../../web/scenario/report.hbs");

#[derive(Serialize)]
struct Page<'a> {
    passed: usize,
    total: usize,
    duration: String,
    secrets: bool,
    scenarios: Vec<ScenarioView<'a>>,
}

#[derive(Serialize)]
struct ScenarioView<'a> {
    title: String,
    about: &'a str,
    gains: Option<&'a str>,
    stolen: Option<&'a str>,
    passed: bool,
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
    answer: Option<&'a str>,
    advice: Option<&'a str>,
    duration: String,
    spoke: &'a [Spoke],
    exchanges: Vec<ExchangeView<'a>>,
    tokens: Vec<TokenView<'a>>,
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
    let page = Page {
        passed: results.iter().filter(|result| result.passed()).count(),
        total: results.len(),
        duration: milliseconds(results.iter().map(|result| result.duration_us).sum()),
        secrets,
        scenarios: results.iter().map(scenario).collect(),
    };
    templates.render_template(PAGE, &page).map_err(|error| ReportError::Format(error.to_string()))
}

fn scenario(result: &ScenarioResult) -> ScenarioView<'_> {
    ScenarioView {
        title: result.title(),
        about: &result.about,
        gains: result.gains.as_deref(),
        stolen: result.stolen.as_deref().filter(|_| result.passed()),
        passed: result.passed(),
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
        answer: step.answer.as_deref(),
        advice: step.advice.as_deref(),
        duration: milliseconds(step.duration_us),
        spoke: &step.spoke,
        exchanges: asked(step).into_iter().map(exchange).collect(),
        tokens: each_once(step.exchanges.iter().chain(&step.served).flat_map(tokens)),
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
