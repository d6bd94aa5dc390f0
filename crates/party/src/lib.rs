//! What every party's process shares: settings in three forms, the data directory, logging, the control port, start and
//! stop, and the life of a participant of the Directory.
//!
//! Parties do not share memory: each has its own [`Tools`] (clock, chance, journal), its own [`DataDirectory`] and its own
//! control port, also when one process hosts them all.

pub mod authorization_server;
pub mod catalogue;
mod chance;
pub mod clock;
pub mod control;
mod data;
pub mod lesson;
pub mod listener;
pub mod logging;
pub mod participant;
pub mod settings;
mod start;
pub mod sweeping;

pub use data::{DataDirectory, DataError, Owner, PKCS12_PASSWORD};
pub use lesson::Lesson;
pub use listener::{own_url, server_names};
pub use start::{CANNOT_START, StartError, ended, run, say};

use simulation::{Chance, Clock, Faults, Journal};
use transport::{Observer, Stop};

/// Exchanges that a journal remembers.
pub const JOURNAL_CAPACITY: usize = 10_000;

/// A party's own clock, chance, journal, and the sign to stop.
#[derive(Clone)]
pub struct Tools {
    /// The party's clock.
    pub clock: Clock,
    /// The party's randomness.
    pub chance: Chance,
    /// The party's journal.
    pub journal: Journal,
    /// The faults that strike whoever calls it.
    pub faults: Faults,
    /// Which of its rules are off.
    pub lesson: Lesson,
    /// When the party stops.
    pub stop: Stop,
}

impl Tools {
    /// Tools of a party that nobody simulates time or chance for.
    #[must_use]
    pub fn real(party: &str, stop: Stop) -> Self {
        let journal = Journal::new(party, JOURNAL_CAPACITY);
        Self {
            clock: Clock::real(),
            chance: Chance::from_system(),
            journal,
            faults: Faults::default(),
            lesson: Lesson::default(),
            stop,
        }
    }

    /// The same tools with a journal that is also written to a file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn with_journal_file(mut self, path: Option<&std::path::Path>) -> Result<Self, StartError> {
        if let Some(path) = path {
            self.journal = Journal::with_json_lines(self.journal.party(), JOURNAL_CAPACITY, path).map_err(|error| {
                StartError::Configuration(format!("the journal {} cannot be written: {error}", path.display()))
            })?;
        }
        Ok(self)
    }

    /// What a listener observes with. It has a chance of its own: how often it is asked changes no identifier.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer {
            journal: Some(self.journal.clone()),
            clock: self.clock.clone(),
            chance: self.chance.fork(),
            faults: self.faults.clone(),
        }
    }

    /// What the control port observes with: it is not part of any journey, so it is not in the journal, and no fault
    /// strikes it.
    #[must_use]
    pub fn silent_observer(&self) -> Observer {
        Observer { journal: None, faults: Faults::default(), ..self.observer() }
    }
}
