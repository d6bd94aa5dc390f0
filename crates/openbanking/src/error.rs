//! Error codes and the error body of the Read/Write APIs (`OBErrorResponse1`).

use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares the codes once: variant, v4 code, v3 name, HTTP status.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $v4:literal, $v3:expr, $status:literal;)+) => {
        /// What is wrong: `OBErrorResponseError1Code` of v3.1, `OBExternalStatusReason1Code` of v4.0.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name),+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            fn row(self) -> (&'static str, Option<&'static str>, u16) {
                match self { $(Self::$name => ($v4, $v3, $status)),+ }
            }
        }
    };
}

error_codes! {
    /// The server failed.
    UnexpectedError = "U000", Some("UK.OBIE.UnexpectedError"), 500;
    /// A member is needed because of another one.
    FieldExpected = "U001", Some("UK.OBIE.Field.Expected"), 400;
    /// A value is wrong or too long.
    FieldInvalid = "U002", Some("UK.OBIE.Field.Invalid"), 400;
    /// A date is wrong.
    FieldInvalidDate = "U003", Some("UK.OBIE.Field.InvalidDate"), 400;
    /// A mandatory member is not there.
    FieldMissing = "U004", Some("UK.OBIE.Field.Missing"), 400;
    /// A member is there that may not be.
    FieldUnexpected = "U005", Some("UK.OBIE.Field.Unexpected"), 400;
    /// A header has a wrong value; its name stands in `Path`.
    HeaderInvalid = "U006", Some("UK.OBIE.Header.Invalid"), 400;
    /// A header is not there; its name stands in `Path`.
    HeaderMissing = "U007", Some("UK.OBIE.Header.Missing"), 400;
    /// The order is not what was consented to.
    ResourceConsentMismatch = "U008", Some("UK.OBIE.Resource.ConsentMismatch"), 400;
    /// The consent is not in the right state.
    ResourceInvalidConsentStatus = "U009", Some("UK.OBIE.Resource.InvalidConsentStatus"), 400;
    /// The body cannot be read into the schema.
    ResourceInvalidFormat = "U010", Some("UK.OBIE.Resource.InvalidFormat"), 400;
    /// No resource with this identifier.
    ResourceNotFound = "U011", Some("UK.OBIE.Resource.NotFound"), 400;
    /// Too late in the day.
    RulesAfterCutOffDateTime = "U012", Some("UK.OBIE.Rules.AfterCutOffDateTime"), 400;
    /// A reference was used before.
    RulesDuplicateReference = "U013", Some("UK.OBIE.Rules.DuplicateReference"), 400;
    /// Outside the control parameters of a VRP consent.
    RulesFailsControlParameters = "U014", Some("UK.OBIE.Rules.FailsControlParameters"), 400;
    /// The signature does not verify.
    SignatureInvalid = "U015", Some("UK.OBIE.Signature.Invalid"), 400;
    /// A claim in the signature's header is wrong.
    SignatureInvalidClaim = "U016", Some("UK.OBIE.Signature.InvalidClaim"), 400;
    /// A claim in the signature's header is not there.
    SignatureMissingClaim = "U017", Some("UK.OBIE.Signature.MissingClaim"), 400;
    /// The signature is not a detached JWS.
    SignatureMalformed = "U018", Some("UK.OBIE.Signature.Malformed"), 400;
    /// The signature is not there.
    SignatureMissing = "U019", Some("UK.OBIE.Signature.Missing"), 400;
    /// A signature where none belongs.
    SignatureUnexpected = "U020", Some("UK.OBIE.Signature.Unexpected"), 400;
    /// The account's identification cannot be used here.
    UnsupportedAccountIdentifier = "U021", Some("UK.OBIE.Unsupported.AccountIdentifier"), 400;
    /// The account's secondary identification cannot be used here.
    UnsupportedAccountSecondaryIdentifier = "U022", Some("UK.OBIE.Unsupported.AccountSecondaryIdentifier"), 400;
    /// The currency cannot be used here.
    UnsupportedCurrency = "U023", Some("UK.OBIE.Unsupported.Currency"), 400;
    /// The event type cannot be used here.
    UnsupportedEventType = "U024", Some("UK.OBIE.Unsupported.EventType"), 400;
    /// The frequency cannot be used here.
    UnsupportedFrequency = "U025", Some("UK.OBIE.Unsupported.Frequency"), 400;
    /// The local instrument cannot be used here.
    UnsupportedLocalInstrument = "U026", Some("UK.OBIE.Unsupported.LocalInstrument"), 400;
    /// The identification scheme cannot be used here.
    UnsupportedScheme = "U027", Some("UK.OBIE.Unsupported.Scheme"), 400;
    /// The PSU must authenticate again.
    Reauthenticate = "U028", Some("UK.OBIE.Reauthenticate"), 403;
    /// There is such a resource already.
    RulesResourceAlreadyExists = "U029", Some("UK.OBIE.Rules.ResourceAlreadyExists"), 409;
    /// Reason: the order was received.
    PaymentOrderReceived = "U030", None, 400;
    /// Reason: checks are yet to start.
    ChecksYetToStart = "U031", None, 400;
    /// Reason: the customer's profile was checked.
    CustomerProfileChecked = "U032", None, 400;
    /// Reason: the authorisation failed.
    AuthorisationFailed = "U033", None, 400;
    /// Reason: debited and sent to the next agent.
    DebitedAndSent = "U034", None, 400;
    /// Reason: the consent was consumed before.
    ConsentAlreadyConsumed = "U035", None, 400;
    /// Reason: the authorisation was not completed.
    AuthorisationNotCompleted = "U036", None, 400;
    /// Reason: one of several people did not authorise.
    AuthenticatorFailed = "U037", None, 400;
    /// Reason: the consent was consumed.
    ConsentConsumed = "U038", None, 400;
    /// Reason: it cannot be reinstated.
    ReinstateNotAllowed = "U039", None, 400;
    /// Reason: more people must authorise.
    AwaitingMultipleAuthentication = "U040", None, 400;
    /// Reason: an exemption from SCA was not applied.
    ExemptionNotApplied = "U041", None, 400;
    /// Reason: none that can be told.
    OtherReason = "U042", None, 400;
    /// The token expired with its consent.
    TokenExpired = "TKXP", None, 401;
    /// Access was suspended.
    TokenSuspended = "TKSP", None, 401;
}

impl ErrorCode {
    /// The code in that version. Codes that v3.1 does not have are `UK.OBIE.UnexpectedError` there.
    pub fn wire(self, version: ApiVersion) -> &'static str {
        let (v4, v3, _) = self.row();
        match version {
            ApiVersion::V3_1 => v3.unwrap_or("UK.OBIE.UnexpectedError"),
            ApiVersion::V4_0 => v4,
        }
    }

    /// The code of that name in whichever version.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| {
            let (v4, v3, _) = code.row();
            v4 == name || v3 == Some(name)
        })
    }

    /// HTTP status of a response whose first error this is. Mere reasons (U030 and up) count as 400.
    pub fn http_status(self) -> u16 {
        self.row().2
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().0)
    }
}

/// What v3.1 says about a status: `Code` without the number, and `Message`.
const STATUS_WORDS: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "The request is not valid"),
    (401, "Unauthorized", "The access token is not valid"),
    (403, "Forbidden", "Access is not allowed"),
    (404, "NotFound", "There is no such endpoint"),
    (405, "MethodNotAllowed", "The method is not allowed here"),
    (406, "NotAcceptable", "No acceptable representation"),
    (409, "Conflict", "The request conflicts with the state of the resource"),
    (413, "ContentTooLarge", "The body is too large"),
    (415, "UnsupportedMediaType", "The media type is not supported"),
    (422, "UnprocessableContent", "The request cannot be processed"),
    (429, "TooManyRequests", "Too many requests"),
    (503, "ServiceUnavailable", "The service is not available"),
];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetail {
    /// What sort of thing.
    pub code: ErrorCode,
    /// For people; at most 500 characters are sent.
    pub message: String,
    /// Where: path of the member (`Data.Permissions`) or name of the header.
    pub path: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
}

impl ErrorDetail {
    /// An error that has no place.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: None, url: None }
    }

    /// The error, at this place.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }
}

/// `OBErrorResponse1`, for writing and for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorBody {
    /// Status in words; v3.1 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Names the error in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Summary; v3.1 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// At least one.
    pub errors: Vec<ErrorItem>,
}

/// `OBError1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorItem {
    /// The code as written in the version.
    pub error_code: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl ErrorBody {
    /// The body of a response with this status, in the form of the version: v3.1 demands `Code` and `Message`, v4.0
    /// deprecates both. Texts are cut to the lengths of the schema. `id` has at most 40 characters (a UUID does).
    pub fn new(version: ApiVersion, status: u16, id: &str, first: ErrorDetail) -> Self {
        let words = STATUS_WORDS.iter().find(|(known, ..)| *known == status);
        let (name, message) =
            words.map_or(("InternalServerError", "Something went wrong"), |(_, name, text)| (name, text));
        let old = version == ApiVersion::V3_1;
        Self {
            code: old.then(|| format!("{status} {name}")),
            id: non_empty(cut(id, 40)),
            message: old.then(|| message.to_owned()),
            errors: vec![ErrorItem::new(version, first)],
        }
    }

    /// The same with one more error.
    #[must_use]
    pub fn and(mut self, version: ApiVersion, detail: ErrorDetail) -> Self {
        self.errors.push(ErrorItem::new(version, detail));
        self
    }
}

impl ErrorItem {
    fn new(version: ApiVersion, detail: ErrorDetail) -> Self {
        // v3.1 demands a message.
        let message = non_empty(cut(&detail.message, 500)).or_else(|| Some(detail.code.wire(version).to_owned()));
        Self {
            error_code: detail.code.wire(version).to_owned(),
            message,
            path: detail.path.and_then(|path| non_empty(cut(&path, 500))),
            url: detail.url,
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> ErrorDetail {
        ErrorDetail::new(ErrorCode::FieldMissing, "Permissions is missing").at("Data.Permissions")
    }

    #[test]
    fn each_version_has_its_body() {
        insta::assert_json_snapshot!(ErrorBody::new(ApiVersion::V3_1, 400, "42", missing()), @r##"
        {
          "Code": "400 BadRequest",
          "Id": "42",
          "Message": "The request is not valid",
          "Errors": [
            {
              "ErrorCode": "UK.OBIE.Field.Missing",
              "Message": "Permissions is missing",
              "Path": "Data.Permissions"
            }
          ]
        }
        "##);
        insta::assert_json_snapshot!(ErrorBody::new(ApiVersion::V4_0, 400, "42", missing()), @r##"
        {
          "Id": "42",
          "Errors": [
            {
              "ErrorCode": "U004",
              "Message": "Permissions is missing",
              "Path": "Data.Permissions"
            }
          ]
        }
        "##);
    }

    #[test]
    fn texts_are_cut_and_never_empty() {
        let long = ErrorDetail::new(ErrorCode::FieldInvalid, "é".repeat(600)).at("x".repeat(600));
        let body = ErrorBody::new(ApiVersion::V3_1, 400, &"i".repeat(60), long)
            .and(ApiVersion::V3_1, ErrorDetail::new(ErrorCode::HeaderMissing, "").at(""));
        assert_eq!(body.id.unwrap().len(), 40);
        assert_eq!(body.errors[0].message.as_ref().unwrap().chars().count(), 500);
        assert_eq!(body.errors[0].path.as_ref().unwrap().len(), 500);
        assert_eq!(
            (body.errors[1].message.as_deref(), body.errors[1].path.as_ref()),
            (Some("UK.OBIE.Header.Missing"), None)
        );
        assert_eq!(ErrorBody::new(ApiVersion::V4_0, 400, "", missing()).id, None);
    }

    #[test]
    fn codes_have_one_name_per_version() {
        let mut names = std::collections::HashSet::new();
        for code in ErrorCode::ALL {
            let (v4, v3, status) = code.row();
            assert!(v4.len() == 4 && names.insert(v4) && v3.is_none_or(|name| names.insert(name)), "{code:?}");
            assert!((400..600).contains(&status));
            assert_eq!(ErrorCode::from_wire(v4), Some(*code));
        }
        assert_eq!(ErrorCode::from_wire("UK.OBIE.Field.Missing"), Some(ErrorCode::FieldMissing));
        assert_eq!(ErrorCode::from_wire("UK.OBIE.Nonsense"), None);
        assert_eq!(ErrorCode::TokenExpired.wire(ApiVersion::V3_1), "UK.OBIE.UnexpectedError");
        assert_eq!(
            (ErrorCode::Reauthenticate.http_status(), ErrorCode::RulesResourceAlreadyExists.http_status()),
            (403, 409)
        );
    }
}
