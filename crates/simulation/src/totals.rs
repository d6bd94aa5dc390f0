//! What all exchanges add up to, the forgotten ones included.

use std::{collections::BTreeMap, fmt};

use crate::{Exchange, Side};

/// How an exchange ended, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// An answer whose status has this first digit.
    Status(u8),
    /// No answer: the connection, TLS or a deadline failed.
    Failed,
}

impl Outcome {
    fn of(exchange: &Exchange) -> Self {
        match exchange.status {
            Some(status) => Self::Status(u8::try_from(status / 100).unwrap_or_default()),
            None => Self::Failed,
        }
    }
}

impl fmt::Display for Outcome {
    /// `2xx` or `failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(class) => write!(f, "{class}xx"),
            Self::Failed => f.write_str("failed"),
        }
    }
}

/// Number and duration of exchanges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// How many there were.
    pub count: u64,
    /// How long they took together, in microseconds.
    pub duration_us: u64,
}

/// Sums over everything that a journal recorded since it began. They only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// By the end that the party was, and how it ended.
    pub exchanges: BTreeMap<(Side, Outcome), Total>,
    /// Refusals by the identifier of the rule that spoke.
    pub refusals: BTreeMap<String, u64>,
}

impl Totals {
    pub(crate) fn add(&mut self, exchange: &Exchange) {
        let total = self.exchanges.entry((exchange.side, Outcome::of(exchange))).or_default();
        total.count += 1;
        total.duration_us = total.duration_us.saturating_add(exchange.duration_us);
        let Some(refused) = exchange.verdict.as_ref().and_then(rules::Verdict::refused_by) else { return };
        match self.refusals.get_mut(&refused.rule) {
            Some(count) => *count += 1,
            None => {
                self.refusals.insert(refused.rule.clone(), 1);
            }
        }
    }
}
