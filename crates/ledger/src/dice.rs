//! Chance from a seed: a ChaCha stream for each purpose, so that changing one habit leaves the others as they are.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of that seed for that purpose.
    pub(crate) fn new(seed: u64, purpose: &[&str]) -> Self {
        // FNV-1a: a fixed function, unlike std's hashers, which may differ between versions.
        let mut stream = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.iter().flat_map(|part| part.bytes().chain([0])) {
            stream = (stream ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number below `n`; zero when `n` is zero. The bias for small `n` is far below what anybody could see.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        u64::try_from((u128::from(self.0.next_u64()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included; the middle is likelier than the ends.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low);
        let (first, second) = (self.below(span + 1), self.below(span + 1));
        low.saturating_add_unsigned(first.midpoint(second))
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(from.len()).unwrap_or(u64::MAX));
        from.get(usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// True with that many chances in a million.
    pub(crate) fn chance(&mut self, millionths: u64) -> bool {
        self.below(1_000_000) < millionths
    }

    /// An opaque identifier.
    pub(crate) fn identifier(&mut self, length: usize) -> String {
        (0..length).filter_map(|_| self.pick(LETTERS)).map(|letter| char::from(*letter)).collect()
    }

    /// A number of so many decimal digits, which may begin with zeros.
    pub(crate) fn digits(&mut self, length: usize) -> String {
        (0..length).filter_map(|_| self.pick(&LETTERS[..10])).map(|digit| char::from(*digit)).collect()
    }
}
