//! The scenario language: YAML files, one scenario each.
//!
//! Steps are written in the field's verbs ([`steps`]). A step that is expected to be refused says so under `expect`; every
//! other step must succeed. `{name}` in paths, headers, bodies and texts is replaced by what an earlier step kept under
//! that name. What many scenarios have in common stands in files of its own ([`reading`]). The form of the files as a
//! JSON Schema, for editors, is [`schema`].

mod checking;
mod duration;
mod expect;
#[cfg(test)]
mod mistakes;
mod places;
pub mod reading;
pub mod schema;
pub mod steps;
mod using;

use std::collections::BTreeMap;

use openbanking::version::ApiVersion;
use schemars::JsonSchema;
use serde::Deserialize;

pub use checking::Known;
pub use duration::{NotATime, Passing};
pub use expect::Expect;
pub use places::Place;
pub use reading::ScenarioError;

use steps::{
    AccountStatus, AdvanceStep, AuthoriseStep, CallStep, ClientTokenStep, Common, Decision, DeliverResponseStep,
    ExchangeCodeStep, ExpectJournalStep, FaultStep, Include, LodgeConsentStep, MisbehaveStep, OnboardStep, RefreshStep,
    RegisterStep, RejectPaymentStep, RevokeCertificateStep, RevokeStep, SetAccountStatusStep, SetStatusStep,
    SettlePaymentStep, Stepped, VisitStep,
};

/// The TPP whose steps they are when nothing is said.
pub const TPP: &str = "tpp";
/// The first bank, where faults and journals are meant.
pub const BANK: &str = "bank";
/// The Directory, where faults and journals are meant.
pub const DIRECTORY: &str = "directory";

/// A scenario.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Short name, unique among the files of a run.
    pub name: String,
    /// What happens, in a sentence.
    pub about: String,
    /// For attacks: what the attacker would gain, in a sentence.
    #[serde(default)]
    pub gains: Option<String>,
    /// The bank's name at the Directory, or its discovery URL.
    pub bank: String,
    /// The customer's user name at the bank.
    pub persona: String,
    /// Version of the Read/Write API; v4.0 when it is not said.
    #[serde(default)]
    #[schemars(schema_with = "steps::version")]
    pub version: ApiVersion,
    /// Further TPPs beside the one called `tpp`, by the names that steps use: what each is.
    #[serde(default)]
    pub tpps: BTreeMap<String, OtherTpp>,
    /// Further banks beside the one called `bank`, by the names under which faults and journals know them: what each is.
    /// Steps name a bank by its name at the Directory.
    #[serde(default)]
    pub banks: BTreeMap<String, OtherBank>,
    /// Values that steps find under these names.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What happens, in order. A step that fails ends the scenario.
    pub steps: Vec<Step>,
    /// How the attack succeeds when its rules are off.
    #[serde(default)]
    pub lesson: Option<Lesson>,
    /// Where each step stands, those of the lesson behind the others.
    #[serde(skip)]
    pub places: Vec<Place>,
}

/// A further TPP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherTpp {
    /// Its profile, beside the scenario's file; the built-in second TPP when it is not said. With an `identity` in it the
    /// TPP has certificates and keys of its own, and needs no Directory.
    pub profile: Option<String>,
}

/// A further bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherBank {
    /// Its profile, beside the scenario's file; the built-in second bank when it is not said.
    pub profile: Option<String>,
    /// What its authorization server demands and offers.
    pub authorization_server: AuthorizationServer,
    /// Clients that it knows without registration, beside the scenario's file (YAML, see fixtures/clients.yaml).
    pub clients: Option<String>,
}

/// The profile of a bank's authorization server (README, "The authorization server").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum AuthorizationServer {
    /// With the rules of the UK.
    #[default]
    #[serde(rename = "fapi1-advanced-uk")]
    Fapi1AdvancedUk,
    /// FAPI alone: also signed answers (JARM), and no intents.
    #[serde(rename = "fapi1-advanced")]
    Fapi1Advanced,
}

/// What a run with `--lesson` shows: the same scenario with these rules off, where the attack must succeed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lesson {
    /// The party whose rules are off; `bank` when it is not said.
    #[serde(default)]
    pub at: Option<String>,
    /// Identifiers of the rules.
    pub off: Vec<String>,
    /// What was stolen then, in a sentence.
    pub stolen: String,
    /// What happens after the steps of the scenario, to show it.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The TPP enrols at the Directory.
    Onboard(OnboardStep),
    /// The TPP registers at the bank.
    Register(RegisterStep),
    /// The TPP lodges a consent.
    LodgeConsent(LodgeConsentStep),
    /// The TPP sends the customer to the bank; the customer decides.
    Authorise(AuthoriseStep),
    /// The customer's browser delivers an answer of the bank to the TPP.
    DeliverResponse(DeliverResponseStep),
    /// The TPP redeems the code.
    ExchangeCode(ExchangeCodeStep),
    /// The TPP renews its access token.
    Refresh(RefreshStep),
    /// The TPP gets a token of its own.
    ClientToken(ClientTokenStep),
    /// The TPP gives a token back.
    Revoke(RevokeStep),
    /// The TPP calls the bank's API.
    Call(CallStep),
    /// The customer opens a page of the bank.
    Visit(VisitStep),
    /// Time passes, at every party: `90 days`.
    Advance(AdvanceStep),
    /// Something goes wrong at a party.
    Fault(FaultStep),
    /// The bank misbehaves.
    Misbehave(MisbehaveStep),
    /// The Directory's operator changes the TPP's status.
    SetStatus(SetStatusStep),
    /// The Directory's operator revokes a certificate of the TPP.
    RevokeCertificate(RevokeCertificateStep),
    /// The bank's people block, close or open an account.
    SetAccountStatus(SetAccountStatusStep),
    /// The bank's people reject a payment.
    RejectPayment(RejectPaymentStep),
    /// A payment takes its next step.
    SettlePayment(SettlePaymentStep),
    /// What the journals must hold.
    ExpectJournal(ExpectJournalStep),
    /// Values for later steps, by name.
    Set(BTreeMap<String, String>),
    /// The steps of another file.
    Include(Include),
}

/// What every step has, of each that can have it; the steps that cannot end the function.
macro_rules! stepped {
    ($step:expr, $of:ident => $with:expr) => {
        match $step {
            Step::Onboard($of) => $with,
            Step::Register($of) => $with,
            Step::LodgeConsent($of) => $with,
            Step::Authorise($of) => $with,
            Step::DeliverResponse($of) => $with,
            Step::ExchangeCode($of) => $with,
            Step::Refresh($of) => $with,
            Step::ClientToken($of) => $with,
            Step::Revoke($of) => $with,
            Step::Call($of) => $with,
            Step::Visit($of) => $with,
            Step::Fault($of) => $with,
            Step::Misbehave($of) => $with,
            Step::SetStatus($of) => $with,
            Step::RevokeCertificate($of) => $with,
            Step::SetAccountStatus($of) => $with,
            Step::RejectPayment($of) => $with,
            Step::SettlePayment($of) => $with,
            Step::ExpectJournal($of) => $with,
            Step::Advance(_) | Step::Set(_) | Step::Include(_) => return Default::default(),
        }
    };
}

impl Step {
    /// Makes this TPP the step's own, unless it has one.
    pub(crate) fn by(&mut self, tpp: &str) {
        stepped!(self, step => step.by(tpp));
    }

    /// What every step can have; none of steps that cannot be refused.
    #[must_use]
    pub fn common(&self) -> Option<Common<'_>> {
        Some(stepped!(self, step => step.common()))
    }

    /// The TPP whose step it is.
    #[must_use]
    pub fn tpp(&self) -> &str {
        self.common().and_then(|common| common.tpp).unwrap_or(TPP)
    }

    /// What the file expects of the step.
    #[must_use]
    pub fn expect(&self) -> Option<&Expect> {
        self.common()?.expect
    }

    /// What a report calls the step.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(about) = self.common().and_then(|common| common.about) {
            return about.to_owned();
        }
        let who = match self.tpp() {
            TPP => "The TPP".to_owned(),
            other => format!("The TPP {other:?}"),
        };
        match self {
            Self::Onboard(_) => format!("{who} onboards at the Directory"),
            Self::Register(_) => format!("{who} registers at the bank"),
            Self::LodgeConsent(step) => match &step.kind {
                Some(kind) => format!("{who} lodges one of the {kind}"),
                None => format!("{who} lodges a consent"),
            },
            Self::Authorise(step) => match (&step.cancel_on, step.psu) {
                (Some(text), _) => format!("The customer cancels on the page {text:?}"),
                (None, Decision::Approve) => "The customer authorises it at the bank".to_owned(),
                (None, Decision::CancelAtLogin) => "The customer cancels at the login".to_owned(),
                (None, Decision::CancelAtAccounts) => "The customer cancels where accounts are chosen".to_owned(),
            },
            Self::DeliverResponse(_) => {
                format!("The browser delivers an answer of the bank to {}", who.replace("The", "the"))
            }
            Self::ExchangeCode(_) => format!("{who} exchanges the code"),
            Self::Refresh(_) => format!("{who} refreshes its token"),
            Self::ClientToken(_) => format!("{who} gets a token of its own"),
            Self::Revoke(_) => format!("{who} gives a token back"),
            Self::Call(call) => format!("{who} calls {} {}", call.method.as_deref().unwrap_or("GET"), call.path),
            Self::Visit(step) => format!("The customer opens {} at the bank", step.page),
            Self::Advance(passing) => format!("Time passes: {passing}"),
            Self::Fault(step) => format!("A fault at {}", step.at),
            Self::Misbehave(step) if step.deviations.is_empty() => "The bank behaves again".to_owned(),
            Self::Misbehave(step) => format!("The bank misbehaves: {}", step.deviations.join(", ")),
            Self::SetStatus(step) => format!("The Directory's operator makes the TPP {}", step.status),
            Self::RevokeCertificate(step) => {
                format!("The Directory's operator revokes the TPP's {} certificate", step.which)
            }
            Self::SetAccountStatus(step) => match step.status {
                AccountStatus::Enabled => "The bank opens an account again".to_owned(),
                AccountStatus::Disabled => "The bank blocks an account".to_owned(),
                AccountStatus::Closed => "The bank closes an account".to_owned(),
            },
            Self::RejectPayment(_) => "The bank rejects a payment".to_owned(),
            Self::SettlePayment(_) => "The bank lets a payment take its next step".to_owned(),
            Self::ExpectJournal(_) => "The journals are read".to_owned(),
            Self::Set(values) => format!("Set {}", values.keys().cloned().collect::<Vec<_>>().join(", ")),
            Self::Include(include) => format!("The steps of {}", include.file),
        }
    }
}

impl Scenario {
    /// Whether it is an attack.
    #[must_use]
    pub fn is_attack(&self) -> bool {
        self.gains.is_some()
    }

    /// All its steps, those of its lesson among them.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(self.lesson.iter().flat_map(|lesson| &lesson.steps))
    }
}
