//! `ob-sandbox advance`: time passes at every party that runs.

use std::process::ExitCode;

use clap::Args;
use party::{StartError, control::ClockReading};
use scenario::{ControlAddress, ecosystem, language::Passing};
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::{output::say, ports::Ports};

/// Let time pass at parties that run: all their clocks move to the same time.
///
/// Parties of one process (ob-sandbox up) have one clock. Parties that run by themselves have one each, and refuse what the
/// others sign when one alone is moved: this moves them together, as far beyond the latest of them.
#[derive(Debug, Args)]
pub struct Advance {
    /// How much time passes: 90d, "1 hour 30 minutes". Without it the clocks are only brought together
    #[arg(value_name = "TIME")]
    time: Option<Passing>,
    /// The first port of the ecosystem that `up --first-port` started
    #[arg(long, value_name = "PORT", default_value_t = Ports::FIRST)]
    first_port: u16,
    /// Control port of the Directory [default: http://127.0.0.1:8449, or as --first-port says]
    #[arg(long, env = "OB_SANDBOX_DIRECTORY_CONTROL", value_name = "URL")]
    directory_control: Option<Url>,
    /// Control port of the bank [default: http://127.0.0.1:8459, or as --first-port says]
    #[arg(long, env = "OB_SANDBOX_BANK_CONTROL", value_name = "URL")]
    bank_control: Option<Url>,
    /// Control port of the TPP [default: http://127.0.0.1:8469, or as --first-port says]
    #[arg(long, env = "OB_SANDBOX_TPP_CONTROL", value_name = "URL")]
    tpp_control: Option<Url>,
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
        let addresses = self.addresses()?;
        let seconds = self.time.map_or(0, |time| time.seconds);
        let readings =
            ecosystem::advance(addresses, seconds).await.map_err(|error| StartError::Other(error.to_string()))?;
        for (party, reading) in readings {
            say!("{party:<12}{}", told(&reading));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Advance {
    /// The control ports whose clocks are moved.
    fn addresses(&self) -> Result<Vec<ControlAddress>, StartError> {
        let wrong = |error: &dyn std::fmt::Display| {
            StartError::Configuration(format!("--first-port {}: {error}", self.first_port))
        };
        let ports = Ports::from(self.first_port).ok_or_else(|| wrong(&"there are no 30 ports from there"))?;
        let named = [
            ("directory", &self.directory_control, ports.directory),
            ("bank", &self.bank_control, ports.bank),
            ("tpp", &self.tpp_control, ports.tpp),
        ];
        let address =
            |party: &str, url: Url| ControlAddress { party: party.to_owned(), url, token: self.control_token.clone() };
        let mut addresses = Vec::new();
        for (party, url, listeners) in named {
            if self.without.iter().any(|without| without == party) {
                continue;
            }
            let url = match url {
                Some(url) => url.clone(),
                None => {
                    Url::parse(&format!("http://127.0.0.1:{}", listeners.control)).map_err(|error| wrong(&error))?
                }
            };
            addresses.push(address(party, url));
        }
        addresses.extend(self.other_control.iter().map(|url| address(url.as_str(), url.clone())));
        Ok(addresses)
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        advance: Advance,
    }

    fn ports(arguments: &[&str]) -> Vec<(String, String)> {
        let line = Line::parse_from([&["advance"], arguments].concat());
        let addresses = line.advance.addresses().unwrap();
        addresses.into_iter().map(|address| (address.party, address.url.to_string())).collect()
    }

    #[test]
    fn the_ports_are_those_of_up_with_the_same_first_port() {
        let of = |party: &str, url: &str| (party.to_owned(), url.to_owned());
        let usual = [
            of("directory", "http://127.0.0.1:8449/"),
            of("bank", "http://127.0.0.1:8459/"),
            of("tpp", "http://127.0.0.1:8469/"),
        ];
        assert_eq!(ports(&["1d"]), usual);
        let other = ports(&["1d", "--first-port", "9000", "--without", "directory", "--tpp-control", "http://tpp:1"]);
        assert_eq!(other, [of("bank", "http://127.0.0.1:9019/"), of("tpp", "http://tpp:1/")]);
        let line = Line::parse_from(["advance", "--first-port", "65530"]);
        assert!(line.advance.addresses().is_err_and(|error| error.to_string().contains("no 30 ports")));
    }
}
