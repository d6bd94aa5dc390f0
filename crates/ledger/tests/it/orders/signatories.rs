//! Orders from an account whose holders have to agree.

use super::*;
use OrderStatus::{
    AcceptedCreditSettlementCompleted, Cancelled, InitiationCompleted, InitiationFailed, PartiallyAccepted, Received,
    Rejected,
};

fn authorise(customer: &str) -> Action {
    Action::Authorise { order: OrderId::new("p"), customer: CustomerId::new(customer) }
}

fn refuse(customer: &str) -> Action {
    Action::Refuse { order: OrderId::new("p"), customer: CustomerId::new(customer) }
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
