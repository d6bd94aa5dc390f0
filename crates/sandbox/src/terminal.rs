//! What people see: every step as it happens, who called whom, what came back, how long it took.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenario::{
    Progress, Scenario, ScenarioResult, StepResult,
    result::{Spoke, no_answer},
};
use simulation::Exchange;
use url::Url;

use crate::output::{plain, say};

/// Where lines go.
#[derive(Debug)]
pub enum Lines {
    /// Printed at once.
    Printed,
    /// Printed together when a scenario has ended, so that scenarios beside each other do not mix.
    Gathered(Vec<String>),
    /// A terminal with many scenarios: a bar shows where they are, and lines are printed for what failed.
    Bar(ProgressBar, Vec<String>),
    /// Nowhere.
    Silent,
}

/// Tells the course of scenarios.
#[derive(Debug)]
pub struct Terminal {
    /// Whether rules that refused something are shown with what they expected and found.
    explain: bool,
    lines: Lines,
    name: String,
}

/// Milliseconds with one decimal.
#[must_use]
pub fn milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

/// A bar for so many scenarios.
#[must_use]
pub fn bar(scenarios: usize) -> ProgressBar {
    let count = u64::try_from(scenarios).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stdout());
    match ProgressStyle::with_template("{bar:30} {pos}/{len}  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Terminal {
    /// A terminal, or whatever lines go to.
    #[must_use]
    pub fn new(explain: bool, lines: Lines) -> Self {
        Self { explain, lines, name: String::new() }
    }

    fn say(&mut self, line: String) {
        // An empty line above is ours; whatever else is no word comes from elsewhere.
        let words = line.trim_start_matches('\n');
        let otherwise = match plain(words) {
            Cow::Borrowed(_) => None,
            Cow::Owned(plain) => Some(format!("{}{plain}", "\n".repeat(line.len() - words.len()))),
        };
        let line = otherwise.unwrap_or(line);
        match &mut self.lines {
            Lines::Printed => say!("{line}"),
            Lines::Gathered(lines) | Lines::Bar(_, lines) => lines.push(line),
            Lines::Silent => {}
        }
    }

    fn explain(&mut self, spoke: &Spoke) {
        self.say(format!("        rule      {} ({})", spoke.rule, spoke.party));
        self.say(format!("        demands   {}", spoke.reason));
        self.say(format!("        clause    {}", spoke.clause));
        self.say(format!("        expected  {}", spoke.expected));
        self.say(format!("        found     {}", spoke.found));
    }
}

impl Progress for Terminal {
    fn begins(&mut self, scenario: &Scenario, lesson: bool) {
        self.name.clone_from(&scenario.name);
        let off = scenario.lesson.as_ref().filter(|_| lesson).map(|lesson| lesson.off.join(", "));
        match off {
            Some(off) => self.say(format!("{}, with {off} switched off: {}", scenario.name, scenario.about)),
            None => self.say(format!("{}: {}", scenario.name, scenario.about)),
        }
        if let Some(gains) = &scenario.gains {
            self.say(format!("  The attacker would gain: {gains}"));
        }
    }

    fn step_begins(&mut self, number: usize, of: usize, title: &str) {
        if let Lines::Bar(bar, _) = &self.lines {
            bar.set_message(format!("{}: {title}", self.name));
        }
        self.say(format!("\n  {number:>2}/{of} {title}"));
    }

    fn step_ended(&mut self, step: &StepResult) {
        for exchange in &step.exchanges {
            self.say(format!("        {}", line(exchange)));
        }
        let mark = if step.problem.is_some() { "FAILED" } else { "ok" };
        let text = step.problem.as_ref().unwrap_or(&step.outcome);
        self.say(format!("        {mark}, {}: {text}", milliseconds(step.duration_us)));
        // What failed explains itself, whether that was asked for or not.
        if self.explain || step.problem.is_some() {
            for spoke in &step.spoke {
                self.explain(spoke);
            }
        }
        if step.problem.is_some() {
            let rows = [("answer", &step.answer), ("in", &step.place), ("to do", &step.advice)];
            for (name, text) in rows {
                if let Some(text) = text {
                    self.say(format!("        {name:<9} {text}"));
                }
            }
        }
    }

    fn ended(&mut self, result: &ScenarioResult) {
        let verdict = match &result.error {
            Some(error) => format!("COULD NOT RUN: {error}"),
            None if result.passed() => "passed".to_owned(),
            None => "FAILED".to_owned(),
        };
        let steps = result.steps.len();
        if let Some(stolen) = result.stolen.as_ref().filter(|_| result.passed()) {
            self.say(format!("\n  With the rule off, this was stolen: {stolen}"));
        }
        self.say(format!("\n{}: {verdict}, {steps} steps in {}", result.title(), milliseconds(result.duration_us)));
        match &mut self.lines {
            Lines::Gathered(lines) => {
                say!("{}\n", lines.join("\n"));
                lines.clear();
            }
            Lines::Bar(bar, lines) => {
                if !result.passed() {
                    bar.println(lines.join("\n"));
                }
                lines.clear();
                bar.inc(1);
            }
            Lines::Printed | Lines::Silent => {}
        }
    }
}

/// One exchange in one line.
fn line(exchange: &Exchange) -> String {
    let path = match Url::parse(&exchange.url) {
        Ok(url) => url.path().to_owned(),
        Err(_) => exchange.url.clone(),
    };
    let path =
        if path.chars().count() > 64 { format!("{}...", path.chars().take(61).collect::<String>()) } else { path };
    let (came, why) = match (exchange.status, &exchange.error) {
        (Some(status), _) => (status.to_string(), String::new()),
        (None, Some(error)) => ("---".to_owned(), format!("  no answer: {}", no_answer(error))),
        (None, None) => ("---".to_owned(), "  no answer".to_owned()),
    };
    let between = format!("{:>3} -> {}", exchange.party.to_uppercase(), exchange.peer);
    format!("{between:<23} {:<6} {path:<64} {came} {:>9}{why}", exchange.method, milliseconds(exchange.duration_us))
}

/// The last lines of a run.
pub fn summary(results: &[ScenarioResult], started_in: Option<std::time::Duration>) {
    let passed = results.iter().filter(|result| result.passed()).count();
    let total: u64 = results.iter().map(|result| result.duration_us).sum();
    let start =
        started_in.map(|took| format!("; the ecosystem started in {} ms", took.as_millis())).unwrap_or_default();
    let titles = |which: fn(&ScenarioResult) -> bool| -> String {
        let some: Vec<String> = results.iter().filter(|result| which(result)).map(ScenarioResult::title).collect();
        some.join(", ")
    };
    let failed = titles(|result| result.error.is_none() && !result.passed());
    // One that never began has no trace.
    let begun = |result: &&ScenarioResult| !result.trace_id.is_empty();
    let stopped = titles(|result| result.error.is_some() && !result.trace_id.is_empty());
    let not_begun = results.iter().filter(|result| !begun(result)).count();
    if results.len() > 1 && !failed.is_empty() {
        say!("\nFailed: {failed}");
    }
    if results.len() > 1 && !stopped.is_empty() {
        say!("\nCould not run: {stopped}");
    }
    if not_begun > 0 {
        say!("\nNot run: {not_begun}");
    }
    if not_begun == results.len() {
        return;
    }
    say!("\n{passed} of {} scenarios passed in {}{start}", results.len(), milliseconds(total));
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
        let lost = Exchange { status: None, error: Some("the connection was closed".to_owned()), ..exchange };
        assert!(super::line(&lost).ends_with("---    4.2 ms  no answer: the connection was closed"));
        let longer = Exchange { party: "mallory".to_owned(), ..lost };
        assert_eq!(super::line(&longer).find("POST"), line.find("POST"), "names of any length are in line");
    }

    #[test]
    fn a_banks_words_are_no_lines_of_ours() {
        let mut terminal = Terminal::new(false, Lines::Gathered(Vec::new()));
        terminal.say("\n  1/1 x".to_owned());
        terminal.say("        FAILED: found \u{1b}[32m\n\nattack: passed".to_owned());
        let Lines::Gathered(lines) = terminal.lines else { panic!("gathered") };
        assert_eq!(lines, ["\n  1/1 x", "        FAILED: found \\u{1b}[32m\\n\\nattack: passed"]);
    }
}
