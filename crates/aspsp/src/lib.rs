//! Party: a bank (ASPSP) with its authorization server, its customers' pages and its Read/Write Data APIs.
//!
//! How a consent travels: a TPP lodges it at [`account_information`]; the PSU comes to [`authorization::endpoint`] with a
//! request object that names it, goes through the pages of [`authorization::interaction`], and decides; the decision, the
//! grant and the code are one commit, in which [`consents`] changes its state; [`authorization::token`] trades the code
//! for a token; [`account_information`] asks the engine about the token, the consent about its permissions, and
//! [`money`] about the rest.
//!
//! - [`start()`] brings the party up: keys, enrolment at the Directory, listeners
//! - [`memory`] is what surrounds the FAPI engine: store, keys of others, consents

pub mod account_information;
pub mod api;
pub mod app;
pub mod authorization;
mod back_office;
pub mod bank;
pub mod clients;
pub mod consents;
pub mod customers;
pub mod dashboard;
pub mod endpoints;
pub mod funds_confirmation;
pub mod memory;
pub mod money;
pub mod pages;
pub mod participants;
pub mod payer;
pub mod payment_initiation;
mod problem;
pub mod rates;
mod routes;
mod settings;
mod start;
pub mod variable_recurring_payments;

use bytes::Bytes;
use fapi::Engine;
use party::Tools;
use rules::Rule;
use store::Store;
use url::Url;

pub use settings::{ProfileName, Settings};
pub use start::{Login, Running, start};

use crate::{
    api::allowance::Allowance, authorization::login_page::LoginPage, bank::Bank, customers::Customers,
    dashboard::uses::Uses, memory::Memory, money::Money, pages::Pages, rates::Rates,
};

/// Where the bank's two listeners are reached.
#[derive(Debug, Clone)]
pub struct Urls {
    /// Discovery, keys, the customer's pages; also the issuer.
    pub public: Url,
    /// Token endpoint, registration and APIs, with client certificates.
    pub mtls: Url,
}

impl Urls {
    /// The issuer: the public URL without the slash at its end.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.public.as_str().trim_end_matches('/').to_owned()
    }

    /// An absolute URL below the public listener.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.public.as_str().trim_end_matches('/'))
    }

    /// An absolute URL below the listener with client certificates.
    #[must_use]
    pub fn api(&self, path: &str) -> String {
        format!("{}{path}", self.mtls.as_str().trim_end_matches('/'))
    }
}

/// Documents that are rendered once.
pub struct Documents {
    /// `/.well-known/openid-configuration`.
    pub configuration: Bytes,
    /// `jwks_uri`.
    pub jwks: Bytes,
}

/// What the bank's handlers share.
pub struct Context {
    /// The authorization server's decisions.
    pub engine: Engine<Memory>,
    /// The bank's profile.
    pub bank: Bank,
    /// Clock, chance, journal.
    pub tools: Tools,
    /// The customers' pages.
    pub pages: Pages,
    /// Who can log in.
    pub customers: Customers,
    /// The page that logs customers in instead of the bank's own.
    pub login_page: Option<LoginPage>,
    /// The books.
    pub money: Money,
    /// What currencies are worth.
    pub rates: Rates,
    /// What clients have used of the requests that they may make.
    pub allowance: Allowance,
    /// When consents were used.
    pub uses: Uses,
    /// Where the listeners are.
    pub urls: Urls,
    /// Discovery and keys.
    pub documents: Documents,
}

impl Context {
    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &**self.engine.backend().store()
    }

    /// The accounts that a customer can share.
    #[must_use]
    pub fn eligible_accounts(&self, customer: &str) -> Vec<String> {
        self.money.payment_accounts(customer, self.tools.clock.now())
    }
}

/// Every rule that this bank applies.
#[must_use]
pub fn catalogue() -> Vec<&'static Rule> {
    let mut rules = fapi::catalogue();
    rules.extend(authorization::registration::RULES);
    rules.extend(authorization::login_page::RULES);
    rules.extend(participants::RULES);
    rules.extend(api::RULES);
    rules.extend(api::idempotency::RULES);
    rules.extend(api::signature::RULES);
    rules.extend(consents::owned::RULES);
    rules.extend(account_information::catalogue());
    rules.extend(payment_initiation::catalogue());
    rules.extend(variable_recurring_payments::catalogue());
    rules.extend(funds_confirmation::RULES);
    rules
}

/// The page of `docs/rules.md`.
#[must_use]
pub fn rules_page() -> String {
    let introduction = "Every refusal of the bank is one of these rules. The wire gets the error of the specification and the demand; the journal gets\n\
                        the rule, what it expected and what it found. Written by `ob-aspsp rules --markdown`.";
    party::catalogue::as_markdown("Rules of the bank", introduction, &catalogue())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn rule_identifiers_are_unique() {
        let rules = super::catalogue();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules.len());
    }

    #[test]
    fn the_page_in_docs_is_current() {
        let page = include_str!("../../../docs/rules.md");
        let command = "cargo run -p aspsp --bin ob-aspsp -- rules --markdown > docs/rules.md";
        assert!(page == super::rules_page(), "docs/rules.md is not current; run {command}");
    }
}
