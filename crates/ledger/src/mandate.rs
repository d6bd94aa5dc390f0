//! Standing instructions of an account: standing orders, direct debits and beneficiaries.

use crate::{AccountId, Counterparty, Kind};
use openbanking::money::Money;
use serde::{Deserialize, Serialize};
use time::{Date, Month};

/// An order to send the same amount every month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOrder {
    /// Made by the bank, unique among the account's standing orders.
    pub id: String,
    /// The account that pays.
    pub account: AccountId,
    /// Who is paid.
    pub payee: Counterparty,
    /// How much is sent each time.
    pub amount: Money,
    /// What the payee reads.
    pub reference: String,
    /// Day of the month; months that are shorter pay on their last day, weekends on the next working day.
    pub day: u8,
    /// The first payment.
    pub first: Date,
}

/// Permission for an originator to collect money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectDebit {
    /// Made by the bank, unique among the account's direct debits.
    pub id: String,
    /// The account that pays.
    pub account: AccountId,
    /// Name of the originator.
    pub originator: String,
    /// The originator's reference of the mandate.
    pub reference: String,
    /// How many times a year money is collected.
    pub times_a_year: u8,
    /// When the account's holder took it back.
    pub cancelled: Option<Date>,
}

/// Somebody whom the account's holder has saved in order to pay them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beneficiary {
    /// Made by the bank, unique among the account's beneficiaries.
    pub id: String,
    /// The account that pays.
    pub account: AccountId,
    /// Who is paid.
    pub payee: Counterparty,
    /// What the payee reads.
    pub reference: String,
    /// On the holder's list of trusted payees (SCA-RTS, Article 13).
    pub trusted: bool,
}

/// Hour and minute at which something of that kind happens every month.
pub(crate) fn time_of_day(kind: Kind) -> (u64, u64) {
    match kind {
        Kind::Salary => (1, 15),
        Kind::DirectDebit => (2, 30),
        Kind::StandingOrder => (4, 5),
        _ => (23, 0),
    }
}

/// That day of the month, or the month's last day where it is shorter.
pub(crate) fn day_of_month(year: i32, month: Month, day: u8) -> Date {
    let day = day.clamp(1, month.length(year));
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MAX)
}
