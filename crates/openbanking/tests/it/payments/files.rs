//! Files of payments: what is inside, and whether it adds up.

use super::samples;
use openbanking::error::ErrorCode;
use openbanking::money::{Currency, Money};
use openbanking::parties::AccountScheme;
use openbanking::payments::file::{ControlSum, FileError, PayeeAccount, PaymentFile};
use openbanking::payments::*;
use openbanking::reading::ReadingError;
use openbanking::version::ApiVersion;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::date;

/// A document with these transactions, in one batch.
fn pain(number: &str, sum: &str, transactions: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.08">
  <CstmrCdtTrfInitn>
    <GrpHdr><MsgId>M</MsgId><CreDtTm>2026-09-28T14:07:00</CreDtTm><NbOfTxs>{number}</NbOfTxs>{sum}</GrpHdr>
    <PmtInf>
      <PmtInfId>B</PmtInfId><PmtMtd>TRF</PmtMtd>
      <ReqdExctnDt><Dt>2027-01-29</Dt></ReqdExctnDt>
      <DbtrAcct><Id><Othr><Id>80200112344562</Id></Othr></Id></DbtrAcct>
      {transactions}
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>"#
    )
}

fn transaction(currency: &str, amount: &str, account: &str) -> String {
    format!(
        r#"<CdtTrfTxInf>
        <PmtId><InstrId>I-1</InstrId><EndToEndId>E-1</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>
        <CdtrAgt><FinInstnId><BICFI>AAAAGB2L</BICFI></FinInstnId></CdtrAgt>
        <Cdtr><Nm>DEF Electronics &amp; Sons</Nm></Cdtr>
        <CdtrAcct><Id>{account}</Id></CdtrAcct>
        <RmtInf><Ustrd>One</Ustrd><Ustrd>Two</Ustrd><Strd><CdtrRefInf><Ref>R-1</Ref></CdtrRefInf></Strd></RmtInf>
      </CdtTrfTxInf>"#
    )
}

const IBAN: &str = "<IBAN>BE30001216371411</IBAN>";
const DOMESTIC: &str = "<Othr><Id>80200112344563</Id></Othr>";
const STRANGE: &str = "<Othr><Id>4895623</Id></Othr>";

#[test]
fn pain_001_is_read() {
    let transactions = [
        transaction("JPY", "10000000", IBAN),
        transaction("EUR", "500000.5", DOMESTIC),
        transaction("USD", "1", STRANGE),
    ];
    let document = pain("3", "<CtrlSum>10500001.5</CtrlSum>", &transactions.concat());
    let file = PaymentFile::read(FileType::Pain001, document.as_bytes()).unwrap();
    assert_eq!((file.number(), file.control_sum), (3, ControlSum::parse("10500001.50").unwrap()));
    let accounts: Vec<_> = file.payments.iter().map(|payment| &payment.creditor_account).collect();
    assert!(matches!(accounts[0], PayeeAccount::Known(account) if account.scheme == AccountScheme::Iban));
    assert!(
        matches!(accounts[1], PayeeAccount::Known(account) if account.scheme == AccountScheme::SortCodeAccountNumber)
    );
    assert_eq!(accounts[2], &PayeeAccount::Other("4895623".to_owned()));
    let first = &file.payments[0];
    assert_eq!(first.amount, Money::new(10_000_000, "JPY".parse().unwrap()));
    assert_eq!(first.creditor_name.as_deref(), Some("DEF Electronics & Sons"));
    assert_eq!(first.creditor_bic.as_deref(), Some("AAAAGB2L"));
    assert_eq!(first.end_to_end_identification, "E-1");
    assert_eq!(first.remittance.reference.as_deref(), Some("R-1"));
    assert_eq!(first.remittance.unstructured, ["One", "Two"]);
    assert_eq!(first.requested_execution, Some(date!(2027 - 01 - 29)));
    assert!(
        matches!(&first.debtor_account, Some(PayeeAccount::Known(account)) if account.identification.ends_with("62"))
    );
}

#[test]
fn what_is_wrong_in_a_pain_001_has_its_line() {
    let read = |document: &str| PaymentFile::read(FileType::Pain001, document.as_bytes()).unwrap_err();
    let one = transaction("GBP", "1.00", DOMESTIC);
    let place = |document: &str| match read(document) {
        FileError::Payment { place, .. } => place,
        other => panic!("{other:?}"),
    };
    assert_eq!(place(&pain("1", "", &one.replace("1.00", "1.001"))), "InstdAmt in line 11");
    assert_eq!(place(&pain("1", "", &one.replace("1.00", "0"))), "InstdAmt in line 11");
    assert_eq!(place(&pain("1", "", &one.replace("Ccy", "Currency"))), "InstdAmt in line 11");
    assert_eq!(place(&pain("1", "", &one.replace("EndToEndId", "Other"))), "PmtId in line 10");
    assert_eq!(place(&pain("1", "", &one.replace("CdtrAcct", "Other"))), "CdtTrfTxInf in line 9");
    assert_eq!(place(&pain("one", "", &one)), "NbOfTxs in line 4");
    assert_eq!(place(&pain("1", "<CtrlSum>-1</CtrlSum>", &one)), "CtrlSum in line 4");
    assert_eq!(place(&pain("1", "", &one).replace("2027-01-29", "soon")), "Dt in line 7");
    assert_eq!(read(&pain("2", "", &one)), FileError::Number { stated: 2, found: 1 });
    assert!(matches!(read(&pain("1", "<CtrlSum>2</CtrlSum>", &one)), FileError::ControlSum { .. }));
    assert_eq!(read(&pain("0", "", "")), FileError::Count(0));
    let malformed = |document: &str| matches!(read(document), FileError::Malformed { .. });
    assert!(malformed(""));
    assert!(malformed("{}"));
    assert!(malformed(&pain("1", "", &one).replace("pain.001.001.08", "pain.001.001.09")));
    // Entities could multiply without end.
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>"#;
    assert!(malformed(&pain("1", "", &one).replace("<Document", &format!("{bomb}<Document"))));
    assert!(malformed(&format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000))));
    assert!(PaymentFile::read(FileType::Pain001, &[0xff, 0xfe]).is_err());
}

/// What would keep the reader busy for minutes is refused before it reads: the words say which bound it was.
#[test]
fn a_small_file_cannot_be_much_work() {
    let nested: String = (0..5_000).map(|one| format!("<a xmlns:b{one}=\"u{one}\">")).collect();
    let attributes: String = (0..40_000).map(|one| format!(" a{one}=\"\"")).collect();
    let beside: String = (0..20).map(|one| format!("<a xmlns:b{one}=\"u{one}\"/>")).collect();
    for text in [nested, format!("<a{attributes}/>"), format!("<a>{beside}</a>")] {
        let error = PaymentFile::read(FileType::Pain001, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("more than 32 elements"), "{error}");
    }
}

/// A file with these domestic payments.
fn json(payments: &[Value]) -> String {
    json!({"Data": {"DomesticPayments": payments}}).to_string()
}

#[test]
fn json_is_read_in_the_form_of_either_version() {
    for file_type in [FileType::PaymentInitiation3, FileType::PaymentInitiation4] {
        let payments = ApiVersion::ALL.map(|version| samples::initiation(PaymentKind::Domestic, version));
        let file = PaymentFile::read(file_type, json(&payments).as_bytes()).unwrap();
        assert_eq!((file.number(), file.control_sum.to_string().as_str()), (2, "331.76"));
        for payment in &file.payments {
            assert_eq!(payment.amount, Money::new(16_588, Currency::GBP));
            assert_eq!(payment.remittance.reference.as_deref(), Some("FRESCO-037"));
            assert_eq!(payment.local_instrument, Some(LocalInstrument::Fps));
            assert_eq!(payment.creditor_name.as_deref(), Some("Ada Example"));
        }
        let mut wrong = payments.clone();
        wrong[1]["InstructedAmount"]["Amount"] = json!("one");
        let Err(FileError::Payment { place, .. }) = PaymentFile::read(file_type, json(&wrong).as_bytes()) else {
            panic!("{file_type:?}")
        };
        assert_eq!(place, "Data.DomesticPayments[1].InstructedAmount.Amount");
        for malformed in ["", "[]", "{}", r#"{"Data":{"DomesticPayments":[]}}"#, r#"{"Data":{"DomesticPayments":[7]}}"#]
        {
            let error = PaymentFile::read(file_type, malformed.as_bytes()).unwrap_err();
            assert!(matches!(error, FileError::Malformed { .. }), "{malformed}: {error}");
        }
    }
}

#[test]
fn a_file_is_the_one_that_was_consented_to() {
    let facts = |change: &dyn Fn(&mut Value)| {
        let mut initiation = samples::initiation(PaymentKind::File, ApiVersion::V4_0);
        change(&mut initiation);
        Initiation::of(PaymentKind::File, ApiVersion::V4_0, &initiation).unwrap().file.unwrap()
    };
    let payments = vec![samples::initiation(PaymentKind::Domestic, ApiVersion::V4_0); 2];
    let file = PaymentFile::read(FileType::PaymentInitiation4, json(&payments).as_bytes()).unwrap();
    let fitting = facts(&|initiation| {
        initiation["NumberOfTransactions"] = json!("2");
        initiation["ControlSum"] = json!(331.76);
    });
    assert_eq!(file.adds_up_to(fitting.totals), Ok(()));
    assert_eq!(fitting.is_of("m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ="), Ok(()));
    // The specification's own sample has no padding.
    let bare = facts(&|initiation| initiation["FileHash"] = json!("m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ"));
    assert_eq!(bare.is_of("m5ah/h1UjLvJYMxqAoZmj9dKdjZnsGNm+yMkJp/KuqQ="), Ok(()));
    let wire = |error: FileError| {
        let error = ReadingError::from(error);
        assert_eq!(error.code, ErrorCode::FieldInvalid);
        error.path
    };
    assert_eq!(wire(bare.is_of("x5ah=").unwrap_err()), "Data.Initiation.FileHash");
    let other = facts(&|initiation| initiation["ControlSum"] = json!(331.76));
    assert_eq!(wire(file.adds_up_to(other.totals).unwrap_err()), "Data.Initiation.NumberOfTransactions");
    let other = facts(&|initiation| initiation["NumberOfTransactions"] = json!("2"));
    assert_eq!(wire(file.adds_up_to(other.totals).unwrap_err()), "Data.Initiation.ControlSum");
}

proptest! {
    #[test]
    fn no_file_breaks_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[<>/a-zA-Z &;\"=!\\[\\]]{0,80}") {
        for file_type in [FileType::Pain001, FileType::PaymentInitiation3] {
            prop_assert!(PaymentFile::read(file_type, &bytes).is_err());
            prop_assert!(PaymentFile::read(file_type, text.as_bytes()).is_err());
        }
        let _ = PaymentFile::read(FileType::Pain001, pain("1", "", &text).as_bytes());
    }
}
