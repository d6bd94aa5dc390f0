//! Variable recurring payments and confirmations of funds through the bank's real interface: every answer, refusals among
//! them, held against the published OpenAPI files of both versions.

use openbanking::version::ApiVersion;
use serde_json::{Value, json};
use testkit::Specification;

use crate::hand_made::World;

/// Calls of one version, and the file that judges what comes back.
struct Api<'a> {
    world: &'a World,
    version: ApiVersion,
    specification: Option<Specification>,
}

impl Api<'_> {
    async fn call(&self, consent: &str, token: &str, method: &str, path: &str, body: Option<Value>) -> (u64, Value) {
        let mut call = json!({
            "bank": self.world.hosted.bank.name, "version": self.version, "consent-id": consent,
            "token": token, "method": method, "path": path,
        });
        if let Some(body) = body {
            call["body"] = json!({ "json": body });
        }
        let answered = self.world.step("call", &call).await;
        (answered["status"].as_u64().unwrap(), answered["body"].clone())
    }

    #[track_caller]
    fn fits(&self, schema: &str, body: &Value) {
        if let Some(specification) = &self.specification {
            let errors = specification.errors(schema, body).unwrap();
            assert!(errors.is_empty(), "{} {schema}: {errors:#?}\n{body:#}", self.version);
        }
    }

    /// A consent that the customer has authorised, and its tokens.
    async fn connected(&self, kind: &str, body: Value) -> String {
        let bank = &self.world.hosted.bank.name;
        let step = json!({ "bank": bank, "version": self.version, "kind": kind, "body": body });
        let consent = self.world.step("lodge-consent", &step).await["consent-id"].as_str().unwrap().to_owned();
        self.world.authorised(&consent, "tobias").await;
        consent
    }
}

fn pounds(amount: &str) -> Value {
    json!({ "Amount": amount, "Currency": "GBP" })
}

fn payee() -> Value {
    json!({
        "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": "00009934567803", "Name": "Tobias Ashdown-Vale",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn recurring_payments_stay_inside_their_limits() {
    let world = World::new().await;
    for (version, file) in [
        (ApiVersion::V3_1, "v3.1.11/vrp-openapi.yaml"),
        (ApiVersion::V4_0, "v4.0.1/variable-recurring-payments-openapi.json"),
    ] {
        let api = Api { world: &world, version, specification: Specification::open(file).unwrap() };
        let body = json!({
            "Data": {
                "ControlParameters": {
                    "PSUAuthenticationMethods": ["UK.OBIE.SCANotRequired"],
                    "PSUInteractionTypes": ["OffSession"],
                    "VRPType": ["UK.OBIE.VRPType.Sweeping"],
                    "MaximumIndividualAmount": pounds("10.00"),
                    "PeriodicLimits": [{
                        "PeriodType": "Month", "PeriodAlignment": "Consent", "Amount": "15.00", "Currency": "GBP",
                    }],
                },
                "Initiation": { "CreditorAccount": payee() },
            },
            "Risk": {},
        });
        let mut endless = body.clone();
        endless["Data"]["ControlParameters"]["ValidToDateTime"] = json!("9999-12-31T23:59:59Z");
        api.connected("domestic-vrp-consents", endless).await;
        let consent = api.connected("domestic-vrp-consents", body).await;
        let path = format!("/domestic-vrp-consents/{consent}");
        let (status, read) = api.call(&consent, "client", "GET", &path, None).await;
        assert_eq!(status, 200, "{read}");
        api.fits("OBDomesticVRPConsentResponse", &read);
        let ask = json!({ "Data": { "ConsentId": consent, "Reference": "ASK", "InstructedAmount": pounds("10.00") } });
        let (status, funds) =
            api.call(&consent, "customer", "POST", &format!("{path}/funds-confirmation"), Some(ask)).await;
        assert_eq!((status, &funds["Data"]["FundsAvailableResult"]["FundsAvailable"]), (201, &json!("Available")));
        api.fits("OBVRPFundsConfirmationResponse", &funds);

        let pay = |amount: &str| {
            json!({
                "Data": {
                    "ConsentId": consent,
                    "PSUAuthenticationMethod": "UK.OBIE.SCANotRequired",
                    "PSUInteractionType": "OffSession",
                    "VRPType": "UK.OBIE.VRPType.Sweeping",
                    "Initiation": read["Data"]["Initiation"],
                    "Instruction": {
                        "InstructionIdentification": "SWEEP", "EndToEndIdentification": "SWEEP",
                        "InstructedAmount": pounds(amount), "CreditorAccount": payee(),
                    },
                },
                "Risk": {},
            })
        };
        let (status, paid) = api.call(&consent, "customer", "POST", "/domestic-vrps", Some(pay("10.00"))).await;
        assert_eq!(status, 201, "{paid}");
        api.fits("OBDomesticVRPResponse", &paid);
        let id = paid["Data"]["DomesticVRPId"].as_str().unwrap().to_owned();
        for (path, schema) in [
            (format!("/domestic-vrps/{id}"), "OBDomesticVRPResponse"),
            (format!("/domestic-vrps/{id}/payment-details"), "OBDomesticVRPDetails"),
        ] {
            let (status, read) = api.call(&consent, "client", "GET", &path, None).await;
            assert_eq!(status, 200, "{read}");
            api.fits(schema, &read);
        }
        let change = |place: &str, value: Value| {
            let mut other = pay("1.00");
            *other.pointer_mut(place).unwrap() = value;
            other
        };
        let (name, elsewhere) = ("/Data/Instruction/CreditorAccount/Name", "Data.Instruction.CreditorAccount.Name");
        for (other, path) in [
            (change("/Risk", json!({ "PaymentContextCode": "TransferToSelf" })), "Risk.PaymentContextCode"),
            (change(name, json!("Somebody else")), elsewhere),
        ] {
            let (status, refused) = api.call(&consent, "customer", "POST", "/domestic-vrps", Some(other)).await;
            let code = if version == ApiVersion::V3_1 { "UK.OBIE.Resource.ConsentMismatch" } else { "U008" };
            let error = &refused["Errors"][0];
            assert_eq!((status, &error["ErrorCode"], &error["Path"]), (400, &json!(code), &json!(path)), "{refused}");
        }
        for beyond in ["10.01", "5.01"] {
            let (status, refused) = api.call(&consent, "customer", "POST", "/domestic-vrps", Some(pay(beyond))).await;
            let code = if version == ApiVersion::V3_1 { "UK.OBIE.Rules.FailsControlParameters" } else { "U014" };
            assert_eq!((status, &refused["Errors"][0]["ErrorCode"]), (400, &json!(code)), "{beyond}: {refused}");
            api.fits("OBErrorResponse1", &refused);
        }
        assert_eq!(api.call(&consent, "customer", "POST", "/domestic-vrps", Some(pay("5.00"))).await.0, 201);
        assert_eq!(api.call(&consent, "client", "DELETE", &path, None).await.0, 204);
        let (status, gone) = api.call(&consent, "client", "GET", &path, None).await;
        assert_eq!(status, 400);
        api.fits("OBErrorResponse1", &gone);
        assert_eq!(api.call(&consent, "customer", "POST", "/domestic-vrps", Some(pay("1.00"))).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn funds_are_confirmed_and_never_told() {
    let world = World::new().await;
    let number = {
        let api = Api { world: &world, version: ApiVersion::V4_0, specification: None };
        let body = json!({ "Data": { "Permissions": ["ReadAccountsDetail"] }, "Risk": {} });
        let consent = api.connected("account-access-consents", body).await;
        let (_, accounts) = api.call(&consent, "customer", "GET", "/accounts", None).await;
        accounts["Data"]["Account"][0]["Account"][0]["Identification"].as_str().unwrap().to_owned()
    };
    for (version, file) in [
        (ApiVersion::V3_1, "v3.1.11/confirmation-funds-openapi.yaml"),
        (ApiVersion::V4_0, "v4.0.1/confirmation-funds-openapi.json"),
    ] {
        let api = Api { world: &world, version, specification: Specification::open(file).unwrap() };
        let account = json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": number });
        let body = json!({ "Data": { "DebtorAccount": account, "ExpirationDateTime": "2031-01-01T00:00:00.999Z" } });
        let consent = api.connected("funds-confirmation-consents", body).await;
        let path = format!("/funds-confirmation-consents/{consent}");
        let (status, read) = api.call(&consent, "client", "GET", &path, None).await;
        assert_eq!(status, 200, "{read}");
        api.fits("OBFundsConfirmationConsentResponse1", &read);
        let ask = |amount: Value| json!({ "Data": { "ConsentId": consent, "Reference": "CARD", "InstructedAmount": amount } });
        for (amount, there) in [("1.00", true), ("99999999.00", false)] {
            let (status, body) =
                api.call(&consent, "customer", "POST", "/funds-confirmations", Some(ask(pounds(amount)))).await;
            assert_eq!((status, &body["Data"]["FundsAvailable"]), (201, &json!(there)), "{body}");
            api.fits("OBFundsConfirmationResponse1", &body);
        }
        let euros = ask(json!({ "Amount": "1.00", "Currency": "EUR" }));
        let (status, refused) = api.call(&consent, "customer", "POST", "/funds-confirmations", Some(euros)).await;
        assert_eq!(status, 400);
        api.fits("OBErrorResponse1", &refused);
        assert_eq!(api.call(&consent, "client", "DELETE", &path, None).await.0, 204);
        let (status, gone) = api.call(&consent, "client", "GET", "/funds-confirmation-consents/42", None).await;
        assert_eq!(status, 400);
        api.fits("OBErrorResponse1", &gone);
    }
}

/// A bank that wants each reference once takes it once, however many ask at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_reference_serves_once_where_the_bank_wants_it_so() {
    let world = World::with_bank(|profile| format!("{profile}\nunique-references: true\n")).await;
    let api = Api { world: &world, version: ApiVersion::V4_0, specification: None };
    let body = json!({ "Data": { "Permissions": ["ReadAccountsDetail"] }, "Risk": {} });
    let consent = api.connected("account-access-consents", body).await;
    let (_, accounts) = api.call(&consent, "customer", "GET", "/accounts", None).await;
    let number = accounts["Data"]["Account"][0]["Account"][0]["Identification"].clone();
    let account = json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": number });
    let body = json!({ "Data": { "DebtorAccount": account } });
    let consent = api.connected("funds-confirmation-consents", body).await;
    let (api, consent) = (&api, &consent);
    let ask = |reference: String| async move {
        let data = json!({ "ConsentId": consent, "Reference": reference, "InstructedAmount": pounds("1.00") });
        api.call(consent, "customer", "POST", "/funds-confirmations", Some(json!({ "Data": data }))).await
    };
    for round in 0..5 {
        let asked = || ask(format!("CARD-{round}"));
        let (one, two, three, four) = tokio::join!(asked(), asked(), asked(), asked());
        let answers = [one, two, three, four];
        assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1, "{answers:?}");
        for (_, refused) in answers.iter().filter(|(status, _)| *status != 201) {
            assert_eq!(refused["Errors"][0]["ErrorCode"], "U013", "{refused}");
        }
    }
}
