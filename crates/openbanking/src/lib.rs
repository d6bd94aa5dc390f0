//! What is said on the wire: SSA, DCR, discovery, Read/Write payloads, permissions, error codes, money.
//!
//! Pure: nothing here reads a clock, rolls dice or touches a network. Types that a participant sends refuse unknown
//! members where the schemas are closed; types that it reads from strangers (discovery, SSA, registration, Directory)
//! ignore them.

pub mod accounts;
pub mod balances;
pub mod beneficiaries;
pub mod code;
pub mod consent;
pub mod dates;
pub mod direct_debits;
pub mod directory;
pub mod discovery;
pub mod error;
pub mod funds_confirmation;
pub mod headers;
pub mod links;
pub mod mandates;
pub mod message_signing;
pub mod money;
pub mod offers;
pub mod parties;
pub mod party;
mod payload;
pub mod payments;
pub mod permissions;
pub mod products;
pub mod reading;
pub mod registration;
pub mod scheduled_payments;
pub mod ssa;
pub mod standing_orders;
pub mod statements;
pub mod transactions;
pub mod version;
pub mod vrp;
