//! What the TPP remembers: banks it registered with, authorisations under way, tokens.

use jose::Algorithm;
use openbanking::{discovery::ProviderMetadata, version::ApiVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Collection;
use time::OffsetDateTime;

use crate::{claims::ALGORITHMS, profile::Answers};

/// The software statement at the Directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SoftwareRecord {
    /// Software statement id.
    pub software_id: String,
}

/// A registration at a bank, by the name under which the bank was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registration {
    /// Name at the Directory.
    pub bank: String,
    /// The discovery document, as it was read.
    pub metadata: ProviderMetadata,
    /// `client_id`.
    pub client_id: String,
    /// Base URL of the resources, from the Directory.
    pub resource_base: String,
    /// Organisation id of the bank at the Directory.
    #[serde(default)]
    pub organisation_id: Option<String>,
    /// The assertion that the TPP registered with.
    #[serde(default)]
    pub software_statement: String,
    /// What the bank registered.
    #[serde(default)]
    pub registered: Value,
    /// When it was made.
    pub registered_at: OffsetDateTime,
}

/// A consent that was lodged, by its bank and id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Consent {
    /// The bank.
    pub bank: String,
    /// Name of its resource, for example `domestic-payment-consents`.
    pub kind: String,
    /// Version of the API that it was lodged in.
    pub version: ApiVersion,
}

/// An authorisation, by its `state`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Authorisation {
    /// The bank.
    pub bank: String,
    /// The intent.
    pub consent_id: String,
    /// `nonce` of the request.
    pub nonce: String,
    /// PKCE `code_verifier`.
    pub code_verifier: String,
    /// Whether it is for no intent: then `consent_id` is a name under which the TPP keeps its tokens.
    #[serde(default)]
    pub without_consent: bool,
    /// `scope` of the request; none when it was tampered with.
    #[serde(default)]
    pub scope: Option<String>,
    /// How the bank was asked to answer.
    #[serde(default)]
    pub answers: Answers,
    /// Requested `acr` values.
    pub acr_values: Vec<String>,
    /// `redirect_uri` of the request.
    pub redirect_uri: String,
    /// Whether whatever comes back is believed, as an attack does.
    #[serde(default)]
    pub believe: bool,
    /// Digest of the answer that came back.
    #[serde(default)]
    pub answer: Option<String>,
    /// What came back.
    pub returned: crate::steps::Returned,
    /// The code, until it is redeemed.
    pub code: Option<String>,
    /// `sub` of the id_token that came with the code.
    pub subject: Option<String>,
}

/// Tokens, by the bank that gave them and the consent that they are for.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenSet {
    /// The bank.
    pub bank: String,
    /// The access token.
    pub access_token: String,
    /// When the bank stops taking it; none when it did not say how long it lives.
    pub expires_at: Option<OffsetDateTime>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// Granted scope.
    pub scope: Option<String>,
    /// `sub` of the id_token.
    pub subject: Option<String>,
    /// Whether they are for no intent.
    #[serde(default)]
    pub without_consent: bool,
}

impl Registration {
    /// The algorithm that the bank signs id_tokens and answers for this client with: what it registered, else what this
    /// TPP asks for there.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        let registered = self.registered.get("id_token_signed_response_alg").and_then(Value::as_str);
        let known = ALGORITHMS.into_iter().find(|one| registered == Some(one.as_str()));
        known.unwrap_or_else(|| preferred_algorithm(&self.metadata))
    }
}

/// The algorithm that this TPP asks a bank for: the first of its own that the bank offers.
#[must_use]
pub fn preferred_algorithm(metadata: &ProviderMetadata) -> Algorithm {
    let offered = |one: &Algorithm| {
        let all = metadata.id_token_signing_alg_values_supported.as_ref();
        all.is_none_or(|all| all.iter().any(|offered| offered == one.as_str()))
    };
    ALGORITHMS.into_iter().find(offered).unwrap_or(Algorithm::Ps256)
}

impl Authorisation {
    /// The intent, when it is for one.
    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        (!self.without_consent).then_some(self.consent_id.as_str())
    }
}

impl std::fmt::Debug for Authorisation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorisation").field("consent_id", &self.consent_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSet").field("bank", &self.bank).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The TPP's collections.
pub struct Records {
    /// Its software statement, under one fixed key.
    pub software: Collection<SoftwareRecord>,
    /// Consents by [`at_bank`].
    pub consents: Collection<Consent>,
    /// Registrations by bank.
    pub registrations: Collection<Registration>,
    /// Authorisations by state.
    pub authorisations: Collection<Authorisation>,
    /// Customers' tokens by [`at_bank`].
    pub tokens: Collection<TokenSet>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            software: Collection::new("software"),
            consents: Collection::new("consents"),
            registrations: Collection::new("registrations"),
            authorisations: Collection::new("authorisations"),
            tokens: Collection::new("tokens"),
        }
    }
}

/// The key of what belongs to a consent: identifiers are unique at their bank alone.
#[must_use]
pub fn at_bank(bank: &str, consent_id: &str) -> String {
    format!("{bank}\n{consent_id}")
}

/// The body of an error answer of a bank, for reports.
#[must_use]
pub fn json_body(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    /// A registration at a bank that tells little of itself.
    pub(crate) fn registration(bank: &str, client_id: &str) -> Registration {
        Registration {
            bank: bank.to_owned(),
            metadata: serde_json::from_value(json!({ "issuer": "https://bank.example" })).unwrap(),
            client_id: client_id.to_owned(),
            resource_base: String::new(),
            organisation_id: None,
            software_statement: String::new(),
            registered: Value::Null,
            registered_at: datetime!(2026-11-23 12:00 UTC),
        }
    }

    fn algorithm(offered: &[&str], registered: Value) -> &'static str {
        let mut registration = Registration { registered, ..registration("Bank", "client") };
        let offered = offered.iter().map(ToString::to_string).collect();
        registration.metadata.id_token_signing_alg_values_supported = Some(offered);
        registration.algorithm().as_str()
    }

    #[test]
    fn the_registered_algorithm_counts_as_far_as_fapi_allows_it() {
        let registered = |name: &str| json!({ "id_token_signed_response_alg": name });
        assert_eq!(algorithm(&["PS256", "ES256"], registered("ES256")), "ES256");
        assert_eq!(algorithm(&["PS256", "ES256"], registered("PS256")), "PS256");
        assert_eq!(algorithm(&["PS256", "ES256"], Value::Null), "PS256");
        assert_eq!(algorithm(&["RS256", "ES256"], Value::Null), "ES256");
        for weak in ["RS256", "none", "HS256"] {
            assert_eq!(algorithm(&[weak], registered(weak)), "PS256", "{weak}");
        }
    }
}
