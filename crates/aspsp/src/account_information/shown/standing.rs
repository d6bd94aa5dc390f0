//! Payees, mandates, standing orders and scheduled payments.

use ledger::{Beneficiary, Counterparty, DirectDebit, Row, ScheduledPayment, StandingOrder};
use openbanking::{
    beneficiaries::{self, BeneficiaryType},
    direct_debits,
    mandates::{MandateFrequency, MandateStatus},
    money::{ActiveAmount, MoneyError},
    parties::CashAccount,
    permissions::PermissionSet,
    scheduled_payments::{self, ScheduledType},
    standing_orders,
    version::ApiVersion,
};
use time::{Date, OffsetDateTime, Time};

fn midnight(date: Date) -> OffsetDateTime {
    date.with_time(Time::MIDNIGHT).assume_utc()
}

/// A text that the schemas allow: not empty, and not longer than this.
fn text(text: &str, most: usize) -> Option<String> {
    (!text.is_empty()).then(|| text.chars().take(most).collect())
}

fn creditor(payee: &Counterparty) -> Option<CashAccount> {
    super::counterparty(payee)
}

/// The newest payment to that name with that reference.
fn last<'a>(rows: &'a [Row], name: &str, reference: &str) -> Option<&'a Row> {
    let of = |row: &&Row| {
        let entry = &row.transaction;
        entry.counterparty.as_ref().is_some_and(|other| other.name == name)
            && entry.reference.as_ref().is_none_or(|found| found == reference)
    };
    rows.iter().find(of)
}

/// A saved payee.
pub(in super::super) fn beneficiary(
    version: ApiVersion,
    permissions: PermissionSet,
    beneficiary: &Beneficiary,
) -> beneficiaries::Beneficiary {
    let r#type = if beneficiary.trusted { BeneficiaryType::Trusted } else { BeneficiaryType::Ordinary };
    beneficiaries::Beneficiary {
        account_id: beneficiary.account.to_string(),
        beneficiary_id: Some(beneficiary.id.clone()),
        beneficiary_type: Some(r#type),
        reference: text(&beneficiary.reference, 35),
        creditor_agent: None,
        creditor_account: creditor(&beneficiary.payee),
    }
    .shown(version, permissions)
}

/// How often money is collected, by the times in a year.
const FREQUENCIES: &[(u8, MandateFrequency)] = &[
    (1, MandateFrequency::Annual),
    (2, MandateFrequency::HalfYearly),
    (4, MandateFrequency::Quarterly),
    // A year with months that are left out, as for council tax.
    (10, MandateFrequency::Monthly),
    (12, MandateFrequency::Monthly),
];

/// A mandate, with what was collected last.
pub(in super::super) fn direct_debit(
    version: ApiVersion,
    mandate: &DirectDebit,
    rows: &[Row],
) -> Result<direct_debits::DirectDebit, MoneyError> {
    let frequency = FREQUENCIES.iter().find(|(times, _)| *times == mandate.times_a_year);
    let frequency = frequency.map_or(MandateFrequency::NotKnown, |(_, frequency)| *frequency);
    let status = if mandate.cancelled.is_some() { MandateStatus::Cancelled } else { MandateStatus::Active };
    let name: String = mandate.originator.chars().take(70).collect();
    let reference: String = mandate.reference.chars().take(35).collect();
    let account = mandate.account.to_string();
    let mut shown = direct_debits::DirectDebit::new(version, account, name, &reference, status, frequency);
    shown.direct_debit_id = Some(mandate.id.clone());
    if let Some(row) = last(rows, &mandate.originator, &mandate.reference) {
        shown.previous_payment_date_time = Some(row.transaction.booked_at);
        shown.previous_payment_amount = Some(ActiveAmount::magnitude_of(row.transaction.amount)?);
    }
    Ok(shown)
}

/// A standing order, with what was paid last and what is paid next.
pub(in super::super) fn standing_order(
    version: ApiVersion,
    permissions: PermissionSet,
    order: &StandingOrder,
    rows: &[Row],
    now: OffsetDateTime,
) -> Result<standing_orders::StandingOrder, MoneyError> {
    let reference = text(&order.reference, 35);
    let amount = ActiveAmount::magnitude_of(order.amount)?;
    let (account, first) = (order.account.to_string(), midnight(order.first));
    let mut shown = standing_orders::StandingOrder::monthly(version, account, order.day, first, reference.as_deref());
    shown.standing_order_id = Some(order.id.clone());
    shown.first_payment_amount = Some(amount.clone());
    shown.next_payment_date_time = Some(midnight(order.next_after(now.date())));
    shown.next_payment_amount = Some(amount);
    if let Some(row) = last(rows, &order.payee.name, &order.reference) {
        shown.last_payment_date_time = Some(row.transaction.booked_at);
        shown.last_payment_amount = Some(ActiveAmount::magnitude_of(row.transaction.amount)?);
    }
    shown.creditor_account = creditor(&order.payee);
    Ok(shown.shown(version, permissions))
}

/// A payment that waits for its day.
pub(in super::super) fn scheduled_payment(
    version: ApiVersion,
    permissions: PermissionSet,
    payment: &ScheduledPayment,
) -> Result<scheduled_payments::ScheduledPayment, MoneyError> {
    let shown = scheduled_payments::ScheduledPayment {
        account_id: payment.account.to_string(),
        scheduled_payment_id: Some(payment.id.clone()),
        scheduled_payment_date_time: midnight(payment.on),
        scheduled_type: ScheduledType::Execution,
        reference: payment.reference.as_deref().and_then(|reference| text(reference, 35)),
        debtor_reference: None,
        instructed_amount: ActiveAmount::magnitude_of(payment.amount)?,
        creditor_agent: None,
        creditor_account: creditor(&payment.payee),
    };
    Ok(shown.shown(version, permissions))
}
