//! Judging a commit: the same code for every implementation.

use std::collections::BTreeMap;

use crate::{
    Stored,
    change::{Action, Change, Version},
    error::{CommitError, StoreError},
    keys,
};

/// What a commit does to one place.
#[derive(Debug)]
pub(crate) struct Step {
    /// The record before the commit.
    pub(crate) before: Option<Stored>,
    /// The record after it.
    pub(crate) after: Option<Stored>,
}

/// The places that a commit touches. Their order is the order of the keys.
pub(crate) type Plan = BTreeMap<Vec<u8>, Step>;

/// Judges `changes` in their order against the records that `look_up` knows. `version` is what the records that it
/// puts will get. The plan names only what really changes; it is empty for a commit that only
/// deletes what is absent.
pub(crate) fn plan(
    changes: Vec<Change>,
    version: Version,
    look_up: impl Fn(&[u8]) -> Result<Option<Stored>, StoreError>,
) -> Result<Plan, CommitError> {
    let mut plan = Plan::new();
    for Change { collection, key, expect, action } in changes {
        let place = keys::place(&collection, &key)?;
        let step = match plan.entry(place) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let before = look_up(entry.key())?;
                entry.insert(Step { after: before.clone(), before })
            }
        };
        let found = step.after.as_ref().map(|stored| stored.version);
        if !expect.holds(found) {
            return Err(CommitError::Conflict { collection, key, expected: expect, found: found.into() });
        }
        step.after = match action {
            Action::Put(value) => Some(Stored { version, value }),
            Action::Delete => None,
        };
    }
    plan.retain(|_, step| step.before.is_some() || step.after.is_some());
    Ok(plan)
}
