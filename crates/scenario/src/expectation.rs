//! What happened, held against what the file expects.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{language::Expect, result::Spoke};

/// What came of a step, as far as expectations look at it.
#[derive(Debug, Default)]
pub(crate) struct Happened {
    /// Why the step was refused, when it was.
    pub(crate) refused: Option<String>,
    /// Whether `refused` says why the step could not be done, which is no refusal: nobody looked at it and said no.
    pub(crate) undone: bool,
    /// HTTP status of the decisive answer.
    pub(crate) status: Option<u16>,
    /// OAuth error, when there was one.
    pub(crate) error: Option<String>,
    /// JSON body of the decisive answer, or what the step answered.
    pub(crate) body: Option<Value>,
    /// Its headers.
    pub(crate) headers: BTreeMap<String, String>,
    /// Claims of the JWT that the step is about.
    pub(crate) claims: Option<Value>,
    /// What the last page shows, or an answer that is not JSON.
    pub(crate) shown: Option<String>,
}

impl Happened {
    /// The error codes that the answer carries: OAuth's, or those of the Read/Write API.
    fn errors(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let body = self.body.as_ref();
        let oauth = self.error.clone().or_else(|| body.and_then(|body| body.get("error")).and_then(text));
        let api = body.and_then(|body| body.get("Errors")).and_then(Value::as_array).into_iter().flatten();
        oauth.into_iter().chain(api.filter_map(|error| error.get("ErrorCode").and_then(text))).collect()
    }
}

/// What is not as expected; none when everything is. A step that was refused, or was not, tells nothing beside that.
pub(crate) fn compare(expect: &Expect, happened: &Happened, spoke: &[Spoke]) -> Option<String> {
    if let Some(other) = refusal(expect, happened) {
        return Some(other);
    }
    let first = [
        status(expect, happened),
        error(expect, happened),
        says(expect, happened.refused.as_deref().unwrap_or_default()),
        rule(expect, spoke),
    ];
    let all: Vec<String> = first
        .into_iter()
        .flatten()
        .chain(headers(expect, happened))
        .chain(body(expect, happened.body.as_ref().unwrap_or(&Value::Null)))
        .chain(absent(expect, happened.body.as_ref()))
        .chain(claims(expect, happened.claims.as_ref().unwrap_or(&Value::Null)))
        .chain(shows(expect, happened.shown.as_deref().unwrap_or_default()))
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn refusal(expect: &Expect, happened: &Happened) -> Option<String> {
    match (expect.refusal(), &happened.refused) {
        (true, Some(why)) if happened.undone => {
            Some(format!("expected a refusal, but the step could not be done: {why}"))
        }
        (true, None) => Some("expected a refusal, but the step was done".to_owned()),
        (false, Some(why)) => Some(why.clone()),
        _ => None,
    }
}

fn status(expect: &Expect, happened: &Happened) -> Option<String> {
    let wanted = expect.status?;
    let found = happened.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    (happened.status != Some(wanted)).then(|| format!("expected the status {wanted}, found {found}"))
}

fn error(expect: &Expect, happened: &Happened) -> Option<String> {
    let wanted = expect.error.as_ref()?;
    let found = happened.errors();
    (!found.contains(wanted)).then(|| format!("expected the error {wanted}, found {}", listed(&found)))
}

fn says(expect: &Expect, reason: &str) -> Option<String> {
    let missing = expect.says.iter().find(|wanted| !reason.contains(wanted.as_str()))?;
    Some(format!("expected the refusal to say {missing:?}, found {}", shortened(reason)))
}

fn rule(expect: &Expect, spoke: &[Spoke]) -> Option<String> {
    let wanted = expect.rule.as_ref()?;
    let found: Vec<String> = spoke.iter().map(|spoke| spoke.rule.clone()).collect();
    (!found.contains(wanted)).then(|| format!("expected the rule {wanted} to speak, found {}", listed(&found)))
}

fn headers(expect: &Expect, happened: &Happened) -> Vec<String> {
    let found = |name: &str| happened.headers.get(&name.to_lowercase());
    let wrong = expect.headers.iter().filter(|(name, wanted)| found(name) != Some(wanted)).map(|(name, wanted)| {
        format!("expected the header {name}: {wanted}, found {}", found(name).map_or("none", String::as_str))
    });
    let missing = expect.header_present.iter().filter(|name| found(name).is_none());
    wrong.chain(missing.map(|name| format!("expected the header {name}, found none"))).collect()
}

fn claims(expect: &Expect, claims: &Value) -> Vec<String> {
    let wrong = expect.claims.iter().filter(|(pointer, wanted)| claims.pointer(pointer) != Some(wanted));
    wrong
        .map(|(pointer, wanted)| format!("expected {wanted} in the JWT at {pointer}, found {}", at(claims, pointer)))
        .collect()
}

fn shows(expect: &Expect, text: &str) -> Vec<String> {
    let missing = expect.shows.iter().filter(|wanted| !text.contains(wanted.as_str()));
    missing.map(|wanted| format!("expected {wanted:?} to be shown, found {}", shortened(text))).collect()
}

fn body(expect: &Expect, body: &Value) -> Vec<String> {
    let there = |pointer: &str| body.pointer(pointer);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let count = |pointer: &str| there(pointer).and_then(Value::as_array).map_or(0, Vec::len);
    let equal = expect.equal.iter().filter(|(pointer, wanted)| there(pointer) != Some(wanted));
    let differs =
        expect.differs.iter().filter(|(pointer, unwanted)| there(pointer).is_none_or(|found| found == *unwanted)).map(
            |(pointer, unwanted)| {
                format!("expected something other than {unwanted} at {pointer}, found {}", at(body, pointer))
            },
        );
    let contains = expect
        .contains
        .iter()
        .filter(|(pointer, wanted)| !there(pointer).is_some_and(|found| text(found).contains(wanted.as_str())));
    let present = expect.present.iter().filter(|pointer| there(pointer).is_none());
    let at_least = expect.at_least.iter().filter(|(pointer, least)| count(pointer) < **least);
    equal
        .map(|(pointer, wanted)| format!("expected {wanted} at {pointer}, found {}", at(body, pointer)))
        .chain(
            contains
                .map(|(pointer, wanted)| format!("expected {wanted:?} within {pointer}, found {}", at(body, pointer))),
        )
        .chain(present.map(|pointer| format!("expected something at {pointer}, found {}", at(body, pointer))))
        .chain(at_least.map(|(pointer, least)| match there(pointer) {
            Some(Value::Array(_)) => {
                format!("expected at least {least} elements at {pointer}, found {}", count(pointer))
            }
            _ => format!("expected a list of at least {least} elements at {pointer}, found {}", at(body, pointer)),
        }))
        .chain(differs)
        .chain(expect.some.iter().flat_map(|(pointer, wanted)| some(pointer, wanted, body)))
        .collect()
}

/// What is there and should not be. Nothing is missing from an answer that is not there, or where the way to it does not
/// lead either.
fn absent(expect: &Expect, body: Option<&Value>) -> Vec<String> {
    let wrong = |pointer: &String| {
        let Some(body) = body.filter(|body| !body.is_null()) else {
            return Some(format!("expected nothing at {pointer}, and there is no JSON that it could be missing from"));
        };
        let way = pointer.rsplit_once('/').map_or("", |(way, _)| way);
        if body.pointer(pointer).is_some() {
            return Some(format!("expected nothing at {pointer}, found {}", at(body, pointer)));
        }
        let within = body.pointer(way).is_some_and(|within| within.is_object() || within.is_array());
        (!within).then(|| format!("expected nothing at {pointer}, and {way} does not lead anywhere: {}", at(body, way)))
    };
    expect.absent.iter().filter_map(wrong).collect()
}

/// The elements that a list has to have and has not. What is told is where the nearest one is otherwise.
fn some(pointer: &str, wanted: &[BTreeMap<String, Value>], body: &Value) -> Vec<String> {
    let Some(Value::Array(items)) = body.pointer(pointer) else {
        return vec![format!("expected a list at {pointer}, found {}", at(body, pointer))];
    };
    let otherwise = |element: &BTreeMap<String, Value>, item: &Value| -> Vec<String> {
        let wrong = element.iter().filter(|(pointer, value)| item.pointer(pointer) != Some(value));
        wrong.map(|(pointer, value)| format!("{value} at {pointer}, found {}", at(item, pointer))).collect()
    };
    let missing = |element: &BTreeMap<String, Value>| {
        let nearest = items.iter().map(|item| otherwise(element, item)).min_by_key(Vec::len);
        match nearest {
            Some(nearest) if nearest.is_empty() => None,
            Some(nearest) => Some(format!("the nearest of {} has not {}", items.len(), nearest.join(", nor "))),
            None => Some("it is empty".to_owned()),
        }
    };
    let said = |element: &BTreeMap<String, Value>| {
        element.iter().map(|(pointer, value)| format!("{pointer}: {value}")).collect::<Vec<_>>().join(", ")
    };
    wanted
        .iter()
        .filter_map(|element| {
            let why = missing(element)?;
            Some(format!("expected an element with {{ {} }} in {pointer}; {why}", said(element)))
        })
        .collect()
}

/// What is at a pointer; when nothing is, how far it leads and what is there.
pub(crate) fn at(value: &Value, pointer: &str) -> String {
    if let Some(found) = value.pointer(pointer) {
        return shortened(&found.to_string());
    }
    let ends = pointer.match_indices('/').map(|(end, _)| &pointer[..end]);
    let Some((way, last)) = ends.rev().find_map(|way| Some((way, value.pointer(way)?))) else {
        return "nothing".to_owned();
    };
    let way = if way.is_empty() { "the whole" } else { way };
    match last {
        Value::Object(members) if members.is_empty() => format!("nothing ({way} is empty)"),
        Value::Object(members) => {
            format!("nothing ({way} has {})", members.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("nothing ({way} has {} elements)", items.len()),
        Value::Null => "nothing".to_owned(),
        other => format!("nothing ({way} is {})", shortened(&other.to_string())),
    }
}

fn listed(found: &[String]) -> String {
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= 120 { text.to_owned() } else { text.chars().take(120).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn happened() -> Happened {
        Happened {
            status: Some(200),
            body: Some(json!({"Data": {"Account": [{"Id": "1"}]}})),
            claims: Some(json!({"acr": "sca"})),
            shown: Some("Done.".to_owned()),
            ..Happened::default()
        }
    }

    fn expect(json: Value) -> Expect {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_expectation_has_its_mismatch() {
        for (wanted, message) in [
            (json!({"status": 201}), "expected the status 201, found 200"),
            (json!({"status": 403}), "expected a refusal, but the step was done"),
            (
                json!({"differs": {"/Data/Account/0/Id": "1"}}),
                "expected something other than \"1\" at /Data/Account/0/Id, found \"1\"",
            ),
            (
                json!({"differs": {"/Data/Id": "1"}}),
                "expected something other than \"1\" at /Data/Id, found nothing (/Data has Account)",
            ),
            (
                json!({"some": {"/Data/Account": [{"/Id": "2"}]}}),
                "expected an element with { /Id: \"2\" } in /Data/Account; the nearest of 1 has not \"2\" at /Id, found \"1\"",
            ),
            (
                json!({"some": {"/Data": [{"/Id": "1"}]}}),
                "expected a list at /Data, found {\"Account\":[{\"Id\":\"1\"}]}",
            ),
            (json!({"equal": {"/Data/Account/0/Id": "2"}}), "expected \"2\" at /Data/Account/0/Id, found \"1\""),
            (json!({"present": ["/Links"]}), "expected something at /Links, found nothing (the whole has Data)"),
            (
                json!({"equal": {"/Data/Acount/0": 1}}),
                "expected 1 at /Data/Acount/0, found nothing (/Data has Account)",
            ),
            (
                json!({"equal": {"/Data/Account/1/Id": 1}}),
                "expected 1 at /Data/Account/1/Id, found nothing (/Data/Account has 1 elements)",
            ),
            (
                json!({"at-least": {"/Data/Id": 1}}),
                "expected a list of at least 1 elements at /Data/Id, found nothing (/Data has Account)",
            ),
            (
                json!({"status": 201, "shows": ["Sorry"]}),
                "expected the status 201, found 200; expected \"Sorry\" to be shown, found Done.",
            ),
            (
                json!({"absent": ["/Dta/Account"]}),
                "expected nothing at /Dta/Account, and /Dta does not lead anywhere: nothing (the whole has Data)",
            ),
            (json!({"absent": ["/Data/Account/0/Id"]}), "expected nothing at /Data/Account/0/Id, found \"1\""),
            (json!({"at-least": {"/Data/Account": 2}}), "expected at least 2 elements at /Data/Account, found 1"),
            (json!({"contains": {"/Data/Account/0/Id": "2"}}), "expected \"2\" within /Data/Account/0/Id, found \"1\""),
            (json!({"claims": {"/acr": "ca"}}), "expected \"ca\" in the JWT at /acr, found \"sca\""),
            (json!({"shows": ["Sorry"]}), "expected \"Sorry\" to be shown, found Done."),
            (json!({"header-present": ["x-one"]}), "expected the header x-one, found none"),
            (json!({"refused": true}), "expected a refusal, but the step was done"),
            (json!({"headers": {"x-one": "1"}}), "expected the header x-one: 1, found none"),
        ] {
            assert_eq!(compare(&expect(wanted), &happened(), &[]).as_deref(), Some(message));
        }
        let right = json!({"status": 200, "equal": {"/Data/Account/0/Id": "1"}, "at-least": {"/Data/Account": 1},
            "absent": ["/Links", "/Data/Account/0/Name"], "differs": {"/Data/Account/0/Id": "2"}, "some": {"/Data/Account": [{"/Id": "1"}]}});
        assert_eq!(compare(&expect(right), &happened(), &[]), None);
        let nothing = compare(&expect(json!({"absent": ["/Data"]})), &Happened::default(), &[]).unwrap();
        assert!(nothing.contains("there is no JSON"), "{nothing}");
    }

    #[test]
    fn refusals_are_compared_by_code_and_rule() {
        let refused = Happened {
            refused: Some("the bank answered 400".to_owned()),
            status: Some(400),
            body: Some(json!({"Errors": [{"ErrorCode": "U002"}]})),
            ..Happened::default()
        };
        assert_eq!(compare(&expect(json!({"error": "U002"})), &refused, &[]), None);
        let other = compare(&expect(json!({"error": "U003"})), &refused, &[]);
        assert_eq!(other.as_deref(), Some("expected the error U003, found U002"));
        let silent = compare(&expect(json!({"rule": "api.consent.own"})), &refused, &[]);
        assert_eq!(silent.as_deref(), Some("expected the rule api.consent.own to speak, found none"));
        assert_eq!(compare(&expect(json!({})), &refused, &[]).as_deref(), Some("the bank answered 400"));
        assert_eq!(compare(&expect(json!({"says": ["answered 400"]})), &refused, &[]), None);
        let other = compare(&expect(json!({"says": ["revoked"]})), &refused, &[]);
        assert_eq!(other.as_deref(), Some("expected the refusal to say \"revoked\", found the bank answered 400"));
        let undone = Happened { refused: Some("no page".to_owned()), undone: true, ..Happened::default() };
        let other = compare(&expect(json!({"refused": true})), &undone, &[]);
        assert_eq!(other.as_deref(), Some("expected a refusal, but the step could not be done: no page"));
        let done = compare(&expect(json!({"says": ["revoked"]})), &happened(), &[]);
        assert_eq!(done.as_deref(), Some("expected a refusal, but the step was done"));
    }
}
