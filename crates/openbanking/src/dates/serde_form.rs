//! For `#[serde(with = "crate::dates::serde_form")]`: written with [`super::format`], read with
//! [`super::parse_request`].

use super::{format, parse_request};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::borrow::Cow;
use time::OffsetDateTime;

/// Writes the date-time.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(at: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    format(*at).serialize(to)
}

/// Reads the date-time.
///
/// # Errors
/// It is not one.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OffsetDateTime, D::Error> {
    parse_request(&Cow::<str>::deserialize(from)?).map_err(D::Error::custom)
}

/// The same for optional members.
pub mod option {
    use super::*;

    /// Writes the date-time.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(at: &Option<OffsetDateTime>, to: S) -> Result<S::Ok, S::Error> {
        at.map(format).serialize(to)
    }

    /// Reads the date-time. A null is refused: absent members are left out.
    ///
    /// # Errors
    /// It is not one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<OffsetDateTime>, D::Error> {
        super::deserialize(from).map(Some)
    }
}
