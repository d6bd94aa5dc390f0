//! What an account with ten million transactions costs beside one with a thousand: pages, balances, postings, payments.
//!
//! `cargo bench -p ledger`. It needs some gigabytes of memory and prints how many bytes a row takes.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ledger::{
    Account, AccountId, AccountKind, AccountStatus, Action, Address, Books, Command, Contra, Counterparty, Customer,
    CustomerId, Details, Direction, Entry, EntryId, Identification, Kind, OrderId, PaymentOrder, Posting,
    TransactionId, TransactionQuery,
    identification::UkAccount,
    orders::{Execution, Instruction, Limits},
};
use openbanking::money::{Currency, Money};
use time::{Duration, OffsetDateTime, macros::datetime};

const FEW: u32 = 1_000;
const MANY: u32 = 10_000_000;
const START: OffsetDateTime = datetime!(2020-01-01 00:00 UTC);

/// The many, or few enough for a build without optimisation that only wants to see the benchmark run.
fn many() -> u32 {
    if std::env::args().any(|argument| argument == "--test") { MANY / 1_000 } else { MANY }
}

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn account() -> AccountId {
    AccountId::new("account")
}

fn at(row: u32) -> OffsetDateTime {
    START + Duration::seconds(i64::from(row) * 10)
}

fn entry(row: u32) -> Entry {
    let amount = pounds(if row.is_multiple_of(3) { -20 } else { 15 });
    let details = Details {
        counterparty: Some(Counterparty { name: format!("Shop {}", row % 500), account: None }),
        reference: Some(format!("CUSTOMER {}", row % 500)),
        ..Details::new(
            TransactionId::new(format!("transaction-{row:012}")),
            Kind::PaymentReceived,
            format!("SHOP {} CUSTOMER {}", row % 500, row % 500),
        )
    };
    let back = Money::new(-amount.minor(), Currency::GBP);
    let postings = vec![Posting::on(account(), amount, details), Posting::against(Contra::External, back)];
    Entry::booked(EntryId::new(format!("entry-{row:018}")), at(row), postings)
}

/// Books with one account and so many rows on it.
fn books(rows: u32) -> Result<Books, Box<dyn std::error::Error>> {
    let mut books = Books::new();
    books.add_customer(Customer {
        id: CustomerId::new("customer"),
        username: "customer".into(),
        title: String::new(),
        given_name: "Ada".into(),
        family_name: "Fern".into(),
        address: Address {
            lines: vec![],
            town: "Town".into(),
            county: None,
            postcode: "ZZ1".into(),
            country: "GB".into(),
        },
        phone: String::new(),
        email: String::new(),
    })?;
    books.add_account(Account {
        id: account(),
        holders: vec![CustomerId::new("customer")],
        switched: false,
        kind: AccountKind::Current,
        currency: Currency::GBP,
        nickname: String::new(),
        holder_name: "Ada Fern".into(),
        identification: Identification::UkAccount(UkAccount::new("000026", "00000001")?),
        opened: START.date(),
        status: AccountStatus::Enabled,
        credit_line: None,
        signatories: 1,
        limits: Limits::default(),
    })?;
    for row in 0..rows {
        books.post(entry(row))?;
    }
    books.run_until(at(rows));
    Ok(books)
}

/// Bytes of memory that the process occupies, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1_024
}

fn payment(number: u32) -> PaymentOrder {
    let payee = Counterparty { name: "Elsewhere".into(), account: None };
    let instruction = Instruction {
        id: "1".into(),
        end_to_end: None,
        payee,
        instructed: pounds(1),
        conversion: None,
        execution: Execution::Immediate,
        reference: None,
        charges: vec![],
    };
    PaymentOrder {
        id: OrderId::new(format!("order-{number}")),
        debtor: account(),
        ordered_by: CustomerId::new("customer"),
        signatories: 1,
        authorise_before: None,
        instructions: vec![instruction],
        file: false,
    }
}

/// Each operation on all the books, one after the other, so that they are measured under the same conditions.
fn measure(criterion: &mut Criterion, all: &mut [(u32, Books)]) {
    let id = account();
    let newest = TransactionQuery::default();
    let until_middle = |rows| TransactionQuery { to: Some(at(rows / 2)), ..newest };
    let debits = |rows| TransactionQuery { direction: Some(Direction::Debit), ..until_middle(rows) };
    let pages: [(&str, &dyn Fn(u32) -> TransactionQuery); 3] =
        [("newest", &|_| newest), ("from the middle", &until_middle), ("of debits from the middle", &debits)];
    for (name, query) in pages {
        let mut group = criterion.benchmark_group(format!("page of 100, {name}"));
        for (rows, books) in &*all {
            let query = query(*rows);
            group.bench_function(format!("{rows} rows"), |bencher| {
                bencher.iter(|| black_box(books.transactions(&id, black_box(&query))));
            });
        }
    }
    for (name, part) in [("now", 1), ("in the middle", 2)] {
        let mut group = criterion.benchmark_group(format!("balances {name}"));
        for (rows, books) in &*all {
            let moment = at(*rows / part);
            group.bench_function(format!("{rows} rows"), |bencher| {
                bencher.iter(|| black_box(books.balances(&id, black_box(moment))));
            });
        }
    }
    let mut group = criterion.benchmark_group("a payment from order to credit");
    for (rows, books) in &mut *all {
        let (mut number, mut now) = (0, at(*rows));
        group.bench_function(format!("{rows} rows"), |bencher| {
            bencher.iter_batched(
                || {
                    number += 1;
                    now += Duration::MINUTE;
                    Command { at: now, action: Action::Submit(Box::new(payment(number))) }
                },
                |command| {
                    let done = books.apply(&command);
                    books.run_until(command.at + Duration::SECOND * 10);
                    black_box(done)
                },
                BatchSize::PerIteration,
            );
        });
        let paid = books.order(&OrderId::new("order-1")).map(ledger::OrderState::status);
        assert_eq!(paid, Some(ledger::OrderStatus::AcceptedCreditSettlementCompleted));
    }
    group.finish();
    // Last, because it makes the short history long.
    let mut group = criterion.benchmark_group("post an entry");
    for (rows, books) in all {
        // After the payments: an entry in the past would have to move what came later.
        let seconds = (books.now().unwrap_or(START) - START).whole_seconds();
        let mut next = u32::try_from(seconds / 10).unwrap_or(*rows);
        group.bench_function(format!("{rows} rows"), |bencher| {
            bencher.iter_batched(
                || {
                    next += 1;
                    entry(next)
                },
                |entry| black_box(books.post(entry)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

#[expect(
    clippy::print_stderr,
    clippy::panic,
    reason = "a benchmark reports on the terminal and has nobody to return to"
)]
fn long_history(criterion: &mut Criterion) {
    let made = |rows| {
        let (before, begin) = (resident(), std::time::Instant::now());
        match books(rows) {
            Ok(books) => {
                let (bytes, took) = (resident().saturating_sub(before), begin.elapsed());
                eprintln!("{rows} rows posted in {took:?}, {} bytes a row", bytes / u64::from(rows));
                (rows, books)
            }
            Err(error) => panic!("{error}"),
        }
    };
    measure(criterion, &mut [made(FEW), made(many())]);
}

criterion_group!(benches, long_history);
criterion_main!(benches);
