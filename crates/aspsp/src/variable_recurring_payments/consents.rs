//! `domestic-vrp-consents` (OB Read/Write 4.0, Domestic VRP Consents).

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{
    error::{ErrorCode, ErrorDetail},
    links::{Links, Meta},
    version::ApiVersion,
    vrp::{ControlParameters, VrpConsentAnswer, VrpConsentFacts, VrpConsentRequest},
};
use rules::{Check, holds};
use store::CommitError;
use transport::{Request, Response, reply};

use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, admit, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{Consent, ConsentKind, Content, VariableRecurringPayments, collection, owned},
    payer,
};

rules::catalogue! {
    /// Rules of VRP consents.
    pub(super) RULES;
    BODY { id: "vrp.consent.body",
        reason: "The body is what the schema of the consent allows.", clause: "OB Read/Write 4.0, Domestic VRP Consents" }
    PARAMETERS { id: "vrp.consent.control-parameters",
        reason: "The control parameters fit together.", clause: "OB Read/Write 4.0, Domestic VRP Consents, Control Parameters" }
    SUPPLEMENTARY { id: "vrp.consent.supplementary-data",
        reason: "There is no SupplementaryData, which this bank cannot process.", clause: "OB Read/Write 4.0, Domestic VRP Consents, SupplementaryData" }
    VALID { id: "vrp.consent.valid-to-in-future",
        reason: "ValidToDateTime does not lie in the past.", clause: "OB Read/Write 4.0, Domestic VRP Consents, ValidToDateTime" }
    CURRENCY { id: "vrp.consent.currency",
        reason: "The limits are in the currency of the country.", clause: "OB Read/Write 4.0, Domestic VRP Consents" }
}

pub(super) const KIND: ConsentKind = ConsentKind::VariableRecurringPayments;

/// Tokens that open consents.
pub(super) const DEMAND: Demand = Demand { scope: Some("payments"), kind: TokenKind::Client };

/// What of the limits is judged.
struct Asked<'a> {
    limits: &'a ControlParameters,
    today: time::Date,
    home: openbanking::money::Currency,
}

fn checks<'a>() -> [Check<Asked<'a>, Wire>; 3] {
    [
        Check {
            rule: &SUPPLEMENTARY,
            error: Wire::bad_request(ErrorCode::FieldUnexpected, Some("Data.ControlParameters.SupplementaryData")),
            test: |asked| holds(!asked.limits.has_supplementary_data, "no SupplementaryData", "SupplementaryData"),
        },
        Check {
            rule: &VALID,
            error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some("Data.ControlParameters.ValidToDateTime")),
            test: |asked| match asked.limits.valid_to {
                Some(to) => holds(to.date() >= asked.today, format_args!("{} or later", asked.today), to),
                None => Ok(()),
            },
        },
        Check {
            rule: &CURRENCY,
            error: Wire::bad_request(
                ErrorCode::UnsupportedCurrency,
                Some("Data.ControlParameters.MaximumIndividualAmount.Currency"),
            ),
            test: |asked| {
                let found = asked.limits.maximum_individual_amount.currency();
                holds(found == asked.home, asked.home.code(), found.code())
            },
        },
    ]
}

/// `POST /domestic-vrp-consents`.
pub(super) async fn create(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let making = Lodging { context, request, version, client_id: &client_id };
    let made = once(context, request, (&client_id, version), &mut progress, &making).await?;
    let (consent, _) = progress.add(owned::find(context, KIND, &made.id, &client_id, version).await)?;
    answer(context, StatusCode::CREATED, &consent).map(|response| progress.attach(response))
}

/// Makes the consent.
struct Lodging<'a> {
    context: &'a Context,
    request: &'a Request,
    version: ApiVersion,
    client_id: &'a str,
}

impl Making for Lodging<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, version, client_id } = *self;
        let now = context.tools.clock.now();
        let asked = progress.read(&BODY, VrpConsentRequest::read(version, &request.body))?;
        let limits = progress.read(&PARAMETERS, asked.control_parameters())?;
        progress.read(&BODY, asked.debtor_account())?;
        progress.read(&BODY, asked.creditor_account())?;
        let facts = Asked { limits: &limits, today: now.date(), home: context.rates.home() };
        progress.judged(apply(&facts, &checks(), &context.engine.profile().switched_off))?;
        // The time of the day does not count (Domestic VRP Consents, ValidToDateTime).
        let expires_at =
            limits.valid_to.map(|to| to.replace_time(time::Time::MIDNIGHT).saturating_add(time::Duration::DAY));
        let content =
            Content::VariableRecurringPayments(Box::new(VariableRecurringPayments { request: asked, limits }));
        let mut consent = Consent::lodged(&context.tools.chance.uuid(), client_id.to_owned(), version, content, now);
        consent.expires_at = expires_at;
        let changes = vec![collection().insert(&consent.id, &consent)?, key.remember(&consent.id)?];
        match context.store().commit(changes).await {
            Ok(()) => Ok(Some(consent.id)),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// `GET /domestic-vrp-consents/{ConsentId}`.
pub(super) async fn read(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let ((consent, _), passed) = owned::named(context, request, KIND, version).await?;
    let mut response = answer(context, StatusCode::OK, &consent)?;
    response.extensions_mut().insert(passed.verdict());
    Ok(response)
}

/// `DELETE /domestic-vrp-consents/{ConsentId}`.
pub(super) async fn delete(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    owned::delete(context, request, KIND, version).await
}

/// The part of a consent that is particular to this kind.
pub(super) fn content(consent: &Consent) -> Result<&VariableRecurringPayments, ApiError> {
    match &consent.content {
        Content::VariableRecurringPayments(vrp) => Ok(vrp),
        _ => {
            let detail =
                ErrorDetail::new(ErrorCode::ResourceConsentMismatch, "The consent is one for another kind of order.");
            Err(ApiError::refused(&BODY, detail, rules::Evidence::missing("a VRP consent")))
        }
    }
}

/// The consent as its version tells it. The account that the customer chose is told, as the VRP profile wants for sweeping.
pub(super) fn answer(context: &Context, status: StatusCode, consent: &Consent) -> Result<Response, ApiError> {
    let now = context.tools.clock.now();
    let (vrp, version) = (content(consent)?, consent.version);
    let facts = VrpConsentFacts {
        debtor_account: payer::chosen(context, consent),
        ..VrpConsentFacts::new(consent.state_at(version, now))
    };
    let links = Links::to_self(context.urls.api(&KIND.resource(version, &consent.id)));
    Ok(reply::json(status, &VrpConsentAnswer::of(&vrp.request, facts, links, Meta::one_page())))
}
