//! What a TPP does wrong when it is told to: the tool of attack scenarios.
//!
//! The honest path builds every token and request as the specifications ask. What a step wants altered ([`Tamper`]) is
//! altered afterwards, here: a finished JWT is taken apart, changed, and signed again with whatever key the attack has.

mod forgery;
mod shelf;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use forgery::Forger;
pub(crate) use shelf::{Made, Shelf};

/// What a step does wrong on purpose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tamper {
    /// The JWT that authenticates the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<TamperJwt>,
    /// The signed request object of an authorisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object: Option<TamperJwt>,
    /// The request of a registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<TamperJwt>,
    /// The assertion of the Directory inside that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<TamperJwt>,
    /// The Directory is asked for the assertion of this software, instead of the TPP's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_of: Option<SoftwareOf>,
    /// `x-jws-signature` of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_signature: Option<TamperSignature>,
    /// Parameters of the authorization request, or of the form that goes to the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<TamperParameters>,
    /// Which certificate the TPP shows.
    pub certificate: Certificate,
    /// The TPP believes whatever the bank answers, as an attacker does who wants the answer anyhow.
    pub believe: bool,
}

/// Software of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SoftwareOf {
    /// Organisation id at the Directory.
    pub organisation: String,
    /// Software statement id there.
    pub software: String,
}

/// How a JWT is altered. Claims and header are changed first, then it is signed again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperJwt {
    /// Claims to set: by name, or by JSON pointer when the name begins with `/`.
    pub set: BTreeMap<String, Value>,
    /// Claims to take out.
    pub remove: Vec<String>,
    /// Members of the header to set; null takes a member out.
    pub header: BTreeMap<String, Value>,
    /// Who signs.
    pub sign_with: SignWith,
    /// Sends the JWT of this kind that was sent last, instead of a new one.
    pub replay: bool,
    /// Sends this text instead of a JWT of the TPP's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Who signs what was altered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignWith {
    /// The TPP, with its own key.
    #[default]
    Own,
    /// A key that nobody vouches for, under the `kid` that was there.
    OtherKey,
    /// A key that nobody vouches for, under a `kid` that nobody knows.
    UnknownKey,
    /// Nobody: `alg` is none and the signature is empty.
    None,
    /// HS256, with the public key that was there as the secret (algorithm confusion).
    Hs256,
    /// The TPP's own key with RS256, which FAPI forbids.
    Rs256,
    /// Nobody: the signature stays the one that was there, over what is altered.
    Kept,
}

/// How `x-jws-signature` is altered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperSignature {
    /// Members of the header to set; null takes a member out.
    pub header: BTreeMap<String, Value>,
    /// Who signs.
    pub sign_with: SignWith,
    /// The text that is signed instead of the body that is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Sends the signature that was sent last.
    pub replay: bool,
    /// Sends this text instead of a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Sends no signature.
    pub leave_out: bool,
}

/// How parameters are altered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperParameters {
    /// Parameters to set.
    pub set: BTreeMap<String, String>,
    /// Parameters to leave out.
    pub remove: Vec<String>,
    /// Parameters to send once more, beside the one that is there.
    pub add: BTreeMap<String, String>,
}

impl TamperParameters {
    /// The parameters as they are sent.
    pub(crate) fn apply(&self, pairs: &mut Vec<(String, String)>) {
        pairs.retain(|(name, _)| !self.remove.contains(name) && !self.set.contains_key(name));
        pairs.extend(self.set.iter().chain(&self.add).map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Whether the parameter is given.
    pub(crate) fn gives(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }
}

/// Which certificate the TPP shows in the TLS handshake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// Its own.
    #[default]
    Own,
    /// None.
    None,
    /// One with the same names, from an authority of its own making.
    SelfMade,
    /// Its own, on a new connection: what happened to the certificate since the last connection counts.
    OwnAnew,
}

impl Tamper {
    /// Whether what is sent is as it should be: nothing is done wrong, or at most a new connection is made.
    #[must_use]
    pub fn only_shows_own_certificate(&self) -> bool {
        let honest = Self { certificate: Certificate::Own, ..self.clone() }.is_honest();
        honest && matches!(self.certificate, Certificate::Own | Certificate::OwnAnew)
    }

    /// Whether nothing is done wrong.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_left_out_and_sent_twice() {
        let pairs = [("code", "a"), ("code_verifier", "b"), ("redirect_uri", "c")];
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let tamper: TamperParameters = serde_json::from_value(serde_json::json!({
            "set": {"code": "stolen"}, "remove": ["code_verifier"], "add": {"redirect_uri": "d"}
        }))
        .unwrap();
        tamper.apply(&mut pairs);
        let expected = [("redirect_uri", "c"), ("code", "stolen"), ("redirect_uri", "d")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_step_is_honest_unless_it_says_otherwise() {
        assert!(Tamper::default().is_honest());
        assert!(serde_json::from_str::<Tamper>("{}").unwrap().is_honest());
        assert!(!serde_json::from_str::<Tamper>(r#"{"certificate": "none"}"#).unwrap().is_honest());
        assert!(serde_json::from_str::<Tamper>(r#"{"request-objects": {}}"#).is_err());
        let shows = |text: &str| serde_json::from_str::<Tamper>(text).unwrap().only_shows_own_certificate();
        assert!(shows("{}") && shows(r#"{"certificate": "own-anew"}"#));
        assert!(!shows(r#"{"certificate": "self-made"}"#) && !shows(r#"{"certificate": "own-anew", "believe": true}"#));
    }
}
