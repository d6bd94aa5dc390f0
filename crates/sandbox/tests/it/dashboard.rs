//! The customer's access dashboard, through the bank's real interface.

use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::{Browser, NORA, Page, ROSALIND, TOBIAS, Who},
    consent_pages::{Scene, domestic, with},
};

impl Scene {
    /// Lets a browser at the TPP's address, with the bank's answer.
    pub(crate) async fn deliver(&self, to: &Url) {
        let mut url = to.clone();
        url.set_fragment(None);
        let form = [("fragment", to.fragment().unwrap_or_default())];
        let fragment = url.join("/callback/fragment").unwrap();
        let answer = self.browser().post(&fragment).form(&form).send().await.unwrap();
        assert!(answer.status.is_success(), "{}", answer.status);
    }

    /// What `GET /accounts` answers with the customer's token: the status, and the accounts.
    pub(crate) async fn accounts(&self, consent: &str) -> (u64, Vec<String>) {
        let version = "v4.0";
        let asked =
            json!({ "bank": self.hosted.bank.name, "version": version, "consent-id": consent, "path": "/accounts" });
        let told = self.step("call", &asked).await;
        let accounts = told["body"]["Data"]["Account"].as_array().cloned().unwrap_or_default();
        let ids = accounts.iter().map(|account| account["AccountId"].as_str().unwrap().to_owned()).collect();
        (told["status"].as_u64().unwrap(), ids)
    }

    /// Lets a customer authorise a consent with every account whose name is among these, or what the page has chosen.
    async fn authorised(&self, consent: &str, who: Who, names: &[&str]) {
        let (link, state) = self.link(consent).await;
        let mut browser = Browser::new(self);
        browser.open(&link).await;
        let mut page = browser.log_in(who).await.clone();
        while page.refresh().is_none() {
            let all = page.all(".account .name").into_iter().zip(page.attributes(".account input", "value"));
            let chosen: Vec<_> = all.filter(|(name, _)| names.contains(&name.as_str())).map(|(_, id)| id).collect();
            let typed: Vec<_> = chosen.iter().map(|id| ("account", id.as_str())).collect();
            let way_on = page.all("button.primary").remove(0);
            page = browser.press(&way_on, &typed).await.clone();
        }
        self.deliver(&page.refresh().unwrap().1).await;
        self.step("exchange-code", &json!({ "state": state })).await;
    }

    /// Orders the payment of an authorised consent; answers its id.
    async fn ordered(&self, kind: &str, consent: &str) -> String {
        let lodged = self.read("v4.0", &format!("/{kind}-consents/{consent}")).await;
        let data = json!({ "ConsentId": consent, "Initiation": lodged["Data"]["Initiation"] });
        let body = json!({ "Data": data, "Risk": {} });
        let asked = json!({ "bank": self.hosted.bank.name, "version": "v4.0", "consent-id": consent, "method": "POST",
            "path": format!("/{kind}s"), "body": { "json": body } });
        let told = self.step("call", &asked).await;
        assert_eq!(told["status"], 201, "{told}");
        let data = told["body"]["Data"].as_object().unwrap();
        let id = data.iter().find(|(name, _)| name.ends_with("Id") && *name != "ConsentId").unwrap().1;
        id.as_str().unwrap().to_owned()
    }

    pub(crate) async fn dashboard(&self, who: Who) -> Browser {
        let mut browser = Browser::new(self);
        browser.open(&self.page("/connections")).await;
        let page = browser.log_in(who).await;
        assert_eq!(page.title, "Connections - Ashdown Bank", "{}", page.text);
        browser
    }

    async fn access(&self, version: &str, who: Who, names: &[&str]) -> String {
        let data = json!({ "Permissions": ["ReadAccountsBasic", "ReadBalances"],
            "ExpirationDateTime": "2030-03-04T00:00:00+00:00" });
        let consent = self.account_access(version, &data).await;
        self.authorised(&consent, who, names).await;
        consent
    }
}

/// Texts of the cards.
fn cards(page: &Page) -> Vec<String> {
    page.all(".card")
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_seen_stopped_and_given_again() {
    let world = Scene::new().await;
    let consent = world.access("v4.0", NORA, &["Everyday", "Card"]).await;
    assert_eq!(world.accounts(&consent).await.0, 200);
    let mut browser = world.dashboard(NORA).await;
    let list = cards(browser.page());
    assert_eq!(list.len(), 1, "{list:?}");
    for words in ["Larkspur Budget", "Active", "Sees your account information", "Everyday", "Until 4 March 2030"] {
        assert!(list[0].contains(words), "{words}: {list:?}");
    }
    let detail = world.page(&browser.page().attributes(".card h3 a", "href")[0]);
    let page = browser.open(&detail).await;
    assert_eq!(page.all("details.cluster summary"), ["Your Account Details"]);
    assert!(page.term("Given on").is_some() && page.term("Until").as_deref() == Some("4 March 2030"));
    assert!(page.text.contains("Card ending in "), "of a card only its end: {}", page.text);
    assert!(page.term("Last used").is_some_and(|day| day != "Not yet"), "{}", page.text);

    let list = cards(browser.press("Stop the access", &[]).await);
    assert!(list[0].contains("Stopped by you"), "{list:?}");
    assert_eq!(world.accounts(&consent).await.0, 401, "the TPP has no access any more");
    let body = world.read("v4.0", &format!("/account-access-consents/{consent}")).await;
    assert_eq!(body["Data"]["Status"], "CANC");
    assert_eq!(body["Data"]["StatusReason"][0]["StatusReasonCode"], "TKSP", "{body}");

    browser.open(&detail).await;
    browser.press("Give access again", &[]).await;
    assert_eq!(world.status("account-access", &consent).await, "AUTH");
    assert_eq!(world.accounts(&consent).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_of_the_old_version_stays_authorised_while_its_tokens_are_dead() {
    let world = Scene::new().await;
    let consent = world.access("v3.1", NORA, &["Everyday"]).await;
    let mut browser = world.dashboard(NORA).await;
    browser.open(&world.page(&format!("/connections/{consent}"))).await;
    browser.press("Stop the access", &[]).await;
    let body = world.read("v3.1", &format!("/account-access-consents/{consent}")).await;
    assert_eq!(body["Data"]["Status"], "Authorised", "{body}");
    let asked =
        json!({ "bank": world.hosted.bank.name, "version": "v3.1", "consent-id": consent, "path": "/accounts" });
    assert_eq!(world.step("call", &asked).await["status"], 401);
    // The TPP takes its customer to the bank again, and all is as before.
    world.authorised(&consent, NORA, &[]).await;
    assert_eq!(world.step("call", &asked).await["status"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn much_can_be_searched_and_the_first_page_leads_there() {
    let world = Scene::new().await;
    for names in [&["Everyday"][..], &["Card"], &["Everyday", "Card"], &["Rainy days"]] {
        world.access("v4.0", NORA, names).await;
    }
    let mut browser = Browser::new(&world);
    let home = browser.open(&world.page("/")).await;
    assert_eq!(home.all("a.button"), ["Your connections", "The app"]);
    let list = world.page(&home.attributes("a.button", "href")[0]);
    browser.open(&list).await;
    let page = browser.log_in(NORA).await;
    assert_eq!((cards(page).len(), page.all("label[for=search]").len()), (4, 1));
    let page = browser.open(&world.page("/connections?search=rainy")).await;
    assert_eq!(cards(page).len(), 1);
    assert_eq!(page.attributes("#search", "value"), ["rainy"]);
    let page = browser.open(&world.page("/connections?search=%3Cb%3E")).await;
    assert!(cards(page).is_empty() && page.all("main b").is_empty(), "what is searched is text");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_is_unknown() {
    let world = Scene::new().await;
    let consent = world.access("v4.0", NORA, &["Everyday"]).await;
    let path = format!("/connections/{consent}");
    let mut hers = world.dashboard(NORA).await;
    let form = hers.open(&world.page(&path)).await.form("Stop the access");
    let mut other = world.dashboard(ROSALIND).await;
    assert!(cards(other.page()).is_empty());
    assert!(other.page().text.contains("Nobody has access."));
    let csrf = other.page().form("Log out").fields[0].1.clone();
    let mut stolen = form.clone();
    stolen.fields[0].1.clone_from(&csrf);
    for unknown in [path.as_str(), "/connections/nothing"] {
        assert_eq!(other.open(&world.page(unknown)).await.status, 404);
    }
    assert_eq!(other.send(&stolen, &[]).await.status, 404);
    // Her form counts in her browser alone, and with its token alone.
    assert_eq!(other.send(&form, &[]).await.status, 403);
    let mut forged = form.clone();
    forged.fields[0].1 = csrf;
    assert_eq!(hers.send(&forged, &[]).await.status, 403);
    // Where nobody is logged in, every page is the login.
    let mut stranger = Browser::new(&world);
    assert_eq!(stranger.open(&world.page(&path)).await.title, "Log in - Ashdown Bank");
    assert_eq!(world.status("account-access", &consent).await, "AUTH");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_by_itself_and_by_leaving() {
    let world = Scene::new().await;
    let mut browser = world.dashboard(NORA).await;
    let list = browser.page().url.clone();
    let old = browser.page().form("Log out");
    let left = browser.press("Log out", &[]).await;
    assert_eq!(left.title, "Log in - Ashdown Bank");
    assert_eq!(browser.open(&list).await.title, "Log in - Ashdown Bank");
    assert_eq!(browser.send(&old, &[]).await.status, 403, "the old form is worth nothing");

    let mut browser = world.dashboard(NORA).await;
    world.advance(15 * 60 - 1).await;
    assert_eq!(browser.open(&list).await.title, "Connections - Ashdown Bank");
    world.advance(1).await;
    assert_eq!(browser.open(&list).await.title, "Log in - Ashdown Bank");
    let half = browser.type_password(NORA).await;
    assert_eq!(half.title, "One-time password - Ashdown Bank");
    let leaving = browser.press("Leave", &[]).await;
    assert_eq!(leaving.title, "Log in - Ashdown Bank");
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_seen_and_cancelled() {
    let world = Scene::new().await;
    let paid = world.payment("domestic-payment", &domestic("12.00"), &json!({})).await;
    world.authorised(&paid, NORA, &["Everyday"]).await;
    world.ordered("domestic-payment", &paid).await;
    world.advance(10).await;
    let later = with(domestic("75.00"), &json!({ "RequestedExecutionDateTime": "2030-05-06T00:00:00+00:00" }));
    let scheduled = world.payment("domestic-scheduled-payment", &later, &json!({ "Permission": "Create" })).await;
    world.authorised(&scheduled, NORA, &["Everyday"]).await;
    let order = world.ordered("domestic-scheduled-payment", &scheduled).await;

    let mut browser = world.dashboard(NORA).await;
    let list = cards(browser.page());
    assert!(list[0].contains("£75.00") && list[0].contains("Next on 6 May 2030"), "{list:?}");
    assert!(list[1].contains("£12.00") && list[1].contains("Paid"), "{list:?}");
    assert!(list[1].contains("through Larkspur Budget"), "{list:?}");
    assert_eq!(browser.page().all("button"), ["Cancel it", "Log out"], "what is paid cannot be cancelled");
    let form = browser.page().form("Cancel it");
    let mut other = world.dashboard(ROSALIND).await;
    let mut stolen = form.clone();
    stolen.fields[0].1 = other.page().form("Log out").fields[0].1.clone();
    assert_eq!(other.send(&stolen, &[]).await.status, 404, "not hers");

    let list = cards(browser.press("Cancel it", &[]).await);
    assert!(list[0].contains("Cancelled") && !list[0].contains("Next on"), "{list:?}");
    let body = world.read("v4.0", &format!("/domestic-scheduled-payments/{order}")).await;
    assert_eq!(body["Data"]["Status"], "CANC", "{body}");
    let again = browser.send(&form, &[]).await;
    assert_eq!((again.status, again.all("main a")), (409, vec!["Your connections".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_signatory_confirms_or_refuses() {
    let world = Scene::new().await;
    let mut orders = Vec::new();
    for amount in ["41.00", "42.00"] {
        let consent = world.payment("domestic-payment", &domestic(amount), &json!({})).await;
        world.authorised(&consent, TOBIAS, &["Loft conversion"]).await;
        orders.push(world.ordered("domestic-payment", &consent).await);
    }
    let status = async |order: &String| -> Value {
        world.read("v4.0", &format!("/domestic-payments/{order}")).await["Data"]["MultiAuthorisation"]["Status"].clone()
    };
    assert_eq!(status(&orders[0]).await, "AWAF");
    let mut his = world.dashboard(TOBIAS).await;
    assert!(!his.page().text.contains("Waiting for you"), "he has confirmed already: {}", his.page().text);
    assert!(cards(his.page())[0].contains("Waits for another person"));

    let mut hers = world.dashboard(ROSALIND).await;
    let waiting = cards(hers.page());
    assert!(hers.page().text.contains("Waiting for you") && waiting.len() == 2, "{waiting:?}");
    let confirms = waiting[0].contains("£42.00");
    hers.press("Confirm the payment", &[]).await;
    let left = hers.press("Refuse it", &[]).await;
    assert!(!left.text.contains("Waiting for you"), "{}", left.text);
    let (confirmed, refused) = if confirms { (&orders[1], &orders[0]) } else { (&orders[0], &orders[1]) };
    assert_eq!((status(confirmed).await, status(refused).await), (json!("AUTH"), json!("RJCT")));
    his.open(&world.page("/connections")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_funds_are_told_with_their_answers() {
    let world = Scene::new().await;
    let number = world.number(NORA, "Everyday").await;
    let account = json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": number });
    let body = json!({ "Data": { "DebtorAccount": account } });
    let lodged = json!({ "bank": world.hosted.bank.name, "version": "v4.0", "kind": "funds-confirmation-consents",
        "body": body });
    let lodged = world.step("lodge-consent", &lodged).await;
    let consent = lodged["consent-id"].as_str().unwrap();
    world.authorised(consent, NORA, &[]).await;
    for (amount, answer) in [("1.00", true), ("9999999.00", false)] {
        let data = json!({ "ConsentId": consent, "Reference": amount,
            "InstructedAmount": { "Amount": amount, "Currency": "GBP" } });
        let asked = json!({ "bank": world.hosted.bank.name, "version": "v4.0", "consent-id": consent, "method": "POST",
            "path": "/funds-confirmations", "body": { "json": { "Data": data } } });
        let told = world.step("call", &asked).await;
        assert_eq!(told["body"]["Data"]["FundsAvailable"], answer, "{told}");
    }
    let mut browser = world.dashboard(NORA).await;
    let page = browser.open(&world.page(&format!("/connections/{consent}"))).await;
    let history = page.all(".history li");
    assert_eq!(history.len(), 2, "{history:?}");
    assert!(history[0].contains("£9,999,999.00") && history[0].ends_with("We said no"), "{history:?}");
    assert!(history[1].contains("£1.00") && history[1].ends_with("We said yes"), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_recurring_payments_are_told_with_what_is_left() {
    let world = Scene::new().await;
    let pounds = |amount: &str| json!({ "Amount": amount, "Currency": "GBP" });
    let limits = json!({ "MaximumIndividualAmount": pounds("100.00"),
        "PeriodicLimits": [with(pounds("150.00"), &json!({ "PeriodType": "Month", "PeriodAlignment": "Consent" }))],
        "VRPType": ["UK.OBIE.VRPType.Sweeping"], "PSUAuthenticationMethods": ["UK.OBIE.SCANotRequired"] });
    let consent = world.recurring(&limits, &json!({})).await;
    world.authorised(&consent, NORA, &["Everyday"]).await;
    let lodged = world.read("v4.0", &format!("/domestic-vrp-consents/{consent}")).await;
    let initiation = &lodged["Data"]["Initiation"];
    let instruction = with(domestic("60.00"), &json!({ "CreditorAccount": initiation["CreditorAccount"] }));
    let order = json!({ "Data": { "ConsentId": consent, "PSUAuthenticationMethod": "UK.OBIE.SCANotRequired",
        "PSUInteractionType": "OffSession", "VRPType": "UK.OBIE.VRPType.Sweeping", "Initiation": initiation,
        "Instruction": instruction }, "Risk": { "PaymentContextCode": "TransferToSelf" } });
    let asked = json!({ "bank": world.hosted.bank.name, "version": "v4.0", "consent-id": consent, "method": "POST",
        "path": "/domestic-vrps", "body": { "json": order } });
    let told = world.step("call", &asked).await;
    assert_eq!(told["status"], 201, "{told}");

    let mut browser = world.dashboard(NORA).await;
    assert!(cards(browser.page())[1].contains("£60.00"), "{:?}", cards(browser.page()));
    let page = browser.open(&world.page(&format!("/connections/{consent}"))).await;
    assert!(page.all(".terms dd")[0].starts_with("£60.00 paid, £90.00 left until "), "{}", page.text);
    assert_eq!(page.term("Most for one payment").as_deref(), Some("£100.00"));
    let history = page.all(".history li");
    assert!(history.len() == 1 && history[0].contains("£60.00"), "{history:?}");
    browser.press("Stop the access", &[]).await;
    assert_eq!(world.status("domestic-vrp", &consent).await, "CANC");
    assert_eq!(world.step("call", &asked).await["status"], 401, "no payment goes on");
}
