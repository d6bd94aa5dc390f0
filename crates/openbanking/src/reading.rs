//! Reading request bodies against schemas that are data, so that a refusal names the member and the right error code.
//!
//! A schema is written once for both versions: members that one version does not know say so ([`Member::only`]), and
//! forms that differ stand side by side ([`Form::ByVersion`]).

use crate::dates;
use crate::error::{ErrorCode, ErrorDetail};
use crate::version::ApiVersion;
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
    /// The only version that knows it; none when both do.
    pub only: Option<ApiVersion>,
}

impl Member {
    /// A member that must be there.
    pub const fn required(name: &'static str, form: Form) -> Self {
        Self { name, required: true, form, only: None }
    }

    /// A member that may be left out.
    pub const fn optional(name: &'static str, form: Form) -> Self {
        Self { name, required: false, form, only: None }
    }

    /// The same member, which may be left out here.
    #[must_use]
    pub const fn or_none(self) -> Self {
        Self { required: false, ..self }
    }

    /// The same member, in that version alone.
    #[must_use]
    pub const fn only(self, version: ApiVersion) -> Self {
        Self { only: Some(version), ..self }
    }

    fn known_to(&self, version: ApiVersion) -> bool {
        self.only.is_none_or(|only| only == version)
    }
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// An object with these members and no others.
    Object(&'static [Member]),
    /// An object with these members, and perhaps others that nobody looks at.
    Open(&'static [Member]),
    /// A list with at least so many elements of that form.
    List(usize, &'static Form),
    /// A list with at most so many elements of that form.
    ListUpTo(usize, &'static Form),
    /// A date-time with an offset.
    DateTime,
    /// Text of at most so many characters, and not empty.
    Text(usize),
    /// Text of at least and at most so many characters.
    TextOf(usize, usize),
    /// One of a list of codes, which are named in the words beside it.
    Code(fn(&str) -> bool, &'static str),
    /// Text that passes a test, which the words describe; otherwise this error.
    Matching(fn(&str) -> bool, &'static str, ErrorCode),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// True or false.
    Boolean,
    /// A number.
    Number,
    /// A whole number of 32 bits.
    Integer,
    /// The first in v3.1, the second in v4.0.
    ByVersion(&'static Form, &'static Form),
    /// One or the other; a refusal speaks of the second.
    Either(&'static Form, &'static Form),
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

impl ReadingError {
    /// A refusal of the member at that path.
    pub fn new(
        code: ErrorCode,
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { code, path: path.into(), expected: expected.into(), found: found.into() }
    }
}

impl From<ReadingError> for ErrorDetail {
    fn from(error: ReadingError) -> Self {
        let detail = Self::new(error.code, format!("Expected {}, found {}", error.expected, error.found));
        if error.path.is_empty() { detail } else { detail.at(error.path) }
    }
}

/// Reads a body that must be an object with these members and no others, in a schema that both versions share.
///
/// # Errors
/// The first thing that is wrong, in the order of the schema; unknown members come last.
pub fn read<T: DeserializeOwned>(body: &[u8], members: &'static [Member]) -> Result<T, ReadingError> {
    read_form(body, &Form::Object(members), ApiVersion::V4_0)
}

/// Reads a body that must have that form in that version.
///
/// # Errors
/// As [`read`].
pub fn read_form<T: DeserializeOwned>(body: &[u8], form: &Form, version: ApiVersion) -> Result<T, ReadingError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    check(&value, form, version)?;
    serde_json::from_value(value).map_err(|error| malformed(error.to_string()))
}

/// Judges a value that is to be a whole body.
///
/// # Errors
/// As [`read`].
pub fn check(value: &Value, form: &Form, version: ApiVersion) -> Result<(), ReadingError> {
    if !value.is_object() {
        return Err(malformed(shown(value)));
    }
    Reader { version }.check(value, form, "")
}

fn malformed(found: String) -> ReadingError {
    ReadingError::new(ErrorCode::ResourceInvalidFormat, "", "a JSON object", found)
}

/// A schema is read in one version.
struct Reader {
    version: ApiVersion,
}

impl Reader {
    fn check_object(&self, object: &Map<String, Value>, members: &[Member], path: &str) -> Result<(), ReadingError> {
        for member in members.iter().filter(|member| member.known_to(self.version)) {
            match object.get(member.name) {
                Some(value) => self.check(value, &member.form, &place(path, member.name))?,
                None if member.required => {
                    let expected = format!("the member {}", member.name);
                    return Err(ReadingError::new(ErrorCode::FieldMissing, place(path, member.name), expected, "none"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn check_unknown(&self, object: &Map<String, Value>, members: &[Member], path: &str) -> Result<(), ReadingError> {
        let known = || members.iter().filter(|member| member.known_to(self.version)).map(|member| member.name);
        let Some(name) = object.keys().find(|name| known().all(|known| known != name.as_str())) else {
            return Ok(());
        };
        let names: Vec<_> = known().collect();
        let expected = if names.is_empty() { "no members".to_owned() } else { format!("only {}", names.join(", ")) };
        Err(ReadingError::new(ErrorCode::FieldUnexpected, place(path, &cut(name)), expected, cut(name)))
    }

    fn check(&self, value: &Value, form: &Form, path: &str) -> Result<(), ReadingError> {
        let wrong = |code, expected: String| Err(ReadingError::new(code, path, expected, shown(value)));
        let invalid = |expected: String| wrong(ErrorCode::FieldInvalid, expected);
        let of_length = |text: &str, least, most| (least..=most).contains(&text.chars().count());
        match (form, value) {
            (Form::ByVersion(v3, v4), _) => match self.version {
                ApiVersion::V3_1 => self.check(value, v3, path),
                ApiVersion::V4_0 => self.check(value, v4, path),
            },
            (Form::Either(one, other), _) => self.check(value, one, path).or_else(|_| self.check(value, other, path)),
            (Form::Object(members), Value::Object(object)) => {
                self.check_object(object, members, path)?;
                self.check_unknown(object, members, path)
            }
            (Form::Open(members), Value::Object(object)) => self.check_object(object, members, path),
            (Form::Object(_) | Form::Open(_), _) => invalid("an object".to_owned()),
            (Form::List(least, form), Value::Array(list)) if list.len() >= *least => self.check_items(list, form, path),
            (Form::List(least, _), _) => invalid(format!("a list with at least {least} elements")),
            (Form::ListUpTo(most, form), Value::Array(list)) if list.len() <= *most => {
                self.check_items(list, form, path)
            }
            (Form::ListUpTo(most, _), _) => invalid(format!("a list with at most {most} elements")),
            (Form::DateTime, Value::String(text)) => match dates::parse_request(text) {
                Ok(_) => Ok(()),
                Err(error) => wrong(ErrorCode::FieldInvalidDate, error.expected.to_owned()),
            },
            (Form::DateTime, _) => wrong(ErrorCode::FieldInvalidDate, "a date-time".to_owned()),
            (Form::Text(most), Value::String(text)) if of_length(text, 1, *most) => Ok(()),
            (Form::Text(most), _) => invalid(format!("text of 1 to {most} characters")),
            (Form::TextOf(least, most), Value::String(text)) if of_length(text, *least, *most) => Ok(()),
            (Form::TextOf(least, most), _) => invalid(format!("text of {least} to {most} characters")),
            (Form::Code(known, _), Value::String(text)) if known(text) => Ok(()),
            (Form::Code(_, words), _) => invalid((*words).to_owned()),
            (Form::Matching(matches, ..), Value::String(text)) if matches(text) => Ok(()),
            (Form::Matching(_, words, code), Value::String(_)) => wrong(*code, (*words).to_owned()),
            (Form::Matching(_, words, _), _) => invalid((*words).to_owned()),
            (Form::OneOf(known), Value::String(text)) if known.contains(&text.as_str()) => Ok(()),
            (Form::OneOf(known), _) => invalid(format!("one of {}", known.join(", "))),
            (Form::Boolean, Value::Bool(_)) | (Form::Number, Value::Number(_)) => Ok(()),
            (Form::Boolean, _) => invalid("true or false".to_owned()),
            (Form::Number, _) => invalid("a number".to_owned()),
            (Form::Integer, Value::Number(number)) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                Ok(())
            }
            (Form::Integer, _) => invalid("a whole number".to_owned()),
        }
    }

    fn check_items(&self, list: &[Value], form: &Form, path: &str) -> Result<(), ReadingError> {
        list.iter().enumerate().try_for_each(|(index, item)| self.check(item, form, &format!("{path}[{index}]")))
    }
}

fn place(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The value, cut short.
fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

/// At most 80 characters of what somebody sent.
fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        None => text.to_owned(),
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
