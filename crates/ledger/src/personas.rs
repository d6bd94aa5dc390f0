//! The fixture that a user edits: who the bank's customers are and how they live. Unknown fields are errors, so that a
//! misspelt one is reported and not silently ignored.

mod services;
mod values;

pub use services::{BeneficiaryPlan, OfferPlan, ProductPlan, ScheduledPaymentPlan};
pub use values::{Amount, CategoryCode, Day, OneTimePassword, Range};

use crate::{AccountKind, Address, Rate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personas {
    /// The bank's own numbers.
    pub bank: Bank,
    /// Units of each foreign currency for one unit of the bank's own; they wobble a little from month to month.
    #[serde(default)]
    pub exchange_rates: BTreeMap<String, Rate>,
    /// The product of each kind of account; accounts of other kinds have none.
    #[serde(default)]
    pub products: Vec<ProductPlan>,
    /// Whether habits go on after the history; otherwise nothing happens by itself but what was ordered.
    #[serde(default = "yes")]
    pub habits_go_on: bool,
    /// The customers.
    pub personas: Vec<Persona>,
}

fn yes() -> bool {
    true
}

/// How the bank numbers its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// The bank's own currency, such as GBP.
    pub currency: String,
    /// Sort code of all accounts, such as 00-00-26.
    pub sort_code: String,
    /// The four letters that stand for the bank in its IBANs.
    pub iban_code: String,
    /// The first digits of all cards; use a test range.
    pub card_prefix: String,
}

/// A customer, the login and the accounts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// What is typed at the bank's login page.
    pub username: String,
    /// The password that goes with it.
    pub password: String,
    /// The second factor: six digits, always the same ones so that scripts can type them.
    pub one_time_password: OneTimePassword,
    /// Form of address; may be left out.
    #[serde(default)]
    pub title: String,
    /// First names.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// Postal address.
    pub address: Address,
    /// International form; use the range for drama, +44 7700 900xxx.
    pub phone: String,
    /// Use example.com.
    pub email: String,
    /// Accounts of which this persona is the first holder.
    pub accounts: Vec<AccountPlan>,
}

impl fmt::Debug for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persona").field("username", &self.username).finish_non_exhaustive()
    }
}

/// An account and what happens on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPlan {
    /// The account's name within this file, unique in it; other habits refer to it.
    pub key: String,
    /// What sort of account it is.
    pub kind: AccountKind,
    /// ISO 4217 code of a currency with two decimals.
    pub currency: String,
    /// The name that the customer gave it.
    pub nickname: String,
    /// The name that the bank prints; made of the holders' names when it is left out.
    #[serde(default)]
    pub holder_name: Option<String>,
    /// The day it was opened.
    pub opened: Day,
    /// What it holds when the generated history begins; negative for debts.
    pub opening_balance: Amount,
    /// How far it may go below zero.
    #[serde(default)]
    pub credit_line: Option<Amount>,
    /// Usernames of further holders.
    #[serde(default)]
    pub shared_with: Vec<String>,
    /// Whether it was moved to another bank with the Current Account Switch Service.
    #[serde(default)]
    pub switched: bool,
    /// How many of the holders have to authorise a payment; one when left out.
    #[serde(default = "one")]
    pub signatories: u8,
    /// The most that one payment may be; no limit when left out.
    #[serde(default)]
    pub payment_limit: Option<Amount>,
    /// The most that all payments of a day may be; no limit when left out.
    #[serde(default)]
    pub daily_limit: Option<Amount>,
    /// Payees that the holder has saved.
    #[serde(default)]
    pub beneficiaries: Vec<BeneficiaryPlan>,
    /// Payments that wait for their day.
    #[serde(default)]
    pub scheduled_payments: Vec<ScheduledPaymentPlan>,
    /// What the bank offers.
    #[serde(default)]
    pub offers: Vec<OfferPlan>,
    /// What happens on it.
    #[serde(default)]
    pub habits: Vec<Habit>,
}

fn one() -> u8 {
    1
}

/// Something that happens on an account again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Wages, on a day of the month.
    Salary(Monthly),
    /// Sent to somebody outside, on a day of the month.
    StandingOrder(Monthly),
    /// Collected by an originator, on a day of the month.
    DirectDebit(Monthly),
    /// A fee of the bank, on a day of the month.
    Fee(Monthly),
    /// Money from one of several people or companies, now and then.
    Income(Occasional),
    /// Money to one of several people or companies, now and then.
    Payment(Occasional),
    /// Card purchases, now and then.
    Card(CardUse),
    /// Cash from a machine, now and then.
    Cash(CashUse),
    /// To another account in this file, on a day of the month; converted when its currency differs.
    Transfer(Transfer),
    /// Fetches money from another account in this file when the balance falls below a floor.
    TopUp(TopUp),
    /// Repays a credit card in this file by direct debit.
    RepayCard(RepayCard),
    /// Interest, on the last day of the month: paid on credit, charged on debt.
    Interest(Interest),
}

/// What happens once a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monthly {
    /// The other side's name.
    pub name: String,
    /// A fixed amount, or a range from which each month's is drawn.
    pub amount: Range,
    /// Day of the month.
    pub day: u8,
    /// Months (1 to 12) in which it happens; all when left out.
    #[serde(default)]
    pub months: Option<Vec<u8>>,
    /// It ended so many months before the history does; it goes on when left out.
    #[serde(default)]
    pub ended_months_ago: Option<u8>,
    /// The payer's reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// The other side's sort code and account number, 14 digits.
    #[serde(default)]
    pub account: Option<crate::identification::UkAccount>,
    /// Twelve percentages, January first, by which the amount is multiplied.
    #[serde(default)]
    pub by_month: Option<[u16; 12]>,
}

/// What happens now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occasional {
    /// Names of the other sides; one is drawn each time.
    pub names: Vec<String>,
    /// The amount is drawn from this range.
    pub amount: Range,
    /// How often in an average month.
    pub per_month: u16,
    /// The payer's reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// Twelve percentages, January first, by which the frequency is multiplied.
    #[serde(default)]
    pub by_month: Option<[u16; 12]>,
    /// Only Monday to Friday.
    #[serde(default)]
    pub working_days_only: bool,
}

/// Card purchases of one sort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardUse {
    /// Names of the shops; one is drawn each time.
    pub merchants: Vec<String>,
    /// ISO 18245 merchant category code, four digits in quotes.
    pub category: CategoryCode,
    /// The amount is drawn from this range; in `currency` where that is given.
    pub amount: Range,
    /// How often in an average month.
    pub per_month: u16,
    /// The shop's currency, when it is not the account's.
    #[serde(default)]
    pub currency: Option<String>,
    /// Seven percentages, Monday first, by which the frequency is multiplied.
    #[serde(default)]
    pub by_weekday: Option<[u16; 7]>,
    /// Twelve percentages, January first, by which the frequency is multiplied.
    #[serde(default)]
    pub by_month: Option<[u16; 12]>,
    /// First and last hour of the day at which it happens.
    #[serde(default = "shop_hours")]
    pub hours: [u8; 2],
    /// One purchase in so many is returned some days later; never when left out.
    #[serde(default)]
    pub refund_one_in: Option<u16>,
}

fn shop_hours() -> [u8; 2] {
    [8, 20]
}

/// Cash withdrawals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashUse {
    /// Places of the machines; one is drawn each time.
    pub machines: Vec<String>,
    /// One of these amounts is drawn each time.
    pub amounts: Vec<Amount>,
    /// How often in an average month.
    pub per_month: u16,
}

/// A regular transfer to another account in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// `key` of the account that receives.
    pub to: String,
    /// In the paying account's currency.
    pub amount: Range,
    /// Day of the month.
    pub day: u8,
    /// Months (1 to 12) in which it happens; all when left out.
    #[serde(default)]
    pub months: Option<Vec<u8>>,
    /// The payer's reference.
    #[serde(default)]
    pub reference: Option<String>,
}

/// Help from another account when money runs short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// `key` of the account that helps; in the same currency.
    pub from: String,
    /// The balance that should not be passed downward.
    pub floor: Amount,
    /// How much is fetched, if the helping account has it.
    pub amount: Amount,
}

/// The monthly repayment of a credit card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepayCard {
    /// `key` of the credit card's account.
    pub card: String,
    /// Day of the month.
    pub day: u8,
    /// How much of what is owed is repaid, in percent.
    pub percent: u8,
}

/// Monthly interest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// Paid on a credit balance, percent a year.
    #[serde(default)]
    pub paid_percent: Amount,
    /// Charged on what is owed, percent a year.
    #[serde(default)]
    pub charged_percent: Amount,
}
