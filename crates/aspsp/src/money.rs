//! The bank's books in use: made from personas and a seed, and kept up with the clock.

use std::{
    path::Path,
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicI64, Ordering},
    },
};

use ledger::{AccountStatus, Books, CustomerId, Personas};
use party::{
    StartError,
    settings::{parse_yaml, read_yaml},
};
use serde::{Deserialize, Serialize};
use store::{Collection, Store};
use time::{Date, OffsetDateTime};

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

/// The books, and when something next happens in them by itself.
pub struct Money {
    books: RwLock<Books>,
    next_due: AtomicI64,
}

impl Money {
    /// Puts books into use.
    #[must_use]
    pub fn new(books: Books) -> Self {
        let next_due = AtomicI64::new(next_due(&books));
        Self { books: RwLock::new(books), next_due }
    }

    /// The books as they are now: what is due happens first.
    pub fn at(&self, now: OffsetDateTime) -> RwLockReadGuard<'_, Books> {
        if now.unix_timestamp() >= self.next_due.load(Ordering::Acquire) {
            let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
            books.run_until(now);
            self.next_due.store(next_due(&books), Ordering::Release);
        }
        self.books.read().unwrap_or_else(PoisonError::into_inner)
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
        let personas = personas(None).unwrap();
        let money = Money::new(ledger::generate(&personas, 1, NOW.date()).unwrap());
        let pending = money.at(NOW).pending().count();
        assert!(pending > 0);
        assert_eq!(money.at(NOW + Duration::days(30)).pending().count(), 0);
        assert!(money.at(NOW + Duration::days(30)).balanced());
    }
}
