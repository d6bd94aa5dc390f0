//! The form of scenario files as a JSON Schema, made from the types that read them.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Scenario, reading::Fragment, steps::REASONS};

/// A file is a scenario, or steps that scenarios include.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum File {
    Scenario(Box<Scenario>),
    Fragment(Fragment),
}

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft07());
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), json!("Scenario files of ob-sandbox"));
    }
    refine(&mut schema);
    schema
}

/// Steps and the members that they cannot be without.
const REQUIRED: &[(&str, &[&str])] = &[
    ("CallStep", &["path"]),
    ("VisitStep", &["page"]),
    ("FaultStep", &["at", "fault"]),
    ("SetAccountStatusStep", &["account"]),
    ("RejectPaymentStep", &["payment"]),
    ("SettlePaymentStep", &["payment"]),
];

/// A JSON pointer (RFC 6901).
const POINTER: &str = "^(/.*)?$";

/// Says what the types do not: what the checks of a file demand beside its form.
fn refine(schema: &mut Value) {
    texts(schema);
    let mut put = |definition: &str, pointer: &str, members: Value| {
        let place = schema.pointer_mut(&format!("/definitions/{definition}{pointer}")).and_then(Value::as_object_mut);
        if let (Some(place), Value::Object(members)) = (place, members) {
            place.extend(members);
        }
    };
    for (step, members) in REQUIRED {
        put(step, "", json!({ "required": members }));
    }
    put("Scenario", "/properties/steps", json!({ "minItems": 1 }));
    put("Expect", "/properties/status", json!({ "minimum": 100, "maximum": 599 }));
    for list in ["present", "absent"] {
        put("Expect", &format!("/properties/{list}/items"), json!({ "pattern": POINTER }));
    }
    for map in ["equal", "differs", "contains", "at-least", "claims", "some"] {
        put("Expect", &format!("/properties/{map}"), json!({ "propertyNames": { "pattern": POINTER } }));
    }
    put("Expect", "/properties/some/additionalProperties", json!({ "minItems": 1 }));
    let element = json!({ "minProperties": 1, "propertyNames": { "pattern": POINTER } });
    put("Expect", "/properties/some/additionalProperties/items", element);
    put("CallStep", "/properties/path", json!({ "pattern": r"^(/|https://|\{)" }));
    put("CallStep", "/properties/method", json!({ "pattern": super::checking::METHODS }));
    put("FaultStep", "/properties/fault", fault());
    put("MisbehaveStep", "/properties/deviations/items", json!({ "enum": party::lesson::deviations() }));
    let reasons: Vec<Value> = REASONS.iter().map(|reason| json!(reason)).chain([Value::Null]).collect();
    put("RejectPaymentStep", "/properties/reason", json!({ "enum": reasons }));
    let kept = json!({ "pattern": "^(/.*)?$|^header .|^claim " });
    for (_, definition) in definitions(schema) {
        let place = definition.pointer_mut("/properties/keep/additionalProperties").and_then(Value::as_object_mut);
        if let (Some(place), Value::Object(kept)) = (place, kept.clone()) {
            place.extend(kept);
        }
    }
}

fn definitions(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schema.get_mut("definitions").and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut)
}

/// Where a text stands, a file may have a number or a truth value, which is taken as its text.
fn texts(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(texts),
        Value::Object(members) => {
            let plain = !["pattern", "enum", "const"].iter().any(|limit| members.contains_key(*limit));
            match members.get_mut("type") {
                Some(kind) if plain && *kind == "string" => *kind = json!(["string", "number", "boolean"]),
                Some(Value::Array(kinds)) if plain && kinds.iter().any(|kind| kind == "string") => {
                    kinds.extend([json!("number"), json!("boolean")]);
                }
                _ => {}
            }
            members.values_mut().for_each(texts);
        }
        _ => {}
    }
}

/// The form of `simulation::faults::Fault`.
fn fault() -> Value {
    let text = || json!({ "type": ["string", "null"] });
    let counted = || json!({ "type": ["integer", "null"], "minimum": 1 });
    let bytes = || json!({ "type": "integer", "minimum": 0 });
    let answer = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["status"],
        "properties": { "status": { "type": "integer", "minimum": 200, "maximum": 599 }, "body": text(), "content-type": text() }
    });
    let of = |name: &str, form: Value| json!({ "type": "object", "additionalProperties": false, "required": [name], "properties": { name: form } });
    json!({
        "additionalProperties": false,
        "properties": {
            "method": text(), "path": text(), "client": text(), "organisation": text(),
            "nth": counted(), "times": counted(),
            "probability": { "type": ["number", "null"], "minimum": 0, "maximum": 1 },
            "seed": { "type": ["integer", "null"], "minimum": 0 },
            "when": { "enum": ["before", "after"] },
            "delay": { "type": ["integer", "null"], "minimum": 0, "maximum": simulation::faults::LONGEST_DELAY },
            "effect": { "anyOf": [
                { "enum": ["drop", "break-signature", null] },
                of("answer", answer), of("truncate", bytes()), of("alter", bytes())
            ] }
        },
        "anyOf": [{ "required": ["delay"] }, { "required": ["effect"] }]
    })
}

/// The schema as a file.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", schema())
}
