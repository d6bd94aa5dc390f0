//! Tokens: the TPP's own, those that customers authorised, and their refreshment.

use std::sync::Arc;

use http::Method;
use jose::Jws;
use serde::Deserialize;
use simulation::Trace;
use time::Duration;

use super::{distrusted, refused, token_endpoint};
use crate::{
    Tpp, id_token,
    id_token::Expectation,
    records::{Registration, TokenSet},
    steps::{Failure, Tokens},
};

/// RFC 7523, 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A successful answer of a token endpoint (RFC 6749, 5.1).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    expires_in: Option<i64>,
    scope: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

/// What an id_token of the token endpoint must fit.
struct About<'a> {
    nonce: Option<String>,
    intent_id: &'a str,
    acr_values: Vec<String>,
    subject: Option<String>,
    id_token_needed: bool,
}

fn key(registration: &Registration, scope: &str) -> String {
    format!("{}\n{scope}", registration.client_id)
}

impl Tpp {
    /// The TPP's own token for a scope; kept while it lives.
    ///
    /// # Errors
    /// The bank cannot be reached or refuses.
    pub async fn client_token(
        self: &Arc<Self>,
        registration: &Registration,
        scope: &str,
        trace: &Trace,
    ) -> Result<String, Failure> {
        let key = key(registration, scope);
        if let Some(token) = self.client_tokens.get(&key, self.clock.now()) {
            return Ok(token);
        }
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = self.ask_token(registration, &form, trace).await?;
        self.client_tokens.put(&key, &answer.access_token, self.expiry(answer.expires_in));
        Ok(answer.access_token)
    }

    /// Forgets a token of the TPP's own that the bank no longer takes.
    pub(super) fn forget_client_token(&self, registration: &Registration, scope: &str) {
        self.client_tokens.forget(&key(registration, scope));
    }

    /// Redeems the code of an authorisation.
    ///
    /// # Errors
    /// No trusted code came back, the bank refuses, or its answer is not trusted.
    pub async fn exchange_code(self: &Arc<Self>, state: &str, trace: &Trace) -> Result<Tokens, Failure> {
        let (mut authorisation, version) = self.authorisation(state).await?;
        let Some(code) = authorisation.code.clone() else {
            return Err(Failure::new("no code came back for this authorisation that was not redeemed already"));
        };
        let registration = self.registration(&authorisation.bank).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", authorisation.redirect_uri.as_str()),
            ("code_verifier", authorisation.code_verifier.as_str()),
        ];
        let answer = self.ask_token(&registration, &form, trace).await?;
        let about = About {
            nonce: Some(authorisation.nonce.clone()),
            intent_id: &authorisation.consent_id,
            acr_values: authorisation.acr_values.clone(),
            subject: authorisation.subject.clone(),
            id_token_needed: true,
        };
        let tokens = self.trusted(&registration, answer, about, trace).await?;
        authorisation.code = None;
        let changes = vec![
            self.records.authorisations.update(state, version, &authorisation)?,
            self.records.tokens.put(&authorisation.consent_id, &tokens)?,
        ];
        self.store.commit(changes).await?;
        Ok(self.report(&tokens))
    }

    /// Gets a new access token for a consent.
    ///
    /// # Errors
    /// There is no refresh token, the bank refuses, or its answer is not trusted.
    pub async fn refresh(self: &Arc<Self>, consent_id: &str, trace: &Trace) -> Result<Tokens, Failure> {
        let before = self.token_set(consent_id).await?;
        let Some(refresh_token) = before.refresh_token.clone() else {
            return Err(Failure::new("the bank gave no refresh token for this consent"));
        };
        let registration = self.registration(&before.bank).await?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let answer = self.ask_token(&registration, &form, trace).await?;
        let about = About {
            nonce: None,
            intent_id: consent_id,
            acr_values: Vec::new(),
            subject: before.subject.clone(),
            id_token_needed: false,
        };
        let mut tokens = self.trusted(&registration, answer, about, trace).await?;
        tokens.refresh_token = tokens.refresh_token.or(before.refresh_token);
        tokens.subject = tokens.subject.or(before.subject);
        let change = self.records.tokens.put(consent_id, &tokens)?;
        self.store.commit(vec![change]).await?;
        Ok(self.report(&tokens))
    }

    pub(super) async fn token_set(&self, consent_id: &str) -> Result<TokenSet, Failure> {
        let found = self.records.tokens.get(&*self.store, consent_id).await?;
        found
            .map(|(tokens, _)| tokens)
            .ok_or_else(|| Failure::new(format!("there are no tokens for the consent {consent_id}")))
    }

    async fn ask_token(
        self: &Arc<Self>,
        registration: &Registration,
        form: &[(&str, &str)],
        trace: &Trace,
    ) -> Result<TokenAnswer, Failure> {
        let url = token_endpoint(&registration.metadata)?;
        let assertion = self.client_assertion(registration).await?;
        let mut form = form.to_vec();
        form.push(("client_assertion_type", ASSERTION_TYPE));
        form.push(("client_assertion", &assertion));
        let answer = self.request(Method::POST, &url, &registration.bank, trace).await?.form(&form).send().await?;
        if answer.status.as_u16() != 200 {
            return Err(refused("the bank's token endpoint", &answer));
        }
        let tokens: TokenAnswer =
            answer.json().map_err(|error| Failure::new(format!("the bank's token answer: {error}")))?;
        if !tokens.token_type.eq_ignore_ascii_case("bearer") {
            return Err(Failure::new(format!("the bank's token_type is {}, not Bearer", tokens.token_type)));
        }
        Ok(tokens)
    }

    async fn trusted(
        self: &Arc<Self>,
        registration: &Registration,
        answer: TokenAnswer,
        about: About<'_>,
        trace: &Trace,
    ) -> Result<TokenSet, Failure> {
        let mut subject = None;
        match &answer.id_token {
            None if about.id_token_needed => return Err(Failure::new("the bank's token answer has no id_token")),
            None => {}
            Some(id_token) => {
                let kid = Jws::parse(id_token).ok().and_then(|jws| jws.header().kid.clone());
                let keys = self.bank_keys(registration, kid.as_deref(), trace).await?;
                let expected = Expectation {
                    issuer: registration.metadata.issuer.clone(),
                    client_id: registration.client_id.clone(),
                    nonce: about.nonce,
                    access_token: Some(answer.access_token.clone()),
                    intent_id: Some(about.intent_id.to_owned()),
                    acr_values: about.acr_values,
                    subject: about.subject,
                    ..Expectation::default()
                };
                let (claims, _) = id_token::check(id_token, &keys, expected, self.clock.now(), &self.switched_off)
                    .map_err(|refusal| distrusted("the id_token of the token endpoint is not trusted", &refusal))?;
                subject = claims.sub;
            }
        }
        Ok(TokenSet {
            bank: registration.bank.clone(),
            expires_at: Some(self.expiry(answer.expires_in)),
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            scope: answer.scope,
            subject,
        })
    }

    /// When a token is no longer used: a little before the bank stops taking it.
    fn expiry(&self, expires_in: Option<i64>) -> time::OffsetDateTime {
        self.clock.now() + Duration::seconds(expires_in.unwrap_or(60).saturating_sub(5))
    }

    fn report(&self, tokens: &TokenSet) -> Tokens {
        Tokens {
            scope: tokens.scope.clone(),
            expires_in: tokens.expires_at.map(|at| (at - self.clock.now()).whole_seconds()),
            refreshable: tokens.refresh_token.is_some(),
        }
    }
}
