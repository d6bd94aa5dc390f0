//! Enrolment: the door for an organisation that has no certificate yet. Our own; the real Directory does this on paper.

use super::Contact;
use crate::dates;
use crate::ssa::Role;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Who wants to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Name on the certificates.
    pub legal_entity_name: String,
    /// Name that is shown; the legal one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_common_name: Option<String>,
    /// The competent authority, for example `FCA`.
    pub register_body: String,
    /// The organisation's number there.
    pub registration_id: String,
    /// What it is authorised to do.
    pub roles: Vec<Role>,
    /// Whom to talk to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

impl EnrolmentRequest {
    /// The name that is shown.
    pub fn common_name(&self) -> &str {
        self.organisation_common_name.as_deref().unwrap_or(&self.legal_entity_name)
    }
}

/// What it needs to fetch its first certificates.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnrolmentAnswer {
    /// 18 characters, given by the Directory.
    pub organisation_id: String,
    /// Bearer token for the certificate door, a secret.
    pub enrolment_token: String,
    /// Until when the token is good.
    #[serde(with = "dates::serde_form")]
    pub expires_at: OffsetDateTime,
}

impl std::fmt::Debug for EnrolmentAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token opens the door: it does not belong in logs.
        f.debug_struct("EnrolmentAnswer")
            .field("organisation_id", &self.organisation_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
