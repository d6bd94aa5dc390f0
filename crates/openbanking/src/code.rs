//! Codes that have one name in v3.1 and another in v4.0.

use crate::version::ApiVersion;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A list of codes with their names in both versions.
pub trait Code: Copy + Eq + fmt::Debug + 'static {
    /// Every code with its name in v3.1 and its name in v4.0. Where a version has no name of its own, the nearest one
    /// stands here; reading takes the first that fits.
    const TABLE: &'static [(Self, &'static str, &'static str)];

    /// Its name in that version.
    fn wire(self, version: ApiVersion) -> &'static str {
        let row = Self::TABLE.iter().find(|(code, ..)| *code == self);
        row.map_or("", |(_, v3, v4)| match version {
            ApiVersion::V3_1 => v3,
            ApiVersion::V4_0 => v4,
        })
    }

    /// The code of that name in whichever version.
    fn from_wire(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, v3, v4)| *v3 == name || *v4 == name).map(|(code, ..)| *code)
    }
}

/// Declares an enum that is a [`Code`]: `Name = "v3 name" / "v4 name"`.
macro_rules! codes {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$row:meta])* $code:ident = $v3:literal / $v4:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$row])* $code),+ }

        impl $crate::code::Code for $name {
            const TABLE: &'static [(Self, &'static str, &'static str)] = &[$((Self::$code, $v3, $v4)),+];
        }
    };
}
pub(crate) use codes;

/// A code on its way: known, with the version whose name is to be written, or a stranger's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coded<C> {
    /// From the table.
    Known(C, ApiVersion),
    /// A name that is not in the table (codes may be added without a new version of the API).
    Other(String),
}

impl<C: Code> Coded<C> {
    /// The code, when it is known.
    pub fn known(&self) -> Option<C> {
        match self {
            Self::Known(code, _) => Some(*code),
            Self::Other(_) => None,
        }
    }

    /// The name as written.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(code, version) => code.wire(*version),
            Self::Other(name) => name,
        }
    }
}

impl ApiVersion {
    /// The code as this version writes it.
    pub fn code<C: Code>(self, code: C) -> Coded<C> {
        Coded::Known(code, self)
    }
}

impl<C: Code> From<String> for Coded<C> {
    fn from(name: String) -> Self {
        let row = C::TABLE.iter().find_map(|(code, v3, v4)| match name.as_str() {
            known if known == *v4 => Some((*code, ApiVersion::V4_0)),
            known if known == *v3 => Some((*code, ApiVersion::V3_1)),
            _ => None,
        });
        row.map_or(Self::Other(name), |(code, version)| Self::Known(code, version))
    }
}

impl<C: Code> Serialize for Coded<C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de, C: Code> Deserialize<'de> for Coded<C> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balances::BalanceType;

    #[test]
    fn codes_are_written_in_their_version_and_read_in_both() {
        for (version, name) in [(ApiVersion::V3_1, "\"ClosingAvailable\""), (ApiVersion::V4_0, "\"CLAV\"")] {
            let coded = version.code(BalanceType::ClosingAvailable);
            assert_eq!(serde_json::to_string(&coded).unwrap(), name);
            assert_eq!(serde_json::from_str::<Coded<BalanceType>>(name).unwrap(), coded);
        }
        let strange: Coded<BalanceType> = serde_json::from_str("\"ABCD\"").unwrap();
        assert_eq!((strange.known(), strange.name()), (None, "ABCD"));
    }
}
