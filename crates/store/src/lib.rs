//! What is remembered: one trait, sled inside.
//!
//! Records live in named collections, ordered by the bytes of their keys. Everything that changes them goes through
//! [`Store::commit`]: expectations, puts and deletes that happen entirely or not at all and are durable when the call
//! returns. [`SledStore`] keeps them on disk, [`MemoryStore`] in memory; [`Collection`] puts types on top.
//!
//! ```
//! use store::{Collection, CommitError, MemoryStore, Range, Store};
//!
//! const GREETINGS: Collection<String> = Collection::new("greetings");
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store: &dyn Store = &MemoryStore::new();
//! store.commit(vec![GREETINGS.insert("en", &"hello".to_owned())?]).await?;
//! let (greeting, version) = GREETINGS.get(store, "en").await?.expect("just inserted");
//! store.commit(vec![GREETINGS.update("en", version, &format!("{greeting}, bank"))?]).await?;
//!
//! // The version has moved on: whoever decided on the older one is told so.
//! let late = store.commit(vec![GREETINGS.update("en", version, &greeting)?]).await;
//! assert!(matches!(late, Err(CommitError::Conflict { .. })));
//! assert_eq!(GREETINGS.range(store, Range::all()).await?[0].1, "hello, bank");
//! # Ok::<(), CommitError>(())
//! # }).unwrap();
//! ```

mod change;
mod collection;
mod durable;
mod error;
mod keys;
mod memory;
mod plan;
mod range;

pub use futures_util::future::BoxFuture;

pub use change::{Action, Change, Expect, Version};
pub use collection::Collection;
pub use durable::{Opened, SledStore};
pub use error::{CommitError, Found, StoreError};
pub use keys::MAX_KEY_BYTES;
pub use memory::MemoryStore;
pub use range::{Direction, Range};

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The commit that wrote it. Versions grow over the whole store and are never used twice, so a record that was
    /// deleted and written again cannot be mistaken for the former one.
    pub version: Version,
    /// The bytes that were put.
    pub value: Vec<u8>,
}

/// Ordered records in named collections.
///
/// A collection's name is neither empty nor does it contain NUL; a key is not empty; both together stay within
/// [`MAX_KEY_BYTES`]. Anything else is refused with [`StoreError::Key`].
///
/// Reads see every commit entirely or not at all. They may see one a moment before it is durable, that is before its
/// own caller is told.
pub trait Store: Send + Sync {
    /// The record under `key`, if there is one. There is none under a key that cannot be written.
    ///
    /// # Errors
    /// A collection's name that cannot be, or an engine that cannot read.
    fn get(&self, collection: &str, key: &str) -> BoxFuture<'_, Result<Option<Stored>, StoreError>>;

    /// The records of one collection that `range` selects, with their keys, in its direction, from one moment.
    ///
    /// # Errors
    /// An unusable collection name, or an engine that cannot read.
    fn range(&self, collection: &str, range: Range) -> BoxFuture<'_, Result<Vec<(String, Stored)>, StoreError>>;

    /// Makes all changes or none; durable when it returns.
    ///
    /// Changes are judged in their order: each sees those before it in the same commit. A caller that goes away while it
    /// waits does not take back a commit that it has handed over.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] names the first expectation that does not hold; nothing has changed then.
    /// [`CommitError::Store`] with [`StoreError::Key`] also means that nothing has changed. After any other store error
    /// the outcome is unknown until the store is opened again.
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), CommitError>>;
}
