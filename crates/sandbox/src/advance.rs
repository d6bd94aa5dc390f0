//! `ob-sandbox advance`: time passes at every party that runs.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::process::ExitCode;

use clap::Args;
use party::{StartError, control::ClockReading};
use scenario::{ControlAddress, ecosystem, language::Passing};
use time::format_description::well_known::Rfc3339;
use url::Url;

/// Let time pass at parties that run: all their clocks move to the same time.
///
/// Parties of one process (ob-sandbox up) have one clock. Parties that run by themselves have one each, and refuse what the
/// others sign when one alone is moved: this moves them together, as far beyond the latest of them.
#[derive(Debug, Args)]
pub struct Advance {
    /// How much time passes: 90d, "1 hour 30 minutes". Without it the clocks are only brought together
    #[arg(value_name = "TIME")]
    time: Option<Passing>,
    /// Control port of the Directory
    #[arg(long, env = "OB_SANDBOX_DIRECTORY_CONTROL", value_name = "URL", default_value = "http://127.0.0.1:8449")]
    directory_control: Url,
    /// Control port of the bank
    #[arg(long, env = "OB_SANDBOX_BANK_CONTROL", value_name = "URL", default_value = "http://127.0.0.1:8459")]
    bank_control: Url,
    /// Control port of the TPP
    #[arg(long, env = "OB_SANDBOX_TPP_CONTROL", value_name = "URL", default_value = "http://127.0.0.1:8469")]
    tpp_control: Url,
    /// Control port of a further party; may be given more than once
    #[arg(long, value_name = "URL")]
    other_control: Vec<Url>,
    /// Leave a party out that is not there: directory, bank or tpp; may be given more than once
    #[arg(long, value_name = "PARTY", value_parser = ["directory", "bank", "tpp"])]
    without: Vec<String>,
    /// Token of the control ports
    #[arg(long, env = "OB_SANDBOX_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    control_token: Option<String>,
}

impl Advance {
    /// Moves the clocks.
    ///
    /// # Errors
    /// A control port is not there, in which case no clock was moved, or refused.
    pub(crate) async fn obey(self) -> Result<ExitCode, StartError> {
        let named = [("directory", &self.directory_control), ("bank", &self.bank_control), ("tpp", &self.tpp_control)];
        let others = self.other_control.iter().map(|url| (url.as_str(), url));
        let addresses = named
            .into_iter()
            .filter(|(party, _)| !self.without.iter().any(|without| without == party))
            .chain(others)
            .map(|(party, url)| ControlAddress {
                party: party.to_owned(),
                url: url.clone(),
                token: self.control_token.clone(),
            })
            .collect();
        let seconds = self.time.map_or(0, |time| time.seconds);
        let readings =
            ecosystem::advance(addresses, seconds).await.map_err(|error| StartError::Other(error.to_string()))?;
        for (party, reading) in readings {
            println!("{party:<12}{}", told(&reading));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A clock for people: its time, and how far it was moved.
pub(crate) fn told(reading: &ClockReading) -> String {
    let now = reading.now.replace_nanosecond(0).unwrap_or(reading.now);
    let now = now.format(&Rfc3339).unwrap_or_default();
    match reading.ahead {
        0 => format!("{now}, true time"),
        seconds => format!("{now}, {} ahead of true time", Passing { seconds }),
    }
}
