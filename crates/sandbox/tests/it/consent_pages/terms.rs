//! What the pages tell of each kind of consent.

use serde_json::{Value, json};

use super::{Scene, check, domestic, with};
use crate::browser::{Browser, NORA};

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
