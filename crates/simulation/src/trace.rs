//! The thread through a journey (W3C Trace Context).

use crate::Chance;

/// A journey's identifier: 32 hexadecimal digits. It travels in the `traceparent` header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trace {
    /// `trace-id`.
    pub trace_id: String,
}

impl Trace {
    /// Name of the header.
    pub const HEADER: &'static str = "traceparent";

    /// A new journey.
    #[must_use]
    pub fn new(chance: &Chance) -> Self {
        Self { trace_id: hex(&chance.bytes::<16>()) }
    }

    /// The journey that a `traceparent` header names, if it is well formed.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace_id, parent_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sized = version.len() == 2 && trace_id.len() == 32 && parent_id.len() == 16 && flags.len() == 2;
        let digits = [version, trace_id, parent_id, flags]
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
        let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        (sized && digits && known && !zero(trace_id) && !zero(parent_id))
            .then(|| Self { trace_id: trace_id.to_owned() })
    }

    /// The journey of a request: the one in its header, or a new one.
    #[must_use]
    pub fn of_request(header: Option<&str>, chance: &Chance) -> Self {
        header.and_then(Self::parse).unwrap_or_else(|| Self::new(chance))
    }

    /// The header for a request of this journey.
    #[must_use]
    pub fn header(&self, chance: &Chance) -> String {
        let mut parent = chance.bytes::<8>();
        // An all-zero parent is not allowed.
        parent[7] |= 1;
        format!("00-{}-{}-01", self.trace_id, hex(&parent))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let chance = Chance::from_seed(1);
        let trace = Trace::new(&chance);
        assert_eq!(Trace::parse(&trace.header(&chance)), Some(trace));
    }

    #[test]
    fn malformed_headers_are_not_followed() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(Trace::parse(good).is_some());
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_journey_survives_its_header(seed: u64) {
            let chance = Chance::from_seed(seed);
            let trace = Trace::new(&chance);
            prop_assert_eq!(Trace::of_request(Some(&trace.header(&chance)), &chance), trace);
        }

        #[test]
        fn whatever_is_sent_leads_to_a_well_formed_journey(text in ".*") {
            let trace = Trace::of_request(Some(&text), &Chance::from_seed(1));
            prop_assert_eq!(trace.trace_id.len(), 32);
            prop_assert!(trace.trace_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
