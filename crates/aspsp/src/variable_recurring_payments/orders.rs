//! `domestic-vrps` (OB Read/Write 4.0, Domestic VRPs): payments inside the limits of a consent.

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use ledger::{Action, OrderId, OrderStatus};
use openbanking::{
    error::ErrorCode,
    headers::FAPI_CUSTOMER_IP_ADDRESS,
    links::{Links, Meta},
    money::{Currency, Money},
    payments::{OrderFacts, StatusFamily},
    reading::ReadingError,
    version::ApiVersion,
    vrp::{InteractionType, ORDER_ID_MEMBER, Period, PeriodicLimit, VrpOrderAnswer, VrpOrderRequest, period_bounds},
};
use rules::{Check, holds};
use serde::{Deserialize, Serialize};
use store::{Collection, Range, StoreError};
use time::{Date, Duration, OffsetDateTime};
use transport::{Request, Response, reply};

use super::consents::{DEMAND, content};
use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, admit, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{self, Consent, ConsentKind, Offer, VariableRecurringPayments},
    dashboard,
    money::CommandFailure,
    payer,
    payment_initiation::{
        answers::{self, Told, known, why},
        instruct::Draft,
        offer::local_instruments,
        order::{Order, collection},
        orders::{Facts, IN_BODY, behind, consent_checks, find, under},
    },
};

rules::catalogue! {
    /// Rules of payments under VRP consents.
    pub(super) RULES;
    BODY { id: "vrp.order.body",
        reason: "The body is what the schema of the order allows.", clause: "OB Read/Write 4.0, Domestic VRPs" }
    SAME { id: "vrp.order.same-as-consent",
        reason: "Initiation and Risk are those of the consent, and so are the payee and the reference where the consent fixes them.", clause: "OB Read/Write 4.0, Domestic VRPs" }
    LIMITS { id: "vrp.order.control-parameters",
        reason: "The payment stays inside the control parameters of the consent.", clause: "OB Read/Write 4.0, Domestic VRP Consents, Control Parameters" }
    PRESENT { id: "vrp.order.psu-present",
        reason: "A payment in session comes with x-fapi-customer-ip-address.", clause: "OB Read/Write 4.0, Domestic VRPs, PSUInteractionType" }
}

/// A payment that was ordered under a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Paid {
    amount: Money,
    day: Date,
}

/// No period of a limit is longer: a year, and a day that leap years have.
const LONGEST_PERIOD: Duration = Duration::days(366);

/// The beginning of the keys of what was paid under a consent at that moment: keys are in the order of time.
fn paid_from(consent_id: &str, at: OffsetDateTime) -> String {
    format!("{consent_id}/{:012}", at.unix_timestamp())
}

/// The payments by consent, moment and order.
fn paid_under() -> Collection<Paid> {
    Collection::new("vrp-payments")
}

/// `POST /domestic-vrps`.
pub(super) async fn create(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let demand = Demand { scope: Some("payments"), kind: TokenKind::Customer };
    let access = progress.add(admit(context, request, demand).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let intent_id = access.grant.and_then(|grant| grant.intent_id);
    let making = Ordering { context, request, version, intent_id };
    let made = once(context, request, (&client_id, version), &mut progress, &making).await?;
    let found = find(context, &made.id, (&client_id, version), ORDER_ID_MEMBER, |_: &VrpOrderRequest| true).await;
    let order = progress.add(found)?;
    answer(context, StatusCode::CREATED, &order, Told::of(&made)).map(|response| progress.attach(response))
}

/// Makes the payment.
struct Ordering<'a> {
    context: &'a Context,
    request: &'a Request,
    version: ApiVersion,
    /// Of the customer's token.
    intent_id: Option<String>,
}

impl Making for Ordering<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, version, ref intent_id } = *self;
        let now = context.tools.clock.now();
        let off = &context.engine.profile().switched_off;
        let behind = progress.add(behind(context, intent_id.clone(), off).await)?;
        let asked = progress.read(&BODY, VrpOrderRequest::read(version, &request.body))?;
        let instruction = progress.read(&BODY, asked.instruction())?;
        let kind = ConsentKind::VariableRecurringPayments;
        let facts = Facts { consent: &behind.consent, named: asked.consent_id(), kind, version, now };
        progress.judged(apply(&facts, &consent_checks(IN_BODY), off))?;
        let vrp = content(&behind.consent)?;
        // Answers tell the account that the customer chose inside Initiation, and orders may repeat it.
        let repeats = asked.data()["Initiation"].get("DebtorAccount").is_some();
        let same = match payer::chosen(context, &behind.consent).filter(|_| repeats && payer::is_open(&behind.consent))
        {
            Some(account) => asked.matches(&vrp.request.with_debtor_account(&account)),
            None => asked.matches(&vrp.request),
        };
        progress.judged(under(&SAME, same, off))?;
        progress.judged(apply(&Presence { order: &asked, request }, &presence(), off))?;
        let place = "Data.Instruction.LocalInstrument";
        progress.judged(local_instruments(&context.bank.payments, instruction.local_instrument, place, off))?;
        let before = so_far(context, &behind.consent.id).await?;
        let within = admitted(vrp, &asked, instruction.amount, behind.consent.created_at, now, &before);
        progress.judged(under(&LIMITS, within, off))?;

        let id = context.tools.chance.uuid().simple().to_string();
        let customer = behind.consent.customer.clone().unwrap_or_default();
        let account = behind.account()?.to_owned();
        let offer = Offer::default();
        let order = {
            let books = context.money.at(now);
            let account = books
                .account(&ledger::AccountId::new(account.as_str()))
                .ok_or_else(|| ApiError::Failed(format!("the account {account} of a consent is not there")))?;
            let (offer, rates) = (&offer, &context.rates);
            Draft { id: &id, account, customer: &customer, authorise_before: now, offer, rates, now }
                .recurring(&instruction)?
        };
        let record = Order {
            id: id.clone(),
            client_id: behind.consent.client_id.clone(),
            offer,
            refund: vrp.request.read_refund_account(),
            named: true,
            request: asked,
            customer,
            account,
            created_at: now,
        };
        let paid = Paid { amount: instruction.amount, day: now.date() };
        let consent = &behind.consent;
        let changes = vec![
            // Unchanged: whoever judged the same limits at the same time has to judge them again.
            consents::collection().update(&consent.id, behind.stored, consent)?,
            collection().insert(&id, &record)?,
            paid_under().insert(format!("{}/{id}", paid_from(&consent.id, now)), &paid)?,
            key.remember(&id)?,
        ];
        match context.money.carry_out(context.store(), Action::Submit(Box::new(order)), changes, now).await {
            Ok(()) => {
                dashboard::uses::note(context, &consent.id).await;
                Ok(Some(id))
            }
            Err(CommandFailure::NotCommitted(store::CommitError::Conflict { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

struct Presence<'a> {
    order: &'a VrpOrderRequest,
    request: &'a Request,
}

fn presence<'a>() -> [Check<Presence<'a>, Wire>; 1] {
    [Check {
        rule: &PRESENT,
        error: Wire::bad_request(ErrorCode::HeaderMissing, Some(FAPI_CUSTOMER_IP_ADDRESS)),
        test: |facts| {
            let off_session = facts.order.interaction_type() == InteractionType::OffSession;
            let there = facts.request.headers.contains_key(FAPI_CUSTOMER_IP_ADDRESS);
            holds(off_session || there, FAPI_CUSTOMER_IP_ADDRESS, "no such header")
        },
    }]
}

/// What was paid under the consent. Payments that were rejected do not count (Domestic VRP Consents, Periodic Limits).
async fn so_far(context: &Context, consent_id: &str) -> Result<Vec<Paid>, StoreError> {
    let now = context.tools.clock.now();
    let range = Range::prefix(format!("{consent_id}/")).from(paid_from(consent_id, now - LONGEST_PERIOD));
    let all = paid_under().range(context.store(), range).await?;
    let order = |key: &str| OrderId::new(key.rsplit('/').next().unwrap_or_default());
    for (key, ..) in &all {
        context.money.wait_for(&order(key)).await;
    }
    let books = context.money.at(now);
    let counts = |key: &str| books.order(&order(key)).is_some_and(|state| state.status() != OrderStatus::Rejected);
    Ok(all.into_iter().filter(|(key, ..)| counts(key)).map(|(_, paid, _)| paid).collect())
}

fn admitted(
    vrp: &VariableRecurringPayments,
    asked: &VrpOrderRequest,
    amount: Money,
    created: OffsetDateTime,
    now: OffsetDateTime,
    before: &[Paid],
) -> Result<(), ReadingError> {
    let paid = |period: Period| sum_of(before, period, amount.currency());
    Ok(vrp.limits.admit(asked, amount, created, now, &paid)?)
}

fn sum_of(paid: &[Paid], period: Period, currency: Currency) -> Money {
    let inside = paid.iter().filter(|paid| period.contains(paid.day));
    let most = Money::new(i64::MAX, currency);
    inside.fold(Money::zero(currency), |sum, paid| sum.checked_add(paid.amount).unwrap_or(most))
}

/// A payment that was ordered under a consent, as its customer sees it.
pub(crate) struct PaidUnder {
    pub(crate) day: Date,
    pub(crate) amount: Money,
    pub(crate) status: OrderStatus,
}

/// The newest payments under a consent, newest first, at most so many.
///
/// # Errors
/// The store failed.
pub(crate) async fn ordered_under(
    context: &Context,
    consent_id: &str,
    most: usize,
) -> Result<Vec<PaidUnder>, StoreError> {
    let range = Range::prefix(format!("{consent_id}/")).backward().limit(most);
    let all = paid_under().range(context.store(), range).await?;
    let books = context.money.at(context.tools.clock.now());
    Ok(all
        .into_iter()
        .filter_map(|(key, paid, _)| {
            let state = books.order(&OrderId::new(key.rsplit('/').next().unwrap_or_default()))?;
            Some(PaidUnder { day: paid.day, amount: paid.amount, status: state.status() })
        })
        .collect())
}

/// What was paid in the running period of a limit, and what of it is left.
pub(crate) struct Used {
    pub(crate) limit: PeriodicLimit,
    pub(crate) paid: Money,
    pub(crate) left: Money,
    /// The last day of the period.
    pub(crate) last: Date,
}

/// How far the limits of a consent are used, in their order.
///
/// # Errors
/// The store failed.
pub(crate) async fn used(
    context: &Context,
    consent: &Consent,
    vrp: &VariableRecurringPayments,
) -> Result<Vec<Used>, StoreError> {
    let (now, all) = (context.tools.clock.now(), so_far(context, &consent.id).await?);
    let of = |limit: &PeriodicLimit| {
        let period = period_bounds(limit.period_type, limit.alignment, consent.created_at, now)?;
        let paid = sum_of(&all, period, limit.limit.currency());
        let left = period.share_of(limit.limit).ok()?.checked_sub(paid).ok()?;
        Some(Used { limit: *limit, paid, left, last: period.last })
    };
    Ok(vrp.limits.periodic_limits.iter().filter_map(of).collect())
}

/// `GET /domestic-vrps/{DomesticVRPId}`.
pub(super) async fn read(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let (order, progress) = named(context, request, version).await?;
    answer(context, StatusCode::OK, &order, Told::Now).map(|response| progress.attach(response))
}

/// `GET /domestic-vrps/{DomesticVRPId}/payment-details`.
pub(super) async fn details(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let (order, progress) = named(context, request, version).await?;
    let instrument = order.request.instruction().ok().and_then(|instruction| instruction.local_instrument);
    answers::details(context, &order, instrument).map(|response| progress.attach(response))
}

async fn named(
    context: &Context,
    request: &Request,
    version: ApiVersion,
) -> Result<(Order<VrpOrderRequest>, Progress), ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    let id = request.params.get("OrderId").unwrap_or_default();
    let client = (access.client.client_id.as_str(), version);
    let order = progress.add(find(context, id, client, ORDER_ID_MEMBER, |_: &VrpOrderRequest| true).await)?;
    Ok((order, progress))
}

fn answer(
    context: &Context,
    code: StatusCode,
    order: &Order<VrpOrderRequest>,
    told: Told,
) -> Result<Response, ApiError> {
    let books = context.money.at(context.tools.clock.now());
    let state = known(&books, order)?;
    let account = books.account(&ledger::AccountId::new(order.account.as_str())).and_then(payer::cash_account);
    let version = order.request.version();
    let facts = OrderFacts {
        status_reasons: why(state),
        updated: state.status_updated_at(),
        refund: account.clone().filter(|_| order.refund),
        debtor: account,
        ..OrderFacts::new(&order.id, told.status(state, StatusFamily::Vrp, version), order.created_at)
    };
    let links = Links::to_self(context.urls.api(&answers::path(order)));
    Ok(reply::json(code, &VrpOrderAnswer::of(&order.request, facts, links, Meta::one_page())))
}
