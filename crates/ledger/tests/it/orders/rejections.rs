//! Each reason to reject a payment, with the twin that is accepted; and what is no order at all.

use super::*;
use ledger::identification::Pan;
use ledger::orders::{End, OrderError, Recurrence, Schedule};

#[test]
fn funds_must_cover_amount_and_charges() {
    let with_charge = |name: &str, minor| {
        let mut payment = simple(name, "ada", minor);
        payment.instructions[0].charges = vec![charge(100)];
        payment
    };
    assert_eq!(rejection(&mut bank(), with_charge("p", HELD - 99)), Some(Rejection::InsufficientFunds));
    assert_eq!(rejection(&mut bank(), with_charge("p", HELD - 100)), None);
    assert_eq!(rejection(&mut bank(), simple("p", "ada", HELD + 1)), Some(Rejection::InsufficientFunds));
    assert_eq!(rejection(&mut bank(), simple("p", "ada", HELD)), None);
}

#[test]
fn two_payments_cannot_both_take_the_same_money() {
    let mut books = bank();
    assert_eq!(rejection(&mut books, simple("p", "ada", HELD)), None);
    assert_eq!(rejection(&mut books, simple("q", "ada", 1)), Some(Rejection::InsufficientFunds));
    assert_eq!(rows(&books, "ada").len(), 2);
}

#[test]
fn a_rejected_order_leaves_no_trace_in_the_books() {
    let mut books = bank();
    assert!(rejection(&mut books, simple("p", "ada", HELD + 1)).is_some());
    assert_eq!((rows(&books, "ada").len(), books.pending().count(), books.next_due()), (1, 0, None));
    assert_eq!(books.contra(Contra::External, Currency::GBP), pounds(0));
}

#[test]
fn the_debtors_account_must_be_in_use() {
    for (status, expected) in [
        (AccountStatus::Enabled, None),
        (AccountStatus::Disabled, Some(Rejection::BlockedDebtorAccount)),
        (AccountStatus::Closed, Some(Rejection::ClosedDebtorAccount)),
    ] {
        let mut books = bank();
        apply(&mut books, START, Action::SetStatus { account: id("ada"), status }).unwrap();
        assert_eq!(rejection(&mut books, simple("p", "ada", 5)), expected);
    }
}

#[test]
fn no_payment_is_ordered_from_a_loan() {
    assert_eq!(rejection(&mut bank(), simple("p", "loan", 5)), Some(Rejection::TransactionForbidden));
    assert_eq!(rejection(&mut bank(), simple("p", "ada", 5)), None);
}

#[test]
fn the_creditors_account_must_be_in_use() {
    for (status, expected) in [
        (AccountStatus::Enabled, None),
        (AccountStatus::Disabled, Some(Rejection::BlockedCreditorAccount)),
        (AccountStatus::Closed, Some(Rejection::ClosedCreditorAccount)),
    ] {
        let mut books = bank();
        apply(&mut books, START, Action::SetStatus { account: id("ben"), status }).unwrap();
        let payment = instruction(holder_of("ben"), pounds(5), Execution::Immediate);
        assert_eq!(rejection(&mut books, order("p", "ada", payment)), expected);
    }
}

#[test]
fn a_number_of_this_bank_must_exist() {
    let nobody = number("99999999");
    let iban = Identification::Iban(nobody.iban().unwrap().clone());
    let uk = Identification::UkAccount(nobody.uk_account().unwrap().clone());
    let to = |account| instruction(Counterparty { name: "X".into(), account }, pounds(5), Execution::Immediate);
    for unknown in [nobody, iban, uk] {
        let payment = order("p", "ada", to(Some(unknown)));
        assert_eq!(rejection(&mut bank(), payment), Some(Rejection::IncorrectCreditorAccount));
    }
    let card = Identification::Card(Pan::with_check_digit("512345", 1).unwrap());
    for fine in [None, Some(card), elsewhere().account, holder_of("ben").account] {
        assert_eq!(rejection(&mut bank(), order("p", "ada", to(fine))), None);
    }
}

#[test]
fn a_card_of_this_bank_can_be_paid() {
    let card = |fill| Identification::Card(Pan::with_check_digit("400000", fill).unwrap());
    let mut books = bank();
    let account = Account { id: id("card"), kind: AccountKind::CreditCard, identification: card(1), ..account("ada") };
    books.add_account(account).unwrap();
    let to = |fill| {
        instruction(Counterparty { name: "Card".into(), account: Some(card(fill)) }, pounds(5), Execution::Immediate)
    };
    assert_eq!(rejection(&mut books, order("p", "ada", to(1))), None);
    assert_eq!(rejection(&mut books, order("q", "ada", to(2))), Some(Rejection::IncorrectCreditorAccount));
    assert_eq!(
        rejection(&mut books, PaymentOrder { debtor: id("card"), ..simple("r", "ada", 5) }),
        Some(Rejection::TransactionForbidden)
    );
    books.run_until(after(60));
    assert_eq!(booked(&books, "card", after(60)), 5);
}

#[test]
fn nobody_pays_themselves() {
    let to = |name| order("p", "ada", instruction(holder_of(name), pounds(5), Execution::Immediate));
    assert_eq!(rejection(&mut bank(), to("ada")), Some(Rejection::SameAccount));
    assert_eq!(rejection(&mut bank(), to("ben")), None);
}

#[test]
fn currencies_must_fit_the_accounts() {
    let paid = |debtor, payee, instructed, converted: Option<(&str, Currency)>| {
        let mut payment = order("p", debtor, instruction(payee, instructed, Execution::Immediate));
        payment.instructions[0].conversion = converted.and_then(|(rate, currency)| conversion(rate, currency));
        rejection(&mut bank(), payment)
    };
    let refused = Some(Rejection::NotAllowedCurrency);
    let dollars = Money::new(5, Currency::USD);
    assert_eq!(paid("ada", elsewhere(), euros(5), None), refused);
    assert_eq!(paid("euro", elsewhere(), euros(5), None), None);
    assert_eq!(paid("ada", holder_of("euro"), pounds(5), None), refused);
    assert_eq!(paid("ada", holder_of("euro"), pounds(5), Some(("1.1", Currency::EUR))), None);
    assert_eq!(paid("ada", elsewhere(), dollars, Some(("1.1", Currency::EUR))), refused);
    assert_eq!(paid("ada", elsewhere(), dollars, Some(("1.3", Currency::USD))), None);
    assert_eq!(paid("ada", elsewhere(), pounds(5), Some(("1", Currency::GBP))), None);
    assert_eq!(paid("ada", elsewhere(), pounds(1), Some(("0.0001", Currency::EUR))), Some(Rejection::ZeroAmount));
    assert_eq!(
        paid("ada", elsewhere(), euros(i64::MAX), Some(("0.0001", Currency::EUR))),
        Some(Rejection::NotAllowedAmount)
    );
}

#[test]
fn one_payment_has_a_limit() {
    let mut books = bank();
    let limits = Limits { payment: Some(pounds(1_000)), day: None };
    set_limits(&mut books, Currency::GBP, limits).unwrap();
    assert_eq!(rejection(&mut books, simple("p", "ada", 1_001)), Some(Rejection::AmountExceedsAgreedLimit));
    assert_eq!(rejection(&mut books, simple("q", "ada", 1_000)), None);
    assert_eq!(set_limits(&mut books, Currency::EUR, limits), Err(BooksError::Limit(id("in EUR"))));
}

#[test]
fn what_was_decided_on_other_terms_stays() {
    let mut books = bank();
    submit(&mut books, START, simple("p", "ada", 1_001)).unwrap();
    let mut terms = books.terms().clone();
    terms.limits.insert(Currency::GBP, Limits { payment: Some(pounds(1_000)), day: None });
    apply(&mut books, after(1), Action::SetTerms(terms.clone())).unwrap();
    assert_eq!(books.terms(), &terms);
    books.run_until(after(60));
    assert_eq!(state(&books, "p").status(), OrderStatus::AcceptedCreditSettlementCompleted);
    submit(&mut books, after(60), simple("q", "ada", 1_001)).unwrap();
    assert_eq!(state(&books, "q").status(), OrderStatus::Rejected);
    let wrong = Limits { payment: Some(euros(1_000)), day: None };
    terms.limits.insert(Currency::GBP, wrong);
    let refused = apply(&mut books, after(61), Action::SetTerms(terms));
    assert_eq!(refused, Err(CommandError::Books(BooksError::Limit(id("in GBP")))));
}

#[test]
fn an_accounts_own_limit_goes_before_the_banks() {
    let mut books = bank();
    set_limits(&mut books, Currency::GBP, Limits { payment: Some(pounds(1_000)), day: None }).unwrap();
    let own = |limit| Account {
        id: id("own"),
        identification: number("00000077"),
        limits: Limits { payment: Some(limit), day: None },
        ..account("ben")
    };
    assert_eq!(books.add_account(own(euros(5))), Err(BooksError::Limit(id("own"))));
    books.add_account(own(pounds(5_000))).unwrap();
    let fund = instruction(
        Counterparty { name: "own".into(), account: Some(number("00000077")) },
        pounds(900),
        Execution::Immediate,
    );
    assert_eq!(rejection(&mut books, order("fund", "ada", fund)), None);
    books.run_until(after(60));
    let payment = PaymentOrder { debtor: id("own"), ..simple("p", "ben", 5_001) };
    assert_eq!(rejection(&mut books, payment), Some(Rejection::AmountExceedsAgreedLimit));
    let payment = PaymentOrder { debtor: id("own"), ..simple("q", "ben", 5_000) };
    assert_eq!(rejection(&mut books, payment), Some(Rejection::InsufficientFunds));
}

#[test]
fn a_day_has_a_limit_and_rejected_payments_do_not_count() {
    let mut books = bank();
    set_limits(&mut books, Currency::GBP, Limits { payment: None, day: Some(pounds(1_000)) }).unwrap();
    set_timing(&mut books, explicit());
    assert_eq!(rejection(&mut books, simple("p", "ada", 600)), None);
    assert_eq!(rejection(&mut books, simple("q", "ada", 401)), Some(Rejection::LimitExceeded));
    assert_eq!(rejection(&mut books, simple("r", "ada", 400)), None);
    assert_eq!(rejection(&mut books, simple("s", "ada", 1)), Some(Rejection::LimitExceeded));
    apply(&mut books, START, Action::Reject { order: OrderId::new("r"), reason: Rejection::NotSpecified }).unwrap();
    assert_eq!(rejection(&mut books, simple("t", "ada", 400)), None);
    assert_eq!(rejection(&mut books, simple("u", "ben", 1_000)), None);
    books.run_until(datetime!(2026-11-24 00:00 UTC));
    assert_eq!(rejection(&mut books, simple("v", "ada", 1_000)), None);
}

#[test]
fn judging_changes_nothing_and_says_what_submitting_would() {
    let mut books = bank();
    let before = books.clone();
    assert_eq!(books.judge(&simple("p", "ada", HELD + 1), START), [Err(Rejection::InsufficientFunds)]);
    assert_eq!(books.judge(&simple("p", "ada", HELD), START), [Ok(())]);
    assert!(books == before);
    assert_eq!(rejection(&mut books, simple("p", "ada", HELD)), None);
    assert_eq!(books.judge(&simple("q", "ada", 1), START), [Err(Rejection::InsufficientFunds)]);
}

fn refused(order: PaymentOrder) -> CommandError {
    let mut books = bank();
    let before = books.clone();
    let error = submit(&mut books, START, order).unwrap_err();
    assert!(books == before, "a refused command changes nothing");
    error
}

#[test]
fn what_is_no_order_is_refused() {
    let fine = || simple("p", "ada", 5);
    submit(&mut bank(), START, fine()).unwrap();
    let first = || fine().instructions[0].clone();
    let with = |instruction: Instruction| PaymentOrder { instructions: vec![instruction], ..fine() };
    let wrong = |order| match refused(order) {
        CommandError::Order(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(wrong(PaymentOrder { instructions: vec![], ..fine() }), OrderError::Instructions(0));
    assert_eq!(wrong(PaymentOrder { instructions: vec![], file: true, ..fine() }), OrderError::Instructions(0));
    let two = vec![first(), first()];
    assert_eq!(wrong(PaymentOrder { instructions: two.clone(), ..fine() }), OrderError::Instructions(2));
    let same = PaymentOrder { instructions: two, file: true, ..fine() };
    assert_eq!(wrong(same), OrderError::SameInstruction("1".into()));
    for minor in [0, -5] {
        let found = pounds(minor);
        assert_eq!(wrong(simple("p", "ada", minor)), OrderError::Amount { instruction: 0, found });
        let charged = Instruction { charges: vec![charge(minor)], ..first() };
        assert_eq!(wrong(with(charged)), OrderError::Amount { instruction: 0, found });
    }
    let foreign = Charge { amount: euros(5), ..charge(5) };
    let expected = OrderError::Currency { instruction: 0, expected: Currency::GBP, found: Currency::EUR };
    assert_eq!(wrong(with(Instruction { charges: vec![foreign], ..first() })), expected);
    assert!(matches!(wrong(PaymentOrder { signatories: 0, ..fine() }), OrderError::Signatories { .. }));
    assert!(matches!(wrong(PaymentOrder { signatories: 2, ..fine() }), OrderError::Signatories { .. }));
    let alone = PaymentOrder { signatories: 1, ..simple("p", "joint", 5) };
    assert!(matches!(wrong(alone), OrderError::Signatories { least: 2, .. }));
    let stranger = PaymentOrder { ordered_by: CustomerId::new("eve"), ..fine() };
    assert!(matches!(refused(stranger), CommandError::NotAHolder { .. }));
    let nowhere = PaymentOrder { debtor: id("none"), ..fine() };
    assert!(matches!(refused(nowhere), CommandError::Books(BooksError::Unknown { what: "account", .. })));
    let long = PaymentOrder { id: OrderId::new("x".repeat(41)), ..fine() };
    assert!(matches!(refused(long), CommandError::Books(BooksError::Identifier(_))));
    let mut books = bank();
    submit(&mut books, START, fine()).unwrap();
    let again = submit(&mut books, START, fine());
    assert!(matches!(again, Err(CommandError::Books(BooksError::Exists { what: "order", .. }))));
}

#[test]
fn a_schedule_must_make_sense() {
    let base = || Schedule {
        first: date!(2026 - 12 - 01),
        recurrence: Recurrence::Months { every: 1, on: None },
        recurring_from: None,
        recurring_amount: None,
        end: End::Never,
        final_amount: None,
    };
    let recurring = |schedule| order("p", "ada", instruction(elsewhere(), pounds(5), Execution::Recurring(schedule)));
    submit(&mut bank(), START, recurring(base())).unwrap();
    submit(&mut bank(), START, recurring(Schedule { first: START.date(), ..base() })).unwrap();
    let last = End::On(date!(2026 - 12 - 01));
    submit(&mut bank(), START, recurring(Schedule { end: last, final_amount: Some(pounds(7)), ..base() })).unwrap();
    for wrong in [
        Schedule { first: date!(2026 - 11 - 22), ..base() },
        Schedule { end: End::After(0), ..base() },
        Schedule { end: End::On(date!(2026 - 11 - 30)), ..base() },
        Schedule { final_amount: Some(pounds(7)), ..base() },
        Schedule { final_amount: Some(pounds(7)), end: End::After(3), ..base() },
        Schedule { recurring_from: Some(date!(2026 - 12 - 01)), ..base() },
    ] {
        let error = refused(recurring(wrong));
        assert!(matches!(error, CommandError::Order(OrderError::Schedule { instruction: 0, .. })), "{error}");
    }
    for wrong in [
        Schedule { recurring_amount: Some(euros(5)), ..base() },
        Schedule { recurring_amount: Some(pounds(0)), ..base() },
    ] {
        assert!(matches!(refused(recurring(wrong)), CommandError::Order(_)));
    }
}

#[test]
fn two_accounts_cannot_have_one_number() {
    let mut books = bank();
    let twin = Account { id: id("twin"), ..account("ada") };
    assert!(matches!(books.add_account(twin), Err(BooksError::Exists { what: "account number", .. })));
    let lonely = Account { id: id("lonely"), identification: number("00000088"), signatories: 2, ..account("ada") };
    assert_eq!(books.add_account(lonely), Err(BooksError::Signatories(id("lonely"))));
}
