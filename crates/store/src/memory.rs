//! Records that last as long as the process.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    Change, CommitError, Direction, Range, Store, StoreError, Stored, Version, keys,
    plan::{Plan, plan},
};

/// A store in memory, for tests and for sandboxes that forget. It behaves as [`crate::SledStore`] does.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: RwLock<Records>,
}

#[derive(Debug, Default)]
struct Records {
    last_version: Version,
    by_place: BTreeMap<Vec<u8>, Stored>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, read: impl FnOnce(&Records) -> T) -> T {
        // Nothing between the first and the last write of a plan can panic, so a poisoned lock guards whole commits.
        read(&self.records.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn get_now(&self, collection: &str, key: &str) -> Result<Option<Stored>, StoreError> {
        let Some(place) = keys::lookup(collection, key)? else { return Ok(None) };
        Ok(self.read(|records| records.by_place.get(&place).cloned()))
    }

    fn range_now(&self, collection: &str, range: &Range) -> Result<Vec<(String, Stored)>, StoreError> {
        let Some((low, high)) = keys::bounds(collection, range)? else { return Ok(Vec::new()) };
        let owned =
            |(place, stored): (&Vec<u8>, &Stored)| keys::split(place).map(|(_, key)| (key.to_owned(), stored.clone()));
        Ok(self.read(|records| {
            let selected = records.by_place.range(low..high).filter_map(owned);
            match range.direction {
                Direction::Forward => selected.take(range.limit).collect(),
                Direction::Backward => selected.rev().take(range.limit).collect(),
            }
        }))
    }

    fn commit_now(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let version = records.last_version + 1;
        let plan: Plan = plan(changes, version, |place| Ok(records.by_place.get(place).cloned()))?;
        if !plan.is_empty() {
            records.last_version = version;
        }
        for (place, step) in plan {
            match step.after {
                Some(stored) => records.by_place.insert(place, stored),
                None => records.by_place.remove(&place),
            };
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn get(&self, collection: &str, key: &str) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        std::future::ready(self.get_now(collection, key)).boxed()
    }

    fn range(&self, collection: &str, range: Range) -> BoxFuture<'_, Result<Vec<(String, Stored)>, StoreError>> {
        std::future::ready(self.range_now(collection, &range)).boxed()
    }

    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), CommitError>> {
        async move { self.commit_now(changes) }.boxed()
    }
}
