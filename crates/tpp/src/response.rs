//! What a FAPI client checks of an answer beside its id_token: discovery documents, authorization responses, token
//! responses.

use openbanking::discovery::{ProviderMetadata, WELL_KNOWN};
use rules::{Check, Evidence, Passed, Refusal, SwitchedOff, holds, judge};
use serde_json::Value;
use url::Url;

rules::catalogue! {
    /// Rules of a client that receives answers of an authorization server.
    pub RULES;
    DISCOVERY_ISSUER { id: "tpp.discovery.issuer",
        reason: "The discovery document names the issuer at whose address it stands.", clause: "OpenID Connect Discovery, 4.3" }
    ENDPOINTS_HTTPS { id: "tpp.discovery.endpoints-https",
        reason: "Every endpoint of the bank has an https address.", clause: "OpenID Connect Discovery, 3; RFC 6749, 3.1.2.1 and 3.2; FAPI 1.0 Part 1, 7.1" }
    STATE { id: "tpp.response.state",
        reason: "The state of the response is one that this TPP sent.", clause: "RFC 6749, 10.12; RFC 9700, 4.7.1" }
    STATE_UNUSED { id: "tpp.response.state-unused",
        reason: "One response is taken for a state, the first.", clause: "RFC 6749, 10.12; RFC 9700, 4.7.1; OpenID Connect Core, 3.1.2.1" }
    PLACE { id: "tpp.response.place",
        reason: "A code comes in the fragment, unless the answer is signed as a whole.", clause: "FAPI 1.0 Part 2, 5.2.2-2; OAuth 2.0 Multiple Response Types, 5" }
    ISS { id: "tpp.response.iss",
        reason: "The iss of the response is the bank's, and is there when the bank promises it.", clause: "RFC 9207, 2.4" }
    COMPLETE { id: "tpp.response.complete",
        reason: "A response without an error has what its response type names: a code, and an id_token.", clause: "OpenID Connect Core, 3.3.2.5" }
    TOKEN_TYPE { id: "tpp.token.token-type",
        reason: "The token is a Bearer token.", clause: "RFC 6749, 7.1; FAPI 1.0 Part 1, 6.2.2" }
    TOKEN_EXPIRES_IN { id: "tpp.token.expires-in",
        reason: "A token lives longer than no time, and no longer than a year.", clause: "RFC 6749, 5.1; RFC 9700, 2.2.1" }
    TOKEN_SCOPE { id: "tpp.token.scope",
        reason: "A token is for no more than was asked for.", clause: "RFC 6749, 3.3 and 6" }
    OWN_BANK { id: "tpp.token.own-bank",
        reason: "A token is sent to nobody but the bank that gave it.", clause: "RFC 6750, 5.3; RFC 9700, 2.3" }
    TOKEN_ID_TOKEN { id: "tpp.token.id-token-present",
        reason: "The answer to a code has an id_token.", clause: "OpenID Connect Core, 3.1.3.3" }
}

/// Checks whose discovery document it is: that of the issuer whose address, to the letter, makes the one that it was read
/// at. An issuer may end with a slash, which then stands once.
///
/// # Errors
/// It names another issuer.
pub fn check_discovery(read_at: &str, issuer: &str, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    struct Facts<'a>(&'a str, &'a str);
    let checks: &[Check<Facts<'_>, ()>] = &[Check {
        rule: &DISCOVERY_ISSUER,
        error: (),
        test: |Facts(read_at, issuer)| {
            let address = format!("{}{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(issuer));
            holds(address == *read_at, read_at.strip_suffix(WELL_KNOWN).unwrap_or(read_at), issuer)
        },
    }];
    judge(&Facts(read_at, issuer), checks, switched_off)
}

/// Checks that nothing is sent to the bank in the clear: every endpoint of its discovery document, and the base of its
/// resources.
///
/// # Errors
/// One of them is no https address.
pub fn check_endpoints(
    metadata: &ProviderMetadata,
    resource_base: &str,
    switched_off: &SwitchedOff,
) -> Result<Passed, Refusal<()>> {
    let checks: &[Check<Vec<(String, String)>, ()>] = &[Check {
        rule: &ENDPOINTS_HTTPS,
        error: (),
        test: |addresses| {
            let plain =
                |(_, address): &&(String, String)| !Url::parse(address).is_ok_and(|url| url.scheme() == "https");
            match addresses.iter().find(plain) {
                Some((name, found)) => holds(false, format_args!("{name} with https"), found),
                None => Ok(()),
            }
        },
    }];
    let mut addresses = addresses(&serde_json::to_value(metadata).unwrap_or_default());
    addresses.push(("the base of the resources".to_owned(), resource_base.to_owned()));
    judge(&addresses, checks, switched_off)
}

/// Names and addresses of what a discovery document says that requests go to, those of its aliases among them.
fn addresses(document: &Value) -> Vec<(String, String)> {
    let members = document.as_object().into_iter().flatten();
    let addresses = members.flat_map(|(name, value)| match value {
        Value::Object(_) => addresses(value),
        Value::String(address) if name.ends_with("_endpoint") || name == "jwks_uri" => {
            vec![(name.clone(), address.clone())]
        }
        _ => Vec::new(),
    });
    addresses.collect()
}

/// An authorization response, before its id_token is looked at.
#[derive(Debug, Clone, Default)]
pub struct ResponseFacts {
    /// `issuer` of the bank.
    pub issuer: String,
    /// Whether the bank promises `iss` in its responses.
    pub iss_promised: bool,
    /// `iss`.
    pub iss: Option<String>,
    /// Whether it is an error.
    pub error: bool,
    /// Whether there is a code.
    pub code: bool,
    /// Whether there is an id_token.
    pub id_token: bool,
    /// Whether the response type asks for one.
    pub id_token_needed: bool,
    /// Whether it came in the query, where servers see it.
    pub in_query: bool,
    /// Whether it is signed as a whole (JARM).
    pub signed: bool,
}

const RESPONSE: &[Check<ResponseFacts, ()>] = &[
    Check {
        rule: &PLACE,
        error: (),
        test: |facts| {
            holds(!facts.in_query || facts.signed || !facts.code, "a code in the fragment", "one in the query")
        },
    },
    Check {
        rule: &ISS,
        error: (),
        test: |facts| match &facts.iss {
            Some(iss) => holds(*iss == facts.issuer, &facts.issuer, iss),
            None => holds(!facts.iss_promised, &facts.issuer, "nothing"),
        },
    },
    Check {
        rule: &COMPLETE,
        error: (),
        test: |facts| {
            let (expected, complete) = match facts.id_token_needed {
                true => ("a code and an id_token, or an error", facts.code && facts.id_token),
                false => ("a code, or an error", facts.code),
            };
            let found = match (facts.code, facts.id_token) {
                (true, true) => "both",
                (true, false) => "no id_token",
                (false, true) => "no code",
                (false, false) => "neither",
            };
            holds(facts.error || complete, expected, found)
        },
    },
];

/// Checks an authorization response.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn check_response(facts: &ResponseFacts, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    judge(facts, RESPONSE, switched_off)
}

/// Checks that the state is known: `known` tells whether an authorisation was begun with it.
///
/// # Errors
/// It is not, or there is none.
pub fn check_state(state: Option<&str>, known: bool, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    struct Facts<'a>(Option<&'a str>, bool);
    let checks: &[Check<Facts<'_>, ()>] = &[Check {
        rule: &STATE,
        error: (),
        test: |facts| holds(facts.1, "a state of this TPP's", facts.0.unwrap_or("nothing")),
    }];
    judge(&Facts(state, known), checks, switched_off)
}

/// Checks that a token goes to the bank that gave it.
///
/// # Errors
/// It would go to another one.
pub fn check_own_bank(giver: &str, receiver: &str, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    struct Facts<'a>(&'a str, &'a str);
    let checks: &[Check<Facts<'_>, ()>] =
        &[Check { rule: &OWN_BANK, error: (), test: |facts| holds(facts.0 == facts.1, facts.0, facts.1) }];
    judge(&Facts(giver, receiver), checks, switched_off)
}

/// Checks that no response was taken for the state before.
///
/// # Errors
/// One was.
pub fn check_state_unused(state: &str, used: bool, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    struct Facts<'a>(&'a str, bool);
    let checks: &[Check<Facts<'_>, ()>] = &[Check {
        rule: &STATE_UNUSED,
        error: (),
        test: |facts| holds(!facts.1, "a state without a response", format_args!("{}, which has one", facts.0)),
    }];
    judge(&Facts(state, used), checks, switched_off)
}

/// A token response, before its id_token is looked at.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// `token_type`.
    pub token_type: String,
    /// `expires_in`.
    pub expires_in: Option<i64>,
    /// `scope` of the request; none when it is not known.
    pub asked: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// Whether an id_token must be there.
    pub id_token_needed: bool,
    /// Whether it is.
    pub id_token: bool,
}

/// The longest that a token is taken to live, in seconds: a year.
pub const LONGEST: i64 = 365 * 24 * 60 * 60;

const TOKEN: &[Check<TokenFacts, ()>] = &[
    Check {
        rule: &TOKEN_TYPE,
        error: (),
        test: |facts| holds(facts.token_type.eq_ignore_ascii_case("bearer"), "Bearer", &facts.token_type),
    },
    Check {
        rule: &TOKEN_EXPIRES_IN,
        error: (),
        test: |facts| match facts.expires_in {
            Some(seconds) => holds((1..=LONGEST).contains(&seconds), format_args!("1 to {LONGEST} s"), seconds),
            None => Ok(()),
        },
    },
    Check {
        rule: &TOKEN_SCOPE,
        error: (),
        test: |facts| {
            let (Some(asked), Some(found)) = (&facts.asked, &facts.scope) else { return Ok(()) };
            // Banks that speak OpenID Connect tell its scope with every token.
            let known = |scope: &str| scope == "openid" || asked.split_whitespace().any(|asked| asked == scope);
            holds(found.split_whitespace().all(known), format_args!("no more than {asked}"), found)
        },
    },
    Check {
        rule: &TOKEN_ID_TOKEN,
        error: (),
        test: |facts| match facts.id_token_needed && !facts.id_token {
            true => Err(Evidence::missing("id_token")),
            false => Ok(()),
        },
    },
];

/// Checks a token response.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn check_token(facts: &TokenFacts, switched_off: &SwitchedOff) -> Result<Passed, Refusal<()>> {
    judge(facts, TOKEN, switched_off)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn on() -> SwitchedOff {
        SwitchedOff::default()
    }

    #[test]
    fn a_foreign_discovery_document_is_refused() {
        let read_at = |text: &str| format!("{text}/.well-known/openid-configuration");
        let rule = |at: &str, issuer: &str| check_discovery(at, issuer, &on()).err().map(|refusal| refusal.rule.id);
        for (base, issuer) in [
            ("https://bank.example", "https://bank.example"),
            ("https://bank.example", "https://bank.example/"),
            ("https://bank.example/tenant", "https://bank.example/tenant"),
        ] {
            assert_eq!(rule(&read_at(base), issuer), None, "{issuer}");
        }
        for issuer in
            ["https://other.example", "https://bank.example//", "https://bank.example/tenant", "HTTPS://bank.example"]
        {
            assert_eq!(rule(&read_at("https://bank.example"), issuer), Some(DISCOVERY_ISSUER.id), "{issuer}");
        }
    }

    #[test]
    fn no_endpoint_is_in_the_clear() {
        let right = json!({
            "issuer": "https://bank.example", "token_endpoint": "https://bank.example/token",
            "jwks_uri": "https://bank.example/jwks", "op_tos_uri": "http://bank.example/terms",
            "mtls_endpoint_aliases": { "token_endpoint": "https://api.bank.example/token" },
        });
        let rule = |document: &Value, base: &str| {
            let metadata = serde_json::from_value(document.clone()).unwrap();
            check_endpoints(&metadata, base, &on()).err().map(|refusal| refusal.rule.id)
        };
        let base = "https://bank.example/open-banking";
        assert_eq!(rule(&right, base), None);
        assert_eq!(rule(&right, "http://bank.example/open-banking"), Some(ENDPOINTS_HTTPS.id));
        for member in ["/token_endpoint", "/jwks_uri", "/mtls_endpoint_aliases/token_endpoint"] {
            for plain in ["http://bank.example/token", "bank.example/token"] {
                let mut wrong = right.clone();
                *wrong.pointer_mut(member).unwrap() = plain.into();
                assert_eq!(rule(&wrong, base), Some(ENDPOINTS_HTTPS.id), "{member} {plain}");
            }
        }
    }

    #[test]
    fn a_response_names_the_bank_and_is_complete() {
        let right = ResponseFacts {
            issuer: "https://bank.example".to_owned(),
            iss_promised: true,
            iss: Some("https://bank.example".to_owned()),
            code: true,
            id_token: true,
            id_token_needed: true,
            in_query: false,
            signed: false,
            error: false,
        };
        let rule = |facts: ResponseFacts| check_response(&facts, &on()).err().map(|refusal| refusal.rule.id);
        assert_eq!(rule(right.clone()), None);
        assert_eq!(rule(ResponseFacts { iss: Some("https://x.example".to_owned()), ..right.clone() }), Some(ISS.id));
        assert_eq!(rule(ResponseFacts { iss: None, ..right.clone() }), Some(ISS.id));
        assert_eq!(rule(ResponseFacts { iss: None, iss_promised: false, ..right.clone() }), None);
        assert_eq!(rule(ResponseFacts { id_token: false, ..right.clone() }), Some(COMPLETE.id));
        let alone = ResponseFacts { id_token: false, id_token_needed: false, ..right.clone() };
        assert_eq!(rule(alone.clone()), None);
        assert_eq!(rule(ResponseFacts { code: false, ..alone }), Some(COMPLETE.id));
        let in_query = ResponseFacts { in_query: true, ..right.clone() };
        assert_eq!(rule(in_query.clone()), Some(PLACE.id));
        assert_eq!(rule(ResponseFacts { signed: true, ..in_query.clone() }), None);
        assert_eq!(rule(ResponseFacts { code: false, id_token: false, error: true, ..in_query }), None);
        assert_eq!(rule(ResponseFacts { code: false, id_token: false, error: true, ..right }), None);
    }

    #[test]
    fn a_state_that_nobody_sent_is_refused() {
        assert!(check_state(Some("a"), true, &on()).is_ok());
        for state in [Some("a"), None] {
            assert_eq!(check_state(state, false, &on()).unwrap_err().rule.id, STATE.id);
        }
    }

    #[test]
    fn a_state_is_answered_once() {
        assert!(check_state_unused("a", false, &on()).is_ok());
        assert_eq!(check_state_unused("a", true, &on()).unwrap_err().rule.id, STATE_UNUSED.id);
    }

    #[test]
    fn a_token_goes_to_its_own_bank_alone() {
        assert!(check_own_bank("Ashdown Bank", "Ashdown Bank", &on()).is_ok());
        let refusal = check_own_bank("Ashdown Bank", "Thistledown Bank", &on()).unwrap_err();
        assert_eq!(refusal.rule.id, OWN_BANK.id);
    }

    #[test]
    fn a_token_response_is_a_bearer_token_with_an_id_token() {
        let facts = |token_type: &str, id_token| TokenFacts {
            token_type: token_type.to_owned(),
            expires_in: None,
            asked: None,
            scope: None,
            id_token_needed: true,
            id_token,
        };
        let rule = |facts: TokenFacts| check_token(&facts, &on()).err().map(|refusal| refusal.rule.id);
        assert_eq!(rule(facts("bearer", true)), None);
        assert_eq!(rule(facts("mac", true)), Some(TOKEN_TYPE.id));
        assert_eq!(rule(facts("Bearer", false)), Some(TOKEN_ID_TOKEN.id));

        let right = || facts("Bearer", true);
        for expires_in in [Some(1), Some(300), Some(LONGEST), None] {
            assert_eq!(rule(TokenFacts { expires_in, ..right() }), None, "{expires_in:?}");
        }
        for expires_in in [0, -5, LONGEST + 1, i64::MAX, i64::MIN] {
            let facts = TokenFacts { expires_in: Some(expires_in), ..right() };
            assert_eq!(rule(facts), Some(TOKEN_EXPIRES_IN.id), "{expires_in}");
        }
        let scoped = |asked: Option<&str>, scope: Option<&str>| {
            let text = |scope: Option<&str>| scope.map(str::to_owned);
            rule(TokenFacts { asked: text(asked), scope: text(scope), ..right() })
        };
        for scope in [Some("openid accounts"), Some("accounts openid"), Some("accounts"), Some(""), None] {
            assert_eq!(scoped(Some("openid accounts"), scope), None, "{scope:?}");
        }
        assert_eq!(scoped(Some("accounts"), Some("accounts openid")), None);
        assert_eq!(scoped(None, Some("payments")), None);
        for scope in ["payments admin", "accounts payments", "account"] {
            assert_eq!(scoped(Some("accounts"), Some(scope)), Some(TOKEN_SCOPE.id), "{scope}");
        }
    }
}
