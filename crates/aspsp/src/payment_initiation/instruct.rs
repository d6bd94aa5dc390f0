//! From what was consented to what the books are told.

use ledger::{
    Account, Counterparty, CustomerId, OrderId, PaymentOrder, Rate,
    orders::{Charge, Conversion, End, Execution, Instruction, MonthDay, Recurrence, Schedule},
};
use openbanking::{
    error::ErrorCode,
    money::{Currency, Money},
    payments::{Frequency, FrequencyCode, Initiation, QuarterDays, StandingOrderTerms, file::FilePayment},
    reading::ReadingError,
};
use time::{Date, Duration, OffsetDateTime, Weekday};

use crate::{consents::Offer, payer, rates::Rates};

/// Something consented to cannot be told to the books.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstructError {
    /// No amount, although the kind has one.
    #[error("the payment has no amount")]
    NoAmount,
    /// No exchange rate between the currencies.
    #[error("there is no rate from {from} to {to}")]
    NoRate {
        /// Of the account that pays.
        from: Currency,
        /// Of the payment.
        to: Currency,
    },
    /// A frequency that tells no days.
    #[error("the frequency {0} tells no days")]
    Frequency(Frequency),
}

/// An order to be submitted.
pub(crate) struct Draft<'a> {
    pub(crate) id: &'a str,
    pub(crate) account: &'a Account,
    pub(crate) customer: &'a str,
    pub(crate) authorise_before: OffsetDateTime,
    pub(crate) offer: &'a Offer,
    pub(crate) rates: &'a Rates,
    pub(crate) now: OffsetDateTime,
}

impl Draft<'_> {
    /// The order of a consent that is no file.
    pub(super) fn payment(&self, initiation: &Initiation) -> Result<PaymentOrder, InstructError> {
        let amount = initiation.amount().ok_or(InstructError::NoAmount)?;
        let execution = match (&initiation.standing_order, initiation.requested_execution) {
            (Some(terms), _) => Execution::Recurring(schedule(terms, self.now)?),
            (None, Some(at)) => Execution::On(at.date()),
            (None, None) => self.at_once(),
        };
        let transfer = initiation.currency_of_transfer.unwrap_or_else(|| amount.currency());
        let instruction = Instruction {
            id: initiation.instruction_identification.clone().unwrap_or_else(|| self.id.to_owned()),
            end_to_end: initiation.end_to_end_identification.clone(),
            payee: payee(initiation),
            instructed: amount,
            conversion: self.conversion(amount.currency(), transfer)?,
            execution,
            reference: reference(&initiation.remittance),
            charges: self.charges()?,
        };
        Ok(self.order(vec![instruction], false))
    }

    /// The order under a consent to variable recurring payments.
    pub(crate) fn recurring(&self, asked: &openbanking::vrp::Instruction) -> Result<PaymentOrder, InstructError> {
        let creditor = &asked.creditor_account;
        let instruction = Instruction {
            id: asked.instruction_identification.clone(),
            end_to_end: Some(asked.end_to_end_identification.clone()),
            payee: Counterparty {
                name: creditor.name.clone().unwrap_or_default(),
                account: payer::identification(creditor),
            },
            instructed: asked.amount,
            conversion: self.conversion(asked.amount.currency(), asked.amount.currency())?,
            execution: Execution::Immediate,
            reference: reference(&asked.remittance),
            charges: Vec::new(),
        };
        Ok(self.order(vec![instruction], false))
    }

    /// The order of a file. Payments without a day of their own are paid on the one that the consent names.
    pub(super) fn file(
        &self,
        payments: &[FilePayment],
        requested: Option<OffsetDateTime>,
    ) -> Result<PaymentOrder, InstructError> {
        let usual = requested.map_or_else(|| self.at_once(), |at| Execution::On(at.date()));
        let instructions = payments.iter().enumerate().map(|(index, payment)| {
            let account = match &payment.creditor_account {
                openbanking::payments::file::PayeeAccount::Known(account) => payer::identification(account),
                openbanking::payments::file::PayeeAccount::Other(_) => None,
            };
            let name = payment.creditor_name.clone().unwrap_or_default();
            Ok(Instruction {
                // Names of the TPP may repeat; places in the file do not.
                id: format!("{}", index + 1),
                end_to_end: Some(payment.end_to_end_identification.clone()),
                payee: Counterparty { name, account },
                instructed: payment.amount,
                conversion: self.conversion(payment.amount.currency(), payment.amount.currency())?,
                execution: payment.requested_execution.map_or_else(|| usual.clone(), Execution::On),
                reference: reference(&payment.remittance),
                // What the whole file costs is paid with its first payment.
                charges: if index == 0 { self.charges()? } else { Vec::new() },
            })
        });
        Ok(self.order(instructions.collect::<Result<_, InstructError>>()?, true))
    }

    fn order(&self, instructions: Vec<Instruction>, file: bool) -> PaymentOrder {
        PaymentOrder {
            id: OrderId::new(self.id),
            debtor: self.account.id.clone(),
            ordered_by: CustomerId::new(self.customer),
            signatories: self.account.signatories.max(1),
            authorise_before: (self.account.signatories > 1).then_some(self.authorise_before),
            instructions,
            file,
        }
    }

    /// After the cut-off time a payment waits for the day that the consent promised.
    fn at_once(&self) -> Execution {
        let late = self.offer.cut_off.is_some_and(|at| at <= self.now);
        match self.offer.expected_execution {
            Some(at) if late && at.date() > self.now.date() => Execution::On(at.date()),
            _ if late => Execution::On(ledger::working_day_after(self.now.date())),
            _ => Execution::Immediate,
        }
    }

    fn pricing(&self) -> Pricing<'_> {
        Pricing { own: self.account.currency, offer: self.offer, rates: self.rates }
    }

    fn charges(&self) -> Result<Vec<Charge>, InstructError> {
        self.pricing().charges()
    }

    fn conversion(&self, instructed: Currency, transfer: Currency) -> Result<Option<Conversion>, InstructError> {
        self.pricing().conversion(instructed, transfer)
    }
}

/// What a payment costs an account in that currency.
pub(crate) struct Pricing<'a> {
    /// The currency of the account that pays.
    pub(crate) own: Currency,
    pub(crate) offer: &'a Offer,
    pub(crate) rates: &'a Rates,
}

impl Pricing<'_> {
    /// The charges in the currency of the account that pays.
    fn charges(&self) -> Result<Vec<Charge>, InstructError> {
        let own = self.own;
        let charge = |amount: Money| {
            let from = amount.currency();
            let converted = || self.rates.rate(from, own).and_then(|rate| rate.exchange(amount, own));
            let amount = if from == own { Some(amount) } else { converted() };
            amount.ok_or(InstructError::NoRate { from, to: own })
        };
        let told = self.offer.charges.iter().map(|told| charge(told.amount.money()));
        told.map(|amount| Ok(Charge { description: "Payment charge".to_owned(), amount: amount? })).collect()
    }

    /// How the currency changes between the account that pays, the amount and what arrives.
    fn conversion(&self, instructed: Currency, transfer: Currency) -> Result<Option<Conversion>, InstructError> {
        let own = self.own;
        if own == instructed && own == transfer {
            return Ok(None);
        }
        let asked = transfer;
        let transfer = if transfer == own { instructed } else { transfer };
        let rate = self.quoted(asked, transfer).or_else(|| self.rates.rate(own, transfer));
        let rate = rate.ok_or(InstructError::NoRate { from: own, to: transfer })?;
        Ok(Some(Conversion { transfer, rate }))
    }

    /// The rate that the consent promised, in units of `transfer` for one unit of the account's currency; none when it
    /// was promised for another pair of currencies. `asked` is `CurrencyOfTransfer`.
    fn quoted(&self, asked: Currency, transfer: Currency) -> Option<Rate> {
        let (own, quote) = (self.own, self.offer.exchange_rate.as_ref()?);
        let unit = quote.unit_currency;
        let other = quoted_against(unit, asked, self.rates);
        let value = quote.exchange_rate.as_f64()?;
        match (unit, other) {
            pair if pair == (own, transfer) => countable(value),
            pair if pair == (transfer, own) => countable(1.0 / value),
            _ => None,
        }
    }

    /// What the account is debited for the payment, charges included; none when it cannot be said.
    pub(crate) fn debit(&self, initiation: &Initiation) -> Option<Money> {
        let instructed = initiation.amount()?;
        let currency = instructed.currency();
        let transfer = initiation.currency_of_transfer.unwrap_or(currency);
        let amount = match self.conversion(currency, transfer).ok()? {
            _ if currency == self.own => instructed,
            Some(conversion) if currency == conversion.transfer => {
                conversion.rate.exchange_back(instructed, self.own)?
            }
            // The books reject a payment between three currencies.
            _ => return None,
        };
        self.charges().ok()?.iter().try_fold(amount, |sum, charge| sum.checked_add(charge.amount).ok())
    }
}

/// The currency in which the rate of a unit is told: that of the transfer, or the bank's own when that is the unit.
pub(super) fn quoted_against(unit: Currency, transfer: Currency, rates: &Rates) -> Currency {
    if transfer == unit { rates.home() } else { transfer }
}

/// The rate as the books count it, with six decimals; none when nothing is left of it, or too much.
pub(super) fn countable(rate: f64) -> Option<Rate> {
    format!("{rate:.6}").parse().ok()
}

fn payee(initiation: &Initiation) -> Counterparty {
    let account = initiation.creditor_account.as_ref();
    let name = account.and_then(|account| account.name.clone()).or_else(|| initiation.creditor_name.clone());
    Counterparty { name: name.unwrap_or_default(), account: account.and_then(payer::identification) }
}

fn reference(remittance: &openbanking::payments::Remittance) -> Option<String> {
    remittance.reference.clone().or_else(|| remittance.unstructured.first().cloned())
}

fn schedule(terms: &StandingOrderTerms, now: OffsetDateTime) -> Result<Schedule, InstructError> {
    // A day is meant as it is written. In the bank's own time it may have passed already: then it is today.
    let day = |at: OffsetDateTime| at.date().max(now.date());
    let recurrence = recurrence(terms)?;
    let tomorrow = now.date().saturating_add(Duration::DAY);
    let first = terms.first.map(day).or_else(|| recurrence.next_after(tomorrow, now.date())).unwrap_or(tomorrow);
    let count = terms.number_of_payments.or(terms.count_per_period);
    Ok(Schedule {
        first,
        recurrence,
        recurring_from: terms.recurring.map(day).filter(|from| *from > first),
        recurring_amount: terms.recurring_amount,
        end: match (terms.last.map(day), count) {
            (Some(last), _) => End::On(last),
            (None, Some(count)) => End::After(count),
            (None, None) => End::Never,
        },
        final_amount: terms.last_amount.filter(|_| terms.last.is_some()),
    })
}

/// Days of the week count from Monday, 1.
fn weekday(number: u8) -> Weekday {
    Weekday::Monday.nth_next(number.saturating_sub(1))
}

fn recurrence(terms: &StandingOrderTerms) -> Result<Recurrence, InstructError> {
    let point: Option<u8> = terms.point_in_time.as_deref().and_then(|text| text.parse().ok());
    let weeks = |every| Recurrence::Weeks { every, on: point.map(weekday) };
    let months = |every| Recurrence::Months { every, on: point.map(MonthDay::Day) };
    Ok(match terms.frequency {
        Frequency::EveryDay => Recurrence::Days(1),
        Frequency::EveryWorkingDay => Recurrence::WorkingDays,
        Frequency::IntervalDays { days } => Recurrence::Days(days.into()),
        Frequency::IntervalWeeks { weeks, day } => Recurrence::Weeks { every: weeks, on: Some(weekday(day)) },
        Frequency::WeekInMonth { week, day } => Recurrence::WeekOfMonth { week, on: weekday(day) },
        Frequency::IntervalMonths { months, day } => {
            let on = if day > 0 { MonthDay::Day(day.unsigned_abs()) } else { MonthDay::FromEnd(day.unsigned_abs()) };
            Recurrence::Months { every: months, on: Some(on) }
        }
        Frequency::QuarterDays(days) => Recurrence::Quarters(match days {
            QuarterDays::English => ledger::orders::QuarterDays::English,
            QuarterDays::Scottish => ledger::orders::QuarterDays::Scottish,
            QuarterDays::Received => ledger::orders::QuarterDays::Received,
        }),
        Frequency::Code(code) => match code {
            FrequencyCode::Daily => Recurrence::Days(1),
            FrequencyCode::WorkingDay => Recurrence::WorkingDays,
            FrequencyCode::Weekly => weeks(1),
            FrequencyCode::Fortnightly => weeks(2),
            FrequencyCode::FourWeekly => weeks(4),
            FrequencyCode::Monthly => months(1),
            FrequencyCode::TwoMonthly | FrequencyCode::AlternateMonth => months(2),
            FrequencyCode::Quarterly => months(3),
            FrequencyCode::FourMonthly => months(4),
            FrequencyCode::FiveMonthly => months(5),
            FrequencyCode::SemiAnnual | FrequencyCode::TwiceAYear => months(6),
            FrequencyCode::Annual => months(12),
            FrequencyCode::LastDayOfMonth => Recurrence::Months { every: 1, on: Some(MonthDay::FromEnd(1)) },
            FrequencyCode::AdHoc
            | FrequencyCode::IntraDay
            | FrequencyCode::None
            | FrequencyCode::LastWorkingDayOfMonth => return Err(InstructError::Frequency(terms.frequency)),
        },
    })
}

/// A standing order whose first payment has no date begins on the first day that its frequency tells. The final one is not
/// before it.
///
/// # Errors
/// It would be.
pub(super) fn days_in_order(initiation: &Initiation, now: OffsetDateTime) -> Result<(), ReadingError> {
    // What has no days is refused for its frequency.
    let Some(Ok(schedule)) = initiation.standing_order.as_ref().map(|terms| schedule(terms, now)) else {
        return Ok(());
    };
    match schedule.end {
        End::On(last) if last < schedule.first => Err(ReadingError::new(
            ErrorCode::FieldInvalidDate,
            format!("{}.FinalPaymentDateTime", initiation.path_of_dates()),
            format!("not before the first payment, on {}", schedule.first),
            last.to_string(),
        )),
        _ => Ok(()),
    }
}

/// The date of the first payment that an order would make.
#[must_use]
pub fn first_day(initiation: &Initiation, now: OffsetDateTime) -> Option<Date> {
    let terms = initiation.standing_order.as_ref()?;
    schedule(terms, now).ok().map(|schedule| schedule.first)
}
