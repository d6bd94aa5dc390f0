//! Products and offers of the accounts, and what was paid last.

use super::{Books, BooksError};
use crate::{AccountId, Kind, Row, Services};
use time::OffsetDateTime;

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

    /// The newest payment of that kind to each payee and reference, up to that moment. Direct debits and standing orders
    /// are the kinds that come again and again; there is none of another kind. O(log n) for each of what was paid.
    pub fn last_payments(&self, id: &AccountId, kind: Kind, now: OffsetDateTime) -> Result<Vec<Row>, BooksError> {
        let ledger = self.ledger(id)?;
        Ok(ledger.history.last_of(kind, now, &ledger.account))
    }
}
