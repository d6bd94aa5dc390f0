//! The bytes on disk: records, and the state that vouches for them.

use crate::Stored;

/// Where the state lies: no record's place begins with NUL.
pub(super) const STATE: &[u8] = b"\0state";

const VERSION_BYTES: usize = size_of::<u64>();

/// Version, big-endian, then the value.
pub(super) fn encode(stored: &Stored) -> Vec<u8> {
    [&stored.version.to_be_bytes(), stored.value.as_slice()].concat()
}

/// The reverse of [`encode`]; `None` when the bytes are too few for a version.
pub(super) fn decode(bytes: &[u8]) -> Option<Stored> {
    let (version, value) = bytes.split_first_chunk::<VERSION_BYTES>()?;
    Some(Stored { version: u64::from_be_bytes(*version), value: value.to_vec() })
}

/// What every commit writes along with its records: the last version given away, and how many records there are with
/// which sum. sled drops damaged parts of its log in silence; the next opening counts again and notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) last_version: u64,
    count: u64,
    sum: u64,
}

impl State {
    /// Counts a record in.
    pub(super) fn add(&mut self, place: &[u8], stored: &Stored) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(digest(place, stored));
    }

    /// Counts a record out.
    pub(super) fn remove(&mut self, place: &[u8], stored: &Stored) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(digest(place, stored));
    }

    /// Whether these are the same records.
    pub(super) fn same_records(&self, other: &Self) -> bool {
        (self.count, self.sum) == (other.count, other.sum)
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [self.last_version, self.count, self.sum].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, []) = bytes.as_chunks::<8>() else { return None };
        let [last_version, count, sum] = numbers else { return None };
        Some(Self {
            last_version: u64::from_be_bytes(*last_version),
            count: u64::from_be_bytes(*count),
            sum: u64::from_be_bytes(*sum),
        })
    }
}

/// FNV-1a over all that makes a record, finished so that sums of digests do not cancel out. Against damage, not malice.
fn digest(place: &[u8], stored: &Stored) -> u64 {
    let parts = [&(place.len() as u64).to_be_bytes(), place, &stored.version.to_be_bytes(), &stored.value];
    let hash = parts
        .into_iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored() -> impl Strategy<Value = Stored> {
        (any::<u64>(), any::<Vec<u8>>()).prop_map(|(version, value)| Stored { version, value })
    }

    proptest! {
        #[test]
        fn records_come_back(stored in stored()) {
            prop_assert_eq!(decode(&encode(&stored)), Some(stored));
        }

        #[test]
        fn a_state_comes_back(last_version: u64, count: u64, sum: u64) {
            let state = State { last_version, count, sum };
            prop_assert_eq!(State::decode(&state.encode()), Some(state));
        }

        #[test]
        fn the_sum_depends_on_the_records_and_not_on_their_order(a in stored(), b in stored(), byte: u8) {
            let mut one = State::default();
            one.add(b"a", &a);
            one.add(b"b", &b);
            let mut other = State::default();
            other.add(b"b", &b);
            other.add(b"c", &a);
            prop_assert!(!one.same_records(&other));
            other.remove(b"c", &a);
            other.add(b"a", &a);
            prop_assert!(one.same_records(&other));
            let mut longer = a.clone();
            longer.value.push(byte);
            other.remove(b"a", &a);
            other.add(b"a", &longer);
            prop_assert!(!one.same_records(&other));
        }
    }

    #[test]
    fn cut_off_bytes_are_noticed() {
        assert_eq!(decode(&[0; 7]), None);
        assert_eq!(State::decode(&[0; 23]), None);
        assert_eq!(State::decode(&[0; 25]), None);
        assert_eq!(State::decode(&[0; 32]), None);
    }
}
