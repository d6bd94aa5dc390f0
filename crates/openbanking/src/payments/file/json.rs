//! `UK.OBIE.PaymentInitiation.3.1` and `4.0`: the `Initiation`s of domestic payments in a list.

use super::{FileError, FilePayment, MOST_PAYMENTS, PayeeAccount};
use crate::payments::LocalInstrument;
use crate::payments::initiation::{PaymentAccount, Remittance};
use crate::payments::request::normalise;
use crate::payments::schema::{DOMESTIC, REMITTANCE_V3};
use crate::payments::view::View;
use crate::reading::{Form, Member, ReadingError, check};
use crate::version::ApiVersion;
use serde_json::Value;

const FORM: &str = "a JSON object with Data.DomesticPayments";
/// Enough of the schema to have a list.
const OUTSIDE: Form = Form::Object(&[Member::required(
    "Data",
    Form::Object(&[Member::required("DomesticPayments", Form::List(1, &Form::Open(&[])))]),
)]);

/// Reads the payments. Each may be in the form of either version, because the specification's own sample of 4.0 is
/// written in that of 3.1.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<FilePayment>, FileError> {
    let malformed = |found: String| FileError::Malformed { expected: FORM, found };
    let mut file: Value = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
    check(&file, &OUTSIDE, ApiVersion::V4_0).map_err(|error| malformed(error.to_string()))?;
    normalise(&mut file);
    let payments = View::new(&file["Data"]["DomesticPayments"], "Data.DomesticPayments");
    let list: Vec<_> = payments.items().take(MOST_PAYMENTS + 1).collect();
    list.iter().map(|view| payment(view).map_err(wrong)).collect()
}

fn wrong(error: ReadingError) -> FileError {
    FileError::Payment { place: error.path, expected: error.expected, found: error.found }
}

fn payment(view: &View<'_>) -> Result<FilePayment, ReadingError> {
    let remittance = view.get("RemittanceInformation");
    let old = remittance.as_ref().is_some_and(|remittance| {
        REMITTANCE_V3.iter().any(|member| remittance.value().get(member.name).is_some_and(Value::is_string))
    });
    let older = view.get("CreditorPostalAddress").and_then(|address| address.get("AddressType"));
    let older = older.is_some_and(|kind| kind.value().as_str().is_some_and(|kind| kind.len() != 4));
    let version = if old || older { ApiVersion::V3_1 } else { ApiVersion::V4_0 };
    check(view.value(), &Form::Object(DOMESTIC), version)
        .map_err(|error| ReadingError { path: view.path_of(&error.path), ..error })?;
    let creditor = PaymentAccount::of(&view.need("CreditorAccount")?)?;
    Ok(FilePayment {
        instruction_identification: Some(view.need("InstructionIdentification")?.text()?.to_owned()),
        end_to_end_identification: view.need("EndToEndIdentification")?.text()?.to_owned(),
        amount: view.need("InstructedAmount")?.money()?,
        creditor_name: creditor.name.clone(),
        creditor_account: PayeeAccount::Known(creditor),
        creditor_bic: None,
        remittance: Remittance::of(view)?,
        local_instrument: view
            .maybe("LocalInstrument", |view| view.named(LocalInstrument::lenient, "a local instrument"))?,
        debtor_account: view.maybe("DebtorAccount", PaymentAccount::of)?.map(PayeeAccount::Known),
        requested_execution: None,
    })
}
