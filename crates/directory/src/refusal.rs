//! What a refusal looks like on the wire: a status, a code and the rule's demand; what was found goes to the journal.

use crate::Context;
use fapi::Failure;
use http::{HeaderValue, StatusCode, header};
use party::authorization_server::failed;
use rules::{Evidence, Refusal, Rule};
use serde::Serialize;
use transport::{IntoResponse, Problem, Request, Response, reply};

/// Status and code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    status: StatusCode,
    error: &'static str,
}

/// The request says something that cannot be.
pub const INVALID: Wire = Wire { status: StatusCode::BAD_REQUEST, error: "invalid_request" };
/// The request lacks a token, or has a wrong one.
pub const UNAUTHORISED: Wire = Wire { status: StatusCode::UNAUTHORIZED, error: "invalid_token" };
/// The caller does not prove who it is.
pub const UNKNOWN_CLIENT: Wire = Wire { status: StatusCode::UNAUTHORIZED, error: "invalid_client" };
/// The token does not reach that far (RFC 6750, 3.1).
pub const SCOPE: Wire = Wire { status: StatusCode::FORBIDDEN, error: "insufficient_scope" };
/// The caller may not do this.
pub const FORBIDDEN: Wire = Wire { status: StatusCode::FORBIDDEN, error: "access_denied" };
/// There is no such thing.
pub const NOT_FOUND: Wire = Wire { status: StatusCode::NOT_FOUND, error: "not_found" };
/// It is in a state that does not allow this.
pub const CONFLICT: Wire = Wire { status: StatusCode::CONFLICT, error: "conflict" };
/// The body is in another format.
pub const MEDIA_TYPE: Wire = Wire { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, error: "invalid_request" };

/// The body of a refusal.
#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub enum DirectoryError {
    /// A rule refused. The text is told beside the rule's demand where the caller can only mend it by knowing.
    Refused(Box<Refusal<Wire>>, Option<String>),
    /// The token does not open it.
    Access(Failure),
    /// The Directory failed; the text is for the log.
    Failed(String),
}

impl<E: std::error::Error> From<E> for DirectoryError {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

impl DirectoryError {
    /// A refusal by a rule.
    pub fn refused(rule: &'static Rule, wire: Wire, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Refused(Box::new(Refusal::new(rule, wire, Evidence::new(expected, found))), None)
    }

    /// A refusal that tells the caller what was expected and found: both are the caller's own or public.
    pub fn explained(rule: &'static Rule, wire: Wire, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        let text = format!("{} Expected {expected}, found {found}.", rule.unmet);
        Self::Refused(Box::new(Refusal::new(rule, wire, Evidence::new(expected, found))), Some(text))
    }
}

/// Refuses unless the condition holds, or a lesson switched the rule off.
///
/// # Errors
/// The refusal of the rule, explained.
pub fn demand(
    context: &Context,
    condition: bool,
    rule: &'static Rule,
    wire: Wire,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Result<(), DirectoryError> {
    if condition || context.off(rule) { Ok(()) } else { Err(DirectoryError::explained(rule, wire, expected, found)) }
}

impl IntoResponse for DirectoryError {
    fn into_response(self) -> Response {
        match self {
            Self::Access(failure) => failed(&failure),
            Self::Refused(refusal, text) => {
                let error_description = text.as_deref().unwrap_or(refusal.rule.unmet);
                let body = ErrorBody { error: refusal.error.error, error_description };
                let mut response = reply::json(refusal.error.status, &body);
                if refusal.error.status == StatusCode::UNAUTHORIZED
                    && let Ok(value) = HeaderValue::from_str(&format!("Bearer error=\"{}\"", refusal.error.error))
                {
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
                }
                response.extensions_mut().insert(refusal.verdict());
                response
            }
            Self::Failed(error) => {
                tracing::error!(%error, "the Directory failed");
                let body = ErrorBody {
                    error: "server_error",
                    error_description: "The Directory could not finish the request.",
                };
                reply::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
            }
        }
    }
}

/// The answer to a request that no handler saw.
pub fn problem<C>(_: &C, _: &Request, problem: &Problem) -> Response {
    let (status, error, text) = match problem {
        Problem::UnknownPath => (StatusCode::NOT_FOUND, "not_found", "There is nothing at this address."),
        Problem::MethodNotAllowed { .. } => {
            (StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "This address does not take that method.")
        }
        Problem::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The body is too large."),
        Problem::BodyUnreadable => (StatusCode::BAD_REQUEST, "invalid_request", "The body did not arrive completely."),
        Problem::HandlerPanicked => {
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The Directory could not finish the request.")
        }
    };
    reply::json(status, &ErrorBody { error, error_description: text })
}
