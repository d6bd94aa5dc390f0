//! Control parameters: what makes them wrong, and what they let through.

use super::{consent, order, parameters};
use openbanking::error::ErrorCode;
use openbanking::money::{Currency, Money};
use openbanking::reading::ReadingError;
use openbanking::version::ApiVersion;
use openbanking::vrp::*;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Date, OffsetDateTime};

const CREATED: OffsetDateTime = datetime!(2026-06-06 9:00 UTC);

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn changed(change: impl Fn(&mut Value)) -> Result<ControlParameters, ReadingError> {
    let mut parameters = parameters();
    change(&mut parameters);
    ControlParameters::of(&parameters)
}

#[test]
fn they_are_typed() {
    let typed = changed(|_| {}).unwrap();
    assert_eq!(typed.maximum_individual_amount, pounds(10_000));
    assert_eq!(typed.periodic_limits.len(), 2);
    assert_eq!(typed.vrp_types, [VrpType::Sweeping]);
    assert_eq!(typed.authentication_methods, [AuthenticationMethod::ScaNotRequired]);
    assert!(typed.has_supplementary_data);
    let default = changed(|parameters| drop(parameters.as_object_mut().unwrap().remove("PSUInteractionTypes")));
    assert_eq!(default.unwrap().interaction_types, [InteractionType::OffSession]);
    for name in ["CVRP1", "CVRP2", "CVRP3", "Other"] {
        let body = consent(ApiVersion::V4_0).to_string().replace("Sweeping", name);
        let request = VrpConsentRequest::read(ApiVersion::V4_0, body.as_bytes()).unwrap();
        assert_eq!(request.control_parameters().unwrap().vrp_types.len(), 1, "{name}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |change: fn(&mut Value)| {
        let error = changed(change).unwrap_err();
        (error.code, error.path.strip_prefix("Data.ControlParameters.").unwrap().to_owned())
    };
    let at = |code, path: &str| (code, path.to_owned());
    assert_eq!(
        refused(|parameters| {
            parameters["PeriodicLimits"][1]["PeriodType"] = json!("Fortnight");
        }),
        at(ErrorCode::FieldInvalid, "PeriodicLimits[1].PeriodAlignment")
    );
    assert!(changed(|parameters| parameters["PeriodicLimits"][0]["PeriodType"] = json!("Fortnight")).is_ok());
    assert_eq!(
        refused(|parameters| parameters["PeriodicLimits"][0]["Currency"] = json!("EUR")),
        at(ErrorCode::FieldInvalid, "PeriodicLimits[0].Currency")
    );
    assert_eq!(
        refused(|parameters| parameters["ValidToDateTime"] = json!("2015-12-31T23:00:00Z")),
        at(ErrorCode::FieldInvalidDate, "ValidToDateTime")
    );
    assert_eq!(
        refused(|parameters| parameters["MaximumIndividualAmount"]["Amount"] = json!("1.001")),
        at(ErrorCode::FieldInvalid, "MaximumIndividualAmount.Amount")
    );
}

#[test]
fn sweeping_names_the_account_that_is_swept_into() {
    let mut body = consent(ApiVersion::V3_1);
    body["Data"]["Initiation"].as_object_mut().unwrap().remove("CreditorAccount");
    let request = VrpConsentRequest::read(ApiVersion::V3_1, body.to_string().as_bytes()).unwrap();
    let error = request.control_parameters().unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::FieldExpected, "Data.Initiation.CreditorAccount"));
    let other = body.to_string().replace("Sweeping", "Other");
    let request = VrpConsentRequest::read(ApiVersion::V3_1, other.as_bytes()).unwrap();
    assert!(request.control_parameters().is_ok());
}

/// The breach of an order of so much, on that day, after so much was paid each day of June 2026 up to it.
fn breach(minor: i64, now: OffsetDateTime, paid_a_day: i64, change: &dyn Fn(&mut Value)) -> Option<&'static str> {
    let mut body = order(ApiVersion::V4_0);
    change(&mut body["Data"]);
    let order = VrpOrderRequest::read(ApiVersion::V4_0, body.to_string().as_bytes()).unwrap();
    let paid = |period: Period| {
        let mut days = 0;
        let mut day = Some(CREATED.date());
        while let Some(date) = day.filter(|date: &Date| *date < now.date()) {
            days += i64::from(period.contains(date));
            day = date.next_day();
        }
        pounds(days * paid_a_day)
    };
    let parameters = changed(|_| {}).unwrap();
    parameters.admit(&order, pounds(minor), CREATED, now, &paid).err().map(|breach| {
        let error = ReadingError::from(breach.clone());
        assert_eq!((error.code, error.path.as_str()), (ErrorCode::RulesFailsControlParameters, breach.path()));
        breach.path().strip_prefix("Data.ControlParameters.").unwrap()
    })
}

#[test]
fn payments_stay_inside() {
    let day = datetime!(2026-06-10 12:00 UTC);
    let nothing: &dyn Fn(&mut Value) = &|_| {};
    assert_eq!(breach(10_000, day, 0, nothing), None);
    assert_eq!(breach(10_001, day, 0, nothing), Some("MaximumIndividualAmount.Amount"));
    // 200.00 a week from the 6th: four days of 40.00 leave 40.00.
    assert_eq!(breach(4_000, day, 4_000, nothing), None);
    assert_eq!(breach(4_001, day, 4_000, nothing), Some("PeriodicLimits.Amount"));
    // 300.00 a month, of which June counts 25 of 30 days: 250.00. Ten a day up to the 29th leave 20.00.
    let end = datetime!(2026-06-29 12:00 UTC);
    assert_eq!(breach(2_000, end, 1_000, nothing), None);
    assert_eq!(breach(2_001, end, 1_000, nothing), Some("PeriodicLimits.Amount"));
    // July counts whole.
    assert_eq!(breach(9_000, datetime!(2026-07-01 12:00 UTC), 1_000, nothing), None);
    // The time of the bounds is disregarded.
    assert_eq!(breach(1_000, datetime!(2030-01-01 23:00 UTC), 0, nothing), None);
    assert_eq!(breach(1_000, datetime!(2030-01-02 0:00 UTC), 0, nothing), Some("ValidToDateTime"));
    assert_eq!(breach(1_000, datetime!(2015-12-31 23:59 UTC), 0, nothing), Some("ValidFromDateTime"));
    assert_eq!(breach(1_000, day, 0, &|data| data["VRPType"] = json!("UK.OBIE.VRPType.Other")), Some("VRPType"));
    assert_eq!(
        breach(1_000, day, 0, &|data| data["PSUAuthenticationMethod"] = json!("UK.OBIE.SCA")),
        Some("PSUAuthenticationMethods")
    );
    assert_eq!(
        breach(1_000, day, 0, &|data| data["PSUInteractionType"] = json!("InSession")),
        Some("PSUInteractionTypes")
    );
    assert_eq!(breach(1_000, day, 0, &|data| drop(data.as_object_mut().unwrap().remove("PSUInteractionType"))), None);
    let parameters = changed(|_| {}).unwrap();
    let euro = Money::new(100, Currency::EUR);
    let refused = parameters.admit_amount(euro, CREATED, day, &|_| pounds(0)).unwrap_err();
    assert_eq!(refused.path(), "Data.ControlParameters.MaximumIndividualAmount.Currency");
    let refused = parameters.admit_amount(pounds(1), CREATED, day, &|_| pounds(i64::MAX)).unwrap_err();
    assert_eq!(refused, Breach::TooLarge { index: 0 });
}
