//! The clock outlives a restart: how far it was moved is kept in the data directory.

use serde::{Deserialize, Serialize};
use simulation::Clock;
use time::Duration;

use crate::{DataDirectory, DataError, StartError};

const FILE: &str = "clock.json";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kept {
    /// Seconds ahead of true time.
    ahead: i64,
}

/// How far ahead of true time a party's clock was when it stopped; none when it was never moved.
///
/// # Errors
/// The file cannot be read.
pub fn kept(data: &DataDirectory) -> Result<Option<Duration>, DataError> {
    Ok(data.read_json::<Kept>(FILE)?.map(|kept| Duration::seconds(kept.ahead)))
}

/// Moves the clock to where it was before a restart. A clock that other parties of the process have moved further stays.
///
/// # Errors
/// The file cannot be read, or says something that cannot be.
pub fn restore(data: &DataDirectory, clock: &Clock) -> Result<(), StartError> {
    let Some(ahead) = kept(data)? else { return Ok(()) };
    clock.reach(ahead).map_err(|error| StartError::Other(format!("{}: {error}", data.join(FILE).display())))
}

/// Keeps where the clock is.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(data: &DataDirectory, clock: &Clock) -> Result<(), DataError> {
    data.write_json(FILE, &Kept { ahead: clock.offset().whole_seconds() }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_goes_on_from_there_and_nonsense_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let clock = Clock::real();
        restore(&data, &clock).unwrap();
        assert_eq!(clock.offset(), Duration::ZERO);
        clock.advance(Duration::days(91)).unwrap();
        keep(&data, &clock).unwrap();

        let later = Clock::real();
        restore(&data, &later).unwrap();
        assert_eq!(later.offset(), Duration::days(91));

        for (text, told) in [
            (r#"{"ahead":-1}"#, "forward"),
            (r#"{"ahead":250000000000}"#, "before the year 9000"),
            (r#"{"ahead":"soon"}"#, "invalid type"),
        ] {
            data.write_public(FILE, text.as_bytes()).unwrap();
            let error = restore(&data, &Clock::real()).unwrap_err().to_string();
            assert!(error.contains("clock.json") && error.contains(told), "{error}");
        }
    }
}
