//! Standing instructions of an account: standing orders, direct debits and beneficiaries.

use crate::calendar::month_index;
use crate::dice::Dice;
use crate::{AccountId, Contra, Counterparty, Identification, Kind};
use openbanking::money::{Currency, Money};
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

impl StandingOrder {
    /// The first nominal payment day after `today`, before any move to a working day.
    pub fn next_after(&self, today: Date) -> Date {
        let this_month = day_of_month(today.year(), today.month(), self.day);
        if this_month > today {
            return this_month;
        }
        let month = today.month().next();
        let year = if month == Month::January { today.year() + 1 } else { today.year() };
        day_of_month(year, month, self.day)
    }
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

/// Something that brings or takes money every month, such as wages or a collection, as the fixture describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Regular {
    pub(crate) account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) kind: Kind,
    /// Minus one when it takes money.
    pub(crate) sign: i64,
    pub(crate) contra: Contra,
    pub(crate) name: String,
    pub(crate) number: Option<Identification>,
    pub(crate) reference: Option<String>,
    pub(crate) day: u8,
    pub(crate) months: Option<Vec<u8>>,
    pub(crate) by_month: Option<[u16; 12]>,
    /// The amount is drawn between these, both included.
    pub(crate) range: (i64, i64),
    /// Comes on the working day before, not after, when its day is none.
    pub(crate) early: bool,
    pub(crate) seed: u64,
    /// What makes its chance its own.
    pub(crate) key: String,
}

impl Regular {
    /// Draws the size of the amount on that day.
    pub(crate) fn draw(&self, dice: &mut Dice, date: Date) -> i64 {
        let percent = self.by_month.map_or(100, |percents| i64::from(percents[month_index(date)]));
        dice.between(self.range.0, self.range.1).saturating_mul(percent) / 100
    }

    /// The signed amount of that size.
    pub(crate) fn amount(&self, minor: i64) -> Money {
        Money::new(self.sign * minor, self.currency)
    }

    /// Hour and minute. Money arrives before it is collected, and collections come before what people do by day.
    pub(crate) fn time_of_day(&self) -> (u64, u64) {
        time_of_day(self.kind)
    }
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
