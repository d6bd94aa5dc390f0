//! What the standard leaves to each bank: cut-off times, charges, exchange rates, and what is not offered.

use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::{Value, json};
use time::Duration;

use super::{Api, bodies, by, money::Seen};
use crate::hand_made::{World, with_payments};

impl Api<'_> {
    /// Lets time pass until that hour of the next day.
    async fn tomorrow_at(&mut self, hour: u8) {
        let next = self.now().date().next_day().unwrap().with_hms(hour, 0, 0).unwrap().assume_utc();
        self.pass(next - self.now()).await;
    }
}

async fn bank(section: &str) -> World {
    World::with_bank(|profile| with_payments(profile, section)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_cut_off_a_bank_refuses() {
    let world = bank("payments: { cut-off: { orders: [domestic-payments], at: '16:30', afterwards: reject } }").await;
    for version in ApiVersion::ALL {
        let late = by(version, "UK.OBIE.Rules.AfterCutOffDateTime", "U012");
        let kind = PaymentKind::Domestic;
        let mut api = Api::new(&world, version).await;
        api.tomorrow_at(16).await;
        let body = bodies::consent(kind, version, api.now());
        let (lodged, token) = api.authorised(kind, &body, "nora", "Everyday").await;
        assert!(lodged.text("/Data/CutOffDateTime").contains("T16:30:00"));
        let (second, _) = api.authorised(kind, &body, "nora", "Everyday").await;
        let undecided = api.lodge(kind, &body).await.is(201).consent_id();
        api.order(kind, &bodies::order(&body, &lodged.consent_id()), &token).await.is(201);
        api.pass(Duration::minutes(31)).await;
        api.lodge(kind, &body).await.refused(400, late, "pis.consent.cut-off");
        let token = api.refreshed(&second.consent_id()).await;
        let reply = api.order(kind, &bodies::order(&body, &second.consent_id()), &token).await;
        reply.refused(400, late, "pis.order.cut-off");
        // The customer who decides now is told, and the consent is over.
        api.decide(&undecided, "nora", psu::Intention::Approve { accounts: vec!["Everyday".to_owned()] }).await;
        let read = api.get(&format!("/domestic-payment-consents/{undecided}"), &api.own).await.is(200);
        assert_eq!(read.body["Data"]["Status"], by(version, "Rejected", "RJCT"));
        if version == ApiVersion::V4_0 {
            assert_eq!(read.body["Data"]["StatusReason"][0]["StatusReasonCode"], late);
        }
        // Other kinds have no cut-off here.
        let kind = PaymentKind::International;
        api.lodge(kind, &bodies::consent(kind, version, api.now())).await.is(201);
        api.tomorrow_at(9).await;
        api.lodge(PaymentKind::Domestic, &body).await.is(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_cut_off_a_bank_waits_for_the_next_working_day() {
    let world = bank("payments: { cut-off: { orders: [domestic-payments], at: '16:30', afterwards: accept } }").await;
    let kind = PaymentKind::Domestic;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        api.tomorrow_at(17).await;
        let body = bodies::consent(kind, version, api.now());
        let lodged = api.lodge(kind, &body).await.is(201);
        let day = lodged.text("/Data/ExpectedExecutionDateTime");
        assert!(day[..10] > *bodies::day(api.now(), 0), "{day}");
        let token = api.authorise(&lodged.consent_id(), "nora", "Everyday").await;
        let paid = api.order(kind, &bodies::order(&body, &lodged.consent_id()), &token).await.is(201);
        let id = paid.text("/Data/DomesticPaymentId");
        assert_eq!(paid.text("/Data/ExpectedExecutionDateTime"), day);
        assert_eq!(paid.body["Data"]["Status"], by(version, "Pending", "RCVD"));
        api.pass(Duration::hours(1)).await;
        assert_eq!(api.ordered(kind, &id).await.body["Data"]["Status"], by(version, "Pending", "PDNG"));
        api.pass(Duration::days(6)).await;
        let settled = by(version, "AcceptedCreditSettlementCompleted", "ACCC");
        assert_eq!(api.ordered(kind, &id).await.body["Data"]["Status"], settled);
    }
}

/// An international payment with a rate of some type.
fn abroad(version: ApiVersion, rate: &Value) -> Value {
    let kind = PaymentKind::International;
    let now = time::OffsetDateTime::UNIX_EPOCH;
    let mut body = bodies::consent(kind, version, now);
    body["Data"]["Initiation"]["ExchangeRateInformation"] = rate.clone();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_are_actual_agreed_or_indicative() {
    let world = bank("payments: {}").await;
    let rosalind = Seen::by(&world, "rosalind").await;
    let kind = PaymentKind::International;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        let rate = |lodged: &super::Reply| lodged.body["Data"]["ExchangeRateInformation"].clone();
        let actual = abroad(version, &json!({ "UnitCurrency": "GBP", "RateType": "Actual" }));
        let lodged = api.lodge(kind, &actual).await.is(201);
        assert_eq!((&rate(&lodged)["ExchangeRate"], &rate(&lodged)["RateType"]), (&json!(1.165), &json!("Actual")));
        assert!(rate(&lodged)["ExpirationDateTime"].is_string());
        let agreed = json!({
            "UnitCurrency": "GBP", "RateType": "Agreed", "ExchangeRate": 2.0, "ContractIdentification": "C-1",
        });
        let agreed = abroad(version, &agreed);
        let (told, token) = api.authorised(kind, &agreed, "rosalind", "Personal").await;
        assert_eq!(rate(&told)["ExchangeRate"], json!(2.0));
        assert_eq!(rate(&told)["ContractIdentification"], "C-1");
        api.order(kind, &bodies::order(&agreed, &told.consent_id()), &token).await.is(201);
        let indicative = abroad(version, &json!({ "UnitCurrency": "EUR", "RateType": "Indicative" }));
        let told = api.lodge(kind, &indicative).await.is(201);
        assert_eq!(rate(&told)["ExchangeRate"], json!(0.858_369));
        assert!(rate(&told).get("ExpirationDateTime").is_none());

        let unsupported = by(version, "UK.OBIE.Unsupported.Currency", "U023");
        let invented = abroad(version, &json!({ "UnitCurrency": "JPY", "RateType": "Actual" }));
        api.lodge(kind, &invented).await.refused(400, unsupported, "pis.consent.currency-of-transfer");
        let own_rate = abroad(version, &json!({ "UnitCurrency": "GBP", "RateType": "Actual", "ExchangeRate": 1.2 }));
        let reply = api.lodge(kind, &own_rate).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (400, Some("pis.consent.members")));
        for (worthless, rule) in [
            (json!(0), "pis.consent.members"),
            (json!(-1.5), "pis.consent.members"),
            (json!(0.000_000_1), "pis.consent.agreed-rate"),
            (json!(1e30), "pis.consent.agreed-rate"),
        ] {
            let mut body = agreed.clone();
            body["Data"]["Initiation"]["ExchangeRateInformation"]["ExchangeRate"] = worthless.clone();
            let reply = api.lodge(kind, &body).await;
            assert_eq!((reply.status, reply.rule.as_deref()), (400, Some(rule)), "{worthless}");
        }

        // A quote that ran out.
        let token = api.authorise(&lodged.consent_id(), "rosalind", "Personal").await;
        api.pass(Duration::minutes(11)).await;
        let token = match api.get(&format!("/international-payment-consents/{}", lodged.consent_id()), &token).await {
            reply if reply.rule.as_deref() == Some("fapi.access.token-kind") => token,
            _ => api.refreshed(&lodged.consent_id()).await,
        };
        let reply = api.order(kind, &bodies::order(&actual, &lodged.consent_id()), &token).await;
        let status = by(version, "UK.OBIE.Resource.InvalidConsentStatus", "U009");
        reply.refused(400, status, "pis.order.rate-holds");

        // What was agreed counts: ten pounds are debited, or five for ten euros at two euros a pound.
        for (change, debit) in [
            (json!({ "InstructedAmount": bodies::money("10.00", "GBP") }), 1000),
            (json!({ "InstructedAmount": bodies::money("10.00", "EUR") }), 500),
        ] {
            let before = rosalind.balance("Personal").await;
            let mut body = agreed.clone();
            body["Data"]["Initiation"] = bodies::with(body["Data"]["Initiation"].clone(), &change);
            api.pay(kind, &body, "rosalind", "Personal").await;
            api.pass(Duration::seconds(10)).await;
            assert_eq!(before - rosalind.balance("Personal").await, debit, "{change}");
        }
        // From the account in euros, ten euros are ten euros, and pounds are worth what the bank says.
        for (change, debit) in [
            (json!({ "InstructedAmount": bodies::money("10.00", "EUR") }), 1000),
            (json!({ "InstructedAmount": bodies::money("10.00", "GBP"), "CurrencyOfTransfer": "GBP" }), 1165),
            (
                json!({ "InstructedAmount": bodies::money("10.00", "USD"), "CurrencyOfTransfer": "USD",
                "ExchangeRateInformation": { "UnitCurrency": "USD", "RateType": "Indicative" } }),
                910,
            ),
        ] {
            let before = rosalind.balance("Euro").await;
            let mut body = bodies::consent(kind, version, api.now());
            body["Data"]["Initiation"] = bodies::with(body["Data"]["Initiation"].clone(), &change);
            api.pay(kind, &body, "rosalind", "Euro").await;
            api.pass(Duration::seconds(10)).await;
            assert_eq!(before - rosalind.balance("Euro").await, debit, "{change}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_are_told_and_taken() {
    let charges = "payments:\n  charges:\n    - { orders: [international-payments, international-scheduled-payments, \
                   international-standing-orders], type: UK.OBIE.MoneyTransferOut, amount: '4.50', currency: GBP }\n    \
                   - { orders: [file-payments], type: UK.OBIE.CHAPSOut, amount: '2.00', currency: GBP }";
    let world = bank(charges).await;
    let rosalind = Seen::by(&world, "rosalind").await;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        for kind in
            [PaymentKind::International, PaymentKind::InternationalScheduled, PaymentKind::InternationalStandingOrder]
        {
            let lodged = api.lodge(kind, &bodies::consent(kind, version, api.now())).await.is(201);
            let charge = &lodged.body["Data"]["Charges"][0];
            assert_eq!(charge["Amount"], bodies::money("4.50", "GBP"), "{version} {kind:?}: {charge}");
            assert_eq!(charge["Type"], "UK.OBIE.MoneyTransferOut");
        }
        let kind = PaymentKind::International;
        for (account, debit) in [("Personal", 1450), ("Euro", 1165 + 524)] {
            let before = rosalind.balance(account).await;
            let mut body = bodies::consent(kind, version, api.now());
            body["Data"]["Initiation"]["CurrencyOfTransfer"] = json!(if account == "Euro" { "GBP" } else { "EUR" });
            let paid = api.pay(kind, &body, "rosalind", account).await;
            assert_eq!(paid.body["Data"]["Charges"][0]["Amount"], bodies::money("4.50", "GBP"));
            api.pass(Duration::seconds(10)).await;
            assert_eq!(before - rosalind.balance(account).await, debit, "{account}");
        }
        // A file costs once, whatever is in it.
        let before = rosalind.balance("Studio").await;
        let file = super::files::with_local_instrument("UK.OBIE.FPS");
        let body = super::files::consent_of(&file);
        let lodged = api.lodge(PaymentKind::File, &body).await.is(201);
        api.upload(&lodged.consent_id(), &file, "charged").await.is(200);
        let token = api.authorise(&lodged.consent_id(), "rosalind", "Studio").await;
        let order = bodies::order(&body, &lodged.consent_id());
        let paid = api.order(PaymentKind::File, &order, &token).await.is(201);
        assert_eq!(paid.body["Data"]["Charges"][0]["Amount"], bodies::money("2.00", "GBP"));
        api.pass(Duration::seconds(30)).await;
        assert_eq!(before - rosalind.balance("Studio").await, 300 + 200);
        // They cannot be put on the payee.
        let mut body = bodies::consent(kind, version, api.now());
        body["Data"]["Initiation"]["ChargeBearer"] = json!("BorneByCreditor");
        let reply = api.lodge(kind, &body).await;
        reply.refused(400, by(version, "UK.OBIE.Field.Invalid", "U002"), "pis.consent.charge-bearer");
        body["Data"]["Initiation"]["ChargeBearer"] = json!("Shared");
        assert_eq!(api.lodge(kind, &body).await.is(201).body["Data"]["Charges"][0]["ChargeBearer"], "Shared");
        let kind = PaymentKind::Domestic;
        let lodged = api.lodge(kind, &bodies::consent(kind, version, api.now())).await.is(201);
        assert!(lodged.body["Data"].get("Charges").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_does_not_offer() {
    let section = "payments: { rate-types: [Actual], refused-frequencies: [DAIL, EvryDay], \
                   refused-local-instruments: [UK.OBIE.CHAPS] }";
    let world = bank(section).await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let indicative = abroad(version, &json!({ "UnitCurrency": "GBP", "RateType": "Indicative" }));
        let reply = api.lodge(PaymentKind::International, &indicative).await;
        reply.refused(400, by(version, "UK.OBIE.Field.Invalid", "U002"), "pis.consent.rate-type");
        let kind = PaymentKind::DomesticStandingOrder;
        let reply = api.lodge(kind, &bodies::consent(kind, version, api.now())).await;
        reply.refused(400, by(version, "UK.OBIE.Unsupported.Frequency", "U025"), "pis.consent.frequency");
        let mut chaps = bodies::domestic(bodies::ELSEWHERE, "1.00");
        chaps["Data"]["Initiation"]["LocalInstrument"] = json!("UK.OBIE.CHAPS");
        let reply = api.lodge(PaymentKind::Domestic, &chaps).await;
        let code = by(version, "UK.OBIE.Unsupported.LocalInstrument", "U026");
        reply.refused(400, code, "pis.consent.local-instrument");
        // Wherever it is named.
        let kind = PaymentKind::File;
        for (instrument, status) in [("UK.OBIE.CHAPS", 400), ("UK.OBIE.FPS", 200)] {
            let file = super::files::with_local_instrument(instrument);
            let lodged = api.lodge(kind, &super::files::consent_of(&file)).await.is(201);
            let reply = api.upload(&lodged.consent_id(), &file, instrument).await;
            assert_eq!(reply.status, status, "{:#}", reply.body);
            if status == 400 {
                reply.refused(400, code, "pis.consent.local-instrument");
            }
        }
        let mut euros = bodies::domestic(bodies::ELSEWHERE, "1.00");
        euros["Data"]["Initiation"]["InstructedAmount"]["Currency"] = json!("EUR");
        let reply = api.lodge(PaymentKind::Domestic, &euros).await;
        reply.refused(400, by(version, "UK.OBIE.Unsupported.Currency", "U023"), "pis.consent.currency");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let limited = "rate-limit: { requests: 3, seconds: 60 }\npayments: {}";
    let world = World::with_bank(|profile| with_payments(profile, limited)).await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let path = "/domestic-payment-consents/none";
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(api.get(path, &api.own).await);
    }
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [400, 400, 400, 429]);
    let last = replies.pop().unwrap();
    let wait: i64 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(last.rule.as_deref(), Some("api.rate-limit"));
    let told =
        |reply: &super::Reply, name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    for (index, reply) in replies.iter().enumerate() {
        assert_eq!(told(reply, "ratelimit-policy").as_deref(), Some("\"default\";q=3;w=60"));
        let left = told(reply, "ratelimit").unwrap();
        assert!(left.starts_with(&format!("\"default\";r={};t=", 2 - index)), "{left}");
    }
    assert_eq!(told(&last, "ratelimit").unwrap(), format!("\"default\";r=0;t={wait}"));
    let mut api = api;
    api.pass(Duration::seconds(60)).await;
    assert_eq!(api.get(path, &api.own).await.status, 400, "and then it may ask again");
}

/// Every API of v4.0 tells what is left, v3.1 knows no such headers, and who does not count says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_clients_requests_is_told_where_the_version_has_it() {
    for (limit, counts) in [("rate-limit: { requests: 50, seconds: 60 }", true), ("", false)] {
        let world = World::with_bank(|profile| with_payments(profile, &format!("{limit}\npayments: {{}}"))).await;
        let api = Api::new(&world, ApiVersion::V4_0).await;
        for (path, counted) in [
            ("/open-banking/v4.0/aisp/account-access-consents/42", counts),
            ("/open-banking/v4.0/cbpii/funds-confirmation-consents/42", counts),
            ("/open-banking/v4.0/pisp/domestic-vrp-consents/42", counts),
            ("/open-banking/v3.1/aisp/account-access-consents/42", false),
            ("/open-banking/v3.1/pisp/domestic-payments/42", false),
        ] {
            let scope = if path.contains("pisp") {
                "pisp"
            } else if path.contains("aisp") {
                "aisp"
            } else {
                "cbpii"
            };
            let asked = json!({ "bank": world.hosted.bank.name, "api": scope, "reveal": true });
            let token = world.step("client-token", &asked).await["access-token"].as_str().unwrap().to_owned();
            let answer = world.http(super::Shows::Own).get(&world.bank(path)).bearer(&token).send().await.unwrap();
            assert_eq!(answer.status.as_u16(), 400, "{path}");
            let both = (answer.header("ratelimit-policy").is_some(), answer.header("ratelimit").is_some());
            assert_eq!(both, (counted, counted), "{path}");
            // Who is not known is not counted.
            let answer = world.http(super::Shows::Own).get(&world.bank(path)).bearer("stolen").send().await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.header("ratelimit")), (401, None), "{path}");
        }
        drop(api);
    }
}
