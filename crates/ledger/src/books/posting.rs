//! How entries come onto the books: posted, kept pending, booked, released.

use super::agenda::Due;
use super::{Books, BooksError, exists, unknown};
use crate::history::Position;
use crate::{AccountId, Contra, Direction, Entry, EntryId, Posting, Status, Transaction, TransactionId};
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
        for posting in &entry.postings {
            match posting {
                Posting::Account { account, amount, details } => {
                    let transaction = Transaction {
                        id: details.transaction.clone(),
                        entry: entry.id.clone(),
                        account: account.clone(),
                        sequence: self.next_sequence,
                        made_at: entry.made_at,
                        booked_at: entry.booked_at,
                        value_at: entry.value_at,
                        amount: Money::new(amount.minor().abs(), amount.currency()),
                        direction: Direction::of(amount.minor()),
                        status: entry.status,
                        kind: details.kind,
                        counterparty: details.counterparty.clone(),
                        merchant: details.merchant.clone(),
                        card: details.card.clone(),
                        reference: details.reference.clone(),
                        description: details.description.clone(),
                        exchange: details.exchange.clone(),
                    };
                    self.next_sequence += 1;
                    self.write(transaction)?;
                }
                Posting::Contra { contra, amount } => {
                    let (sum, turnover) = self.contra.entry((*contra, amount.currency().to_string())).or_default();
                    *sum += amount.minor();
                    *turnover += amount.minor().abs();
                }
            }
        }
        self.entries.insert(entry.id.clone());
        if entry.status == Status::Pending {
            self.pending.insert(entry.id.clone(), entry);
        }
        Ok(())
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
                    let key = (*name, amount.currency().to_string());
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

    fn write(&mut self, transaction: Transaction) -> Result<(), BooksError> {
        let position = Position { booked_at: transaction.booked_at, sequence: transaction.sequence };
        let (id, account) = (transaction.id.clone(), transaction.account.clone());
        self.ledger_mut(&account)?.history.insert(Arc::new(transaction));
        self.transactions.insert(id, (account, position));
        Ok(())
    }

    /// Brings a pending entry onto the books at that moment.
    pub fn book(&mut self, id: &EntryId, at: OffsetDateTime) -> Result<(), BooksError> {
        for mut transaction in self.take_pending(id)? {
            transaction.status = Status::Booked;
            transaction.booked_at = at;
            transaction.value_at = at;
            self.write(transaction)?;
        }
        Ok(())
    }

    /// Lets a pending entry go, as when a card authorisation is never presented: its transactions disappear.
    pub fn release(&mut self, id: &EntryId) -> Result<(), BooksError> {
        let entry = self.pending.get(id).cloned().ok_or_else(|| unknown("pending entry", id))?;
        self.take_pending(id)?;
        for posting in entry.postings {
            if let Posting::Contra { contra, amount } = posting
                && let Some((sum, _)) = self.contra.get_mut(&(contra, amount.currency().to_string()))
            {
                *sum -= amount.minor();
            }
        }
        Ok(())
    }

    fn take_pending(&mut self, id: &EntryId) -> Result<Vec<Transaction>, BooksError> {
        let entry = self.pending.remove(id).ok_or_else(|| unknown("pending entry", id))?;
        self.agenda.remove(&(entry.booked_at, Due::Book(id.clone())));
        let mut taken = Vec::with_capacity(entry.postings.len());
        for posting in &entry.postings {
            if let Posting::Account { details, .. } = posting
                && let Some((account, position)) = self.transactions.remove(&details.transaction)
                && let Some(transaction) = self.ledger_mut(&account)?.history.remove_pending(position)
            {
                taken.push(Arc::unwrap_or_clone(transaction));
            }
        }
        Ok(taken)
    }

    /// The entries that are pending.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.pending.values()
    }
}
