//! Onboarding: from a name that nobody knows to a software statement.

use openbanking::directory::SoftwareStatementRequest;
use simulation::Trace;

use crate::{
    Tpp,
    records::SoftwareRecord,
    steps::{Failure, Onboarded},
};

/// The TPP has one software statement.
const SOFTWARE: &str = "software";

impl Tpp {
    /// Enrols at the Directory, gets certificates and a software statement. What was done before is not done again.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn onboard(&self, trace: &Trace) -> Result<Onboarded, Failure> {
        let known = self.records.software.get(&*self.store, SOFTWARE).await?;
        let member = self.become_member(trace).await?;
        let organisation_id = member.membership.organisation_id.clone();
        if let Some((record, _)) = known {
            return Ok(Onboarded { organisation_id, software_id: record.software_id, again: true });
        }
        let software = &self.profile.software;
        let request = SoftwareStatementRequest {
            client_name: software.client_name.clone(),
            client_description: Some(software.description.clone()),
            redirect_uris: vec![self.redirect_uri.clone()],
            roles: self.profile.organisation.roles.clone(),
            ..SoftwareStatementRequest::default()
        };
        let statement = member.directory.create_software_statement(&request, trace).await?;
        for certificate in [&member.membership.transport_kid, &member.membership.signing_kid] {
            member.directory.link_certificate(&statement.software_statement_id, certificate, trace).await?;
        }
        let record = SoftwareRecord { software_id: statement.software_statement_id };
        let change = self.records.software.put(SOFTWARE, &record)?;
        self.store.commit(vec![change]).await?;
        Ok(Onboarded { organisation_id, software_id: record.software_id, again: false })
    }

    pub(super) async fn software_id(&self) -> Result<String, Failure> {
        let found = self.records.software.get(&*self.store, SOFTWARE).await?;
        found
            .map(|(record, _)| record.software_id)
            .ok_or_else(|| Failure::new("this TPP has no software statement; onboard first"))
    }
}
