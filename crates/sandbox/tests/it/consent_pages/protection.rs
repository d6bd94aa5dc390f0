//! Wrong passwords, time, other browsers and forged forms.

use serde_json::json;

use super::{Scene, check, check_way_back};
use crate::browser::{Browser, NORA, ROSALIND};

async fn consent(world: &Scene) -> String {
    world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_attempts_reject_the_consent_and_lock_the_login() {
    let world = Scene::new().await;
    let first = consent(&world).await;
    let (link, state) = world.link(&first).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let wrong = browser.type_password(("nora", "guess", "")).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.all("#problem"), ["That user name and password do not belong together."]);
    assert_eq!(wrong.attributes("#username", "aria-describedby"), ["problem"]);
    check(browser.type_password(NORA).await, &first);
    let wrong = browser.type_one_time_password(("nora", "", "000000")).await;
    assert_eq!(wrong.all("#problem"), ["That is not the one-time password that we sent."]);
    let last = browser.type_one_time_password(("nora", "", "000001")).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &first).await, "RJCT");

    // Two more, in another authorisation and at the dashboard: five in a row, wherever they were typed.
    let second = consent(&world).await;
    let mut other = Browser::new(&world);
    other.open(&world.link(&second).await.0).await;
    other.type_password(("nora", "guess", "")).await;
    let mut dashboard = Browser::new(&world);
    dashboard.open(&world.page("/connections")).await;
    let same = dashboard.type_password(("nora", "guess", "")).await;
    assert_eq!(same.all("#problem"), ["That user name and password do not belong together."]);
    for browser in [&mut other, &mut dashboard] {
        let locked = browser.type_password(NORA).await;
        assert_eq!(locked.all("#problem"), ["There were too many wrong attempts. Try again in 15 minutes."]);
    }
    assert!(dashboard.type_password(ROSALIND).await.all("#problem").is_empty(), "others are not locked out");
    world.advance(15 * 60).await;
    let mut dashboard = Browser::new(&world);
    dashboard.open(&world.page("/connections")).await;
    assert_eq!(dashboard.log_in(NORA).await.title, "Connections - Ashdown Bank");
}

/// For tools without a browser: the way back comes at once, also for whom the customer is not the right one.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_told_so_confirms_without_a_page() {
    let world = Scene::with_bank(|profile| format!("{profile}\nauto-approve: nora\n")).await;
    let first = consent(&world).await;
    let (link, state) = world.link(&first).await;
    let answer = world.browser().get(&link).send().await.unwrap();
    assert_eq!(answer.status, 302);
    let to: url::Url = answer.header("location").unwrap().parse().unwrap();
    let fragment = to.fragment().unwrap();
    assert!(fragment.contains("code=") && fragment.contains(&format!("state={state}")), "{fragment}");
    world.deliver(&to).await;
    world.step("exchange-code", &json!({ "state": state })).await;
    assert_eq!(world.accounts(&first).await.1.len(), 3, "every account that fits");
    assert_eq!(world.status("account-access", &first).await, "AUTH");
    let (link, _) = world.link(&first).await;
    let again = world.browser().get(&link).send().await.unwrap();
    assert!(again.header("location").unwrap().contains("code="), "the same consent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_decide_in_time_rejects() {
    let world = Scene::new().await;
    let consent = consent(&world).await;
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    browser.log_in(NORA).await;
    world.advance(15 * 60).await;
    // The TPP sees it although nobody came back.
    let body = world.read("v4.0", &format!("/account-access-consents/{consent}")).await;
    assert_eq!(body["Data"]["Status"], "RJCT");
    assert_eq!(body["Data"]["StatusReason"][0]["StatusReasonDescription"], "The customer did not decide in time.");
    let account = browser.page().attributes(".account input", "value").pop().unwrap();
    let last = browser.press("Continue", &[("account", &account)]).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &consent).await, "RJCT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_first_authorisation_does_not_take_the_consent_over() {
    let world = Scene::new().await;
    let consent = consent(&world).await;
    let (mut hers, mut his) = (Browser::new(&world), Browser::new(&world));
    hers.open(&world.link(&consent).await.0).await;
    his.open(&world.link(&consent).await.0).await;
    let account = hers.log_in(NORA).await.attributes(".account input", "value").pop().unwrap();
    let other = his.log_in(ROSALIND).await.attributes(".account input", "value").pop().unwrap();
    let first = hers.press("Continue", &[("account", &account)]).await;
    assert!(first.answer("code").is_some());
    let (to, state) = (first.refresh().unwrap().1, first.answer("state").unwrap());
    let second = his.press("Continue", &[("account", &other)]).await;
    assert_eq!((second.answer("error").as_deref(), second.answer("code")), (Some("access_denied"), None));
    world.deliver(&to).await;
    world.step("exchange-code", &json!({ "state": state })).await;
    assert_eq!(world.accounts(&consent).await, (200, vec![account]));
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_count_only_in_the_browser_and_with_the_token_of_their_page() {
    let world = Scene::new().await;
    let consent = consent(&world).await;
    let mut browser = Browser::new(&world);
    browser.open(&world.link(&consent).await.0).await;
    let page = browser.log_in(NORA).await.clone();
    let account = page.attributes(".account input", "value").pop().unwrap();
    let form = page.form("Continue");
    let mut stranger = Browser::new(&world);
    let refused = stranger.send(&form, &[("account", &account)]).await;
    assert_eq!((refused.status, refused.refresh().is_none()), (400, true));
    assert_eq!(stranger.open(&page.url).await.status, 400, "another browser sees nothing of it");
    for csrf in ["", "x", "0123456789012345678901234567890123456789012"] {
        let mut forged = form.clone();
        forged.fields.iter_mut().filter(|(name, _)| name == "csrf").for_each(|field| csrf.clone_into(&mut field.1));
        assert_eq!(browser.send(&forged, &[("account", &account)]).await.status, 403);
    }
    assert_eq!(world.status("account-access", &consent).await, "AWAU");
    assert!(browser.send(&form, &[("account", &account)]).await.answer("code").is_some());
}
