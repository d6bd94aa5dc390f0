//! Starts an ecosystem in one process and runs scenarios against it.
//!
//! The parties share a process and its time, and nothing else: each has its own listeners, keys, store and journal, and
//! they speak with each other over mutual TLS only.
//!
//! - [`hosting`]: a Directory, a bank and a TPP, started together
//! - `output`: how it prints
//! - [`ports`]: where they listen
//! - [`up`]: an ecosystem that goes on
//! - [`advance`]: time passes at parties that run
//! - [`command`]: what `ob-sandbox` can be told on the command line
//! - [`run`]: scenario files, one after the other or beside each other
//! - [`customer`]: a customer for whoever tests a TPP of their own
//! - [`terminal`]: what it prints

pub mod advance;
pub mod command;
pub mod customer;
pub mod hosting;
mod output;
pub mod ports;
pub mod run;
pub mod terminal;
pub mod up;
