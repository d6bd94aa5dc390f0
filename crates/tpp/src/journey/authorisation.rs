//! Sending the customer to the bank, and checking what comes back: plain parameters with an id_token, or a signed answer
//! (JARM).

use std::sync::Arc;

use jose::{Jwks, Jws, KeySet, claims::NumericDate, hash::sha256_base64url};
use openbanking::discovery::ProviderMetadata;
use rules::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulation::Trace;

use super::{LIFETIME, distrusted, endpoint, refused};
use crate::{
    Tpp,
    api::Api,
    id_token,
    id_token::Expectation,
    jarm,
    jarm::{ResponseClaims, SignedResponse},
    profile::{Answers, ResponseMode, ResponseType},
    records::{Authorisation, Registration, at_bank},
    response::{ResponseFacts, check_response, check_state, check_state_unused},
    steps::{Authorise, Failure, Link, Part, Returned},
    tampering::{Made, Tamper},
};

/// Claims of a request object (FAPI 1.0 Part 2, 5.2.2; OpenID Connect Core, 6.1).
#[derive(Debug, Serialize)]
struct RequestObject<'a> {
    iss: &'a str,
    aud: &'a str,
    client_id: &'a str,
    response_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mode: Option<&'a str>,
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

/// Wanted `acr` values, the strongest first (OB Security Profile, acr).
const ACR_VALUES: [&str; 2] = ["urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"];

/// What the bank answered.
#[derive(Debug)]
struct Answer {
    part: Part,
    /// The answer as a whole, when it is signed.
    signed: Option<SignedResponse>,
    state: Option<String>,
    code: Option<String>,
    id_token: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Answer {
    /// Reads the parameters; of a signed answer only what is inside counts.
    fn read(part: Part, text: &str) -> Self {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        match value("response").map(|text| SignedResponse::read(&text)) {
            Some(signed) => {
                let ResponseClaims { iss, state, code, id_token, error, error_description: description, .. } =
                    signed.claims();
                Self { part, signed: Some(signed), state, code, id_token, iss, error, description }
            }
            None => Self {
                part,
                signed: None,
                state: value("state"),
                code: value("code"),
                id_token: value("id_token"),
                iss: value("iss"),
                error: value("error"),
                description: value("error_description"),
            },
        }
    }

    /// Claims of a signed answer, without what is secret.
    fn claims(&self) -> Value {
        let mut claims = self.signed.as_ref().map(SignedResponse::json).unwrap_or_default();
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|name, _| name != "code" && name != "id_token");
        }
        claims
    }
}

/// An answer of a bank that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What came back.
    pub returned: Returned,
    /// Resource of the consent that it was about, such as `domestic-payment-consents`; none where there is none.
    pub kind: Option<String>,
}

impl Tpp {
    /// Makes the link for the customer and remembers what must come back.
    ///
    /// # Errors
    /// The TPP is not registered at the bank, the bank refuses a pushed request, or the store failed.
    pub async fn authorise(self: &Arc<Self>, step: &Authorise, trace: &Trace) -> Result<Link, Failure> {
        let registration = self.registration(&step.bank).await?;
        let member = self.member().await?;
        let api = match (step.api, &step.consent_id) {
            (Some(api), _) => api,
            (None, Some(consent_id)) => self.api_of(&step.bank, consent_id).await?,
            (None, None) => Api::default(),
        };
        let answers = step.answers.or(self.profile.software.answers);
        offered(answers, &registration.metadata)?;
        let response_type = answers.response_type().as_str();
        let scope = format!("openid {}", api.scope());
        let now = self.clock.now();
        let (state, nonce, code_verifier) = (self.chance.token(), self.chance.token(), self.chance.token());
        let acr = json!({ "essential": true, "values": ACR_VALUES });
        let claims = match &step.consent_id {
            None => json!({ "id_token": { "acr": acr } }),
            Some(consent_id) => {
                let intent = json!({ "value": consent_id, "essential": true });
                json!({
                    "id_token": { "openbanking_intent_id": intent, "acr": acr },
                    "userinfo": { "openbanking_intent_id": intent },
                })
            }
        };
        let object = RequestObject {
            iss: &registration.client_id,
            aud: &registration.metadata.issuer,
            client_id: &registration.client_id,
            response_type,
            response_mode: answers.response_mode.map(ResponseMode::as_str),
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
            claims,
        };
        let request = member.signing.sign_claims(Some("oauth-authz-req+jwt"), &object)?;
        let tampered = step.tamper.request_object.as_ref();
        let request = self.forger(&member, |forger| forger.jwt(Made::RequestObject, request, tampered))?;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = vec![
            pair("client_id", &registration.client_id),
            pair("response_type", response_type),
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
            consent_id: step.consent_id.clone().unwrap_or_else(|| state.clone()),
            without_consent: step.consent_id.is_none(),
            scope: step.tamper.is_honest().then(|| scope.clone()),
            answers,
            nonce,
            code_verifier,
            acr_values: ACR_VALUES.map(str::to_owned).to_vec(),
            redirect_uri: self.redirect_uri.clone(),
            believe: step.tamper.believe,
            answer: None,
            returned: Returned::NotYet,
            code: None,
            subject: None,
        };
        let change = self.records.authorisations.insert(&state, &remembered)?;
        self.store.commit(vec![change]).await?;
        Ok(Link {
            url: url.into(),
            state,
            redirect_uri: self.redirect_uri.clone(),
            served: self.serves_redirect_uri,
            consent_id: remembered.consent_id,
        })
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

    /// Takes the answer that the customer's browser brought back, in this part of the redirect URI. The first answer
    /// counts; later ones are refused, and change nothing.
    ///
    /// # Errors
    /// The `state` is not one of this TPP's or was answered already, or the answer cannot be checked.
    pub async fn take_answer(self: &Arc<Self>, part: Part, text: &str, trace: &Trace) -> Result<Taken, Failure> {
        let answer = Answer::read(part, text);
        let known = match &answer.state {
            Some(state) => self.records.authorisations.get(&*self.store, state).await?,
            None => None,
        };
        let (Some((mut authorisation, version)), Some(state)) = (known, answer.state.clone()) else {
            check_state(answer.state.as_deref(), false, &self.switched_off)
                .map_err(|refusal| distrusted("the bank's response is not trusted", &refusal))?;
            // Whichever rule is off: nothing is known that the answer could belong to.
            return Err(Failure::new("there is no authorisation with the state of the bank's answer"));
        };
        let digest = Some(sha256_base64url(text.as_bytes()));
        // A page that is loaded again brings the same answer again, and that is told the same.
        if authorisation.answer == digest {
            return self.taken(authorisation).await;
        }
        let used = authorisation.returned != Returned::NotYet;
        check_state_unused(&state, used, &self.switched_off)
            .map_err(|refusal| distrusted("the bank's response is not trusted", &refusal))?;
        if used {
            return self.taken(authorisation).await;
        }
        authorisation.returned = self.judge(&answer, &state, &mut authorisation, trace).await?;
        authorisation.answer = digest;
        let change = self.records.authorisations.update(&state, version, &authorisation)?;
        self.store.commit(vec![change]).await?;
        self.taken(authorisation).await
    }

    async fn taken(&self, authorisation: Authorisation) -> Result<Taken, Failure> {
        let key = at_bank(&authorisation.bank, &authorisation.consent_id);
        let consent = self.records.consents.get(&*self.store, &key).await?;
        Ok(Taken { returned: authorisation.returned, kind: consent.map(|(consent, _)| consent.kind) })
    }

    async fn judge(
        self: &Arc<Self>,
        answer: &Answer,
        state: &str,
        authorisation: &mut Authorisation,
        trace: &Trace,
    ) -> Result<Returned, Failure> {
        let registration = self.registration(&authorisation.bank).await?;
        if authorisation.believe {
            return Ok(believed(answer, authorisation));
        }
        let untrusted = |what: &str, refusal: &Refusal<()>| Ok(Returned::Distrusted(distrusted(what, refusal)));
        let keys = match &answer.signed {
            Some(signed) => self.bank_keys(&registration, signed.kid(), trace).await?,
            None => Arc::new(KeySet::from_jwks(&Jwks::default())),
        };
        let expected = jarm::Expectation {
            asked: authorisation.answers.response_mode.is_some(),
            issuer: registration.metadata.issuer.clone(),
            client_id: registration.client_id.clone(),
            algorithm: registration.algorithm(),
        };
        if let Err(refusal) = jarm::check(answer.signed.as_ref(), &keys, expected, self.clock.now(), &self.switched_off)
        {
            return untrusted("the bank's answer is not trusted", &refusal);
        }
        let signed = answer.signed.is_some();
        let promised = registration.metadata.authorization_response_iss_parameter_supported == Some(true);
        let facts = ResponseFacts {
            issuer: registration.metadata.issuer.clone(),
            // RFC 9207, 2.4: a signed answer names its issuer inside, which is a rule of its own.
            iss_promised: promised && !signed,
            iss: answer.iss.clone().filter(|_| !signed),
            error: answer.error.is_some(),
            code: answer.code.is_some(),
            id_token: answer.id_token.is_some(),
            id_token_needed: authorisation.answers.response_type() == ResponseType::CodeIdToken,
            in_query: answer.part == Part::Query,
            signed,
        };
        if let Err(refusal) = check_response(&facts, &self.switched_off) {
            return untrusted("the bank's response is not trusted", &refusal);
        }
        if let Some(error) = &answer.error {
            return Ok(Returned::Error { error: error.clone(), description: answer.description.clone() });
        }
        let code = answer.code.clone().unwrap_or_default();
        let Some(id_token) = &answer.id_token else {
            authorisation.code = Some(code);
            return Ok(Returned::Code { id_token: Value::Null, response: answer.claims() });
        };
        let kid = Jws::parse(id_token).ok().and_then(|jws| jws.header().kid.clone());
        let keys = self.bank_keys(&registration, kid.as_deref(), trace).await?;
        let expected = Expectation {
            issuer: registration.metadata.issuer.clone(),
            client_id: registration.client_id.clone(),
            algorithm: registration.algorithm(),
            nonce: Some(authorisation.nonce.clone()),
            state: Some(state.to_owned()),
            code: Some(code.clone()),
            intent_id: authorisation.intent_id().map(str::to_owned),
            acr_values: authorisation.acr_values.clone(),
            access_token: None,
            subject: None,
        };
        match id_token::check(id_token, &keys, expected, self.clock.now(), &self.switched_off) {
            Err(refusal) => untrusted("the bank's id_token is not trusted", &refusal),
            Ok((claims, _)) => {
                authorisation.code = Some(code);
                authorisation.subject = claims.sub;
                let id_token = Jws::parse(id_token)?.claims::<Value>()?;
                Ok(Returned::Code { id_token, response: answer.claims() })
            }
        }
    }
}

/// Whether the bank says that it can answer so.
fn offered(answers: Answers, metadata: &ProviderMetadata) -> Result<(), Failure> {
    let refuse = |name: &str, asked: &str, known: &[String]| {
        Failure::new(format!("the bank offers no {name} {asked}; it offers {}", known.join(", ")))
    };
    let response_type = answers.response_type().as_str();
    if let Some(known) = &metadata.response_types_supported
        && !known.iter().any(|one| one == response_type)
    {
        return Err(refuse("response_type", response_type, known));
    }
    if let (Some(mode), Some(known)) =
        (answers.response_mode.map(ResponseMode::as_str), &metadata.response_modes_supported)
        && !known.iter().any(|one| one == mode)
    {
        return Err(refuse("response_mode", mode, known));
    }
    Ok(())
}

/// An attacker takes whatever comes.
fn believed(answer: &Answer, authorisation: &mut Authorisation) -> Returned {
    if let Some(error) = &answer.error {
        return Returned::Error { error: error.clone(), description: answer.description.clone() };
    }
    authorisation.code.clone_from(&answer.code);
    let claims = answer.id_token.as_deref().and_then(|text| Jws::parse(text).ok()?.claims().ok());
    Returned::Code { id_token: claims.unwrap_or_default(), response: answer.claims() }
}
