//! The bank's customers as its login knows them: user name, password, one-time password; and how often they may be wrong.

use std::collections::HashMap;

use ledger::{Books, Personas};
use serde::{Deserialize, Serialize};
use store::{Collection, CommitError, Store};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

/// Wrong attempts in a row after which a login is locked (RTS on SCA, Article 4(3)(b): five at most).
const MOST_FAILURES: u8 = 5;
/// For how long it is locked, from the last wrong attempt that counted.
pub const LOCKED_FOR: Duration = Duration::minutes(15);

/// Where wrong attempts are counted, by customer: on the pages of an authorisation and on the dashboard alike, in whatever
/// browser, and also when the bank starts again.
#[must_use]
pub fn attempts() -> Collection<Attempts> {
    Collection::new("login-attempts")
}

/// Wrong attempts of a customer, or of somebody else in the customer's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many in a row.
    failures: u8,
    /// When the last one was.
    last_at: OffsetDateTime,
}

impl Attempts {
    /// Whether they do not count any more.
    #[must_use]
    pub fn over(&self, now: OffsetDateTime) -> bool {
        self.last_at + LOCKED_FOR <= now
    }
}

/// Why somebody is not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFailure {
    /// User name and password do not belong together.
    Password,
    /// Not the one-time password.
    OneTimePassword,
    /// Not the passcode of the app.
    Passcode,
    /// There were too many wrong ones; the right ones are of no use for now.
    Locked,
}

impl LoginFailure {
    /// What the page says, the same wherever the customer logs in.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Password => "That user name and password do not belong together.",
            Self::OneTimePassword => "That is not the one-time password that we sent.",
            Self::Passcode => "That is not your passcode.",
            Self::Locked => "There were too many wrong attempts. Try again in 15 minutes.",
        }
    }
}

/// What a customer logs in with.
struct Credentials {
    customer: String,
    password: String,
    one_time_password: String,
    phone_ending: String,
}

/// All customers who can log in.
pub struct Customers {
    by_username: HashMap<String, Credentials>,
    /// One attempt at a time: many at once are not more attempts.
    turn: Mutex<()>,
}

impl Customers {
    /// The personas that have a customer in the books.
    #[must_use]
    pub fn new(personas: &Personas, books: &Books) -> Self {
        let by_username = personas
            .personas
            .iter()
            .filter_map(|persona| {
                let customer = books.customer_by_username(&persona.username)?;
                let digits: Vec<char> = persona.phone.chars().filter(char::is_ascii_digit).collect();
                let credentials = Credentials {
                    customer: customer.id.to_string(),
                    password: persona.password.clone(),
                    one_time_password: persona.one_time_password.as_str().to_owned(),
                    phone_ending: digits[digits.len().saturating_sub(3)..].iter().collect(),
                };
                Some((persona.username.clone(), credentials))
            })
            .collect();
        Self { by_username, turn: Mutex::new(()) }
    }

    /// The customer with this user name and password, unless the login is locked.
    ///
    /// # Errors
    /// The store failed.
    pub async fn log_in(
        &self,
        store: &dyn Store,
        (username, password): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Result<String, LoginFailure>, CommitError> {
        let found = self.login(username, password);
        let Some(customer) = found.or_else(|| self.named(username.trim())) else {
            return Ok(Err(LoginFailure::Password));
        };
        let outcome = self.attempt(store, customer, found.is_some(), LoginFailure::Password, now).await?;
        Ok(outcome.map(|()| customer.to_owned()))
    }

    /// Whether this is the customer's one-time password, unless the login is locked. The right one ends the count of wrong
    /// attempts.
    ///
    /// # Errors
    /// The store failed.
    pub async fn confirm(
        &self,
        store: &dyn Store,
        (customer, one_time_password): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Result<(), LoginFailure>, CommitError> {
        self.second(store, (customer, one_time_password), LoginFailure::OneTimePassword, now).await
    }

    /// Whether this is the passcode of the customer's app, on a device that has it. In this simulator the digits are those
    /// of the one-time password; they count as [`Self::confirm`] counts them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn unlock(
        &self,
        store: &dyn Store,
        (customer, passcode): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Result<(), LoginFailure>, CommitError> {
        self.second(store, (customer, passcode), LoginFailure::Passcode, now).await
    }

    async fn second(
        &self,
        store: &dyn Store,
        (customer, typed): (&str, &str),
        failure: LoginFailure,
        now: OffsetDateTime,
    ) -> Result<Result<(), LoginFailure>, CommitError> {
        let right = self.second_factor(customer, typed);
        let outcome = self.attempt(store, customer, right, failure, now).await?;
        if outcome.is_ok() && attempts().get(store, customer).await?.is_some() {
            store.commit(vec![attempts().delete(customer)]).await?;
        }
        Ok(outcome)
    }

    async fn attempt(
        &self,
        store: &dyn Store,
        customer: &str,
        right: bool,
        failure: LoginFailure,
        now: OffsetDateTime,
    ) -> Result<Result<(), LoginFailure>, CommitError> {
        let _turn = self.turn.lock().await;
        let before = attempts().get(store, customer).await?.map(|(attempts, _)| attempts);
        let failures = before.filter(|attempts| !attempts.over(now)).map_or(0, |attempts| attempts.failures);
        if failures >= MOST_FAILURES {
            return Ok(Err(LoginFailure::Locked));
        }
        if right {
            return Ok(Ok(()));
        }
        let counted = Attempts { failures: failures.saturating_add(1), last_at: now };
        store.commit(vec![attempts().put(customer, &counted)?]).await?;
        Ok(Err(failure))
    }

    /// The customer with this user name and password. An unknown user name takes as long as a wrong password.
    #[must_use]
    fn login(&self, username: &str, password: &str) -> Option<&str> {
        let found = self.by_username.get(username.trim());
        let wanted = found.map_or("", |credentials| credentials.password.as_str());
        let right = bool::from(wanted.as_bytes().ct_eq(password.as_bytes()));
        found.filter(|credentials| right && !credentials.password.is_empty()).map(|found| found.customer.as_str())
    }

    /// The customer with this user name, for a login page that has checked everything else.
    #[must_use]
    pub fn named(&self, username: &str) -> Option<&str> {
        self.by_username.get(username).map(|found| found.customer.as_str())
    }

    /// Whether this is the one-time password that the customer was sent.
    #[must_use]
    fn second_factor(&self, customer: &str, one_time_password: &str) -> bool {
        let typed: String = one_time_password.chars().filter(|c| !c.is_whitespace()).collect();
        self.of(customer).is_some_and(|found| found.one_time_password.as_bytes().ct_eq(typed.as_bytes()).into())
    }

    /// The last digits of the customer's phone number.
    #[must_use]
    pub fn phone_ending(&self, customer: &str) -> String {
        self.of(customer).map(|found| found.phone_ending.clone()).unwrap_or_default()
    }

    fn of(&self, customer: &str) -> Option<&Credentials> {
        self.by_username.values().find(|credentials| credentials.customer == customer)
    }
}

#[cfg(test)]
mod tests {
    use store::MemoryStore;
    use time::macros::{date, datetime};

    use super::*;
    use crate::money::personas;

    fn customers() -> Customers {
        let personas = personas(None).unwrap();
        let books = ledger::generate(&personas, 1, date!(2026 - 11 - 23)).unwrap();
        Customers::new(&personas, &books)
    }

    #[test]
    fn both_factors_must_be_right() {
        let customers = customers();
        let customer = customers.login("nora", "lantern-moss-47").unwrap().to_owned();
        assert!(customers.second_factor(&customer, "246 810"));
        assert!(!customers.second_factor(&customer, "246811"));
        assert!(!customers.second_factor("somebody", "246810"));
        assert_eq!(customers.phone_ending(&customer), "101");
    }

    #[test]
    fn neither_an_empty_nor_a_foreign_password_opens() {
        let customers = customers();
        for (username, password) in [("nora", ""), ("nora", "lantern-moss-48"), ("", ""), ("nobody", "")] {
            assert_eq!(customers.login(username, password), None, "{username}/{password}");
        }
    }

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    #[tokio::test]
    async fn five_wrong_attempts_lock_the_login_for_a_while() {
        let (customers, store) = (customers(), MemoryStore::new());
        let nora = customers.named("nora").unwrap();
        let log_in = async |password, now| customers.log_in(&store, ("nora", password), now).await.unwrap();
        for _ in 0..3 {
            assert_eq!(log_in("guess", NOW).await, Err(LoginFailure::Password));
        }
        // The right password alone does not end the count: both factors do.
        assert_eq!(log_in("lantern-moss-47", NOW).await, Ok(nora.to_owned()));
        for _ in 0..2 {
            let confirmed = customers.confirm(&store, (nora, "000000"), NOW).await.unwrap();
            assert_eq!(confirmed, Err(LoginFailure::OneTimePassword));
        }
        let locked = NOW + LOCKED_FOR - Duration::SECOND;
        assert_eq!(log_in("lantern-moss-47", locked).await, Err(LoginFailure::Locked));
        assert_eq!(customers.confirm(&store, (nora, "246810"), locked).await.unwrap(), Err(LoginFailure::Locked));
        assert!(customers.log_in(&store, ("rosalind", "cobalt-thrush-82"), locked).await.unwrap().is_ok());
        assert!(log_in("lantern-moss-47", NOW + LOCKED_FOR).await.is_ok());
    }

    #[tokio::test]
    async fn a_right_one_time_password_ends_the_count() {
        let (customers, store) = (customers(), MemoryStore::new());
        let nora = customers.named("nora").unwrap();
        for _ in 0..4 {
            for _ in 0..4 {
                assert!(customers.log_in(&store, ("nora", "guess"), NOW).await.unwrap().is_err());
            }
            assert_eq!(customers.confirm(&store, (nora, "246810"), NOW).await.unwrap(), Ok(()));
        }
    }

    #[tokio::test]
    async fn nobody_is_counted_for_a_name_that_nobody_has() {
        let (customers, store) = (customers(), MemoryStore::new());
        for _ in 0..20 {
            let failed = customers.log_in(&store, ("nobody", ""), NOW).await.unwrap();
            assert_eq!(failed, Err(LoginFailure::Password));
        }
        assert!(attempts().range(&store, store::Range::all()).await.unwrap().is_empty());
    }
}
