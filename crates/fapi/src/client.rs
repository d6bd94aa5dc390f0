//! A registered client.

use jose::Algorithm;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Record;

/// How a client proves who it is at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// RFC 7523: an assertion signed with the client's key.
    PrivateKeyJwt,
}

impl AuthenticationMethod {
    /// The name in metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method with this name, if the engine has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (name == Self::PrivateKeyJwt.as_str()).then_some(Self::PrivateKeyJwt)
    }
}

/// A client and what it may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// Name that the PSU sees: `software_client_name` of the SSA.
    pub name: String,
    /// Name of the organisation on whose behalf the client acts, if it is an agent.
    pub on_behalf_of: Option<String>,
    /// Organisation id at the Directory.
    pub organisation_id: String,
    /// Software statement id at the Directory.
    pub software_id: String,
    /// Exact redirect URIs.
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`.
    pub authentication_method: AuthenticationMethod,
    /// `token_endpoint_auth_signing_alg`.
    pub authentication_algorithm: Algorithm,
    /// `request_object_signing_alg`.
    pub request_object_algorithm: Algorithm,
    /// `id_token_signed_response_alg`.
    pub id_token_algorithm: Algorithm,
    /// `grant_types`.
    pub grant_types: Vec<String>,
    /// `response_types`.
    pub response_types: Vec<String>,
    /// Scopes that the client may ask for, `openid` among them.
    pub scopes: Vec<String>,
    /// `jwks_uri`: where the client's public keys are, named by the software statement.
    pub jwks_uri: String,
    /// When it was registered.
    pub registered_at: OffsetDateTime,
    /// Everything that the registration answered, to be shown by later reads of the registration.
    pub metadata: serde_json::Value,
}

impl Record for Client {
    const COLLECTION: &'static str = "clients";
}

impl Client {
    /// Whether the client registered this grant type.
    #[must_use]
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|registered| registered == grant_type)
    }

    /// Whether all of these scopes are registered.
    #[must_use]
    pub fn covers<'a>(&self, mut scopes: impl Iterator<Item = &'a str>) -> bool {
        scopes.all(|scope| self.scopes.iter().any(|registered| registered == scope))
    }
}
