//! The journal's file: one JSON object a line, written by a thread of its own.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use crate::journal::Recorded;

/// Exchanges that may wait for a slow disk. More than these are left out of the file, so that neither requests nor memory
/// pay for it.
const WAITING: usize = 4096;

/// Hands exchanges to the writing thread without waiting for it. Dropping it waits until everything is written.
pub(crate) struct Lines {
    waiting: Option<SyncSender<Recorded>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    left_out: AtomicU64,
}

impl Lines {
    /// Opens a file for appending. A last line that was cut off by a crash is ended, so that it spoils no other.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Self::start(file)
    }

    fn start(target: impl Write + Send + 'static) -> io::Result<Self> {
        let (waiting, exchanges) = sync_channel(WAITING);
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Err(error) = write(target, &exchanges) {
                tracing::warn!(%error, "the journal's file cannot be written any more");
            }
        })?;
        Ok(Self { waiting: Some(waiting), writer: Mutex::new(Some(writer)), left_out: AtomicU64::new(0) })
    }

    /// Lets an exchange be written. Never waits.
    pub(crate) fn append(&self, recorded: &Recorded) {
        let Some(waiting) = &self.waiting else { return };
        let outcome = waiting.try_send(recorded.clone());
        if outcome.is_err() && self.left_out.fetch_add(1, Ordering::Relaxed) == 0 {
            // Said once; the number is told at the end.
            match outcome {
                Err(TrySendError::Full(_)) => tracing::warn!("the journal's file is too slow; exchanges are left out"),
                _ => tracing::warn!("the journal's file is no longer written"),
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.waiting = None;
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::warn!("the journal's writer ended badly");
        }
        let left_out = *self.left_out.get_mut();
        if left_out > 0 {
            tracing::warn!(left_out, "exchanges are missing from the journal's file");
        }
    }
}

fn write(target: impl Write, exchanges: &Receiver<Recorded>) -> io::Result<()> {
    let mut writer = BufWriter::new(target);
    while let Ok(first) = exchanges.recv() {
        // Whatever else is waiting goes into the same write.
        for recorded in std::iter::once(first).chain(exchanges.try_iter()) {
            serde_json::to_writer(&mut writer, &recorded.read())?;
            writer.write_all(b"\n")?;
        }
        writer.flush()?;
    }
    Ok(())
}

/// Keeps a file open for reading what a test wrote.
#[cfg(test)]
pub(crate) fn read(path: &Path) -> Vec<crate::Exchange> {
    let mut text = String::new();
    std::fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::journal::tests::exchange;

    /// A disk that does not answer until it is let go.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The test ends by dropping the other end.
            self.0.recv().map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_hangs_holds_nobody_up() {
        let (release, stuck) = mpsc::channel();
        let lines = Lines::start(Stuck(stuck)).unwrap();
        for _ in 0..3 * WAITING {
            lines.append(&exchange("a").into());
        }
        assert!(lines.left_out.load(Ordering::Relaxed) > 0);
        drop(release);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        std::fs::write(&path, "{\"sequence\":1,\"at").unwrap();
        let lines = Lines::open(&path).unwrap();
        lines.append(&exchange("a").into());
        drop(lines);
        let read = read(&path);
        assert_eq!(read.iter().map(|exchange| exchange.trace_id.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
}
