//! What a refusal looks like on the wire: a status, a code and the rule's demand; what was found goes to the journal.

use fapi::{Failure, error::ErrorBody};
use http::{HeaderValue, StatusCode, header};
use party::authorization_server::failed;
use rules::{Evidence, Passed, Refusal, Rule};
use transport::{IntoResponse, Problem, Request, Response, reply};

/// Status and code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    status: StatusCode,
    error: &'static str,
    /// Whether a table's refusal tells what was expected and found: both are the caller's own or public then.
    explained: bool,
}

impl Wire {
    const fn explained(status: StatusCode, error: &'static str) -> Self {
        Self { status, error, explained: true }
    }

    const fn bare(status: StatusCode, error: &'static str) -> Self {
        Self { status, error, explained: false }
    }
}

/// The request says something that cannot be.
pub const INVALID: Wire = Wire::explained(StatusCode::BAD_REQUEST, "invalid_request");
/// The request lacks a token, or has a wrong one.
pub const UNAUTHORISED: Wire = Wire::bare(StatusCode::UNAUTHORIZED, "invalid_token");
/// The caller does not prove who it is.
pub const UNKNOWN_CLIENT: Wire = Wire::bare(StatusCode::UNAUTHORIZED, "invalid_client");
/// The token does not reach that far (RFC 6750, 3.1).
pub const SCOPE: Wire = Wire::explained(StatusCode::FORBIDDEN, "insufficient_scope");
/// The caller may not do this.
pub const FORBIDDEN: Wire = Wire::explained(StatusCode::FORBIDDEN, "access_denied");
/// There is no such thing.
pub const NOT_FOUND: Wire = Wire::explained(StatusCode::NOT_FOUND, "not_found");
/// It is in a state that does not allow this.
pub const CONFLICT: Wire = Wire::explained(StatusCode::CONFLICT, "conflict");
/// The body is in another format.
pub const MEDIA_TYPE: Wire = Wire::explained(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request");

/// The body of a refusal, in the form of OAuth. The Directory's own API has words of its own.
fn body(error: &'static str, description: &str) -> ErrorBody {
    ErrorBody { error, error_description: description.to_owned() }
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

    /// The refusal of a table, with the text that its row allows.
    pub fn from_table(refusal: Refusal<Wire>) -> Self {
        let Evidence { expected, found } = &refusal.evidence;
        let explain = || format!("{} Expected {expected}, found {found}.", refusal.rule.unmet);
        let text = refusal.error.explained.then(explain);
        Self::Refused(Box::new(refusal), text)
    }

    /// Puts what had passed before.
    #[must_use]
    pub fn after(self, earlier: Passed) -> Self {
        match self {
            Self::Refused(refusal, text) => Self::Refused(Box::new(refusal.after(earlier)), text),
            Self::Access(failure) => Self::Access(failure.after(earlier)),
            failed @ Self::Failed(_) => failed,
        }
    }
}

impl IntoResponse for DirectoryError {
    fn into_response(self) -> Response {
        match self {
            Self::Access(failure) => failed(&failure),
            Self::Refused(refusal, text) => {
                let body = body(refusal.error.error, text.as_deref().unwrap_or(refusal.rule.unmet));
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
                let body = body("server_error", "The Directory could not finish the request.");
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
    reply::json(status, &body(error, text))
}
