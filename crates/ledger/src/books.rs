//! All books of the bank in one value. The caller keeps it behind a lock.

mod agenda;
mod commands;
mod judgement;
mod payments;
mod posting;
mod queries;
mod services;
mod standing;

use crate::generate::life::Living;
use crate::history::{History, Position, Story};
use crate::orders::{OrderId, OrderState, Terms};
use crate::{
    Account, AccountId, AccountStatus, Beneficiary, Contra, Customer, CustomerId, DirectDebit, Entry, EntryError,
    EntryId, Page, Row, Services, StandingOrder, TransactionId, TransactionQuery,
};
pub(crate) use agenda::Due;
use judgement::{numbers, ranges};
use openbanking::money::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use thiserror::Error;
use time::{Date, OffsetDateTime};

/// Why the books refuse.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BooksError {
    /// The identifier is empty or longer than 40 characters.
    #[error("the identifier {0:?} must have 1 to 40 characters")]
    Identifier(String),
    /// The identifier (or username) is taken.
    #[error("{what} {id} exists already")]
    Exists {
        /// What is identified.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// Nothing has that identifier.
    #[error("there is no {what} {id}")]
    Unknown {
        /// What is identified.
        what: &'static str,
        /// The identifier.
        id: String,
    },
    /// An account without holders.
    #[error("account {0} has no holder")]
    NoHolder(AccountId),
    /// A credit line that is negative or in another currency than its account.
    #[error("the credit line of account {0} must be in the account's currency and not negative")]
    CreditLine(AccountId),
    /// A limit that is not above zero or in another currency than its account.
    #[error("the limits of account {0} must be in the account's currency and above zero")]
    Limit(AccountId),
    /// Fewer holders than are to authorise a payment.
    #[error("account {0} has fewer holders than signatories, or no signatory")]
    Signatories(AccountId),
    /// A posting in another currency than its account.
    #[error("account {account} is kept in {expected}, the posting is in {found}")]
    WrongCurrency {
        /// The account.
        account: AccountId,
        /// Its currency.
        expected: Currency,
        /// The posting's currency.
        found: Currency,
    },
    /// The set of postings is no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// More money than the books can count.
    #[error("the sums of account {0} would no longer fit")]
    Overflow(String),
}

pub use queries::{ScheduledPayment, StandingInstruction};

/// What an account holds at a moment; all in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Sum of everything booked.
    pub booked: Money,
    /// Announced and not yet booked credits; positive. They count nowhere else until they are booked.
    pub pending_credits: Money,
    /// Announced and not yet booked debits; positive.
    pub pending_debits: Money,
    /// Booked less pending debits.
    pub available: Money,
    /// What can be spent: `available` plus the credit line.
    pub spendable: Money,
    /// The credit line.
    pub credit_line: Option<Money>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Ledger {
    account: Account,
    history: History,
    /// The last day on which something was paid by order, and how much of it was not rejected.
    ordered: Option<(Date, i64)>,
    orders: Vec<OrderId>,
    /// Sum of the sizes of all postings: while it fits into an `i64`, so does every balance, in any order.
    turnover: i64,
    standing_orders: Vec<StandingOrder>,
    direct_debits: Vec<DirectDebit>,
    beneficiaries: Vec<Beneficiary>,
}

/// Everything that the bank has written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    customers: BTreeMap<CustomerId, Customer>,
    usernames: HashMap<String, CustomerId>,
    holdings: HashMap<CustomerId, Vec<AccountId>>,
    ledgers: BTreeMap<AccountId, Ledger>,
    contra: BTreeMap<(Contra, Currency), (i64, i64)>,
    entries: HashSet<EntryId>,
    transactions: HashMap<TransactionId, (AccountId, Position)>,
    stories: HashSet<Arc<Story>>,
    pending: BTreeMap<EntryId, Entry>,
    services: BTreeMap<AccountId, Services>,
    next_sequence: u64,
    /// Accounts by their numbers: sort code and account number, IBAN, card number.
    numbers: HashMap<String, AccountId>,
    /// The beginnings of numbers that only this bank gives.
    ranges: HashSet<String>,
    orders: BTreeMap<OrderId, OrderState>,
    /// What happens by itself, in the order in which it does.
    agenda: BTreeSet<(OffsetDateTime, Due)>,
    now: Option<OffsetDateTime>,
    terms: Terms,
    pub(crate) living: Living,
}

fn unknown(what: &'static str, id: &impl ToString) -> BooksError {
    BooksError::Unknown { what, id: id.to_string() }
}

fn exists(what: &'static str, id: &impl ToString) -> BooksError {
    BooksError::Exists { what, id: id.to_string() }
}

impl Books {
    /// Empty books.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a customer; identifier and username must be new.
    pub fn add_customer(&mut self, customer: Customer) -> Result<(), BooksError> {
        if !customer.id.fits() {
            return Err(BooksError::Identifier(customer.id.to_string()));
        }
        if self.customers.contains_key(&customer.id) {
            return Err(exists("customer", &customer.id));
        }
        if self.usernames.contains_key(&customer.username) {
            return Err(exists("username", &customer.username));
        }
        self.usernames.insert(customer.username.clone(), customer.id.clone());
        self.customers.insert(customer.id.clone(), customer);
        Ok(())
    }

    /// Adds an account; its holders must be customers.
    pub fn add_account(&mut self, account: Account) -> Result<(), BooksError> {
        if !account.id.fits() {
            return Err(BooksError::Identifier(account.id.to_string()));
        }
        if self.ledgers.contains_key(&account.id) {
            return Err(exists("account", &account.id));
        }
        if account.holders.is_empty() {
            return Err(BooksError::NoHolder(account.id));
        }
        if let Some(stranger) = account.holders.iter().find(|holder| !self.customers.contains_key(holder)) {
            return Err(unknown("customer", stranger));
        }
        if account.credit_line.is_some_and(|line| line.currency() != account.currency || line.minor() < 0) {
            return Err(BooksError::CreditLine(account.id));
        }
        if !account.limits.fit(account.currency) {
            return Err(BooksError::Limit(account.id));
        }
        if account.signatories == 0 || usize::from(account.signatories) > account.holders.len() {
            return Err(BooksError::Signatories(account.id));
        }
        let numbers = numbers(&account.identification);
        if let Some(taken) = numbers.iter().find(|number| self.numbers.contains_key(*number)) {
            return Err(exists("account number", taken));
        }
        self.ranges.extend(ranges(&account.identification));
        self.numbers.extend(numbers.into_iter().map(|number| (number, account.id.clone())));
        for holder in &account.holders {
            let held = self.holdings.entry(holder.clone()).or_default();
            if !held.contains(&account.id) {
                held.push(account.id.clone());
            }
        }
        let id = account.id.clone();
        let ledger = Ledger {
            account,
            history: History::default(),
            ordered: None,
            orders: Vec::new(),
            turnover: 0,
            standing_orders: Vec::new(),
            direct_debits: Vec::new(),
            beneficiaries: Vec::new(),
        };
        self.ledgers.insert(id, ledger);
        Ok(())
    }

    /// The customer with that identifier.
    pub fn customer(&self, id: &CustomerId) -> Option<&Customer> {
        self.customers.get(id)
    }

    /// The customer who logs in with that name.
    pub fn customer_by_username(&self, username: &str) -> Option<&Customer> {
        self.customers.get(self.usernames.get(username)?)
    }

    /// All customers.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.customers.values()
    }

    /// All accounts, in the order of their identifiers.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.ledgers.values().map(|ledger| &ledger.account)
    }

    /// The accounts that the customer holds, alone or with others, in the order in which they were added; closed ones
    /// too.
    pub fn accounts_of(&self, customer: &CustomerId) -> impl Iterator<Item = &Account> {
        self.holdings.get(customer).into_iter().flatten().filter_map(|id| self.account(id))
    }

    /// The account with that identifier.
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.ledgers.get(id).map(|ledger| &ledger.account)
    }

    /// Blocks, unblocks or closes an account.
    pub fn set_status(&mut self, id: &AccountId, status: AccountStatus) -> Result<(), BooksError> {
        self.ledger_mut(id)?.account.status = status;
        Ok(())
    }

    fn ledger(&self, id: &AccountId) -> Result<&Ledger, BooksError> {
        self.ledgers.get(id).ok_or_else(|| unknown("account", id))
    }

    /// The account's history, for what is computed from it elsewhere, and its currency.
    pub(crate) fn history(&self, id: &AccountId) -> Result<(&History, Currency), BooksError> {
        self.ledger(id).map(|ledger| (&ledger.history, ledger.account.currency))
    }

    fn ledger_mut(&mut self, id: &AccountId) -> Result<&mut Ledger, BooksError> {
        self.ledgers.get_mut(id).ok_or_else(|| unknown("account", id))
    }

    /// The balances at that moment, as far as is known now: an entry that was pending then and is booked since counts
    /// from its booking. O(log n).
    pub fn balances(&self, id: &AccountId, at: OffsetDateTime) -> Result<Balances, BooksError> {
        let ledger = self.ledger(id)?;
        let money = |minor| Money::new(minor, ledger.account.currency);
        let booked = ledger.history.booked_at(at);
        let (credits, debits) = ledger.history.pending_at(at);
        let line = ledger.account.credit_line.map_or(0, Money::minor);
        Ok(Balances {
            booked: money(booked),
            pending_credits: money(credits),
            pending_debits: money(debits),
            available: money(booked.saturating_sub(debits)),
            spendable: money(booked.saturating_sub(debits).saturating_add(line)),
            credit_line: ledger.account.credit_line,
        })
    }

    /// What the account holds once everything that is pending is booked; zero when there is no such account.
    pub(crate) fn in_the_end(&self, id: &AccountId) -> i64 {
        self.ledgers.get(id).map_or(0, |ledger| ledger.history.in_the_end())
    }

    /// True when the account could pay that amount at that moment: it is in use and has the money. The amount must be in the
    /// account's currency.
    pub fn can_pay(&self, id: &AccountId, amount: Money, at: OffsetDateTime) -> Result<bool, BooksError> {
        let spendable = self.balances(id, at)?.spendable;
        if spendable.currency() != amount.currency() {
            let (account, found) = (id.clone(), amount.currency());
            return Err(BooksError::WrongCurrency { account, expected: spendable.currency(), found });
        }
        let enabled = self.ledger(id)?.account.status == AccountStatus::Enabled;
        Ok(enabled && spendable.minor() >= amount.minor())
    }

    /// A page of the account's transactions, newest first. Costs O(log n) and the page's rows.
    pub fn transactions(&self, id: &AccountId, query: &TransactionQuery) -> Result<Page, BooksError> {
        let ledger = self.ledger(id)?;
        Ok(ledger.history.page(query, &ledger.account))
    }

    /// One transaction with the balance after it.
    pub fn transaction(&self, id: &TransactionId) -> Option<Row> {
        let (account, position) = self.transactions.get(id)?;
        let ledger = self.ledgers.get(account)?;
        ledger.history.row_at(*position, &ledger.account)
    }

    /// The oldest and the newest booking time on the account.
    pub fn span(&self, id: &AccountId) -> Result<Option<(OffsetDateTime, OffsetDateTime)>, BooksError> {
        Ok(self.ledger(id)?.history.span())
    }

    /// Sum of everything posted against a bank's own account in a currency, pending entries included.
    pub fn contra(&self, contra: Contra, currency: Currency) -> Money {
        let sum = self.contra.get(&(contra, currency)).map_or(0, |(sum, _)| *sum);
        Money::new(sum, currency)
    }

    /// True when all accounts of the bank add up to zero in every currency, as double entry demands.
    pub fn balanced(&self) -> bool {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for ((_, currency), (sum, _)) in &self.contra {
            *sums.entry(*currency).or_default() += i128::from(*sum);
        }
        for ledger in self.ledgers.values() {
            *sums.entry(ledger.account.currency).or_default() += i128::from(ledger.history.in_the_end());
        }
        sums.values().all(|sum| *sum == 0)
    }

    /// Records a standing order.
    pub fn add_standing_order(&mut self, order: StandingOrder) -> Result<(), BooksError> {
        self.ledger_mut(&order.account)?.standing_orders.push(order);
        Ok(())
    }

    /// Records a direct debit mandate.
    pub fn add_direct_debit(&mut self, mandate: DirectDebit) -> Result<(), BooksError> {
        self.ledger_mut(&mandate.account)?.direct_debits.push(mandate);
        Ok(())
    }

    /// Records a beneficiary.
    pub fn add_beneficiary(&mut self, beneficiary: Beneficiary) -> Result<(), BooksError> {
        self.ledger_mut(&beneficiary.account)?.beneficiaries.push(beneficiary);
        Ok(())
    }

    /// The account's standing orders.
    pub fn standing_orders(&self, id: &AccountId) -> Result<&[StandingOrder], BooksError> {
        Ok(&self.ledger(id)?.standing_orders)
    }

    /// The account's direct debit mandates.
    pub fn direct_debits(&self, id: &AccountId) -> Result<&[DirectDebit], BooksError> {
        Ok(&self.ledger(id)?.direct_debits)
    }

    /// The account's beneficiaries.
    pub fn beneficiaries(&self, id: &AccountId) -> Result<&[Beneficiary], BooksError> {
        Ok(&self.ledger(id)?.beneficiaries)
    }
}
