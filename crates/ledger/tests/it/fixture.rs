use ledger::personas::Habit;
use ledger::{
    Account, AccountKind, Books, BooksError, GenerateError, Kind, Personas, Row, Status, TransactionQuery, generate,
};
use openbanking::money::Money;
use std::collections::BTreeSet;
use std::time::Instant;
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};

pub(crate) const DATE: Date = date!(2026 - 11 - 23);
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 00:00 UTC);
const FILE: &str = include_str!("../../../../fixtures/personas.yaml");

pub(crate) fn personas() -> Personas {
    serde_saphyr::from_str(FILE).unwrap()
}

fn rows(books: &Books, account: &Account) -> Vec<Row> {
    let query = TransactionQuery { limit: usize::MAX, ..TransactionQuery::default() };
    books.transactions(&account.id, &query).unwrap().rows
}

fn everything(books: &Books) -> Vec<Row> {
    books.accounts().flat_map(|account| rows(books, account)).collect()
}

#[test]
fn the_fixtures_books_are_lifelike() {
    let books = generate(&personas(), 7, DATE).unwrap();
    assert!(books.balanced());
    let all = everything(&books);
    assert!((2_500..20_000).contains(&all.len()), "{} transactions", all.len());
    let currencies: BTreeSet<_> = books.accounts().map(|account| account.currency.to_string()).collect();
    assert_eq!(currencies, BTreeSet::from(["EUR".into(), "GBP".into()]));
    for customer in books.customers() {
        assert!((2..=5).contains(&books.accounts_of(&customer.id).count()), "{}", customer.username);
    }
    let pending: Vec<_> = all.iter().filter(|row| row.transaction.status == Status::Pending).collect();
    assert!((2..40).contains(&pending.len()), "{} pending", pending.len());
    for row in &pending {
        assert!(row.transaction.made_at < NOW && row.transaction.booked_at >= NOW);
        assert_eq!(row.transaction.kind, Kind::CardPurchase);
    }
    let kinds: BTreeSet<_> = all.iter().map(|row| format!("{:?}", row.transaction.kind)).collect();
    for kind in [
        Kind::Salary,
        Kind::StandingOrder,
        Kind::DirectDebit,
        Kind::CardPurchase,
        Kind::Refund,
        Kind::Fee,
        Kind::CashWithdrawal,
        Kind::Transfer,
        Kind::CardRepayment,
        Kind::CurrencyExchange,
        Kind::Interest,
        Kind::PaymentReceived,
        Kind::PaymentSent,
        Kind::OpeningBalance,
    ] {
        assert!(kinds.contains(&format!("{kind:?}")), "no {kind:?}");
    }
    let ids: BTreeSet<_> = all.iter().map(|row| row.transaction.id.clone()).collect();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn every_account_covers_24_months_and_stays_within_its_credit_line() {
    for seed in 0..20 {
        let books = generate(&personas(), seed, DATE).unwrap();
        for account in books.accounts() {
            let rows = rows(&books, account);
            let months: BTreeSet<_> = rows
                .iter()
                .map(|row| row.transaction.booked_at)
                .filter(|at| *at < NOW)
                .map(|at| (at.year(), u8::from(at.month())))
                .collect();
            // 24 whole months touch 25 calendar months; a currency account may pause in one of them.
            assert!(months.len() >= 23, "seed {seed}, {}: {} months", account.nickname, months.len());
            assert_eq!(months.first(), Some(&(2024, 11)));
            let line = account.credit_line.map_or(0, Money::minor);
            let mut running = 0;
            for row in rows.iter().rev().filter(|row| row.transaction.status == Status::Booked) {
                running += row.transaction.signed_minor();
                let balance = row.balance_after.unwrap().minor();
                assert_eq!(balance, running);
                assert!(
                    balance >= -line,
                    "seed {seed}, {}: {balance} at {}",
                    account.nickname,
                    row.transaction.booked_at
                );
            }
            assert_eq!(books.balances(&account.id, NOW).unwrap().booked.minor(), running);
        }
    }
}

#[test]
fn what_must_be_paid_is_paid_every_month() {
    let personas = personas();
    for seed in 0..20 {
        let books = generate(&personas, seed, DATE).unwrap();
        let all = everything(&books);
        for habit in personas.personas.iter().flat_map(|p| &p.accounts).flat_map(|account| &account.habits) {
            if let Habit::Salary(monthly) | Habit::StandingOrder(monthly) = habit {
                let paid = all
                    .iter()
                    .filter(|row| row.transaction.counterparty.as_ref().is_some_and(|c| c.name == monthly.name));
                assert_eq!(paid.count(), 24, "seed {seed}: {}", monthly.name);
            }
        }
    }
}

#[test]
fn the_same_seed_and_date_make_the_same_books() {
    let (one, two) = (generate(&personas(), 7, DATE).unwrap(), generate(&personas(), 7, DATE).unwrap());
    assert_eq!(everything(&one), everything(&two));
    assert!(one.accounts().eq(two.accounts()));
    let other = generate(&personas(), 8, DATE).unwrap();
    assert_ne!(everything(&one), everything(&other));
    // Accounts keep their identifiers when the date moves.
    let later = generate(&personas(), 7, date!(2027 - 02 - 28)).unwrap();
    assert!(one.accounts().eq(later.accounts()));
}

#[test]
fn a_joint_account_belongs_to_both() {
    let books = generate(&personas(), 7, DATE).unwrap();
    let joint: Vec<_> = books.accounts().filter(|account| account.holders.len() == 2).collect();
    assert_eq!(joint.len(), 2);
    let (together, joint): (Vec<_>, Vec<_>) = joint.into_iter().partition(|account| account.signatories == 2);
    assert_eq!((together.len(), together[0].nickname.as_str()), (1, "Loft conversion"));
    assert_eq!((joint.len(), joint[0].signatories), (1, 1));
    assert_eq!(joint[0].holder_name, "Tobias Ashdown-Vale & Rosalind Ashdown-Vale");
    for holder in &joint[0].holders {
        assert!(books.accounts_of(holder).any(|account| account.id == joint[0].id));
    }
    assert!(books.standing_orders(&joint[0].id).unwrap().iter().any(|order| order.day == 1));
    assert!(books.direct_debits(&joint[0].id).unwrap().len() >= 5);
}

#[test]
fn seasons_and_weekdays_matter() {
    let books = generate(&personas(), 7, DATE).unwrap();
    let all = everything(&books);
    let energy = |month: u8| -> i64 {
        let of = |row: &&Row| {
            row.transaction.description.starts_with("TIDEWHEEL") && u8::from(row.transaction.booked_at.month()) == month
        };
        all.iter().filter(of).map(|row| row.transaction.amount.minor()).sum()
    };
    assert!(energy(1) > energy(7) * 3 / 2);
    let trains = |weekend: bool| {
        all.iter()
            .filter(|row| {
                let commuting = row.transaction.merchant.as_ref().is_some_and(|m| m.category_code == "4111");
                commuting && (row.transaction.made_at.weekday().number_from_monday() > 5) == weekend
            })
            .count()
    };
    assert!(trains(false) > trains(true) * 4);
    // Payments and salaries avoid weekends.
    for row in all.iter().filter(|row| matches!(row.transaction.kind, Kind::Salary | Kind::DirectDebit)) {
        assert!(row.transaction.booked_at.weekday().number_from_monday() <= 5);
    }
}

#[test]
fn a_foreign_purchase_tells_its_rate() {
    let books = generate(&personas(), 7, DATE).unwrap();
    let rows: Vec<_> =
        books.accounts().filter(|a| a.kind == AccountKind::CreditCard).flat_map(|a| rows(&books, a)).collect();
    let mut seen = 0;
    for row in rows.iter().filter(|row| row.transaction.exchange.is_some()) {
        let exchange = row.transaction.exchange.as_ref().unwrap();
        assert_eq!(exchange.instructed.currency(), exchange.source);
        assert_eq!(exchange.target, row.transaction.amount.currency());
        assert_eq!(exchange.rate.convert(exchange.instructed.minor()), Some(row.transaction.amount.minor()));
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn mistakes_in_the_file_are_reported() {
    let read = |from: &str, to: &str| {
        assert!(FILE.contains(from));
        serde_saphyr::from_str::<Personas>(&FILE.replacen(from, to, 1))
    };
    let typo = read("nickname: Everyday", "nicknam: Everyday").unwrap_err().to_string();
    assert!(typo.contains("nicknam"), "{typo}");
    assert!(read("{ name: Pebble Mobile,", "{ nome: Pebble Mobile,").is_err());
    assert!(read("\"246810\"", "\"24681\"").is_err());
    assert!(read("amount: 2685.40", "amount: -2685.40").is_err());
    let made = |from: &str, to: &str| generate(&read(from, to).unwrap(), 7, DATE);
    let wrong = made("to: nora-savings, amount: 325", "to: nobody, amount: 325").unwrap_err();
    assert_eq!(wrong.to_string(), "account nora-current, habit 14: nobody is no other account in the file");
    assert!(matches!(made("day: 28,", "day: 32,"), Err(GenerateError::Habit { number: 1, .. })));
    assert!(matches!(made("shared_with: [rosalind]", "shared_with: [tobias]"), Err(GenerateError::Account { .. })));
    assert!(matches!(made("signatories: 2", "signatories: 3"), Err(GenerateError::Books(BooksError::Signatories(_)))));
    assert!(matches!(made("daily_limit: 5000", "daily_limit: 0"), Err(GenerateError::Books(BooksError::Limit(_)))));
    let varying = made("amount: 1045, day: 1", "amount: 1045 to 1050, day: 1").unwrap_err();
    assert!(varying.to_string().contains("the same amount every month"), "{varying}");
    assert!(matches!(made("  EUR: \"1.1650\"\n", ""), Err(GenerateError::Bank(_))));
    assert!(matches!(made("opened: 2017-09-04", "opened: 2030-09-04"), Err(GenerateError::Account { .. })));
}

#[test]
fn generating_is_fast() {
    let personas = personas();
    let begin = Instant::now();
    let books = generate(&personas, 7, DATE).unwrap();
    let took = begin.elapsed();
    println!("{} transactions in {took:?}", everything(&books).len());
    // Optimised it takes a few milliseconds; the bound only catches work that grows with the square of the history.
    assert!(took.as_secs() < 5, "{took:?}");
}
