//! Reading request bodies against closed schemas, so that a refusal names the member and the right error code.

use crate::dates;
use crate::error::{ErrorCode, ErrorDetail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

/// A member of an object of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// True when it must be there.
    pub required: bool,
    /// What it must be.
    pub form: Form,
}

impl Member {
    /// A member that must be there.
    pub const fn required(name: &'static str, form: Form) -> Self {
        Self { name, required: true, form }
    }

    /// A member that may be left out.
    pub const fn optional(name: &'static str, form: Form) -> Self {
        Self { name, required: false, form }
    }
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// An object with these members and no others.
    Object(&'static [Member]),
    /// A list with at least so many elements of that form.
    List(usize, &'static Form),
    /// A date-time with an offset.
    DateTime,
    /// Text of at most so many characters, and not empty.
    Text(usize),
    /// One of a list of codes, which are named in the words beside it.
    Code(fn(&str) -> bool, &'static str),
}

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct ReadingError {
    /// The error code for the wire.
    pub code: ErrorCode,
    /// Path of the member, such as `Data.Permissions[2]`; empty for the body as a whole.
    pub path: String,
    /// What would have been right.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl From<ReadingError> for ErrorDetail {
    fn from(error: ReadingError) -> Self {
        let detail = Self::new(error.code, format!("Expected {}, found {}", error.expected, error.found));
        if error.path.is_empty() { detail } else { detail.at(error.path) }
    }
}

/// Reads a body that must be an object with these members and no others.
///
/// # Errors
/// The first thing that is wrong, in the order of the schema; unknown members come last.
pub fn read<T: DeserializeOwned>(body: &[u8], members: &'static [Member]) -> Result<T, ReadingError> {
    let malformed = |found: String| ReadingError {
        code: ErrorCode::ResourceInvalidFormat,
        path: String::new(),
        expected: "a JSON object".to_owned(),
        found,
    };
    let value: Value = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    match &value {
        Value::Object(object) => check_object(object, members, "")?,
        other => return Err(malformed(shown(other))),
    }
    serde_json::from_value(value).map_err(|error| malformed(error.to_string()))
}

fn check_object(object: &Map<String, Value>, members: &[Member], path: &str) -> Result<(), ReadingError> {
    let place = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for member in members {
        match object.get(member.name) {
            Some(value) => check(value, &member.form, &place(member.name))?,
            None if member.required => {
                let expected = format!("the member {}", member.name);
                return Err(refusal(ErrorCode::FieldMissing, place(member.name), expected, "none".to_owned()));
            }
            None => {}
        }
    }
    match object.keys().find(|name| members.iter().all(|member| member.name != name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<_> = members.iter().map(|member| member.name).collect();
            let expected =
                if names.is_empty() { "no members".to_owned() } else { format!("only {}", names.join(", ")) };
            Err(refusal(ErrorCode::FieldUnexpected, place(name), expected, name.clone()))
        }
    }
}

fn check(value: &Value, form: &Form, path: &str) -> Result<(), ReadingError> {
    let wrong = |code, expected: String| Err(refusal(code, path.to_owned(), expected, shown(value)));
    let invalid = |expected: String| wrong(ErrorCode::FieldInvalid, expected);
    match (form, value) {
        (Form::Object(members), Value::Object(object)) => check_object(object, members, path),
        (Form::Object(_), _) => invalid("an object".to_owned()),
        (Form::List(least, form), Value::Array(list)) if list.len() >= *least => {
            list.iter().enumerate().try_for_each(|(index, item)| check(item, form, &format!("{path}[{index}]")))
        }
        (Form::List(least, _), _) => invalid(format!("a list with at least {least} elements")),
        (Form::DateTime, Value::String(text)) => match dates::parse_request(text) {
            Ok(_) => Ok(()),
            Err(error) => wrong(ErrorCode::FieldInvalidDate, error.expected.to_owned()),
        },
        (Form::DateTime, _) => wrong(ErrorCode::FieldInvalidDate, "a date-time".to_owned()),
        (Form::Text(most), Value::String(text)) if (1..=*most).contains(&text.chars().count()) => Ok(()),
        (Form::Text(most), _) => invalid(format!("text of 1 to {most} characters")),
        (Form::Code(known, _), Value::String(text)) if known(text) => Ok(()),
        (Form::Code(_, words), _) => invalid((*words).to_owned()),
    }
}

fn refusal(code: ErrorCode, path: String, expected: String, found: String) -> ReadingError {
    ReadingError { code, path, expected, found }
}

/// The value, cut short.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MEMBERS: &[Member] = &[
        Member::required("Names", Form::List(1, &Form::Text(3))),
        Member::optional("At", Form::DateTime),
        Member::optional("Colour", Form::Code(|text| text == "red", "a colour")),
        Member::optional("Inner", Form::Object(&[])),
    ];

    fn refused(body: &str) -> (ErrorCode, String) {
        let error = read::<Value>(body.as_bytes(), MEMBERS).unwrap_err();
        (error.code, error.path)
    }

    #[test]
    fn refusals_name_the_place() {
        use ErrorCode as C;
        let full = r#"{"Names":["a"],"At":"2026-01-01T00:00:00Z","Colour":"red","Inner":{}}"#;
        assert!(read::<Value>(full.as_bytes(), MEMBERS).is_ok());
        for (body, code, path) in [
            ("", C::ResourceInvalidFormat, ""),
            ("[]", C::ResourceInvalidFormat, ""),
            ("{}", C::FieldMissing, "Names"),
            (r#"{"Names":[]}"#, C::FieldInvalid, "Names"),
            (r#"{"Names":"a"}"#, C::FieldInvalid, "Names"),
            (r#"{"Names":null}"#, C::FieldInvalid, "Names"),
            (r#"{"Names":["a","abcd"]}"#, C::FieldInvalid, "Names[1]"),
            (r#"{"Names":["a"],"At":"tomorrow"}"#, C::FieldInvalidDate, "At"),
            (r#"{"Names":["a"],"At":7}"#, C::FieldInvalidDate, "At"),
            (r#"{"Names":["a"],"Colour":"blue"}"#, C::FieldInvalid, "Colour"),
            (r#"{"Names":["a"],"Inner":{"x":1}}"#, C::FieldUnexpected, "Inner.x"),
            (r#"{"Names":["a"],"More":1}"#, C::FieldUnexpected, "More"),
        ] {
            assert_eq!(refused(body), (code, path.to_owned()), "{body}");
        }
    }

    #[test]
    fn long_values_are_not_repeated() {
        let body = format!(r#"{{"Names":["{}"]}}"#, "é".repeat(500));
        let error = read::<Value>(body.as_bytes(), MEMBERS).unwrap_err();
        assert_eq!(error.found.chars().count(), 81);
        let detail = ErrorDetail::from(error);
        assert_eq!(detail.path.as_deref(), Some("Names[0]"));
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read::<Value>(&body, MEMBERS);
        }
    }
}
