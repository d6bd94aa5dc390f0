//! Why a page of the dashboard cannot be shown.

use http::StatusCode;
use transport::{Request, Response};

use crate::{Context, authorization::endpoint::error_page};

/// A page cannot be shown, or a form not be carried out.
pub(super) enum Refusal {
    /// The form did not carry the token of this session.
    Forged,
    /// Nothing of this customer has the identifier.
    Unknown,
    /// What was asked for cannot be done any more.
    Late(String),
    /// The store failed.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Refusal {
    pub(super) fn page(self, context: &Context, request: &Request) -> Response {
        let (status, code, text) = match self {
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "invalid_request",
                "The form does not belong to this page. Load the page again.".to_owned(),
            ),
            Self::Unknown => {
                (StatusCode::NOT_FOUND, "invalid_request", "There is nothing of yours with this name.".to_owned())
            }
            Self::Late(text) => (StatusCode::CONFLICT, "invalid_request", text),
            Self::Failed(error) => {
                tracing::error!(%error, "a page of the dashboard failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The bank could not go on.".to_owned())
            }
        };
        error_page(context, request, status, code, &text)
    }
}
