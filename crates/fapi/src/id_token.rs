//! Claims of id_tokens (OpenID Connect Core, 2 and 3.3.2.11; FAPI 1.0 Part 2, 5.2.2.1).

use jose::{claims::NumericDate, hash::left_half_sha256};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{Client, Engine, Failure, Profile, Surroundings, deviation::Endpoint, grant::Grant};

/// The claim that tells when the refresh token ends (OB Read/Write 4.0, Token expiry time).
pub(crate) const REFRESH_TOKEN_EXPIRES_AT: &str = "http://openbanking.org.uk/refresh_token_expires_at";

#[derive(Debug, Clone, Serialize)]
pub(crate) struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: NumericDate,
    iat: NumericDate,
    auth_time: NumericDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openbanking_intent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(rename = "http://openbanking.org.uk/refresh_token_expires_at", skip_serializing_if = "Option::is_none")]
    refresh_token_expires_at: Option<NumericDate>,
}

impl<B: Surroundings> Engine<B> {
    /// The id_token as the client registered it: signed, and encrypted for it if it wants that (OpenID Connect Core, 10.2).
    pub(crate) async fn id_token(
        &self,
        client: &Client,
        from: Endpoint,
        claims: &IdToken<'_>,
    ) -> Result<String, Failure> {
        let key = self.signing_for(client.id_token_algorithm);
        let signed = self.profile.deviations.id_token(key, from, claims)?;
        if !client.id_token_encrypted {
            return Ok(signed);
        }
        let keys = self.keys_of(client, None).await.map_err(|error| Failure::Unavailable(error.to_string()))?;
        let key = keys
            .encryption_key()
            .ok_or_else(|| Failure::Unavailable("the client has no key to encrypt for".to_owned()))?;
        Ok(key.encrypt(signed.as_bytes(), Some("JWT"))?)
    }
}

impl<'a> IdToken<'a> {
    pub(crate) fn new(profile: &'a Profile, client: &'a Client, grant: &'a Grant, now: OffsetDateTime) -> Self {
        Self {
            iss: &profile.issuer,
            sub: &grant.subject,
            aud: &client.client_id,
            exp: (now + profile.lifetimes.id_token).into(),
            iat: now.into(),
            auth_time: grant.authenticated_at.into(),
            nonce: grant.nonce.as_deref(),
            acr: grant.acr.as_deref(),
            openbanking_intent_id: grant.intent_id.as_deref(),
            c_hash: None,
            s_hash: None,
            at_hash: None,
            refresh_token_expires_at: None,
        }
    }

    /// The detached signature of the authorization response: over the code, and over the state when there is one.
    pub(crate) fn for_response(mut self, code: &str, state: Option<&str>) -> Self {
        self.c_hash = Some(left_half_sha256(code));
        self.s_hash = state.map(left_half_sha256);
        self
    }

    /// Says when the refresh token that goes with it ends.
    pub(crate) fn with_refresh_token_until(mut self, at: Option<OffsetDateTime>) -> Self {
        self.refresh_token_expires_at = at.map(NumericDate::from);
        self
    }

    /// Bound to the access token that it is returned with.
    pub(crate) fn for_access_token(mut self, access_token: &str) -> Self {
        self.at_hash = Some(left_half_sha256(access_token));
        self
    }
}
