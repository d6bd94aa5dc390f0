//! The personas' money after the day on which their history ends.

use ledger::{Books, Kind, OrderStatus, Personas, Row, Status, TransactionQuery, generate};
use std::collections::BTreeMap;
use time::macros::{date, datetime};
use time::{Date, Duration, OffsetDateTime};

const FILE: &str = include_str!("../../../../fixtures/personas.yaml");
const DATE: Date = date!(2026 - 11 - 23);
const NOW: OffsetDateTime = datetime!(2026-11-23 00:00 UTC);

fn made(date: Date) -> Books {
    generate(&serde_saphyr::from_str::<Personas>(FILE).unwrap(), 7, date).unwrap()
}

fn since(books: &Books, from: OffsetDateTime) -> Vec<Row> {
    let query = TransactionQuery { from: Some(from), limit: usize::MAX, ..TransactionQuery::default() };
    books.accounts().flat_map(|account| books.transactions(&account.id, &query).unwrap().rows).collect()
}

/// Day, kind, description and amount, of fixed amounts only.
fn regular(rows: &[Row], kind: Kind) -> Vec<(Date, String, String)> {
    let rows = rows.iter().map(|row| &row.transaction).filter(|row| row.kind == kind);
    let mut rows: Vec<_> =
        rows.map(|row| (row.made_at.date(), row.description.clone(), row.amount.to_string())).collect();
    rows.sort();
    rows
}

#[test]
fn standing_orders_and_wages_go_on_as_a_later_history_would_have_them() {
    let later = date!(2027 - 03 - 23);
    let mut books = made(DATE);
    books.run_until(later.midnight().assume_utc() - Duration::NANOSECOND);
    let (lived, generated) = (since(&books, NOW), since(&made(later), NOW));
    for kind in [Kind::StandingOrder, Kind::Salary, Kind::Fee] {
        let expected = regular(&generated, kind);
        assert!(expected.len() >= 4, "{kind:?}");
        assert_eq!(regular(&lived, kind), expected, "{kind:?}");
    }
    // Collections vary in their amounts; days and names are the same.
    let names = |rows: &[Row]| -> Vec<_> {
        regular(rows, Kind::DirectDebit).into_iter().map(|(day, text, _)| (day, text)).collect()
    };
    assert_eq!(names(&lived), names(&generated));
    assert!(books.balanced());
    let pending = lived.iter().filter(|row| row.transaction.status == Status::Pending);
    assert!(pending.into_iter().all(|row| row.transaction.kind == Kind::CardPurchase));
}

#[test]
fn a_standing_order_of_the_history_is_an_order_with_a_next_and_a_last_payment() {
    let books = made(DATE);
    let mut seen = 0;
    for account in books.accounts() {
        for standing in books.standing_instructions(&account.id).unwrap() {
            assert_eq!(standing.order.status(), OrderStatus::InitiationCompleted);
            let next = standing.progress.next.unwrap();
            assert!(next.at >= NOW && next.at < NOW + Duration::days(35), "{}", next.at);
            let (last, amount) = standing.progress.last_paid().unwrap();
            assert!(last < DATE && amount == standing.instruction.instructed);
            seen += 1;
        }
        assert_eq!(
            books.standing_instructions(&account.id).unwrap().len(),
            books.standing_orders(&account.id).unwrap().len()
        );
    }
    assert!(seen >= 3);
}

#[test]
fn nothing_is_paid_twice_or_left_out_at_the_seam() {
    // Whatever the day on which the history ends, each month has each standing order once.
    for offset in (0..14).chain(34..42) {
        let date = DATE + Duration::days(offset);
        let mut books = made(date);
        books.run_until(datetime!(2027-03-31 23:00 UTC));
        let mut months: BTreeMap<(String, i32, u8), usize> = BTreeMap::new();
        for row in since(&books, datetime!(2026-10-06 00:00 UTC)) {
            let transaction = row.transaction;
            if transaction.kind == Kind::StandingOrder {
                let at = transaction.made_at;
                *months.entry((transaction.description.clone(), at.year(), u8::from(at.month()))).or_default() += 1;
            }
        }
        assert!(months.values().all(|count| *count == 1), "{date}: {months:?}");
        assert_eq!(months.len(), 3 * 5, "{date}: {months:?}");
    }
}
