//! Payees, mandates, standing orders and scheduled payments.

use super::timing;
use ledger::{
    Beneficiary, Counterparty, DirectDebit, OrderStatus, Row, ScheduledPayment, StandingInstruction, orders::End,
};
use openbanking::{
    beneficiaries::{self, BeneficiaryType},
    direct_debits,
    mandates::{MandateClassification, MandateFrequency, MandateStatus},
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

/// Whether a standing order is paid; none when it was never accepted.
pub(in super::super) fn standing_status(order: &StandingInstruction<'_>) -> Option<MandateStatus> {
    match (order.order.status(), order.progress.next) {
        (OrderStatus::Cancelled, _) => Some(MandateStatus::Cancelled),
        (OrderStatus::InitiationCompleted, Some(_)) => Some(MandateStatus::Active),
        (OrderStatus::InitiationCompleted, None) => Some(MandateStatus::Expired),
        _ => None,
    }
}

/// A standing order, with what was paid last and what is paid next.
pub(in super::super) fn standing_order(
    version: ApiVersion,
    permissions: PermissionSet,
    order: &StandingInstruction<'_>,
) -> Result<standing_orders::StandingOrder, MoneyError> {
    let StandingInstruction { instruction, schedule, progress, .. } = order;
    let (frequency, timing) = timing::of(schedule);
    let fixed = schedule.recurring_amount.is_none() && schedule.final_amount.is_none();
    let terms = standing_orders::Terms {
        frequency,
        timing,
        first: midnight(schedule.first),
        last: match schedule.end {
            End::On(day) => Some(midnight(day)),
            End::Never | End::After(_) => None,
        },
        reference: instruction.reference.as_deref().and_then(|reference| text(reference, 35)),
        classification: if fixed { MandateClassification::Fixed } else { MandateClassification::Variable },
        status: standing_status(order).unwrap_or(MandateStatus::Suspended),
    };
    let account = order.order.order.debtor.to_string();
    let mut shown = standing_orders::StandingOrder::new(version, account, terms);
    shown.standing_order_id = Some(order.order.order.id.to_string());
    shown.first_payment_amount = Some(ActiveAmount::magnitude_of(instruction.instructed)?);
    if let End::After(count) = schedule.end {
        shown.number_of_payments = Some(count.to_string());
    }
    if let Some(next) = &progress.next {
        shown.next_payment_date_time = Some(midnight(next.day));
        shown.next_payment_amount = Some(ActiveAmount::magnitude_of(next.amount)?);
    }
    if let Some((day, amount)) = progress.last_paid() {
        shown.last_payment_date_time = Some(midnight(day));
        shown.last_payment_amount = Some(ActiveAmount::magnitude_of(amount)?);
    }
    shown.final_payment_amount = schedule.final_amount.map(ActiveAmount::magnitude_of).transpose()?;
    shown.creditor_account = creditor(&instruction.payee);
    Ok(shown.shown(version, permissions))
}

/// A payment that waits for its day.
pub(in super::super) fn scheduled_payment(
    version: ApiVersion,
    permissions: PermissionSet,
    payment: &ScheduledPayment<'_>,
) -> Result<scheduled_payments::ScheduledPayment, MoneyError> {
    let instruction = payment.instruction;
    let shown = scheduled_payments::ScheduledPayment {
        account_id: payment.order.order.debtor.to_string(),
        scheduled_payment_id: Some(payment.order.order.id.to_string()),
        scheduled_payment_date_time: midnight(payment.next.day),
        scheduled_type: ScheduledType::Execution,
        reference: instruction.reference.as_deref().and_then(|reference| text(reference, 35)),
        debtor_reference: None,
        instructed_amount: ActiveAmount::magnitude_of(payment.next.amount)?,
        creditor_agent: None,
        creditor_account: creditor(&instruction.payee),
    };
    Ok(shown.shown(version, permissions))
}
