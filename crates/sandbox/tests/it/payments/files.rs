//! File payments: all three types in both versions, uploaded, given back, ordered, reported on; and what a file must not be.

use http::Method;
use openbanking::{payments::PaymentKind, version::ApiVersion};
use serde_json::{Value, json};
use time::Duration;

use super::{Api, Sent, bodies, by};
use crate::hand_made::World;

const KIND: PaymentKind = PaymentKind::File;

/// A file: its type, its media type, its text, how many payments are in it and what they add up to.
pub(super) struct File {
    kind: &'static str,
    media_type: &'static str,
    text: String,
    number: &'static str,
    sum: f64,
}

fn json_file(kind: &'static str) -> File {
    let payment = |id: &str, to: &str, amount: &str| {
        let mut payment = bodies::domestic(to, amount)["Data"]["Initiation"].clone();
        payment["InstructionIdentification"] = json!(id);
        payment["EndToEndIdentification"] = json!(format!("E-{id}"));
        payment
    };
    let payments = [payment("1", bodies::ELSEWHERE, "11.10"), payment("2", "00009945678904", "900000.00")];
    let text = json!({ "Data": { "DomesticPayments": payments } }).to_string();
    File { kind, media_type: "application/json", text, number: "2", sum: 900_011.10 }
}

/// The account that a file names as the one that pays.
const NAMED: &str = "80200112344562";

fn pain() -> File {
    let transaction = |id: &str, account: &str, amount: &str| {
        format!(
            r#"<CdtTrfTxInf><PmtId><InstrId>{id}</InstrId><EndToEndId>E-{id}</EndToEndId></PmtId>
<Amt><InstdAmt Ccy="GBP">{amount}</InstdAmt></Amt><Cdtr><Nm>Payee {id}</Nm></Cdtr>
<CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"#
        )
    };
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.08"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-09-28T14:07:00</CreDtTm><NbOfTxs>2</NbOfTxs><CtrlSum>900011.10</CtrlSum></GrpHdr>
<PmtInf><PmtInfId>B</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>2026-01-02</Dt></ReqdExctnDt>
<DbtrAcct><Id><Othr><Id>{NAMED}</Id></Othr></Id></DbtrAcct>
{}{}</PmtInf></CstmrCdtTrfInitn></Document>"#,
        transaction("1", bodies::ELSEWHERE, "11.10"),
        transaction("2", "00009945678904", "900000.00"),
    );
    File { kind: "UK.OBIE.pain.001.001.08", media_type: "text/xml", text, number: "2", sum: 900_011.10 }
}

/// Three payments of a pound each, by this way.
pub(super) fn with_local_instrument(instrument: &str) -> File {
    let payment = |id: usize| {
        let mut one = bodies::domestic(bodies::ELSEWHERE, "1.00")["Data"]["Initiation"].clone();
        one["InstructionIdentification"] = json!(format!("I-{id}"));
        one["LocalInstrument"] = json!(instrument);
        one
    };
    let text = json!({ "Data": { "DomesticPayments": [payment(1), payment(2), payment(3)] } }).to_string();
    File { kind: "UK.OBIE.PaymentInitiation.4.0", media_type: "application/json", text, number: "3", sum: 3.0 }
}

pub(super) fn consent_of(file: &File) -> Value {
    use openssl::{base64::encode_block, sha::sha256};
    bodies::of(
        KIND,
        &json!({
            "FileType": file.kind, "FileHash": encode_block(&sha256(file.text.as_bytes())), "FileReference": "PAYROLL",
            "NumberOfTransactions": file.number, "ControlSum": file.sum,
        }),
    )
}

/// The path of the file of a consent.
fn place(consent: &str) -> String {
    format!("/file-payment-consents/{consent}/file")
}

impl Api<'_> {
    pub(super) async fn upload(&self, consent: &str, file: &File, key: &str) -> super::Reply {
        let sent = Sent { content_type: file.media_type, key: Some(key.to_owned()), ..self.with(&self.own) };
        self.send(Method::POST, &place(consent), Some(file.text.as_bytes()), sent).await
    }

    async fn fetch(&self, path: &str, accept: &str) -> super::Reply {
        self.send(Method::GET, path, None, Sent { headers: vec![("accept", accept)], ..self.with(&self.own) }).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_type_are_paid_and_reported() {
    let world = World::new().await;
    for version in ApiVersion::ALL {
        for file in [json_file("UK.OBIE.PaymentInitiation.3.1"), json_file("UK.OBIE.PaymentInitiation.4.0"), pain()] {
            let mut api = Api::new(&world, version).await;
            let body = consent_of(&file);
            let lodged = api.lodge(KIND, &body).await.is(201);
            let consent = lodged.consent_id();
            assert_eq!(lodged.body["Data"]["Status"], by(version, "AwaitingUpload", "AWUP"));
            let none = api.fetch(&place(&consent), "*/*").await;
            none.refused(400, by(version, "UK.OBIE.Resource.NotFound", "U011"), "pis.file.uploaded");
            let uploaded = api.upload(&consent, &file, "upload-1").await.is(200);
            assert!(uploaded.bytes.is_empty());
            // The same again is no second file; another one does not take its place.
            api.upload(&consent, &file, "upload-1").await.is(200);
            let status = by(version, "UK.OBIE.Resource.InvalidConsentStatus", "U009");
            api.upload(&consent, &file, "upload-2").await.refused(400, status, "pis.file.awaited");
            let fetched = api.fetch(&place(&consent), file.media_type).await.is(200);
            assert_eq!(fetched.bytes, file.text.as_bytes());
            assert_eq!(fetched.headers["content-type"], file.media_type);
            let refused = api.fetch(&place(&consent), "application/pdf").await;
            assert_eq!((refused.status, refused.rule.as_deref()), (406, Some("pis.file.accept")));

            let token = api.authorise(&consent, "rosalind", "Studio").await;
            let order = api.order(KIND, &bodies::order(&body, &consent), &token).await.is(201);
            let id = order.text("/Data/FilePaymentId");
            api.pass(Duration::seconds(30)).await;
            let read = api.ordered(KIND, &id).await;
            assert_eq!(read.body["Data"]["Status"], by(version, "InitiationCompleted", "INCO"), "{:#}", read.body);
            let details = api.get(&format!("/file-payments/{id}/payment-details"), &api.own).await.is(200);
            let all = details.body["Data"]["PaymentStatus"].as_array().unwrap();
            let found: Vec<&Value> = all.iter().map(|one| &one["Status"]).collect();
            let (paid, rejected) = by(version, ("AcceptedCreditSettlementCompleted", "Rejected"), ("ACCC", "RJCT"));
            assert_eq!(found, [paid, rejected]);
            let report = format!("/file-payments/{id}/report-file");
            let csv = api.fetch(&report, "text/csv").await.is(200);
            let text = String::from_utf8(csv.bytes).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 3, "{text}");
            assert!(lines[1].contains("\"E-1\"") && lines[1].contains(paid), "{text}");
            assert!(lines[2].contains("\"E-2\"") && lines[2].contains("insufficient funds"), "{text}");
            assert_eq!(api.fetch(&report, "application/json").await.status, 406);
            api.fetch("/file-payments/42/report-file", "text/csv").await.refused(
                400,
                by(version, "UK.OBIE.Resource.NotFound", "U011"),
                "pis.order.known",
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_the_one_that_was_announced() {
    let world = World::new().await;
    let version = ApiVersion::V4_0;
    let api = Api::new(&world, version).await;
    let file = json_file("UK.OBIE.PaymentInitiation.4.0");
    let lodged = async |change: &dyn Fn(&mut Value)| {
        let mut body = consent_of(&file);
        change(&mut body["Data"]["Initiation"]);
        api.lodge(KIND, &body).await.is(201).consent_id()
    };
    for change in [
        &(|initiation: &mut Value| initiation["FileHash"] = json!("m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ="))
            as &dyn Fn(&mut Value),
        &|initiation| initiation["NumberOfTransactions"] = json!("3"),
        &|initiation| initiation["ControlSum"] = json!(900_011.11),
        &|initiation| initiation["FileType"] = json!("UK.OBIE.pain.001.001.08"),
    ] {
        let consent = lodged(change).await;
        let sent = Sent { content_type: file.media_type, ..api.with(&api.own) };
        let reply = api.send(Method::POST, &place(&consent), Some(file.text.as_bytes()), sent).await;
        assert!(matches!(reply.status, 400 | 415), "{}", reply.status);
        let rule = reply.rule.as_deref().unwrap();
        assert!(["pis.file.content", "pis.file.media-type"].contains(&rule), "{rule}");
        let read = api.get(&format!("/file-payment-consents/{consent}"), &api.own).await.is(200);
        assert_eq!(read.body["Data"]["Status"], "AWUP", "it still waits for its file");
    }
    let consent = lodged(&|_| ()).await;
    for media_type in ["text/plain", "application/xml", "application/pdf"] {
        let sent = Sent { content_type: media_type, ..api.with(&api.own) };
        let reply = api.send(Method::POST, &place(&consent), Some(file.text.as_bytes()), sent).await;
        assert_eq!((reply.status, reply.rule.as_deref()), (415, Some("pis.file.media-type")), "{media_type}");
    }
    let two = file.text.replacen("GBP", "EUR", 1);
    let mixed = File { text: two, ..json_file("UK.OBIE.PaymentInitiation.4.0") };
    let other = api.lodge(KIND, &consent_of(&mixed)).await.is(201).consent_id();
    api.upload(&other, &mixed, "mixed").await.refused(400, "U023", "pis.file.content");
    // A file that pays from another account than the consent's, or from two.
    let payer = |number: &str| json!({ "SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": number });
    let pain = pain();
    for (named, status) in [(NAMED, 200), ("00002600000001", 400)] {
        let mut body = consent_of(&pain);
        body["Data"]["Initiation"]["DebtorAccount"] = payer(named);
        let consent = api.lodge(KIND, &body).await.is(201).consent_id();
        let reply = api.upload(&consent, &pain, "named").await;
        assert_eq!(reply.status, status, "{:#}", reply.body);
        assert_eq!(reply.rule.as_deref().filter(|_| status == 400), Some("pis.file.content").filter(|_| status == 400));
    }
    let (head, tail) = file.text.split_once("\"InstructedAmount\"").unwrap();
    let member = |number: &str| format!("\"DebtorAccount\":{},\"InstructedAmount\"", payer(number));
    let tail = tail.replacen("\"InstructedAmount\"", &member("00002600000001"), 1);
    let two = File { text: format!("{head}{}{tail}", member(NAMED)), ..json_file("UK.OBIE.PaymentInitiation.4.0") };
    let other = api.lodge(KIND, &consent_of(&two)).await.is(201).consent_id();
    api.upload(&other, &two, "two").await.refused(400, "U002", "pis.file.content");
    // Unsigned, and signed over another file.
    let sent = Sent { signed: false, ..api.with(&api.own) };
    let reply = api.send(Method::POST, &place(&consent), Some(file.text.as_bytes()), sent).await;
    reply.refused(400, "U019", "api.signature.present");
    let signature = Some(api.sign(b"{}", file.media_type));
    let sent = Sent { signature, ..api.with(&api.own) };
    let reply = api.send(Method::POST, &place(&consent), Some(file.text.as_bytes()), sent).await;
    reply.refused(400, "U015", "api.signature.verified");
    let unknown = api.upload("42", &file, "x").await;
    unknown.refused(400, "U011", "api.consent.known");
    // Without its file the consent cannot be authorised.
    let asked = json!({ "bank": world.hosted.bank.name, "consent-id": consent, "api": "pisp" });
    let link = world.step("authorise", &asked).await;
    let answer = world.browser().get(&link["url"].as_str().unwrap().parse().unwrap()).send().await.unwrap();
    let shown = String::from_utf8_lossy(&answer.body).into_owned();
    let header = answer.header("location").unwrap_or_default().to_owned();
    assert!(shown.contains("error") || header.contains("error="), "{shown}");
    // A long file is as good as a short one, up to the limit.
    let long = format!("{}{}", " ".repeat(1_500_000), file.text);
    let long = File { text: long, ..json_file("UK.OBIE.PaymentInitiation.4.0") };
    let consent = api.lodge(KIND, &consent_of(&long)).await.is(201).consent_id();
    api.upload(&consent, &long, "long").await.is(200);
}

/// The file's own date counts for payments that have none.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_waits_for_its_day() {
    let world = World::new().await;
    let mut api = Api::new(&world, ApiVersion::V4_0).await;
    let file = json_file("UK.OBIE.PaymentInitiation.4.0");
    let mut body = consent_of(&file);
    body["Data"]["Initiation"]["RequestedExecutionDateTime"] = json!(bodies::day(api.now(), 3));
    let consent = api.lodge(KIND, &body).await.is(201).consent_id();
    api.upload(&consent, &file, "upload").await.is(200);
    let token = api.authorise(&consent, "rosalind", "Studio").await;
    let order = api.order(KIND, &bodies::order(&body, &consent), &token).await.is(201);
    let id = order.text("/Data/FilePaymentId");
    let report = format!("/file-payments/{id}/report-file");
    let paid = async |api: &Api<'_>| {
        let text = String::from_utf8(api.fetch(&report, "text/csv").await.is(200).bytes).unwrap();
        text.lines().nth(1).unwrap().contains("ACCC")
    };
    api.pass(Duration::days(1)).await;
    assert!(!paid(&api).await);
    api.pass(Duration::days(6)).await;
    assert!(paid(&api).await);
}
