//! Requests that no handler answers: unknown paths and methods, bodies that are too large or do not arrive.

use fapi::{ErrorCode, error::ErrorBody};
use http::StatusCode;
use transport::{Problem, Request, Response, reply};

use crate::{
    Context,
    api::{self, signature},
    authorization::endpoint::error_page,
};

/// The answer in the form that belongs to the path: the API's error body, a page, or OAuth's error body.
pub(crate) fn problem(context: &Context, request: &Request, problem: &Problem) -> Response {
    if let Some(response) = api::problem(request, problem) {
        return if signature::signs(&request.path) { signature::sign(context, response) } else { response };
    }
    let (status, code, text) = match problem {
        Problem::UnknownPath => (StatusCode::NOT_FOUND, ErrorCode::InvalidRequest, "There is nothing at this address."),
        Problem::MethodNotAllowed { .. } => {
            (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest, "This address does not take that method.")
        }
        Problem::BodyTooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::InvalidRequest, "The body is too large.")
        }
        Problem::BodyUnreadable => {
            (StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, "The body did not arrive completely.")
        }
        Problem::HandlerPanicked => {
            (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError, "The bank could not finish the request.")
        }
    };
    let page = request.path.starts_with("/authorisation/") || request.path == "/authorize";
    let wants_html = request.header("accept").is_some_and(|accept| accept.contains("text/html"));
    if page || wants_html {
        return error_page(context, request, status, code.as_str(), text);
    }
    reply::json(status, &ErrorBody::new(code, text))
}
