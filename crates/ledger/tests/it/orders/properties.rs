//! Whatever commands come in whatever order.

use super::*;
use ledger::orders::{End, Recurrence, Schedule};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A command that makes sense often enough, with the seconds that pass before it.
fn commands() -> impl Strategy<Value = Vec<Command>> {
    let wait = prop_oneof![3 => 0i64..8, 1 => 8i64..400_000];
    prop::collection::vec((wait, actions()), 1..40).prop_map(|steps| {
        let mut at = START;
        let commands = steps.into_iter().enumerate().map(|(number, (wait, action))| {
            at += Duration::seconds(wait);
            let action = match action {
                Action::Submit(order) => {
                    Action::Submit(Box::new(PaymentOrder { id: OrderId::new(format!("o{number}")), ..*order }))
                }
                other => other,
            };
            Command { at, action }
        });
        commands.collect()
    })
}

fn actions() -> impl Strategy<Value = Action> {
    let id = || (0usize..40).prop_map(|number| OrderId::new(format!("o{number}")));
    let who = || prop::sample::select(vec!["ada", "ben", "eve"]).prop_map(CustomerId::new);
    let status = prop_oneof![
        4 => Just(AccountStatus::Enabled), 4 => Just(AccountStatus::Disabled), 1 => Just(AccountStatus::Closed),
    ];
    prop_oneof![
        10 => orders().prop_map(|order| Action::Submit(Box::new(order))),
        3 => (id(), who()).prop_map(|(order, customer)| Action::Authorise { order, customer }),
        1 => (id(), who()).prop_map(|(order, customer)| Action::Refuse { order, customer }),
        1 => id().prop_map(|order| Action::Cancel { order }),
        2 => id().prop_map(|order| Action::Step { order }),
        1 => id().prop_map(|order| Action::Reject { order, reason: Rejection::NotSpecified }),
        1 => (prop::sample::select(ACCOUNTS.to_vec()), status)
            .prop_map(|(name, status)| Action::SetStatus { account: super::id(name), status }),
    ]
}

fn executions() -> impl Strategy<Value = Execution> {
    let day = || (0i64..60).prop_map(|days| (START + Duration::days(days)).date());
    let recurrence = prop_oneof![
        (1u16..20).prop_map(Recurrence::Days),
        Just(Recurrence::WorkingDays),
        (1u8..4).prop_map(|every| Recurrence::Weeks { every, on: None }),
        (1u8..4).prop_map(|every| Recurrence::Months { every, on: None }),
    ];
    let end = prop_oneof![Just(End::Never), (1u32..5).prop_map(End::After)];
    prop_oneof![
        4 => Just(Execution::Immediate),
        1 => day().prop_map(Execution::On),
        1 => (day(), recurrence, end).prop_map(|(first, recurrence, end)| Execution::Recurring(Schedule {
            first, recurrence, recurring_from: None, recurring_amount: None, end, final_amount: None,
        })),
    ]
}

fn orders() -> impl Strategy<Value = PaymentOrder> {
    let payee = prop::sample::select(vec!["ada", "ben", "joint", "euro", "elsewhere"]);
    let one = (payee, 1i64..60_000, executions(), any::<bool>(), 0i64..200);
    let debtor = prop::sample::select(vec!["ada", "ada", "ben", "joint", "euro"]);
    (debtor, prop::collection::vec(one, 1..4), any::<bool>()).prop_map(|(debtor, parts, file)| {
        let own = account(debtor).currency;
        let made = |(index, (payee, minor, execution, convert, fee)): (usize, (&str, i64, Execution, bool, i64))| {
            let other = if own == Currency::GBP { Currency::EUR } else { Currency::GBP };
            Instruction {
                id: index.to_string(),
                conversion: convert.then(|| conversion("1.165", other).unwrap()),
                charges: if fee > 150 {
                    vec![Charge { description: "FEE".into(), amount: Money::new(fee, own) }]
                } else {
                    vec![]
                },
                ..instruction(
                    if payee == "elsewhere" { elsewhere() } else { holder_of(payee) },
                    Money::new(minor, own),
                    execution,
                )
            }
        };
        let mut instructions: Vec<_> = parts.into_iter().enumerate().map(made).collect();
        if !file {
            instructions.truncate(1);
        }
        PaymentOrder {
            instructions,
            file,
            ..order("", debtor, instruction(elsewhere(), pounds(1), Execution::Immediate))
        }
    })
}

const END: Duration = Duration::days(120);

/// The books after all commands and 120 days more, when everything that recurs is cancelled and under way no longer; the clock moves in steps of so many seconds, zero for none between
/// commands.
fn played(commands: &[Command], step: i64) -> Books {
    let mut books = bank();
    let walk = |books: &mut Books, until: OffsetDateTime, step: i64| {
        while let Some(now) = books.now().filter(|now| step > 0 && *now < until) {
            books.run_until((now + Duration::seconds(step)).min(until));
        }
    };
    for command in commands {
        walk(&mut books, command.at, step);
        // A refusal is part of the game.
        let _ = books.apply(command);
    }
    let end = commands.last().map_or(START, |command| command.at) + END;
    walk(&mut books, end, step * 1_000);
    for number in 0..commands.len() {
        let _ = apply(&mut books, end, Action::Cancel { order: OrderId::new(format!("o{number}")) });
    }
    books.run_until(end + Duration::days(3));
    books
}

fn came_back(payment: &Payment) -> bool {
    payment.debited_at().is_some() && payment.status() == OrderStatus::Rejected
}

fn all_payments(books: &Books) -> Vec<(AccountId, Payment)> {
    let accounts = ACCOUNTS.iter().flat_map(|name| books.orders_of(&id(name)).unwrap());
    let of = |state: &OrderState| -> Vec<_> {
        let payments = state.instructions.iter().flat_map(|progress| &progress.payments);
        payments.map(|payment| (state.order.debtor.clone(), payment.clone())).collect()
    };
    accounts.flat_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_size_of_the_steps_does_not_matter(commands in commands(), step in prop::sample::select(vec![1_000, 7_777, 50_000])) {
        prop_assert!(played(&commands, 0) == played(&commands, step));
    }

    #[test]
    fn a_replay_of_what_was_kept_makes_the_same_books(commands in commands(), step in prop::sample::select(vec![0, 20_000])) {
        let kept: Vec<Command> = commands
            .iter()
            .map(|command| serde_json::from_str(&serde_json::to_string(command).unwrap()).unwrap())
            .collect();
        prop_assert!(played(&kept, 0) == played(&commands, step));
    }

    #[test]
    fn commands_that_were_refused_need_not_be_kept(commands in commands()) {
        let mut books = bank();
        let kept: Vec<_> = commands.iter().filter(|command| books.apply(command).is_ok()).cloned().collect();
        let end = commands.last().map_or(START, |command| command.at) + END;
        let mut again = bank();
        for command in &kept {
            again.apply(command).unwrap();
        }
        books.run_until(end);
        again.run_until(end);
        prop_assert!(books == again);
    }

    #[test]
    fn money_is_neither_made_nor_lost(commands in commands()) {
        let books = played(&commands, 0);
        let end = books.now().unwrap();
        prop_assert!(books.balanced());
        prop_assert_eq!(books.pending().count(), 0);
        for name in ACCOUNTS {
            let rows = rows(&books, name);
            let mut running = 0;
            for row in rows.iter().rev() {
                running += row.transaction.signed_minor();
                // No payment takes more than there is, at no moment.
                prop_assert!(running >= 0, "{} holds {}", name, running);
                prop_assert_eq!(row.balance_after.unwrap().minor(), running);
            }
            prop_assert_eq!(booked(&books, name, end), running);
        }
    }

    #[test]
    fn nothing_is_paid_twice(commands in commands()) {
        let books = played(&commands, 0);
        let payments = all_payments(&books);
        // Every debit and every credit of the books belongs to exactly one payment, and to one that says so.
        let mut debits = Vec::new();
        let mut credited = 0;
        for (debtor, payment) in &payments {
            if payment.debited_at().is_some() {
                let row = books.transaction(payment.transaction.as_ref().unwrap()).unwrap().transaction;
                prop_assert_eq!((&row.account, row.amount), (debtor, payment.debit));
                debits.push(row.id.clone());
            }
            credited += usize::from(
                payment.creditor.is_some() && payment.status() == OrderStatus::AcceptedCreditSettlementCompleted,
            );
            prop_assert!(!payment.status().is_under_way(), "{:?}", payment.status());
        }
        debits.sort();
        debits.dedup();
        let moved = |way| ACCOUNTS.iter().flat_map(|name| rows(&books, name)).filter(move |row| {
            row.transaction.direction == way && !matches!(row.transaction.kind, Kind::OpeningBalance | Kind::Fee)
        });
        prop_assert_eq!(moved(ledger::Direction::Debit).count(), debits.len());
        let back = payments.iter().filter(|(_, payment)| came_back(payment)).count();
        let unclaimed = books.contra(Contra::Unclaimed, Currency::GBP).minor() + books.contra(Contra::Unclaimed, Currency::EUR).minor();
        let received = moved(ledger::Direction::Credit).filter(|row| row.transaction.kind != Kind::PaymentReturned);
        prop_assert_eq!(received.count(), credited);
        prop_assert!(unclaimed >= 0 && (back > 0 || unclaimed == 0));
        for currency in [Currency::GBP, Currency::EUR] {
            // Nothing stays on its way, and what has left is what arrived elsewhere.
            prop_assert_eq!(books.contra(Contra::Transit, currency).minor(), 0);
            prop_assert_eq!(books.contra(Contra::Clearing, currency).minor(), 0);
            let arrived = payments.iter().map(|(_, payment)| payment).filter(|payment| {
                payment.creditor.is_none()
                    && payment.credit.currency() == currency
                    && payment.status() == OrderStatus::AcceptedCreditSettlementCompleted
            });
            let left: i64 = arrived.map(|payment| payment.credit.minor()).sum();
            prop_assert_eq!(books.contra(Contra::External, currency).minor(), left);
        }
    }

    #[test]
    fn what_is_rejected_after_its_debit_leaves_no_trace_in_the_balance(commands in commands()) {
        let books = played(&commands, 0);
        let mut expected: BTreeMap<AccountId, i64> = ACCOUNTS.iter().map(|name| (id(name), HELD)).collect();
        let mut unclaimed = 0;
        for state in ACCOUNTS.iter().flat_map(|name| books.orders_of(&id(name)).unwrap()) {
            for (instruction, progress) in state.order.instructions.iter().zip(&state.instructions) {
                let charges: i64 = instruction.charges.iter().map(|charge| charge.amount.minor()).sum();
                for payment in progress.payments.iter().filter(|payment| payment.debited_at().is_some()) {
                    let rejected_at = payment.history.last().unwrap().at;
                    let closed = commands.iter().any(|command| command.at <= rejected_at
                        && matches!(&command.action, Action::SetStatus { account, status: AccountStatus::Closed } if *account == state.order.debtor));
                    match payment.status() {
                        OrderStatus::Rejected if !closed => {}
                        OrderStatus::Rejected => unclaimed += 1,
                        _ => *expected.get_mut(&state.order.debtor).unwrap() -= payment.debit.minor() + charges,
                    }
                    if let (Some(creditor), OrderStatus::AcceptedCreditSettlementCompleted) = (&payment.creditor, payment.status()) {
                        *expected.get_mut(creditor).unwrap() += payment.credit.minor();
                    }
                }
            }
        }
        // Where an account was closed and opened again its returns may be either here or there.
        if unclaimed == 0 {
            for name in ACCOUNTS {
                prop_assert_eq!(booked(&books, name, books.now().unwrap()), expected[&id(name)], "{}", name);
            }
            prop_assert_eq!(books.contra(Contra::Unclaimed, Currency::GBP).minor(), 0);
        }
    }

    #[test]
    fn instalments_are_numbered_without_gaps(commands in commands()) {
        let books = played(&commands, 0);
        for state in ACCOUNTS.iter().flat_map(|name| books.orders_of(&id(name)).unwrap()) {
            for (instruction, progress) in state.order.instructions.iter().zip(&state.instructions) {
                let numbers: Vec<_> = progress.payments.iter().map(|payment| payment.number).collect();
                // Those that passed while signatories were waited for are left out.
                let first = numbers.first().copied().unwrap_or(1);
                prop_assert_eq!(numbers, (first..).take(progress.payments.len()).collect::<Vec<u32>>());
                // Only weekends and holidays make an instalment later than its day.
                let late = |payment: &&Payment| payment.history[0].at.date() - payment.day > Duration::days(4);
                prop_assert!(!matches!(instruction.execution, Execution::Recurring(_)) || !progress.payments.iter().any(|payment| late(&payment)));
                let days: Vec<_> = progress.payments.iter().map(|payment| payment.day).collect();
                prop_assert!(days.is_sorted());
            }
            prop_assert!(state.history.is_sorted_by_key(|change| change.at));
        }
    }
}
