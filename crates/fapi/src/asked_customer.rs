//! Which customer a request asks for, and with how much ado (OpenID Connect Core, 3.1.2.1, 3.1.2.2 and 5.5.1): `prompt`,
//! `id_token_hint`, and `sub` in the claims parameter. Nobody is ever logged in at this server: every request has its login.

use jose::Jws;
use rules::{Check, Evidence, holds};
use serde::Deserialize;

use crate::{Engine, ErrorCode, Surroundings, request_object::RequestFacts};

rules::catalogue! {
    /// Rules of the customer that a request asks for.
    pub RULES;
    PROMPT { id: "fapi.request-object.prompt",
        reason: "prompt has values that there are, and none stands alone.", clause: "OpenID Connect Core, 3.1.2.1" }
    PROMPT_NONE { id: "fapi.request-object.prompt-none",
        reason: "The request lets the server ask the customer, who is never logged in already.", clause: "OpenID Connect Core, 3.1.2.1, prompt; 3.1.2.6, login_required" }
    HINT { id: "fapi.request-object.id-token-hint",
        reason: "An id_token_hint is an id_token of this server.", clause: "OpenID Connect Core, 3.1.2.1, id_token_hint" }
    ONE_CUSTOMER { id: "fapi.request-object.one-customer",
        reason: "The id_token_hint and the sub in the claims parameter mean the same customer.", clause: "OpenID Connect Core, 3.1.2.1; 5.5.1" }
    ENCRYPTION_KEY { id: "fapi.request-object.encryption-key",
        reason: "A client whose id_tokens are to be encrypted has an RSA key for encryption in its key set.", clause: "OpenID Connect Core, 10.2" }
}

/// Values of `prompt` (OpenID Connect Core, 3.1.2.1).
pub(crate) const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];

/// Judged before anything of the request is looked at that could be shown to a customer.
pub(crate) const CHECKS: &[Check<RequestFacts, ErrorCode>] = &[
    Check {
        rule: &PROMPT,
        error: ErrorCode::InvalidRequest,
        test: |facts| {
            let Some(prompt) = facts.object().and_then(|object| object.prompt.as_deref()) else { return Ok(()) };
            let values: Vec<&str> = prompt.split_ascii_whitespace().collect();
            let known = !values.is_empty() && values.iter().all(|value| PROMPTS.contains(value));
            let alone = !values.contains(&"none") || values.len() == 1;
            holds(known && alone, "login, consent and select_account in any number, or none alone", prompt)
        },
    },
    Check {
        rule: &PROMPT_NONE,
        error: ErrorCode::LoginRequired,
        test: |facts| {
            let prompt = facts.object().and_then(|object| object.prompt.as_deref()).unwrap_or_default();
            holds(!prompt.split_ascii_whitespace().any(|value| value == "none"), "no prompt, or another one", "none")
        },
    },
    Check {
        rule: &HINT,
        error: ErrorCode::InvalidRequest,
        test: |facts| match &facts.hinted {
            Some(Err(found)) => Err(Evidence::new("an id_token of this server", found)),
            _ => Ok(()),
        },
    },
    Check {
        rule: &ONE_CUSTOMER,
        error: ErrorCode::InvalidRequest,
        test: |facts| match (facts.hinted(), facts.claimed()) {
            (Some(hinted), Some(claimed)) => holds(hinted == claimed, hinted, claimed),
            _ => Ok(()),
        },
    },
    Check {
        rule: &ENCRYPTION_KEY,
        error: ErrorCode::InvalidRequest,
        test: |facts| holds(facts.can_encrypt, "an RSA key with use enc in the client's key set", "none"),
    },
];

/// What of a hint counts. An expired one is one all the same.
#[derive(Deserialize)]
struct Hint {
    iss: String,
    sub: String,
}

impl RequestFacts {
    fn hinted(&self) -> Option<&str> {
        self.hinted.as_ref()?.as_deref().ok()
    }

    fn claimed(&self) -> Option<&str> {
        self.object()?.subject()
    }

    /// `sub` of the customer who must come; none when anybody may.
    pub(crate) fn subject(&self) -> Option<String> {
        self.hinted().or_else(|| self.claimed()).map(str::to_owned)
    }
}

impl<B: Surroundings> Engine<B> {
    /// The `sub` of an id_token of this server, or what the text is instead.
    pub(crate) fn hinted(&self, id_token: &str) -> Result<String, String> {
        let jws = Jws::parse(id_token).map_err(|error| error.found())?;
        if jws.header().typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err("a JWT of another type".to_owned());
        }
        jws.verify(&self.own_keys, &self.profile.algorithms).map_err(|error| error.found())?;
        let hint: Hint = jws.claims().map_err(|error| error.found())?;
        if hint.iss == self.profile.issuer { Ok(hint.sub) } else { Err(format!("one of {}", hint.iss)) }
    }
}
