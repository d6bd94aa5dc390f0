//! Payments of every kind, in both versions.

mod answers;
mod files;
mod rules;

use crate::mutations;
use openbanking::error::ErrorCode;
use openbanking::payments::{ConsentRequest, OrderRequest, PaymentKind};
use openbanking::reading::ReadingError;
use openbanking::version::ApiVersion;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::{Specification, payments as samples};

/// The specification of payments, when it is there.
fn specification(version: ApiVersion) -> Option<Specification> {
    let file = match version {
        ApiVersion::V3_1 => "v3.1.11/payment-initiation-openapi.yaml",
        ApiVersion::V4_0 => "v4.0.1/payment-initiation-openapi.json",
    };
    Specification::open(file).unwrap()
}

/// Names of the schemas of a kind: consent, its answer, order, its answer.
fn schemas(kind: PaymentKind) -> [&'static str; 4] {
    match kind {
        PaymentKind::Domestic => [
            "OBWriteDomesticConsent4",
            "OBWriteDomesticConsentResponse5",
            "OBWriteDomestic2",
            "OBWriteDomesticResponse5",
        ],
        PaymentKind::DomesticScheduled => [
            "OBWriteDomesticScheduledConsent4",
            "OBWriteDomesticScheduledConsentResponse5",
            "OBWriteDomesticScheduled2",
            "OBWriteDomesticScheduledResponse5",
        ],
        PaymentKind::DomesticStandingOrder => [
            "OBWriteDomesticStandingOrderConsent5",
            "OBWriteDomesticStandingOrderConsentResponse6",
            "OBWriteDomesticStandingOrder3",
            "OBWriteDomesticStandingOrderResponse6",
        ],
        PaymentKind::International => [
            "OBWriteInternationalConsent5",
            "OBWriteInternationalConsentResponse6",
            "OBWriteInternational3",
            "OBWriteInternationalResponse5",
        ],
        PaymentKind::InternationalScheduled => [
            "OBWriteInternationalScheduledConsent5",
            "OBWriteInternationalScheduledConsentResponse6",
            "OBWriteInternationalScheduled3",
            "OBWriteInternationalScheduledResponse6",
        ],
        PaymentKind::InternationalStandingOrder => [
            "OBWriteInternationalStandingOrderConsent6",
            "OBWriteInternationalStandingOrderConsentResponse7",
            "OBWriteInternationalStandingOrder4",
            "OBWriteInternationalStandingOrderResponse7",
        ],
        PaymentKind::File => {
            ["OBWriteFileConsent3", "OBWriteFileConsentResponse4", "OBWriteFile2", "OBWriteFileResponse3"]
        }
    }
}

/// What all kinds share is judged once.
const SHARED: &[&str] = &[
    "Risk",
    "Data.Initiation.UltimateCreditor",
    "Data.Initiation.UltimateDebtor",
    "Data.Initiation.RegulatoryReporting",
    "Data.Initiation.DebtorAccount",
];

/// Every kind in both versions.
fn each() -> impl Iterator<Item = (PaymentKind, ApiVersion)> {
    PaymentKind::ALL.into_iter().flat_map(|kind| ApiVersion::ALL.map(|version| (kind, version)))
}

fn read_consent(kind: PaymentKind, version: ApiVersion, body: &[u8]) -> Result<(), ReadingError> {
    ConsentRequest::read(kind, version, body).map(drop)
}

fn read_order(kind: PaymentKind, version: ApiVersion, body: &[u8]) -> Result<(), ReadingError> {
    OrderRequest::read(kind, version, body).map(drop)
}

#[test]
fn what_the_schemas_refuse_is_refused_in_its_place() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let mut refused = 0;
        for kind in PaymentKind::ALL {
            let [consent, _, order, _] = schemas(kind);
            let name = |what: &str| format!("{version} {kind:?} {what}");
            refused += mutations::judge(
                &name("consent"),
                &specification.schema(consent).unwrap(),
                &samples::consent(kind, version),
                if kind == PaymentKind::Domestic { &[] } else { SHARED },
                &|body| read_consent(kind, version, body),
            );
            refused += mutations::judge(
                &name("order"),
                &specification.schema(order).unwrap(),
                &samples::order(kind, version),
                &["Risk", "Data.Initiation"],
                &|body| read_order(kind, version, body),
            );
        }
        assert!(refused > 3_000, "{version}: only {refused}");
    }
}

#[test]
fn what_v4_0_takes_is_taken_beside_v4_0_1() {
    let Some(specification) = Specification::open("v4.0/payment-initiation-openapi.yaml").unwrap() else { return };
    let version = ApiVersion::V4_0;
    for kind in PaymentKind::ALL {
        let [consent, ..] = schemas(kind);
        let schema = specification.schema(consent).unwrap();
        let mut body = samples::consent(kind, version);
        let initiation = &mut body["Data"]["Initiation"];
        initiation["RemittanceInformation"]["Structured"][0]["ReferredDocumentAmount"] = json!(12);
        let text = body.to_string().replace("5493001KJTIIGC8Y1R12", "54930000JTIIGC8Y1R12");
        let body: Value = serde_json::from_str(&text).unwrap();
        let errors = schema.errors(&body);
        assert!(errors.is_empty(), "{kind:?}: {errors:#?}");
        read_consent(kind, version, text.as_bytes()).unwrap();
    }
}

#[test]
fn the_other_versions_bodies_are_refused() {
    for (kind, version) in each() {
        let other = ApiVersion::ALL.into_iter().find(|other| *other != version).unwrap();
        let body = samples::consent(kind, other).to_string();
        assert!(read_consent(kind, version, body.as_bytes()).is_err(), "{version} {kind:?}");
    }
}

#[test]
fn unknown_schemes_and_instruments_have_codes_of_their_own() {
    let (kind, version) = (PaymentKind::Domestic, ApiVersion::V3_1);
    for (pointer, code) in [
        ("/Data/Initiation/DebtorAccount/SchemeName", ErrorCode::UnsupportedScheme),
        ("/Data/Initiation/LocalInstrument", ErrorCode::UnsupportedLocalInstrument),
    ] {
        let mut body = samples::consent(kind, version);
        *body.pointer_mut(pointer).unwrap() = json!("TestingAnInvalidName");
        let error = ConsentRequest::read(kind, version, body.to_string().as_bytes()).unwrap_err();
        assert_eq!((error.code, error.path), (code, pointer[1..].replace('/', ".")));
    }
    for (version, pointer) in [
        (ApiVersion::V3_1, "/Data/Initiation/Frequency"),
        (ApiVersion::V4_0, "/Data/Initiation/MandateRelatedInformation/Frequency/Type"),
    ] {
        let kind = PaymentKind::DomesticStandingOrder;
        let mut body = samples::order(kind, version);
        *body.pointer_mut(pointer).unwrap() = json!("foobar");
        let error = OrderRequest::read(kind, version, body.to_string().as_bytes()).unwrap_err();
        assert_eq!((error.code, error.path), (ErrorCode::UnsupportedFrequency, pointer[1..].replace('/', ".")));
    }
}

#[test]
fn namespaces_are_added() {
    let (kind, version) = (PaymentKind::International, ApiVersion::V4_0);
    let full = samples::consent(kind, version);
    let mut short = full.clone();
    short["Data"]["Initiation"]["CreditorAccount"]["SchemeName"] = json!("SortCodeAccountNumber");
    short["Data"]["Initiation"]["CreditorAgent"]["SchemeName"] = json!("BICFI");
    short["Data"]["Initiation"]["UltimateDebtor"]["SchemeName"] = json!("IBAN");
    short["Data"]["Initiation"]["SupplementaryData"]["SchemeName"] = json!("IBAN");
    let read = ConsentRequest::read(kind, version, short.to_string().as_bytes()).unwrap();
    let mut expected = full["Data"]["Initiation"].clone();
    expected["SupplementaryData"]["SchemeName"] = json!("IBAN");
    assert_eq!(read.initiation(), &expected);
}

#[test]
fn orders_must_be_what_was_consented_to() {
    for (kind, version) in each() {
        let consent = ConsentRequest::read(kind, version, samples::consent(kind, version).to_string().as_bytes());
        let consent = consent.unwrap();
        let order = |body: &Value| OrderRequest::read(kind, version, body.to_string().as_bytes()).unwrap();
        let same = samples::order(kind, version);
        assert_eq!(order(&same).matches(&consent), Ok(()));
        assert_eq!(order(&same).consent_id(), "consent-1");
        let mismatch = |body: &Value| {
            let error = order(body).matches(&consent).unwrap_err();
            assert_eq!(error.code, ErrorCode::ResourceConsentMismatch);
            error.path
        };
        let mut other = same.clone();
        other["Data"]["Initiation"]["DebtorAccount"]["Name"] = json!("Somebody Else");
        assert_eq!(mismatch(&other), "Data.Initiation.DebtorAccount.Name");
        let mut fewer = same.clone();
        fewer["Data"]["Initiation"].as_object_mut().unwrap().remove("SupplementaryData");
        assert_eq!(mismatch(&fewer), "Data.Initiation.SupplementaryData");
        let mut more = same.clone();
        more["Data"]["Initiation"]["SupplementaryData"]["More"] = json!(1);
        assert_eq!(mismatch(&more), "Data.Initiation.SupplementaryData.More");
        let mut longer = same.clone();
        longer["Data"]["Initiation"]["SupplementaryData"]["Anything"][1] = json!("three");
        assert_eq!(mismatch(&longer), "Data.Initiation.SupplementaryData.Anything[1]");
        if kind.has_risk() {
            let mut risky = same;
            risky["Risk"]["MerchantCategoryCode"] = json!("0000");
            assert_eq!(mismatch(&risky), "Risk.MerchantCategoryCode");
        }
    }
}

proptest! {
    #[test]
    fn no_body_breaks_a_reader(body in "(\\{\"Data\":)?[\\[\\]{}:,\"a-zA-Z0-9é .-]{0,60}", index in 0usize..7) {
        let kind = PaymentKind::ALL[index];
        for version in ApiVersion::ALL {
            prop_assert!(ConsentRequest::read(kind, version, body.as_bytes()).is_err());
            prop_assert!(OrderRequest::read(kind, version, body.as_bytes()).is_err());
        }
    }

    /// Any JSON in the place of `Initiation` is refused, never a panic, also by the typed view that does not see the
    /// schema first.
    #[test]
    fn no_initiation_breaks_the_typed_view(
        name in "(InstructedAmount|MandateRelatedInformation|CreditorAgent|RemittanceInformation|Frequency|FileHash)",
        value in prop_oneof![
            Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!("x")), Just(json!(-1)),
            Just(json!({"Amount": "1.00"})), Just(json!({"Unstructured": [7]})), Just(json!({"Frequency": {}})),
        ],
        index in 0usize..7,
    ) {
        let kind = PaymentKind::ALL[index];
        for version in ApiVersion::ALL {
            let mut initiation = samples::initiation(kind, version);
            initiation[&name] = value.clone();
            let _ = openbanking::payments::Initiation::of(kind, version, &initiation);
            let _ = openbanking::payments::Initiation::of(kind, version, &value);
        }
    }
}
