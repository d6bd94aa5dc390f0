//! The bank's customers as its login knows them: user name, password, one-time password.

use std::collections::HashMap;

use ledger::{Books, Personas};
use subtle::ConstantTimeEq;

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
        Self { by_username }
    }

    /// The customer with this user name and password. An unknown user name takes as long as a wrong password.
    #[must_use]
    pub fn login(&self, username: &str, password: &str) -> Option<&str> {
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
    pub fn second_factor(&self, customer: &str, one_time_password: &str) -> bool {
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
    use time::macros::date;

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
}
