//! Tokens: the TPP's own, those that customers authorised, and their refreshment.

use std::sync::Arc;

use http::Method;
use jose::Jws;
use openbanking::registration::ASSERTION_TYPE;
use party::authorization_server::seen;
use serde::Deserialize;
use serde_json::Value;
use simulation::Trace;
use store::Range;
use time::{Duration, OffsetDateTime};
use transport::Answer;
use url::Url;

use super::{distrusted, endpoint, label, refused, token_endpoint};
use crate::{
    Tpp,
    api::Api,
    id_token,
    id_token::Expectation,
    profile::Authentication,
    records::{Registration, TokenSet, at_bank},
    response::{LONGEST, TokenFacts, check_own_bank, check_token},
    steps::{ClientToken, ExchangeCode, Failure, Refresh, Revoke, RevokedToken, Tokens},
    tampering::{Made, Tamper},
};

/// How many seconds a token of the TPP's own is used for when the bank does not say how long it lives.
const UNTOLD: i64 = 60;
/// How long before its end a token of the TPP's own is no longer used.
const MARGIN: Duration = Duration::seconds(5);

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

/// What is asked of a token endpoint.
struct Asking {
    form: Vec<(String, String)>,
    /// The scope that comes of it; none when it is not known.
    scope: Option<String>,
    id_token_needed: bool,
}

/// What an id_token of the token endpoint must fit.
struct About<'a> {
    nonce: Option<String>,
    intent_id: Option<&'a str>,
    acr_values: Vec<String>,
    subject: Option<String>,
}

/// Tokens that are trusted, and the claims of their id_token.
struct Trusted {
    tokens: TokenSet,
    id_token: Value,
}

/// The key of a token of the TPP's own. Banks choose the `client_id`, so that one alone may be another bank's too.
fn key(registration: &Registration, api: Api) -> String {
    format!("{}\n{}\n{}", registration.bank, registration.client_id, api.scope())
}

fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl Tpp {
    /// The TPP's own token for an API; kept while it lives.
    ///
    /// # Errors
    /// The bank cannot be reached or refuses.
    pub async fn client_token(
        self: &Arc<Self>,
        registration: &Registration,
        api: Api,
        trace: &Trace,
    ) -> Result<String, Failure> {
        let key = key(registration, api);
        if let Some(token) = self.client_tokens.get(&key, self.clock.now()) {
            return Ok(token);
        }
        let answer = self.ask_client_token(registration, api, &Tamper::default(), trace).await?;
        let until = self.end(answer.expires_in.unwrap_or(UNTOLD)) - MARGIN;
        self.client_tokens.put(&key, &answer.access_token, until);
        Ok(answer.access_token)
    }

    /// A new token of the TPP's own; it is not kept.
    ///
    /// # Errors
    /// The bank cannot be reached or refuses.
    pub async fn new_client_token(self: &Arc<Self>, step: &ClientToken, trace: &Trace) -> Result<Tokens, Failure> {
        let registration = self.registration(&step.bank).await?;
        let answer = self.ask_client_token(&registration, step.api, &step.tamper, trace).await?;
        Ok(Tokens {
            scope: answer.scope,
            expires_in: answer.expires_in,
            refreshable: answer.refresh_token.is_some(),
            id_token: Value::Null,
            access_token: step.reveal.then_some(answer.access_token),
            refresh_token: None,
        })
    }

    async fn ask_client_token(
        self: &Arc<Self>,
        registration: &Registration,
        api: Api,
        tamper: &Tamper,
        trace: &Trace,
    ) -> Result<TokenAnswer, Failure> {
        let form = form(&[("grant_type", "client_credentials"), ("scope", api.scope())]);
        let asking = Asking { form, scope: Some(api.scope().to_owned()), id_token_needed: false };
        self.ask_token(registration, asking, tamper, trace).await
    }

    /// Forgets a token of the TPP's own that the bank no longer takes.
    pub(super) fn forget_client_token(&self, registration: &Registration, api: Api) {
        self.client_tokens.forget(&key(registration, api));
    }

    /// Redeems the code of an authorisation.
    ///
    /// # Errors
    /// No trusted code came back, the bank refuses, or its answer is not trusted.
    pub async fn exchange_code(self: &Arc<Self>, step: &ExchangeCode, trace: &Trace) -> Result<Tokens, Failure> {
        let (mut authorisation, version) = self.authorisation(&step.state).await?;
        let given = step.tamper.parameters.as_ref().is_some_and(|parameters| parameters.gives("code"));
        let code = match authorisation.code.clone() {
            Some(code) => code,
            None if given => String::new(),
            None => return Err(Failure::new("no code came back for this authorisation that was not redeemed already")),
        };
        let registration = self.registration(&authorisation.bank).await?;
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &authorisation.redirect_uri),
            ("code_verifier", &authorisation.code_verifier),
        ]);
        let asking = Asking { form, scope: authorisation.scope.clone(), id_token_needed: true };
        let answer = self.ask_token(&registration, asking, &step.tamper, trace).await?;
        let about = About {
            nonce: Some(authorisation.nonce.clone()),
            intent_id: authorisation.intent_id(),
            acr_values: authorisation.acr_values.clone(),
            subject: authorisation.subject.clone(),
        };
        let trusted = self.trusted(&registration, answer, about, step.tamper.believe, trace).await?;
        authorisation.code = None;
        let mut trusted = trusted;
        trusted.tokens.without_consent = authorisation.without_consent;
        let changes = vec![
            self.records.authorisations.update(&step.state, version, &authorisation)?,
            self.records.tokens.put(at_bank(&authorisation.bank, &authorisation.consent_id), &trusted.tokens)?,
        ];
        self.store.commit(changes).await?;
        Ok(self.report(trusted, step.reveal))
    }

    /// Gets a new access token for a consent.
    ///
    /// # Errors
    /// There is no refresh token, the bank refuses, or its answer is not trusted.
    pub async fn refresh(self: &Arc<Self>, step: &Refresh, trace: &Trace) -> Result<Tokens, Failure> {
        let bank = self.bank_of_refresh(step).await?;
        let before = self.token_set(&bank, &step.consent_id).await?;
        let intent = (!before.without_consent).then_some(step.consent_id.as_str());
        let given = step.tamper.parameters.as_ref().is_some_and(|parameters| parameters.gives("refresh_token"));
        let refresh_token = match before.refresh_token.clone() {
            Some(token) => token,
            None if given => String::new(),
            None => return Err(Failure::new("the bank gave no refresh token for this consent")),
        };
        let registration = self.registration(&bank).await?;
        let form = form(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]);
        let asking = Asking { form, scope: before.scope.clone(), id_token_needed: false };
        let answer = self.ask_token(&registration, asking, &step.tamper, trace).await?;
        let about = About { nonce: None, intent_id: intent, acr_values: Vec::new(), subject: before.subject.clone() };
        let mut trusted = self.trusted(&registration, answer, about, step.tamper.believe, trace).await?;
        let tokens = &mut trusted.tokens;
        tokens.without_consent = before.without_consent;
        tokens.refresh_token = tokens.refresh_token.take().or(before.refresh_token);
        tokens.subject = tokens.subject.take().or(before.subject);
        let change = self.records.tokens.put(at_bank(&bank, &step.consent_id), tokens)?;
        self.store.commit(vec![change]).await?;
        Ok(self.report(trusted, step.reveal))
    }

    /// Gives a token of a consent back (RFC 7009).
    ///
    /// # Errors
    /// There is no such token, or the bank cannot be reached or refuses.
    pub async fn revoke(self: &Arc<Self>, step: &Revoke, trace: &Trace) -> Result<(), Failure> {
        let registration = self.registration(&step.bank).await?;
        let tokens = self.token_set(&step.bank, &step.consent_id).await?;
        let (token, hint) = match step.token {
            RevokedToken::RefreshToken => (tokens.refresh_token, "refresh_token"),
            RevokedToken::AccessToken => (Some(tokens.access_token), "access_token"),
        };
        let token = token.ok_or_else(|| Failure::new("the bank gave no refresh token for this consent"))?;
        let metadata = &registration.metadata;
        let alias = metadata.with_certificate(|all| &all.revocation_endpoint, |all| &all.revocation_endpoint);
        let url = endpoint(alias, "revocation_endpoint")?;
        let form = form(&[("token", &token), ("token_type_hint", hint)]);
        let answer = self.authenticated(&registration, &url, form, &step.tamper, trace).await?;
        if answer.status.is_success() { Ok(()) } else { Err(refused("the bank's revocation endpoint", &answer)) }
    }

    /// The tokens of a consent at this bank. Banks choose identifiers as they like: that of a consent alone may name one
    /// of another bank, whose tokens this bank must not see.
    pub(super) async fn token_set(&self, bank: &str, consent_id: &str) -> Result<TokenSet, Failure> {
        if let Some((tokens, _)) = self.records.tokens.get(&*self.store, &at_bank(bank, consent_id)).await? {
            return Ok(tokens);
        }
        let none = || Failure::new(format!("there are no tokens of {bank} for the consent {consent_id}"));
        let elsewhere = self.tokens_anywhere(consent_id).await?.into_iter().next().ok_or_else(none)?;
        check_own_bank(&elsewhere.bank, bank, &self.switched_off)
            .map_err(|refusal| distrusted("the token is not sent", &refusal))?;
        Ok(elsewhere)
    }

    /// The tokens of consents with this identifier, at whatever bank.
    async fn tokens_anywhere(&self, consent_id: &str) -> Result<Vec<TokenSet>, Failure> {
        let all = self.records.tokens.range(&*self.store, Range::all()).await?;
        let of_consent =
            |(key, tokens, _): (String, TokenSet, _)| (key == at_bank(&tokens.bank, consent_id)).then_some(tokens);
        Ok(all.into_iter().filter_map(of_consent).collect())
    }

    /// The bank that a refresh goes to: the one that the step names, or the only one with such a consent.
    async fn bank_of_refresh(&self, step: &Refresh) -> Result<String, Failure> {
        if let Some(bank) = &step.bank {
            return Ok(bank.clone());
        }
        let consent_id = &step.consent_id;
        match self.tokens_anywhere(consent_id).await?.as_slice() {
            [] => Err(Failure::new(format!("there are no tokens for the consent {consent_id}"))),
            [only] => Ok(only.bank.clone()),
            _ => Err(Failure::new(format!("more than one bank has a consent {consent_id}; name the bank"))),
        }
    }

    async fn ask_token(
        self: &Arc<Self>,
        registration: &Registration,
        asking: Asking,
        tamper: &Tamper,
        trace: &Trace,
    ) -> Result<TokenAnswer, Failure> {
        let url = token_endpoint(&registration.metadata)?;
        let Asking { form, scope, id_token_needed } = asking;
        let given = tamper.parameters.as_ref().and_then(|parameters| parameters.set.get("scope"));
        let asked = given.cloned().or(scope);
        let answer = self.authenticated(registration, &url, form, tamper, trace).await?;
        if answer.status.as_u16() != 200 {
            return Err(refused("the bank's token endpoint", &answer));
        }
        let tokens: TokenAnswer =
            answer.json().map_err(|error| Failure::new(format!("the bank's token answer: {error}")))?;
        if !tamper.believe {
            let facts = TokenFacts {
                token_type: tokens.token_type.clone(),
                expires_in: tokens.expires_in,
                asked,
                scope: tokens.scope.clone(),
                id_token_needed,
                id_token: tokens.id_token.is_some(),
            };
            check_token(&facts, &self.switched_off)
                .map_err(|refusal| distrusted("the bank's token answer is not trusted", &refusal))?;
        }
        Ok(tokens)
    }

    /// Sends a form to an endpoint that clients authenticate at (RFC 7523, 2.2).
    pub(super) async fn authenticated(
        self: &Arc<Self>,
        registration: &Registration,
        url: &Url,
        mut form: Vec<(String, String)>,
        tamper: &Tamper,
        trace: &Trace,
    ) -> Result<Answer, Failure> {
        let mut shown = None;
        match self.profile.software.authentication {
            Authentication::PrivateKeyJwt => {
                let assertion = self.client_assertion(registration, tamper.client_assertion.as_ref()).await?;
                shown = seen(Made::ClientAssertion.name(), Some(&assertion));
                form.push(("client_assertion_type".to_owned(), ASSERTION_TYPE.to_owned()));
                form.push(("client_assertion".to_owned(), assertion));
            }
            Authentication::TlsClientAuth if tamper.client_assertion.is_some() => {
                let why = "this TPP authenticates with its certificate (tls_client_auth): it has no client assertion";
                return Err(Failure::new(why));
            }
            Authentication::TlsClientAuth => form.push(("client_id".to_owned(), registration.client_id.clone())),
        }
        if let Some(parameters) = &tamper.parameters {
            parameters.apply(&mut form);
        }
        let client = self.client(tamper.certificate).await?;
        let request = client.request(Method::POST, url).to(&label(&registration.bank)).trace(trace).tokens(shown);
        Ok(request.form(&form).send().await?)
    }

    async fn trusted(
        self: &Arc<Self>,
        registration: &Registration,
        answer: TokenAnswer,
        about: About<'_>,
        believe: bool,
        trace: &Trace,
    ) -> Result<Trusted, Failure> {
        let mut subject = None;
        let mut claimed = Value::Null;
        if let Some(id_token) = &answer.id_token {
            let jws = Jws::parse(id_token);
            claimed = jws.as_ref().ok().and_then(|jws| jws.claims().ok()).unwrap_or_default();
            if !believe {
                let kid = jws.ok().and_then(|jws| jws.header().kid.clone());
                let keys = self.bank_keys(registration, kid.as_deref(), trace).await?;
                let expected = Expectation {
                    issuer: registration.metadata.issuer.clone(),
                    client_id: registration.client_id.clone(),
                    algorithm: registration.algorithm(),
                    nonce: about.nonce,
                    state: None,
                    code: None,
                    access_token: Some(answer.access_token.clone()),
                    intent_id: about.intent_id.map(str::to_owned),
                    acr_values: about.acr_values,
                    subject: about.subject,
                };
                let (claims, _) = id_token::check(id_token, &keys, expected, self.clock.now(), &self.switched_off)
                    .map_err(|refusal| distrusted("the id_token of the token endpoint is not trusted", &refusal))?;
                subject = claims.sub;
            }
        }
        let tokens = TokenSet {
            bank: registration.bank.clone(),
            expires_at: answer.expires_in.map(|seconds| self.end(seconds)),
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            scope: answer.scope,
            subject,
            without_consent: false,
        };
        Ok(Trusted { tokens, id_token: claimed })
    }

    /// When a token ends that lives for so many seconds; what no token can live for is cut off.
    fn end(&self, expires_in: i64) -> OffsetDateTime {
        self.clock.now() + Duration::seconds(expires_in.clamp(0, LONGEST))
    }

    fn report(&self, trusted: Trusted, reveal: bool) -> Tokens {
        let tokens = trusted.tokens;
        Tokens {
            scope: tokens.scope,
            expires_in: tokens.expires_at.map(|at| (at - self.clock.now()).whole_seconds()),
            refreshable: tokens.refresh_token.is_some(),
            id_token: trusted.id_token,
            access_token: reveal.then_some(tokens.access_token),
            refresh_token: tokens.refresh_token.filter(|_| reveal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::tests::registration;

    #[test]
    fn the_tpps_own_token_is_kept_for_one_bank_client_and_api() {
        let known = key(&registration("Ashdown Bank", "client"), Api::Aisp);
        assert_eq!(known, key(&registration("Ashdown Bank", "client"), Api::Aisp));
        for other in [
            key(&registration("Thistledown Bank", "client"), Api::Aisp),
            key(&registration("Ashdown Bank", "another"), Api::Aisp),
            key(&registration("Ashdown Bank", "client"), Api::Pisp),
        ] {
            assert_ne!(known, other);
        }
    }
}
