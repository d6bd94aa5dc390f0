//! Software statement assertions (OB SSA 1.1): what the Directory vouches for.

use jose::claims::NumericDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// `iss` of every assertion.
pub const ISSUER: &str = "OpenBanking Ltd";

/// What a participant is authorised to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Account information.
    Aisp,
    /// Payment initiation.
    Pisp,
    /// Card-based payment instruments: confirmation of funds.
    Cbpii,
    /// Keeps accounts: a bank.
    Aspsp,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Aisp, Self::Pisp, Self::Cbpii, Self::Aspsp];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aisp => "AISP",
            Self::Pisp => "PISP",
            Self::Cbpii => "CBPII",
            Self::Aspsp => "ASPSP",
        }
    }

    /// The scope that the role opens at a bank (OB DCR 3.3); none for banks.
    pub fn scope(self) -> Option<&'static str> {
        match self {
            Self::Aisp => Some("accounts"),
            Self::Pisp => Some("payments"),
            Self::Cbpii => Some("fundsconfirmations"),
            Self::Aspsp => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `org_status`: whether the organisation may take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrganisationStatus {
    /// It may.
    #[default]
    Active,
    /// Its rights were taken away.
    Revoked,
    /// It left.
    Withdrawn,
}

/// `software_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SoftwareMode {
    /// For customers.
    #[default]
    Live,
    /// For tests.
    Test,
}

/// Claims of an assertion. Unknown claims are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareStatementAssertion {
    /// [`ISSUER`].
    pub iss: String,
    /// When it was made.
    pub iat: NumericDate,
    /// Names the assertion.
    pub jti: String,
    /// The software and its organisation.
    #[serde(flatten)]
    pub metadata: SoftwareMetadata,
}

/// The claims about the software and its organisation; registration answers repeat them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareMetadata {
    /// `sandbox` or `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_environment: Option<String>,
    /// For customers or for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_mode: Option<SoftwareMode>,
    /// Base62, at most 22 characters.
    pub software_id: String,
    /// The client identifier that the TPP would like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_client_id: Option<String>,
    /// The name that banks show to the PSU; at most 40 characters.
    pub software_client_name: String,
    /// At most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_client_description: Option<String>,
    /// Text or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<Value>,
    /// Home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_client_uri: Option<String>,
    /// Where clients may be sent back to; a registration chooses among them.
    #[serde(default)]
    pub software_redirect_uris: Vec<String>,
    /// What the software may be used for.
    #[serde(default)]
    pub software_roles: Vec<Role>,
    /// Keys of the software.
    pub software_jwks_endpoint: String,
    /// Keys that were revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_jwks_revoked_endpoint: Option<String>,
    /// Logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_logo_uri: Option<String>,
    /// Privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_policy_uri: Option<String>,
    /// Terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_tos_uri: Option<String>,
    /// The agent on whose behalf; null and absent mean none.
    #[serde(default)]
    pub software_on_behalf_of_org: Option<String>,
    /// Who authorised the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_competent_authority_claims: Option<CompetentAuthorityClaims>,
    /// Whether it may take part.
    pub org_status: OrganisationStatus,
    /// 18 characters.
    pub org_id: String,
    /// Its name.
    pub org_name: String,
    /// People to talk to.
    #[serde(default)]
    pub org_contacts: Vec<OrganisationContact>,
    /// Keys of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_jwks_endpoint: Option<String>,
    /// Keys that were revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_jwks_revoked_endpoint: Option<String>,
}

/// `organisation_competent_authority_claims`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompetentAuthorityClaims {
    /// The authority, for example `FCAGBR`.
    pub authority_id: String,
    /// The organisation's number there.
    pub registration_id: String,
    /// `Active` while authorised.
    pub status: String,
    /// For what, and in which countries.
    #[serde(default)]
    pub authorisations: Vec<Authorisation>,
}

/// What is authorised in a country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorisation {
    /// Country code.
    pub member_state: String,
    /// Roles.
    pub roles: Vec<Role>,
}

/// `org_contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationContact {
    /// Who.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// For what.
    #[serde(rename = "type")]
    pub kind: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// An assertion with all that is mandatory and some more.
    pub(crate) fn sample() -> Value {
        json!({
            "iss": "OpenBanking Ltd", "iat": 1_767_225_600, "jti": "3f1c8a52c0d14f5f",
            "software_environment": "sandbox", "software_mode": "Live", "software_id": "4EEh9XwJd3Vq2mQhZ7aBcD",
            "software_client_name": "Money Diary", "software_version": 1.1,
            "software_redirect_uris": ["https://tpp.example/callback"], "software_roles": ["AISP", "PISP"],
            "software_jwks_endpoint": "https://keystore.example/0015800001041RHAAY/4EEh9XwJd3Vq2mQhZ7aBcD.jwks",
            "software_on_behalf_of_org": null,
            "organisation_competent_authority_claims": {
                "authority_id": "FCAGBR", "registration_id": "123456", "status": "Active",
                "authorisations": [{"member_state": "GB", "roles": ["AISP", "PISP"]}]
            },
            "org_status": "Active", "org_id": "0015800001041RHAAY", "org_name": "Diary Ltd",
            "org_contacts": [{"name": "Technical", "email": "tech@tpp.example", "phone": "+44 20 7946 0000", "type": "Technical"}]
        })
    }

    #[test]
    fn assertions_are_read_and_written_alike() {
        let ssa: SoftwareStatementAssertion = serde_json::from_value(sample()).unwrap();
        assert_eq!(
            (ssa.iss.as_str(), ssa.metadata.software_roles.as_slice()),
            (ISSUER, [Role::Aisp, Role::Pisp].as_slice())
        );
        assert_eq!(serde_json::to_value(&ssa).unwrap(), sample());
    }

    #[test]
    fn unknown_claims_are_ignored_and_wrong_ones_refused() {
        let with = |name: &str, value: Value| {
            let mut claims = sample();
            claims[name] = value;
            serde_json::from_value::<SoftwareStatementAssertion>(claims)
        };
        assert!(with("software_colour", json!("red")).is_ok());
        assert!(with("software_version", json!("1.1")).is_ok());
        assert_eq!(with("org_status", json!("Revoked")).unwrap().metadata.org_status, OrganisationStatus::Revoked);
        for (name, value) in [
            ("org_status", json!("Sleeping")),
            ("software_roles", json!(["KING"])),
            ("iat", json!("now")),
            ("org_id", json!(7)),
        ] {
            assert!(with(name, value).is_err(), "{name}");
        }
    }

    #[test]
    fn roles_open_scopes() {
        let scopes: Vec<_> = Role::ALL.into_iter().filter_map(Role::scope).collect();
        assert_eq!(scopes, ["accounts", "payments", "fundsconfirmations"]);
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.to_string());
        }
    }
}
