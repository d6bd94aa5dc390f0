//! Message signing: the members that the standard adds to the JOSE header of `x-jws-signature` (OB Read/Write 4.0, Message
//! Signing, JOSE header). Whoever signs and whoever checks is a party of its own; the names are here.

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

/// When the signature was made, in seconds.
pub const IAT_MEMBER: &str = "http://openbanking.org.uk/iat";
/// Who made it: a bank's organisation id, or the organisation id and software id of a TPP with a stroke between them.
pub const ISS_MEMBER: &str = "http://openbanking.org.uk/iss";
/// The trust anchor, where the signer's keys are found.
pub const TAN_MEMBER: &str = "http://openbanking.org.uk/tan";
/// The trust anchor of the ecosystem.
pub const TRUST_ANCHOR: &str = "openbanking.org.uk";
/// `typ` of a signature.
pub const TYP_VALUE: &str = "JOSE";
/// How far the clocks of two parties may differ.
pub const LEEWAY: Duration = Duration::seconds(30);

/// How the payload is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadForm {
    /// In base64url.
    #[default]
    Encoded,
    /// As it is, with `b64: false`, which was the form up to v3.1.3 (RFC 7797).
    Unencoded,
}

impl PayloadForm {
    /// What `crit` names, sorted.
    #[must_use]
    pub fn critical(self) -> &'static [&'static str] {
        match self {
            Self::Encoded => &[IAT_MEMBER, ISS_MEMBER, TAN_MEMBER],
            Self::Unencoded => &["b64", IAT_MEMBER, ISS_MEMBER, TAN_MEMBER],
        }
    }

    /// The members of the header that are not RFC 7515's.
    #[must_use]
    pub fn members(self, issuer: &str, now: OffsetDateTime) -> Map<String, Value> {
        let mut members = Map::new();
        if self == Self::Unencoded {
            members.insert("b64".to_owned(), false.into());
        }
        members.insert(IAT_MEMBER.to_owned(), now.unix_timestamp().into());
        members.insert(ISS_MEMBER.to_owned(), issuer.into());
        members.insert(TAN_MEMBER.to_owned(), TRUST_ANCHOR.into());
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_standard_is_critical() {
        for form in [PayloadForm::Encoded, PayloadForm::Unencoded] {
            let members = form.members("org/software", OffsetDateTime::UNIX_EPOCH);
            let mut named: Vec<&str> = members.keys().map(String::as_str).collect();
            named.sort_unstable();
            assert_eq!(named, form.critical());
        }
    }
}
