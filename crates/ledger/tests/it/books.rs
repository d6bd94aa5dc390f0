use ledger::{
    Account, AccountId, AccountKind, AccountStatus, Address, Books, BooksError, Contra, Cursor, Customer, CustomerId,
    Details, Direction, Entry, EntryError, EntryId, Identification, Kind, Posting, Status, TransactionId,
    TransactionQuery, identification::Pan, orders::Limits,
};
use openbanking::money::{Currency, Money};
use proptest::prelude::*;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

fn gbp() -> Currency {
    "GBP".parse().unwrap()
}

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn pounds(minor: i64) -> Money {
    Money::new(minor, gbp())
}

fn id(text: &str) -> AccountId {
    AccountId::new(text)
}

fn at(minutes: u16) -> OffsetDateTime {
    START + Duration::minutes(i64::from(minutes))
}

fn books() -> Books {
    let mut books = Books::new();
    let address =
        Address { lines: vec![], town: "Town".into(), county: None, postcode: "ZZ1".into(), country: "GB".into() };
    let customer = Customer {
        id: CustomerId::new("c"),
        username: "ada".into(),
        title: String::new(),
        given_name: "Ada".into(),
        family_name: "Fern".into(),
        address,
        phone: "+44 7700 900000".into(),
        email: "ada@example.com".into(),
    };
    books.add_customer(customer.clone()).unwrap();
    assert!(matches!(books.add_customer(customer), Err(BooksError::Exists { what: "customer", .. })));
    for (name, currency) in [("one", gbp()), ("two", gbp()), ("euro", eur())] {
        books.add_account(account(name, currency)).unwrap();
    }
    books
}

fn account(name: &str, currency: Currency) -> Account {
    Account {
        id: id(name),
        holders: vec![CustomerId::new("c")],
        switched: false,
        kind: AccountKind::Current,
        currency,
        nickname: name.into(),
        holder_name: "Ada Fern".into(),
        identification: Identification::Card(
            Pan::with_check_digit("400000", name.len() as u64 + u64::from(name.as_bytes()[0])).unwrap(),
        ),
        opened: date!(2020 - 01 - 01),
        status: AccountStatus::Enabled,
        credit_line: Some(Money::new(10_000, currency)),
        signatories: 1,
        limits: Limits::default(),
    }
}

fn line(account: &str, name: &str, amount: Money) -> Posting {
    Posting::on(id(account), amount, Details::new(TransactionId::new(name), Kind::PaymentReceived, "TEST"))
}

fn simple(name: &str, account: &str, minor: i64, when: OffsetDateTime) -> Entry {
    let postings = vec![line(account, name, pounds(minor)), Posting::against(Contra::External, pounds(-minor))];
    Entry::booked(EntryId::new(name), when, postings)
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let mut books = books();
    books.post(simple("first", "one", 500, START)).unwrap();
    let lame = vec![line("one", "x", pounds(5)), Posting::against(Contra::External, pounds(-4))];
    let unbalanced = EntryError::Unbalanced { currency: gbp(), difference: 1 };
    assert_eq!(books.post(Entry::booked(EntryId::new("x"), START, lame)), Err(BooksError::Entry(unbalanced)));
    let mixed = vec![line("one", "x", pounds(5)), Posting::against(Contra::External, Money::new(-5, eur()))];
    assert!(matches!(books.post(Entry::booked(EntryId::new("x"), START, mixed)), Err(BooksError::Entry(_))));
    let none = vec![Posting::against(Contra::Cash, pounds(5)), Posting::against(Contra::External, pounds(-5))];
    let refused = books.post(Entry::booked(EntryId::new("x"), START, none));
    assert_eq!(refused, Err(BooksError::Entry(EntryError::NoAccount)));
    assert_eq!(books.post(simple("x", "one", 0, START)), Err(BooksError::Entry(EntryError::Zero(0))));
    assert!(matches!(books.post(simple("x", "euro", 5, START)), Err(BooksError::WrongCurrency { .. })));
    assert!(matches!(books.post(simple("x", "none", 5, START)), Err(BooksError::Unknown { what: "account", .. })));
    assert!(matches!(books.post(simple("first", "one", 5, START)), Err(BooksError::Exists { what: "entry", .. })));
    assert!(matches!(books.post(simple("x", "one", i64::MAX, START)), Err(BooksError::Overflow(_))));
    let long = "x".repeat(41);
    assert_eq!(books.post(simple(&long, "one", 5, START)), Err(BooksError::Identifier(long)));
    let half = vec![line("two", "y", pounds(5)), line("one", "first", pounds(-5))];
    let refused = books.post(Entry::booked(EntryId::new("y"), START, half));
    assert!(matches!(refused, Err(BooksError::Exists { what: "transaction", .. })));
    assert_eq!(books.balances(&id("one"), START).unwrap().booked, pounds(500));
    assert_eq!(books.balances(&id("two"), START).unwrap().booked, pounds(0));
    assert!(books.balanced());
}

#[test]
fn pending_entries_lower_what_is_available_until_they_are_booked_or_released() {
    let mut books = books();
    books.post(simple("in", "one", 5_000, at(0))).unwrap();
    for (name, minor) in [("hold", -1_200), ("gone", -300)] {
        let mut entry = simple(name, "one", minor, at(5));
        (entry.status, entry.booked_at) = (Status::Pending, at(60));
        books.post(entry).unwrap();
    }
    assert_eq!(books.balances(&id("one"), at(4)).unwrap().available, pounds(5_000));
    let now = books.balances(&id("one"), at(5)).unwrap();
    assert_eq!((now.booked, now.available, now.spendable), (pounds(5_000), pounds(3_500), pounds(13_500)));
    assert!(books.can_pay(&id("one"), pounds(13_500), at(5)).unwrap());
    assert!(!books.can_pay(&id("one"), pounds(13_501), at(5)).unwrap());
    assert!(books.can_pay(&id("one"), Money::new(1, eur()), at(5)).is_err());
    assert_eq!(books.transaction(&TransactionId::new("hold")).unwrap().balance_after, None);

    books.release(&EntryId::new("gone")).unwrap();
    assert!(books.transaction(&TransactionId::new("gone")).is_none());
    assert!(books.release(&EntryId::new("gone")).is_err());
    assert_eq!(books.run_until(at(59)), 0);
    assert_eq!(books.run_until(at(61)), 1);
    let row = books.transaction(&TransactionId::new("hold")).unwrap();
    assert_eq!((row.balance_after, row.transaction.booked_at), (Some(pounds(3_800)), at(60)));
    assert_eq!(books.pending().count(), 0);
    assert_eq!(books.balances(&id("one"), at(60)).unwrap().available, pounds(3_800));
    assert!(books.balanced());
}

#[test]
fn money_changes_its_currency_against_the_banks_position() {
    let mut books = books();
    let postings = vec![
        line("one", "a", pounds(-1_000)),
        line("euro", "b", Money::new(1_165, eur())),
        Posting::against(Contra::ForeignExchange, pounds(1_000)),
        Posting::against(Contra::ForeignExchange, Money::new(-1_165, eur())),
    ];
    books.post(Entry::booked(EntryId::new("e"), START, postings)).unwrap();
    assert_eq!(books.balances(&id("euro"), START).unwrap().booked, Money::new(1_165, eur()));
    assert_eq!(books.contra(Contra::ForeignExchange, gbp()), pounds(1_000));
    assert!(books.balanced());
}

#[derive(Clone, Debug)]
struct Step {
    minutes: u16,
    minor: i64,
    account: bool,
    pending: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minor = prop_oneof![1i64..100_000, -100_000i64..-1];
    let step = (0u16..200, minor, any::<bool>(), prop::bool::weighted(0.2));
    prop::collection::vec(
        step.prop_map(|(minutes, minor, account, pending)| Step { minutes, minor, account, pending }),
        0..80,
    )
}

fn played(steps: &[Step]) -> Books {
    let mut books = books();
    for (number, step) in steps.iter().enumerate() {
        let account = if step.account { "one" } else { "two" };
        let mut entry = simple(&format!("t{number}"), account, step.minor, at(step.minutes));
        if step.pending {
            entry.status = Status::Pending;
        }
        books.post(entry).unwrap();
    }
    books
}

fn pages(books: &Books, mut query: TransactionQuery) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let page = books.transactions(&id("one"), &query).unwrap();
        assert!(page.rows.len() <= query.limit);
        let back = page.previous.map(|after| TransactionQuery { after: Some(after), ..query });
        if let Some(back) = back {
            let newer = books.transactions(&id("one"), &back).unwrap();
            assert_eq!(newer.next, query.after, "the page before leads here");
        }
        seen.extend(page.rows.iter().map(|row| row.transaction.id.to_string()));
        match page.next {
            // As it travels in a link.
            Some(next) => query.after = Some(next.to_string().parse::<Cursor>().unwrap()),
            None => {
                assert_eq!(page.total, seen.len());
                return seen;
            }
        }
    }
}

proptest! {
    #[test]
    fn balances_are_sums_of_postings(steps in steps(), moment in 0u16..220) {
        let books = played(&steps);
        for (name, is_one) in [("one", true), ("two", false)] {
            let mine = |step: &&Step| step.account == is_one && step.minutes <= moment;
            let sum = |pending: bool| -> i64 {
                steps.iter().filter(mine).filter(|step| step.pending == pending).map(|step| step.minor).sum()
            };
            let balances = books.balances(&id(name), at(moment)).unwrap();
            prop_assert_eq!(balances.booked, pounds(sum(false)));
            prop_assert_eq!(balances.pending_credits.minor() - balances.pending_debits.minor(), sum(true));
        }
        prop_assert!(books.balanced());
    }

    #[test]
    fn every_page_size_gives_each_transaction_once_and_in_order(
        steps in steps(), limit in 1usize..30, from in 0u16..200, length in 0u16..200, way in 0u8..3,
    ) {
        let books = played(&steps);
        let direction = [None, Some(Direction::Credit), Some(Direction::Debit)][usize::from(way)];
        let to = from.saturating_add(length);
        let mut expected: Vec<_> = steps.iter().enumerate()
            .filter(|(_, step)| step.account && (from..=to).contains(&step.minutes))
            .filter(|(_, step)| direction.is_none_or(|direction| Direction::of(step.minor) == direction))
            .map(|(number, step)| (step.minutes, number))
            .collect();
        expected.sort_by(|a, b| b.cmp(a));
        let expected: Vec<_> = expected.into_iter().map(|(_, number)| format!("t{number}")).collect();
        let query = TransactionQuery { from: Some(at(from)), to: Some(at(to)), direction, after: None, limit };
        prop_assert_eq!(pages(&books, query), expected);
    }

    #[test]
    fn running_balances_continue_each_other_when_pending_entries_are_settled(steps in steps(), odd in any::<bool>()) {
        let mut books = played(&steps);
        let open: Vec<_> = books.pending().map(|entry| entry.id.clone()).collect();
        for (number, entry) in open.iter().enumerate() {
            if (number % 2 == 0) == odd { books.book(entry, at(100)).unwrap() } else { books.release(entry).unwrap() }
        }
        let query = TransactionQuery { limit: 1000, ..TransactionQuery::default() };
        let page = books.transactions(&id("one"), &query).unwrap();
        let mut running = 0;
        for row in page.rows.iter().rev() {
            running += row.transaction.signed_minor();
            prop_assert_eq!(row.balance_after, Some(pounds(running)));
            prop_assert_eq!(books.transaction(&row.transaction.id), Some(row.clone()));
        }
        prop_assert_eq!(books.balances(&id("one"), at(500)).unwrap().available, pounds(running));
        prop_assert!(books.balanced());
    }

    #[test]
    fn no_text_makes_the_cursor_panic(text in "\\PC{0,60}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
    }
}
