//! Certificate profiles of the Open Banking Directory (certificate profiles, OBWAC and OBSeal).

use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType,
};

use crate::{CompetentAuthority, PkiError, PspRole, QcStatements, QcType, error::not_made, qc_statements};

/// 2.5.4.97, `organizationIdentifier`.
pub(crate) const ORGANISATION_IDENTIFIER: [u64; 4] = [2, 5, 4, 97];

/// Whom a participant's certificate is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// `PSDGB-FCA-nnnnnn`.
    pub organisation_identifier: String,
    /// Organisation id at the Directory, the common name.
    pub organisation_id: String,
    /// Legal name.
    pub legal_name: String,
    /// Authorised roles.
    pub roles: Vec<PspRole>,
}

/// What a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// A server's: these names, and server authentication only.
    Server {
        /// DNS names or IP addresses.
        names: Vec<String>,
    },
    /// OBWAC: a participant's transport certificate.
    Obwac(Participant),
    /// OBSeal: a participant's signing certificate.
    Obseal(Participant),
}

impl Profile {
    /// Whether it is a server's and has no name, or a blank one.
    pub(crate) fn lacks_a_name(&self) -> bool {
        matches!(self, Self::Server { names } if names.is_empty() || names.iter().any(|name| name.trim().is_empty()))
    }

    /// Everything but serial number and validity.
    pub(crate) fn params(&self) -> Result<CertificateParams, PkiError> {
        let made = not_made("certificate");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        match self {
            Self::Server { names } => {
                params.distinguished_name = name(&[(DnType::CommonName, names.first().map_or("", String::as_str))]);
                params.subject_alt_names = names
                    .iter()
                    .map(|name| match name.parse() {
                        Ok(address) => Ok(SanType::IpAddress(address)),
                        Err(_) => name.as_str().try_into().map(SanType::DnsName),
                    })
                    .collect::<Result<_, rcgen::Error>>()
                    .map_err(|error| made(&error))?;
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }
            Self::Obwac(participant) => {
                participant.describe(&mut params, QcType::Web);
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                params.extended_key_usages =
                    vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
            }
            Self::Obseal(participant) => {
                participant.describe(&mut params, QcType::Seal);
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
            }
        }
        Ok(params)
    }
}

impl Participant {
    fn describe(&self, params: &mut CertificateParams, qc_type: QcType) {
        params.distinguished_name = name(&[
            (DnType::OrganizationName, &self.legal_name),
            (DnType::CustomDnType(ORGANISATION_IDENTIFIER.to_vec()), &self.organisation_identifier),
            (DnType::CommonName, &self.organisation_id),
        ]);
        let authority = if self.organisation_identifier.starts_with("PSDGB-FCA-") {
            CompetentAuthority::fca()
        } else {
            CompetentAuthority::open_banking()
        };
        let statements = QcStatements { qc_type: Some(qc_type), roles: self.roles.clone(), authority: Some(authority) };
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&qc_statements::EXTENSION, statements.to_der())];
    }
}

/// A British name of these parts.
pub(crate) fn name(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Ok(country) = "GB".try_into() {
        name.push(DnType::CountryName, DnValue::PrintableString(country));
    }
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}
