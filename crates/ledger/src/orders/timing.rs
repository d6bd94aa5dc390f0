//! How long the bank takes, and how much it lets out.

use crate::{AccountId, BooksError};
use openbanking::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime, Time};

time::serde::format_description!(hour_and_minute, Time, "[hour]:[minute]");

/// What makes a payment take its next step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// Time does: see [`Timing`].
    #[default]
    Auto,
    /// Only [`crate::Action::Step`] does.
    Explicit,
}

/// When the steps of a payment happen. Seconds count from the payment's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// What makes a payment take its next step.
    pub steps: Steps,
    /// Seconds until settlement is in process.
    pub in_process: u32,
    /// Seconds until the payer's account is debited.
    pub debited: u32,
    /// Seconds until another bank has accepted the payment and not yet posted it. Not a step of payments within this
    /// bank.
    pub without_posting: u32,
    /// Seconds until the payee's account is credited.
    pub credited: u32,
    /// The same when the payment changes its currency.
    pub credited_abroad: u32,
    /// Seconds for which money waits for a payee's account that is blocked. Then it is credited, or sent back if it still
    /// cannot be.
    pub blocked: u32,
    /// The time of day (UTC) at which scheduled payments and standing orders are paid, such as 04:05.
    #[serde(with = "hour_and_minute")]
    pub time_of_day: Time,
}

impl Default for Timing {
    /// As a faster payment: debited after 2 seconds, credited after 5, a day later abroad; held for a day.
    fn default() -> Self {
        Self {
            steps: Steps::Auto,
            in_process: 0,
            debited: 2,
            without_posting: 4,
            credited: 5,
            credited_abroad: 86_400,
            blocked: 86_400,
            time_of_day: time::macros::time!(04:05),
        }
    }
}

/// The moment so many seconds later.
pub(crate) fn later(at: OffsetDateTime, seconds: u32) -> OffsetDateTime {
    at.saturating_add(Duration::seconds(i64::from(seconds)))
}

/// The most that payments from an account may be; in the account's currency, `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// One payment.
    pub payment: Option<Money>,
    /// All payments of one day (UTC) together.
    pub day: Option<Money>,
}

/// The bank's terms for payments, which decide what becomes of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When payments take their steps.
    pub timing: Timing,
    /// The limits of all accounts in a currency that have none of their own.
    pub limits: BTreeMap<Currency, Limits>,
}

impl Terms {
    /// # Errors
    /// A limit is in another currency than its accounts or not above zero.
    pub(crate) fn check(&self) -> Result<(), BooksError> {
        match self.limits.iter().find(|(currency, limits)| !limits.fit(**currency)) {
            Some((currency, _)) => Err(BooksError::Limit(AccountId::new(format!("in {currency}")))),
            None => Ok(()),
        }
    }
}

impl Limits {
    /// True when all that are set are above zero and in that currency.
    pub(crate) fn fit(&self, currency: Currency) -> bool {
        [self.payment, self.day].into_iter().flatten().all(|limit| limit.currency() == currency && limit.minor() > 0)
    }
}
