//! Dynamic client registration (OB DCR 3.2 to 3.4; RFC 7591): a signed request that carries an assertion of the
//! Directory.

mod table;

use std::sync::Arc;

use jose::{Algorithm, JoseError, Jws, jwe};
use openbanking::{
    registration::{RegistrationRequest, RegistrationResponse},
    ssa::SoftwareStatementAssertion,
};
use rules::{Evidence, Refusal, Rule, judge};
use time::OffsetDateTime;

use crate::{
    Accepted, Change, Client, CommitError, Engine, ErrorCode, Expect, Failure, Loaded, Outcome, PresentedCertificate,
    Record, Surroundings,
    client::{AuthenticationMethod, CertificateSubject, Secret},
    client_authentication::LEEWAY,
    digest,
    grant::UsedJti,
};

pub use table::RULES;

use table::{
    AUTHENTICATION_METHOD, CHECKS, REQUEST_ALG, REQUEST_JTI, REQUEST_READABLE, RegistrationFacts, STATEMENT_ALG,
};

/// A client that was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// The answer (OB DCR 3.3: what was registered, the assertion and its claims).
    pub response: RegistrationResponse,
}

impl<B: Surroundings> Engine<B> {
    /// Registers a client. The same software statement may be registered several times; each registration is a client
    /// of its own.
    ///
    /// # Errors
    /// The refusal of one of this module's rules, or a failure of the surroundings.
    pub async fn register(
        &self,
        text: &str,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> Outcome<Registered> {
        self.enter(text, certificate, None, now).await
    }

    /// Registers a client, or changes one.
    pub(crate) async fn enter(
        &self,
        text: &str,
        certificate: Option<&PresentedCertificate>,
        before: Option<Loaded<Client>>,
        now: OffsetDateTime,
    ) -> Outcome<Registered> {
        let mut facts = self.registration_facts(text, certificate, now).await;
        facts.before = before.as_ref().map(|loaded| loaded.record.clone());
        let mut passed = judge(&facts, CHECKS, &self.profile.switched_off)?;
        let (Ok((_, request)), Some(Ok((_, statement)))) = (facts.request, facts.statement) else {
            let expected = "a request with a software_statement, both of which can be read";
            return Err(
                Failure::indispensable(&REQUEST_READABLE, ErrorCode::InvalidClientMetadata, expected).after(passed)
            );
        };
        let registered = self.registered(&request, &statement, facts.before.as_ref(), now)?;
        let used = UsedJti { expires_at: OffsetDateTime::from(request.exp).saturating_add(LEEWAY) };
        let expect = before.map_or(Expect::Absent, |loaded| Expect::Version(loaded.version));
        let mut changes = vec![Change::put(&registered.client.client_id, expect, &registered.client)?];
        let key = format!("{}/{}", request.iss, digest(&request.jti));
        let expect = if self.profile.switched_off.contains(&REQUEST_JTI) { Expect::Any } else { Expect::Absent };
        changes.push(Change::put(key, expect, &used)?);
        match self.backend.commit(changes).await {
            Ok(()) => {
                passed.add(&REQUEST_JTI, &self.profile.switched_off);
                Ok(Accepted { value: registered, passed })
            }
            Err(CommitError::Conflict { collection, .. }) if collection == UsedJti::COLLECTION => {
                let evidence = Evidence::new("a jti that was not seen before", "a jti that was used already");
                Err(Refusal::new(&REQUEST_JTI, ErrorCode::InvalidClientMetadata, evidence).after(passed).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn registration_facts(
        &self,
        text: &str,
        certificate: Option<&PresentedCertificate>,
        now: OffsetDateTime,
    ) -> RegistrationFacts {
        let request = Jws::parse(text).and_then(|jws| {
            let claims = jws.claims::<RegistrationRequest>()?;
            Ok((jws, claims))
        });
        let statement = request.as_ref().ok().map(|(_, request)| {
            let jws = Jws::parse(&request.software_statement)?;
            let claims = jws.claims::<SoftwareStatementAssertion>()?;
            Ok((jws, claims))
        });
        let mut facts = RegistrationFacts {
            profile: Arc::clone(&self.profile),
            before: None,
            now,
            certificate: certificate.cloned(),
            request,
            request_keys: Ok(()),
            request_signature: Ok(()),
            encryption_key: false,
            statement,
            statement_keys: Ok(()),
            statement_signature: Ok(()),
        };
        let (Ok((request, _)), Some(Ok((statement, claims)))) = (&facts.request, &facts.statement) else {
            return facts;
        };
        let directory = self.profile.directory_jwks_uri.as_deref().unwrap_or_default();
        (facts.statement_keys, facts.statement_signature) = self.signature(directory, statement, &STATEMENT_ALG).await;
        // Until the Directory's signature holds, nobody vouches for where the software's keys are.
        if facts.statement_keys.is_ok() && facts.statement_signature.is_ok() {
            let endpoint = &claims.metadata.software_jwks_endpoint;
            (facts.request_keys, facts.request_signature) = self.signature(endpoint, request, &REQUEST_ALG).await;
            match self.keys_for(endpoint, None).await {
                Ok(keys) => facts.encryption_key = keys.encryption_key().is_some(),
                Err(error) => facts.request_keys = Err(error.to_string()),
            }
        }
        facts
    }

    async fn signature(&self, uri: &str, jws: &Jws, alg: &Rule) -> (Result<(), String>, Result<(), JoseError>) {
        match self.keys_for(uri, jws.header().kid.as_deref()).await {
            Ok(keys) => (Ok(()), self.verify(jws, &keys, &self.profile.algorithms, alg)),
            Err(error) => (Err(error.to_string()), Ok(())),
        }
    }

    fn registered(
        &self,
        request: &RegistrationRequest,
        statement: &SoftwareStatementAssertion,
        before: Option<&Client>,
        now: OffsetDateTime,
    ) -> Result<Registered, Failure> {
        let (client_id, since) = match before {
            Some(before) => (before.client_id.clone(), before.registered_at),
            None => (self.secret().chars().filter(char::is_ascii_alphanumeric).take(22).collect(), now),
        };
        let mut response = RegistrationResponse::granting(request, &statement.metadata, &client_id, since);
        if response.response_types.is_empty() && response.grant_types.iter().any(|one| one == "authorization_code") {
            response.response_types = self.profile.response_types.iter().take(1).map(|one| (*one).to_owned()).collect();
        }
        if response.scope.is_empty() {
            response.scope = self.default_scope(statement);
        }
        response.tls_client_certificate_bound_access_tokens = Some(true);
        if AuthenticationMethod::parse(&response.token_endpoint_auth_method)
            .is_some_and(AuthenticationMethod::has_secret)
        {
            // The data model allows 36 characters; of 64 letters each, they are more than 200 bits.
            response.client_secret = Some(self.secret().chars().take(36).collect());
            response.client_secret_expires_at = Some(OffsetDateTime::UNIX_EPOCH.into());
        }
        let method = AuthenticationMethod::parse(&response.token_endpoint_auth_method);
        if method == Some(AuthenticationMethod::PrivateKeyJwt) && response.token_endpoint_auth_signing_alg.is_none() {
            response.token_endpoint_auth_signing_alg = Some(self.preferred().to_string());
        }
        if self.profile.response_modes.iter().any(|mode| mode.signed()) {
            let usual = || response.id_token_signed_response_alg.clone();
            let asked = request.authorization_signed_response_alg.clone();
            response.authorization_signed_response_alg = Some(asked.unwrap_or_else(usual));
        }
        if response.id_token_encrypted_response_alg.is_some() {
            response.id_token_encrypted_response_enc = Some(jwe::ENC.to_owned());
        }
        let mut client = self.client(&response, statement, since)?;
        client.id_token_encrypted = response.id_token_encrypted_response_alg.is_some();
        Ok(Registered { client, response })
    }

    /// The algorithm where a client does not say one.
    fn preferred(&self) -> Algorithm {
        self.profile.algorithms.first().copied().unwrap_or(Algorithm::Ps256)
    }

    fn default_scope(&self, statement: &SoftwareStatementAssertion) -> String {
        let opened = statement.metadata.software_roles.iter().filter_map(|role| role.scope());
        std::iter::once("openid")
            .chain(opened.filter(|scope| self.profile.scopes.iter().any(|known| known == scope)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn client(
        &self,
        response: &RegistrationResponse,
        statement: &SoftwareStatementAssertion,
        now: OffsetDateTime,
    ) -> Result<Client, Failure> {
        let preferred = self.preferred();
        let algorithm = |name: &str| name.parse().unwrap_or(preferred);
        let method = AuthenticationMethod::parse(&response.token_endpoint_auth_method).ok_or_else(|| {
            let expected = "an authentication method that there is";
            Failure::indispensable(&AUTHENTICATION_METHOD, ErrorCode::InvalidClientMetadata, expected)
        })?;
        Ok(Client {
            client_id: response.client_id.clone(),
            name: statement.metadata.software_client_name.clone(),
            on_behalf_of: statement.metadata.software_on_behalf_of_org.clone(),
            organisation_id: statement.metadata.org_id.clone(),
            software_id: statement.metadata.software_id.clone(),
            redirect_uris: response.redirect_uris.clone(),
            authentication_method: method,
            authentication_algorithm: response.token_endpoint_auth_signing_alg.as_deref().map_or(preferred, algorithm),
            request_object_algorithm: algorithm(&response.request_object_signing_alg),
            id_token_algorithm: algorithm(&response.id_token_signed_response_alg),
            response_algorithm: response.authorization_signed_response_alg.as_deref().map(algorithm),
            grant_types: response.grant_types.clone(),
            response_types: response.response_types.clone(),
            scopes: response.scope.split_ascii_whitespace().map(str::to_owned).collect(),
            jwks_uri: statement.metadata.software_jwks_endpoint.clone(),
            jwks: None,
            certificate_subject: response.tls_client_auth_subject_dn.clone().map(CertificateSubject::Dn),
            secret: response.client_secret.clone().map(Secret),
            id_token_encrypted: false,
            resource_server: false,
            registered_at: now,
            metadata: serde_json::to_value(response).map_err(|error| Failure::Unavailable(error.to_string()))?,
        })
    }
}
