//! Steps that change the parties: time, faults, deviations, statuses, lessons.

use http::Method;
use serde_json::{Value, json};
use time::Duration;

use super::{Done, Run, RunError};
use crate::{
    ecosystem::{ControlClient, ControlFailure},
    language::{
        Passing, Step,
        steps::{FaultStep, MisbehaveStep, SetStatusStep},
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
        let mut parties = Vec::new();
        for client in self.runner.everybody() {
            client.advance(passing.seconds).await?;
            parties.push(client.party());
        }
        self.clock.advance(Duration::seconds(passing.seconds)).map_err(|error| RunError::Step(error.to_string()))?;
        self.variables.at(self.clock.now());
        Ok(Done::well(format!("{passing} at {}", parties.join(", "))))
    }

    pub(super) async fn fault(&mut self, asked: &FaultStep) -> Result<Done, RunError> {
        let fault = self.variables.fill_json(&Value::Object(asked.fault.clone())).map_err(RunError::Variable)?;
        self.runner.party(&asked.at)?.tell(Method::POST, "/faults", Some(&fault)).await?;
        Ok(Done::well(fault.to_string()))
    }

    pub(super) async fn misbehave(&mut self, asked: &MisbehaveStep) -> Result<Done, RunError> {
        let party = self.runner.party(asked.at.as_deref().unwrap_or("bank"))?;
        let told = json!({ "deviations": asked.deviations });
        party.tell(Method::POST, "/misbehave", Some(&told)).await?;
        Ok(Done::well(format!("{} is told so", party.party())))
    }

    pub(super) async fn set_status(&mut self, step: &Step, asked: &SetStatusStep) -> Result<Done, RunError> {
        let Some(organisation) = self.state(step).organisation_id.clone() else {
            return Ok(Done::missing("organisation", "onboard"));
        };
        let path = format!("/organisations/{organisation}/status");
        let told = json!({ "status": asked.status });
        self.runner.party("directory")?.tell(Method::POST, &path, Some(&told)).await?;
        // The bank asks the Directory now and then; here it need not be waited for.
        if let Ok(bank) = self.runner.party("bank") {
            bank.tell(Method::POST, "/directory/refresh", None).await?;
        }
        Ok(Done::well(format!("{organisation} is {}", asked.status)))
    }

    /// Leaves no fault, no deviation and no status behind for the next scenario.
    pub(super) async fn clean_up(&mut self) -> Result<(), RunError> {
        let mut parties = Vec::new();
        for step in self.scenario.all_steps() {
            match step {
                Step::Fault(fault) => parties.push(fault.at.clone()),
                Step::Misbehave(step) => parties.push(step.at.clone().unwrap_or_else(|| "bank".to_owned())),
                Step::SetStatus(asked) if asked.status != "Active" => {
                    let active = SetStatusStep { status: "Active".to_owned(), ..asked.clone() };
                    self.set_status(step, &active).await?;
                }
                _ => {}
            }
        }
        parties.sort_unstable();
        parties.dedup();
        let rules = self.scenario.lesson.as_ref().filter(|_| self.lesson);
        for name in parties {
            let party = self.runner.party(&name)?;
            party.tell(Method::POST, "/reset", None).await?;
            // A reset also ends lessons, and this one may go on.
            if let Some(lesson) = rules.filter(|lesson| lesson.at.as_deref().unwrap_or("bank") == name) {
                party.switch_off(&lesson.off).await?;
            }
        }
        Ok(())
    }
}
