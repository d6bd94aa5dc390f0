//! What is told about an order: what was ordered, and what the books know of it.

use http::StatusCode;
use ledger::{AccountId, Books, OrderState, OrderStatus, orders::Rejection};
use openbanking::{
    consent::StatusReason,
    links::{Envelope, Links, Meta},
    money::ActiveAmount,
    payments::{
        LocalInstrument, MultiAuthorisation, MultiAuthorisationStatus, OrderAnswer, OrderFacts, OrderRequest,
        PaymentDetail, PaymentDetails, PaymentStatus, StatusFamily,
    },
    version::ApiVersion,
};
use transport::{Response, reply};

use super::{
    order::{Order, Ordered},
    reasons::{reason, status},
};
use crate::{
    Context,
    api::{ApiError, base, idempotency::Made},
    payer,
};

/// Path of an order.
pub(crate) fn path<R: Ordered>(order: &Order<R>) -> String {
    format!("{}/{}/{}", base(order.request.version(), "pisp"), order.request.path(), order.id)
}

/// What the books know of an order.
///
/// # Errors
/// They do not know it, which they should.
pub(crate) fn known<'a, R>(books: &'a Books, order: &Order<R>) -> Result<&'a OrderState, ApiError> {
    books.order(&order.in_books()).ok_or_else(|| ApiError::Failed(format!("the books do not know {}", order.id)))
}

/// Where an order stands on the wire. One that is set up and waits for its day is pending where there is no state for it:
/// a payment after the cut-off time, and a scheduled one in v4.0.
fn stands(state: &OrderState, family: StatusFamily, version: ApiVersion) -> PaymentStatus {
    let whole = state.status();
    match (family, whole, version) {
        (StatusFamily::Immediate, OrderStatus::InitiationCompleted, _)
        | (StatusFamily::Scheduled, OrderStatus::InitiationCompleted, ApiVersion::V4_0) => {
            let paid = state.instructions.iter().flat_map(|instruction| &instruction.payments);
            paid.last().map_or(PaymentStatus::Pending, |payment| status(payment.status()))
        }
        _ => status(whole),
    }
}

/// Which status an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The one with which the order began: it was received, or it is not carried out (OB Read/Write 4.0, payment orders,
    /// Status, initial). What happens to it is for later answers.
    First,
    /// Where it stands now.
    Now,
}

impl Told {
    /// What the answer to a request for an order tells.
    pub(crate) fn of(made: &Made) -> Self {
        if made.now { Self::First } else { Self::Now }
    }

    pub(crate) fn status(self, state: &OrderState, family: StatusFamily, version: ApiVersion) -> PaymentStatus {
        let over =
            matches!(state.status(), OrderStatus::Rejected | OrderStatus::Cancelled | OrderStatus::InitiationFailed);
        match self {
            Self::First if !over => PaymentStatus::Received,
            _ => stands(state, family, version),
        }
    }
}

/// How far several people have authorised it; none when one was enough.
pub(super) fn several(state: &OrderState, version: ApiVersion) -> Option<MultiAuthorisation> {
    let required = u32::from(state.order.signatories);
    if required <= 1 {
        return None;
    }
    let received = u32::try_from(state.authorisations.len()).unwrap_or(u32::MAX);
    let found = match state.status() {
        OrderStatus::PartiallyAccepted => MultiAuthorisationStatus::AwaitingFurtherAuthorisation,
        _ if received >= required => MultiAuthorisationStatus::Authorised,
        _ => MultiAuthorisationStatus::Rejected,
    };
    Some(MultiAuthorisation {
        status: version.code(found),
        number_required: Some(required),
        number_received: Some(received),
        last_update_date_time: match found {
            MultiAuthorisationStatus::Rejected => Some(state.status_updated_at()),
            _ => state.authorisations.last().map(|given| given.at),
        },
        expiration_date_time: state.order.authorise_before,
    })
}

fn cancelled(state: &OrderState) -> Option<Rejection> {
    (state.status() == OrderStatus::Cancelled).then_some(Rejection::OrderCancelled)
}

/// Why an order, or a payment of it, was not carried out.
pub(crate) fn why(state: &OrderState) -> Vec<StatusReason> {
    let payments = state.instructions.iter().flat_map(|instruction| &instruction.payments);
    state
        .reason()
        .or(cancelled(state))
        .or_else(|| payments.last().and_then(ledger::orders::Payment::reason))
        .map(reason)
        .into_iter()
        .collect()
}

/// The answer about an order.
pub(super) fn answer(
    context: &Context,
    code: StatusCode,
    order: &Order<OrderRequest>,
    told: Told,
) -> Result<Response, ApiError> {
    let now = context.tools.clock.now();
    let (kind, version) = (order.request.kind(), order.request.version());
    let books = context.money.at(now);
    let state = known(&books, order)?;
    let account = books.account(&AccountId::new(order.account.as_str()));
    let debtor = account.and_then(payer::cash_account);
    let facts = OrderFacts {
        status_reasons: why(state),
        updated: state.status_updated_at(),
        expected_execution: order.offer.expected_execution,
        expected_settlement: order.offer.expected_settlement,
        refund: debtor.clone().filter(|_| order.refund),
        charges: order.offer.charges.clone(),
        exchange_rate: order.offer.exchange_rate.clone(),
        multi_authorisation: several(state, version),
        debtor: debtor.filter(|_| !order.named),
        ..OrderFacts::new(&order.id, told.status(state, kind.status_family(), version), order.created_at)
    };
    let links = Links::to_self(context.urls.api(&path(order)));
    Ok(reply::json(code, &OrderAnswer::of(&order.request, facts, links, Meta::one_page())))
}

/// The states that the payments of an order went through, the last of each.
pub(crate) fn details<R: Ordered>(
    context: &Context,
    order: &Order<R>,
    instrument: Option<LocalInstrument>,
) -> Result<Response, ApiError> {
    let version = order.request.version();
    let links = Links::to_self(context.urls.api(&format!("{}/payment-details", path(order))));
    let details = states(context, order, version, instrument)?;
    Ok(reply::json(StatusCode::OK, &Envelope::new(PaymentDetails { payment_status: details }, links, Meta::one_page())))
}

/// One state for each payment that was made or tried; that of the order as long as there is none.
pub(crate) fn states<R: Ordered>(
    context: &Context,
    order: &Order<R>,
    version: ApiVersion,
    instrument: Option<LocalInstrument>,
) -> Result<Vec<PaymentDetail>, ApiError> {
    let books = context.money.at(context.tools.clock.now());
    let state = known(&books, order)?;
    let detail = |id: String, found, at, why: Option<Rejection>| {
        let detail = PaymentDetail::new(version, id, found, at);
        let detail = instrument.map_or(detail.clone(), |instrument| detail.over(version, instrument));
        why.map_or(detail.clone(), |why| detail.because(version, &reason(why)))
    };
    let payments = state.instructions.iter().flat_map(|instruction| &instruction.payments);
    let mut all: Vec<PaymentDetail> = payments
        .filter_map(|payment| {
            let id = payment.transaction.as_ref().map_or_else(|| order.id.clone(), ToString::to_string);
            payment.history.last().map(|change| detail(id, status(change.status), change.at, change.reason))
        })
        .collect();
    if all.is_empty() {
        let found = stands(state, order.request.status_family(), version);
        all.push(detail(order.id.clone(), found, state.latest().at, state.reason().or(cancelled(state))));
    }
    Ok(all)
}

/// A report of a file: a line for each payment, in the order of the file.
pub(super) fn report(context: &Context, order: &Order<OrderRequest>) -> Result<String, ApiError> {
    let version = order.request.version();
    let books = context.money.at(context.tools.clock.now());
    let state = known(&books, order)?;
    let mut lines = vec![
        ["Number", "EndToEndIdentification", "Payee", "Amount", "Currency", "Status", "Reason"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (instruction, progress) in state.order.instructions.iter().zip(&state.instructions) {
        let latest = progress.payments.last().and_then(|payment| payment.history.last());
        let latest = latest.copied().unwrap_or_else(|| state.latest());
        let amount = ActiveAmount::magnitude_of(instruction.instructed)?;
        lines.push(vec![
            instruction.id.clone(),
            instruction.end_to_end.clone().unwrap_or_default(),
            instruction.payee.name.clone(),
            amount.amount().to_owned(),
            amount.currency().code().to_owned(),
            status(latest.status).in_details(version).to_owned(),
            latest.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        ]);
    }
    let cell = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |cells: &Vec<String>| cells.iter().map(cell).collect::<Vec<_>>().join(",");
    Ok(lines.iter().map(|cells| line(cells) + "\r\n").collect())
}
