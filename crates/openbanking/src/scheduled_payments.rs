//! Payments that were ordered for a later day (`OBReadScheduledPayment3`).

use crate::money::ActiveAmount;
use crate::parties::{Agent, CashAccount};
use crate::payload::{list, payload};
use crate::permissions::{Permission, PermissionSet};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};

list! {
    /// `Data` of `GET /scheduled-payments` and `GET /accounts/{AccountId}/scheduled-payments`.
    pub struct ScheduledPaymentData { scheduled_payment: ScheduledPayment }
}

/// What the day of a scheduled payment means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScheduledType {
    /// The money arrives on it.
    Arrival,
    /// The bank sends the money on it.
    Execution,
}

payload! {
    /// A payment that is yet to be made.
    pub struct ScheduledPayment {
        /// The account that pays.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe scheduled_payment_id: String,
        /// The day.
        moment scheduled_payment_date_time,
        /// What the day means.
        one scheduled_type: ScheduledType,
        /// What the payee reads; at most 35 characters.
        maybe reference: String,
        /// What the payer reads; at most 35 characters.
        maybe debtor_reference: String,
        /// How much.
        one instructed_amount: ActiveAmount,
        /// The payee's bank; Detail only.
        maybe creditor_agent: Agent,
        /// The payee's account; Detail only.
        maybe creditor_account: CashAccount,
    }
}

impl ScheduledPayment {
    /// What of it may be shown with these permissions in this version.
    #[must_use]
    pub fn shown(mut self, version: ApiVersion, permissions: PermissionSet) -> Self {
        if !permissions.has(Permission::ReadScheduledPaymentsDetail) {
            (self.creditor_agent, self.creditor_account) = (None, None);
        }
        CashAccount::show(&mut self.creditor_account, version, permissions);
        self
    }
}
