//! `ob-tpp`: a scripted TPP as a process of its own.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use party::{StartError, Tools, logging::Logging, settings::merge};
use tpp::Settings;

/// A scripted TPP: onboards at the Directory, registers at banks, and reads accounts, when it is told to.
///
/// It is driven through its control port, step by step: POST /steps/onboard, /steps/register, /steps/lodge-consent,
/// /steps/authorise, /steps/deliver-response, /steps/authorisation-result, /steps/exchange-code, /steps/refresh,
/// /steps/client-token, /steps/revoke, /steps/call, each with a JSON body. Scenario files do this (ob-sandbox run). Everything it must remember is in its data folder. Each setting can be
/// given as a flag, as an environment variable or in the configuration file (YAML; the flag's name without the dashes in
/// front). A flag wins over the environment, the environment over the file, the file over the default.
///
/// Exit codes: 0 stopped as asked, 2 could not start.
#[derive(Parser)]
#[command(name = "ob-tpp", version, long_about, max_term_width = 110)]
struct Arguments {
    /// Configuration file (YAML)
    #[arg(long, env = "OB_TPP_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    logging: Logging,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask the TPP that runs with these settings whether it is well; exit code 0 if it is
    Health,
    /// Print the public key of the profile's identity as a JWK set, for banks that take keys by hand
    Jwks,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    party::run("ob-tpp", |stop| async move {
        arguments.logging.begin()?;
        let settings = merge(&arguments.settings, arguments.config.as_deref())?;
        match arguments.command {
            Some(Command::Health) => return party::control::probe(settings.control()).await,
            Some(Command::Jwks) => return print_keys(&settings),
            None => {}
        }
        let tools = Tools::real("tpp", stop).with_journal_file(settings.journal.as_deref())?;
        let running = tpp::start(settings, tools).await?;
        say(&running);
        party::ended(running.tasks).await;
        Ok(ExitCode::SUCCESS)
    })
}

fn print_keys(settings: &Settings) -> Result<ExitCode, StartError> {
    party::say(tpp::public_keys(settings)?);
    Ok(ExitCode::SUCCESS)
}

fn say(running: &tpp::Running) {
    party::say(format_args!("{} is ready: {} (control: http://{})", running.name, running.public, running.control));
}
