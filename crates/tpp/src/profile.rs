//! What the TPP tells about itself, from `fixtures/tpp.yaml`.

use std::path::{Path, PathBuf};

use openbanking::ssa::Role;
use party::settings::parse_yaml;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::{Deserialize, Serialize};

use crate::identity::IdentityFiles;

const BUILT_IN: &str = include_str!("../../../fixtures/tpp.yaml");

/// A TPP's profile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The organisation.
    pub organisation: Organisation,
    /// Its software.
    pub software: Software,
    /// Certificates and keys of its own. A TPP that has them does not enrol at the Directory.
    #[serde(default)]
    pub identity: Option<IdentityFiles>,
    /// Where the profile stands; its files are named from there.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// The organisation as it enrols at the Directory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Legal name.
    pub legal_name: String,
    /// Competent authority, for example `FCA`.
    pub competent_authority: String,
    /// Number at the competent authority.
    pub registration_id: String,
    /// Authorised roles.
    #[schemars(schema_with = "roles")]
    pub roles: Vec<Role>,
    /// Whom the Directory may ask. A TPP that enrols has one.
    #[serde(default)]
    pub contact: Option<Contact>,
}

fn roles(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "enum": ["AISP", "PISP", "CBPII"] } })
}

/// A person.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Software {
    /// `software_client_name`: what banks show to their customers.
    pub client_name: String,
    /// `software_client_description`.
    pub description: String,
    /// `software_on_behalf_of_org`: the company for which it acts, when it is an agent.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
    /// Path of the redirect URI.
    pub callback: String,
    /// How it authenticates at banks; `private_key_jwt` when it is not said.
    #[serde(default)]
    pub authentication: Authentication,
    /// How it asks banks to answer, where a step does not say it.
    #[serde(default)]
    pub answers: Answers,
}

/// `token_endpoint_auth_method`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// With a signed JWT (OpenID Connect Core, 9).
    #[default]
    PrivateKeyJwt,
    /// With its certificate, whose subject the bank knows (RFC 8705, 2.1).
    TlsClientAuth,
}

impl Authentication {
    /// The name in registrations.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
        }
    }
}

/// How a bank is asked to answer an authorization request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answers {
    /// `code` when a signed answer is asked for, otherwise `code id_token`.
    pub response_type: Option<ResponseType>,
    /// A signed answer (JARM); that of the response type when it is not said.
    pub response_mode: Option<ResponseMode>,
}

/// `response_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ResponseType {
    /// A code, and an id_token that proves whose answer it is.
    #[serde(rename = "code id_token")]
    CodeIdToken,
    /// A code alone, in a signed answer.
    #[serde(rename = "code")]
    Code,
}

/// `response_mode`: the signed ones (JARM, 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ResponseMode {
    /// Signed, and where the response type usually is.
    #[serde(rename = "jwt")]
    Jwt,
    /// Signed, in the query.
    #[serde(rename = "query.jwt")]
    QueryJwt,
    /// Signed, in the fragment.
    #[serde(rename = "fragment.jwt")]
    FragmentJwt,
}

impl ResponseType {
    /// The name in requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodeIdToken => "code id_token",
            Self::Code => "code",
        }
    }
}

impl ResponseMode {
    /// The name in requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::QueryJwt => "query.jwt",
            Self::FragmentJwt => "fragment.jwt",
        }
    }
}

impl Answers {
    /// These, completed by others.
    #[must_use]
    pub fn or(self, usual: Self) -> Self {
        if self == Self::default() { usual } else { self }
    }

    /// The response type that is asked for.
    #[must_use]
    pub fn response_type(self) -> ResponseType {
        match (self.response_type, self.response_mode) {
            (Some(given), _) => given,
            (None, Some(_)) => ResponseType::Code,
            (None, None) => ResponseType::CodeIdToken,
        }
    }
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
        let mut profile: Self = parse_yaml(&text).map_err(failed)?;
        if !profile.software.callback.starts_with('/') {
            return Err(failed(format!("software.callback is {}, it must begin with /", profile.software.callback)));
        }
        if profile.identity.is_none() && profile.organisation.contact.is_none() {
            return Err(failed(
                "organisation.contact is missing; a TPP without an identity of its own enrols with one".into(),
            ));
        }
        profile.folder = path.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
        Ok(profile)
    }
}

/// The form of TPP profiles as a JSON Schema.
#[must_use]
pub fn schema() -> String {
    let generator = SchemaGenerator::new(SchemaSettings::draft07());
    let mut schema = generator.into_root_schema_for::<Profile>().to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "TPP profiles of ob-tpp".into());
    }
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_right() {
        assert_eq!(Profile::load(None).unwrap().software.client_name, "Larkspur Budget");
    }
}
