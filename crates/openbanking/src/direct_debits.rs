//! Direct debits (`OBReadDirectDebit2`).

use crate::code::{Code, Coded};
use crate::mandates::{
    MandateClassification, MandateFrequency, MandateRelatedInformation, MandateStatus, MandateTiming,
};
use crate::money::ActiveAmount;
use crate::payload::{list, payload};
use crate::version::ApiVersion;

list! {
    /// `Data` of `GET /direct-debits` and `GET /accounts/{AccountId}/direct-debits`.
    pub struct DirectDebitData { direct_debit: DirectDebit }
}

payload! {
    /// A mandate by which an originator collects money.
    pub struct DirectDebit {
        /// The account that pays.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe direct_debit_id: String,
        /// The originator's reference of the mandate; v3.1.
        maybe mandate_identification: String,
        /// The mandate; v4.0.
        maybe mandate_related_information: MandateRelatedInformation,
        /// Whether money may be collected.
        maybe direct_debit_status_code: Coded<MandateStatus>,
        /// The originator; at most 70 characters.
        one name: String,
        /// When money was last collected.
        maybe_moment previous_payment_date_time,
        /// How often; v3.1.
        maybe frequency: Coded<MandateFrequency>,
        /// How much was last collected.
        maybe previous_payment_amount: ActiveAmount,
    }
}

impl DirectDebit {
    /// A mandate with its reference and frequency where the version has them.
    pub fn new(
        version: ApiVersion,
        account_id: impl Into<String>,
        name: impl Into<String>,
        reference: &str,
        status: MandateStatus,
        frequency: MandateFrequency,
    ) -> Self {
        let old = version == ApiVersion::V3_1;
        let mandate = || MandateRelatedInformation {
            mandate_identification: Some(reference.to_owned()),
            classification: Some(MandateClassification::Variable),
            category_purpose_code: None,
            first_payment_date_time: None,
            recurring_payment_date_time: None,
            final_payment_date_time: None,
            frequency: MandateTiming {
                r#type: frequency.wire(ApiVersion::V4_0).to_owned(),
                count_per_period: None,
                point_in_time: None,
            },
            reason: None,
        };
        Self {
            account_id: account_id.into(),
            direct_debit_id: None,
            mandate_identification: old.then(|| reference.to_owned()),
            mandate_related_information: (!old).then(mandate),
            direct_debit_status_code: Some(version.code(status)),
            name: name.into(),
            previous_payment_date_time: None,
            frequency: old.then(|| version.code(frequency)),
            previous_payment_amount: None,
        }
    }
}
