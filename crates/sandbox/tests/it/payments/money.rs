//! What a payment does to the money: balances and transactions of both sides, refusals of the books, series over months,
//! second signatories.

use openbanking::{payments::PaymentKind, version::ApiVersion};
use psu::Psu;
use serde_json::{Value, json};
use time::Duration;

use super::{Api, bodies, by};
use crate::hand_made::{World, with_payments};

const PERMISSIONS: [&str; 6] = [
    "ReadAccountsDetail",
    "ReadBalances",
    "ReadTransactionsDetail",
    "ReadTransactionsCredits",
    "ReadTransactionsDebits",
    "ReadStandingOrdersDetail",
];

/// What a customer sees of the accounts, through a consent of its own.
pub(super) struct Seen<'a> {
    world: &'a World,
    consent: String,
    accounts: Vec<Value>,
}

impl<'a> Seen<'a> {
    pub(super) async fn by(world: &'a World, persona: &str) -> Self {
        let consent = world.connected_as(persona, ApiVersion::V4_0, &PERMISSIONS, json!({})).await;
        let body = world.read(ApiVersion::V4_0, &consent, "/accounts").await;
        Self { world, consent, accounts: body["Data"]["Account"].as_array().unwrap().clone() }
    }

    fn account(&self, nickname: &str) -> &Value {
        self.accounts.iter().find(|one| one["Nickname"] == nickname).unwrap()
    }

    /// Sort code and account number, or the IBAN of an account in euros.
    pub(super) fn number(&self, nickname: &str) -> String {
        self.account(nickname)["Account"][0]["Identification"].as_str().unwrap().to_owned()
    }

    async fn read(&self, nickname: &str, what: &str) -> Value {
        // Access tokens do not outlive what a test lets pass.
        self.world.step("refresh", &json!({ "consent-id": self.consent })).await;
        let id = self.account(nickname)["AccountId"].as_str().unwrap();
        self.world.read(ApiVersion::V4_0, &self.consent, &format!("/accounts/{id}/{what}")).await["Data"].clone()
    }

    /// The booked balance, in hundredths.
    pub(super) async fn balance(&self, nickname: &str) -> i64 {
        let balances = self.read(nickname, "balances").await;
        let booked = balances["Balance"].as_array().unwrap().iter().find(|one| one["Type"] == "ITBD").unwrap().clone();
        let amount = minor(booked["Amount"]["Amount"].as_str().unwrap());
        if booked["CreditDebitIndicator"] == "Debit" { -amount } else { amount }
    }

    /// Transactions whose reference is this.
    async fn transactions(&self, nickname: &str, reference: &str) -> Vec<Value> {
        let all = self.read(nickname, "transactions").await;
        let all = all["Transaction"].as_array().unwrap().clone();
        all.into_iter().filter(|one| one.to_string().contains(reference)).collect()
    }
}

fn minor(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let cents: i64 = format!("{part:0<2}")[..2].parse().unwrap();
    whole.parse::<i64>().unwrap() * 100 + cents
}

fn referenced(mut body: Value, reference: &str) -> Value {
    body["Data"]["Initiation"]["RemittanceInformation"] = json!({ "Unstructured": [reference] });
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn rosalind_pays_tobias_and_both_see_it() {
    let world = World::new().await;
    let (rosalind, tobias) = (Seen::by(&world, "rosalind").await, Seen::by(&world, "tobias").await);
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let to = tobias.number("Roof fund");
    let before = (rosalind.balance("Personal").await, tobias.balance("Roof fund").await);
    let mut body = referenced(bodies::domestic(&to, "12.34"), "ROOF TILES");
    body["Data"]["ReadRefundAccount"] = json!("Yes");
    let paid = api.pay(PaymentKind::Domestic, &body, "rosalind", "Personal").await;
    let refund = &paid.body["Data"]["Refund"]["Account"];
    assert_eq!(refund["Identification"], rosalind.number("Personal").as_str(), "{refund}");
    api.pass(Duration::seconds(10)).await;
    let id = paid.text("/Data/DomesticPaymentId");
    assert_eq!(api.ordered(PaymentKind::Domestic, &id).await.body["Data"]["Status"], "ACCC");
    let after = (rosalind.balance("Personal").await, tobias.balance("Roof fund").await);
    assert_eq!((before.0 - after.0, after.1 - before.1), (1234, 1234));
    for (seen, account, side) in [(&rosalind, "Personal", "Debit"), (&tobias, "Roof fund", "Credit")] {
        let found = seen.transactions(account, "ROOF TILES").await;
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((&found[0]["Amount"]["Amount"], &found[0]["CreditDebitIndicator"]), (&json!("12.34"), &json!(side)));
        assert_eq!(found[0]["Status"], "BOOK");
    }
    // Without asking there is no refund account.
    let body = bodies::domestic(&to, "1.00");
    let paid = api.pay(PaymentKind::Domestic, &body, "rosalind", "Personal").await;
    assert!(paid.body["Data"].get("Refund").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_books_refuse_is_ordered_and_rejected() {
    let world = World::new().await;
    let nora = Seen::by(&world, "nora").await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let before = nora.balance("Everyday").await;
        for (to, amount, reason) in [
            (bodies::ELSEWHERE.to_owned(), "900000.00", "AM04"),
            (nora.number("Everyday"), "1.00", "AG01"),
            // Our sort code, and no such account.
            ("00002699999999".to_owned(), "1.00", "AC03"),
        ] {
            let body = bodies::domestic(&to, amount);
            let (lodged, token) = api.authorised(PaymentKind::Domestic, &body, "nora", "Everyday").await;
            let funds = format!("/domestic-payment-consents/{}/funds-confirmation", lodged.consent_id());
            let funds = api.get(&funds, &token).await.is(200);
            assert_eq!(funds.body["Data"]["FundsAvailableResult"]["FundsAvailable"], reason != "AM04");
            let order = bodies::order(&body, &lodged.consent_id());
            let paid = api.order(PaymentKind::Domestic, &order, &token).await.is(201);
            assert_eq!(paid.body["Data"]["Status"], by(version, "Rejected", "RJCT"), "{reason}");
            let id = paid.text("/Data/DomesticPaymentId");
            let details = api.get(&format!("/domestic-payments/{id}/payment-details"), &api.own).await.is(200);
            assert_eq!(details.body["Data"]["PaymentStatus"][0]["Status"], by(version, "Rejected", "RJCT"));
            if version == ApiVersion::V4_0 {
                assert_eq!(paid.body["Data"]["StatusReason"][0]["StatusReasonCode"], reason);
            }
        }
        assert_eq!(nora.balance("Everyday").await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_blocked_or_closed_pay_and_get_nothing() {
    let world = World::new().await;
    let (rosalind, tobias) = (Seen::by(&world, "rosalind").await, Seen::by(&world, "tobias").await);
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let kind = PaymentKind::Domestic;
    let id = |seen: &Seen<'_>, nickname: &str| seen.account(nickname)["AccountId"].as_str().unwrap().to_owned();
    let set = async |account: &str, status: &str| {
        let body = json!({ "status": status });
        world.control(http::Method::POST, &format!("/accounts/{account}/status"), &body).await.0
    };
    let (payer, payee) = (id(&rosalind, "Personal"), id(&tobias, "Roof fund"));
    let body = bodies::domestic(&tobias.number("Roof fund"), "1.00");
    for (account, status, reason) in [
        (&payee, "closed", "AC07"),
        (&payee, "disabled", "AC06"),
        (&payer, "disabled", "AC06"),
        (&payer, "closed", "AC05"),
    ] {
        let (lodged, token) = api.authorised(kind, &body, "rosalind", "Personal").await;
        assert_eq!(set(account, status).await, 204);
        let paid = api.order(kind, &bodies::order(&body, &lodged.consent_id()), &token).await.is(201);
        assert_eq!(paid.text("/Data/Status"), "RJCT", "{status}");
        assert_eq!(paid.text("/Data/StatusReason/0/StatusReasonCode"), reason);
        assert_eq!(set(account, "enabled").await, 204);
    }
    assert_eq!(set("none", "closed").await, 404);
    assert_eq!(set(&payee, "gone").await, 400);
}

/// A bank whose payments move only when they are told to.
#[tokio::test(flavor = "multi_thread")]
async fn payments_take_their_steps_when_they_are_told_to() {
    let section = "payments: { settlement: { automatic: false } }";
    let world = World::with_bank(|profile| with_payments(profile, section)).await;
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let kind = PaymentKind::Domestic;
    let body = bodies::domestic(bodies::ELSEWHERE, "1.00");
    let paid = api.pay(kind, &body, "rosalind", "Personal").await;
    let id = paid.text("/Data/DomesticPaymentId");
    let mut walked = vec![paid.text("/Data/Status")];
    api.pass(Duration::days(2)).await;
    assert_eq!(api.ordered(kind, &id).await.text("/Data/Status"), walked[0], "it stands still");
    let told = async |what: &str, body: Value| {
        world.control(http::Method::POST, &format!("/payments/{id}/{what}"), &body).await.0
    };
    while told("step", Value::Null).await == 204 {
        walked.push(api.ordered(kind, &id).await.text("/Data/Status"));
        assert!(walked.len() < 10, "{walked:?}");
    }
    walked.dedup();
    assert_eq!(walked.last().unwrap(), "ACCC", "{walked:?}");
    assert!(walked.len() > 2, "{walked:?}");
    assert_eq!(told("step", Value::Null).await, 409, "there is no further step");
    assert_eq!(told("reject", json!({ "reason": "not_specified" })).await, 409);
    // The bank rejects one that is not debited yet.
    let paid = api.pay(kind, &body, "rosalind", "Personal").await;
    let second = paid.text("/Data/DomesticPaymentId");
    let reject = format!("/payments/{second}/reject");
    let reason = json!({ "reason": "transaction_forbidden" });
    assert_eq!(world.control(http::Method::POST, &reject, &reason).await.0, 204);
    let read = api.ordered(kind, &second).await;
    assert_eq!(read.text("/Data/Status"), "RJCT");
    assert_eq!(read.text("/Data/StatusReason/0/StatusReasonCode"), "AG01");
}

/// The reasons that scenarios can name are those that the bank takes.
#[test]
fn scenarios_reject_for_the_reasons_of_the_bank() {
    for reason in scenario::language::steps::REASONS {
        let known = serde_json::from_value::<ledger::orders::Rejection>(json!(reason));
        assert!(known.is_ok(), "{reason}");
    }
    let unknown = serde_json::from_value::<ledger::orders::Rejection>(json!("nonsense")).unwrap_err().to_string();
    let all = unknown.matches('`').count() / 2 - 1;
    assert_eq!(all, scenario::language::steps::REASONS.len(), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_the_bank_and_of_an_account() {
    let limits = "payments: { payment-limit: 50, daily-limit: 80 }";
    let world = World::with_bank(|profile| with_payments(profile, limits)).await;
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let pay = async |api: &Api<'_>, amount: &str| {
        let body = bodies::domestic(bodies::ELSEWHERE, amount);
        let paid = api.pay(PaymentKind::Domestic, &body, "nora", "Everyday").await;
        let reason = paid.text("/Data/StatusReason/0/StatusReasonCode");
        (paid.text("/Data/Status"), reason)
    };
    let rejected = |reason: &str| ("RJCT".to_owned(), reason.to_owned());
    assert_eq!(pay(&api, "50.01").await, rejected("AM14"));
    assert_eq!(pay(&api, "50.00").await.0, "RCVD");
    assert_eq!(pay(&api, "30.01").await, rejected("AM21"));
    assert_eq!(pay(&api, "30.00").await.0, "RCVD");
    assert_eq!(pay(&api, "0.01").await, rejected("AM21"));
    api.pass(Duration::DAY).await;
    assert_eq!(pay(&api, "50.00").await.0, "RCVD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_payment_waits_for_its_day() {
    let world = World::new().await;
    let nora = Seen::by(&world, "nora").await;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        let kind = PaymentKind::DomesticScheduled;
        let mut initiation = bodies::domestic(bodies::ELSEWHERE, "7.00")["Data"]["Initiation"].clone();
        let reference = format!("LATER {version}");
        initiation["RequestedExecutionDateTime"] = json!(bodies::day(api.now(), 4));
        initiation["RemittanceInformation"] =
            by(version, json!({ "Reference": reference }), json!({ "Unstructured": [reference] }));
        let paid = api.pay(kind, &bodies::of(kind, &initiation), "nora", "Everyday").await;
        let id = paid.text("/Data/DomesticScheduledPaymentId");
        let booked = async || nora.transactions("Everyday", &reference).await.len();
        api.pass(Duration::days(2)).await;
        assert_eq!(booked().await, 0);
        assert_eq!(api.ordered(kind, &id).await.body["Data"]["Status"], by(version, "InitiationCompleted", "PDNG"));
        api.pass(Duration::days(5)).await;
        assert_eq!(booked().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_order_pays_month_after_month() {
    let world = World::new().await;
    let rosalind = Seen::by(&world, "rosalind").await;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        let kind = PaymentKind::DomesticStandingOrder;
        let reference = format!("CLUB {version}");
        let first = bodies::day(api.now(), 3);
        let mut initiation = json!({
            "CreditorAccount": bodies::account(bodies::ELSEWHERE, "Club"), "FirstPaymentAmount": bodies::money("5.00", "GBP"),
            "RecurringPaymentAmount": bodies::money("4.00", "GBP"),
        });
        initiation = bodies::with(
            initiation,
            &by(
                version,
                json!({ "Frequency": "IntrvlMnthDay:01:15", "Reference": reference, "FirstPaymentDateTime": first }),
                json!({
                    "RemittanceInformation": { "Unstructured": [reference] },
                    "MandateRelatedInformation": {
                        "FirstPaymentDateTime": first, "Frequency": { "Type": "MNTH", "PointInTime": "15" },
                    },
                }),
            ),
        );
        let paid = api.pay(kind, &bodies::of(kind, &initiation), "rosalind", "Studio").await;
        let id = paid.text("/Data/DomesticStandingOrderId");
        for _ in 0..100 {
            api.pass(Duration::DAY).await;
        }
        let all = rosalind.transactions("Studio", &reference).await;
        let mut amounts: Vec<&str> = all.iter().map(|one| one["Amount"]["Amount"].as_str().unwrap()).collect();
        amounts.sort_unstable();
        assert!((4..=5).contains(&amounts.len()), "{amounts:?}");
        assert_eq!((amounts[0], amounts[1], amounts[amounts.len() - 1]), ("4.00", "4.00", "5.00"));
        let order = api.ordered(kind, &id).await;
        assert_eq!(order.body["Data"]["Status"], by(version, "InitiationCompleted", "INCO"));
        let details = api.get(&format!("/{}/{id}/payment-details", kind.order_path()), &api.own).await.is(200);
        assert_eq!(details.body["Data"]["PaymentStatus"].as_array().unwrap().len(), amounts.len());
    }
}

/// The bank sends back what another bank rejects: with its charges, as a transaction of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_another_bank_rejects_comes_back() {
    let section = "payments:\n  charges: [{ orders: [domestic-payments], type: UK.OBIE.CHAPSOut, amount: \"1.50\", currency: GBP }]\n  settlement: { automatic: false }";
    let world = World::with_bank(|profile| with_payments(profile, section)).await;
    let rosalind = Seen::by(&world, "rosalind").await;
    let kind = PaymentKind::Domestic;
    for (version, statuses) in
        [(ApiVersion::V4_0, ["ACSC", "RJCT"]), (ApiVersion::V3_1, ["AcceptedSettlementCompleted", "Rejected"])]
    {
        let api = Api::new(&world, version).await;
        let before = rosalind.balance("Studio").await;
        let reference = format!("BACK {version}");
        let mut body = bodies::consent(kind, version, api.now());
        body["Data"]["Initiation"]["RemittanceInformation"] =
            by(version, json!({ "Unstructured": reference }), json!({ "Unstructured": [reference] }));
        let amount = minor(body["Data"]["Initiation"]["InstructedAmount"]["Amount"].as_str().unwrap());
        let paid = api.pay(kind, &body, "rosalind", "Studio").await;
        let id = paid.text("/Data/DomesticPaymentId");
        let told = async |what: &str, body: Value| {
            world.control(http::Method::POST, &format!("/payments/{id}/{what}"), &body).await.0
        };
        for _ in 0..2 {
            assert_eq!(told("step", Value::Null).await, 204);
        }
        assert_eq!(api.ordered(kind, &id).await.text("/Data/Status"), statuses[0]);
        assert_eq!(rosalind.balance("Studio").await, before - amount - 150);
        assert_eq!(told("reject", json!({ "reason": "closed_creditor_account" })).await, 204);
        let order = api.ordered(kind, &id).await;
        assert_eq!(order.text("/Data/Status"), statuses[1]);
        if version == ApiVersion::V4_0 {
            assert_eq!(order.text("/Data/StatusReason/0/StatusReasonCode"), "AC07");
        }
        assert_eq!(rosalind.balance("Studio").await, before);
        let all = rosalind.transactions("Studio", &reference).await;
        let back = all.iter().find(|one| one["CreditDebitIndicator"] == "Credit").unwrap();
        assert_eq!(back["BankTransactionCode"], json!({ "Code": "ICDT", "SubCode": "RRTN" }));
        assert_eq!(minor(back["Amount"]["Amount"].as_str().unwrap()), amount);
        assert_eq!(told("reject", json!({ "reason": "not_specified" })).await, 409);
    }
}

/// Customers live on while the clock goes, unless the personas' file says otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn customers_live_on_while_the_clock_goes() {
    for lively in [true, false] {
        let world = match lively {
            true => World::on(|place| place.personas = None).await,
            false => World::new().await,
        };
        let mut api = Api::new(&world, ApiVersion::V4_0).await;
        let nora = Seen::by(&world, "nora").await;
        let begun = (api.now() + Duration::days(7)).date();
        api.pass(Duration::days(40)).await;
        let since = nora.read("Everyday", &format!("transactions?fromBookingDateTime={begun}T00:00:00")).await;
        let since = since["Transaction"].as_array().unwrap();
        let of = |kind: &str| since.iter().filter(|one| one["ProprietaryBankTransactionCode"]["Code"] == kind).count();
        assert_eq!(of("CardPurchase") > 10, lively, "{} purchases", of("CardPurchase"));
        assert_eq!(of("Salary") > 0, lively);
    }
}

/// Two signatories, and the second one takes longer than the first instalments: those are not paid.
#[tokio::test(flavor = "multi_thread")]
async fn instalments_that_passed_while_a_signatory_was_waited_for_are_not_paid() {
    let world = World::new().await;
    let rosalind = Seen::by(&world, "rosalind").await;
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let kind = PaymentKind::DomesticStandingOrder;
    let before = rosalind.balance("Loft conversion").await;
    let mut body = bodies::consent(kind, ApiVersion::V4_0, api.now());
    let tomorrow = (api.now() + Duration::DAY).date();
    let initiation = &mut body["Data"]["Initiation"];
    for name in ["RecurringPaymentAmount", "FinalPaymentAmount", "NumberOfPayments"] {
        initiation.as_object_mut().unwrap().remove(name);
    }
    initiation["FirstPaymentAmount"] = json!({ "Amount": "3.00", "Currency": "GBP" });
    initiation["MandateRelatedInformation"] = json!({
        "FirstPaymentDateTime": format!("{tomorrow}T00:00:00Z"),
        "FinalPaymentDateTime": format!("{}T00:00:00Z", tomorrow + Duration::days(5)),
        "Frequency": { "Type": "DAIL" },
    });
    let ordered = api.pay(kind, &body, "tobias", "Loft conversion").await;
    let id = ordered.text("/Data/DomesticStandingOrderId");
    // Three days of six pass, whatever the hour is now.
    api.pass(Duration::days(4)).await;
    let credentials = sandbox::hosting::credentials(&world.hosted.bank.logins)["rosalind"].clone();
    let psu = Psu::new(world.browser(), credentials);
    psu.visit(&world.page("/connections"), &["Confirm the payment".to_owned()], &world.journey()).await.unwrap();
    assert_eq!(api.ordered(kind, &id).await.text("/Data/Status"), "INCO");
    api.pass(Duration::days(10)).await;
    let details = api.get(&format!("/{}/{id}/payment-details", kind.order_path()), &api.own).await.is(200);
    assert_eq!(details.body["Data"]["PaymentStatus"].as_array().unwrap().len(), 3);
    assert_eq!(before - rosalind.balance("Loft conversion").await, 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_account_needs_its_second_signatory() {
    let world = World::new().await;
    let kind = PaymentKind::Domestic;
    let rosalind = Seen::by(&world, "rosalind").await;
    for (version, press, after, whole) in [
        (ApiVersion::V4_0, "Confirm the payment", "AUTH", "ACSP"),
        (ApiVersion::V4_0, "Refuse it", "RJCT", "RJCT"),
        (ApiVersion::V3_1, "Confirm the payment", "Authorised", "AcceptedSettlementInProcess"),
        (ApiVersion::V3_1, "Refuse it", "Rejected", "Rejected"),
    ] {
        let mut api = Api::new(&world, version).await;
        let before = rosalind.balance("Loft conversion").await;
        let body = bodies::domestic(bodies::ELSEWHERE, "20.00");
        let paid = api.pay(kind, &body, "tobias", "Loft conversion").await;
        let id = paid.text("/Data/DomesticPaymentId");
        let several = &paid.body["Data"]["MultiAuthorisation"];
        let open = by(version, ("AwaitingFurtherAuthorisation", "Pending", "Pending"), ("AWAF", "RCVD", "PATC"));
        assert_eq!((&several["Status"], &several["NumberRequired"]), (&json!(open.0), &json!(2)), "{several}");
        assert_eq!((&several["NumberReceived"], &paid.body["Data"]["Status"]), (&json!(1), &json!(open.1)));
        assert_eq!(api.ordered(kind, &id).await.body["Data"]["Status"], open.2);
        api.pass(Duration::hours(1)).await;
        assert_eq!(rosalind.balance("Loft conversion").await, before, "nothing is paid yet");
        let credentials = sandbox::hosting::credentials(&world.hosted.bank.logins)["rosalind"].clone();
        let psu = Psu::new(world.browser(), credentials);
        psu.visit(&world.page("/connections"), &[press.to_owned()], &world.journey()).await.unwrap();
        let read = api.ordered(kind, &id).await;
        assert_eq!(read.body["Data"]["MultiAuthorisation"]["Status"], after, "{version} {press}");
        assert_eq!(read.body["Data"]["Status"], whole);
        api.pass(Duration::seconds(10)).await;
        let moved = before - rosalind.balance("Loft conversion").await;
        assert_eq!(moved, if press.starts_with("Confirm") { 2000 } else { 0 });
        if version == ApiVersion::V4_0 && whole == "RJCT" {
            assert_eq!(read.body["Data"]["StatusReason"][0]["StatusReasonCode"], "DS02");
        }
    }
    // Nobody answers in time.
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let paid = api.pay(kind, &bodies::domestic(bodies::ELSEWHERE, "20.00"), "tobias", "Loft conversion").await;
    api.pass(Duration::days(8)).await;
    let read = api.ordered(kind, &paid.text("/Data/DomesticPaymentId")).await;
    assert_eq!(read.body["Data"]["Status"], "RJCT");
    let several = &read.body["Data"]["MultiAuthorisation"];
    assert_eq!(several["Status"], "RJCT");
    assert_eq!(several["LastUpdateDateTime"], read.body["Data"]["StatusUpdateDateTime"]);
    assert_eq!(read.body["Data"]["StatusReason"][0]["StatusReasonCode"], "DS24");
}

/// The TPP says how many people may have to authorise; accounts that do not fit are not offered, and one that it names
/// is refused.
#[tokio::test(flavor = "multi_thread")]
async fn authorisation_type_fits_the_account() {
    let world = World::new().await;
    let rosalind = Seen::by(&world, "rosalind").await;
    let loft = rosalind.number("Loft conversion");
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let mut body = bodies::domestic(bodies::ELSEWHERE, "1.00");
        body["Data"]["Initiation"]["DebtorAccount"] = bodies::account(&loft, "Loft");
        body["Data"]["Authorisation"] = json!({ "AuthorisationType": "Any" });
        api.lodge(PaymentKind::Domestic, &body).await.is(201);
        body["Data"]["Authorisation"] = json!({ "AuthorisationType": "Single" });
        let reply = api.lodge(PaymentKind::Domestic, &body).await;
        reply.refused(400, by(version, "UK.OBIE.Field.Invalid", "U002"), "pis.consent.authorisation-type");
    }
}
