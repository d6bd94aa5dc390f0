//! For tests only.
//!
//! - [`Specification`]: the published OpenAPI files as JSON Schemas. They lie beside the repository, not in it; without
//!   them [`Specification::open`] says so and tests that need them are skipped
//! - [`payments`]: bodies of payments with every member that their schemas know
//! - [`settings`]: a program's settings in their three forms
#![expect(clippy::print_stderr, reason = "tells what was skipped")]

pub mod payments;
pub mod settings;

use std::path::Path;

use serde_json::{Value, json};

/// An OpenAPI file.
pub struct Specification(Value);

/// A file or schema that tests need cannot be used.
#[derive(Debug)]
pub struct Unusable(pub String);

impl Specification {
    /// Reads a file of `../shared/specs`; none, with a message, when it is not there.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn open(file: &str) -> Result<Option<Self>, Unusable> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: shared/specs/{file} is not there");
            return Ok(None);
        };
        let document = if file.ends_with(".json") {
            serde_json::from_str(&text).map_err(|error| Unusable(format!("{file}: {error}")))
        } else {
            serde_saphyr::from_str(&text).map_err(|error| Unusable(format!("{file}: {error}")))
        };
        document.map(|document| Some(Self(document)))
    }

    /// The list at that place.
    #[must_use]
    pub fn values(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Everything that is wrong with the body by that schema, formats included.
    ///
    /// # Errors
    /// There is no such schema, or it cannot be used.
    pub fn errors(&self, schema: &str, body: &Value) -> Result<Vec<String>, Unusable> {
        self.schema(schema).map(|schema| schema.errors(body))
    }

    /// A schema that judges many bodies.
    ///
    /// # Errors
    /// There is no such schema, or it cannot be used.
    pub fn schema(&self, schema: &str) -> Result<Schema, Unusable> {
        if self.0.pointer(&format!("/components/schemas/{schema}")).is_none() {
            return Err(Unusable(format!("no schema {schema}")));
        }
        // OpenAPI 3.0 schemas are nearly those of draft 4.
        let document = json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "$ref": format!("#/components/schemas/{schema}"),
            "components": self.0["components"]
        });
        jsonschema::options()
            .should_validate_formats(true)
            .build(&document)
            .map(Schema)
            .map_err(|error| Unusable(error.to_string()))
    }
}

/// A schema of a [`Specification`], ready to judge.
pub struct Schema(jsonschema::Validator);

impl Schema {
    /// Everything that is wrong with the body, formats included.
    #[must_use]
    pub fn errors(&self, body: &Value) -> Vec<String> {
        self.0.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// Whether nothing is.
    #[must_use]
    pub fn accepts(&self, body: &Value) -> bool {
        self.0.is_valid(body)
    }
}
