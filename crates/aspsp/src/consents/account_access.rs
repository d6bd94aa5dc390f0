//! Account access consents (OB Read/Write 4.0, account-access-consents).

use fapi::{Intent, Usable};
use openbanking::{consent::ConsentStatus, permissions::PermissionSet, version::ApiVersion};
use serde::{Deserialize, Serialize};
use store::Collection;
use time::OffsetDateTime;

use super::{Event, TransitionError, next};

/// Scope of the tokens under an account access consent.
pub const SCOPE: &str = "accounts";

/// Where the consents are kept.
#[must_use]
pub fn collection() -> Collection<AccountAccessConsent> {
    Collection::new("account-access-consents")
}

/// An account access consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountAccessConsent {
    /// `ConsentId`, also `openbanking_intent_id`.
    pub id: String,
    /// The client that lodged it.
    pub client_id: String,
    /// The version that it was lodged on.
    pub version: ApiVersion,
    /// What it lets the TPP read.
    pub permissions: PermissionSet,
    /// `ExpirationDateTime`.
    pub expires_at: Option<OffsetDateTime>,
    /// `TransactionFromDateTime`.
    pub transactions_from: Option<OffsetDateTime>,
    /// `TransactionToDateTime`.
    pub transactions_to: Option<OffsetDateTime>,
    /// `Status`, as it was last set; see [`Self::status_at`].
    pub status: ConsentStatus,
    /// `CreationDateTime`.
    pub created_at: OffsetDateTime,
    /// `StatusUpdateDateTime`.
    pub status_updated_at: OffsetDateTime,
    /// The PSU who authorised it.
    pub customer: Option<String>,
    /// When the PSU last authenticated for it.
    #[serde(default)]
    pub authenticated_at: Option<OffsetDateTime>,
    /// The accounts that the PSU chose.
    pub accounts: Vec<String>,
    /// When the TPP deleted it.
    pub deleted_at: Option<OffsetDateTime>,
}

impl AccountAccessConsent {
    /// The state at a moment: an authorised consent expires by itself.
    #[must_use]
    pub fn status_at(&self, now: OffsetDateTime) -> ConsentStatus {
        let expired = self.expires_at.is_some_and(|at| at <= now);
        match (expired, next(self.status, Event::Expired)) {
            (true, Ok(status)) => status,
            _ => self.status,
        }
    }

    /// When [`Self::status_at`] last changed.
    #[must_use]
    pub fn status_updated_at(&self, now: OffsetDateTime) -> OffsetDateTime {
        match self.expires_at {
            Some(at) if self.status_at(now) != self.status => at,
            _ => self.status_updated_at,
        }
    }

    /// The consent as the protocol sees it.
    #[must_use]
    pub fn intent(&self, now: OffsetDateTime) -> Intent {
        let status = self.status_at(now);
        let expired = self.expires_at.is_some_and(|at| at <= now);
        let authorisable = match status {
            _ if self.deleted_at.is_some() => Usable::No("deleted".to_owned()),
            _ if expired => Usable::No("expired".to_owned()),
            ConsentStatus::AwaitingAuthorisation => Usable::Authorisation,
            ConsentStatus::Authorised => Usable::Reauthentication,
            other => Usable::No(other.wire(self.version).to_owned()),
        };
        Intent {
            id: self.id.clone(),
            client_id: self.client_id.clone(),
            scope: SCOPE.to_owned(),
            authorisable,
            active: self.deleted_at.is_none() && status == ConsentStatus::Authorised,
            expires_at: self.expires_at,
        }
    }

    /// The PSU confirmed. A re-authentication keeps the accounts that were chosen before.
    ///
    /// # Errors
    /// The consent is not in a state that can be authorised.
    pub fn authorise(
        mut self,
        customer: &str,
        accounts: Vec<String>,
        now: OffsetDateTime,
    ) -> Result<Self, TransitionError> {
        self.status = next(self.status_at(now), Event::Authorised)?;
        self.status_updated_at = now;
        self.customer = Some(customer.to_owned());
        self.authenticated_at = Some(now);
        self.accounts = accounts;
        Ok(self)
    }

    /// The PSU did not confirm.
    ///
    /// # Errors
    /// The consent is not in a state that can be rejected.
    pub fn reject(mut self, now: OffsetDateTime) -> Result<Self, TransitionError> {
        let status = next(self.status_at(now), Event::Rejected)?;
        if status != self.status {
            self.status_updated_at = now;
        }
        self.status = status;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn consent() -> AccountAccessConsent {
        AccountAccessConsent {
            id: "consent".into(),
            client_id: "client".into(),
            version: ApiVersion::V4_0,
            permissions: PermissionSet::default(),
            expires_at: Some(NOW + Duration::days(90)),
            transactions_from: None,
            transactions_to: None,
            status: ConsentStatus::AwaitingAuthorisation,
            created_at: NOW,
            status_updated_at: NOW,
            customer: None,
            authenticated_at: None,
            accounts: Vec::new(),
            deleted_at: None,
        }
    }

    #[test]
    fn it_expires_by_itself_once_authorised() {
        let authorised = consent().authorise("amelia", vec!["a".into()], NOW).unwrap();
        assert!(authorised.intent(NOW).active);
        let later = NOW + Duration::days(90);
        assert_eq!(authorised.status_at(later), ConsentStatus::Expired);
        assert!(!authorised.intent(later).active);
        assert_eq!(authorised.status_updated_at(later), later);
        assert_eq!(authorised.intent(later).authorisable, Usable::No("expired".into()));
    }

    #[test]
    fn a_deleted_consent_is_dead() {
        let mut consent = consent().authorise("amelia", vec!["a".into()], NOW).unwrap();
        consent.deleted_at = Some(NOW);
        assert!(!consent.intent(NOW).active);
    }

    #[test]
    fn a_rejected_consent_cannot_be_authorised() {
        let rejected = consent().reject(NOW).unwrap();
        assert_eq!(rejected.status, ConsentStatus::Rejected);
        assert!(rejected.authorise("amelia", Vec::new(), NOW).is_err());
    }
}
