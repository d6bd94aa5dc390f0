//! The discovery document (OpenID Connect Discovery, 3; RFC 8414): exactly what the running profile does.

use jose::jwe;
use openbanking::discovery::{MtlsEndpointAliases, ProviderMetadata};

use crate::{Profile, client::AuthenticationMethod, id_token::REFRESH_TOKEN_EXPIRES_AT, response::ResponseMode};

/// Claims that all id_tokens of this engine may carry.
const CLAIMS: [&str; 7] = ["iss", "sub", "aud", "exp", "iat", "auth_time", "acr"];
/// Claims that stand beside them where there are intents.
const INTENT_CLAIMS: [&str; 2] = ["openbanking_intent_id", REFRESH_TOKEN_EXPIRES_AT];

/// The document of a profile.
#[must_use]
pub fn document(profile: &Profile) -> ProviderMetadata {
    let endpoints = &profile.endpoints;
    let texts = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
    let algorithms: Option<Vec<String>> = Some(profile.algorithms.iter().map(ToString::to_string).collect());
    let methods: Vec<&str> = profile.authentication_methods.iter().map(|method| method.as_str()).collect();
    let secrets = profile.authentication_methods.contains(&AuthenticationMethod::ClientSecretJwt);
    let assertions = algorithms.clone().map(|mut all| {
        all.extend(secrets.then(|| jose::SHARED_SECRET_ALGORITHM.to_owned()));
        all
    });
    let shared = ProviderMetadata {
        issuer: profile.issuer.clone(),
        token_endpoint: Some(endpoints.token.clone()),
        jwks_uri: Some(endpoints.jwks.clone()),
        scopes_supported: Some(profile.scopes.clone()),
        grant_types_supported: texts(&profile.grant_types),
        response_types_supported: texts(&profile.response_types),
        token_endpoint_auth_methods_supported: texts(&methods),
        token_endpoint_auth_signing_alg_values_supported: assertions.clone(),
        tls_client_certificate_bound_access_tokens: Some(true),
        mtls_endpoint_aliases: Some(MtlsEndpointAliases {
            token_endpoint: Some(endpoints.mtls_token.clone()),
            registration_endpoint: endpoints.registration.clone(),
            pushed_authorization_request_endpoint: endpoints.pushed.clone(),
            introspection_endpoint: endpoints.introspection.clone(),
            revocation_endpoint: endpoints.revocation.clone(),
            userinfo_endpoint: endpoints.userinfo.clone(),
            ..MtlsEndpointAliases::default()
        }),
        registration_endpoint: endpoints.registration.clone(),
        ..ProviderMetadata::default()
    };
    if endpoints.authorization.is_none() {
        return shared;
    }
    let mut modes: Vec<&str> = profile.response_modes.iter().map(|mode| mode.as_str()).collect();
    let signed = profile.response_modes.iter().any(|mode| ResponseMode::SIGNED.contains(mode));
    if signed {
        modes.push("jwt");
    }
    let encryption = |name: &str| profile.encryption.then(|| vec![name.to_owned()]);
    let claims: Vec<&str> = CLAIMS.into_iter().chain(INTENT_CLAIMS.into_iter().filter(|_| profile.intents)).collect();
    let at = |endpoint: &Option<String>, values: &Option<Vec<String>>| endpoint.as_ref().and(values.clone());
    ProviderMetadata {
        authorization_endpoint: endpoints.authorization.clone(),
        pushed_authorization_request_endpoint: endpoints.pushed.clone(),
        introspection_endpoint: endpoints.introspection.clone(),
        introspection_endpoint_auth_methods_supported: at(&endpoints.introspection, &texts(&methods)),
        introspection_endpoint_auth_signing_alg_values_supported: at(&endpoints.introspection, &assertions),
        revocation_endpoint: endpoints.revocation.clone(),
        revocation_endpoint_auth_methods_supported: at(&endpoints.revocation, &texts(&methods)),
        revocation_endpoint_auth_signing_alg_values_supported: at(&endpoints.revocation, &assertions),
        userinfo_endpoint: endpoints.userinfo.clone(),
        require_pushed_authorization_requests: endpoints.pushed.is_some().then_some(false),
        response_modes_supported: texts(&modes),
        authorization_response_iss_parameter_supported: Some(profile.iss_parameter),
        authorization_signing_alg_values_supported: signed.then(|| algorithms.clone()).flatten(),
        request_object_encryption_alg_values_supported: encryption(jwe::ALG),
        request_object_encryption_enc_values_supported: encryption(jwe::ENC),
        id_token_encryption_alg_values_supported: encryption(jwe::ALG),
        id_token_encryption_enc_values_supported: encryption(jwe::ENC),
        subject_types_supported: texts(&["public"]),
        acr_values_supported: texts(&profile.acr_values),
        claims_supported: texts(&claims),
        claim_types_supported: texts(&["normal"]),
        claims_parameter_supported: Some(true),
        id_token_signing_alg_values_supported: algorithms.clone(),
        request_parameter_supported: Some(true),
        request_uri_parameter_supported: Some(false),
        require_signed_request_object: Some(true),
        request_object_signing_alg_values_supported: algorithms,
        code_challenge_methods_supported: texts(&["S256"]),
        ..shared
    }
}
