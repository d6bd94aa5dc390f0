//! The customer's connections: consents that last, and what was done with them.

use std::sync::Arc;

use openbanking::consent::ConsentStatus;
use serde::Serialize;
use store::{Change, Collection, Range, StoreError};
use transport::{Request, Response};

use super::{
    PATH,
    entry::{LoggedIn, checked, home, value},
    payments,
    refusal::Refusal,
    uses,
};
use crate::{
    Context, app,
    authorization::{
        ClusterView, clusters,
        terms::{self, Term},
    },
    consents::{self, Authorisation, Consent, ConsentKind, Content},
    pages::Sheet,
    variable_recurring_payments,
};

/// The consents of a customer: customer and consent.
fn of_customers() -> Collection<()> {
    Collection::new("customer-consents")
}

/// Lets the customer find a consent again that was authorised.
pub(crate) fn remember(consent: &Consent) -> Result<Option<Change>, StoreError> {
    match &consent.customer {
        Some(customer) => of_customers().put(format!("{customer}/{}", consent.id), &()).map(Some),
        None => Ok(None),
    }
}

/// A connection in the list.
#[derive(Serialize)]
pub(super) struct ConnectionView {
    id: String,
    tpp: String,
    on_behalf_of: Option<String>,
    what: &'static str,
    /// Who is paid, where there is one.
    payee: Option<String>,
    status: &'static str,
    active: bool,
    stopped: bool,
    granted: String,
    until: String,
    accounts: Vec<String>,
    clusters: Vec<ClusterView>,
    terms: Vec<Term>,
    /// How far the limits of recurring payments are used in the running periods.
    used: Vec<Term>,
    /// What the TPP did with it, newest first.
    history: Vec<HistoryView>,
}

/// Something that a TPP did.
#[derive(Serialize)]
struct HistoryView {
    on: String,
    what: String,
    outcome: &'static str,
}

/// Lines of a connection's history.
const MOST: usize = 20;

/// Payments under a consent to recurring ones, questions under one to confirm funds.
async fn history(context: &Context, consent: &Consent) -> Result<Vec<HistoryView>, StoreError> {
    Ok(match &consent.content {
        Content::VariableRecurringPayments(_) => {
            let newest = variable_recurring_payments::ordered_under(context, &consent.id, MOST).await?;
            let line = |paid: variable_recurring_payments::PaidUnder| HistoryView {
                on: terms::day_of(paid.day),
                what: terms::amount(paid.amount),
                outcome: payments::words(paid.status, false),
            };
            newest.into_iter().map(line).collect()
        }
        Content::FundsConfirmation(_) => {
            let line = |question: uses::Question| HistoryView {
                on: terms::day(question.at),
                what: format!("Is there {}?", terms::amount(question.amount)),
                outcome: if question.available { "We said yes" } else { "We said no" },
            };
            uses::asked_under(context, &consent.id).await?.into_iter().map(line).collect()
        }
        Content::AccountAccess(_) | Content::Payment(_) => Vec::new(),
    })
}

impl ConnectionView {
    /// Whether a text that is looked for stands in it.
    pub(super) fn has(&self, search: &str) -> bool {
        let texts = [self.tpp.as_str(), self.what, self.status].into_iter().chain(self.on_behalf_of.as_deref());
        let mut texts = texts.chain(self.payee.as_deref());
        texts.any(|text| found(text, search)) || self.accounts.iter().any(|account| found(account, search))
    }
}

/// Whether a text contains another, whatever the case.
pub(super) fn found(text: &str, search: &str) -> bool {
    text.to_lowercase().contains(&search.to_lowercase())
}

#[derive(Serialize)]
struct PageView {
    list: &'static str,
    action: String,
    csrf: String,
    #[serde(flatten)]
    connection: ConnectionView,
}

/// The names that the pages give to the TPP of a client.
pub(super) async fn tpp(context: &Context, client_id: &str) -> (String, Option<String>) {
    use fapi::Repository;
    let found = context.engine.backend().load::<fapi::Client>(client_id).await.ok().flatten();
    found.map_or_else(
        || ("A company that is not registered any more".to_owned(), None),
        |client| (client.record.name, client.record.on_behalf_of),
    )
}

fn what(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::AccountAccess => "Sees your account information",
        ConsentKind::VariableRecurringPayments => "Makes payments of varying amounts",
        ConsentKind::FundsConfirmation => "Asks whether there is enough money",
        ConsentKind::Payment(_) => "A payment",
    }
}

async fn view(context: &Context, consent: &Consent) -> Result<ConnectionView, StoreError> {
    let now = context.tools.clock.now();
    let status = consent.status_at(now);
    let active = status == ConsentStatus::Authorised && consent.deleted_at.is_none();
    let stopped = status == ConsentStatus::Cancelled && consent.deleted_at.is_none();
    let (tpp, on_behalf_of) = tpp(context, &consent.client_id).await;
    let granted = consent.authenticated_at.map(terms::moment).unwrap_or_default();
    let mut terms = terms::of(context, consent, consent.customer.as_deref().unwrap_or_default());
    terms.push(Term::new("Given on", granted.clone()));
    let last = uses::last(context, &consent.id).await?;
    terms.push(Term::new("Last used", last.map_or_else(|| "Not yet".to_owned(), terms::day_of)));
    let (mut used, mut payee) = (Vec::new(), None);
    if let Content::VariableRecurringPayments(vrp) = &consent.content {
        payee = vrp.request.creditor_account().ok().flatten().and_then(|account| account.name);
        for used_of in variable_recurring_payments::used(context, consent, vrp).await? {
            let (paid, left) = (terms::amount(used_of.paid), terms::amount(used_of.left));
            let words = format!("{paid} paid, {left} left until {}", terms::day_of(used_of.last));
            used.push(Term::new(terms::per_period(&used_of.limit, consent.created_at), words));
        }
    }
    Ok(ConnectionView {
        id: consent.id.clone(),
        tpp,
        on_behalf_of,
        what: what(consent.kind()),
        payee,
        status: match status {
            _ if consent.deleted_at.is_some() => "Ended by the company",
            ConsentStatus::Authorised => "Active",
            ConsentStatus::Cancelled => "Stopped by you",
            ConsentStatus::Expired => "Expired",
            _ => "Inactive",
        },
        active,
        stopped,
        granted,
        until: terms::end(consent),
        accounts: terms::accounts(context, consent),
        clusters: clusters(consent),
        terms,
        used,
        history: Vec::new(),
    })
}

/// The customer's connections, active ones first.
pub(super) async fn of(context: &Context, customer: &str) -> Result<Vec<ConnectionView>, Refusal> {
    let mut all = Vec::new();
    for (key, (), _) in of_customers().range(context.store(), Range::prefix(format!("{customer}/"))).await? {
        let id = key.rsplit('/').next().unwrap_or_default();
        if let Some((consent, _)) = consents::collection().get(context.store(), id).await?
            && consent.kind().row().lasting
        {
            all.push((consent.authenticated_at, view(context, &consent).await?));
        }
    }
    all.sort_by_key(|(at, view)| (!view.active, std::cmp::Reverse(*at)));
    Ok(all.into_iter().map(|(_, view)| view).collect())
}

/// A consent of the customer that the path names.
async fn named(context: &Context, request: &Request, customer: &str) -> Result<consents::owned::Found, Refusal> {
    let id = request.params.get("ConsentId").unwrap_or_default();
    let found = match id {
        "" => None,
        id => consents::collection().get(context.store(), id).await?,
    };
    found
        .filter(|(consent, _)| consent.customer.as_deref() == Some(customer) && consent.kind().row().lasting)
        .ok_or(Refusal::Unknown)
}

/// `GET /connections/{ConsentId}`: the page on which access is stopped, or given again.
pub(super) async fn show(context: Arc<Context>, request: Request) -> Response {
    let shown = async {
        let who = LoggedIn::of(&context, &request).await?;
        let (consent, _) = named(&context, &request, &who.customer).await?;
        let history = history(&context, &consent).await?;
        let connection = ConnectionView { history, ..view(&context, &consent).await? };
        let action = format!("{PATH}/{}", consent.id);
        let page = PageView { list: PATH, action, csrf: who.csrf, connection };
        let sheet = Sheet::new("connection", "Connection", app::device::skin(&request));
        Ok(context.pages.show(&context.bank, &sheet, &page))
    };
    shown.await.unwrap_or_else(|refusal: Refusal| refusal.page(&context, &request))
}

/// `POST /connections/{ConsentId}`.
pub(super) async fn act(context: Arc<Context>, request: Request) -> Response {
    match change(&context, &request).await {
        Ok(response) => response,
        Err(refusal) => refusal.page(&context, &request),
    }
}

async fn change(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let who = LoggedIn::of(context, request).await?;
    let form = checked(request)?;
    let (consent, stored) = named(context, request, &who.customer).await?;
    let now = context.tools.clock.now();
    let late = || Refusal::Late("That cannot be done any more.".to_owned());
    if consent.deleted_at.is_some() {
        return Err(Refusal::Late("The company ended this connection.".to_owned()));
    }
    let after = match value(&form, "action") {
        "stop" => consent.withdraw(now).map_err(|_| late())?,
        "resume" if consent.status_at(now) == ConsentStatus::Cancelled => {
            let accounts = consent.accounts.clone();
            let authorisation =
                Authorisation { customer: who.customer, accounts, authenticated_at: who.authenticated_at };
            consent.authorise(authorisation, now).map_err(|_| late())?
        }
        _ => return Err(late()),
    };
    let change = consents::collection().update(&after.id, stored, &after)?;
    context.store().commit(vec![change]).await?;
    Ok(home())
}
