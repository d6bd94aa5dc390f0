//! Message signing (OB Read/Write 4.0, Message Signing): `x-jws-signature` of requests is checked, claims before the
//! signature itself; answers are signed over the bytes that are sent.

use fapi::Client;
use http::{HeaderValue, header};
use jose::{Algorithm, Header, JoseError, Jws};
use openbanking::{
    error::ErrorCode,
    headers::JWS_SIGNATURE,
    message_signing::{IAT_MEMBER, ISS_MEMBER, LEEWAY, PayloadForm, TAN_MEMBER, TRUST_ANCHOR, TYP_VALUE},
};
use rules::{Check, Evidence, Passed, holds, joined};
use serde_json::Value;
use time::OffsetDateTime;
use transport::{Request, Response};

use super::{ApiError, Wire, apply};
use crate::{Context, endpoints::endpoint_of};

rules::catalogue! {
    /// Rules of the signatures of requests.
    pub RULES;
    PRESENT { id: "api.signature.present",
        reason: "The request carries x-jws-signature.", clause: "OB Read/Write 4.0, Message Signing" }
    FORM { id: "api.signature.form",
        reason: "x-jws-signature is a detached JWS in compact form.", clause: "RFC 7515, appendix F; OB Read/Write 4.0, Message Signing" }
    ISS_PRESENT { id: "api.signature.iss-present",
        reason: "The header names its signer in http://openbanking.org.uk/iss.", clause: "OB Read/Write 4.0, JOSE header" }
    IAT_PRESENT { id: "api.signature.iat-present",
        reason: "The header tells when it was made in http://openbanking.org.uk/iat.", clause: "OB Read/Write 4.0, JOSE header" }
    TAN_PRESENT { id: "api.signature.tan-present",
        reason: "The header names the trust anchor in http://openbanking.org.uk/tan.", clause: "OB Read/Write 4.0, JOSE header" }
    CRIT_PRESENT { id: "api.signature.crit-present",
        reason: "The header has crit.", clause: "OB Read/Write 4.0, JOSE header" }
    KID_PRESENT { id: "api.signature.kid-present",
        reason: "The header names the key in kid.", clause: "OB Read/Write 4.0, JOSE header" }
    ALG { id: "api.signature.alg",
        reason: "The signature is made with PS256.", clause: "OB Read/Write 4.0, JOSE header" }
    MEMBERS { id: "api.signature.members",
        reason: "The header has the members of the standard and no others; b64 only where the bank is set to the form of v3.1.3.", clause: "OB Read/Write 4.0, JOSE header" }
    TYP { id: "api.signature.typ",
        reason: "typ is JOSE, or absent.", clause: "OB Read/Write 4.0, JOSE header" }
    CTY { id: "api.signature.cty",
        reason: "cty is json or application/json for JSON, and the media type of anything else.", clause: "OB Read/Write 4.0, JOSE header" }
    CRIT { id: "api.signature.crit",
        reason: "crit names iat, iss and tan of the standard, each once, and nothing else.", clause: "OB Read/Write 4.0, JOSE header; RFC 7515, 4.1.11" }
    IAT { id: "api.signature.iat",
        reason: "http://openbanking.org.uk/iat is a number of seconds in the past.", clause: "OB Read/Write 4.0, JOSE header" }
    ISS { id: "api.signature.iss",
        reason: "http://openbanking.org.uk/iss is the organisation and the software statement of the client.", clause: "OB Read/Write 4.0, JOSE header" }
    TAN { id: "api.signature.tan",
        reason: "http://openbanking.org.uk/tan is openbanking.org.uk.", clause: "OB Read/Write 4.0, JOSE header" }
    KID { id: "api.signature.kid",
        reason: "kid names a key of the client at the Directory.", clause: "OB Read/Write 4.0, JOSE header" }
    VERIFIED { id: "api.signature.verified",
        reason: "The signature over the body, byte by byte, is valid under the named key.", clause: "OB Read/Write 4.0, Message Signing, Process for verifying a signature" }
}

/// What is judged.
struct Facts<'a> {
    sent: bool,
    jws: Result<&'a Jws, &'a JoseError>,
    form: PayloadForm,
    media_type: Option<&'a str>,
    issuer: &'a str,
    now: OffsetDateTime,
    keys: Result<&'a jose::KeySet, String>,
}

impl Facts<'_> {
    fn header(&self) -> Result<&Header, Evidence> {
        self.jws.map(Jws::header).map_err(|error| Evidence::new(error.expected(), error.found()))
    }

    fn member(&self, name: &str) -> Result<Option<&Value>, Evidence> {
        Ok(self.header()?.extra.get(name))
    }

    fn there(&self, name: &str) -> Result<(), Evidence> {
        holds(self.member(name)?.is_some(), name, "no such member")
    }

    fn says(&self, name: &str, expected: &str) -> Result<(), Evidence> {
        let found = self.member(name)?;
        let shown = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
        holds(found.and_then(Value::as_str) == Some(expected), expected, shown)
    }
}

fn missing(claim: &'static str) -> Wire {
    Wire::bad_request(ErrorCode::SignatureMissingClaim, Some(claim))
}

fn invalid(claim: &'static str) -> Wire {
    Wire::bad_request(ErrorCode::SignatureInvalidClaim, Some(claim))
}

/// Claims come before the signature itself.
#[expect(clippy::too_many_lines, reason = "one table, in the order in which it is applied")]
fn checks<'a>() -> [Check<Facts<'a>, Wire>; 17] {
    [
        Check {
            rule: &PRESENT,
            error: Wire::bad_request(ErrorCode::SignatureMissing, Some(JWS_SIGNATURE)),
            test: |facts| holds(facts.sent, JWS_SIGNATURE, "no such header"),
        },
        Check {
            rule: &FORM,
            error: Wire::bad_request(ErrorCode::SignatureMalformed, Some(JWS_SIGNATURE)),
            test: |facts| facts.header().map(drop),
        },
        Check {
            rule: &KID_PRESENT,
            error: missing("kid"),
            test: |facts| holds(facts.header()?.kid.is_some(), "kid", "no such member"),
        },
        Check { rule: &IAT_PRESENT, error: missing(IAT_MEMBER), test: |facts| facts.there(IAT_MEMBER) },
        Check { rule: &ISS_PRESENT, error: missing(ISS_MEMBER), test: |facts| facts.there(ISS_MEMBER) },
        Check { rule: &TAN_PRESENT, error: missing(TAN_MEMBER), test: |facts| facts.there(TAN_MEMBER) },
        Check {
            rule: &CRIT_PRESENT,
            error: missing("crit"),
            test: |facts| holds(facts.header()?.crit.is_some(), "crit", "no such member"),
        },
        Check {
            rule: &ALG,
            error: invalid("alg"),
            test: |facts| {
                let found = &facts.header()?.alg;
                holds(found == Algorithm::Ps256.as_str(), Algorithm::Ps256.as_str(), found)
            },
        },
        Check {
            rule: &TYP,
            error: invalid("typ"),
            test: |facts| match facts.header()?.typ.as_deref() {
                None => Ok(()),
                Some(found) => holds(found.eq_ignore_ascii_case("JOSE"), "JOSE", found),
            },
        },
        Check {
            rule: &CTY,
            error: invalid("cty"),
            test: |facts| {
                let media_type = facts.media_type.unwrap_or("application/json");
                let json = media_type.eq_ignore_ascii_case("application/json");
                match facts.header()?.cty.as_deref() {
                    None => holds(json, media_type, "nothing"),
                    Some("json") => holds(json, media_type, "json"),
                    Some(found) => holds(found.eq_ignore_ascii_case(media_type), media_type, found),
                }
            },
        },
        Check {
            rule: &MEMBERS,
            error: invalid("b64"),
            test: |facts| {
                let known = |name: &str| facts.form.critical().contains(&name);
                let strange = facts.header()?.extra.keys().find(|name| !known(name.as_str()));
                holds(
                    strange.is_none(),
                    "alg, kid, typ, cty, crit, iat, iss and tan alone",
                    strange.map_or("", |name| name),
                )
            },
        },
        Check {
            rule: &CRIT,
            error: invalid("crit"),
            test: |facts| {
                let mut found: Vec<&str> = facts.header()?.crit.iter().flatten().map(String::as_str).collect();
                found.sort_unstable();
                let expected = facts.form.critical();
                holds(found == expected, joined(expected, ", "), joined(&found, ", "))
            },
        },
        Check {
            rule: &IAT,
            error: invalid(IAT_MEMBER),
            test: |facts| {
                let found = facts.member(IAT_MEMBER)?;
                let at = found.and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
                let shown = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
                let past = at.is_some_and(|at| at <= facts.now + LEEWAY);
                holds(past, format_args!("a number, at most {}", facts.now.unix_timestamp()), shown)
            },
        },
        Check { rule: &ISS, error: invalid(ISS_MEMBER), test: |facts| facts.says(ISS_MEMBER, facts.issuer) },
        Check { rule: &TAN, error: invalid(TAN_MEMBER), test: |facts| facts.says(TAN_MEMBER, TRUST_ANCHOR) },
        Check {
            rule: &KID,
            error: invalid("kid"),
            test: |facts| {
                let kid = facts.header()?.kid.clone().unwrap_or_default();
                match &facts.keys {
                    Ok(keys) => holds(keys.contains(&kid), keys.kids(), kid),
                    Err(why) => Err(Evidence::new("the client's keys", why.clone())),
                }
            },
        },
        Check {
            rule: &VERIFIED,
            error: Wire::bad_request(ErrorCode::SignatureInvalid, Some(JWS_SIGNATURE)),
            test: |facts| {
                let (jws, keys) = match (&facts.jws, &facts.keys) {
                    (Ok(jws), Ok(keys)) => (jws, keys),
                    _ => return Err(Evidence::new("a signature and keys", "none")),
                };
                // What crit may name was judged above; switched off there, it does not come back here.
                let critical: Vec<&str> = jws.header().crit.iter().flatten().map(String::as_str).collect();
                jws.verify_critical(keys, &[Algorithm::Ps256, Algorithm::Es256], &critical)
                    .map_err(|error| Evidence::new(error.expected(), error.found()))
            },
        },
    ]
}

fn form(context: &Context) -> PayloadForm {
    if context.bank.unencoded_signatures { PayloadForm::Unencoded } else { PayloadForm::Encoded }
}

/// Checks the signature of a request whose body is signed; requests without a body carry none.
///
/// # Errors
/// A rule of this module refuses.
pub async fn check(context: &Context, request: &Request, client: &Client) -> Result<Passed, ApiError> {
    let sent = request.header(JWS_SIGNATURE);
    let form = form(context);
    let jws = match form {
        PayloadForm::Encoded => Jws::parse_detached(sent.unwrap_or_default(), &request.body),
        PayloadForm::Unencoded => Jws::parse_detached_unencoded(sent.unwrap_or_default(), &request.body),
    };
    let kid = jws.as_ref().ok().and_then(|jws| jws.header().kid.as_deref());
    let keys = context.engine.keys_of(client, kid).await;
    let issuer = format!("{}/{}", client.organisation_id, client.software_id);
    let facts = Facts {
        sent: request.headers.contains_key(JWS_SIGNATURE),
        jws: jws.as_ref(),
        form,
        media_type: request.content_type(),
        issuer: &issuer,
        now: context.tools.clock.now(),
        keys: keys.as_deref().map_err(ToString::to_string),
    };
    apply(&facts, &checks(), &context.engine.profile().switched_off)
}

/// Whether the answers below a path are signed: those of payments and variable recurring payments.
#[must_use]
pub fn signs(path: &str) -> bool {
    endpoint_of(path).is_some_and(|endpoint| endpoint.starts_with("/pisp/"))
}

/// Everything that says something: a body, or a refusal, whose signature is over no bytes when it has no body. A deleted
/// consent and an uploaded file are answered without one (OB Read/Write 4.0.1, Message Signing).
fn is_signed(response: &Response) -> bool {
    !response.body().is_empty() || !response.status().is_success()
}

/// Signs an answer over the bytes that are sent.
#[must_use]
pub fn sign(context: &Context, mut response: Response) -> Response {
    if !is_signed(&response) {
        return response;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let cty = content_type.and_then(|value| value.split(';').next()).unwrap_or("application/json").to_owned();
    let form = form(context);
    let head = Header {
        typ: Some(TYP_VALUE.to_owned()),
        cty: Some(cty),
        crit: Some(form.critical().iter().map(ToString::to_string).collect()),
        extra: form.members(&context.engine.profile().organisation_id, context.tools.clock.now()),
        ..Header::default()
    };
    let key = context.engine.signing_key();
    let made = match form {
        PayloadForm::Encoded => key.sign_detached(&head, response.body()),
        PayloadForm::Unencoded => key.sign_detached_unencoded(&head, response.body()),
    };
    let deviations = &context.engine.profile().deviations;
    match made
        .map(|right| deviations.message_signature(right))
        .map_err(|error| error.to_string())
        .and_then(|made| HeaderValue::try_from(made).map_err(|error| error.to_string()))
    {
        Ok(value) => {
            response.headers_mut().insert(JWS_SIGNATURE, value);
        }
        Err(error) => tracing::error!(%error, "an answer could not be signed"),
    }
    response
}
