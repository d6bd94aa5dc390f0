//! Certificate requests (PKCS#10): what a participant sends, and what the Directory reads in it.

use x509_parser::{
    certification_request::X509CertificationRequest,
    cri_attributes::ParsedCriAttribute,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    public_key::PublicKey,
};

use crate::{
    PkiError, PrivateKey, Profile, QcStatements,
    error::{not_made, unreadable},
    key::check_public,
    qc_statements, subject,
};

/// Bytes of the longest request that is read.
const LONGEST: usize = 16 * 1024;

/// A PEM request for this key and profile.
///
/// # Errors
/// A name is not one that certificates can hold.
pub fn certificate_request(key: &PrivateKey, profile: &Profile) -> Result<String, PkiError> {
    let made = not_made("certificate request");
    let pair = key.rcgen()?;
    let mut params = profile.params()?;
    // The issuer adds these.
    params.use_authority_key_identifier_extension = false;
    params.is_ca = rcgen::IsCa::NoCa;
    let request = params.serialize_request(&pair).map_err(|error| made(&error))?;
    request.pem().map_err(|error| made(&error))
}

/// A request (RFC 2986) that is signed by its own key, an RSA key of 2048 bits or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    /// The key as DER `SubjectPublicKeyInfo`.
    pub public_key_der: Vec<u8>,
    /// Common name.
    pub common_name: Option<String>,
    /// `organizationIdentifier`.
    pub organisation_identifier: Option<String>,
    /// Organisation.
    pub organisation: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// QC statements, when it asks for them.
    pub qc_statements: Option<QcStatements>,
    /// DNS names and IP addresses that it asks for; blank ones are passed over (RFC 5280, 4.2.1.6).
    pub names: Vec<String>,
}

impl SigningRequest {
    /// Reads a PEM or DER request and verifies its signature. What it accepts of a key, [`crate::Authority::issue`]
    /// accepts too.
    ///
    /// # Errors
    /// [`PkiError::NotSelfSigned`] when its own key did not sign it (RFC 2986, 4.2), [`PkiError::NotRsa`],
    /// [`PkiError::TooShort`] below 2048 bits (FAPI 1.0 Part 1, 5.2.2-5), [`PkiError::Exponent`] (FIPS 186-5, A.1.1),
    /// or [`PkiError::Unreadable`] when it is no request.
    pub fn parse(bytes: &[u8]) -> Result<Self, PkiError> {
        let read = unreadable("certificate request");
        if bytes.len() > LONGEST {
            return Err(read(&format!("{} bytes are too many", bytes.len())));
        }
        let der = if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            let (_, block) = x509_parser::pem::parse_x509_pem(bytes).map_err(|error| read(&error))?;
            block.contents
        } else {
            bytes.to_vec()
        };
        let (rest, parsed) = X509CertificationRequest::from_der(&der).map_err(|error| read(&error))?;
        if !rest.is_empty() {
            return Err(read(&"bytes after its end"));
        }
        let info = &parsed.certification_request_info;
        if !matches!(info.subject_pki.parsed(), Ok(PublicKey::RSA(_))) {
            return Err(PkiError::NotRsa);
        }
        check_public(info.subject_pki.raw)?;
        parsed.verify_signature().map_err(|_| PkiError::NotSelfSigned)?;
        let mut request = Self {
            public_key_der: info.subject_pki.raw.to_vec(),
            common_name: subject::attribute(&info.subject, "2.5.4.3"),
            organisation_identifier: subject::attribute(&info.subject, "2.5.4.97"),
            organisation: subject::attribute(&info.subject, "2.5.4.10"),
            country: subject::attribute(&info.subject, "2.5.4.6"),
            qc_statements: None,
            names: Vec::new(),
        };
        for attribute in info.iter_attributes() {
            if let ParsedCriAttribute::ExtensionRequest(asked) = attribute.parsed_attribute() {
                for extension in &asked.extensions {
                    if extension.oid.to_id_string() == qc_statements::dotted() {
                        request.qc_statements = QcStatements::parse(extension.value);
                    }
                    request.take(extension.parsed_extension());
                }
            }
        }
        Ok(request)
    }

    fn take(&mut self, extension: &ParsedExtension<'_>) {
        if let ParsedExtension::SubjectAlternativeName(names) = extension {
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(dns) if !dns.trim().is_empty() => self.names.push((*dns).to_owned()),
                    GeneralName::IPAddress(bytes) => {
                        self.names.extend(subject::ip_address(bytes).map(|address| address.to_string()));
                    }
                    _ => {}
                }
            }
        }
    }
}
