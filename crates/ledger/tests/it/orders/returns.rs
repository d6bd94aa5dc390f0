//! Payments that were debited and do not arrive.

use super::*;
use OrderStatus::{AcceptedCreditSettlementCompleted, AcceptedSettlementCompleted, Blocked, Rejected};
use ledger::orders::{End, Recurrence, Schedule};

fn reject(name: &str) -> Action {
    Action::Reject { order: OrderId::new(name), reason: Rejection::NotSpecified }
}

fn set_status(books: &mut Books, at: OffsetDateTime, name: &str, status: AccountStatus) {
    apply(books, at, Action::SetStatus { account: id(name), status }).unwrap();
}

/// A payment from ada to ben that is debited, when ben's account gets another status.
fn stopped(status: AccountStatus) -> Books {
    let mut books = bank();
    let payment = instruction(holder_of("ben"), pounds(700), Execution::Immediate);
    submit(&mut books, START, order("p", "ada", payment)).unwrap();
    set_status(&mut books, after(3), "ben", status);
    assert_eq!(state(&books, "p").status(), AcceptedSettlementCompleted);
    books
}

/// Nothing is on its way.
fn nothing_waits(books: &Books) {
    for contra in [Contra::Transit, Contra::Clearing, Contra::Unclaimed] {
        for currency in [Currency::GBP, Currency::EUR] {
            assert_eq!(books.contra(contra, currency).minor(), 0, "{contra:?} {currency}");
        }
    }
    assert!(books.balanced());
}

#[test]
fn a_closed_account_sends_the_money_back_at_once() {
    let mut books = stopped(AccountStatus::Closed);
    books.run_until(after(5));
    let reason = Some(Rejection::ClosedCreditorAccount);
    assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), (Rejected, reason));
    assert_eq!((booked(&books, "ada", after(5)), booked(&books, "ben", after(5))), (HELD, HELD));
    let back = rows(&books, "ada")[0].transaction.clone();
    assert_eq!(
        (back.kind, back.direction, back.amount),
        (Kind::PaymentReturned, ledger::Direction::Credit, pounds(700))
    );
    assert_eq!(back.description, "RETURNED TO BEN FERN REF");
    assert_eq!(back.counterparty, Some(holder_of("ben")));
    nothing_waits(&books);
}

#[test]
fn a_blocked_account_is_waited_for_and_then_the_money_comes_back() {
    let mut books = stopped(AccountStatus::Disabled);
    let day = 5 + 86_400;
    books.run_until(after(day - 1));
    let reason = Some(Rejection::BlockedCreditorAccount);
    assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), (Blocked, reason));
    assert_eq!((booked(&books, "ada", after(60)), booked(&books, "ben", after(60))), (HELD - 700, HELD));
    assert_eq!(books.contra(Contra::Transit, Currency::GBP), pounds(700));
    assert!(books.balanced());
    books.run_until(after(day));
    assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), (Rejected, reason));
    assert_eq!((booked(&books, "ada", after(day)), booked(&books, "ben", after(day))), (HELD, HELD));
    nothing_waits(&books);
}

#[test]
fn a_block_that_ends_in_time_lets_the_money_arrive() {
    let mut books = stopped(AccountStatus::Disabled);
    set_status(&mut books, after(4_000), "ben", AccountStatus::Enabled);
    books.run_until(after(100_000));
    assert_eq!(statuses(state(&books, "p"))[3..], [Blocked, AcceptedCreditSettlementCompleted]);
    assert_eq!(
        (booked(&books, "ada", after(100_000)), booked(&books, "ben", after(100_000))),
        (HELD - 700, HELD + 700)
    );
    nothing_waits(&books);
}

#[test]
fn a_step_decides_about_a_blocked_payment_without_waiting() {
    for (status, end) in
        [(AccountStatus::Enabled, AcceptedCreditSettlementCompleted), (AccountStatus::Disabled, Rejected)]
    {
        let mut books = stopped(AccountStatus::Disabled);
        books.run_until(after(10));
        set_status(&mut books, after(11), "ben", status);
        apply(&mut books, after(12), Action::Step { order: OrderId::new("p") }).unwrap();
        assert_eq!(state(&books, "p").status(), end);
        assert_eq!(books.next_due(), None);
        nothing_waits(&books);
    }
}

#[test]
fn a_payment_to_another_bank_is_in_clearing_until_it_is_settled() {
    let mut books = bank();
    submit(&mut books, START, simple("p", "ada", 2_500)).unwrap();
    books.run_until(after(4));
    let (clearing, outside) = (Contra::Clearing, Contra::External);
    assert_eq!(
        (books.contra(clearing, Currency::GBP), books.contra(outside, Currency::GBP)),
        (pounds(2_500), pounds(0))
    );
    books.run_until(after(5));
    assert_eq!(books.contra(outside, Currency::GBP), pounds(2_500));
    nothing_waits(&books);
    // What has arrived does not come back.
    assert_eq!(apply(&mut books, after(6), reject("p")), Err(CommandError::NothingLeft(OrderId::new("p"))));
}

#[test]
fn what_another_bank_rejects_comes_back_with_its_charges() {
    for (at, own) in [(2, "ada"), (3, "ada"), (4, "ada"), (4, "euro")] {
        let mut books = bank();
        let currency = account(own).currency;
        let mut payment = instruction(elsewhere(), Money::new(50_000, currency), Execution::Immediate);
        payment.charges = vec![Charge { description: "FEE".into(), amount: Money::new(1_500, currency) }];
        if own == "euro" {
            payment.conversion = conversion("0.8571", Currency::GBP);
        }
        submit(&mut books, START, order("p", own, payment)).unwrap();
        books.run_until(after(at));
        assert_eq!(booked(&books, own, after(at)), HELD - 51_500);
        apply(&mut books, after(at), reject("p")).unwrap();
        assert_eq!((state(&books, "p").status(), booked(&books, own, after(at))), (Rejected, HELD));
        assert_eq!(books.contra(Contra::Earnings, currency).minor(), 0);
        for currency in [Currency::GBP, Currency::EUR] {
            assert_eq!(books.contra(Contra::ForeignExchange, currency).minor(), 0);
            assert_eq!(books.contra(Contra::External, currency).minor(), 0);
        }
        let back = rows(&books, own).into_iter().filter(|row| row.transaction.kind == Kind::PaymentReturned);
        assert_eq!(back.map(|row| row.transaction.amount.minor()).sum::<i64>(), 51_500);
        nothing_waits(&books);
        books.run_until(after(200_000));
        assert_eq!(booked(&books, own, after(200_000)), HELD);
    }
}

#[test]
fn what_comes_back_may_be_spent_again_on_the_same_day() {
    let mut books = bank();
    set_limits(&mut books, Currency::GBP, Limits { payment: None, day: Some(pounds(1_000)) }).unwrap();
    submit(&mut books, START, simple("p", "ada", 1_000)).unwrap();
    books.run_until(after(3));
    assert_eq!(rejection(&mut books, simple("q", "ada", 1)), Some(Rejection::LimitExceeded));
    apply(&mut books, after(3), reject("p")).unwrap();
    assert_eq!(rejection(&mut books, simple("r", "ada", 1_000)), None);
}

#[test]
fn what_comes_back_for_a_closed_account_is_unclaimed() {
    let mut books = bank();
    submit(&mut books, START, simple("p", "ada", 2_500)).unwrap();
    books.run_until(after(3));
    set_status(&mut books, after(3), "ada", AccountStatus::Closed);
    apply(&mut books, after(3), reject("p")).unwrap();
    assert_eq!((state(&books, "p").status(), booked(&books, "ada", after(3))), (Rejected, HELD - 2_500));
    assert_eq!(books.contra(Contra::Unclaimed, Currency::GBP), pounds(2_500));
    assert_eq!(books.contra(Contra::Clearing, Currency::GBP), pounds(0));
    assert!(books.balanced());
}

#[test]
fn a_file_waits_for_what_is_blocked() {
    let mut books = bank();
    let part =
        |name: &str, payee| Instruction { id: name.into(), ..instruction(payee, pounds(10), Execution::Immediate) };
    let parts = vec![part("1", holder_of("ben")), part("2", elsewhere())];
    let file = PaymentOrder { instructions: parts, file: true, ..simple("p", "ada", 1) };
    submit(&mut books, START, file).unwrap();
    set_status(&mut books, after(3), "ben", AccountStatus::Disabled);
    books.run_until(after(60));
    assert_eq!(state(&books, "p").status(), OrderStatus::Received);
    books.run_until(after(100_000));
    assert_eq!(state(&books, "p").status(), OrderStatus::InitiationCompleted);
    assert_eq!(booked(&books, "ada", after(100_000)), HELD - 10);
}

#[test]
fn an_instalment_that_came_back_is_not_the_last_paid_one() {
    let mut books = bank();
    let schedule = Schedule {
        first: START.date() + Duration::DAY,
        recurrence: Recurrence::Days(1),
        recurring_from: None,
        recurring_amount: None,
        end: End::After(2),
        final_amount: None,
    };
    let first = schedule.first;
    submit(
        &mut books,
        START,
        order("s", "ada", instruction(holder_of("ben"), pounds(5), Execution::Recurring(schedule))),
    )
    .unwrap();
    books.run_until(START + Duration::hours(40));
    set_status(&mut books, START + Duration::hours(40), "ben", AccountStatus::Disabled);
    books.run_until(START + Duration::days(5));
    let progress = &state(&books, "s").instructions[0];
    assert_eq!(progress.payments.len(), 2);
    assert_eq!(progress.last_paid(), Some((first, pounds(5))));
}
