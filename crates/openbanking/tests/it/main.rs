//! What this crate writes, judged by the published OpenAPI files.

#[cfg(test)]
mod funds_confirmation;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod vrp;

use openbanking::version::ApiVersion;
use samples::Sample;
use serde_json::{Value, json};
use testkit::Specification;

/// Runs the judgement with the specification of each version that is there.
#[cfg(test)]
fn each_version(judge: fn(ApiVersion, &Specification)) {
    for (version, file) in [
        (ApiVersion::V3_1, "v3.1.11/account-info-openapi.yaml"),
        (ApiVersion::V4_0, "v4.0.1/account-info-openapi.json"),
    ] {
        if let Some(specification) = Specification::open(file).unwrap() {
            judge(version, &specification);
        }
    }
}

#[test]
fn samples_fit_the_schemas() {
    each_version(|version, specification| {
        for Sample { schema, body } in samples::all(version) {
            let errors = specification.errors(schema, &body).unwrap();
            assert!(errors.is_empty(), "{version} {schema}: {errors:#?}\n{body:#}");
        }
    });
}

#[test]
fn damaged_samples_do_not() {
    each_version(|version, specification| {
        for Sample { schema, body } in samples::all(version) {
            let mut strange = body.clone();
            // These are not closed at their top in v4.0.1, but further inside.
            let place = match schema {
                "OBReadConsent1" => &mut strange["Risk"],
                "OBReadBeneficiary5" => &mut strange["Data"]["Beneficiary"][0],
                _ => &mut strange,
            };
            place["Mood"] = json!("good");
            assert!(
                !specification.errors(schema, &strange).unwrap().is_empty(),
                "{version} {schema}: a strange member"
            );
            let mut missing = body;
            missing.as_object_mut().unwrap().remove(if schema == "OBErrorResponse1" { "Errors" } else { "Data" });
            assert!(
                !specification.errors(schema, &missing).unwrap().is_empty(),
                "{version} {schema}: a missing member"
            );
        }
    });
}

#[test]
fn the_other_versions_payloads_are_told_apart() {
    each_version(|version, specification| {
        let [other] = [ApiVersion::ALL.into_iter().find(|other| *other != version).unwrap()];
        for Sample { schema, body } in samples::all(other) {
            // These are the same in both versions, and v4.0 only deprecates what v3.1 demands of errors.
            let same = [
                "OBReadConsent1",
                "OBErrorResponse1",
                "OBReadBeneficiary5",
                "OBReadScheduledPayment3",
                "OBReadProduct2",
                "OBReadOffer1",
                "OBReadStatement2",
            ];
            if !same.contains(&schema) {
                assert!(
                    !specification.errors(schema, &body).unwrap().is_empty(),
                    "{version} takes {schema} of {other}"
                );
            }
        }
    });
}

#[test]
fn every_permission_and_error_code_is_in_the_code_sets() {
    each_version(|version, specification| {
        let published: Vec<String> = specification
            .values("/components/schemas/OBReadConsent1/properties/Data/properties/Permissions/items/enum")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let ours: Vec<_> = openbanking::permissions::Permission::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(ours, published, "{version}");
        let codes = match version {
            ApiVersion::V3_1 => "/components/schemas/OBError1/properties/ErrorCode/x-namespaced-enum",
            ApiVersion::V4_0 => "/components/schemas/OBExternalStatusReason1Code/enum",
        };
        for code in specification.values(codes).iter().filter_map(Value::as_str) {
            // v4.0 also takes the 270 reasons of ISO 20022, which are not errors of this API.
            if version == ApiVersion::V3_1 || code.starts_with('U') && code[1..].parse::<u16>().is_ok() {
                assert!(openbanking::error::ErrorCode::from_wire(code).is_some(), "{version} {code}");
            }
        }
    });
}
