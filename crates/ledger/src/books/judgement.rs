//! Whether a payment can be made.

use super::Books;
use crate::identification::Iban;
use crate::orders::{Execution, Instruction, Limits, PaymentOrder, Rejection};
use crate::{Account, AccountId, AccountStatus, Identification};
use openbanking::money::{Currency, Money};
use time::OffsetDateTime;

/// What a payment moves.
pub(super) struct Figures {
    /// What the payer's account is debited with, charges apart; in its currency.
    pub(super) debit: Money,
    /// What the payee gets.
    pub(super) credit: Money,
    /// The payee's account, when this bank keeps it.
    pub(super) creditor: Option<AccountId>,
}

/// Where a payee's account is kept.
enum Kept<'a> {
    Here(&'a Account),
    Elsewhere,
    /// The number is this bank's and no account has it.
    Nowhere,
}

/// The texts by which an account is found.
pub(super) fn numbers(identification: &Identification) -> Vec<String> {
    let within = identification.iban().and_then(|iban| uk_account(iban.as_str()));
    let texts = [
        identification.uk_account().map(ToString::to_string),
        identification.iban().map(ToString::to_string),
        identification.pan().map(ToString::to_string),
        within.map(str::to_owned),
    ];
    let mut texts: Vec<_> = texts.into_iter().flatten().collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Sort code and account number inside a British IBAN.
fn uk_account(iban: &str) -> Option<&str> {
    iban.starts_with("GB").then(|| iban.get(8..22)).flatten()
}

/// The beginnings that the number shares only with this bank's others: sort code, bank code with sort code, issuer of
/// the card.
pub(super) fn ranges(identification: &Identification) -> Vec<String> {
    let iban = identification.iban().map(Iban::as_str).filter(|iban| iban.starts_with("GB"));
    let texts = [
        identification.uk_account().map(|number| number.sort_code().to_owned()),
        iban.and_then(|iban| iban.get(4..14)).map(str::to_owned),
        identification.pan().and_then(|pan| pan.as_str().get(..6)).map(|issuer| format!("card {issuer}")),
    ];
    texts.into_iter().flatten().collect()
}

impl Books {
    /// How each instruction of the order would be judged if it came now, and alone. Nothing is changed; the books should
    /// have been run until `at`.
    pub fn judge(&self, order: &PaymentOrder, at: OffsetDateTime) -> Vec<Result<(), Rejection>> {
        let at_once = |instruction: &Instruction| instruction.execution == Execution::Immediate;
        let judged = |instruction: &Instruction| {
            let paid = at_once(instruction).then_some(at);
            self.weigh(&order.debtor, instruction, instruction.instructed, paid).map(drop)
        };
        order.instructions.iter().map(judged).collect()
    }

    /// Judges one payment. `paid` is the moment when it is to be paid; without it, what changes from day to day (funds,
    /// the day's limit) does not count.
    pub(super) fn weigh(
        &self,
        debtor: &AccountId,
        instruction: &Instruction,
        amount: Money,
        paid: Option<OffsetDateTime>,
    ) -> Result<Figures, Rejection> {
        let ledger = self.ledger(debtor).map_err(|_| Rejection::ClosedDebtorAccount)?;
        match ledger.account.status {
            AccountStatus::Closed => return Err(Rejection::ClosedDebtorAccount),
            AccountStatus::Disabled => return Err(Rejection::BlockedDebtorAccount),
            AccountStatus::Enabled if !ledger.account.kind.pays() => return Err(Rejection::TransactionForbidden),
            AccountStatus::Enabled => {}
        }
        let (debit, credit) = convert(instruction, amount, ledger.account.currency)?;
        let creditor = self.creditor(debtor, instruction, credit.currency())?;
        let limits = self.limits_of(&ledger.account);
        let beyond = |limit: Option<Money>, minor: i64| limit.is_some_and(|limit| minor > limit.minor());
        if beyond(limits.payment, debit.minor()) {
            return Err(Rejection::AmountExceedsAgreedLimit);
        }
        let charged = instruction.charges.iter().map(|charge| charge.amount.minor());
        let total = charged.into_iter().try_fold(debit.minor(), i64::checked_add).ok_or(Rejection::NotAllowedAmount)?;
        if let Some(at) = paid {
            let before = ledger.ordered.filter(|(day, _)| *day == at.date()).map_or(0, |(_, minor)| minor);
            if beyond(limits.day, before.saturating_add(debit.minor())) {
                return Err(Rejection::LimitExceeded);
            }
            let spendable = self.balances(debtor, at).map_or(0, |balances| balances.spendable.minor());
            if spendable < total {
                return Err(Rejection::InsufficientFunds);
            }
        }
        Ok(Figures { debit, credit, creditor })
    }

    fn creditor(
        &self,
        debtor: &AccountId,
        instruction: &Instruction,
        currency: Currency,
    ) -> Result<Option<AccountId>, Rejection> {
        let account = match instruction.payee.account.as_ref().map(|number| self.kept(number)) {
            None | Some(Kept::Elsewhere) => return Ok(None),
            Some(Kept::Nowhere) => return Err(Rejection::IncorrectCreditorAccount),
            Some(Kept::Here(account)) => account,
        };
        match account.status {
            AccountStatus::Closed => Err(Rejection::ClosedCreditorAccount),
            AccountStatus::Disabled => Err(Rejection::BlockedCreditorAccount),
            AccountStatus::Enabled if account.id == *debtor => Err(Rejection::SameAccount),
            AccountStatus::Enabled if account.currency != currency => Err(Rejection::NotAllowedCurrency),
            AccountStatus::Enabled => Ok(Some(account.id.clone())),
        }
    }

    /// The account of this bank with that number.
    pub fn account_by_number(&self, identification: &Identification) -> Option<&Account> {
        match self.kept(identification) {
            Kept::Here(account) => Some(account),
            Kept::Elsewhere | Kept::Nowhere => None,
        }
    }

    fn kept(&self, identification: &Identification) -> Kept<'_> {
        let found =
            numbers(identification).iter().find_map(|number| self.numbers.get(number)).and_then(|id| self.account(id));
        match found {
            Some(account) => Kept::Here(account),
            None if ranges(identification).iter().any(|range| self.ranges.contains(range)) => Kept::Nowhere,
            None => Kept::Elsewhere,
        }
    }

    fn limits_of(&self, account: &Account) -> Limits {
        let usual = self.terms.limits.get(&account.currency).copied().unwrap_or_default();
        Limits { payment: account.limits.payment.or(usual.payment), day: account.limits.day.or(usual.day) }
    }
}

/// What is debited in the currency of the account that pays, and what arrives.
fn convert(instruction: &Instruction, amount: Money, own: Currency) -> Result<(Money, Money), Rejection> {
    let currency = amount.currency();
    let (debit, credit) = match instruction.conversion {
        None if currency == own => (Some(amount), Some(amount)),
        Some(conversion) if conversion.transfer == own && currency == own => (Some(amount), Some(amount)),
        Some(conversion) if currency == own => (Some(amount), conversion.rate.exchange(amount, conversion.transfer)),
        Some(conversion) if currency == conversion.transfer => {
            (conversion.rate.exchange_back(amount, own), Some(amount))
        }
        None | Some(_) => return Err(Rejection::NotAllowedCurrency),
    };
    let (debit, credit) = debit.zip(credit).ok_or(Rejection::NotAllowedAmount)?;
    if debit.minor() <= 0 || credit.minor() <= 0 {
        return Err(Rejection::ZeroAmount);
    }
    Ok((debit, credit))
}
