//! Payees that a customer has saved (`OBReadBeneficiary5`).

use crate::parties::{Agent, CashAccount};
use crate::payload::{list, payload};
use crate::permissions::{Permission, PermissionSet};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};

list! {
    /// `Data` of `GET /beneficiaries` and `GET /accounts/{AccountId}/beneficiaries`.
    pub struct BeneficiaryData { beneficiary: Beneficiary }
}

/// Whether payments to the payee need strong authentication (SCA-RTS, Article 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BeneficiaryType {
    /// On the customer's list of trusted payees.
    Trusted,
    /// Not on it.
    Ordinary,
}

payload! {
    /// A payee.
    pub struct Beneficiary {
        /// The account that pays.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe beneficiary_id: String,
        /// Whether the customer trusts it.
        maybe beneficiary_type: BeneficiaryType,
        /// What the payee reads; at most 35 characters.
        maybe reference: String,
        /// The payee's bank; Detail only.
        maybe creditor_agent: Agent,
        /// The payee's account; Detail only.
        maybe creditor_account: CashAccount,
    }
}

impl Beneficiary {
    /// What of it may be shown with these permissions in this version.
    #[must_use]
    pub fn shown(mut self, version: ApiVersion, permissions: PermissionSet) -> Self {
        if !permissions.has(Permission::ReadBeneficiariesDetail) {
            (self.creditor_agent, self.creditor_account) = (None, None);
        }
        CashAccount::show(&mut self.creditor_account, version, permissions);
        self
    }
}
