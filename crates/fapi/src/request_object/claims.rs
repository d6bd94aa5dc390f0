//! The claims of a request object (RFC 9101, 4; OpenID Connect Core, 3.1.2.1 and 5.5).

use std::collections::BTreeMap;

use jose::claims::{Audience, NumericDate};
use serde::Deserialize;
use serde_json::Value;

/// Claims of a request object, as received.
#[derive(Debug, Clone, Deserialize)]
pub struct RequestObject {
    /// `iss`.
    pub iss: Option<String>,
    /// `aud`.
    pub aud: Option<Audience>,
    /// `exp`.
    pub exp: Option<NumericDate>,
    /// `nbf`.
    pub nbf: Option<NumericDate>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `response_type`.
    pub response_type: Option<String>,
    /// `response_mode`.
    pub response_mode: Option<String>,
    /// `redirect_uri`.
    pub redirect_uri: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `code_challenge`.
    pub code_challenge: Option<String>,
    /// `code_challenge_method`.
    pub code_challenge_method: Option<String>,
    /// `claims`.
    pub claims: Option<RequestedClaims>,
    /// `acr_values`: authentication wanted, in order of preference.
    pub acr_values: Option<String>,
    /// `prompt`.
    pub prompt: Option<String>,
    /// `id_token_hint`: an id_token of the PSU who is asked for.
    pub id_token_hint: Option<String>,
    /// `request`: must not be here.
    pub request: Option<Value>,
    /// `request_uri`: must not be here.
    pub request_uri: Option<Value>,
}

/// The `claims` parameter (OpenID Connect Core, 5.5).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RequestedClaims {
    /// Claims asked for in the id_token.
    #[serde(default)]
    pub id_token: BTreeMap<String, Option<RequestedClaim>>,
    /// Claims asked for at the userinfo endpoint.
    #[serde(default)]
    pub userinfo: BTreeMap<String, Option<RequestedClaim>>,
}

/// How one claim is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RequestedClaim {
    /// Whether the request fails without it.
    #[serde(default)]
    pub essential: bool,
    /// The one value wanted.
    pub value: Option<Value>,
    /// The values wanted, in order of preference.
    pub values: Option<Vec<Value>>,
}

impl RequestObject {
    /// Requested scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_ascii_whitespace()
    }

    fn id_token_claim(&self, name: &str) -> Option<RequestedClaim> {
        Some(self.claims.as_ref()?.id_token.get(name)?.clone().unwrap_or_default())
    }

    /// The `openbanking_intent_id`, when it is named and the same wherever it is named.
    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        let claims = self.claims.as_ref()?;
        let mut named = [&claims.id_token, &claims.userinfo]
            .into_iter()
            .filter_map(|section| section.get("openbanking_intent_id")?.as_ref()?.value.as_ref()?.as_str());
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    /// `sub` of the PSU who is asked for in the claims parameter (OpenID Connect Core, 5.5.1).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.claims.as_ref()?.id_token.get("sub")?.as_ref()?.value.as_ref()?.as_str()
    }

    /// The requested `acr` values that the server knows, and whether one of them is essential.
    pub(super) fn acr_values<'a>(&self, supported: &[&'a str]) -> (Vec<&'a str>, bool) {
        let Some(claim) = self.id_token_claim("acr") else {
            // Voluntary (OpenID Connect Core, 3.1.2.1, acr_values).
            let wanted: Vec<&str> = self.acr_values.iter().flat_map(|values| values.split_ascii_whitespace()).collect();
            return (supported.iter().copied().filter(|acr| wanted.contains(acr)).collect(), false);
        };
        let wanted: Vec<&str> =
            claim.values.iter().flatten().chain(claim.value.iter()).filter_map(Value::as_str).collect();
        let known = supported.iter().copied().filter(|acr| wanted.contains(acr)).collect();
        // Without values any will do, and the strongest is reached anyway.
        let known = if wanted.is_empty() { supported.to_vec() } else { known };
        (known, claim.essential && !wanted.is_empty())
    }

    /// The `acr` to report after strong customer authentication: the strongest that was asked for.
    #[must_use]
    pub fn acr(&self, supported: &[&str]) -> Option<String> {
        self.acr_values(supported).0.first().map(|acr| (*acr).to_owned())
    }
}
