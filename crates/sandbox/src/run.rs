//! `ob-sandbox run`: scenario files, in ecosystems of their own or against parties that run already.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use party::{CANNOT_START, StartError};
use scenario::{
    ControlAddress, Ecosystem, Options, Progress, RunError, Runner, Scenario, ScenarioResult,
    language::{Known, Step, TPP},
    report,
};
use tokio::task::JoinSet;
use transport::Stop;
use url::Url;

use crate::{
    command::{FAILED, Fixtures},
    hosting::{self, Place, certificates, credentials_in},
    terminal::{self, Lines, Terminal},
};

/// Folders whose files are included by scenarios and are none themselves.
const COMMON: &str = "common";

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

/// A scenario and the file that it stands in.
#[derive(Debug, Clone)]
struct Found {
    file: PathBuf,
    scenario: Scenario,
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
        let known = known(&self.fixtures)?;
        for file in scenario_files(&self.files)? {
            let scenario = Scenario::read_knowing(&file, &known).map_err(wrong)?;
            found.push(Found { file, scenario });
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
                println!("{:<40} {} ({})", scenario.name, scenario.about, file.display());
            }
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(folder) = &self.report {
            report::prepare(folder).map_err(wrong)?;
        }
        let options = Options { seed: self.seed, show_secrets: self.show_secrets, stop: stop.clone() };
        let folders = found.iter().map(Found::folder).collect();
        let manner = Manner { lesson: self.lesson, explain: self.explain, json: self.json, options, folders };
        let report = self.report.as_deref();
        match self.elsewhere.ecosystem(&self.fixtures)? {
            Some(ecosystem) => {
                let terminal = Terminal::new(manner.explain, if manner.json { Lines::Silent } else { Lines::Printed });
                let results = run_in(ecosystem, numbered(found), &manner, terminal).await?;
                told(results, &manner, report, None, None)
            }
            None => run_alone(&self.fixtures, found, self.parallel.into(), &manner, report, stop).await,
        }
    }
}

impl Found {
    fn folder(&self) -> Option<String> {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        Some(folder.display().to_string())
    }

    fn is_about(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        [&self.scenario.name, &self.scenario.about, &self.file.display().to_string()]
            .iter()
            .any(|place| place.to_lowercase().contains(&text))
    }
}

/// What scenarios can name: rules of our parties, and customers.
fn known(fixtures: &Fixtures) -> Result<Known, StartError> {
    let rules = [aspsp::catalogue(), directory::catalogue(), tpp::rules_of_a_client()].concat();
    Ok(Known {
        rules: rules.iter().map(|rule| rule.id.to_owned()).collect(),
        personas: credentials_in(fixtures.personas.as_deref())?.into_keys().collect(),
    })
}

/// The files that are named, and those in the folders that are, in alphabetical order.
fn scenario_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let before = files.len();
            folder(path, &mut files)?;
            if files.len() == before {
                return Err(wrong(format!("{} holds no scenario files", path.display())));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn folder(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), StartError> {
    let unreadable = |error| wrong(format!("{} cannot be read: {error}", path.display()));
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != COMMON) {
                folder(&entry, files)?;
            }
        } else if entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(entry);
        }
    }
    Ok(())
}

fn check_names(found: &[Found]) -> Result<(), StartError> {
    let mut files: BTreeMap<&str, &Path> = BTreeMap::new();
    for Found { file, scenario } in found {
        if let Some(other) = files.insert(&scenario.name, file)
            && other != file
        {
            let (one, other) = (other.display(), file.display());
            return Err(wrong(format!("{one} and {other} have the same name: {}", scenario.name)));
        }
    }
    Ok(())
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
        println!("Starting {times}a Directory, a bank and a TPP{more}, with new keys and certificates ...");
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
    let mut running = JoinSet::new();
    for (worker, share) in shares.into_iter().enumerate() {
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
        running.spawn(work(place, share, manner, lines, stop.clone()));
    }
    let mut results = Vec::new();
    let mut started_in = Duration::ZERO;
    let mut failed = None;
    while let Some(worker) = running.join_next().await {
        match worker.map_err(|error| StartError::Other(error.to_string())).and_then(|worked| worked) {
            Ok((took, some)) => {
                started_in = started_in.max(took);
                results.extend(some);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let results_of_all = told(results, manner, report, Some(started_in), failed);
    stop.trigger();
    results_of_all
}

/// One worker: an ecosystem, and its share of the scenarios.
async fn work(
    place: Place,
    share: Numbered,
    manner: Manner,
    lines: Lines,
    stop: Stop,
) -> Result<(Duration, Vec<Numbers>), StartError> {
    // Workers stop their own parties only, and not before what runs there has ended.
    let own = Stop::new();
    let hosted = tokio::select! {
        hosted = hosting::start(&place, &own) => hosted?,
        () = stop.wait() => return Ok((Duration::ZERO, share.into_iter().map(|(index, scenario)| (index, not_run(&scenario))).collect())),
    };
    let started_in = hosted.started_in;
    if matches!(lines, Lines::Printed) {
        println!("Started in {} ms.\n", started_in.as_millis());
    }
    let terminal = Terminal::new(manner.explain, lines);
    let results = run_in(hosted.ecosystem()?, share, &manner, terminal).await;
    own.trigger();
    hosted.ended().await;
    Ok((started_in, results?))
}

/// A result and the place of its scenario in the run.
type Numbers = (usize, ScenarioResult);

/// Runs scenarios one after the other. One that cannot run does not keep the others from running; when it is all to stop,
/// those that are left are told as not run.
async fn run_in(
    ecosystem: Ecosystem,
    scenarios: Numbered,
    manner: &Manner,
    mut terminal: Terminal,
) -> Result<Vec<Numbers>, StartError> {
    let runner = Runner::new(ecosystem)?.with(manner.options.clone());
    let mut results = Vec::new();
    for (index, scenario) in scenarios {
        let lessons = [false, true].into_iter().take(1 + usize::from(manner.lesson && scenario.lesson.is_some()));
        for lesson in lessons {
            if manner.options.stop.is_triggered() {
                results.push((index, not_run(&scenario)));
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
            results.push((index, result));
        }
    }
    Ok(results)
}

fn not_run(scenario: &Scenario) -> ScenarioResult {
    ScenarioResult::of_none(scenario, false, "not run: the run was stopped before".to_owned())
}

/// Why a scenario cannot run, and what to do about it where the command line can help.
fn why(error: &RunError) -> String {
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
fn told(
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
        println!("{}", serde_json::to_string_pretty(&results).map_err(|error| StartError::Other(error.to_string()))?);
    } else {
        terminal::summary(&results, started_in);
    }
    if let Some(folder) = report {
        report::write(folder, &results, manner.options.show_secrets)
            .map_err(|error| StartError::Other(error.to_string()))?;
    }
    let stopped: Vec<&ScenarioResult> = results.iter().filter(|result| result.error.is_some()).collect();
    for result in &stopped {
        last_words(&format!("{}: {}", result.title(), result.error.as_deref().unwrap_or_default()));
    }
    let passed = results.iter().all(ScenarioResult::passed);
    Ok(match (stopped.is_empty(), passed) {
        (false, _) => ExitCode::from(CANNOT_START),
        (true, false) => ExitCode::from(FAILED),
        (true, true) => ExitCode::SUCCESS,
    })
}

#[expect(clippy::print_stderr, reason = "what could not run is told apart from what was asked for")]
fn last_words(error: &dyn std::fmt::Display) {
    eprintln!("ob-sandbox: {error}");
}
