//! The customer's payments that TPPs ordered: where they stand, what waits for a second signatory, what can be cancelled.

use std::{collections::BTreeSet, sync::Arc};

use ledger::{Action, CustomerId, OrderId, OrderState, OrderStatus};
use serde::Serialize;
use transport::{Request, Response};

use super::{
    PATH,
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
    id: String,
    action: String,
    payee: String,
    amount: String,
    from: String,
    on: String,
    status: &'static str,
    can_cancel: bool,
}

fn status(state: &OrderState) -> &'static str {
    let next = state.instructions.iter().any(|instruction| instruction.next.is_some());
    match state.status() {
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

fn view(context: &Context, state: &OrderState) -> PaymentView {
    let books = context.money.at(context.tools.clock.now());
    let order = &state.order;
    let first = order.instructions.first();
    let payee = match order.instructions.len() {
        1 => first.map(|instruction| instruction.payee.name.clone()).unwrap_or_default(),
        many => format!("{many} payees"),
    };
    let id = order.id.to_string();
    PaymentView {
        action: format!("{PATH}/payments/{id}"),
        id,
        payee,
        amount: match order.instructions.as_slice() {
            [one] => amount(one.instructed),
            _ => String::new(),
        },
        from: books.account(&order.debtor).map(account).unwrap_or_default(),
        on: day(state.created_at),
        status: status(state),
        can_cancel: state.instructions.iter().any(|instruction| instruction.next.is_some()),
    }
}

/// The orders of all accounts of the customer: those that wait for this customer, and the others, newest first.
pub(super) async fn of(context: &Context, customer: &str) -> Result<(Vec<PaymentView>, Vec<PaymentView>), Refusal> {
    let me = CustomerId::new(customer);
    let ids: BTreeSet<OrderId> = payment_initiation::ordered_by_tpps(context).await?;
    let states: Vec<OrderState> = {
        let books = context.money.at(context.tools.clock.now());
        let mut all = Vec::new();
        for account in books.accounts_of(&me) {
            all.extend(books.orders_of(&account.id)?.filter(|state| ids.contains(&state.order.id)).cloned());
        }
        all
    };
    let waits = |state: &OrderState| {
        state.status() == OrderStatus::PartiallyAccepted
            && !state.authorisations.iter().any(|given| given.customer == me)
    };
    let (mut waiting, mut others): (Vec<_>, Vec<_>) = states.into_iter().partition(waits);
    for list in [&mut waiting, &mut others] {
        list.sort_by_key(|state| std::cmp::Reverse(state.created_at));
        list.truncate(MOST);
    }
    let views = |list: Vec<OrderState>| list.iter().map(|state| view(context, state)).collect();
    Ok((views(waiting), views(others)))
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
    if !mine || !payment_initiation::was_ordered(context, &order).await? {
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
