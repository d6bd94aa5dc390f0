//! Steps that change the parties: time, faults, deviations, statuses, certificates, lessons.

use http::Method;
use serde_json::{Value, json};
use time::Duration;
use tpp::steps::Onboarded;

use super::{Done, Run, RunError, steps::missing};
use crate::{
    ecosystem::{ControlClient, ControlFailure, advance_together},
    language::{
        BANK, DIRECTORY, Passing, Step,
        steps::{
            AccountStatus, CertificateUse, FaultStep, MisbehaveStep, ParticipantStatus, RejectPaymentStep,
            RevokeCertificateStep, SetAccountStatusStep, SetStatusStep, SettlePaymentStep,
        },
    },
};

impl ControlClient {
    /// Switches rules off.
    pub(super) async fn switch_off(&self, rules: &[String]) -> Result<(), ControlFailure> {
        self.tell(Method::POST, "/lesson", Some(&json!({ "off": rules }))).await
    }

    /// Switches all rules on again.
    pub(super) async fn switch_on(&self) -> Result<(), ControlFailure> {
        self.tell(Method::DELETE, "/lesson", None).await
    }
}

impl Run<'_> {
    pub(super) async fn advance(&mut self, passing: Passing) -> Result<Done, RunError> {
        let everybody: Vec<&ControlClient> = self.runner.everybody().collect();
        let readings = advance_together(&everybody, passing.seconds).await?;
        let ahead = readings.iter().map(|(_, reading)| reading.ahead).max().unwrap_or_default();
        self.clock.reach(Duration::seconds(ahead)).map_err(|error| RunError::Step(error.to_string()))?;
        let parties: Vec<String> = readings.into_iter().map(|(party, _)| party).collect();
        self.variables.at(self.clock.now());
        Ok(Done::well(format!("{passing} at {}", parties.join(", "))))
    }

    pub(super) async fn fault(&mut self, asked: &FaultStep) -> Result<Done, RunError> {
        let fault = self.variables.fill_json(&Value::Object(asked.fault.clone())).map_err(RunError::Variable)?;
        self.runner.party(&asked.at)?.tell(Method::POST, "/faults", Some(&fault)).await?;
        Ok(Done::well(fault.to_string()))
    }

    pub(super) async fn misbehave(&mut self, asked: &MisbehaveStep) -> Result<Done, RunError> {
        let party = self.runner.party(asked.at.as_deref().unwrap_or(BANK))?;
        let told = json!({ "deviations": asked.deviations });
        party.tell(Method::POST, "/misbehave", Some(&told)).await?;
        Ok(Done::well(format!("{} is told so", party.party())))
    }

    pub(super) async fn set_status(&mut self, step: &Step, asked: &SetStatusStep) -> Result<Done, RunError> {
        let Some(organisation) = self.state(step).onboarded.as_ref().map(|known| known.organisation_id.clone()) else {
            return Err(missing("organisation", "onboard"));
        };
        let path = format!("/organisations/{organisation}/status");
        self.operate(&path, Some(&json!({ "status": asked.status.to_string() }))).await?;
        Ok(Done::well(format!("{organisation} is {}", asked.status)))
    }

    /// Revokes a certificate, or takes it back: `revoke` or `reinstate`.
    pub(super) async fn set_revoked(
        &mut self,
        step: &Step,
        asked: &RevokeCertificateStep,
        how: &str,
    ) -> Result<Done, RunError> {
        let Some(Onboarded { organisation_id, transport_kid, signing_kid, .. }) = self.state(step).onboarded.clone()
        else {
            return Err(missing("certificate", "onboard"));
        };
        let kid = match asked.which {
            CertificateUse::Transport => transport_kid,
            CertificateUse::Signing => signing_kid,
        };
        self.operate(&format!("/organisations/{organisation_id}/certificates/{kid}/{how}"), None).await?;
        // The kid is that of a key, which no seed repeats.
        Ok(Done::well(format!("{organisation_id}'s {} certificate: {how}", asked.which)))
    }

    pub(super) async fn set_account_status(
        &self,
        asked: &SetAccountStatusStep,
        status: AccountStatus,
    ) -> Result<Done, RunError> {
        let path = format!("/accounts/{}/status", self.fill(&asked.account)?);
        self.tell_bank(asked.at.as_deref(), &path, Some(&json!({ "status": status }))).await
    }

    pub(super) async fn reject_payment(&self, asked: &RejectPaymentStep) -> Result<Done, RunError> {
        let path = format!("/payments/{}/reject", self.fill(&asked.payment)?);
        let told = json!({ "reason": asked.reason.as_deref().unwrap_or("not_specified") });
        self.tell_bank(asked.at.as_deref(), &path, Some(&told)).await
    }

    pub(super) async fn settle_payment(&self, asked: &SettlePaymentStep) -> Result<Done, RunError> {
        let path = format!("/payments/{}/step", self.fill(&asked.payment)?);
        self.tell_bank(asked.at.as_deref(), &path, None).await
    }

    async fn tell_bank(&self, at: Option<&str>, path: &str, told: Option<&Value>) -> Result<Done, RunError> {
        let party = self.runner.party(at.unwrap_or(BANK))?;
        party.tell(Method::POST, path, told).await?;
        Ok(Done::well(format!("{} is told so", party.party())))
    }

    /// Tells the Directory's operator something, and the banks to hear of it: they ask the Directory now and then, and
    /// need not be waited for here.
    async fn operate(&self, path: &str, told: Option<&Value>) -> Result<(), RunError> {
        self.runner.party(DIRECTORY)?.tell(Method::POST, path, told).await?;
        for bank in self.runner.banks() {
            bank.tell(Method::POST, "/directory/refresh", None).await?;
        }
        Ok(())
    }

    /// Leaves no fault, no deviation, no status, no revocation and no closed account behind for the next scenario. What
    /// cannot be straightened keeps nothing else from being so.
    ///
    /// # Errors
    /// The first one that there was.
    pub(super) async fn clean_up(&mut self) -> Result<(), RunError> {
        let mut parties = Vec::new();
        let mut cleaned = Ok(());
        for step in self.scenario.all_steps() {
            match step {
                Step::Fault(fault) => parties.push(fault.at.clone()),
                Step::Misbehave(step) => parties.push(step.at.clone().unwrap_or_else(|| BANK.to_owned())),
                _ => cleaned = cleaned.and(self.straighten(step).await),
            }
        }
        parties.sort_unstable();
        parties.dedup();
        for name in parties {
            cleaned = cleaned.and(self.reset(&name).await);
        }
        cleaned
    }

    /// Takes back what a step did to the TPP's organisation or to an account.
    async fn straighten(&mut self, step: &Step) -> Result<(), RunError> {
        let known = self.state(step).onboarded.is_some();
        match step {
            // A TPP that never came so far has nothing to take back.
            Step::SetStatus(asked) if known && asked.status != ParticipantStatus::Active => {
                let active = SetStatusStep { status: ParticipantStatus::Active, ..asked.clone() };
                self.set_status(step, &active).await.map(drop)
            }
            Step::RevokeCertificate(asked) if known => self.set_revoked(step, asked, "reinstate").await.map(drop),
            // An account whose name was never kept was never closed.
            Step::SetAccountStatus(asked)
                if asked.status != AccountStatus::Enabled && self.fill(&asked.account).is_ok() =>
            {
                self.set_account_status(asked, AccountStatus::Enabled).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends a party's faults and deviations.
    async fn reset(&self, name: &str) -> Result<(), RunError> {
        let party = self.runner.party(name)?;
        party.tell(Method::POST, "/reset", None).await?;
        // A reset also ends lessons, and this one may go on.
        let rules = self.scenario.lesson.as_ref().filter(|_| self.lesson);
        match rules.filter(|lesson| lesson.at.as_deref().unwrap_or(BANK) == name) {
            Some(lesson) => Ok(party.switch_off(&lesson.off).await?),
            None => Ok(()),
        }
    }
}
