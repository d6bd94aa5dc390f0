//! How much a client may leave unfinished. Everybody who has a client's request object can come with it as often as they
//! like; what is remembered of such visits is bounded all the same.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use time::OffsetDateTime;

/// Authorization requests, pushed or under way, that wait for a customer's decision: by client, those that end first in
/// front.
#[derive(Debug, Default)]
pub(crate) struct Unfinished(Mutex<HashMap<String, BTreeSet<(OffsetDateTime, String)>>>);

impl Unfinished {
    /// How many requests of the client wait now.
    pub(crate) fn count(&self, client_id: &str, now: OffsetDateTime) -> usize {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = clients.get_mut(client_id) else { return 0 };
        while waiting.first().is_some_and(|(ends, _)| *ends <= now) {
            waiting.pop_first();
        }
        let count = waiting.len();
        if count == 0 {
            clients.remove(client_id);
        }
        count
    }

    /// A request of the client waits from now on.
    pub(crate) fn add(&self, client_id: &str, key: &str, ends: OffsetDateTime) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(client_id.to_owned()).or_default().insert((ends, key.to_owned()));
    }

    /// A request of the client waits no more.
    pub(crate) fn remove(&self, client_id: &str, key: &str, ends: OffsetDateTime) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = clients.get_mut(client_id) {
            waiting.remove(&(ends, key.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    #[test]
    fn requests_count_until_they_are_decided_or_end() {
        let (unfinished, now) = (Unfinished::default(), datetime!(2026-11-23 12:00 UTC));
        let soon = now + Duration::minutes(1);
        unfinished.add("tpp", "a", soon);
        unfinished.add("tpp", "b", soon + Duration::minutes(1));
        unfinished.add("tpp", "c", soon + Duration::minutes(1));
        assert_eq!((unfinished.count("tpp", now), unfinished.count("other", now)), (3, 0));
        unfinished.remove("tpp", "c", soon + Duration::minutes(1));
        assert_eq!((unfinished.count("tpp", now), unfinished.count("tpp", soon)), (2, 1));
        assert_eq!(unfinished.count("tpp", soon + Duration::minutes(1)), 0);
        assert!(unfinished.0.lock().unwrap().is_empty());
    }
}
