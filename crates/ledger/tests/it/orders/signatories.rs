//! Orders from an account whose holders have to agree.

use super::*;
use OrderStatus::{
    AcceptedCreditSettlementCompleted, Cancelled, InitiationCompleted, InitiationFailed, PartiallyAccepted, Received,
    Rejected,
};
use ledger::orders::{End, Recurrence, Schedule};
use time::Date;

fn authorise(customer: &str) -> Action {
    Action::Authorise { order: OrderId::new("p"), customer: CustomerId::new(customer) }
}

fn refuse(customer: &str) -> Action {
    Action::Refuse { order: OrderId::new("p"), customer: CustomerId::new(customer) }
}

/// The days of the payments of a daily series from the joint account, on which the second holder agrees so many days late.
fn series(end: End, late: i64) -> (Books, Vec<(Date, i64)>) {
    let mut books = bank();
    let schedule = Schedule {
        first: START.date(),
        recurrence: Recurrence::Days(1),
        recurring_from: None,
        recurring_amount: Some(pounds(7)),
        end,
        final_amount: None,
    };
    let recurring = Execution::Recurring(schedule);
    submit(&mut books, START, order("p", "joint", instruction(elsewhere(), pounds(5), recurring))).unwrap();
    apply(&mut books, START + Duration::days(late), authorise("ben")).unwrap();
    books.run_until(START + Duration::days(late + 30));
    let days = payments(&books, "p").iter().map(|payment| (payment.day, payment.debit.minor())).collect();
    (books, days)
}

#[test]
fn days_that_passed_while_signatories_were_waited_for_are_not_paid() {
    // The one of the day itself is: its hour has passed, the day has not.
    let (books, days) = series(End::After(5), 3);
    assert_eq!(days, [(date!(2026 - 11 - 26), 7), (date!(2026 - 11 - 27), 7)]);
    assert_eq!(state(&books, "p").status(), InitiationCompleted);
    assert_eq!(booked(&books, "joint", START + Duration::days(30)), HELD - 14);
    let begun = payments(&books, "p")[0].history[0].at;
    assert_eq!(begun, START + Duration::days(3));
    assert_eq!(series(End::After(2), 0).1, [(date!(2026 - 11 - 23), 5), (date!(2026 - 11 - 24), 7)]);
    assert_eq!(series(End::On(date!(2026 - 11 - 27)), 4).1, [(date!(2026 - 11 - 27), 7)]);
}

#[test]
fn a_series_whose_days_have_all_passed_fails() {
    for end in [End::After(3), End::On(date!(2026 - 11 - 25))] {
        let (books, days) = series(end, 3);
        assert_eq!(days, []);
        let failed = (InitiationFailed, Some(Rejection::AuthorisationExpired));
        assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), failed);
        assert_eq!(booked(&books, "joint", START + Duration::days(30)), HELD);
    }
}

fn waiting(deadline: Option<OffsetDateTime>) -> Books {
    let mut books = bank();
    let payment = PaymentOrder { authorise_before: deadline, ..simple("p", "joint", 400) };
    submit(&mut books, START, payment).unwrap();
    assert_eq!(statuses(state(&books, "p")), [Received, PartiallyAccepted]);
    books
}

#[test]
fn money_moves_when_the_second_holder_agrees() {
    let mut books = waiting(None);
    books.run_until(after(500));
    assert_eq!(books.balances(&id("joint"), after(500)).unwrap().spendable, pounds(HELD));
    assert_eq!(state(&books, "p").authorisations.len(), 1);
    apply(&mut books, after(600), authorise("ben")).unwrap();
    books.run_until(after(700));
    let state = state(&books, "p");
    assert_eq!((state.status(), state.authorisations.len()), (AcceptedCreditSettlementCompleted, 2));
    assert_eq!(booked(&books, "joint", after(700)), HELD - 400);
}

#[test]
fn only_another_holder_can_agree_and_only_once() {
    let mut books = waiting(None);
    let unknown =
        apply(&mut books, START, Action::Authorise { order: OrderId::new("x"), customer: CustomerId::new("ben") });
    assert!(matches!(unknown, Err(CommandError::Books(_))));
    assert!(matches!(apply(&mut books, START, authorise("eve")), Err(CommandError::NotAHolder { .. })));
    assert!(matches!(apply(&mut books, START, refuse("eve")), Err(CommandError::NotAHolder { .. })));
    assert!(matches!(apply(&mut books, START, authorise("ada")), Err(CommandError::AuthorisedAlready { .. })));
    assert_eq!(state(&books, "p").status(), PartiallyAccepted);
    apply(&mut books, START, authorise("ben")).unwrap();
    assert_eq!(apply(&mut books, START, authorise("ben")), Err(CommandError::NotAwaiting(OrderId::new("p"))));
    assert_eq!(apply(&mut books, START, refuse("ben")), Err(CommandError::NotAwaiting(OrderId::new("p"))));
}

#[test]
fn a_refusal_rejects_the_order() {
    let mut books = waiting(Some(after(900)));
    apply(&mut books, after(60), refuse("ben")).unwrap();
    assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), (Rejected, Some(Rejection::OrderCancelled)));
    books.run_until(after(2_000));
    assert_eq!(statuses(state(&books, "p")), [Received, PartiallyAccepted, Rejected]);
    assert_eq!(booked(&books, "joint", after(2_000)), HELD);
}

#[test]
fn the_time_to_agree_ends() {
    let mut books = waiting(Some(after(900)));
    books.run_until(after(899));
    assert_eq!(state(&books, "p").status(), PartiallyAccepted);
    books.run_until(after(900));
    let state = state(&books, "p");
    assert_eq!((state.status(), state.reason()), (Rejected, Some(Rejection::AuthorisationExpired)));
    assert_eq!(apply(&mut books, after(900), authorise("ben")), Err(CommandError::NotAwaiting(OrderId::new("p"))));
    let mut books = waiting(Some(after(900)));
    apply(&mut books, after(899), authorise("ben")).unwrap();
    assert_eq!(books.run_until(after(2_000)), 3);
}

#[test]
fn an_order_that_waits_can_be_cancelled() {
    let mut books = waiting(Some(after(900)));
    apply(&mut books, after(60), Action::Cancel { order: OrderId::new("p") }).unwrap();
    books.run_until(after(2_000));
    assert_eq!(statuses(state(&books, "p")), [Received, PartiallyAccepted, Cancelled]);
}

#[test]
fn funds_are_judged_again_when_the_last_one_agrees() {
    let mut books = waiting(None);
    let other = PaymentOrder { id: OrderId::new("q"), ..simple("q", "joint", HELD) };
    submit(&mut books, START, other).unwrap();
    apply(&mut books, START, Action::Authorise { order: OrderId::new("q"), customer: CustomerId::new("ben") }).unwrap();
    apply(&mut books, START, authorise("ben")).unwrap();
    let state = state(&books, "p");
    assert_eq!((state.status(), state.reason()), (Rejected, Some(Rejection::InsufficientFunds)));
}

#[test]
fn a_scheduled_payment_needs_the_second_holder_too() {
    for (action, end) in [(authorise("ben"), InitiationCompleted), (refuse("ben"), InitiationFailed)] {
        let mut books = bank();
        let execution = Execution::On(date!(2026 - 12 - 01));
        submit(&mut books, START, order("p", "joint", instruction(elsewhere(), pounds(5), execution))).unwrap();
        assert!(books.scheduled_payments(&id("joint")).unwrap().is_empty());
        apply(&mut books, after(5), action).unwrap();
        assert_eq!(state(&books, "p").status(), end);
        assert_eq!(books.scheduled_payments(&id("joint")).unwrap().len(), usize::from(end == InitiationCompleted));
    }
}
