//! Lodging an intent with the TPP's own token.

use std::sync::Arc;

use http::Method;
use openbanking::consent::{AccountAccessConsentData, AccountAccessConsentRequest};
use serde_json::Value;
use simulation::Trace;

use super::refused;
use crate::{
    Tpp,
    steps::{Failure, LodgeConsent, Lodged},
};

impl Tpp {
    /// Lodges an account access consent.
    ///
    /// # Errors
    /// The bank cannot be reached or refuses.
    pub async fn lodge_consent(self: &Arc<Self>, step: &LodgeConsent, trace: &Trace) -> Result<Lodged, Failure> {
        let registration = self.registration(&step.bank).await?;
        let token = self.client_token(&registration, "accounts", trace).await?;
        let body = AccountAccessConsentRequest::new(AccountAccessConsentData {
            permissions: step.permissions.clone(),
            expiration_date_time: step.expires_at,
            transaction_from_date_time: step.transactions_from,
            transaction_to_date_time: step.transactions_to,
        });
        let url = registration.resource(step.version, "/account-access-consents")?;
        let answer =
            self.request(Method::POST, &url, &step.bank, trace).await?.bearer(&token).json(&body).send().await?;
        if answer.status.as_u16() == 401 {
            self.forget_client_token(&registration, "accounts");
        }
        if answer.status.as_u16() != 201 {
            return Err(refused("the bank's account-access-consents", &answer));
        }
        let body: Value = answer.json().map_err(|error| Failure::new(format!("the bank's consent: {error}")))?;
        let member = |name: &str| {
            body.pointer(&format!("/Data/{name}"))
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| Failure::new(format!("the bank's consent has no {name}")))
        };
        Ok(Lodged { consent_id: member("ConsentId")?, status: member("Status")? })
    }
}
