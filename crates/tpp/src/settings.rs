//! What can be set, in three forms: flag, environment variable, configuration file.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use url::Url;

/// Settings of a TPP. A flag wins over the environment, the environment over the configuration file, that over the
/// default.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Folder for keys, certificates and the store [default: .ob-tpp]
    #[arg(long, env = "OB_TPP_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Base URL of the Directory [default: https://localhost:8440]
    #[arg(long, env = "OB_TPP_DIRECTORY", value_name = "URL")]
    pub directory: Option<Url>,
    /// PEM file with the certificate that the ecosystem trusts [default: .ob-directory/public/trust-anchor.pem]
    #[arg(long, env = "OB_TPP_TRUST_ANCHOR", value_name = "FILE")]
    pub trust_anchor: Option<PathBuf>,
    /// Where the callback server listens [default: 127.0.0.1:8460]
    #[arg(long, env = "OB_TPP_PUBLIC_LISTEN", value_name = "ADDRESS")]
    pub public_listen: Option<SocketAddr>,
    /// Base URL of the callback server [default: https://localhost and the port]
    #[arg(long, env = "OB_TPP_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Where the control port listens: steps, health, journal, clock [default: 127.0.0.1:8469]
    #[arg(long, env = "OB_TPP_CONTROL_LISTEN", value_name = "ADDRESS")]
    pub control_listen: Option<SocketAddr>,
    /// Token that the control port demands; needed when it listens beyond loopback
    #[arg(long, env = "OB_TPP_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub control_token: Option<String>,
    /// TPP profile: name, registration, roles [default: the built-in fixtures/tpp.yaml]
    #[arg(long, env = "OB_TPP_PROFILE", value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Lesson mode: the control port may switch off security rules, so that attacks succeed. Never where anything is to be
    /// protected [default: false]
    #[arg(long, env = "OB_TPP_LESSON", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub lesson: Option<bool>,
    /// Seed of identifiers and tokens, so that a run repeats. For tests only: they are predictable. Keys stay random
    /// [default: none]
    #[arg(long, env = "OB_TPP_CHANCE_SEED", value_name = "NUMBER")]
    pub chance_seed: Option<u64>,
    /// Also write the journal of exchanges to this file, one JSON object a line
    #[arg(long, env = "OB_TPP_JOURNAL", value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

const CONTROL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8469);

impl Settings {
    /// Where the control port listens.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control_listen.unwrap_or(CONTROL)
    }
}
