//! A body broken in every place, and the verdicts of a published schema and of our reader beside each other.

use openbanking::error::ErrorCode;
use openbanking::reading::ReadingError;
use serde_json::{Map, Value, json};
use testkit::Schema;

/// A reader of ours.
pub(crate) type Read<'a> = &'a dyn Fn(&[u8]) -> Result<(), ReadingError>;

/// What was done to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// A member was taken away.
    Removed,
    /// A member that no schema knows was added.
    Added,
    /// A value was replaced.
    Replaced,
}

/// A broken body.
struct Mutation {
    deed: Deed,
    path: String,
    body: Value,
}

/// Members whose values this bank's reader knows better than the OpenAPI files, which leave them to lists elsewhere or
/// do not anchor their patterns.
const STRICTER: &[&str] = &[
    "SchemeName",
    "LocalInstrument",
    "FileType",
    "NumberOfTransactions",
    "DestinationCountryCode",
    "VRPType",
    "PSUAuthenticationMethod",
    "PSUAuthenticationMethods",
    // VRP lets them be empty, payments do not.
    "Invoicer",
    "Invoicee",
];

/// Members that the last schema alone refuses, in the form that v4.0 has them in.
const OF_V4_0: &[&str] = &["ReferredDocumentAmount"];

/// Breaks the body in every place. What the schema refuses, the reader must refuse with the right code and the path of
/// that very place; what the schema accepts, the reader may only refuse where it is known to be stricter. What lies below
/// the paths that were judged elsewhere is left alone. Returns how many mutations the schema refused.
pub(crate) fn judge(name: &str, schema: &Schema, body: &Value, elsewhere: &[&str], read: Read<'_>) -> usize {
    let errors = schema.errors(body);
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{body:#}");
    read(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut refused = 0;
    let mut complaints = Vec::new();
    let below =
        |path: &str| elsewhere.iter().any(|place| path.strip_prefix(place).is_some_and(|rest| !rest.is_empty()));
    for Mutation { deed, path, body } in all(body).into_iter().filter(|mutation| !below(&mutation.path)) {
        let ours = read(body.to_string().as_bytes());
        if schema.accepts(&body) {
            let last = path.rsplit('.').next().unwrap_or_default().split('[').next().unwrap_or_default();
            if let Err(error) = ours
                && !STRICTER.contains(&last)
            {
                complaints.push(format!("{deed:?} {path}: refused: {error}"));
            }
            continue;
        }
        refused += 1;
        match ours {
            Ok(()) if OF_V4_0.iter().any(|name| path.ends_with(name)) => {}
            Ok(()) => complaints.push(format!("{deed:?} {path}: taken; {:?}", schema.errors(&body))),
            Err(error) if error.path != path || !fits(deed, &error) => {
                complaints.push(format!("{deed:?} {path}: {:?} {error}", error.code));
            }
            Err(_) => {}
        }
    }
    assert!(complaints.is_empty(), "{name}: {complaints:#?}");
    refused
}

/// Whether the code is the one for that deed in that place.
fn fits(deed: Deed, error: &ReadingError) -> bool {
    use ErrorCode as C;
    let name = error.path.rsplit('.').next().unwrap_or_default();
    match deed {
        Deed::Removed => error.code == C::FieldMissing,
        Deed::Added => error.code == C::FieldUnexpected,
        Deed::Replaced if name.ends_with("DateTime") || name.ends_with("Date") => error.code == C::FieldInvalidDate,
        Deed::Replaced => match error.code {
            C::FieldInvalid => true,
            C::UnsupportedScheme => name == "SchemeName",
            C::UnsupportedLocalInstrument => name == "LocalInstrument",
            C::UnsupportedFrequency => matches!(name, "Frequency" | "Type"),
            _ => false,
        },
    }
}

/// Every mutation of the members of a body; the body as a whole stays an object.
fn all(body: &Value) -> Vec<Mutation> {
    let mut found = Vec::new();
    inside(body, "", &mut |deed, path, value| found.push(Mutation { deed, path, body: value }));
    found
}

/// Hands each mutation of a value to the taker.
fn inside(value: &Value, path: &str, take: &mut dyn FnMut(Deed, String, Value)) {
    match value {
        Value::Object(object) => {
            let place = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let mut strange = object.clone();
            strange.insert("Mood".to_owned(), json!("good"));
            take(Deed::Added, place("Mood"), strange.into());
            for (name, member) in object {
                let others: Map<_, _> = object.iter().filter(|(other, _)| *other != name).collect_map();
                take(Deed::Removed, place(name), others.into());
                each(member, &place(name), &mut |deed, path, member| {
                    let mut object = object.clone();
                    object.insert(name.clone(), member);
                    take(deed, path, object.into());
                });
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                each(item, &format!("{path}[{index}]"), &mut |deed, path, item| {
                    let mut list = list.clone();
                    list[index] = item;
                    take(deed, path, list.into());
                });
            }
        }
        _ => {}
    }
}

/// Hands each replacement of a value, and each mutation inside it, to the taker.
fn each(value: &Value, path: &str, take: &mut dyn FnMut(Deed, String, Value)) {
    let long = "x".repeat(3000);
    let mut others = vec![Value::Null, json!(7), json!(1.5), json!(true), json!({}), json!([]), json!("")];
    others.extend([json!("§"), json!("zz"), json!("ABCD"), json!("999.999999"), json!(long)]);
    if let Value::Array(list) = value {
        others.push(std::iter::repeat_n(list[0].clone(), 20).collect());
    }
    // An object that lost all its members is another deed: what is missing has a place of its own.
    others.retain(|other| other != value && !(value.is_object() && other.is_object()));
    others.into_iter().for_each(|other| take(Deed::Replaced, path.to_owned(), other));
    inside(value, path, take);
}

/// Collects borrowed members.
trait CollectMap {
    fn collect_map(self) -> Map<String, Value>;
}

impl<'a, I: Iterator<Item = (&'a String, &'a Value)>> CollectMap for I {
    fn collect_map(self) -> Map<String, Value> {
        self.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
