//! Consents to recurring payments that were lodged on v3.1 and go on in v4.0 (VRP Profile, Migration of a consent to a new
//! version).

use http::Method;
use openbanking::version::ApiVersion;
use serde_json::{Value, json};
use testkit::Specification;

use super::{Api, Reply, Sent};
use crate::hand_made::World;

const PATCH: &str = "application/json-patch+json";

fn pounds(amount: &str) -> Value {
    json!({ "Amount": amount, "Currency": "GBP" })
}

fn payee() -> Value {
    json!({
        "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": "00009934567803", "Name": "Tobias Ashdown-Vale",
    })
}

/// The consent as v3.1 writes it, and as v4.0 does.
fn bodies() -> [Value; 2] {
    let body = |remittance: Value, risk: Value| {
        json!({
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
                "Initiation": { "CreditorAccount": payee(), "RemittanceInformation": remittance },
            },
            "Risk": risk,
        })
    };
    [
        body(
            json!({ "Unstructured": "Savings", "Reference": "SWEEP-1" }),
            json!({ "ContractPresentInidicator": true, "PaymentContextCode": "PartyToParty" }),
        ),
        body(
            json!({
                "Unstructured": ["Savings"],
                "Structured": [{ "CreditorReferenceInformation": { "Reference": "SWEEP-1" } }],
            }),
            json!({ "ContractPresentIndicator": true, "PaymentContextCode": "PartyToParty" }),
        ),
    ]
}

/// The way from the one to the other.
fn patch() -> Value {
    json!([
        { "op": "test", "path": "/Risk/ContractPresentInidicator", "value": true },
        { "op": "move", "from": "/Risk/ContractPresentInidicator", "path": "/Risk/ContractPresentIndicator" },
        { "op": "replace", "path": "/Data/Initiation/RemittanceInformation", "value": {
            "Unstructured": ["Savings", "SWEEP-1"],
        } },
    ])
}

/// A bank with a consent of v3.1 that the customer has authorised.
struct Lodged<'a> {
    old: Api<'a>,
    new: Api<'a>,
    id: String,
    path: String,
    customer: String,
}

impl<'a> Lodged<'a> {
    async fn new(world: &'a World) -> Self {
        let (old, new) = (Api::new(world, ApiVersion::V3_1).await, Api::new(world, ApiVersion::V4_0).await);
        let lodged = old.post("/domestic-vrp-consents", &bodies()[0], old.with(&old.own)).await.is(201);
        let id = lodged.consent_id();
        let customer = old.authorise(&id, "tobias", "Household").await;
        Self { old, new, path: format!("/domestic-vrp-consents/{id}"), id, customer }
    }

    fn with(&self, key: Option<&str>) -> Sent<'_> {
        let sent = self.new.with(&self.new.own);
        Sent { key: key.map(str::to_owned).or(sent.key.clone()), ..sent }
    }

    async fn put(&self, body: &Value, key: Option<&str>) -> Reply {
        self.new.send(Method::PUT, &self.path, Some(body.to_string().as_bytes()), self.with(key)).await
    }

    async fn patch(&self, body: &str) -> Reply {
        let sent = Sent { content_type: PATCH, ..self.with(None) };
        self.new.send(Method::PATCH, &self.path, Some(body.as_bytes()), sent).await
    }

    /// It is still the one that was lodged on v3.1.
    async fn is_unchanged(&self) {
        let read = self.old.get(&self.path, &self.old.own).await.is(200);
        assert_eq!(read.body["Risk"], bodies()[0]["Risk"]);
        self.new.get(&self.path, &self.new.own).await.refused(400, "U009", "api.consent.version");
    }

    /// It is one of v4.0 now, in every word as the published file has it.
    async fn is_new(&self, reply: &Reply) {
        let read = self.new.get(&self.path, &self.new.own).await.is(200);
        assert_eq!(read.body["Data"], reply.body["Data"]);
        assert_eq!((read.text("/Data/Status"), read.text("/Data/ConsentId")), ("AUTH".to_owned(), self.id.clone()));
        assert_eq!(read.body["Risk"], bodies()[1]["Risk"]);
        let file = "v4.0.1/variable-recurring-payments-openapi.json";
        if let Some(specification) = Specification::open(file).unwrap() {
            let errors = specification.errors("OBDomesticVRPConsentResponse", &read.body).unwrap();
            assert!(errors.is_empty(), "{errors:#?}");
        }
        let code = "UK.OBIE.Resource.InvalidConsentStatus";
        self.old.get(&self.path, &self.old.own).await.refused(400, code, "api.consent.version");
        // The customer need not come again.
        let order = json!({
            "Data": {
                "ConsentId": self.id,
                "PSUAuthenticationMethod": "UK.OBIE.SCANotRequired",
                "VRPType": "UK.OBIE.VRPType.Sweeping",
                "Initiation": read.body["Data"]["Initiation"],
                "Instruction": {
                    "InstructionIdentification": "SWEEP", "EndToEndIdentification": "SWEEP",
                    "InstructedAmount": pounds("1.00"), "CreditorAccount": payee(),
                    "RemittanceInformation": read.body["Data"]["Initiation"]["RemittanceInformation"],
                },
            },
            "Risk": read.body["Risk"],
        });
        self.new.post("/domestic-vrps", &order, self.new.with(&self.customer)).await.is(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_replaced_by_the_same_one_in_the_new_form() {
    let world = World::new().await;
    let lodged = Lodged::new(&world).await;
    let [old, new] = bodies();
    lodged.is_unchanged().await;
    let changes: &[(&str, Value, &str)] = &[
        (
            "/Data/ControlParameters/MaximumIndividualAmount/Amount",
            json!("11.00"),
            "Data.ControlParameters.MaximumIndividualAmount.Amount",
        ),
        (
            "/Data/ControlParameters/PeriodicLimits/0/PeriodType",
            json!("Week"),
            "Data.ControlParameters.PeriodicLimits[0].PeriodType",
        ),
        (
            "/Data/Initiation/CreditorAccount/Identification",
            json!("00009934567804"),
            "Data.Initiation.CreditorAccount.Identification",
        ),
        (
            "/Data/Initiation/RemittanceInformation/Unstructured/0",
            json!("Spending"),
            "Data.Initiation.RemittanceInformation",
        ),
        ("/Risk/ContractPresentIndicator", json!(false), "Risk.ContractPresentIndicator"),
    ];
    for (pointer, value, path) in changes {
        let mut other = new.clone();
        *other.pointer_mut(pointer).unwrap() = value.clone();
        let reply = lodged.put(&other, None).await;
        reply.refused(400, "U008", "vrp.migration.same-values");
        assert_eq!(reply.text("/Errors/0/Path"), *path);
    }
    let mut more = new.clone();
    more["Data"]["ReadRefundAccount"] = json!("Yes");
    lodged.put(&more, None).await.refused(400, "U008", "vrp.migration.same-values");
    // The old form is none of v4.0.
    lodged.put(&old, None).await.refused(400, "U002", "vrp.consent.body");
    lodged.is_unchanged().await;

    let done = lodged.put(&new, Some("migrate-once")).await.is(200);
    lodged.is_new(&done).await;
    let again = lodged.put(&new, Some("migrate-once")).await.is(200);
    assert_eq!(again.body["Data"]["Initiation"], done.body["Data"]["Initiation"]);
    lodged.put(&more, Some("migrate-once")).await.refused(422, "U006", "api.idempotency.same-body");
    // There is nothing left to migrate.
    lodged.put(&new, None).await.refused(409, "U029", "vrp.migration.older-version");
    lodged.patch("[]").await.refused(409, "U029", "vrp.migration.older-version");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_patched_into_the_new_form() {
    let world = World::new().await;
    let lodged = Lodged::new(&world).await;
    let amount = "/Data/ControlParameters/MaximumIndividualAmount/Amount";
    let mut dearer = patch();
    dearer.as_array_mut().unwrap().push(json!({ "op": "replace", "path": amount, "value": "1000.00" }));
    lodged.patch(&dearer.to_string()).await.refused(400, "U008", "vrp.migration.same-values");
    for (wrong, code) in [
        ("{}", "U010"),
        ("[{", "U010"),
        (r#"[{ "op": "change", "path": "/Risk" }]"#, "U010"),
        (r#"[{ "op": "remove", "path": "/Risk/Nothing" }]"#, "U002"),
        (r#"[{ "op": "test", "path": "/Risk/PaymentContextCode", "value": "Other" }]"#, "U002"),
        // Some of what is needed: the rest is still in the old form.
        (r#"[{ "op": "remove", "path": "/Risk/ContractPresentInidicator" }]"#, "U002"),
    ] {
        lodged.patch(wrong).await.refused(400, code, "vrp.consent.body");
    }
    // A body that doubles with each copy.
    let copies: Vec<Value> =
        (0..40).map(|number| json!({ "op": "copy", "from": "/Data", "path": format!("/Data/More{number}") })).collect();
    lodged.patch(&Value::from(copies).to_string()).await.refused(400, "U010", "vrp.consent.body");
    let sent = lodged.with(None);
    let body = patch().to_string();
    let reply = lodged.new.send(Method::PATCH, &lodged.path, Some(body.as_bytes()), sent).await;
    assert_eq!((reply.status, reply.rule.as_deref()), (415, Some("api.headers.content-type")));
    lodged.is_unchanged().await;

    let done = lodged.patch(&body).await.is(200);
    lodged.is_new(&done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_lives_and_is_older_is_migrated() {
    let world = World::new().await;
    let lodged = Lodged::new(&world).await;
    let put = bodies()[1].to_string();
    // v3.1 has no migration.
    let sent = lodged.old.with(&lodged.old.own);
    assert_eq!(lodged.old.send(Method::PUT, &lodged.path, Some(put.as_bytes()), sent).await.status, 405);
    // Nor does the customer's token open it.
    let customers = Sent { token: &lodged.customer, ..lodged.with(None) };
    assert_eq!(lodged.new.send(Method::PUT, &lodged.path, Some(put.as_bytes()), customers).await.status, 401);
    let unsigned = Sent { signed: false, ..lodged.with(None) };
    let reply = lodged.new.send(Method::PUT, &lodged.path, Some(put.as_bytes()), unsigned).await;
    reply.refused(400, "U019", "api.signature.present");
    let rejected = lodged.old.post("/domestic-vrp-consents", &bodies()[0], lodged.old.with(&lodged.old.own)).await;
    lodged.old.decide(&rejected.consent_id(), "tobias", psu::Intention::CancelAtLogin).await;
    let path = format!("/domestic-vrp-consents/{}", rejected.consent_id());
    let reply = lodged.new.send(Method::PUT, &path, Some(put.as_bytes()), lodged.with(None)).await;
    reply.refused(400, "U009", "vrp.migration.consent-alive");
    assert_eq!(lodged.old.send(Method::DELETE, &lodged.path, None, lodged.old.with(&lodged.old.own)).await.status, 204);
    lodged.put(&bodies()[1], None).await.refused(400, "U011", "api.consent.known");
}

#[tokio::test(flavor = "multi_thread")]
async fn migration_is_an_offer_of_the_bank() {
    let world = World::with_bank(|profile| {
        let off = "endpoints-off: [\"PUT /pisp/domestic-vrp-consents/{ConsentId}\"]";
        assert!(profile.contains("endpoints-off: []"));
        profile.replace("endpoints-off: []", off)
    })
    .await;
    let lodged = Lodged::new(&world).await;
    assert_eq!(lodged.put(&bodies()[1], None).await.status, 405);
    lodged.is_unchanged().await;
    lodged.patch(&patch().to_string()).await.is(200);
}
