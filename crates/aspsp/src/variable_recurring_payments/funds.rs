//! Whether the money of a payment under a VRP consent is there (OB Read/Write 4.0, Domestic VRP Consents,
//! funds-confirmation).

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{
    version::ApiVersion,
    vrp::{VrpFundsAnswer, VrpFundsRequest},
};
use transport::{Request, Response, reply};

use super::consents::BODY;
use crate::{
    Context,
    api::{ApiError, Progress, admit, apply, signature},
    consents::ConsentKind,
    payment_initiation::orders::{Facts, IN_BODY, behind, consent_checks},
};

/// `POST /domestic-vrp-consents/{ConsentId}/funds-confirmation`.
pub(super) async fn confirm(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let demand = Demand { scope: Some("payments"), kind: TokenKind::Customer };
    let access = progress.add(admit(context, request, demand).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let off = &context.engine.profile().switched_off;
    let behind = progress.add(behind(context, access.grant.and_then(|grant| grant.intent_id), off).await)?;
    let asked = progress.read(&BODY, VrpFundsRequest::read(version, &request.body))?;
    let amount = progress.read(&BODY, asked.amount())?;
    let (kind, now) = (ConsentKind::VariableRecurringPayments, context.tools.clock.now());
    for named in [request.params.get("ConsentId").unwrap_or_default(), asked.consent_id()] {
        let facts = Facts { consent: &behind.consent, named, kind, version, now };
        progress.judged(apply(&facts, &consent_checks(IN_BODY), off))?;
    }
    let account = ledger::AccountId::new(behind.account()?);
    // An amount in another currency than the account's is never there.
    let enough = context.money.at(now).can_pay(&account, amount, now).unwrap_or(false);
    let id = context.tools.chance.uuid().simple().to_string();
    Ok(progress.attach(reply::json(StatusCode::CREATED, &VrpFundsAnswer::of(&asked, id, enough, now))))
}
