//! Variable recurring payments, in both versions.

mod parameters;

use crate::mutations;
use openbanking::consent::{ConsentState, ConsentStatus, StatusReason};
use openbanking::error::ErrorCode;
use openbanking::links::{Envelope, Links, Meta};
use openbanking::money::{ActiveAmount, Currency, Money};
use openbanking::parties::{AccountScheme, CashAccount};
use openbanking::payments::{
    Charge, ChargeBearer, ChargeType, OrderFacts, PaymentDetail, PaymentDetails, StatusFamily,
};
use openbanking::version::ApiVersion;
use openbanking::vrp::*;
use serde_json::{Value, json};
use testkit::Specification;
use testkit::payments::{self as samples, amount};
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-04-05 10:43:07.250 +1);

fn specification(version: ApiVersion) -> Option<Specification> {
    let file = match version {
        ApiVersion::V3_1 => "v3.1.11/vrp-openapi.yaml",
        ApiVersion::V4_0 => "v4.0.1/variable-recurring-payments-openapi.json",
    };
    Specification::open(file).unwrap()
}

/// `Data.ControlParameters` with everything in it.
pub(super) fn parameters() -> Value {
    json!({
        "ValidFromDateTime": "2016-01-01T10:40:00Z", "ValidToDateTime": "2030-01-01T10:40:00Z",
        "MaximumIndividualAmount": amount("100.00"),
        "PeriodicLimits": [
            {"PeriodType": "Week", "PeriodAlignment": "Consent", "Amount": "200.00", "Currency": "GBP"},
            {"PeriodType": "Month", "PeriodAlignment": "Calendar", "Amount": "300.00", "Currency": "GBP"}
        ],
        "VRPType": ["UK.OBIE.VRPType.Sweeping"],
        "PSUAuthenticationMethods": ["UK.OBIE.SCANotRequired"],
        "PSUInteractionTypes": ["OffSession"],
        "SupplementaryData": {"Anything": true}
    })
}

fn initiation(version: ApiVersion) -> Value {
    let mut initiation = samples::ultimate_parties(version);
    let object = initiation.as_object_mut().unwrap();
    object.insert("DebtorAccount".to_owned(), samples::account(version, "80200112344562"));
    object.insert("CreditorAccount".to_owned(), samples::account(version, "80200112344563"));
    object.insert("CreditorPostalAddress".to_owned(), samples::address(version));
    object.insert("RemittanceInformation".to_owned(), samples::remittance(version));
    initiation
}

pub(super) fn consent(version: ApiVersion) -> Value {
    json!({
        "Data": {
            "ReadRefundAccount": "Yes", "ControlParameters": parameters(), "Initiation": initiation(version)
        },
        "Risk": samples::risk(version)
    })
}

pub(super) fn order(version: ApiVersion) -> Value {
    let parties = samples::ultimate_parties(version);
    let mut instruction = json!({
        "InstructionIdentification": "ANSM020", "EndToEndIdentification": "FRESCO.21302.GFX.01",
        "RemittanceInformation": samples::remittance(version), "LocalInstrument": "UK.OBIE.FPS",
        "InstructedAmount": amount("10.00"), "CreditorAccount": samples::account(version, "80200112344563"),
        "CreditorPostalAddress": samples::address(version), "SupplementaryData": {"Anything": true}
    });
    if let Some(party) = parties.get("UltimateCreditor") {
        instruction["UltimateCreditor"] = party.clone();
    }
    json!({
        "Data": {
            "ConsentId": "consent-1", "PSUAuthenticationMethod": "UK.OBIE.SCANotRequired",
            "PSUInteractionType": "OffSession", "VRPType": "UK.OBIE.VRPType.Sweeping",
            "Initiation": initiation(version), "Instruction": instruction
        },
        "Risk": samples::risk(version)
    })
}

/// The body as the file of v3.1.11 can judge it: it writes Yes and No without quotes, which YAML 1.1 reads as booleans.
fn judged(version: ApiVersion, mut body: Value) -> Value {
    if version == ApiVersion::V3_1 {
        body["Data"].as_object_mut().unwrap().remove("ReadRefundAccount");
    }
    body
}

fn funds() -> Value {
    json!({"Data": {"ConsentId": "consent-1", "Reference": "R", "InstructedAmount": amount("10.00")}})
}

/// What all kinds share was judged with payments.
const SHARED: &[&str] = &[
    "Risk",
    "Data.Initiation.UltimateCreditor",
    "Data.Initiation.UltimateDebtor",
    "Data.Initiation.RegulatoryReporting",
    "Data.Initiation.RemittanceInformation",
    "Data.Initiation.CreditorPostalAddress",
    "Data.Instruction.UltimateCreditor",
    "Data.Instruction.CreditorPostalAddress",
];

#[test]
fn a_consent_says_the_same_in_both_versions() {
    let plain = |version: ApiVersion, remittance: Value, risk: Value, address: &str| {
        let mut body = consent(version);
        body["Data"]["ControlParameters"].as_object_mut().unwrap().remove("SupplementaryData");
        body["Data"]["Initiation"] = json!({
            "CreditorAccount": samples::account(ApiVersion::V3_1, "80200112344563"),
            "CreditorPostalAddress": { "AddressType": address, "TownName": "Hedgeford", "Country": "GB" },
            "RemittanceInformation": remittance,
        });
        body["Risk"] = risk;
        VrpConsentRequest::read(version, body.to_string().as_bytes()).unwrap()
    };
    let contract = |name: &str, present: bool| json!({ name: present });
    let old = |address| {
        let remittance = json!({ "Unstructured": "Internal", "Reference": "FRESCO-037" });
        plain(ApiVersion::V3_1, remittance, contract("ContractPresentInidicator", true), address)
    };
    let new = |remittance, present, address| {
        plain(ApiVersion::V4_0, remittance, contract("ContractPresentIndicator", present), address)
    };
    let structured = json!([{ "CreditorReferenceInformation": { "Reference": "FRESCO-037" } }]);
    for remittance in [
        json!({ "Unstructured": ["Internal", "FRESCO-037"] }),
        json!({ "Unstructured": ["Internal"], "Structured": structured }),
    ] {
        assert_eq!(old("POBox").says_the_same_as(&new(remittance, true, "PBOX")), Ok(()));
    }
    let texts = json!({ "Unstructured": ["Internal", "FRESCO-037"] });
    let issued = json!([{ "CreditorReferenceInformation": { "Reference": "FRESCO-037", "Issuer": "I" } }]);
    for (other, path) in [
        (new(texts.clone(), false, "PBOX"), "Risk.ContractPresentIndicator"),
        (new(texts.clone(), true, "HOME"), "Data.Initiation.CreditorPostalAddress.AddressType"),
        (new(json!({ "Unstructured": ["Internal"] }), true, "PBOX"), "Data.Initiation.RemittanceInformation"),
        (
            new(json!({ "Unstructured": ["Internal"], "Structured": issued }), true, "PBOX"),
            "Data.Initiation.RemittanceInformation",
        ),
    ] {
        let different = old("POBox").says_the_same_as(&other).unwrap_err();
        assert_eq!((different.code, different.path.as_str()), (ErrorCode::ResourceConsentMismatch, path));
    }
}

#[test]
fn what_the_schemas_refuse_is_refused_in_its_place() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let judge = |schema: &str, body: &Value, read: mutations::Read<'_>| {
            let schema = specification.schema(schema).unwrap();
            mutations::judge(&format!("{version}"), &schema, body, SHARED, read)
        };
        let refused = judge("OBDomesticVRPConsentRequest", &judged(version, consent(version)), &|body| {
            VrpConsentRequest::read(version, body).map(drop)
        }) + judge("OBDomesticVRPRequest", &order(version), &|body| {
            VrpOrderRequest::read(version, body).map(drop)
        }) + judge("OBVRPFundsConfirmationRequest", &funds(), &|body| {
            VrpFundsRequest::read(version, body).map(drop)
        });
        assert!(refused > 500, "{version}: only {refused}");
    }
}

#[test]
fn refunds_are_asked_for_in_words() {
    for version in ApiVersion::ALL {
        let request = VrpConsentRequest::read(version, consent(version).to_string().as_bytes()).unwrap();
        assert!(request.read_refund_account());
        for wrong in [json!(true), json!("yes")] {
            let mut body = consent(version);
            body["Data"]["ReadRefundAccount"] = wrong;
            let error = VrpConsentRequest::read(version, body.to_string().as_bytes()).unwrap_err();
            assert_eq!((error.code, error.path.as_str()), (ErrorCode::FieldInvalid, "Data.ReadRefundAccount"));
        }
    }
}

#[test]
fn unknown_members_are_let_through() {
    for version in ApiVersion::ALL {
        let mut body = order(version);
        body["Data"]["Mood"] = json!("good");
        body["Data"]["Instruction"]["InstructedAmount"]["Mood"] = json!("good");
        assert!(VrpOrderRequest::read(version, body.to_string().as_bytes()).is_ok());
    }
}

fn account() -> Option<CashAccount> {
    let holder = Some("Ada Example".to_owned());
    let mut account = CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", holder);
    account.lei = Some("5493001KJTIIGC8Y1R12".to_owned());
    Some(account)
}

fn links() -> Links {
    Links::to_self("https://bank.example/open-banking/v4.0/pisp/x")
}

#[test]
fn answers_fit_the_schemas() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let judge = |schema: &str, body: Value| {
            let errors = specification.errors(schema, &body).unwrap();
            assert!(errors.is_empty(), "{version} {schema}: {errors:#?}\n{body:#}");
        };
        let reason = vec![StatusReason::new(ErrorCode::OtherReason, "Because")];
        let request = VrpConsentRequest::read(version, consent(version).to_string().as_bytes()).unwrap();
        let status = version.code(ConsentStatus::Authorised);
        let state = ConsentState { status_reason: reason.clone(), ..ConsentState::new("consent-1", status, NOW) };
        let facts = VrpConsentFacts { state, debtor_account: account() };
        let answer = VrpConsentAnswer::of(&request, facts, links(), Meta::default());
        let written = serde_json::to_value(&answer).unwrap();
        let read: VrpConsentAnswer = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), written);
        judge("OBDomesticVRPConsentResponse", judged(version, written));

        let request = VrpOrderRequest::read(version, order(version).to_string().as_bytes()).unwrap();
        for status in StatusFamily::StandingOrder.statuses() {
            let facts = OrderFacts {
                status_reasons: reason.clone(),
                expected_execution: Some(NOW),
                expected_settlement: Some(NOW),
                refund: account(),
                charges: vec![Charge {
                    charge_bearer: version.code(ChargeBearer::BorneByDebtor),
                    r#type: version.code(ChargeType::ChapsOut),
                    amount: ActiveAmount::parse("25.00", Currency::GBP).unwrap(),
                }],
                debtor: account(),
                ..OrderFacts::new("order-1", status, NOW)
            };
            let answer = VrpOrderAnswer::of(&request, facts, links(), Meta::default());
            let written = serde_json::to_value(&answer).unwrap();
            let read: VrpOrderAnswer = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), written);
            judge("OBDomesticVRPResponse", written);
        }

        let request = VrpFundsRequest::read(version, funds().to_string().as_bytes()).unwrap();
        assert_eq!((request.consent_id(), request.amount()), ("consent-1", Ok(Money::new(1_000, Currency::GBP))));
        for enough in [true, false] {
            let answer = VrpFundsAnswer::of(&request, "funds-1", enough, NOW);
            judge("OBVRPFundsConfirmationResponse", serde_json::to_value(answer).unwrap());
        }
        let details = StatusFamily::Vrp.statuses().map(|status| PaymentDetail::new(version, "tx-1", status, NOW));
        let details = Envelope::new(PaymentDetails { payment_status: details.collect() }, links(), Meta::default());
        judge("OBDomesticVRPDetails", serde_json::to_value(details).unwrap());
    }
}

#[test]
fn the_chosen_account_stands_in_the_initiation() {
    let mut body = consent(ApiVersion::V4_0);
    body["Data"]["Initiation"].as_object_mut().unwrap().remove("DebtorAccount");
    let request = VrpConsentRequest::read(ApiVersion::V4_0, body.to_string().as_bytes()).unwrap();
    let status = ApiVersion::V4_0.code(ConsentStatus::Authorised);
    let facts = VrpConsentFacts { state: ConsentState::new("consent-1", status, NOW), debtor_account: account() };
    let answer = serde_json::to_value(VrpConsentAnswer::of(&request, facts, links(), Meta::default())).unwrap();
    assert_eq!(answer["Data"]["Initiation"]["DebtorAccount"]["Identification"], "80200112344562");
    assert_eq!(answer["Data"]["DebtorAccount"]["Identification"], "80200112344562");
}

#[test]
fn orders_are_under_the_terms_of_their_consent() {
    for version in ApiVersion::ALL {
        let consented = VrpConsentRequest::read(version, consent(version).to_string().as_bytes()).unwrap();
        let order_of = |change: &dyn Fn(&mut Value)| {
            let mut body = order(version);
            change(&mut body["Data"]);
            VrpOrderRequest::read(version, body.to_string().as_bytes()).unwrap()
        };
        assert_eq!(order_of(&|_| {}).matches(&consented), Ok(()));
        let mismatch = |change: &dyn Fn(&mut Value)| {
            let error = order_of(change).matches(&consented).unwrap_err();
            assert_eq!(error.code, ErrorCode::ResourceConsentMismatch);
            error.path
        };
        assert_eq!(
            mismatch(&|data| data["Initiation"]["DebtorAccount"]["Name"] = json!("Other")),
            "Data.Initiation.DebtorAccount.Name"
        );
        assert_eq!(
            mismatch(&|data| data["Instruction"]["CreditorAccount"]["Identification"] = json!("80200112344599")),
            "Data.Instruction.CreditorAccount.Identification"
        );
        assert_eq!(
            mismatch(&|data| {
                data["Instruction"].as_object_mut().unwrap().remove("RemittanceInformation");
            }),
            "Data.Instruction.RemittanceInformation.Unstructured".to_owned().replace(
                "Unstructured",
                // The first of the consent, in the order of its members.
                consented.initiation()["RemittanceInformation"].as_object().unwrap().keys().next().unwrap()
            )
        );
        let instruction = order_of(&|_| {}).instruction().unwrap();
        assert_eq!(instruction.amount, Money::new(1_000, Currency::GBP));
        assert_eq!(instruction.creditor_account.scheme, AccountScheme::SortCodeAccountNumber);
        assert_eq!(instruction.remittance.reference.as_deref(), Some("FRESCO-037"));
    }
}
