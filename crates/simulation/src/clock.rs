//! The clock of a party: true time, moved forward on request.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime, macros::datetime};

/// The clock is not moved to here or beyond, so that whatever lives for years still ends within the calendar, which ends
/// with the year 9999.
const END: OffsetDateTime = datetime!(9000-01-01 0:00 UTC);

/// A clock that everything in the business and in tokens uses. Clones share the same hands.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Hands>>);

#[derive(Debug, Clone, Copy)]
struct Hands {
    /// Where the clock stands still, if it does.
    standing: Option<OffsetDateTime>,
    /// How far it was moved.
    offset: Duration,
}

/// The clock cannot be moved like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// Time goes forward only.
    #[error("the clock only moves forward, not by {0}")]
    Backward(Duration),
    /// To the year 9000 or beyond.
    #[error("the clock cannot be moved that far: it stays before the year 9000")]
    TooFar,
}

impl Clock {
    /// A clock that goes with true time.
    #[must_use]
    pub fn real() -> Self {
        Self(Arc::new(Mutex::new(Hands { standing: None, offset: Duration::ZERO })))
    }

    /// A clock that stands still at this moment until it is moved.
    #[must_use]
    pub fn starting_at(moment: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(Hands { standing: Some(moment), offset: Duration::ZERO })))
    }

    fn hands(&self) -> Hands {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time in the simulation.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let hands = self.hands();
        hands.standing.unwrap_or_else(|| self.true_now()).saturating_add(hands.offset)
    }

    /// True time, for TLS and certificates, which the simulation cannot bend.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
    pub fn true_now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    /// How far the clock was moved.
    #[must_use]
    pub fn offset(&self) -> Duration {
        self.hands().offset
    }

    /// Whether it shows true time: nobody moved it, and it does not stand still.
    #[must_use]
    pub fn is_true(&self) -> bool {
        let hands = self.hands();
        hands.standing.is_none() && hands.offset.is_zero()
    }

    /// Moves the clock forward and answers the new time.
    ///
    /// # Errors
    /// The duration is negative, or leads to the year 9000 or beyond.
    pub fn advance(&self, by: Duration) -> Result<OffsetDateTime, ClockError> {
        if by.is_negative() {
            return Err(ClockError::Backward(by));
        }
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = hands.offset.checked_add(by).ok_or(ClockError::TooFar)?;
        let moved = self.moved(*hands, offset)?;
        hands.offset = offset;
        Ok(moved)
    }

    /// What the clock would show with this offset.
    fn moved(&self, hands: Hands, offset: Duration) -> Result<OffsetDateTime, ClockError> {
        let base = hands.standing.unwrap_or_else(|| self.true_now());
        base.checked_add(offset).filter(|moved| *moved < END).ok_or(ClockError::TooFar)
    }

    /// Moves the clock to at least this far ahead of true time. One that is further already stays where it is: time does
    /// not go back.
    ///
    /// # Errors
    /// The offset is negative, or leads to the year 9000 or beyond.
    pub fn reach(&self, offset: Duration) -> Result<(), ClockError> {
        if offset.is_negative() {
            return Err(ClockError::Backward(offset));
        }
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.moved(*hands, offset)?;
        hands.offset = hands.offset.max(offset);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_told() {
        let clock = Clock::starting_at(datetime!(2026-01-31 10:00 UTC));
        let same = clock.clone();
        assert_eq!(clock.advance(Duration::days(90)).unwrap(), datetime!(2026-05-01 10:00 UTC));
        assert_eq!(same.now(), datetime!(2026-05-01 10:00 UTC));
    }

    #[test]
    fn time_does_not_go_back() {
        let clock = Clock::real();
        let before = clock.now();
        assert_eq!(clock.advance(Duration::seconds(-1)), Err(ClockError::Backward(Duration::seconds(-1))));
        assert_eq!(clock.advance(Duration::MAX), Err(ClockError::TooFar));
        assert!(clock.now() >= before);
    }

    #[test]
    fn the_clock_stays_where_what_lives_for_years_can_still_end() {
        let clock = Clock::starting_at(datetime!(2026-01-31 10:00 UTC));
        let to_the_end = END - clock.now();
        for too_far in [to_the_end, to_the_end + Duration::days(200_000), Duration::MAX] {
            assert_eq!(clock.advance(too_far), Err(ClockError::TooFar));
            assert_eq!(clock.reach(too_far), Err(ClockError::TooFar));
        }
        assert_eq!(clock.now(), datetime!(2026-01-31 10:00 UTC), "a refused move moves nothing");
        let last = END - Duration::SECOND;
        assert_eq!(clock.advance(to_the_end - Duration::SECOND), Ok(last));
        assert_eq!(clock.advance(Duration::SECOND), Err(ClockError::TooFar));
        assert_eq!(clock.now(), last);
        assert!(clock.now().checked_add(Duration::days(365 * 900)).is_some());
    }

    #[test]
    fn the_offset_outlives_a_restart() {
        let clock = Clock::real();
        assert!(clock.is_true());
        clock.advance(Duration::days(30)).unwrap();
        let restarted = Clock::real();
        restarted.reach(clock.offset()).unwrap();
        assert_eq!(restarted.offset(), Duration::days(30));
        assert!(restarted.now() - restarted.true_now() > Duration::days(29) && !restarted.is_true());
        assert_eq!(restarted.reach(Duration::seconds(-1)), Err(ClockError::Backward(Duration::seconds(-1))));
        assert_eq!(restarted.reach(Duration::MAX), Err(ClockError::TooFar));
        restarted.reach(Duration::days(29)).unwrap();
        assert_eq!(restarted.offset(), Duration::days(30), "another party's clock may be behind");
    }
}
