//! How entries come onto the books: posted, kept pending, booked, released.

use super::agenda::Due;
use super::{Books, BooksError, exists, unknown};
use crate::history::{Position, Record, Story};
use crate::{AccountId, Contra, Details, Entry, EntryId, Posting, Status, TransactionId};
use openbanking::money::{Currency, Money};
use std::sync::Arc;
use time::OffsetDateTime;

impl Books {
    /// Applies an entry as a whole, or refuses it and changes nothing. A pending one is booked by
    /// [`Books::run_until`] at its expected time.
    pub fn post(&mut self, entry: Entry) -> Result<(), BooksError> {
        let due = (entry.status == Status::Pending).then(|| (entry.booked_at, Due::Book(entry.id.clone())));
        self.enter(entry)?;
        self.agenda.extend(due);
        Ok(())
    }

    /// Applies a pending entry that waits for [`Books::book`] or [`Books::release`], whatever the time.
    pub(super) fn hold(&mut self, entry: Entry) -> Result<(), BooksError> {
        self.enter(entry)
    }

    fn enter(&mut self, entry: Entry) -> Result<(), BooksError> {
        entry.check()?;
        if !entry.id.fits() {
            return Err(BooksError::Identifier(entry.id.to_string()));
        }
        if self.entries.contains(&entry.id) {
            return Err(exists("entry", &entry.id));
        }
        let turnovers = self.admit(&entry)?;
        for (id, turnover) in turnovers {
            self.ledger_mut(&id)?.turnover = turnover;
        }
        self.entries.insert(entry.id.clone());
        if entry.status == Status::Pending {
            self.pending.insert(entry.id.clone(), entry.clone());
        }
        let Entry { id, made_at, booked_at, value_at, status, postings } = entry;
        for posting in postings {
            match posting {
                Posting::Account { account, amount, details } => {
                    let Details { transaction, kind, counterparty, merchant, card, reference, description, exchange } =
                        *details;
                    let story = Story { kind, counterparty, merchant, card, reference, description };
                    let record = Record {
                        id: transaction,
                        entry: id.clone(),
                        position: Position { booked_at, sequence: self.next_sequence },
                        made_at,
                        value_at,
                        minor: amount.minor(),
                        status,
                        story: self.shared(story),
                        exchange: exchange.map(Box::new),
                    };
                    self.next_sequence += 1;
                    self.write(account, record)?;
                }
                Posting::Contra { contra, amount } => {
                    let (sum, turnover) = self.contra.entry((contra, amount.currency())).or_default();
                    *sum += amount.minor();
                    *turnover += amount.minor().abs();
                }
            }
        }
        Ok(())
    }

    /// The story, in one copy for all rows that tell it.
    fn shared(&mut self, story: Story) -> Arc<Story> {
        if let Some(told) = self.stories.get(&story) {
            return Arc::clone(told);
        }
        let story = Arc::new(story);
        self.stories.insert(Arc::clone(&story));
        story
    }

    /// Checks every line of a balanced entry against the books; returns the turnovers that its accounts would have.
    fn admit(&self, entry: &Entry) -> Result<Vec<(AccountId, i64)>, BooksError> {
        let mut turnovers: Vec<(AccountId, i64)> = Vec::with_capacity(entry.postings.len());
        let mut contra: Vec<(Contra, Currency, i64)> = Vec::new();
        let mut ids: Vec<&TransactionId> = Vec::with_capacity(entry.postings.len());
        for posting in &entry.postings {
            let amount = posting.amount();
            let size = amount.minor().checked_abs();
            let grown = |turnover: i64| size.and_then(|size| turnover.checked_add(size));
            match posting {
                Posting::Account { account, details, .. } => {
                    let ledger = self.ledger(account)?;
                    if ledger.account.currency != amount.currency() {
                        return Err(BooksError::WrongCurrency {
                            account: account.clone(),
                            expected: ledger.account.currency,
                            found: amount.currency(),
                        });
                    }
                    let id = &details.transaction;
                    if !id.fits() {
                        return Err(BooksError::Identifier(id.to_string()));
                    }
                    if self.transactions.contains_key(id) || ids.contains(&id) {
                        return Err(exists("transaction", id));
                    }
                    ids.push(id);
                    let overflow = || BooksError::Overflow(account.to_string());
                    match turnovers.iter_mut().find(|(other, _)| other == account) {
                        Some((_, turnover)) => *turnover = grown(*turnover).ok_or_else(overflow)?,
                        None => turnovers.push((account.clone(), grown(ledger.turnover).ok_or_else(overflow)?)),
                    }
                }
                Posting::Contra { contra: name, .. } => {
                    let overflow = || BooksError::Overflow(format!("{name:?}"));
                    let key = (*name, amount.currency());
                    let now = self.contra.get(&key).map_or(0, |(_, turnover)| *turnover);
                    match contra.iter_mut().find(|(n, c, _)| n == name && *c == amount.currency()) {
                        Some((_, _, turnover)) => *turnover = grown(*turnover).ok_or_else(overflow)?,
                        None => contra.push((*name, amount.currency(), grown(now).ok_or_else(overflow)?)),
                    }
                }
            }
        }
        Ok(turnovers)
    }

    fn write(&mut self, account: AccountId, record: Record) -> Result<(), BooksError> {
        let (id, position) = (record.id.clone(), record.position);
        self.ledger_mut(&account)?.history.insert(record);
        self.transactions.insert(id, (account, position));
        Ok(())
    }

    /// Brings a pending entry onto the books at that moment.
    pub fn book(&mut self, id: &EntryId, at: OffsetDateTime) -> Result<(), BooksError> {
        for transaction in self.take_pending(id)? {
            if let Some((account, position)) = self.transactions.get_mut(&transaction)
                && let Some(ledger) = self.ledgers.get_mut(account)
                && let Some(place) = ledger.history.book(*position, at)
            {
                *position = place;
            }
        }
        Ok(())
    }

    /// Lets a pending entry go, as when a card authorisation is never presented: its transactions disappear.
    pub fn release(&mut self, id: &EntryId) -> Result<(), BooksError> {
        let postings = self.pending.get(id).map(|entry| entry.postings.clone()).unwrap_or_default();
        for transaction in self.take_pending(id)? {
            if let Some((account, position)) = self.transactions.remove(&transaction) {
                self.ledger_mut(&account)?.history.remove_pending(position);
            }
        }
        for posting in postings {
            if let Posting::Contra { contra, amount } = posting
                && let Some((sum, _)) = self.contra.get_mut(&(contra, amount.currency()))
            {
                *sum -= amount.minor();
            }
        }
        Ok(())
    }

    /// Ends the pending life of an entry; returns its transactions.
    fn take_pending(&mut self, id: &EntryId) -> Result<Vec<TransactionId>, BooksError> {
        let entry = self.pending.remove(id).ok_or_else(|| unknown("pending entry", id))?;
        self.agenda.remove(&(entry.booked_at, Due::Book(id.clone())));
        let transaction = |posting: Posting| match posting {
            Posting::Account { details, .. } => Some(details.transaction),
            Posting::Contra { .. } => None,
        };
        Ok(entry.postings.into_iter().filter_map(transaction).collect())
    }

    /// Moves money between two of the bank's own accounts. When the sums would no longer fit, it stays where it is.
    pub(super) fn shift(&mut self, from: Contra, to: Contra, amount: Money) {
        let Some(size) = amount.minor().checked_abs() else { return };
        let grown = |contra| {
            let (sum, turnover) = self.contra.get(&(contra, amount.currency())).copied().unwrap_or_default();
            turnover.checked_add(size).map(|turnover| (sum, turnover))
        };
        let (Some((from_sum, from_turnover)), Some((to_sum, to_turnover))) = (grown(from), grown(to)) else { return };
        self.contra.insert((from, amount.currency()), (from_sum - amount.minor(), from_turnover));
        self.contra.insert((to, amount.currency()), (to_sum + amount.minor(), to_turnover));
    }

    /// The entries that are pending.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.pending.values()
    }
}
