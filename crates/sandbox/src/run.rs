//! `ob-sandbox run`: scenario files, in ecosystems of their own or against parties that run already.

mod files;
mod outcome;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use party::StartError;
use scenario::{
    ControlAddress, Ecosystem, Options, Progress, Runner, Scenario, ScenarioResult,
    language::{Known, Step, TPP},
    report,
};
use tokio::{sync::mpsc, task::JoinSet};
use transport::Stop;
use url::Url;

use crate::{
    command::Fixtures,
    hosting::{self, Place, certificates, credentials_in},
    output::say,
    terminal::{self, Lines, Terminal},
};
use files::{Found, check_names, scenario_files};
use outcome::{Numbers, not_run, told, why};

/// Run scenario files, in ecosystems of their own or against parties that run already.
#[derive(Debug, Args)]
pub struct Run {
    /// Scenario files, or folders with them
    #[arg(required = true, value_name = "SCENARIO")]
    files: Vec<PathBuf>,
    /// Only tell which scenarios there are
    #[arg(long)]
    list: bool,
    /// Only scenarios whose name, sentence or file contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run so many scenarios beside each other, each in an ecosystem of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=32),
        conflicts_with = "tpp_control")]
    parallel: u8,
    /// Run each attack once more with its rules switched off, where it must succeed
    #[arg(long)]
    lesson: bool,
    /// Makes identifiers of the run repeat
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Show for every refusal which rule spoke, what it expected and what it found
    #[arg(long)]
    explain: bool,
    /// Write junit.xml, results.json and report.html into this folder
    #[arg(long, env = "OB_SANDBOX_REPORTS", value_name = "DIR")]
    report: Option<PathBuf>,
    /// Write access tokens into reports, so that their curl commands work as they are
    #[arg(long)]
    show_secrets: bool,
    /// Print results as JSON instead of lines for people
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fixtures: Fixtures,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

/// Parties that run already. Without them an ecosystem is started for the run.
#[derive(Debug, Default, Args)]
struct Elsewhere {
    /// Control port of the TPP that takes the steps, such as http://127.0.0.1:8469
    #[arg(long, env = "OB_SANDBOX_TPP_CONTROL", value_name = "URL", requires = "trust_anchor")]
    tpp_control: Option<Url>,
    /// Control port of a further TPP that scenarios name; may be given more than once
    #[arg(long, value_name = "NAME=URL", requires = "tpp_control", value_parser = named)]
    other_tpp_control: Vec<(String, Url)>,
    /// Control port of the bank, for its journal, clock, faults and lessons; not needed for a bank that has none
    #[arg(long, env = "OB_SANDBOX_BANK_CONTROL", value_name = "URL", requires = "tpp_control")]
    bank_control: Option<Url>,
    /// Control port of a further bank that scenarios name; may be given more than once
    #[arg(long, value_name = "NAME=URL", requires = "tpp_control", value_parser = named)]
    other_bank_control: Vec<(String, Url)>,
    /// Control port of the Directory, for its journal and clock
    #[arg(long, env = "OB_SANDBOX_DIRECTORY_CONTROL", value_name = "URL", requires = "tpp_control")]
    directory_control: Option<Url>,
    /// Token of the control ports
    #[arg(long, env = "OB_SANDBOX_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    control_token: Option<String>,
    /// PEM file with the certificate that the ecosystem trusts
    #[arg(long, env = "OB_SANDBOX_TRUST_ANCHOR", value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
}

fn named(text: &str) -> Result<(String, Url), String> {
    let (name, url) = text.split_once('=').ok_or_else(|| "expected NAME=URL".to_owned())?;
    Ok((name.to_owned(), Url::parse(url).map_err(|error| error.to_string())?))
}

/// How a run is told and what it is to show.
#[derive(Debug, Clone, Default)]
struct Manner {
    lesson: bool,
    explain: bool,
    json: bool,
    options: Options,
    /// The folders of the scenarios, in their order.
    folders: Vec<Option<String>>,
}

fn wrong(error: impl std::fmt::Display) -> StartError {
    StartError::Configuration(error.to_string())
}

/// The scenario that stands in the program, in an ecosystem of its own.
///
/// # Errors
/// It could not run.
pub(crate) async fn built_in(path: &str, text: &str, stop: &Stop) -> Result<ExitCode, StartError> {
    let scenario = Scenario::parse(Path::new(path), text).map_err(wrong)?;
    let found = vec![Found { file: path.into(), scenario }];
    run_alone(&Fixtures::none(), found, 1, &Manner::default(), None, stop).await
}

impl Run {
    /// Runs what was asked for.
    ///
    /// # Errors
    /// A file is wrong, or a scenario could not run.
    pub(crate) async fn obey(self, stop: &Stop) -> Result<ExitCode, StartError> {
        let mut found = Vec::new();
        let known = known(&self.fixtures, self.elsewhere.tpp_control.is_some())?;
        let mut mistakes = Vec::new();
        for file in scenario_files(&self.files)? {
            match Scenario::read_knowing(&file, &known) {
                Ok(scenario) => found.push(Found { file, scenario }),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        // All of them are told, the last one as the reason why nothing runs. Files that include the same wrong one say so once.
        let mut said = BTreeSet::new();
        mistakes.retain(|mistake| said.insert(mistake.to_string()));
        if let Some(last) = mistakes.pop() {
            mistakes.iter().for_each(outcome::last_words_of);
            return Err(wrong(last));
        }
        check_names(&found)?;
        if let Some(text) = &self.filter {
            found.retain(|found| found.is_about(text));
            if found.is_empty() {
                return Err(wrong(format!("--filter {text}: no scenario is about that")));
            }
        }
        if self.list {
            for Found { file, scenario } in &found {
                say!("{:<40} {} ({})", scenario.name, scenario.about, file.display());
            }
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(folder) = &self.report {
            report::prepare(folder).map_err(wrong)?;
        }
        let options = Options { seed: self.seed, show_secrets: self.show_secrets, rules: rules(), stop: stop.clone() };
        let folders = found.iter().map(Found::folder).collect();
        let manner = Manner { lesson: self.lesson, explain: self.explain, json: self.json, options, folders };
        let report = self.report.as_deref();
        match self.elsewhere.ecosystem(&self.fixtures)? {
            Some(ecosystem) => {
                let terminal = Terminal::new(manner.explain, if manner.json { Lines::Silent } else { Lines::Printed });
                let (done, mut told_of) = mpsc::unbounded_channel();
                run_in(ecosystem, numbered(found), &manner, terminal, &done).await?;
                drop(done);
                let mut results = Vec::new();
                while let Some(result) = told_of.recv().await {
                    results.push(result);
                }
                told(results, &manner, report, None, None)
            }
            None => run_alone(&self.fixtures, found, self.parallel.into(), &manner, report, stop).await,
        }
    }
}

/// The rules of our parties.
fn rules() -> Vec<&'static rules::Rule> {
    [aspsp::catalogue(), directory::catalogue(), tpp::rules_of_a_client()].concat()
}

/// What scenarios can name: rules of our parties, and customers.
fn known(fixtures: &Fixtures, elsewhere: bool) -> Result<Known, StartError> {
    Ok(Known {
        rules: rules().iter().map(|rule| rule.id.to_owned()).collect(),
        personas: credentials_in(fixtures.personas.as_deref())?.into_keys().collect(),
        // Parties that run already may be anybody's.
        bank: if elsewhere { None } else { Some(hosting::bank_name(fixtures.bank.as_deref())?) },
        second_bank: hosting::second_bank_name()?,
    })
}

impl Elsewhere {
    fn ecosystem(&self, fixtures: &Fixtures) -> Result<Option<Ecosystem>, StartError> {
        let (Some(tpp), Some(anchor)) = (&self.tpp_control, &self.trust_anchor) else { return Ok(None) };
        let control = |party: &str, url: &Url| ControlAddress {
            party: party.to_owned(),
            url: url.clone(),
            token: self.control_token.clone(),
        };
        let others = [("directory", &self.directory_control), ("bank", &self.bank_control)];
        Ok(Some(Ecosystem {
            tpp: control(TPP, tpp),
            tpps: self.other_tpp_control.iter().map(|(name, url)| (name.clone(), control(name, url))).collect(),
            others: others
                .into_iter()
                .filter_map(|(party, url)| Some(control(party, url.as_ref()?)))
                .chain(self.other_bank_control.iter().map(|(name, url)| control(name, url)))
                .collect(),
            trust_anchors: certificates(anchor)?,
            credentials: credentials_in(fixtures.personas.as_deref())?,
        }))
    }
}

/// Scenarios with their places in the run.
type Numbered = Vec<(usize, Scenario)>;

fn numbered(found: Vec<Found>) -> Numbered {
    found.into_iter().map(|found| found.scenario).enumerate().collect()
}

/// The further parties of a kind that these scenarios need; a name stands for one party in a run.
fn further<P: Clone + PartialEq>(
    found: &[Found],
    parties: fn(&Scenario) -> &BTreeMap<String, P>,
) -> Result<BTreeMap<String, P>, StartError> {
    let mut all: BTreeMap<String, P> = BTreeMap::new();
    for Found { file, scenario } in found {
        for (name, party) in parties(scenario) {
            if let Some(other) = all.insert(name.clone(), party.clone())
                && other != *party
            {
                let file = file.display();
                return Err(wrong(format!("{file}: {name} is another party in another scenario of this run")));
            }
        }
    }
    Ok(all)
}

/// Those of them that a share of the scenarios needs.
fn needed<P: Clone>(
    all: &BTreeMap<String, P>,
    share: &Numbered,
    parties: fn(&Scenario) -> &BTreeMap<String, P>,
) -> BTreeMap<String, P> {
    let named = |name: &String| share.iter().any(|(_, scenario)| parties(scenario).contains_key(name));
    all.iter().filter(|(name, _)| named(name)).map(|(name, party)| (name.clone(), party.clone())).collect()
}

/// Runs scenarios in ecosystems that live no longer than they do. Which scenario runs in which is fixed, so that runs
/// with the same seed are alike.
async fn run_alone(
    fixtures: &Fixtures,
    found: Vec<Found>,
    parallel: usize,
    manner: &Manner,
    report: Option<&Path>,
    stop: &Stop,
) -> Result<ExitCode, StartError> {
    let folder = tempfile::Builder::new()
        .prefix("ob-sandbox-")
        .tempdir()
        .map_err(|error| StartError::Other(format!("cannot make a temporary folder: {error}")))?;
    let misbehaves = |found: &Found| found.scenario.all_steps().any(|step| matches!(step, Step::Misbehave(_)));
    let lesson = manner.lesson || found.iter().any(misbehaves);
    let tpps = further(&found, |scenario| &scenario.tpps)?;
    let banks = further(&found, |scenario| &scenario.banks)?;
    let workers = parallel.min(found.len()).max(1);
    if !manner.json {
        let more = if tpps.is_empty() { "" } else { ", further TPPs" };
        let more = if banks.is_empty() { more.to_owned() } else { format!("{more}, further banks") };
        let times = if workers > 1 { format!("{workers} times ") } else { String::new() };
        say!("Starting {times}a Directory, a bank and a TPP{more}, with new keys and certificates ...");
    }
    let scenarios = if manner.lesson {
        found.iter().map(|found| 1 + usize::from(found.scenario.lesson.is_some())).sum()
    } else {
        found.len()
    };
    let bar = (!manner.json && scenarios > 1 && std::io::stdout().is_terminal()).then(|| terminal::bar(scenarios));
    let mut shares: Vec<Numbered> = vec![Vec::new(); workers];
    for (index, scenario) in numbered(found) {
        shares[index % workers].push((index, scenario));
    }
    let (done, mut results) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    let mut tasks = HashMap::new();
    for (worker, share) in shares.iter().cloned().enumerate() {
        // Workers with the same seed would make the same identifiers.
        let distance = u64::try_from(worker).unwrap_or_default();
        let seed = manner.options.seed.map(|seed| seed.wrapping_add(distance));
        let place = Place {
            lesson,
            tpps: needed(&tpps, &share, |scenario| &scenario.tpps),
            banks: needed(&banks, &share, |scenario| &scenario.banks),
            chance_seed: seed,
            ..fixtures.place(folder.path().join(worker.to_string()))
        };
        let lines = match &bar {
            _ if manner.json => Lines::Silent,
            Some(bar) => Lines::Bar(bar.clone(), Vec::new()),
            None if workers > 1 => Lines::Gathered(Vec::new()),
            None => Lines::Printed,
        };
        let mut manner = manner.clone();
        manner.options.seed = seed;
        let task = running.spawn(work(place, share, manner, lines, stop.clone(), done.clone()));
        tasks.insert(task.id(), worker);
    }
    drop(done);
    let (started_in, broken) = joined(&mut running, &tasks).await;
    let mut finished = Vec::new();
    while let Some(result) = results.recv().await {
        finished.push(result);
    }
    let failed = left_over(broken, &shares, &mut finished);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let started_in = (!started_in.is_zero()).then_some(started_in);
    let results_of_all = told(finished, manner, report, started_in, failed);
    stop.trigger();
    results_of_all
}

/// Waits for workers: how long the slowest start took, and which of them could not go on.
async fn joined(
    running: &mut JoinSet<Result<Duration, StartError>>,
    workers: &HashMap<tokio::task::Id, usize>,
) -> (Duration, Vec<(usize, StartError)>) {
    let mut started_in = Duration::ZERO;
    let mut broken = Vec::new();
    while let Some(ended) = running.join_next_with_id().await {
        let (id, worked) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Err(StartError::Other(format!("a worker broke off: {error}")))),
        };
        match worked {
            Ok(took) => started_in = started_in.max(took),
            Err(error) => broken.extend(workers.get(&id).map(|worker| (*worker, error))),
        }
    }
    (started_in, broken)
}

/// What workers that could not go on left undone is told as not run, beside what was done. Answers why the first one could
/// not.
fn left_over(broken: Vec<(usize, StartError)>, shares: &[Numbered], finished: &mut Vec<Numbers>) -> Option<StartError> {
    // Nothing at all was done: then there is nothing to tell but why.
    if finished.is_empty() {
        return broken.into_iter().next().map(|(_, error)| error);
    }
    for (worker, error) in &broken {
        for (index, scenario) in shares.get(*worker).into_iter().flatten() {
            if !finished.iter().any(|(done, _)| done == index) {
                let error = format!("not run: {error}");
                finished.push((*index, ScenarioResult::of_none(scenario, false, error)));
            }
        }
    }
    broken.into_iter().next().map(|(_, error)| error)
}

/// One worker: an ecosystem, and its share of the scenarios.
async fn work(
    place: Place,
    share: Numbered,
    manner: Manner,
    lines: Lines,
    stop: Stop,
    done: Done,
) -> Result<Duration, StartError> {
    // Workers stop their own parties only, and not before what runs there has ended. A start is not broken off: parties
    // that come up write into a folder that must not go away before they have.
    let own = Stop::new();
    let hosted = hosting::start(&place, &own).await?;
    let started_in = hosted.started_in;
    if stop.is_triggered() {
        own.trigger();
        hosted.ended().await;
        for (index, scenario) in share {
            tell(&done, (index, not_run(&scenario)));
        }
        return Ok(Duration::ZERO);
    }
    if matches!(lines, Lines::Printed) {
        say!("Started in {} ms.\n", started_in.as_millis());
    }
    let terminal = Terminal::new(manner.explain, lines);
    let ran = match hosted.ecosystem() {
        Ok(ecosystem) => run_in(ecosystem, share, &manner, terminal, &done).await,
        Err(error) => Err(error),
    };
    own.trigger();
    hosted.ended().await;
    ran.map(|()| started_in)
}

/// Where results go as they come: what was done is not lost with the worker that did it.
type Done = mpsc::UnboundedSender<Numbers>;

fn tell(done: &Done, result: Numbers) {
    // Whoever listens does so until the last worker has ended.
    let _ = done.send(result);
}

/// Runs scenarios one after the other. One that cannot run does not keep the others from running; when it is all to stop,
/// those that are left are told as not run.
async fn run_in(
    ecosystem: Ecosystem,
    scenarios: Numbered,
    manner: &Manner,
    mut terminal: Terminal,
    done: &Done,
) -> Result<(), StartError> {
    let runner = Runner::new(ecosystem)?.with(manner.options.clone());
    for (index, scenario) in scenarios {
        let lessons = [false, true].into_iter().take(1 + usize::from(manner.lesson && scenario.lesson.is_some()));
        for lesson in lessons {
            if manner.options.stop.is_triggered() {
                tell(done, (index, not_run(&scenario)));
                break;
            }
            let ran = match lesson {
                false => runner.run(&scenario, &mut terminal).await,
                true => runner.run_lesson(&scenario, &mut terminal).await,
            };
            let result = ran.unwrap_or_else(|error| {
                let result = ScenarioResult::of_none(&scenario, lesson, why(&error));
                terminal.ended(&result);
                result
            });
            tell(done, (index, result));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str) -> Scenario {
        let text = format!("name: {name}\nabout: x\nbank: b\npersona: nora\nsteps:\n  - onboard: {{}}\n");
        Scenario::parse(Path::new("x.yaml"), &text).unwrap()
    }

    #[tokio::test]
    async fn a_worker_that_breaks_off_does_not_take_the_results_of_others_along() {
        let shares: Vec<Numbered> =
            vec![vec![(0, scenario("one")), (2, scenario("three"))], vec![(1, scenario("two"))]];
        let (done, mut results) = mpsc::unbounded_channel();
        let mut running = JoinSet::new();
        let mut workers = HashMap::new();
        for (worker, share) in shares.iter().cloned().enumerate() {
            let done = done.clone();
            let task = running.spawn(async move {
                let (index, first) = &share[0];
                tell(&done, (*index, ScenarioResult { error: None, ..not_run(first) }));
                assert_ne!(worker, 0, "this one breaks off");
                Ok(Duration::from_secs(1))
            });
            workers.insert(task.id(), worker);
        }
        drop(done);
        let (started_in, broken) = joined(&mut running, &workers).await;
        let mut finished = Vec::new();
        while let Some(result) = results.recv().await {
            finished.push(result);
        }
        let failed = left_over(broken, &shares, &mut finished).unwrap().to_string();
        assert!(failed.contains("a worker broke off") && failed.contains("this one breaks off"), "{failed}");
        assert_eq!(started_in, Duration::from_secs(1));
        finished.sort_by_key(|(index, _)| *index);
        let told: Vec<_> =
            finished.iter().map(|(index, result)| (*index, result.name.as_str(), result.error.is_some())).collect();
        assert_eq!(told, [(0, "one", false), (1, "two", false), (2, "three", true)]);
        assert!(finished[2].1.error.as_ref().unwrap().starts_with("not run: "));
        // Where nothing was done, why is all that is told.
        let alone = left_over(vec![(0, StartError::Other("no port".to_owned()))], &shares, &mut Vec::new());
        assert_eq!(alone.unwrap().to_string(), "no port");
    }
}
