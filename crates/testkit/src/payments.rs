//! Bodies of payments with every member that their schemas know.

use openbanking::payments::{PaymentKind, Timing};
use openbanking::version::ApiVersion;
use serde_json::{Map, Value, json};

/// The object with the members of another.
fn with(mut object: Value, more: Value) -> Value {
    let (Some(object_map), Value::Object(more)) = (object.as_object_mut(), more) else { return object };
    object_map.extend(more);
    object
}

/// The object without these members.
#[must_use]
pub fn without(mut object: Value, names: &[&str]) -> Value {
    if let Some(map) = object.as_object_mut() {
        names.iter().for_each(|name| drop(map.remove(*name)));
    }
    object
}

/// One or the other version's.
fn by<T>(version: ApiVersion, v3: T, v4: T) -> T {
    match version {
        ApiVersion::V3_1 => v3,
        ApiVersion::V4_0 => v4,
    }
}

/// An amount in pounds.
#[must_use]
pub fn amount(amount: &str) -> Value {
    json!({"Amount": amount, "Currency": "GBP"})
}

/// An account with everything that a version says of one.
#[must_use]
pub fn account(version: ApiVersion, identification: &str) -> Value {
    let account = json!({
        "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": identification, "Name": "Ada Example",
        "SecondaryIdentification": "0002"
    });
    by(
        version,
        account.clone(),
        with(account, json!({"Proxy": {"Identification": "07700900000", "Code": "TELE", "Type": "Mobile"}})),
    )
}

/// An address with every member.
#[must_use]
pub fn address(version: ApiVersion) -> Value {
    let address = json!({
        "Department": "D", "SubDepartment": "S", "StreetName": "High Street", "BuildingNumber": "1",
        "PostCode": "AB1 2CD", "TownName": "Hedgeford", "CountrySubDivision": "Kent", "Country": "GB",
        "AddressLine": ["One", "Two"]
    });
    by(
        version,
        with(address.clone(), json!({"AddressType": "POBox"})),
        with(
            address,
            json!({
                "AddressType": "PBOX", "BuildingName": "B", "Floor": "1", "UnitNumber": "2", "Room": "3", "PostBox": "4",
                "TownLocationName": "T", "DistrictName": "D", "CareOf": "C"
            }),
        ),
    )
}

fn agent(version: ApiVersion) -> Value {
    let agent = json!({
        "SchemeName": "UK.OBIE.BICFI", "Identification": "HEDGGB2L", "Name": "Hedge Bank",
        "PostalAddress": address(version)
    });
    by(version, agent.clone(), with(agent, json!({"LEI": "5493001KJTIIGC8Y1R12"})))
}

/// What a payment is for.
#[must_use]
pub fn remittance(version: ApiVersion) -> Value {
    by(
        version,
        json!({"Unstructured": "Internal", "Reference": "FRESCO-037"}),
        json!({
            "Unstructured": ["Internal", "Again"],
            "Structured": [{
                "ReferredDocumentInformation": [{
                    "Code": "CINV", "Issuer": "I", "Number": "N", "RelatedDate": "2026-01-01T00:00:00Z",
                    "LineDetails": ["L"]
                }],
                "ReferredDocumentAmount": "12.00",
                "CreditorReferenceInformation": {"Code": "SCOR", "Issuer": "I", "Reference": "FRESCO-037"},
                "Invoicer": "I", "Invoicee": "I", "TaxRemittance": "T", "AdditionalRemittanceInformation": ["A"]
            }]
        }),
    )
}

/// What v4.0 has for every kind but files.
#[must_use]
pub fn ultimate_parties(version: ApiVersion) -> Value {
    let party = json!({
        "Name": "Parent plc", "Identification": "1", "LEI": "5493001KJTIIGC8Y1R12", "SchemeName": "UK.OBIE.IBAN",
        "PostalAddress": address(version)
    });
    by(
        version,
        json!({}),
        json!({
            "UltimateCreditor": party, "UltimateDebtor": party,
            "RegulatoryReporting": [{
                "DebitCreditReportingIndicator": "CRED",
                "Authority": {"Name": "A", "CountryCode": "GB"},
                "Details": [{
                    "Type": "T", "Date": "2026-01-01T00:00:00Z", "Country": "GB", "Amount": amount("1.00"),
                    "Information": ["I"]
                }]
            }]
        }),
    )
}

fn abroad(version: ApiVersion) -> Value {
    let creditor = json!({"Name": "Creditor SA", "PostalAddress": address(version)});
    let members = json!({
        "ExtendedPurpose": "Books", "ChargeBearer": "Shared", "CurrencyOfTransfer": "USD",
        "DestinationCountryCode": "US", "InstructedAmount": amount("165.88"), "CreditorAgent": agent(version),
        "Creditor": by(version, creditor.clone(), with(creditor, json!({"LEI": "5493001KJTIIGC8Y1R12"})))
    });
    by(version, with(members.clone(), json!({"Purpose": "GDDS"})), members)
}

fn terms(version: ApiVersion) -> Value {
    by(
        version,
        json!({
            "Frequency": "IntrvlMnthDay:01:15", "Reference": "Rent", "FirstPaymentDateTime": "2027-01-15T00:00:00+00:00",
            "FinalPaymentDateTime": "2028-01-15T00:00:00+00:00"
        }),
        json!({
            "RemittanceInformation": remittance(version),
            "MandateRelatedInformation": {
                "MandateIdentification": "M", "Classification": "FIXE", "CategoryPurposeCode": "BONU",
                "FirstPaymentDateTime": "2027-01-15T00:00:00+00:00",
                "RecurringPaymentDateTime": "2027-02-15T00:00:00+00:00",
                "FinalPaymentDateTime": "2028-01-15T00:00:00+00:00",
                "Frequency": {"Type": "MNTH", "PointInTime": "15"}, "Reason": "Rent"
            }
        }),
    )
}

/// An `Initiation` that has everything which may stand together.
#[must_use]
pub fn initiation(kind: PaymentKind, version: ApiVersion) -> Value {
    let accounts = json!({
        "DebtorAccount": account(version, "80200112344562"), "CreditorAccount": account(version, "80200112344563"),
        "SupplementaryData": {"Anything": [1, "two"]}
    });
    if kind == PaymentKind::File {
        let file = json!({
            "FileType": by(version, "UK.OBIE.PaymentInitiation.3.1", "UK.OBIE.PaymentInitiation.4.0"),
            "FileHash": "m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ=", "FileReference": "GB2OK238",
            "NumberOfTransactions": "100", "ControlSum": 3459.30,
            "RequestedExecutionDateTime": "2027-01-01T00:00:00+00:00", "LocalInstrument": "UK.OBIE.FPS",
            "RemittanceInformation": remittance(version)
        });
        let file = with(file, without(accounts, &["CreditorAccount"]));
        let parties = ultimate_parties(version);
        return by(
            version,
            file.clone(),
            with(file, json!({"CreditorAgent": agent(version), "UltimateDebtor": parties["UltimateDebtor"]})),
        );
    }
    let mut initiation = with(accounts, ultimate_parties(version));
    let instruction = json!({
        "InstructionIdentification": "ANSM020", "EndToEndIdentification": "FRESCO.21302.GFX.01",
        "RemittanceInformation": remittance(version)
    });
    if kind.is_international() {
        initiation = with(initiation, abroad(version));
    }
    match kind.timing() {
        Timing::Recurring => {
            initiation = with(initiation, terms(version));
            if !kind.is_international() {
                initiation = with(
                    initiation,
                    json!({
                        "FirstPaymentAmount": amount("6.66"), "RecurringPaymentAmount": amount("7.00"),
                        "FinalPaymentAmount": amount("7.01")
                    }),
                );
                if version == ApiVersion::V3_1 {
                    initiation = with(initiation, json!({"RecurringPaymentDateTime": "2027-02-15T00:00:00+00:00"}));
                }
            }
        }
        Timing::Scheduled => {
            initiation =
                with(with(initiation, instruction), json!({"RequestedExecutionDateTime": "2027-01-01T00:00:00+00:00"}));
        }
        Timing::Immediate | Timing::File => initiation = with(initiation, instruction),
    }
    if kind.timing() != Timing::Recurring {
        initiation = if kind.is_international() {
            with(
                initiation,
                json!({
                    "InstructionPriority": "Urgent",
                    "ExchangeRateInformation": {
                        "UnitCurrency": "GBP", "ExchangeRate": 1.25, "RateType": "Agreed",
                        "ContractIdentification": "C-1"
                    }
                }),
            )
        } else {
            let domestic = json!({
                "LocalInstrument": "UK.OBIE.FPS", "InstructedAmount": amount("165.88"),
                "CreditorPostalAddress": address(version)
            });
            with(initiation, domestic)
        };
    }
    if kind == PaymentKind::Domestic && version == ApiVersion::V4_0 {
        initiation = with(initiation, json!({"CreditorAgent": agent(version)}));
    }
    initiation
}

/// `Risk` with every member.
#[must_use]
pub fn risk(version: ApiVersion) -> Value {
    let risk = json!({
        "PaymentContextCode": "EcommerceMerchantInitiatedPayment", "MerchantCategoryCode": "5967",
        "MerchantCustomerIdentification": "053598653254", "BeneficiaryPrepopulatedIndicator": true,
        "PaymentPurposeCode": "EPAY", "BeneficiaryAccountType": "Business"
    });
    by(
        version,
        with(
            risk.clone(),
            json!({
                "ContractPresentInidicator": false,
                "DeliveryAddress": {
                    "AddressLine": ["One", "Two"], "StreetName": "High Street", "BuildingNumber": "1",
                    "PostCode": "AB1 2CD", "TownName": "Hedgeford", "CountrySubDivision": "Kent", "Country": "GB"
                }
            }),
        ),
        with(
            risk,
            json!({
                "ContractPresentIndicator": false, "CategoryPurposeCode": "BONU",
                "DeliveryAddress": address(version)
            }),
        ),
    )
}

/// The body with its `Risk`, unless the kind has none.
fn body(kind: PaymentKind, version: ApiVersion, data: Value) -> Value {
    let mut body = Map::from_iter([("Data".to_owned(), data)]);
    if kind.has_risk() {
        body.insert("Risk".to_owned(), risk(version));
    }
    body.into()
}

/// A body that lodges a consent.
#[must_use]
pub fn consent(kind: PaymentKind, version: ApiVersion) -> Value {
    let mut data = json!({
        "Initiation": initiation(kind, version),
        "Authorisation": {"AuthorisationType": "Single", "CompletionDateTime": "2027-01-01T00:00:00+00:00"},
        "SCASupportData": {
            "RequestedSCAExemptionType": "BillPayment", "AppliedAuthenticationApproach": "SCA",
            "ReferencePaymentOrderId": "R-1"
        }
    });
    if kind.has_permission() {
        data = with(data, json!({"Permission": "Create"}));
    }
    if kind != PaymentKind::File {
        data = with(data, json!({"ReadRefundAccount": "Yes"}));
    }
    body(kind, version, data)
}

/// A body that orders.
#[must_use]
pub fn order(kind: PaymentKind, version: ApiVersion) -> Value {
    body(kind, version, json!({"ConsentId": "consent-1", "Initiation": initiation(kind, version)}))
}
