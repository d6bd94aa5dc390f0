//! What the Directory keeps.

use openbanking::directory::{AuthorisationServer, CertificateKind, Organisation, SoftwareStatement};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{Collection, Range, Store, StoreError};
use time::OffsetDateTime;

/// An organisation with what its register says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationRecord {
    /// As the API shows it.
    pub organisation: Organisation,
    /// Legal name.
    pub legal_name: String,
    /// Competent authority.
    pub register_body: String,
    /// Number there.
    pub registration_id: String,
    /// Whether it may come through the enrolment door although it has certificates.
    #[serde(default)]
    pub reopened: bool,
}

impl OrganisationRecord {
    /// `organizationIdentifier` of its certificates (ETSI TS 119 495).
    #[must_use]
    pub fn organisation_identifier(&self) -> String {
        format!("PSDGB-{}-{}", self.register_body, self.registration_id)
    }
}

/// A certificate that the Directory issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    /// Name of its key: the thumbprint of RFC 7638.
    pub kid: String,
    /// Kind.
    pub kind: CertificateKind,
    /// Organisation.
    pub organisation_id: String,
    /// The certificate, PEM.
    pub pem: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// End of its validity.
    pub not_after: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// Software statements that use it.
    pub associations: Vec<String>,
}

/// The right to fetch certificates, under the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Whose.
    pub organisation_id: String,
    /// Until when.
    pub expires_at: OffsetDateTime,
}

/// An invitation to enrol, under the digest of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Until when.
    pub expires_at: OffsetDateTime,
}

/// Organisations by id.
#[must_use]
pub fn organisations() -> Collection<OrganisationRecord> {
    Collection::new("organisations")
}

/// Ids of organisations by [`below`] of competent authority and number there, so that no organisation is there twice.
#[must_use]
pub fn registrations() -> Collection<String> {
    Collection::new("registrations")
}

/// Software statements by [`below`] of organisation and statement.
#[must_use]
pub fn software_statements() -> Collection<SoftwareStatement> {
    Collection::new("software-statements")
}

/// Certificates by [`below`] of organisation and kid.
#[must_use]
pub fn certificates() -> Collection<IssuedCertificate> {
    Collection::new("certificates")
}

/// Authorisation servers by [`below`] of organisation and server.
#[must_use]
pub fn authorisation_servers() -> Collection<AuthorisationServer> {
    Collection::new("authorisation-servers")
}

/// Enrolments by digest.
#[must_use]
pub fn enrolments() -> Collection<Enrolment> {
    Collection::new("enrolments")
}

/// Invitations by digest.
#[must_use]
pub fn invitations() -> Collection<Invitation> {
    Collection::new("invitations")
}

/// Key of something that belongs to an organisation.
#[must_use]
pub fn below(organisation_id: &str, id: &str) -> String {
    format!("{organisation_id}/{id}")
}

/// Everything in a collection that belongs to an organisation.
///
/// # Errors
/// The store failed.
pub async fn all_below<T: Serialize + DeserializeOwned>(
    store: &dyn Store,
    collection: Collection<T>,
    organisation_id: &str,
) -> Result<Vec<T>, StoreError> {
    read(store, collection, Range::prefix(format!("{organisation_id}/"))).await
}

/// Everything in a collection.
///
/// # Errors
/// The store failed.
pub async fn all<T: Serialize + DeserializeOwned>(
    store: &dyn Store,
    collection: Collection<T>,
) -> Result<Vec<T>, StoreError> {
    read(store, collection, Range::all()).await
}

async fn read<T: Serialize + DeserializeOwned>(
    store: &dyn Store,
    collection: Collection<T>,
    range: Range,
) -> Result<Vec<T>, StoreError> {
    Ok(collection.range(store, range).await?.into_iter().map(|(_, value, _)| value).collect())
}
