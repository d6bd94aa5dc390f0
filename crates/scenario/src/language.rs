//! The scenario language: YAML files, one scenario each.
//!
//! Steps are written in the field's verbs. A step that is expected to be refused says so under `expect`; every other
//! step must succeed. `{name}` in paths, headers and texts is replaced by what an earlier step kept under that name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use openbanking::{permissions::Permission, version::ApiVersion};
use serde::Deserialize;
use serde_json::Value;
use tpp::steps::Token;

/// A scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Short name, unique among the files of a run.
    pub name: String,
    /// What happens, in a sentence.
    pub about: String,
    /// The bank's name at the Directory.
    pub bank: String,
    /// The customer's user name at the bank.
    pub persona: String,
    /// Version of the Read/Write API; v4.0 when it is not said.
    #[serde(default)]
    pub version: ApiVersion,
    /// What happens, in order. A step that fails ends the scenario.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The TPP enrols at the Directory: certificates, software statement.
    Onboard(Plain),
    /// The TPP finds the bank through the Directory and registers there.
    Register(Plain),
    /// The TPP lodges an account access consent.
    LodgeConsent(LodgeConsent),
    /// The TPP sends the customer to the bank; the customer decides.
    Authorise(Authorise),
    /// The TPP redeems the code.
    ExchangeCode(Plain),
    /// The TPP renews its access token.
    Refresh(Plain),
    /// The TPP calls the bank's API.
    Call(Call),
    /// Time passes, at every party.
    Advance(Advance),
}

impl Step {
    /// What a report calls the step.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Onboard(_) => "The TPP onboards at the Directory".to_owned(),
            Self::Register(_) => "The TPP registers at the bank".to_owned(),
            Self::LodgeConsent(_) => "The TPP lodges a consent".to_owned(),
            Self::Authorise(step) => match step.psu {
                Decision::Approve => "The customer authorises it at the bank".to_owned(),
                Decision::CancelAtLogin => "The customer cancels at the login".to_owned(),
                Decision::CancelAtAccounts => "The customer cancels where accounts are chosen".to_owned(),
            },
            Self::ExchangeCode(_) => "The TPP exchanges the code".to_owned(),
            Self::Refresh(_) => "The TPP refreshes its token".to_owned(),
            Self::Call(call) => format!("The TPP calls {} {}", call.method, call.path),
            Self::Advance(advance) => format!("Time passes: {advance}"),
        }
    }

    /// What the file expects of the step.
    #[must_use]
    pub fn expect(&self) -> Option<&Expect> {
        match self {
            Self::Onboard(step) | Self::Register(step) | Self::ExchangeCode(step) | Self::Refresh(step) => {
                step.expect.as_ref()
            }
            Self::LodgeConsent(step) => step.expect.as_ref(),
            Self::Authorise(step) => step.expect.as_ref(),
            Self::Call(step) => step.expect.as_ref(),
            Self::Advance(_) => None,
        }
    }
}

/// A step that needs nothing more than its name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plain {
    /// What must come of it.
    pub expect: Option<Expect>,
}

/// `lodge-consent`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LodgeConsent {
    /// Permission codes.
    pub permissions: Vec<Permission>,
    /// `ExpirationDateTime`, in days from the TPP's now.
    #[serde(default)]
    pub expires_in_days: Option<i64>,
    /// `TransactionFromDateTime`, in days before the TPP's now.
    #[serde(default)]
    pub transactions_from_days_ago: Option<i64>,
    /// `TransactionToDateTime`, in days before the TPP's now.
    #[serde(default)]
    pub transactions_to_days_ago: Option<i64>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Option<Expect>,
}

/// `authorise`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Authorise {
    /// What the customer decides.
    pub psu: Decision,
    /// Which accounts the customer picks, by texts of their labels; all when there are none.
    pub accounts: Vec<String>,
    /// What must come of it.
    pub expect: Option<Expect>,
}

/// What the customer decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Log in and confirm.
    #[default]
    Approve,
    /// Cancel on the first page.
    CancelAtLogin,
    /// Log in, then cancel.
    CancelAtAccounts,
}

/// `call`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    /// HTTP method; GET when it is not said.
    #[serde(default = "get")]
    pub method: String,
    /// Path below `/open-banking/{version}/aisp`, or an absolute URL of the bank.
    pub path: String,
    /// Whose token; the customer's when it is not said.
    #[serde(default)]
    pub token: Token,
    /// Another version than the scenario's.
    #[serde(default)]
    pub version: Option<ApiVersion>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default)]
    pub body: Option<Value>,
    /// What must come of it; a status of 200 to 299 when it says nothing of the status.
    #[serde(default)]
    pub expect: Option<Expect>,
    /// Keeps parts of the answer: name and JSON pointer (RFC 6901).
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

fn get() -> String {
    "GET".to_owned()
}

/// `advance`: how much time passes; what is given is added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Advance {
    /// Days.
    pub days: i64,
    /// Hours.
    pub hours: i64,
    /// Minutes.
    pub minutes: i64,
    /// Seconds.
    pub seconds: i64,
}

impl Advance {
    /// All of it in seconds.
    #[must_use]
    pub fn total_seconds(&self) -> i64 {
        ((self.days * 24 + self.hours) * 60 + self.minutes) * 60 + self.seconds
    }
}

impl std::fmt::Display for Advance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [(self.days, "day"), (self.hours, "hour"), (self.minutes, "minute"), (self.seconds, "second")];
        let said: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count != 0)
            .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        f.write_str(&said.join(", "))
    }
}

/// What must come of a step. With an error, a rule, or a status of 400 or more, the step must be refused.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// HTTP status.
    pub status: Option<u16>,
    /// OAuth error code, or error code of the Read/Write API.
    pub error: Option<String>,
    /// Identifier of the rule that must speak, at whichever party.
    pub rule: Option<String>,
    /// Values in the JSON body, by JSON pointer.
    pub equal: BTreeMap<String, Value>,
    /// JSON pointers that must lead somewhere.
    pub present: Vec<String>,
    /// JSON pointers that must lead nowhere.
    pub absent: Vec<String>,
    /// Lists in the JSON body that must have so many elements or more, by JSON pointer.
    pub at_least: BTreeMap<String, usize>,
    /// Headers of the answer, in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Expect {
    /// Whether the step must be refused.
    #[must_use]
    pub fn refusal(&self) -> bool {
        self.error.is_some() || self.rule.is_some() || self.status.is_some_and(|status| status >= 400)
    }
}

/// A scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It says something that the language does not have.
    #[error("{path} is wrong: {error}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, with line and column.
        error: String,
    },
}

impl Scenario {
    /// Reads a scenario from its text.
    ///
    /// # Errors
    /// The text is wrong; line and column are told.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let wrong = |error: String| ScenarioError::Wrong { path: path.to_owned(), error };
        let scenario: Self = party::settings::parse_yaml(text).map_err(wrong)?;
        if scenario.steps.is_empty() {
            return Err(wrong("it has no steps".to_owned()));
        }
        for step in &scenario.steps {
            if let Step::Advance(advance) = step
                && advance.total_seconds() <= 0
            {
                return Err(wrong("advance needs days, hours, minutes or seconds above zero".to_owned()));
            }
        }
        Ok(scenario)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// The file cannot be read, or is wrong.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
name: short
about: A consent that is refused.
bank: Ashdown Bank
persona: nora
steps:
  - onboard: {}
  - lodge-consent:
      permissions: [ReadBalances]
      expect: { status: 400, rule: ais.consent.permissions }
  - advance: { days: 1, hours: 2 }
  - call: { path: /accounts, keep: { account: /Data/Account/0/AccountId } }
";

    fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(Path::new("short.yaml"), text)
    }

    #[test]
    fn a_scenario_is_read() {
        let scenario = parse(TEXT).unwrap();
        assert_eq!(scenario.version, ApiVersion::V4_0);
        assert!(scenario.steps[1].expect().unwrap().refusal());
        assert_eq!(scenario.steps[2].title(), "Time passes: 1 day, 2 hours");
        assert_eq!(scenario.steps[3].title(), "The TPP calls GET /accounts");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (right, wrong, line) in [
            ("onboard: {}", "onbord: {}", "7"),
            ("permissions: [ReadBalances]", "permissions: [ReadBalance]", "9"),
            ("persona: nora", "customer: nora", "5"),
            ("path: /accounts", "pat: /accounts", "12"),
        ] {
            let error = parse(&TEXT.replace(right, wrong)).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}")), "{wrong}: {error}");
        }
    }

    #[test]
    fn time_only_passes_forward() {
        let error = parse(&TEXT.replace("days: 1, hours: 2", "days: -1")).unwrap_err().to_string();
        assert!(error.contains("above zero"), "{error}");
    }
}
