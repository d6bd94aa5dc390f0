//! What can be set, in three forms: flag, environment variable, configuration file.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use url::Url;

/// Settings of a bank. A flag wins over the environment, the environment over the configuration file, that over the
/// default.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Folder for keys, certificates and the store [default: .ob-aspsp]
    #[arg(long, env = "OB_ASPSP_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Base URL of the Directory [default: https://localhost:8440]
    #[arg(long, env = "OB_ASPSP_DIRECTORY", value_name = "URL")]
    pub directory: Option<Url>,
    /// PEM file with the certificate that the ecosystem trusts [default: .ob-directory/public/trust-anchor.pem]
    #[arg(long, env = "OB_ASPSP_TRUST_ANCHOR", value_name = "FILE")]
    pub trust_anchor: Option<PathBuf>,
    /// Where discovery, keys and the customer's pages listen, without client certificates [default: 127.0.0.1:8450]
    #[arg(long, env = "OB_ASPSP_PUBLIC_LISTEN", value_name = "ADDRESS")]
    pub public_listen: Option<SocketAddr>,
    /// Base URL of the public listener [default: https://localhost and the port]
    #[arg(long, env = "OB_ASPSP_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Where the token endpoint, registration and the APIs listen, with client certificates [default: 127.0.0.1:8451]
    #[arg(long, env = "OB_ASPSP_MTLS_LISTEN", value_name = "ADDRESS")]
    pub mtls_listen: Option<SocketAddr>,
    /// Base URL of the listener with client certificates [default: https://localhost and the port]
    #[arg(long, env = "OB_ASPSP_MTLS_URL", value_name = "URL")]
    pub mtls_url: Option<Url>,
    /// Where the control port listens: health, journal, clock [default: 127.0.0.1:8459]
    #[arg(long, env = "OB_ASPSP_CONTROL_LISTEN", value_name = "ADDRESS")]
    pub control_listen: Option<SocketAddr>,
    /// Token that the control port demands; needed when it listens beyond loopback
    #[arg(long, env = "OB_ASPSP_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub control_token: Option<String>,
    /// Bank profile: name, registration, page size and behaviour [default: the built-in fixtures/bank.yaml]
    #[arg(long, env = "OB_ASPSP_BANK", value_name = "FILE")]
    pub bank: Option<PathBuf>,
    /// Customers and their money [default: the built-in fixtures/personas.yaml]
    #[arg(long, env = "OB_ASPSP_PERSONAS", value_name = "FILE")]
    pub personas: Option<PathBuf>,
    /// What the authorization server demands and offers [default: fapi1-advanced-uk]
    #[arg(long, env = "OB_ASPSP_PROFILE", value_name = "PROFILE", value_enum)]
    pub profile: Option<ProfileName>,
    /// Clients that are configured instead of registered (YAML, see fixtures/clients.yaml)
    #[arg(long, env = "OB_ASPSP_CLIENTS", value_name = "FILE")]
    pub clients: Option<PathBuf>,
    /// Whether each refresh gives a new refresh token [default: false]
    #[arg(long, env = "OB_ASPSP_ROTATE_REFRESH_TOKENS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub rotate_refresh_tokens: Option<bool>,
    /// Whether access tokens are JWTs that a gateway can read (RFC 9068) [default: false]
    #[arg(long, env = "OB_ASPSP_JWT_ACCESS_TOKENS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub jwt_access_tokens: Option<bool>,
    /// Whether clients may authenticate with certificates of any authority that stand in their key sets (RFC 8705, 2.2)
    /// [default: false]
    #[arg(long, env = "OB_ASPSP_SELF_SIGNED_CLIENTS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub self_signed_clients: Option<bool>,
    /// PEM file with further authorities whose client certificates are trusted, beside the Directory's
    /// [default: none]
    #[arg(long, env = "OB_ASPSP_CLIENT_AUTHORITIES", value_name = "FILE")]
    pub client_authorities: Option<PathBuf>,
    /// Whether clients may authenticate with secrets, which FAPI forbids; for tools that know nothing else [default: false]
    #[arg(long, env = "OB_ASPSP_CLIENT_SECRETS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub client_secrets: Option<bool>,
    /// How many authorization requests of one client may wait for a customer's decision [default: 10000]
    #[arg(long, env = "OB_ASPSP_UNFINISHED_AUTHORISATIONS", value_name = "NUMBER")]
    pub unfinished_authorisations: Option<usize>,
    /// Page of another identity system that logs customers in (docs/login-page.md) [default: the bank's own pages]
    #[arg(long, env = "OB_ASPSP_LOGIN_PAGE", value_name = "URL")]
    pub login_page: Option<Url>,
    /// Keys of that page (JWK set) that sign its answers
    #[arg(long, env = "OB_ASPSP_LOGIN_KEYS", value_name = "FILE")]
    pub login_keys: Option<PathBuf>,
    /// Seed of the customers' money: the same seed gives the same accounts and transactions [default: 1]
    #[arg(long, env = "OB_ASPSP_SEED", value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Lesson mode: the control port may switch off security rules, so that attacks succeed. Never where anything is to be
    /// protected [default: false]
    #[arg(long, env = "OB_ASPSP_LESSON", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub lesson: Option<bool>,
    /// Seed of identifiers and tokens, so that a run repeats. For tests only: they are predictable. Keys stay random
    /// [default: none]
    #[arg(long, env = "OB_ASPSP_CHANCE_SEED", value_name = "NUMBER")]
    pub chance_seed: Option<u64>,
    /// Also write the journal of exchanges to this file, one JSON object a line
    #[arg(long, env = "OB_ASPSP_JOURNAL", value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// A profile of the authorization server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// FAPI 1.0 Advanced with the UK Open Banking rules: every authorisation is for an intent
    #[default]
    #[value(name = "fapi1-advanced-uk")]
    #[serde(rename = "fapi1-advanced-uk")]
    Fapi1AdvancedUk,
    /// FAPI 1.0 Advanced alone: also the response type code with JARM, and no intents
    #[value(name = "fapi1-advanced")]
    #[serde(rename = "fapi1-advanced")]
    Fapi1Advanced,
}

const CONTROL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8459);

impl Settings {
    /// Where the control port listens.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control_listen.unwrap_or(CONTROL)
    }
}
