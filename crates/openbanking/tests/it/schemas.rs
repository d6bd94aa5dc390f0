//! The schemas of an OpenAPI file as JSON Schemas.

use serde_json::{Value, json};
use std::path::Path;

/// An OpenAPI file.
pub(crate) struct Specification(Value);

impl Specification {
    /// Reads a file of the specifications beside the repository; `None` when it is not there.
    pub(crate) fn open(file: &str) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(file);
        let text = std::fs::read_to_string(path).ok()?;
        let document = if file.ends_with(".json") {
            serde_json::from_str(&text).unwrap()
        } else {
            serde_saphyr::from_str(&text).unwrap()
        };
        Some(Self(document))
    }

    /// The list at that place.
    pub(crate) fn values(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Everything that is wrong with the body by that schema, formats included.
    pub(crate) fn errors(&self, schema: &str, body: &Value) -> Vec<String> {
        assert!(self.0["components"]["schemas"].get(schema).is_some(), "no schema {schema}");
        // OpenAPI 3.0 schemas are nearly those of draft 4.
        let document = json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "$ref": format!("#/components/schemas/{schema}"),
            "components": self.0["components"]
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&document).unwrap();
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }
}
