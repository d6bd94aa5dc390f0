//! Group commit: one thread writes, and one flush makes durable whatever has come in meanwhile.
//!
//! sled's own asynchronous flush hangs for ever once eight callers wait for it.

use std::{
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    directory::Directory,
    engine::{Engine, Waiting},
    record::State,
};
use crate::{Change, CommitError, StoreError};

/// So many commits share a flush at most, so that the first does not wait for an endless stream of others.
const GROUP: usize = 256;

/// How long the writer lets others hand over their commits before it writes, and how often it does so for one group as long
/// as more come in. It waits only in company: writing a group costs as much as judging many commits, while somebody who is
/// alone would wait for nobody.
const GATHERING: Duration = Duration::from_micros(500);
const GATHERINGS: usize = 4;

/// What becomes of a commit.
type Fate = Result<(), CommitError>;

/// A commit on its way to the writer.
struct Job {
    changes: Vec<Change>,
    answer: oneshot::Sender<Fate>,
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

/// The commits that share a flush, and what became of those before them.
struct Group<'a> {
    engine: &'a Engine,
    waiting: Waiting,
    /// The first failure to write. Nobody knows what is on disk after it, so all further commits are answered with it.
    failure: Option<String>,
    answers: Vec<(oneshot::Sender<Fate>, Fate)>,
}

impl Group<'_> {
    /// Judges the commits that wait in the queue, as far as the group has room, and answers how many.
    fn take(&mut self, queue: impl Iterator<Item = Job>) -> usize {
        let before = self.answers.len();
        for Job { changes, answer } in queue.take(GROUP - before) {
            let result = match &self.failure {
                Some(reason) => Err(StoreError::Engine { reason: reason.clone() }.into()),
                None => self.engine.judge(changes, &mut self.waiting),
            };
            match &result {
                Ok(()) | Err(CommitError::Conflict { .. } | CommitError::Store(StoreError::Key { .. })) => {}
                Err(CommitError::Store(error)) => note(&mut self.failure, error),
            }
            self.answers.push((answer, result));
        }
        self.answers.len() - before
    }

    /// Makes the commits, answers them, and tells how many they were.
    fn finish(&mut self) -> usize {
        if self.failure.is_none()
            && let Err(error) = self.engine.make(&mut self.waiting)
        {
            note(&mut self.failure, &error);
        }
        let many = self.answers.len();
        // Refusals wait for the flush as well: what they found must not vanish after they were told.
        for (answer, result) in self.answers.drain(..) {
            let result = match &self.failure {
                Some(reason) => Err(StoreError::Engine { reason: reason.clone() }.into()),
                None => result,
            };
            // A caller that has gone away wants no answer.
            let _ = answer.send(result);
        }
        many
    }
}

/// Takes jobs until the store is dropped.
fn write(engine: &Engine, queue: &mpsc::Receiver<Job>, state: State, directory: &Directory) {
    let mut group = Group { engine, waiting: Waiting::new(state), failure: None, answers: Vec::new() };
    let mut last = 0;
    while let Ok(first) = queue.recv() {
        group.take(std::iter::once(first).chain(queue.try_iter()));
        if last > 1 || group.answers.len() > 1 {
            for _ in 0..GATHERINGS {
                gather();
                // As many as the last time are all that can be expected.
                if group.take(queue.try_iter()) == 0 || group.answers.len() >= last {
                    break;
                }
            }
        }
        last = group.finish();
    }
    let Group { waiting, failure, .. } = group;
    let closed = match failure {
        None => engine.flush().and_then(|()| directory.mark(waiting.state.last_version)),
        Some(reason) => Err(StoreError::Engine { reason }),
    };
    if let Err(error) = closed {
        tracing::error!(%error, "the store could not be written out when it was closed");
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing tells that somebody is about to hand over a commit")]
fn gather() {
    thread::sleep(GATHERING);
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
