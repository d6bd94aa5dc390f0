//! What happens: the scenario language, its runner and its reports.
//!
//! A scenario is a file ([`language`]): a customer, a bank, and steps in the field's verbs. The [`runner`] tells the TPP's
//! control port to take them, lets the [`psu`] act on the bank's pages, reads every party's journal, and holds what
//! happened against what the file expects. [`result`] is what came of it; [`report`] writes it down.

mod advice;
mod body;
mod curl;
pub mod ecosystem;
mod expectation;
pub mod language;
pub mod report;
pub mod result;
pub mod runner;
mod secrets;
mod variables;

pub use ecosystem::{ControlAddress, Ecosystem};
pub use language::{Scenario, ScenarioError};
pub use result::{ScenarioResult, StepResult};
pub use runner::{Options, Progress, RunError, Runner};
