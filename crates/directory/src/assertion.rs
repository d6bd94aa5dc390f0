//! Software statement assertions (OB SSA 1.1): what the Directory vouches for, signed with PS256.

use openbanking::{
    directory::SoftwareStatement,
    ssa::{
        Authorisation, CompetentAuthorityClaims, ISSUER, OrganisationContact, OrganisationStatus, SoftwareMetadata,
        SoftwareMode, SoftwareStatementAssertion,
    },
};
use rules::{Check, holds};
use serde_json::Value;

use crate::{
    Context,
    keystore::{location, revoked_location},
    progress::Progress,
    refusal::{DirectoryError, FORBIDDEN, Wire},
    registry::OrganisationRecord,
};

rules::catalogue! {
    /// Rules of assertions.
    pub RULES;
    ORGANISATION_ACTIVE { id: "directory.assertion.organisation-active",
        reason: "Only an active organisation gets an assertion.", clause: "OB SSA 1.1, org_status" }
    SOFTWARE_ACTIVE { id: "directory.assertion.software-active",
        reason: "Only an active software statement gets an assertion.", clause: "OB SSA 1.1" }
}

/// Whom and what an assertion is about.
struct About<'a> {
    record: &'a OrganisationRecord,
    software: &'a SoftwareStatement,
}

fn checks<'a>() -> [Check<About<'a>, Wire>; 2] {
    [
        Check {
            rule: &ORGANISATION_ACTIVE,
            error: FORBIDDEN,
            test: |about| {
                let status = about.record.organisation.status;
                holds(status == OrganisationStatus::Active, "Active", format_args!("{status:?}"))
            },
        },
        Check {
            rule: &SOFTWARE_ACTIVE,
            error: FORBIDDEN,
            test: |about| holds(about.software.active, "active", "inactive"),
        },
    ]
}

/// The signed assertion of a software statement.
///
/// # Errors
/// Organisation or statement are not active, or signing failed.
pub(crate) fn assertion(
    context: &Context,
    progress: &mut Progress<'_>,
    record: &OrganisationRecord,
    software: &SoftwareStatement,
) -> Result<String, DirectoryError> {
    progress.judge(&About { record, software }, &checks())?;
    let claims = SoftwareStatementAssertion {
        iss: ISSUER.to_owned(),
        iat: context.tools.clock.now().into(),
        jti: context.tools.chance.uuid().to_string(),
        metadata: metadata(context, record, software),
    };
    Ok(context.signing.sign_claims(Some("JWT"), &claims)?)
}

fn metadata(context: &Context, record: &OrganisationRecord, software: &SoftwareStatement) -> SoftwareMetadata {
    let (urls, organisation) = (&context.urls, &record.organisation);
    let (org_id, software_id) = (&organisation.organisation_id, &software.software_statement_id);
    let claims = organisation.authority_claims.first().map(|claim| CompetentAuthorityClaims {
        authority_id: claim.authority_id.clone(),
        registration_id: claim.registration_id.clone(),
        status: format!("{:?}", organisation.status),
        authorisations: vec![Authorisation { member_state: claim.member_state.clone(), roles: organisation.roles() }],
    });
    SoftwareMetadata {
        software_environment: Some("sandbox".to_owned()),
        software_mode: Some(SoftwareMode::Test),
        software_id: software_id.clone(),
        software_client_id: Some(software_id.clone()),
        software_client_name: software.client_name.clone(),
        software_client_description: software.client_description.clone(),
        software_version: software.version.clone().map(Value::String),
        software_client_uri: software.client_uri.clone(),
        software_redirect_uris: software.redirect_uris.clone(),
        software_roles: software.roles.clone(),
        software_jwks_endpoint: location(urls, org_id, software_id),
        software_jwks_revoked_endpoint: Some(revoked_location(urls, org_id, software_id)),
        software_logo_uri: software.logo_uri.clone(),
        software_policy_uri: software.policy_uri.clone(),
        software_tos_uri: software.terms_of_service_uri.clone(),
        software_on_behalf_of_org: software.on_behalf_of.clone(),
        organisation_competent_authority_claims: claims,
        org_status: organisation.status,
        org_id: org_id.clone(),
        org_name: organisation.common_name.clone(),
        org_contacts: organisation
            .contacts
            .iter()
            .map(|contact| OrganisationContact {
                name: contact.name.clone(),
                email: contact.email_address.clone(),
                phone: contact.phone_number.clone(),
                kind: contact.r#type.to_string(),
            })
            .collect(),
        org_jwks_endpoint: Some(location(urls, org_id, org_id)),
        org_jwks_revoked_endpoint: Some(revoked_location(urls, org_id, org_id)),
    }
}
