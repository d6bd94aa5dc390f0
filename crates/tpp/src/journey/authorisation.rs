//! Sending the customer to the bank, and checking what comes back.

use std::sync::Arc;

use jose::{Jws, claims::NumericDate, hash::sha256_base64url};
use serde::Serialize;
use serde_json::{Value, json};
use simulation::Trace;

use super::{LIFETIME, distrusted, endpoint};
use crate::{
    Tpp, id_token,
    id_token::Expectation,
    records::Authorisation,
    steps::{Failure, Link, Returned},
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

const RESPONSE_TYPE: &str = "code id_token";
const SCOPE: &str = "openid accounts";

/// Wanted `acr` values, the strongest first (OB Security Profile, acr).
const ACR_VALUES: [&str; 2] = ["urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"];

/// What the bank put into the fragment.
#[derive(Debug, Default)]
struct Fragment {
    code: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Tpp {
    /// Makes the link for the customer and remembers what must come back.
    ///
    /// # Errors
    /// The TPP is not registered at the bank, or the store failed.
    pub async fn authorise(self: &Arc<Self>, bank: &str, consent_id: &str) -> Result<Link, Failure> {
        let registration = self.registration(bank).await?;
        let member = self.member().await?;
        let now = self.clock.now();
        let (state, nonce, code_verifier) = (self.chance.token(), self.chance.token(), self.chance.token());
        let intent = json!({ "value": consent_id, "essential": true });
        let object = RequestObject {
            iss: &registration.client_id,
            aud: &registration.metadata.issuer,
            client_id: &registration.client_id,
            response_type: RESPONSE_TYPE,
            redirect_uri: &self.redirect_uri,
            scope: SCOPE,
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
        let mut url = endpoint(registration.metadata.authorization_endpoint.as_deref(), "authorization_endpoint")?;
        url.query_pairs_mut()
            .append_pair("client_id", &registration.client_id)
            .append_pair("response_type", RESPONSE_TYPE)
            .append_pair("scope", SCOPE)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("request", &request);
        let remembered = Authorisation {
            bank: bank.to_owned(),
            consent_id: consent_id.to_owned(),
            nonce,
            code_verifier,
            acr_values: ACR_VALUES.map(str::to_owned).to_vec(),
            redirect_uri: self.redirect_uri.clone(),
            returned: Returned::NotYet,
            code: None,
            subject: None,
        };
        let change = self.records.authorisations.insert(&state, &remembered)?;
        self.store.commit(vec![change]).await?;
        Ok(Link { url: url.into(), state })
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
        if let Some(error) = &answer.error {
            return Ok(Returned::Error { error: error.clone(), description: answer.description.clone() });
        }
        let (Some(code), Some(id_token)) = (&answer.code, &answer.id_token) else {
            return Ok(Returned::Distrusted(Failure::new("the bank's answer has no code or no id_token")));
        };
        let registration = self.registration(&authorisation.bank).await?;
        let kid = Jws::parse(id_token).ok().and_then(|jws| jws.header().kid.clone());
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
        match id_token::check(id_token, &keys, expected, self.clock.now(), &self.switched_off) {
            Err(refusal) => Ok(Returned::Distrusted(distrusted("the bank's id_token is not trusted", &refusal))),
            Ok((claims, _)) => {
                authorisation.code = Some(code.clone());
                authorisation.subject = claims.sub;
                let id_token = Jws::parse(id_token)?.claims::<Value>()?;
                Ok(Returned::Code { id_token })
            }
        }
    }
}
