//! Registration at a bank: found through the Directory, read from its discovery document (OB DCR 3.3).

use std::sync::Arc;

use http::Method;
use openbanking::{discovery::ProviderMetadata, registration::RegistrationRequest};
use serde::Deserialize;
use simulation::Trace;
use url::Url;

use super::{LIFETIME, endpoint, refused};
use crate::{
    Tpp,
    records::Registration,
    steps::{Failure, Registered},
};

/// Path that makes a discovery URL of an issuer (OpenID Connect Discovery, 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

#[derive(Debug, Deserialize)]
struct RegistrationAnswer {
    client_id: String,
}

struct Bank {
    name: String,
    organisation_id: Option<String>,
    discovery: Url,
    resource_base: Option<String>,
}

impl Tpp {
    /// Registers at a bank. A registration that was made before is kept.
    ///
    /// # Errors
    /// The bank is not known, its discovery document cannot be trusted, or it refuses.
    pub async fn register(self: &Arc<Self>, bank: &str, trace: &Trace) -> Result<Registered, Failure> {
        if let Some((known, _)) = self.records.registrations.get(&*self.store, bank).await? {
            let issuer = known.metadata.issuer.clone();
            return Ok(Registered { issuer, client_id: known.client_id, again: true });
        }
        let found = self.find_bank(bank, trace).await?;
        let metadata = self.discover(&found, trace).await?;
        let client_id = self.register_client(&found, &metadata, trace).await?;
        let resource_base = match found.resource_base {
            Some(base) => base,
            None => super::token_endpoint(&metadata)?.join("/open-banking").map(String::from).unwrap_or_default(),
        };
        let registration = Registration {
            bank: bank.to_owned(),
            metadata,
            client_id: client_id.clone(),
            resource_base,
            registered_at: self.clock.now(),
        };
        let change = self.records.registrations.put(bank, &registration)?;
        self.store.commit(vec![change]).await?;
        Ok(Registered { issuer: registration.metadata.issuer, client_id, again: false })
    }

    async fn find_bank(self: &Arc<Self>, bank: &str, trace: &Trace) -> Result<Bank, Failure> {
        if bank.starts_with("https://") {
            let discovery = Url::parse(bank).map_err(|error| Failure::new(format!("{bank}: {error}")))?;
            return Ok(Bank { name: bank.to_owned(), organisation_id: None, discovery, resource_base: None });
        }
        let member = self.member().await?;
        let servers = member.directory.authorisation_servers(trace).await?;
        let names: Vec<String> = servers.iter().map(|server| server.customer_friendly_name.clone()).collect();
        let server = servers.into_iter().find(|server| server.customer_friendly_name == bank).ok_or_else(|| {
            Failure::new(format!("the Directory knows no bank called {bank}; it knows {}", names.join(", ")))
        })?;
        let discovery = Url::parse(&server.openid_configuration)
            .map_err(|error| Failure::new(format!("the Directory's discovery URL of {bank}: {error}")))?;
        Ok(Bank {
            name: bank.to_owned(),
            organisation_id: Some(server.organisation_id),
            discovery,
            resource_base: server.resource_base,
        })
    }

    async fn discover(self: &Arc<Self>, bank: &Bank, trace: &Trace) -> Result<ProviderMetadata, Failure> {
        let answer = self.request(Method::GET, &bank.discovery, &bank.name, trace).await?.send().await?;
        if !answer.status.is_success() {
            return Err(refused("the bank's discovery document", &answer));
        }
        let metadata: ProviderMetadata =
            answer.json().map_err(|error| Failure::new(format!("the bank's discovery document: {error}")))?;
        // OpenID Connect Discovery, 4.3: a document that names another issuer belongs to somebody else.
        let expected = bank.discovery.as_str().strip_suffix(WELL_KNOWN).unwrap_or(bank.discovery.as_str());
        if metadata.issuer.trim_end_matches('/') != expected.trim_end_matches('/') {
            let text = format!("the discovery document at {} names the issuer {}", bank.discovery, metadata.issuer);
            return Err(Failure::new(text));
        }
        Ok(metadata)
    }

    async fn register_client(
        self: &Arc<Self>,
        bank: &Bank,
        metadata: &ProviderMetadata,
        trace: &Trace,
    ) -> Result<String, Failure> {
        let member = self.member().await?;
        let software_id = self.software_id().await?;
        let ssa = member.directory.software_statement_assertion(&software_id, trace).await?;
        let now = self.clock.now();
        let request = RegistrationRequest {
            iss: software_id.clone(),
            iat: now.into(),
            exp: (now + LIFETIME).into(),
            aud: bank.organisation_id.clone().unwrap_or_else(|| metadata.issuer.clone()).into(),
            jti: self.chance.uuid().to_string(),
            redirect_uris: vec![self.redirect_uri.clone()],
            token_endpoint_auth_method: "private_key_jwt".to_owned(),
            token_endpoint_auth_signing_alg: Some("PS256".to_owned()),
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            response_types: vec!["code id_token".to_owned()],
            software_id: Some(software_id),
            scope: "openid accounts".to_owned(),
            software_statement: ssa,
            application_type: "web".to_owned(),
            id_token_signed_response_alg: "PS256".to_owned(),
            request_object_signing_alg: "PS256".to_owned(),
            ..RegistrationRequest::default()
        };
        let jwt = member.membership.signing.sign_claims(Some("JWT"), &request)?;
        let url = endpoint(metadata.registration_endpoint.as_deref(), "registration_endpoint")?;
        let answer = self
            .request(Method::POST, &url, &bank.name, trace)
            .await?
            .body("application/jwt", jwt.into_bytes())
            .send()
            .await?;
        if answer.status.as_u16() != 201 {
            return Err(refused("the bank's registration endpoint", &answer));
        }
        let registered: RegistrationAnswer =
            answer.json().map_err(|error| Failure::new(format!("the bank's registration answer: {error}")))?;
        Ok(registered.client_id)
    }
}
