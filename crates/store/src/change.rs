//! What a commit asks for.

use std::fmt;

/// Which commit wrote a record.
pub type Version = u64;

/// One step of a commit: what is expected of a record, and what shall become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The collection's name.
    pub collection: String,
    /// The record's key.
    pub key: String,
    /// What must hold, otherwise the whole commit is refused.
    pub expect: Expect,
    /// What happens to the record.
    pub action: Action,
}

impl Change {
    /// A put of `value`, if `expect` holds.
    pub fn put(collection: impl Into<String>, key: impl Into<String>, expect: Expect, value: Vec<u8>) -> Self {
        Self { collection: collection.into(), key: key.into(), expect, action: Action::Put(value) }
    }

    /// A deletion, if `expect` holds. Deleting what is absent changes nothing.
    pub fn delete(collection: impl Into<String>, key: impl Into<String>, expect: Expect) -> Self {
        Self { collection: collection.into(), key: key.into(), expect, action: Action::Delete }
    }
}

/// What must hold for a record when a commit is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such record: of many who insert it, one wins.
    Absent,
    /// The record is the one with this version.
    Version(Version),
    /// There is such a record, whatever its version.
    Present,
    /// Nothing is demanded.
    Any,
}

impl Expect {
    /// Whether a record of version `found` (`None`: no record) is what was expected.
    pub(crate) fn holds(self, found: Option<Version>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::Version(version) => found == Some(version),
            Self::Present => found.is_some(),
            Self::Any => true,
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no record"),
            Self::Version(version) => write!(f, "version {version}"),
            Self::Present => f.write_str("a record"),
            Self::Any => f.write_str("anything"),
        }
    }
}

/// What happens to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It gets this value and a new version.
    Put(Vec<u8>),
    /// It goes.
    Delete,
}
