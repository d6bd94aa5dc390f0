//! One consent, whatever it is for.

use fapi::{Intent, Usable};
use openbanking::{
    consent::{ConsentState, ConsentStatus, StatusReason},
    error::ErrorCode,
    funds_confirmation::FundsConfirmationConsentRequest,
    payments::PaymentKind,
    version::ApiVersion,
};
use serde::{Deserialize, Serialize};
use store::Collection;
use time::OffsetDateTime;

use super::{
    account_access::AccountAccess,
    kind::ConsentKind,
    payment::{Payment, VariableRecurringPayments},
    state::{Event, TransitionError, next},
};

/// Where the consents of all kinds are kept.
#[must_use]
pub fn collection() -> Collection<Consent> {
    Collection::new("consents")
}

/// What a TPP asked for, what the PSU decided, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// `ConsentId`, also `openbanking_intent_id`.
    pub id: String,
    /// The client that lodged it.
    pub client_id: String,
    /// The version that it was lodged on.
    pub version: ApiVersion,
    /// `ExpirationDateTime`, or the end of the control parameters.
    pub expires_at: Option<OffsetDateTime>,
    /// `Status`, as it was last set; see [`Self::status_at`].
    pub status: ConsentStatus,
    /// Why it has this status, when there is something to say.
    pub reason: Option<Reason>,
    /// `CreationDateTime`.
    pub created_at: OffsetDateTime,
    /// `StatusUpdateDateTime`.
    pub status_updated_at: OffsetDateTime,
    /// The PSU who authorised it.
    pub customer: Option<String>,
    /// The accounts that the PSU chose; the payer's account of a payment.
    pub accounts: Vec<String>,
    /// When the PSU last authenticated for it.
    pub authenticated_at: Option<OffsetDateTime>,
    /// When the last authorisation that began ends without a decision.
    #[serde(default)]
    pub waits_until: Option<OffsetDateTime>,
    /// When the TPP deleted it.
    pub deleted_at: Option<OffsetDateTime>,
    /// What it asks for.
    pub content: Content,
}

/// What a consent asks for, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// To read accounts.
    AccountAccess(AccountAccess),
    /// To pay.
    Payment(Box<Payment>),
    /// To pay varying amounts again and again.
    VariableRecurringPayments(Box<VariableRecurringPayments>),
    /// To be told whether the money is there.
    FundsConfirmation(Box<FundsConfirmationConsentRequest>),
}

impl Content {
    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> ConsentKind {
        match self {
            Self::AccountAccess(_) => ConsentKind::AccountAccess,
            Self::Payment(payment) => ConsentKind::Payment(payment.request.kind()),
            Self::VariableRecurringPayments(_) => ConsentKind::VariableRecurringPayments,
            Self::FundsConfirmation(_) => ConsentKind::FundsConfirmation,
        }
    }
}

/// Why a consent has its status (v4.0, `StatusReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The PSU pressed Cancel.
    Cancelled,
    /// The PSU could not be authenticated.
    AuthenticationFailed,
    /// The PSU did not decide in time.
    TimedOut,
    /// The PSU has no account that fits.
    NoEligibleAccount,
    /// The PSU decided after the cut-off time.
    AfterCutOff,
    /// The PSU has no account that is authorised by as many people as the TPP wants.
    AuthorisationType,
    /// The PSU withdrew access at the bank.
    Withdrawn,
    /// The order was made.
    Consumed,
    /// Its expiration date passed, and its tokens with it.
    Expired,
}

impl Reason {
    /// The code and the words for the wire.
    #[must_use]
    pub fn wire(self) -> StatusReason {
        let (code, text) = match self {
            Self::Cancelled => (ErrorCode::AuthorisationNotCompleted, "The customer cancelled."),
            Self::AuthenticationFailed => (ErrorCode::AuthorisationFailed, "The customer could not be authenticated."),
            Self::TimedOut => (ErrorCode::AuthorisationNotCompleted, "The customer did not decide in time."),
            Self::NoEligibleAccount => {
                (ErrorCode::AuthorisationNotCompleted, "The customer has no account for this request.")
            }
            Self::AfterCutOff => (ErrorCode::RulesAfterCutOffDateTime, "The customer decided after the cut-off time."),
            Self::AuthorisationType => {
                let text = "The customer has no account with the AuthorisationType of this request.";
                (ErrorCode::AuthorisationNotCompleted, text)
            }
            Self::Withdrawn => (ErrorCode::TokenSuspended, "The customer withdrew the access at the bank."),
            Self::Consumed => (ErrorCode::ConsentConsumed, "The order was made."),
            Self::Expired => (ErrorCode::TokenExpired, "The consent has expired."),
        };
        StatusReason::new(code, text)
    }
}

/// What decides over a consent: the PSU, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// The PSU.
    pub customer: String,
    /// The accounts that the PSU chose.
    pub accounts: Vec<String>,
    /// When the PSU authenticated.
    pub authenticated_at: OffsetDateTime,
}

impl Consent {
    /// A consent that was lodged just now.
    #[must_use]
    pub fn lodged(
        unique: &uuid::Uuid,
        client_id: String,
        version: ApiVersion,
        content: Content,
        now: OffsetDateTime,
    ) -> Self {
        let kind = content.kind();
        let status = match kind {
            ConsentKind::Payment(PaymentKind::File) => ConsentStatus::AwaitingUpload,
            _ => ConsentStatus::AwaitingAuthorisation,
        };
        Self {
            id: kind.identifier(unique),
            client_id,
            version,
            expires_at: None,
            status,
            reason: None,
            created_at: now,
            status_updated_at: now,
            customer: None,
            accounts: Vec::new(),
            authenticated_at: None,
            waits_until: None,
            deleted_at: None,
            content,
        }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> ConsentKind {
        self.content.kind()
    }

    /// Whether it is past its end.
    #[must_use]
    pub fn expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// An authorisation began that ends then. Where several did, the last one counts.
    #[must_use]
    pub fn wait_until(mut self, end: OffsetDateTime) -> Self {
        if self.status == ConsentStatus::AwaitingAuthorisation {
            self.waits_until = self.waits_until.max(Some(end));
        }
        self
    }

    /// What happened to it by itself before this moment, and when: an authorised consent expires, and one that was to be
    /// authorised is rejected when its customer did not decide in time.
    fn by_itself(&self, now: OffsetDateTime) -> Option<(OffsetDateTime, Event)> {
        let (at, event) = match self.status {
            ConsentStatus::AwaitingAuthorisation => (self.waits_until?, Event::Rejected),
            _ => (self.expires_at?, Event::Expired),
        };
        (at <= now).then_some((at, event))
    }

    /// The state at a moment.
    #[must_use]
    pub fn status_at(&self, now: OffsetDateTime) -> ConsentStatus {
        let happened = self.by_itself(now).map(|(_, event)| next(self.status, event));
        match happened {
            Some(Ok(status)) => status,
            _ => self.status,
        }
    }

    /// When [`Self::status_at`] last changed.
    #[must_use]
    pub fn status_updated_at(&self, now: OffsetDateTime) -> OffsetDateTime {
        match self.by_itself(now) {
            Some((at, _)) if self.status_at(now) != self.status => at,
            _ => self.status_updated_at,
        }
    }

    /// `StatusReason` in this version; v3.1 has none.
    #[must_use]
    pub fn status_reason(&self, version: ApiVersion, now: OffsetDateTime) -> Vec<StatusReason> {
        let reason = match self.status_at(now) {
            status if status == self.status => self.reason,
            ConsentStatus::Rejected => Some(Reason::TimedOut),
            ConsentStatus::Expired => Some(Reason::Expired),
            _ => None,
        };
        match (version, reason) {
            // It can be authorised again (OB Read/Write 4.0, 401 Unauthorized).
            (ApiVersion::V4_0, Some(reason @ Reason::Withdrawn)) => {
                let again = "The customer may authorise the consent again.";
                vec![reason.wire(), StatusReason::new(ErrorCode::Reauthenticate, again)]
            }
            (ApiVersion::V4_0, Some(reason)) => vec![reason.wire()],
            _ => Vec::new(),
        }
    }

    /// What answers tell of a consent of any kind, in the version of an API.
    #[must_use]
    pub fn state_at(&self, version: ApiVersion, now: OffsetDateTime) -> ConsentState {
        ConsentState {
            status_reason: self.status_reason(version, now),
            status_update_date_time: self.status_updated_at(now),
            ..ConsentState::new(&self.id, version.code(self.status_at(now)), self.created_at)
        }
    }

    /// The consent as the protocol sees it.
    #[must_use]
    pub fn intent(&self, now: OffsetDateTime) -> Intent {
        let (status, kind) = (self.status_at(now), self.kind());
        let authorisable = match status {
            _ if self.deleted_at.is_some() => Usable::No("deleted".to_owned()),
            _ if self.expired(now) => Usable::No("expired".to_owned()),
            ConsentStatus::AwaitingAuthorisation => Usable::Authorisation,
            ConsentStatus::Authorised | ConsentStatus::Cancelled if kind.row().lasting => Usable::Reauthentication,
            other => Usable::No(other.wire(self.version).to_owned()),
        };
        Intent {
            id: self.id.clone(),
            client_id: self.client_id.clone(),
            scope: kind.row().scope.to_owned(),
            authorisable,
            active: self.deleted_at.is_none() && matches!(status, ConsentStatus::Authorised | ConsentStatus::Consumed),
            expires_at: self.expires_at,
        }
    }

    fn step(mut self, event: Event, reason: Option<Reason>, now: OffsetDateTime) -> Result<Self, TransitionError> {
        let status = next(self.status_at(now), event)?;
        if status != self.status || event == Event::Authorised {
            self.status_updated_at = now;
            self.reason = reason;
        }
        self.status = status;
        Ok(self)
    }

    /// The PSU confirmed. A re-authentication keeps the accounts that were chosen before.
    ///
    /// # Errors
    /// The consent is not in a state that can be authorised.
    pub fn authorise(self, authorisation: Authorisation, now: OffsetDateTime) -> Result<Self, TransitionError> {
        let mut consent = self.step(Event::Authorised, None, now)?;
        consent.customer = Some(authorisation.customer);
        consent.accounts = authorisation.accounts;
        consent.authenticated_at = Some(authorisation.authenticated_at);
        Ok(consent)
    }

    /// A refused consent as if nobody had been asked, for a bank whose rule about the states of intents is off.
    #[must_use]
    pub fn reopened(mut self) -> Self {
        if self.status == ConsentStatus::Rejected {
            (self.status, self.reason) = (ConsentStatus::AwaitingAuthorisation, None);
        }
        self
    }

    /// The PSU did not confirm.
    ///
    /// # Errors
    /// The consent is not in a state that can be rejected.
    pub fn reject(self, reason: Reason, now: OffsetDateTime) -> Result<Self, TransitionError> {
        self.step(Event::Rejected, Some(reason), now)
    }

    /// The PSU withdrew the access at the bank. It can be authorised again.
    ///
    /// # Errors
    /// The consent is not in a state from which access can be withdrawn.
    pub fn withdraw(self, now: OffsetDateTime) -> Result<Self, TransitionError> {
        self.step(Event::Withdrawn, Some(Reason::Withdrawn), now)
    }

    /// The file that it is for came.
    ///
    /// # Errors
    /// It does not wait for a file.
    pub fn upload(self, now: OffsetDateTime) -> Result<Self, TransitionError> {
        self.step(Event::Uploaded, None, now)
    }

    /// The order was made, and no other can be.
    ///
    /// # Errors
    /// The consent is not authorised.
    pub fn consume(self, now: OffsetDateTime) -> Result<Self, TransitionError> {
        self.step(Event::Ordered, Some(Reason::Consumed), now)
    }
}

#[cfg(test)]
mod tests {
    use openbanking::permissions::PermissionSet;
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn consent() -> Consent {
        let asked =
            AccountAccess { permissions: PermissionSet::default(), transactions_from: None, transactions_to: None };
        let content = Content::AccountAccess(asked);
        let mut consent = Consent::lodged(&uuid::Uuid::nil(), "client".into(), ApiVersion::V4_0, content, NOW);
        consent.expires_at = Some(NOW + Duration::days(90));
        consent
    }

    fn by(customer: &str, at: OffsetDateTime) -> Authorisation {
        Authorisation { customer: customer.into(), accounts: vec!["a".into()], authenticated_at: at }
    }

    #[test]
    fn it_expires_by_itself_once_authorised() {
        let authorised = consent().authorise(by("amelia", NOW), NOW).unwrap();
        assert!(authorised.intent(NOW).active);
        let later = NOW + Duration::days(90);
        assert_eq!(authorised.status_at(later), ConsentStatus::Expired);
        assert!(!authorised.intent(later).active);
        assert_eq!(authorised.status_updated_at(later), later);
        assert_eq!(authorised.intent(later).authorisable, Usable::No("expired".into()));
    }

    #[test]
    fn a_deleted_consent_is_dead() {
        let mut consent = consent().authorise(by("amelia", NOW), NOW).unwrap();
        consent.deleted_at = Some(NOW);
        assert!(!consent.intent(NOW).active);
    }

    #[test]
    fn a_consent_whose_customer_does_not_decide_is_rejected_by_itself() {
        let (first, last) = (NOW + Duration::minutes(15), NOW + Duration::minutes(20));
        let waiting = consent().wait_until(last).wait_until(first);
        assert_eq!(waiting.status_at(last - Duration::SECOND), ConsentStatus::AwaitingAuthorisation);
        assert_eq!(waiting.status_at(last), ConsentStatus::Rejected);
        assert_eq!(waiting.status_updated_at(NOW + Duration::days(1)), last);
        assert_eq!(waiting.status_reason(ApiVersion::V4_0, last), [Reason::TimedOut.wire()]);
        assert!(matches!(waiting.intent(last).authorisable, Usable::No(_)));
        assert!(waiting.clone().authorise(by("amelia", last), last).is_err());
        let authorised = waiting.authorise(by("amelia", first), first).unwrap();
        assert_eq!(authorised.clone().wait_until(last), authorised, "a re-authentication ends nothing");
        assert_eq!(authorised.status_at(last), ConsentStatus::Authorised);
    }

    #[test]
    fn a_rejected_consent_cannot_be_authorised() {
        let rejected = consent().reject(Reason::Cancelled, NOW).unwrap();
        assert_eq!(rejected.status, ConsentStatus::Rejected);
        assert_eq!(rejected.status_reason(ApiVersion::V4_0, NOW)[0].status_reason_code.as_deref(), Some("U036"));
        assert!(rejected.status_reason(ApiVersion::V3_1, NOW).is_empty());
        assert!(rejected.authorise(by("amelia", NOW), NOW).is_err());
    }

    #[test]
    fn access_that_was_withdrawn_comes_back_by_a_new_authorisation() {
        let authorised = consent().authorise(by("amelia", NOW), NOW).unwrap();
        let later = NOW + Duration::hours(1);
        let withdrawn = authorised.withdraw(later).unwrap();
        assert_eq!((withdrawn.status, withdrawn.intent(later).active), (ConsentStatus::Cancelled, false));
        assert_eq!(withdrawn.status_reason(ApiVersion::V4_0, later)[0].status_reason_code.as_deref(), Some("TKSP"));
        assert_eq!(withdrawn.intent(later).authorisable, Usable::Reauthentication);
        let again = withdrawn.authorise(by("amelia", later), later).unwrap();
        assert!(again.intent(later).active && again.reason.is_none());
        assert_eq!(again.authenticated_at, Some(later));
    }
}
