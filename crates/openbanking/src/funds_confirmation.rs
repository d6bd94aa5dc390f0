//! Confirmation of funds for card-based instruments (CBPII): consents and confirmations; the same in both versions but
//! for `Proxy` and the names of states.

use crate::consent::ConsentState;
use crate::dates;
use crate::links::{Links, Meta};
use crate::money::{ActiveAmount, Money};
use crate::payments::PaymentAccount;
use crate::payments::normalise;
use crate::payments::schema::{AMOUNT, CONSENT_ID, DEBTOR};
use crate::payments::view::View;
use crate::reading::{Form, Member, ReadingError, read_form};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// `OBFundsConfirmationConsent1`.
const CONSENT: Form = Form::Object(&[Member::required(
    "Data",
    Form::Open(&[
        Member::optional("ExpirationDateTime", Form::DateTime),
        Member::required("DebtorAccount", Form::Open(DEBTOR)),
    ]),
)]);

/// `OBFundsConfirmation1`.
const CONFIRMATION: Form = Form::Object(&[Member::required(
    "Data",
    Form::Open(&[
        CONSENT_ID,
        Member::required("Reference", Form::Text(35)),
        Member::required("InstructedAmount", Form::Open(AMOUNT)),
    ]),
)]);

/// Body of `POST /funds-confirmation-consents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FundsConfirmationConsentRequest {
    version: ApiVersion,
    body: Value,
}

impl FundsConfirmationConsentRequest {
    /// Reads the body as the schema wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
        let mut body = read_form(body, &CONSENT, version)?;
        normalise(&mut body);
        Ok(Self { version, body })
    }

    /// The version that it was written in.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// The whole `Data`.
    pub fn data(&self) -> &Value {
        &self.body["Data"]
    }

    /// The account whose funds are to be confirmed.
    ///
    /// # Errors
    /// Its number does not fit its scheme.
    pub fn debtor_account(&self) -> Result<PaymentAccount, ReadingError> {
        PaymentAccount::of(&View::new(self.data(), "Data").need("DebtorAccount")?)
    }

    /// Until when; open ended without it.
    pub fn expiration(&self) -> Option<OffsetDateTime> {
        View::new(self.data(), "Data").get("ExpirationDateTime").and_then(|view| view.date().ok())
    }
}

/// `Data` of an answer about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FundsConfirmationConsentData {
    /// What every consent tells.
    #[serde(flatten)]
    pub state: ConsentState,
    /// What was sent.
    #[serde(flatten)]
    pub asked: Map<String, Value>,
}

/// Body of the answers about a consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsConfirmationConsentAnswer {
    /// The consent.
    pub data: FundsConfirmationConsentData,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl FundsConfirmationConsentAnswer {
    /// The answer about a consent, in the version of its request.
    pub fn of(request: &FundsConfirmationConsentRequest, state: ConsentState, links: Links, meta: Meta) -> Self {
        let state = state.in_version(request.version());
        let mut asked = request.data().as_object().cloned().unwrap_or_default();
        asked.retain(|name, _| matches!(name.as_str(), "ExpirationDateTime" | "DebtorAccount"));
        let data = FundsConfirmationConsentData { state, asked };
        Self { data, links: Some(links), meta: Some(meta) }
    }
}

/// Body of `POST /funds-confirmations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsConfirmationRequest {
    /// What is asked.
    pub data: FundsConfirmationAsked,
}

/// Whether there is so much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsConfirmationAsked {
    /// The consent that the access token is for.
    pub consent_id: String,
    /// The issuer's own name of the question; at most 35 characters.
    pub reference: String,
    /// How much; in the currency of the account.
    pub instructed_amount: ActiveAmount,
}

impl FundsConfirmationRequest {
    /// Reads the body as the schema wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
        let body: Value = read_form(body, &CONFIRMATION, version)?;
        let view = View::new(&body["Data"], "Data");
        // The amount that is kept is as it was sent; this names what is wrong with it.
        view.need("InstructedAmount")?.money()?;
        serde_json::from_value(body.clone()).map_err(|error| view.invalid(&error.to_string()))
    }

    /// How much is asked for.
    pub fn amount(&self) -> Money {
        self.data.instructed_amount.money()
    }
}

/// `Data` of a confirmation: yes or no, never a balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FundsConfirmation {
    /// At most 40 characters.
    pub funds_confirmation_id: String,
    /// When it was asked.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Whether there is so much.
    pub funds_available: bool,
    /// What was asked.
    #[serde(flatten)]
    pub asked: FundsConfirmationAsked,
}

impl FundsConfirmation {
    /// The answer of that moment.
    pub fn new(id: impl Into<String>, asked: FundsConfirmationAsked, available: bool, at: OffsetDateTime) -> Self {
        Self { funds_confirmation_id: id.into(), creation_date_time: at, funds_available: available, asked }
    }
}
