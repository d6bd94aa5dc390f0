//! The bank's books in use: made from personas and a seed, and kept up with the clock.

use std::{
    path::Path,
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicI64, Ordering},
    },
};

use ledger::{AccountStatus, Action, Books, Command, CommandError, CustomerId, OrderId, Personas, orders::Terms};
use party::{
    StartError,
    settings::{parse_yaml, read_yaml},
};
use serde::{Deserialize, Serialize};
use store::{Change, Collection, CommitError, Range, Store, StoreError};
use time::{Date, OffsetDateTime};
use tokio::sync::Mutex;

/// The built-in customers.
const BUILT_IN: &str = include_str!("../../../fixtures/personas.yaml");

/// The personas in this file, or the built-in ones.
///
/// # Errors
/// The file cannot be read or is wrong.
pub fn personas(path: Option<&Path>) -> Result<Personas, StartError> {
    match path {
        Some(path) => Ok(read_yaml(path)?),
        None => parse_yaml(BUILT_IN).map_err(|why| StartError::Configuration(format!("fixtures/personas.yaml: {why}"))),
    }
}

/// The day before which the customers' money was made up. It is kept, because identifiers of transactions depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Reference {
    date: Date,
    seed: u64,
}

const REFERENCE: &str = "reference-date";

/// The reference date of this store; today's when there is none yet.
///
/// # Errors
/// The store was made with another seed, and so with other accounts; or it failed.
pub async fn reference_date(store: &dyn Store, seed: u64, now: OffsetDateTime) -> Result<Date, StartError> {
    let collection: Collection<Reference> = Collection::new("books");
    if let Some((Reference { date, seed: kept }, _)) = collection.get(store, REFERENCE).await? {
        return match kept == seed {
            true => Ok(date),
            false => Err(StartError::Configuration(format!(
                "the customers of this data folder were made with --seed {kept}, not {seed}; use that one, or another folder"
            ))),
        };
    }
    let date = now.date();
    let change = collection.put(REFERENCE, &Reference { date, seed })?;
    store.commit(vec![change]).await.map_err(|error| StartError::Other(format!("cannot use the store: {error}")))?;
    Ok(date)
}

/// Everything that was told to the books, in its order. The books are made anew from it at every start.
fn commands() -> Collection<Command> {
    Collection::new("ledger-commands")
}

/// The books, and when something next happens in them by itself.
pub struct Money {
    books: RwLock<Books>,
    next_due: AtomicI64,
    /// Number of the next command. Commands are carried out one at a time.
    next_command: Mutex<u64>,
}

/// A command was not carried out; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailure {
    /// The books refuse it.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// Something that the commit depends on has changed meanwhile, or the store failed.
    #[error(transparent)]
    NotCommitted(#[from] CommitError),
    /// It cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Money {
    /// Puts books into use.
    #[must_use]
    pub fn new(books: Books) -> Self {
        let next_due = AtomicI64::new(next_due(&books));
        Self { books: RwLock::new(books), next_due, next_command: Mutex::new(0) }
    }

    /// Puts books into use and tells them again what they were told before the bank stopped, on the terms that held then.
    /// From now on these terms hold.
    ///
    /// # Errors
    /// The terms are wrong, or the store failed.
    pub async fn restore(
        mut books: Books,
        store: &dyn Store,
        terms: Terms,
        now: OffsetDateTime,
    ) -> Result<Self, CommandFailure> {
        let told = commands().range(store, Range::all()).await?;
        let first = match told.first().map(|(_, command, _)| &command.action) {
            Some(Action::SetTerms(first)) => first.clone(),
            _ => terms.clone(),
        };
        books.set_terms(first).map_err(CommandError::from)?;
        let mut next = 0;
        let news = told.is_empty();
        for (key, command, _) in told {
            next = key.parse::<u64>().map_or(next, |number| number + 1);
            // What was refused then is refused now.
            if let Err(error) = books.apply(&command) {
                tracing::debug!(%error, key, "a command is refused again");
            }
        }
        let news = news || *books.terms() != terms;
        let money = Self::new(books);
        *money.next_command.lock().await = next;
        if news {
            money.carry_out(store, Action::SetTerms(terms), Vec::new(), now).await?;
        }
        Ok(money)
    }

    /// Carries out a command, in one commit with these changes: either all of it is kept, or nothing.
    ///
    /// # Errors
    /// The books refuse it, or the commit fails.
    pub async fn carry_out(
        &self,
        store: &dyn Store,
        action: Action,
        mut changes: Vec<Change>,
        now: OffsetDateTime,
    ) -> Result<(), CommandFailure> {
        let mut next = self.next_command.lock().await;
        if self.is_due(now) {
            self.run_until(now);
        }
        let command = {
            let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
            let at = books.now().map_or(now, |stand| stand.max(now));
            let command = Command { at, action };
            books.check(&command)?;
            command
        };
        changes.push(commands().insert(format!("{:020}", *next), &command)?);
        store.commit(changes).await?;
        *next += 1;
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = books.apply(&command) {
            tracing::error!(%error, "a command that was checked is refused");
        }
        self.next_due.store(next_due(&books), Ordering::Release);
        Ok(())
    }

    /// Waits until the books know an order whose commit can be seen already.
    pub async fn wait_for(&self, order: &OrderId) {
        let known = self.books.read().unwrap_or_else(PoisonError::into_inner).order(order).is_some();
        if !known {
            // The command is told to the books before the next one may come.
            drop(self.next_command.lock().await);
        }
    }

    /// The books as they are now: what is due happens first.
    pub fn at(&self, now: OffsetDateTime) -> RwLockReadGuard<'_, Books> {
        // While a command is on its way, the time in the books stands still: it happens at the moment that is kept.
        if self.is_due(now)
            && let Ok(_no_command_meanwhile) = self.next_command.try_lock()
        {
            self.run_until(now);
        }
        self.books.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, now: OffsetDateTime) -> bool {
        now.unix_timestamp() >= self.next_due.load(Ordering::Acquire)
    }

    fn run_until(&self, now: OffsetDateTime) {
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        books.run_until(now);
        self.next_due.store(next_due(&books), Ordering::Release);
    }

    /// The accounts that a customer can share: payment accounts in use (PSR 2017, reg. 2; loans are none).
    pub fn payment_accounts(&self, customer: &str, now: OffsetDateTime) -> Vec<String> {
        let customer = CustomerId::new(customer);
        self.at(now)
            .accounts_of(&customer)
            .filter(|account| account.status == AccountStatus::Enabled && account.kind != ledger::AccountKind::Loan)
            .map(|account| account.id.to_string())
            .collect()
    }
}

/// Second in which something next happens.
fn next_due(books: &Books) -> i64 {
    books.next_due().map_or(i64::MAX, OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::{
        Counterparty, OrderStatus, PaymentOrder,
        orders::{Execution, Instruction, Limits},
    };
    use openbanking::money::Currency;
    use store::{BoxFuture, MemoryStore, Stored};
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    #[tokio::test]
    async fn the_reference_date_stays() {
        let store = MemoryStore::default();
        let first = reference_date(&store, 1, NOW).await.unwrap();
        assert_eq!(reference_date(&store, 1, NOW + Duration::days(400)).await.unwrap(), first);
        let refused = reference_date(&store, 2, NOW + Duration::days(1)).await.unwrap_err().to_string();
        assert!(refused.contains("--seed 1, not 2"), "{refused}");
        assert_eq!(reference_date(&store, 1, NOW + Duration::days(1)).await.unwrap(), first);
    }

    fn quiet() -> Books {
        let personas = Personas { habits_go_on: false, ..personas(None).unwrap() };
        ledger::generate(&personas, 1, NOW.date()).unwrap()
    }

    /// The account that can pay most in pounds, and a payment from it.
    fn payment(books: &Books, number: usize, minor: i64) -> Action {
        let held =
            |account: &&ledger::Account| books.balances(&account.id, NOW).map_or(0, |held| held.spendable.minor());
        let payers = books
            .accounts()
            .filter(|account| account.kind.pays() && account.currency == Currency::GBP && account.signatories <= 1);
        let account = payers.max_by_key(held).unwrap();
        let instruction = Instruction {
            id: number.to_string(),
            end_to_end: None,
            payee: Counterparty { name: "Somebody".to_owned(), account: None },
            instructed: openbanking::money::Money::new(minor, Currency::GBP),
            conversion: None,
            execution: Execution::Immediate,
            reference: None,
            charges: Vec::new(),
        };
        Action::Submit(Box::new(PaymentOrder {
            id: order(number),
            debtor: account.id.clone(),
            ordered_by: account.holders[0].clone(),
            signatories: 1,
            authorise_before: None,
            instructions: vec![instruction],
            file: false,
        }))
    }

    fn order(number: usize) -> OrderId {
        OrderId::new(format!("order-{number}"))
    }

    /// Other terms are for what is ordered from now on, also when the books are made anew.
    #[tokio::test]
    async fn what_was_paid_stays_paid_when_the_terms_change() {
        let store = MemoryStore::default();
        let limited = |minor| Terms {
            limits: [(
                Currency::GBP,
                Limits { payment: Some(openbanking::money::Money::new(minor, Currency::GBP)), day: None },
            )]
            .into(),
            ..Terms::default()
        };
        let rejected = |money: &Money, number: usize, at: OffsetDateTime| {
            let books = money.at(at);
            books.order(&order(number)).unwrap().status() == OrderStatus::Rejected
        };
        for (number, minor, told) in [(0, 10_000, 2), (1, 500, 4), (2, 500, 5), (3, 10_000, 7)] {
            let now = NOW + Duration::hours(i64::try_from(number).unwrap());
            let money = Money::restore(quiet(), &store, limited(minor), now).await.unwrap();
            let action = payment(&quiet(), number, 1_000);
            money.carry_out(&store, action, Vec::new(), now).await.unwrap();
            let found: Vec<bool> = (0..=number).map(|one| rejected(&money, one, now + Duration::minutes(1))).collect();
            assert_eq!(found, [false, true, true, false][..=number]);
            assert_eq!(commands().range(&store, Range::all()).await.unwrap().len(), told);
        }
        let wrong = Terms { limits: [(Currency::EUR, limited(5).limits[&Currency::GBP])].into(), ..Terms::default() };
        assert!(Money::restore(quiet(), &store, wrong, NOW + Duration::days(1)).await.is_err());
    }

    /// A store that takes its time to commit.
    #[derive(Default)]
    struct Slow(MemoryStore);

    impl Store for Slow {
        fn get(&self, collection: &str, key: &str) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
            self.0.get(collection, key)
        }

        fn range(&self, collection: &str, range: Range) -> BoxFuture<'_, Result<Vec<(String, Stored)>, StoreError>> {
            self.0.range(collection, range)
        }

        fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), CommitError>> {
            Box::pin(async {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
                self.0.commit(changes).await
            })
        }
    }

    /// While others read and time goes on, each command that was committed is known to the books, and nothing else.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_command_is_lost_while_the_books_are_read() {
        const COMMANDS: usize = 1_000;
        let store = Arc::new(Slow::default());
        let books = quiet();
        let money = Money::restore(books.clone(), &*store, Terms::default(), NOW).await.unwrap();
        let (money, passed) = (Arc::new(money), Arc::new(AtomicI64::new(0)));
        let now = |passed: &AtomicI64| NOW + Duration::seconds(passed.fetch_add(1, Ordering::Relaxed));
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (money, passed) = (Arc::clone(&money), Arc::clone(&passed));
                tokio::spawn(async move {
                    loop {
                        let _ = money.at(now(&passed)).pending().count();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for number in 0..COMMANDS {
            let action = payment(&books, number, 1);
            // The moment of a request is older than that of the readers that overtake it.
            money.carry_out(&*store, action, Vec::new(), NOW).await.unwrap();
            tokio::task::yield_now().await;
        }
        for reader in readers {
            reader.abort();
        }
        let told = commands().range(&*store, Range::all()).await.unwrap().len();
        let books = money.at(now(&passed));
        let known = (0..COMMANDS).filter(|number| books.order(&order(*number)).is_some()).count();
        assert_eq!((known, told), (COMMANDS, COMMANDS + 1));
    }

    #[test]
    fn what_is_pending_is_booked_when_its_time_comes() {
        let personas = Personas { habits_go_on: false, ..personas(None).unwrap() };
        let money = Money::new(ledger::generate(&personas, 1, NOW.date()).unwrap());
        let pending = money.at(NOW).pending().count();
        assert!(pending > 0);
        assert_eq!(money.at(NOW + Duration::days(30)).pending().count(), 0);
        assert!(money.at(NOW + Duration::days(30)).balanced());
    }
}
