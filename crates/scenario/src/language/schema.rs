//! The form of scenario files as a JSON Schema, made from the types that read them.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{Scenario, reading::Fragment};

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
    schema
}

/// The schema as a file.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", schema())
}
