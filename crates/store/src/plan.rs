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
    /// Whether a put or a delete touched it.
    written: bool,
}

/// The places that a commit touches. Their order is the order of the keys.
pub(crate) type Plan = BTreeMap<Vec<u8>, Step>;

/// Judges `changes` in their order against the records that `look_up` knows. `version` is what the records that it
/// puts will get. The plan names only what really changes; it is empty for a commit of mere checks.
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
                entry.insert(Step { after: before.clone(), before, written: false })
            }
        };
        let found = step.after.as_ref().map(|stored| stored.version);
        if !expect.holds(found) {
            return Err(CommitError::Conflict { collection, key, expected: expect, found: found.into() });
        }
        match action {
            Action::Put(value) => (step.after, step.written) = (Some(Stored { version, value }), true),
            Action::Delete => (step.after, step.written) = (None, true),
            Action::Check => {}
        }
    }
    plan.retain(|_, step| step.written && !(step.before.is_none() && step.after.is_none()));
    Ok(plan)
}
