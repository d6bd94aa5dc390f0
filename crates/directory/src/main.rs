//! `ob-directory`: a Directory as a process of its own.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use directory::Settings;
use party::{Tools, logging::Logging, settings::merge};

/// The Directory: organisations, certificates, software statements and their assertions, and where banks are.
///
/// It makes its certificate authority at the first start and writes the certificate that everybody trusts to
/// public/trust-anchor.pem in its data folder. Each setting can be given as a flag, as an environment variable or in the
/// configuration file (YAML; the flag's name without the dashes in front). A flag wins over the environment, the
/// environment over the file, the file over the default.
///
/// Exit codes: 0 stopped as asked, 2 could not start.
#[derive(Parser)]
#[command(name = "ob-directory", version, long_about, max_term_width = 110)]
struct Arguments {
    /// Configuration file (YAML)
    #[arg(long, env = "OB_DIRECTORY_CONFIG", value_name = "FILE")]
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
    /// Ask the Directory that runs with these settings whether it is well; exit code 0 if it is
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
    party::run("ob-directory", |stop| async move {
        arguments.logging.begin()?;
        let settings = merge(&arguments.settings, arguments.config.as_deref())?;
        if let Some(Command::Health) = arguments.command {
            return party::control::probe(settings.control()).await;
        }
        let tools = Tools::real("directory", stop).with_journal_file(settings.journal.as_deref())?;
        let running = directory::start(settings, tools).await?;
        say(&running);
        party::ended(running.tasks).await;
        Ok(ExitCode::SUCCESS)
    })
}

fn list(markdown: bool) {
    let text = if markdown { directory::rules_page() } else { party::catalogue::as_text(&directory::catalogue()) };
    party::say(text.trim_end());
}

fn say(running: &directory::Running) {
    party::say(format_args!(
        "The Directory is ready: {} (API, mutual TLS: {}, control: http://{}, trust anchor: {})",
        running.public,
        running.api,
        running.control,
        running.trust_anchor.display()
    ));
}
