//! What people do after the day on which their history ends.

use crate::fixture::{DATE, NOW, personas};
use ledger::{AccountId, AccountStatus, Action, Books, Command, Kind, Personas, Row, TransactionQuery, generate};
use openbanking::money::Money;
use std::collections::{BTreeMap, BTreeSet};
use time::{Duration, OffsetDateTime};

fn books() -> Books {
    generate(&personas(), 7, DATE).unwrap()
}

fn rows(books: &Books, account: &AccountId, from: OffsetDateTime, to: OffsetDateTime) -> Vec<Row> {
    let query = TransactionQuery { from: Some(from), to: Some(to), limit: usize::MAX, ..TransactionQuery::default() };
    books.transactions(account, &query).unwrap().rows
}

fn ids(books: &Books) -> Vec<AccountId> {
    books.accounts().map(|account| account.id.clone()).collect()
}

/// A year of life, and the year before it.
fn two_years() -> (Books, [(OffsetDateTime, OffsetDateTime); 2]) {
    let mut books = books();
    let year = Duration::days(365);
    books.run_until(NOW + year);
    (books, [(NOW - year, NOW - Duration::NANOSECOND), (NOW, NOW + year)])
}

#[test]
fn people_go_on_as_they_did() {
    let (books, years) = two_years();
    let counts = |(from, to): (OffsetDateTime, OffsetDateTime)| {
        let mut counts: BTreeMap<(AccountId, String), i64> = BTreeMap::new();
        for id in ids(&books) {
            for row in rows(&books, &id, from, to) {
                *counts.entry((id.clone(), format!("{:?}", row.transaction.kind))).or_default() += 1;
            }
        }
        counts
    };
    let [before, after] = years.map(counts);
    let kinds = |counts: &BTreeMap<(AccountId, String), i64>| -> BTreeSet<(AccountId, String)> {
        counts.iter().filter(|(_, count)| **count >= 6).map(|(key, _)| key.clone()).collect()
    };
    for key in kinds(&before).union(&kinds(&after)) {
        let (then, now) = (before.get(key).copied().unwrap_or(0), after.get(key).copied().unwrap_or(0));
        let near = (then - now).abs() <= 6 + then.max(now) * 3 / 10;
        assert!(near, "{key:?}: {then} in the year before, {now} in the year after");
    }
    assert!(books.balanced());
}

#[test]
fn nobody_grows_rich_by_standing_still() {
    let (books, years) = two_years();
    for id in ids(&books) {
        let grown = |(from, to): (OffsetDateTime, OffsetDateTime)| {
            let held = |at| books.balances(&id, at).unwrap().booked.minor();
            held(to) - held(from - Duration::NANOSECOND)
        };
        let turned =
            |(from, to)| rows(&books, &id, from, to).iter().map(|row| row.transaction.amount.minor()).sum::<i64>();
        let ([then, now], turnover) = (years.map(grown), turned(years[0]).max(turned(years[1])));
        assert!(
            (then - now).abs() <= turnover / 8 + 50_000,
            "{id}: {then} in the year before, {now} in the year after, of {turnover}"
        );
    }
}

#[test]
fn credit_lines_hold() {
    let (books, _) = two_years();
    for account in books.accounts().filter(|account| account.kind != ledger::AccountKind::Loan) {
        let line = account.credit_line.map_or(0, Money::minor);
        for row in rows(&books, &account.id, NOW, NOW + Duration::days(400)) {
            let after = row.balance_after.map_or(0, Money::minor);
            assert!(after >= -line, "{} holds {after}", account.nickname);
        }
    }
}

#[test]
fn it_does_not_matter_in_how_many_calls_the_time_passes() {
    let end = NOW + Duration::days(45);
    let (mut once, mut often) = (books(), books());
    once.run_until(end);
    let mut now = NOW;
    while now < end {
        now = end.min(now + Duration::seconds(7_001));
        often.run_until(now);
    }
    assert!(once == often);
    let mut other = generate(&personas(), 8, DATE).unwrap();
    other.run_until(end);
    assert!(once != other);
}

#[test]
fn a_clock_moved_by_centuries_does_not_fill_the_books() {
    let mut books = books();
    books.run_until(NOW + Duration::days(3_660));
    let purchases = |books: &Books, from: OffsetDateTime| {
        let rows = ids(books).into_iter().flat_map(|id| rows(books, &id, from, from + Duration::days(400)));
        rows.filter(|row| row.transaction.kind == Kind::CardPurchase).count()
    };
    assert!(purchases(&books, NOW + Duration::days(3_600)) > 0);
    books.run_until(NOW + Duration::days(3_660 + 400));
    assert_eq!(purchases(&books, NOW + Duration::days(3_660)), 0);
    assert!(books.balanced());
}

#[test]
fn what_happened_before_does_not_change_what_others_do() {
    let closed = ids(&books())[0].clone();
    let end = NOW + Duration::days(20);
    let (mut quiet, mut usual) = (books(), books());
    let action = Action::SetStatus { account: closed.clone(), status: AccountStatus::Closed };
    quiet.apply(&Command { at: NOW, action }).unwrap();
    quiet.run_until(end);
    usual.run_until(end);
    let made = |books: &Books, id: &AccountId| -> Vec<(OffsetDateTime, i64, String)> {
        let rows = rows(books, id, NOW, end).into_iter().map(|row| row.transaction);
        let rows = rows.filter(|entry| entry.kind == Kind::CardPurchase && entry.made_at >= NOW);
        rows.map(|entry| (entry.made_at, entry.amount.minor(), entry.id.to_string())).collect()
    };
    assert_eq!(made(&quiet, &closed), []);
    let others = ids(&usual).into_iter().filter(|id| *id != closed && !made(&usual, id).is_empty());
    let same = others.filter(|id| made(&quiet, id) == made(&usual, id)).count();
    assert!(same >= 2, "{same} accounts");
}

#[test]
fn habits_can_end_with_the_history() {
    let quiet = Personas { habits_go_on: false, ..personas() };
    let mut books = generate(&quiet, 7, DATE).unwrap();
    let usual = generate(&personas(), 7, DATE).unwrap();
    for id in ids(&usual) {
        let history = |books: &Books| rows(books, &id, NOW - Duration::days(800), NOW);
        assert_eq!(history(&books), history(&usual), "the history is the same");
    }
    books.run_until(NOW + Duration::days(100));
    for id in ids(&books) {
        for row in rows(&books, &id, NOW + Duration::days(7), NOW + Duration::days(100)) {
            let kind = row.transaction.kind;
            assert!(matches!(kind, Kind::StandingOrder | Kind::PaymentSent | Kind::Transfer), "{kind:?}");
        }
    }
}
