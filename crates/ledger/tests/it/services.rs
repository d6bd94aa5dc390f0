//! Statements, services, and several accounts as one list.

use crate::fixture::{DATE, NOW, personas};
use ledger::{
    AccountId, Books, Contra, Cursor, Details, Direction, Entry, EntryId, Kind, Posting, TransactionId,
    TransactionQuery, generate,
};
use openbanking::money::{Currency, Money};
use std::collections::BTreeSet;
use time::macros::date;
use time::{Duration, OffsetDateTime};

fn books() -> Books {
    generate(&personas(), 7, DATE).unwrap()
}

#[test]
fn statements_follow_each_other_and_end_where_the_books_are() {
    let books = books();
    for account in books.accounts() {
        let statements = books.statements(&account.id, NOW).unwrap();
        // November 2024 to October 2026: the month of NOW is not over.
        assert_eq!(statements.len(), 24, "{}", account.nickname);
        assert_eq!(statements[0].month.to_string(), "2026-10");
        assert_eq!(statements[23].opening.minor(), 0);
        for (later, earlier) in statements.iter().zip(&statements[1..]) {
            assert_eq!(later.opening, earlier.closing);
        }
        for statement in &statements {
            let moved = statement.credits.minor() - statement.debits.minor();
            assert_eq!(statement.opening.minor() + moved, statement.closing.minor(), "{statement:?}");
            let at = statement.month.next().start() - Duration::NANOSECOND;
            assert_eq!(books.balances(&account.id, at).unwrap().booked, statement.closing);
        }
        let open = books.statement(&account.id, statements[0].month.next(), NOW).unwrap();
        assert_eq!(open, None, "a month that is not over has no statement");
        let early = "2024-10".parse().unwrap();
        assert_eq!(books.statement(&account.id, early, NOW).unwrap(), None);
    }
}

#[test]
fn interest_and_fees_are_on_the_statement() {
    let books = books();
    let all = books.accounts().flat_map(|account| books.statements(&account.id, NOW).unwrap());
    let (interest, fees): (Vec<_>, Vec<_>) = all.map(|s| (s.interest.minor(), s.fees.minor())).unzip();
    assert!(interest.iter().any(|minor| *minor > 0) && interest.iter().any(|minor| *minor < 0));
    assert!(fees.contains(&-850), "the business account's fee");
}

#[test]
fn products_are_what_the_habits_do() {
    let books = books();
    let found = |nickname: &str| {
        let account = books.accounts().find(|account| account.nickname == nickname).unwrap();
        books.services(&account.id).unwrap().clone()
    };
    let product = found("Rainy days").product.unwrap();
    assert_eq!((product.name.as_str(), product.paid_percent, product.charged_percent), ("Ashdown Reserve", 310, 0));
    let studio = found("Studio").product.unwrap();
    assert_eq!((studio.charged_percent, studio.monthly_fee.unwrap().minor()), (1250, 850));
    assert_eq!(found("Rainy days").product.unwrap().id, found("Roof fund").product.unwrap().id);
    assert!(found("Card").offers.iter().all(|offer| offer.from < DATE && offer.to > DATE));
    assert!(books.services(&AccountId::new("none")).is_err());
}

#[test]
fn a_scheduled_payment_waits_for_its_day_and_is_made_then() {
    let mut books = books();
    let account = books.accounts().find(|account| account.nickname == "Everyday").unwrap().id.clone();
    let waiting = |books: &Books| {
        let all = books.scheduled_payments(&account).unwrap();
        all.iter().map(|payment| payment.next.day).collect::<Vec<_>>()
    };
    let day = date!(2026 - 12 - 05);
    assert_eq!(waiting(&books), [day]);
    assert!(books.accounts().all(|account| books.scheduled_payments(&account.id).unwrap().len() <= 1));
    books.run_until(NOW + Duration::days(20));
    assert_eq!(waiting(&books), []);
    let query = TransactionQuery { from: Some(NOW), ..TransactionQuery::default() };
    let rows = books.transactions(&account, &query).unwrap().rows;
    let to = |row: &&ledger::Row| {
        row.transaction.counterparty.as_ref().is_some_and(|other| other.name == "Heronsgate Dental")
    };
    assert_eq!(rows.iter().filter(to).map(|row| row.transaction.amount.minor()).collect::<Vec<_>>(), [14_500]);
}

#[test]
fn a_mandate_that_was_taken_back_collects_nothing_more() {
    let books = books();
    let account = books.accounts().find(|account| account.nickname == "Everyday").unwrap();
    let mandate = books.direct_debits(&account.id).unwrap().iter().find(|mandate| mandate.cancelled.is_some()).unwrap();
    let cancelled = mandate.cancelled.unwrap();
    assert_eq!(cancelled.to_string(), "2026-06-01");
    let last = books.last_payments(&account.id, Kind::DirectDebit, NOW).unwrap();
    let of = |name: &str| {
        let found = last.iter().find(|row| row.transaction.counterparty.as_ref().is_some_and(|c| c.name == name));
        found.unwrap().transaction.booked_at.date()
    };
    assert!(of(&mandate.originator) < cancelled);
    assert!(of("Pebble Mobile") > cancelled, "others go on");
}

#[test]
fn several_accounts_are_paged_as_one_list_in_both_directions() {
    let books = books();
    let ids: Vec<AccountId> = books.accounts().map(|account| account.id.clone()).collect();
    for (direction, limit) in [(None, 100), (Some(Direction::Credit), 25), (None, 997)] {
        let query = TransactionQuery { direction, limit, ..TransactionQuery::default() };
        let whole = books.transactions_of_all(&ids, &TransactionQuery { limit: usize::MAX, ..query }).unwrap();
        assert_eq!((whole.rows.len(), whole.next, whole.previous), (whole.total, None, None));
        let times: Vec<_> = whole.rows.iter().map(|row| row.transaction.booked_at).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older));
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = books.transactions_of_all(&ids, &TransactionQuery { after, ..query }).unwrap();
            assert_eq!(page.total, whole.total);
            after = page.next;
            pages.push(page);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages.len(), whole.total.div_ceil(limit));
        let rows: Vec<_> = pages.iter().flat_map(|page| page.rows.clone()).collect();
        assert_eq!(rows, whole.rows);
        let seen: BTreeSet<_> = rows.iter().map(|row| row.transaction.id.clone()).collect();
        assert_eq!(seen.len(), rows.len());
        assert_eq!(pages[0].previous, None);
        assert_eq!(pages[1].previous, Some(Cursor::NEWEST));
        for (page, before) in pages[2..].iter().zip(&pages[1..]) {
            let back = books.transactions_of_all(&ids, &TransactionQuery { after: page.previous, ..query }).unwrap();
            assert_eq!(back.rows, before.rows);
        }
    }
}

/// What [`Books::last_payments`] answers, found in all rows one by one.
fn searched(books: &Books, account: &AccountId, kind: Kind, to: OffsetDateTime) -> Vec<ledger::Row> {
    let query = TransactionQuery { to: Some(to), limit: usize::MAX, ..TransactionQuery::default() };
    let mut seen = BTreeSet::new();
    let rows = books.transactions(account, &query).unwrap().rows.into_iter();
    rows.filter(|row| {
        let entry = &row.transaction;
        let name = entry.counterparty.as_ref().map(|other| other.name.clone());
        entry.kind == kind && seen.insert((name, entry.reference.clone()))
    })
    .collect()
}

#[test]
fn the_last_payment_is_found_however_much_came_after_it() {
    let mut books = books();
    let account = books.accounts().find(|account| account.nickname == "Everyday").unwrap().id.clone();
    let before = books.last_payments(&account, Kind::DirectDebit, NOW).unwrap();
    assert!(before.len() > 3);
    for number in 0..10_000 {
        let details = Details::new(TransactionId::new(format!("t{number}")), Kind::PaymentReceived, "A PENNY");
        let postings = vec![
            Posting::on(account.clone(), Money::new(1, Currency::GBP), details),
            Posting::against(Contra::External, Money::new(-1, Currency::GBP)),
        ];
        books.post(Entry::booked(EntryId::new(format!("e{number}")), NOW, postings)).unwrap();
    }
    let after = books.last_payments(&account, Kind::DirectDebit, NOW).unwrap();
    assert_eq!(after, {
        let expected = searched(&books, &account, Kind::DirectDebit, NOW);
        assert_eq!(expected.len(), before.len());
        expected
    });
    assert!(books.last_payments(&account, Kind::PaymentReceived, NOW).unwrap().is_empty(), "none that recurs");
}

#[test]
fn the_last_payment_is_the_one_that_a_search_would_find_at_any_moment() {
    let mut books = books();
    books.run_until(NOW + Duration::days(70));
    for account in books.accounts() {
        for days in [-800, -500, -200, -31, -1, 0, 3, 40, 70, 100] {
            let to = NOW + Duration::days(days);
            for kind in [Kind::DirectDebit, Kind::StandingOrder] {
                let found = books.last_payments(&account.id, kind, to).unwrap();
                assert_eq!(found, searched(&books, &account.id, kind, to), "{} {days} {kind:?}", account.nickname);
            }
        }
    }
}
