//! What is refused, and by which rule: tokens, headers, paths, bodies, consents that do not fit the order.

use http::Method;
use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::json;
use time::Duration;

use super::{Api, Sent, bodies, by, each};
use crate::hand_made::{Shows, World};
use scenario::language::OtherTpp;

const KIND: PaymentKind = PaymentKind::Domestic;

/// Codes of both versions.
const NOT_FOUND: [&str; 2] = ["UK.OBIE.Resource.NotFound", "U011"];
const MISMATCH: [&str; 2] = ["UK.OBIE.Resource.ConsentMismatch", "U008"];
const STATUS: [&str; 2] = ["UK.OBIE.Resource.InvalidConsentStatus", "U009"];

#[tokio::test(flavor = "multi_thread")]
async fn tokens_paths_methods_and_media_types() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let consent_of = async |kind: PaymentKind| {
            let body = bodies::consent(kind, version, api.now());
            (api.authorised(kind, &body, "nora", "Everyday").await, body)
        };
        let ((lodged, token), body) = consent_of(KIND).await;
        let order = bodies::order(&body, &lodged.consent_id());
        let order_of = bodies::order(&body, &lodged.consent_id()).to_string().into_bytes();
        for kind in PaymentKind::ALL {
            let (consents, orders) = (format!("/{}", kind.consent_path()), format!("/{}", kind.order_path()));
            // The TPP's own token orders nothing, the customer's lodges and reads nothing.
            let reply = api.post(&orders, &order, api.with(&api.own)).await;
            assert_eq!((reply.status, reply.rule.as_deref()), (401, Some("fapi.access.token-kind")), "{kind:?}");
            for path in [format!("{consents}/42"), format!("{orders}/42"), format!("{orders}/42/payment-details")] {
                assert_eq!(api.get(&path, &token).await.status, 401, "{path}");
                assert_eq!(api.get(&path, "guessed").await.status, 401, "{path}");
                let unknown = api.get(&path, &api.own).await;
                let rule = if path.contains("consents") { "api.consent.known" } else { "pis.order.known" };
                unknown.refused(400, by(version, NOT_FOUND[0], NOT_FOUND[1]), rule);
                let strange = Sent { shows: Shows::Other, ..api.with(&api.own) };
                assert_eq!(
                    api.send(Method::GET, &path, None, strange).await.status,
                    401,
                    "{path}: another certificate"
                );
                let reply = api.send(Method::DELETE, &path, None, api.with(&api.own)).await;
                assert_eq!(reply.status, 405, "{path}");
            }
            assert_eq!(api.post(&consents, &body, api.with(&token)).await.status, 401);
            if kind.has_funds_confirmation() {
                let path = format!("{consents}/{}/funds-confirmation", lodged.consent_id());
                assert_eq!(api.get(&path, &api.own).await.status, 401, "{path}");
            }
            for path in ["/foobar".to_owned(), format!("{consents}/42/foobar"), format!("{orders}/42/foobar")] {
                assert_eq!(api.get(&path, &api.own).await.status, 404, "{path}");
            }
            assert_eq!(api.send(Method::GET, &orders, None, api.with(&api.own)).await.status, 405);
            assert_eq!(api.send(Method::PUT, &consents, Some(b"{}"), api.with(&api.own)).await.status, 405);
            for (method, path) in [(Method::POST, &consents), (Method::POST, &orders)] {
                let token = if path == &orders { &token } else { &api.own };
                for content_type in ["text/plain", "application/xml", "application/json; charset=latin1"] {
                    let sent = Sent { content_type, ..api.with(token) };
                    let reply = api.send(method.clone(), path, Some(&order_of), sent).await;
                    assert_eq!((reply.status, reply.rule.as_deref()), (415, Some("api.headers.content-type")));
                }
                let sent = Sent { headers: vec![("accept", "text/csv")], ..api.with(token) };
                assert_eq!(api.send(method.clone(), path, Some(&order_of), sent).await.status, 406);
                let sent = Sent { headers: vec![("x-fapi-customer-ip-address", "home")], ..api.with(token) };
                let reply = api.send(method, path, Some(&order_of), sent).await;
                reply.refused(
                    400,
                    by(version, "UK.OBIE.Header.Invalid", "U006"),
                    "api.headers.x-fapi-customer-ip-address",
                );
            }
        }
        // Malformed and oversized bodies.
        let consents = format!("/{}", KIND.consent_path());
        for (bytes, rule) in [
            (b"{".to_vec(), "pis.consent.body"),
            (b"[]".to_vec(), "pis.consent.body"),
            (b"".to_vec(), "pis.consent.body"),
            (b"\xff\xfe".to_vec(), "pis.consent.body"),
        ] {
            let reply = api.send(Method::POST, &consents, Some(&bytes), api.with(&api.own)).await;
            assert_eq!((reply.status, reply.rule.as_deref()), (400, Some(rule)), "{:?}", reply.body);
        }
        let long = format!("{{\"Data\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
        let url = world.bank(&format!("/open-banking/{version}/pisp{consents}"));
        let request = world.http(Shows::Own).post(&url).bearer(&api.own).body("application/json", long);
        assert_eq!(request.send().await.unwrap().status, 413);
        // A token for accounts opens no payments.
        let accounts = world.client_token().await;
        let reply = api.post(&consents, &body, api.with(&accounts)).await;
        assert!([401, 403].contains(&reply.status), "{}", reply.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_exactly_what_was_consented_to() {
    let world = World::new().await;
    for (kind, version) in each().filter(|(kind, _)| *kind != PaymentKind::File) {
        let api = Api::new(&world, version).await;
        let (mismatch, status) = (by(version, MISMATCH[0], MISMATCH[1]), by(version, STATUS[0], STATUS[1]));
        let body = bodies::consent(kind, version, api.now());
        let lodged = api.lodge(kind, &body).await.is(201);
        let consent = lodged.consent_id();
        let token = api.authorise(&consent, "nora", "Everyday").await;
        let order = bodies::order(&body, &consent);
        let initiation = "/Data/Initiation";
        let amount = if kind.timing() == openbanking::payments::Timing::Recurring && !kind.is_international() {
            "FirstPaymentAmount"
        } else {
            "InstructedAmount"
        };
        let name = json!("Somebody Else");
        for (what, change) in [
            ("amount", json!({ amount: { "Amount": "10.01", "Currency": "GBP" } })),
            ("the same amount written differently", json!({ amount: { "Amount": "10.0", "Currency": "GBP" } })),
            ("currency", json!({ amount: { "Amount": "10.00", "Currency": "EUR" } })),
            ("payee", json!({ "CreditorAccount": bodies::account("00009945678904", "Marrow and Finch Lettings") })),
            ("payer", json!({ "DebtorAccount": bodies::account("00009945678904", "Nora") })),
            ("another member", json!({ "SupplementaryData": { "Mood": name } })),
        ] {
            let mut altered = order.clone();
            altered["Data"]["Initiation"] = bodies::with(altered.pointer(initiation).unwrap().clone(), &change);
            let reply = api.order(kind, &altered, &token).await;
            assert_eq!(
                (reply.status, reply.error(), reply.rule.as_deref()),
                (400, mismatch, Some("pis.order.same-as-consent")),
                "{version} {kind:?} {what}: {:#}",
                reply.body
            );
        }
        let mut risky = order.clone();
        risky["Risk"] = json!({ "MerchantCategoryCode": "0000" });
        api.order(kind, &risky, &token).await.refused(400, mismatch, "pis.order.same-as-consent");
        let mut fewer = order.clone();
        fewer["Data"]["Initiation"].as_object_mut().unwrap().remove("CreditorAccount");
        let reply = api.order(kind, &fewer, &token).await;
        assert_eq!(reply.status, 400);
        let mut other = order.clone();
        other["Data"]["ConsentId"] = json!("another");
        api.order(kind, &other, &token).await.refused(400, mismatch, "pis.order.consent-id");
        let mut strange = order.clone();
        strange["Data"]["Mood"] = json!("good");
        let reply = api.order(kind, &strange, &token).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (400, Some("pis.order.body")));

        // Another kind of order, and the other version.
        let next = PaymentKind::ALL[(kind as usize + 1) % 6];
        let reply = api.order(next, &order, &token).await;
        assert_eq!(reply.status, 400, "{kind:?} as {next:?}");
        let of_next = bodies::order(&bodies::consent(next, version, api.now()), &consent);
        api.order(next, &of_next, &token).await.refused(400, mismatch, "pis.order.kind");
        let newer = ApiVersion::ALL.into_iter().find(|one| *one != version).unwrap();
        let other_api = Api::new(&world, newer).await;
        let of_newer = bodies::order(&bodies::consent(kind, newer, api.now()), &consent);
        other_api.order(kind, &of_newer, &token).await.refused(
            400,
            by(newer, MISMATCH[0], MISMATCH[1]),
            "pis.order.version",
        );
        let reply = other_api.get(&format!("/{}/{consent}", kind.consent_path()), &api.own).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (400, Some("api.consent.version")));

        // The consent is still good, once.
        let paid = api.order(kind, &order, &token).await.is(201);
        api.order(kind, &order, &token).await.refused(400, status, "pis.order.consent-authorised");
        if kind.has_funds_confirmation() {
            let path = format!("/{}/{consent}/funds-confirmation", kind.consent_path());
            api.get(&path, &token).await.refused(400, status, "pis.order.consent-authorised");
        }
        let id = paid.text(&format!("/Data/{}", kind.order_id_member()));
        let read = other_api.get(&format!("/{}/{id}", kind.order_path()), &api.own).await;
        read.refused(400, by(newer, NOT_FOUND[0], NOT_FOUND[1]), "pis.order.read-on-its-version");
        let read = api.get(&format!("/{}/{id}", next.order_path()), &api.own).await;
        read.refused(400, by(version, NOT_FOUND[0], NOT_FOUND[1]), "pis.order.known");
        let read = api.get(&format!("/{}/{consent}", next.consent_path()), &api.own).await;
        read.refused(400, by(version, NOT_FOUND[0], NOT_FOUND[1]), "api.consent.known");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_tpps_stays_its_own() {
    let world = World::on(|place| drop(place.tpps.insert("mallory".to_owned(), OtherTpp::default()))).await;
    let mallory = world.second("mallory").await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let body = bodies::consent(KIND, version, api.now());
        let (lodged, token) = api.authorised(KIND, &body, "nora", "Everyday").await;
        let order = api.order(KIND, &bodies::order(&body, &lodged.consent_id()), &token).await.is(201);
        let id = order.text("/Data/DomesticPaymentId");
        for (path, rule) in [
            (format!("/domestic-payment-consents/{}", lodged.consent_id()), "api.consent.own"),
            (format!("/domestic-payments/{id}"), "pis.order.own"),
            (format!("/domestic-payments/{id}/payment-details"), "pis.order.own"),
        ] {
            let call = json!({
                "bank": world.hosted.bank.name, "version": version, "api": "pisp", "token": "client", "path": path,
            });
            let answered = world.step_of(&mallory, "call", &call).await;
            assert_eq!(answered["status"], 403, "{path}: {answered:#}");
            assert_eq!(world.last_rule().await.as_deref(), Some(rule));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_and_frequencies() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        let mut api = Api::new(&world, version).await;
        let kind = PaymentKind::DomesticStandingOrder;
        let unsupported = by(version, "UK.OBIE.Unsupported.Frequency", "U025");
        let now = api.now();
        let body = bodies::consent(kind, version, now);
        let place =
            by(version, "/Data/Initiation/Frequency", "/Data/Initiation/MandateRelatedInformation/Frequency/Type");
        let mut strange = body.clone();
        *strange.pointer_mut(place).unwrap() = json!("foobar");
        api.lodge(kind, &strange).await.refused(400, unsupported, "pis.consent.body");
        if version == ApiVersion::V4_0 {
            let mut no_days = body.clone();
            *no_days.pointer_mut(place).unwrap() = json!("ADHO");
            api.lodge(kind, &no_days).await.refused(400, unsupported, "pis.consent.frequency");
        }
        let mut twice = body.clone();
        let dates = by(version, "/Data/Initiation", "/Data/Initiation/MandateRelatedInformation");
        twice.pointer_mut(dates).unwrap()["FinalPaymentDateTime"] = json!(bodies::day(now, 40));
        let reply = api.lodge(kind, &twice).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (400, Some("pis.consent.members")), "{:#}", reply.body);
        let mut past = body.clone();
        past.pointer_mut(dates).unwrap()["FirstPaymentDateTime"] = json!(bodies::day(now, -1));
        let invalid_date = by(version, "UK.OBIE.Field.InvalidDate", "U003");
        api.lodge(kind, &past).await.refused(400, invalid_date, "pis.consent.dates");

        // The frequency is wrong in the order only: the consent stays good for the right one.
        let (lodged, token) = api.authorised(kind, &body, "nora", "Everyday").await;
        let order = bodies::order(&body, &lodged.consent_id());
        let mut wrong = order.clone();
        *wrong.pointer_mut(place).unwrap() = json!("foobar");
        api.order(kind, &wrong, &token).await.refused(400, unsupported, "pis.order.body");
        api.order(kind, &order, &token).await.is(201);

        // A day that lay ahead when the consent was lodged, and does not any more.
        let kind = PaymentKind::DomesticScheduled;
        let now = api.now();
        for (days, offset) in [(1, "Z"), (1, "+00:00")] {
            let mut body = bodies::consent(kind, version, now);
            let day = format!("{}{offset}", bodies::day(now, days).trim_end_matches('Z'));
            body["Data"]["Initiation"]["RequestedExecutionDateTime"] = json!(day);
            api.lodge(kind, &body).await.is(201);
        }
        let mut today = bodies::consent(kind, version, now);
        today["Data"]["Initiation"]["RequestedExecutionDateTime"] = json!(bodies::day(now, 0));
        api.lodge(kind, &today).await.refused(400, invalid_date, "pis.consent.dates");
        let body = bodies::consent(kind, version, now);
        let (lodged, _) = api.authorised(kind, &body, "nora", "Everyday").await;
        api.pass(Duration::days(4)).await;
        let token = api.refreshed(&lodged.consent_id()).await;
        let reply = api.order(kind, &bodies::order(&body, &lodged.consent_id()), &token).await;
        reply.refused(400, invalid_date, "pis.order.dates");
    }
}

/// A day is meant as it is written; where the bank's own day is another one already, nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_told_with_any_offset() {
    let world = World::new().await;
    let version = ApiVersion::V4_0;
    let mut api = Api::new(&world, version).await;
    let kind = PaymentKind::DomesticStandingOrder;
    // Two in the morning, when it is yesterday in New York.
    let midnight = api.now().date().next_day().unwrap().midnight().assume_utc();
    api.pass(midnight + Duration::hours(2) - api.now()).await;
    let written = |at: time::OffsetDateTime, hours: i8| {
        let offset = time::UtcOffset::from_hms(hours, 0, 0).unwrap();
        at.to_offset(offset).format(&time::format_description::well_known::Rfc3339).unwrap()
    };
    let dated = |first: String, last: Option<String>| {
        let mut body = bodies::consent(kind, version, midnight);
        let dates = body.pointer_mut("/Data/Initiation/MandateRelatedInformation").unwrap();
        dates["FirstPaymentDateTime"] = json!(first);
        dates["Frequency"].as_object_mut().unwrap().remove("CountPerPeriod");
        if let Some(last) = last {
            dates["FinalPaymentDateTime"] = json!(last);
            body["Data"]["Initiation"].as_object_mut().unwrap().remove("NumberOfPayments");
        }
        body
    };
    let body = dated(written(api.now(), -5), None);
    let (lodged, token) = api.authorised(kind, &body, "nora", "Everyday").await;
    api.order(kind, &bodies::order(&body, &lodged.consent_id()), &token).await.is(201);
    let first = midnight + Duration::days(10);
    // Later by the moment, and a day earlier as it is written.
    let reply = api.lodge(kind, &dated(written(first - Duration::hours(1), 5), Some(written(first, -5)))).await;
    reply.refused(400, "U003", "pis.consent.dates");
    api.lodge(kind, &dated(written(first, 0), Some(written(first, 0)))).await.is(201);
    // Without a first date the frequency tells it: the fifteenth, which the final payment is not before.
    let until = |last: time::OffsetDateTime| {
        let mut body = dated(String::new(), Some(written(last, 0)));
        let dates = body.pointer_mut("/Data/Initiation/MandateRelatedInformation").unwrap();
        dates.as_object_mut().unwrap().remove("FirstPaymentDateTime");
        dates["Frequency"] = json!({ "Type": "MNTH", "PointInTime": format!("{:02}", midnight.day()) });
        body
    };
    let reply = api.lodge(kind, &until(midnight + Duration::days(3))).await;
    reply.refused(400, "U003", "pis.consent.dates");
    let path = "Data.Initiation.MandateRelatedInformation.FinalPaymentDateTime";
    assert_eq!(reply.body["Errors"][0]["Path"], path);
    api.lodge(kind, &until(midnight + Duration::days(62))).await.is(201);
}

/// What would end in a failure later is refused where it is said: another currency in a standing order, a day that there is
/// not, moments that cannot be told, and authorisation that had to be complete before now.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_carried_out_is_refused_at_the_consent() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        let api = Api::new(&world, version).await;
        let (invalid, invalid_date) =
            by(version, ("UK.OBIE.Field.Invalid", "UK.OBIE.Field.InvalidDate"), ("U002", "U003"));
        let standing = bodies::consent(PaymentKind::DomesticStandingOrder, version, api.now());
        for (amount, path) in [("RecurringPaymentAmount", "Data.Initiation.RecurringPaymentAmount.Currency")] {
            let mut mixed = standing.clone();
            mixed["Data"]["Initiation"][amount] = json!({ "Amount": "7.00", "Currency": "EUR" });
            let reply = api.lodge(PaymentKind::DomesticStandingOrder, &mixed).await;
            reply.refused(400, invalid, "pis.consent.members");
            assert_eq!(reply.body["Errors"][0]["Path"], path);
        }
        let mut abroad = standing.clone();
        let first = by(version, "/Data/Initiation/FirstPaymentAmount", "/Data/Initiation/FirstPaymentAmount");
        abroad.pointer_mut(first).unwrap()["Currency"] = json!("EUR");
        let reply = api.lodge(PaymentKind::DomesticStandingOrder, &abroad).await;
        assert_eq!(reply.rule.as_deref(), Some("pis.consent.currency"), "{:#}", reply.body);
        assert_eq!(reply.body["Errors"][0]["Path"], "Data.Initiation.FirstPaymentAmount.Currency");
        if version == ApiVersion::V4_0 {
            let place = "/Data/Initiation/MandateRelatedInformation/Frequency";
            for (code, point, status) in [
                ("MNTH", "32", 400),
                ("MNTH", "ab", 400),
                ("MNTH", "+5", 400),
                ("MNTH", "00", 201),
                ("MNTH", "31", 201),
                ("FRTN", "08", 400),
                ("FRTN", "07", 201),
                ("FOWK", "31", 400),
                ("WEEK", "08", 400),
            ] {
                let mut pointed = standing.clone();
                pointed.pointer_mut(place).unwrap()["Type"] = json!(code);
                pointed.pointer_mut(place).unwrap()["PointInTime"] = json!(point);
                pointed.pointer_mut(place).unwrap().as_object_mut().unwrap().remove("CountPerPeriod");
                api.lodge(PaymentKind::DomesticStandingOrder, &pointed).await.is(status);
            }
        }
        let kind = PaymentKind::InternationalScheduled;
        let abroad = bodies::consent(kind, version, api.now());
        let on = |day: &str| {
            let mut body = abroad.clone();
            body["Data"]["Initiation"]["RequestedExecutionDateTime"] = json!(day);
            body
        };
        api.lodge(kind, &on("9999-12-31T23:59:59Z")).await.is(201);
        for day in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00Z", "2090-01-01T00:00:00,5Z"] {
            let reply = api.lodge(kind, &on(day)).await;
            assert_eq!(reply.status, 400, "{day}: {:#}", reply.body);
        }
        let mut late = bodies::consent(KIND, version, api.now());
        late["Data"]["Authorisation"] =
            json!({ "AuthorisationType": "Any", "CompletionDateTime": bodies::day(api.now(), -1) });
        let reply = api.lodge(KIND, &late).await;
        reply.refused(400, invalid_date, "pis.consent.dates");
        assert_eq!(reply.body["Errors"][0]["Path"], "Data.Authorisation.CompletionDateTime");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_was_not_authorised_pays_nothing() {
    let world = World::new().await;
    let api = Api::new(&world, ApiVersion::V4_0).await;
    let body = bodies::consent(KIND, ApiVersion::V4_0, api.now());
    // A token for another consent.
    let (_, token) = api.authorised(KIND, &body, "nora", "Everyday").await;
    let lodged = api.lodge(KIND, &body).await.is(201);
    let reply = api.order(KIND, &bodies::order(&body, &lodged.consent_id()), &token).await;
    reply.refused(400, "U008", "pis.order.consent-id");
    // The customer cancels.
    api.decide(&lodged.consent_id(), "nora", psu::Intention::CancelAtAccounts).await;
    let path = format!("/domestic-payment-consents/{}", lodged.consent_id());
    assert_eq!(api.get(&path, &api.own).await.is(200).body["Data"]["Status"], "RJCT");
}

/// Whichever rule is off, bad requests are answered, and never with a failure of the bank's own.
#[tokio::test(flavor = "multi_thread")]
async fn no_rule_that_is_off_makes_the_bank_fail() {
    let world = World::in_lesson().await;
    let version = ApiVersion::V4_0;
    let api = Api::new(&world, version).await;
    let body = bodies::consent(KIND, version, api.now());
    let (used, customer) = api.authorised(KIND, &body, "nora", "Everyday").await;
    let order = bodies::order(&body, &used.consent_id());
    let paid = api.order(KIND, &order, &customer).await.is(201).text("/Data/DomesticPaymentId");
    let file = bodies::of(
        PaymentKind::File,
        &json!({ "FileType": "UK.OBIE.PaymentInitiation.4.0", "FileHash": "m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ=" }),
    );
    let file = api.lodge(PaymentKind::File, &file).await.is(201).consent_id();
    let mut yen = bodies::consent(PaymentKind::International, version, api.now());
    yen["Data"]["Initiation"]["CurrencyOfTransfer"] = json!("JPY");
    let mut sometimes = bodies::consent(PaymentKind::DomesticStandingOrder, version, api.now());
    sometimes["Data"]["Initiation"]["MandateRelatedInformation"]["Frequency"]["Type"] = json!("ADHO");
    let mut dear = order.clone();
    dear["Data"]["Initiation"]["InstructedAmount"]["Currency"] = json!("JPY");
    let rules: Vec<_> = aspsp::catalogue()
        .into_iter()
        .filter(|rule| ["pis.", "api.", "fapi.access."].iter().any(|area| rule.id.starts_with(area)))
        .collect();
    assert!(rules.len() > 60, "{}", rules.len());
    for rule in rules {
        world.without(&[rule.id]).await;
        for token in [&api.own, &customer] {
            for (path, body) in [
                ("/domestic-payments", &order),
                ("/domestic-payments", &dear),
                ("/domestic-scheduled-payments", &order),
                ("/file-payments", &order),
                ("/domestic-payment-consents", &order),
                ("/international-payment-consents", &yen),
                ("/domestic-standing-order-consents", &sometimes),
            ] {
                api.plain(Method::POST, path, token, Some(body)).await;
            }
            for path in [
                format!("/domestic-payments/{paid}"),
                format!("/international-payments/{paid}"),
                format!("/domestic-payment-consents/{}/funds-confirmation", used.consent_id()),
                format!("/international-payment-consents/{}/funds-confirmation", used.consent_id()),
                format!("/file-payment-consents/{file}/file"),
                format!("/file-payment-consents/{}/file", used.consent_id()),
                format!("/file-payments/{paid}/report-file"),
                "/domestic-payments/none/payment-details".to_owned(),
                "/domestic-payment-consents/none".to_owned(),
            ] {
                api.plain(Method::GET, &path, token, None).await;
            }
        }
    }
    // A frequency without days and a currency without a rate, as far as to the order.
    for (kind, body, rule) in [
        (PaymentKind::International, &yen, "pis.consent.currency-of-transfer"),
        (PaymentKind::DomesticStandingOrder, &sometimes, "pis.consent.frequency"),
    ] {
        world.without(&[rule]).await;
        let (lodged, token) = api.authorised(kind, body, "nora", "Everyday").await;
        let reply = api.order(kind, &bodies::order(body, &lodged.consent_id()), &token).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (400, Some(rule)));
    }
}

impl Api<'_> {
    /// Sends a request, and looks at nothing but whether the bank failed.
    async fn plain(&self, method: Method, path: &str, token: &str, body: Option<&serde_json::Value>) {
        let url = self.world.bank(&format!("/open-banking/{}/pisp{path}", self.version));
        let mut request = self.world.http(Shows::Own).request(method, &url).bearer(token);
        if let Some(body) = body {
            let bytes = body.to_string().into_bytes();
            let signature = self.sign(&bytes, "application/json");
            let key = self.world.chance.identifier(32);
            request = request.header("x-jws-signature", &signature).header("x-idempotency-key", &key);
            request = request.body("application/json", bytes);
        }
        assert_ne!(request.send().await.unwrap().status, 500, "{path}");
    }
}
