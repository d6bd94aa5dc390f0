//! Payment orders: made, read, followed (OB Read/Write 4.0, Payment Initiation API, payment orders).

use fapi::access::{Demand, TokenKind};
use http::StatusCode;
use ledger::Action;
use openbanking::{
    consent::ConsentStatus,
    error::{ErrorCode, ErrorDetail},
    payments::{OrderRequest, PaymentKind},
    reading::ReadingError,
    version::ApiVersion,
};
use rules::{Check, Evidence, Passed, Rule, SwitchedOff, holds};
use store::Version;
use time::{Duration, OffsetDateTime};
use transport::{Request, Response};

use super::{
    SCOPE,
    answers::{Told, answer},
    consents::DEMAND,
    instruct::{Draft, days_in_order},
    offer,
    order::{Order, Ordered, collection},
};
use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, admit, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{self, Consent, ConsentKind, Content, Payment},
    money::CommandFailure,
};

rules::catalogue! {
    /// Rules of payment orders.
    pub(super) RULES;
    CONSENT { id: "pis.order.token-consent",
        reason: "The access token stands for a consent.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Security and Access Control" }
    BODY { id: "pis.order.body",
        reason: "The body is what the schema of the order allows.", clause: "OB Read/Write 4.0, Payment Initiation API, data models" }
    CONSENT_ID { id: "pis.order.consent-id",
        reason: "ConsentId names the consent that the access token was issued for.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Consent Authorisation" }
    KIND { id: "pis.order.kind",
        reason: "The consent is one for this kind of order.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Endpoints" }
    VERSION { id: "pis.order.version",
        reason: "The consent was lodged on the same version of the API.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Release Management" }
    STATUS { id: "pis.order.consent-authorised",
        reason: "The consent is authorised and was not used for another order.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Payment Order Consent" }
    SAME { id: "pis.order.same-as-consent",
        reason: "Initiation and Risk are those of the consent, member by member.", clause: "OB Read/Write 4.0, Domestic Payments, Payment Order" }
    RATE { id: "pis.order.rate-holds",
        reason: "The exchange rate that the customer saw still holds.", clause: "OB Read/Write 4.0, International Payment Consents, Exchange Rate" }
    CUT_OFF { id: "pis.order.cut-off",
        reason: "The order comes before the cut-off time, where later ones are refused.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, CutOffDateTime Behaviour" }
    DATES { id: "pis.order.dates",
        reason: "The dates of the payment still lie ahead.", clause: "OB Read/Write 4.0, Scheduled Payment Consents; Standing Order Consents" }
    KNOWN { id: "pis.order.known",
        reason: "The order exists.", clause: "OB Read/Write 4.0, 400 (Bad Request) v/s 404 (Not Found)" }
    OWN { id: "pis.order.own",
        reason: "The order was made by this client.", clause: "OB Read/Write 4.0, 403 (Forbidden)" }
    READ_VERSION { id: "pis.order.read-on-its-version",
        reason: "The order is read on the version of the API on which it was made.", clause: "OB Read/Write 4.0, Payment Initiation API Profile, Release Management" }
}

/// Parameter of the path.
pub(super) const ORDER_ID: &str = "OrderId";

/// The consent behind the token, and the record's version.
pub(crate) struct Behind {
    pub(crate) consent: Consent,
    pub(crate) stored: Version,
}

impl Behind {
    pub(super) fn payment(&self) -> Result<&Payment, ApiError> {
        match &self.consent.content {
            Content::Payment(payment) => Ok(payment),
            _ => {
                let error = Wire::bad_request(ErrorCode::ResourceConsentMismatch, Some("Data.ConsentId"));
                Err(ApiError::indispensable(&KIND, error, "a payment consent"))
            }
        }
    }

    /// The account that pays.
    pub(crate) fn account(&self) -> Result<&str, ApiError> {
        let account = self.consent.accounts.first().map(String::as_str);
        account.ok_or_else(|| {
            let error = Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, None);
            ApiError::indispensable(&STATUS, error, "a consent for which an account was chosen")
        })
    }
}

/// Judged before the consent is looked for, which the token names.
const TOKEN_CHECKS: &[Check<Option<String>, Wire>] = &[Check {
    rule: &CONSENT,
    error: Wire::status(StatusCode::FORBIDDEN),
    test: |named| holds(named.is_some(), "a token for a consent", "one without"),
}];

/// The consent that a customer's token stands for.
pub(crate) async fn behind(
    context: &Context,
    intent_id: Option<String>,
    off: &SwitchedOff,
) -> Result<(Behind, Passed), ApiError> {
    let passed = apply(&intent_id, TOKEN_CHECKS, off)?;
    let found = match &intent_id {
        Some(id) => consents::collection().get(context.store(), id).await?,
        None => None,
    };
    match found {
        Some((consent, stored)) => Ok((Behind { consent, stored }, passed)),
        None => {
            let error = Wire::status(StatusCode::FORBIDDEN);
            Err(ApiError::indispensable(&CONSENT, error, "a token for a consent").after(passed))
        }
    }
}

pub(crate) struct Facts<'a> {
    pub(crate) consent: &'a Consent,
    pub(crate) named: &'a str,
    pub(crate) kind: ConsentKind,
    pub(crate) version: ApiVersion,
    pub(crate) now: OffsetDateTime,
}

/// Where a body names its consent.
pub(crate) const IN_BODY: &str = "Data.ConsentId";

/// The rules of whatever is asked under a payment consent with the customer's token. `place` is where the consent is named.
pub(crate) fn consent_checks<'a>(place: &'static str) -> [Check<Facts<'a>, Wire>; 4] {
    [
        Check {
            rule: &CONSENT_ID,
            error: Wire::bad_request(ErrorCode::ResourceConsentMismatch, Some(place)),
            test: |facts| holds(facts.consent.id == facts.named, facts.consent.id.as_str(), facts.named),
        },
        Check {
            rule: &KIND,
            error: Wire::bad_request(ErrorCode::ResourceConsentMismatch, Some(place)),
            test: |facts| {
                let found = facts.consent.kind();
                holds(found == facts.kind, facts.kind.row().path, found.row().path)
            },
        },
        Check {
            rule: &VERSION,
            error: Wire::bad_request(ErrorCode::ResourceConsentMismatch, Some(place)),
            test: |facts| {
                let (expected, found) = (facts.version, facts.consent.version);
                holds(found == expected, expected, found)
            },
        },
        Check {
            rule: &STATUS,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, None),
            test: |facts| {
                let found = facts.consent.status_at(facts.now);
                let wire = |status: ConsentStatus| status.wire(facts.version);
                // It may have been deleted since the token was looked at.
                let usable = found == ConsentStatus::Authorised && facts.consent.deleted_at.is_none();
                let found = if facts.consent.deleted_at.is_some() { "a deleted one" } else { wire(found) };
                holds(usable, wire(ConsentStatus::Authorised), found)
            },
        },
    ]
}

/// `POST` to the orders of a kind.
pub(super) async fn create(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let demand = Demand { scope: Some(SCOPE), kind: TokenKind::Customer };
    let access = progress.add(admit(context, request, demand).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let intent_id = access.grant.and_then(|grant| grant.intent_id);
    let making = Ordering { context, request, kind, version, intent_id };
    let made = once(context, request, (&client_id, version), &mut progress, &making).await?;
    let order = progress.add(find_kind(context, kind, &made.id, &client_id, version).await)?;
    answer(context, StatusCode::CREATED, &order, Told::of(&made)).map(|response| progress.attach(response))
}

/// Makes the order.
struct Ordering<'a> {
    context: &'a Context,
    request: &'a Request,
    kind: PaymentKind,
    version: ApiVersion,
    /// Of the customer's token.
    intent_id: Option<String>,
}

impl Making for Ordering<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, kind, version, ref intent_id } = *self;
        let now = context.tools.clock.now();
        let off = &context.engine.profile().switched_off;
        let behind = progress.add(behind(context, intent_id.clone(), off).await)?;
        let asked = progress.read(&BODY, OrderRequest::read(kind, version, &request.body))?;
        let of_kind = ConsentKind::Payment(kind);
        let facts = Facts { consent: &behind.consent, named: asked.consent_id(), kind: of_kind, version, now };
        progress.judged(apply(&facts, &consent_checks(IN_BODY), off))?;
        let payment = behind.payment()?;
        progress.judged(same(&asked, payment, off))?;
        let initiation = progress.read(&BODY, asked.typed())?;
        progress.judged(timely(context, payment, kind, now, off))?;
        progress.read(&DATES, initiation.dates_lie_ahead(now).and_then(|()| days_in_order(&initiation, now)))?;

        let id = context.tools.chance.uuid().simple().to_string();
        let customer = behind.consent.customer.clone().unwrap_or_default();
        let account = behind.account()?.to_owned();
        let file = match kind {
            PaymentKind::File => Some(super::files::payments(context, &behind.consent).await?),
            _ => None,
        };
        let order = {
            let books = context.money.at(now);
            let account = books
                .account(&ledger::AccountId::new(account.as_str()))
                .ok_or_else(|| ApiError::Failed(format!("the account {account} of a consent is not there")))?;
            let until = payment.request.authorisation().completion;
            let authorise_before =
                until.unwrap_or(now + Duration::days(i64::from(context.bank.payments.signatory_days)));
            let (offer, rates) = (&payment.offer, &context.rates);
            let draft = Draft { id: &id, account, customer: &customer, authorise_before, offer, rates, now };
            let told = match &file {
                Some(file) => draft.file(&file.payments, initiation.requested_execution),
                None => draft.payment(&initiation),
            };
            told.map_err(|error| offer::untold(&error))?
        };
        let record = Order {
            id: id.clone(),
            client_id: behind.consent.client_id.clone(),
            offer: offer::of_order(&payment.offer, &initiation, &order, now),
            refund: payment.request.read_refund_account(),
            named: initiation.debtor_account.is_some(),
            request: asked,
            customer: customer.clone(),
            account,
            created_at: now,
        };
        // Only with the rule off is it one that cannot be used.
        let consumed = behind.consent.clone().consume(now).unwrap_or_else(|_| behind.consent.clone());
        let changes = vec![
            consents::collection().update(&consumed.id, behind.stored, &consumed)?,
            collection().insert(&id, &record)?,
            key.remember(&id)?,
        ];
        match context.money.carry_out(context.store(), Action::Submit(Box::new(order)), changes, now).await {
            Ok(()) => Ok(Some(id)),
            Err(CommandFailure::NotCommitted(store::CommitError::Conflict { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Exactly that is ordered which was consented to.
fn same(asked: &OrderRequest, payment: &Payment, off: &SwitchedOff) -> Result<Passed, ApiError> {
    under(&SAME, asked.matches(&payment.request), off)
}

/// What a reader of the wire found, as the verdict of a rule that can be switched off.
pub(crate) fn under(
    rule: &'static Rule,
    found: Result<(), ReadingError>,
    off: &SwitchedOff,
) -> Result<Passed, ApiError> {
    let mut passed = Passed::default();
    match found {
        _ if off.contains(rule) => passed.skipped.push(rule),
        Ok(()) => passed.rules.push(rule),
        Err(error) => {
            let evidence = Evidence::new(format!("{}: {}", error.path, error.expected), error.found.clone());
            let detail = ErrorDetail::new(error.code, rule.unmet).at(error.path);
            return Err(ApiError::refused(rule, detail, evidence));
        }
    }
    Ok(passed)
}

/// What the consent promised still holds.
fn timely(
    context: &Context,
    payment: &Payment,
    kind: PaymentKind,
    now: OffsetDateTime,
    off: &SwitchedOff,
) -> Result<Passed, ApiError> {
    let refuses = context.bank.payments.refuses_late(kind);
    let facts = Timely { payment, refuses, now };
    let checks = [
        Check {
            rule: &RATE,
            error: Wire::bad_request(
                ErrorCode::ResourceInvalidConsentStatus,
                Some("Data.Initiation.ExchangeRateInformation"),
            ),
            test: |facts: &Timely<'_>| {
                let until = facts.payment.offer.exchange_rate.as_ref().and_then(|rate| rate.expiration_date_time);
                let until = until.map_or_else(String::new, |until| until.to_string());
                holds(facts.payment.offer.rate_holds(facts.now), format_args!("before {until}"), facts.now)
            },
        },
        Check {
            rule: &CUT_OFF,
            error: Wire::bad_request(ErrorCode::RulesAfterCutOffDateTime, None),
            test: |facts: &Timely<'_>| match facts.payment.offer.cut_off {
                Some(at) if facts.refuses => holds(at > facts.now, format_args!("before {at}"), facts.now),
                _ => Ok(()),
            },
        },
    ];
    apply(&facts, &checks, off)
}

struct Timely<'a> {
    payment: &'a Payment,
    refuses: bool,
    now: OffsetDateTime,
}

struct Owned<'a> {
    /// The client that made the order, and the version on which it did.
    made: Option<(&'a str, ApiVersion)>,
    client_id: &'a str,
    version: ApiVersion,
}

/// The order of this identifier that is of a kind, when the client may see it.
async fn find_kind(
    context: &Context,
    kind: PaymentKind,
    id: &str,
    client_id: &str,
    version: ApiVersion,
) -> Result<(Order<OrderRequest>, Passed), ApiError> {
    let of_kind = |request: &OrderRequest| request.kind() == kind;
    find(context, id, (client_id, version), kind.order_id_member(), of_kind).await
}

/// The order of this identifier, when the client may see it. `id_member` is how the wire calls the identifier.
pub(crate) async fn find<R: Ordered>(
    context: &Context,
    id: &str,
    (client_id, version): (&str, ApiVersion),
    id_member: &'static str,
    is_meant: impl Fn(&R) -> bool,
) -> Result<(Order<R>, Passed), ApiError> {
    let found = match id {
        "" => None,
        id => collection::<R>().get(context.store(), id).await?.map(|(order, _)| order),
    };
    let found = found.filter(|order| is_meant(&order.request));
    let unknown = Wire::bad_request(ErrorCode::ResourceNotFound, Some(id_member));
    let checks = [
        Check {
            rule: &KNOWN,
            error: unknown,
            test: |facts: &Owned<'_>| holds(facts.made.is_some(), "an order with this identifier", "none"),
        },
        Check {
            rule: &OWN,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |facts: &Owned<'_>| {
                facts
                    .made
                    .map_or(Ok(()), |(client_id, _)| holds(client_id == facts.client_id, facts.client_id, client_id))
            },
        },
        Check {
            rule: &READ_VERSION,
            error: unknown,
            test: |facts: &Owned<'_>| {
                facts.made.map_or(Ok(()), |(_, made)| holds(made == facts.version, made, facts.version))
            },
        },
    ];
    let made = found.as_ref().map(|order| (order.client_id.as_str(), order.request.version()));
    let facts = Owned { made, client_id, version };
    let passed = apply(&facts, &checks, &context.engine.profile().switched_off)?;
    match found {
        Some(order) => {
            context.money.wait_for(&order.in_books()).await;
            Ok((order, passed))
        }
        None => Err(ApiError::indispensable(&KNOWN, unknown, "an order with this identifier").after(passed)),
    }
}

/// The order that a request of its client names in the path.
async fn named(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<(Order<OrderRequest>, Progress), ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    let id = request.params.get(ORDER_ID).unwrap_or_default();
    let order = progress.add(find_kind(context, kind, id, &access.client.client_id, version).await)?;
    Ok((order, progress))
}

/// `GET` of an order.
pub(super) async fn read(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let (order, progress) = named(context, request, kind, version).await?;
    answer(context, StatusCode::OK, &order, Told::Now).map(|response| progress.attach(response))
}

/// `GET` of `payment-details` of an order.
pub(super) async fn details(
    context: &Context,
    request: &Request,
    kind: PaymentKind,
    version: ApiVersion,
) -> Result<Response, ApiError> {
    let (order, progress) = named(context, request, kind, version).await?;
    let instrument = order.request.typed().ok().and_then(|initiation| initiation.local_instrument);
    super::answers::details(context, &order, instrument).map(|response| progress.attach(response))
}
