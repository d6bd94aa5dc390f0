//! A step's request as a curl command, to make it again by hand with the certificates that the TPP exported.

use std::fmt::Write;

use tpp::{
    steps::{Bearer, Sent},
    tampering::Certificate,
};

/// Bodies up to this many bytes are part of the command.
const LONGEST_BODY: usize = 16 * 1024;

/// Headers that a step gives, and that open doors.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie"];

/// Text in single quotes for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command, after comments that say what its variables stand for and what would not be the same again.
/// `secrets` leaves in what opens doors.
pub(crate) fn command(sent: &Sent, secrets: bool) -> String {
    let (mut notes, mut command) = (String::new(), String::from("curl"));
    // Writing to a String does not fail.
    let mut note = |text: &str| {
        let _ = writeln!(notes, "# {text}");
    };
    let mut add = |text: &str| {
        let _ = write!(command, " \\\n  {text}");
    };
    // Brackets and braces in an address are letters, no patterns.
    add("--globoff");
    note("TPP: folder with what the TPP exported, such as .ob-sandbox/tpp/exports");
    add("--cacert \"$TPP/trust-anchor.pem\"");
    match sent.certificate {
        Certificate::Own | Certificate::OwnAnew => add("--cert \"$TPP/transport.pem\" --key \"$TPP/transport.key\""),
        Certificate::None => {}
        Certificate::SelfMade => note("the TPP showed a certificate of its own making, which is not there any more"),
    }
    // With a body, curl would make a POST of it.
    if sent.method != "GET" || sent.body.is_some() {
        add(&format!("-X {}", sent.method));
    }
    let variable = match sent.token {
        Bearer::Customer => Some(("ACCESS_TOKEN", "the token that the customer authorised")),
        Bearer::Client => Some(("CLIENT_TOKEN", "a token of the TPP's own (grant client_credentials)")),
        Bearer::Given => Some(("GIVEN_TOKEN", "the token that the scenario gives")),
        Bearer::None => None,
    };
    match (variable, &sent.access_token) {
        (None, _) => {}
        (Some(_), Some(token)) => add(&format!("-H {}", quoted(&format!("authorization: Bearer {token}")))),
        (Some((name, what)), None) => {
            note(&format!("{name}: {what}; ob-sandbox run --show-secrets writes it here"));
            add(&format!("-H \"authorization: Bearer ${name}\""));
        }
    }
    for (name, value) in &sent.headers {
        if !secrets && SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            let variable = name.to_uppercase().replace('-', "_");
            note(&format!("{variable}: the header that the step gave; ob-sandbox run --show-secrets writes it here"));
            add(&format!("-H \"{name}: ${variable}\""));
            continue;
        }
        add(&format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    if sent.headers.contains_key("x-jws-signature") {
        note("x-jws-signature fits this very body: whoever changes the body signs it anew");
    }
    match &sent.body {
        // Not --data-binary, which takes a text that begins with @ for the name of a file.
        Some(body) if body.len() <= LONGEST_BODY => add(&format!("--data-raw {}", quoted(body))),
        Some(body) => {
            note(&format!("BODY: file with the body, {} bytes, which is left out here", body.len()));
            add("--data-binary \"@$BODY\"");
        }
        None => {}
    }
    add(&quoted(&sent.url));
    notes + &command
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(more: &serde_json::Value) -> Sent {
        let mut sent = json!({
            "method": "POST", "url": "https://localhost:1/open-banking/v4.0/pisp/x?y=it's", "token": "customer",
            "headers": {"x-idempotency-key": "k", "x-jws-signature": "a..b"}, "body": "{\"Data\":{}}"
        });
        sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(sent).unwrap()
    }

    #[test]
    fn a_request_is_made_again_as_it_was_and_without_its_token() {
        let text = command(&sent(&json!({})), false);
        for part in [
            "-X POST",
            "\"authorization: Bearer $ACCESS_TOKEN\"",
            "# ACCESS_TOKEN: the token that the customer authorised",
            "-H 'x-idempotency-key: k'",
            "-H 'x-jws-signature: a..b'",
            "--data-raw '{\"Data\":{}}'",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.ends_with(r"'https://localhost:1/open-banking/v4.0/pisp/x?y=it'\''s'"), "{text}");
    }

    #[test]
    fn tokens_and_certificates_are_those_that_were_used() {
        let text = command(&sent(&json!({ "token": "client" })), false);
        assert!(text.contains("Bearer $CLIENT_TOKEN") && text.contains("# CLIENT_TOKEN"), "{text}");
        let text = command(&sent(&json!({ "access-token": "shown" })), false);
        assert!(text.contains("'authorization: Bearer shown'") && !text.contains("ACCESS_TOKEN"), "{text}");
        let text = command(&sent(&json!({ "token": "none", "certificate": "none" })), false);
        assert!(!text.contains("authorization") && !text.contains("--cert "), "{text}");
        let text = command(&sent(&json!({ "body": "x".repeat(LONGEST_BODY + 1) })), false);
        assert!(text.contains("\"@$BODY\"") && text.contains("# BODY"), "{text}");
    }

    #[test]
    fn headers_that_open_doors_are_left_out_unless_they_are_to_be_shown() {
        let headers =
            json!({ "headers": { "authorization": "Bearer stolen", "cookie": "session=1", "accept": "x/y" } });
        let text = command(&sent(&headers), false);
        assert!(!text.contains("stolen") && !text.contains("session=1"), "{text}");
        assert!(text.contains("-H \"authorization: $AUTHORIZATION\"") && text.contains("# COOKIE"), "{text}");
        assert!(text.contains("-H 'accept: x/y'"), "{text}");
        assert!(command(&sent(&headers), true).contains("'authorization: Bearer stolen'"));
    }

    #[test]
    fn what_curl_would_take_for_something_else_is_told_as_it_is() {
        let text =
            command(&sent(&json!({ "method": "GET", "body": "@/etc/passwd", "url": "https://x/[1-3]{a,b}" })), false);
        for part in ["--globoff", "-X GET", "--data-raw '@/etc/passwd'", "'https://x/[1-3]{a,b}'"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!command(&sent(&json!({ "method": "GET", "body": null })), false).contains("-X"));
    }
}
