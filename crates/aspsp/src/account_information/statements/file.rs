//! A statement as a PDF: what the customer would find in the post.

use ledger::{Account, Customer, Row, Statement};
use openbanking::money::Money;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

/// A4, in points.
const PAGE: Rect = Rect { x1: 0.0, y1: 0.0, x2: 595.0, y2: 842.0 };
const TOP: f32 = 790.0;
const LINES_PER_PAGE: usize = 52;
/// Characters of the font between the margins.
const LETTERS_PER_LINE: usize = WIDTHS[0] + WIDTHS[1] + WIDTHS[2];
const LEADING: f32 = 14.0;
/// From the first line of a page to its foot.
const FOOT: f32 = 750.0;
const SIZE: f32 = 9.0;
const FONT: Name<'static> = Name(b"F1");

/// Columns of a line, from the left; amounts of a fixed-width font end where they should.
const WIDTHS: [usize; 3] = [12, 52, 16];

/// The most transactions that are printed: some 500 pages. Nobody waits for more.
pub(super) const MOST_ROWS: usize = 25_000;

/// The file.
pub(super) fn print(
    bank: &str,
    account: &Account,
    holder: Option<&Customer>,
    statement: &Statement,
    rows: &[Row],
) -> Vec<u8> {
    let title = format!("{bank} - statement {}", statement.month);
    let lines = lines(bank, account, holder, statement, rows);
    typeset(&title, &lines)
}

/// The text in pieces of at most that many characters; at least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    match letters.is_empty() {
        true => vec![String::new()],
        false => letters.chunks(width).map(|piece| piece.iter().collect()).collect(),
    }
}

/// A line with its date and its amount; a text that is too long for its column goes on below.
fn line(date: &str, text: &str, amount: &str) -> Vec<String> {
    let [first, second, third] = WIDTHS;
    let pieces = wrapped(text, second - 1).into_iter().enumerate();
    let lines = pieces.map(|(index, piece)| match index {
        0 => format!("{date:<first$}{piece:<second$}{amount:>third$}"),
        _ => format!("{:<first$}{piece}", ""),
    });
    lines.collect()
}

/// What the statement says, line by line.
fn lines(bank: &str, account: &Account, holder: Option<&Customer>, statement: &Statement, rows: &[Row]) -> Vec<String> {
    let mut lines = vec![bank.to_owned(), String::new(), account.holder_name.clone()];
    if let Some(customer) = holder {
        lines.extend(customer.address.lines.iter().cloned());
        lines.push(format!("{} {}", customer.address.town, customer.address.postcode));
    }
    let identification = &account.identification;
    let uk = identification.uk_account().map(|uk| format!("{} {}", uk.sort_code(), uk.account_number()));
    // A letter may be read by others: of a card, it shows the last digits only.
    let pan = identification.pan().map(|pan| openbanking::parties::masked_pan(pan.as_str()));
    let number = uk.or_else(|| identification.iban().map(|iban| iban.as_str().to_owned())).or(pan);
    lines.extend([
        String::new(),
        format!("{} {}", account.nickname, number.unwrap_or_default()),
        format!(
            "Statement {}: {} to {}",
            statement.month,
            statement.month.start().date(),
            statement.month.end().date()
        ),
        String::new(),
    ]);
    lines.extend(line("", "Balance before", &statement.opening.to_string()));
    for row in rows.iter().rev() {
        let entry = &row.transaction;
        let signed = Money::new(entry.signed_minor(), entry.amount.currency());
        lines.extend(line(&entry.booked_at.date().to_string(), &entry.description, &signed.to_string()));
    }
    lines.extend(line("", "Paid in", &statement.credits.to_string()));
    lines.extend(line("", "Paid out", &statement.debits.to_string()));
    lines.extend(line("", "Balance at the end", &statement.closing.to_string()));
    lines.iter().flat_map(|line| wrapped(line, LETTERS_PER_LINE)).collect()
}

/// The text in the encoding of the font (WinAnsi agrees with Latin-1 here); what it has no letter for becomes `?`.
fn encoded(text: &str) -> Vec<u8> {
    let letter = |c: char| match u8::try_from(u32::from(c)) {
        Ok(byte) if matches!(byte, 0x20..=0x7e | 0xa1..=0xff) => byte,
        _ => b'?',
    };
    text.chars().map(letter).collect()
}

fn reference(number: usize) -> Ref {
    Ref::new(i32::try_from(number).unwrap_or(i32::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "a page has some fifty lines")]
fn count_of(lines: &[String]) -> f32 {
    lines.len() as f32
}

fn typeset(title: &str, lines: &[String]) -> Vec<u8> {
    let (catalog, tree, font, information) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let chunks: Vec<&[String]> = lines.chunks(LINES_PER_PAGE).collect();
    let page_of = |index: usize| reference(5 + 2 * index);
    let content_of = |index: usize| reference(6 + 2 * index);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(information).title(TextStr(title));
    let count = i32::try_from(chunks.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids((0..chunks.len()).map(page_of)).count(count);
    for (index, chunk) in chunks.iter().enumerate() {
        let mut page = pdf.page(page_of(index));
        page.media_box(PAGE);
        page.parent(tree);
        page.contents(content_of(index));
        page.resources().fonts().pair(FONT, font);
        page.finish();
        let mut content = Content::new();
        content.begin_text();
        content.set_font(FONT, SIZE);
        content.set_leading(LEADING);
        content.next_line(60.0, TOP);
        for text in *chunk {
            content.show(Str(&encoded(text)));
            content.next_line_using_leading();
        }
        // At the foot, whatever the page holds.
        content.next_line(0.0, LEADING * count_of(chunk) - FOOT);
        content.show(Str(&encoded(&format!("{title}, page {} of {}", index + 1, chunks.len()))));
        content.end_text();
        pdf.stream(content_of(index), &content.finish());
    }
    pdf.type1_font(font).base_font(Name(b"Courier")).encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_take_several_pages() {
        let lines: Vec<String> = (0..120).map(|number| format!("line {number} (x)")).collect();
        let pdf = typeset("Statement", &lines);
        assert!(pdf.starts_with(b"%PDF-1.") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.contains("/Count 3"), "{text}");
        // Parentheses and letters outside ASCII are escaped; what the font does not have is a question mark.
        assert_eq!(encoded("\u{e9}\u{4e16}a"), [0xe9, b'?', b'a']);
        for page in 1..=3 {
            assert!(text.contains(&format!("Statement, page {page} of 3")), "{page}");
        }
        for number in [0, 51, 52, 119] {
            assert!(text.contains(&format!("line {number} ")), "{number} is not there");
        }
    }

    #[test]
    fn a_statement_has_its_holder_its_lines_and_its_balances() {
        let now = time::macros::datetime!(2026-11-23 12:00 UTC);
        let personas = crate::money::personas(None).unwrap();
        let books = ledger::generate(&personas, 1, now.date()).unwrap();
        let nora = books.customer_by_username("nora").unwrap();
        for account in books.accounts_of(&nora.id) {
            let statement = books.statements(&account.id, now).unwrap()[0];
            let query = ledger::TransactionQuery {
                from: Some(statement.month.start()),
                to: Some(statement.month.end()),
                ..ledger::TransactionQuery::default()
            };
            let rows = books.transactions(&account.id, &query).unwrap().rows;
            let lines = lines("Ashdown Bank", account, Some(nora), &statement, &rows);
            let has = |text: &str| lines.iter().any(|line| line.contains(text));
            assert!(has("Nora Brightwater") && has("ZZ12 3AB") && has("Statement 2026-10: 2026-10-01 to 2026-10-31"));
            assert!(has(&statement.opening.to_string()) && has(&statement.closing.to_string()));
            assert!(rows.iter().all(|row| has(&row.transaction.booked_at.date().to_string())));
            let pan = account.identification.pan().map(|pan| pan.as_str().to_owned());
            assert!(pan.is_none_or(|pan| !has(&pan) && has(&pan[pan.len() - 4..])), "cards are masked");
        }
    }

    #[test]
    fn amounts_stand_in_their_column() {
        let long = format!("{}{}", "x".repeat(51), "y".repeat(29));
        let lines = line("2026-10-01", &long, "-12.30 GBP");
        assert_eq!(lines[0].len(), LETTERS_PER_LINE);
        assert!(lines[0].starts_with("2026-10-01  xxx") && lines[0].ends_with("x       -12.30 GBP"), "{lines:?}");
        assert_eq!(lines[1..], [format!("{:12}{}", "", "y".repeat(29))], "nothing is cut");
        assert_eq!(line("", "", "1.00 GBP").len(), 1);
    }

    #[test]
    fn a_statement_with_thousands_of_lines_is_whole() {
        use ledger::{Contra, Details, Entry, EntryId, Kind, Posting, TransactionId};
        let now = time::macros::datetime!(2026-11-23 12:00 UTC);
        let personas = crate::money::personas(None).unwrap();
        let mut books = ledger::generate(&personas, 1, now.date()).unwrap();
        let account = books.accounts().find(|account| account.currency.to_string() == "GBP").unwrap().clone();
        for number in 0..6_000 {
            let at = time::macros::datetime!(2026-10-15 12:00 UTC);
            let penny = |minor| Money::new(minor, account.currency);
            let details = Details::new(
                TransactionId::new(format!("t{number}")),
                Kind::PaymentReceived,
                format!("NO {number:04} OF MANY"),
            );
            let postings =
                vec![Posting::on(account.id.clone(), penny(1), details), Posting::against(Contra::External, penny(-1))];
            books.post(Entry::booked(EntryId::new(format!("e{number}")), at, postings)).unwrap();
        }
        let statement = books.statements(&account.id, now).unwrap()[0];
        let (from, to) = (Some(statement.month.start()), Some(statement.month.end()));
        let query = ledger::TransactionQuery { from, to, limit: usize::MAX, ..ledger::TransactionQuery::default() };
        let rows = books.transactions(&account.id, &query).unwrap().rows;
        let printed = print("Ashdown Bank", &account, None, &statement, &rows);
        let text = String::from_utf8_lossy(&printed);
        for number in 0..6_000 {
            assert!(text.contains(&format!("NO {number:04} OF MANY")), "{number} is not there");
        }
        let pages = (rows.len() + 8).div_ceil(LINES_PER_PAGE);
        assert!(text.contains(&format!("page {pages} of {pages}")), "{pages}");
    }
}
