//! The error codes of the protocol and what each looks like on the wire.

use serde::Serialize;

/// An OAuth 2.0, OpenID Connect, RFC 9101, RFC 6750 or RFC 7591 error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// RFC 6749, 5.2.
    InvalidRequest,
    /// RFC 6749, 5.2.
    InvalidClient,
    /// RFC 6749, 5.2.
    InvalidGrant,
    /// RFC 6749, 5.2.
    UnauthorizedClient,
    /// RFC 6749, 5.2.
    UnsupportedGrantType,
    /// RFC 6749, 5.2.
    InvalidScope,
    /// RFC 6749, 4.1.2.1.
    AccessDenied,
    /// OpenID Connect Core, 3.1.2.6.
    LoginRequired,
    /// RFC 6749, 4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749, 4.1.2.1.
    ServerError,
    /// RFC 6749, 4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 9101, 7.
    InvalidRequestObject,
    /// RFC 9101, 7.
    InvalidRequestUri,
    /// OpenID Connect Core, 3.1.2.6.
    RequestUriNotSupported,
    /// RFC 6750, 3.1.
    InvalidToken,
    /// RFC 6750, 3.1.
    InsufficientScope,
    /// RFC 7591, 3.2.2.
    InvalidRedirectUri,
    /// RFC 7591, 3.2.2.
    InvalidClientMetadata,
    /// RFC 7591, 3.2.2.
    InvalidSoftwareStatement,
    /// RFC 7591, 3.2.2.
    UnapprovedSoftwareStatement,
}

impl ErrorCode {
    /// The code as the specifications spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }

    /// The HTTP status of a direct (not redirected) answer with this code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// The JSON body of a direct error answer (RFC 6749, 5.2; RFC 7591, 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// The code.
    pub error: &'static str,
    /// A sentence for developers: the rule's demand, never what was found.
    pub error_description: String,
}

impl ErrorBody {
    /// The body for a code and the demand of the rule that spoke. Characters that RFC 6749, 5.2 does not allow in
    /// `error_description` are replaced.
    #[must_use]
    pub fn new(code: ErrorCode, reason: &str) -> Self {
        let error_description = reason
            .chars()
            .map(|c| match c {
                '"' | '\\' => '\'',
                ' '..='~' => c,
                _ => '?',
            })
            .collect();
        Self { error: code.as_str(), error_description }
    }
}
