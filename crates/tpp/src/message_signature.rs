//! Message signing (OB Read/Write 4.0, Message Signing): what the TPP signs, and what it checks before it trusts a
//! signed answer.

use std::sync::Arc;

use jose::{Algorithm, Header, JoseError, Jws, KeySet};
use openbanking::message_signing::{IAT_MEMBER, ISS_MEMBER, LEEWAY, PayloadForm, TAN_MEMBER, TRUST_ANCHOR, TYP_VALUE};
use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, joined, judge};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Tpp, steps::Failure, tampering::TamperSignature};

rules::catalogue! {
    /// Rules of a client that receives a signed answer.
    pub RULES;
    PRESENT { id: "tpp.message-signature.present",
        reason: "An answer of the payment APIs carries x-jws-signature.", clause: "OB Read/Write 4.0, Message Signing" }
    READABLE { id: "tpp.message-signature.readable",
        reason: "x-jws-signature is a detached JWS.", clause: "RFC 7515, appendix F" }
    ALG { id: "tpp.message-signature.alg",
        reason: "The answer is signed with PS256.", clause: "OB Read/Write 4.0, JOSE header" }
    CRIT { id: "tpp.message-signature.crit",
        reason: "crit names iat, iss and tan of the standard, and nothing else.", clause: "OB Read/Write 4.0, JOSE header" }
    IAT { id: "tpp.message-signature.iat",
        reason: "The signature was made in the past.", clause: "OB Read/Write 4.0, JOSE header" }
    ISS { id: "tpp.message-signature.iss",
        reason: "The signer is the bank's organisation.", clause: "OB Read/Write 4.0, JOSE header" }
    TAN { id: "tpp.message-signature.tan",
        reason: "The trust anchor is openbanking.org.uk.", clause: "OB Read/Write 4.0, JOSE header" }
    SIGNATURE { id: "tpp.message-signature.signature",
        reason: "The signature over the answer, byte by byte, is valid under a key of the bank.", clause: "OB Read/Write 4.0, Process for verifying a signature" }
}

/// What the client expects of a signature.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Organisation id of the bank; any when the bank was not found through the Directory.
    pub issuer: Option<String>,
    /// Now.
    pub now: OffsetDateTime,
}

struct Facts {
    expected: Expectation,
    present: bool,
    jws: Result<Jws, JoseError>,
    signature: Result<(), JoseError>,
}

impl Facts {
    fn header(&self) -> Result<&Header, Evidence> {
        self.jws.as_ref().map(Jws::header).map_err(|error| Evidence::new(error.expected(), error.found()))
    }

    fn member(&self, name: &str) -> Result<Option<Value>, Evidence> {
        Ok(self.header()?.extra.get(name).cloned())
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

const CHECKS: &[Check<Facts, ()>] = &[
    Check { rule: &PRESENT, error: (), test: |facts| holds(facts.present, "x-jws-signature", "no such header") },
    Check { rule: &READABLE, error: (), test: |facts| facts.header().map(drop) },
    Check {
        rule: &ALG,
        error: (),
        test: |facts| {
            let found = &facts.header()?.alg;
            holds(found == Algorithm::Ps256.as_str(), Algorithm::Ps256.as_str(), found)
        },
    },
    Check {
        rule: &CRIT,
        error: (),
        test: |facts| {
            let mut found = facts.header()?.crit.clone().unwrap_or_default();
            found.sort_unstable();
            let expected = PayloadForm::Encoded.critical();
            holds(found == expected, joined(expected, ", "), joined(&found, ", "))
        },
    },
    Check {
        rule: &IAT,
        error: (),
        test: |facts| {
            let found = facts.member(IAT_MEMBER)?;
            let at = found.as_ref().and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
            let past = at.is_some_and(|at| at < facts.expected.now + LEEWAY);
            holds(
                past,
                format_args!("a number of seconds before {}", facts.expected.now.unix_timestamp()),
                shown(found.as_ref()),
            )
        },
    },
    Check {
        rule: &ISS,
        error: (),
        test: |facts| {
            let found = facts.member(ISS_MEMBER)?;
            let text = found.as_ref().and_then(Value::as_str);
            match &facts.expected.issuer {
                Some(issuer) => holds(text == Some(issuer), issuer, shown(found.as_ref())),
                None => holds(text.is_some(), "an organisation", shown(found.as_ref())),
            }
        },
    },
    Check {
        rule: &TAN,
        error: (),
        test: |facts| {
            let found = facts.member(TAN_MEMBER)?;
            holds(found.as_ref().and_then(Value::as_str) == Some(TRUST_ANCHOR), TRUST_ANCHOR, shown(found.as_ref()))
        },
    },
    Check {
        rule: &SIGNATURE,
        error: (),
        test: |facts| facts.signature.as_ref().copied().map_err(|error| Evidence::new(error.expected(), error.found())),
    },
];

/// `kid` of a signature that can be read.
#[must_use]
pub fn kid(signature: &str) -> Option<String> {
    Jws::parse_detached(signature, b"").ok().and_then(|jws| jws.header().kid.clone())
}

/// Checks the signature of an answer over its body as it was received.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn check(
    signature: Option<&str>,
    body: &[u8],
    keys: &KeySet,
    expected: Expectation,
    switched_off: &SwitchedOff,
) -> Result<Passed, Refusal<()>> {
    let jws = Jws::parse_detached(signature.unwrap_or_default(), body);
    let verified = match &jws {
        Ok(jws) => jws.verify_critical(keys, &[Algorithm::Ps256], PayloadForm::Encoded.critical()),
        Err(_) => Ok(()),
    };
    judge(&Facts { expected, present: signature.is_some(), jws, signature: verified }, CHECKS, switched_off)
}

/// The header of a signature that this TPP makes.
#[must_use]
pub fn header(issuer: &str, cty: Option<String>, now: OffsetDateTime) -> Header {
    let form = PayloadForm::Encoded;
    Header {
        typ: Some(TYP_VALUE.to_owned()),
        cty: Some(cty.unwrap_or_else(|| "application/json".to_owned())),
        crit: Some(form.critical().iter().map(ToString::to_string).collect()),
        extra: form.members(issuer, now),
        ..Header::default()
    }
}

impl Tpp {
    /// `x-jws-signature` of a body; none when an attack leaves it out.
    pub(crate) async fn sign_message(
        self: &Arc<Self>,
        body: &[u8],
        cty: Option<String>,
        tamper: Option<&TamperSignature>,
    ) -> Result<Option<String>, Failure> {
        let member = self.member().await?;
        let issuer = match &self.own {
            None => format!("{}/{}", member.organisation_id, self.software_id().await?),
            Some(own) => own.message_issuer.clone().ok_or_else(|| {
                Failure::new(
                    "identity.message-issuer is not said, and there is neither a software statement nor a signing \
                     certificate to take it from",
                )
            })?,
        };
        let header = header(&issuer, cty, self.clock.now());
        self.forger(&member, |forger| forger.signature(&header, body, tamper))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jose::{Jwks, SigningKey};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
    const BODY: &[u8] = br#"{"Data":{"Amount":"165.88"}}"#;

    static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
        let key = pki::PrivateKey::generate_rsa().unwrap();
        SigningKey::from_pkcs8_der("bank", Algorithm::Ps256, key.pkcs8_der()).unwrap()
    });

    fn verdict(signature: Option<&str>, body: &[u8]) -> Option<&'static str> {
        let keys = KeySet::from_jwks(&Jwks { keys: vec![KEY.public_jwk().clone()] });
        let expected = Expectation { issuer: Some("bank-org".to_owned()), now: NOW };
        check(signature, body, &keys, expected, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    fn signed(change: impl FnOnce(&mut Header)) -> Option<&'static str> {
        let mut made = header("bank-org", None, NOW);
        change(&mut made);
        verdict(Some(&KEY.sign_detached(&made, BODY).unwrap()), BODY)
    }

    #[test]
    fn a_right_signature_is_trusted_and_a_changed_byte_is_not() {
        let signature = KEY.sign_detached(&header("bank-org", None, NOW), BODY).unwrap();
        assert_eq!(verdict(Some(&signature), BODY), None);
        assert_eq!(verdict(Some(&signature), br#"{"Data":{"Amount":"165.89"}}"#), Some(SIGNATURE.id));
        assert_eq!(verdict(None, BODY), Some(PRESENT.id));
        assert_eq!(verdict(Some("a.b"), BODY), Some(READABLE.id));
    }

    #[test]
    fn every_wrong_member_is_named() {
        let put = |name: &'static str, value: Value| {
            signed(move |header| {
                header.extra.insert(name.to_owned(), value);
            })
        };
        assert_eq!(put(ISS_MEMBER, "other-org".into()), Some(ISS.id));
        assert_eq!(put(TAN_MEMBER, "example.com".into()), Some(TAN.id));
        assert_eq!(put(IAT_MEMBER, (NOW.unix_timestamp() + 3600).into()), Some(IAT.id));
        assert_eq!(put(IAT_MEMBER, "now".into()), Some(IAT.id));
        assert_eq!(signed(|header| header.crit = None), Some(CRIT.id));
        assert_eq!(signed(|header| header.kid = Some("other".to_owned())), Some(SIGNATURE.id));
    }
}
