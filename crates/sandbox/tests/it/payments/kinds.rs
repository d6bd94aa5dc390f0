//! Every kind in both versions, from consent to settlement.

use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::json;
use time::Duration;

use super::{Api, bodies, by, each};
use crate::hand_made::World;

/// What a new order says of itself, and what it says when its money has moved.
fn statuses(kind: PaymentKind, version: ApiVersion) -> (&'static str, &'static str) {
    use PaymentKind as K;
    match kind {
        K::Domestic | K::International => {
            by(version, ("Pending", "AcceptedCreditSettlementCompleted"), ("RCVD", "ACCC"))
        }
        K::DomesticScheduled | K::InternationalScheduled => {
            by(version, ("InitiationPending", "InitiationCompleted"), ("RCVD", "ACCC"))
        }
        K::DomesticStandingOrder | K::InternationalStandingOrder => {
            by(version, ("InitiationPending", "InitiationCompleted"), ("RCVD", "INCO"))
        }
        K::File => by(version, ("InitiationPending", "InitiationCompleted"), ("PDNG", "INCO")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_goes_from_consent_to_settlement() {
    let world = World::new().await;
    let mut apis = Vec::new();
    for version in ApiVersion::ALL {
        apis.push(Api::new(&world, version).await);
    }
    let mut made = Vec::new();
    for (kind, version) in each().filter(|(kind, _)| *kind != PaymentKind::File) {
        let api = apis.iter().find(|api| api.version == version).unwrap();
        let body = bodies::consent(kind, version, api.now());
        let lodged = api.lodge(kind, &body).await.is(201);
        let consent = lodged.consent_id();
        let path = format!("/{}/{consent}", kind.consent_path());
        assert_eq!(lodged.body["Data"]["Status"], by(version, "AwaitingAuthorisation", "AWAU"), "{version} {kind:?}");
        assert_eq!(lodged.body["Data"]["Initiation"], body["Data"]["Initiation"]);
        assert_eq!(lodged.body["Risk"], body["Risk"]);
        assert!(lodged.text("/Links/Self").ends_with(&path), "{}", lodged.text("/Links/Self"));
        let token = api.authorise(&consent, "nora", "Everyday").await;
        let read = api.get(&path, &api.own).await.is(200);
        assert_eq!(read.body["Data"]["Status"], by(version, "Authorised", "AUTH"));
        assert_eq!(read.body["Data"]["Initiation"], body["Data"]["Initiation"]);
        if version == ApiVersion::V4_0 {
            assert_eq!(read.body["Data"]["Debtor"]["Name"], "Nora Brightwater", "the account that was picked");
        }
        let funds = api.get(&format!("{path}/funds-confirmation"), &token).await;
        if kind.has_funds_confirmation() {
            assert_eq!(funds.is(200).body["Data"]["FundsAvailableResult"]["FundsAvailable"], true);
        } else {
            assert_eq!(funds.status, 404, "{version} {kind:?}");
        }
        let order = api.order(kind, &bodies::order(&body, &consent), &token).await.is(201);
        assert_eq!(order.body["Data"]["Initiation"], body["Data"]["Initiation"]);
        assert_eq!(order.body["Data"]["ConsentId"], consent.as_str());
        assert_eq!(order.body["Data"]["Status"], statuses(kind, version).0, "{version} {kind:?}");
        let id = order.text(&format!("/Data/{}", kind.order_id_member()));
        assert!(order.text("/Links/Self").ends_with(&format!("/{}/{id}", kind.order_path())));
        assert_eq!(api.get(&path, &api.own).await.is(200).body["Data"]["Status"], by(version, "Consumed", "COND"));
        let details = api.get(&format!("/{}/{id}/payment-details", kind.order_path()), &api.own).await.is(200);
        assert_eq!(details.body["Data"]["PaymentStatus"].as_array().unwrap().len(), 1);
        made.push((kind, version, id));
    }
    for day in 0..8 {
        apis[0].pass(Duration::DAY).await;
        apis[1].own = apis[1].client_token().await;
        for (kind, version, id) in &made {
            let api = apis.iter().find(|api| api.version == *version).unwrap();
            let order = api.ordered(*kind, id).await;
            let details = api.get(&format!("/{}/{id}/payment-details", kind.order_path()), &api.own).await.is(200);
            if day == 7 {
                assert_eq!(order.body["Data"]["Status"], statuses(*kind, *version).1, "{version} {kind:?}");
                let paid = details.body["Data"]["PaymentStatus"].as_array().unwrap();
                let recurring = kind.timing() == openbanking::payments::Timing::Recurring;
                assert_eq!(paid.len(), if recurring { 3 } else { 1 }, "{version} {kind:?}");
                let wanted = by(*version, "AcceptedCreditSettlementCompleted", "ACCC");
                assert!(paid.iter().all(|one| one["Status"] == wanted), "{version} {kind:?} {paid:#?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schemas_know_comes_back_as_it_was_sent() {
    let world = World::new().await;
    for (kind, version) in each() {
        let api = Api::new(&world, version).await;
        let mut body = testkit_body(kind, version, &api);
        if kind.has_risk() {
            body["Data"]["ReadRefundAccount"] = json!("Yes");
        }
        let lodged = api.lodge(kind, &body).await.is(201);
        for member in ["Initiation", "SCASupportData", "Authorisation"] {
            assert_eq!(lodged.body["Data"][member], body["Data"][member], "{version} {kind:?}");
        }
        assert_eq!(lodged.body["Risk"], body["Risk"]);
    }
}

/// The sample with every member, its dates as far ahead of the bank's clock as they are of the end of 2026.
fn testkit_body(kind: PaymentKind, version: ApiVersion, api: &Api<'_>) -> serde_json::Value {
    let mut text = testkit::payments::consent(kind, version).to_string();
    for (sample, days) in [("2027-01-01", 30), ("2027-01-15", 45), ("2027-02-15", 75), ("2028-01-15", 400)] {
        text = text.replace(&format!("{sample}T00:00:00"), &bodies::day(api.now(), days)[..19]);
    }
    serde_json::from_str(&text).unwrap()
}
