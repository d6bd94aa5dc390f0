//! Confirmation of funds, in both versions.

use crate::mutations;
use openbanking::consent::{ConsentState, ConsentStatus, StatusReason};
use openbanking::error::ErrorCode;
use openbanking::funds_confirmation::*;
use openbanking::links::{Envelope, Links, Meta};
use openbanking::money::{Currency, Money};
use openbanking::version::ApiVersion;
use serde_json::{Value, json};
use testkit::Specification;
use testkit::payments::{account, amount};
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-04-05 10:43:07.250 +1);

fn specification(version: ApiVersion) -> Option<Specification> {
    let file = match version {
        ApiVersion::V3_1 => "v3.1.11/confirmation-funds-openapi.yaml",
        ApiVersion::V4_0 => "v4.0.1/confirmation-funds-openapi.json",
    };
    Specification::open(file).unwrap()
}

fn consent(version: ApiVersion) -> Value {
    json!({"Data": {
        "ExpirationDateTime": "2027-05-02T00:00:00.999+00:00", "DebtorAccount": account(version, "80200112344562")
    }})
}

fn confirmation() -> Value {
    json!({"Data": {"ConsentId": "consent-1", "Reference": "Purchase01", "InstructedAmount": amount("20.00")}})
}

#[test]
fn what_the_schemas_refuse_is_refused_in_its_place() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let judge = |schema: &str, body: &Value, read: mutations::Read<'_>| {
            mutations::judge(&format!("{version}"), &specification.schema(schema).unwrap(), body, &[], read)
        };
        let consents = judge("OBFundsConfirmationConsent1", &consent(version), &|body| {
            FundsConfirmationConsentRequest::read(version, body).map(drop)
        });
        let confirmations = judge("OBFundsConfirmation1", &confirmation(), &|body| {
            FundsConfirmationRequest::read(version, body).map(drop)
        });
        assert!(consents > 50 && confirmations > 30, "{version}: only {consents} and {confirmations}");
    }
}

#[test]
fn an_unknown_scheme_is_refused() {
    let body = consent(ApiVersion::V3_1).to_string().replace("SortCodeAccountNumber", "TestingAnInvalidSchemeName");
    let error = FundsConfirmationConsentRequest::read(ApiVersion::V3_1, body.as_bytes()).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::UnsupportedScheme, "Data.DebtorAccount.SchemeName"));
}

#[test]
fn answers_fit_the_schemas_and_repeat_what_was_sent() {
    for version in ApiVersion::ALL {
        let Some(specification) = specification(version) else { return };
        let judge = |schema: &str, body: &Value| {
            let errors = specification.errors(schema, body).unwrap();
            assert!(errors.is_empty(), "{version} {schema}: {errors:#?}\n{body:#}");
        };
        let links = || Links::to_self("https://bank.example/open-banking/v4.0/cbpii/x");
        let request = FundsConfirmationConsentRequest::read(version, consent(version).to_string().as_bytes()).unwrap();
        assert_eq!(request.debtor_account().unwrap().identification, "80200112344562");
        assert_eq!(request.expiration(), Some(datetime!(2027-05-02 0:00:00.999 UTC)));
        let state = ConsentState {
            status_reason: vec![StatusReason::new(ErrorCode::AuthorisationNotCompleted, "Not yet")],
            ..ConsentState::new("consent-1", version.code(ConsentStatus::AwaitingAuthorisation), NOW)
        };
        let answer = FundsConfirmationConsentAnswer::of(&request, state, links(), Meta::default());
        let written = serde_json::to_value(&answer).unwrap();
        judge("OBFundsConfirmationConsentResponse1", &written);
        assert_eq!(written["Data"]["DebtorAccount"], consent(version)["Data"]["DebtorAccount"]);
        assert_eq!(written["Data"]["ExpirationDateTime"], "2027-05-02T00:00:00.999+00:00");
        assert_eq!(serde_json::from_value::<FundsConfirmationConsentAnswer>(written).unwrap().data.asked.len(), 2);

        let request = FundsConfirmationRequest::read(version, confirmation().to_string().as_bytes()).unwrap();
        assert_eq!(request.amount(), Money::new(2_000, Currency::GBP));
        let confirmed = FundsConfirmation::new("funds-1", request.data, true, NOW);
        let written = serde_json::to_value(Envelope::new(confirmed, links(), Meta::default())).unwrap();
        judge("OBFundsConfirmationResponse1", &written);
        assert_eq!(written["Data"]["InstructedAmount"], amount("20.00"));
    }
}

#[test]
fn the_amount_has_the_decimals_of_its_currency() {
    let body = confirmation().to_string().replace("20.00", "20.001");
    let error = FundsConfirmationRequest::read(ApiVersion::V4_0, body.as_bytes()).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::FieldInvalid, "Data.InstructedAmount.Amount"));
}
