//! `ob-sandbox` on the command line.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use party::{StartError, logging::Logging};
use scenario::{Runner, language::schema};
use serde_json::json;
use transport::Stop;

use crate::{
    customer::Customer,
    hosting::{self, Hosted, Place},
    run::{self, Run},
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
    /// Print a JSON Schema, for editors: of scenario files, or of TPP profiles
    Schema {
        /// Which files
        #[arg(value_enum, default_value_t = Form::Scenario)]
        of: Form,
    },
}

/// Files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Scenario files, and those that they include
    Scenario,
    /// Profiles of TPPs (`--tpp`, `tpps` in scenarios)
    TppProfile,
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

/// What a user edits.
#[derive(Debug, Args)]
pub(crate) struct Fixtures {
    /// Bank profile [default: the built-in fixtures/bank.yaml]
    #[arg(long, env = "OB_SANDBOX_BANK", value_name = "FILE")]
    bank: Option<PathBuf>,
    /// Customers and their money [default: the built-in fixtures/personas.yaml]
    #[arg(long, env = "OB_SANDBOX_PERSONAS", value_name = "FILE")]
    pub(crate) personas: Option<PathBuf>,
    /// TPP profile [default: the built-in fixtures/tpp.yaml]
    #[arg(long, env = "OB_SANDBOX_TPP", value_name = "FILE")]
    tpp: Option<PathBuf>,
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
                run::built_in(path, text, &stop).await
            }
            Some(Command::Up(up)) => up.obey(&stop).await,
            Some(Command::Run(run)) => run.obey(&stop).await,
            Some(Command::Psu(customer)) => customer.obey().await,
            Some(Command::Schema { of }) => {
                let text = match of {
                    Form::Scenario => schema::text(),
                    Form::TppProfile => tpp::profile::schema(),
                };
                print!("{text}");
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Fixtures {
    pub(crate) fn none() -> Self {
        Self { bank: None, personas: None, tpp: None }
    }

    pub(crate) fn place(&self, data: PathBuf, first_port: Option<u16>) -> Place {
        let (bank, personas, tpp) = (self.bank.clone(), self.personas.clone(), self.tpp.clone());
        Place { data, first_port, bank, personas, tpp, ..Place::default() }
    }
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
