//! Access tokens that say what they are good for (RFC 9068).

use jose::claims::NumericDate;
use serde::Serialize;

use crate::{
    Profile,
    grant::{AccessToken, Grant},
    introspection::Confirmation,
};

/// Claims of an access token that a gateway judges by itself (RFC 9068, 2.2; RFC 8705, 3.1).
#[derive(Serialize)]
pub(crate) struct AccessTokenClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    /// The customer, or the client itself where there is none (RFC 9068, 2.2).
    sub: &'a str,
    client_id: &'a str,
    iat: NumericDate,
    exp: NumericDate,
    jti: &'a str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    openbanking_intent_id: Option<&'a str>,
    cnf: Confirmation,
}

impl<'a> AccessTokenClaims<'a> {
    pub(crate) fn new(profile: &'a Profile, token: &'a AccessToken, grant: Option<&'a Grant>, jti: &'a str) -> Self {
        Self {
            iss: &profile.issuer,
            aud: &profile.resource,
            sub: grant.map_or(&token.client_id, |grant| &grant.subject),
            client_id: &token.client_id,
            iat: token.issued_at.into(),
            exp: token.expires_at.into(),
            jti,
            scope: token.scopes.join(" "),
            openbanking_intent_id: grant.and_then(|grant| grant.intent_id.as_deref()),
            cnf: Confirmation { thumbprint: token.thumbprint.clone() },
        }
    }
}
