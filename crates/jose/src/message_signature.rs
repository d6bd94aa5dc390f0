//! `x-jws-signature`: the detached signature of a message and the members of its header that Open Banking adds
//! (Read/Write Data API Profile, Message Signing).
//!
//! A signature is judged in an order: whether it is there, whether it can be read ([`MessageSignature::parse`]), which
//! member is missing ([`MessageSignature::missing`]), which one is wrong ([`MessageSignature::CHECKS`]), and at last
//! whether the key made it ([`MessageSignature::verify`]). [`judge`] takes all steps; each can be taken alone.

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::jws::{part, split};
use crate::{Algorithm, Header, JoseError, KeySet, SigningKey, base64url};

/// When it was signed; seconds since 1970.
pub const ISSUED_AT: &str = "http://openbanking.org.uk/iat";
/// Who signed: `organisation/software` for a TPP, `organisation` for an ASPSP, or the subject of a certificate.
pub const ISSUER: &str = "http://openbanking.org.uk/iss";
/// Domain of the trust anchor that vouches for the key.
pub const TRUST_ANCHOR: &str = "http://openbanking.org.uk/tan";
/// The Directory as a trust anchor.
pub const DIRECTORY: &str = "openbanking.org.uk";

const CRITICAL: [&str; 3] = [ISSUED_AT, ISSUER, TRUST_ANCHOR];

/// How the payload goes into what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadForm {
    /// As base64url, from version 3.1.4 on (RFC 7515, appendix F). `b64` must not be there.
    #[default]
    Encoded,
    /// As it is, up to version 3.1.3 (RFC 7797): `b64` is there, false and critical.
    Unencoded,
}

impl PayloadForm {
    fn critical(self) -> impl Iterator<Item = &'static str> {
        CRITICAL.into_iter().chain((self == Self::Unencoded).then_some("b64"))
    }

    fn signed(self, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::Encoded => base64url::encode(payload).into_bytes(),
            Self::Unencoded => payload.to_vec(),
        }
    }
}

/// What the header of a signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureClaims {
    /// Now.
    pub issued_at: OffsetDateTime,
    /// The signer; see [`ISSUER`].
    pub issuer: String,
    /// Who vouches for the key, such as [`DIRECTORY`].
    pub trust_anchor: String,
    /// `cty`: the media type of the payload; may be left out for JSON.
    pub content_type: Option<String>,
}

/// Signs a message: `header..signature` over exactly these bytes.
///
/// # Errors
/// The key failed.
pub fn sign(
    key: &SigningKey,
    payload: &[u8],
    claims: &SignatureClaims,
    form: PayloadForm,
) -> Result<String, JoseError> {
    let mut extra = Map::new();
    if form == PayloadForm::Unencoded {
        extra.insert("b64".to_owned(), false.into());
    }
    extra.insert(ISSUED_AT.to_owned(), claims.issued_at.unix_timestamp().into());
    extra.insert(ISSUER.to_owned(), claims.issuer.clone().into());
    extra.insert(TRUST_ANCHOR.to_owned(), claims.trust_anchor.clone().into());
    let crit = form.critical().map(str::to_owned).collect();
    let header = Header { cty: claims.content_type.clone(), crit: Some(crit), extra, ..Header::typed("JOSE") };
    let (protected, signature) = key.parts_over(&header, &form.signed(payload))?;
    Ok(format!("{protected}..{signature}"))
}

/// What a signature must be.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// How the payload goes into what is signed.
    pub form: PayloadForm,
    /// The signers that may be: the party that sent the message, under each of its names.
    pub issuers: &'a [String],
    /// The trust anchors that count.
    pub trust_anchors: &'a [String],
    /// The signer's keys at its trust anchor.
    pub keys: &'a KeySet,
    /// Media type of the payload when it is not JSON, which `cty` must name.
    pub content_type: Option<&'a str>,
    /// Now.
    pub now: OffsetDateTime,
    /// How far the signer's clock may be ahead.
    pub clock_skew: Duration,
}

/// A member of the header that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: expected {expected}, found {found}")]
pub struct ClaimFault {
    /// Its name.
    pub member: String,
    /// What would have been right.
    pub expected: String,
    /// What was there.
    pub found: String,
}

/// Why a signature is refused, in the order in which it is judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("no signature")]
    Missing,
    /// It is not a detached JWS.
    #[error("not a detached signature: {0}")]
    Malformed(JoseError),
    /// A member of the header is missing.
    #[error("no {0} in the header")]
    MissingClaim(&'static str),
    /// A member of the header is wrong.
    #[error(transparent)]
    InvalidClaim(ClaimFault),
    /// The signature does not verify.
    #[error(transparent)]
    Invalid(JoseError),
}

/// A signature that was read and not yet trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageSignature {
    header: Map<String, Value>,
    protected: String,
    signature: Vec<u8>,
}

/// Looks at one member of the header.
pub type Check = fn(&MessageSignature, &Expected<'_>) -> Result<(), ClaimFault>;

impl MessageSignature {
    /// What is judged about the members of the header, in order.
    pub const CHECKS: &'static [Check] = &[
        Self::has_no_unknown_member,
        Self::has_the_form,
        Self::has_the_critical_members,
        Self::has_the_algorithm,
        Self::has_the_type,
        Self::has_the_content_type,
        Self::is_of_the_past,
        Self::is_of_a_trust_anchor,
        Self::is_of_the_issuer,
        Self::has_a_known_key,
    ];

    /// Reads `header..signature`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        let [protected, payload, signature] = split(text)?;
        if !payload.is_empty() {
            return Err(JoseError::NotCompact("a payload where none belongs".to_owned()));
        }
        let json = part("header", protected)?;
        let header = serde_json::from_slice(&json).map_err(|error| JoseError::Header(error.to_string()))?;
        let signature = part("signature", signature)?;
        if signature.is_empty() {
            return Err(JoseError::NotCompact("no signature".to_owned()));
        }
        Ok(Self { header, protected: protected.to_owned(), signature })
    }

    /// The header, which nobody vouches for yet.
    #[must_use]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The first member that must be there and is not.
    #[must_use]
    pub fn missing(&self, form: PayloadForm) -> Option<&'static str> {
        ["alg", "kid", "crit"].into_iter().chain(form.critical()).find(|name| !self.header.contains_key(*name))
    }

    /// Only the members of the profile may be there.
    ///
    /// # Errors
    /// There is another one.
    pub fn has_no_unknown_member(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        let known = |name: &str| {
            ["alg", "kid", "typ", "cty", "crit", "b64"].contains(&name)
                || expected.form.critical().any(|critical| critical == name)
        };
        match self.header.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(fault(name, "only the members of the profile", "a member of another name")),
        }
    }

    /// `b64` is not there, or false in the old form.
    ///
    /// # Errors
    /// It is otherwise.
    pub fn has_the_form(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        match (expected.form, self.header.get("b64")) {
            (PayloadForm::Encoded, None) | (PayloadForm::Unencoded, Some(Value::Bool(false))) => Ok(()),
            (PayloadForm::Encoded, Some(found)) => Err(fault("b64", "no b64", &found.to_string())),
            (PayloadForm::Unencoded, found) => Err(fault("b64", "false", &shown(found))),
        }
    }

    /// `crit` names exactly the members that must be understood.
    ///
    /// # Errors
    /// It names others, or is no list of names.
    pub fn has_the_critical_members(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        let wanted: Vec<_> = expected.form.critical().collect();
        let found = self.header.get("crit");
        let names: Option<Vec<_>> =
            found.and_then(Value::as_array).and_then(|list| list.iter().map(Value::as_str).collect());
        let exact = names
            .is_some_and(|names| names.len() == wanted.len() && wanted.iter().all(|wanted| names.contains(wanted)));
        if exact { Ok(()) } else { Err(fault("crit", &wanted.join(", "), &shown(found))) }
    }

    /// `alg` is PS256.
    ///
    /// # Errors
    /// It is another one.
    pub fn has_the_algorithm(&self, _: &Expected<'_>) -> Result<(), ClaimFault> {
        self.is("alg", &[Algorithm::Ps256.as_str()])
    }

    /// `typ`, when it is there, is JOSE.
    ///
    /// # Errors
    /// It is something else.
    pub fn has_the_type(&self, _: &Expected<'_>) -> Result<(), ClaimFault> {
        if self.header.contains_key("typ") { self.is("typ", &["JOSE"]) } else { Ok(()) }
    }

    /// `cty` names the media type of the payload; of JSON it may be left out.
    ///
    /// # Errors
    /// It names another one, or is not there although the payload is not JSON.
    pub fn has_the_content_type(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        match expected.content_type {
            Some(content_type) => self.is("cty", &[content_type]),
            None if self.header.contains_key("cty") => self.is("cty", &["json", "application/json"]),
            None => Ok(()),
        }
    }

    /// `iat` is a number, and in the past.
    ///
    /// # Errors
    /// It is something else, or in the future.
    pub fn is_of_the_past(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        let latest = expected.now + expected.clock_skew;
        let found = self.header.get(ISSUED_AT);
        // Seconds of the year 9999 fit a float exactly.
        let fits = found
            .and_then(Value::as_f64)
            .is_some_and(|seconds| seconds > 0.0 && seconds <= latest.unix_timestamp() as f64 + 0.999_999);
        let words = format!("seconds since 1970, not after {}", latest.unix_timestamp());
        if fits { Ok(()) } else { Err(fault(ISSUED_AT, &words, &shown(found))) }
    }

    /// `tan` is a trust anchor that counts.
    ///
    /// # Errors
    /// It is another one.
    pub fn is_of_a_trust_anchor(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        self.is(TRUST_ANCHOR, &expected.trust_anchors.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `iss` is the party that sent the message.
    ///
    /// # Errors
    /// It is another one.
    pub fn is_of_the_issuer(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        self.is(ISSUER, &expected.issuers.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `kid` is that of one of the signer's keys.
    ///
    /// # Errors
    /// It is not.
    pub fn has_a_known_key(&self, expected: &Expected<'_>) -> Result<(), ClaimFault> {
        let found = self.header.get("kid");
        let known = found.and_then(Value::as_str).is_some_and(|kid| expected.keys.contains(kid));
        let words = || format!("the kid of a key of the signer ({})", expected.keys.kids());
        if known { Ok(()) } else { Err(fault("kid", &words(), &shown(found))) }
    }

    /// Verifies the signature over exactly these bytes.
    ///
    /// # Errors
    /// The key that the header names is not there, or did not sign them.
    pub fn verify(&self, keys: &KeySet, payload: &[u8], form: PayloadForm) -> Result<(), JoseError> {
        let input = [self.protected.as_bytes(), b".", form.signed(payload).as_slice()].concat();
        let kid = self.header.get("kid").and_then(Value::as_str);
        keys.verify(Algorithm::Ps256, kid, &input, &self.signature)
    }

    fn is(&self, name: &str, allowed: &[&str]) -> Result<(), ClaimFault> {
        let found = self.header.get(name);
        if found.and_then(Value::as_str).is_some_and(|found| allowed.contains(&found)) {
            return Ok(());
        }
        Err(fault(name, &allowed.join(" or "), &shown(found)))
    }
}

/// Judges a signature in all steps.
///
/// # Errors
/// The first step that it fails.
pub fn judge(header: Option<&str>, payload: &[u8], expected: &Expected<'_>) -> Result<MessageSignature, Fault> {
    let signature = MessageSignature::parse(header.ok_or(Fault::Missing)?).map_err(Fault::Malformed)?;
    if let Some(name) = signature.missing(expected.form) {
        return Err(Fault::MissingClaim(name));
    }
    let mut checks = MessageSignature::CHECKS.iter();
    checks.try_for_each(|check| check(&signature, expected)).map_err(Fault::InvalidClaim)?;
    signature.verify(expected.keys, payload, expected.form).map_err(Fault::Invalid)?;
    Ok(signature)
}

fn fault(member: &str, expected: &str, found: &str) -> ClaimFault {
    let cut = |text: &str| text.chars().take(80).collect();
    ClaimFault { member: cut(member), expected: expected.to_owned(), found: cut(found) }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}
