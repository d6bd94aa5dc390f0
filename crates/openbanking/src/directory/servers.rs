//! Authorisation servers: where TPPs find a bank.

use super::PSD2;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};

/// Declares a struct whose own members are followed by those that describe a server.
macro_rules! with_server {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$row:meta])* $member:ident: $type:ty,)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        $(#[$doc])*
        pub struct $name {
            $($(#[$row])* pub $member: $type,)*
            /// [`PSD2`].
            #[serde(rename = "AuthorizationDomain", default = "psd2")]
            pub authorisation_domain: String,
            /// Whether TPPs may register by themselves.
            #[serde(rename = "AutoRegistrationSupported")]
            pub auto_registration_supported: bool,
            /// The name that PSUs know.
            #[serde(rename = "CustomerFriendlyName")]
            pub customer_friendly_name: String,
            /// What PSUs should know about it.
            #[serde(rename = "CustomerFriendlyDescription", default, skip_serializing_if = "Option::is_none")]
            pub customer_friendly_description: Option<String>,
            /// Logo.
            #[serde(rename = "CustomerFriendlyLogoUri", default, skip_serializing_if = "Option::is_none")]
            pub customer_friendly_logo_uri: Option<String>,
            /// URL of the discovery document.
            #[serde(rename = "OpenIDConfigEndPointUri")]
            pub openid_configuration: String,
            /// URL under which the versions of the APIs are, up to and with `/open-banking`.
            #[serde(rename = "BaseApiDNSUri", default, skip_serializing_if = "Option::is_none")]
            pub resource_base: Option<String>,
            /// Keys that sign payloads.
            #[serde(rename = "PayloadSigningCertLocation", default, skip_serializing_if = "Option::is_none")]
            pub payload_signing_keys: Option<String>,
            /// For developers.
            #[serde(rename = "DeveloperPortalUri", default, skip_serializing_if = "Option::is_none")]
            pub developer_portal_uri: Option<String>,
            /// Terms.
            #[serde(rename = "TermsOfService", default, skip_serializing_if = "Option::is_none")]
            pub terms_of_service: Option<String>,
            /// Where TPPs register; our own.
            #[serde(rename = "RegistrationEndpoint", default, skip_serializing_if = "Option::is_none")]
            pub registration_endpoint: Option<String>,
            /// What it offers; our own.
            #[serde(rename = "ApiFamilies", default, skip_serializing_if = "Vec::is_empty")]
            pub api_families: Vec<ApiFamily>,
        }
    };
}

fn psd2() -> String {
    PSD2.to_owned()
}

/// An API with the versions in which it is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ApiFamily {
    /// `aisp`, `pisp`, `cbpii`.
    pub family: String,
    /// The versions.
    pub versions: Vec<ApiVersion>,
    /// What is offered of it: paths below the version, such as `/aisp/accounts/{AccountId}/balances`; the same in each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

with_server! {
    /// Body that creates or replaces a server (`AuthorisationServerRequestSchema`, with only what is needed mandatory).
    #[serde(deny_unknown_fields)]
    pub struct AuthorisationServerRequest {}
}

with_server! {
    /// A server (`AuthorisationServerSchema`).
    pub struct AuthorisationServer {
        /// Given by the Directory; at most 22 characters.
        #[serde(rename = "Id")]
        id: String,
        /// Whose it is; our own, so that a list of all banks says it.
        #[serde(rename = "OBOrganisationId")]
        organisation_id: String,
    }
}

impl AuthorisationServerRequest {
    /// A server that TPPs register at by themselves.
    pub fn new(customer_friendly_name: &str, openid_configuration: &str) -> Self {
        Self {
            authorisation_domain: psd2(),
            auto_registration_supported: true,
            customer_friendly_name: customer_friendly_name.to_owned(),
            customer_friendly_description: None,
            customer_friendly_logo_uri: None,
            openid_configuration: openid_configuration.to_owned(),
            resource_base: None,
            payload_signing_keys: None,
            developer_portal_uri: None,
            terms_of_service: None,
            registration_endpoint: None,
            api_families: Vec::new(),
        }
    }

    /// The server that is made of the request.
    pub fn registered(self, id: String, organisation_id: String) -> AuthorisationServer {
        AuthorisationServer {
            id,
            organisation_id,
            authorisation_domain: self.authorisation_domain,
            auto_registration_supported: self.auto_registration_supported,
            customer_friendly_name: self.customer_friendly_name,
            customer_friendly_description: self.customer_friendly_description,
            customer_friendly_logo_uri: self.customer_friendly_logo_uri,
            openid_configuration: self.openid_configuration,
            resource_base: self.resource_base,
            payload_signing_keys: self.payload_signing_keys,
            developer_portal_uri: self.developer_portal_uri,
            terms_of_service: self.terms_of_service,
            registration_endpoint: self.registration_endpoint,
            api_families: self.api_families,
        }
    }
}
