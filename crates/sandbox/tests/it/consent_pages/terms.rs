//! What the pages tell of each kind of consent.

use serde_json::{Value, json};

use super::{PAYEE, Scene, account, check, check_way_back, domestic, with};
use crate::browser::{Browser, NORA, ROSALIND};

/// The terms of a consent on the page of the one-time password, on which nothing else can be typed.
async fn terms(world: &Scene, consent: &str) -> Vec<(String, String)> {
    let mut browser = Browser::new(world);
    browser.open(&world.link(consent).await.0).await;
    let page = browser.type_password(NORA).await;
    check(page, consent);
    assert_eq!(page.attributes("input:not([type=hidden]), select, textarea", "name"), ["one_time_password"]);
    page.all(".terms dt").into_iter().zip(page.all(".terms dd")).collect()
}

fn has(terms: &[(String, String)], wanted: &[(&str, &str)]) {
    for (label, value) in wanted {
        let found: Vec<_> = terms.iter().filter(|(name, _)| name == label).map(|(_, value)| value.as_str()).collect();
        assert!(found.contains(value), "{label}: {value} in {terms:?}");
    }
}

fn pounds(amount: &str) -> Value {
    json!({ "Amount": amount, "Currency": "GBP" })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_paid_when_is_shown() {
    let world = Scene::new().await;
    let create = json!({ "Permission": "Create" });
    let later = with(
        domestic("75.00"),
        &json!({ "RequestedExecutionDateTime": "2030-05-06T00:00:00+00:00",
        "RemittanceInformation": { "Unstructured": ["Invoice 7"] } }),
    );
    let consent = world.payment("domestic-scheduled-payment", &later, &create).await;
    has(
        &terms(&world, &consent).await,
        &[
            ("Amount", "£75.00"),
            ("Payee", "Marrow and Finch Lettings"),
            ("On", "6 May 2030"),
            ("Reference", "Invoice 7"),
        ],
    );

    let standing = json!({ "FirstPaymentAmount": pounds("20.00"), "RecurringPaymentAmount": pounds("15.00"),
        "FinalPaymentAmount": pounds("5.00"),
        "MandateRelatedInformation": { "FirstPaymentDateTime": "2030-01-07T00:00:00+00:00",
            "RecurringPaymentDateTime": "2030-02-07T00:00:00+00:00", "FinalPaymentDateTime": "2031-01-07T00:00:00+00:00",
            "Frequency": { "Type": "MNTH", "PointInTime": "07" } } });
    let consent = world.payment("domestic-standing-order", &standing, &create).await;
    has(
        &terms(&world, &consent).await,
        &[
            ("First amount", "£20.00"),
            ("How often", "Every month"),
            ("First payment", "7 January 2030"),
            ("Then", "£15.00"),
            ("Second payment", "7 February 2030"),
            ("Last payment", "7 January 2031"),
            ("Last amount", "£5.00"),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn currency_country_and_rate_are_shown() {
    let world = Scene::new().await;
    let abroad = with(
        domestic("100.00"),
        &json!({ "CurrencyOfTransfer": "EUR", "DestinationCountryCode": "FR",
            "ExchangeRateInformation": { "UnitCurrency": "GBP", "RateType": "Actual" } }),
    );
    let consent = world.payment("international-payment", &abroad, &json!({})).await;
    let terms = terms(&world, &consent).await;
    has(&terms, &[("Amount", "£100.00"), ("Arrives in", "EUR"), ("To", "FR")]);
    let (_, rate) = terms.iter().find(|(label, _)| label == "Exchange rate").unwrap();
    assert!(rate.starts_with("1 GBP = 1.165 EUR (Actual, until "), "{rate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_told_by_its_total() {
    let world = Scene::new().await;
    let payments: Vec<Value> = ["10.50", "20.25"]
        .iter()
        .map(|amount| {
            with(domestic(amount), &json!({ "CreditorAccount": account(PAYEE, "Marrow and Finch Lettings") }))
        })
        .collect();
    let file = json!({ "Data": { "DomesticPayments": payments } }).to_string();
    let initiation = json!({ "FileType": "UK.OBIE.PaymentInitiation.4.0", "FileHash": hash(&file),
        "NumberOfTransactions": "2", "ControlSum": 30.75, "FileReference": "WAGES" });
    let consent = world.lodge("v4.0", "file-payment-consents", &json!({ "Data": { "Initiation": initiation } })).await;
    let upload = json!({ "bank": world.hosted.bank.name, "version": "v4.0", "api": "pisp", "token": "client",
        "method": "POST", "path": format!("/file-payment-consents/{consent}/file"),
        "body": { "text": { "content_type": "application/json", "text": file } } });
    let told = world.step("call", &upload).await;
    assert_eq!(told["status"], 200, "{told}");
    let terms = terms(&world, &consent).await;
    has(&terms, &[("Total", "£30.75"), ("Payments", "2"), ("Reference", "WAGES")]);
}

fn hash(file: &str) -> String {
    openssl::base64::encode_block(&openssl::sha::sha256(file.as_bytes()))
}

fn limits() -> Value {
    let limit = |period: &str, alignment: &str, amount: &str| json!({ "PeriodType": period, "PeriodAlignment": alignment, "Amount": amount, "Currency": "GBP" });
    json!({ "ValidFromDateTime": "2026-01-01T00:00:00+00:00", "ValidToDateTime": "2031-02-03T00:00:00+00:00",
        "MaximumIndividualAmount": pounds("100.00"),
        "PeriodicLimits": [limit("Day", "Consent", "150.00"), limit("Week", "Calendar", "200.00"),
            limit("Year", "Calendar", "5000.00")],
        "VRPType": ["UK.OBIE.VRPType.Sweeping"], "PSUAuthenticationMethods": ["UK.OBIE.SCANotRequired"],
        "PSUInteractionTypes": ["OffSession"] })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_of_recurring_payments_is_shown_in_plain_words() {
    let world = Scene::new().await;
    let consent = world.recurring(&limits(), &json!({})).await;
    let shown = terms(&world, &consent).await;
    has(
        &shown,
        &[
            ("Payee", "Marrow and Finch Lettings"),
            ("Payee's account", "00-00-99 12345601"),
            ("Most for one payment", "£100.00"),
            ("Most in a day", "£150.00"),
            ("Most from Monday to Sunday", "£200.00"),
            ("Most in a calendar year", "£5,000.00"),
            ("From the day", "1 January 2026"),
            ("Until", "3 February 2031"),
            ("Do you have to be there?", "No, payments are made without you"),
            ("Do we ask you each time?", "No, not within these limits"),
            ("What they are for", "Moving money between accounts of your own"),
        ],
    );
    // With the payer's account there is nothing to choose, and the limits stand where the customer authenticates.
    let number = world.number(NORA, "Everyday").await;
    let consent = world.recurring(&limits(), &json!({ "DebtorAccount": account(&number, "N Brightwater") })).await;
    assert!(
        terms(&world, &consent).await.iter().any(|(name, value)| name == "From" && value.starts_with("Everyday, "))
    );
    let (link, state) = world.link(&consent).await;
    let mut browser = Browser::new(&world);
    browser.open(&link).await;
    let last = browser.log_in(NORA).await.clone();
    check_way_back(&last, &world, &state);
    assert_eq!(world.status("domestic-vrp", &consent).await, "AUTH");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_confirmation_of_funds_asks_for_agreement() {
    let world = Scene::new().await;
    let number = world.number(ROSALIND, "Personal").await;
    let data = json!({ "DebtorAccount": account(&number, "R Ashdown-Vale"),
        "ExpirationDateTime": "2030-03-04T00:00:00+00:00" });
    for agrees in [true, false] {
        let consent = world.lodge("v4.0", "funds-confirmation-consents", &json!({ "Data": data })).await;
        let (link, state) = world.link(&consent).await;
        let mut browser = Browser::new(&world);
        check(browser.open(&link).await, &consent);
        let page = browser.log_in(ROSALIND).await.clone();
        assert_eq!(page.all("h1"), ["Do you agree that we answer these questions?"]);
        assert!(page.text.contains(super::TPP) && page.all("button") == ["I agree", "Cancel"], "{}", page.text);
        assert!(page.term("Account").unwrap().starts_with("Personal, 00-00-26 "));
        assert_eq!(page.term("Until").as_deref(), Some("4 March 2030"));
        assert_eq!(world.status("funds-confirmation", &consent).await, "AWAU", "she has not agreed yet");
        let last = browser.press(if agrees { "I agree" } else { "Cancel" }, &[]).await.clone();
        check_way_back(&last, &world, &state);
        assert_eq!(last.answer("error").is_none(), agrees);
        let status = world.status("funds-confirmation", &consent).await;
        assert_eq!(status, if agrees { "AUTH" } else { "RJCT" });
    }
}
