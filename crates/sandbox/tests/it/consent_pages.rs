//! The bank's pages for every kind of consent, through its real interface. `docs/consent-pages.md` has the checklist that
//! they are held against, and names these tests.

mod accounts;
mod app;
mod payments;
mod protection;
mod terms;

use sandbox::hosting::Place;
use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::{Browser, Page, Who},
    hand_made::World,
};

/// Somebody at another bank.
const PAYEE: &str = "00009912345601";
/// What the TPP calls itself.
const TPP: &str = "Larkspur Budget";

/// An ecosystem in which customers act on pages.
pub(crate) struct Scene(World);

impl std::ops::Deref for Scene {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self(World::new().await)
    }

    async fn on(change: impl FnOnce(&mut Place)) -> Self {
        Self(World::on(change).await)
    }

    async fn with_bank(change: impl FnOnce(&str) -> String) -> Self {
        Self(World::with_bank(change).await)
    }

    async fn lodge(&self, version: &str, kind: &str, body: &Value) -> String {
        let bank = &self.hosted.bank.name;
        let asked = json!({ "bank": bank, "version": version, "kind": kind, "body": body });
        let lodged = self.step("lodge-consent", &asked).await;
        lodged["consent-id"].as_str().unwrap().to_owned()
    }

    /// A consent to read accounts.
    pub(crate) async fn account_access(&self, version: &str, data: &Value) -> String {
        self.lodge(version, "account-access-consents", &json!({ "Data": data, "Risk": {} })).await
    }

    /// A consent to pay; the `Initiation` is completed with a payee.
    pub(crate) async fn payment(&self, kind: &str, initiation: &Value, data: &Value) -> String {
        let mut complete = json!({ "CreditorAccount": account(PAYEE, "Marrow and Finch Lettings") });
        complete.as_object_mut().unwrap().extend(initiation.as_object().unwrap().clone());
        let mut asked = json!({ "Initiation": complete });
        asked.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let body = json!({ "Data": asked, "Risk": {} });
        self.lodge("v4.0", &format!("{kind}-consents"), &body).await
    }

    /// A consent to payments of varying amounts to somebody at another bank.
    pub(crate) async fn recurring(&self, limits: &Value, initiation: &Value) -> String {
        let complete = with(json!({ "CreditorAccount": account(PAYEE, "Marrow and Finch Lettings") }), initiation);
        let data = json!({ "ReadRefundAccount": "No", "ControlParameters": limits, "Initiation": complete });
        let body = json!({ "Data": data, "Risk": { "PaymentContextCode": "TransferToSelf" } });
        self.lodge("v4.0", "domestic-vrp-consents", &body).await
    }

    /// The TPP's link to the bank, and its `state`.
    pub(crate) async fn link(&self, consent: &str) -> (Url, String) {
        let told = self.step("authorise", &json!({ "bank": self.hosted.bank.name, "consent-id": consent })).await;
        (told["url"].as_str().unwrap().parse().unwrap(), told["state"].as_str().unwrap().to_owned())
    }

    /// What the TPP reads with its own token.
    pub(crate) async fn read(&self, version: &str, path: &str) -> Value {
        let api = match path {
            path if path.starts_with("/account") => "aisp",
            path if path.starts_with("/funds-confirmation") => "cbpii",
            _ => "pisp",
        };
        let asked =
            json!({ "bank": self.hosted.bank.name, "version": version, "path": path, "token": "client", "api": api });
        self.step("call", &asked).await["body"].clone()
    }

    /// `Status` of a consent of v4.0.
    pub(crate) async fn status(&self, kind: &str, consent: &str) -> String {
        let body = self.read("v4.0", &format!("/{kind}-consents/{consent}")).await;
        body["Data"]["Status"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    /// The number of an account that pays, as the TPP would name it.
    pub(crate) async fn number(&self, who: Who, nickname: &str) -> String {
        let consent = self.payment("domestic-payment", &domestic("1.00"), &json!({})).await;
        let mut browser = Browser::new(self);
        browser.open(&self.link(&consent).await.0).await;
        let page = browser.log_in(who).await;
        let (names, numbers) = (page.all(".account .name"), page.all(".account .number"));
        let place = names.iter().position(|name| name == nickname).unwrap_or_else(|| panic!("{names:?}"));
        numbers[place].chars().filter(char::is_ascii_digit).collect()
    }
}

fn account(number: &str, name: &str) -> Value {
    json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": number, "Name": name })
}

/// The part of an `Initiation` that makes it a domestic payment.
pub(crate) fn domestic(amount: &str) -> Value {
    json!({ "InstructionIdentification": "ORDER-1", "EndToEndIdentification": "ORDER-1-SHOP",
        "InstructedAmount": { "Amount": amount, "Currency": "GBP" } })
}

/// An object with the members of another.
pub(crate) fn with(mut object: Value, more: &Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// What is true of every page of an authorisation.
fn check(page: &Page, consent: &str) {
    assert!(page.text.contains(TPP), "the TPP is named: {}", page.text);
    let words = page.text.to_lowercase();
    for asked in ["consent", "allow", "trust", "permission", "are you sure", "agree", "offer", "warning"] {
        assert!(!words.contains(asked), "{asked:?} on {}: {}", page.url, page.text);
    }
    assert!(page.url.query().is_none() && !page.url.as_str().contains(consent), "{}", page.url);
    if page.refresh().is_none() {
        let mut buttons = vec!["Continue", "Cancel"];
        buttons.extend(page.url.path().ends_with("/passcode").then_some("Use the website instead"));
        assert_eq!(page.all("button"), buttons, "{}", page.url);
    }
}

/// The last page: what happened, and that it returns by itself.
fn check_way_back(page: &Page, world: &Scene, state: &str) {
    let (seconds, to) = page.refresh().unwrap_or_else(|| panic!("{} stays: {}", page.url, page.text));
    assert!(seconds <= 5);
    assert_eq!(to.origin(), world.hosted.tpp.public.origin());
    assert_eq!((to.path(), to.query()), ("/callback", None), "the answer travels in the fragment");
    assert_eq!(page.answer("state").as_deref(), Some(state));
    assert_eq!(page.all("#return-link"), ["Go back now"]);
    assert!(!page.all("#status").is_empty());
}

/// The tests that the checklist in `docs/consent-pages.md` names are there, and each point has one.
#[test]
fn the_checklist_names_tests_that_are_there() {
    let page = include_str!("../../../../docs/consent-pages.md");
    let tests = [
        include_str!("browser.rs"),
        include_str!("consent_pages.rs"),
        include_str!("consent_pages/accounts.rs"),
        include_str!("consent_pages/app.rs"),
        include_str!("consent_pages/payments.rs"),
        include_str!("consent_pages/protection.rs"),
        include_str!("consent_pages/terms.rs"),
        include_str!("dashboard.rs"),
        include_str!("../../../aspsp/src/pages.rs"),
    ]
    .concat();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|row: &Vec<_>| row.len() == 7)
        .collect();
    let points = rows.iter().filter(|row| row[1].parse::<u8>().is_ok());
    let mut seen = 0;
    for row in points {
        seen += 1;
        let names = row[5].split('`').skip(1).step_by(2).filter(|name| !name.ends_with(".rs"));
        let missing: Vec<_> = names.filter(|name| !tests.contains(&format!("fn {name}("))).collect();
        assert!(missing.is_empty(), "point {}: {missing:?}", row[1]);
        assert!(!row[5].is_empty(), "point {} has no test", row[1]);
    }
    assert_eq!(seen, 25);
}
