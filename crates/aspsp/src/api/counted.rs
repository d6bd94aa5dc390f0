//! What a client has left of its requests, told with every answer to it (OB Read/Write 4.0.1, Headers, `RateLimit`).

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use http::{HeaderName, HeaderValue, Method};
use openbanking::version::ApiVersion;
use transport::{Request, Response, Route, route};

use super::{allowance::Left, deviating::bent, signature::signs};
use crate::Context;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What was found when the request was counted.
#[derive(Debug, Clone, Default)]
struct Counted(Arc<OnceLock<Left>>);

/// A row of the API whose answers tell what the client has left, when the bank counts; v3.1 has no such headers.
pub fn counted<H, F>(method: Method, path: String, version: ApiVersion, handler: H) -> Route<Context>
where
    H: Fn(Arc<Context>, Request) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // What is signed deviates before it is.
    let bends = !signs(&path);
    let handler = move |context: Arc<Context>, request: Request| async move {
        let response = handler(Arc::clone(&context), request).await;
        if bends { bent(&context.engine.profile().deviations, response) } else { response }
    };
    route(method, path, move |context: Arc<Context>, mut request: Request| async move {
        if context.bank.rate_limit.is_none() || version == ApiVersion::V3_1 {
            return handler(context, request).await;
        }
        let counted = Counted::default();
        request.notes.insert(counted.clone());
        let mut response = handler(context, request).await;
        if let Some(left) = counted.0.get() {
            tell(left, &mut response);
        }
        response
    })
}

/// Notes what is left for the answer to the request.
pub(super) fn note(request: &Request, left: Left) {
    if let Some(counted) = request.notes.get::<Counted>() {
        counted.0.get_or_init(|| left);
    }
}

fn tell(left: &Left, response: &mut Response) {
    let policy = format!("\"default\";q={};w={}", left.limit.requests, left.limit.seconds);
    let limit = format!("\"default\";r={};t={}", left.requests, left.seconds);
    for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
}
