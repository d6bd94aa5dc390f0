//! Account access consents: request, response and states (`OBReadConsent1`, `OBReadConsentResponse1`).

use crate::code::{Code, Coded, codes};
use crate::dates;
use crate::error::ErrorCode;
use crate::links::{Links, Meta};
use crate::permissions::Permission;
use crate::reading::{Form, Member, ReadingError, read};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

codes! {
    /// State of a consent of any kind (`OBInternalConsentStatus1Code`). v3.1 has no names for what v4.0 calls CANC and
    /// EXPD: such consents look authorised there, and only their tokens stop working (Changes to an Intent's
    /// Authorized State).
    #[derive(Serialize, Deserialize)]
    pub enum ConsentStatus {
        /// Lodged; the PSU has not decided.
        AwaitingAuthorisation = "AwaitingAuthorisation" / "AWAU",
        /// The PSU said yes.
        Authorised = "Authorised" / "AUTH",
        /// The PSU said no, or did not finish.
        Rejected = "Rejected" / "RJCT",
        /// Access was withdrawn at the bank; authorising again revives it.
        Cancelled = "Authorised" / "CANC",
        /// Its expiration date passed.
        Expired = "Authorised" / "EXPD",
        /// The payment was ordered.
        Consumed = "Consumed" / "COND",
        /// The file has not come yet.
        AwaitingUpload = "AwaitingUpload" / "AWUP",
    }
}

impl ConsentStatus {
    /// Its name in that version.
    pub fn wire(self, version: ApiVersion) -> &'static str {
        Code::wire(self, version)
    }

    /// The state of that name. `Revoked`, which v3.1 used up to 3.1.4, is read as cancelled.
    pub fn from_wire(name: &str) -> Option<Self> {
        if name == "Revoked" { Some(Self::Cancelled) } else { <Self as Code>::from_wire(name) }
    }
}

/// The `Risk` section of account information: an empty object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyRisk {}

/// Body of `POST /account-access-consents`; the same in both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AccountAccessConsentRequest {
    /// What is asked for.
    pub data: AccountAccessConsentData,
    /// Nothing.
    pub risk: EmptyRisk,
}

/// What an account access consent asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AccountAccessConsentData {
    /// At least one; see [`crate::permissions::PermissionSet::requested`] for the rules.
    pub permissions: Vec<Permission>,
    /// Until when; open ended without it.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expiration_date_time: Option<OffsetDateTime>,
    /// Start of the transactions; from the earliest without it.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub transaction_from_date_time: Option<OffsetDateTime>,
    /// End of the transactions; to the latest without it.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub transaction_to_date_time: Option<OffsetDateTime>,
}

const REQUEST: &[Member] = &[
    Member::required(
        "Data",
        Form::Object(&[
            Member::required("Permissions", Form::List(1, &Form::Code(is_permission, "a permission code"))),
            Member::optional("ExpirationDateTime", Form::DateTime),
            Member::optional("TransactionFromDateTime", Form::DateTime),
            Member::optional("TransactionToDateTime", Form::DateTime),
        ]),
    ),
    Member::required("Risk", Form::Object(&[])),
];

fn is_permission(name: &str) -> bool {
    Permission::ALL.iter().any(|permission| permission.name() == name)
}

impl AccountAccessConsentRequest {
    /// The request for this data.
    pub fn new(data: AccountAccessConsentData) -> Self {
        Self { data, risk: EmptyRisk {} }
    }

    /// Reads the body as the closed schema wants it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its error code and path.
    pub fn read(body: &[u8]) -> Result<Self, ReadingError> {
        read(body, REQUEST)
    }
}

/// Body of the responses about a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAccessConsentResponse {
    /// The consent.
    pub data: AccountAccessConsentResponseData,
    /// Nothing.
    pub risk: EmptyRisk,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// What the answers about consents of every kind tell of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConsentState {
    /// At most 128 characters.
    pub consent_id: String,
    /// When it was lodged.
    #[serde(with = "dates::serde_form")]
    pub creation_date_time: OffsetDateTime,
    /// Its state.
    pub status: Coded<ConsentStatus>,
    /// Why it is in this state; v4.0 only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reason: Vec<StatusReason>,
    /// When the state changed.
    #[serde(with = "dates::serde_form")]
    pub status_update_date_time: OffsetDateTime,
}

impl ConsentState {
    /// A consent that was just lodged.
    pub fn new(consent_id: impl Into<String>, status: Coded<ConsentStatus>, created: OffsetDateTime) -> Self {
        Self {
            consent_id: consent_id.into(),
            creation_date_time: created,
            status,
            status_reason: Vec::new(),
            status_update_date_time: created,
        }
    }

    /// Without what the version does not have.
    #[must_use]
    pub fn in_version(mut self, version: ApiVersion) -> Self {
        if version == ApiVersion::V3_1 {
            self.status_reason.clear();
        }
        self
    }
}

/// A consent as the bank keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAccessConsentResponseData {
    /// What every consent tells.
    #[serde(flatten)]
    pub state: ConsentState,
    /// What was asked for.
    #[serde(flatten)]
    pub asked: AskedFor,
}

/// The members of the request as a response repeats them; unlike there, unknown members are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AskedFor {
    /// As asked for.
    pub permissions: Vec<Permission>,
    /// As asked for.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub expiration_date_time: Option<OffsetDateTime>,
    /// As asked for.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub transaction_from_date_time: Option<OffsetDateTime>,
    /// As asked for.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub transaction_to_date_time: Option<OffsetDateTime>,
}

impl From<AccountAccessConsentData> for AskedFor {
    fn from(data: AccountAccessConsentData) -> Self {
        Self {
            permissions: data.permissions,
            expiration_date_time: data.expiration_date_time,
            transaction_from_date_time: data.transaction_from_date_time,
            transaction_to_date_time: data.transaction_to_date_time,
        }
    }
}

/// `OBStatusReason` of v4.0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusReason {
    /// A code of four characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason_code: Option<String>,
    /// In words; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason_description: Option<String>,
    /// The member that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl StatusReason {
    /// The reason with its words.
    pub fn new(code: ErrorCode, description: &str) -> Self {
        let description: String = description.chars().take(500).collect();
        Self {
            status_reason_code: Some(code.wire(ApiVersion::V4_0).to_owned()),
            status_reason_description: Some(description).filter(|text| !text.is_empty()),
            path: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    fn request() -> AccountAccessConsentRequest {
        AccountAccessConsentRequest::new(AccountAccessConsentData {
            permissions: vec![Permission::ReadAccountsDetail, Permission::ReadPan],
            expiration_date_time: Some(datetime!(2027-01-01 0:00 UTC)),
            ..AccountAccessConsentData::default()
        })
    }

    #[test]
    fn the_request_has_the_form_of_the_schema() {
        insta::assert_json_snapshot!(request(), @r##"
        {
          "Data": {
            "Permissions": [
              "ReadAccountsDetail",
              "ReadPAN"
            ],
            "ExpirationDateTime": "2027-01-01T00:00:00+00:00"
          },
          "Risk": {}
        }
        "##);
        let body = serde_json::to_vec(&request()).unwrap();
        assert_eq!(AccountAccessConsentRequest::read(&body).unwrap(), request());
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused() {
        let good = json!({"Data": {"Permissions": ["ReadAccountsBasic"]}, "Risk": {}});
        assert!(AccountAccessConsentRequest::read(good.to_string().as_bytes()).is_ok());
        for (body, code, path) in [
            (json!({"Data": {"Permissions": ["ReadAccountsBasic"]}}), ErrorCode::FieldMissing, "Risk"),
            (
                json!({"Data": {"Permissions": ["ReadAccountsBasic"]}, "Risk": {"A": 1}}),
                ErrorCode::FieldUnexpected,
                "Risk.A",
            ),
            (json!({"Data": {"Permissions": ["ReadAll"]}, "Risk": {}}), ErrorCode::FieldInvalid, "Data.Permissions[0]"),
            (json!({"Data": {"Permissions": []}, "Risk": {}}), ErrorCode::FieldInvalid, "Data.Permissions"),
            (json!({"Data": {}, "Risk": {}}), ErrorCode::FieldMissing, "Data.Permissions"),
            (
                json!({"Data": {"Permissions": ["ReadPAN"], "ExpirationDateTime": "2027-01-01"}, "Risk": {}}),
                ErrorCode::FieldInvalidDate,
                "Data.ExpirationDateTime",
            ),
            (json!({"Data": {"Permissions": ["ReadPAN"], "X": 1}, "Risk": {}}), ErrorCode::FieldUnexpected, "Data.X"),
        ] {
            let error = AccountAccessConsentRequest::read(body.to_string().as_bytes()).unwrap_err();
            assert_eq!((error.code, error.path.as_str()), (code, path), "{body}");
            assert!(
                serde_json::from_value::<AccountAccessConsentRequest>(body.clone()).is_err()
                    || path == "Data.Permissions",
                "{body}"
            );
        }
    }

    #[test]
    fn the_response_speaks_both_versions() {
        let response = |version: ApiVersion, reasons: Vec<StatusReason>| AccountAccessConsentResponse {
            data: AccountAccessConsentResponseData {
                state: ConsentState {
                    status_reason: reasons,
                    status_update_date_time: datetime!(2026-01-02 9:00 UTC),
                    ..ConsentState::new(
                        "consent-1",
                        version.code(ConsentStatus::Cancelled),
                        datetime!(2026-01-01 9:00 UTC),
                    )
                },
                asked: request().data.into(),
            },
            risk: EmptyRisk {},
            links: Some(Links::to_self("https://bank.example/consent-1")),
            meta: Some(Meta::default()),
        };
        insta::assert_json_snapshot!(response(ApiVersion::V3_1, vec![]), @r##"
        {
          "Data": {
            "ConsentId": "consent-1",
            "CreationDateTime": "2026-01-01T09:00:00+00:00",
            "Status": "Authorised",
            "StatusUpdateDateTime": "2026-01-02T09:00:00+00:00",
            "Permissions": [
              "ReadAccountsDetail",
              "ReadPAN"
            ],
            "ExpirationDateTime": "2027-01-01T00:00:00+00:00"
          },
          "Risk": {},
          "Links": {
            "Self": "https://bank.example/consent-1"
          },
          "Meta": {}
        }
        "##);
        let reason = StatusReason::new(ErrorCode::TokenSuspended, "Access was withdrawn");
        let v4 = response(ApiVersion::V4_0, vec![reason]);
        insta::assert_json_snapshot!(v4, @r##"
        {
          "Data": {
            "ConsentId": "consent-1",
            "CreationDateTime": "2026-01-01T09:00:00+00:00",
            "Status": "CANC",
            "StatusReason": [
              {
                "StatusReasonCode": "TKSP",
                "StatusReasonDescription": "Access was withdrawn"
              }
            ],
            "StatusUpdateDateTime": "2026-01-02T09:00:00+00:00",
            "Permissions": [
              "ReadAccountsDetail",
              "ReadPAN"
            ],
            "ExpirationDateTime": "2027-01-01T00:00:00+00:00"
          },
          "Risk": {},
          "Links": {
            "Self": "https://bank.example/consent-1"
          },
          "Meta": {}
        }
        "##);
        assert_eq!(
            serde_json::from_value::<AccountAccessConsentResponse>(serde_json::to_value(&v4).unwrap()).unwrap(),
            v4
        );
    }

    #[test]
    fn every_state_has_its_names() {
        let names: Vec<_> = ConsentStatus::TABLE.iter().map(|(status, ..)| status.wire(ApiVersion::V4_0)).collect();
        assert_eq!(names, ["AWAU", "AUTH", "RJCT", "CANC", "EXPD", "COND", "AWUP"]);
        assert_eq!(ConsentStatus::Expired.wire(ApiVersion::V3_1), "Authorised");
        assert_eq!(ConsentStatus::from_wire("Authorised"), Some(ConsentStatus::Authorised));
        assert_eq!(ConsentStatus::from_wire("Revoked"), Some(ConsentStatus::Cancelled));
        assert_eq!(ConsentStatus::from_wire("Nonsense"), None);
        assert_eq!(serde_json::to_value(ConsentStatus::Expired).unwrap(), "Expired");
    }
}
