//! Group commit: one thread writes, and one flush makes durable whatever has come in meanwhile.
//!
//! sled's own asynchronous flush hangs for ever once eight callers wait for it.

use std::{
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::{directory::Directory, engine::Engine, record::State};
use crate::{Change, CommitError, StoreError};

/// So many commits share a flush at most, so that the first does not wait for an endless stream of others.
const GROUP: usize = 256;

/// A commit on its way to the writer.
struct Job {
    changes: Vec<Change>,
    answer: oneshot::Sender<Result<(), CommitError>>,
}

/// The thread and the way to it. Dropping it finishes what is queued.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `state` is what the database in `directory` vouches for now.
    pub(super) fn start(engine: Arc<Engine>, state: State, directory: Directory) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            write(&engine, &queue, state, &directory);
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands the changes over and waits until they are durable or refused.
    pub(super) async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        let handed_over = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job { changes, answer }).is_ok());
        if !handed_over {
            return Err(StoreError::Stopped.into());
        }
        answered.await.unwrap_or(Err(CommitError::Store(StoreError::Stopped)))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked; commits that it had not answered may be lost");
        }
    }
}

/// Takes jobs until the store is dropped. After a failure to write nobody knows what is on disk: it answers all further
/// commits with that failure.
fn write(engine: &Engine, queue: &mpsc::Receiver<Job>, mut state: State, directory: &Directory) {
    let mut failure: Option<String> = None;
    while let Ok(first) = queue.recv() {
        let mut answers = Vec::new();
        let mut written = false;
        for Job { changes, answer } in std::iter::once(first).chain(queue.try_iter()).take(GROUP) {
            let result = match &failure {
                Some(reason) => Err(StoreError::Engine { reason: reason.clone() }.into()),
                None => engine.apply(changes, &mut state),
            };
            match &result {
                Ok(wrote) => written |= wrote,
                Err(CommitError::Conflict { .. } | CommitError::Store(StoreError::Key { .. })) => {}
                Err(CommitError::Store(error)) => note(&mut failure, error),
            }
            answers.push((answer, result.map(drop)));
        }
        if written
            && failure.is_none()
            && let Err(error) = engine.flush()
        {
            note(&mut failure, &error);
        }
        // Refusals wait for the flush as well: what they found must not vanish after they were told.
        for (answer, result) in answers {
            let result = match &failure {
                Some(reason) => Err(StoreError::Engine { reason: reason.clone() }.into()),
                None => result,
            };
            // A caller that has gone away wants no answer.
            let _ = answer.send(result);
        }
    }
    let closed = match failure {
        None => engine.flush().and_then(|()| directory.mark(state.last_version)),
        Some(reason) => Err(StoreError::Engine { reason }),
    };
    if let Err(error) = closed {
        tracing::error!(%error, "the store could not be written out when it was closed");
    }
}

/// Remembers the first failure.
fn note(failure: &mut Option<String>, error: &StoreError) {
    if failure.is_none() {
        tracing::error!(%error, "the store takes no more commits");
        *failure = Some(match error {
            StoreError::Engine { reason } => reason.clone(),
            other => other.to_string(),
        });
    }
}
