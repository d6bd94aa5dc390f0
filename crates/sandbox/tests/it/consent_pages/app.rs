//! The bank's app: another skin at the same addresses, opened with a passcode on a device that has it.

use serde_json::json;

use super::{Scene, account, check, check_way_back, domestic, with};
use crate::browser::{Browser, NORA, Page};

const PASSCODE: [(&str, &str); 1] = [("passcode", NORA.2)];

async fn access(world: &Scene) -> String {
    world.account_access("v4.0", &json!({ "Permissions": ["ReadAccountsBasic"] })).await
}

/// A device on which nora has set the app up.
async fn device(world: &Scene) -> Browser {
    let mut device = world.dashboard(NORA).await;
    device.open(&world.page("/app")).await;
    let page = device.press("Set up the app on this device", &[]).await;
    assert!(page.text.contains("is set up on this device"), "{}", page.text);
    device
}

fn is_app(page: &Page) -> bool {
    page.attributes("body", "class") == ["app"]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_opens_at_the_same_address_for_one_action() {
    let world = Scene::new().await;
    let number = world.number(NORA, "Everyday").await;
    let mut device = device(&world).await;
    let named = with(domestic("1234.50"), &json!({ "DebtorAccount": account(&number, "N Brightwater") }));
    let consent = world.payment("domestic-payment", &named, &json!({})).await;
    let (link, state) = world.link(&consent).await;
    let page = device.open(&link).await;
    check(page, &consent);
    assert_eq!((page.title.as_str(), is_app(page)), ("Passcode - Ashdown Bank", true));
    assert_eq!(page.term("Amount").as_deref(), Some("£1,234.50"));
    assert_eq!(page.term("Payee").as_deref(), Some("Marrow and Finch Lettings"));
    let last = device.press("Continue", &PASSCODE).await;
    check_way_back(last, &world, &state);
    assert!(last.answer("code").is_some() && is_app(last));
    assert_eq!(world.status("domestic-payment", &consent).await, "AUTH");

    let consent = access(&world).await;
    device.open(&world.link(&consent).await.0).await;
    let page = device.press("Continue", &PASSCODE).await.clone();
    check(&page, &consent);
    assert_eq!(page.title, "Choose accounts - Ashdown Bank");
    let chosen = page.attributes(".account input", "value").remove(0);
    assert!(device.press("Continue", &[("account", &chosen)]).await.answer("code").is_some());

    let consent = access(&world).await;
    device.open(&world.link(&consent).await.0).await;
    assert_eq!(device.press("Cancel", &[]).await.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &consent).await, "RJCT");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_device_a_passcode_opens_nothing() {
    let world = Scene::new().await;
    let mut device = device(&world).await;
    let consent = access(&world).await;
    let (link, _) = world.link(&consent).await;
    let mut elsewhere = Browser::new(&world);
    let page = elsewhere.open(&link).await;
    assert_eq!((page.title.as_str(), is_app(page)), ("Log in - Ashdown Bank", false), "no app there: the website");

    let passcode = device.open(&link).await.form("Continue");
    assert_eq!(device.press("Use the website instead", &[]).await.title, "Log in - Ashdown Bank");
    let again = device.send(&passcode, &PASSCODE).await;
    assert_eq!(again.title, "Log in - Ashdown Bank", "who went to the website logs in there");

    let passcode = device.open(&world.link(&consent).await.0).await.form("Continue");
    let mut forged = device.open(&world.page("/app")).await.form("Remove the app");
    forged.fields.iter_mut().filter(|(name, _)| name == "csrf").for_each(|field| field.1 = "x".repeat(43));
    assert_eq!(device.send(&forged, &[]).await.status, 403);
    device.open(&world.page("/app")).await;
    let removed = device.press("Remove the app", &[]).await;
    assert!(!is_app(removed) && removed.text.contains("Set up the app"), "{}", removed.text);
    let page = device.send(&passcode, &PASSCODE).await;
    assert_eq!(page.title, "Log in - Ashdown Bank", "{}", page.text);
    assert_eq!(world.status("account-access", &consent).await, "AWAU");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passcodes_count_as_wrong_passwords_do() {
    let world = Scene::new().await;
    let mut device = device(&world).await;
    let consent = access(&world).await;
    device.open(&world.link(&consent).await.0).await;
    for _ in 0..2 {
        let wrong = device.press("Continue", &[("passcode", "000000")]).await;
        assert_eq!((wrong.status, wrong.all("#problem")), (400, vec!["That is not your passcode.".to_owned()]));
    }
    let last = device.press("Continue", &[("passcode", "000000")]).await;
    assert_eq!(last.answer("error").as_deref(), Some("access_denied"));
    assert_eq!(world.status("account-access", &consent).await, "RJCT");
    let mut website = Browser::new(&world);
    website.open(&world.page("/connections")).await;
    for _ in 0..2 {
        website.type_password(("nora", "guess", "")).await;
    }
    device.open(&world.link(&access(&world).await).await.0).await;
    let locked = device.press("Continue", &PASSCODE).await;
    assert_eq!(locked.all("#problem"), ["There were too many wrong attempts. Try again in 15 minutes."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_opens_in_the_app_until_it_is_too_old() {
    let world = Scene::new().await;
    let mut device = device(&world).await;
    device.open(&world.page("/connections")).await;
    let page = device.press("Log out", &[]).await;
    assert_eq!((page.title.as_str(), is_app(page)), ("Passcode - Ashdown Bank", true));
    let wrong = device.press("Continue", &[("passcode", "000000")]).await;
    assert_eq!((wrong.status, wrong.all("#problem")), (400, vec!["That is not your passcode.".to_owned()]));
    let page = device.press("Continue", &PASSCODE).await;
    assert_eq!((page.title.as_str(), is_app(page)), ("Connections - Ashdown Bank", true));
    device.press("Log out", &[]).await;
    assert_eq!(device.press("Use the website instead", &[]).await.title, "Log in - Ashdown Bank");
    assert_eq!(device.log_in(NORA).await.title, "Connections - Ashdown Bank");
    world.advance(90 * 24 * 3600).await;
    assert_eq!(device.open(&world.page("/connections")).await.title, "Log in - Ashdown Bank");
}
