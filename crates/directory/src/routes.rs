//! The tables of routes of both listeners.

use std::sync::Arc;

use http::Method;
use transport::{Router, RouterError, route};

use crate::{
    Context,
    api::{authorisation_servers, certificates, organisations, software_statements, token},
    enrolment, keystore,
    refusal::problem,
};

/// Without client certificates.
pub(crate) fn public(context: Arc<Context>) -> Result<Router<Context>, RouterError> {
    let routes = [
        route(Method::GET, "/.well-known/openid-configuration", keystore::configuration),
        route(Method::GET, "/keystore/openbanking.jwks", keystore::own),
        route(Method::GET, "/keystore/{OrganisationId}/{Name}", keystore::of_organisation),
        route(Method::GET, "/keystore/{OrganisationId}/revoked/{Name}", keystore::revoked),
        route(Method::GET, "/pki/trust-anchor.pem", keystore::trust_anchor),
        route(Method::GET, "/pki/issuing.crl", keystore::revocations),
        route(Method::POST, "/enrolment", enrolment::enrol),
        route(Method::POST, "/enrolment/{OrganisationId}/certificate/{Kind}", enrolment::certificate),
    ];
    Router::new(context, routes, problem::<Context>)
}

/// With client certificates.
pub(crate) fn mutual(context: Arc<Context>) -> Result<Router<Context>, RouterError> {
    let organisation = "/v2.1/organisation/{OrganisationId}";
    let at = |rest: &str| format!("{organisation}{rest}");
    let software = at("/software-statement/{SoftwareStatementId}");
    let server = at("/authorisation-server/{ServerId}");
    let kid = at("/certificate/kid/{Kid}");
    let routes = [
        route(Method::POST, "/token", token),
        route(Method::GET, "/v2.1/organisation", organisations::list),
        route(Method::POST, "/v2.1/organisation", organisations::create),
        route(Method::GET, organisation, organisations::read),
        route(Method::PUT, organisation, organisations::change),
        route(Method::GET, at("/software-statement"), software_statements::list),
        route(Method::POST, at("/software-statement"), software_statements::create),
        route(Method::GET, software.clone(), software_statements::read),
        route(Method::PUT, software.clone(), software_statements::change),
        route(Method::GET, format!("{software}/software-statement-assertion"), software_statements::assert),
        route(Method::PUT, format!("{software}/certificate/{{Kind}}/{{Kid}}"), certificates::associate),
        route(Method::GET, at("/certificate"), certificates::list),
        route(Method::POST, at("/certificate/{Kind}"), certificates::create),
        route(Method::GET, kid.clone(), certificates::read),
        route(Method::DELETE, kid, certificates::revoke),
        route(Method::GET, at("/authorisation-server"), authorisation_servers::list),
        route(Method::POST, at("/authorisation-server"), authorisation_servers::create),
        route(Method::GET, server.clone(), authorisation_servers::read),
        route(Method::PUT, server, authorisation_servers::change),
        route(Method::GET, "/v2.1/authorisation-servers", authorisation_servers::all),
    ];
    Router::new(context, routes, problem::<Context>)
}
