//! What people see: every step as it happens, who called whom, what came back, how long it took.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use scenario::{Progress, Scenario, ScenarioResult, StepResult, result::Spoke};
use simulation::Exchange;
use url::Url;

/// Prints the course of scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether rules that refused something are shown with what they expected and found.
    pub explain: bool,
}

/// Milliseconds with one decimal.
#[must_use]
pub fn milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

impl Progress for Terminal {
    fn begins(&mut self, scenario: &Scenario) {
        println!("{}: {}", scenario.name, scenario.about);
    }

    fn step_begins(&mut self, number: usize, of: usize, title: &str) {
        println!("\n  {number:>2}/{of} {title}");
    }

    fn step_ended(&mut self, step: &StepResult) {
        for exchange in &step.exchanges {
            println!("        {}", line(exchange));
        }
        let mark = if step.problem.is_some() { "FAILED" } else { "ok" };
        let text = step.problem.as_ref().unwrap_or(&step.outcome);
        println!("        {mark}, {}: {text}", milliseconds(step.duration_us));
        if self.explain {
            step.spoke.iter().for_each(explain);
        } else if step.problem.is_some() && !step.spoke.is_empty() {
            println!("        (--explain shows which rule spoke, and why)");
        }
    }

    fn ended(&mut self, result: &ScenarioResult) {
        let verdict = if result.passed() { "passed" } else { "FAILED" };
        let steps = result.steps.len();
        println!("\n{}: {verdict}, {steps} steps in {}", result.name, milliseconds(result.duration_us));
    }
}

fn explain(spoke: &Spoke) {
    println!("        rule      {} ({})", spoke.rule, spoke.party);
    println!("                  {}", spoke.reason);
    println!("        clause    {}", spoke.clause);
    println!("        expected  {}", spoke.expected);
    println!("        found     {}", spoke.found);
}

/// One exchange in one line.
fn line(exchange: &Exchange) -> String {
    let path = match Url::parse(&exchange.url) {
        Ok(url) => url.path().to_owned(),
        Err(_) => exchange.url.clone(),
    };
    let path =
        if path.chars().count() > 64 { format!("{}...", path.chars().take(61).collect::<String>()) } else { path };
    let came = match (exchange.status, &exchange.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    format!(
        "{:>3} -> {:<16} {:<6} {path:<64} {came} {:>9}",
        exchange.party.to_uppercase(),
        exchange.peer,
        exchange.method,
        milliseconds(exchange.duration_us)
    )
}

/// The last lines of a run.
pub fn summary(results: &[ScenarioResult], started_in: Option<std::time::Duration>) {
    let passed = results.iter().filter(|result| result.passed()).count();
    let total: u64 = results.iter().map(|result| result.duration_us).sum();
    let start =
        started_in.map(|took| format!("; the ecosystem started in {} ms", took.as_millis())).unwrap_or_default();
    println!("\n{passed} of {} scenarios passed in {}{start}", results.len(), milliseconds(total));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_one_line() {
        let exchange: Exchange = serde_json::from_value(serde_json::json!({
            "at": "2026-11-23T12:00:00Z", "party": "tpp", "side": "client", "peer": "Ashdown Bank", "method": "POST",
            "url": "https://localhost:8451/token?x=1", "status": 200, "duration-us": 4210, "trace-id": "a"
        }))
        .unwrap();
        let line = line(&exchange);
        assert!(line.starts_with("TPP -> Ashdown Bank     POST   /token "), "{line}");
        assert!(line.ends_with("200    4.2 ms"), "{line}");
    }
}
