//! Starts an ecosystem in one process and runs scenarios against it.
//!
//! The parties share a process and nothing else: each has its own listeners, keys, store, clock and journal, and they
//! speak with each other over mutual TLS only.
//!
//! - [`hosting`]: a Directory, a bank and a TPP, started together
//! - [`command`]: what `ob-sandbox` can be told on the command line
//! - [`run`]: scenario files, one after the other or beside each other
//! - [`customer`]: a customer for whoever tests a TPP of their own
//! - [`terminal`]: what it prints

pub mod command;
pub mod customer;
pub mod hosting;
pub mod run;
pub mod terminal;
