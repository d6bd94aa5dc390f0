//! Lodging an intent with the TPP's own token: one path for every kind.

use std::sync::Arc;

use http::Method;
use openbanking::consent::{AccountAccessConsentData, AccountAccessConsentRequest};
use serde_json::Value;
use simulation::Trace;

use super::resources::Outgoing;
use crate::{
    Tpp,
    api::Api,
    records::{Consent, at_bank},
    steps::{Answered, Bearer, Body, Failure, LodgeConsent, Lodged},
};

impl Tpp {
    /// Lodges a consent.
    ///
    /// # Errors
    /// The bank cannot be reached or refuses, or its answer is not trusted.
    pub async fn lodge_consent(self: &Arc<Self>, step: &LodgeConsent, trace: &Trace) -> Result<Lodged, Failure> {
        let registration = self.registration(&step.bank).await?;
        let kind = step.kind.trim_matches('/');
        let api = Api::of_kind(kind);
        let token = self.client_token(&registration, api, trace).await?;
        let outgoing = Outgoing {
            registration: &registration,
            api,
            method: Method::POST,
            url: registration.resource(step.version, api, &format!("/{kind}"))?,
            token: Some(token),
            whose: Bearer::Client,
            reveal: step.reveal,
            dress: &step.dress,
            body: Some(Body::Json(step.body()?)),
            tamper: &step.tamper,
        };
        let answer = self.send(outgoing, trace).await?;
        if answer.status == 401 {
            self.forget_client_token(&registration, api);
        }
        if answer.status != 201 {
            return Err(answer.refusal(&format!("the bank's {kind}")));
        }
        let consent_id = answer.data("ConsentId")?;
        let status = answer.data("Status")?;
        let record = Consent { bank: step.bank.clone(), kind: kind.to_owned(), version: step.version };
        let change = self.records.consents.put(at_bank(&step.bank, &consent_id), &record)?;
        self.store.commit(vec![change]).await?;
        Ok(Lodged { consent_id, status, answered: answer })
    }

    /// The API that a consent is for; account information for one that this TPP did not lodge.
    pub(super) async fn api_of(&self, bank: &str, consent_id: &str) -> Result<Api, Failure> {
        let found = self.records.consents.get(&*self.store, &at_bank(bank, consent_id)).await?;
        Ok(found.map(|(consent, _)| Api::of_kind(&consent.kind)).unwrap_or_default())
    }
}

impl LodgeConsent {
    fn body(&self) -> Result<Value, Failure> {
        if let Some(body) = &self.body {
            return Ok(body.clone());
        }
        let body = AccountAccessConsentRequest::new(AccountAccessConsentData {
            permissions: self.permissions.clone(),
            expiration_date_time: self.expires_at,
            transaction_from_date_time: self.transactions_from,
            transaction_to_date_time: self.transactions_to,
        });
        serde_json::to_value(body).map_err(|error| Failure::new(error.to_string()))
    }
}

impl Answered {
    /// A text member of `Data`.
    fn data(&self, name: &str) -> Result<String, Failure> {
        let found = self.body.as_ref().and_then(|body| body.pointer(&format!("/Data/{name}"))).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| Failure::new(format!("the bank's consent has no {name}")))
    }

    /// What a refusal says.
    pub(super) fn refusal(&self, what: &str) -> Failure {
        Failure {
            what: format!("{what} answered {}", self.status),
            status: Some(self.status),
            headers: Box::new(self.headers.clone()),
            body: self.body.clone().map(Box::new),
            verdict: None,
            sent: self.sent.clone(),
        }
    }
}
