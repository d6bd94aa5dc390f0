//! `Links`, `Meta` and the envelope around resources (Read/Write Data API Profile, Links, Meta, Pagination).

use crate::dates;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Absolute URIs of this page and those around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Links {
    /// This page.
    #[serde(rename = "Self")]
    pub this: String,
    /// The first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The page before; absent on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// The page after; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl Links {
    /// A resource without pages.
    pub fn to_self(this: impl Into<String>) -> Self {
        Self { this: this.into(), ..Self::default() }
    }
}

/// What is known about the data as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Meta {
    /// Number of pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_pages: Option<u32>,
    /// Earliest moment for which there is data under this consent.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub first_available_date_time: Option<OffsetDateTime>,
    /// Latest moment for which there is data under this consent.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub last_available_date_time: Option<OffsetDateTime>,
}

impl Meta {
    /// A resource of one page.
    pub fn one_page() -> Self {
        Self { total_pages: Some(1), ..Self::default() }
    }
}

/// `Data`, `Links` and `Meta` of a resource that is read. Strangers may leave the last two out (v4.0.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope<D> {
    /// The resource.
    pub data: D,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What is known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl<D> Envelope<D> {
    /// Puts data into its envelope; `Links` and `Meta` are mandatory up to v4.0.
    pub fn new(data: D, links: Links, meta: Meta) -> Self {
        Self { data, links: Some(links), meta: Some(meta) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn absent_members_are_left_out() {
        let next = Some("https://bank.example/accounts?page=2".to_owned());
        let links = Links { next, ..Links::to_self("https://bank.example/accounts") };
        let meta = Meta { first_available_date_time: Some(datetime!(2026-01-01 0:00 UTC)), ..Meta::one_page() };
        let envelope = Envelope::new(json!({"Account": []}), links, meta);
        insta::assert_json_snapshot!(envelope, @r##"
        {
          "Data": {
            "Account": []
          },
          "Links": {
            "Self": "https://bank.example/accounts",
            "Next": "https://bank.example/accounts?page=2"
          },
          "Meta": {
            "TotalPages": 1,
            "FirstAvailableDateTime": "2026-01-01T00:00:00+00:00"
          }
        }
        "##);
        assert_eq!(serde_json::to_value(Meta::default()).unwrap(), json!({}));
        let bare: Envelope<serde_json::Value> = serde_json::from_value(json!({"Data": {}})).unwrap();
        assert_eq!((bare.links, bare.meta), (None, None));
        assert!(serde_json::from_value::<Links>(json!({"Next": "https://bank.example/"})).is_err());
    }
}
