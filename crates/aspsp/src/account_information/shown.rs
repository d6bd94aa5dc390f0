//! From the books to the payloads of a version, cut to what the consent permits.

mod bank;
mod standing;
mod timing;

use ledger::{
    Account, AccountKind, AccountStatus, Balances, Counterparty, Direction, Identification, Kind, Row, Status,
};
use openbanking::{
    accounts::{self as wire, AccountCategory, AccountType, StatementFrequencyAndFormat, SwitchStatus},
    balances::{Balance, BalanceType, CreditLine, CreditLineType},
    money::{ActiveAmount, MoneyError},
    parties::{AccountScheme, Agent, CashAccount},
    permissions::PermissionSet,
    transactions::{
        BankTransactionCode, CardInstrument, CurrencyExchange, MerchantDetails, ProprietaryBankTransactionCode,
        Transaction, TransactionBalance, TransactionMutability, TransactionStatus,
    },
    version::ApiVersion,
};
use time::{OffsetDateTime, Time};

pub(super) use bank::{offer, owner, person, product, statement};
pub(super) use standing::{beneficiary, direct_debit, scheduled_payment, standing_order, standing_status};

use crate::bank::Bank;

/// An account.
pub(super) fn account(
    version: ApiVersion,
    permissions: PermissionSet,
    bank: &Bank,
    account: &Account,
) -> wire::Account {
    let category = if account.kind.is_business() { AccountCategory::Business } else { AccountCategory::Personal };
    let mut shown = wire::Account::new(version, account.id.as_str(), category, kind(account.kind), account.currency);
    shown.status = Some(match account.status {
        AccountStatus::Enabled => wire::AccountStatus::Enabled,
        AccountStatus::Disabled => wire::AccountStatus::Disabled,
        AccountStatus::Closed => wire::AccountStatus::Deleted,
    });
    let opened = account.opened.with_time(Time::MIDNIGHT).assume_utc();
    shown.nickname = Some(account.nickname.clone());
    shown.opening_date = Some(opened);
    let switched = if account.switched { SwitchStatus::SwitchCompleted } else { SwitchStatus::NotSwitched };
    shown.switch_status = Some(switched);
    shown.account = numbers(&account.identification, Some(&account.holder_name));
    shown.servicer = Some(Agent { name: Some(bank.name.clone()), ..Agent::of_bic(&bank.bic) });
    // Statements come every month, as a PDF on request.
    shown.statement_frequency_and_format = vec![StatementFrequencyAndFormat {
        frequency: Some("MNTH".to_owned()),
        communication_method: Some("ONLI".to_owned()),
        format: Some("DPDF".to_owned()),
        delivery_address: None,
    }];
    shown.shown(version, permissions)
}

fn kind(kind: AccountKind) -> AccountType {
    match kind {
        AccountKind::Current | AccountKind::BusinessCurrent | AccountKind::CurrencyCurrent => {
            AccountType::CurrentAccount
        }
        AccountKind::Savings => AccountType::Savings,
        AccountKind::CreditCard => AccountType::CreditCard,
        AccountKind::Loan => AccountType::Loan,
    }
}

/// The ways in which the world names an account.
pub(crate) fn numbers(identification: &Identification, holder: Option<&str>) -> Vec<CashAccount> {
    let cash = |scheme, number: String| CashAccount::new(scheme, number, holder.map(str::to_owned));
    let uk = identification
        .uk_account()
        .map(|uk| cash(AccountScheme::SortCodeAccountNumber, format!("{}{}", uk.sort_code(), uk.account_number())));
    let iban = identification.iban().map(|iban| cash(AccountScheme::Iban, iban.as_str().to_owned()));
    let pan = identification.pan().map(|pan| cash(AccountScheme::Pan, pan.as_str().to_owned()));
    [uk, iban, pan].into_iter().flatten().collect()
}

/// The balances of an account: booked, and what is available without and with the credit line.
pub(super) fn balances(
    version: ApiVersion,
    account: &Account,
    balances: &Balances,
    now: OffsetDateTime,
) -> Result<Vec<Balance>, MoneyError> {
    let id = account.id.as_str();
    let booked = Balance::new(version, id, BalanceType::InterimBooked, balances.booked, now)?;
    let mut available = Balance::new(version, id, BalanceType::InterimAvailable, balances.spendable, now)?;
    if let Some(line) = balances.credit_line {
        let amount = Some(ActiveAmount::magnitude_of(line)?);
        available.credit_line = vec![CreditLine { included: true, r#type: Some(CreditLineType::PreAgreed), amount }];
    }
    Ok(vec![booked, available])
}

/// ISO 20022 family and sub family of a kind of transaction, when it came and when it went.
const CODES: &[(Kind, [&str; 2], [&str; 2])] = &[
    (Kind::OpeningBalance, ["RCDT", "DMCT"], ["ICDT", "DMCT"]),
    (Kind::CardPurchase, ["CCRD", "POSD"], ["CCRD", "POSD"]),
    (Kind::Refund, ["CCRD", "RIMB"], ["CCRD", "RIMB"]),
    (Kind::DirectDebit, ["IDDT", "PMDD"], ["RDDT", "PMDD"]),
    (Kind::StandingOrder, ["RCDT", "STDO"], ["ICDT", "STDO"]),
    (Kind::Salary, ["RCDT", "SALA"], ["ICDT", "SALA"]),
    (Kind::PaymentReceived, ["RCDT", "DMCT"], ["ICDT", "DMCT"]),
    (Kind::PaymentSent, ["RCDT", "DMCT"], ["ICDT", "DMCT"]),
    (Kind::Transfer, ["RCDT", "BOOK"], ["ICDT", "BOOK"]),
    (Kind::CardRepayment, ["RCDT", "BOOK"], ["ICDT", "BOOK"]),
    (Kind::CashWithdrawal, ["CCRD", "CWDL"], ["CCRD", "CWDL"]),
    (Kind::Interest, ["MCOP", "INTR"], ["MDOP", "INTR"]),
    (Kind::Fee, ["MCOP", "CHRG"], ["MDOP", "CHRG"]),
    (Kind::CurrencyExchange, ["RCDT", "XBCT"], ["ICDT", "XBCT"]),
    (Kind::PaymentReturned, ["ICDT", "RRTN"], ["RCDT", "RRTN"]),
];

/// A transaction; none when its direction is not permitted.
pub(super) fn transaction(
    version: ApiVersion,
    permissions: PermissionSet,
    bank: &str,
    row: &Row,
) -> Result<Option<Transaction>, MoneyError> {
    let entry = &row.transaction;
    let booked = entry.status == Status::Booked;
    let status = if booked { TransactionStatus::Booked } else { TransactionStatus::Pending };
    let signed = openbanking::money::Money::new(entry.signed_minor(), entry.amount.currency());
    let mut shown = Transaction::new(version, entry.account.as_str(), status, entry.booked_at, signed)?;
    shown.transaction_id = Some(entry.id.to_string());
    shown.transaction_reference = entry.reference.clone();
    shown.transaction_mutability =
        Some(if booked { TransactionMutability::Immutable } else { TransactionMutability::Mutable });
    shown.value_date_time = booked.then_some(entry.value_at);
    shown.transaction_information = Some(entry.description.clone());
    shown.bank_transaction_code = code(entry.kind, entry.direction);
    shown.proprietary_bank_transaction_code =
        Some(ProprietaryBankTransactionCode { code: name(entry.kind), issuer: Some(bank.chars().take(35).collect()) });
    shown.merchant_details = entry.merchant.as_ref().map(|merchant| MerchantDetails {
        merchant_name: Some(merchant.name.clone()),
        merchant_category_code: Some(merchant.category_code.clone()),
    });
    shown.card_instrument = entry.card.as_ref().map(|pan| CardInstrument {
        card_scheme_name: "VISA".to_owned(),
        authorisation_type: None,
        name: None,
        identification: Some(pan.as_str().to_owned()),
    });
    let other = entry.counterparty.as_ref().and_then(counterparty);
    match entry.direction {
        Direction::Credit => shown.debtor_account = other,
        Direction::Debit => shown.creditor_account = other,
    }
    shown.currency_exchange = entry.exchange.as_ref().map(exchange).transpose()?.flatten();
    shown.balance = match row.balance_after {
        Some(after) => Some(TransactionBalance::new(version, BalanceType::InterimBooked, after)?),
        None => None,
    };
    Ok(shown.shown(version, permissions))
}

fn code(kind: Kind, direction: Direction) -> Option<BankTransactionCode> {
    let (_, came, went) = CODES.iter().find(|(known, ..)| *known == kind)?;
    let [code, sub_code] = match direction {
        Direction::Credit => came,
        Direction::Debit => went,
    };
    Some(BankTransactionCode { code: (*code).to_owned(), sub_code: (*sub_code).to_owned() })
}

/// The bank's own name of a kind, such as `CardPurchase`.
fn name(kind: Kind) -> String {
    format!("{kind:?}")
}

/// The account of the other party. A card number is how a shop was paid, not the shop's account.
fn counterparty(other: &Counterparty) -> Option<CashAccount> {
    let identification = other.account.as_ref()?;
    numbers(identification, Some(&other.name)).into_iter().next()
}

fn exchange(exchange: &ledger::Exchange) -> Result<Option<CurrencyExchange>, MoneyError> {
    let Ok(rate) = exchange.rate.to_string().parse() else { return Ok(None) };
    Ok(Some(CurrencyExchange {
        source_currency: exchange.source,
        target_currency: Some(exchange.target),
        unit_currency: Some(exchange.source),
        exchange_rate: rate,
        contract_identification: None,
        quotation_date: None,
        instructed_amount: Some(ActiveAmount::magnitude_of(exchange.instructed)?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_codes_in_both_directions() {
        for (kind, ..) in CODES {
            for direction in [Direction::Credit, Direction::Debit] {
                let code = code(*kind, direction).unwrap();
                assert_eq!((code.code.len(), code.sub_code.len()), (4, 4));
            }
        }
    }
}
