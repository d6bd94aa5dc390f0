//! Logs go to standard error, so that standard output is free for what was asked for.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Logging {
    /// What to log: error, warn, info, debug or trace, also per module as in aspsp=debug [default: warn]
    #[arg(long, env = "OB_LOG", value_name = "LEVEL", global = true)]
    pub log: Option<String>,
    /// How log lines look [default: text]
    #[arg(long, env = "OB_LOG_FORMAT", value_name = "FORMAT", global = true)]
    pub log_format: Option<Format>,
}

/// The level cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("the log level {level:?} cannot be understood: {error}")]
pub struct LoggingError {
    level: String,
    error: tracing_subscriber::filter::ParseError,
}

impl Logging {
    /// Begins to log. A second call in the same process changes nothing.
    ///
    /// # Errors
    /// The level cannot be understood.
    pub fn begin(&self) -> Result<(), LoggingError> {
        let level = self.log.as_deref().unwrap_or("warn");
        let filter = EnvFilter::try_new(level).map_err(|error| LoggingError { level: level.to_owned(), error })?;
        let registry = tracing_subscriber::registry().with(filter);
        let colours = std::io::stderr().is_terminal();
        let layer = fmt::layer().with_writer(std::io::stderr).with_target(true).with_ansi(colours);
        let begun = match self.log_format.unwrap_or_default() {
            Format::Text => registry.with(layer).try_init(),
            Format::Json => registry.with(layer.json()).try_init(),
        };
        if begun.is_err() {
            tracing::debug!("logging had begun already");
        }
        Ok(())
    }
}
