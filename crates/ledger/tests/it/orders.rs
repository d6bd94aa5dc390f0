//! Payment orders: a small bank, and the tests on it.

mod lives;
mod properties;
mod rejections;
mod returns;
mod signatories;
mod standing;

use ledger::orders::{Charge, Conversion, Execution, Instruction, Limits, Payment, PaymentOrder, Terms, Timing};
use ledger::{
    Account, AccountId, AccountKind, AccountStatus, Action, Address, Books, BooksError, Command, CommandError, Contra,
    Counterparty, Customer, CustomerId, Details, Entry, EntryId, Identification, Kind, OrderId, OrderState,
    OrderStatus, Posting, Rejection, Row, TransactionId, TransactionQuery,
    identification::{Iban, UkAccount},
};
use openbanking::money::{Currency, Money};
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

/// A Monday.
const START: OffsetDateTime = datetime!(2026-11-23 09:00 UTC);
/// Each account but the loan holds so much at the beginning, in its own currency.
const HELD: i64 = 100_000;
const SORT_CODE: &str = "000026";
/// Account numbers in the order of [`ACCOUNTS`].
const NUMBERS: [&str; 5] = ["00000001", "00000002", "00000003", "00000004", "00000005"];
const ACCOUNTS: [&str; 5] = ["ada", "ben", "joint", "euro", "loan"];

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn id(name: &str) -> AccountId {
    AccountId::new(name)
}

fn after(seconds: i64) -> OffsetDateTime {
    START + Duration::seconds(seconds)
}

fn customer(name: &str) -> Customer {
    let address =
        Address { lines: vec![], town: "Town".into(), county: None, postcode: "ZZ1".into(), country: "GB".into() };
    Customer {
        id: CustomerId::new(name),
        username: name.into(),
        title: String::new(),
        given_name: name.into(),
        family_name: "Fern".into(),
        address,
        phone: "+44 7700 900000".into(),
        email: format!("{name}@example.com"),
    }
}

fn number(digits: &str) -> Identification {
    let number = UkAccount::new(SORT_CODE, digits).unwrap();
    let iban = Iban::of_uk_account("OBSM", &number).unwrap();
    Identification::SortCode { number, iban }
}

fn account(name: &str) -> Account {
    let index = ACCOUNTS.iter().position(|other| *other == name).unwrap();
    let (holders, signatories): (&[&str], u8) = match name {
        "ben" => (&["ben"], 1),
        "joint" => (&["ada", "ben"], 2),
        _ => (&["ada"], 1),
    };
    Account {
        id: id(name),
        holders: holders.iter().map(|holder| CustomerId::new(*holder)).collect(),
        switched: false,
        kind: match name {
            "euro" => AccountKind::CurrencyCurrent,
            "loan" => AccountKind::Loan,
            _ => AccountKind::Current,
        },
        currency: if name == "euro" { Currency::EUR } else { Currency::GBP },
        nickname: name.into(),
        holder_name: format!("{name} fern"),
        identification: number(NUMBERS[index]),
        opened: date!(2020 - 01 - 01),
        status: AccountStatus::Enabled,
        credit_line: None,
        signatories,
        limits: Limits::default(),
    }
}

/// A bank at [`START`] whose accounts hold [`HELD`].
/// Changes the timing and leaves the limits.
fn set_timing(books: &mut Books, timing: Timing) {
    books.set_terms(Terms { timing, ..books.terms().clone() }).unwrap();
}

/// Changes the limits in one currency and leaves the rest.
fn set_limits(books: &mut Books, currency: Currency, limits: Limits) -> Result<(), BooksError> {
    let mut terms = books.terms().clone();
    terms.limits.insert(currency, limits);
    books.set_terms(terms)
}

fn bank() -> Books {
    let mut books = Books::new();
    for name in ["ada", "ben", "eve"] {
        books.add_customer(customer(name)).unwrap();
    }
    for name in ACCOUNTS {
        books.add_account(account(name)).unwrap();
        let held = Money::new(HELD, account(name).currency);
        let details = Details::new(TransactionId::new(format!("{name} opening")), Kind::OpeningBalance, "OPENING");
        let postings = vec![
            Posting::on(id(name), held, details),
            Posting::against(Contra::Opening, Money::new(-HELD, held.currency())),
        ];
        let day = START - Duration::days(30);
        books.post(Entry::booked(EntryId::new(format!("{name} opening")), day, postings)).unwrap();
    }
    books.run_until(START);
    books
}

/// Somebody at another bank.
fn elsewhere() -> Counterparty {
    let account = Identification::UkAccount(UkAccount::new("000099", "12345678").unwrap());
    Counterparty { name: "Marrow Lettings".into(), account: Some(account) }
}

/// The holder of an account of this bank.
fn holder_of(name: &str) -> Counterparty {
    Counterparty { name: format!("{name} fern"), account: Some(account(name).identification) }
}

fn instruction(payee: Counterparty, instructed: Money, execution: Execution) -> Instruction {
    Instruction {
        id: "1".into(),
        end_to_end: Some("E2E".into()),
        payee,
        instructed,
        conversion: None,
        execution,
        reference: Some("REF".into()),
        charges: vec![],
    }
}

fn order(name: &str, debtor: &str, instruction: Instruction) -> PaymentOrder {
    PaymentOrder {
        id: OrderId::new(name),
        debtor: id(debtor),
        ordered_by: account(debtor).holders[0].clone(),
        signatories: account(debtor).signatories,
        authorise_before: None,
        instructions: vec![instruction],
        file: false,
    }
}

/// An immediate payment of pounds to somebody elsewhere.
fn simple(name: &str, debtor: &str, minor: i64) -> PaymentOrder {
    order(name, debtor, instruction(elsewhere(), pounds(minor), Execution::Immediate))
}

fn apply(books: &mut Books, at: OffsetDateTime, action: Action) -> Result<(), CommandError> {
    let command = Command { at, action };
    let checked = {
        let mut then = books.clone();
        then.run_until(at);
        then.check(&command)
    };
    let applied = books.apply(&command);
    assert_eq!(checked.is_ok(), applied.is_ok(), "{checked:?}, {applied:?}: {command:?}");
    applied
}

fn submit(books: &mut Books, at: OffsetDateTime, order: PaymentOrder) -> Result<(), CommandError> {
    apply(books, at, Action::Submit(Box::new(order)))
}

fn state<'a>(books: &'a Books, name: &str) -> &'a OrderState {
    books.order(&OrderId::new(name)).unwrap()
}

fn statuses(state: &OrderState) -> Vec<OrderStatus> {
    state.history.iter().map(|change| change.status).collect()
}

fn payments<'a>(books: &'a Books, name: &str) -> &'a [Payment] {
    &state(books, name).instructions[0].payments
}

fn booked(books: &Books, name: &str, at: OffsetDateTime) -> i64 {
    books.balances(&id(name), at).unwrap().booked.minor()
}

fn rows(books: &Books, name: &str) -> Vec<Row> {
    let query = TransactionQuery { limit: 10_000, ..TransactionQuery::default() };
    books.transactions(&id(name), &query).unwrap().rows
}

/// The rejection of an order that was submitted now, `None` when it was accepted.
fn rejection(books: &mut Books, order: PaymentOrder) -> Option<Rejection> {
    let name = order.id.to_string();
    let at = books.now().unwrap();
    submit(books, at, order).unwrap();
    let state = state(books, &name);
    let failed = matches!(state.status(), OrderStatus::Rejected | OrderStatus::InitiationFailed);
    assert_eq!(failed, state.reason().is_some());
    state.reason()
}

fn conversion(rate: &str, transfer: Currency) -> Option<Conversion> {
    Some(Conversion { transfer, rate: rate.parse().unwrap() })
}

fn charge(minor: i64) -> Charge {
    Charge { description: "CHAPS FEE".into(), amount: pounds(minor) }
}

fn explicit() -> Timing {
    Timing { steps: ledger::orders::Steps::Explicit, ..Timing::default() }
}
