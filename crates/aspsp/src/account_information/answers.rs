//! What the rows of the table answer, but for transactions and statements.

use ledger::{Account, AccountKind, CustomerId, Kind};
use openbanking::{
    accounts::AccountData,
    balances::BalanceData,
    beneficiaries::BeneficiaryData,
    direct_debits::DirectDebitData,
    offers::OfferData,
    party::{PartiesData, PartyData},
    products::ProductData,
    scheduled_payments::ScheduledPaymentData,
    standing_orders::StandingOrderData,
};
use serde::Serialize;
use transport::Response;

use super::{resources::View, shown};
use crate::api::{ApiError, base};

impl View<'_> {
    /// Answers with what every account has of something, one after another; `id` names an item within its account.
    fn of_each<T, D: Serialize>(
        &self,
        make: impl Fn(&Account) -> Result<Vec<(String, T)>, ApiError>,
        data: impl FnOnce(Vec<T>) -> D,
    ) -> Result<Response, ApiError> {
        let mut all = Vec::new();
        for account in &self.accounts {
            all.extend(make(account)?.into_iter().map(|(id, item)| (format!("{}.{id}", account.id), item)));
        }
        let items = |page: Vec<(String, T)>| data(page.into_iter().map(|(_, item)| item).collect());
        self.list(all, |(key, _)| key.clone(), items)
    }
}

pub(super) fn accounts(view: &View<'_>) -> Result<Response, ApiError> {
    let one = |account: &Account| {
        let shown = shown::account(view.version, view.consent.permissions, &view.context.bank, account);
        Ok(vec![(String::new(), shown)])
    };
    view.of_each(one, |account| AccountData { account })
}

pub(super) fn balances(view: &View<'_>) -> Result<Response, ApiError> {
    let of = |account: &Account| {
        let balances = view.books.balances(&account.id, view.now)?;
        let shown = shown::balances(view.version, account, &balances, view.now)?;
        Ok(shown.into_iter().map(|balance| (balance.r#type.name().to_owned(), balance)).collect())
    };
    view.of_each(of, |balance| BalanceData { balance, total_value: None })
}

pub(super) fn beneficiaries(view: &View<'_>) -> Result<Response, ApiError> {
    let (version, permissions) = (view.version, view.consent.permissions);
    let of = |account: &Account| {
        let known = view.books.beneficiaries(&account.id)?.iter();
        Ok(known.map(|one| (one.id.clone(), shown::beneficiary(version, permissions, one))).collect())
    };
    view.of_each(of, |beneficiary| BeneficiaryData { beneficiary })
}

pub(super) fn direct_debits(view: &View<'_>) -> Result<Response, ApiError> {
    let of = |account: &Account| {
        let last = view.books.last_payments(&account.id, Kind::DirectDebit, view.now)?;
        let mandates = view.books.direct_debits(&account.id)?.iter();
        mandates.map(|one| Ok((one.id.clone(), shown::direct_debit(view.version, one, &last)?))).collect()
    };
    view.of_each(of, |direct_debit| DirectDebitData { direct_debit })
}

pub(super) fn standing_orders(view: &View<'_>) -> Result<Response, ApiError> {
    let (version, permissions) = (view.version, view.consent.permissions);
    let of = |account: &Account| {
        let orders = view.books.standing_instructions(&account.id)?;
        let accepted = orders.into_iter().filter(|one| shown::standing_status(one).is_some());
        let shown = |one: &_| shown::standing_order(version, permissions, one);
        accepted.map(|one| Ok((one.instruction.id.clone(), shown(&one)?))).collect()
    };
    view.of_each(of, |standing_order| StandingOrderData { standing_order })
}

pub(super) fn scheduled_payments(view: &View<'_>) -> Result<Response, ApiError> {
    let (version, permissions) = (view.version, view.consent.permissions);
    let of = |account: &Account| {
        let waiting = view.books.scheduled_payments(&account.id)?;
        let key = |one: &ledger::ScheduledPayment<'_>| format!("{}.{}", one.order.order.id, one.instruction.id);
        waiting.iter().map(|one| Ok((key(one), shown::scheduled_payment(version, permissions, one)?))).collect()
    };
    view.of_each(of, |scheduled_payment| ScheduledPaymentData { scheduled_payment })
}

pub(super) fn products(view: &View<'_>) -> Result<Response, ApiError> {
    let of = |account: &Account| {
        let product = view.books.services(&account.id)?.product.iter();
        product.map(|one| Ok((one.id.clone(), shown::product(account, one)))).collect()
    };
    view.of_each(of, |product| ProductData { product })
}

pub(super) fn offers(view: &View<'_>) -> Result<Response, ApiError> {
    let today = view.now.date();
    let of = |account: &Account| {
        let known = view.books.services(&account.id)?.offers.iter();
        let open = known.filter(|one| one.from <= today && today <= one.to);
        open.map(|one| Ok((one.id.clone(), shown::offer(account, one)?))).collect()
    };
    view.of_each(of, |offer| OfferData { offer })
}

/// Answers `GET /party`: the person who authorised the consent.
pub(super) fn psu(view: &View<'_>) -> Result<Response, ApiError> {
    let id = view.consent.customer.clone().unwrap_or_default();
    let customer = view.books.customer(&CustomerId::new(&id));
    let customer = customer.ok_or_else(|| ApiError::Failed(format!("the consent's customer {id} is not there")))?;
    Ok(view.one_page(PartyData { party: shown::person(view.version, customer) }))
}

/// The owners of the account, the first one first.
fn owners(view: &View<'_>) -> Result<Vec<openbanking::party::Party>, ApiError> {
    let [account] = view.accounts.as_slice() else {
        return Err(ApiError::Failed("owners belong to one account".to_owned()));
    };
    let url = view.context.urls.api(&format!("{}/accounts/{}", base(view.version, "aisp"), account.id));
    let holders = account.holders.iter().filter_map(|id| view.books.customer(id));
    Ok(holders.map(|holder| shown::owner(view.version, account, holder, &url)).collect())
}

/// Answers `GET /accounts/{AccountId}/parties`.
pub(super) fn parties(view: &View<'_>) -> Result<Response, ApiError> {
    view.list(owners(view)?, |one| one.party_id.clone(), |party| PartiesData { party })
}

/// Answers `GET /accounts/{AccountId}/party`: the PSU as an owner, or the first owner.
pub(super) fn party(view: &View<'_>) -> Result<Response, ApiError> {
    let owners = owners(view)?;
    let psu = owners.iter().find(|owner| view.consent.customer.as_ref() == Some(&owner.party_id));
    let party = psu.or(owners.first()).cloned();
    let party = party.ok_or_else(|| ApiError::Failed("the account has no owner".to_owned()))?;
    Ok(view.one_page(PartyData { party }))
}

/// True where borrowing is what the account is for.
pub(super) fn borrows(kind: AccountKind) -> bool {
    matches!(kind, AccountKind::CreditCard | AccountKind::Loan)
}
