//! Consents to read accounts.

use serde_json::json;

use super::{Scene, TPP, check, check_way_back};
use crate::browser::{Browser, NORA, ROSALIND};

const PERMISSIONS: [&str; 9] = [
    "ReadAccountsDetail",
    "ReadBalances",
    "ReadTransactionsBasic",
    "ReadTransactionsDetail",
    "ReadTransactionsCredits",
    "ReadTransactionsDebits",
    "ReadDirectDebits",
    "ReadProducts",
    "ReadPartyPSU",
];

#[tokio::test(flavor = "multi_thread")]
async fn from_the_login_to_the_way_back() {
    let world = Scene::new().await;
    let asked = json!({ "Permissions": PERMISSIONS, "ExpirationDateTime": "2030-03-04T00:00:00+00:00",
        "TransactionFromDateTime": "2026-01-02T00:00:00+00:00", "TransactionToDateTime": "2027-06-30T00:00:00+00:00" });
    let consent = world.account_access("v4.0", &asked).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);

    let login = browser.open(&link).await.clone();
    check(&login, &consent);
    assert!(login.url.path().ends_with("/login"), "the first page is the login");
    assert!(login.text.contains(&format!("{TPP} cannot see what you type here.")));
    let second = browser.type_password(NORA).await.clone();
    check(&second, &consent);
    let page = browser.type_one_time_password(NORA).await.clone();
    check(&page, &consent);

    assert_eq!(page.all(".account .name"), ["Everyday", "Rainy days", "Card"], "her payment accounts, and no others");
    assert_eq!(page.attributes(".account input", "type"), ["checkbox"; 3]);
    assert!(page.attributes(".account input[checked]", "id").is_empty(), "she chooses, not the bank");
    let clusters = ["Your Account Details", "Your Regular Payments", "Your Account Transactions"];
    let more = ["Your Account Features and Benefits", "Contact and party details"];
    assert_eq!(page.all("details.cluster > summary"), [&clusters[..], &more[..]].concat());
    let permissions = page.all("details.cluster li");
    for words in ["Your account name, number and sort-code", "Your account balance", "Your Direct Debits"] {
        assert!(permissions.iter().any(|found| found == words), "{words}: {permissions:?}");
    }
    assert!(permissions.contains(&"Details of your transactions".to_owned()), "{permissions:?}");
    assert!(!permissions.contains(&"Your transactions".to_owned()), "Detail hides Basic: {permissions:?}");
    assert_eq!(page.term("Transactions").as_deref(), Some("From 2 January 2026 to 30 June 2027"));
    assert_eq!(page.term("Until").as_deref(), Some("4 March 2030"));

    // Nothing chosen is told on the page, and decides nothing.
    let problem = browser.press("Continue", &[]).await;
    assert_eq!(
        (problem.status, problem.all("#problem")),
        (400, vec!["Choose at least one account, or cancel.".into()])
    );
    assert_eq!(world.status("account-access", &consent).await, "AWAU");

    let chosen = page.attributes(".account input", "value");
    let typed = [("account", chosen[0].as_str()), ("account", chosen[1].as_str())];
    let last = browser.press("Continue", &typed).await.clone();
    check(&last, &consent);
    check_way_back(&last, &world, &state);
    assert!(last.answer("code").is_some());
    assert!(last.all("#later")[0].contains(world.page("/connections").as_str()), "where it can be stopped");
    assert_eq!(world.status("account-access", &consent).await, "AUTH");

    // A second submit, and Back, lead to the same answer and authorise nothing more.
    let again = browser.send(&page.form("Continue"), &[("account", chosen[2].as_str())]).await.clone();
    assert_eq!(again.answer("code"), last.answer("code"));
    for back in [&login.url, &second.url, &page.url] {
        let back = browser.open(back).await;
        assert_eq!(back.answer("code"), last.answer("code"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_on_any_page_rejects() {
    let world = Scene::new().await;
    for pages in 0..3 {
        let consent = world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await;
        let (link, state) = world.link(&consent).await;
        let mut browser = Browser::new(&world);
        browser.open(&link).await;
        if pages > 0 {
            browser.type_password(NORA).await;
        }
        if pages > 1 {
            browser.type_one_time_password(NORA).await;
        }
        let last = browser.press("Cancel", &[]).await.clone();
        check(&last, &consent);
        check_way_back(&last, &world, &state);
        assert_eq!(last.answer("error").as_deref(), Some("access_denied"), "after {pages} pages");
        assert_eq!(last.answer("code"), None);
        assert_eq!(world.status("account-access", &consent).await, "RJCT");
    }
}

/// An agent's customers see on every page for whom it acts, and so does the dashboard.
#[tokio::test(flavor = "multi_thread")]
async fn whom_an_agent_acts_for_is_named_on_every_page() {
    let profile = include_str!("../../../../../fixtures/tpp.yaml")
        .replace("software:\n", "software:\n  on-behalf-of: Heron Books Ltd\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.yaml");
    std::fs::write(&file, profile).unwrap();
    let world = Scene::on(|place| place.tpp = Some(file)).await;
    let consent = world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await;
    let (link, _) = world.link(&consent).await;
    let both = "Heron Books Ltd acting for Larkspur Budget";
    let mut browser = Browser::new(&world);
    assert!(browser.open(&link).await.text.contains(both), "{}", browser.page().text);
    assert!(browser.type_password(NORA).await.text.contains(both), "{}", browser.page().text);
    let page = browser.type_one_time_password(NORA).await;
    assert!(page.text.contains(both), "{}", page.text);
    let account = page.attributes(".account input", "value").pop().unwrap();
    assert!(browser.press("Continue", &[("account", &account)]).await.text.contains(both), "{}", browser.page().text);
    let list = world.dashboard(NORA).await;
    assert!(list.page().text.contains("Larkspur Budget for Heron Books Ltd"), "{}", list.page().text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reauthentication_adds_no_page_and_keeps_the_accounts() {
    let world = Scene::new().await;
    let consent = world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await;
    let mut browser = Browser::new(&world);
    browser.open(&world.link(&consent).await.0).await;
    let page = browser.log_in(NORA).await.clone();
    let card = page.attributes(".account input", "value").pop().unwrap();
    browser.press("Continue", &[("account", &card)]).await;

    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let last = browser.log_in(NORA).await.clone();
    check(&last, &consent);
    check_way_back(&last, &world, &state);
    let to = last.refresh().unwrap().1;
    world.deliver(&to).await;
    world.step("exchange-code", &json!({ "state": state })).await;
    assert_eq!(world.accounts(&consent).await.1, [card], "the accounts that she chose the first time");

    // Somebody else cannot put other accounts under it.
    let (link, _) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let last = browser.log_in(ROSALIND).await;
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &consent).await, "AUTH");
    assert_eq!(world.accounts(&consent).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_an_account_is_rejected() {
    let world = Scene::on(|place| {
        let personas = include_str!("../../../../../fixtures/personas.yaml");
        let (bank, people) = personas.split_once("\npersonas:").unwrap();
        let nora = people.split_once("    accounts:").unwrap().0;
        let path = place.data.join("people.yaml");
        std::fs::write(&path, format!("{bank}\npersonas:{nora}    accounts: []\n")).unwrap();
        place.personas = Some(path);
    })
    .await;
    let consent = world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let last = browser.log_in(NORA).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &consent).await, "RJCT");
}
