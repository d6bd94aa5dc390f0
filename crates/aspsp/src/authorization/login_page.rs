//! Login by another page: a bank that has an identity system of its own sends the customer there with a signed request,
//! and takes a signed answer back (docs/login-page.md).

use std::path::Path;

use fapi::profile::ACR_SCA;
use jose::{
    Algorithm, JoseError, Jws, KeySet, SigningKey,
    claims::{Audience, NumericDate},
};
use party::StartError;
use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, judge};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use url::Url;

use super::terms::Term;

rules::catalogue! {
    /// Rules of the answers of a login page.
    pub RULES;
    ANSWER_READABLE { id: "login.answer-readable",
        reason: "The login page answers with a signed JWT that has the claims of docs/login-page.md.", clause: "docs/login-page.md, The answer" }
    ANSWER_SIGNATURE { id: "login.answer-signature",
        reason: "The answer is signed with PS256 or ES256 by a key of the login page.", clause: "docs/login-page.md, The answer" }
    ANSWER_ISS { id: "login.answer-iss",
        reason: "The answer was issued by the login page.", clause: "docs/login-page.md, The answer" }
    ANSWER_AUD { id: "login.answer-aud",
        reason: "The answer is meant for this bank.", clause: "docs/login-page.md, The answer" }
    ANSWER_TIME { id: "login.answer-time",
        reason: "The answer has not expired, lives at most ten minutes, and its auth_time is not in the future.", clause: "docs/login-page.md, The answer" }
    ANSWER_LOGIN { id: "login.answer-login-id",
        reason: "The answer belongs to this authorisation.", clause: "docs/login-page.md, The answer" }
    ANSWER_ACR { id: "login.answer-acr",
        reason: "The customer was authenticated with two factors.", clause: "docs/login-page.md, The answer; PSD2 RTS, Article 4" }
    CUSTOMER_KNOWN { id: "login.customer-known",
        reason: "The answer names a customer of the bank.", clause: "docs/login-page.md, The answer" }
}

/// Longest life of a request and of an answer.
const LIFETIME: Duration = Duration::minutes(10);
/// How far clocks may differ.
const LEEWAY: Duration = Duration::seconds(10);

/// A page that logs customers in.
pub struct LoginPage {
    url: Url,
    keys: KeySet,
}

/// What the page is asked.
#[derive(Serialize)]
struct Asked<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: NumericDate,
    exp: NumericDate,
    #[serde(flatten)]
    request: &'a LoginRequest<'a>,
}

/// What the page is told of one authorisation.
#[derive(Serialize)]
pub struct LoginRequest<'a> {
    /// Names the login; goes back unchanged.
    pub login_id: &'a str,
    /// The TPP's name, to be shown.
    pub client_name: &'a str,
    /// Where the customer goes back to.
    pub return_to: &'a str,
    /// What the customer authenticates for: who is paid how much (RTS Article 5). The page shows it with the second factor;
    /// none where nothing is paid.
    pub terms: Vec<Term>,
}

/// What the page answers.
#[derive(Debug, Clone, Deserialize)]
struct Answer {
    iss: String,
    aud: Audience,
    exp: NumericDate,
    login_id: String,
    sub: Option<String>,
    auth_time: Option<NumericDate>,
    acr: Option<String>,
    error: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// The customer with this id at this moment.
    Customer(String, OffsetDateTime),
    /// The customer did not want to, or could not.
    Cancelled,
}

/// What the rules look at.
struct Facts<'a> {
    page: &'a str,
    issuer: &'a str,
    login_id: &'a str,
    now: OffsetDateTime,
    answer: Result<Answer, JoseError>,
    signature: Result<(), JoseError>,
    customer: Option<String>,
}

impl Facts<'_> {
    fn on_answer(&self, test: impl FnOnce(&Answer) -> Result<(), Evidence>) -> Result<(), Evidence> {
        match &self.answer {
            Ok(answer) => test(answer),
            Err(_) => Err(Evidence::missing("a readable answer")),
        }
    }
}

fn checks<'a>() -> [Check<Facts<'a>, ()>; 8] {
    [
        Check {
            rule: &ANSWER_READABLE,
            error: (),
            test: |facts| {
                facts.answer.as_ref().map(|_| ()).map_err(|error| Evidence::new(error.expected(), error.found()))
            },
        },
        Check {
            rule: &ANSWER_SIGNATURE,
            error: (),
            test: |facts| {
                facts.signature.as_ref().copied().map_err(|error| Evidence::new(error.expected(), error.found()))
            },
        },
        Check {
            rule: &ANSWER_ISS,
            error: (),
            test: |facts| facts.on_answer(|answer| holds(answer.iss == facts.page, facts.page, &answer.iss)),
        },
        Check {
            rule: &ANSWER_AUD,
            error: (),
            test: |facts| facts.on_answer(|answer| holds(answer.aud.contains(facts.issuer), facts.issuer, &answer.aud)),
        },
        Check {
            rule: &ANSWER_TIME,
            error: (),
            test: |facts| {
                facts.on_answer(|answer| {
                    let exp = OffsetDateTime::from(answer.exp);
                    let (earliest, latest) = (facts.now - LEEWAY, facts.now + LIFETIME + LEEWAY);
                    holds(exp > earliest && exp <= latest, format_args!("exp after {earliest}, up to {latest}"), exp)?;
                    let at = answer.auth_time.map_or(facts.now, OffsetDateTime::from);
                    holds(at <= facts.now + LEEWAY, format_args!("auth_time up to {}", facts.now), at)
                })
            },
        },
        Check {
            rule: &ANSWER_LOGIN,
            error: (),
            test: |facts| {
                facts.on_answer(|answer| holds(answer.login_id == facts.login_id, facts.login_id, &answer.login_id))
            },
        },
        Check {
            rule: &ANSWER_ACR,
            error: (),
            test: |facts| {
                facts.on_answer(|answer| {
                    let found = answer.acr.as_deref().unwrap_or("nothing");
                    holds(answer.error.is_some() || found == ACR_SCA, ACR_SCA, found)
                })
            },
        },
        Check {
            rule: &CUSTOMER_KNOWN,
            error: (),
            test: |facts| {
                facts.on_answer(|answer| {
                    let found = answer.sub.as_deref().unwrap_or("nothing");
                    holds(answer.error.is_some() || facts.customer.is_some(), "a user name of the bank's", found)
                })
            },
        },
    ]
}

impl LoginPage {
    /// The page at this address, whose keys are in this file (a JWK set); none when neither is given.
    ///
    /// # Errors
    /// Only one of them is given, or the file cannot be read or holds no key that can be used.
    pub fn load(url: Option<&Url>, keys: Option<&Path>) -> Result<Option<Self>, StartError> {
        let wrong = |text: String| StartError::Configuration(text);
        let (url, path) = match (url, keys) {
            (None, None) => return Ok(None),
            (Some(url), Some(path)) => (url.clone(), path),
            _ => return Err(wrong("login-page and login-keys go together".to_owned())),
        };
        let text = std::fs::read(path)
            .map_err(|error| wrong(format!("the keys of the login page {} cannot be read: {error}", path.display())))?;
        let keys = KeySet::from_json(&text)
            .map_err(|error| wrong(format!("the keys of the login page {}: {error}", path.display())))?;
        Ok(Some(Self { url, keys }))
    }

    /// Where the customer goes.
    ///
    /// # Errors
    /// The request cannot be signed.
    pub fn link(
        &self,
        signing: &SigningKey,
        issuer: &str,
        request: &LoginRequest<'_>,
        now: OffsetDateTime,
    ) -> Result<String, JoseError> {
        let asked =
            Asked { iss: issuer, aud: self.url.as_str(), iat: now.into(), exp: (now + LIFETIME).into(), request };
        let mut link = self.url.clone();
        link.query_pairs_mut().append_pair("request", &signing.sign_claims(Some("login-request+jwt"), &asked)?);
        Ok(link.into())
    }

    /// Judges an answer. `find` knows customers by their user names.
    ///
    /// # Errors
    /// The refusal of one of this module's rules.
    pub fn judge(
        &self,
        text: &str,
        issuer: &str,
        login_id: &str,
        now: OffsetDateTime,
        off: &SwitchedOff,
        find: impl Fn(&str) -> Option<String>,
    ) -> Result<(Login, Passed), Box<Refusal<()>>> {
        let read = Jws::parse(text);
        let signature = match &read {
            Ok(jws) => jws.verify(&self.keys, &[Algorithm::Ps256, Algorithm::Es256]),
            Err(_) => Ok(()),
        };
        let answer = read.and_then(|jws| jws.claims::<Answer>());
        let customer = answer.as_ref().ok().and_then(|answer| find(answer.sub.as_deref()?));
        let facts = Facts { page: self.url.as_str(), issuer, login_id, now, answer, signature, customer };
        let passed = judge(&facts, &checks(), off)?;
        let at = facts.answer.as_ref().ok().and_then(|answer| answer.auth_time).map_or(now, OffsetDateTime::from);
        let login = match (facts.answer, facts.customer) {
            (Ok(Answer { error: None, .. }), Some(customer)) => Login::Customer(customer, at),
            _ => Login::Cancelled,
        };
        Ok((login, passed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
    const ISSUER: &str = "https://bank.example";

    fn page() -> (LoginPage, SigningKey) {
        let key = SigningKey::from_es256_pem(&SigningKey::generate_es256_pem().unwrap()).unwrap();
        let jwks = jose::Jwks { keys: vec![key.public_jwk().clone()] };
        (LoginPage { url: "https://login.example/page".parse().unwrap(), keys: KeySet::from_jwks(&jwks) }, key)
    }

    fn answer(changes: &Value) -> Value {
        let now = NOW.unix_timestamp();
        let mut answer = json!({
            "iss": "https://login.example/page", "aud": ISSUER, "exp": now + 60, "login_id": "login-1", "sub": "nora",
            "auth_time": now - 5, "acr": ACR_SCA,
        });
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        answer
    }

    fn judged(page: &LoginPage, text: &str) -> Result<Login, &'static str> {
        let find = |name: &str| (name == "nora").then(|| "customer-1".to_owned());
        let outcome = page.judge(text, ISSUER, "login-1", NOW, &SwitchedOff::default(), find);
        outcome.map(|(login, _)| login).map_err(|refusal| refusal.rule.id)
    }

    #[test]
    fn an_answer_that_keeps_every_rule_says_who_it_is() {
        let (page, key) = page();
        let text = key.sign_claims(None, &answer(&json!({}))).unwrap();
        assert_eq!(judged(&page, &text), Ok(Login::Customer("customer-1".into(), NOW - Duration::seconds(5))));
        let cancelled = json!({ "error": "access_denied", "sub": null, "acr": null, "auth_time": null });
        let text = key.sign_claims(None, &answer(&cancelled)).unwrap();
        assert_eq!(judged(&page, &text), Ok(Login::Cancelled));
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let (page, key) = page();
        let now = NOW.unix_timestamp();
        for (rule, changes) in [
            ("login.answer-readable", json!({ "exp": "soon" })),
            ("login.answer-iss", json!({ "iss": "https://other.example" })),
            ("login.answer-aud", json!({ "aud": "https://other.example" })),
            ("login.answer-time", json!({ "exp": now - 60 })),
            ("login.answer-time", json!({ "exp": now + 6000 })),
            ("login.answer-time", json!({ "auth_time": now + 60 })),
            ("login.answer-login-id", json!({ "login_id": "login-2" })),
            ("login.answer-acr", json!({ "acr": "urn:openbanking:psd2:ca" })),
            ("login.answer-acr", json!({ "acr": null })),
            ("login.customer-known", json!({ "sub": "nobody" })),
            ("login.customer-known", json!({ "sub": null })),
        ] {
            let text = key.sign_claims(None, &answer(&changes)).unwrap();
            assert_eq!(judged(&page, &text), Err(rule), "{changes}");
        }
        let (_, other) = self::page();
        let text = other.sign_claims(None, &answer(&json!({}))).unwrap();
        assert_eq!(judged(&page, &text), Err("login.answer-signature"));
        assert_eq!(judged(&page, "no answer"), Err("login.answer-readable"));
    }

    #[test]
    fn the_page_and_its_keys_go_together() {
        let url = "https://login.example".parse().unwrap();
        assert!(LoginPage::load(Some(&url), None).is_err() && LoginPage::load(None, Some(Path::new("x"))).is_err());
        assert!(LoginPage::load(None, None).unwrap().is_none());
    }
}
