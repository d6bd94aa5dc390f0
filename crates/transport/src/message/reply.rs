//! Ways to reply.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// A complete response. `rules::Verdict` and `Vec<simulation::SeenToken>` among its extensions go to the journal.
pub type Response = http::Response<Bytes>;

/// What a handler may return.
pub trait IntoResponse {
    /// The response for the wire.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// A JSON body. A value that cannot be written as JSON (a map whose keys are no strings) gives status 500.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => bytes(status, "application/json; charset=utf-8", body),
        Err(error) => {
            tracing::error!(%error, "a response cannot be written as JSON");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// An HTML page.
pub fn html(status: StatusCode, page: impl Into<Bytes>) -> Response {
    bytes(status, "text/html; charset=utf-8", page)
}

/// Plain text.
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    bytes(status, "text/plain; charset=utf-8", text)
}

/// No body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Sends the browser elsewhere. A location that no header can carry (control characters) gives status 500.
#[must_use]
pub fn redirect(status: StatusCode, location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            let mut response = empty(status);
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => {
            tracing::error!("a redirect's location cannot be a header");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Any body. The content type is a literal: it must be a valid header value.
pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn json_says_what_it_is() {
        let response = json(StatusCode::CREATED, &serde_json::json!({"a": 1}));
        assert_eq!((response.status(), response.body().as_ref()), (StatusCode::CREATED, br#"{"a":1}"#.as_slice()));
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        let impossible = BTreeMap::from([((1, 2), 3)]);
        assert_eq!(json(StatusCode::OK, &impossible).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn a_location_cannot_smuggle_headers() {
        let response = redirect(StatusCode::SEE_OTHER, "https://tpp.example/cb?code=a");
        assert_eq!(response.headers()["location"], "https://tpp.example/cb?code=a");
        let response = redirect(StatusCode::SEE_OTHER, "https://tpp.example/\r\nset-cookie: a=b");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().is_empty());
    }
}
