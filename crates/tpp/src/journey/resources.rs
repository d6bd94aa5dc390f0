//! Calling the bank's APIs.

use std::{collections::BTreeMap, sync::Arc};

use http::{HeaderMap, Method};
use openbanking::{headers::FAPI_INTERACTION_ID, version::ApiVersion};
use simulation::Trace;
use transport::Answer;
use url::Url;

use super::{distrusted, label};
use crate::{
    Tpp,
    api::Api,
    message_signature,
    records::{Registration, json_body},
    resource::{self, ResourceFacts},
    steps::{Answered, Bearer, Body, Call, Dress, Failure, Sent, Token},
    tampering::Tamper,
};

const JSON: &str = "application/json; charset=utf-8";
const SIGNATURE: &str = "x-jws-signature";
const IDEMPOTENCY_KEY: &str = "x-idempotency-key";

impl Registration {
    /// URL of a resource of an API; links that the bank gave are taken as they are.
    ///
    /// # Errors
    /// It is not a URL, or not one of this bank.
    pub fn resource(&self, version: ApiVersion, api: Api, path: &str) -> Result<Url, Failure> {
        let base = self.resource_base.trim_end_matches('/');
        let base = format!("{base}/{}/{}", version.path_segment(), api.segment());
        let text = if path.starts_with("https://") { path.to_owned() } else { format!("{base}{path}") };
        let url = Url::parse(&text).map_err(|error| Failure::new(format!("{text}: {error}")))?;
        let own = Url::parse(&self.resource_base).is_ok_and(|base| base.origin() == url.origin());
        if own { Ok(url) } else { Err(Failure::new(format!("{url} is not at {}", self.resource_base))) }
    }
}

/// A request to an API of the bank.
pub(super) struct Outgoing<'a> {
    pub(super) registration: &'a Registration,
    pub(super) api: Api,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: Option<String>,
    /// Whose that is.
    pub(super) whose: Bearer,
    /// Whether it may be told.
    pub(super) reveal: bool,
    pub(super) dress: &'a Dress,
    pub(super) body: Option<Body>,
    pub(super) tamper: &'a Tamper,
}

impl Outgoing<'_> {
    fn writes(&self) -> bool {
        matches!(self.method, Method::POST | Method::PUT | Method::PATCH)
    }

    fn given(&self, name: &str) -> bool {
        self.dress.headers.keys().any(|header| header.eq_ignore_ascii_case(name))
    }
}

impl Tpp {
    /// Calls the bank's API and answers with whatever it said.
    ///
    /// # Errors
    /// There is no token to call with, the bank could not be reached, or its answer is not trusted.
    pub async fn call(self: &Arc<Self>, call: &Call, trace: &Trace) -> Result<Answered, Failure> {
        let registration = self.registration(&call.bank).await?;
        let api = match (call.api, call.consent_id.as_deref()) {
            (Some(api), _) => api,
            (None, Some(consent_id)) => self.api_of(&call.bank, consent_id).await?,
            (None, None) => Api::default(),
        };
        let method = Method::from_bytes(call.method.to_uppercase().as_bytes())
            .map_err(|_| Failure::new(format!("{} is not an HTTP method", call.method)))?;
        let (whose, token) = match (&call.bearer, call.token) {
            (Some(bearer), _) => (Bearer::Given, Some(bearer.clone())),
            (None, Token::None) => (Bearer::None, None),
            (None, Token::Client) => (Bearer::Client, Some(self.client_token(&registration, api, trace).await?)),
            (None, Token::Customer) => {
                let id = call.consent_id.as_deref().ok_or_else(|| Failure::new("the call names no consent"))?;
                (Bearer::Customer, Some(self.token_set(&call.bank, id).await?.access_token))
            }
        };
        let outgoing = Outgoing {
            registration: &registration,
            api,
            method,
            url: registration.resource(call.version, api, &call.path)?,
            token,
            whose,
            reveal: call.reveal,
            dress: &call.dress,
            body: call.body.clone(),
            tamper: &call.tamper,
        };
        let answer = self.send(outgoing, trace).await?;
        if answer.status == 401 && call.token == Token::Client {
            self.forget_client_token(&registration, api);
        }
        Ok(answer)
    }

    /// Sends a request: with its token, signed where the API asks for it; checks the answer's signature likewise.
    pub(super) async fn send(self: &Arc<Self>, outgoing: Outgoing<'_>, trace: &Trace) -> Result<Answered, Failure> {
        let Outgoing { registration, api, tamper, dress, .. } = outgoing;
        let client = self.client(tamper.certificate).await?;
        let writes = outgoing.writes();
        let mut headers = dress.headers.clone();
        if !outgoing.given("accept") {
            headers.insert("accept".to_owned(), "application/json".to_owned());
        }
        if !outgoing.given(FAPI_INTERACTION_ID) {
            headers.insert(FAPI_INTERACTION_ID.to_owned(), self.chance.uuid().to_string());
        }
        if let Some(key) = &dress.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY.to_owned(), key.clone());
        } else if writes && api.idempotent() && !outgoing.given(IDEMPOTENCY_KEY) {
            headers.insert(IDEMPOTENCY_KEY.to_owned(), self.chance.identifier(32));
        }
        let mut content = None;
        if let Some(body) = &outgoing.body {
            let (content_type, text) = match body {
                Body::Json(value) => {
                    (JSON, serde_json::to_string(value).map_err(|error| Failure::new(error.to_string()))?)
                }
                Body::Text { content_type, text } => (content_type.as_str(), text.clone()),
            };
            let wanted = dress.sign.unwrap_or(writes && api.signs()) || tamper.message_signature.is_some();
            if wanted && !outgoing.given(SIGNATURE) {
                let cty = (content_type != JSON).then(|| content_type.to_owned());
                let altered = tamper.message_signature.as_ref();
                if let Some(signature) = self.sign_message(text.as_bytes(), cty, altered).await? {
                    headers.insert(SIGNATURE.to_owned(), signature);
                }
            }
            content = Some((content_type, text));
        }
        let mut request =
            client.request(outgoing.method.clone(), &outgoing.url).to(&label(&registration.bank)).trace(trace);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        if let Some(token) = &outgoing.token {
            request = request.bearer(token);
        }
        if let Some((content_type, text)) = &content {
            request = request.body(content_type, text.clone());
        }
        let answer = request.send().await?;
        let sent = Sent {
            method: outgoing.method.to_string(),
            url: outgoing.url.to_string(),
            headers: headers
                .into_iter()
                .chain(content.iter().map(|(content_type, _)| ("content-type".to_owned(), (*content_type).to_owned())))
                .collect(),
            token: outgoing.whose,
            access_token: outgoing.token.clone().filter(|_| outgoing.reveal),
            certificate: tamper.certificate,
            body: content.map(|(_, text)| text),
        };
        if !tamper.believe
            && let Err(failure) = self.check_answer(&outgoing, &sent.headers, &answer, trace).await
        {
            return Err(Failure { sent: Some(Box::new(sent)), ..failure });
        }
        Ok(Answered { sent: Some(Box::new(sent)), ..answered(&answer) })
    }

    /// The rules for an answer: whose signature it has, and that it is about what was asked for.
    async fn check_answer(
        self: &Arc<Self>,
        outgoing: &Outgoing<'_>,
        headers: &BTreeMap<String, String>,
        answer: &Answer,
        trace: &Trace,
    ) -> Result<(), Failure> {
        let header = |wanted: &str| {
            let mut named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.next().map(|(_, value)| value.clone())
        };
        let signature = answer.header(SIGNATURE);
        let success = answer.status.is_success();
        // OB Read/Write 4.0.1: an uploaded file is answered without a signature.
        let upload = outgoing.method == Method::POST && outgoing.url.path().ends_with("/file");
        let needed = outgoing.api.signs() && success && !answer.body.is_empty() && !upload;
        if needed || (outgoing.api.signs() && signature.is_some()) {
            let kid = signature.and_then(message_signature::kid);
            let keys = self.bank_keys(outgoing.registration, kid.as_deref(), trace).await?;
            let expected = message_signature::Expectation {
                issuer: outgoing.registration.organisation_id.clone(),
                now: self.clock.now(),
            };
            message_signature::check(signature, &answer.body, &keys, expected, &self.switched_off)
                .map_err(|refusal| distrusted("the bank's answer is not trusted", &refusal))?;
        }
        if success {
            let facts = ResourceFacts {
                method: outgoing.method.clone(),
                asked: outgoing.url.clone(),
                interaction_id: header(FAPI_INTERACTION_ID).unwrap_or_default(),
                played_back: answer.interaction_id.clone(),
                accept: header("accept").unwrap_or_default(),
                sent: match &outgoing.body {
                    Some(Body::Json(sent)) => Some(sent.clone()),
                    Some(Body::Text { .. }) | None => None,
                },
                media_type: answer.header("content-type").map(str::to_owned),
                length: answer.body.len(),
                body: json_body(&answer.body),
            };
            resource::check(&facts, &self.switched_off)
                .map_err(|refusal| distrusted("the bank's answer is not trusted", &refusal))?;
        }
        Ok(())
    }
}

fn answered(answer: &Answer) -> Answered {
    let body = json_body(&answer.body);
    let text =
        (body.is_none() && !answer.body.is_empty()).then(|| String::from_utf8(answer.body.to_vec()).ok()).flatten();
    Answered { status: answer.status.as_u16(), headers: texts(&answer.headers), body, text, sent: None }
}

/// Headers as text.
pub(super) fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
