//! What a FAPI client checks before it trusts an authorization response (OpenID Connect Core, 3.3.2; FAPI 1.0 Part 2,
//! 5.2.3).

use jose::{
    Algorithm, JoseError, Jws, KeySet,
    claims::{Audience, NumericDate},
    hash::{constant_time_eq, left_half_sha256},
};
use openbanking::dates;
use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, joined, judge};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::claims::{LEEWAY, for_client, same, unexpired, verified};

rules::catalogue! {
    /// Rules of a client that receives an id_token.
    pub RULES;
    READABLE { id: "tpp.id-token.readable",
        reason: "The id_token is a signed JWT with the claims that OpenID Connect asks for.", clause: "OpenID Connect Core, 2" }
    ALG { id: "tpp.id-token.alg",
        reason: "The id_token is signed with the registered algorithm.", clause: "FAPI 1.0 Part 2, 8.6-1; OpenID Connect Core, 3.1.3.7-7" }
    SIGNATURE { id: "tpp.id-token.signature",
        reason: "The signature of the id_token is valid under a key of the bank.", clause: "OpenID Connect Core, 3.1.3.7-6" }
    ISS { id: "tpp.id-token.iss",
        reason: "The issuer of the id_token is the bank's, to the letter.", clause: "OpenID Connect Core, 3.1.3.7-2" }
    AUD { id: "tpp.id-token.aud",
        reason: "The audience of the id_token is this client, and nobody else whom it does not trust.", clause: "OpenID Connect Core, 3.1.3.7-3 to -5" }
    EXP { id: "tpp.id-token.exp",
        reason: "The id_token has not expired.", clause: "OpenID Connect Core, 3.1.3.7-9" }
    IAT { id: "tpp.id-token.iat",
        reason: "The id_token was issued in the last minutes.", clause: "OpenID Connect Core, 3.1.3.7-10" }
    NONCE { id: "tpp.id-token.nonce",
        reason: "The nonce is the one of the request.", clause: "OpenID Connect Core, 3.1.3.7-11" }
    S_HASH { id: "tpp.id-token.s-hash",
        reason: "The s_hash fits the state.", clause: "FAPI 1.0 Part 2, 5.2.3-5" }
    C_HASH { id: "tpp.id-token.c-hash",
        reason: "The c_hash fits the code.", clause: "OpenID Connect Core, 3.3.2.10" }
    AT_HASH { id: "tpp.id-token.at-hash",
        reason: "An at_hash fits the access token.", clause: "OpenID Connect Core, 3.1.3.8" }
    INTENT_ID { id: "tpp.id-token.openbanking-intent-id",
        reason: "The openbanking_intent_id is the one of the request.", clause: "OB Read/Write 4.0, Security and access control" }
    ACR { id: "tpp.id-token.acr",
        reason: "The acr is one of those that were asked for.", clause: "OpenID Connect Core, 5.5.1.1" }
    SUBJECT_SAME { id: "tpp.id-token.sub-same",
        reason: "The id_token of the token endpoint names the customer of the first one.", clause: "OpenID Connect Core, 3.3.3.6" }
}

/// How old an id_token may be when it arrives.
const AGE: Duration = Duration::minutes(5);

/// What the client expects of an id_token.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// `issuer` of the bank.
    pub issuer: String,
    /// The client's own `client_id`.
    pub client_id: String,
    /// The algorithm that the client registered.
    pub algorithm: Algorithm,
    /// `nonce` of the request; none for refreshed tokens.
    pub nonce: Option<String>,
    /// `state`, when the id_token comes from the authorization endpoint.
    pub state: Option<String>,
    /// The code, when the id_token comes from the authorization endpoint.
    pub code: Option<String>,
    /// The access token, when the id_token comes from the token endpoint.
    pub access_token: Option<String>,
    /// `openbanking_intent_id` of the request.
    pub intent_id: Option<String>,
    /// Requested `acr` values.
    pub acr_values: Vec<String>,
    /// `sub` of an earlier id_token of the same authorisation.
    pub subject: Option<String>,
}

/// Claims of an id_token, as received.
#[derive(Debug, Clone, Deserialize)]
pub struct IdTokenClaims {
    /// `iss`.
    pub iss: Option<String>,
    /// `sub`.
    pub sub: Option<String>,
    /// `aud`.
    pub aud: Option<Audience>,
    /// `azp`.
    pub azp: Option<String>,
    /// `exp`.
    pub exp: Option<NumericDate>,
    /// `iat`.
    pub iat: Option<NumericDate>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `s_hash`.
    pub s_hash: Option<String>,
    /// `c_hash`.
    pub c_hash: Option<String>,
    /// `at_hash`.
    pub at_hash: Option<String>,
    /// `acr`.
    pub acr: Option<String>,
    /// `openbanking_intent_id`.
    pub openbanking_intent_id: Option<String>,
}

struct Facts {
    expected: Expectation,
    now: OffsetDateTime,
    token: Result<(Jws, IdTokenClaims), JoseError>,
    signature: Result<(), JoseError>,
}

/// A hash over a value that the client holds; the value itself is no evidence, because it is a secret.
fn hash_of(name: &str, value: &str, found: Option<&str>) -> Result<(), Evidence> {
    let expected = left_half_sha256(value);
    let fits = found.is_some_and(|found| constant_time_eq(found, &expected));
    holds(fits, format_args!("{name} {expected}"), found.unwrap_or("nothing"))
}

impl Facts {
    fn on_claims(
        &self,
        test: impl FnOnce(&Expectation, &IdTokenClaims) -> Result<(), Evidence>,
    ) -> Result<(), Evidence> {
        match &self.token {
            Ok((_, claims)) => test(&self.expected, claims),
            Err(_) => Err(Evidence::missing("a readable id_token")),
        }
    }
}

const CHECKS: &[Check<Facts, ()>] = &[
    Check {
        rule: &READABLE,
        error: (),
        test: |facts| match &facts.token {
            Ok(_) => Ok(()),
            Err(error) => Err(Evidence::new(error.expected(), error.found())),
        },
    },
    Check {
        rule: &ALG,
        error: (),
        test: |facts| {
            let expected = facts.expected.algorithm.as_str();
            let found = facts.token.as_ref().map(|(jws, _)| jws.header().alg.clone()).unwrap_or_default();
            holds(found == expected, expected, found)
        },
    },
    Check { rule: &SIGNATURE, error: (), test: |facts| verified(&facts.signature) },
    Check {
        rule: &ISS,
        error: (),
        test: |facts| facts.on_claims(|expected, claims| same(&expected.issuer, claims.iss.as_deref())),
    },
    Check {
        rule: &AUD,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| {
                for_client(&expected.client_id, claims.aud.as_ref())?;
                claims.azp.as_deref().map_or(Ok(()), |azp| same(&expected.client_id, Some(azp)))
            })
        },
    },
    Check { rule: &EXP, error: (), test: |facts| facts.on_claims(|_, claims| unexpired(claims.exp, facts.now)) },
    Check {
        rule: &IAT,
        error: (),
        test: |facts| {
            facts.on_claims(|_, claims| {
                let Some(iat) = claims.iat.map(OffsetDateTime::from) else { return Err(Evidence::missing("iat")) };
                let fresh = iat > facts.now - AGE - LEEWAY && iat < facts.now + LEEWAY;
                holds(fresh, format_args!("iat near {}", dates::format(facts.now)), dates::format(iat))
            })
        },
    },
    Check {
        rule: &NONCE,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match &expected.nonce {
                Some(nonce) => same(nonce, claims.nonce.as_deref()),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &S_HASH,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match &expected.state {
                Some(state) => hash_of("s_hash", state, claims.s_hash.as_deref()),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &C_HASH,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match &expected.code {
                Some(code) => hash_of("c_hash", code, claims.c_hash.as_deref()),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &AT_HASH,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match (&expected.access_token, &claims.at_hash) {
                (Some(token), Some(found)) => hash_of("at_hash", token, Some(found)),
                _ => Ok(()),
            })
        },
    },
    Check {
        rule: &INTENT_ID,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match &expected.intent_id {
                Some(id) => same(id, claims.openbanking_intent_id.as_deref()),
                None => Ok(()),
            })
        },
    },
    Check {
        rule: &ACR,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| {
                let found = claims.acr.as_deref().unwrap_or("nothing");
                let wanted = &expected.acr_values;
                holds(wanted.is_empty() || wanted.iter().any(|acr| acr == found), joined(wanted, " or "), found)
            })
        },
    },
    Check {
        rule: &SUBJECT_SAME,
        error: (),
        test: |facts| {
            facts.on_claims(|expected, claims| match (&expected.subject, &claims.sub) {
                (Some(subject), found) => same(subject, found.as_deref()),
                (None, Some(_)) => Ok(()),
                (None, None) => Err(Evidence::missing("sub")),
            })
        },
    },
];

/// Checks an id_token.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn check(
    text: &str,
    keys: &KeySet,
    expected: Expectation,
    now: OffsetDateTime,
    switched_off: &SwitchedOff,
) -> Result<(IdTokenClaims, Passed), Refusal<()>> {
    let algorithm = expected.algorithm;
    let token = Jws::parse(text).and_then(|jws| {
        let claims = jws.claims::<IdTokenClaims>()?;
        Ok((jws, claims))
    });
    let signature = match &token {
        Ok((jws, _)) => jws.verify(keys, &[algorithm]),
        Err(_) => Ok(()),
    };
    let facts = Facts { expected, now, token, signature };
    let passed = judge(&facts, CHECKS, switched_off)?;
    match facts.token {
        Ok((_, claims)) => Ok((claims, passed)),
        Err(error) => Err(Refusal::new(&READABLE, (), Evidence::new(error.expected(), error.found()))),
    }
}

#[cfg(test)]
mod tests {
    use jose::{Jwks, SigningKey};
    use serde_json::{Value, json};

    use super::*;
    use crate::claims::tests::{LAST_SECOND, NOW, forged, published, signed, unsigned};

    fn claims() -> Value {
        let now = NOW.unix_timestamp();
        json!({
            "iss": "https://bank.example", "sub": "customer", "aud": "client", "exp": now + 300, "iat": now,
            "nonce": "nonce", "s_hash": left_half_sha256("state"), "c_hash": left_half_sha256("code"),
            "at_hash": left_half_sha256("access"), "acr": "urn:openbanking:psd2:sca", "openbanking_intent_id": "intent",
        })
    }

    fn expectation() -> Expectation {
        let text = |value: &str| Some(value.to_owned());
        Expectation {
            issuer: "https://bank.example".to_owned(),
            client_id: "client".to_owned(),
            algorithm: Algorithm::Ps256,
            nonce: text("nonce"),
            state: text("state"),
            code: text("code"),
            access_token: text("access"),
            intent_id: text("intent"),
            acr_values: vec!["urn:openbanking:psd2:sca".to_owned()],
            subject: text("customer"),
        }
    }

    /// The rule that refuses this token; none when it is trusted.
    fn verdict(token: &str) -> Option<&'static str> {
        check(token, &published(), expectation(), NOW, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    #[test]
    fn a_right_id_token_is_trusted() {
        assert_eq!(verdict(&signed(&claims())), None);
        let mut endless = claims();
        endless["exp"] = LAST_SECOND.into();
        assert_eq!(verdict(&signed(&endless)), None);
    }

    #[test]
    fn a_bank_that_signs_with_an_elliptic_curve_is_believed_when_that_was_registered() {
        let key = SigningKey::from_es256_pem(&SigningKey::generate_es256_pem().unwrap()).unwrap();
        let keys = KeySet::from_jwks(&Jwks { keys: vec![key.public_jwk().clone()] });
        let token = key.sign_claims(Some("JWT"), &claims()).unwrap();
        let rule = |algorithm| {
            let expected = Expectation { algorithm, ..expectation() };
            check(&token, &keys, expected, NOW, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
        };
        assert_eq!(rule(Algorithm::Es256), None);
        assert_eq!(rule(Algorithm::Ps256), Some(ALG.id));
    }

    #[test]
    fn every_claim_that_is_wrong_is_named() {
        let now = NOW.unix_timestamp();
        for (name, value, rule) in [
            ("iss", json!("https://bank.example/"), &ISS),
            ("aud", json!("other"), &AUD),
            ("aud", json!(["client", "other"]), &AUD),
            ("azp", json!("other"), &AUD),
            ("exp", json!(now - 60), &EXP),
            ("exp", Value::Null, &EXP),
            ("iat", json!(now - 3600), &IAT),
            ("iat", json!(now + 3600), &IAT),
            ("nonce", json!("replayed"), &NONCE),
            ("nonce", Value::Null, &NONCE),
            ("s_hash", json!(left_half_sha256("other")), &S_HASH),
            ("s_hash", Value::Null, &S_HASH),
            ("c_hash", json!(left_half_sha256("other")), &C_HASH),
            ("c_hash", Value::Null, &C_HASH),
            ("at_hash", json!(left_half_sha256("other")), &AT_HASH),
            ("openbanking_intent_id", json!("other"), &INTENT_ID),
            ("openbanking_intent_id", Value::Null, &INTENT_ID),
            ("acr", json!("urn:openbanking:psd2:ca"), &ACR),
            ("sub", json!("somebody else"), &SUBJECT_SAME),
        ] {
            let mut wrong = claims();
            wrong[name] = value.clone();
            assert_eq!(verdict(&signed(&wrong)), Some(rule.id), "{name} {value}");
        }
    }

    #[test]
    fn signatures_are_verified_with_the_registered_algorithm() {
        assert_eq!(verdict(&forged(&claims())), Some(SIGNATURE.id));
        assert_eq!(verdict(&unsigned(&signed(&claims()))), Some(ALG.id));
        assert_eq!(verdict("not a token"), Some(READABLE.id));
    }
}
