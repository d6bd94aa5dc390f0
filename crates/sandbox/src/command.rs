//! `ob-sandbox` on the command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use party::{StartError, logging::Logging};
use scenario::language::schema;
use transport::Stop;

use crate::{
    advance::Advance,
    customer::Customer,
    hosting::Place,
    output,
    run::{self, Run},
    up::Up,
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
/// Exit codes: 0 every scenario passed, 1 an expectation failed, 2 a scenario could not run, or the run was stopped (Ctrl-C).
/// Results of the scenarios that did run are printed and reported all the same.
#[derive(Debug, Parser)]
#[command(name = "ob-sandbox", version, long_about, max_term_width = 110)]
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
    /// Let time pass at parties that run: all their clocks move to the same time
    Advance(Box<Advance>),
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

/// What a user edits.
#[derive(Debug, Args)]
pub(crate) struct Fixtures {
    /// Bank profile [default: the built-in fixtures/bank.yaml]
    #[arg(long, env = "OB_SANDBOX_BANK", value_name = "FILE")]
    pub(crate) bank: Option<PathBuf>,
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
            Some(Command::Advance(advance)) => advance.obey().await,
            Some(Command::Schema { of }) => {
                let text = match of {
                    Form::Scenario => schema::text(),
                    Form::TppProfile => tpp::profile::schema(),
                };
                output::text(&text);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Fixtures {
    pub(crate) fn none() -> Self {
        Self { bank: None, personas: None, tpp: None }
    }

    /// An ecosystem of these fixtures, on free ports.
    pub(crate) fn place(&self, data: PathBuf) -> Place {
        let (bank, personas, tpp) = (self.bank.clone(), self.personas.clone(), self.tpp.clone());
        Place { data, bank, personas, tpp, ..Place::default() }
    }
}
