//! The states of consents as one table (OB Read/Write 4.0, Changes to an intent's authorized state).

use openbanking::consent::ConsentStatus;

/// What happens to a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The PSU confirmed, for the first time or again.
    Authorised,
    /// The PSU cancelled, failed to authenticate, ran out of time or had no account for it.
    Rejected,
    /// Its expiration date passed.
    Expired,
    /// The PSU withdrew the access at the bank.
    Withdrawn,
    /// The order that it is for was made.
    Ordered,
    /// The file that it is for came.
    Uploaded,
}

/// The consent cannot take this step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consent in the state {from:?} cannot be {event:?}")]
pub struct TransitionError {
    /// Its state.
    pub from: ConsentStatus,
    /// The step.
    pub event: Event,
}

use ConsentStatus as S;

/// Every step that is allowed; all others are refused. A rejection of a re-authentication leaves the consent as it was.
const TRANSITIONS: &[(ConsentStatus, Event, ConsentStatus)] = &[
    (S::AwaitingAuthorisation, Event::Authorised, S::Authorised),
    (S::AwaitingAuthorisation, Event::Rejected, S::Rejected),
    (S::Authorised, Event::Authorised, S::Authorised),
    (S::Authorised, Event::Rejected, S::Authorised),
    (S::Authorised, Event::Expired, S::Expired),
    (S::Authorised, Event::Withdrawn, S::Cancelled),
    (S::Cancelled, Event::Authorised, S::Authorised),
    (S::Cancelled, Event::Rejected, S::Cancelled),
    (S::Cancelled, Event::Expired, S::Expired),
    (S::Authorised, Event::Ordered, S::Consumed),
    (S::AwaitingUpload, Event::Uploaded, S::AwaitingAuthorisation),
];

/// The state after the event.
///
/// # Errors
/// The step is not in the table.
pub fn next(from: ConsentStatus, event: Event) -> Result<ConsentStatus, TransitionError> {
    TRANSITIONS
        .iter()
        .find(|(state, step, _)| *state == from && *step == event)
        .map(|(_, _, to)| *to)
        .ok_or(TransitionError { from, event })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_states_have_no_way_out() {
        for from in [S::Rejected, S::Consumed, S::Expired] {
            for event in
                [Event::Authorised, Event::Rejected, Event::Expired, Event::Withdrawn, Event::Ordered, Event::Uploaded]
            {
                assert_eq!(next(from, event), Err(TransitionError { from, event }));
            }
        }
    }

    #[test]
    fn cancelling_a_reauthentication_keeps_the_consent() {
        assert_eq!(next(S::Authorised, Event::Rejected), Ok(S::Authorised));
        assert_eq!(next(S::AwaitingAuthorisation, Event::Rejected), Ok(S::Rejected));
    }
}
