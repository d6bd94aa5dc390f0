//! Products and offers of the accounts, and what was paid last.

use super::{Books, BooksError};
use crate::{AccountId, Kind, Row, Services};
use time::OffsetDateTime;

/// How many of the newest transactions are searched for the last payment under a mandate.
const RECENT: usize = 2_000;

static NONE: Services = Services { product: None, offers: Vec::new() };

impl Books {
    /// Records what else the bank does for an account, instead of what was recorded before.
    pub fn set_services(&mut self, id: &AccountId, services: Services) -> Result<(), BooksError> {
        self.ledger(id)?;
        self.services.insert(id.clone(), services);
        Ok(())
    }

    /// What else the bank does for the account.
    pub fn services(&self, id: &AccountId) -> Result<&Services, BooksError> {
        self.ledger(id)?;
        Ok(self.services.get(id).unwrap_or(&NONE))
    }

    /// The newest payment of that kind to each payee and reference, among the newest transactions up to that moment.
    pub fn last_payments(&self, id: &AccountId, kind: Kind, now: OffsetDateTime) -> Result<Vec<Row>, BooksError> {
        let ledger = self.ledger(id)?;
        Ok(ledger.history.last_of(kind, now, RECENT, &ledger.account))
    }
}
