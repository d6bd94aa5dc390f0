//! OpenID provider metadata (OpenID Connect Discovery 1.0, 3; RFC 8414; RFC 8705, 5; RFC 9126; CIBA, 4).

use serde::{Deserialize, Serialize};

/// Path below the issuer at which the document stands.
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Declares the document: members that may be absent are left out when they are.
macro_rules! metadata {
    (
        $(#[$doc:meta])* pub struct $name:ident {
            [$($(#[$always:meta])* $member:ident: $type:ty;)*]
            $($(#[$maybe:meta])* $optional:ident: $inner:ty;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $($(#[$always])* pub $member: $type,)*
            $($(#[$maybe])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $optional: Option<$inner>,)*
        }
    };
}

metadata! {
    /// What an authorization server says about itself. Unknown members are ignored; only the issuer must be there, so
    /// that a reader can say what else is missing.
    pub struct ProviderMetadata {
        [
            /// Its name, https, without query.
            issuer: String;
        ]
        /// Where the PSU is sent.
        authorization_endpoint: String;
        /// Where tokens are given.
        token_endpoint: String;
        /// Keys.
        jwks_uri: String;
        /// Registration.
        registration_endpoint: String;
        /// Claims about the PSU.
        userinfo_endpoint: String;
        /// What a token is good for.
        introspection_endpoint: String;
        /// Where tokens are given back.
        revocation_endpoint: String;
        /// Pushed authorization requests.
        pushed_authorization_request_endpoint: String;
        /// True when only pushed requests are taken.
        require_pushed_authorization_requests: bool;
        /// CIBA requests.
        backchannel_authentication_endpoint: String;
        /// `poll`, `ping`.
        backchannel_token_delivery_modes_supported: Vec<String>;
        /// Algorithms of CIBA requests.
        backchannel_authentication_request_signing_alg_values_supported: Vec<String>;
        /// True when CIBA requests may have a user code.
        backchannel_user_code_parameter_supported: bool;
        /// Scopes.
        scopes_supported: Vec<String>;
        /// `code`, `code id_token`.
        response_types_supported: Vec<String>;
        /// `fragment`, `query`, `jwt` and its forms.
        response_modes_supported: Vec<String>;
        /// Grants.
        grant_types_supported: Vec<String>;
        /// `pairwise`, `public`.
        subject_types_supported: Vec<String>;
        /// `urn:openbanking:psd2:sca`, `urn:openbanking:psd2:ca`.
        acr_values_supported: Vec<String>;
        /// Claims.
        claims_supported: Vec<String>;
        /// `normal`.
        claim_types_supported: Vec<String>;
        /// True when the `claims` parameter is understood.
        claims_parameter_supported: bool;
        /// Algorithms of ID tokens; PS256 first.
        id_token_signing_alg_values_supported: Vec<String>;
        /// How ID tokens are encrypted: the key.
        id_token_encryption_alg_values_supported: Vec<String>;
        /// How ID tokens are encrypted: the content.
        id_token_encryption_enc_values_supported: Vec<String>;
        /// Algorithms of signed userinfo.
        userinfo_signing_alg_values_supported: Vec<String>;
        /// True when `request` is understood.
        request_parameter_supported: bool;
        /// True when `request_uri` is understood.
        request_uri_parameter_supported: bool;
        /// True when each `request_uri` must be registered.
        require_request_uri_registration: bool;
        /// True when each request must be a signed object (RFC 9101).
        require_signed_request_object: bool;
        /// Algorithms of request objects; PS256 first, because registrations take the first.
        request_object_signing_alg_values_supported: Vec<String>;
        /// How request objects may be encrypted: the key.
        request_object_encryption_alg_values_supported: Vec<String>;
        /// How request objects may be encrypted: the content.
        request_object_encryption_enc_values_supported: Vec<String>;
        /// Algorithms of JARM responses.
        authorization_signing_alg_values_supported: Vec<String>;
        /// How clients authenticate.
        token_endpoint_auth_methods_supported: Vec<String>;
        /// Algorithms of client assertions; PS256 first.
        token_endpoint_auth_signing_alg_values_supported: Vec<String>;
        /// How clients authenticate at the introspection endpoint.
        introspection_endpoint_auth_methods_supported: Vec<String>;
        /// Algorithms of client assertions there.
        introspection_endpoint_auth_signing_alg_values_supported: Vec<String>;
        /// How clients authenticate at the revocation endpoint.
        revocation_endpoint_auth_methods_supported: Vec<String>;
        /// Algorithms of client assertions there.
        revocation_endpoint_auth_signing_alg_values_supported: Vec<String>;
        /// `S256`.
        code_challenge_methods_supported: Vec<String>;
        /// Tokens are bound to the client's certificate.
        tls_client_certificate_bound_access_tokens: bool;
        /// Responses name the issuer (RFC 9207).
        authorization_response_iss_parameter_supported: bool;
        /// Algorithms of DPoP proofs.
        dpop_signing_alg_values_supported: Vec<String>;
        /// Endpoints for clients that come with a certificate.
        mtls_endpoint_aliases: MtlsEndpointAliases;
        /// Languages of the pages.
        ui_locales_supported: Vec<String>;
        /// For developers.
        service_documentation: String;
        /// Policy.
        op_policy_uri: String;
        /// Terms.
        op_tos_uri: String;
    }
}

metadata! {
    /// Endpoints for clients that come with a certificate (RFC 8705, 5).
    pub struct MtlsEndpointAliases {
        []
        /// See [`ProviderMetadata::token_endpoint`].
        token_endpoint: String;
        /// See [`ProviderMetadata::registration_endpoint`].
        registration_endpoint: String;
        /// See [`ProviderMetadata::userinfo_endpoint`].
        userinfo_endpoint: String;
        /// See [`ProviderMetadata::introspection_endpoint`].
        introspection_endpoint: String;
        /// See [`ProviderMetadata::revocation_endpoint`].
        revocation_endpoint: String;
        /// See [`ProviderMetadata::pushed_authorization_request_endpoint`].
        pushed_authorization_request_endpoint: String;
        /// See [`ProviderMetadata::backchannel_authentication_endpoint`].
        backchannel_authentication_endpoint: String;
    }
}

impl ProviderMetadata {
    /// An endpoint for a client with a certificate: the alias where there is one, otherwise the endpoint itself.
    pub fn with_certificate<'a>(
        &'a self,
        alias: fn(&'a MtlsEndpointAliases) -> &'a Option<String>,
        endpoint: fn(&'a Self) -> &'a Option<String>,
    ) -> Option<&'a str> {
        self.mtls_endpoint_aliases.as_ref().and_then(|all| alias(all).as_deref()).or(endpoint(self).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_members_are_left_out() {
        let metadata = ProviderMetadata {
            issuer: "https://bank.example".to_owned(),
            token_endpoint: Some("https://bank.example/token".to_owned()),
            mtls_endpoint_aliases: Some(MtlsEndpointAliases {
                token_endpoint: Some("https://mtls.bank.example/token".to_owned()),
                ..MtlsEndpointAliases::default()
            }),
            tls_client_certificate_bound_access_tokens: Some(true),
            ..ProviderMetadata::default()
        };
        insta::assert_json_snapshot!(metadata, @r##"
        {
          "issuer": "https://bank.example",
          "token_endpoint": "https://bank.example/token",
          "tls_client_certificate_bound_access_tokens": true,
          "mtls_endpoint_aliases": {
            "token_endpoint": "https://mtls.bank.example/token"
          }
        }
        "##);
        let token = |metadata: &ProviderMetadata| {
            metadata.with_certificate(|alias| &alias.token_endpoint, |own| &own.token_endpoint).map(str::to_owned)
        };
        assert_eq!(token(&metadata).as_deref(), Some("https://mtls.bank.example/token"));
        let plain = ProviderMetadata { mtls_endpoint_aliases: None, ..metadata };
        assert_eq!(token(&plain).as_deref(), Some("https://bank.example/token"));
    }

    #[test]
    fn strangers_documents_are_read_as_far_as_they_are_known() {
        let read = |document| serde_json::from_value::<ProviderMetadata>(document);
        let metadata = read(json!({
            "issuer": "https://bank.example", "x_unknown": {"deep": []},
            "scopes_supported": ["openid", "accounts"], "claims_parameter_supported": true
        }))
        .unwrap();
        assert_eq!(metadata.scopes_supported.as_deref(), Some(["openid".to_owned(), "accounts".to_owned()].as_slice()));
        assert!(read(json!({"token_endpoint": "https://bank.example/token"})).is_err());
        assert!(read(json!({"issuer": "https://bank.example", "scopes_supported": "openid"})).is_err());
    }
}
