//! Discovery and keys, rendered once.

use std::sync::Arc;

use bytes::Bytes;
use fapi::metadata;
use http::{HeaderValue, StatusCode, header};
use transport::{Request, Response, reply};

use crate::Context;

/// `GET /.well-known/openid-configuration`.
pub async fn configuration(context: Arc<Context>, _request: Request) -> Response {
    let profile = context.engine.profile();
    if profile.deviations.is_armed() {
        let mut document = metadata::document(profile);
        if profile.deviations.discovery(&mut document) {
            return reply::json(StatusCode::OK, &document);
        }
    }
    public("application/json", &context.documents.configuration)
}

/// `GET /jwks`.
pub async fn jwks(context: Arc<Context>, _request: Request) -> Response {
    public("application/jwk-set+json", &context.documents.jwks)
}

fn public(content_type: &'static str, document: &Bytes) -> Response {
    let mut response = reply::bytes(StatusCode::OK, content_type, document.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
    response
}
