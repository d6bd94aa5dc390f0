//! Payloads of the Directory API v2.1, the part of it that is simulated, and of our own door for new organisations.
//!
//! Members are named as the official description names them; those that it does not have are marked as our own.

use crate::dates;
use crate::ssa::{OrganisationStatus, Role};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use time::OffsetDateTime;

mod certificates;
mod enrolment;
mod servers;

pub use certificates::{CertificateAssociation, CertificateKind, CertificateRecord, CertificateRecords, UnknownKind};
pub use enrolment::{EnrolmentAnswer, EnrolmentRequest};
pub use servers::{ApiFamily, AuthorisationServer, AuthorisationServerRequest};

/// Media type of a certificate signing request.
pub const PEM: &str = "application/x-pem-file";
/// Media type of a certificate record.
pub const JWK: &str = "application/jwk+json";
/// Media type of a software statement assertion.
pub const JWS: &str = "application/jws+json";

/// `AuthorizationDomain` of everything here.
pub const PSD2: &str = "PSD2";

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// 18 characters, given by the Directory.
    #[serde(rename = "OBOrganisationId")]
    pub organisation_id: String,
    /// The name that is shown.
    #[serde(rename = "OrganisationCommonName")]
    pub common_name: String,
    /// Whether it may take part.
    pub status: OrganisationStatus,
    /// When it was created.
    #[serde(
        rename = "CreateTimestamp",
        default,
        with = "dates::serde_form::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub created_at: Option<OffsetDateTime>,
    /// When it was changed.
    #[serde(
        rename = "ModifyTimestamp",
        default,
        with = "dates::serde_form::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub modified_at: Option<OffsetDateTime>,
    /// Who authorised it, for what.
    #[serde(rename = "CompetentAuthorityClaims", default, skip_serializing_if = "Vec::is_empty")]
    pub authority_claims: Vec<AuthorityClaim>,
    /// Whom to talk to.
    #[serde(rename = "Contacts", default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

impl Organisation {
    /// The roles that are authorised now, each once.
    pub fn roles(&self) -> Vec<Role> {
        let active = self.authority_claims.iter().flat_map(|claim| &claim.authorisations).filter(|one| one.active);
        let mut roles: Vec<_> = active.map(|one| one.role).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// Body of a change of the status; our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationState {
    /// The new status.
    pub status: OrganisationStatus,
}

/// A claim of a competent authority (`CompetentAuthorityClaimSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthorityClaim {
    /// The authority, for example `FCAGBR`.
    pub authority_id: String,
    /// Its country.
    pub member_state: String,
    /// The organisation's number there.
    pub registration_id: String,
    /// What certificates carry, for example `PSDGB-FCA-123456`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etsi_identifier: Option<String>,
    /// For what.
    pub authorisations: Vec<RoleAuthorisation>,
}

/// A role in a country (`AuthorisationSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleAuthorisation {
    /// Whether it holds.
    pub active: bool,
    /// The country.
    pub member_state: String,
    /// The role.
    #[serde(rename = "Psd2Role")]
    pub role: Role,
}

/// What a contact is for (`ContactTypeSchema`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContactType {
    /// Business.
    Business,
    /// Primary business contact.
    #[serde(rename = "PBC")]
    PrimaryBusiness,
    /// Primary technical contact.
    #[serde(rename = "PTC")]
    PrimaryTechnical,
    /// Registered office.
    Registered,
    /// Technical.
    Technical,
}

impl ContactType {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Business, "Business"),
        (Self::PrimaryBusiness, "PBC"),
        (Self::PrimaryTechnical, "PTC"),
        (Self::Registered, "Registered"),
        (Self::Technical, "Technical"),
    ];
}

impl fmt::Display for ContactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name))
    }
}

/// No such sort of contact.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected Business, PBC, PTC, Registered or Technical, found {0:?}")]
pub struct UnknownContactType(pub String);

impl FromStr for ContactType {
    type Err = UnknownContactType;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(kind, _)| *kind).ok_or_else(|| UnknownContactType(text.to_owned()))
    }
}

/// Whom to talk to (`ContactSchema`, with name and sort).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Contact {
    /// For what.
    pub r#type: ContactType,
    /// Who; our own.
    pub name: String,
    /// Mail address.
    pub email_address: String,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// Body that creates a software statement (`SoftwareStatementCreateSchema`, with only what is needed mandatory).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareStatementRequest {
    /// The name that banks show to the PSU; at most 40 characters.
    #[serde(rename = "ClientName")]
    pub client_name: String,
    /// At most 256 characters.
    #[serde(rename = "Description", default, skip_serializing_if = "Option::is_none")]
    pub client_description: Option<String>,
    /// Where clients may be sent back to.
    #[serde(rename = "RedirectUri")]
    pub redirect_uris: Vec<String>,
    /// What it may be used for; within those of the organisation.
    #[serde(rename = "Roles")]
    pub roles: Vec<Role>,
    /// At most 42 characters.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Home page.
    #[serde(rename = "ClientUri", default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Logo.
    #[serde(rename = "LogoUri", default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Privacy policy.
    #[serde(rename = "PolicyUri", default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Terms of service.
    #[serde(rename = "TermsOfServiceUri", default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_uri: Option<String>,
    /// The agent on whose behalf it acts.
    #[serde(rename = "OnBehalfOfObOrganisation", default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// [`PSD2`], where it is said at all.
    #[serde(rename = "AuthorizationDomain", default, skip_serializing_if = "Option::is_none")]
    pub authorisation_domain: Option<String>,
}

/// A software statement (`SoftwareStatementSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareStatement {
    /// Base62, 22 characters, given by the Directory.
    #[serde(rename = "Id")]
    pub software_statement_id: String,
    /// False: no assertions are made for it.
    #[serde(rename = "Active")]
    pub active: bool,
    /// `Live` or `Not Live`.
    #[serde(rename = "Mode")]
    pub mode: String,
    /// The name that banks show to the PSU.
    #[serde(rename = "ClientName")]
    pub client_name: String,
    /// What it is.
    #[serde(rename = "Description", default, skip_serializing_if = "Option::is_none")]
    pub client_description: Option<String>,
    /// Where clients may be sent back to.
    #[serde(rename = "RedirectUri", default)]
    pub redirect_uris: Vec<String>,
    /// What it may be used for.
    #[serde(rename = "Roles", default)]
    pub roles: Vec<Role>,
    /// Its version.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Home page.
    #[serde(rename = "ClientUri", default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Logo.
    #[serde(rename = "LogoUri", default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Privacy policy.
    #[serde(rename = "PolicyUri", default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Terms of service.
    #[serde(rename = "TermsOfServiceUri", default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_uri: Option<String>,
    /// The agent on whose behalf it acts.
    #[serde(rename = "OnBehalfOfObOrganisation", default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Keys that sign, by kid.
    #[serde(rename = "SigningKeyIds", default, skip_serializing_if = "Vec::is_empty")]
    pub signing_key_ids: Vec<String>,
    /// Keys for TLS, by kid.
    #[serde(rename = "TransportKeyIds", default, skip_serializing_if = "Vec::is_empty")]
    pub transport_key_ids: Vec<String>,
}

/// Body of a change of a software statement (`SoftwareStatementStateSchema`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SoftwareStatementState {
    /// Whether it may be used.
    pub active: bool,
}

#[cfg(test)]
mod tests;
