//! What members demand of each other, and what the typed view makes of them.

use super::{each, samples};
use openbanking::error::ErrorCode;
use openbanking::money::{Currency, Money};
use openbanking::parties::AccountScheme;
use openbanking::payments::*;
use openbanking::version::ApiVersion::{self, V3_1, V4_0};
use serde_json::{Value, json};
use time::macros::datetime;

fn refused(kind: PaymentKind, version: ApiVersion, change: impl Fn(&mut Value)) -> (ErrorCode, String) {
    let mut initiation = samples::initiation(kind, version);
    change(&mut initiation);
    let error = Initiation::of(kind, version, &initiation).unwrap_err();
    (error.code, error.path.strip_prefix("Data.Initiation.").unwrap_or(&error.path).to_owned())
}

fn at(code: ErrorCode, path: &str) -> (ErrorCode, String) {
    (code, path.to_owned())
}

#[test]
fn every_sample_has_its_typed_view() {
    for (kind, version) in each() {
        let body = samples::consent(kind, version).to_string();
        let request = ConsentRequest::read(kind, version, body.as_bytes()).unwrap();
        let view = request.typed().unwrap();
        assert_eq!(view.amount().is_some(), kind != PaymentKind::File);
        assert_eq!(view.creditor_account.is_some(), kind != PaymentKind::File);
        assert_eq!(view.debtor_account.as_ref().unwrap().scheme, AccountScheme::SortCodeAccountNumber);
        assert_eq!(view.standing_order.is_some(), kind.timing() == Timing::Recurring);
        assert_eq!(view.file.is_some(), kind == PaymentKind::File);
        assert_eq!(view.currency_of_transfer.is_some(), kind.is_international());
        assert_eq!(view.exchange_rate.is_some(), kind.has_exchange_rate());
        let reference = if version == V3_1 && kind.timing() == Timing::Recurring { "Rent" } else { "FRESCO-037" };
        assert_eq!(view.remittance.reference.as_deref(), Some(reference), "{version} {kind:?}");
        let stored = serde_json::to_value(&view).unwrap();
        assert_eq!(serde_json::from_value::<Initiation>(stored).unwrap(), view);
        assert_eq!(request.read_refund_account(), kind != PaymentKind::File);
        assert_eq!(request.authorisation().r#type, AuthorisationType::Single);
        assert_eq!(view.dates_lie_ahead(datetime!(2026-12-31 23:00 UTC)), Ok(()));
    }
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let view = Initiation::of(PaymentKind::Domestic, V3_1, &samples::initiation(PaymentKind::Domestic, V3_1));
    assert_eq!(view.unwrap().instructed_amount, Some(Money::new(16_588, Currency::GBP)));
    for amount in ["1.001", "0.00"] {
        let refusal = refused(PaymentKind::Domestic, V3_1, |initiation| {
            initiation["InstructedAmount"]["Amount"] = json!(amount);
        });
        assert_eq!(refusal, at(ErrorCode::FieldInvalid, "InstructedAmount.Amount"));
    }
}

#[test]
fn numbers_fit_their_schemes() {
    for (scheme, identification, fits) in [
        ("UK.OBIE.SortCodeAccountNumber", "80200112344563", true),
        ("UK.OBIE.SortCodeAccountNumber", "8020011234456", false),
        ("UK.OBIE.SortCodeAccountNumber", "80-20-01123445", false),
        ("UK.OBIE.IBAN", "GB29NWBK60161331926819", true),
        ("UK.OBIE.IBAN", "GB29 NWBK 6016 1331 9268 19", false),
        ("UK.OBIE.IBAN", "1234567890123456", false),
        ("UK.OBIE.Paym", "07700900000", true),
    ] {
        let mut initiation = samples::initiation(PaymentKind::Domestic, V4_0);
        initiation["CreditorAccount"]["SchemeName"] = json!(scheme);
        initiation["CreditorAccount"]["Identification"] = json!(identification);
        match Initiation::of(PaymentKind::Domestic, V4_0, &initiation) {
            Ok(view) => assert!(fits, "{scheme} {identification}: {:?}", view.creditor_account),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(error.code, ErrorCode::UnsupportedAccountIdentifier);
                assert_eq!(error.path, "Data.Initiation.CreditorAccount.Identification");
            }
        }
    }
}

#[test]
fn agreed_rates_are_complete_and_others_are_the_banks() {
    let rate = |change: Value| move |initiation: &mut Value| initiation["ExchangeRateInformation"] = change.clone();
    for kind in [PaymentKind::International, PaymentKind::InternationalScheduled] {
        for version in ApiVersion::ALL {
            for (information, code, member) in [
                (
                    json!({"UnitCurrency": "GBP", "RateType": "Agreed", "ContractIdentification": "C"}),
                    ErrorCode::FieldExpected,
                    "ExchangeRate",
                ),
                (
                    json!({"UnitCurrency": "GBP", "RateType": "Agreed", "ExchangeRate": 1.2}),
                    ErrorCode::FieldExpected,
                    "ContractIdentification",
                ),
                (
                    json!({"UnitCurrency": "GBP", "RateType": "Actual", "ExchangeRate": 1.2}),
                    ErrorCode::FieldUnexpected,
                    "ExchangeRate",
                ),
                (
                    json!({"UnitCurrency": "GBP", "RateType": "Indicative", "ContractIdentification": "C"}),
                    ErrorCode::FieldUnexpected,
                    "ContractIdentification",
                ),
            ] {
                let refusal = refused(kind, version, rate(information));
                assert_eq!(refusal, at(code, &format!("ExchangeRateInformation.{member}")));
            }
            let mut plain = samples::initiation(kind, version);
            plain["ExchangeRateInformation"] = json!({"UnitCurrency": "GBP", "RateType": "Actual"});
            let view = Initiation::of(kind, version, &plain).unwrap();
            assert_eq!(view.exchange_rate.unwrap().rate_type, RateType::Actual);
        }
    }
}

#[test]
fn the_payees_bank_is_identified_one_way_or_the_other() {
    let agent = |agent: Value| {
        refused(PaymentKind::International, V4_0, |initiation| initiation["CreditorAgent"] = agent.clone())
    };
    let expected = |path: &str| at(ErrorCode::FieldExpected, path);
    assert_eq!(agent(json!({"Identification": "HEDGGB2L"})), expected("CreditorAgent.SchemeName"));
    assert_eq!(agent(json!({"SchemeName": "UK.OBIE.BICFI"})), expected("CreditorAgent.Identification"));
    assert_eq!(agent(json!({"Name": "Hedge"})), expected("CreditorAgent.PostalAddress"));
    assert_eq!(agent(json!({"PostalAddress": {}})), expected("CreditorAgent.Name"));
    assert_eq!(agent(json!({"LEI": "5493001KJTIIGC8Y1R12"})), expected("CreditorAgent"));
    let mut fine = samples::initiation(PaymentKind::International, V4_0);
    fine["CreditorAgent"] = json!({"Name": "Hedge", "PostalAddress": {}});
    assert!(Initiation::of(PaymentKind::International, V4_0, &fine).is_ok());
}

#[test]
fn priority_does_not_go_with_a_local_instrument() {
    let refusal = refused(PaymentKind::International, V3_1, |initiation| {
        initiation["LocalInstrument"] = json!("UK.OBIE.SWIFT");
    });
    assert_eq!(refusal, at(ErrorCode::FieldUnexpected, "InstructionPriority"));
}

#[test]
fn standing_orders_end_once() {
    let kind = PaymentKind::DomesticStandingOrder;
    let unexpected = |path: &str| at(ErrorCode::FieldUnexpected, path);
    for (kind, version) in [(kind, V3_1), (kind, V4_0), (PaymentKind::InternationalStandingOrder, V3_1)] {
        let refusal = refused(kind, version, |initiation| initiation["NumberOfPayments"] = json!("12"));
        assert_eq!(refusal, unexpected("NumberOfPayments"));
    }
    let frequency = |initiation: &mut Value, frequency: Value| {
        initiation["MandateRelatedInformation"]["Frequency"] = frequency;
    };
    let refusal =
        refused(kind, V4_0, |initiation| frequency(initiation, json!({"Type": "MNTH", "CountPerPeriod": 12})));
    assert_eq!(refusal, unexpected("MandateRelatedInformation.Frequency.CountPerPeriod"));
    let refusal = refused(kind, V4_0, |initiation| {
        initiation.as_object_mut().unwrap().remove("FinalPaymentAmount");
        initiation["MandateRelatedInformation"].as_object_mut().unwrap().remove("FinalPaymentDateTime");
        frequency(initiation, json!({"Type": "MNTH", "CountPerPeriod": 12, "PointInTime": "01"}));
    });
    assert_eq!(refusal, unexpected("MandateRelatedInformation.Frequency.PointInTime"));
}

#[test]
fn a_final_amount_has_its_date() {
    let kind = PaymentKind::DomesticStandingOrder;
    let refusal = refused(kind, V3_1, |initiation| {
        initiation.as_object_mut().unwrap().remove("FinalPaymentDateTime");
    });
    assert_eq!(refusal, at(ErrorCode::FieldExpected, "FinalPaymentDateTime"));
    let refusal = refused(kind, V4_0, |initiation| {
        initiation["MandateRelatedInformation"].as_object_mut().unwrap().remove("FinalPaymentDateTime");
    });
    assert_eq!(refusal, at(ErrorCode::FieldExpected, "MandateRelatedInformation.FinalPaymentDateTime"));
}

#[test]
fn counts_are_whole_numbers_above_nothing() {
    let kind = PaymentKind::DomesticStandingOrder;
    for count in ["0", "-1", "twelve", "1.5"] {
        let refusal = refused(kind, V3_1, |initiation| {
            let object = initiation.as_object_mut().unwrap();
            object.remove("FinalPaymentDateTime");
            object.remove("FinalPaymentAmount");
            object.insert("NumberOfPayments".to_owned(), json!(count));
        });
        assert_eq!(refusal, at(ErrorCode::FieldInvalid, "NumberOfPayments"), "{count}");
    }
}

#[test]
fn frequencies_are_typed_in_both_versions() {
    let terms = |version| {
        let kind = PaymentKind::DomesticStandingOrder;
        let view = Initiation::of(kind, version, &samples::initiation(kind, version)).unwrap();
        view.standing_order.unwrap()
    };
    assert_eq!(terms(V3_1).frequency, Frequency::IntervalMonths { months: 1, day: 15 });
    assert_eq!(terms(V4_0).frequency, Frequency::Code(FrequencyCode::Monthly));
    assert_eq!(terms(V4_0).point_in_time.as_deref(), Some("15"));
    assert_eq!(terms(V3_1).last, terms(V4_0).last);
    assert_eq!(terms(V4_0).recurring_amount, Some(Money::new(700, Currency::GBP)));
}

#[test]
fn what_is_to_happen_lies_ahead() {
    let late = |kind, version, now| {
        let view = Initiation::of(kind, version, &samples::initiation(kind, version)).unwrap();
        let error = view.dates_lie_ahead(now).unwrap_err();
        assert_eq!(error.code, ErrorCode::FieldInvalidDate);
        error.path.strip_prefix("Data.Initiation.").unwrap().to_owned()
    };
    for kind in [PaymentKind::DomesticScheduled, PaymentKind::InternationalScheduled, PaymentKind::File] {
        for version in ApiVersion::ALL {
            // The day itself is too late.
            assert_eq!(late(kind, version, datetime!(2027-01-01 0:00 UTC)), "RequestedExecutionDateTime");
            let view = Initiation::of(kind, version, &samples::initiation(kind, version)).unwrap();
            assert_eq!(view.dates_lie_ahead(datetime!(2026-12-31 23:59 UTC)), Ok(()));
        }
    }
    let kind = PaymentKind::DomesticStandingOrder;
    assert_eq!(late(kind, V3_1, datetime!(2027-01-16 0:00 UTC)), "FirstPaymentDateTime");
    assert_eq!(late(kind, V4_0, datetime!(2027-01-16 0:00 UTC)), "MandateRelatedInformation.FirstPaymentDateTime");
    let mut initiation = samples::initiation(kind, V3_1);
    initiation["FinalPaymentDateTime"] = json!("2027-01-20T00:00:00Z");
    let view = Initiation::of(kind, V3_1, &initiation).unwrap();
    let error = view.dates_lie_ahead(datetime!(2027-01-15 12:00 UTC)).unwrap_err();
    assert_eq!(error.path, "Data.Initiation.FinalPaymentDateTime");
}
