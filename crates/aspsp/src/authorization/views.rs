//! What the customer's pages say (OB Customer Experience Guidelines: account information consent).

use http::StatusCode;
use ledger::{AccountId, Identification};
use serde::Serialize;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use transport::Response;

use super::{
    interaction::{Visit, path},
    session::Stage,
};
use crate::{
    Context,
    consents::AccountAccessConsent,
    pages::{Refresh, TppView},
};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:long] [year]");

#[derive(Debug, Serialize)]
struct FormView<'a> {
    tpp: TppView<'a>,
    action: String,
    csrf: &'a str,
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_ending: Option<String>,
}

#[derive(Debug, Serialize)]
struct AccountsView<'a> {
    #[serde(flatten)]
    form: FormView<'a>,
    accounts: Vec<AccountView>,
    clusters: Vec<ClusterView>,
    history: Option<String>,
    until: String,
}

#[derive(Debug, Serialize)]
struct AccountView {
    id: String,
    name: String,
    number: String,
    balance: String,
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct ClusterView {
    name: &'static str,
    permissions: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct OutboundView<'a> {
    tpp: TppView<'a>,
    heading: &'static str,
    status: &'static str,
}

/// The page for how far the customer has come.
pub(super) fn page(context: &Context, visit: &Visit, status: StatusCode, problem: Option<&str>) -> Response {
    let interaction = &visit.interaction.record;
    let tpp = || TppView { name: &interaction.client_name, on_behalf_of: interaction.on_behalf_of.as_deref() };
    let form =
        |phone_ending| FormView { tpp: tpp(), action: path(visit), csrf: &visit.session.csrf, problem, phone_ending };
    let show = |name: &str, title: &str, page: &dyn erased::Page| page.show(context, status, name, title);
    match &visit.session.stage {
        Stage::Login => show("login", "Log in", &form(None)),
        Stage::OneTimePassword { customer } => {
            show("one-time-password", "One-time password", &form(Some(context.customers.phone_ending(customer))))
        }
        Stage::Accounts { customer, .. } => {
            let view = AccountsView {
                form: form(None),
                accounts: accounts(context, customer, &visit.consent),
                clusters: clusters(&visit.consent),
                history: history(&visit.consent),
                until: until(&visit.consent),
            };
            show("accounts", "Choose accounts", &view)
        }
        Stage::Done { location, approved } => {
            let (heading, status_text) = if *approved {
                ("All done", "We have connected the accounts that you chose.")
            } else {
                ("Nothing was shared", "We have not shared any information.")
            };
            let view = OutboundView { tpp: tpp(), heading, status: status_text };
            let refresh = Refresh { seconds: context.bank.outbound_seconds, location };
            context.pages.show(status, &context.bank, "outbound", heading, Some(refresh), &view)
        }
    }
}

mod erased {
    use http::StatusCode;
    use serde::Serialize;
    use transport::Response;

    use crate::Context;

    /// A view that can be shown, whatever its type.
    pub(super) trait Page {
        fn show(&self, context: &Context, status: StatusCode, template: &str, title: &str) -> Response;
    }

    impl<T: Serialize> Page for T {
        fn show(&self, context: &Context, status: StatusCode, template: &str, title: &str) -> Response {
            context.pages.show(status, &context.bank, template, title, None, self)
        }
    }
}

fn accounts(context: &Context, customer: &str, consent: &AccountAccessConsent) -> Vec<AccountView> {
    let now = context.tools.clock.now();
    let books = context.money.at(now);
    context
        .eligible_accounts(customer)
        .into_iter()
        .filter_map(|id| {
            let account = books.account(&AccountId::new(id.as_str()))?;
            let balance = books.balances(&account.id, now).map(|balances| balances.booked.to_string());
            Some(AccountView {
                name: account.nickname.clone(),
                number: number(&account.identification),
                balance: balance.unwrap_or_default(),
                chosen: consent.accounts.contains(&id),
                id,
            })
        })
        .collect()
}

/// An account's number as customers know it; of a card only its end.
fn number(identification: &Identification) -> String {
    if let Some(uk) = identification.uk_account() {
        let sort_code = uk.sort_code();
        let pairs: Vec<&str> = [0..2, 2..4, 4..6].into_iter().filter_map(|range| sort_code.get(range)).collect();
        return format!("{} {}", pairs.join("-"), uk.account_number());
    }
    if let Some(iban) = identification.iban() {
        return iban.as_str().to_owned();
    }
    identification.pan().map(|pan| format!("Card ending in {}", pan.last_four())).unwrap_or_default()
}

fn clusters(consent: &AccountAccessConsent) -> Vec<ClusterView> {
    consent
        .permissions
        .clusters()
        .into_iter()
        .map(|cluster| ClusterView { name: cluster.name, permissions: cluster.wordings })
        .collect()
}

fn day(at: OffsetDateTime) -> String {
    at.format(DAY).unwrap_or_else(|_| at.to_string())
}

fn history(consent: &AccountAccessConsent) -> Option<String> {
    match (consent.transactions_from, consent.transactions_to) {
        (None, None) => None,
        (Some(from), None) => Some(format!("From {}", day(from))),
        (None, Some(to)) => Some(format!("Up to {}", day(to))),
        (Some(from), Some(to)) => Some(format!("From {} to {}", day(from), day(to))),
    }
}

fn until(consent: &AccountAccessConsent) -> String {
    consent.expires_at.map_or_else(|| "Until you stop it".to_owned(), day)
}
