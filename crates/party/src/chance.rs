//! Chance with a seed: a run that can be repeated. For tests only: who knows the seed can predict identifiers and tokens.
//! Keys are random all the same.

use serde::{Deserialize, Serialize};
use simulation::Chance;

use crate::{DataDirectory, StartError, Tools};

const FILE: &str = "chance.json";

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kept {
    /// How often the party was started with a seed.
    beginnings: u64,
}

impl Tools {
    /// The same tools with chance from this seed, if there is one. Each start in the same data directory draws on from
    /// another place, so that a restart does not give out names that are taken.
    ///
    /// # Errors
    /// The data directory cannot be used.
    pub fn seeded(mut self, seed: Option<u64>, data: &DataDirectory) -> Result<Self, StartError> {
        if let Some(seed) = seed {
            let kept = data.read_json::<Kept>(FILE)?.unwrap_or_default();
            let beginnings = kept.beginnings.saturating_add(1);
            data.write_json(FILE, &Kept { beginnings })?;
            tracing::warn!(seed, "a seed for chance is for tests only: identifiers and tokens are predictable");
            self.chance = Chance::of_party(self.journal.party(), seed, beginnings);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use transport::Stop;

    use super::*;

    #[test]
    fn the_same_seed_repeats_and_a_restart_goes_on() {
        let start = |folder: &std::path::Path, seed| {
            let data = DataDirectory::open(folder).unwrap();
            Tools::real("bank", Stop::new()).seeded(seed, &data).unwrap().chance.token()
        };
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = start(one.path(), Some(7));
        assert_eq!(first, start(other.path(), Some(7)));
        let second = start(one.path(), Some(7));
        assert_ne!(first, second);
        assert_eq!(second, start(other.path(), Some(7)));
        assert_ne!(start(one.path(), None), start(other.path(), None));
    }
}
