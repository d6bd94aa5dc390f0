//! What can go wrong, in words for whoever runs the program.

use std::{fmt, io, path::PathBuf};

use crate::change::{Expect, Version};

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A collection name or key that cannot be stored.
    #[error("key {key:?} of collection {collection:?} cannot be used: {reason}")]
    Key {
        /// The collection's name.
        collection: String,
        /// The key; empty when the name itself is at fault.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Somebody else has the directory open. Nothing in it was touched.
    #[error("the store {path} is in use by {holder}; stop it or choose another directory", path = path.display())]
    InUse {
        /// The store's directory.
        path: PathBuf,
        /// Who holds the lock, as far as known: `another process (pid 4711)`.
        holder: String,
    },
    /// A path that is no store and holds other things. Nothing in it was touched.
    #[error("{path} cannot be a store: {reason}", path = path.display())]
    NotAStore {
        /// The path that was given.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The operating system refused: permissions, space, too many open files. The store was left where it is.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store is unreadable and so is the one that was started in its place.
    #[error("the store {path} cannot be read: {reason}", path = path.display())]
    Unreadable {
        /// The store's directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A value does not have the shape of its collection's type.
    #[error("the record {key:?} of collection {collection:?} does not fit its type: {source}")]
    Value {
        /// The collection's name.
        collection: String,
        /// The key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The engine failed while it read or wrote. A store that could not write takes no more commits.
    #[error("the store failed: {reason}")]
    Engine {
        /// What the engine said.
        reason: String,
    },
    /// The writer is gone; the store takes no more commits.
    #[error("the store's writer has stopped")]
    Stopped,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An expectation does not hold; nothing has changed.
    #[error("{collection}/{key}: expected {expected}, found {found}")]
    Conflict {
        /// The collection's name.
        collection: String,
        /// The record's key.
        key: String,
        /// What the commit expected.
        expected: Expect,
        /// What there is instead.
        found: Found,
    },
    /// The store itself is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a commit met in place of what it expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No record.
    Absent,
    /// A record of this version.
    Version(Version),
}

impl From<Option<Version>> for Found {
    fn from(version: Option<Version>) -> Self {
        version.map_or(Self::Absent, Self::Version)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no record"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}
