//! Calling the bank's API.

use std::{collections::BTreeMap, sync::Arc};

use http::Method;
use openbanking::version::ApiVersion;
use simulation::Trace;
use url::Url;

use crate::{
    Tpp,
    records::{Registration, json_body},
    steps::{Answered, Call, Failure, Token},
};

impl Registration {
    /// URL of an account information resource; links that the bank gave are taken as they are.
    ///
    /// # Errors
    /// It is not a URL, or not one of this bank.
    pub fn resource(&self, version: ApiVersion, path: &str) -> Result<Url, Failure> {
        let base = format!("{}/{}/aisp", self.resource_base.trim_end_matches('/'), version.path_segment());
        let text = if path.starts_with("https://") { path.to_owned() } else { format!("{base}{path}") };
        let url = Url::parse(&text).map_err(|error| Failure::new(format!("{text}: {error}")))?;
        let own = Url::parse(&self.resource_base).is_ok_and(|base| base.origin() == url.origin());
        if own { Ok(url) } else { Err(Failure::new(format!("{url} is not at {}", self.resource_base))) }
    }
}

impl Tpp {
    /// Calls the bank's API and answers with whatever it said.
    ///
    /// # Errors
    /// There is no token to call with, or the bank could not be reached.
    pub async fn call(self: &Arc<Self>, call: &Call, trace: &Trace) -> Result<Answered, Failure> {
        let registration = self.registration(&call.bank).await?;
        let url = registration.resource(call.version, &call.path)?;
        let method = Method::from_bytes(call.method.to_uppercase().as_bytes())
            .map_err(|_| Failure::new(format!("{} is not an HTTP method", call.method)))?;
        let mut request = self.request(method, &url, &call.bank, trace).await?;
        if !call.headers.keys().any(|name| name.eq_ignore_ascii_case("accept")) {
            request = request.header("accept", "application/json");
        }
        let token = match call.token {
            Token::None => None,
            Token::Client => Some(self.client_token(&registration, "accounts", trace).await?),
            Token::Customer => {
                let id = call.consent_id.as_deref().ok_or_else(|| Failure::new("the call names no consent"))?;
                Some(self.token_set(id).await?.access_token)
            }
        };
        if let Some(token) = &token {
            request = request.bearer(token);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        if answer.status.as_u16() == 401 && call.token == Token::Client {
            self.forget_client_token(&registration, "accounts");
        }
        let headers: BTreeMap<String, String> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(Answered { status: answer.status.as_u16(), headers, body: json_body(&answer.body) })
    }
}
