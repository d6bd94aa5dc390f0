//! Payments: which pages there are, and which accounts.

use serde_json::json;

use super::{Scene, account, check, check_way_back, domestic, with};
use crate::browser::{Browser, NORA, ROSALIND, TOBIAS};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_debtor_account_there_is_one_action() {
    let world = Scene::new().await;
    let number = world.number(NORA, "Everyday").await;
    let named = with(domestic("1234.50"), &json!({ "DebtorAccount": account(&number, "N Brightwater") }));
    let consent = world.payment("domestic-payment", &named, &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    check(browser.open(&link).await, &consent);
    let page = browser.type_password(NORA).await.clone();
    check(&page, &consent);
    assert_eq!(page.term("Amount").as_deref(), Some("£1,234.50"));
    assert_eq!(page.term("Payee").as_deref(), Some("Marrow and Finch Lettings"));
    assert_eq!(page.term("Payee's account").as_deref(), Some("00-00-99 12345601"));
    assert!(page.term("From").unwrap().starts_with("Everyday, 00-00-26 "));
    let last = browser.type_one_time_password(NORA).await.clone();
    check_way_back(&last, &world, &state);
    assert!(last.answer("code").is_some());
    assert_eq!(world.status("domestic-payment", &consent).await, "AUTH");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_the_account_is_chosen_after_one_authentication() {
    let world = Scene::new().await;
    let consent = world.payment("domestic-payment", &domestic("10.00"), &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let page = browser.log_in(NORA).await.clone();
    check(&page, &consent);
    assert_eq!(page.all(".account .name"), ["Everyday", "Rainy days"], "accounts that pay, in pounds");
    assert_eq!(page.attributes(".account input", "type"), ["radio"; 2]);
    assert_eq!(
        (page.term("Amount"), page.term("Payee")),
        (Some("£10.00".into()), Some("Marrow and Finch Lettings".into()))
    );
    let accounts = page.attributes(".account input", "value");

    // One account, and one of hers.
    let nothing = browser.press("Continue", &[]).await;
    assert_eq!((nothing.status, nothing.all("#problem")), (400, vec!["Choose one account, or cancel.".into()]));
    let both = [("account", accounts[0].as_str()), ("account", accounts[1].as_str())];
    assert_eq!(browser.press("Continue", &both).await.status, 400);
    assert_eq!(browser.press("Continue", &[("account", "somebody-elses")]).await.status, 400);
    assert_eq!(world.status("domestic-payment", &consent).await, "AWAU");

    let last = browser.press("Continue", &[("account", &accounts[1])]).await.clone();
    check_way_back(&last, &world, &state);
    let body = world.read("v4.0", &format!("/domestic-payment-consents/{consent}")).await;
    assert_eq!(body["Data"]["Status"], "AUTH");
    let chosen = page.all(".account .number")[1].replace(['-', ' '], "");
    assert_eq!(body["Data"]["Debtor"]["Identification"], json!(chosen), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_somebody_else_is_rejected_and_none_is_offered() {
    let world = Scene::new().await;
    let number = world.number(NORA, "Everyday").await;
    let named = with(domestic("10.00"), &json!({ "DebtorAccount": account(&number, "R Ashdown-Vale") }));
    let consent = world.payment("domestic-payment", &named, &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let page = browser.type_password(ROSALIND).await;
    assert!(!page.text.contains("Everyday"), "the bank does not tell her how its owner calls it: {}", page.text);
    let last = browser.type_one_time_password(ROSALIND).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("domestic-payment", &consent).await, "RJCT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_more_where_the_bank_adds_something() {
    let charge = "payments:\n  charges:\n    - { orders: [domestic-payments], type: UK.OBIE.MoneyTransferOut, amount: \"4.50\", currency: GBP }\n\
        \x20 cut-off: { orders: [domestic-scheduled-payments, domestic-payments], at: \"00:00\", afterwards: accept }\n";
    let world = Scene::with_bank(|profile| crate::hand_made::with_payments(profile, charge)).await;
    let number = world.number(NORA, "Everyday").await;
    let named = with(domestic("10.00"), &json!({ "DebtorAccount": account(&number, "N Brightwater") }));
    let consent = world.payment("domestic-payment", &named, &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let page = browser.log_in(NORA).await.clone();
    check(&page, &consent);
    assert!(page.url.path().ends_with("/confirm") && page.all(".account").is_empty());
    assert_eq!((page.term("Amount"), page.term("Charge")), (Some("£10.00".into()), Some("£4.50".into())));
    assert!(page.term("Executed on").is_some(), "it is after the cut-off time: {}", page.text);
    assert_eq!(world.status("domestic-payment", &consent).await, "AWAU");
    let last = browser.press("Continue", &[]).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(world.status("domestic-payment", &consent).await, "AUTH");

    let consent = world.payment("domestic-payment", &named, &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    browser.log_in(NORA).await;
    let last = browser.press("Cancel", &[]).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("domestic-payment", &consent).await, "RJCT");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_who_must_confirm_are_told_before() {
    let world = Scene::new().await;
    let number = world.number(TOBIAS, "Loft conversion").await;
    let named = with(domestic("10.00"), &json!({ "DebtorAccount": account(&number, "T Ashdown-Vale") }));
    let chosen = world.payment("domestic-payment", &domestic("10.00"), &json!({})).await;
    let named = world.payment("domestic-payment", &named, &json!({})).await;
    for (consent, picks) in [(named, false), (chosen, true)] {
        let (link, state) = world.link(&consent).await;
        let mut browser = Browser::new(&world);
        browser.open(&link).await;
        let mut page = browser.log_in(TOBIAS).await.clone();
        if picks {
            let place = page.all(".account .name").iter().position(|name| name == "Loft conversion").unwrap();
            let account = page.attributes(".account input", "value")[place].clone();
            page = browser.press("Continue", &[("account", &account)]).await.clone();
        }
        check(&page, &consent);
        assert!(page.text.contains("one more person who may pay from Loft conversion"), "{}", page.text);
        let last = browser.press("Continue", &[]).await.clone();
        check_way_back(&last, &world, &state);
        assert_eq!(world.status("domestic-payment", &consent).await, "AUTH");
    }
    // Who wants one signatory only is offered no account that needs two.
    let single = json!({ "Authorisation": { "AuthorisationType": "Single" } });
    let consent = world.payment("domestic-payment", &domestic("10.00"), &single).await;
    let mut browser = Browser::new(&world);
    browser.open(&world.link(&consent).await.0).await;
    let page = browser.log_in(TOBIAS).await;
    assert_eq!(page.all(".account .name"), ["Household", "Roof fund"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorisation_type_that_no_account_has_is_the_tpps_mistake() {
    let world = Scene::new().await;
    let several = json!({ "Authorisation": { "AuthorisationType": "Multiple" } });
    let consent = world.payment("domestic-payment", &domestic("10.00"), &several).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let last = browser.log_in(NORA).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("invalid_request"));
    assert!(last.answer("error_description").unwrap().contains("AuthorisationType"));
    assert_eq!(world.status("domestic-payment", &consent).await, "RJCT");
}
