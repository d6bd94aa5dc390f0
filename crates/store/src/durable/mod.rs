//! Records on disk, by sled. Nothing outside this module names it.

mod directory;
mod engine;
mod open;
mod record;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{FutureExt, future::BoxFuture};

use self::{engine::Engine, writer::Writer};
use crate::{Change, CommitError, Range, Store, StoreError, Stored, keys};

/// A store in a directory, which one process uses at a time.
///
/// A commit that has returned survives the death of the process. It survives the loss of power only if that comes half a
/// second later, when sled synchronises its file.
///
/// Dropping the store writes out what is pending and frees the directory.
pub struct SledStore {
    // The order matters: the writer finishes, then sled closes its files, then others may have the directory.
    writer: Writer,
    engine: Arc<Engine>,
    path: PathBuf,
    _lock: File,
}

/// A store that was opened, and what happened to the one before it.
#[derive(Debug)]
pub struct Opened {
    /// The store; empty if there was none, or none that could be read.
    pub store: SledStore,
    /// Where an unreadable store was moved to.
    pub set_aside: Option<PathBuf>,
}

impl SledStore {
    /// Opens the store in the directory `path`, which is made if necessary, and reads all of it once.
    ///
    /// A store that cannot be read (damage, records lost, written by another version of the product) is moved to
    /// `path.unreadable-1`, or the next free number, with a warning; an empty one takes its place. Since sled overwrites
    /// what it cannot read, a copy (`path.kept`) exists while the store is opened. Beside the directory lies `path.lock`,
    /// which says by its lock who uses the store.
    ///
    /// Blocks: call it at start, not while requests are served.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when the directory is open already, here or in another process,
    /// [`StoreError::NotAStore`] when the path holds something else, and [`StoreError::Io`] when the operating system
    /// refuses. The directory keeps its place in all three cases.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        let open::Ready { engine, state, directory, lock, set_aside } = open::open(path)?;
        let path = directory.path.clone();
        let engine = Arc::new(engine);
        let writer = Writer::start(Arc::clone(&engine), state, directory).map_err(|source| StoreError::Io {
            action: "start the writer of",
            path: path.clone(),
            source,
        })?;
        Ok(Opened { store: Self { writer, engine, path, _lock: lock }, set_aside })
    }

    /// The store's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store for SledStore {
    // Reads do not wait for the disk unless a page has left the cache, so they happen right here.
    fn get(&self, collection: &str, key: &str) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        let result = keys::lookup(collection, key).and_then(|place| place.map_or(Ok(None), |at| self.engine.get(&at)));
        std::future::ready(result).boxed()
    }

    fn range(&self, collection: &str, range: Range) -> BoxFuture<'_, Result<Vec<(String, Stored)>, StoreError>> {
        std::future::ready(self.engine.range(collection, &range)).boxed()
    }

    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), CommitError>> {
        self.writer.commit(changes).boxed()
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").field("path", &self.path).finish_non_exhaustive()
    }
}
