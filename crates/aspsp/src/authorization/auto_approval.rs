//! Authorisations that confirm themselves, for tools without a browser (`auto-approve` in the bank's profile): the same
//! decision as on the pages, without the pages.

use fapi::interaction::{Decision, Rejection};
use http::StatusCode;
use transport::{Request, Response, reply};

use super::{
    interaction::{Next, Refusal, after_authentication, settle, under_way},
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
        let approved = || Decision::Approved { subject: customer.clone(), authenticated_at: now };
        let rejected = |rejection| (Decision::Rejected(rejection), Vec::new());
        let another = record.subject.as_ref().is_some_and(|wanted| *wanted != customer);
        let (decision, accounts) = match &visit.consent {
            _ if another => rejected(Rejection::AnotherCustomer),
            None => (approved(), Vec::new()),
            Some((consent, _)) if record.reauthentication => match consent.customer.as_ref() == Some(&customer) {
                true => (approved(), consent.accounts.clone()),
                false => rejected(Rejection::AuthenticationFailed),
            },
            Some((consent, _)) => match after_authentication(context, consent, &customer, now) {
                Next::Reject(rejection) => rejected(rejection),
                Next::Confirm(accounts) | Next::Approve(accounts) => (approved(), accounts),
                Next::Choose => {
                    let mut fitting = payer::eligible(context, consent, &customer, now);
                    fitting.truncate(if consent.kind() == ConsentKind::AccountAccess { usize::MAX } else { 1 });
                    (approved(), fitting)
                }
            },
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
