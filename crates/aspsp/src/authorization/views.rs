//! What the customer's pages say, page by page (OB Customer Experience Guidelines). What a consent comes to is in
//! [`super::terms`], the words for its kind in [`super::wording`].

use http::StatusCode;
use ledger::AccountId;
use serde::Serialize;
use transport::Response;

use super::{
    interaction::{Visit, path},
    session::Stage,
    terms::{self, Term, amount, number},
    wording::{self, Wording},
};
use crate::{
    Context,
    consents::{Consent, ConsentKind, Content},
    dashboard,
    pages::{Refresh, Sheet, Skin, TppView},
    payer,
};

#[derive(Debug, Serialize)]
struct FormView<'a> {
    tpp: TppView<'a>,
    action: String,
    csrf: &'a str,
    problem: Option<&'a str>,
    asked: &'a str,
    phone_ending: String,
    terms: Vec<Term>,
}

#[derive(Debug, Serialize)]
struct ChoiceView<'a> {
    #[serde(flatten)]
    form: FormView<'a>,
    heading: &'a str,
    legend: &'a str,
    button: &'a str,
    /// How accounts are picked: `checkbox` or `radio`.
    picks: &'a str,
    accounts: Vec<AccountView>,
    clusters: Vec<ClusterView>,
    signatories: Option<String>,
    /// Whether the customer is asked to agree to what the TPP asks for.
    agreement: bool,
}

#[derive(Debug, Serialize)]
struct AccountView {
    id: String,
    name: String,
    number: String,
    balance: String,
    chosen: bool,
}

/// A data cluster and its permissions in the words of the guidelines.
#[derive(Debug, Serialize)]
pub struct ClusterView {
    name: &'static str,
    permissions: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct OutboundView<'a> {
    pub(super) tpp: TppView<'a>,
    pub(super) heading: &'static str,
    pub(super) status: String,
    /// Address of the dashboard, where something lasts that can be stopped there.
    pub(super) later: Option<String>,
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
    let consent = visit.consent.as_ref().map(|(consent, _)| consent);
    let words = consent.map_or(&wording::LOGIN, |consent| wording::of(consent.kind()));
    let tpp = || TppView { name: &interaction.client_name, on_behalf_of: interaction.on_behalf_of.as_deref() };
    let form = |phone_ending: String, terms: Vec<Term>| FormView {
        tpp: tpp(),
        action: path(visit),
        csrf: &visit.session.csrf,
        problem,
        asked: words.asked,
        phone_ending,
        terms,
    };
    let render = Render { context, status, skin: visit.skin };
    match (&visit.session.stage, consent) {
        // Without a consent nobody comes as far as accounts.
        (Stage::Login, _) | (Stage::Accounts { .. } | Stage::Confirm { .. }, None) => {
            render.page("login", "Log in", &form(String::new(), Vec::new()))
        }
        (Stage::Passcode { customer }, _) => {
            let terms = consent.map(|consent| terms::of_payment(context, consent, customer)).unwrap_or_default();
            render.page("passcode", "Passcode", &form(String::new(), terms))
        }
        (Stage::OneTimePassword { customer }, _) => {
            let terms = consent.map(|consent| terms::of_payment(context, consent, customer)).unwrap_or_default();
            let view = form(context.customers.phone_ending(customer), terms);
            render.page("one-time-password", "One-time password", &view)
        }
        (Stage::Accounts { customer, .. }, Some(consent)) => {
            let several = consent.kind() == ConsentKind::AccountAccess;
            let view = ChoiceView {
                form: form(String::new(), terms::of(context, consent, customer)),
                picks: if several { "checkbox" } else { "radio" },
                accounts: accounts(context, customer, consent),
                ..choice(words.choose, words, consent)
            };
            render.page("accounts", "Choose accounts", &view)
        }
        (Stage::Confirm { customer, accounts, .. }, Some(consent)) => {
            let view = ChoiceView {
                form: form(String::new(), terms::of(context, consent, customer)),
                signatories: signatories(context, accounts),
                agreement: consent.kind() == ConsentKind::FundsConfirmation,
                button: words.button,
                ..choice(words.confirm, words, consent)
            };
            render.page("confirm", words.confirm, &view)
        }
        (Stage::Done { location, fields, approved, why }, _) => {
            let (heading, text) = if *approved { words.done } else { words.declined };
            let text = why.as_ref().map_or_else(|| text.to_owned(), |why| format!("{why} {text}"));
            let lasts = *approved && consent.is_some_and(|consent| consent.kind().row().lasting);
            let later = lasts.then(|| context.urls.page(dashboard::PATH));
            let view = OutboundView { tpp: tpp(), heading, status: text, later };
            let seconds = context.bank.outbound_seconds;
            if fields.is_empty() {
                let refresh = Some(Refresh { seconds, location });
                let sheet = Sheet { status, refresh, ..Sheet::new("outbound", heading, visit.skin) };
                return context.pages.show(&context.bank, &sheet, &view);
            }
            let view = OutboundFormView { outbound: view, action: location, fields, seconds };
            let sheet = Sheet { status, ..Sheet::new("outbound-form", heading, visit.skin) };
            context.pages.show_leaving(&context.bank, &sheet, location, &view)
        }
    }
}

/// Shows a page that goes nowhere by itself.
struct Render<'a> {
    context: &'a Context,
    status: StatusCode,
    skin: Skin,
}

impl Render<'_> {
    fn page<T: Serialize>(&self, template: &str, title: &str, page: &T) -> Response {
        let sheet = Sheet { status: self.status, ..Sheet::new(template, title, self.skin) };
        self.context.pages.show(&self.context.bank, &sheet, page)
    }
}

/// What pages about a consent have in common; the form is set by each.
fn choice<'a>(heading: &'a str, words: &'a Wording, consent: &Consent) -> ChoiceView<'a> {
    ChoiceView {
        form: FormView {
            tpp: TppView { name: "", on_behalf_of: None },
            action: String::new(),
            csrf: "",
            problem: None,
            asked: "",
            phone_ending: String::new(),
            terms: Vec::new(),
        },
        heading,
        legend: words.legend,
        button: "Continue",
        picks: "checkbox",
        accounts: Vec::new(),
        clusters: clusters(consent),
        signatories: None,
        agreement: false,
    }
}

/// Whether others have to authorise payments from the account, too.
fn signatories(context: &Context, accounts: &[String]) -> Option<String> {
    let books = context.money.at(context.tools.clock.now());
    let account = books.account(&AccountId::new(accounts.first()?.as_str()))?;
    let further = account.signatories.checked_sub(1).filter(|further| *further > 0)?;
    let from = &account.nickname;
    let (people, have) =
        if further == 1 { ("one more person".to_owned(), "has") } else { (format!("{further} more people"), "have") };
    Some(format!("The payment is made when {people} who may pay from {from} {have} confirmed it, too."))
}

fn accounts(context: &Context, customer: &str, consent: &Consent) -> Vec<AccountView> {
    let now = context.tools.clock.now();
    let eligible = payer::eligible(context, consent, customer, now);
    let books = context.money.at(now);
    let one = eligible.len() == 1;
    eligible
        .into_iter()
        .filter_map(|id| {
            let account = books.account(&AccountId::new(id.as_str()))?;
            let balance = books.balances(&account.id, now).map(|balances| amount(balances.booked));
            Some(AccountView {
                name: account.nickname.clone(),
                number: number(&account.identification),
                balance: balance.unwrap_or_default(),
                chosen: consent.accounts.contains(&id) || (one && consent.kind() != ConsentKind::AccountAccess),
                id,
            })
        })
        .collect()
}

/// What a consent to read accounts lets the TPP see.
#[must_use]
pub fn clusters(consent: &Consent) -> Vec<ClusterView> {
    let Content::AccountAccess(asked) = &consent.content else { return Vec::new() };
    asked
        .permissions
        .clusters()
        .into_iter()
        .map(|cluster| ClusterView { name: cluster.name, permissions: cluster.wordings })
        .collect()
}
