//! Why a page of the dashboard cannot be shown.

use http::StatusCode;
use store::CommitError;
use transport::{Request, Response};

use super::{PATH, entry::home};
use crate::{Context, authorization::endpoint::error_page_with};

/// A page cannot be shown, or a form not be carried out.
pub(crate) enum Refusal {
    /// Nobody is logged in in this browser, or not any more.
    LoggedOut,
    /// The form did not carry the token of this session.
    Forged,
    /// Nothing of this customer has the identifier.
    Unknown,
    /// What was asked for cannot be done any more.
    Late(String),
    /// The store failed.
    Failed(String),
}

impl From<store::StoreError> for Refusal {
    fn from(error: store::StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Late("Something changed meanwhile. Look at it again.".to_owned()),
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<ledger::BooksError> for Refusal {
    fn from(error: ledger::BooksError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Refusal {
    pub(crate) fn page(self, context: &Context, request: &Request) -> Response {
        let (status, code, text) = match self {
            Self::LoggedOut => return home(),
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
        error_page_with(context, request, status, (code, &text), Some(PATH))
    }
}
