//! Registration at a bank: found through the Directory, read from its discovery document (OB DCR 3.3).

use std::sync::Arc;

use http::Method;
use jose::Jws;
use openbanking::{discovery::ProviderMetadata, registration::RegistrationRequest};
use party::authorization_server::seen;
use serde_json::Value;
use simulation::Trace;
use url::Url;

use super::{LIFETIME, distrusted, endpoint, label, refused};
use crate::{
    Tpp,
    profile::{Authentication, ResponseType},
    records::{Registration, preferred_algorithm},
    registered,
    response::{check_discovery, check_endpoints},
    steps::{Failure, Register, Registered},
    tampering::{Made as Kind, SoftwareOf, Tamper},
};

struct Bank {
    name: String,
    organisation_id: Option<String>,
    discovery: Url,
    /// The same as it was told, to the letter.
    told: String,
    resource_base: Option<String>,
}

/// A registration that the bank made.
struct Made {
    client_id: String,
    software_statement: String,
    answer: Value,
}

impl Made {
    /// One that the bank made by hand.
    fn by_hand(client_id: &str) -> Self {
        Self { client_id: client_id.to_owned(), software_statement: String::new(), answer: Value::Null }
    }
}

impl Tpp {
    /// Registers at a bank. A registration that was made before is kept, unless the step asks for a new one.
    ///
    /// # Errors
    /// The bank is not known, its discovery document cannot be trusted, or it refuses.
    pub async fn register(self: &Arc<Self>, step: &Register, trace: &Trace) -> Result<Registered, Failure> {
        let (bank, honest) = (step.bank.as_str(), step.tamper.is_honest());
        if !step.anew
            && step.client_id.is_none()
            && honest
            && let Some((known, _)) = self.records.registrations.get(&*self.store, bank).await?
        {
            return report(&known, true);
        }
        let found = self.find_bank(bank, trace).await?;
        let metadata = self.discover(&found, trace).await?;
        let resource_base = match step.resource_base.clone().or_else(|| found.resource_base.clone()) {
            Some(base) => base,
            None => super::token_endpoint(&metadata)?.join("/open-banking").map(String::from).unwrap_or_default(),
        };
        check_endpoints(&metadata, &resource_base, &self.switched_off)
            .map_err(|refusal| distrusted("the bank's addresses are not trusted", &refusal))?;
        let known = self.own.as_ref().and_then(|own| own.client_id.as_ref());
        let made = match step.client_id.as_ref().or(known) {
            Some(client_id) => Made::by_hand(client_id),
            None => self.register_client(&found, &metadata, &step.tamper, trace).await?,
        };
        let registration = Registration {
            bank: bank.to_owned(),
            metadata,
            client_id: made.client_id,
            resource_base,
            organisation_id: found.organisation_id,
            software_statement: made.software_statement,
            registered: made.answer,
            registered_at: self.clock.now(),
        };
        // What was registered as it should be counts; that of an attack does not take its place.
        if step.tamper.only_shows_own_certificate() {
            let change = self.records.registrations.put(bank, &registration)?;
            self.store.commit(vec![change]).await?;
        }
        report(&registration, false)
    }

    async fn find_bank(self: &Arc<Self>, bank: &str, trace: &Trace) -> Result<Bank, Failure> {
        if bank.starts_with("https://") {
            let discovery = Url::parse(bank).map_err(|error| Failure::new(format!("{bank}: {error}")))?;
            let (name, told) = (bank.to_owned(), bank.to_owned());
            return Ok(Bank { name, organisation_id: None, discovery, told, resource_base: None });
        }
        let member = self.member().await?;
        let servers = member.directory()?.authorisation_servers(trace).await?;
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
            told: server.openid_configuration,
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
        check_discovery(&bank.told, &metadata.issuer, &self.switched_off)
            .map_err(|refusal| distrusted("the bank's discovery document is not trusted", &refusal))?;
        Ok(metadata)
    }

    async fn register_client(
        self: &Arc<Self>,
        bank: &Bank,
        metadata: &ProviderMetadata,
        tamper: &Tamper,
        trace: &Trace,
    ) -> Result<Made, Failure> {
        let member = self.member().await?;
        let software_id = self.software_id().await?;
        let ssa = match self.own.as_ref().and_then(|own| own.software_statement.as_ref()) {
            Some(statement) => statement.text.clone(),
            None => match &tamper.assertion_of {
                Some(SoftwareOf { organisation, software }) => {
                    member.directory()?.assertion_of(organisation, software, trace).await?
                }
                None => member.directory()?.software_statement_assertion(&software_id, trace).await?,
            },
        };
        let altered = tamper.software_statement.as_ref();
        let ssa = self.forger(&member, |forger| forger.jwt(Kind::SoftwareStatement, ssa, altered))?;
        let now = self.clock.now();
        let authentication = self.profile.software.authentication;
        let by_certificate = authentication == Authentication::TlsClientAuth;
        let subject = member.transport.chain.first().map(|leaf| leaf.facts().subject.clone());
        let request = RegistrationRequest {
            nbf: None,
            iss: software_id.clone(),
            iat: now.into(),
            exp: (now + LIFETIME).into(),
            aud: bank.organisation_id.clone().unwrap_or_else(|| metadata.issuer.clone()).into(),
            jti: self.chance.uuid().to_string(),
            redirect_uris: vec![self.redirect_uri.clone()],
            token_endpoint_auth_method: authentication.as_str().to_owned(),
            token_endpoint_auth_signing_alg: (!by_certificate).then(|| "PS256".to_owned()),
            tls_client_auth_subject_dn: subject.filter(|_| by_certificate),
            grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            response_types: response_types(metadata),
            software_id: Some(software_id),
            scope: self.scopes(metadata),
            software_statement: ssa.clone(),
            application_type: "web".to_owned(),
            id_token_signed_response_alg: preferred_algorithm(metadata).to_string(),
            request_object_signing_alg: "PS256".to_owned(),
            ..RegistrationRequest::default()
        };
        let asked = serde_json::to_value(&request).map_err(|error| Failure::new(error.to_string()))?;
        let jwt = member.signing.sign_claims(Some("JWT"), &asked)?;
        let altered = tamper.registration.as_ref();
        let jwt = self.forger(&member, |forger| forger.jwt(Kind::Registration, jwt, altered))?;
        let url = endpoint(metadata.registration_endpoint.as_deref(), "registration_endpoint")?;
        let client = self.client(tamper.certificate).await?;
        let shown = [(Kind::Registration, &jwt), (Kind::SoftwareStatement, &ssa)];
        let shown = shown.into_iter().filter_map(|(kind, jwt)| seen(kind.name(), Some(jwt)));
        let request = client.request(Method::POST, &url).to(&label(&bank.name)).trace(trace).tokens(shown);
        let answer = request.body("application/jwt", jwt.into_bytes()).send().await?;
        if answer.status.as_u16() != 201 {
            return Err(refused("the bank's registration endpoint", &answer));
        }
        let unreadable = |error| Failure::new(format!("the bank's registration answer: {error}"));
        let answer: Value = answer.json().map_err(unreadable)?;
        // What was asked for is known when the request is the TPP's own.
        let own = tamper.registration.is_none() && tamper.software_statement.is_none() && !tamper.believe;
        if own {
            registered::check(&asked, &answer, &self.switched_off)
                .map_err(|refusal| distrusted("the registration is not taken", &refusal))?;
        }
        let client_id = answer.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Made { client_id, software_statement: ssa, answer })
    }

    /// The scopes of the TPP's roles, as far as the bank has them (OB DCR 3.3, scope).
    fn scopes(&self, metadata: &ProviderMetadata) -> String {
        let offered = |scope: &&str| {
            metadata.scopes_supported.as_ref().is_none_or(|all| all.iter().any(|offered| offered == scope))
        };
        let roles = self.profile.organisation.roles.iter().filter_map(|role| role.scope());
        std::iter::once("openid").chain(roles.filter(offered)).collect::<Vec<_>>().join(" ")
    }
}

/// What the TPP can take, as far as the bank offers it.
fn response_types(metadata: &ProviderMetadata) -> Vec<String> {
    let offered = |name: &str| metadata.response_types_supported.iter().flatten().any(|offered| offered == name);
    let more = Some(ResponseType::Code.as_str()).filter(|code| offered(code));
    [ResponseType::CodeIdToken.as_str()].into_iter().chain(more).map(str::to_owned).collect()
}

fn report(registration: &Registration, again: bool) -> Result<Registered, Failure> {
    let statement = &registration.software_statement;
    Ok(Registered {
        issuer: registration.metadata.issuer.clone(),
        client_id: registration.client_id.clone(),
        again,
        software_statement: statement.clone(),
        claims: Jws::parse(statement).ok().and_then(|jws| jws.claims().ok()).unwrap_or_default(),
        registered: registration.registered.clone(),
        discovery: serde_json::to_value(&registration.metadata).map_err(|error| Failure::new(error.to_string()))?,
    })
}
