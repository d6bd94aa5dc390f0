//! Where the parties of one process listen.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::hosting::Hosted;

/// The listeners of a party; 0 is whatever is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listeners {
    /// Without client certificates.
    pub public: u16,
    /// With them; a TPP has none.
    pub mtls: u16,
    /// The control port.
    pub control: u16,
}

/// Ports of the first three parties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ports {
    /// The Directory's.
    pub directory: Listeners,
    /// The bank's.
    pub bank: Listeners,
    /// The TPP's.
    pub tpp: Listeners,
}

impl Ports {
    /// The default's first port.
    pub const FIRST: u16 = 8440;

    /// Ten ports for each party, counted from this one; none when there are no 30.
    #[must_use]
    pub fn from(first: u16) -> Option<Self> {
        first.checked_add(29)?;
        let party = |from: u16| Listeners { public: from, mtls: from + 1, control: from + 9 };
        let tpp = Listeners { mtls: 0, ..party(first + 20) };
        Some(Self { directory: party(first), bank: party(first + 10), tpp })
    }

    /// Where parties that run listen.
    pub(crate) fn of(hosted: &Hosted) -> Self {
        let port = |url: &Url| url.port_or_known_default().unwrap_or_default();
        let (directory, bank, tpp) = (&hosted.directory, &hosted.bank, &hosted.tpp);
        Self {
            directory: Listeners {
                public: port(&directory.public),
                mtls: port(&directory.api),
                control: directory.control.port(),
            },
            bank: Listeners {
                public: port(&bank.urls.public),
                mtls: port(&bank.urls.mtls),
                control: bank.control.port(),
            },
            tpp: Listeners { public: port(&tpp.public), mtls: 0, control: tpp.control.port() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_ports_from_the_first_one() {
        let ports = Ports::from(8440).unwrap();
        assert_eq!(ports.directory, Listeners { public: 8440, mtls: 8441, control: 8449 });
        assert_eq!(ports.bank, Listeners { public: 8450, mtls: 8451, control: 8459 });
        assert_eq!(ports.tpp, Listeners { public: 8460, mtls: 0, control: 8469 });
        assert_eq!(Ports::from(u16::MAX - 28), None);
    }
}
