//! Versions of the Read/Write Data API.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A version of the Read/Write Data API, as its path names it: v3.1 stands for 3.1.11, v4.0 for 4.0 and 4.0.1
/// (Resource URI Path Structure: the path carries major and minor only).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ApiVersion {
    /// 3.1.11.
    #[serde(rename = "v3.1")]
    V3_1,
    /// 4.0 and 4.0.1.
    #[default]
    #[serde(rename = "v4.0")]
    V4_0,
}

impl ApiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 2] = [Self::V3_1, Self::V4_0];

    /// The segment of the path: `v3.1` or `v4.0`.
    pub fn path_segment(self) -> &'static str {
        match self {
            Self::V3_1 => "v3.1",
            Self::V4_0 => "v4.0",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path_segment())
    }
}

/// The text names no version that is spoken here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected v3.1 or v4.0, found {0:?}")]
pub struct UnknownVersion(pub String);

impl FromStr for ApiVersion {
    type Err = UnknownVersion;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|v| v.path_segment() == text).ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for version in ApiVersion::ALL {
            assert_eq!(version.path_segment().parse(), Ok(version));
            assert_eq!(serde_json::to_value(version).unwrap(), version.to_string());
            assert_eq!(serde_json::from_value::<ApiVersion>(version.to_string().into()).unwrap(), version);
        }
        for wrong in ["", "3.1", "V3.1", "v3.1.11", "v2.0", "v4"] {
            assert_eq!(wrong.parse::<ApiVersion>(), Err(UnknownVersion(wrong.to_owned())));
            assert!(serde_json::from_value::<ApiVersion>(wrong.into()).is_err());
        }
    }
}
