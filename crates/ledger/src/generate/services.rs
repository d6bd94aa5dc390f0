//! Products, offers, saved payees and scheduled payments.

use super::people::Opened;
use super::{GenerateError, Window};
use crate::dice::Dice;
use crate::orders::{Execution, Instruction};
use crate::personas::{AccountPlan, Amount, Habit, OfferPlan, Personas, ScheduledPaymentPlan};
use crate::{
    AccountId, Action, Beneficiary, Books, BooksError, Command, Counterparty, Identification, Offer, OrderId,
    PaymentOrder, Product, Services,
};
use openbanking::money::Money;
use time::Duration;

/// Adds to each account what its plan has.
pub(super) fn add(personas: &Personas, opened: &mut Opened, seed: u64, window: Window) -> Result<(), GenerateError> {
    let plans = personas.personas.iter().flat_map(|persona| &persona.accounts);
    for (desk, plan) in plans.enumerate() {
        let mut clerk = Clerk { opened, desk, dice: Dice::new(seed, &["services", &plan.key]), window, plan };
        for beneficiary in &plan.beneficiaries {
            let beneficiary = Beneficiary {
                id: clerk.dice.identifier(16),
                account: clerk.opened.desks[desk].id.clone(),
                payee: payee(&beneficiary.name, beneficiary.account.clone()),
                reference: beneficiary.reference.clone().unwrap_or_default(),
                trusted: beneficiary.trusted,
            };
            clerk.opened.books.add_beneficiary(beneficiary)?;
        }
        let services = Services {
            product: clerk.product(personas, seed)?,
            offers: plan.offers.iter().map(|offer| clerk.offer(offer)).collect::<Result<_, _>>()?,
        };
        let id = opened.desks[desk].id.clone();
        opened.books.set_services(&id, services)?;
    }
    Ok(())
}

fn payee(name: &str, account: crate::identification::UkAccount) -> Counterparty {
    Counterparty { name: name.to_owned(), account: Some(Identification::UkAccount(account)) }
}

struct Clerk<'a> {
    opened: &'a mut Opened,
    desk: usize,
    dice: Dice,
    window: Window,
    plan: &'a AccountPlan,
}

impl Clerk<'_> {
    fn problem(&self, problem: &str) -> GenerateError {
        GenerateError::Account { key: self.plan.key.clone(), problem: problem.to_owned() }
    }

    fn money(&self, amount: Amount) -> Result<Money, GenerateError> {
        match amount.hundredths() {
            minor if minor > 0 => Ok(Money::new(minor, self.opened.desks[self.desk].currency)),
            _ => Err(self.problem("amounts of offers and scheduled payments must be above zero")),
        }
    }

    fn percent(&self, amount: Amount) -> Result<u32, GenerateError> {
        u32::try_from(amount.hundredths()).map_err(|_| self.problem("percentages must not be negative"))
    }

    /// What the product of the account's kind costs and pays here, by the account's own habits.
    fn product(&self, personas: &Personas, seed: u64) -> Result<Option<Product>, GenerateError> {
        let Some(product) = personas.products.iter().find(|product| product.kind == self.plan.kind) else {
            return Ok(None);
        };
        let (mut paid, mut charged, mut monthly_fee) = (0, 0, None);
        for habit in &self.plan.habits {
            match habit {
                Habit::Interest(interest) => {
                    paid = self.percent(interest.paid_percent)?;
                    charged = self.percent(interest.charged_percent)?;
                }
                Habit::Fee(fee) if fee.months.is_none() => monthly_fee = Some(self.money(fee.amount.high)?),
                _ => {}
            }
        }
        Ok(Some(Product {
            id: Dice::new(seed, &["product", &product.name]).identifier(12),
            name: product.name.clone(),
            description: product.description.clone(),
            paid_percent: paid,
            charged_percent: charged,
            monthly_fee,
        }))
    }

    fn offer(&mut self, offer: &OfferPlan) -> Result<Offer, GenerateError> {
        Ok(Offer {
            id: self.dice.identifier(16),
            kind: offer.kind,
            description: offer.description.clone(),
            from: self.window.to.saturating_sub(Duration::days(i64::from(offer.since_days))),
            to: self.window.to.saturating_add(Duration::days(i64::from(offer.for_days))),
            rate: offer.percent.map(|percent| self.percent(percent)).transpose()?,
            amount: offer.amount.map(|amount| self.money(amount)).transpose()?,
            fee: offer.fee.map(|fee| self.money(fee)).transpose()?,
            terms: offer.terms.clone(),
        })
    }
}

/// Orders the payments that wait for their day, when the books have come to the end of their history.
pub(super) fn schedule(
    personas: &Personas,
    accounts: &[AccountId],
    books: &mut Books,
    seed: u64,
    window: Window,
) -> Result<(), GenerateError> {
    let plans = personas.personas.iter().flat_map(|persona| &persona.accounts);
    for (plan, id) in plans.zip(accounts) {
        let mut dice = Dice::new(seed, &["scheduled", &plan.key]);
        for payment in &plan.scheduled_payments {
            let refused = |problem: String| GenerateError::Account { key: plan.key.clone(), problem };
            let order = scheduled(books, id, payment, OrderId::new(dice.identifier(16)), window)?;
            let (order_id, others) = (order.id.clone(), further(books, id));
            let submit = Action::Submit(Box::new(order));
            let agree = |customer| Action::Authorise { order: order_id.clone(), customer };
            for action in std::iter::once(submit).chain(others.into_iter().map(agree)) {
                let at = books.now().unwrap_or(window.end());
                books.apply(&Command { at, action }).map_err(|error| refused(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// The holders who have to agree to a payment, beside the first one.
fn further(books: &Books, id: &AccountId) -> Vec<crate::CustomerId> {
    let account = books.account(id);
    let wanted = account.map_or(0, |account| usize::from(account.signatories.saturating_sub(1)));
    account.map_or_else(Vec::new, |account| account.holders.iter().skip(1).take(wanted).cloned().collect())
}

fn scheduled(
    books: &Books,
    id: &AccountId,
    payment: &ScheduledPaymentPlan,
    order: OrderId,
    window: Window,
) -> Result<PaymentOrder, GenerateError> {
    let account = books.account(id).ok_or_else(|| unknown(id))?;
    let ordered_by = account.holders.first().cloned().ok_or_else(|| BooksError::NoHolder(id.clone()))?;
    let instruction = Instruction {
        id: order.to_string(),
        end_to_end: None,
        payee: payee(&payment.name, payment.account.clone()),
        instructed: Money::new(payment.amount.hundredths(), account.currency),
        conversion: None,
        execution: Execution::On(window.to.saturating_add(Duration::days(i64::from(payment.in_days)))),
        reference: payment.reference.clone(),
        charges: Vec::new(),
    };
    Ok(PaymentOrder {
        id: order,
        debtor: id.clone(),
        ordered_by,
        signatories: account.signatories,
        authorise_before: None,
        instructions: vec![instruction],
        file: false,
    })
}

fn unknown(id: &AccountId) -> BooksError {
    BooksError::Unknown { what: "account", id: id.to_string() }
}
