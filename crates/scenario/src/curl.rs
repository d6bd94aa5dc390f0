//! A step's request as a curl command, to repeat it by hand with the certificates that the TPP exported.

use std::fmt::Write;

use tpp::{
    api::Api,
    steps::{Body, Call, Token},
    tampering::Certificate,
};

/// Text in single quotes for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command. Without a token it names `$ACCESS_TOKEN`; `$TPP` is the folder with the TPP's exported certificates, and
/// `$API` the bank's base URL of resources. `api` is that of the consent.
pub(crate) fn command(call: &Call, api: Api, token: Option<&str>) -> String {
    let mut command = String::from("curl --cacert \"$TPP/trust-anchor.pem\"");
    // Writing to a String does not fail.
    let mut add = |text: &str| {
        let _ = write!(command, " \\\n  {text}");
    };
    if call.tamper.certificate != Certificate::None {
        add("--cert \"$TPP/transport.pem\" --key \"$TPP/transport.key\"");
    }
    if !call.method.eq_ignore_ascii_case("GET") {
        add(&format!("-X {}", call.method.to_uppercase()));
    }
    if call.bearer.is_some() || call.token != Token::None {
        add(&match token {
            Some(token) => format!("-H {}", quoted(&format!("authorization: Bearer {token}"))),
            None => "-H \"authorization: Bearer $ACCESS_TOKEN\"".to_owned(),
        });
    }
    for (name, value) in &call.dress.headers {
        add(&format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    if let Some(key) = &call.dress.idempotency_key {
        add(&format!("-H {}", quoted(&format!("x-idempotency-key: {key}"))));
    }
    match &call.body {
        Some(Body::Json(value)) => {
            add("-H 'content-type: application/json'");
            add(&format!("--data-binary {}", quoted(&value.to_string())));
        }
        Some(Body::Text { content_type, text }) => {
            add(&format!("-H {}", quoted(&format!("content-type: {content_type}"))));
            add(&format!("--data-binary {}", quoted(text)));
        }
        None => {}
    }
    if call.path.starts_with("https://") {
        add(&quoted(&call.path));
    } else {
        let api = call.api.unwrap_or(api).segment();
        add(&format!("\"$API/{}/{api}\"{}", call.version.path_segment(), quoted(&call.path)));
    }
    command
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_repeated_by_hand_without_its_secrets() {
        let call: Call = serde_json::from_value(json!({
            "bank": "Ashdown Bank", "version": "v4.0", "method": "POST", "path": "/x?y=it's", "bearer": "secret",
            "body": {"json": {"Data": {}}}
        }))
        .unwrap();
        let text = command(&call, Api::Aisp, None);
        assert!(text.contains("$ACCESS_TOKEN") && !text.contains("secret"), "{text}");
        assert!(text.contains("--data-binary '{\"Data\":{}}'"), "{text}");
        assert!(text.ends_with(r#""$API/v4.0/aisp"'/x?y=it'\''s'"#), "{text}");
        let shown = command(&call, Api::Pisp, Some("shown"));
        assert!(shown.contains("Bearer shown") && shown.contains("$API/v4.0/pisp"), "{shown}");
    }
}
