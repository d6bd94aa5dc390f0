//! What the bank says about consents and orders fits the schemas.

use super::{each, samples, schemas, specification};
use openbanking::consent::{ConsentState, ConsentStatus, StatusReason};
use openbanking::error::ErrorCode;
use openbanking::links::{Envelope, Links, Meta};
use openbanking::money::{ActiveAmount, Currency};
use openbanking::parties::{AccountScheme, CashAccount};
use openbanking::payments::*;
use openbanking::version::ApiVersion;
use serde_json::{Number, Value};
use testkit::Specification;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-04-05 10:43:07.250 +1);

fn links() -> Links {
    Links::to_self("https://bank.example/open-banking/v4.0/pisp/x")
}

fn charge(version: ApiVersion) -> Charge {
    Charge {
        charge_bearer: version.code(ChargeBearer::BorneByDebtor),
        r#type: version.code(ChargeType::ChapsOut),
        amount: ActiveAmount::parse("25.00", Currency::GBP).unwrap(),
    }
}

fn rate(version: ApiVersion) -> ExchangeRate {
    ExchangeRate {
        unit_currency: Currency::GBP,
        exchange_rate: Number::from_f64(1.25).unwrap(),
        rate_type: version.code(RateType::Actual),
        contract_identification: None,
        expiration_date_time: Some(NOW),
    }
}

fn debtor() -> Option<CashAccount> {
    let mut account =
        CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", Some("Ada Example".to_owned()));
    account.lei = Some("5493001KJTIIGC8Y1R12".to_owned());
    Some(account)
}

fn consent_answer(kind: PaymentKind, version: ApiVersion) -> ConsentAnswer {
    let body = samples::consent(kind, version).to_string();
    let request = ConsentRequest::read(kind, version, body.as_bytes()).unwrap();
    let state = ConsentState {
        status_reason: vec![StatusReason::new(ErrorCode::AuthorisationNotCompleted, "Not yet")],
        ..ConsentState::new("consent-1", version.code(ConsentStatus::AwaitingAuthorisation), NOW)
    };
    let facts = ConsentFacts {
        cut_off_date_time: Some(NOW),
        expected_execution_date_time: Some(NOW),
        expected_settlement_date_time: Some(NOW),
        charges: vec![charge(version)],
        exchange_rate_information: Some(rate(version)),
        debtor: debtor(),
        ..ConsentFacts::new(state)
    };
    ConsentAnswer::of(&request, facts, links(), Meta::default())
}

fn order_answer(kind: PaymentKind, version: ApiVersion, status: PaymentStatus) -> OrderAnswer {
    let body = samples::order(kind, version).to_string();
    let request = OrderRequest::read(kind, version, body.as_bytes()).unwrap();
    let facts = OrderFacts {
        status_reasons: vec![StatusReason::new(ErrorCode::PaymentOrderReceived, "Received")],
        expected_execution: Some(NOW),
        expected_settlement: Some(NOW),
        refund: debtor(),
        charges: vec![charge(version)],
        exchange_rate: Some(rate(version)),
        multi_authorisation: Some(MultiAuthorisation {
            status: version.code(MultiAuthorisationStatus::AwaitingFurtherAuthorisation),
            number_required: Some(2),
            number_received: Some(1),
            last_update_date_time: Some(NOW),
            expiration_date_time: Some(NOW),
        }),
        debtor: debtor(),
        ..OrderFacts::new("order-1", status, NOW)
    };
    OrderAnswer::of(&request, facts, links(), Meta::default())
}

#[test]
fn answers_fit_the_schemas_with_everything_in_them() {
    for (kind, version) in each() {
        let Some(specification) = specification(version) else { return };
        let [_, consent, _, order] = schemas(kind);
        let body = serde_json::to_value(consent_answer(kind, version)).unwrap();
        let errors = specification.errors(consent, &body).unwrap();
        assert!(errors.is_empty(), "{version} {kind:?} consent: {errors:#?}\n{body:#}");
        let schema = specification.schema(order).unwrap();
        for status in StatusFamily::StandingOrder.statuses() {
            let body = serde_json::to_value(order_answer(kind, version, status)).unwrap();
            let errors = schema.errors(&body);
            assert!(errors.is_empty(), "{version} {kind:?} order {status:?}: {errors:#?}\n{body:#}");
        }
    }
}

#[test]
fn answers_can_be_read_back() {
    for (kind, version) in each() {
        let consent = consent_answer(kind, version);
        let written: Value = serde_json::to_value(&consent).unwrap();
        let read: ConsentAnswer = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert_eq!(read.data.facts.state.status.known(), Some(ConsentStatus::AwaitingAuthorisation));
        let order = order_answer(kind, version, PaymentStatus::Rejected);
        let written = serde_json::to_value(&order).unwrap();
        let read: OrderAnswer = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert_eq!(read.order_id(kind), Some("order-1"));
        let expected =
            if matches!(kind.timing(), Timing::Immediate) || version == ApiVersion::V4_0 && kind != PaymentKind::File {
                PaymentStatus::Rejected
            } else {
                PaymentStatus::InitiationFailed
            };
        assert_eq!(PaymentStatus::from_wire(&read.data.state.status), Some(expected), "{version} {kind:?}");
    }
}

#[test]
fn a_domestic_order_is_answered_so() {
    let mut order = order_answer(PaymentKind::Domestic, ApiVersion::V3_1, PaymentStatus::Received);
    order.data.initiation = "...".into();
    insta::assert_json_snapshot!(order, @r##"
    {
      "Data": {
        "ConsentId": "consent-1",
        "CreationDateTime": "2026-04-05T10:43:07.250+01:00",
        "Status": "Pending",
        "StatusUpdateDateTime": "2026-04-05T10:43:07.250+01:00",
        "ExpectedExecutionDateTime": "2026-04-05T10:43:07.250+01:00",
        "ExpectedSettlementDateTime": "2026-04-05T10:43:07.250+01:00",
        "Charges": [
          {
            "ChargeBearer": "BorneByDebtor",
            "Type": "UK.OBIE.CHAPSOut",
            "Amount": {
              "Amount": "25.00",
              "Currency": "GBP"
            }
          }
        ],
        "Refund": {
          "Account": {
            "SchemeName": "UK.OBIE.SortCodeAccountNumber",
            "Identification": "80200112344562",
            "Name": "Ada Example"
          }
        },
        "Initiation": "...",
        "MultiAuthorisation": {
          "Status": "AwaitingFurtherAuthorisation",
          "NumberRequired": 2,
          "NumberReceived": 1,
          "LastUpdateDateTime": "2026-04-05T10:43:07.250+01:00",
          "ExpirationDateTime": "2026-04-05T10:43:07.250+01:00"
        },
        "Debtor": {
          "SchemeName": "UK.OBIE.SortCodeAccountNumber",
          "Identification": "80200112344562",
          "Name": "Ada Example"
        },
        "DomesticPaymentId": "order-1"
      },
      "Links": {
        "Self": "https://bank.example/open-banking/v4.0/pisp/x"
      },
      "Meta": {}
    }
    "##);
}

#[test]
fn details_and_funds_fit_the_schemas() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let judge = |schema: &str, body: Value, specification: &Specification| {
            let errors = specification.errors(schema, &body).unwrap();
            assert!(errors.is_empty(), "{version} {schema}: {errors:#?}\n{body:#}");
        };
        let details = StatusFamily::StandingOrder
            .statuses()
            .map(|status| PaymentDetail::new(version, "tx-1", status, NOW).over(version, LocalInstrument::Fps));
        let details = Envelope::new(PaymentDetails { payment_status: details.collect() }, links(), Meta::default());
        judge("OBWritePaymentDetailsResponse1", serde_json::to_value(details).unwrap(), &specification);
        let funds = Envelope::new(FundsAvailable::new(true, NOW), links(), Meta::default());
        judge("OBWriteFundsConfirmationResponse1", serde_json::to_value(funds).unwrap(), &specification);
    }
}
