//! How it is certified: the sandbox's authorities, certificates in the Open Banking profiles, certificate requests,
//! revocation, and files for other tools.
//!
//! A participant makes a [`PrivateKey`] and a [`certificate_request`]; the Directory reads it as a [`SigningRequest`],
//! compares it with what it knows of the organisation, and has its [`Authority`] issue a [`Certificate`] for a
//! [`Profile`]. Keys never travel. Nothing here asks for the time: every moment is passed in.

mod authority;
mod certificate;
mod der;
mod error;
mod key;
mod profile;
mod qc_statements;
mod request;
mod subject;

pub use authority::{Authority, AuthorityParts, Revoked};
pub use certificate::{Certificate, CertificateFacts, pkcs12};
pub use error::PkiError;
pub use key::PrivateKey;
pub use profile::{Participant, Profile};
pub use qc_statements::{CompetentAuthority, PspRole, QcStatements, QcType};
pub use request::{SigningRequest, certificate_request};

/// Days that an issued certificate is valid at most (CA/Browser Forum baseline, 6.3.2).
pub const LONGEST_VALIDITY_DAYS: i64 = 397;
