//! Sending the customer to the bank, and checking what comes back.

use std::sync::Arc;

use jose::{Jws, claims::NumericDate, hash::sha256_base64url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulation::Trace;

use super::{LIFETIME, distrusted, endpoint, refused};
use crate::{
    Tpp, id_token,
    id_token::Expectation,
    records::{Authorisation, Registration},
    response::{ResponseFacts, check_response},
    steps::{Authorise, Failure, Link, Returned},
    tampering::{Made, Tamper},
};

/// Claims of a request object (FAPI 1.0 Part 2, 5.2.2; OpenID Connect Core, 6.1).
#[derive(Debug, Serialize)]
struct RequestObject<'a> {
    iss: &'a str,
    aud: &'a str,
    client_id: &'a str,
    response_type: &'a str,
    redirect_uri: &'a str,
    scope: &'a str,
    state: &'a str,
    nonce: &'a str,
    code_challenge: String,
    code_challenge_method: &'a str,
    iat: NumericDate,
    nbf: NumericDate,
    exp: NumericDate,
    jti: String,
    claims: Value,
}

/// Answer to a pushed request (RFC 9126, 2.2).
#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

const RESPONSE_TYPE: &str = "code id_token";

/// Wanted `acr` values, the strongest first (OB Security Profile, acr).
const ACR_VALUES: [&str; 2] = ["urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"];

/// What the bank put into the fragment.
#[derive(Debug, Default)]
struct Fragment {
    code: Option<String>,
    id_token: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Tpp {
    /// Makes the link for the customer and remembers what must come back.
    ///
    /// # Errors
    /// The TPP is not registered at the bank, the bank refuses a pushed request, or the store failed.
    pub async fn authorise(self: &Arc<Self>, step: &Authorise, trace: &Trace) -> Result<Link, Failure> {
        let registration = self.registration(&step.bank).await?;
        let member = self.member().await?;
        let api = match step.api {
            Some(api) => api,
            None => self.api_of(&step.consent_id).await?,
        };
        let scope = format!("openid {}", api.scope());
        let now = self.clock.now();
        let (state, nonce, code_verifier) = (self.chance.token(), self.chance.token(), self.chance.token());
        let intent = json!({ "value": step.consent_id, "essential": true });
        let object = RequestObject {
            iss: &registration.client_id,
            aud: &registration.metadata.issuer,
            client_id: &registration.client_id,
            response_type: RESPONSE_TYPE,
            redirect_uri: &self.redirect_uri,
            scope: &scope,
            state: &state,
            nonce: &nonce,
            code_challenge: sha256_base64url(code_verifier.as_bytes()),
            code_challenge_method: "S256",
            iat: now.into(),
            nbf: now.into(),
            exp: (now + LIFETIME).into(),
            jti: self.chance.uuid().to_string(),
            claims: json!({
                "id_token": {
                    "openbanking_intent_id": intent,
                    "acr": { "essential": true, "values": ACR_VALUES },
                },
                "userinfo": { "openbanking_intent_id": intent },
            }),
        };
        let request = member.membership.signing.sign_claims(Some("oauth-authz-req+jwt"), &object)?;
        let tampered = step.tamper.request_object.as_ref();
        let request = self.forger(&member, |forger| forger.jwt(Made::RequestObject, request, tampered))?;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = vec![
            pair("client_id", &registration.client_id),
            pair("response_type", RESPONSE_TYPE),
            pair("scope", &scope),
            pair("redirect_uri", &self.redirect_uri),
            pair("request", &request),
        ];
        if step.push {
            let pushed = self.push(&registration, &request, &step.tamper, trace).await?;
            pairs = vec![pair("client_id", &registration.client_id), pair("request_uri", &pushed)];
        }
        if let Some(parameters) = &step.tamper.parameters {
            parameters.apply(&mut pairs);
        }
        let mut url = endpoint(registration.metadata.authorization_endpoint.as_deref(), "authorization_endpoint")?;
        url.query_pairs_mut().extend_pairs(&pairs);
        let remembered = Authorisation {
            bank: step.bank.clone(),
            consent_id: step.consent_id.clone(),
            nonce,
            code_verifier,
            acr_values: ACR_VALUES.map(str::to_owned).to_vec(),
            redirect_uri: self.redirect_uri.clone(),
            believe: step.tamper.believe,
            returned: Returned::NotYet,
            code: None,
            subject: None,
        };
        let change = self.records.authorisations.insert(&state, &remembered)?;
        self.store.commit(vec![change]).await?;
        Ok(Link { url: url.into(), state, redirect_uri: self.redirect_uri.clone() })
    }

    /// Pushes a request object, and answers with its `request_uri` (RFC 9126).
    async fn push(
        self: &Arc<Self>,
        registration: &Registration,
        request: &str,
        tamper: &Tamper,
        trace: &Trace,
    ) -> Result<String, Failure> {
        let metadata = &registration.metadata;
        let alias = metadata.with_certificate(
            |all| &all.pushed_authorization_request_endpoint,
            |all| &all.pushed_authorization_request_endpoint,
        );
        let url = endpoint(alias, "pushed_authorization_request_endpoint")?;
        let answer = self
            .authenticated(registration, &url, vec![("request".to_owned(), request.to_owned())], tamper, trace)
            .await?;
        if answer.status.as_u16() != 201 {
            return Err(refused("the bank's endpoint for pushed requests", &answer));
        }
        let pushed: Pushed =
            answer.json().map_err(|error| Failure::new(format!("the bank's answer to a pushed request: {error}")))?;
        Ok(pushed.request_uri)
    }

    /// What came back for this `state`.
    ///
    /// # Errors
    /// There is no such authorisation.
    pub async fn returned(&self, state: &str) -> Result<Returned, Failure> {
        Ok(self.authorisation(state).await?.0.returned)
    }

    pub(super) async fn authorisation(&self, state: &str) -> Result<(Authorisation, store::Version), Failure> {
        let found = self.records.authorisations.get(&*self.store, state).await?;
        found.ok_or_else(|| Failure::new("there is no authorisation with this state"))
    }

    /// Takes the fragment that the customer's browser brought back. The first answer counts; later ones change nothing.
    ///
    /// # Errors
    /// The `state` is not one of this TPP's, or the answer cannot be checked.
    pub async fn take_answer(self: &Arc<Self>, fragment: &str, trace: &Trace) -> Result<Returned, Failure> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let state = value("state").ok_or_else(|| Failure::new("the bank's answer has no state"))?;
        let (mut authorisation, version) = self.authorisation(&state).await?;
        if authorisation.returned != Returned::NotYet {
            return Ok(authorisation.returned);
        }
        let answer = Fragment {
            code: value("code"),
            id_token: value("id_token"),
            iss: value("iss"),
            error: value("error"),
            description: value("error_description"),
        };
        authorisation.returned = self.judge(&answer, &state, &mut authorisation, trace).await?;
        let change = self.records.authorisations.update(&state, version, &authorisation)?;
        self.store.commit(vec![change]).await?;
        Ok(authorisation.returned)
    }

    async fn judge(
        self: &Arc<Self>,
        answer: &Fragment,
        state: &str,
        authorisation: &mut Authorisation,
        trace: &Trace,
    ) -> Result<Returned, Failure> {
        let registration = self.registration(&authorisation.bank).await?;
        if authorisation.believe {
            return Ok(believed(answer, authorisation));
        }
        let facts = ResponseFacts {
            issuer: registration.metadata.issuer.clone(),
            iss_promised: registration.metadata.authorization_response_iss_parameter_supported == Some(true),
            iss: answer.iss.clone(),
            error: answer.error.is_some(),
            code: answer.code.is_some(),
            id_token: answer.id_token.is_some(),
        };
        if let Err(refusal) = check_response(&facts, &self.switched_off) {
            return Ok(Returned::Distrusted(distrusted("the bank's response is not trusted", &refusal)));
        }
        if let Some(error) = &answer.error {
            return Ok(Returned::Error { error: error.clone(), description: answer.description.clone() });
        }
        let (code, id_token) = (answer.code.clone().unwrap_or_default(), answer.id_token.clone().unwrap_or_default());
        let kid = Jws::parse(&id_token).ok().and_then(|jws| jws.header().kid.clone());
        let keys = self.bank_keys(&registration, kid.as_deref(), trace).await?;
        let expected = Expectation {
            issuer: registration.metadata.issuer.clone(),
            client_id: registration.client_id.clone(),
            nonce: Some(authorisation.nonce.clone()),
            state: Some(state.to_owned()),
            code: Some(code.clone()),
            intent_id: Some(authorisation.consent_id.clone()),
            acr_values: authorisation.acr_values.clone(),
            ..Expectation::default()
        };
        match id_token::check(&id_token, &keys, expected, self.clock.now(), &self.switched_off) {
            Err(refusal) => Ok(Returned::Distrusted(distrusted("the bank's id_token is not trusted", &refusal))),
            Ok((claims, _)) => {
                authorisation.code = Some(code);
                authorisation.subject = claims.sub;
                let id_token = Jws::parse(&id_token)?.claims::<Value>()?;
                Ok(Returned::Code { id_token })
            }
        }
    }
}

/// An attacker takes whatever comes.
fn believed(answer: &Fragment, authorisation: &mut Authorisation) -> Returned {
    if let Some(error) = &answer.error {
        return Returned::Error { error: error.clone(), description: answer.description.clone() };
    }
    authorisation.code.clone_from(&answer.code);
    let claims = answer.id_token.as_deref().and_then(|text| Jws::parse(text).ok()?.claims().ok());
    Returned::Code { id_token: claims.unwrap_or_default() }
}
