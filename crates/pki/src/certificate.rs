//! Certificates, parsed once, with the facts that parties decide by.

use std::net::IpAddr;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
};

use crate::{
    PkiError, PrivateKey, PspRole, QcStatements, QcType,
    error::{not_made, unreadable},
    key::pem,
    qc_statements, subject,
};

/// A certificate and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    facts: CertificateFacts,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// Subject as RFC 4514 writes it, most specific part first.
    pub subject: String,
    /// Common name: the organisation id in OBWAC and OBSeal, the software id in OBTransport and OBSigning.
    pub common_name: String,
    /// `organizationIdentifier`, for example `PSDGB-FCA-123456`.
    pub organisation_identifier: Option<String>,
    /// Organisational unit: the organisation id in OBTransport and OBSigning.
    pub organisational_unit: Option<String>,
    /// Issuer as RFC 4514 writes it.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Begin of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// End of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// `x5t#S256`: base64url SHA-256 of the DER.
    pub thumbprint_s256: String,
    /// Roles in the PSD2 statement.
    pub roles: Vec<PspRole>,
    /// Kind in the QC statements.
    pub qc_type: Option<QcType>,
    /// Names of the key usages.
    pub key_usages: Vec<String>,
    /// Names of the extended key usages.
    pub extended_key_usages: Vec<String>,
    /// DNS names.
    pub san_dns: Vec<String>,
    /// IP addresses.
    pub san_ip: Vec<IpAddr>,
    /// URIs.
    pub san_uri: Vec<String>,
    /// Mail addresses.
    pub san_email: Vec<String>,
    /// Authority key identifier, hexadecimal.
    pub authority_key_id: Option<String>,
    /// Subject key identifier, hexadecimal.
    pub subject_key_id: Option<String>,
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let read = unreadable("certificate");
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| read(&error))?;
        if !rest.is_empty() {
            return Err(read(&"bytes after its end"));
        }
        let facts = facts(&parsed, der)?;
        Ok(Self { der: der.to_vec(), facts })
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// There is none.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let read = unreadable("certificate");
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|error| read(&error))?;
        Self::from_der(&block.contents)
    }

    /// Reads all certificates of a PEM text, in their order: a chain, or those that somebody trusts.
    ///
    /// # Errors
    /// There is none, or one of them cannot be read.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, PkiError> {
        let blocks = pem.split_inclusive("-----END CERTIFICATE-----");
        let all: Vec<Self> =
            blocks.filter(|block| block.contains("BEGIN CERTIFICATE")).map(Self::from_pem).collect::<Result<_, _>>()?;
        if all.is_empty() { Err(unreadable("certificate")(&"there is no PEM certificate in it")) } else { Ok(all) }
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The certificate as it stands in `x5c`: base64 DER.
    #[must_use]
    pub fn x5c(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// The public key as DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// The certificate cannot be read again.
    pub fn public_key_der(&self) -> Result<Vec<u8>, PkiError> {
        let read = unreadable("certificate");
        let (_, parsed) = X509Certificate::from_der(&self.der).map_err(|error| read(&error))?;
        Ok(parsed.public_key().raw.to_vec())
    }

    /// Whether this other certificate's key signed it (RFC 5280, 6.1.3 (a)(1)); names and validity are not looked at.
    ///
    /// # Errors
    /// [`PkiError::Unreadable`] when the library cannot read one of the two.
    pub fn is_signed_by(&self, authority: &Self) -> Result<bool, PkiError> {
        let read = unreadable("certificate");
        let own = openssl::x509::X509::from_der(&self.der).map_err(|error| read(&error))?;
        let key = openssl::x509::X509::from_der(&authority.der)
            .and_then(|authority| authority.public_key())
            .map_err(|error| read(&error))?;
        own.verify(&key).map_err(|error| read(&error))
    }

    /// What it says.
    #[must_use]
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn facts(parsed: &X509Certificate<'_>, der: &[u8]) -> Result<CertificateFacts, PkiError> {
    let read = unreadable("certificate");
    let moment = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| read(&error));
    let name = parsed.subject();
    let mut facts = CertificateFacts {
        subject: subject::rfc4514(name),
        common_name: subject::attribute(name, "2.5.4.3").unwrap_or_default(),
        organisation_identifier: subject::attribute(name, "2.5.4.97"),
        organisational_unit: subject::attribute(name, "2.5.4.11"),
        issuer: subject::rfc4514(parsed.issuer()),
        serial: hex(parsed.raw_serial()),
        not_before: moment(parsed.validity().not_before.timestamp())?,
        not_after: moment(parsed.validity().not_after.timestamp())?,
        thumbprint_s256: URL_SAFE_NO_PAD.encode(Sha256::digest(der)),
        roles: Vec::new(),
        qc_type: None,
        key_usages: Vec::new(),
        extended_key_usages: Vec::new(),
        san_dns: Vec::new(),
        san_ip: Vec::new(),
        san_uri: Vec::new(),
        san_email: Vec::new(),
        authority_key_id: None,
        subject_key_id: None,
    };
    for extension in parsed.extensions() {
        if extension.oid.to_id_string() == qc_statements::dotted()
            && let Some(statements) = QcStatements::parse(extension.value)
        {
            facts.roles = statements.roles;
            facts.qc_type = statements.qc_type;
        }
        facts.take(extension.parsed_extension());
    }
    Ok(facts)
}

impl CertificateFacts {
    fn take(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::KeyUsage(usage) => {
                let known = [
                    (usage.digital_signature(), "digitalSignature"),
                    (usage.non_repudiation(), "nonRepudiation"),
                    (usage.key_encipherment(), "keyEncipherment"),
                    (usage.key_cert_sign(), "keyCertSign"),
                    (usage.crl_sign(), "cRLSign"),
                ];
                self.key_usages = known.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect();
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let known = [(usage.client_auth, "clientAuth"), (usage.server_auth, "serverAuth")];
                self.extended_key_usages =
                    known.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect();
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in &names.general_names {
                    self.take_name(name);
                }
            }
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| hex(id.0));
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(hex(id.0)),
            _ => {}
        }
    }

    fn take_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(dns) => self.san_dns.push((*dns).to_owned()),
            GeneralName::URI(uri) => self.san_uri.push((*uri).to_owned()),
            GeneralName::RFC822Name(email) => self.san_email.push((*email).to_owned()),
            GeneralName::IPAddress(bytes) => {
                self.san_ip.extend(subject::ip_address(bytes));
            }
            _ => {}
        }
    }
}

/// A PKCS#12 file (RFC 7292) with a key, its certificate and the chain, for browsers and tools that want one. Browsers
/// show the name beside the certificate.
///
/// # Errors
/// [`PkiError::Nul`] for a NUL in the name or the password (RFC 7292, B.1), or [`PkiError::NotMade`] when the library
/// could not make it.
pub fn pkcs12(
    key: &PrivateKey,
    certificate: &Certificate,
    chain: &[Certificate],
    password: &str,
    name: &str,
) -> Result<Vec<u8>, PkiError> {
    use openssl::{pkcs12::Pkcs12, pkey::PKey, stack::Stack, x509::X509};
    let made = not_made("PKCS#12 file");
    for (text, what) in [(name, "name"), (password, "password")] {
        if text.contains('\0') {
            return Err(PkiError::Nul(what));
        }
    }
    let key = PKey::private_key_from_der(key.pkcs8_der()).map_err(|error| made(&error))?;
    let leaf = X509::from_der(certificate.der()).map_err(|error| made(&error))?;
    let mut authorities = Stack::new().map_err(|error| made(&error))?;
    for certificate in chain {
        let authority = X509::from_der(certificate.der()).map_err(|error| made(&error))?;
        authorities.push(authority).map_err(|error| made(&error))?;
    }
    let file = Pkcs12::builder()
        .name(name)
        .pkey(&key)
        .cert(&leaf)
        .ca(authorities)
        .build2(password)
        .map_err(|error| made(&error))?;
    file.to_der().map_err(|error| made(&error))
}
