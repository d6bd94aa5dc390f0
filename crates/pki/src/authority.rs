//! The sandbox's authorities: a root that signs one issuing authority, which issues everything else.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber, SubjectPublicKeyInfo,
};
use time::{Duration, OffsetDateTime};

use crate::{
    Certificate, LONGEST_VALIDITY_DAYS, PkiError, PrivateKey, Profile,
    error::{not_made, unreadable},
    key::check_public,
    profile::name,
};

/// Clocks of other machines may be behind: certificates begin a little earlier.
const EARLIER: Duration = Duration::minutes(10);
const ROOT_DAYS: i64 = 20 * 365;
const ISSUING_DAYS: i64 = 10 * 365;

/// A root and an issuing authority with their keys.
pub struct Authority {
    root: Certificate,
    root_key: PrivateKey,
    issuing: Certificate,
    issuing_key: PrivateKey,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("root", &self.root.facts().subject).finish_non_exhaustive()
    }
}

/// An authority as files, all PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorityParts {
    /// Root certificate.
    pub root_pem: String,
    /// Root key.
    pub root_key_pem: String,
    /// Issuing certificate.
    pub issuing_pem: String,
    /// Issuing key.
    pub issuing_key_pem: String,
}

/// A revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Serial number, hexadecimal as in [`crate::CertificateFacts::serial`].
    pub serial: String,
    /// Since when.
    pub at: OffsetDateTime,
}

impl Authority {
    /// A new root and issuing authority, their keys made at the same time.
    ///
    /// # Errors
    /// The library could not make them.
    pub fn create(now: OffsetDateTime, organisation: &str) -> Result<Self, PkiError> {
        let (root_key, issuing_key) = std::thread::scope(|scope| {
            let other = scope.spawn(PrivateKey::generate_rsa);
            let mine = PrivateKey::generate_rsa();
            let other = other.join().unwrap_or_else(|_| Err(not_made("key")(&"its thread stopped")));
            Ok::<_, PkiError>((mine?, other?))
        })?;
        let made = not_made("authority");
        let root_params = authority_params(organisation, "Root CA", BasicConstraints::Unconstrained, now, ROOT_DAYS);
        let root_pair = root_key.rcgen()?;
        let root = root_params.self_signed(&root_pair).map_err(|error| made(&error))?;
        let issuing_params =
            authority_params(organisation, "Issuing CA", BasicConstraints::Constrained(0), now, ISSUING_DAYS);
        let root_issuer = Issuer::new(root_params, root_pair);
        let issuing_pair = issuing_key.rcgen()?;
        let issuing = issuing_params.signed_by(&issuing_pair, &root_issuer).map_err(|error| made(&error))?;
        Ok(Self {
            root: Certificate::from_der(root.der())?,
            root_key,
            issuing: Certificate::from_der(issuing.der())?,
            issuing_key,
            issuer: Issuer::new(issuing_params, issuing_pair),
        })
    }

    /// The authority in these files. Its name is taken from the issuing certificate as it stands there, so that chains
    /// match byte for byte (RFC 5280, 7.1).
    ///
    /// # Errors
    /// [`PkiError::OtherKey`] when a key belongs to another certificate, [`PkiError::OtherRoot`] when the root did not
    /// sign the issuing authority (RFC 5280, 6.1.3), and those of [`PrivateKey::from_pem`] and
    /// [`Certificate::from_pem`].
    pub fn from_parts(parts: &AuthorityParts) -> Result<Self, PkiError> {
        let root = Certificate::from_pem(&parts.root_pem)?;
        let root_key = PrivateKey::from_pem(&parts.root_key_pem)?;
        let issuing = Certificate::from_pem(&parts.issuing_pem)?;
        let issuing_key = PrivateKey::from_pem(&parts.issuing_key_pem)?;
        for (certificate, key, name) in [(&root, &root_key, "root"), (&issuing, &issuing_key, "issuing authority")] {
            if certificate.public_key_der()? != key.public_key_der() {
                return Err(PkiError::OtherKey(name));
            }
        }
        if !issuing.is_signed_by(&root)? {
            return Err(PkiError::OtherRoot);
        }
        let issuer = Issuer::from_ca_cert_der(&issuing.der().into(), issuing_key.rcgen()?)
            .map_err(|error| unreadable("issuing authority")(&error))?;
        Ok(Self { root, root_key, issuing, issuing_key, issuer })
    }

    /// The authority as files.
    #[must_use]
    pub fn to_parts(&self) -> AuthorityParts {
        AuthorityParts {
            root_pem: self.root.pem(),
            root_key_pem: self.root_key.to_pem(),
            issuing_pem: self.issuing.pem(),
            issuing_key_pem: self.issuing_key.to_pem(),
        }
    }

    /// The root certificate: the one trust anchor of the sandbox.
    #[must_use]
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The issuing authority's certificate: goes between leaf and root in every chain.
    #[must_use]
    pub fn issuing(&self) -> &Certificate {
        &self.issuing
    }

    /// Issues a certificate for a public key (DER `SubjectPublicKeyInfo`), valid for 397 days with both its ends
    /// (CA/Browser Forum baseline, 6.3.2).
    ///
    /// # Errors
    /// [`PkiError::NotRsa`], [`PkiError::TooShort`] below 2048 bits (FAPI 1.0 Part 1, 5.2.2-5), [`PkiError::Exponent`]
    /// (FIPS 186-5, A.1.1), [`PkiError::NoNames`] for a server without a name or with a blank one (CA/Browser Forum
    /// baseline, 7.1.2.7.12), [`PkiError::Unreadable`] when the bytes are no key, or [`PkiError::NotMade`] for a name
    /// that certificates cannot hold.
    pub fn issue(
        &self,
        public_key_der: &[u8],
        profile: &Profile,
        serial: [u8; 16],
        now: OffsetDateTime,
    ) -> Result<Certificate, PkiError> {
        let made = not_made("certificate");
        check_public(public_key_der)?;
        if profile.lacks_a_name() {
            return Err(PkiError::NoNames);
        }
        let key = SubjectPublicKeyInfo::from_der(public_key_der).map_err(|error| made(&error))?;
        let mut params = profile.params()?;
        params.not_before = now - EARLIER;
        params.not_after = params.not_before + Duration::days(LONGEST_VALIDITY_DAYS) - Duration::SECOND;
        params.serial_number = Some(SerialNumber::from_slice(&positive(serial)));
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| made(&error))?;
        Certificate::from_der(certificate.der())
    }

    /// The list of revoked certificates, as DER.
    ///
    /// # Errors
    /// A serial number is not one.
    pub fn crl(&self, revoked: &[Revoked], number: u64, now: OffsetDateTime) -> Result<Vec<u8>, PkiError> {
        let made = not_made("revocation list");
        let revoked_certs = revoked
            .iter()
            .map(|entry| {
                let serial = bytes_of_hex(&entry.serial).ok_or_else(|| made(&"a serial number is not hexadecimal"))?;
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&serial),
                    revocation_time: entry.at,
                    reason_code: Some(RevocationReason::Unspecified),
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, PkiError>>()?;
        let list = CertificateRevocationListParams {
            this_update: now - EARLIER,
            next_update: now + Duration::days(LONGEST_VALIDITY_DAYS),
            crl_number: SerialNumber::from_slice(&number.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).map_err(|error| made(&error))?;
        Ok(list.der().to_vec())
    }
}

fn authority_params(
    organisation: &str,
    kind: &str,
    constraints: BasicConstraints,
    now: OffsetDateTime,
    days: i64,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    let common_name = format!("{organisation} {kind}");
    params.distinguished_name =
        name(&[(DnType::OrganizationName, organisation), (DnType::CommonName, common_name.as_str())]);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - EARLIER;
    params.not_after = params.not_before + Duration::days(days);
    params
}

/// RFC 5280, 4.1.2.2: serial numbers are positive and not zero.
fn positive(mut serial: [u8; 16]) -> [u8; 16] {
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 == 1 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
