//! What the bank's profile switches: endpoints, and for how long an authentication counts.

use openbanking::version::ApiVersion;
use serde_json::{Value, json};

use super::{ALL, VERSIONS};
use crate::hand_made::{Shows, World};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_off_is_not_there_and_its_permissions_are_refused() {
    let off = "endpoints-off: [/aisp/offers, '/aisp/accounts/{AccountId}/offers', /aisp/balances]";
    let world = World::with_bank(|profile| profile.replace("endpoints-off: []", off)).await;
    for (version, _) in VERSIONS {
        let body = json!({ "Data": { "Permissions": ["ReadAccountsBasic", "ReadOffers"] }, "Risk": {} });
        let url = world.bank(&format!("/open-banking/{version}/aisp/account-access-consents"));
        let token = world.client_token().await;
        let trace = world.journey();
        let answer = world.http(Shows::Own).post(&url).trace(&trace).bearer(&token).json(&body).send().await.unwrap();
        let refused: Value = answer.json().unwrap();
        assert_eq!((answer.status.as_u16(), &refused["Errors"][0]["Path"]), (400, &json!("Data.Permissions")));
        assert_eq!(world.rule(&trace).await.as_deref(), Some("ais.consent.permissions"));

        let permissions: Vec<&str> = ALL.into_iter().filter(|name| *name != "ReadOffers").collect();
        let consent = world.connected(version, &permissions).await;
        let account = world.accounts(version, &consent).await[0].clone();
        for path in ["/offers".to_owned(), format!("/accounts/{account}/offers"), "/balances".to_owned()] {
            let answered = world.called(version, &consent, "customer", &path, "*/*").await;
            assert_eq!(answered["status"], 404, "{version} {path}");
        }
        let one = world.read(version, &consent, &format!("/accounts/{account}/balances")).await;
        assert!(!one["Data"]["Balance"].as_array().unwrap().is_empty(), "this one is on");
        let trace = world.journey();
        let url = world.bank(&format!("/open-banking/{version}/aisp/offers"));
        assert_eq!(world.http(Shows::Own).get(&url).trace(&trace).send().await.unwrap().status, 404);
        assert_eq!(world.rule(&trace).await.as_deref(), Some("ais.resource.offered"));
    }
}

const SCA: &str = "
sca:
  window-minutes: 60
  exempt-endpoints: [/aisp/accounts, /aisp/transactions, '/aisp/accounts/{AccountId}/transactions', /aisp/statements]
  history-days-without-sca: 90
";

impl World {
    /// True when the answer asks for another authentication.
    async fn reauthentication(&self, version: ApiVersion, consent: &str, path: &str) -> bool {
        let (status, body) = self.call(version, consent, "customer", path).await;
        let code = if version == ApiVersion::V3_1 { "UK.OBIE.Reauthenticate" } else { "U028" };
        let asked = status == 403 && body["Errors"][0]["ErrorCode"] == code;
        assert!(asked || status == 200, "{version} {path}: {status} {body}");
        asked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentication_counts_for_the_banks_window() {
    let world = World::with_bank(|profile| format!("{profile}{SCA}")).await;
    for (version, _) in VERSIONS {
        let consent = world.connected(version, &ALL).await;
        let whole = world.read(version, &consent, "/transactions").await;
        let account = world.accounts(version, &consent).await[0].clone();
        let statements = world.read(version, &consent, "/statements").await;
        let months = statements["Data"]["Statement"].as_array().unwrap().len();
        let old = statements["Data"]["Statement"][12]["StatementId"].as_str().unwrap();
        let balances = format!("/accounts/{account}/balances");
        let old_statement = format!(
            "/accounts/{}/statements/{old}",
            statements["Data"]["Statement"][12]["AccountId"].as_str().unwrap()
        );
        for path in ["/direct-debits", "/transactions?fromBookingDateTime=2000-01-01", &*balances, &*old_statement] {
            assert!(!world.reauthentication(version, &consent, path).await, "{version} {path} within the window");
        }
        world.advance(3_601).await;
        world.step("refresh", &json!({ "consent-id": consent })).await;
        for path in ["/direct-debits", "/transactions?fromBookingDateTime=2000-01-01", &*balances, &*old_statement] {
            assert!(world.reauthentication(version, &consent, path).await, "{version} {path} after the window");
        }
        assert!(!world.reauthentication(version, &consent, "/accounts").await);
        let cut = world.read(version, &consent, "/transactions").await;
        assert!(cut["Meta"]["TotalPages"].as_u64().unwrap() < whole["Meta"]["TotalPages"].as_u64().unwrap());
        assert!(cut["Meta"]["FirstAvailableDateTime"].as_str() > whole["Meta"]["FirstAvailableDateTime"].as_str());
        let fewer = world.read(version, &consent, "/statements").await["Data"]["Statement"].as_array().unwrap().len();
        assert!(0 < fewer && fewer < months, "{fewer} of {months}");

        world.authorised(&consent, "nora").await;
        for path in ["/direct-debits", "/transactions?fromBookingDateTime=2000-01-01", &*balances, &*old_statement] {
            assert!(!world.reauthentication(version, &consent, path).await, "{version} {path} authenticated again");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_an_authentication_counts_for_ever() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let consent = world.connected(version, &ALL).await;
        world.advance(30 * 86_400).await;
        world.step("refresh", &json!({ "consent-id": consent })).await;
        for path in ["/direct-debits", "/transactions?fromBookingDateTime=2000-01-01"] {
            assert!(!world.reauthentication(version, &consent, path).await, "{version} {path}");
        }
    }
}
