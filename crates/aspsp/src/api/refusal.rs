//! What a refusal looks like on the wire, in each version (OB Read/Write, HTTP Status Codes; Error Response Structure).

use fapi::Failure;
use http::{HeaderValue, StatusCode, header};
use openbanking::{
    error::{ErrorBody, ErrorCode, ErrorDetail},
    reading::ReadingError,
    version::ApiVersion,
};
use rules::{Check, Evidence, Passed, Refusal, Rule, SwitchedOff, judge};
use transport::{Problem, Request, Response, reply};

use super::version_of;

/// The fixed part of a refusal, as it stands in the tables of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    status: StatusCode,
    code: Option<ErrorCode>,
    path: Option<&'static str>,
}

impl Wire {
    /// 400 with a code, at a member or header.
    pub const fn bad_request(code: ErrorCode, path: Option<&'static str>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: Some(code), path }
    }

    /// Another status with a code, at a member or header.
    pub const fn coded(status: StatusCode, code: ErrorCode, path: Option<&'static str>) -> Self {
        Self { status, code: Some(code), path }
    }

    /// A status without a code of its own. What is forbidden has a body all the same, as the OpenAPI wants it.
    pub const fn status(status: StatusCode) -> Self {
        Self { status, code: None, path: None }
    }
}

/// A refusal on its way to the wire.
#[derive(Debug, Clone)]
pub struct Refused {
    status: StatusCode,
    detail: Option<ErrorDetail>,
    /// `Retry-After`, in seconds.
    retry_after: Option<i64>,
}

/// Why a request of the API is not answered with what it asked for.
#[derive(Debug)]
pub enum ApiError {
    /// The access token does not open it; with what v4.0 tells about one that was good once.
    Access(Box<Failure>, Vec<ErrorDetail>),
    /// A rule of the API refused.
    Refused(Box<Refusal<Refused>>),
    /// The bank failed; the text is for the log.
    Failed(String),
}

impl ApiError {
    /// A refusal because of what a body says.
    pub fn unreadable(rule: &'static Rule, error: ReadingError) -> Self {
        let evidence = Evidence::new(format!("{}: {}", error.path, error.expected), error.found.clone());
        let refused = Refused { status: StatusCode::BAD_REQUEST, detail: Some(error.into()), retry_after: None };
        Self::Refused(Box::new(Refusal::new(rule, refused, evidence)))
    }

    /// A refusal by a rule whose place in the body is only known from the request.
    #[must_use]
    pub fn refused(rule: &'static Rule, detail: ErrorDetail, evidence: Evidence) -> Self {
        let status = StatusCode::from_u16(detail.code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::Refused(Box::new(Refusal::new(
            rule,
            Refused { status, detail: Some(detail), retry_after: None },
            evidence,
        )))
    }

    /// A refusal of a client that asked too often: 429, and when it may ask again.
    #[must_use]
    pub fn too_often(rule: &'static Rule, seconds: i64, evidence: Evidence) -> Self {
        let refused = Refused { status: StatusCode::TOO_MANY_REQUESTS, detail: None, retry_after: Some(seconds) };
        Self::Refused(Box::new(Refusal::new(rule, refused, evidence)))
    }

    /// The refusal of a rule that was switched off and without which there is nothing to go on with.
    #[must_use]
    pub fn indispensable(rule: &'static Rule, error: Wire, expected: &str) -> Self {
        refused(Refusal::new(rule, error, Evidence::missing(expected)))
    }

    /// Puts what had passed before.
    pub fn after(self, earlier: Passed) -> Self {
        match self {
            Self::Access(failure, told) => Self::Access(Box::new(failure.after(earlier)), told),
            Self::Refused(refusal) => Self::Refused(Box::new(refusal.after(earlier))),
            failed @ Self::Failed(_) => failed,
        }
    }

    /// The response in this version.
    pub fn response(self, version: ApiVersion, request: &Request) -> Response {
        match self {
            Self::Access(failure, told) => access_refused(version, request, &failure, told),
            Self::Refused(refusal) => {
                let mut response = body(version, request, refusal.error.status, refusal.error.detail.clone());
                if refusal.error.status == StatusCode::FORBIDDEN {
                    challenge(&mut response, "insufficient_scope", refusal.rule.unmet);
                }
                if let Some(seconds) = refusal.error.retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                }
                response.extensions_mut().insert(refusal.verdict());
                response
            }
            Self::Failed(error) => {
                tracing::error!(%error, path = request.path, trace = request.trace.trace_id, "the bank failed");
                unexpected(version, request)
            }
        }
    }
}

impl<E: std::error::Error> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Applies a table of this API's rules.
///
/// # Errors
/// The refusal of the first rule that is not satisfied.
pub fn apply<F: ?Sized>(facts: &F, checks: &[Check<F, Wire>], off: &SwitchedOff) -> Result<Passed, ApiError> {
    judge(facts, checks, off).map_err(refused)
}

fn refused(refusal: Refusal<Wire>) -> ApiError {
    let (wire, reason) = (refusal.error, refusal.rule.unmet);
    let detail = code_of(wire.status, wire.code).map(|code| {
        let detail = ErrorDetail::new(code, reason);
        wire.path.map_or(detail.clone(), |path| detail.at(path))
    });
    ApiError::Refused(Box::new(refusal.map_error(|wire| Refused { status: wire.status, detail, retry_after: None })))
}

/// The code that a body tells; none for a status without one.
fn code_of(status: StatusCode, code: Option<ErrorCode>) -> Option<ErrorCode> {
    code.or((status == StatusCode::FORBIDDEN).then_some(ErrorCode::OtherReason))
}

/// 401 has no body, but for a token in v4.0 that was good once (OB Read/Write 4.0, 401 Unauthorized).
fn access_refused(version: ApiVersion, request: &Request, failure: &Failure, told: Vec<ErrorDetail>) -> Response {
    if let Failure::Unavailable(error) = failure {
        tracing::error!(%error, path = request.path, trace = request.trace.trace_id, "the bank failed");
        return unexpected(version, request);
    }
    let code = failure.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let described = code_of(status, None).map(|code| ErrorDetail::new(code, failure.description()));
    let told = if version == ApiVersion::V4_0 { told } else { Vec::new() };
    let mut details = described.into_iter().chain(told);
    let mut response = match details.next() {
        None => reply::empty(status),
        Some(first) => {
            let body = ErrorBody::new(version, status.as_u16(), &request.interaction_id, first);
            reply::json(status, &details.fold(body, |body, detail| body.and(version, detail)))
        }
    };
    // RFC 6750, 3.1: who sent no token made no error.
    let nothing = matches!(failure, Failure::Refused(refusal) if refusal.rule == &fapi::access::TOKEN_PRESENT);
    match nothing {
        true => {
            let value = HeaderValue::from_static("Bearer realm=\"api\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        false => challenge(&mut response, code.as_str(), failure.description()),
    }
    if let Some(verdict) = failure.verdict() {
        response.extensions_mut().insert(verdict);
    }
    response
}

/// RFC 6750, 3: tells the client what its token lacks, in the rule's words.
fn challenge(response: &mut Response, error: &str, reason: &str) {
    let reason: String = reason.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    let value = format!("Bearer error=\"{error}\", error_description=\"{reason}\"");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}

fn unexpected(version: ApiVersion, request: &Request) -> Response {
    let detail = ErrorDetail::new(ErrorCode::UnexpectedError, "The bank could not finish the request.");
    body(version, request, StatusCode::INTERNAL_SERVER_ERROR, Some(detail))
}

fn body(version: ApiVersion, request: &Request, status: StatusCode, detail: Option<ErrorDetail>) -> Response {
    match detail {
        Some(detail) => reply::json(status, &ErrorBody::new(version, status.as_u16(), &request.interaction_id, detail)),
        None => reply::empty(status),
    }
}

/// The answer to a request that no handler of the API saw; none when the path is not of the API.
#[must_use]
pub fn problem(request: &Request, problem: &Problem) -> Option<Response> {
    let version = version_of(&request.path)?;
    let detail = |code, text: String| Some(ErrorDetail::new(code, text));
    let (status, detail) = match problem {
        Problem::UnknownPath => (StatusCode::NOT_FOUND, None),
        Problem::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, None),
        Problem::BodyTooLarge { limit } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            detail(ErrorCode::ResourceInvalidFormat, format!("The body may be {limit} bytes long.")),
        ),
        Problem::BodyUnreadable => (
            StatusCode::BAD_REQUEST,
            detail(ErrorCode::ResourceInvalidFormat, "The body did not arrive completely.".to_owned()),
        ),
        Problem::HandlerPanicked => return Some(unexpected(version, request)),
    };
    Some(body(version, request, status, detail))
}
