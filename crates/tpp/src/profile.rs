//! What the TPP tells about itself, from `fixtures/tpp.yaml`.

use std::path::Path;

use openbanking::ssa::Role;
use party::settings::parse_yaml;
use serde::Deserialize;

const BUILT_IN: &str = include_str!("../../../fixtures/tpp.yaml");

/// A TPP's profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The organisation.
    pub organisation: Organisation,
    /// Its software.
    pub software: Software,
}

/// The organisation as it enrols at the Directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Legal name.
    pub legal_name: String,
    /// Competent authority, for example `FCA`.
    pub competent_authority: String,
    /// Number at the competent authority.
    pub registration_id: String,
    /// Authorised roles.
    pub roles: Vec<Role>,
    /// Whom the Directory may ask.
    pub contact: Contact,
}

/// A person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Number.
    pub phone: String,
}

/// The software that is registered at banks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Software {
    /// `software_client_name`: what banks show to their customers.
    pub client_name: String,
    /// `software_client_description`.
    pub description: String,
    /// Path of the redirect URI.
    pub callback: String,
}

/// The profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the TPP profile {path} cannot be used: {error}")]
pub struct ProfileError {
    /// The file.
    pub path: String,
    /// What is wrong, and where.
    pub error: String,
}

impl Profile {
    /// The profile in this file, or the built-in one.
    ///
    /// # Errors
    /// The file cannot be read, or has unknown, missing or wrong members.
    pub fn load(path: Option<&Path>) -> Result<Self, ProfileError> {
        let name = path.map_or_else(|| "fixtures/tpp.yaml".to_owned(), |path| path.display().to_string());
        let failed = |error: String| ProfileError { path: name.clone(), error };
        let text = match path {
            None => BUILT_IN.to_owned(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?,
        };
        let profile: Self = parse_yaml(&text).map_err(failed)?;
        if !profile.software.callback.starts_with('/') {
            return Err(failed(format!("software.callback is {}, it must begin with /", profile.software.callback)));
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_right() {
        assert_eq!(Profile::load(None).unwrap().software.client_name, "Larkspur Budget");
    }
}
