//! Standing orders.

use super::*;
use OrderStatus::{AcceptedCreditSettlementCompleted, Cancelled, InitiationCompleted, Received, Rejected};
use ledger::orders::{End, MonthDay, Recurrence, Schedule};
use time::Date;

fn monthly(first: Date) -> Schedule {
    Schedule {
        first,
        recurrence: Recurrence::Months { every: 1, on: Some(MonthDay::Day(first.day())) },
        recurring_from: None,
        recurring_amount: None,
        end: End::Never,
        final_amount: None,
    }
}

fn standing(schedule: Schedule, minor: i64) -> PaymentOrder {
    order("s", "ada", instruction(elsewhere(), pounds(minor), Execution::Recurring(schedule)))
}

/// Nominal day, day of the debit and amount of each payment.
fn paid(books: &Books) -> Vec<(Date, Option<Date>, i64)> {
    let payments = payments(books, "s").iter();
    payments
        .map(|payment| (payment.day, payment.debited_at().map(OffsetDateTime::date), payment.debit.minor()))
        .collect()
}

#[test]
fn a_standing_order_pays_until_it_is_cancelled() {
    let mut books = bank();
    submit(&mut books, START, standing(monthly(date!(2026 - 12 - 01)), 1_000)).unwrap();
    assert_eq!(statuses(state(&books, "s")), [Received, InitiationCompleted]);
    let all = books.standing_instructions(&id("ada")).unwrap();
    assert_eq!(
        (all.len(), all[0].progress.next.unwrap().day, all[0].progress.last_paid()),
        (1, date!(2026 - 12 - 01), None)
    );
    let february = datetime!(2027-02-01 12:00 UTC);
    books.run_until(february);
    // The 1st of January is a holiday, the 2nd and 3rd are a weekend.
    let expected = [
        (date!(2026 - 12 - 01), Some(date!(2026 - 12 - 01)), 1_000),
        (date!(2027 - 01 - 01), Some(date!(2027 - 01 - 04)), 1_000),
        (date!(2027 - 02 - 01), Some(date!(2027 - 02 - 01)), 1_000),
    ];
    assert_eq!(paid(&books), expected);
    let progress = &state(&books, "s").instructions[0];
    assert_eq!(progress.last_paid(), Some((date!(2027 - 02 - 01), pounds(1_000))));
    assert_eq!(progress.next.unwrap().day, date!(2027 - 03 - 01));
    apply(&mut books, february, Action::Cancel { order: OrderId::new("s") }).unwrap();
    books.run_until(february + Duration::days(90));
    assert_eq!((paid(&books).len(), state(&books, "s").status()), (3, Cancelled));
    assert!(books.standing_instructions(&id("ada")).unwrap()[0].progress.next.is_none());
    assert_eq!(booked(&books, "ada", february), HELD - 3_000);
    assert!(rows(&books, "ada")[..3].iter().all(|row| row.transaction.kind == Kind::StandingOrder));
}

#[test]
fn first_recurring_and_final_amounts_differ() {
    let schedule = Schedule {
        recurring_amount: Some(pounds(200)),
        final_amount: Some(pounds(300)),
        end: End::On(date!(2027 - 02 - 17)),
        ..monthly(date!(2026 - 12 - 01))
    };
    let mut books = bank();
    submit(&mut books, START, standing(schedule, 100)).unwrap();
    books.run_until(START + Duration::days(400));
    let amounts: Vec<_> = paid(&books).into_iter().map(|(day, _, minor)| (day, minor)).collect();
    let expected = [
        (date!(2026 - 12 - 01), 100),
        (date!(2027 - 01 - 01), 200),
        (date!(2027 - 02 - 01), 200),
        (date!(2027 - 02 - 17), 300),
    ];
    assert_eq!(amounts, expected);
    assert_eq!(state(&books, "s").instructions[0].next, None);
}

#[test]
fn a_number_of_payments_counts_the_first_one() {
    let mut books = bank();
    let schedule = Schedule { end: End::After(3), ..monthly(date!(2026 - 12 - 01)) };
    submit(&mut books, START, standing(schedule, 100)).unwrap();
    books.run_until(START + Duration::days(400));
    assert_eq!(paid(&books).len(), 3);
}

#[test]
fn recurring_payments_can_begin_on_a_day_of_their_own() {
    let schedule =
        Schedule { recurring_from: Some(date!(2027 - 01 - 20)), end: End::After(3), ..monthly(date!(2026 - 12 - 01)) };
    let schedule = Schedule { recurrence: Recurrence::Months { every: 1, on: None }, ..schedule };
    let mut books = bank();
    submit(&mut books, START, standing(schedule, 100)).unwrap();
    books.run_until(START + Duration::days(400));
    let days: Vec<_> = paid(&books).into_iter().map(|(day, ..)| day).collect();
    assert_eq!(days, [date!(2026 - 12 - 01), date!(2027 - 01 - 20), date!(2027 - 02 - 20)]);
}

#[test]
fn a_payment_without_funds_fails_and_the_next_ones_are_paid() {
    let mut books = bank();
    let schedule = Schedule { recurring_amount: Some(pounds(1_000)), ..monthly(date!(2026 - 12 - 01)) };
    submit(&mut books, START, standing(schedule, HELD + 1)).unwrap();
    books.run_until(datetime!(2027-02-02 00:00 UTC));
    let ends: Vec<_> = payments(&books, "s").iter().map(|payment| (payment.status(), payment.reason())).collect();
    let expected = [
        (Rejected, Some(Rejection::InsufficientFunds)),
        (AcceptedCreditSettlementCompleted, None),
        (AcceptedCreditSettlementCompleted, None),
    ];
    assert_eq!(ends, expected);
    assert_eq!(state(&books, "s").status(), InitiationCompleted);
}

#[test]
fn what_recurs_by_the_day_is_paid_on_weekends_too() {
    let mut books = bank();
    let schedule = Schedule { recurrence: Recurrence::Days(1), ..monthly(date!(2026 - 11 - 27)) };
    submit(&mut books, START, standing(schedule, 1)).unwrap();
    books.run_until(datetime!(2026-11-30 00:00 UTC));
    let days: Vec<_> = paid(&books).into_iter().map(|(_, day, _)| day.unwrap()).collect();
    assert_eq!(days, [date!(2026 - 11 - 27), date!(2026 - 11 - 28), date!(2026 - 11 - 29)]);
}
