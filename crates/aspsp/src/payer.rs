//! Which accounts a consent can be authorised for.

use ledger::{Account, AccountId, AccountStatus, Books, CustomerId, Identification};
use openbanking::{
    money::{Currency, Money},
    parties::{AccountScheme, CashAccount},
    payments::{AuthorisationType, Initiation, PaymentAccount},
};
use time::OffsetDateTime;

use crate::{
    Context,
    account_information::numbers,
    consents::{Consent, Content},
};

/// The account that pays, as a consent names it or limits it.
pub struct Payer {
    /// The account that the TPP named.
    pub named: Option<PaymentAccount>,
    /// The currencies in one of which it must be kept; any when there are none.
    pub currencies: Vec<Currency>,
    /// How many people may have to authorise.
    pub authorisation: AuthorisationType,
}

impl Payer {
    /// Who can pay what a payment consent asks for.
    #[must_use]
    pub fn of_payment(initiation: &Initiation, authorisation: AuthorisationType) -> Self {
        let amount = initiation.amount().map(Money::currency);
        let transfer = initiation.currency_of_transfer.filter(|_| initiation.kind.is_international());
        let currencies = match (amount, transfer) {
            // Whatever the account is kept in, one exchange makes the amount of it.
            (Some(amount), Some(transfer)) if amount == transfer => Vec::new(),
            (amount, transfer) => amount.into_iter().chain(transfer).collect(),
        };
        Self { named: initiation.debtor_account.clone(), currencies, authorisation }
    }

    /// Who can pay, or be asked about, under a consent; none when any account may be shared.
    #[must_use]
    pub fn of(consent: &Consent) -> Option<Self> {
        match &consent.content {
            Content::AccountAccess(_) => None,
            Content::Payment(payment) => {
                let authorisation = payment.request.authorisation().r#type;
                let payer = payment.request.typed().map(|initiation| Self::of_payment(&initiation, authorisation));
                let mut payer = payer.unwrap_or_else(|_| Self::nobody());
                payer.currencies.extend(payment.file.as_ref().and_then(|file| file.currency.parse::<Currency>().ok()));
                Some(payer)
            }
            Content::VariableRecurringPayments(vrp) => Some(Self {
                named: vrp.request.debtor_account().ok().flatten(),
                currencies: vec![vrp.limits.maximum_individual_amount.currency()],
                // Accounts that need several people are no accounts for it (VRP Profile, Multi-authorisation).
                authorisation: AuthorisationType::Single,
            }),
            Content::FundsConfirmation(request) => Some(Self {
                named: request.debtor_account().ok(),
                currencies: Vec::new(),
                authorisation: AuthorisationType::Any,
            }),
        }
    }

    /// What no account fits: a payment of another kind than any.
    fn nobody() -> Self {
        let named = PaymentAccount {
            scheme: AccountScheme::Wallet,
            identification: String::new(),
            name: None,
            secondary_identification: None,
        };
        Self { named: Some(named), currencies: Vec::new(), authorisation: AuthorisationType::Any }
    }

    /// Whether the account can pay.
    #[must_use]
    pub fn fits(&self, account: &Account) -> bool {
        account.status == AccountStatus::Enabled
            && account.kind.pays()
            && (self.currencies.is_empty() || self.currencies.contains(&account.currency))
            && self.fits_signatories(account)
            && self.named.as_ref().is_none_or(|named| is_named(account, named))
    }

    /// Whether as many people have to authorise payments from the account as the TPP wants.
    #[must_use]
    pub fn fits_signatories(&self, account: &Account) -> bool {
        match self.authorisation {
            AuthorisationType::Any => true,
            AuthorisationType::Single => account.signatories <= 1,
            AuthorisationType::Multiple => account.signatories > 1,
        }
    }
}

/// Whether a number names the account.
#[must_use]
pub fn is_named(account: &Account, named: &PaymentAccount) -> bool {
    let identification = &account.identification;
    let number = named.identification.as_str();
    match named.scheme {
        AccountScheme::SortCodeAccountNumber => identification
            .uk_account()
            .is_some_and(|uk| number.strip_prefix(uk.sort_code()) == Some(uk.account_number())),
        AccountScheme::Iban => identification.iban().is_some_and(|iban| iban.as_str() == number),
        AccountScheme::Pan => identification.pan().is_some_and(|pan| pan.as_str() == number),
        AccountScheme::Bban | AccountScheme::Paym | AccountScheme::Wallet => false,
    }
}

/// The account of this bank with that number.
#[must_use]
pub fn find<'a>(books: &'a Books, named: &PaymentAccount) -> Option<&'a Account> {
    identification(named).and_then(|number| books.account_by_number(&number))
}

/// A number as the books know it; none for schemes that are of no use there.
#[must_use]
pub fn identification(account: &PaymentAccount) -> Option<Identification> {
    let number = account.identification.as_str();
    match account.scheme {
        AccountScheme::SortCodeAccountNumber => {
            let (sort_code, account_number) = number.split_at_checked(6)?;
            ledger::identification::UkAccount::new(sort_code, account_number).ok().map(Identification::UkAccount)
        }
        AccountScheme::Iban => number.parse().ok().map(Identification::Iban),
        AccountScheme::Pan => number.parse().ok().map(Identification::Card),
        AccountScheme::Bban | AccountScheme::Paym | AccountScheme::Wallet => None,
    }
}

/// The account as other members name it, with its holder.
#[must_use]
pub fn cash_account(account: &Account) -> Option<CashAccount> {
    numbers(&account.identification, Some(&account.holder_name)).into_iter().next()
}

/// The first account that the customer chose for a consent.
#[must_use]
pub fn chosen(context: &Context, consent: &Consent) -> Option<CashAccount> {
    let books = context.money.at(context.tools.clock.now());
    let id = consent.accounts.first()?;
    books.account(&AccountId::new(id.as_str())).and_then(cash_account)
}

/// The accounts of a customer that a consent can be authorised for.
#[must_use]
pub fn eligible(context: &Context, consent: &Consent, customer: &str, now: OffsetDateTime) -> Vec<String> {
    let Some(payer) = Payer::of(consent) else { return context.eligible_accounts(customer) };
    let books = context.money.at(now);
    let customer = CustomerId::new(customer);
    let accounts = books.accounts_of(&customer).filter(|account| payer.fits(account));
    accounts.map(|account| account.id.to_string()).collect()
}

/// Whether the customer has an account that would do for a payment if as many people had to authorise as the TPP wants.
#[must_use]
pub fn fits_but_for_signatories(context: &Context, consent: &Consent, customer: &str, now: OffsetDateTime) -> bool {
    let (Content::Payment(_), Some(payer)) = (&consent.content, Payer::of(consent)) else { return false };
    let any = Payer { authorisation: AuthorisationType::Any, ..payer };
    let (books, customer) = (context.money.at(now), CustomerId::new(customer));
    books.accounts_of(&customer).any(|account| any.fits(account))
}

/// Whether the TPP left the choice of the account to the customer.
#[must_use]
pub fn is_open(consent: &Consent) -> bool {
    Payer::of(consent).is_none_or(|payer| payer.named.is_none())
}
