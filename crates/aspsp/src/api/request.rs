//! What every request of the API is asked: its token, and its headers (OB Read/Write, Headers).

use std::net::IpAddr;

use fapi::access::{Access, Demand, bearer};
use http::{HeaderMap, Method, StatusCode};
use openbanking::{dates::parse_http_date, error::ErrorCode, headers};
use party::authorization_server::presented;
use rules::{Check, Evidence, Passed, holds};
use transport::Request;
use uuid::Uuid;

use super::{
    allowance::Left,
    counted::note,
    ended,
    refusal::{ApiError, Wire, apply},
};
use crate::Context;

/// Media type of everything that is no file.
pub const JSON: &str = "application/json";
/// Media type of changes to a resource (RFC 6902).
const JSON_PATCH: &str = "application/json-patch+json";

rules::catalogue! {
    /// Rules of headers.
    pub RULES;
    RATE_LIMIT { id: "api.rate-limit",
        reason: "The client does not ask more often than the bank allows.", clause: "OB Read/Write 4.0, 429 (Too Many Requests)" }
    ACCEPT { id: "api.headers.accept",
        reason: "The client accepts what the endpoint answers with: application/json, or the type of a file.", clause: "OB Read/Write 4.0, Headers; HTTP Status Codes, 406" }
    CONTENT_TYPE { id: "api.headers.content-type",
        reason: "A body is application/json in UTF-8, and that of PATCH application/json-patch+json.", clause: "OB Read/Write 4.0, Headers; HTTP Status Codes, 415" }
    INTERACTION_ID { id: "api.headers.x-fapi-interaction-id",
        reason: "x-fapi-interaction-id is a UUID when it is sent.", clause: "OB Read/Write 4.0, Headers; FAPI 1.0 Part 1, 6.2.2" }
    AUTH_DATE { id: "api.headers.x-fapi-auth-date",
        reason: "x-fapi-auth-date is an HTTP date when it is sent.", clause: "OB Read/Write 4.0, Headers; RFC 7231, 7.1.1.1" }
    CUSTOMER_IP_ADDRESS { id: "api.headers.x-fapi-customer-ip-address",
        reason: "x-fapi-customer-ip-address is an IP address when it is sent.", clause: "OB Read/Write 4.0, Headers" }
    CUSTOMER_USER_AGENT { id: "api.headers.x-customer-user-agent",
        reason: "x-customer-user-agent is text when it is sent.", clause: "OB Read/Write 4.0, Headers" }
}

fn header_error(name: &'static str) -> Wire {
    Wire::bad_request(ErrorCode::HeaderInvalid, Some(name))
}

/// A header that may be missing, but must be right when it is there.
fn optional(headers: &HeaderMap, name: &str, expected: &str, right: fn(&str) -> bool) -> Result<(), Evidence> {
    match headers.get(name).map(|value| value.to_str()) {
        None => Ok(()),
        Some(Ok(value)) => holds(right(value), expected, value),
        Some(Err(_)) => Err(Evidence::new(expected, "bytes that are not text")),
    }
}

/// Whether the client takes this media type.
///
/// # Errors
/// It says what it takes, and this is not among it.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> Result<(), Evidence> {
    let group = media_type.split('/').next().unwrap_or_default();
    let sent: Vec<&str> =
        headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let sent = sent.join(",");
    let fits = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let wanted = parts.next().unwrap_or_default().to_ascii_lowercase();
        let other_charset = |part: &str| {
            let charset = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
            charset.is_some_and(|(_, value)| !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"))
        };
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000") || other_charset(part));
        let of_group = wanted.strip_suffix("/*").is_some_and(|wanted| wanted == group || wanted == "*");
        !refused && (of_group || wanted == media_type)
    };
    holds(sent.trim().is_empty() || sent.split(',').any(fits), media_type, sent.clone())
}

fn json_body(headers: &HeaderMap, wanted: &str) -> Result<(), Evidence> {
    let expected = format!("{wanted}, with no charset or utf-8");
    let Some(value) = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return Err(Evidence::missing(&expected));
    };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let utf8 = charset.is_none_or(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    holds(media_type.eq_ignore_ascii_case(wanted) && utf8, expected, value)
}

/// The headers of a request, and the media types of its body and of what it would be answered with.
struct Sent<'a> {
    headers: &'a HeaderMap,
    consumes: &'static str,
    produces: &'static str,
}

/// What the client takes, and what it sends.
fn media_checks<'a>(body: bool) -> Vec<Check<Sent<'a>, Wire>> {
    let accept: Check<Sent<'a>, Wire> = Check {
        rule: &ACCEPT,
        error: Wire::status(StatusCode::NOT_ACCEPTABLE),
        test: |sent| accepts(sent.headers, sent.produces),
    };
    let content_type: Check<Sent<'a>, Wire> = Check {
        rule: &CONTENT_TYPE,
        error: Wire::status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        test: |sent| json_body(sent.headers, sent.consumes),
    };
    if body { vec![accept, content_type] } else { vec![accept] }
}

/// Headers that every request may carry.
fn checks() -> [Check<HeaderMap, Wire>; 4] {
    [
        Check {
            rule: &INTERACTION_ID,
            error: header_error(headers::FAPI_INTERACTION_ID),
            test: |sent| {
                let right = |value: &str| value.len() == 36 && Uuid::try_parse(value).is_ok();
                optional(sent, headers::FAPI_INTERACTION_ID, "a UUID (RFC 4122)", right)
            },
        },
        Check {
            rule: &AUTH_DATE,
            error: header_error(headers::FAPI_AUTH_DATE),
            test: |sent| {
                let expected = "such as Tue, 11 Sep 2012 19:43:31 GMT";
                optional(sent, headers::FAPI_AUTH_DATE, expected, |value| parse_http_date(value).is_ok())
            },
        },
        Check {
            rule: &CUSTOMER_IP_ADDRESS,
            error: header_error(headers::FAPI_CUSTOMER_IP_ADDRESS),
            test: |sent| {
                let right = |value: &str| value.parse::<IpAddr>().is_ok();
                optional(sent, headers::FAPI_CUSTOMER_IP_ADDRESS, "an IPv4 or IPv6 address", right)
            },
        },
        Check {
            rule: &CUSTOMER_USER_AGENT,
            error: header_error(headers::CUSTOMER_USER_AGENT),
            test: |sent| optional(sent, headers::CUSTOMER_USER_AGENT, "text", |value| !value.trim().is_empty()),
        },
    ]
}

/// Lets a request in that asks for JSON, and sends JSON if it sends anything: token first, then headers.
///
/// # Errors
/// The token does not open it, or a header is wrong.
pub async fn admit(context: &Context, request: &Request, demand: Demand) -> Result<(Access, Passed), ApiError> {
    admit_to(context, request, demand, JSON).await
}

/// Lets a request in that is answered with this media type, and sends JSON if it sends anything.
///
/// # Errors
/// As [`admit`].
pub async fn admit_to(
    context: &Context,
    request: &Request,
    demand: Demand,
    produces: &'static str,
) -> Result<(Access, Passed), ApiError> {
    let (access, mut passed) = admit_any(context, request, demand).await?;
    let sends = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    let off = &context.engine.profile().switched_off;
    let consumes = if request.method == Method::PATCH { JSON_PATCH } else { JSON };
    let sent = Sent { headers: &request.headers, consumes, produces };
    let media = apply(&sent, &media_checks(sends), off).map_err(|error| error.after(passed.clone()))?;
    passed.extend(media);
    Ok((access, passed))
}

/// Lets a request in whose media types are judged elsewhere.
///
/// # Errors
/// As [`admit`].
pub async fn admit_any(context: &Context, request: &Request, demand: Demand) -> Result<(Access, Passed), ApiError> {
    let certificate = presented(&request.caller);
    let token = bearer(request.header("authorization"));
    let now = context.tools.clock.now();
    let accepted = match context.engine.access(token, certificate.as_ref(), demand, now).await {
        Ok(accepted) => accepted,
        Err(failure) => {
            let told = ended::told(context, token, &failure).await;
            return Err(ApiError::Access(Box::new(failure), told));
        }
    };
    let mut passed = accepted.passed;
    let off = &context.engine.profile().switched_off;
    if let Some(limit) = context.bank.rate_limit {
        let counted = context.allowance.take(&accepted.value.client.client_id, limit, context.tools.clock.now());
        let (Ok(left) | Err(left)) = counted;
        note(request, left);
        match counted {
            _ if off.contains(&RATE_LIMIT) => passed.skipped.push(&RATE_LIMIT),
            Ok(_) => passed.rules.push(&RATE_LIMIT),
            Err(Left { seconds, .. }) => {
                let most = format!("at most {} requests in {} seconds", limit.requests, limit.seconds);
                let evidence = Evidence::new(most, format!("one more; {seconds} seconds too early"));
                return Err(ApiError::too_often(&RATE_LIMIT, seconds, evidence).after(passed));
            }
        }
    }
    let headers = apply(&request.headers, &checks(), off).map_err(|error| error.after(passed.clone()))?;
    passed.extend(headers);
    Ok((accepted.value, passed))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rules::SwitchedOff;

    use super::*;

    fn verdict(name: &'static str, value: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        let sent = Sent { headers: &headers, consumes: JSON, produces: JSON };
        let off = SwitchedOff::default();
        let media = rules::judge(&sent, &media_checks(false), &off).err();
        media.or_else(|| rules::judge(&headers, &checks(), &off).err()).map(|refusal| refusal.rule.id)
    }

    #[test]
    fn headers_that_are_right_pass_and_others_are_named() {
        for (name, right, wrong) in [
            ("accept", "text/html, application/json;q=0.9", "application/xml"),
            ("accept", "*/*", "application/json;q=0"),
            ("x-fapi-interaction-id", "93bac548-d2de-4546-b106-880a5018460d", "93bac548"),
            ("x-fapi-auth-date", "Sun, 10 Sep 2017 19:43:31 GMT", "2017-09-10"),
            ("x-fapi-customer-ip-address", "2001:db8::1", "10.0.0"),
            ("x-customer-user-agent", "Larkspur/1", " "),
        ] {
            assert_eq!(verdict(name, right), None, "{right}");
            assert_eq!(verdict(name, wrong), Some(format!("api.headers.{name}")).as_deref(), "{wrong}");
        }
        assert_eq!(verdict("x-customer-user-agent", "\u{e9}"), Some("api.headers.x-customer-user-agent"));
    }

    #[test]
    fn files_are_accepted_by_their_own_type() {
        let verdict = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("accept", HeaderValue::from_static(value));
            accepts(&headers, "application/pdf").is_ok()
        };
        assert!(verdict("application/pdf") && verdict("application/*") && verdict("*/*"));
        assert!(accepts(&HeaderMap::new(), "application/pdf").is_ok());
        assert!(!verdict("application/json") && !verdict("text/csv") && !verdict("application/pdf;q=0"));
    }

    #[test]
    fn bodies_are_json() {
        let verdict = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("content-type", HeaderValue::from_static(value));
            }
            json_body(&headers, JSON).is_ok()
        };
        assert!(verdict(Some("application/json; charset=UTF-8")) && verdict(Some("Application/JSON")));
        assert!(!verdict(None) && !verdict(Some("text/plain")) && !verdict(Some("application/json; charset=latin1")));
    }
}
