//! What faults do to requests, answers and connections.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;
use simulation::{
    Faults,
    faults::{Call, Effect, FaultMark, Struck as Found, Substitute, When},
};
use tokio::sync::Notify;

use crate::{Request, Response};

/// Closes the connection that a request came on.
#[derive(Clone, Default)]
pub(super) struct HangUp(Arc<Notify>);

impl HangUp {
    /// Resolves when the connection is to be closed.
    pub(super) async fn wait(&self) {
        self.0.notified().await;
    }

    /// Closes the connection. There is no answer to wait for.
    pub(super) async fn hang_up<T>(&self) -> T {
        self.0.notify_one();
        let never: Infallible = pending().await;
        match never {}
    }
}

/// A fault that a request has met.
pub(super) struct Struck(Found);

/// The fault that strikes this request.
pub(super) fn find(faults: &Faults, request: &Request) -> Option<Struck> {
    if !faults.any() {
        return None;
    }
    let call = Call {
        method: request.method.as_str(),
        path: &request.path,
        organisation: request.caller.organisation_id(),
        client: &|| client(request),
    };
    faults.strike(&call).map(Struck)
}

impl Struck {
    /// Whether the connection is closed without an answer.
    pub(super) fn drops(&self) -> bool {
        self.0.effect == Some(Effect::Drop)
    }

    /// What it does on the way in. An answer is one instead of the work.
    pub(super) async fn strike_request(&self, request: &mut Request) -> Option<Response> {
        if self.0.when != When::Before {
            return None;
        }
        self.wait().await;
        match &self.0.effect {
            None => None,
            Some(Effect::Answer(answer)) => {
                let mut response = Response::default();
                replace(&mut response, answer);
                Some(response)
            }
            // What is answered here is never sent.
            Some(Effect::Drop) => Some(Response::default()),
            Some(effect) => {
                change(effect, &mut request.headers, &mut request.body);
                None
            }
        }
    }

    /// What it does on the way out, and what the journal says about it.
    pub(super) async fn strike_response(&self, response: &mut Response) -> Option<FaultMark> {
        if self.0.when == When::Before {
            return Some(self.0.mark(None));
        }
        self.wait().await;
        let done = response.status().as_u16();
        match &self.0.effect {
            None => return Some(self.0.mark(None)),
            Some(Effect::Drop) => {}
            Some(Effect::Answer(answer)) => replace(response, answer),
            Some(effect) => {
                let mut body = std::mem::take(response.body_mut());
                change(effect, response.headers_mut(), &mut body);
                *response.body_mut() = body;
                return Some(self.0.mark(None));
            }
        }
        Some(self.0.mark(Some(done)))
    }

    #[expect(clippy::disallowed_methods, reason = "a fault that delays is asked for, and true time is what it costs")]
    async fn wait(&self) {
        if let Some(delay) = self.0.delay {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
    }
}

fn replace(response: &mut Response, answer: &Substitute) {
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    *response.body_mut() = answer.body.clone().map(Bytes::from).unwrap_or_default();
    let headers = response.headers_mut();
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::LOCATION, SIGNATURE] {
        headers.remove(name);
    }
    if answer.body.is_some() {
        let given = answer.content_type.as_deref().unwrap_or("application/json");
        if let Ok(content_type) = HeaderValue::from_str(given) {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
    }
}

/// The header with the detached signature of a message (OB Read/Write, Message signing).
const SIGNATURE: HeaderName = HeaderName::from_static("x-jws-signature");

fn change(effect: &Effect, headers: &mut HeaderMap, body: &mut Bytes) {
    match effect {
        Effect::Truncate(left) => body.truncate(*left),
        Effect::Alter(place) => {
            let mut altered = BytesMut::from(&body[..]);
            let last = altered.len().saturating_sub(1);
            if let Some(byte) = altered.get_mut((*place).min(last)) {
                *byte ^= 1;
            }
            *body = altered.freeze();
        }
        Effect::BreakSignature => {
            let mut broken = BytesMut::from(&body[..]);
            break_signatures(&mut broken);
            *body = broken.freeze();
            for name in [SIGNATURE, header::LOCATION] {
                let Some(value) = headers.get_mut(&name) else { continue };
                let mut text = BytesMut::from(value.as_bytes());
                break_signatures(&mut text);
                if let Ok(broken) = HeaderValue::from_bytes(&text) {
                    *value = broken;
                }
            }
        }
        Effect::Answer(_) | Effect::Drop => return,
    }
    // The length is told anew from what is left.
    headers.remove(header::CONTENT_LENGTH);
}

/// Turns one character in the middle of the signature of everything that looks like a compact JWS, payload or not.
fn break_signatures(text: &mut [u8]) {
    let part_of_jws = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    for run in text.split_mut(|byte| !part_of_jws(byte)) {
        let dots: Vec<usize> = run.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at).collect();
        // A JOSE header is an object, which in base64url begins like this.
        let (true, [_, second]) = (run.starts_with(b"eyJ"), &dots[..]) else { continue };
        let begin = second + 1;
        if let Some(letter) = run.get_mut(begin + (run.len().saturating_sub(begin)) / 2) {
            *letter = if *letter == b'A' { b'B' } else { b'A' };
        }
    }
}

/// The client that a request names: `client_id`, or the issuer of its client assertion or request object. Nothing is
/// verified: whoever lies about it meets the fault of another.
fn client(request: &Request) -> Option<String> {
    let pairs = [request.query_pairs(), request.form_pairs().unwrap_or_default()].concat();
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let issuer = |token: &str| {
        let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        claims["iss"].as_str().map(str::to_owned)
    };
    value("client_id")
        .map(str::to_owned)
        .or_else(|| value("client_assertion").and_then(issuer))
        .or_else(|| value("request").and_then(issuer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signatures_are_broken() {
        let broken = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            break_signatures(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(
            broken(r#"{"id_token":"eyJh.eyJi.abcdefg","n":"1.2.3"}"#),
            r#"{"id_token":"eyJh.eyJi.abcAefg","n":"1.2.3"}"#
        );
        assert_eq!(broken("eyJh..AAAAAA"), "eyJh..AAABAA");
        assert_eq!(
            broken("https://tpp.example/cb#code=x&id_token=eyJh.eyJi.zzz"),
            "https://tpp.example/cb#code=x&id_token=eyJh.eyJi.zAz"
        );
        for other in ["", "eyJh.eyJi", "eyJh.eyJi.", "eyJh.a.b.c.d", "a.b.c"] {
            assert_eq!(broken(other), other);
        }
    }

    #[test]
    fn bodies_are_changed_within_their_bounds() {
        let changed = |effect: &Effect, body: &'static str| {
            let (mut headers, mut bytes) = (HeaderMap::new(), Bytes::from_static(body.as_bytes()));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            change(effect, &mut headers, &mut bytes);
            assert!(headers.is_empty());
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(changed(&Effect::Truncate(2), "abc"), "ab");
        assert_eq!(changed(&Effect::Truncate(9), "abc"), "abc");
        assert_eq!(changed(&Effect::Alter(0), "abc"), "`bc");
        assert_eq!(changed(&Effect::Alter(9), "abc"), "abb");
        assert_eq!(changed(&Effect::Alter(0), ""), "");
    }
}
