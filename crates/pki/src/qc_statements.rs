//! QC statements (ETSI EN 319 412-5) with the PSD2 statement (ETSI TS 119 495, 5.1).

use std::fmt;

use serde::{Deserialize, Serialize};
use x509_parser::der_parser::{
    asn1_rs::{Any, FromDer, Oid, Sequence, Utf8String},
    oid,
};

use crate::der;

/// 1.3.6.1.5.5.7.1.3, the extension.
pub(crate) const EXTENSION: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 3];
const QC_TYPE: [u64; 6] = [0, 4, 0, 1862, 1, 6];
const PSD2: [u64; 5] = [0, 4, 0, 19495, 2];

/// The extension's identifier with dots.
pub(crate) fn dotted() -> String {
    EXTENSION.map(|arc| arc.to_string()).join(".")
}

/// What a qualified certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QcType {
    /// Website authentication: OBWAC.
    Web,
    /// Electronic seal: OBSeal.
    Seal,
}

impl QcType {
    fn arcs(self) -> [u64; 7] {
        let last = match self {
            Self::Web => 3,
            Self::Seal => 2,
        };
        [0, 4, 0, 1862, 1, 6, last]
    }
}

/// A role of a payment service provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PspRole {
    /// `PSP_AS`, a bank.
    #[serde(rename = "PSP_AS")]
    AccountServicing,
    /// `PSP_PI`, payment initiation.
    #[serde(rename = "PSP_PI")]
    PaymentInitiation,
    /// `PSP_AI`, account information.
    #[serde(rename = "PSP_AI")]
    AccountInformation,
    /// `PSP_IC`, card-based payment instruments.
    #[serde(rename = "PSP_IC")]
    CardBasedPaymentInstruments,
}

impl PspRole {
    const ALL: [(Self, u64, &'static str); 4] = [
        (Self::AccountServicing, 1, "PSP_AS"),
        (Self::PaymentInitiation, 2, "PSP_PI"),
        (Self::AccountInformation, 3, "PSP_AI"),
        (Self::CardBasedPaymentInstruments, 4, "PSP_IC"),
    ];

    /// The name in certificates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(role, ..)| *role == self).map_or("", |(_, _, name)| name)
    }

    fn arcs(self) -> [u64; 6] {
        let last = Self::ALL.iter().find(|(role, ..)| *role == self).map_or(0, |(_, arc, _)| *arc);
        [0, 4, 0, 19495, 1, last]
    }
}

impl fmt::Display for PspRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The authority that authorised the roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompetentAuthority {
    /// Name.
    pub name: String,
    /// Country and short name, for example `GB-FCA`.
    pub id: String,
}

impl CompetentAuthority {
    /// The Financial Conduct Authority.
    #[must_use]
    pub fn fca() -> Self {
        Self { name: "Financial Conduct Authority".to_owned(), id: "GB-FCA".to_owned() }
    }

    /// The sandbox's own, for participants that no authority knows.
    #[must_use]
    pub fn open_banking() -> Self {
        Self { name: "Open Banking".to_owned(), id: "GB-OB".to_owned() }
    }
}

/// What the extension says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QcStatements {
    /// What the certificate is for.
    pub qc_type: Option<QcType>,
    /// Authorised roles.
    pub roles: Vec<PspRole>,
    /// Who authorised them.
    pub authority: Option<CompetentAuthority>,
}

impl QcStatements {
    /// The extension's content.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut statements = Vec::new();
        if let Some(qc_type) = self.qc_type {
            statements.push(der::sequence(&[der::oid(&QC_TYPE), der::sequence(&[der::oid(&qc_type.arcs())])]));
        }
        if let Some(authority) = &self.authority {
            let roles: Vec<Vec<u8>> = self
                .roles
                .iter()
                .map(|role| der::sequence(&[der::oid(&role.arcs()), der::utf8(role.as_str())]))
                .collect();
            let psd2 = der::sequence(&[der::sequence(&roles), der::utf8(&authority.name), der::utf8(&authority.id)]);
            statements.push(der::sequence(&[der::oid(&PSD2), psd2]));
        }
        der::sequence(&statements)
    }

    /// Reads the extension's content; statements that are not known are passed over.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (_, outer) = Sequence::from_der(content).ok()?;
        let mut found = Self { qc_type: None, roles: Vec::new(), authority: None };
        for statement in items(&outer.content) {
            let (rest, id) = Oid::from_der(statement.data).ok()?;
            if id == oid!(0.4.0.1862.1.6) {
                let (_, types) = Sequence::from_der(rest).ok()?;
                found.qc_type = items(&types.content).iter().find_map(qc_type);
            } else if id == oid!(0.4.0.19495.2) {
                let (_, psd2) = Sequence::from_der(rest).ok()?;
                let (rest, roles) = Sequence::from_der(&psd2.content).ok()?;
                found.roles = items(&roles.content).iter().filter_map(role).collect();
                let (rest, name) = Utf8String::from_der(rest).ok()?;
                let (_, id) = Utf8String::from_der(rest).ok()?;
                found.authority = Some(CompetentAuthority { name: name.string(), id: id.string() });
            }
        }
        Some(found)
    }
}

fn items(content: &[u8]) -> Vec<Any<'_>> {
    let mut rest = content;
    let mut found = Vec::new();
    while let Ok((after, item)) = Any::from_der(rest) {
        found.push(item);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    found
}

fn qc_type(item: &Any<'_>) -> Option<QcType> {
    let id = item.clone().oid().ok()?;
    [(QcType::Web, oid!(0.4.0.1862.1.6.3)), (QcType::Seal, oid!(0.4.0.1862.1.6.2))]
        .into_iter()
        .find(|(_, known)| *known == id)
        .map(|(qc_type, _)| qc_type)
}

fn role(item: &Any<'_>) -> Option<PspRole> {
    let (_, id) = Oid::from_der(item.data).ok()?;
    let arcs: Vec<u64> = id.iter()?.collect();
    PspRole::ALL.iter().find(|(role, ..)| role.arcs().as_slice() == arcs).map(|(role, ..)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn statements(qc_type: QcType, roles: &[PspRole], authority: CompetentAuthority) -> QcStatements {
        QcStatements { qc_type: Some(qc_type), roles: roles.to_vec(), authority: Some(authority) }
    }

    #[test]
    fn the_bytes_are_those_of_the_published_samples() {
        use PspRole::{AccountInformation as Ai, CardBasedPaymentInstruments as Ic, PaymentInitiation as Pi};
        let sandbox = CompetentAuthority::open_banking;
        assert_eq!(
            hex(&statements(QcType::Web, &[Ai], sandbox()).to_der()),
            "304b3013060604008e4601063009060704008e4601060330340606040081982702302a301330110607040081982701030c065053505f41490c0c4f70656e2042616e6b696e670c0547422d4f42"
        );
        assert_eq!(
            hex(&statements(QcType::Web, &[Pi, Ai, Ic], sandbox()).to_der()),
            "30713013060604008e4601063009060704008e46010603305a06060400819827023050303930110607040081982701020c065053505f504930110607040081982701030c065053505f414930110607040081982701040c065053505f49430c0c4f70656e2042616e6b696e670c0547422d4f42"
        );
        assert_eq!(
            hex(&statements(QcType::Web, &[Ai], CompetentAuthority::fca()).to_der()),
            "305b3013060604008e4601063009060704008e4601060330440606040081982702303a301330110607040081982701030c065053505f41490c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341"
        );
    }

    #[test]
    fn what_is_written_can_be_read() {
        for qc_type in [QcType::Web, QcType::Seal] {
            let written = statements(
                qc_type,
                &[PspRole::AccountServicing, PspRole::AccountInformation],
                CompetentAuthority::fca(),
            );
            assert_eq!(QcStatements::parse(&written.to_der()), Some(written));
        }
        assert_eq!(QcStatements::parse(b"garbage"), None);
    }
}
