//! Runs scenarios: tells the TPP, lets the customer act, reads the journals, compares.

mod steps;

use std::time::{Duration, Instant};

use psu::Psu;
use simulation::{Chance, Clock, Exchange, Filter, Journal, Trace};
use tpp::steps::{Failure, Onboard, Onboarded, Outcome, Register, Registered};
use transport::{ClientSettings, HttpClient, TlsError};

use crate::{
    ecosystem::{Bookmark, ControlClient, ControlFailure, Ecosystem},
    expectation::{Happened, compare},
    language::{Expect, Scenario},
    result::{ScenarioResult, Spoke, StepResult},
    variables::Variables,
};

/// Exchanges that the customer's browser remembers.
const BROWSER_JOURNAL: usize = 1000;
/// How long a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Gets told what happens, as it happens.
pub trait Progress {
    /// A scenario begins.
    fn begins(&mut self, scenario: &Scenario);
    /// A step begins; steps are counted from one.
    fn step_begins(&mut self, number: usize, of: usize, title: &str);
    /// A step ended.
    fn step_ended(&mut self, step: &StepResult);
    /// The scenario ended.
    fn ended(&mut self, result: &ScenarioResult);
}

/// The run cannot go on; that is not a failed expectation.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A control port did not do what it was asked for.
    #[error(transparent)]
    Control(#[from] ControlFailure),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The scenario names a customer whom nobody knows.
    #[error("the scenario's persona {persona:?} is not known; known are {known}")]
    UnknownPersona {
        /// The name.
        persona: String,
        /// The known ones.
        known: String,
    },
    /// A step that had to be done was not done.
    #[error("{0}")]
    Step(String),
    /// The scenario uses something that no step kept.
    #[error("{0}")]
    Variable(String),
}

/// Runs scenarios against an ecosystem.
pub struct Runner {
    ecosystem: Ecosystem,
    tpp: ControlClient,
    others: Vec<ControlClient>,
    chance: Chance,
}

/// A scenario under way.
struct Run<'a> {
    runner: &'a Runner,
    scenario: &'a Scenario,
    trace: Trace,
    psu: Psu,
    browser: Journal,
    variables: Variables,
    consent_id: Option<String>,
    state: Option<String>,
    seen: Seen,
}

/// How far the journals were read.
#[derive(Default)]
struct Seen {
    tpp: Bookmark,
    browser: u64,
    others: Vec<Bookmark>,
}

impl Runner {
    /// A runner for these parties.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(ecosystem: Ecosystem) -> Result<Self, TlsError> {
        let anchor = &ecosystem.trust_anchor;
        let tpp = ControlClient::new(ecosystem.tpp.clone(), anchor)?;
        let others = ecosystem.others.iter().map(|address| ControlClient::new(address.clone(), anchor));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { tpp, others, ecosystem, chance: Chance::from_system() })
    }

    /// Runs a scenario to its end, or to the first step that is not as expected.
    ///
    /// # Errors
    /// The run cannot go on: a control port is not there, or the file names somebody or something unknown.
    pub async fn run(&self, scenario: &Scenario, progress: &mut dyn Progress) -> Result<ScenarioResult, RunError> {
        let credentials = self.ecosystem.credentials.get(&scenario.persona).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.ecosystem.credentials.keys().map(String::as_str).collect();
            RunError::UnknownPersona { persona: scenario.persona.clone(), known: known.join(", ") }
        })?;
        let browser = Journal::new("psu", BROWSER_JOURNAL);
        let client = HttpClient::new(ClientSettings {
            party: "psu",
            anchors: vec![self.ecosystem.trust_anchor.clone()],
            identity: None,
            journal: Some(browser.clone()),
            clock: Clock::real(),
            chance: self.chance.clone(),
            cookies: true,
            timeout: PAGE_TIMEOUT,
        })?;
        let mut run = Run {
            runner: self,
            scenario,
            trace: Trace::new(&self.chance),
            psu: Psu::new(client, credentials),
            browser,
            variables: Variables::default(),
            consent_id: None,
            state: None,
            seen: Seen { others: vec![Bookmark::default(); self.others.len()], ..Seen::default() },
        };
        progress.begins(scenario);
        let began = Instant::now();
        let mut steps = Vec::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            progress.step_begins(index + 1, scenario.steps.len(), &step.title());
            let result = run.step(step).await?;
            progress.step_ended(&result);
            let failed = result.problem.is_some();
            steps.push(result);
            if failed {
                break;
            }
        }
        let result = ScenarioResult {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            trace_id: run.trace.trace_id.clone(),
            duration_us: micros(began),
            left_out: scenario.steps.len() - steps.len(),
            steps,
        };
        progress.ended(&result);
        Ok(result)
    }

    /// Lets the TPP onboard and register at a bank, and answers with its `client_id` there.
    ///
    /// # Errors
    /// The control port is not there, or a step failed.
    pub async fn join(&self, bank: &str) -> Result<String, RunError> {
        let trace = Trace::new(&self.chance);
        let failed = |failure: Failure| RunError::Step(failure.what);
        match self.tpp.step::<_, Onboarded>("onboard", &Onboard {}, &trace).await? {
            Outcome::Done(_) => {}
            Outcome::Failed(failure) => return Err(failed(failure)),
        }
        let step = Register { bank: bank.to_owned() };
        match self.tpp.step::<_, Registered>("register", &step, &trace).await? {
            Outcome::Done(registered) => Ok(registered.client_id),
            Outcome::Failed(failure) => Err(failed(failure)),
        }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Run<'_> {
    async fn step(&mut self, step: &crate::language::Step) -> Result<StepResult, RunError> {
        let began = Instant::now();
        let done = self.take(step).await?;
        let duration_us = micros(began);
        let exchanges = self.new_exchanges().await?;
        let nothing = Expect::default();
        let expect = step.expect().unwrap_or(&nothing);
        let mut spoke = done.spoke;
        if done.happened.refused.is_some() || expect.refusal() {
            spoke.extend(exchanges.iter().filter_map(Spoke::of_exchange));
            spoke.extend(self.others_spoke().await?);
        }
        let problem = compare(expect, &done.happened, &spoke);
        let outcome = match &done.happened.refused {
            Some(why) if problem.is_none() => format!("refused, as expected: {why}"),
            Some(why) => why.clone(),
            None => done.outcome,
        };
        Ok(StepResult { title: step.title(), outcome, duration_us, problem, spoke, exchanges })
    }

    /// What the TPP and the customer's browser began since the last step, in the order of time.
    async fn new_exchanges(&mut self) -> Result<Vec<Exchange>, RunError> {
        let mut exchanges = self.runner.tpp.journal(&self.trace, &mut self.seen.tpp).await?;
        let filter = Filter { after: Some(self.seen.browser), ..Filter::default() };
        let pages = self.browser.recent(&filter);
        self.seen.browser = pages.iter().map(|exchange| exchange.sequence).max().unwrap_or(self.seen.browser);
        exchanges.retain(|exchange| exchange.side == simulation::Side::Client);
        exchanges.extend(pages);
        exchanges.sort_by_key(|exchange| exchange.at);
        Ok(exchanges)
    }

    /// The rules of the other parties that refused something in this journey since they were last asked.
    async fn others_spoke(&mut self) -> Result<Vec<Spoke>, RunError> {
        let mut all = Vec::new();
        for (client, seen) in self.runner.others.iter().zip(&mut self.seen.others) {
            let exchanges = client.journal(&self.trace, seen).await?;
            all.extend(exchanges.iter().filter_map(Spoke::of_exchange));
        }
        Ok(all)
    }
}

/// What a step did.
struct Done {
    happened: Happened,
    outcome: String,
    spoke: Vec<Spoke>,
}
