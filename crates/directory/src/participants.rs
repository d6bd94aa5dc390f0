//! Organisations that are known from the start, from `fixtures/participants.yaml`.

use std::path::Path;

use openbanking::{
    directory::{AuthorityClaim, Organisation, RoleAuthorisation},
    ssa::{OrganisationStatus, Role},
};
use party::{
    StartError, Tools,
    settings::{parse_yaml, read_yaml},
};
use serde::Deserialize;
use store::Store;

use crate::registry::{OrganisationRecord, below, organisations, registrations};

const BUILT_IN: &str = include_str!("../../../fixtures/participants.yaml");

/// An organisation as its register has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registered {
    /// Legal name.
    pub legal_name: String,
    /// The name that it goes by.
    #[serde(default)]
    pub common_name: Option<String>,
    /// Competent authority.
    pub competent_authority: String,
    /// Number there.
    pub registration_id: String,
    /// What it is authorised for.
    pub roles: Vec<Role>,
}

impl Registered {
    /// The record of an organisation that the Directory has just come to know.
    #[must_use]
    pub fn record(&self, tools: &Tools) -> OrganisationRecord {
        let now = tools.clock.now();
        let authorisation =
            |role: &Role| RoleAuthorisation { active: true, member_state: "GB".to_owned(), role: *role };
        OrganisationRecord {
            organisation: Organisation {
                organisation_id: tools.chance.identifier(18),
                common_name: self.common_name.clone().unwrap_or_else(|| self.legal_name.clone()),
                status: OrganisationStatus::Active,
                created_at: Some(now),
                modified_at: Some(now),
                authority_claims: vec![AuthorityClaim {
                    authority_id: format!("{}GBR", self.competent_authority),
                    member_state: "GB".to_owned(),
                    registration_id: self.registration_id.clone(),
                    etsi_identifier: Some(format!("PSDGB-{}-{}", self.competent_authority, self.registration_id)),
                    authorisations: self.roles.iter().map(authorisation).collect(),
                }],
                contacts: Vec::new(),
            },
            legal_name: self.legal_name.clone(),
            register_body: self.competent_authority.clone(),
            registration_id: self.registration_id.clone(),
            reopened: false,
        }
    }
}

/// The organisations of this file, or the built-in ones.
///
/// # Errors
/// The file cannot be read or is wrong.
pub fn load(path: Option<&Path>) -> Result<Vec<Registered>, StartError> {
    match path {
        Some(path) => Ok(read_yaml(path)?),
        None => {
            parse_yaml(BUILT_IN).map_err(|why| StartError::Configuration(format!("fixtures/participants.yaml: {why}")))
        }
    }
}

/// The changes that make a new organisation known. They conflict when its registration is known already.
///
/// # Errors
/// A record cannot be written.
pub fn introduce(record: &OrganisationRecord) -> Result<Vec<store::Change>, store::StoreError> {
    let id = &record.organisation.organisation_id;
    Ok(vec![
        registrations().insert(below(&record.register_body, &record.registration_id), id)?,
        organisations().insert(id.clone(), record)?,
    ])
}

/// Puts those into the store that are not there yet.
///
/// # Errors
/// The store failed.
pub async fn seed(participants: &[Registered], store: &dyn Store, tools: &Tools) -> Result<(), StartError> {
    let mut changes = Vec::new();
    for participant in participants {
        let key = below(&participant.competent_authority, &participant.registration_id);
        if registrations().get(store, &key).await?.is_none() {
            changes.extend(introduce(&participant.record(tools))?);
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    store.commit(changes).await.map_err(|error| StartError::Configuration(format!("the participants: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_participants_are_right() {
        let participants = load(None).unwrap();
        let bank = participants.iter().find(|one| one.registration_id == "204503").unwrap();
        assert_eq!(bank.roles, [Role::Aspsp]);
        assert!(participants.iter().any(|one| one.roles.contains(&Role::Aisp)));
    }
}
