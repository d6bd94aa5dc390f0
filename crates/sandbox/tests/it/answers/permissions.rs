//! What each permission opens and what its absence hides.

use openbanking::version::ApiVersion;
use serde_json::{Value, json};

use super::{ALL, VERSIONS, basic};
use crate::hand_made::World;

/// Paths, and the permissions of which one from each group must be there.
const NEEDS: &[(&[&str], &[&[&str]])] = &[
    (&["/balances", "/accounts/{account}/balances"], &[&["ReadBalances"]]),
    (
        &["/transactions", "/accounts/{account}/transactions"],
        &[&["ReadTransactionsBasic", "ReadTransactionsDetail"], &["ReadTransactionsCredits", "ReadTransactionsDebits"]],
    ),
    (
        &["/beneficiaries", "/accounts/{account}/beneficiaries"],
        &[&["ReadBeneficiariesBasic", "ReadBeneficiariesDetail"]],
    ),
    (&["/direct-debits", "/accounts/{account}/direct-debits"], &[&["ReadDirectDebits"]]),
    (
        &["/standing-orders", "/accounts/{account}/standing-orders"],
        &[&["ReadStandingOrdersBasic", "ReadStandingOrdersDetail"]],
    ),
    (
        &["/scheduled-payments", "/accounts/{account}/scheduled-payments"],
        &[&["ReadScheduledPaymentsBasic", "ReadScheduledPaymentsDetail"]],
    ),
    (&["/products", "/accounts/{account}/product"], &[&["ReadProducts"]]),
    (&["/offers", "/accounts/{account}/offers"], &[&["ReadOffers"]]),
    (&["/party"], &[&["ReadPartyPSU"]]),
    (&["/accounts/{account}/party", "/accounts/{account}/parties"], &[&["ReadParty"]]),
    (
        &["/statements", "/accounts/{account}/statements", "/accounts/{account}/statements/{statement}"],
        &[&["ReadStatementsBasic", "ReadStatementsDetail"]],
    ),
    (
        &["/accounts/{account}/statements/{statement}/transactions"],
        &[
            &["ReadStatementsBasic", "ReadStatementsDetail"],
            &["ReadTransactionsBasic", "ReadTransactionsDetail"],
            &["ReadTransactionsCredits", "ReadTransactionsDebits"],
        ],
    ),
    (&["/accounts/{account}/statements/{statement}/file"], &[&["ReadStatementsDetail"]]),
];

/// Sets that are wrong together: a direction belongs to transactions.
fn belongs_together(permissions: &[&str]) -> bool {
    let any = |names: [&str; 2]| names.iter().any(|name| permissions.contains(name));
    any(["ReadTransactionsBasic", "ReadTransactionsDetail"])
        == any(["ReadTransactionsCredits", "ReadTransactionsDebits"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_endpoint_is_closed_without_its_permission() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let mut checked = 0;
        for (paths, groups) in NEEDS {
            for group in *groups {
                let mut others: Vec<&str> = ALL.into_iter().filter(|name| !group.contains(name)).collect();
                if !belongs_together(&others) {
                    others.retain(|name| !name.starts_with("ReadTransactions"));
                }
                let consent = world.connected(version, &others).await;
                let account = world.accounts(version, &consent).await[0].clone();
                for path in *paths {
                    let path =
                        path.replace("{account}", &account).replace("{statement}", &format!("2026-10.{account}"));
                    let answered = world.called(version, &consent, "customer", &path, "*/*").await;
                    assert_eq!(answered["status"], 403, "{version} {path} without {group:?}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 25, "{checked}");
    }
}

/// Members that Detail alone shows, and the list that they are in.
const DETAIL: &[(&str, &str, &[&str])] = &[
    ("/accounts", "Account", &["Account", "Servicer"]),
    ("/beneficiaries", "Beneficiary", &["CreditorAccount"]),
    ("/standing-orders", "StandingOrder", &["CreditorAccount"]),
    ("/scheduled-payments", "ScheduledPayment", &["CreditorAccount"]),
    (
        "/transactions",
        "Transaction",
        &["TransactionInformation", "Balance", "MerchantDetails", "CreditorAccount", "DebtorAccount"],
    ),
    ("/statements", "Statement", &["StatementAmount"]),
];

fn items<'a>(body: &'a Value, list: &str) -> &'a Vec<Value> {
    body["Data"][list].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn detail_shows_what_basic_hides() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let open = world.connected(version, &ALL).await;
        let closed = world.connected(version, &basic()).await;
        for (path, list, members) in DETAIL {
            let (detail, basic) = (world.read(version, &open, path).await, world.read(version, &closed, path).await);
            assert_eq!(items(&detail, list).len(), items(&basic, list).len(), "{path}");
            for member in *members {
                let has = |item: &&Value| item.get(member).is_some();
                assert!(items(&detail, list).iter().any(|item| has(&item)), "{version} {path} has no {member}");
                assert!(!items(&basic, list).iter().any(|item| has(&item)), "{version} {path} shows {member}");
            }
        }
        let frequency = "StatementFrequencyAndFormat";
        let shown = |body: &Value| items(body, "Account")[0].get(frequency).is_some();
        assert_eq!(shown(&world.read(version, &open, "/accounts").await), version == ApiVersion::V4_0);
        assert!(!shown(&world.read(version, &closed, "/accounts").await));
        // With Basic at least one transaction says what it is.
        let basic = world.read(version, &closed, "/transactions").await;
        assert!(items(&basic, "Transaction").iter().any(|item| item.get("BankTransactionCode").is_some()));
    }
}

/// Every card number in an answer.
fn cards(body: &Value, found: &mut Vec<String>) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| cards(item, found)),
        Value::Object(members) => {
            let card = members.get("SchemeName").is_some_and(|scheme| scheme == "UK.OBIE.PAN")
                || members.contains_key("CardSchemeName");
            if let (true, Some(number)) = (card, members.get("Identification").and_then(Value::as_str)) {
                found.push(number.to_owned());
            }
            members.values().for_each(|member| cards(member, found));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn card_numbers_are_masked_without_their_permission() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let masked: Vec<&str> = ALL.into_iter().filter(|name| *name != "ReadPAN").collect();
        for (permissions, open) in [(masked, false), (ALL.to_vec(), true)] {
            let consent = world.connected(version, &permissions).await;
            for path in ["/accounts", "/transactions"] {
                let mut found = Vec::new();
                cards(&world.read(version, &consent, path).await, &mut found);
                assert!(!found.is_empty(), "{version} {path}");
                for number in found {
                    let full = number.bytes().all(|byte| byte.is_ascii_digit());
                    assert_eq!(full, open, "{version} {path}: {number}");
                    assert!(number[number.len() - 4..].bytes().all(|byte| byte.is_ascii_digit()));
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direction_hides_the_other() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        for (direction, shown) in [("ReadTransactionsCredits", "Credit"), ("ReadTransactionsDebits", "Debit")] {
            let permissions = ["ReadAccountsBasic", "ReadStatementsBasic", "ReadTransactionsBasic", direction];
            let consent = world.connected(version, &permissions).await;
            let account = world.accounts(version, &consent).await[0].clone();
            let statements = world.read(version, &consent, "/statements").await;
            let statement = super::statement(&account, &statements);
            for path in [
                "/transactions".to_owned(),
                format!("/accounts/{account}/transactions"),
                format!("/accounts/{account}/statements/{statement}/transactions"),
            ] {
                let body = world.read(version, &consent, &path).await;
                let items = items(&body, "Transaction");
                assert!(!items.is_empty(), "{path}");
                assert!(items.iter().all(|item| item["CreditDebitIndicator"] == shown), "{version} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_are_the_psu_and_the_owners() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let consent = world.connected_as("rosalind", version, &ALL, json!({})).await;
        let psu = world.read(version, &consent, "/party").await["Data"]["Party"].clone();
        assert_eq!(psu["FullLegalName"], "Dr Rosalind Ashdown-Vale");
        assert_eq!(psu["Phone"], "+44-7700900202");
        assert_eq!(psu["Address"][0]["Country"], "GB");
        let accounts = world.read(version, &consent, "/accounts").await;
        let named = |nickname: &str| {
            let all = items(&accounts, "Account");
            let found = all.iter().find(|account| account["Nickname"] == nickname).unwrap();
            found["AccountId"].as_str().unwrap().to_owned()
        };
        let joint = named("Household");
        let parties = world.read(version, &consent, &format!("/accounts/{joint}/parties")).await;
        let parties = items(&parties, "Party");
        let roles: Vec<_> = parties.iter().map(|party| party["AccountRole"].as_str().unwrap()).collect();
        assert_eq!(roles, ["UK.OBIE.Principal", "UK.OBIE.SecondaryOwner"]);
        assert!(parties.iter().all(|party| party["PartyType"] == "Joint"));
        let party = world.read(version, &consent, &format!("/accounts/{joint}/party")).await["Data"]["Party"].clone();
        assert_eq!(party["PartyId"], psu["PartyId"], "the PSU is an owner, too");
        assert_eq!(party["Relationships"]["Account"]["Id"], joint);
        let studio = world.read(version, &consent, &format!("/accounts/{}/party", named("Studio"))).await;
        let studio = &studio["Data"]["Party"];
        assert_eq!(
            (&studio["Name"], &studio["LegalStructure"]),
            (&json!("Ashdown-Vale Translations"), &json!("UK.OBIE.Sole"))
        );
    }
}
