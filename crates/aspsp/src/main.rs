//! `ob-aspsp`: a bank as a process of its own.

use std::{path::PathBuf, process::ExitCode};

use aspsp::Settings;
use clap::{Parser, Subcommand};
use party::{Tools, logging::Logging, settings::merge};

/// A bank (ASPSP): FAPI authorization server, customers' pages, Read/Write Data APIs.
///
/// It waits for the Directory, enrols there, and serves until Ctrl-C or SIGTERM. Everything it must remember is in its
/// data folder: keys, certificates, registered clients, consents, tokens. Each setting can be given as a flag, as an
/// environment variable or in the configuration file (YAML; the flag's name without the dashes in front). A flag wins over
/// the environment, the environment over the file, the file over the default.
///
/// Exit codes: 0 stopped as asked, 2 could not start.
#[derive(Parser)]
#[command(name = "ob-aspsp", version, long_about, max_term_width = 110)]
struct Arguments {
    /// Configuration file (YAML)
    #[arg(long, env = "OB_ASPSP_CONFIG", value_name = "FILE")]
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
    /// Ask the bank that runs with these settings whether it is well; exit code 0 if it is
    Health,
    /// List every rule that it applies: identifier, demand, clause
    Rules {
        /// As the Markdown page in docs
        #[arg(long)]
        markdown: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Rules { markdown }) = arguments.command {
        list(markdown);
        return ExitCode::SUCCESS;
    }
    party::run("ob-aspsp", |stop| async move {
        arguments.logging.begin()?;
        let settings = merge(&arguments.settings, arguments.config.as_deref())?;
        if let Some(Command::Health) = arguments.command {
            return party::control::probe(settings.control()).await;
        }
        let tools = Tools::real("bank", stop).with_journal_file(settings.journal.as_deref())?;
        let running = aspsp::start(settings, tools).await?;
        say(&running);
        party::ended(running.tasks).await;
        Ok(ExitCode::SUCCESS)
    })
}

fn list(markdown: bool) {
    let text = if markdown { aspsp::rules_page() } else { party::catalogue::as_text(&aspsp::catalogue()) };
    party::say(text.trim_end());
}

fn say(running: &aspsp::Running) {
    let issuer = running.urls.issuer();
    party::say(format_args!(
        "{} is ready: {issuer} (mutual TLS: {}, control: http://{})",
        running.name, running.urls.mtls, running.control
    ));
}
