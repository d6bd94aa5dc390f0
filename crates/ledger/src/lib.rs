//! The bank's books: customers, accounts, transactions, and how they move in time.
//!
//! Everything is double entry: an [`Entry`] is a balanced set of postings, on customers' accounts and on the bank's
//! [`Contra`] accounts, and every balance is a sum of postings. [`Books`] has no clock and no randomness of its
//! own: times and identifiers come with the calls, so that the same calls make the same books.
//!
//! What customers decide comes as a [`Command`]; what follows from it in time ([`orders`]: settlement, scheduled payments,
//! standing orders) happens in [`Books::run_until`]. A bank keeps the commands and makes its books again from them.
//!
//! [`generate`] fills the books with two years of lifelike money from [`Personas`], the data that a user edits.

mod account;
mod books;
mod calendar;
mod customer;
mod dice;
mod entry;
mod history;
pub mod identification;
mod mandate;
mod services;
mod statements;
mod transaction;

pub mod generate;
pub mod orders;
pub mod personas;

pub use account::{Account, AccountId, AccountKind, AccountStatus, Identification};
pub use books::{Balances, Books, BooksError, ScheduledPayment, StandingInstruction};
pub use calendar::working_day_after;
pub use customer::{Address, Customer, CustomerId};
pub use entry::{Contra, Details, Entry, EntryError, EntryId, Posting};
pub use generate::{GenerateError, generate};
pub use history::{Cursor, CursorError, Page, Row, TransactionQuery};
pub use mandate::{Beneficiary, DirectDebit, StandingOrder};
pub use orders::{Action, Command, CommandError, OrderId, OrderState, OrderStatus, PaymentOrder, Rejection};
pub use personas::Personas;
pub use services::{Offer, OfferKind, Product, Services};
pub use statements::{CalendarMonth, ParseMonthError, Statement};
pub use transaction::{
    Counterparty, Direction, Exchange, Kind, Merchant, ParseRateError, Rate, Status, Transaction, TransactionId,
};

/// Declares an opaque identifier: a string of at most 40 characters that nobody should read a meaning into. Copies share
/// the text.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The identifier made of this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into().into())
            }

            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// True when the text has 1 to 40 characters, the length that the Read/Write schemas allow.
            pub fn fits(&self) -> bool {
                !self.0.is_empty() && self.0.len() <= 40
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use identifier;
