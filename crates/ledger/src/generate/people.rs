//! Opens the personas' accounts.

use super::{GenerateError, Window};
use crate::calendar::midnight;
use crate::dice::Dice;
use crate::identification::{Iban, Pan, UkAccount};
use crate::orders::Limits;
use crate::personas::{AccountPlan, Amount, Persona, Personas};
use crate::{Account, AccountId, AccountKind, AccountStatus, Books, Customer, CustomerId, Identification};
use openbanking::money::{Currency, Money};
use std::collections::HashMap;
use time::OffsetDateTime;

/// An account as the generator works with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desk {
    pub(super) id: AccountId,
    pub(super) kind: AccountKind,
    pub(super) currency: Currency,
    pub(super) holder_name: String,
    pub(super) identification: Identification,
    /// The card that goes with the account.
    pub(super) card: Pan,
    pub(super) line: i64,
    pub(super) opening: i64,
    /// From when it has a history.
    pub(super) from: OffsetDateTime,
}

/// The books with customers and accounts, and a desk for each account in the order of the file.
pub(super) struct Opened {
    pub(super) books: Books,
    pub(super) desks: Vec<Desk>,
    pub(super) by_key: HashMap<String, usize>,
}

pub(super) fn open(personas: &Personas, seed: u64, window: Window) -> Result<Opened, GenerateError> {
    let mut opened = Opened { books: Books::new(), desks: Vec::new(), by_key: HashMap::new() };
    let mut numbers = Vec::new();
    for persona in &personas.personas {
        let id = customer_id(seed, &persona.username);
        opened.books.add_customer(customer(id, persona))?;
    }
    for persona in &personas.personas {
        for plan in &persona.accounts {
            let desk = desk(personas, persona, plan, seed, window, &mut numbers)?;
            let holders = std::iter::once(&persona.username).chain(&plan.shared_with);
            let account = Account {
                id: desk.id.clone(),
                holders: holders.map(|username| customer_id(seed, username)).collect(),
                kind: plan.kind,
                switched: plan.switched,
                currency: desk.currency,
                nickname: plan.nickname.clone(),
                holder_name: desk.holder_name.clone(),
                identification: desk.identification.clone(),
                opened: plan.opened.0,
                status: AccountStatus::Enabled,
                credit_line: plan.credit_line.map(|_| Money::new(desk.line, desk.currency)),
                signatories: plan.signatories,
                limits: Limits {
                    payment: plan.payment_limit.map(|limit| Money::new(limit.hundredths(), desk.currency)),
                    day: plan.daily_limit.map(|limit| Money::new(limit.hundredths(), desk.currency)),
                },
            };
            opened.books.add_account(account)?;
            if opened.by_key.insert(plan.key.clone(), opened.desks.len()).is_some() {
                return Err(problem(plan, "the key is used twice"));
            }
            opened.desks.push(desk);
        }
    }
    Ok(opened)
}

fn problem(plan: &AccountPlan, problem: impl Into<String>) -> GenerateError {
    GenerateError::Account { key: plan.key.clone(), problem: problem.into() }
}

fn customer_id(seed: u64, username: &str) -> CustomerId {
    CustomerId::new(Dice::new(seed, &["customer", username]).identifier(20))
}

fn customer(id: CustomerId, persona: &Persona) -> Customer {
    Customer {
        id,
        username: persona.username.clone(),
        title: persona.title.clone(),
        given_name: persona.given_name.clone(),
        family_name: persona.family_name.clone(),
        address: persona.address.clone(),
        phone: persona.phone.clone(),
        email: persona.email.clone(),
    }
}

/// The currency of that code, which must have two decimals because the fixture's amounts have.
pub(super) fn currency(code: &str) -> Result<Currency, String> {
    let currency: Currency = code.parse().map_err(|_| format!("{code:?} is no currency"))?;
    match currency.exponent() {
        2 => Ok(currency),
        other => Err(format!("{code} has {other} decimals; only currencies with two can be used here")),
    }
}

fn desk(
    personas: &Personas,
    persona: &Persona,
    plan: &AccountPlan,
    seed: u64,
    window: Window,
    numbers: &mut Vec<String>,
) -> Result<Desk, GenerateError> {
    let currency = currency(&plan.currency).map_err(|text| problem(plan, text))?;
    let line = plan.credit_line.map_or(0, Amount::hundredths);
    if plan.opened.0 >= window.to {
        return Err(problem(plan, format!("opened on {}, not before {}", plan.opened.0, window.to)));
    }
    if plan.opening_balance.hundredths() < -line && plan.kind != AccountKind::Loan {
        return Err(problem(plan, "the opening balance is beyond the credit line"));
    }
    let mut names = vec![format!("{} {}", persona.given_name, persona.family_name)];
    for username in &plan.shared_with {
        let holder =
            personas.personas.iter().find(|other| other.username == *username && *username != persona.username);
        let holder = holder.ok_or_else(|| problem(plan, format!("{username} in shared_with is no other persona")))?;
        names.push(format!("{} {}", holder.given_name, holder.family_name));
    }
    let mut dice = Dice::new(seed, &["account", &plan.key]);
    let id = AccountId::new(dice.identifier(22));
    let mut number = dice.digits(8);
    while numbers.contains(&number) {
        number = dice.digits(8);
    }
    numbers.push(number.clone());
    let uk = UkAccount::new(&personas.bank.sort_code, &number)?;
    let iban = Iban::of_uk_account(&personas.bank.iban_code, &uk)?;
    let card = Pan::with_check_digit(&personas.bank.card_prefix, dice.below(100_000_000))?;
    let identification = match plan.kind {
        AccountKind::CreditCard => Identification::Card(card.clone()),
        AccountKind::CurrencyCurrent => Identification::Iban(iban),
        _ => Identification::SortCode { number: uk, iban },
    };
    Ok(Desk {
        id,
        kind: plan.kind,
        currency,
        holder_name: plan.holder_name.clone().unwrap_or_else(|| names.join(" & ")),
        identification,
        card,
        line,
        opening: plan.opening_balance.hundredths(),
        from: midnight(window.from.max(plan.opened.0)),
    })
}
