//! What the Directory publishes: its own keys, those of organisations and software statements, and revocations.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use transport::{Request, Response, reply};

use crate::{
    Context, Urls,
    issued::key_set,
    progress::Progress,
    refusal::{DirectoryError, NOT_FOUND},
    registry::{below, organisations, software_statements},
};

rules::catalogue! {
    /// Rules of key stores.
    pub RULES;
    KNOWN { id: "directory.keystore.known",
        reason: "A key set is that of an organisation or of one of its software statements.", clause: "OB Directory, Technical Overview, key store" }
}

/// Where the keys of an organisation, or of one of its software statements, are.
#[must_use]
pub fn location(urls: &Urls, organisation_id: &str, name: &str) -> String {
    urls.open(&format!("/keystore/{organisation_id}/{name}.jwks"))
}

/// Where the revoked ones are.
#[must_use]
pub fn revoked_location(urls: &Urls, organisation_id: &str, name: &str) -> String {
    urls.open(&format!("/keystore/{organisation_id}/revoked/{name}.jwks"))
}

/// The organisation whose own key set is at this URL.
pub(crate) fn organisation_of(jwks_uri: &str) -> Option<&str> {
    let (_, name) = jwks_uri.strip_suffix(".jwks")?.rsplit_once('/')?;
    (!name.is_empty()).then_some(name)
}

/// `GET /.well-known/openid-configuration`.
pub(crate) async fn configuration(context: Arc<Context>, _: Request) -> Response {
    public("application/json", context.documents.configuration.clone())
}

/// `GET /keystore/openbanking.jwks`: the keys that sign assertions.
pub(crate) async fn own(context: Arc<Context>, _: Request) -> Response {
    public("application/jwk-set+json", context.documents.jwks.clone())
}

/// `GET /pki/trust-anchor.pem`.
pub(crate) async fn trust_anchor(context: Arc<Context>, _: Request) -> Response {
    public("application/x-pem-file", context.documents.trust_anchor.clone())
}

/// `GET /pki/issuing.crl`.
pub(crate) async fn revocations(context: Arc<Context>, _: Request) -> Response {
    let list = context.revocations.lock().await.clone();
    public("application/pkix-crl", list)
}

/// `GET /keystore/{OrganisationId}/{Name}`.
pub(crate) async fn of_organisation(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    named(&context, &request, false).await
}

/// `GET /keystore/{OrganisationId}/revoked/{Name}`.
pub(crate) async fn revoked(context: Arc<Context>, request: Request) -> Result<Response, DirectoryError> {
    named(&context, &request, true).await
}

async fn named(context: &Context, request: &Request, revoked: bool) -> Result<Response, DirectoryError> {
    let mut progress = Progress::new(context);
    let organisation_id = request.params.get("OrganisationId").unwrap_or_default();
    let asked = request.params.get("Name").unwrap_or_default();
    let name = asked.strip_suffix(".jwks").unwrap_or_default();
    let store = context.store();
    let known = match name {
        "" => false,
        own if own == organisation_id => organisations().get(store, own).await?.is_some(),
        software => software_statements().get(store, &below(organisation_id, software)).await?.is_some(),
    };
    let expected = "the key set of an organisation or of one of its software statements";
    progress.need(known.then_some(()), &KNOWN, NOT_FOUND, expected, asked)?;
    let certificates = context.engine.backend().certificates(organisation_id).await?;
    let wanted = certificates.all.iter().filter(|issued| {
        let belongs = name == organisation_id || issued.record.associations.iter().any(|software| software == name);
        belongs && issued.in_use() != revoked
    });
    let body = serde_json::to_vec(&key_set(wanted))?;
    Ok(progress.answer(public("application/jwk-set+json", Bytes::from(body))))
}

/// Other parties fetch these again when a key is missing; they are not cached, so that what changed counts at once.
fn public(content_type: &'static str, document: Bytes) -> Response {
    let mut response = reply::bytes(StatusCode::OK, content_type, document);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_read_from_its_key_set() {
        assert_eq!(organisation_of("https://localhost:8440/keystore/abc/abc.jwks"), Some("abc"));
        assert_eq!(organisation_of("https://localhost:8440/keystore/abc/"), None);
    }
}
