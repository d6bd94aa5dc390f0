//! What a client checks of a signed authorization response (JWT Secured Authorization Response Mode, JARM).

use jose::{
    Algorithm, JoseError, Jws, KeySet,
    claims::{Audience, NumericDate},
};
use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, judge};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::claims::{for_client, same, unexpired, verified};

rules::catalogue! {
    /// Rules of a client that receives signed authorization responses.
    pub RULES;
    SIGNED { id: "tpp.jarm.signed",
        reason: "An answer that was asked for as a signed JWT comes as one.", clause: "JARM, 2.3; FAPI 1.0 Part 2, 5.2.3.2" }
    READABLE { id: "tpp.jarm.readable",
        reason: "The response is a signed JWT with the claims that JARM asks for.", clause: "JARM, 2.1" }
    ALG { id: "tpp.jarm.alg",
        reason: "The response is signed with the registered algorithm.", clause: "JARM, 2.4; FAPI 1.0 Part 2, 8.6-1" }
    SIGNATURE { id: "tpp.jarm.signature",
        reason: "The signature of the response is valid under a key of the bank.", clause: "JARM, 2.4" }
    ISS { id: "tpp.jarm.iss",
        reason: "The issuer of the response is the bank that was asked.", clause: "JARM, 2.4" }
    AUD { id: "tpp.jarm.aud",
        reason: "The audience of the response is this client.", clause: "JARM, 2.4" }
    EXP { id: "tpp.jarm.exp",
        reason: "The response has not expired.", clause: "JARM, 2.4" }
}

/// Claims of a signed response, as received (JARM, 2.1).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ResponseClaims {
    /// `iss`.
    pub iss: Option<String>,
    /// `aud`.
    pub aud: Option<Audience>,
    /// `exp`.
    pub exp: Option<NumericDate>,
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<String>,
    /// `id_token`.
    pub id_token: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`.
    pub error_description: Option<String>,
}

/// A signed response, read and not yet trusted.
#[derive(Debug)]
pub struct SignedResponse(Result<(Jws, ResponseClaims), JoseError>);

impl SignedResponse {
    /// Reads the parameter `response`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(Jws::parse(text).and_then(|jws| {
            let claims = jws.claims()?;
            Ok((jws, claims))
        }))
    }

    /// What it claims; nothing when it cannot be read.
    #[must_use]
    pub fn claims(&self) -> ResponseClaims {
        self.0.as_ref().map(|(_, claims)| claims.clone()).unwrap_or_default()
    }

    /// All its claims as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.0.as_ref().ok().and_then(|(jws, _)| jws.claims().ok()).unwrap_or_default()
    }

    /// The key that it names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.as_ref().ok().and_then(|(jws, _)| jws.header().kid.as_deref())
    }
}

/// What the client expects of an answer.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Whether it asked for a signed one.
    pub asked: bool,
    /// `issuer` of the bank.
    pub issuer: String,
    /// The client's own `client_id`.
    pub client_id: String,
    /// The algorithm that the client registered.
    pub algorithm: Algorithm,
}

struct Facts {
    expected: Expectation,
    now: OffsetDateTime,
    /// Algorithm and claims, or what was expected and found where they should be.
    response: Option<Result<(String, ResponseClaims), (String, String)>>,
    signature: Result<(), JoseError>,
}

impl Facts {
    /// Tests the response, when there is one; whether there must be one is a rule of its own.
    fn on_response(&self, test: impl FnOnce(&str, &ResponseClaims) -> Result<(), Evidence>) -> Result<(), Evidence> {
        match &self.response {
            None => Ok(()),
            Some(Ok((alg, claims))) => test(alg, claims),
            Some(Err(_)) => Err(Evidence::missing("a readable response")),
        }
    }
}

const CHECKS: &[Check<Facts, ()>] = &[
    Check {
        rule: &SIGNED,
        error: (),
        test: |facts| {
            holds(!facts.expected.asked || facts.response.is_some(), "the parameter response", "plain parameters")
        },
    },
    Check {
        rule: &READABLE,
        error: (),
        test: |facts| match &facts.response {
            Some(Err((expected, found))) => Err(Evidence::new(expected, found)),
            Some(Ok(_)) | None => Ok(()),
        },
    },
    Check {
        rule: &ALG,
        error: (),
        test: |facts| {
            let expected = facts.expected.algorithm.as_str();
            facts.on_response(|alg, _| holds(alg == expected, expected, alg))
        },
    },
    Check { rule: &SIGNATURE, error: (), test: |facts| verified(&facts.signature) },
    Check {
        rule: &ISS,
        error: (),
        test: |facts| facts.on_response(|_, claims| same(&facts.expected.issuer, claims.iss.as_deref())),
    },
    Check {
        rule: &AUD,
        error: (),
        test: |facts| facts.on_response(|_, claims| for_client(&facts.expected.client_id, claims.aud.as_ref())),
    },
    Check { rule: &EXP, error: (), test: |facts| facts.on_response(|_, claims| unexpired(claims.exp, facts.now)) },
];

/// Checks an answer: that it is signed where that was asked for, and a signed one.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn check(
    response: Option<&SignedResponse>,
    keys: &KeySet,
    expected: Expectation,
    now: OffsetDateTime,
    switched_off: &SwitchedOff,
) -> Result<Passed, Refusal<()>> {
    let signature = match response.map(|response| &response.0) {
        Some(Ok((jws, _))) => jws.verify(keys, &[expected.algorithm]),
        Some(Err(_)) | None => Ok(()),
    };
    let response = response.map(|response| match &response.0 {
        Ok((jws, claims)) => Ok((jws.header().alg.clone(), claims.clone())),
        Err(error) => Err((error.expected(), error.found())),
    });
    judge(&Facts { expected, now, response, signature }, CHECKS, switched_off)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::claims::tests::{LAST_SECOND, NOW, forged, published, signed, unsigned};

    fn claims() -> Value {
        json!({ "iss": "https://bank.example", "aud": "client", "exp": NOW.unix_timestamp() + 60, "code": "c", "state": "s" })
    }

    fn verdict(response: Option<&str>, asked: bool) -> Option<&'static str> {
        let (issuer, client_id) = ("https://bank.example".into(), "client".into());
        let expected = Expectation { asked, issuer, client_id, algorithm: Algorithm::Ps256 };
        let response = response.map(SignedResponse::read);
        check(response.as_ref(), &published(), expected, NOW, &SwitchedOff::default())
            .err()
            .map(|refusal| refusal.rule.id)
    }

    #[test]
    fn a_right_response_is_trusted_and_a_plain_one_only_where_it_was_asked_for() {
        let right = signed(&claims());
        assert_eq!(verdict(Some(&right), true), None);
        assert_eq!(verdict(Some(&right), false), None);
        let mut endless = claims();
        endless["exp"] = LAST_SECOND.into();
        assert_eq!(verdict(Some(&signed(&endless)), true), None);
        assert_eq!(verdict(None, false), None);
        assert_eq!(verdict(None, true), Some(SIGNED.id));
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        for (name, value, rule) in [
            ("iss", json!("https://bank.example/"), &ISS),
            ("iss", Value::Null, &ISS),
            ("aud", json!("another"), &AUD),
            ("aud", json!(["client", "another"]), &AUD),
            ("aud", Value::Null, &AUD),
            ("exp", json!(NOW.unix_timestamp() - 60), &EXP),
            ("exp", Value::Null, &EXP),
        ] {
            let mut wrong = claims();
            wrong[name] = value.clone();
            assert_eq!(verdict(Some(&signed(&wrong)), true), Some(rule.id), "{name} {value}");
        }
        assert_eq!(verdict(Some(&forged(&claims())), true), Some(SIGNATURE.id));
        assert_eq!(verdict(Some(&unsigned(&signed(&claims()))), true), Some(ALG.id));
        assert_eq!(verdict(Some("no token"), true), Some(READABLE.id));
    }
}
