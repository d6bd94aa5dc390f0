//! Idempotency keys: the same request twice makes one resource, whatever happens in between.

use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::json;
use time::Duration;

use super::{Api, Sent, bodies, by};
use crate::hand_made::World;

const KIND: PaymentKind = PaymentKind::Domestic;

fn keyed<'a>(api: &Api<'_>, token: &'a str, key: &str) -> Sent<'a> {
    Sent { key: Some(key.to_owned()), ..api.with(token) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_makes_nothing_new() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        let body = bodies::consent(KIND, version, api.now());
        let consents = format!("/{}", KIND.consent_path());
        let orders = format!("/{}", KIND.order_path());
        let first = api.post(&consents, &body, keyed(&api, &api.own, "key-1")).await.is(201);
        let again = api.post(&consents, &body, keyed(&api, &api.own, "key-1")).await.is(201);
        assert_eq!(again.body, first.body);
        let other = api.post(&consents, &body, keyed(&api, &api.own, "key-2")).await.is(201);
        assert_ne!(other.consent_id(), first.consent_id());

        let (status, invalid) = by(version, (400, "UK.OBIE.Header.Invalid"), (422, "U006"));
        let mut changed = body.clone();
        changed["Data"]["Initiation"]["InstructedAmount"]["Amount"] = json!("10.01");
        let reply = api.post(&consents, &changed, keyed(&api, &api.own, "key-1")).await;
        reply.refused(status, invalid, "api.idempotency.same-body");
        let reply = api.post(&consents, &body, Sent { key: None, ..api.with(&api.own) }).await;
        reply.refused(400, by(version, "UK.OBIE.Header.Missing", "U007"), "api.idempotency.key-present");
        for wrong in ["", &"k".repeat(41)] {
            let reply = api.post(&consents, &body, keyed(&api, &api.own, wrong)).await;
            reply.refused(400, by(version, "UK.OBIE.Header.Invalid", "U006"), "api.idempotency.key-form");
        }
        api.post(&consents, &body, keyed(&api, &api.own, &"k".repeat(40))).await.is(201);

        // The same key names something else on another path.
        let token = api.authorise(&first.consent_id(), "nora", "Everyday").await;
        let order = bodies::order(&body, &first.consent_id());
        let paid = api.post(&orders, &order, keyed(&api, &token, "key-1")).await.is(201);
        api.pass(Duration::hours(1)).await;
        let again = api.post(&orders, &order, keyed(&api, &token, "key-1")).await;
        // An access token does not live that long, the key does.
        assert_eq!(again.status, if again.rule.is_some() { 401 } else { 201 });
        if again.status == 201 {
            assert_eq!(again.text("/Data/DomesticPaymentId"), paid.text("/Data/DomesticPaymentId"));
        }

        // After 24 hours the key is forgotten.
        api.pass(Duration::hours(24)).await;
        let later = bodies::consent(KIND, version, api.now());
        let anew = api.post(&consents, &later, keyed(&api, &api.own, "key-1")).await.is(201);
        assert_ne!(anew.consent_id(), first.consent_id());
        // And remembered for the new one.
        let again = api.post(&consents, &later, keyed(&api, &api.own, "key-1")).await.is(201);
        assert_eq!(again.consent_id(), anew.consent_id());
    }
}

/// What a client sent and the bank's refusal do not use a key up.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_key_free() {
    let world = World::new().await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let body = bodies::consent(KIND, ApiVersion::V4_0, api.now());
    let (lodged, token) = api.authorised(KIND, &body, "nora", "Everyday").await;
    let orders = format!("/{}", KIND.order_path());
    let mut altered = bodies::order(&body, &lodged.consent_id());
    altered["Data"]["Initiation"]["InstructedAmount"]["Amount"] = json!("99.00");
    let reply = api.post(&orders, &altered, keyed(&api, &token, "once")).await;
    reply.refused(400, "U008", "pis.order.same-as-consent");
    let order = bodies::order(&body, &lodged.consent_id());
    api.post(&orders, &order, keyed(&api, &token, "once")).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_make_one_payment() {
    let world = World::new().await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let orders = format!("/{}", KIND.order_path());
    let consents = format!("/{}", KIND.consent_path());
    for round in 0..3 {
        let body = bodies::consent(KIND, ApiVersion::V4_0, api.now());
        let lodge = || api.post(&consents, &body, keyed(&api, &api.own, &format!("lodge-{round}")));
        let lodged = futures(vec![lodge(), lodge(), lodge(), lodge(), lodge(), lodge()]).await;
        let ids: std::collections::BTreeSet<_> = lodged.into_iter().map(|reply| reply.is(201).consent_id()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let id = ids.first().unwrap();
        let token = api.authorise(id, "nora", "Everyday").await;
        let order = bodies::order(&body, id);

        // The same key: all are shown the one payment.
        let pay = || api.post(&orders, &order, keyed(&api, &token, &format!("pay-{round}")));
        let paid = futures(vec![pay(), pay(), pay(), pay(), pay(), pay()]).await;
        let ids: std::collections::BTreeSet<_> =
            paid.into_iter().map(|reply| reply.is(201).text("/Data/DomesticPaymentId")).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    // Different keys: one pays, the others find the consent used.
    let body = bodies::consent(KIND, ApiVersion::V4_0, api.now());
    let (lodged, token) = api.authorised(KIND, &body, "nora", "Everyday").await;
    let order = bodies::order(&body, &lodged.consent_id());
    let pay = || api.order(KIND, &order, &token);
    let replies = futures(vec![pay(), pay(), pay(), pay(), pay(), pay()]).await;
    let (paid, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
    assert_eq!(paid.len(), 1);
    for reply in refused {
        reply.refused(400, "U009", "pis.order.consent-authorised");
    }
}

/// Runs all of them at once.
async fn futures<T>(all: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (place, result) in waiting.iter_mut().zip(&mut done) {
            if let Some(future) = place
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                (*result, *place) = (Some(value), None);
            }
        }
        if waiting.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

/// Payments under one consent that come at once are judged one after the other: together they stay within the limit.
#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_when_payments_come_at_once() {
    let world = World::new().await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let bank = &world.hosted.bank.name;
    let creditor = bodies::account(bodies::ELSEWHERE, "Nora Brightwater");
    let initiation = json!({ "CreditorAccount": creditor, "RemittanceInformation": { "Unstructured": ["SWEEP"] } });
    let limit = json!({ "PeriodType": "Week", "PeriodAlignment": "Consent", "Amount": "70.00", "Currency": "GBP" });
    let parameters = json!({
        "PSUAuthenticationMethods": ["UK.OBIE.SCANotRequired"], "PSUInteractionTypes": ["OffSession"],
        "VRPType": ["UK.OBIE.VRPType.Sweeping"], "ValidToDateTime": bodies::day(api.now(), 90),
        "MaximumIndividualAmount": bodies::money("40.00", "GBP"), "PeriodicLimits": [limit],
    });
    let body = json!({ "Data": { "ControlParameters": parameters, "Initiation": initiation }, "Risk": {} });
    let lodge = json!({ "bank": bank, "version": "v4.0", "kind": "domestic-vrp-consents", "body": body });
    let lodged = world.step("lodge-consent", &lodge).await;
    let consent = lodged["consent-id"].as_str().unwrap();
    api.authorise(consent, "nora", "Everyday").await;
    let pay = async |number: usize| {
        let instruction = json!({
            "InstructionIdentification": format!("SWEEP-{number}"), "EndToEndIdentification": "SWEEP",
            "InstructedAmount": bodies::money("30.00", "GBP"), "CreditorAccount": creditor,
            "RemittanceInformation": { "Unstructured": ["SWEEP"] },
        });
        let data = json!({
            "ConsentId": consent, "PSUAuthenticationMethod": "UK.OBIE.SCANotRequired", "PSUInteractionType": "OffSession",
            "VRPType": "UK.OBIE.VRPType.Sweeping", "Initiation": initiation, "Instruction": instruction,
        });
        let call = json!({
            "bank": bank, "version": "v4.0", "consent-id": consent, "method": "POST", "path": "/domestic-vrps",
            "body": { "json": { "Data": data, "Risk": {} } },
        });
        let answered = world.step("call", &call).await;
        let code = answered["body"]["Errors"][0]["ErrorCode"].clone();
        (answered["status"].as_u64().unwrap(), code, answered["body"]["Data"]["Status"].clone())
    };
    let replies = futures((0..6).map(pay).collect()).await;
    let (paid, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|(status, ..)| *status == 201);
    assert_eq!((paid.len(), refused.len()), (2, 4), "{replies:?}");
    assert!(paid.iter().all(|(_, _, status)| status != "RJCT"), "{replies:?}");
    assert!(refused.iter().all(|(status, code, _)| *status == 400 && code == "U014"), "{replies:?}");
}
