//! Every answer of the bank's API, held against the published OpenAPI files, in both versions.

use openbanking::version::ApiVersion;
use psu::{Intention, Psu};
use serde_json::{Value, json};
use testkit::Specification;

use crate::hand_made::World;

impl World {
    /// Tells the TPP to take a step.
    pub(crate) async fn step(&self, name: &str, step: &Value) -> Value {
        let url = format!("http://{}/steps/{name}", self.hosted.tpp.control).parse().unwrap();
        let answer = self.http(crate::hand_made::Shows::Nothing).post(&url).json(step).send().await.unwrap();
        let body: Value = answer.json().unwrap();
        assert!(body.get("done").is_some(), "{name}: {body}");
        body["done"].clone()
    }

    /// A consent with these permissions that the customer has authorised for all accounts, and its token.
    async fn connected(&self, version: ApiVersion, permissions: &[&str]) -> String {
        let bank = &self.hosted.bank.name;
        let lodged =
            self.step("lodge-consent", &json!({ "bank": bank, "version": version, "permissions": permissions })).await;
        let consent = lodged["consent-id"].as_str().unwrap().to_owned();
        let link = self.step("authorise", &json!({ "bank": bank, "consent-id": consent })).await;
        let credentials = sandbox::hosting::credentials(&self.hosted.bank.logins)["nora"].clone();
        let psu = Psu::new(self.browser(), credentials);
        let url = link["url"].as_str().unwrap().parse().unwrap();
        let intention = Intention::Approve { accounts: Vec::new() };
        psu.authorise(&url, &intention, &self.journey()).await.unwrap();
        self.step("exchange-code", &json!({ "state": link["state"] })).await;
        consent
    }

    async fn call(&self, version: ApiVersion, consent: &str, token: &str, path: &str) -> (u16, Value) {
        let bank = &self.hosted.bank.name;
        let call = json!({ "bank": bank, "version": version, "consent-id": consent, "token": token, "path": path });
        let answered = self.step("call", &call).await;
        (u16::try_from(answered["status"].as_u64().unwrap()).unwrap(), answered["body"].clone())
    }
}

const DETAIL: [&str; 6] = [
    "ReadAccountsDetail",
    "ReadBalances",
    "ReadPAN",
    "ReadTransactionsCredits",
    "ReadTransactionsDebits",
    "ReadTransactionsDetail",
];
const BASIC: [&str; 4] = ["ReadAccountsBasic", "ReadBalances", "ReadTransactionsBasic", "ReadTransactionsDebits"];

#[tokio::test(flavor = "multi_thread")]
async fn answers_fit_the_published_schemas() {
    let world = World::new().await;
    for (version, file) in [
        (ApiVersion::V3_1, "v3.1.11/account-info-openapi.yaml"),
        (ApiVersion::V4_0, "v4.0.1/account-info-openapi.json"),
    ] {
        let Some(specification) = Specification::open(file).unwrap() else { continue };
        for permissions in [DETAIL.as_slice(), BASIC.as_slice()] {
            let consent = world.connected(version, permissions).await;
            let (_, accounts) = world.call(version, &consent, "customer", "/accounts").await;
            let mut answers = vec![
                ("client", format!("/account-access-consents/{consent}"), "OBReadConsentResponse1", 200),
                ("client", "/account-access-consents/none".to_owned(), "OBErrorResponse1", 400),
                ("customer", "/accounts".to_owned(), "OBReadAccount6", 200),
                ("customer", "/accounts/none".to_owned(), "OBErrorResponse1", 400),
            ];
            for account in accounts["Data"]["Account"].as_array().unwrap() {
                let id = account["AccountId"].as_str().unwrap();
                answers.push(("customer", format!("/accounts/{id}"), "OBReadAccount6", 200));
                answers.push(("customer", format!("/accounts/{id}/balances"), "OBReadBalance1", 200));
                answers.push(("customer", format!("/accounts/{id}/transactions"), "OBReadTransaction6", 200));
                let wrong = format!("/accounts/{id}/transactions?toBookingDateTime=x");
                answers.push(("customer", wrong, "OBErrorResponse1", 400));
            }
            assert!(answers.len() >= 12, "all of the customer's accounts are shared");
            for (token, path, schema, status) in answers {
                let (found, body) = world.call(version, &consent, token, &path).await;
                assert_eq!(found, status, "{version} {path}: {body}");
                let errors = specification.errors(schema, &body).unwrap();
                assert!(errors.is_empty(), "{version} {path}: {errors:#?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_add_up_to_the_whole() {
    let world = World::new().await;
    let version = ApiVersion::V4_0;
    let consent = world.connected(version, &DETAIL).await;
    let (_, accounts) = world.call(version, &consent, "customer", "/accounts").await;
    let id = accounts["Data"]["Account"][0]["AccountId"].as_str().unwrap();
    let mut path = format!("/accounts/{id}/transactions");
    let (mut seen, mut sum, mut pages) = (std::collections::BTreeSet::new(), 0_i64, 0);
    let minor = |amount: &Value| amount["Amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    loop {
        let (_, body) = world.call(version, &consent, "customer", &path).await;
        pages += 1;
        for transaction in body["Data"]["Transaction"].as_array().unwrap() {
            assert!(seen.insert(transaction["TransactionId"].as_str().unwrap().to_owned()), "twice: {transaction}");
            if transaction["Status"] == "BOOK" {
                let sign = if transaction["CreditDebitIndicator"] == "Credit" { 1 } else { -1 };
                sum += sign * minor(&transaction["Amount"]);
            }
        }
        assert!(body["Meta"]["TotalPages"].as_u64().unwrap() > 1);
        match body["Links"]["Next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert!(pages > 5, "two years fill several pages, not {pages}");
    let (_, balances) = world.call(version, &consent, "customer", &format!("/accounts/{id}/balances")).await;
    let booked = &balances["Data"]["Balance"][0];
    assert_eq!(booked["Type"], "ITBD");
    assert_eq!(minor(&booked["Amount"]), sum);
}
