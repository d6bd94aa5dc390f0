//! Whether the money of a payment is there (OB Read/Write 4.0, Payment Initiation API, funds-confirmation).

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use ledger::AccountId;
use openbanking::{
    links::{Envelope, Links, Meta},
    payments::{FundsAvailable, PaymentKind},
    version::ApiVersion,
};
use transport::{Request, Response, reply};

use super::{
    SCOPE,
    instruct::Pricing,
    orders::{Facts, behind, consent_checks},
};
use crate::{
    Context,
    api::{ApiError, Progress, admit, apply},
    consents::ConsentKind,
};

/// `GET` of `funds-confirmation` of a consent.
pub(super) async fn confirm(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let demand = Demand { scope: Some(SCOPE), kind: TokenKind::Customer };
    let access = progress.add(admit(context, request, demand).await)?;
    let off = &context.engine.profile().switched_off;
    let intent_id = access.grant.and_then(|grant| grant.intent_id);
    let behind = progress.add(behind(context, intent_id, off).await)?;
    let now = context.tools.clock.now();
    let named = request.params.get("ConsentId").unwrap_or_default();
    let kind = ConsentKind::Payment(kind);
    let facts = Facts { consent: &behind.consent, named, kind, version, now };
    progress.judged(apply(&facts, &consent_checks("ConsentId"), off))?;
    let payment = behind.payment()?;
    let initiation = progress.read(&super::orders::BODY, payment.request.typed())?;
    let id = AccountId::new(behind.account()?);
    let available = {
        let books = context.money.at(now);
        let account = books.account(&id).ok_or_else(|| ApiError::Failed(format!("the account {id} is not there")))?;
        let pricing = Pricing { own: account.currency, offer: &payment.offer, rates: &context.rates };
        match pricing.debit(&initiation) {
            Some(amount) => books.can_pay(&id, amount, now)?,
            None => false,
        }
    };
    let links = Links::to_self(context.urls.api(&request.path));
    let body = Envelope::new(FundsAvailable::new(available, now), links, Meta::one_page());
    Ok(progress.attach(reply::json(StatusCode::OK, &body)))
}
