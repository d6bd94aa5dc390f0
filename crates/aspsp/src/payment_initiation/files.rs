//! Files of payments: uploaded, given back, reported on (OB Read/Write 4.0, File Payment Consents; File Payments).

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use openbanking::{
    consent::ConsentStatus,
    error::ErrorCode,
    payments::{
        FileFacts, FileType, OrderRequest, PaymentAccount, PaymentKind,
        file::{FileError, PayeeAccount, PaymentFile},
    },
    reading::ReadingError,
    version::ApiVersion,
};
use rules::{Check, holds, joined};
use serde::{Deserialize, Serialize};
use store::{Collection, CommitError};
use transport::{Request, Response, reply};

use super::{answers, offer::local_instruments, orders};
use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, accepts, admit_any, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{Consent, ConsentKind, Content, Payment, Upload, collection, owned},
};

rules::catalogue! {
    /// Rules of files.
    pub(super) RULES;
    AWAITS { id: "pis.file.awaited",
        reason: "The consent waits for its file.", clause: "OB Read/Write 4.0, File Payment Consents, Status" }
    CONTENT { id: "pis.file.content",
        reason: "The file is of the type, the hash, the number of payments and the sum that the consent states, all payments are in one currency, and none is from another account than the consent's.", clause: "OB Read/Write 4.0, File Payment Consents, POST file" }
    UPLOADED { id: "pis.file.uploaded",
        reason: "The file of the consent was uploaded.", clause: "OB Read/Write 4.0, File Payment Consents, GET file" }
    ACCEPT { id: "pis.file.accept",
        reason: "The client accepts the media type of the file.", clause: "OB Read/Write 4.0, Headers; HTTP Status Codes, 406" }
    MEDIA_TYPE { id: "pis.file.media-type",
        reason: "The file comes with the media type of its file type: application/json, or application/xml or text/xml.", clause: "OB Read/Write 4.0, File Payment Consents, Content-Type" }
}

/// A file as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    content_type: String,
    text: String,
}

/// The files by consent.
fn files() -> Collection<Kept> {
    Collection::new("payment-files")
}

fn payment(consent: &Consent) -> Result<&Payment, ApiError> {
    match &consent.content {
        Content::Payment(payment) => Ok(payment),
        _ => Err(ApiError::Failed("a file was sent for a consent of another kind".to_owned())),
    }
}

fn file_type(consent: &Consent) -> Result<FileType, ApiError> {
    let initiation = payment(consent)?.request.typed()?;
    initiation
        .file
        .map(|facts| facts.file_type)
        .ok_or_else(|| ApiError::Failed("a file consent names no file".to_owned()))
}

/// The payments of the file of a consent.
pub(super) async fn payments(context: &Context, consent: &Consent) -> Result<PaymentFile, ApiError> {
    let (kept, _) = files().get(context.store(), &consent.id).await?.ok_or_else(|| {
        let error = Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, Some("ConsentId"));
        ApiError::indispensable(&UPLOADED, error, "a file that came")
    })?;
    Ok(PaymentFile::read(file_type(consent)?, kept.text.as_bytes())?)
}

fn media_types(file_type: FileType) -> &'static [&'static str] {
    match file_type {
        FileType::Pain001 => &["application/xml", "text/xml"],
        FileType::PaymentInitiation3 | FileType::PaymentInitiation4 => &["application/json"],
    }
}

struct Arrival<'a> {
    status: ConsentStatus,
    file_type: FileType,
    media_type: Option<&'a str>,
}

fn arrival_checks<'a>() -> [Check<Arrival<'a>, Wire>; 2] {
    [
        Check {
            rule: &MEDIA_TYPE,
            error: Wire::status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            test: |facts| {
                let known = media_types(facts.file_type);
                let found = facts.media_type.unwrap_or("none");
                holds(known.iter().any(|known| known.eq_ignore_ascii_case(found)), joined(known, " or "), found)
            },
        },
        Check {
            rule: &AWAITS,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, Some("ConsentId")),
            test: |facts| {
                let awaits = ConsentStatus::AwaitingUpload;
                holds(facts.status == awaits, format_args!("{awaits:?}"), format_args!("{:?}", facts.status))
            },
        },
    ]
}

/// `POST` of the file of a consent.
pub(super) async fn upload(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit_any(context, request, super::consents::DEMAND).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let id = request.params.get("ConsentId").unwrap_or_default();
    let making = Uploading { context, request, version, client_id: &client_id, consent_id: id };
    once(context, request, (&client_id, version), &mut progress, &making).await?;
    Ok(progress.attach(reply::empty(StatusCode::OK)))
}

/// Keeps the file.
struct Uploading<'a> {
    context: &'a Context,
    request: &'a Request,
    version: ApiVersion,
    client_id: &'a str,
    consent_id: &'a str,
}

impl Making for Uploading<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, version, client_id, consent_id } = *self;
        let now = context.tools.clock.now();
        let off = &context.engine.profile().switched_off;
        let kind = ConsentKind::Payment(PaymentKind::File);
        let (consent, stored) = progress.add(owned::find(context, kind, consent_id, client_id, version).await)?;
        let initiation = payment(&consent)?.request.typed()?;
        let facts = initiation.file.ok_or_else(|| ApiError::Failed("a file consent names no file".to_owned()))?;
        let media_type = request.content_type();
        let arrival = Arrival { status: consent.status_at(now), file_type: facts.file_type, media_type };
        progress.judged(apply(&arrival, &arrival_checks(), off))?;
        let file = progress.read(&CONTENT, matching(&facts, &request.body).map_err(ReadingError::from))?;
        let currency = progress.read(&CONTENT, one_currency(&file))?;
        progress.read(&CONTENT, one_payer(&file, initiation.debtor_account.as_ref()))?;
        let instruments = file.payments.iter().filter_map(|payment| payment.local_instrument);
        let place = "Data.DomesticPayments.LocalInstrument";
        progress.judged(local_instruments(&context.bank.payments, instruments, place, off))?;
        let text = String::from_utf8(request.body.to_vec())
            .map_err(|_| ApiError::Failed("a file that was read is no text".to_owned()))?;
        let content_type = media_type.unwrap_or_default().to_ascii_lowercase();
        // Only with the rule off is it one that waits for no file.
        let mut after = consent.clone().upload(now).unwrap_or(consent);
        if let Content::Payment(payment) = &mut after.content {
            payment.file = Some(Upload {
                content_type: content_type.clone(),
                number: file.payments.len(),
                sum: file.control_sum.to_string(),
                currency,
            });
        }
        let changes = vec![
            collection().update(&after.id, stored, &after)?,
            files().put(&after.id, &Kept { content_type, text })?,
            key.remember(&after.id)?,
        ];
        match context.store().commit(changes).await {
            Ok(()) => Ok(Some(after.id)),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The payments of a file that is what the consent says of it.
fn matching(facts: &FileFacts, bytes: &[u8]) -> Result<PaymentFile, FileError> {
    // Base64 differs from base64url in two characters, and padding does not count.
    facts.is_of(&jose::hash::sha256_base64url(bytes).replace('-', "+").replace('_', "/"))?;
    let file = PaymentFile::read(facts.file_type, bytes)?;
    file.adds_up_to(facts.totals)?;
    Ok(file)
}

/// The currency of all payments.
fn one_currency(file: &PaymentFile) -> Result<String, ReadingError> {
    let mut currencies = file.payments.iter().map(|payment| payment.amount.currency());
    let first = currencies.next();
    match (first, currencies.find(|other| Some(*other) != first)) {
        (Some(first), None) => Ok(first.code().to_owned()),
        (first, other) => Err(ReadingError::new(
            ErrorCode::UnsupportedCurrency,
            "",
            first.map_or("a currency", |_| "one currency in the whole file"),
            other.map_or_else(|| "none".to_owned(), |other| other.code().to_owned()),
        )),
    }
}

/// A file is paid from one account, whichever the customer picks if the consent names none.
fn one_payer(file: &PaymentFile, named: Option<&PaymentAccount>) -> Result<(), ReadingError> {
    let number = |account: &PayeeAccount| match account {
        PayeeAccount::Known(account) => account.identification.clone(),
        PayeeAccount::Other(number) => number.clone(),
    };
    let mut payers = file.payments.iter().filter_map(|payment| payment.debtor_account.as_ref()).map(number);
    let Some(first) = payers.next() else { return Ok(()) };
    let (expected, other) = match named {
        Some(named) if named.identification != first => (named.identification.clone(), Some(first)),
        _ => ("one account in the whole file".to_owned(), payers.find(|other| *other != first)),
    };
    other.map_or(Ok(()), |found| {
        Err(ReadingError::new(ErrorCode::FieldInvalid, "Data.Initiation.DebtorAccount", expected, found))
    })
}

/// `GET` of the file of a consent.
pub(super) async fn download(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit_any(context, request, super::consents::DEMAND).await)?;
    let id = request.params.get("ConsentId").unwrap_or_default();
    let kind = ConsentKind::Payment(PaymentKind::File);
    let found = owned::find(context, kind, id, &access.client.client_id, version).await;
    let (consent, _) = progress.add(found)?;
    let kept = files().get(context.store(), &consent.id).await?.map(|(kept, _)| kept);
    let facts = Download { request, content_type: kept.as_ref().map(|kept| kept.content_type.as_str()) };
    progress.judged(apply(&facts, &download_checks(), &context.engine.profile().switched_off))?;
    let kept = kept.ok_or_else(|| {
        let error = Wire::bad_request(ErrorCode::ResourceNotFound, Some("ConsentId"));
        ApiError::indispensable(&UPLOADED, error, "a file that came")
    })?;
    Ok(progress.attach(plain(&kept.content_type, kept.text)))
}

struct Download<'a> {
    request: &'a Request,
    /// Of the file; none when there is none.
    content_type: Option<&'a str>,
}

fn download_checks<'a>() -> [Check<Download<'a>, Wire>; 2] {
    [
        Check {
            rule: &UPLOADED,
            error: Wire::bad_request(ErrorCode::ResourceNotFound, Some("ConsentId")),
            test: |facts| holds(facts.content_type.is_some(), "a file that came", "none"),
        },
        Check {
            rule: &ACCEPT,
            error: Wire::status(StatusCode::NOT_ACCEPTABLE),
            test: |facts| accepts(&facts.request.headers, facts.content_type.unwrap_or("*/*")),
        },
    ]
}

/// Media type of reports.
const REPORT: &str = "text/csv";

/// `GET` of `report-file` of a file payment: a line for each payment of the file.
pub(super) async fn report(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit_any(context, request, super::consents::DEMAND).await)?;
    let id = request.params.get("OrderId").unwrap_or_default();
    let (client_id, kind) = (access.client.client_id.as_str(), PaymentKind::File);
    let of_kind = |request: &OrderRequest| request.kind() == kind;
    let order = orders::find(context, id, (client_id, version), kind.order_id_member(), of_kind).await;
    let order = progress.add(order)?;
    let facts = Download { request, content_type: Some(REPORT) };
    progress.judged(apply(&facts, &download_checks(), &context.engine.profile().switched_off))?;
    Ok(progress.attach(plain("text/csv; charset=utf-8", answers::report(context, &order)?)))
}

fn plain(content_type: &str, text: String) -> Response {
    let mut response = Response::new(Bytes::from(text));
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}
