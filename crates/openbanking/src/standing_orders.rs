//! Standing orders (`OBReadStandingOrder6`).

use crate::code::Coded;
use crate::mandates::{MandateClassification, MandateRelatedInformation, MandateStatus, MandateTiming};
use crate::money::ActiveAmount;
use crate::parties::{Agent, CashAccount};
use crate::payload::{list, payload};
use crate::permissions::{Permission, PermissionSet};
use crate::version::ApiVersion;
use time::OffsetDateTime;

list! {
    /// `Data` of `GET /standing-orders` and `GET /accounts/{AccountId}/standing-orders`.
    pub struct StandingOrderData { standing_order: StandingOrder }
}

payload! {
    /// An order to pay again and again.
    pub struct StandingOrder {
        /// The account that pays.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe standing_order_id: String,
        /// When it is paid, in the language of v3.1.
        maybe frequency: String,
        /// What the payee reads; v3.1, at most 35 characters.
        maybe reference: String,
        /// The first payment; v3.1.
        maybe_moment first_payment_date_time,
        /// The next payment.
        maybe_moment next_payment_date_time,
        /// The payment that was made last.
        maybe_moment last_payment_date_time,
        /// The payment after which it ends; v3.1.
        maybe_moment final_payment_date_time,
        /// After so many payments it ends.
        maybe number_of_payments: String,
        /// Whether it is paid.
        maybe standing_order_status_code: Coded<MandateStatus>,
        /// How much was paid first.
        maybe first_payment_amount: ActiveAmount,
        /// How much is paid next.
        maybe next_payment_amount: ActiveAmount,
        /// How much was paid last.
        maybe last_payment_amount: ActiveAmount,
        /// How much is paid in the end.
        maybe final_payment_amount: ActiveAmount,
        /// The payee's bank; Detail only.
        maybe creditor_agent: Agent,
        /// The payee's account; Detail only.
        maybe creditor_account: CashAccount,
        /// When and how it is paid; v4.0.
        maybe mandate_related_information: MandateRelatedInformation,
        /// What the payee reads; v4.0.
        maybe remittance_information: RemittanceInformation,
    }
}

payload! {
    /// What the payee reads (`OBRemittanceInformation2`, the members that are used here); v4.0.
    pub struct RemittanceInformation {
        /// For machines.
        many structured: StructuredRemittance,
        /// For people; at most 140 characters each.
        many unstructured: String,
    }
}

payload! {
    /// A reference for machines.
    pub struct StructuredRemittance {
        /// The payee's own reference.
        maybe creditor_reference_information: CreditorReference,
    }
}

payload! {
    /// The payee's own reference.
    pub struct CreditorReference {
        /// At most 35 characters.
        maybe reference: String,
    }
}

impl RemittanceInformation {
    /// The reference that v3.1 calls `Reference`.
    pub fn of_reference(reference: impl Into<String>) -> Self {
        let reference = CreditorReference { reference: Some(reference.into()) };
        let structured = vec![StructuredRemittance { creditor_reference_information: Some(reference) }];
        Self { structured, unstructured: Vec::new() }
    }
}

/// When a standing order is paid, before it is put into the members of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The pattern of v3.1.
    pub frequency: String,
    /// The same in v4.0.
    pub timing: MandateTiming,
    /// The first payment.
    pub first: OffsetDateTime,
    /// The payment after which it ends.
    pub last: Option<OffsetDateTime>,
    /// What the payee reads.
    pub reference: Option<String>,
    /// Whether the amount stays the same.
    pub classification: MandateClassification,
    /// Whether it is paid.
    pub status: MandateStatus,
}

impl StandingOrder {
    /// An order with its terms where the version has them.
    pub fn new(version: ApiVersion, account_id: impl Into<String>, terms: Terms) -> Self {
        let old = version == ApiVersion::V3_1;
        let mandate = MandateRelatedInformation {
            mandate_identification: None,
            classification: Some(terms.classification),
            category_purpose_code: None,
            first_payment_date_time: Some(terms.first),
            recurring_payment_date_time: None,
            final_payment_date_time: terms.last,
            frequency: terms.timing,
            reason: None,
        };
        let (reference, remittance) = match terms.reference {
            Some(reference) if old => (Some(reference), None),
            Some(reference) => (None, Some(RemittanceInformation::of_reference(reference))),
            None => (None, None),
        };
        Self {
            account_id: account_id.into(),
            standing_order_id: None,
            frequency: old.then_some(terms.frequency),
            reference,
            first_payment_date_time: old.then_some(terms.first),
            next_payment_date_time: None,
            last_payment_date_time: None,
            final_payment_date_time: terms.last.filter(|_| old),
            number_of_payments: None,
            standing_order_status_code: Some(version.code(terms.status)),
            first_payment_amount: None,
            next_payment_amount: None,
            last_payment_amount: None,
            final_payment_amount: None,
            creditor_agent: None,
            creditor_account: None,
            mandate_related_information: (!old).then_some(mandate),
            remittance_information: remittance,
        }
    }

    /// What of it may be shown with these permissions in this version.
    #[must_use]
    pub fn shown(mut self, version: ApiVersion, permissions: PermissionSet) -> Self {
        if !permissions.has(Permission::ReadStandingOrdersDetail) {
            (self.creditor_agent, self.creditor_account) = (None, None);
        }
        CashAccount::show(&mut self.creditor_account, version, permissions);
        self
    }
}
