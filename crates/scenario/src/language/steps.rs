//! The steps, in the field's verbs: one type for each.

use std::{collections::BTreeMap, fmt};

use openbanking::{permissions::Permission, version::ApiVersion};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tpp::{
    api::Api,
    profile::{Answers, ResponseMode, ResponseType},
    steps::{Dress, RevokedToken, Token},
    tampering::Tamper,
};

use super::{Expect, Passing};

/// What every step can have.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// What the step is about.
    pub about: Option<&'a str>,
    /// Whose step it is.
    pub tpp: Option<&'a str>,
    /// With which bank.
    pub bank: Option<&'a str>,
    /// What must come of it.
    pub expect: Option<&'a Expect>,
    /// What must come of it in a lesson.
    pub in_lesson: Option<&'a Expect>,
    /// What is kept.
    pub keep: &'a BTreeMap<String, String>,
}

/// A step's common part.
pub trait Stepped {
    /// It.
    fn common(&self) -> Common<'_>;
    /// Makes this TPP the step's own, unless it has one.
    fn by(&mut self, tpp: &str);
}

/// Declares a step: its own members, then those that every step has.
macro_rules! step {
    ($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$row])* pub $member: $type,)*
            /// Says what the step is about, instead of the usual words.
            pub about: Option<String>,
            /// The TPP whose step it is, by its name in `tpps`; the one called `tpp` when it is not said.
            pub tpp: Option<String>,
            /// Another bank than the scenario's.
            pub bank: Option<String>,
            /// What must come of it; it must succeed when nothing is said.
            pub expect: Option<Expect>,
            /// What must come of it in a lesson, where the rules that the scenario names are off.
            pub in_lesson: Option<Expect>,
            /// Keeps parts of the answer for later steps: name, and JSON pointer into the answer, or `header NAME`, or
            /// `claim` and a JSON pointer into the JWT that the step is about.
            pub keep: BTreeMap<String, String>,
        }

        impl Stepped for $name {
            fn common(&self) -> Common<'_> {
                Common {
                    about: self.about.as_deref(),
                    tpp: self.tpp.as_deref(),
                    bank: self.bank.as_deref(),
                    expect: self.expect.as_ref(),
                    in_lesson: self.in_lesson.as_ref(),
                    keep: &self.keep,
                }
            }

            fn by(&mut self, tpp: &str) {
                self.tpp.get_or_insert_with(|| tpp.to_owned());
            }
        }
    };
}

step! {
    /// The TPP enrols at the Directory: certificates, software statement. One that did is taken up.
    OnboardStep {}
}

step! {
    /// The TPP finds the bank through the Directory and registers there. A registration that is there is taken up.
    RegisterStep {
        /// Registers once more.
        anew: bool,
        /// The `client_id` that a bank without dynamic registration gave by hand.
        client_id: Option<String>,
        /// Base URL of the bank's resources, when neither the Directory nor the address of its token endpoint tells.
        resource_base: Option<String>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP lodges a consent.
    LodgeConsentStep {
        /// Name of the resource; `account-access-consents` when it is not said.
        kind: Option<String>,
        /// The body, for every kind but account access.
        body: Option<Value>,
        /// Permission codes of an account access consent.
        #[schemars(schema_with = "permissions")]
        permissions: Vec<Permission>,
        /// `ExpirationDateTime` of an account access consent, in days from the TPP's now.
        expires_in_days: Option<i64>,
        /// `TransactionFromDateTime`, in days before the TPP's now.
        transactions_from_days_ago: Option<i64>,
        /// `TransactionToDateTime`, in days before the TPP's now.
        transactions_to_days_ago: Option<i64>,
        /// Another version than the scenario's.
        #[schemars(schema_with = "other_version")]
        version: Option<ApiVersion>,
        /// Further headers.
        headers: BTreeMap<String, String>,
        /// `x-idempotency-key`; a fresh one when it is not said.
        idempotency_key: Option<String>,
        /// Whether the body is signed; as the API asks when it is not said.
        sign: Option<bool>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP sends the customer to the bank; the customer decides.
    AuthoriseStep {
        /// What the customer decides.
        psu: Decision,
        /// Cancels on the page that contains this text.
        cancel_on: Option<String>,
        /// Which accounts the customer picks, by texts of their labels; all (or the first, where one is picked) when
        /// there are none.
        accounts: Vec<String>,
        /// How often the customer types a wrong password first.
        wrong_passwords: u32,
        /// How often the customer types a wrong one-time password first.
        wrong_one_time_passwords: u32,
        /// Another customer than the scenario's.
        persona: Option<String>,
        /// Another consent than the last one.
        consent: Option<String>,
        /// Whose scope is asked for; that of the consent's kind when it is not said.
        api: Option<Api>,
        /// Asks for the scope of `api` alone, at a bank whose profile has no intents.
        without_consent: bool,
        /// `code id_token`, or `code` in a signed answer; as the TPP's profile says when it is not said.
        response_type: Option<ResponseType>,
        /// How a signed answer (JARM) comes; as the TPP's profile says when it is not said.
        response_mode: Option<ResponseMode>,
        /// Whether the request is pushed to the bank first (RFC 9126).
        push: bool,
        /// With false the bank's answer is caught before it reaches the TPP; its parameters can be kept, and
        /// `deliver-response` delivers them.
        deliver: Option<bool>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The customer's browser delivers an answer of the bank to the TPP: the one that was caught, altered or not.
    DeliverResponseStep {
        /// Parameters to set.
        set: BTreeMap<String, String>,
        /// Parameters to take out.
        remove: Vec<String>,
    }
}

step! {
    /// The TPP redeems the code.
    ExchangeCodeStep {
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP renews its access token.
    RefreshStep {
        /// Another consent than the last one.
        consent: Option<String>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP gets a token of its own (`client_credentials`), whether it has one or not.
    ClientTokenStep {
        /// Whose scope.
        api: Api,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP gives a token of a consent back (RFC 7009).
    RevokeStep {
        /// Which token.
        token: RevokedToken,
        /// Another consent than the last one.
        consent: Option<String>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The TPP calls the bank's API.
    CallStep {
        /// HTTP method; GET when it is not said.
        method: Option<String>,
        /// Path below `/open-banking/{version}/{api}`, or an absolute URL of the bank.
        path: String,
        /// Which API; that of the consent when it is not said.
        api: Option<Api>,
        /// Whose token; the customer's when it is not said.
        token: Token,
        /// This token instead, such as one that was stolen: `"{stolen}"`.
        bearer: Option<String>,
        /// Another consent than the last one.
        consent: Option<String>,
        /// Another version than the scenario's.
        #[schemars(schema_with = "other_version")]
        version: Option<ApiVersion>,
        /// Further headers.
        headers: BTreeMap<String, String>,
        /// `x-idempotency-key`; a fresh one when the API asks for one and it is not said.
        idempotency_key: Option<String>,
        /// Whether the body is signed; as the API asks when it is not said.
        sign: Option<bool>,
        /// JSON body.
        body: Option<Value>,
        /// A body that is not JSON: its text.
        text: Option<String>,
        /// A body from a file, beside the scenario's.
        file: Option<String>,
        /// Content type of `text` or `file`.
        content_type: Option<String>,
        /// What is done wrong on purpose.
        tamper: Tamper,
    }
}

step! {
    /// The customer opens a page of the bank, logs in, and presses buttons or links.
    VisitStep {
        /// Path at the bank, or an absolute URL.
        page: String,
        /// Labels of what is pressed, one after the other.
        press: Vec<String>,
        /// Another customer than the scenario's.
        persona: Option<String>,
    }
}

step! {
    /// Something goes wrong at a party: see docs/control.md for what a fault can be.
    FaultStep {
        /// The party: `bank` or `directory`, or the name of a TPP.
        at: String,
        /// The fault.
        fault: Map<String, Value>,
    }
}

step! {
    /// The bank misbehaves from now on: see docs/control.md for the deviations. An empty list ends it.
    MisbehaveStep {
        /// The party; `bank` when it is not said.
        at: Option<String>,
        /// Names of deviations.
        deviations: Vec<String>,
    }
}

step! {
    /// The Directory's operator changes the status of the TPP's organisation.
    SetStatusStep {
        /// What it is from now on.
        status: ParticipantStatus,
    }
}

step! {
    /// The Directory's operator revokes a certificate of the TPP; banks hear of it at once. It is taken back when the
    /// scenario ends.
    RevokeCertificateStep {
        /// Which one.
        which: CertificateUse,
    }
}

step! {
    /// The bank's people block, close or open an account. It is opened again when the scenario ends.
    SetAccountStatusStep {
        /// `AccountId`.
        account: String,
        /// What it is from now on.
        status: AccountStatus,
        /// The party; `bank` when it is not said.
        at: Option<String>,
    }
}

step! {
    /// The bank's people reject a payment that has not arrived.
    RejectPaymentStep {
        /// `DomesticPaymentId` and its like.
        payment: String,
        /// Why (docs/control.md); `not_specified` when it is not said.
        reason: Option<String>,
        /// The party; `bank` when it is not said.
        at: Option<String>,
    }
}

step! {
    /// A payment takes its next step now, at a bank that waits to be told so (`settlement: { automatic: false }`).
    SettlePaymentStep {
        /// `DomesticPaymentId` and its like.
        payment: String,
        /// The party; `bank` when it is not said.
        at: Option<String>,
    }
}

step! {
    /// What the parties' journals must hold of this scenario so far.
    ExpectJournalStep {
        /// Events that happened in this order; others may lie between them.
        order: Vec<Event>,
        /// Events that must not have happened.
        never: Vec<Event>,
    }
}

/// Why the bank's people reject a payment (docs/control.md).
pub const REASONS: &[&str] = &[
    "insufficient_funds",
    "closed_debtor_account",
    "blocked_debtor_account",
    "transaction_forbidden",
    "closed_creditor_account",
    "blocked_creditor_account",
    "incorrect_creditor_account",
    "same_account",
    "not_allowed_currency",
    "zero_amount",
    "not_allowed_amount",
    "amount_exceeds_agreed_limit",
    "limit_exceeded",
    "order_cancelled",
    "authorisation_expired",
    "not_specified",
];

/// Status of an organisation at the Directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ParticipantStatus {
    /// It may take part.
    #[default]
    Active,
    /// Its authorisation was taken away.
    Revoked,
    /// It went away by itself.
    Withdrawn,
}

impl fmt::Display for ParticipantStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "Active",
            Self::Revoked => "Revoked",
            Self::Withdrawn => "Withdrawn",
        })
    }
}

/// Status of an account at the bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatus {
    /// It pays and is paid.
    #[default]
    Enabled,
    /// It is blocked.
    Disabled,
    /// It is no more.
    Closed,
}

/// What a TPP has a certificate for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateUse {
    /// The one that it shows in TLS handshakes (OBWAC).
    #[default]
    Transport,
    /// The one whose key signs its JWTs (OBSeal).
    Signing,
}

impl fmt::Display for CertificateUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Transport => "transport",
            Self::Signing => "signing",
        })
    }
}

/// What the customer decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Log in and confirm.
    #[default]
    Approve,
    /// Cancel on the first page.
    CancelAtLogin,
    /// Log in, then cancel where accounts are chosen.
    CancelAtAccounts,
}

/// An exchange in a journal. What is said must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Event {
    /// The party whose journal it is in.
    pub party: Option<String>,
    /// `client` when the party asked, `server` when it answered.
    pub side: Option<Side>,
    /// HTTP method.
    pub method: Option<String>,
    /// Part of the URL.
    pub path: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// The rule that refused it.
    pub rule: Option<String>,
}

/// Which end of an exchange wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The one who asked.
    Client,
    /// The one who answered.
    Server,
}

/// `advance`.
pub type AdvanceStep = Passing;

/// `include`: the steps of another file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Include {
    /// The file, beside this one.
    pub file: String,
    /// The TPP whose steps they are.
    #[serde(default)]
    pub tpp: Option<String>,
    /// Values that the steps find under these names.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
}

/// The step's parts of a request.
impl CallStep {
    /// How the request is dressed.
    #[must_use]
    pub fn dress(&self) -> Dress {
        Dress { headers: self.headers.clone(), idempotency_key: self.idempotency_key.clone(), sign: self.sign }
    }
}

impl AuthoriseStep {
    /// How the bank is asked to answer.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { response_type: self.response_type, response_mode: self.response_mode }
    }
}

impl LodgeConsentStep {
    /// How the request is dressed.
    #[must_use]
    pub fn dress(&self) -> Dress {
        Dress { headers: self.headers.clone(), idempotency_key: self.idempotency_key.clone(), sign: self.sign }
    }
}

fn permissions(_: &mut SchemaGenerator) -> Schema {
    let codes: Vec<Value> = Permission::ALL.iter().filter_map(|code| serde_json::to_value(code).ok()).collect();
    json_schema!({ "type": "array", "items": { "enum": codes } })
}

/// Versions of the Read/Write API.
pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ApiVersion::ALL.map(ApiVersion::path_segment) })
}

/// The same, where the scenario's own counts when nothing stands there.
fn other_version(_: &mut SchemaGenerator) -> Schema {
    let versions = ApiVersion::ALL.map(ApiVersion::path_segment).into_iter().map(Value::from);
    json_schema!({ "enum": versions.chain([Value::Null]).collect::<Vec<_>>() })
}
