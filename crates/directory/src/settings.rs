//! What can be set, in three forms: flag, environment variable, configuration file.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use url::Url;

/// Settings of a Directory. A flag wins over the environment, the environment over the configuration file, that over the
/// default.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Folder for the authority's keys, certificates and the store [default: .ob-directory]
    #[arg(long, env = "OB_DIRECTORY_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where discovery, keys, revocations and enrolment listen, without client certificates [default: 127.0.0.1:8440]
    #[arg(long, env = "OB_DIRECTORY_PUBLIC_LISTEN", value_name = "ADDRESS")]
    pub public_listen: Option<SocketAddr>,
    /// Base URL of the public listener [default: https://localhost and the port]
    #[arg(long, env = "OB_DIRECTORY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Where the token endpoint and the API listen, with client certificates [default: 127.0.0.1:8441]
    #[arg(long, env = "OB_DIRECTORY_MTLS_LISTEN", value_name = "ADDRESS")]
    pub mtls_listen: Option<SocketAddr>,
    /// Base URL of the listener with client certificates [default: https://localhost and the port]
    #[arg(long, env = "OB_DIRECTORY_MTLS_URL", value_name = "URL")]
    pub mtls_url: Option<Url>,
    /// Where the control port listens: health, journal, clock, statuses [default: 127.0.0.1:8449]
    #[arg(long, env = "OB_DIRECTORY_CONTROL_LISTEN", value_name = "ADDRESS")]
    pub control_listen: Option<SocketAddr>,
    /// Token that the control port demands; needed when it listens beyond loopback
    #[arg(long, env = "OB_DIRECTORY_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub control_token: Option<String>,
    /// Organisations that are known from the start [default: the built-in fixtures/participants.yaml]
    #[arg(long, env = "OB_DIRECTORY_PARTICIPANTS", value_name = "FILE")]
    pub participants: Option<PathBuf>,
    /// Who may enrol that is not known: open, invitation or closed [default: open]
    #[arg(long, env = "OB_DIRECTORY_ENROLMENT", value_name = "POLICY")]
    pub enrolment: Option<EnrolmentPolicy>,
    /// Lesson mode: the control port may switch off security rules, so that attacks succeed. Never where anything is to be
    /// protected [default: false]
    #[arg(long, env = "OB_DIRECTORY_LESSON", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub lesson: Option<bool>,
    /// Seed of identifiers and tokens, so that a run repeats. For tests only: they are predictable. Keys stay random
    /// [default: none]
    #[arg(long, env = "OB_DIRECTORY_CHANCE_SEED", value_name = "NUMBER")]
    pub chance_seed: Option<u64>,
    /// Also write the journal of exchanges to this file, one JSON object a line
    #[arg(long, env = "OB_DIRECTORY_JOURNAL", value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

const CONTROL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8449);

impl Settings {
    /// Where the control port listens.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control_listen.unwrap_or(CONTROL)
    }
}

/// Who may enrol that the Directory does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnrolmentPolicy {
    /// Everybody.
    #[default]
    Open,
    /// Who has an invitation from the control port.
    Invitation,
    /// Nobody.
    Closed,
}
