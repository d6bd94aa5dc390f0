//! What the customer's pages say (OB Customer Experience Guidelines: account information consent).

use http::StatusCode;
use ledger::{AccountId, Identification};
use openbanking::money::{ActiveAmount, Money};
use serde::Serialize;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use transport::Response;

use super::{
    interaction::{Visit, path},
    session::Stage,
};
use crate::{
    Context,
    consents::{Consent, Content},
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
pub(super) struct OutboundView<'a> {
    pub(super) tpp: TppView<'a>,
    pub(super) heading: &'static str,
    pub(super) status: &'static str,
}

/// The last page where the answer travels in a form (OAuth 2.0 Form Post Response Mode, 2).
#[derive(Debug, Serialize)]
pub(super) struct OutboundFormView<'a> {
    #[serde(flatten)]
    pub(super) outbound: OutboundView<'a>,
    pub(super) action: &'a str,
    pub(super) fields: &'a [(String, String)],
    pub(super) seconds: u8,
}

/// The page for how far the customer has come.
pub(super) fn page(context: &Context, visit: &Visit, status: StatusCode, problem: Option<&str>) -> Response {
    let interaction = &visit.interaction.record;
    let tpp = || TppView { name: &interaction.client_name, on_behalf_of: interaction.on_behalf_of.as_deref() };
    let form =
        |phone_ending| FormView { tpp: tpp(), action: path(visit), csrf: &visit.session.csrf, problem, phone_ending };
    let render = Render { context, status };
    match (&visit.session.stage, &visit.consent) {
        // Without a consent nobody comes as far as accounts.
        (Stage::Login, _) | (Stage::Accounts { .. }, None) => render.page("login", "Log in", &form(None)),
        (Stage::OneTimePassword { customer }, _) => {
            render.page("one-time-password", "One-time password", &form(Some(context.customers.phone_ending(customer))))
        }
        (Stage::Accounts { customer, .. }, Some((consent, _))) => {
            let view = AccountsView {
                form: form(None),
                accounts: accounts(context, customer, consent),
                clusters: clusters(consent),
                history: history(consent),
                until: until(consent),
            };
            render.page("accounts", "Choose accounts", &view)
        }
        (Stage::Done { location, fields, approved }, consent) => {
            let (heading, status_text) = if *approved {
                let text = if consent.is_some() {
                    "We have connected the accounts that you chose."
                } else {
                    "You are logged in."
                };
                ("All done", text)
            } else {
                ("Nothing was shared", "We have not shared any information.")
            };
            let view = OutboundView { tpp: tpp(), heading, status: status_text };
            let seconds = context.bank.outbound_seconds;
            if fields.is_empty() {
                let refresh = Refresh { seconds, location };
                return context.pages.show(status, &context.bank, "outbound", heading, Some(refresh), &view);
            }
            let view = OutboundFormView { outbound: view, action: location, fields, seconds };
            context.pages.show_leaving(status, &context.bank, "outbound-form", heading, location, &view)
        }
    }
}

/// Shows a page that goes nowhere by itself.
struct Render<'a> {
    context: &'a Context,
    status: StatusCode,
}

impl Render<'_> {
    fn page<T: Serialize>(&self, template: &str, title: &str, page: &T) -> Response {
        self.context.pages.show(self.status, &self.context.bank, template, title, None, page)
    }
}

fn accounts(context: &Context, customer: &str, consent: &Consent) -> Vec<AccountView> {
    let now = context.tools.clock.now();
    let books = context.money.at(now);
    context
        .eligible_accounts(customer)
        .into_iter()
        .filter_map(|id| {
            let account = books.account(&AccountId::new(id.as_str()))?;
            let balance = books.balances(&account.id, now).map(|balances| amount(balances.booked));
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

/// An amount as customers read it: `£1,234.50`, `-€3.00`, and the code for currencies without a common sign.
fn amount(money: Money) -> String {
    let Ok(size) = ActiveAmount::magnitude_of(money) else { return money.to_string() };
    let (whole, decimals) = size.amount().split_once('.').unwrap_or((size.amount(), ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if decimals.is_empty() { "" } else { "." };
    let sign = if money.is_negative() { "-" } else { "" };
    let (before, after) = match money.currency().code() {
        "GBP" => ("£".to_owned(), String::new()),
        "EUR" => ("€".to_owned(), String::new()),
        "USD" => ("US$".to_owned(), String::new()),
        code => (String::new(), format!(" {code}")),
    };
    format!("{sign}{before}{grouped}{point}{decimals}{after}")
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

fn clusters(consent: &Consent) -> Vec<ClusterView> {
    let Content::AccountAccess(asked) = &consent.content else { return Vec::new() };
    asked
        .permissions
        .clusters()
        .into_iter()
        .map(|cluster| ClusterView { name: cluster.name, permissions: cluster.wordings })
        .collect()
}

fn day(at: OffsetDateTime) -> String {
    at.format(DAY).unwrap_or_else(|_| at.to_string())
}

fn history(consent: &Consent) -> Option<String> {
    let Content::AccountAccess(asked) = &consent.content else { return None };
    match (asked.transactions_from, asked.transactions_to) {
        (None, None) => None,
        (Some(from), None) => Some(format!("From {}", day(from))),
        (None, Some(to)) => Some(format!("Up to {}", day(to))),
        (Some(from), Some(to)) => Some(format!("From {} to {}", day(from), day(to))),
    }
}

fn until(consent: &Consent) -> String {
    consent.expires_at.map_or_else(|| "Until you stop it".to_owned(), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_amounts() {
        let money = |minor, code: &str| amount(Money::new(minor, code.parse().unwrap()));
        assert_eq!(money(123_456_789, "GBP"), "£1,234,567.89");
        assert_eq!(money(-5, "EUR"), "-€0.05");
        assert_eq!(money(100_000, "USD"), "US$1,000.00");
        assert_eq!(money(1_500, "JPY"), "1,500 JPY");
    }
}
