//! Runs scenarios: tells TPPs, lets customers act, reads the journals, compares.

mod expected;
mod journals;
mod pages;
mod parties;
mod requests;
mod steps;

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use psu::Psu;
use rules::Rule;
use simulation::{Chance, Clock, Exchange, Journal, Trace};
use tpp::steps::{ClientToken, Failure, Onboard, Onboarded, Outcome, Part, Register, Registered, Sent};
use transport::{ClientSettings, HttpClient, Stop, TlsError};
use url::Url;

use crate::{
    advice, body, curl,
    ecosystem::{ControlClient, ControlFailure, Ecosystem},
    expectation::{Happened, compare},
    language::{BANK, DIRECTORY, Scenario, Step, TPP},
    result::{ScenarioResult, Spoke, StepResult, SwitchedOff},
    secrets::Secrets,
    variables::Variables,
};
use journals::Seen;

/// Exchanges that a customer's browser remembers.
const BROWSER_JOURNAL: usize = 1000;
/// How long a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Gets told what happens, as it happens.
pub trait Progress: Send {
    /// A scenario begins.
    fn begins(&mut self, scenario: &Scenario, lesson: bool);
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
    /// The scenario names a party that is not part of this run.
    #[error("the scenario's {kind} {name:?} is not part of this run; there are {known}")]
    UnknownParty {
        /// What it is.
        kind: &'static str,
        /// The name.
        name: String,
        /// Those that are.
        known: String,
    },
    /// A step of the file cannot be done.
    #[error("{place}: {error}")]
    At {
        /// File and line.
        place: String,
        /// Why.
        error: Box<RunError>,
    },
    /// It was asked to stop.
    #[error("it was stopped")]
    Stopped,
    /// A step that had to be done was not done.
    #[error("{0}")]
    Step(String),
    /// The scenario uses something that no step kept.
    #[error("{0}")]
    Variable(String),
    /// A file that a step sends cannot be read.
    #[error("{path} cannot be read: {error}")]
    File {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// How scenarios are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Makes the runner's own identifiers repeat.
    pub seed: Option<u64>,
    /// Whether tokens are written into results.
    pub show_secrets: bool,
    /// The rules of the parties, so that results say what those demand that were off.
    pub rules: Vec<&'static Rule>,
    /// Ends the scenario that runs; what it bent is straightened first.
    pub stop: Stop,
}

/// Runs scenarios against an ecosystem.
pub struct Runner {
    credentials: BTreeMap<String, psu::Credentials>,
    trust_anchors: Vec<pki::Certificate>,
    tpps: BTreeMap<String, ControlClient>,
    others: Vec<ControlClient>,
    chance: Chance,
    options: Options,
}

/// What the runner knows of a TPP in this scenario.
#[derive(Debug, Default)]
struct TppState {
    onboarded: Option<Onboarded>,
    consent_id: Option<String>,
    /// `state` of the last authorisation.
    state: Option<String>,
    /// Where the bank's answers go.
    callback: Option<Callback>,
    /// An answer that was caught before it reached the TPP: its parameters, and where they were.
    caught: Option<(Part, Vec<(String, String)>)>,
    /// Base URLs of banks' pages, by the names that steps use.
    issuers: HashMap<String, Url>,
}

/// A redirect URI.
#[derive(Debug, Clone)]
struct Callback {
    uri: Url,
    /// Whether the TPP serves it. Otherwise the customer's browser stops before it, and the answer is handed over.
    served: bool,
}

/// A scenario under way.
struct Run<'a> {
    runner: &'a Runner,
    scenario: &'a Scenario,
    /// Whether the rules of the lesson are off.
    lesson: bool,
    trace: Trace,
    customers: HashMap<String, Psu>,
    browser: Journal,
    /// The customers' clock: it goes with the TPP's.
    clock: Clock,
    variables: Variables,
    /// What no result says, unless the run is to show it.
    secrets: Secrets,
    states: HashMap<String, TppState>,
    seen: Seen,
}

/// What a step did.
struct Done {
    happened: Happened,
    outcome: String,
    spoke: Vec<Spoke>,
    /// The request to the bank's API.
    sent: Option<Box<Sent>>,
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn known<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl Runner {
    /// A runner for these parties.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(ecosystem: Ecosystem) -> Result<Self, TlsError> {
        let Ecosystem { tpp, tpps, others, trust_anchors, credentials } = ecosystem;
        let control = |address| ControlClient::new(address, &trust_anchors);
        let tpps = std::iter::once((TPP.to_owned(), tpp))
            .chain(tpps)
            .map(|(name, address)| Ok((name, control(address)?)))
            .collect::<Result<_, TlsError>>()?;
        let others = others.into_iter().map(control).collect::<Result<_, _>>()?;
        let (chance, options) = (Chance::from_system(), Options::default());
        Ok(Self { tpps, others, trust_anchors, credentials, chance, options })
    }

    /// The same runner with these options.
    #[must_use]
    pub fn with(mut self, options: Options) -> Self {
        self.chance = options.seed.map_or_else(Chance::from_system, Chance::from_seed);
        self.options = options;
        self
    }

    /// Runs a scenario to its end, or to the first step that is not as expected. What stops it after it began is the
    /// result's `error`.
    ///
    /// # Errors
    /// It cannot begin: a control port is not there, or the file names somebody unknown.
    pub async fn run(&self, scenario: &Scenario, progress: &mut dyn Progress) -> Result<ScenarioResult, RunError> {
        self.run_as(scenario, false, progress).await
    }

    /// Runs an attack with the rules of its lesson off, where it must succeed. The rules are on again afterwards.
    ///
    /// # Errors
    /// As [`Runner::run`]; also when a party was not started in lesson mode, or does not know a rule.
    pub async fn run_lesson(
        &self,
        scenario: &Scenario,
        progress: &mut dyn Progress,
    ) -> Result<ScenarioResult, RunError> {
        let Some(lesson) = &scenario.lesson else { return self.run(scenario, progress).await };
        let party = self.party(lesson.at.as_deref().unwrap_or(BANK))?;
        party.switch_off(&lesson.off).await?;
        let result = self.run_as(scenario, true, progress).await;
        match (party.switch_on().await, result) {
            (Ok(()), result) => result,
            // What the lesson came to is told all the same.
            (Err(failed), Ok(result)) => Ok(ScenarioResult {
                error: Some(
                    result.error.unwrap_or_else(|| format!("the rules could not be switched on again: {failed}")),
                ),
                ..result
            }),
            (Err(_), Err(error)) => Err(error),
        }
    }

    async fn run_as(
        &self,
        scenario: &Scenario,
        lesson: bool,
        progress: &mut dyn Progress,
    ) -> Result<ScenarioResult, RunError> {
        for step in scenario.all_steps() {
            self.tpp(step.tpp())?;
        }
        for bank in scenario.banks.keys() {
            self.party(bank)?;
        }
        let mut run = Run::new(self, scenario, lesson).await?;
        progress.begins(scenario, lesson);
        let began = Instant::now();
        let mut results = Vec::new();
        let more = scenario.lesson.as_ref().filter(|_| lesson).map(|lesson| lesson.steps.as_slice());
        let all: Vec<&Step> = scenario.steps.iter().chain(more.unwrap_or_default()).collect();
        let mut ended = Ok(());
        for (index, step) in all.iter().enumerate() {
            progress.step_begins(index + 1, all.len(), &step.title());
            let place = scenario.places.get(index).map(ToString::to_string);
            let taken = tokio::select! {
                taken = run.step(step) => taken,
                () = self.options.stop.wait() => Err(RunError::Stopped),
            };
            let result = match taken {
                Ok(result) => StepResult { place, ..result },
                Err(RunError::Stopped) => {
                    ended = Err(RunError::Stopped);
                    break;
                }
                Err(error) => {
                    ended = Err(match place {
                        Some(place) => RunError::At { place, error: Box::new(error) },
                        None => error,
                    });
                    break;
                }
            };
            progress.step_ended(&result);
            let failed = result.problem.is_some();
            results.push(result);
            if failed {
                break;
            }
        }
        let ended = ended.and(run.clean_up().await);
        let result = ScenarioResult {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            gains: scenario.gains.clone(),
            lesson,
            off: SwitchedOff::all(scenario, lesson, &self.options.rules),
            stolen: scenario.lesson.as_ref().filter(|_| lesson).map(|lesson| lesson.stolen.clone()),
            trace_id: run.trace.trace_id.clone(),
            duration_us: micros(began),
            left_out: all.len() - results.len(),
            steps: results,
            folder: None,
            error: ended.err().map(|error| error.to_string()),
        };
        let result = run.secrets.scenario(result);
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
        let tpp = self.tpp(TPP)?;
        match tpp.step::<_, Onboarded>("onboard", &Onboard {}, &trace).await? {
            Outcome::Done(_) => {}
            Outcome::Failed(failure) => return Err(failed(failure)),
        }
        let mut step = Register { bank: bank.to_owned(), ..Register::default() };
        let mut registered = match tpp.step::<_, Registered>("register", &step, &trace).await? {
            Outcome::Done(registered) => registered,
            Outcome::Failed(failure) => return Err(failed(failure)),
        };
        // A bank that began anew knows nobody from before.
        if registered.again && !self.is_client(bank, &trace).await? {
            step.anew = true;
            registered = match tpp.step("register", &step, &trace).await? {
                Outcome::Done(registered) => registered,
                Outcome::Failed(failure) => return Err(failed(failure)),
            };
        }
        Ok(registered.client_id)
    }

    /// Whether the bank still knows the TPP as a client.
    async fn is_client(&self, bank: &str, trace: &Trace) -> Result<bool, RunError> {
        let step = ClientToken { bank: bank.to_owned(), ..ClientToken::default() };
        match self.tpp(TPP)?.step::<_, serde_json::Value>("client-token", &step, trace).await? {
            Outcome::Done(_) => Ok(true),
            Outcome::Failed(failure) => {
                let error =
                    failure.body.as_ref().and_then(|body| body.get("error")).and_then(serde_json::Value::as_str);
                Ok(error != Some("invalid_client"))
            }
        }
    }

    fn tpp(&self, name: &str) -> Result<&ControlClient, RunError> {
        self.tpps.get(name).ok_or_else(|| RunError::UnknownParty {
            kind: "TPP",
            name: name.to_owned(),
            known: known(self.tpps.keys()),
        })
    }

    /// A party by its name in reports.
    fn party(&self, name: &str) -> Result<&ControlClient, RunError> {
        if let Some(tpp) = self.tpps.get(name) {
            return Ok(tpp);
        }
        self.others.iter().find(|client| client.party() == name).ok_or_else(|| {
            let others = self.others.iter().map(|client| client.party().to_owned());
            let all: Vec<String> = others.chain(self.tpps.keys().cloned()).collect();
            RunError::UnknownParty { kind: "party", name: name.to_owned(), known: known(all.iter()) }
        })
    }

    /// The banks of the run.
    fn banks(&self) -> impl Iterator<Item = &ControlClient> {
        self.others.iter().filter(|client| client.party() != DIRECTORY)
    }

    fn everybody(&self) -> impl Iterator<Item = &ControlClient> {
        self.tpps.values().chain(&self.others)
    }
}

impl<'a> Run<'a> {
    async fn new(runner: &'a Runner, scenario: &'a Scenario, lesson: bool) -> Result<Self, RunError> {
        let reading = runner.tpp(TPP)?.clock().await?;
        let now = reading.now;
        let mut variables = Variables::new(now, runner.chance.clone());
        for (name, value) in &scenario.variables {
            let value = variables.fill(value).map_err(RunError::Variable)?;
            variables.keep(name, value);
        }
        let clock = Clock::real();
        // Read as a distance from true time, not as a time: the answer takes its way, and what the customer does would seem
        // to happen before what the TPP did.
        clock
            .reach(time::Duration::seconds(reading.ahead.max(0)))
            .map_err(|error| RunError::Step(error.to_string()))?;
        let run = Self {
            runner,
            clock,
            scenario,
            lesson,
            trace: Trace::new(&runner.chance),
            customers: HashMap::new(),
            browser: Journal::new("psu", BROWSER_JOURNAL),
            variables,
            secrets: Secrets::new(runner.options.show_secrets),
            states: HashMap::new(),
            seen: Seen::new(runner),
        };
        run.credentials(&scenario.persona)?;
        Ok(run)
    }

    fn credentials(&self, persona: &str) -> Result<&'a psu::Credentials, RunError> {
        self.runner.credentials.get(persona).ok_or_else(|| RunError::UnknownPersona {
            persona: persona.to_owned(),
            known: known(self.runner.credentials.keys()),
        })
    }

    /// A customer and their browser, which keeps its cookies during the scenario.
    fn customer(&mut self, persona: Option<&str>) -> Result<&Psu, RunError> {
        let name = persona.unwrap_or(&self.scenario.persona).to_owned();
        if !self.customers.contains_key(&name) {
            let client = HttpClient::new(ClientSettings {
                party: "psu",
                anchors: self.runner.trust_anchors.clone(),
                identity: None,
                journal: Some(self.browser.clone()),
                clock: self.clock.clone(),
                chance: self.runner.chance.clone(),
                cookies: true,
                timeout: PAGE_TIMEOUT,
            })?;
            let psu = Psu::new(client, self.credentials(&name)?.clone());
            self.customers.insert(name.clone(), psu);
        }
        self.customers.get(&name).ok_or_else(|| RunError::Step(format!("the customer {name} has no browser")))
    }

    fn state(&mut self, step: &Step) -> &mut TppState {
        self.states.entry(step.tpp().to_owned()).or_default()
    }

    async fn step(&mut self, step: &Step) -> Result<StepResult, RunError> {
        let began = Instant::now();
        let mut done = self.take(step).await?;
        let duration_us = micros(began);
        if let Some(body) = &done.happened.body {
            self.secrets.learn(body, matches!(step, Step::Authorise(_)));
        }
        let (exchanges, served) = self.new_exchanges().await?;
        let mut expect = self.filled(self.expected(step))?;
        let unheard = self.unheard(&mut expect);
        let mut spoke = std::mem::take(&mut done.spoke);
        if done.happened.refused.is_some() || expect.refusal() {
            spoke.extend(exchanges.iter().chain(&served).filter_map(Spoke::of_exchange));
            // Both ends of an exchange may have written down the same refusal.
            let mut told = Vec::new();
            spoke.retain(|spoke| {
                let new = !told.contains(&(spoke.party.clone(), spoke.rule.clone()));
                told.push((spoke.party.clone(), spoke.rule.clone()));
                new
            });
        }
        done.happened.undone |=
            done.happened.refused.is_some() && !Self::somebody_refused(&expect, &done.happened, &spoke, &exchanges);
        let mut problem =
            compare(&expect, &done.happened, &spoke).or_else(|| Self::not_heard(&unheard, &done.happened));
        if problem.is_none() && !expect.refusal() {
            problem = self.keep(step, &done.happened);
        }
        let all: Vec<&Exchange> = exchanges.iter().chain(&served).collect();
        let advice = problem.as_ref().map(|_| advice::advice(&expect, &done.happened, &spoke, &all));
        let answer = advice.as_ref().and_then(|_| advice::answer(&done.happened, self.runner.options.show_secrets));
        let outcome = match &done.happened.refused {
            Some(why) if problem.is_none() => format!("refused, as expected: {why}{unheard}"),
            Some(why) => why.clone(),
            None => done.outcome,
        };
        let secrets = self.runner.options.show_secrets;
        Ok(self.secrets.step(StepResult {
            title: step.title(),
            place: None,
            outcome,
            duration_us,
            problem,
            answer,
            advice,
            spoke,
            exchanges,
            served,
            body: body::shown(&done.happened, secrets),
            curl: done.sent.as_deref().map(|sent| curl::command(sent, secrets)),
        }))
    }
}
