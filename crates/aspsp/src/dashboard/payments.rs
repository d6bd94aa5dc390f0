//! The customer's payments that TPPs ordered: where they stand, what waits for a second signatory, what can be cancelled.

use std::sync::Arc;

use ledger::{Action, CustomerId, OrderId, OrderState, OrderStatus, orders::Execution};
use serde::Serialize;
use transport::{Request, Response};

use super::{
    PATH,
    connections::{found, tpp as tpp_of},
    entry::{LoggedIn, checked, home, value},
    refusal::Refusal,
};
use crate::{
    Context,
    authorization::terms::{account, amount, day},
    money::CommandFailure,
    payment_initiation,
};

/// Payments in the list.
const MOST: usize = 50;

/// A payment in the list.
#[derive(Serialize)]
pub(super) struct PaymentView {
    action: String,
    payee: String,
    amount: String,
    /// What it is, if it is not one payment at once.
    kind: Option<&'static str>,
    from: String,
    tpp: String,
    on: String,
    status: &'static str,
    /// When it is paid, or paid the next time.
    next: Option<String>,
    can_cancel: bool,
}

fn status(state: &OrderState) -> &'static str {
    let next = state.instructions.iter().any(|instruction| instruction.next.is_some());
    words(state.status(), next)
}

impl PaymentView {
    /// Whether a text that is looked for stands in it.
    pub(super) fn has(&self, search: &str) -> bool {
        [self.payee.as_str(), &self.tpp, &self.from, &self.amount, self.status].iter().any(|text| found(text, search))
    }
}

/// A status as customers read it; `next` when more is to come.
pub(super) fn words(status: OrderStatus, next: bool) -> &'static str {
    match status {
        OrderStatus::Received => "Received",
        OrderStatus::PartiallyAccepted => "Waits for another person",
        OrderStatus::AcceptedSettlementInProcess => "On its way",
        OrderStatus::AcceptedSettlementCompleted | OrderStatus::AcceptedWithoutPosting => "Paid",
        OrderStatus::AcceptedCreditSettlementCompleted => "Paid, and received by the payee",
        OrderStatus::Blocked => "Held up at the payee's bank",
        OrderStatus::Rejected => "Not paid",
        OrderStatus::Cancelled => "Cancelled",
        OrderStatus::InitiationCompleted if next => "Set up",
        OrderStatus::InitiationCompleted => "Done",
        OrderStatus::InitiationFailed => "Could not be set up",
    }
}

fn view(context: &Context, state: &OrderState, tpp: String) -> PaymentView {
    let books = context.money.at(context.tools.clock.now());
    let order = &state.order;
    let first = order.instructions.first();
    let payee = match order.instructions.len() {
        1 => first.map(|instruction| instruction.payee.name.clone()).unwrap_or_default(),
        many => format!("{many} payees"),
    };
    let id = order.id.to_string();
    let next = state.instructions.iter().filter_map(|instruction| instruction.next).min_by_key(|next| next.at);
    PaymentView {
        action: format!("{PATH}/payments/{id}"),
        payee,
        tpp,
        amount: match order.instructions.as_slice() {
            [one] => amount(one.instructed),
            _ => String::new(),
        },
        kind: match first.map(|instruction| &instruction.execution) {
            _ if order.file => Some("File"),
            Some(Execution::Recurring(_)) => Some("Standing order"),
            Some(Execution::On(_)) => Some("Scheduled"),
            Some(Execution::Immediate) | None => None,
        },
        from: books.account(&order.debtor).map(account).unwrap_or_default(),
        on: day(state.created_at),
        status: status(state),
        next: next.map(|next| day(next.at)),
        can_cancel: next.is_some(),
    }
}

/// The orders of all accounts of the customer: those that wait for this customer, and the others, newest first.
pub(super) async fn of(context: &Context, customer: &str) -> Result<(Vec<PaymentView>, Vec<PaymentView>), Refusal> {
    let me = CustomerId::new(customer);
    let mut states: Vec<OrderState> = {
        let books = context.money.at(context.tools.clock.now());
        let mut all = Vec::new();
        for account in books.accounts_of(&me) {
            all.extend(books.orders_of(&account.id)?.cloned());
        }
        all
    };
    states.sort_by_key(|state| std::cmp::Reverse(state.created_at));
    let (mut waiting, mut others) = (Vec::new(), Vec::new());
    for state in states {
        let waits = state.status() == OrderStatus::PartiallyAccepted
            && !state.authorisations.iter().any(|given| given.customer == me);
        let list = if waits { &mut waiting } else { &mut others };
        if list.len() < MOST
            && let Some(client_id) = payment_initiation::client_of(context, &state.order.id).await?
        {
            let (tpp, _) = tpp_of(context, &client_id).await;
            list.push(view(context, &state, tpp));
        }
    }
    Ok((waiting, others))
}

/// `POST /connections/payments/{OrderId}`: confirm, refuse or cancel.
pub(super) async fn act(context: Arc<Context>, request: Request) -> Response {
    match decide(&context, &request).await {
        Ok(response) => response,
        Err(refusal) => refusal.page(&context, &request),
    }
}

async fn decide(context: &Context, request: &Request) -> Result<Response, Refusal> {
    let who = LoggedIn::of(context, request).await?;
    let form = checked(request)?;
    let order = OrderId::new(request.params.get("OrderId").unwrap_or_default());
    let now = context.tools.clock.now();
    let customer = CustomerId::new(who.customer);
    let mine = {
        let books = context.money.at(now);
        let held: Vec<_> = books.accounts_of(&customer).map(|account| account.id.clone()).collect();
        books.order(&order).is_some_and(|state| held.contains(&state.order.debtor))
    };
    if !mine || payment_initiation::client_of(context, &order).await?.is_none() {
        return Err(Refusal::Unknown);
    }
    let action = match value(&form, "action") {
        "confirm" => Action::Authorise { order, customer },
        "refuse" => Action::Refuse { order, customer },
        "cancel" => Action::Cancel { order },
        _ => return Err(Refusal::Late("That cannot be done.".to_owned())),
    };
    match context.money.carry_out(context.store(), action, Vec::new(), now).await {
        Ok(()) => Ok(home()),
        Err(CommandFailure::Refused(why)) => {
            tracing::debug!(%why, "the books refuse what a customer wants");
            Err(Refusal::Late("That cannot be done any more: the payment has gone on.".to_owned()))
        }
        Err(CommandFailure::NotCommitted(error)) => Err(error.into()),
        Err(CommandFailure::Store(error)) => Err(error.into()),
    }
}
