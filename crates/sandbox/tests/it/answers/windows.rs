//! Parts of time, and pages: the consent's window, the query's, and lists that are longer than a page.

use std::collections::BTreeSet;

use openbanking::version::ApiVersion;
use serde_json::{Value, json};

use super::{ALL, VERSIONS};
use crate::hand_made::World;

fn minor(amount: &Value) -> i64 {
    amount["Amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

fn signed(item: &Value) -> i64 {
    if item["CreditDebitIndicator"] == "Credit" { minor(&item["Amount"]) } else { -minor(&item["Amount"]) }
}

impl World {
    /// Every item of a list, by following the links; then the same backwards.
    async fn pages(&self, version: ApiVersion, consent: &str, path: &str, list: &str) -> (Vec<Value>, usize) {
        let (mut items, mut pages, mut path) = (Vec::new(), Vec::new(), path.to_owned());
        loop {
            let body = self.read(version, consent, &path).await;
            items.extend(body["Data"][list].as_array().unwrap().clone());
            let next = body["Links"]["Next"].as_str().map(str::to_owned);
            pages.push(body);
            match next {
                Some(next) => path = next,
                None => break,
            }
        }
        assert!(pages.iter().all(|page| page["Meta"]["TotalPages"] == pages.len()), "{}", pages[0]["Meta"]);
        let mut back = pages.last().unwrap().clone();
        for page in pages.iter().rev().skip(1) {
            back = self.read(version, consent, back["Links"]["Prev"].as_str().unwrap()).await;
            assert_eq!(back["Data"], page["Data"], "{path} backwards");
        }
        assert!(back["Links"].get("Prev").is_none(), "the first page has none before it");
        (items, pages.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_add_up_to_the_whole() {
    let world = World::new().await;
    let version = ApiVersion::V4_0;
    let consent = world.connected(version, &ALL).await;
    let accounts = world.accounts(version, &consent).await;
    let mut paths = vec!["/transactions".to_owned()];
    paths.extend(accounts.iter().take(1).map(|id| format!("/accounts/{id}/transactions")));
    for path in paths {
        let (items, pages) = world.pages(version, &consent, &path, "Transaction").await;
        assert!(pages > 5, "two years fill several pages, not {pages}");
        let ids: BTreeSet<_> = items.iter().map(|item| item["TransactionId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), items.len(), "none comes twice");
        let times: Vec<_> = items.iter().map(|item| item["BookingDateTime"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "newest first");
        let balances = world.read(version, &consent, &path.replace("transactions", "balances")).await;
        let booked = balances["Data"]["Balance"].as_array().unwrap().iter().filter(|one| one["Type"] == "ITBD");
        let held: i64 = booked.map(signed).sum();
        let sum: i64 = items.iter().filter(|item| item["Status"] == "BOOK").map(signed).sum();
        assert_eq!(held, sum, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_cut_into_pages_and_filters_come_along() {
    let world = World::with_bank(|profile| profile.replace("page-size: 100", "page-size: 25")).await;
    for (version, _) in VERSIONS {
        let consent = world.connected(version, &ALL).await;
        // 24 months of three accounts.
        let (items, pages) = world.pages(version, &consent, "/statements", "Statement").await;
        assert_eq!((items.len(), pages), (72, 3));
        let ids: BTreeSet<_> = items.iter().map(|item| item["StatementId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 72);
        let middle = items[12]["StartDateTime"].as_str().unwrap().to_owned();
        let query = format!("/statements?fromStatementDateTime={}", &middle[..10]);
        let (later, _) = world.pages(version, &consent, &query, "Statement").await;
        assert_eq!(later.len(), 39, "13 of each account");
        assert!(later.iter().all(|item| item["StartDateTime"].as_str().unwrap() >= middle.as_str()));
        let query = format!("/transactions?fromBookingDateTime={}&toBookingDateTime=2999-01-01", &middle[..10]);
        let (later, pages) = world.pages(version, &consent, &query, "Transaction").await;
        assert!(pages > 5);
        assert!(later.iter().all(|item| item["BookingDateTime"].as_str().unwrap() >= middle.as_str()));
        let (status, body) = world.call(version, &consent, "customer", "/statements?page=none").await;
        assert_eq!(status, 400, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_what_the_transactions_say() {
    let world = World::new().await;
    let version = ApiVersion::V4_0;
    let consent = world.connected(version, &ALL).await;
    for account in world.accounts(version, &consent).await {
        let (statements, _) =
            world.pages(version, &consent, &format!("/accounts/{account}/statements"), "Statement").await;
        let amount = |statement: &Value, r#type: &str| {
            let all = statement["StatementAmount"].as_array().unwrap();
            signed(all.iter().find(|one| one["Type"] == r#type).unwrap())
        };
        for pair in statements.windows(2) {
            assert_eq!(amount(&pair[0], "UK.OBIE.PreviousClosingBalance"), amount(&pair[1], "UK.OBIE.ClosingBalance"));
        }
        for statement in &statements[..3] {
            let id = statement["StatementId"].as_str().unwrap();
            let path = format!("/accounts/{account}/statements/{id}");
            let one = world.read(version, &consent, &path).await;
            assert_eq!(&one["Data"]["Statement"][0], statement);
            let (items, _) = world.pages(version, &consent, &format!("{path}/transactions"), "Transaction").await;
            let (start, end) = (&statement["StartDateTime"], &statement["EndDateTime"]);
            let inside = |item: &Value| {
                let at = item["BookingDateTime"].as_str().unwrap();
                start.as_str().unwrap() <= at && at <= end.as_str().unwrap()
            };
            assert!(items.iter().all(inside), "{path}");
            let moved: i64 = items.iter().map(signed).sum();
            let before = amount(statement, "UK.OBIE.PreviousClosingBalance");
            assert_eq!(before + moved, amount(statement, "UK.OBIE.ClosingBalance"), "{path}");
            let credits: i64 = items.iter().map(signed).filter(|minor| *minor > 0).sum();
            assert_eq!(credits, amount(statement, "UK.OBIE.TotalCredits"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consents_window_cuts_transactions_and_whole_statements() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let open = world.connected(version, &ALL).await;
        let account = world.accounts(version, &open).await[0].clone();
        let statements = world.read(version, &open, &format!("/accounts/{account}/statements")).await;
        let months = statements["Data"]["Statement"].as_array().unwrap().clone();
        // From the middle of a month: that month's statement is not whole.
        let from = months[3]["StartDateTime"].as_str().unwrap().replace("-01T00:00:00", "-02T00:00:00");
        let to = months[1]["EndDateTime"].as_str().unwrap();
        let window = json!({ "transactions-from": from, "transactions-to": to });
        let consent = world.connected_as("nora", version, &ALL, window).await;
        let cut = world.read(version, &consent, &format!("/accounts/{account}/statements")).await;
        assert_eq!(cut["Data"]["Statement"].as_array().unwrap(), &months[1..3], "{version}");
        for (month, status) in [(0, 403), (1, 200), (2, 200), (3, 403)] {
            let id = months[month]["StatementId"].as_str().unwrap();
            for rest in ["", "/transactions"] {
                let path = format!("/accounts/{account}/statements/{id}{rest}");
                let (found, body) = world.call(version, &consent, "customer", &path).await;
                assert_eq!(found, status, "{version} {path}: {body}");
            }
        }
        for path in
            ["/transactions".to_owned(), format!("/accounts/{account}/transactions?fromBookingDateTime=2000-01-01")]
        {
            let (items, _) = world.pages(version, &consent, &path, "Transaction").await;
            assert!(!items.is_empty());
            let at = |item: &Value| item["BookingDateTime"].as_str().unwrap().to_owned();
            assert!(
                items.iter().all(|item| at(item).as_str() >= &*from && at(item).as_str() <= to),
                "{version} {path}"
            );
            let meta = world.read(version, &consent, &path).await["Meta"].clone();
            assert_eq!((&meta["FirstAvailableDateTime"], &meta["LastAvailableDateTime"]), (&json!(from), &json!(to)));
        }
        // A filter outside the window is no mistake.
        let body = world.read(version, &consent, "/transactions?toBookingDateTime=2001-01-01").await;
        assert_eq!(body["Data"]["Transaction"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_queries_may_be_written_in_many_ways() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let consent = world.connected(version, &ALL).await;
        let dates = [
            "2016-01-01",
            "2016-01-01T10:40:00",
            "2016-01-01T10:40:00.999",
            "20160101T104012.345Z",
            "2016-01-01T10:40:12.34567Z",
            "2016-01-01T10:40:12.34567+01",
            "20160101T104012.567+01",
            "2016-01-01T10:40:12.34567%2B01",
        ];
        for date in dates {
            for path in ["/statements?fromStatementDateTime", "/transactions?fromBookingDateTime"] {
                let body = world.read(version, &consent, &format!("{path}={date}")).await;
                let list = if path.starts_with("/statements") { "Statement" } else { "Transaction" };
                assert!(!body["Data"][list].as_array().unwrap().is_empty(), "{path}={date}");
                let to = format!("{}={date}", path.replace("from", "to"));
                assert_eq!(world.read(version, &consent, &to).await["Data"][list], json!([]), "{to}");
            }
        }
        for path in ["/statements?toStatementDateTime=tomorrow", "/transactions?fromBookingDateTime=2016-13-01"] {
            let (status, body) = world.call(version, &consent, "customer", path).await;
            let code = if version == ApiVersion::V3_1 { "UK.OBIE.Field.InvalidDate" } else { "U003" };
            assert_eq!((status, &body["Errors"][0]["ErrorCode"]), (400, &json!(code)), "{path}");
        }
    }
}
