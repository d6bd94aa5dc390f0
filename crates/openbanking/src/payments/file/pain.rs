//! `UK.OBIE.pain.001.001.08`: ISO 20022 credit transfers, read as far as paying them needs.

use super::{ControlSum, FileError, FilePayment, MOST_PAYMENTS, PayeeAccount};
use crate::money::Money;
use crate::parties::AccountScheme;
use crate::payments::initiation::{PaymentAccount, Remittance, StatedTotals};
use quick_xml::events::Event;
use roxmltree::{Document, Node, ParsingOptions};
use time::Date;
use time::macros::format_description;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.08";
const FORM: &str = "a pain.001.001.08 document";
/// More nodes than a file with [`MOST_PAYMENTS`] needs.
const MOST_NODES: u32 = 20_000_000;

/// More elements inside each other, attributes of one element and declarations of namespaces than a file needs.
const MOST_DEPTH: usize = 32;
const MOST_ATTRIBUTES: usize = 16;
const MOST_NAMESPACES: usize = 16;

/// Reads the payments and what the head says that they add up to. Document types, and with them entities, are refused.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<FilePayment>, StatedTotals), FileError> {
    let malformed = |found: String| FileError::Malformed { expected: FORM, found };
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    within_bounds(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| malformed(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "Document")) {
        return Err(malformed(format!("{:?}", root.tag_name())));
    }
    let transfer = child(root, "CstmrCdtTrfInitn")?;
    let head = child(transfer, "GrpHdr")?;
    let number = child(head, "NbOfTxs")?;
    let stated = StatedTotals {
        number: Some(text_of(number).parse().map_err(|_| wrong(number, "a number"))?),
        control_sum: match maybe(head, "CtrlSum") {
            Some(sum) => Some(ControlSum::parse(text_of(sum)).ok_or_else(|| wrong(sum, "a decimal number"))?),
            None => None,
        },
    };
    let mut payments = Vec::new();
    for batch in children(transfer, "PmtInf") {
        let requested_execution = execution(batch)?;
        let debtor_account = maybe(batch, "DbtrAcct").map(account).transpose()?;
        for transaction in children(batch, "CdtTrfTxInf").take(MOST_PAYMENTS + 1) {
            payments.push(FilePayment {
                requested_execution,
                debtor_account: debtor_account.clone(),
                ..payment(transaction)?
            });
        }
    }
    Ok((payments, stated))
}

/// Refuses what no file of payments needs. The reader of documents compares each attribute of an element with each other,
/// and copies the namespaces of an element for those inside it: a small file of many could keep it busy for minutes.
fn within_bounds(text: &str) -> Result<(), FileError> {
    let malformed = |found: String| FileError::Malformed { expected: FORM, found };
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut depth, mut namespaces) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        let element = match &event {
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Eof => return Ok(()),
            _ => continue,
        };
        let mut attributes = 0;
        for attribute in element.attributes().with_checks(false).take(MOST_ATTRIBUTES + 1).flatten() {
            attributes += 1;
            namespaces += usize::from(attribute.key.as_namespace_binding().is_some());
        }
        if depth > MOST_DEPTH || attributes > MOST_ATTRIBUTES || namespaces > MOST_NAMESPACES {
            return Err(malformed(format!(
                "more than {MOST_DEPTH} elements inside each other, {MOST_ATTRIBUTES} attributes of one, or {MOST_NAMESPACES} namespaces"
            )));
        }
    }
}

fn payment(node: Node<'_, '_>) -> Result<FilePayment, FileError> {
    let amount = child(child(node, "Amt")?, "InstdAmt")?;
    let currency = amount.attribute("Ccy").and_then(|currency| currency.parse().ok());
    let currency = currency.ok_or_else(|| wrong(amount, "a currency in Ccy"))?;
    let money = Money::parse(text_of(amount), currency)
        .map_err(|_| wrong(amount, &format!("an amount with at most {} decimals", currency.exponent())))?;
    if money.minor() == 0 {
        return Err(wrong(amount, "more than nothing"));
    }
    let identification = child(node, "PmtId")?;
    let creditor_name = maybe(node, "Cdtr").and_then(|creditor| owned(creditor, "Nm"));
    let mut creditor_account = account(child(node, "CdtrAcct")?)?;
    if let PayeeAccount::Known(known) = &mut creditor_account {
        known.name.clone_from(&creditor_name);
    }
    let bank = maybe(node, "CdtrAgt").and_then(|agent| maybe(agent, "FinInstnId"));
    Ok(FilePayment {
        instruction_identification: owned(identification, "InstrId"),
        end_to_end_identification: text_of(child(identification, "EndToEndId")?).to_owned(),
        amount: money,
        creditor_account,
        creditor_name,
        creditor_bic: bank.and_then(|bank| owned(bank, "BICFI")),
        remittance: remittance(node),
        local_instrument: None,
        debtor_account: None,
        requested_execution: None,
    })
}

/// By IBAN; by sort code and account number, which is an `Othr` of 14 digits; or by any other number.
fn account(node: Node<'_, '_>) -> Result<PayeeAccount, FileError> {
    let id = child(node, "Id")?;
    let known = |scheme, identification: &str| {
        PayeeAccount::Known(PaymentAccount {
            scheme,
            identification: identification.to_owned(),
            name: owned(node, "Nm"),
            secondary_identification: None,
        })
    };
    if let Some(iban) = maybe(id, "IBAN") {
        return Ok(known(AccountScheme::Iban, text_of(iban)));
    }
    let other = text_of(child(child(id, "Othr")?, "Id")?);
    let domestic = other.len() == 14 && other.bytes().all(|byte| byte.is_ascii_digit());
    Ok(if domestic {
        known(AccountScheme::SortCodeAccountNumber, other)
    } else {
        PayeeAccount::Other(other.to_owned())
    })
}

fn remittance(node: Node<'_, '_>) -> Remittance {
    let Some(node) = maybe(node, "RmtInf") else { return Remittance::default() };
    let unstructured = children(node, "Ustrd").map(|line| text_of(line).to_owned()).collect();
    let reference = children(node, "Strd").find_map(|item| owned(maybe(item, "CdtrRefInf")?, "Ref"));
    Remittance { reference, unstructured }
}

/// `ReqdExctnDt` of a batch: a date, or a date-time of which the date counts.
fn execution(batch: Node<'_, '_>) -> Result<Option<Date>, FileError> {
    let Some(node) = maybe(batch, "ReqdExctnDt") else { return Ok(None) };
    let date = maybe(node, "Dt").or_else(|| maybe(node, "DtTm")).unwrap_or(node);
    let text = text_of(date).get(..10).unwrap_or_default();
    let read = Date::parse(text, format_description!("[year]-[month]-[day]"));
    read.map(Some).map_err(|_| wrong(date, "a date"))
}

fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((NAMESPACE, name)))
}

fn maybe<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Result<Node<'a, 'i>, FileError> {
    maybe(node, name).ok_or_else(|| FileError::Payment {
        place: place(node),
        expected: format!("the element {name}"),
        found: "none".to_owned(),
    })
}

fn text_of<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

fn owned(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    maybe(node, name).map(|node| text_of(node).to_owned()).filter(|text| !text.is_empty())
}

fn wrong(node: Node<'_, '_>, expected: &str) -> FileError {
    let found = text_of(node).chars().take(80).collect();
    FileError::Payment { place: place(node), expected: expected.to_owned(), found }
}

/// The element and its line.
fn place(node: Node<'_, '_>) -> String {
    let line = node.document().text_pos_at(node.range().start).row;
    format!("{} in line {line}", node.tag_name().name())
}
