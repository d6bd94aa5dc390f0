//! The bank's books in use: made from personas and a seed, and kept up with the clock.

use std::{
    path::Path,
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicI64, Ordering},
    },
};

use ledger::{AccountStatus, Action, Books, Command, CommandError, CustomerId, OrderId, Personas};
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

/// The reference date of this store; today's when there is none yet, or when the seed is another one.
///
/// # Errors
/// The store failed.
pub async fn reference_date(store: &dyn Store, seed: u64, now: OffsetDateTime) -> Result<Date, StartError> {
    let collection: Collection<Reference> = Collection::new("books");
    if let Some((kept, _)) = collection.get(store, REFERENCE).await?
        && kept.seed == seed
    {
        return Ok(kept.date);
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

    /// Puts books into use and tells them again what they were told before the bank stopped.
    ///
    /// # Errors
    /// The store failed.
    pub async fn restore(mut books: Books, store: &dyn Store) -> Result<Self, StoreError> {
        let mut next = 0;
        for (key, command, _) in commands().range(store, Range::all()).await? {
            next = key.parse::<u64>().map_or(next, |number| number + 1);
            // What was refused then is refused now.
            if let Err(error) = books.apply(&command) {
                tracing::debug!(%error, key, "a command is refused again");
            }
        }
        let money = Self::new(books);
        *money.next_command.lock().await = next;
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
        if self.is_due(now) && self.next_command.try_lock().is_ok() {
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
    use store::MemoryStore;
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    #[tokio::test]
    async fn the_reference_date_stays() {
        let store = MemoryStore::default();
        let first = reference_date(&store, 1, NOW).await.unwrap();
        assert_eq!(reference_date(&store, 1, NOW + Duration::days(400)).await.unwrap(), first);
        let later = NOW + Duration::days(1);
        assert_eq!(reference_date(&store, 2, later).await.unwrap(), later.date());
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
