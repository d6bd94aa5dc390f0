//! What came back, as reports show it: without secrets, and no more of it than people read.

use serde_json::Value;
use simulation::redact_body;

use crate::expectation::Happened;

/// Characters of an answer that are shown.
const LONGEST: usize = 4000;

/// The body of the answer, or the text of the page. `secrets` leaves tokens in it.
pub(crate) fn shown(happened: &Happened, secrets: bool) -> Option<String> {
    let text = match (&happened.body, &happened.shown) {
        (Some(Value::Null) | None, None) => return None,
        (Some(body), _) if !body.is_null() => {
            let mut body = body.clone();
            if !secrets {
                redact_body(&mut body);
            }
            serde_json::to_string_pretty(&body).unwrap_or_default()
        }
        (_, Some(text)) => text.clone(),
        (Some(_), None) => return None,
    };
    Some(bounded(text))
}

fn bounded(text: String) -> String {
    let all = text.chars().count();
    if all <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(LONGEST).collect();
    format!("{begin}\n... and {} characters more", all - LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_shown_without_its_secrets_and_not_without_an_end() {
        let happened = |body: Value| Happened { body: Some(body), ..Happened::default() };
        let answer = json!({
            "access-token": "a1", "access_token": "a2", "code": "c", "Code": "UK.OBIE.X", "request_uri": "u1",
        });
        let text = shown(&happened(answer.clone()), false).unwrap();
        assert!(["a1", "a2", "\"c\"", "u1"].iter().all(|secret| !text.contains(secret)), "{text}");
        assert!(text.contains("UK.OBIE.X"), "{text}");
        assert!(shown(&happened(answer), true).unwrap().contains("a1"));
        let long = shown(&happened(json!("x".repeat(LONGEST))), false).unwrap();
        assert!(long.ends_with("... and 2 characters more"), "{long}");
        let page = Happened { shown: Some("Welcome".to_owned()), ..Happened::default() };
        assert_eq!(shown(&page, false).as_deref(), Some("Welcome"));
        assert_eq!(shown(&Happened::default(), false), None);
    }
}
