//! Authorisations that confirm themselves, for tools without a browser (`auto-approve` in the bank's profile): the same
//! decision as on the pages, without the pages.

use fapi::interaction::{Decision, Rejection};
use http::StatusCode;
use transport::{Request, Response, reply};

use super::{
    interaction::{Refusal, settle, under_way},
    session::Stage,
    views,
};
use crate::{Context, consents::ConsentKind, pages::secured, payer};

/// Ends an authorisation as if this customer had logged in and confirmed with every account that fits; then the browser goes
/// back to the TPP without having seen a page.
pub(super) async fn confirm_alone(
    context: &Context,
    request: &Request,
    id: &str,
    cookie: &str,
    username: &str,
) -> Response {
    let confirmed = async {
        let visit = under_way(context, request, id, cookie).await?;
        let now = context.tools.clock.now();
        let customer = context.customers.named(username).ok_or(Refusal::Ended)?.to_owned();
        let record = &visit.interaction.record;
        let asked = record.subject.clone().or_else(|| {
            let consent = visit.consent.as_ref().filter(|_| record.reauthentication);
            consent.and_then(|(consent, _)| consent.customer.clone())
        });
        let accounts = match &visit.consent {
            Some((consent, _)) if record.reauthentication => consent.accounts.clone(),
            Some((consent, _)) => {
                let mut fitting = payer::eligible(context, consent, &customer, now);
                fitting.truncate(if consent.kind() == ConsentKind::AccountAccess { usize::MAX } else { 1 });
                fitting
            }
            None => Vec::new(),
        };
        let decision = if asked.is_some_and(|asked| asked != customer) {
            Decision::Rejected(Rejection::AnotherCustomer)
        } else if visit.consent.is_some() && accounts.is_empty() {
            Decision::Rejected(Rejection::NoEligibleAccount)
        } else {
            Decision::Approved { subject: customer, authenticated_at: now }
        };
        settle(context, visit, decision, accounts).await
    };
    match confirmed.await {
        Err(refusal) => refusal.page(context, request),
        Ok(visit) => match &visit.session.stage {
            Stage::Done { location, fields, .. } if fields.is_empty() => {
                secured(reply::redirect(StatusCode::FOUND, location))
            }
            _ => views::page(context, &visit, StatusCode::OK, None),
        },
    }
}
