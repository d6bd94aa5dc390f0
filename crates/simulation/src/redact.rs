//! Taking secrets out of URLs and tokens before they are written down.

use std::borrow::Cow;

use serde_json::Value;

/// What stands in the place of a secret.
pub(crate) const REMOVED: &str = "[removed]";

/// Parameters of URLs whose values open doors, or say who somebody is when they log in.
const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf",
    "device_code",
    "fragment",
    "id_token",
    "id_token_hint",
    "login_hint",
    "login_hint_token",
    "logout_token",
    "one_time_password",
    "otp",
    "passcode",
    "password",
    "pin",
    "refresh_token",
    "registration_access_token",
    "request",
    "request_uri",
    "response",
    "session",
    "subject_token",
    "token",
    "user_code",
    "username",
];

/// Claims whose values open doors. `code`, `request` and the like are no secrets as names of claims.
const SECRET_CLAIMS: &[&str] = &[
    "access_token",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "password",
    "refresh_token",
    "registration_access_token",
];

/// The URL or path with the values of secret parameters, in query and fragment, replaced by `[removed]`, and without the
/// password of a user in its authority. Names are compared decoded, so that `c%6Fde` is `code`. Applying it twice changes
/// nothing more.
#[must_use]
pub fn redact_query(url: &str) -> String {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url, None),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let mut clean = without_user(path).into_owned();
    if let Some(query) = query {
        clean.push('?');
        clean.push_str(&redact_pairs(query));
    }
    if let Some(fragment) = fragment {
        clean.push('#');
        // A page that routes by fragment has its own path and query in there.
        match fragment.split_once('?') {
            Some((path, query)) => {
                clean.push_str(&redact_pairs(path));
                clean.push('?');
                clean.push_str(&redact_pairs(query));
            }
            None => clean.push_str(&redact_pairs(fragment)),
        }
    }
    clean
}

/// `https://user:password@host/` without what is before the `@`.
fn without_user(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{REMOVED}@{host}{path}")),
        None => Cow::Borrowed(url),
    }
}

fn redact_pairs(text: &str) -> String {
    text.split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={REMOVED}"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

fn is_secret(name: &str) -> bool {
    let name = decode(name);
    SECRET_PARAMETERS.iter().any(|secret| secret.as_bytes().eq_ignore_ascii_case(&name))
}

/// The bytes of a form-encoded name; an escape that is none stays as it is.
fn decode(name: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => decoded.push(byte),
        }
    }
    // A name with blanks around it is read as the name by lenient servers.
    decoded.trim_ascii().to_vec()
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        _ => hex.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// Takes secrets out of claims, and the signatures off tokens inside them (a software statement in a registration), so
/// that nothing that was written down can be used.
pub(crate) fn redact_claims(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(shortened) = without_signature(text) {
                *text = shortened;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_claims),
        Value::Object(members) => {
            for (name, member) in members {
                if SECRET_CLAIMS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                    *member = REMOVED.into();
                } else {
                    redact_claims(member);
                }
            }
        }
        _ => {}
    }
}

/// Takes what opens doors out of an answer's body: tokens, signatures of tokens, the code of an authorization response, and
/// the name of a pushed request.
pub fn redact_body(value: &mut Value) {
    redact_claims(value);
    remove_secrets(value);
}

fn remove_secrets(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        Value::Object(members) => {
            for (name, member) in members {
                // `Code` of an error is none.
                let secret =
                    name == "code" || name == "request_uri" || SECRET_CLAIMS.contains(&name.replace('-', "_").as_str());
                if secret && member.is_string() {
                    *member = REMOVED.into();
                } else {
                    remove_secrets(member);
                }
            }
        }
        _ => {}
    }
}

/// A compact JWS keeps header and claims, a compact JWE its header (RFC 7515, 3.1; RFC 7516, 3.1); none for other texts.
fn without_signature(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    // The base64url form of `{"`, with which every header begins.
    let header = parts.first().filter(|header| header.starts_with("eyJ"))?;
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !parts.iter().all(|part| part.bytes().all(encoded)) {
        return None;
    }
    match parts.as_slice() {
        [header, claims, _] => Some(format!("{header}.{claims}.{REMOVED}")),
        [_, _, _, _, _] => Some(format!("{header}.{REMOVED}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_and_the_rest_is_kept() {
        let url = "https://tpp.example/cb?state=s&code=abc#id_token=xyz&iss=me";
        assert_eq!(redact_query(url), "https://tpp.example/cb?state=s&code=[removed]#id_token=[removed]&iss=me");
        assert_eq!(redact_query("/accounts?page=2"), "/accounts?page=2");
        assert_eq!(redact_query("/a?REQUEST=eyJ"), "/a?REQUEST=[removed]");
        assert_eq!(redact_query("/a?postcode=1&codes=2&code"), "/a?postcode=1&codes=2&code");
    }

    #[test]
    fn an_encoded_name_does_not_hide_a_secret() {
        assert_eq!(redact_query("/cb?c%6Fde=abc"), "/cb?c%6Fde=[removed]");
        assert_eq!(redact_query("/cb?%63%4f%64%65=abc&%=1&%zz=2"), "/cb?%63%4f%64%65=[removed]&%=1&%zz=2");
        assert_eq!(redact_query("/cb?%20code=abc"), "/cb?%20code=[removed]");
    }

    #[test]
    fn fragments_with_a_query_and_users_in_urls_are_cleaned_too() {
        assert_eq!(redact_query("/#/cb?code=abc&state=s"), "/#/cb?code=[removed]&state=s");
        assert_eq!(redact_query("https://a:b@bank.example/x@y"), "https://[removed]@bank.example/x@y");
        assert_eq!(redact_query("https://bank.example/x@y"), "https://bank.example/x@y");
    }

    #[test]
    fn tokens_inside_claims_lose_their_signature() {
        let mut claims = json!({
            "software_statement": "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJPQiJ9.c2lnbmF0dXJl",
            "list": [{"id_token_encrypted": "eyJhbGciOiJSU0EifQ.key.iv.text.tag"}],
            "client_secret": {"nested": "s3cret"},
            "aud": "https://bank.example/a.b.c",
            "code": "AC01",
        });
        redact_claims(&mut claims);
        assert_eq!(
            claims,
            json!({
                "software_statement": "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJPQiJ9.[removed]",
                "list": [{"id_token_encrypted": "eyJhbGciOiJSU0EifQ.[removed]"}],
                "client_secret": "[removed]",
                "aud": "https://bank.example/a.b.c",
                "code": "AC01",
            })
        );
    }

    proptest! {
        #[test]
        fn no_secret_value_survives(
            secret in prop::sample::select(SECRET_PARAMETERS),
            value in "[A-Z0-9]{12}",
            before in "([a-z]{1,6}=[a-z]{0,4}&){0,3}",
            mark in prop::sample::select(&["?", "#", "#/p?"][..]),
        ) {
            let clean = redact_query(&format!("https://host.example/path{mark}{before}{secret}={value}&z=1"));
            prop_assert!(!clean.contains(&value), "{}", clean);
            prop_assert!(clean.ends_with("&z=1"));
        }

        #[test]
        fn any_text_can_be_cleaned_and_cleaning_twice_changes_nothing(text in ".*") {
            let once = redact_query(&text);
            prop_assert_eq!(redact_query(&once), once);
        }
    }
}
