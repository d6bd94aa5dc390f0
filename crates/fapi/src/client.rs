//! A registered client.

use jose::{Algorithm, Jwks};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Record;

/// How a client proves who it is at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// RFC 7523: an assertion signed with the client's key.
    PrivateKeyJwt,
    /// RFC 8705, 2.1: a certificate of the ecosystem whose subject the client registered.
    TlsClientAuth,
    /// RFC 8705, 2.2: a certificate that stands in the client's key set.
    SelfSignedTlsClientAuth,
    /// RFC 6749, 2.3.1: a password in the `Authorization` header. Not allowed by FAPI; for tools that know nothing else.
    ClientSecretBasic,
    /// OpenID Connect Core, 9: an assertion under a shared secret. Not allowed by FAPI; for tools that know nothing else.
    ClientSecretJwt,
}

impl AuthenticationMethod {
    /// The name in metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretJwt => "client_secret_jwt",
        }
    }

    /// All methods.
    pub const ALL: [Self; 5] = [
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::ClientSecretBasic,
        Self::ClientSecretJwt,
    ];

    /// Whether the client shares a secret with the server.
    #[must_use]
    pub fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretJwt)
    }

    /// The method with this name, if the engine has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// What the certificate of a client with `tls_client_auth` must say (RFC 8705, 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateSubject {
    /// `tls_client_auth_subject_dn`, as RFC 4514 writes it.
    Dn(String),
    /// `tls_client_auth_san_dns`.
    SanDns(String),
    /// `tls_client_auth_san_uri`.
    SanUri(String),
    /// `tls_client_auth_san_ip`.
    SanIp(std::net::IpAddr),
    /// `tls_client_auth_san_email`.
    SanEmail(String),
}

/// A secret that a client shares with the server. It is kept as it is, because assertions are checked with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
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
    /// `authorization_signed_response_alg` (JARM, 3); that of the id_token when it is none.
    #[serde(default)]
    pub response_algorithm: Option<Algorithm>,
    /// `grant_types`.
    pub grant_types: Vec<String>,
    /// `response_types`.
    pub response_types: Vec<String>,
    /// Scopes that the client may ask for, `openid` among them.
    pub scopes: Vec<String>,
    /// `jwks_uri`: where the client's public keys are, named by the software statement.
    pub jwks_uri: String,
    /// `jwks`: the client's public keys themselves, where a client was configured with them. They come before `jwks_uri`.
    #[serde(default)]
    pub jwks: Option<Jwks>,
    /// Whom the certificate of a client with `tls_client_auth` names.
    #[serde(default)]
    pub certificate_subject: Option<CertificateSubject>,
    /// The secret of a client whose method has one.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Whether id_tokens are encrypted for the client (`id_token_encrypted_response_alg` `RSA-OAEP-256` with `A256GCM`).
    #[serde(default)]
    pub id_token_encrypted: bool,
    /// Whether it may ask about tokens of other clients, as a resource server does (RFC 7662, 4).
    #[serde(default)]
    pub resource_server: bool,
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
