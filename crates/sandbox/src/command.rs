//! `ob-sandbox` on the command line.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use party::{StartError, logging::Logging};
use scenario::{ControlAddress, Ecosystem, Runner, Scenario, ScenarioResult, report};
use serde_json::json;
use transport::Stop;
use url::Url;

use crate::{
    customer::Customer,
    hosting::{self, Hosted, Place, certificate, credentials_in},
    terminal::{self, Terminal},
};

/// The scenario that runs when nothing else is said.
const JOURNEY: (&str, &str) =
    ("scenarios/account-information.yaml", include_str!("../../../scenarios/account-information.yaml"));

/// Exit code when expectations failed; 2 is for what could not run.
pub(crate) const FAILED: u8 = 1;

/// An Open Banking ecosystem in one process: a Directory, a bank and a TPP, talking over real mutual TLS.
///
/// Without a command it starts an ecosystem of its own on free ports, runs the account-information journey, prints each
/// step, and ends. Everything it makes is in a temporary folder that is removed at the end.
///
/// Exit codes: 0 every scenario passed, 1 an expectation failed, 2 it could not run.
#[derive(Debug, Parser)]
#[command(name = "ob-sandbox", version, about, long_about, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    logging: Logging,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start an ecosystem and keep it running; prints URLs, customers' credentials, and where keys are
    Up(Up),
    /// Run scenario files, in an ecosystem of their own or against parties that run already
    Run(Box<Run>),
    /// Be a customer: open a TPP's link to the bank, log in, confirm or cancel, print where the bank sends the browser
    Psu(Box<Customer>),
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Folder for keys, certificates and stores; an ecosystem that was there before goes on
    #[arg(long, env = "OB_SANDBOX_DATA", value_name = "DIR", default_value = ".ob-sandbox")]
    data: PathBuf,
    /// First of 30 ports: Directory +0 to +9, bank +10 to +19, TPP +20 to +29; 0 takes free ones
    #[arg(long, env = "OB_SANDBOX_FIRST_PORT", value_name = "PORT", default_value_t = 8440)]
    first_port: u16,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Run {
    /// Scenario files
    #[arg(required = true, value_name = "SCENARIO")]
    files: Vec<PathBuf>,
    /// Show for every refusal which rule spoke, what it expected and what it found
    #[arg(long)]
    explain: bool,
    /// Write junit.xml and results.json into this folder
    #[arg(long, env = "OB_SANDBOX_REPORTS", value_name = "DIR")]
    report: Option<PathBuf>,
    /// Print results as JSON instead of lines for people
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fixtures: Fixtures,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

#[derive(Debug, Args)]
struct Fixtures {
    /// Bank profile [default: the built-in fixtures/bank.yaml]
    #[arg(long, env = "OB_SANDBOX_BANK", value_name = "FILE")]
    bank: Option<PathBuf>,
    /// Customers and their money [default: the built-in fixtures/personas.yaml]
    #[arg(long, env = "OB_SANDBOX_PERSONAS", value_name = "FILE")]
    personas: Option<PathBuf>,
    /// TPP profile [default: the built-in fixtures/tpp.yaml]
    #[arg(long, env = "OB_SANDBOX_TPP", value_name = "FILE")]
    tpp: Option<PathBuf>,
}

/// Parties that run already. Without them an ecosystem is started for the run.
#[derive(Debug, Args)]
struct Elsewhere {
    /// Control port of the TPP that takes the steps, such as http://127.0.0.1:8469
    #[arg(long, env = "OB_SANDBOX_TPP_CONTROL", value_name = "URL", requires = "trust_anchor")]
    tpp_control: Option<Url>,
    /// Control port of the bank, for its journal and clock
    #[arg(long, env = "OB_SANDBOX_BANK_CONTROL", value_name = "URL", requires = "tpp_control")]
    bank_control: Option<Url>,
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

impl Arguments {
    /// Does what was asked for.
    ///
    /// # Errors
    /// It could not be done.
    pub async fn obey(self, stop: Stop) -> Result<ExitCode, StartError> {
        self.logging.begin()?;
        match self.command {
            None => {
                let (path, text) = JOURNEY;
                let scenario = Scenario::parse(Path::new(path), text);
                let scenario = scenario.map_err(|error| StartError::Configuration(error.to_string()))?;
                run_alone(&Fixtures::none(), &[scenario], &Output::default(), &stop).await
            }
            Some(Command::Up(up)) => up.obey(&stop).await,
            Some(Command::Run(run)) => run.obey(&stop).await,
            Some(Command::Psu(customer)) => customer.obey().await,
        }
    }
}

impl Fixtures {
    fn none() -> Self {
        Self { bank: None, personas: None, tpp: None }
    }

    fn place(&self, data: PathBuf, first_port: Option<u16>) -> Place {
        let (bank, personas, tpp) = (self.bank.clone(), self.personas.clone(), self.tpp.clone());
        Place { data, first_port, bank, personas, tpp, ..Place::default() }
    }
}

/// How results are told.
#[derive(Debug, Default)]
struct Output {
    explain: bool,
    json: bool,
    report: Option<PathBuf>,
}

impl Run {
    async fn obey(self, stop: &Stop) -> Result<ExitCode, StartError> {
        let read = |path: &PathBuf| Scenario::read(path).map_err(|error| StartError::Configuration(error.to_string()));
        let scenarios = self.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let output = Output { explain: self.explain, json: self.json, report: self.report };
        match self.elsewhere.ecosystem(&self.fixtures)? {
            Some(ecosystem) => run_in(ecosystem, &scenarios, &output, None).await,
            None => run_alone(&self.fixtures, &scenarios, &output, stop).await,
        }
    }
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
            tpp: control("tpp", tpp),
            others: others.into_iter().filter_map(|(party, url)| Some(control(party, url.as_ref()?))).collect(),
            trust_anchor: certificate(anchor)?,
            credentials: credentials_in(fixtures.personas.as_deref())?,
        }))
    }
}

/// Runs scenarios in an ecosystem that lives no longer than they do.
async fn run_alone(
    fixtures: &Fixtures,
    scenarios: &[Scenario],
    output: &Output,
    stop: &Stop,
) -> Result<ExitCode, StartError> {
    let folder = tempfile::Builder::new()
        .prefix("ob-sandbox-")
        .tempdir()
        .map_err(|error| StartError::Other(format!("cannot make a temporary folder: {error}")))?;
    if !output.json {
        println!("Starting a Directory, a bank and a TPP, with new keys and certificates ...");
    }
    let hosted = hosting::start(&fixtures.place(folder.path().to_owned(), None), stop).await?;
    if !output.json {
        println!("Started in {} ms.\n", hosted.started_in.as_millis());
    }
    let started_in = hosted.started_in;
    let code = run_in(hosted.ecosystem()?, scenarios, output, Some(started_in)).await;
    stop.trigger();
    hosted.ended().await;
    code
}

async fn run_in(
    ecosystem: Ecosystem,
    scenarios: &[Scenario],
    output: &Output,
    started_in: Option<std::time::Duration>,
) -> Result<ExitCode, StartError> {
    if let Some(folder) = &output.report {
        report::prepare(folder).map_err(|error| StartError::Configuration(error.to_string()))?;
    }
    let runner = Runner::new(ecosystem)?;
    let mut results: Vec<ScenarioResult> = Vec::new();
    for scenario in scenarios {
        let progress: &mut dyn scenario::Progress =
            if output.json { &mut Silent } else { &mut Terminal { explain: output.explain } };
        let result = runner.run(scenario, progress).await;
        results.push(result.map_err(|error| StartError::Other(format!("{}: {error}", scenario.name)))?);
    }
    if output.json {
        println!("{}", serde_json::to_string_pretty(&results).map_err(|error| StartError::Other(error.to_string()))?);
    } else {
        terminal::summary(&results, started_in);
    }
    if let Some(folder) = &output.report {
        report::write(folder, &results).map_err(|error| StartError::Other(error.to_string()))?;
    }
    let passed = results.iter().all(ScenarioResult::passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Says nothing while scenarios run.
struct Silent;

impl scenario::Progress for Silent {
    fn begins(&mut self, _: &Scenario) {}
    fn step_begins(&mut self, _: usize, _: usize, _: &str) {}
    fn step_ended(&mut self, _: &scenario::StepResult) {}
    fn ended(&mut self, _: &ScenarioResult) {}
}

impl Up {
    async fn obey(self, stop: &Stop) -> Result<ExitCode, StartError> {
        let first_port = (self.first_port != 0).then_some(self.first_port);
        if first_port.is_some_and(|first| first.checked_add(29).is_none()) {
            return Err(StartError::Configuration(format!("--first-port {}: there are no 30 ports", self.first_port)));
        }
        if !self.json {
            println!("Starting a Directory, a bank and a TPP ...");
        }
        let hosted = hosting::start(&self.fixtures.place(self.data, first_port), stop).await?;
        let client_id = join_in(&hosted).await?;
        if self.json {
            println!("{:#}", table_as_json(&hosted, &client_id));
        } else {
            table(&hosted, &client_id);
        }
        hosted.ended().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Lets the TPP onboard and register, so that its certificates and its client are there to be used by hand.
async fn join_in(hosted: &Hosted) -> Result<String, StartError> {
    let failed = |error: String| StartError::Other(format!("the TPP could not onboard and register: {error}"));
    let runner = Runner::new(hosted.ecosystem()?)?;
    runner.join(&hosted.bank.name).await.map_err(|error| failed(error.to_string()))
}

fn table(hosted: &Hosted, client_id: &str) {
    let (bank, directory, tpp) = (&hosted.bank, &hosted.directory, &hosted.tpp);
    println!("Started in {} ms. Ctrl-C stops it.\n", hosted.started_in.as_millis());
    let rows = [
        ("Directory", directory.public.to_string()),
        ("  API, mutual TLS", directory.api.to_string()),
        ("  control port", format!("http://{}", directory.control)),
        (bank.name.as_str(), bank.urls.public.to_string()),
        ("  discovery", bank.urls.page("/.well-known/openid-configuration")),
        ("  API, mutual TLS", bank.urls.mtls.to_string()),
        ("  control port", format!("http://{}", bank.control)),
        (tpp.name.as_str(), tpp.public.to_string()),
        ("  client at the bank", client_id.to_owned()),
        ("  control port", format!("http://{}", tpp.control)),
        ("Trust anchor", directory.trust_anchor.display().to_string()),
        ("Bank's certificates", bank.exports.display().to_string()),
        ("TPP's certificates", tpp.exports.display().to_string()),
    ];
    for (name, value) in rows {
        println!("{name:<22}{value}");
    }
    println!("\n{:<12}{:<26}{:<22}One-time password", "User name", "Customer", "Password");
    for login in &bank.logins {
        println!("{:<12}{:<26}{:<22}{}", login.username, login.name, login.password, login.one_time_password);
    }
}

fn table_as_json(hosted: &Hosted, client_id: &str) -> serde_json::Value {
    let (bank, directory, tpp) = (&hosted.bank, &hosted.directory, &hosted.tpp);
    let personas: Vec<_> = bank
        .logins
        .iter()
        .map(|login| {
            json!({
                "username": login.username, "name": login.name, "password": login.password,
                "one-time-password": login.one_time_password,
            })
        })
        .collect();
    json!({
        "directory": {
            "public": directory.public, "mtls": directory.api, "control": format!("http://{}", directory.control),
        },
        "bank": {
            "name": bank.name, "public": bank.urls.public, "mtls": bank.urls.mtls,
            "control": format!("http://{}", bank.control), "exports": bank.exports,
        },
        "tpp": {
            "name": tpp.name, "public": tpp.public, "client-id": client_id,
            "control": format!("http://{}", tpp.control), "exports": tpp.exports,
        },
        "trust-anchor": directory.trust_anchor,
        "personas": personas,
        "started-in-ms": u64::try_from(hosted.started_in.as_millis()).unwrap_or(u64::MAX),
    })
}
