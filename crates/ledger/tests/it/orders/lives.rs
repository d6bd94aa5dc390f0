//! How payments live in time.

use super::*;
use OrderStatus::{
    AcceptedCreditSettlementCompleted, AcceptedSettlementCompleted, AcceptedSettlementInProcess,
    AcceptedWithoutPosting, Cancelled, InitiationCompleted, InitiationFailed, Received, Rejected,
};

#[test]
fn a_payment_to_another_bank_walks_through_its_states() {
    let mut books = bank();
    submit(&mut books, START, simple("p", "ada", 2_500)).unwrap();
    assert_eq!(statuses(state(&books, "p")), [Received, AcceptedSettlementInProcess]);
    let held = books.balances(&id("ada"), START).unwrap();
    assert_eq!((held.booked, held.pending_debits, held.spendable), (pounds(HELD), pounds(2_500), pounds(HELD - 2_500)));
    assert_eq!(books.next_due(), Some(after(2)));
    books.run_until(after(1));
    assert_eq!(state(&books, "p").status(), AcceptedSettlementInProcess);
    books.run_until(after(2));
    assert_eq!(state(&books, "p").status(), AcceptedSettlementCompleted);
    assert_eq!(booked(&books, "ada", after(2)), HELD - 2_500);
    books.run_until(after(60));
    let state = state(&books, "p");
    let walked: Vec<_> = state.history.iter().map(|change| (change.at, change.status)).collect();
    assert_eq!(
        walked,
        [
            (START, Received),
            (START, AcceptedSettlementInProcess),
            (after(2), AcceptedSettlementCompleted),
            (after(4), AcceptedWithoutPosting),
            (after(5), AcceptedCreditSettlementCompleted),
        ]
    );
    assert_eq!((state.status_updated_at(), state.created_at), (after(5), START));
    assert_eq!(books.contra(Contra::External, Currency::GBP), pounds(2_500));
    assert_eq!(books.next_due(), None);
    let payment = &payments(&books, "p")[0];
    let row = books.transaction(payment.transaction.as_ref().unwrap()).unwrap().transaction;
    assert_eq!((row.kind, row.amount, row.booked_at, row.made_at), (Kind::PaymentSent, pounds(2_500), after(2), START));
    assert_eq!((row.description.as_str(), row.reference.as_deref()), ("MARROW LETTINGS REF", Some("REF")));
    assert_eq!(row.counterparty, Some(elsewhere()));
    assert!(books.balanced());
}

#[test]
fn a_payment_within_the_bank_is_seen_on_both_sides() {
    for payee in [
        holder_of("ben"),
        Counterparty {
            account: Some(Identification::UkAccount("00002600000002".parse().unwrap())),
            ..holder_of("ben")
        },
        Counterparty {
            account: Some(Identification::Iban(account("ben").identification.iban().unwrap().clone())),
            ..holder_of("ben")
        },
    ] {
        let mut books = bank();
        let payment = instruction(payee, pounds(700), Execution::Immediate);
        submit(&mut books, START, order("p", "ada", payment)).unwrap();
        books.run_until(after(2));
        assert_eq!((booked(&books, "ada", after(2)), booked(&books, "ben", after(2))), (HELD - 700, HELD));
        assert_eq!(books.contra(Contra::Transit, Currency::GBP), pounds(700));
        books.run_until(after(5));
        assert_eq!(booked(&books, "ben", after(5)), HELD + 700);
        assert_eq!(books.contra(Contra::Transit, Currency::GBP), pounds(0));
        let walked =
            [Received, AcceptedSettlementInProcess, AcceptedSettlementCompleted, AcceptedCreditSettlementCompleted];
        assert_eq!(statuses(state(&books, "p")), walked);
        let (paid, got) = (rows(&books, "ada")[0].transaction.clone(), rows(&books, "ben")[0].transaction.clone());
        assert_eq!((paid.description.as_str(), got.description.as_str()), ("TO BEN FERN REF", "FROM ADA FERN REF"));
        assert_eq!((paid.kind, got.kind, got.reference.as_deref()), (Kind::Transfer, Kind::Transfer, Some("REF")));
        assert_eq!(got.counterparty, Some(holder_of("ada")));
        assert!(books.balanced());
    }
}

#[test]
fn charges_go_to_the_bank() {
    let mut books = bank();
    let mut payment = simple("p", "ada", 50_000);
    payment.instructions[0].charges = vec![charge(1_500), charge(25)];
    submit(&mut books, START, payment).unwrap();
    books.run_until(after(60));
    assert_eq!(booked(&books, "ada", after(60)), HELD - 50_000 - 1_525);
    assert_eq!(books.contra(Contra::Earnings, Currency::GBP), pounds(1_525));
    let fees = rows(&books, "ada").into_iter().filter(|row| row.transaction.kind == Kind::Fee);
    assert_eq!(fees.map(|row| row.transaction.amount.minor()).sum::<i64>(), 1_525);
}

#[test]
fn currencies_change_against_the_banks_position() {
    // Instructed in the payer's currency, and in the payee's.
    for (instructed, debit, credit) in [(pounds(10_000), 10_000, 11_650), (euros(11_650), 10_000, 11_650)] {
        let mut books = bank();
        let mut payment = order("p", "ada", instruction(holder_of("euro"), instructed, Execution::Immediate));
        payment.instructions[0].conversion = conversion("1.165", Currency::EUR);
        submit(&mut books, START, payment).unwrap();
        books.run_until(after(86_399));
        assert_eq!(state(&books, "p").status(), AcceptedSettlementCompleted);
        books.run_until(after(86_400));
        assert_eq!(state(&books, "p").status(), AcceptedCreditSettlementCompleted);
        assert_eq!(booked(&books, "ada", after(86_400)), HELD - debit);
        assert_eq!(booked(&books, "euro", after(86_400)), HELD + credit);
        assert_eq!(books.contra(Contra::ForeignExchange, Currency::GBP), pounds(debit));
        assert_eq!(books.contra(Contra::ForeignExchange, Currency::EUR), euros(-credit));
        for name in ["ada", "euro"] {
            let exchange = rows(&books, name)[0].transaction.exchange.clone().unwrap();
            assert_eq!((exchange.instructed, exchange.rate.to_string()), (instructed, "1.165000".into()));
        }
        assert!(books.balanced());
    }
}

#[test]
fn currencies_without_decimals_are_counted_right() {
    let mut books = bank();
    let yen: Currency = "JPY".parse().unwrap();
    let mut payment = order("p", "ada", instruction(elsewhere(), pounds(10_000), Execution::Immediate));
    payment.instructions[0].conversion = conversion("190.5", yen);
    submit(&mut books, START, payment).unwrap();
    assert_eq!(payments(&books, "p")[0].credit, Money::new(19_050, yen));
    let mut back = order("q", "ada", instruction(elsewhere(), Money::new(19_050, yen), Execution::Immediate));
    back.instructions[0].conversion = conversion("190.5", yen);
    submit(&mut books, START, back).unwrap();
    assert_eq!(payments(&books, "q")[0].debit, pounds(10_000));
}

#[test]
fn a_scheduled_payment_waits_for_its_day() {
    let mut books = bank();
    let day = date!(2026 - 12 - 01);
    submit(&mut books, START, order("s", "ada", instruction(elsewhere(), pounds(900), Execution::On(day)))).unwrap();
    assert_eq!(statuses(state(&books, "s")), [Received, InitiationCompleted]);
    let scheduled = books.scheduled_payments(&id("ada")).unwrap();
    assert_eq!((scheduled.len(), scheduled[0].next.day, scheduled[0].next.amount), (1, day, pounds(900)));
    let due = datetime!(2026-12-01 04:05 UTC);
    assert_eq!(books.next_due(), Some(due));
    books.run_until(due - Duration::SECOND);
    assert_eq!(booked(&books, "ada", due), HELD);
    books.run_until(due + Duration::seconds(5));
    assert_eq!(booked(&books, "ada", due + Duration::seconds(5)), HELD - 900);
    assert_eq!(payments(&books, "s")[0].status(), AcceptedCreditSettlementCompleted);
    assert_eq!(state(&books, "s").status(), InitiationCompleted);
    assert!(books.scheduled_payments(&id("ada")).unwrap().is_empty());
    let late = apply(&mut books, due + Duration::DAY, Action::Cancel { order: OrderId::new("s") });
    assert_eq!(late, Err(CommandError::NothingLeft(OrderId::new("s"))));
}

#[test]
fn a_scheduled_payment_can_be_cancelled_before_its_day() {
    let mut books = bank();
    let day = date!(2026 - 12 - 01);
    submit(&mut books, START, order("s", "ada", instruction(elsewhere(), pounds(900), Execution::On(day)))).unwrap();
    apply(&mut books, after(60), Action::Cancel { order: OrderId::new("s") }).unwrap();
    assert_eq!(statuses(state(&books, "s")), [Received, InitiationCompleted, Cancelled]);
    assert_eq!(books.next_due(), None);
    books.run_until(START + Duration::days(30));
    assert_eq!(booked(&books, "ada", START + Duration::days(30)), HELD);
    assert!(books.orders_of(&id("ada")).unwrap().any(|state| state.order.id == OrderId::new("s")));
}

#[test]
fn a_scheduled_payment_without_funds_on_its_day_fails_then() {
    let mut books = bank();
    let execution = Execution::On(date!(2026 - 12 - 01));
    submit(&mut books, START, order("s", "ada", instruction(elsewhere(), pounds(HELD + 1), execution))).unwrap();
    assert_eq!(state(&books, "s").status(), InitiationCompleted);
    books.run_until(START + Duration::days(30));
    let payment = &payments(&books, "s")[0];
    assert_eq!((payment.status(), payment.reason()), (Rejected, Some(Rejection::InsufficientFunds)));
    assert_eq!((payment.entry.as_ref(), booked(&books, "ada", START + Duration::days(30))), (None, HELD));
}

#[test]
fn explicit_timing_moves_only_when_told() {
    let mut books = bank();
    set_timing(&mut books, explicit());
    submit(&mut books, START, simple("p", "ada", 2_500)).unwrap();
    books.run_until(after(9_999));
    assert_eq!(statuses(state(&books, "p")), [Received]);
    assert_eq!(books.balances(&id("ada"), after(9_999)).unwrap().spendable, pounds(HELD - 2_500));
    let step = || Action::Step { order: OrderId::new("p") };
    let walk = [
        (AcceptedSettlementInProcess, HELD),
        (AcceptedSettlementCompleted, HELD - 2_500),
        (AcceptedWithoutPosting, HELD - 2_500),
        (AcceptedCreditSettlementCompleted, HELD - 2_500),
    ];
    for (status, held) in walk {
        apply(&mut books, after(10_000), step()).unwrap();
        assert_eq!((state(&books, "p").status(), booked(&books, "ada", after(10_000))), (status, held));
    }
    let over = apply(&mut books, after(10_000), step());
    assert_eq!(over, Err(CommandError::NothingUnderWay(OrderId::new("p"))));
}

#[test]
fn a_step_can_be_hurried() {
    let mut books = bank();
    submit(&mut books, START, simple("p", "ada", 2_500)).unwrap();
    apply(&mut books, after(1), Action::Step { order: OrderId::new("p") }).unwrap();
    assert_eq!(
        (state(&books, "p").status(), booked(&books, "ada", after(1))),
        (AcceptedSettlementCompleted, HELD - 2_500)
    );
    books.run_until(after(60));
    assert_eq!(
        (state(&books, "p").status(), booked(&books, "ada", after(60))),
        (AcceptedCreditSettlementCompleted, HELD - 2_500)
    );
}

#[test]
fn what_the_bank_rejects_on_the_way_is_free_again() {
    let mut books = bank();
    set_timing(&mut books, explicit());
    let reject = || Action::Reject { order: OrderId::new("p"), reason: Rejection::NotSpecified };
    submit(&mut books, START, simple("p", "ada", HELD)).unwrap();
    apply(&mut books, after(1), reject()).unwrap();
    assert_eq!((state(&books, "p").status(), state(&books, "p").reason()), (Rejected, Some(Rejection::NotSpecified)));
    assert_eq!(books.balances(&id("ada"), after(1)).unwrap().spendable, pounds(HELD));
    assert_eq!(rows(&books, "ada").len(), 1);
    assert_eq!(apply(&mut books, after(2), reject()), Err(CommandError::NothingLeft(OrderId::new("p"))));
    assert!(books.balanced());
}

fn file(name: &str, amounts: &[i64]) -> PaymentOrder {
    let one = |(index, minor): (usize, &i64)| Instruction {
        id: index.to_string(),
        ..instruction(if index % 2 == 0 { elsewhere() } else { holder_of("ben") }, pounds(*minor), Execution::Immediate)
    };
    let instructions = amounts.iter().enumerate().map(one).collect();
    PaymentOrder { instructions, file: true, ..simple(name, "ada", 1) }
}

#[test]
fn a_files_payments_are_judged_one_by_one() {
    let mut books = bank();
    submit(&mut books, START, file("f", &[60_000, 50_000, 40_000])).unwrap();
    assert_eq!(statuses(state(&books, "f")), [Received]);
    books.run_until(after(60));
    assert_eq!(statuses(state(&books, "f")), [Received, InitiationCompleted]);
    let ends: Vec<_> = state(&books, "f").instructions.iter().map(|progress| progress.payments[0].status()).collect();
    assert_eq!(ends, [AcceptedCreditSettlementCompleted, Rejected, AcceptedCreditSettlementCompleted]);
    assert_eq!(booked(&books, "ada", after(60)), 0);
    assert!(books.balanced());
}

#[test]
fn a_file_of_which_nothing_can_be_paid_fails() {
    let mut books = bank();
    submit(&mut books, START, file("f", &[HELD + 1, HELD + 2])).unwrap();
    assert_eq!(statuses(state(&books, "f")), [Received, InitiationFailed]);
    assert_eq!(state(&books, "f").reason(), Some(Rejection::InsufficientFunds));
}

#[test]
fn a_file_is_done_when_its_last_payment_is() {
    let mut books = bank();
    set_timing(&mut books, explicit());
    submit(&mut books, START, file("f", &[100, 200])).unwrap();
    for _ in 0..3 {
        apply(&mut books, START, Action::Step { order: OrderId::new("f") }).unwrap();
        assert_eq!(statuses(state(&books, "f")), [Received]);
    }
    // The one within the bank is credited now, the one elsewhere was the first to need a fourth step.
    let ends: Vec<_> = state(&books, "f").instructions.iter().map(|progress| progress.payments[0].status()).collect();
    assert_eq!(ends, [AcceptedWithoutPosting, AcceptedCreditSettlementCompleted]);
    apply(&mut books, START, Action::Step { order: OrderId::new("f") }).unwrap();
    assert_eq!(statuses(state(&books, "f")), [Received, InitiationCompleted]);
}

#[test]
fn a_large_file_does_not_take_the_square_of_its_length() {
    let mut books = bank();
    let amounts = vec![1; 5_000];
    submit(&mut books, START, file("f", &amounts)).unwrap();
    books.run_until(after(60));
    assert_eq!(state(&books, "f").status(), InitiationCompleted);
    assert_eq!((booked(&books, "ada", after(60)), booked(&books, "ben", after(60))), (HELD - 5_000, HELD + 2_500));
    assert!(books.balanced());
}

#[test]
fn a_file_can_hold_payments_for_later_days() {
    let mut books = bank();
    let mut order = file("f", &[100, 200]);
    order.instructions[1].execution = Execution::On(date!(2026 - 12 - 01));
    submit(&mut books, START, order).unwrap();
    books.run_until(after(60));
    assert_eq!((state(&books, "f").status(), booked(&books, "ada", after(60))), (InitiationCompleted, HELD - 100));
    let end = datetime!(2026-12-01 05:00 UTC);
    books.run_until(end);
    assert_eq!(booked(&books, "ada", end), HELD - 300);
}

#[test]
fn timing_is_read_from_a_file_and_obeyed() {
    let text = "{ in_process: 10, debited: 20, without_posting: 30, credited: 40, time_of_day: \"16:30\" }";
    let timing: Timing = serde_saphyr::from_str(text).unwrap();
    assert!(serde_saphyr::from_str::<Timing>("{ debitted: 20 }").is_err());
    let mut books = bank();
    set_timing(&mut books, timing);
    submit(&mut books, START, simple("p", "ada", 5)).unwrap();
    let payment = instruction(elsewhere(), pounds(7), Execution::On(START.date()));
    submit(&mut books, START, order("s", "ada", payment)).unwrap();
    let seconds = |books: &Books| -> Vec<_> {
        state(books, "p").history.iter().map(|change| (change.at - START).whole_seconds()).collect()
    };
    // Held from the beginning, also while settlement has not begun.
    assert_eq!((seconds(&books), books.balances(&id("ada"), START).unwrap().spendable), (vec![0], pounds(HELD - 5)));
    books.run_until(after(60));
    assert_eq!(seconds(&books), [0, 10, 20, 30, 40]);
    assert_eq!(state(&books, "s").instructions[0].next.unwrap().at, datetime!(2026-11-23 16:30 UTC));
    // A day whose hour has passed is paid at once.
    let late = instruction(elsewhere(), pounds(9), Execution::On(START.date()));
    submit(&mut books, datetime!(2026-11-23 18:00 UTC), order("late", "ada", late)).unwrap();
    assert_eq!(payments(&books, "late")[0].history[0].at, datetime!(2026-11-23 18:00 UTC));
}

#[test]
fn commands_travel_as_json() {
    let mut payment = simple("p", "joint", 5);
    payment.authorise_before = Some(after(99));
    payment.instructions[0].conversion = conversion("1.165", Currency::EUR);
    payment.instructions[0].execution = Execution::On(date!(2027 - 02 - 28));
    let command = Command { at: START, action: Action::Submit(Box::new(payment)) };
    let text = serde_json::to_string(&command).unwrap();
    assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
}

#[test]
fn the_books_do_not_go_back_in_time() {
    let mut books = bank();
    books.run_until(after(10));
    let late = submit(&mut books, after(9), simple("p", "ada", 5));
    assert_eq!(late, Err(CommandError::Past { at: after(9), now: after(10) }));
    assert_eq!(books.run_until(after(1)), 0);
    assert_eq!(books.now(), Some(after(10)));
    submit(&mut books, after(10), simple("p", "ada", 5)).unwrap();
}
