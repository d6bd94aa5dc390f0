//! What the running server demands and offers, as data.

use jose::Algorithm;
use rules::SwitchedOff;
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::{Deviations, client::AuthenticationMethod, response::ResponseMode};

/// URLs of the endpoints. Those with `mtls_` demand a client certificate and are the `mtls_endpoint_aliases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `authorization_endpoint`; none where the server has no users.
    pub authorization: Option<String>,
    /// `token_endpoint`.
    pub token: String,
    /// Alias of the token endpoint with mutual TLS.
    pub mtls_token: String,
    /// `registration_endpoint`.
    pub registration: Option<String>,
    /// `jwks_uri`.
    pub jwks: String,
    /// `pushed_authorization_request_endpoint`, with mutual TLS.
    pub pushed: Option<String>,
    /// `introspection_endpoint`, with mutual TLS.
    pub introspection: Option<String>,
    /// `revocation_endpoint`, with mutual TLS.
    pub revocation: Option<String>,
    /// `userinfo_endpoint`, with mutual TLS.
    pub userinfo: Option<String>,
}

/// How long things live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetimes {
    /// Authorization code; at most 60 seconds.
    pub code: Duration,
    /// Access token.
    pub access_token: Duration,
    /// `id_token`.
    pub id_token: Duration,
    /// From an accepted authorization request to the PSU's decision.
    pub interaction: Duration,
    /// Pushed authorization request.
    pub pushed: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: Duration::seconds(60),
            access_token: Duration::hours(1),
            id_token: Duration::minutes(5),
            interaction: Duration::minutes(15),
            pushed: Duration::seconds(90),
        }
    }
}

/// A server's demands and offers. Discovery tells exactly this.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name, for example `fapi1-advanced-uk`.
    pub name: &'static str,
    /// `issuer`.
    pub issuer: String,
    /// Organisation id at the Directory: an accepted audience of registration requests.
    pub organisation_id: String,
    /// URLs.
    pub endpoints: Endpoints,
    /// Lifetimes.
    pub lifetimes: Lifetimes,
    /// Accepted client authentication methods.
    pub authentication_methods: Vec<AuthenticationMethod>,
    /// Accepted signature algorithms for request objects, assertions and registrations, the preferred one first.
    pub algorithms: Vec<Algorithm>,
    /// `scopes_supported`.
    pub scopes: Vec<String>,
    /// `grant_types_supported`.
    pub grant_types: Vec<&'static str>,
    /// `response_types_supported`.
    pub response_types: Vec<&'static str>,
    /// `response_modes_supported`.
    pub response_modes: Vec<ResponseMode>,
    /// Whether answers that are not signed as a whole name the issuer (RFC 9207).
    pub iss_parameter: bool,
    /// Whether each refresh gives a new refresh token. The one before it works until the new one was used, so that a lost
    /// answer locks nobody out.
    pub rotation: bool,
    /// Whether access tokens are JWTs (RFC 9068), so that a gateway can judge them by itself.
    pub jwt_access_tokens: bool,
    /// `aud` of such tokens: the resource server.
    pub resource: String,
    /// Whether encrypted request objects are opened and id_tokens are encrypted for clients that want that.
    pub encryption: bool,
    /// `acr_values_supported`, the strongest first.
    pub acr_values: Vec<&'static str>,
    /// Whether an authorization request must name an `openbanking_intent_id`.
    pub intents: bool,
    /// Where the Directory publishes the keys that sign SSAs.
    pub directory_jwks_uri: Option<String>,
    /// How old an SSA may be.
    pub software_statement_age: Duration,
    /// How many authorization requests of a client, pushed or under way, may wait for a customer's decision.
    pub unfinished_authorisations: usize,
    /// Rules that a lesson switched off.
    pub switched_off: SwitchedOff,
    /// Where the server misbehaves on purpose.
    pub deviations: Deviations,
}

/// `acr` for strong customer authentication.
pub const ACR_SCA: &str = "urn:openbanking:psd2:sca";
/// `acr` for customer authentication without a second factor.
pub const ACR_CA: &str = "urn:openbanking:psd2:ca";

impl Profile {
    /// FAPI 1.0 Advanced with the UK Open Banking rules.
    #[must_use]
    pub fn fapi1_advanced_uk(issuer: String, organisation_id: String, endpoints: Endpoints) -> Self {
        Self {
            name: "fapi1-advanced-uk",
            issuer,
            organisation_id,
            endpoints,
            lifetimes: Lifetimes::default(),
            authentication_methods: vec![AuthenticationMethod::PrivateKeyJwt, AuthenticationMethod::TlsClientAuth],
            algorithms: vec![Algorithm::Ps256, Algorithm::Es256],
            scopes: vec!["openid".into(), "accounts".into()],
            grant_types: vec!["authorization_code", "client_credentials", "refresh_token"],
            response_types: vec!["code id_token"],
            response_modes: ResponseMode::PLAIN.to_vec(),
            iss_parameter: true,
            rotation: false,
            jwt_access_tokens: false,
            resource: String::new(),
            encryption: true,
            acr_values: vec![ACR_SCA, ACR_CA],
            intents: true,
            directory_jwks_uri: None,
            software_statement_age: Duration::days(180),
            unfinished_authorisations: 10_000,
            switched_off: SwitchedOff::default(),
            deviations: Deviations::default(),
        }
    }

    /// FAPI 1.0 Advanced without the rules of a country: also `code` with JARM, and no intents.
    #[must_use]
    pub fn fapi1_advanced(issuer: String, organisation_id: String, endpoints: Endpoints) -> Self {
        Self {
            name: "fapi1-advanced",
            response_types: vec!["code id_token", "code"],
            response_modes: ResponseMode::PLAIN.into_iter().chain(ResponseMode::SIGNED).collect(),
            intents: false,
            ..Self::fapi1_advanced_uk(issuer, organisation_id, endpoints)
        }
    }

    /// A server without users: only `client_credentials`, as the Directory's own.
    #[must_use]
    pub fn client_credentials_only(
        issuer: String,
        organisation_id: String,
        endpoints: Endpoints,
        scopes: Vec<String>,
    ) -> Self {
        Self {
            name: "client-credentials",
            scopes,
            grant_types: vec!["client_credentials"],
            authentication_methods: vec![AuthenticationMethod::PrivateKeyJwt],
            algorithms: vec![Algorithm::Ps256],
            response_types: Vec::new(),
            response_modes: Vec::new(),
            encryption: false,
            acr_values: Vec::new(),
            intents: false,
            ..Self::fapi1_advanced_uk(issuer, organisation_id, endpoints)
        }
    }

    /// Audiences that a client assertion may name: issuer, token endpoint in both its forms, and where requests are pushed
    /// (RFC 7523, 3-3; RFC 9126, 2).
    pub fn assertion_audiences(&self) -> impl Iterator<Item = &str> + Clone {
        let endpoints = &self.endpoints;
        [&self.issuer, &endpoints.token, &endpoints.mtls_token].into_iter().chain(&endpoints.pushed).map(String::as_str)
    }
}
