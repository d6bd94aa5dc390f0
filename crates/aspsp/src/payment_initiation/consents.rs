//! Payment consents: lodged and read (OB Read/Write 4.0, Payment Initiation API, payment order consents).

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use openbanking::{
    error::ErrorCode,
    links::{Links, Meta},
    payments::{ConsentAnswer, ConsentFacts, ConsentRequest, Initiation, PaymentKind},
    version::ApiVersion,
};
use rules::{Check, Passed, SwitchedOff, holds};
use store::CommitError;
use transport::{Request, Response, reply};

use super::{SCOPE, instruct::days_in_order, offer};
use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, admit, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{Consent, ConsentKind, Content, Payment, collection, owned},
    payer::{self, Payer},
};

rules::catalogue! {
    /// Rules of payment consents.
    pub(super) RULES;
    BODY { id: "pis.consent.body",
        reason: "The body is what the schema of the consent allows.", clause: "OB Read/Write 4.0, Payment Initiation API, data models" }
    MEMBERS { id: "pis.consent.members",
        reason: "The members of Initiation fit together.", clause: "OB Read/Write 4.0, Standing Order Consents; International Payment Consents" }
    DATES { id: "pis.consent.dates",
        reason: "The dates of the payment lie ahead, in their order.", clause: "OB Read/Write 4.0, Scheduled Payment Consents; Standing Order Consents" }
    AUTHORISATION { id: "pis.consent.authorisation-type",
        reason: "As many people authorise payments from the named account as AuthorisationType says.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Multiple Authorisation" }
}

/// Tokens that open consents.
pub(super) const DEMAND: Demand = Demand { scope: Some(SCOPE), kind: TokenKind::Client };

/// `POST` to the consents of a kind.
pub(super) async fn create(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let making = Lodging { context, request, kind, version, client_id: &client_id };
    let made = once(context, request, (&client_id, version), &mut progress, &making).await?;
    let found = owned::find(context, ConsentKind::Payment(kind), &made.id, &client_id, version).await;
    let (consent, _) = progress.add(found)?;
    answer(context, StatusCode::CREATED, &consent).map(|response| progress.attach(response))
}

/// Makes the consent.
struct Lodging<'a> {
    context: &'a Context,
    request: &'a Request,
    kind: PaymentKind,
    version: ApiVersion,
    client_id: &'a str,
}

impl Making for Lodging<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, kind, version, client_id } = *self;
        let now = context.tools.clock.now();
        let off = &context.engine.profile().switched_off;
        let asked = progress.read(&BODY, ConsentRequest::read(kind, version, &request.body))?;
        let initiation = progress.read(&MEMBERS, asked.typed())?;
        progress.read(&DATES, initiation.dates_lie_ahead(now).and_then(|()| days_in_order(&initiation, now)))?;
        progress.read(&DATES, asked.completes_after(now))?;
        progress.judged(signatories(context, &asked, &initiation, off))?;
        let facts =
            offer::Asked { settings: &context.bank.payments, rates: &context.rates, initiation: &initiation, now };
        let offer = progress.add(offer::make(&facts, off))?;
        let content = Content::Payment(Box::new(Payment { request: asked, offer, file: None }));
        let consent = Consent::lodged(&context.tools.chance.uuid(), client_id.to_owned(), version, content, now);
        let changes = vec![collection().insert(&consent.id, &consent)?, key.remember(&consent.id)?];
        match context.store().commit(changes).await {
            Ok(()) => Ok(Some(consent.id)),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// An account that the TPP names must be authorised by as many people as it asks for.
fn signatories(
    context: &Context,
    asked: &ConsentRequest,
    initiation: &Initiation,
    off: &SwitchedOff,
) -> Result<Passed, ApiError> {
    let wanted = asked.authorisation().r#type;
    let books = context.money.at(context.tools.clock.now());
    let account = initiation.debtor_account.as_ref().and_then(|named| payer::find(&books, named));
    let found =
        account.map(|account| (Payer::of_payment(initiation, wanted).fits_signatories(account), account.signatories));
    let check = Check {
        rule: &AUTHORISATION,
        error: Wire::bad_request(ErrorCode::FieldInvalid, Some("Data.Authorisation.AuthorisationType")),
        test: |found: &Option<(bool, u8)>| match found {
            Some((fits, signatories)) => {
                holds(*fits, "an account that fits", format_args!("{signatories} signatories"))
            }
            None => Ok(()),
        },
    };
    apply(&found, &[check], off)
}

/// `GET` of a consent.
pub(super) async fn read(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let ((consent, _), passed) = owned::named(context, request, ConsentKind::Payment(kind), version).await?;
    let mut response = answer(context, StatusCode::OK, &consent)?;
    response.extensions_mut().insert(passed.verdict());
    Ok(response)
}

/// The consent as its version tells it.
fn answer(context: &Context, status: StatusCode, consent: &Consent) -> Result<Response, ApiError> {
    let now = context.tools.clock.now();
    let Content::Payment(payment) = &consent.content else {
        return Err(ApiError::Failed("a consent of another kind was read".to_owned()));
    };
    let version = consent.version;
    let facts = ConsentFacts {
        cut_off_date_time: payment.offer.cut_off,
        expected_execution_date_time: payment.offer.expected_execution,
        expected_settlement_date_time: payment.offer.expected_settlement,
        charges: payment.offer.charges.clone(),
        exchange_rate_information: payment.offer.exchange_rate.clone(),
        debtor: debtor(context, consent),
        ..ConsentFacts::new(consent.state_at(version, now))
    };
    let links = Links::to_self(context.urls.api(&consent.kind().resource(version, &consent.id)));
    Ok(reply::json(status, &ConsentAnswer::of(&payment.request, facts, links, Meta::one_page())))
}

/// The account that the customer chose, where the TPP left the choice.
fn debtor(context: &Context, consent: &Consent) -> Option<openbanking::parties::CashAccount> {
    if payer::is_open(consent) { payer::chosen(context, consent) } else { None }
}
