//! One ordered key space for all collections: `collection NUL key`.
//!
//! Names contain no NUL, so the first NUL always ends the name, whatever the key contains, and no name's records lie
//! among another's. Names are not empty, so what begins with NUL is the engine's own.

use crate::{
    error::StoreError,
    range::{Direction, Range},
};

/// The most bytes that a collection's name and a key may have together.
pub const MAX_KEY_BYTES: usize = 4096;

const SEPARATOR: u8 = 0;

fn refuse(collection: &str, key: &str, reason: &'static str) -> StoreError {
    StoreError::Key { collection: collection.to_owned(), key: key.to_owned(), reason }
}

/// `collection NUL rest`, where `rest` may be the beginning of a key.
fn join(collection: &str, rest: &str) -> Result<Vec<u8>, StoreError> {
    if collection.is_empty() {
        return Err(refuse(collection, "", "a collection's name is not empty"));
    }
    if collection.as_bytes().contains(&SEPARATOR) {
        return Err(refuse(collection, "", "a collection's name contains no NUL"));
    }
    let mut joined = Vec::with_capacity(collection.len() + 1 + rest.len());
    joined.extend_from_slice(collection.as_bytes());
    joined.push(SEPARATOR);
    joined.extend_from_slice(rest.as_bytes());
    Ok(joined)
}

/// The place of one record.
pub(crate) fn place(collection: &str, key: &str) -> Result<Vec<u8>, StoreError> {
    if key.is_empty() {
        return Err(refuse(collection, key, "a key is not empty"));
    }
    if collection.len() + key.len() > MAX_KEY_BYTES {
        return Err(refuse(collection, key, "name and key together are longer than 4096 bytes"));
    }
    join(collection, key)
}

/// Where a record would be; none for a key under which none can be. Keys come from requests, and asking for what cannot
/// be there is no failure.
pub(crate) fn lookup(collection: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    if key.is_empty() || collection.len() + key.len() > MAX_KEY_BYTES {
        return Ok(None);
    }
    place(collection, key).map(Some)
}

/// The collection and the key that a place stands for; `None` for bytes that [`place`] never makes.
pub(crate) fn split(place: &[u8]) -> Option<(&str, &str)> {
    let end = place.iter().position(|byte| *byte == SEPARATOR)?;
    let collection = std::str::from_utf8(place.get(..end)?).ok()?;
    let key = std::str::from_utf8(place.get(end + 1..)?).ok()?;
    (!collection.is_empty() && !key.is_empty()).then_some((collection, key))
}

/// The first place (inclusive) and the last (exclusive) of a scan.
pub(crate) type Bounds = (Vec<u8>, Vec<u8>);

/// Where `range` begins and ends; `None` when it can select nothing.
pub(crate) fn bounds(collection: &str, range: &Range) -> Result<Option<Bounds>, StoreError> {
    let mut low = join(collection, &range.prefix)?;
    let mut high = low.clone();
    // Behind everything with the prefix: neither UTF-8 nor the separator ever ends in 0xFF, so this cannot overflow.
    if let Some(last) = high.last_mut() {
        *last += 1;
    }
    let from = range.from.as_deref().map(|key| join(collection, key)).transpose()?;
    let after = range.after.as_deref().map(|key| join(collection, key)).transpose()?;
    match range.direction {
        Direction::Forward => {
            low = low.max(from.unwrap_or_default()).max(after.map(next).unwrap_or_default());
        }
        Direction::Backward => {
            high = from.map(next).into_iter().chain(after).fold(high, Ord::min);
        }
    }
    Ok((range.limit > 0 && low < high).then_some((low, high)))
}

/// The smallest place behind `place`.
fn next(mut place: Vec<u8>) -> Vec<u8> {
    place.push(0);
    place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for (collection, key) in [("", "a"), ("a\0b", "c"), ("a", "")] {
            assert!(matches!(place(collection, key), Err(StoreError::Key { .. })), "{collection:?} {key:?}");
        }
        assert!(place("a", &"k".repeat(MAX_KEY_BYTES - 1)).is_ok());
        assert!(place("a", &"k".repeat(MAX_KEY_BYTES)).is_err());
        assert!(bounds("a\0b", &Range::all()).is_err());
        for nowhere in [String::new(), "k".repeat(MAX_KEY_BYTES)] {
            assert!(matches!(lookup("a", &nowhere), Ok(None)), "nothing can be there");
        }
        assert_eq!(lookup("a", "k").unwrap(), Some(place("a", "k").unwrap()));
        assert!(lookup("a\0b", "c").is_err());
        assert!(bounds("", &Range::all()).is_err());
    }

    #[test]
    fn the_engines_own_places_are_no_records() {
        for own in [&b"\0state"[..], b"", b"a", b"a\0", b"\xff\0a", b"a\0\xff"] {
            assert_eq!(split(own), None, "{own:?}");
        }
    }

    #[test]
    fn an_impossible_range_selects_nothing() {
        for range in [
            Range::all().limit(0),
            Range::prefix("b").after("c"),
            Range::prefix("b").backward().from("a"),
            Range::all().backward().after(""),
        ] {
            assert_eq!(bounds("x", &range).unwrap(), None, "{range:?}");
        }
    }

    proptest! {
        #[test]
        fn places_are_told_apart(collection in "[^\0]{1,6}", key in any::<String>()) {
            prop_assume!(!key.is_empty());
            let place = place(&collection, &key).unwrap();
            prop_assert_eq!(split(&place), Some((&*collection, &*key)));
        }

        #[test]
        fn a_scan_stays_in_its_collection(
            mine in "[^\0]{1,3}", other in "[^\0]{1,3}", key in "\\PC{1,3}|[\0-\u{3}]{1,3}", prefix in "\\PC{0,1}|\0"
        ) {
            let (low, high) = bounds(&mine, &Range::prefix(&*prefix)).unwrap().unwrap();
            let place = place(&other, &key).unwrap();
            prop_assert_eq!(low <= place && place < high, mine == other && key.starts_with(&prefix));
        }
    }
}
