//! Bodies that lodge VRP consents, order payments and ask for funds.

use super::codes::{AuthenticationMethod, InteractionType, VrpType};
use super::control_parameters::ControlParameters;
use super::schema;
use crate::code::Code;
use crate::error::ErrorCode;
use crate::money::Money;
use crate::parties::CashAccount;
use crate::payments::view::View;
use crate::payments::{LocalInstrument, PaymentAccount, Remittance, first_difference, normalise};
use crate::reading::{Form, ReadingError, read_form};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Body of `POST` and `PUT` to `domestic-vrp-consents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VrpConsentRequest {
    version: ApiVersion,
    body: Value,
}

/// Body of `POST /domestic-vrps`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VrpOrderRequest {
    version: ApiVersion,
    body: Value,
}

/// Body of `POST /domestic-vrp-consents/{ConsentId}/funds-confirmation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VrpFundsRequest {
    version: ApiVersion,
    body: Value,
}

/// What one payment is (`OBDomesticVRPInstruction`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instruction {
    /// The TPP's own name of it.
    pub instruction_identification: String,
    /// Handed on to the payee.
    pub end_to_end_identification: String,
    /// How much.
    pub amount: Money,
    /// To where.
    pub creditor_account: PaymentAccount,
    /// What the payee is told.
    pub remittance: Remittance,
    /// The scheme that is to carry it.
    pub local_instrument: Option<LocalInstrument>,
}

fn read(form: &Form, version: ApiVersion, body: &[u8]) -> Result<Value, ReadingError> {
    let mut body = read_form(body, form, version)?;
    normalise(&mut body);
    Ok(body)
}

fn account(initiation: &Value, name: &str) -> Result<Option<PaymentAccount>, ReadingError> {
    View::new(initiation, "Data.Initiation").maybe(name, PaymentAccount::of)
}

impl VrpConsentRequest {
    /// Reads the body as the schema of the version wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self { version, body: read(&schema::CONSENT, version, body)? })
    }

    /// The version that it was written in.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// The body as it was sent, with namespaces.
    pub(super) fn whole(&self) -> &Value {
        &self.body
    }

    /// The whole `Data`.
    pub fn data(&self) -> &Value {
        &self.body["Data"]
    }

    /// `Data.Initiation`.
    pub fn initiation(&self) -> &Value {
        &self.data()["Initiation"]
    }

    /// The same with the payer's account that the PSU chose, as answers tell it; one that was given stays.
    #[must_use]
    pub fn with_debtor_account(&self, account: &CashAccount) -> Self {
        let mut request = self.clone();
        if let Some(Value::Object(initiation)) = request.body.pointer_mut("/Data/Initiation")
            && let Ok(account) = serde_json::to_value(account)
        {
            initiation.entry("DebtorAccount").or_insert(account);
        }
        request
    }

    /// `Risk`.
    pub fn risk(&self) -> &Value {
        &self.body["Risk"]
    }

    /// Whether orders' answers are to name the payer's account.
    pub fn read_refund_account(&self) -> bool {
        self.data()["ReadRefundAccount"] == "Yes"
    }

    /// The control parameters, judged by the rules between members: a consent for sweeping names the payee's account.
    ///
    /// # Errors
    /// As [`ControlParameters::of`]; `Field.Expected` for the missing account.
    pub fn control_parameters(&self) -> Result<ControlParameters, ReadingError> {
        let parameters = ControlParameters::of(&self.data()["ControlParameters"])?;
        if parameters.vrp_types.contains(&VrpType::Sweeping) && self.initiation().get("CreditorAccount").is_none() {
            let path = "Data.Initiation.CreditorAccount";
            return Err(ReadingError::new(ErrorCode::FieldExpected, path, "the account that is swept into", "none"));
        }
        Ok(parameters)
    }

    /// The payer's account, when it was given.
    ///
    /// # Errors
    /// Its number does not fit its scheme.
    pub fn debtor_account(&self) -> Result<Option<PaymentAccount>, ReadingError> {
        account(self.initiation(), "DebtorAccount")
    }

    /// The payee's account, when it was given.
    ///
    /// # Errors
    /// Its number does not fit its scheme.
    pub fn creditor_account(&self) -> Result<Option<PaymentAccount>, ReadingError> {
        account(self.initiation(), "CreditorAccount")
    }
}

impl VrpOrderRequest {
    /// Reads the body as the schema of the version wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self { version, body: read(&schema::ORDER, version, body)? })
    }

    /// The version that it was written in.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// The whole `Data`.
    pub fn data(&self) -> &Value {
        &self.body["Data"]
    }

    /// `Risk`.
    pub fn risk(&self) -> &Value {
        &self.body["Risk"]
    }

    /// The consent that it is under.
    pub fn consent_id(&self) -> &str {
        self.data()["ConsentId"].as_str().unwrap_or_default()
    }

    /// What it is for.
    pub fn vrp_type(&self) -> VrpType {
        self.named("VRPType").unwrap_or(VrpType::Other)
    }

    /// How the PSU authenticated.
    pub fn authentication_method(&self) -> AuthenticationMethod {
        self.named("PSUAuthenticationMethod").unwrap_or(AuthenticationMethod::Sca)
    }

    /// Whether the PSU is there; off session when nothing was said.
    pub fn interaction_type(&self) -> InteractionType {
        self.named("PSUInteractionType").unwrap_or(InteractionType::OffSession)
    }

    fn named<C: Code>(&self, name: &str) -> Option<C> {
        C::from_wire(self.data()[name].as_str()?)
    }

    /// What is to be paid.
    ///
    /// # Errors
    /// An account whose number does not fit its scheme, or an amount with more decimals than its currency has.
    pub fn instruction(&self) -> Result<Instruction, ReadingError> {
        let view = View::new(&self.data()["Instruction"], "Data.Instruction");
        Ok(Instruction {
            instruction_identification: view.need("InstructionIdentification")?.text()?.to_owned(),
            end_to_end_identification: view.need("EndToEndIdentification")?.text()?.to_owned(),
            amount: view.need("InstructedAmount")?.money()?,
            creditor_account: PaymentAccount::of(&view.need("CreditorAccount")?)?,
            remittance: Remittance::of(&view)?,
            local_instrument: view
                .maybe("LocalInstrument", |view| view.named(LocalInstrument::lenient, "a local instrument"))?,
        })
    }

    /// Judges whether the order is under this consent's terms: the same `Initiation` and `Risk`, and where the consent fixes
    /// the payee's account or the remittance, the same in the instruction (Domestic VRPs, POST /domestic-vrps).
    ///
    /// # Errors
    /// `Resource.ConsentMismatch` with the path of the first member that differs.
    pub fn matches(&self, consent: &VrpConsentRequest) -> Result<(), ReadingError> {
        let nothing = Value::Null;
        let consented = consent.initiation();
        let ordered = (&self.data()["Initiation"], &self.data()["Instruction"]);
        let mut differences = first_difference(consented, ordered.0, "Data.Initiation");
        if let (None, Some(account)) = (&differences, consented.get("CreditorAccount")) {
            let found = ordered.1.get("CreditorAccount").unwrap_or(&nothing);
            differences = first_difference(account, found, "Data.Instruction.CreditorAccount");
        }
        let fixed = consented.get("RemittanceInformation").and_then(Value::as_object);
        for (name, value) in fixed.into_iter().flatten() {
            if differences.is_none() {
                let found = ordered.1.get("RemittanceInformation").and_then(|found| found.get(name));
                let path = format!("Data.Instruction.RemittanceInformation.{name}");
                differences = first_difference(value, found.unwrap_or(&nothing), &path);
            }
        }
        let differences = differences.or_else(|| first_difference(consent.risk(), self.risk(), "Risk"));
        differences.map_or(Ok(()), Err)
    }
}

impl VrpFundsRequest {
    /// Reads the body as the schema wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self { version, body: read(&schema::FUNDS, version, body)? })
    }

    /// The version that it was written in.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// The whole `Data`.
    pub fn data(&self) -> &Value {
        &self.body["Data"]
    }

    /// The consent that it is under.
    pub fn consent_id(&self) -> &str {
        self.data()["ConsentId"].as_str().unwrap_or_default()
    }

    /// How much is asked for.
    ///
    /// # Errors
    /// More decimals than the currency has, or nothing.
    pub fn amount(&self) -> Result<Money, ReadingError> {
        View::new(self.data(), "Data").need("InstructedAmount")?.money()
    }
}
