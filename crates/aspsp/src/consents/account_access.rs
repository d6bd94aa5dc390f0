//! Account access consents (OB Read/Write 4.0, account-access-consents).

use std::ops::Deref;

use openbanking::permissions::PermissionSet;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Consent, Content};

/// What an account access consent asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountAccess {
    /// What it lets the TPP read.
    pub permissions: PermissionSet,
    /// `TransactionFromDateTime`.
    pub transactions_from: Option<OffsetDateTime>,
    /// `TransactionToDateTime`.
    pub transactions_to: Option<OffsetDateTime>,
}

/// A consent that is known to be an account access consent.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountAccessConsent {
    consent: Consent,
    /// What it lets the TPP read.
    pub permissions: PermissionSet,
    /// `TransactionFromDateTime`.
    pub transactions_from: Option<OffsetDateTime>,
    /// `TransactionToDateTime`.
    pub transactions_to: Option<OffsetDateTime>,
}

impl AccountAccessConsent {
    /// The consent, when it is one of this kind.
    #[must_use]
    pub fn of(consent: Consent) -> Option<Self> {
        let Content::AccountAccess(AccountAccess { permissions, transactions_from, transactions_to }) =
            consent.content.clone()
        else {
            return None;
        };
        Some(Self { consent, permissions, transactions_from, transactions_to })
    }
}

impl Deref for AccountAccessConsent {
    type Target = Consent;
    fn deref(&self) -> &Consent {
        &self.consent
    }
}
