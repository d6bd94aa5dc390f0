//! The people who hold accounts.

use serde::{Deserialize, Serialize};

crate::identifier! {
    /// Names a customer; made by the bank and never reused.
    CustomerId
}

/// A customer of the bank. The login secrets are kept by the caller, not in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Made by the bank.
    pub id: CustomerId,
    /// The name that the customer types at the bank's login page; unique in the books.
    pub username: String,
    /// Form of address, such as "Ms"; may be empty.
    pub title: String,
    /// First names.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// Where the customer lives.
    pub address: Address,
    /// International form, such as "+44 7700 900123".
    pub phone: String,
    /// Electronic mail address.
    pub email: String,
}

impl Customer {
    /// First and last name, as a letter would be addressed.
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// House and street, one or more lines.
    pub lines: Vec<String>,
    /// Post town.
    pub town: String,
    /// County or region, where one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
    /// Postcode.
    pub postcode: String,
    /// ISO 3166-1 alpha-2 code, such as "GB".
    pub country: String,
}
