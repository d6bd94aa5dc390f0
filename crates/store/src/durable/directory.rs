//! The directory around sled's files: its lock, its schema, and where it goes when it cannot be read.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// How records are written, the first line of the schema file. Another number means another layout, which this code
/// cannot read. The second line is the last version that was surely given away.
const SCHEMA: &str = "ob-store 1";
const SCHEMA_FILE: &str = "schema";
/// sled's files: the log and its parameters.
const DATA_FILE: &str = "db";
const PARAMETERS_FILE: &str = "conf";

/// A store's place in the file system.
pub(super) struct Directory {
    parent: PathBuf,
    name: OsString,
    pub(super) path: PathBuf,
}

/// What a look at the directory tells before sled touches it.
pub(super) enum Contents {
    /// Nothing yet.
    Fresh,
    /// A store without its schema file: its first opening was interrupted, or it is none of ours.
    Unmarked,
    /// A store with records as this code writes them, and the version that they had reached at least: sled cuts its
    /// log at damage, which leaves an older state that looks sound.
    Known(u64),
    /// A store that this code cannot read.
    Unreadable(String),
}

impl Directory {
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let nameless = || StoreError::NotAStore { path: path.to_owned(), reason: "the path names no directory" };
        let name = path.file_name().ok_or_else(nameless)?.to_owned();
        let parent = path.parent().ok_or_else(nameless)?.to_owned();
        Ok(Self { path: parent.join(&name), parent, name })
    }

    /// Takes the lock that one store at a time can have. It lies beside the directory, so that it stays in its place when
    /// the directory is moved, and nothing inside is touched by those who do not get it.
    pub(super) fn lock(&self) -> Result<File, StoreError> {
        if !self.parent.as_os_str().is_empty() {
            fs::create_dir_all(&self.parent).map_err(|source| io_error("create", &self.parent, source))?;
        }
        let path = self.beside(".lock");
        let failed = |source| io_error("lock", &path, source);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever holds the lock writes its number a moment later; without it the message is merely shorter.
                let holder = match file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse::<u32>().ok())
                {
                    Some(pid) if pid == std::process::id() => "this process already".to_owned(),
                    Some(pid) => format!("another process (pid {pid})"),
                    None => "another process".to_owned(),
                };
                return Err(StoreError::InUse { path: self.path.clone(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(file)
    }

    /// Looks at the directory; makes it if there is none.
    pub(super) fn contents(&self) -> Result<Contents, StoreError> {
        match create(&self.path) {
            Ok(()) => return Ok(Contents::Fresh),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(io_error("create", &self.path, source)),
        }
        let not_a_store = |reason| StoreError::NotAStore { path: self.path.clone(), reason };
        if !self.path.is_dir() {
            return Err(not_a_store("it is a file, not a directory"));
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|source| io_error("read", &self.path, source))? {
            names.push(entry.map_err(|source| io_error("read", &self.path, source))?.file_name());
        }
        let has = |name: &str| names.iter().any(|found| found == OsStr::new(name));
        if names.is_empty() {
            return Ok(Contents::Fresh);
        }
        if ![SCHEMA_FILE, DATA_FILE, PARAMETERS_FILE].into_iter().any(has) {
            return Err(not_a_store("the directory holds other files"));
        }
        if has(DATA_FILE) {
            // Missing rights are the operator's to mend; sled would report them as it reports damage.
            let path = self.path.join(DATA_FILE);
            File::options().read(true).write(true).open(&path).map_err(|source| io_error("open", &path, source))?;
        }
        if !has(SCHEMA_FILE) {
            return Ok(Contents::Unmarked);
        }
        let path = self.path.join(SCHEMA_FILE);
        let schema = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
        let schema = String::from_utf8_lossy(&schema);
        let (schema, reached) = schema.split_once('\n').unwrap_or((&schema, ""));
        if schema != SCHEMA {
            return Ok(Contents::Unreadable(format!("its schema is {schema:?}, this program reads {SCHEMA:?}")));
        }
        Ok(match reached.trim_end().parse() {
            _ if !has(DATA_FILE) => Contents::Unreadable("its data file is missing".to_owned()),
            Ok(reached) => Contents::Known(reached),
            Err(_) => Contents::Unreadable("its schema file is damaged".to_owned()),
        })
    }

    /// Says how the records are written and which version they have reached, once they are surely on disk. From now on
    /// a directory with less is a loss.
    pub(super) fn mark(&self, reached: u64) -> Result<(), StoreError> {
        let temporary = self.path.join("schema.new");
        let write = || {
            // sled's flush hands its writes to the system and does not wait for the disk.
            File::options().write(true).open(self.path.join(DATA_FILE))?.sync_all()?;
            let mut file = File::create(&temporary)?;
            write!(file, "{SCHEMA}\n{reached}\n")?;
            file.sync_all()?;
            fs::rename(&temporary, self.path.join(SCHEMA_FILE))
        };
        write().map_err(|source| io_error("write", &temporary, source))
    }

    /// Moves what was found here out of the way, to the first free number.
    pub(super) fn set_aside(&self) -> Result<PathBuf, StoreError> {
        self.put_back()?;
        let mut number = 1_u32;
        let target = loop {
            let target = self.beside(&format!(".unreadable-{number}"));
            match fs::symlink_metadata(&target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break target,
                Err(source) => return Err(io_error("look at", &target, source)),
                Ok(_) => number += 1,
            }
        };
        fs::rename(&self.path, &target).map_err(|source| io_error("set aside", &self.path, source))?;
        Ok(target)
    }

    /// Copies the directory before sled opens it: sled repairs by cutting and overwriting, so that afterwards nothing is
    /// left to set aside. The copy appears under its name only when it is complete.
    pub(super) fn keep(&self) -> Result<(), StoreError> {
        let unfinished = self.beside(".unfinished");
        remove(&unfinished)?;
        copy(&self.path, &unfinished)?;
        let kept = self.beside(".kept");
        fs::rename(&unfinished, &kept).map_err(|source| io_error("rename", &unfinished, source))
    }

    /// Forgets the copy: the store was opened and found whole.
    pub(super) fn let_go(&self) -> Result<(), StoreError> {
        self.discard(&self.beside(".kept"))
    }

    /// Puts the copy, if there is one, in the place of what sled has made of the store. A copy from another life means
    /// that its opening was interrupted, before any commit.
    pub(super) fn put_back(&self) -> Result<(), StoreError> {
        let kept = self.beside(".kept");
        if !kept.exists() {
            return Ok(());
        }
        self.discard(&self.path)?;
        fs::rename(&kept, &self.path).map_err(|source| io_error("put back", &self.path, source))
    }

    /// Removes a directory; it loses its name first, so that half of it is never mistaken for the whole.
    fn discard(&self, path: &Path) -> Result<(), StoreError> {
        let unfinished = self.beside(".unfinished");
        remove(&unfinished)?;
        match fs::rename(path, &unfinished) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(io_error("discard", path, source)),
            Ok(()) => remove(&unfinished),
        }
    }

    /// Whether somebody has sled's own lock on the data file.
    pub(super) fn is_locked_by_sled(&self) -> Result<bool, StoreError> {
        let path = self.path.join(DATA_FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(|source| io_error("open", &path, source))?,
        };
        match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path, source)),
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(suffix);
        self.parent.join(name)
    }
}

fn remove(directory: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", directory, error)),
        _ => Ok(()),
    }
}

/// Creates a directory that only its owner can read; what lies in a store is nobody else's business.
fn create(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |source| io_error("copy", from, source);
    create(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(failed)?;
        }
    }
    Ok(())
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), source }
}
