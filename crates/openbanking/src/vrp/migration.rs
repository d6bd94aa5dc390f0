//! Consents of an older version in the form of a newer one (VRP Profile, Migration of a consent to a new version): the
//! same values under the newer version's names and codes.

use super::request::VrpConsentRequest;
use crate::error::ErrorCode;
use crate::payments::first_difference;
use crate::reading::ReadingError;
use crate::version::ApiVersion;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// The most operations of one patch.
const MOST_OPERATIONS: usize = 100;
/// The longest body that a patch may make, in bytes: what is copied again and again grows quickly.
const LONGEST: usize = 128 * 1024;

/// Where addresses stand.
const ADDRESSES: [&str; 2] = ["/Data/Initiation/CreditorPostalAddress", "/Risk/DeliveryAddress"];

/// Types of addresses in v3.1 and v4.0.
const ADDRESS_TYPES: &[(&str, &str)] = &[
    ("Business", "BIZZ"),
    ("Correspondence", "CORR"),
    ("DeliveryTo", "DLVY"),
    ("MailTo", "MLTO"),
    ("POBox", "PBOX"),
    ("Postal", "ADDR"),
    ("Residential", "HOME"),
    ("Statement", "STAT"),
];

/// Where the remittance stands.
const REMITTANCE: &str = "Data.Initiation.RemittanceInformation";

/// The name of a member of `Risk` in v3.1 and in v4.0.
const CONTRACT_PRESENT: (&str, &str) = ("ContractPresentInidicator", "ContractPresentIndicator");

impl VrpConsentRequest {
    /// The body with the changes of a JSON Patch (RFC 6902), in this version's form: all of them, or none.
    ///
    /// # Errors
    /// It is no patch, a change cannot be made, or the outcome is not what the schema of the version allows.
    pub fn patched(&self, version: ApiVersion, patch: &[u8]) -> Result<Self, ReadingError> {
        let wrong = |path: &str, expected: &str, found: String| {
            ReadingError::new(ErrorCode::ResourceInvalidFormat, path, expected, found)
        };
        let Patch(operations) = serde_json::from_slice(patch)
            .map_err(|error| wrong("", "an array of JSON Patch operations (RFC 6902)", error.to_string()))?;
        if operations.len() > MOST_OPERATIONS {
            let expected = format!("at most {MOST_OPERATIONS} operations");
            return Err(wrong("", &expected, operations.len().to_string()));
        }
        let mut body = self.whole().clone();
        for operation in operations {
            let grows = matches!(operation, PatchOperation::Copy(_));
            json_patch::patch(&mut body, &[operation]).map_err(|error| {
                let path = dotted(error.path.as_str());
                ReadingError::new(ErrorCode::FieldInvalid, path, "a change that can be made", error.kind.to_string())
            })?;
            if grows && body.to_string().len() > LONGEST {
                return Err(wrong("", "a consent of usual length", format!("more than {LONGEST} bytes")));
            }
        }
        Self::read(version, body.to_string().as_bytes())
    }

    /// Whether the newer body says the same in the form of its version.
    ///
    /// # Errors
    /// `Resource.ConsentMismatch` with the path of the first value that is another one.
    pub fn says_the_same_as(&self, newer: &Self) -> Result<(), ReadingError> {
        let (old, new) = (canonical(self.whole()), canonical(newer.whole()));
        let different = ["Data", "Risk"].into_iter().find_map(|name| first_difference(&old[name], &new[name], name));
        different.map_or(Ok(()), |mut different| {
            // Its texts have no places of their own in either form.
            if different.path.starts_with(REMITTANCE) {
                REMITTANCE.clone_into(&mut different.path);
            }
            Err(different)
        })
    }
}

/// `/Data/Initiation` as paths in errors are written.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// What both versions' forms of a body have in common.
fn canonical(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(risk) = body["Risk"].as_object_mut()
        && let Some(present) = risk.remove(CONTRACT_PRESENT.0)
    {
        risk.entry(CONTRACT_PRESENT.1).or_insert(present);
    }
    for address in ADDRESSES {
        if let Some(Value::String(found)) = body.pointer_mut(&format!("{address}/AddressType"))
            && let Some((_, code)) = ADDRESS_TYPES.iter().find(|(name, _)| name == found)
        {
            (*code).clone_into(found);
        }
    }
    if let Some(remittance) = body.pointer_mut("/Data/Initiation/RemittanceInformation") {
        *remittance = texts(remittance);
    }
    body
}

/// The texts of a remittance in either form, in the order of the alphabet; what is no text stays as it is.
fn texts(remittance: &Value) -> Value {
    let Some(members) = remittance.as_object() else { return remittance.clone() };
    let mut found = Vec::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("Unstructured" | "Reference", Value::String(text)) => found.push(Value::String(text.clone())),
            ("Unstructured", Value::Array(texts)) => found.extend(texts.iter().cloned()),
            ("Structured", Value::Array(parts)) => found.extend(parts.iter().map(reference)),
            _ => found.push(serde_json::json!({ name: value })),
        }
    }
    found.sort_by_key(Value::to_string);
    Value::Array(found)
}

/// A structured part that is nothing but a reference is that text.
fn reference(part: &Value) -> Value {
    let inner = &part["CreditorReferenceInformation"];
    let alone = |value: &Value| value.as_object().is_some_and(|members| members.len() == 1);
    match &inner["Reference"] {
        text @ Value::String(_) if alone(part) && alone(inner) => text.clone(),
        _ => part.clone(),
    }
}
