//! sled under the rule that a commit is seen entirely or not at all.

use std::{collections::BTreeMap, sync::RwLock};

use super::record::{self, STATE, State};
use crate::{
    Change, CommitError, Direction, Range, StoreError, Stored, keys,
    plan::{Plan, plan},
};

/// Commits that were judged and are not made yet. They become one batch, since each batch makes sled write its log out
/// twice, and that wakes all of its threads.
pub(super) struct Waiting {
    /// What the database will vouch for.
    pub(super) state: State,
    /// Every record that changes, as the last of the commits leaves it.
    records: BTreeMap<Vec<u8>, Option<Stored>>,
}

impl Waiting {
    /// None, on a database that vouches for `state`.
    pub(super) fn new(state: State) -> Self {
        Self { state, records: BTreeMap::new() }
    }
}

/// The open database. Only the writer changes it.
pub(super) struct Engine {
    db: sled::Db,
    /// sled applies a batch record by record; whoever reads holds this shared, the writer alone.
    whole: RwLock<()>,
}

impl Engine {
    pub(super) fn new(db: sled::Db) -> Self {
        Self { db, whole: RwLock::new(()) }
    }

    /// Reads while no commit is half done. Refuses for good when sled panicked in the middle of one.
    fn read<T>(&self, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _whole = self.whole.read().map_err(|_| StoreError::Stopped)?;
        read()
    }

    pub(super) fn get(&self, place: &[u8]) -> Result<Option<Stored>, StoreError> {
        self.read(|| self.look_up(place))
    }

    fn look_up(&self, place: &[u8]) -> Result<Option<Stored>, StoreError> {
        self.db.get(place).map_err(|error| failed(&error))?.map(|bytes| decode(&bytes)).transpose()
    }

    pub(super) fn range(&self, collection: &str, range: &Range) -> Result<Vec<(String, Stored)>, StoreError> {
        let Some((low, high)) = keys::bounds(collection, range)? else { return Ok(Vec::new()) };
        let owned = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (place, bytes) = entry.map_err(|error| failed(&error))?;
            let (_, key) = keys::split(&place).ok_or_else(|| broken("a key is damaged"))?;
            Ok((key.to_owned(), decode(&bytes)?))
        };
        self.read(|| {
            let selected = self.db.range(low..high);
            match range.direction {
                Direction::Forward => selected.take(range.limit).map(owned).collect(),
                Direction::Backward => selected.rev().take(range.limit).map(owned).collect(),
            }
        })
    }

    /// Judges one commit on top of those that wait, and lets it wait with them. Only the writer may call this, for between
    /// the judging and the making nobody else may write.
    pub(super) fn judge(&self, changes: Vec<Change>, waiting: &mut Waiting) -> Result<(), CommitError> {
        let version = waiting.state.last_version + 1;
        let plan: Plan = plan(changes, version, |place| match waiting.records.get(place) {
            Some(record) => Ok(record.clone()),
            None => self.look_up(place),
        })?;
        if !plan.is_empty() {
            waiting.state.last_version = version;
        }
        for (place, step) in plan {
            if let Some(before) = &step.before {
                waiting.state.remove(&place, before);
            }
            if let Some(after) = &step.after {
                waiting.state.add(&place, after);
            }
            waiting.records.insert(place, step.after);
        }
        Ok(())
    }

    /// Makes the commits that wait, all of them or none, and makes them durable.
    pub(super) fn make(&self, waiting: &mut Waiting) -> Result<(), StoreError> {
        if waiting.records.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for (place, record) in std::mem::take(&mut waiting.records) {
            match &record {
                Some(stored) => batch.insert(place, record::encode(stored)),
                None => batch.remove(place),
            }
        }
        batch.insert(STATE, waiting.state.encode());
        {
            let _whole = self.whole.write().map_err(|_| StoreError::Stopped)?;
            self.db.apply_batch(batch).map_err(|error| failed(&error))?;
        }
        self.flush()
    }

    /// Makes everything durable that was applied before.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(|error| failed(&error))
    }
}

fn decode(bytes: &[u8]) -> Result<Stored, StoreError> {
    record::decode(bytes).ok_or_else(|| broken("a record is damaged"))
}

fn failed(error: &sled::Error) -> StoreError {
    StoreError::Engine { reason: error.to_string() }
}

fn broken(reason: &str) -> StoreError {
    StoreError::Engine { reason: reason.to_owned() }
}
