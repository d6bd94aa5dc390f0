//! Opening: lock first, look before sled touches anything, then read everything once.

use std::{
    any::Any,
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    directory::{Contents, Directory, io_error},
    engine::Engine,
    record::{self, STATE, State},
};
use crate::{StoreError, keys};

/// sled's page cache. Its own default is a gibibyte.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// sled frees its own lock in a background thread, a moment after the database was closed.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A database that was read and found whole.
pub(super) struct Ready {
    pub(super) engine: Engine,
    pub(super) state: State,
    pub(super) directory: Directory,
    pub(super) lock: File,
    pub(super) set_aside: Option<PathBuf>,
}

/// Why a database was not loaded.
enum Failure {
    /// It may be in order: it stays where it is.
    Refused(StoreError),
    /// It is not: it goes out of the way.
    Unreadable(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

pub(super) fn open(path: &Path) -> Result<Ready, StoreError> {
    let directory = Directory::new(path)?;
    let lock = directory.lock()?;
    directory.put_back()?;
    let (loaded, set_aside) = match load(&directory) {
        Err(Failure::Unreadable(reason)) => {
            let target = directory.set_aside()?;
            tracing::warn!(
                store = %directory.path.display(), moved_to = %target.display(), reason,
                "the store cannot be read; it was set aside and an empty one takes its place"
            );
            (load(&directory), Some(target))
        }
        loaded => (loaded, None),
    };
    match &loaded {
        Ok(_) | Err(Failure::Refused(StoreError::InUse { .. })) => directory.let_go()?,
        Err(_) => directory.put_back()?,
    }
    match loaded {
        Ok((db, state)) => Ok(Ready { engine: Engine::new(db), state, directory, lock, set_aside }),
        Err(Failure::Refused(error)) => Err(error),
        Err(Failure::Unreadable(reason)) => Err(StoreError::Unreadable { path: directory.path, reason }),
    }
}

fn load(directory: &Directory) -> Result<(sled::Db, State), Failure> {
    let contents = directory.contents()?;
    if let Contents::Unreadable(reason) = contents {
        return Err(Failure::Unreadable(reason));
    }
    wait_for_sled(directory)?;
    if !matches!(contents, Contents::Fresh) {
        directory.keep()?;
    }
    // sled panics at some kinds of damage where it could have returned an error.
    catch_unwind(AssertUnwindSafe(|| {
        let db = sled::Config::default().path(&directory.path).cache_capacity(CACHE_BYTES).open();
        let db = db.map_err(|error| judge(&directory.path, error))?;
        let state = match (db.get(STATE).map_err(|error| judge(&directory.path, error))?, contents) {
            (Some(bytes), Contents::Known(reached)) => verify(&db, &bytes, reached, &directory.path)?,
            (Some(bytes), _) => verify(&db, &bytes, 0, &directory.path)?,
            (None, Contents::Known(_)) => return Err(Failure::Unreadable("its records are gone".to_owned())),
            (None, _) if db.is_empty() && db.tree_names().len() == 1 => initialise(&db, &directory.path)?,
            (None, _) => return Err(Failure::Unreadable("another program wrote it".to_owned())),
        };
        directory.mark(state.last_version)?;
        Ok((db, state))
    }))
    .unwrap_or_else(|panic| Err(Failure::Unreadable(panic_text(&*panic))))
}

/// Waits for sled's own lock. Ours is the only store that can have the directory, so that it is free at once or in a
/// moment, unless a stranger uses the files.
fn wait_for_sled(directory: &Directory) -> Result<(), Failure> {
    for _ in 1..LOCK_TRIES {
        if !directory.is_locked_by_sled()? {
            return Ok(());
        }
        pause();
    }
    Err(Failure::Refused(in_use(&directory.path)))
}

fn in_use(path: &Path) -> StoreError {
    StoreError::InUse { path: path.to_owned(), holder: "another process that locks sled's files".to_owned() }
}

#[expect(clippy::disallowed_methods, reason = "opening blocks anyway, and nothing tells when sled frees its lock")]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

/// An empty database that vouches for having no records.
fn initialise(db: &sled::Db, path: &Path) -> Result<State, Failure> {
    let state = State::default();
    db.insert(STATE, state.encode()).and_then(|_| db.flush()).map_err(|error| judge(path, error))?;
    Ok(state)
}

/// Reads every record and compares with what the last commit vouched for, which must not be older than `reached`.
fn verify(db: &sled::Db, state: &[u8], reached: u64, path: &Path) -> Result<State, Failure> {
    let unreadable = |reason: &str| Failure::Unreadable(reason.to_owned());
    let state = State::decode(state).ok_or_else(|| unreadable("its state is damaged"))?;
    if state.last_version < reached {
        return Err(Failure::Unreadable(format!(
            "its last commit is {}, there was {reached} before",
            state.last_version
        )));
    }
    let mut read = State::default();
    for entry in db.iter() {
        let (place, bytes) = entry.map_err(|error| judge(path, error))?;
        if *place == *STATE {
            continue;
        }
        let stored = record::decode(&bytes).ok_or_else(|| unreadable("a record is damaged"))?;
        if keys::split(&place).is_none() || stored.version > state.last_version {
            return Err(unreadable("a record is damaged"));
        }
        read.add(&place, &stored);
    }
    if state.same_records(&read) {
        Ok(state)
    } else {
        let (found, expected) = (read.count(), state.count());
        Err(Failure::Unreadable(format!("records are damaged or lost: {found} found, {expected} expected")))
    }
}

/// Tells damage from circumstances that the operator can mend.
fn judge(path: &Path, error: sled::Error) -> Failure {
    match error {
        // sled wraps the lock's error in a text of its own.
        sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
            Failure::Refused(in_use(path))
        }
        sled::Error::Io(source) if is_circumstance(&source) => Failure::Refused(io_error("open", path, source)),
        damage => Failure::Unreadable(damage.to_string()),
    }
}

fn is_circumstance(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    match error.kind() {
        // What reading at a nonsensical place gives, and a file that a record points to and that is gone.
        Kind::InvalidInput | Kind::InvalidData | Kind::UnexpectedEof | Kind::NotFound => false,
        Kind::PermissionDenied | Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem => true,
        Kind::OutOfMemory | Kind::Interrupted | Kind::ResourceBusy => true,
        _ => error.raw_os_error().is_some(),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("sled panicked: {}", text.unwrap_or("without a word"))
}
