//! Chance: random bytes from the machine, or from a seed that makes a run repeat.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng, rngs::ChaCha20Rng};
use uuid::Uuid;

/// A source of random values. Clones share it. ChaCha20 keyed by the machine is fit for secrets; a seeded one is for
/// runs that must repeat, and its secrets can be predicted by whoever knows the seed.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<ChaCha20Rng>>);

impl std::fmt::Debug for Chance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chance")
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Chance {
    /// Keyed by the machine's source of randomness.
    #[must_use]
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// The same values each time for the same seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    /// The same values each time for the same name and seed at the same one of several beginnings, so that parties with one
    /// seed do not give the same names, and one that begins again does not give its own once more. Of the name 16 bytes
    /// count.
    #[must_use]
    pub fn of_party(name: &str, seed: u64, beginning: u64) -> Self {
        let mut key = [0; 32];
        let parts = [&seed.to_le_bytes()[..], &beginning.to_le_bytes(), name.as_bytes()].concat();
        key.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(key))))
    }

    /// Another source, from this one: what is drawn there does not change what comes here.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(self.bytes()))))
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// A secret of 256 bits in letters and digits.
    #[must_use]
    pub fn token(&self) -> String {
        self.identifier(43)
    }

    /// A UUID of version 4.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A number from 0 to below `end`; 0 when `end` is 0.
    #[must_use]
    pub fn below(&self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // Values at the top that would make small results likelier are drawn again.
        let fair = u64::MAX - u64::MAX % end;
        loop {
            let drawn = u64::from_le_bytes(self.bytes());
            if drawn < fair {
                return drawn % end;
            }
        }
    }

    /// Letters and digits, each equally likely (5.95 bits a character).
    #[must_use]
    pub fn identifier(&self, length: usize) -> String {
        (0..length)
            .map(|_| {
                let index = usize::try_from(self.below(62)).unwrap_or_default();
                char::from(BASE62.get(index).copied().unwrap_or(b'0'))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_machine_does_not() {
        assert_eq!(Chance::from_seed(7).token(), Chance::from_seed(7).token());
        assert_ne!(Chance::from_seed(7).token(), Chance::from_seed(8).token());
        assert_ne!(Chance::from_system().token(), Chance::from_system().token());
    }

    #[test]
    fn parties_and_beginnings_differ_and_forks_do_not_disturb() {
        let first = |name, seed, beginning| Chance::of_party(name, seed, beginning).token();
        assert_eq!(first("bank", 7, 1), first("bank", 7, 1));
        for other in [first("tpp", 7, 1), first("bank", 8, 1), first("bank", 7, 2)] {
            assert_ne!(first("bank", 7, 1), other);
        }
        let draw = |drawn_elsewhere: usize| {
            let chance = Chance::from_seed(7);
            let fork = chance.fork();
            (0..drawn_elsewhere).for_each(|_| drop(fork.token()));
            (chance.token(), chance.fork().token())
        };
        assert_eq!(draw(0), draw(9));
        assert_ne!(draw(0).0, Chance::from_seed(7).fork().token());
    }

    #[test]
    fn identifiers_have_the_form_that_is_asked_for() {
        let chance = Chance::from_seed(1);
        assert_eq!(chance.uuid().get_version_num(), 4);
        let id = chance.identifier(22);
        assert!(id.len() == 22 && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert_eq!(chance.below(0), 0);
    }
}
